// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/change_log.h"
#include "api/confirmation/confirmation.h"
#include "api/daemon_access.h"
#include "api/events/event_hub.h"
#include "api/frame_time.h"
#include "api/history/history.h"
#include "api/load/load_prediction.h"
#include "api/pending_commands.h"
#include "api/request_table.h"
#include "api/workers.h"
#include "engine/engine.h"
#include "rta/v1/control.pb.h"
#include "text/error.h"

namespace rta::api {

namespace requests {
struct TransactionState;
}

/// Edits that wait for their time, in memory only; docs/decisions/0020-scheduled-edits.md. Each is prepared on a worker ahead of
/// its frame, validated again, and sent two device periods plus 5 ms ahead of it. One that cannot be prepared is prepared once
/// more just before its time, and has failed only then. [control]
class Schedule {
 public:
    static constexpr std::size_t kMaximumEdits = 1000;
    static constexpr std::size_t kMaximumEditsOfAuthor = 500;
    static constexpr std::size_t kMaximumBytes = std::size_t{32} << 20U;
    static constexpr std::size_t kMaximumBytesOfAuthor = std::size_t{16} << 20U;
    static constexpr double kLongestS = 86'400.0;
    /// Processors are built this long before the frame.
    static constexpr std::chrono::seconds kPrepareAhead{5};

    /// Makes a TransactionState for a snapshot of the graph. [any]
    using Plan =
        std::function<Expected<std::unique_ptr<RequestState>>(const Engine& engine, SharedGraphSnapshot snapshot)>;

    /// An edit to be added. One of `transaction`, `parameters` and `find_plan` is set.
    struct Edit {
        std::uint64_t frame = 0;
        std::optional<std::int64_t> utc_us{};  ///< the frame follows this time
        std::string author{};
        std::string client_name{};
        std::string token{};  ///< must still be valid at the time; empty: none
        std::size_t bytes = 0;
        std::shared_ptr<const v1::ApplyTransaction> transaction{};
        std::shared_ptr<const v1::SetParameters> parameters{};
        std::function<Expected<Plan>()> find_plan{};  ///< of a recall, which depends on the graph
        /// With `find_plan`: makes what was planned fit the present graph; false: it must be planned again.
        std::function<bool(requests::TransactionState& planned)> settle{};
        std::string summary{};                                    ///< with `find_plan`
        std::optional<float> max_load{};                          ///< of the graph that a transaction creates
        std::function<void(std::uint64_t revision)> committed{};  ///< with `find_plan`; after the event about the edits

        [[nodiscard]] bool is_transaction() const { return parameters == nullptr; }
    };

    Schedule(Engine& engine, DaemonAccess& daemon, EventHub& hub, History& history, Confirmation& confirmation,
             ChangeLog& changes, PendingCommands& commands, LoadPrediction& load, Workers& workers,
             std::function<TimePoint()> clock, std::function<void()> wake);
    Schedule(const Schedule&) = delete;
    Schedule& operator=(const Schedule&) = delete;
    ~Schedule();

    [[nodiscard]] FrameTime& time() { return time_; }
    /// Reads when an edit shall take effect. INVALID_ARGUMENT: no time, more than 24 h ahead, or in the past.
    [[nodiscard]] Expected<void> read(const v1::When& when, Edit& edit);
    /// Returns whether there is room for an edit. RESOURCE_EXHAUSTED
    [[nodiscard]] Expected<void> check_room(const Edit& edit) const;
    /// Adds a valid edit. RESOURCE_EXHAUSTED
    [[nodiscard]] Expected<v1::PendingEdit> add(Edit edit);
    /// Returns what waits, the earliest first.
    [[nodiscard]] std::vector<v1::PendingEdit> list();
    /// NOT_FOUND if it does not wait.
    [[nodiscard]] Expected<v1::PendingEdit> cancel(std::uint64_t id);

    /// Prepares and sends what is due.
    void poll(TimePoint now);
    /// Returns how long the next poll() may be delayed; nullopt: nothing waits.
    [[nodiscard]] std::optional<std::chrono::microseconds> interval(TimePoint now) const;

 private:
    struct Entry;
    using Entries = std::list<std::shared_ptr<Entry>>;
    enum class Progress : std::uint8_t { waits, conflicts, sent, failed };
    struct Pass;

    void follow_utc(const FrameTime::Now& now);
    void reserve(const FrameTime::Now& now);
    [[nodiscard]] bool may_prepare() const;
    void prepare(const std::shared_ptr<Entry>& entry);
    void build(const std::shared_ptr<Entry>& entry);
    [[nodiscard]] std::uint64_t send_frame(const Entry& entry) const;
    void send_due(const FrameTime::Now& now, TimePoint clock);
    void start_committed(Pass& pass);
    [[nodiscard]] Progress advance(const std::shared_ptr<Entry>& entry, bool due, const Pass& pass);
    [[nodiscard]] bool move_behind_block(Entries::iterator place, const Pass& pass);
    [[nodiscard]] Progress advance_transaction(const std::shared_ptr<Entry>& entry, const Pass& pass);
    [[nodiscard]] Progress advance_prepared(const std::shared_ptr<Entry>& entry, const Pass& pass);
    [[nodiscard]] bool is_behind_another(const Entry& entry) const;
    [[nodiscard]] bool is_outdated(Entry& entry) const;
    Progress plan_again(Entry& entry, double left_ns, TimePoint clock);
    void finish(const std::shared_ptr<Entry>& entry, std::unique_ptr<RequestState> state,
                const Expected<void>& outcome);
    [[nodiscard]] Progress commit(const std::shared_ptr<Entry>& entry, bool ahead);
    [[nodiscard]] Progress set_parameters(const std::shared_ptr<Entry>& entry, TimePoint clock);
    [[nodiscard]] Progress refused(const std::shared_ptr<Entry>& entry, Error error);
    [[nodiscard]] std::optional<Error> find_denial(const Entry& entry) const;
    void heard(std::uint64_t revision, std::uint64_t frame);
    void applied(std::uint64_t serial, std::uint64_t frame);
    void took_effect(const Entry& entry, std::uint64_t expected, std::uint64_t frame);
    void publish(v1::PendingChanged::What what, const Entry& entry, const Error* error = nullptr,
                 std::uint64_t late_frames = 0);
    [[nodiscard]] std::uint64_t block_of(std::uint64_t frame) const {
        return frame / engine_.config().block_size * engine_.config().block_size;
    }

    Engine& engine_;
    DaemonAccess& daemon_;
    EventHub& hub_;
    History& history_;
    ChangeLog& changes_;
    Confirmation& confirmation_;
    PendingCommands& commands_;
    LoadPrediction& load_;
    Workers& workers_;
    std::function<void()> wake_;  ///< called when the next poll() is due earlier
    FrameTime time_;
    std::uint64_t next_id_ = 1;
    Entries waiting_;                           ///< sorted by frame
    std::vector<std::shared_ptr<Entry>> sent_;  ///< and not in effect yet
    std::size_t preparing_ = 0;
    bool retries_ = false;                                        ///< the engine had no room for one that is due
    TimePoint next_poll_{};                                       ///< before which nothing is due
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< false: what workers report later is ignored
};

}  // namespace rta::api
