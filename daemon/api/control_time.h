// SPDX-License-Identifier: MIT
#pragma once

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
/// most, whatever clients send. The turn is that of the client which has used least: a light client waits for the end of
/// one turn of the heavy ones, however many they are. A client that is alone gets one turn after another.
class ControlTime {
 public:
    /// What a client has used is forgotten 256 times as slowly as it was used, and after kLongestDebt.
    static constexpr std::int64_t kForgetting = 256;
    static constexpr std::chrono::seconds kLongestDebt{8};
    /// Requests that must not wait, such as a mute, run without a turn: this many at once, and one more in every interval.
    static constexpr std::int64_t kUrgentAtOnce = 4;
    static constexpr std::chrono::milliseconds kUrgentInterval{20};

    using Used = std::function<std::chrono::nanoseconds()>;

    /// `used` returns the time that the control thread has used so far: its processor time, which does not grow while
    /// other programs run. `now` is the clock by which use is forgotten. A step of a request is not interrupted, so a turn
    /// may take longer than `slice`.
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
    /// The same for a request that must not wait.
    [[nodiscard]] bool may_run_urgently(const std::shared_ptr<Waiter>& waiter);

    /// Returns whether this pass must end: clients wait, or its slice is used up.
    [[nodiscard]] bool pass_over() const { return !waiting_.empty() || free_left_ <= std::chrono::nanoseconds{0}; }
    /// Begins a pass with the turn of the client that has used least among those that wait.
    void begin_pass();
    /// `over` is called when pass_over() becomes true.
    void on_pass_over(std::function<void()> over) { on_pass_over_ = std::move(over); }

 private:
    void count();
    void wait(const std::shared_ptr<Waiter>& waiter);
    [[nodiscard]] std::shared_ptr<Waiter> take_lightest();
    void report_pass_over() const {
        if (on_pass_over_) on_pass_over_();
    }

    const Used used_;
    const std::function<TimePoint()> now_;
    const std::chrono::nanoseconds slice_;
    Scope* innermost_ = nullptr;
    std::chrono::nanoseconds counted_{0};     ///< of used_(), up to here
    std::chrono::nanoseconds free_left_;      ///< of this pass, for clients without a turn
    std::chrono::nanoseconds slice_left_{0};  ///< of the turn
    bool turn_begins_ = false;                ///< its first step always runs, so that every turn gets on
    const Waiter* in_turn_ = nullptr;
    std::vector<std::weak_ptr<Waiter>> waiting_;  ///< in the order in which they came
    std::function<void()> on_pass_over_;
};

}  // namespace rta::api
