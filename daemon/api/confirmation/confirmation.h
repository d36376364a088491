// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "api/change_log.h"
#include "api/confirmation/claim.h"
#include "api/confirmation/saved_confirmation.h"
#include "api/daemon_access.h"
#include "api/events/event_hub.h"
#include "api/history/history.h"
#include "api/pending_commands.h"
#include "api/workers.h"
#include "engine/engine.h"
#include "rta/v1/control.pb.h"
#include "text/error.h"

namespace rta::api {

/// The edit that waits for its confirmation: it is reverted unless that comes in time; docs/decisions/0024-confirmation.md.
/// At most one waits.
///
/// A revert makes the graph what it would be without the transactions since then: this object keeps the graph before the
/// edit, and applies changes of parameters to it, too. What a restart needs of it is saved before the edit is committed,
/// and removed when the edit is confirmed, or when the revert is on the disk. [control]
class Confirmation {
 public:
    static constexpr std::uint32_t kShortestS = 1;
    static constexpr std::uint32_t kLongestS = 600;
    /// Changes of parameters are saved this often.
    static constexpr std::chrono::milliseconds kSaveInterval{500};
    /// A revert for which the engine has no room for longer than this has failed.
    static constexpr std::chrono::seconds kLongestRetry{10};
    /// A confirmation of an edit that is not on the disk after this time has failed.
    static constexpr std::chrono::seconds kLongestSave{10};

    struct Who {
        std::string author{};
        std::string client_name{};
    };
    /// A revert that was committed.
    struct Reverted {
        std::optional<Ticket> ticket{};  ///< empty: there was nothing to change
        v1::UndoResult result{};         ///< without what the ticket says
    };
    using Saved = std::function<void(const Expected<void>&)>;
    using RevertDone = std::function<void(const Expected<Reverted>&)>;

    Confirmation(Engine& engine, DaemonAccess& daemon, EventHub& hub, History& history, ChangeLog& changes,
                 PendingCommands& commands, Workers& workers, std::function<TimePoint()> clock,
                 std::function<void()> wake);
    Confirmation(const Confirmation&) = delete;
    Confirmation& operator=(const Confirmation&) = delete;
    ~Confirmation() = default;

    /// Checks the time that a request gives, which must not have `at`, too. INVALID_ARGUMENT
    [[nodiscard]] static Expected<void> check_time(std::uint32_t within_s, bool has_at = false);

    /// Returns whether a transaction of this author may be committed now: false while another edit is about to open the
    /// confirmation; progress() changes after that. `opens`: the transaction has to be confirmed. FAILED_PRECONDITION
    [[nodiscard]] Expected<bool> admits(const std::string& author, bool opens) const;
    /// Returns a number that changes when admits() may return true.
    [[nodiscard]] std::uint64_t progress() const { return progress_; }

    /// Reserves the confirmation for an edit that admits() permits, which must be committed when `saved` has been called
    /// without an error: later, or before this function returns. `summary` describes the edit for people. UNAVAILABLE: it
    /// cannot be saved.
    ConfirmationClaim claim(Who who, std::string summary, std::uint32_t within_s, Saved saved);
    /// The edit was committed. Call it before the edit is recorded.
    void opened(ConfirmationClaim& claim, std::uint64_t revision);
    /// Publishes that.
    void announce();
    /// Parameters were changed outside a transaction, from and to these values.
    void parameters_changed(std::span<const SetParameter> changes, std::span<const float> before,
                            std::span<const float> after);
    /// Returns an error while changes of parameters must wait until progress() changes: clients have changed what a revert
    /// sets while it was planned, or have taken its room in the engine. The graph stays as it is until the revert is
    /// committed, so that they cannot postpone it. RESOURCE_EXHAUSTED
    [[nodiscard]] Expected<void> admits_parameters() const;

    /// Returns the edit that waits.
    [[nodiscard]] std::optional<v1::OpenConfirmation> waiting() const;
    /// Returns an error unless an edit waits, with this id if it is given. NOT_FOUND, FAILED_PRECONDITION
    [[nodiscard]] Expected<void> check_waiting(std::optional<std::uint64_t> id) const;
    /// Keeps the edit for which check_waiting() succeeds, and calls `done` when the edit and that are on the disk: later, or
    /// before this function returns. UNAVAILABLE: the edit waits as before.
    void confirm(const std::string& author, Saved done);
    /// Reverts the edit for which check_waiting() succeeds, and calls `done` when the transaction is committed: later, or
    /// before this function returns. After an error, the edit waits as before.
    void revert(Who by, RevertDone done);

    /// An edit that a transaction of another author reverts together with what it does itself, in one commit.
    struct Revertible {
        std::uint64_t id = 0;
        std::uint64_t changes = 0;  ///< of the graph after the revert, which a plan has not seen
        [[nodiscard]] bool operator==(const Revertible&) const = default;
    };
    /// Returns the edit that waits, if it is one of another author.
    [[nodiscard]] std::optional<Revertible> revertible(const std::string& author) const;
    /// Returns the graph after a revert. Copies must be destroyed on this thread.
    [[nodiscard]] const AudioGraph& target() const { return target_; }
    /// A transaction of `author` that contains the revert was committed. Call it before that is recorded. Returns the graph
    /// after the revert, which the transaction has changed further. Does not throw.
    [[nodiscard]] AudioGraph reverted(std::string_view author);
    /// Publishes that.
    void announce_revert(const std::string& author);

    /// Reverts what is due, and saves what has changed.
    void poll(TimePoint now);
    /// Returns how long the next poll() may be delayed; nullopt: nothing waits.
    [[nodiscard]] std::optional<std::chrono::microseconds> interval(TimePoint now) const;

    // For restarts.

    /// Takes what an earlier run has saved. `target`: the graph after the revert, with node ids of the engine's graph.
    void restore(const SavedConfirmation& saved, AudioGraph target, std::chrono::microseconds left);
    /// The graph of this revision is the one after a revert: what was saved is removed when that graph is on the disk.
    void restored_reverted(std::uint64_t revision) { settling_ = revision; }
    /// Writes what must be saved, on any thread. Must be destroyed on the control thread. Empty: nothing must.
    [[nodiscard]] std::function<std::string()> writer() const;
    /// Returns whether what is saved differs from that, or may.
    [[nodiscard]] bool is_unsaved() const { return unsaved_ || saving_ || settling_; }

 private:
    friend class ConfirmationClaim;

    enum class State : std::uint8_t {
        none,
        claimed,     ///< the edit is not committed yet
        open,        ///< the edit waits
        confirming,  ///< until the edit is on the disk
        confirmed,   ///< until the file has been removed
        reverting,   ///< the transaction is being prepared, or waits for room in the engine
    };
    struct Plan;

    void withdraw();
    void close();
    [[nodiscard]] bool is_file_needed() const;
    void save(Saved done);
    void start_save();
    void saved(std::uint64_t number, const Expected<void>& outcome);
    [[nodiscard]] bool is_on_disk(std::uint64_t revision) const;
    void settle(TimePoint now);
    void poll_confirming(TimePoint now);
    void end_confirming(const Expected<void>& outcome);
    void changed_differently();
    [[nodiscard]] const GraphNode* find_in_target(const GraphNode& node);
    using KeptValues = std::map<NodeId, std::vector<float>>;  ///< of nodes whose values are valid together only
    void keep(const SetParameter& change, float before, float after, KeptValues& previous);
    void start_revert(Who by, RevertDone done);
    void plan(std::shared_ptr<Plan> previous);
    void plan_again();
    void advance(TimePoint now);
    void committed(const Ticket& ticket, AudioGraph before);
    [[nodiscard]] std::vector<HistoryStep> revert_history();
    void finish(std::optional<Ticket> ticket, std::span<const HistoryStep> steps);
    void fail_revert(const Error& error);
    void publish(v1::ConfirmationChanged::What what, const std::string& author, const Error* error = nullptr);
    [[nodiscard]] v1::OpenConfirmation describe() const;
    [[nodiscard]] std::string left_text() const;

    Engine& engine_;
    DaemonAccess& daemon_;
    EventHub& hub_;
    History& history_;
    ChangeLog& changes_;
    PendingCommands& commands_;
    Workers& workers_;
    std::function<TimePoint()> clock_;
    std::function<void()> wake_;  ///< called when the next poll() is due earlier

    State state_ = State::none;
    std::uint64_t progress_ = 0;
    std::uint64_t next_id_ = 1;
    // Of the edit.
    std::uint64_t id_ = 0;
    std::uint64_t key_ = 0;  ///< see History::open_edit()
    std::uint64_t revision_ = 0;
    std::uint32_t within_s_ = 0;
    TimePoint until_{};
    Who who_{};
    std::string summary_{};
    HistoryMark mark_{};
    AudioGraph target_{};                                    ///< the graph after a revert; empty if no edit waits
    std::unordered_map<NodeIdentity, NodeId> target_ids_{};  ///< of its nodes, when they are needed

    // Of a confirmation.
    std::string confirmed_by_{};
    Saved confirm_done_{};
    TimePoint confirm_until_{};

    // Of a revert.
    Who by_{};
    bool expired_ = false;  ///< its time has passed
    RevertDone done_{};
    std::shared_ptr<Plan> plan_{};     ///< null: it must be planned
    bool planning_ = false;            ///< a worker has it
    bool stale_ = false;               ///< parameters that it sets have changed since
    std::uint64_t stale_changes_ = 0;  ///< that made any plan of a revert stale
    bool holds_ = false;               ///< see admits_parameters()
    TimePoint retry_until_{};

    // Of the file.
    std::optional<std::uint64_t> settling_{};  ///< the file stays until this revision is on the disk
    TimePoint next_settle_{};
    std::uint64_t wanted_saves_ = 0;
    std::vector<std::pair<std::uint64_t, Saved>> saves_{};  ///< that wait
    bool saving_ = false;
    bool unsaved_ = false;
    TimePoint next_save_{};
    std::shared_ptr<int> alive_ = std::make_shared<int>();  ///< results of workers that come later are dropped
};

}  // namespace rta::api
