// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "api/call.h"
#include "api/daemon_access.h"
#include "api/events/event_hub.h"
#include "api/fairness.h"
#include "api/history/history.h"
#include "text/error.h"

namespace rta::api {

/// Records the changes of the graph and of parameters, if the daemon records changes at all. Transactions are recorded
/// immediately, and answered when they are on disk; changes of parameters are collected, and recorded together with the
/// next transaction, or soon. A record holds what the history has changed since the previous one, too. Has no timer.
/// [control]
class ChangeLog final : public EventHub::Recorder {
 public:
    /// Changes of parameters are recorded after this time at the latest.
    static constexpr std::chrono::milliseconds kInterval{500};
    /// A transaction is answered as not durable if its record is not on disk after this time.
    static constexpr std::chrono::seconds kLongestWait{10};

    using Clock = std::function<TimePoint()>;
    /// All arguments must outlive this object.
    ChangeLog(DaemonAccess& daemon, EventHub& hub, History& history, Clock clock);

    /// Returns whether changes are recorded.
    [[nodiscard]] bool active() const { return daemon_.records_changes(); }
    /// Returns whether a transaction may be committed whose edits take this many bytes. False: not yet, and the caller must
    /// ask again; see when_room(). RESOURCE_EXHAUSTED: the disk is full.
    [[nodiscard]] Expected<bool> may_commit(std::size_t bytes);
    /// Continues with the request when may_commit() may have another result, at the latest at the deadline.
    void when_room(CallHandle handle, TimePoint deadline);
    /// Calls `done` once with whether the latest transaction is on disk. Returns false if it is known not to be; then `done`
    /// is not called.
    [[nodiscard]] bool when_recorded(std::function<void(bool durable)> done);

    /// The history has changed without a commit.
    void history_changed();
    /// The daemon may have another answer to DaemonAccess::reserve_record().
    void room_changed();
    /// Records what has been collected.
    void flush();
    void poll(TimePoint now);

 private:
    struct Waiting {
        std::uint64_t number;
        TimePoint deadline;
        std::function<void(bool)> done;
    };
    struct Room {
        CallHandle handle;
        TimePoint deadline;
    };

    void edited(std::uint64_t revision, const v1::EditList& edits) override;
    void parameters_changed(std::uint64_t revision, const v1::SetParameters& changes) override;
    void collect();
    [[nodiscard]] std::string take_parameters();
    void record(std::uint64_t revision, std::string content);
    void recorded(std::uint64_t number, bool durable);

    DaemonAccess& daemon_;
    History& history_;
    Clock clock_;
    struct Value {
        std::string node;
        std::string parameter;
        float value;
    };
    std::unordered_map<std::string, Value> values_;  ///< of parameters that have not been recorded, by "node.parameter"
    std::size_t values_bytes_ = 0;                   ///< upper bound of their record
    std::string key_;                                ///< reused
    std::uint64_t revision_ = 0;                     ///< of the latest change of a parameter
    std::optional<TimePoint> due_{};                 ///< something has been collected
    std::uint64_t recorded_ = 0;                     ///< number of the latest record
    bool latest_lost_ = false;                       ///< memory ran out for the latest record
    std::deque<Waiting> waiting_;                    ///< in the order of their numbers
    std::vector<Room> waiting_for_room_;
};

}  // namespace rta::api
