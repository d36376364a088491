// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "api/waiter.h"

namespace rta::api {

/// The time of the control thread, shared among clients: parsing, executing and answering requests, all counted from the
/// first byte. [control]
///
/// The control thread works in passes. In one pass, clients use at most one slice of time together, and then one client
/// has a turn of one slice. So everything else that the thread does, such as polling the engine, waits for two slices at
/// most, whatever clients send. A client that is alone gets one turn after another.
///
/// The turn is that of the client which will have used least after it, by fair queueing: served() is the time that each
/// client has had if all that wait have shared equally. A client that comes after a rest starts a little before that,
/// however little it has used; one that is new starts there, so that clients that connect again and again do not go before
/// one that has used a little more than its share. How long its turn will take is expected from its previous ones. So a
/// light client waits for the end of one turn of the heavy ones, however many they are. Unused time is not saved, and a
/// client gains nothing by connecting again.
class ControlTime {
 public:
    /// After a long step, such as the commit of a large graph or one during which the machine was interrupted, a client
    /// owes at most this much of the turns of all others together.
    static constexpr std::chrono::milliseconds kLongestDebt{5};
    /// What a turn is expected to take is the mean of about this many turns: one interrupted turn does not make a client
    /// heavy, and light turns between heavy ones do not make it light.
    static constexpr int kExpectedTurns = 8;
    /// A long turn of any client counts for the head start of those that come after a rest for about this many turns.
    static constexpr int kLongTurns = 256;
    /// Requests that must not wait, such as a mute, run without a turn: this many together, and one more in every interval.
    static constexpr std::int64_t kUrgentAtOnce = 4;
    static constexpr std::chrono::milliseconds kUrgentInterval{20};
    /// Sending an answer of this size takes less time than waiting for a turn would save.
    static constexpr std::size_t kSmallAnswerBytes = 4'096;

    using Used = std::function<std::chrono::nanoseconds()>;

    /// `used` returns the time that the control thread has used so far: its processor time, which does not grow while
    /// other programs run. `now` is the clock of requests that must not wait. A step of a request is not interrupted, so a
    /// turn may take longer than `slice`.
    ControlTime(Used used, std::function<TimePoint()> now, std::chrono::microseconds slice)
        : used_{std::move(used)}, now_{std::move(now)}, slice_{slice}, free_left_{slice} {}
    ControlTime(const ControlTime&) = delete;
    ControlTime& operator=(const ControlTime&) = delete;
    ~ControlTime() = default;

    /// While it exists, time is counted for its client, except what inner scopes count for other clients.
    class Scope {
     public:
        Scope(ControlTime& time, std::shared_ptr<Waiter> waiter);
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;
        ~Scope();

     private:
        friend class ControlTime;
        ControlTime& time_;
        const std::shared_ptr<Waiter> waiter_;
        Scope* const outer_;
        const bool counts_;  ///< false inside a scope of the same client
    };

    /// Returns whether the client may use time now. Otherwise it is resumed in its turn.
    [[nodiscard]] bool may_run(const std::shared_ptr<Waiter>& waiter);
    /// The same for what ends a request that has had its turn, such as sending its answer of this size. A client whose
    /// answer is small, or which has used less than the others, need not wait again.
    [[nodiscard]] bool may_finish(const std::shared_ptr<Waiter>& waiter, std::size_t bytes);
    /// The same for a request that must not wait.
    [[nodiscard]] bool may_run_urgently(const std::shared_ptr<Waiter>& waiter);

    /// Returns whether this pass must end: clients wait, or its slice is used up.
    [[nodiscard]] bool pass_over() const { return !waiting_.empty() || free_left_ <= std::chrono::nanoseconds{0}; }
    /// Begins a pass with the turn of the client that will have used least after it.
    void begin_pass();
    /// Returns the time that each client has had if all that wait have shared equally.
    [[nodiscard]] std::chrono::nanoseconds served() const { return served_; }
    /// `over` is called when pass_over() becomes true.
    void on_pass_over(std::function<void()> over) { on_pass_over_ = std::move(over); }

 private:
    void count();
    void charge(TimeAccount& account, std::chrono::nanoseconds spent);
    void wait(const std::shared_ptr<Waiter>& waiter);
    void end_turn();
    /// A client that comes after a rest goes this much before served(). Those that wait have started up to a turn before it,
    /// because it grows while they wait.
    [[nodiscard]] std::chrono::nanoseconds head_start() const {
        return std::clamp<std::chrono::nanoseconds>(long_turn_, 2 * slice_, kLongestDebt);
    }
    [[nodiscard]] std::chrono::nanoseconds floor() const { return served_ - head_start(); }
    [[nodiscard]] std::shared_ptr<Waiter> take_lightest();
    void report_pass_over() const {
        if (on_pass_over_) on_pass_over_();
    }

    const Used used_;
    const std::function<TimePoint()> now_;
    const std::chrono::nanoseconds slice_;
    Scope* innermost_ = nullptr;
    std::chrono::nanoseconds counted_{0};  ///< of used_(), up to here
    std::chrono::nanoseconds served_{0};
    std::chrono::nanoseconds most_used_{0};   ///< the largest TimeAccount::used
    std::chrono::nanoseconds free_left_;      ///< of this pass, for clients without a turn
    std::chrono::nanoseconds slice_left_{0};  ///< of the turn
    std::chrono::nanoseconds long_turn_{0};   ///< use in the longest of the latest turns
    bool turn_begins_ = false;                ///< its first step always runs, so that every turn gets on
    std::weak_ptr<Waiter> in_turn_;
    std::vector<std::weak_ptr<Waiter>> waiting_;  ///< in the order in which they came
    std::function<void()> on_pass_over_;
};

}  // namespace rta::api
