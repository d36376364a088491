// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "api/event_hub.h"
#include "engine/engine.h"

namespace rta::api {

using TimePoint = std::chrono::steady_clock::time_point;

/// The engine wakes nobody, so this asks it: resolves the tickets that were applied, tells subscribers what happened,
/// and says how soon to ask again. Owns no timer. [control]
class PendingCommands final : private Engine::Observer {
 public:
    /// Called once, with the frame where the change began, or with nothing when the time was up.
    using Answered = std::function<void(std::optional<std::uint64_t> frame)>;

    PendingCommands(Engine& engine, EventHub& hub) : engine_{engine}, hub_{hub} {}

    /// Tickets come in the order the engine gave them, deadlines do not decrease.
    void await(const Ticket& ticket, TimePoint deadline, Answered answered);
    /// A TransactionHeard is published when the ticket is applied, however long that takes.
    void announce(const Ticket& ticket);
    /// `heard` is called when the ticket is applied, however long that takes.
    void announce(const Ticket& ticket, std::function<void(std::uint64_t frame)> heard);
    /// Fades the device output to silence; retried until the engine has room. `done` is called when the fade has ended.
    void fade_out(float length_ms, std::function<void()> done);

    /// `faulted` is called with the name of every node that is silenced because it put out NaN or infinity.
    void on_node_fault(std::function<void(const std::string& node)> faulted) { faulted_ = std::move(faulted); }

    /// Asks the engine and calls back whoever waited. What is called back may use the engine.
    void poll(TimePoint now);
    /// How long the next poll() may be put off.
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
    void node_faulted(const std::string& node, std::uint64_t frame) override;
    void device_faded(std::uint64_t frame) override;
    void resolve(const Applied& applied);
    void expire(TimePoint now);
    void advance_fade();

    Engine& engine_;
    EventHub& hub_;
    std::deque<Waiting> waiting_;
    std::deque<Unheard> unheard_;
    std::optional<Fade> fade_;
    std::function<void(const std::string& node)> faulted_;
    // What the observer was told during one poll(): the engine must not be used while it reports.
    std::vector<Applied> applied_;
    std::vector<Fault> faults_;
};

}  // namespace rta::api
