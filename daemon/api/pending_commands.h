// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/awaited_starts.h"
#include "api/events/event_hub.h"
#include "api/fairness.h"
#include "engine/engine.h"

namespace rta::api {

/// Commands that the engine has accepted and no block has applied yet, transactions that are not heard yet, and the
/// engine's events. The engine wakes no thread, so this class polls it: completes commands, publishes events, and
/// returns when to poll again. Has no timer. [control]
class PendingCommands final : private Engine::Observer {
 public:
    /// Transactions that begin to be heard together are reported to clients in polls of this many, so that a poll does
    /// not keep other clients waiting for long.
    static constexpr std::size_t kStartsPerPoll = 256;

    /// Called once, with the first frame of the change, or with nothing when its deadline has passed.
    using Answered = std::function<void(std::optional<std::uint64_t> frame)>;

    PendingCommands(Engine& engine, EventHub& hub) : engine_{engine}, hub_{hub} {}

    /// Calls `answered` when the ticket is applied. Precondition: tickets are in the order in which the engine issued
    /// them, and deadlines do not decrease.
    void await(const Ticket& ticket, TimePoint deadline, Answered answered);
    /// From this transaction on, publishes TransactionHeard for every transaction that begins to be heard.
    void announce(const Ticket& ticket);
    /// Returns the latest revision up to which every transaction has begun to be heard.
    [[nodiscard]] std::uint64_t heard_revision() const;
    /// Calls `answered` when the transaction begins to be heard, or is late. Precondition: as in AwaitedStarts::add().
    AwaitedStarts::Wait await_start(const Ticket& ticket, TimePoint now, TimePoint deadline,
                                    AwaitedStarts::Answered answered);
    /// Returns the number of requests that await_start() has taken and that still wait.
    [[nodiscard]] std::size_t awaited_starts() const { return starts_.size(); }
    /// Calls `heard` when the ticket is applied, without a deadline.
    void announce(const Ticket& ticket, std::function<void(std::uint64_t frame)> heard);
    /// Fades the device output to silence, as soon as the engine has room, and calls `done` at the end of the fade.
    void fade_out(float length_ms, std::function<void()> done);

    /// What scheduled edits report; see Schedule.
    struct Scheduled {
        std::function<void(std::uint64_t revision, std::uint64_t frame)> heard;
        std::function<void(std::uint64_t serial, std::uint64_t frame)> applied;
    };
    void on_scheduled(Scheduled scheduled) { scheduled_ = std::move(scheduled); }

    /// `faulted` is called with the name of every node that is muted because it produced NaN or infinity.
    void on_node_fault(std::function<void(const std::string& node)> faulted) { faulted_ = std::move(faulted); }

    /// Polls the engine and calls back. Callbacks may use the engine.
    void poll(TimePoint now);
    /// Returns how long the next poll() may be delayed.
    [[nodiscard]] std::chrono::microseconds interval() const;

 private:
    struct Waiting {
        std::uint64_t serial;
        TimePoint deadline;
        Answered answered;
    };
    struct Unheard {
        std::uint64_t serial;
        std::function<void(std::uint64_t frame)> heard;
    };
    struct Applied {
        std::uint64_t serial;
        std::uint64_t frame;
    };
    struct Started {
        std::uint64_t revision;
        std::uint64_t frame;
    };
    struct Fault {
        std::string node;
        std::uint64_t frame;
    };
    struct Fade {
        float length_ms;
        std::function<void()> done;
        bool started = false;
        bool ended = false;
    };

    void applied(std::uint64_t serial, std::uint64_t frame) override;
    void transaction_heard(std::uint64_t revision, std::uint64_t frame) override;
    void scheduled_applied(std::uint64_t serial, std::uint64_t frame) override;
    void node_faulted(const std::string& node, std::uint64_t frame) override;
    void device_faded(std::uint64_t frame) override;
    void resolve(const Applied& applied);
    void resolve(const Started& started);
    void note_progress(TimePoint now);
    void report_starts();
    void expire(TimePoint now);
    void advance_fade();

    Engine& engine_;
    EventHub& hub_;
    std::deque<Waiting> waiting_;
    std::deque<Unheard> unheard_;
    AwaitedStarts starts_;
    std::deque<Started> started_;                   ///< and not reported yet
    std::optional<std::uint64_t> first_announced_;  ///< earlier revisions are those of a restored graph
    std::set<std::uint64_t> unheard_revisions_;
    std::uint64_t applied_serial_ = 0;
    std::uint64_t prompt_serial_ = 0;  ///< of the latest awaited transaction that begins with its command
    std::uint64_t frames_ = 0;         ///< the engine's clock at the last poll
    TimePoint last_block_{};           ///< the poll that found the engine's clock moved
    bool rendering_ = true;            ///< as far as is known
    std::optional<Fade> fade_;
    std::function<void(const std::string& node)> faulted_;
    Scheduled scheduled_;
    // Reported by the engine during one poll(), and handled after it: the engine must not be used while it reports.
    std::vector<Applied> applied_;
    std::vector<Applied> scheduled_applied_;
    std::vector<Started> starting_;
    std::vector<Fault> faults_;
};

}  // namespace rta::api
