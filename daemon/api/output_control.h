// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/daemon_access.h"
#include "api/events/event_hub.h"
#include "api/fairness.h"
#include "api/pending_commands.h"
#include "engine/engine.h"
#include "text/error.h"

namespace rta::api {

/// Runs the mutes and panics of all clients one after the other: a panic takes several steps, and no client may unmute
/// the output between them. Changes of the volume do not wait for them. Has no timer and no clock. [control]
class OutputControl {
 public:
    /// Who has asked, as events report it.
    struct Origin {
        std::string client_name;
        std::string author;
    };
    /// Called once: with the first frame of the change, with nothing if it has started but no block runs, or with an
    /// error; then nothing has changed.
    using Answered = std::function<void(const Expected<std::optional<std::uint64_t>>&)>;
    /// A request of one client.
    struct Asked {
        Origin origin;
        /// Set when the access of the client has ended; then the request is refused with it, unless it has started.
        std::shared_ptr<const std::optional<Error>> access_end;
        TimePoint now;
        TimePoint deadline;  ///< refused with RESOURCE_EXHAUSTED if it has not started by then
        /// Called once, unless the request is refused: the client's later requests take effect after it.
        std::function<void()> committed;
        Answered answered;
    };

    struct VolumeChange {
        float db;
        bool adds;  ///< to the current volume
    };

    /// All arguments must outlive this object.
    OutputControl(Engine& engine, DaemonAccess& daemon, EventHub& hub, PendingCommands& commands)
        : engine_{engine}, daemon_{daemon}, hub_{hub}, commands_{commands} {}

    void mute(bool muted, Asked asked);
    void panic(Asked asked);
    /// Writes the volume to `result`, in dB, before it calls Asked::answered.
    void set_volume(VolumeChange change, std::shared_ptr<float> result, Asked asked);

    /// Continues with everything that can continue. Callbacks may call the functions above.
    void poll(TimePoint now);
    /// Returns whether a request has not been completed.
    [[nodiscard]] bool busy() const { return !queue_.empty() || !volumes_.empty() || !unanswered_.empty(); }

 private:
    struct Item {
        Asked asked;
        std::optional<bool> mute{};          ///< not set: a panic
        std::optional<EngineReset> reset{};  ///< of a panic, from the start of its mute on
    };
    /// A change of the volume, which waits for room in the engine only.
    struct Volume {
        Asked asked;
        VolumeChange change;
        std::shared_ptr<float> result;
    };
    /// A panic that has not been answered.
    struct Unanswered {
        TimePoint asked;
        Answered answered;
    };
    enum class Step : std::uint8_t { done, waits };

    void enqueue(Item item);
    void note_progress(TimePoint now);
    void advance_all(TimePoint now);
    void advance_volumes(TimePoint now);
    [[nodiscard]] Step advance_volume(Volume& volume, TimePoint now);
    [[nodiscard]] Expected<float> volume_after(VolumeChange change) const;
    [[nodiscard]] Expected<Ticket> send_volume(float volume_db, const Origin& origin);
    [[nodiscard]] Step advance(Item& item, TimePoint now);
    [[nodiscard]] Step advance_mute(Item& item, TimePoint now);
    [[nodiscard]] Step advance_panic(Item& item, TimePoint now);
    [[nodiscard]] Step begin_panic(Item& item, TimePoint now);
    void finish_panic(Item& item, const Ticket& ticket);
    [[nodiscard]] Expected<Ticket> send_mute(bool muted, const Origin& origin);
    void answer_when_applied(const Ticket& ticket, Asked& asked, TimePoint now);
    [[nodiscard]] static Step refused(Asked& asked, Error error, TimePoint now);
    void expire_waiting(TimePoint now);
    void expire_still(TimePoint now);

    Engine& engine_;
    DaemonAccess& daemon_;
    EventHub& hub_;
    PendingCommands& commands_;
    std::deque<Item> queue_;
    std::deque<Volume> volumes_;
    std::vector<std::shared_ptr<Unanswered>> unanswered_;
    std::uint64_t last_frame_ = 0;
    TimePoint last_progress_{};  ///< when the engine's clock last moved
    NonReentrant loop_;          ///< callbacks may call the public functions, which poll
};

}  // namespace rta::api
