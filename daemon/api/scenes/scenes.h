// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/daemon_access.h"
#include "api/events/event_hub.h"
#include "api/fairness.h"
#include "api/scenes/processor_pool.h"
#include "api/scenes/scene_content.h"
#include "api/scenes/scene_limits.h"
#include "api/scenes/scene_preparation.h"
#include "api/workers.h"
#include "engine/engine.h"
#include "rta/v1/control.pb.h"
#include "text/error.h"

namespace rta::api {

/// The scenes of all clients. They are saved, renamed and removed one after the other, on a worker, and change when that is
/// on the disk. Those used last are kept prepared; see ScenePreparation. [control]
class Scenes {
 public:
    /// Who changes or recalls a scene.
    struct Who {
        std::string author;
        std::string client_name;
    };
    using Done = std::function<void(const Expected<v1::SceneInfo>&)>;
    /// A scene, for a worker.
    struct Found {
        v1::SceneInfo info{};
        std::shared_ptr<const std::string> text{};
        std::shared_ptr<const SceneContent> content{};  ///< null: the text must be read
        std::uint64_t version = 0;
    };

    Scenes(Engine& engine, DaemonAccess& daemon, EventHub& hub, Workers& workers, std::function<TimePoint()> clock,
           const SceneLimits& limits, std::function<void()> wake);
    Scenes(const Scenes&) = delete;
    Scenes& operator=(const Scenes&) = delete;
    ~Scenes() { *alive_ = false; }

    /// Adds a scene that was saved by an earlier run. INVALID_ARGUMENT: the text cannot be read in any version.
    [[nodiscard]] Expected<void> restore(const std::string& name, std::string text);

    /// Returns all, sorted by name.
    [[nodiscard]] std::vector<v1::SceneInfo> list() const;
    /// NOT_FOUND
    [[nodiscard]] Expected<Found> find(std::string_view name) const;
    /// Returns a number that no other scene and no other content of this scene has or had; nullopt: no such scene.
    [[nodiscard]] std::optional<std::uint64_t> version(std::string_view name) const;

    /// Saves the graph, or these nodes, as it is now. INVALID_ARGUMENT, NOT_FOUND, RESOURCE_EXHAUSTED, UNAVAILABLE. These
    /// three call `done` once, later or before they return.
    void save(const std::string& name, std::vector<std::string> nodes, const Who& who, Done done);
    /// NOT_FOUND, ALREADY_EXISTS, INVALID_ARGUMENT, UNAVAILABLE
    void rename(const std::string& name, const std::string& new_name, const Who& who, Done done);
    /// NOT_FOUND, UNAVAILABLE
    void remove(const std::string& name, const Who& who, Done done);

    /// Returns the processors for a recall. Prepares scenes again afterwards.
    [[nodiscard]] const std::shared_ptr<ProcessorPool>& take_spares();
    /// A recall was committed, and its GraphChanged published.
    void recalled(const std::string& name, std::uint64_t revision, const Who& who);

    /// Prepares scenes when that is due.
    void poll(TimePoint now);
    /// Returns how long the next poll() may be delayed; nullopt: nothing is due.
    [[nodiscard]] std::optional<std::chrono::microseconds> interval(TimePoint now) const;

 private:
    struct Scene {
        v1::SceneInfo info;  ///< without what is computed: `prepared`
        std::shared_ptr<const std::string> text;
        std::shared_ptr<const SceneContent> content{};
        std::uint64_t version = 0;
        std::uint64_t used = 0;  ///< increases with each use of a scene
        std::uint64_t prepared_bytes = 0;
        bool prepared = false;  ///< when the graph was that of the latest preparation
    };
    using Table = std::map<std::string, Scene, std::less<>>;
    /// One change of the scenes.
    struct Change {
        std::function<Expected<void>()> check;  ///< in its turn
        std::function<Expected<void>()> work;   ///< [any]
        std::function<Expected<v1::SceneInfo>()> apply;
        Done done;
    };

    [[nodiscard]] Expected<Table::iterator> require(std::string_view name);
    [[nodiscard]] std::unexpected<Error> not_found(std::string_view name) const;
    [[nodiscard]] Expected<std::size_t> bytes_of_others(const std::string& name) const;
    [[nodiscard]] v1::SceneInfo info_of(const Scene& scene) const;
    [[nodiscard]] v1::SceneInfo put(const std::string& name, const SceneHeader& header, std::string text);
    void add(Change change);
    void start_next();
    void finish(const Expected<void>& outcome);
    void publish(v1::SceneChanged::What what, const v1::SceneInfo& scene, const Who& who,
                 std::string_view old_name = {}, std::uint64_t revision = 0);
    /// Returns whether the scenes, and the spare processors, are as they were prepared.
    [[nodiscard]] bool is_current() const {
        return prepared_revision_ == engine_.revision() && !changed_ && !spares_->has_returned();
    }
    [[nodiscard]] bool is_unused() const { return scenes_.empty() && !changed_ && !spares_->has_returned(); }
    void prepare(TimePoint now);
    void prepared(ScenePreparation& result, std::uint64_t revision);

    Engine& engine_;
    DaemonAccess& daemon_;
    EventHub& hub_;
    Workers& workers_;
    std::function<TimePoint()> clock_;
    const SceneLimits limits_;
    std::function<void()> wake_;  ///< called when the next poll() is due earlier
    Table scenes_;
    std::size_t bytes_ = 0;  ///< of all texts
    std::uint64_t uses_ = 0;
    std::uint64_t versions_ = 0;
    std::deque<Change> changes_;
    bool busy_ = false;  ///< the first one of changes_ is being made

    std::shared_ptr<ProcessorPool> spares_ = std::make_shared<ProcessorPool>();
    bool preparing_ = false;  ///< on a worker
    bool changed_ = false;    ///< the scenes, or which were used last, or the spare processors
    std::optional<std::uint64_t> prepared_revision_{};            ///< for which all scenes were prepared
    TimePoint next_preparation_{};                                ///< at the earliest
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< false: what workers report later is ignored
};

}  // namespace rta::api
