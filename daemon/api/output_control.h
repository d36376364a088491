// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/event_hub.h"
#include "api/pending_commands.h"
#include "engine/engine.h"
#include "text/error.h"

namespace rta::api {

class Workers;

/// Mutes and panics, of all clients one after the other: a panic takes several steps, and nobody may unmute in the
/// middle of it. Owns no timer and no clock. [control]
class OutputControl {
 public:
    /// If no block of audio runs for so long, what was begun is answered without its frame.
    static constexpr std::chrono::milliseconds kStillDeadline{500};

    /// Called once: with the frame where it began, with nothing where it is under way but no block runs, or with what
    /// was wrong; then nothing has changed.
    using Answered = std::function<void(const Expected<std::optional<std::uint64_t>>&)>;
    /// What one client asks for.
    struct Asked {
        std::string client_name;
        TimePoint now;
        TimePoint give_up;  ///< what has not been begun by then is refused: RESOURCE_EXHAUSTED
        std::function<void()>
            committed;  ///< called once, unless it is refused: what is asked for later comes behind it
        Answered answered;
    };

    /// All outlive this.
    OutputControl(Engine& engine, EventHub& hub, PendingCommands& link, Workers& workers)
        : engine_{engine}, hub_{hub}, link_{link}, workers_{workers} {}

    void mute(bool muted, Asked asked);
    void panic(Asked asked);

    /// Goes on with what can go on. What is called back may ask for more.
    void poll(TimePoint now);
    /// Something waits to go on.
    [[nodiscard]] bool busy() const { return !queue_.empty() || !unanswered_.empty(); }

 private:
    struct Work {
        Asked asked;
        std::optional<bool> mute{};          ///< not set: a panic
        std::optional<EngineReset> reset{};  ///< of a panic, from the start of its mute on
    };
    /// A panic whose answer has not been given.
    struct Unanswered {
        TimePoint asked;
        Answered answered;
    };
    enum class Step : std::uint8_t { done, waits };

    void enqueue(Work work);
    [[nodiscard]] Step advance(Work& work, TimePoint now);
    [[nodiscard]] Step advance_mute(Work& work, TimePoint now);
    [[nodiscard]] Step advance_panic(Work& work, TimePoint now);
    [[nodiscard]] Step begin_panic(Work& work, TimePoint now);
    void finish_panic(Work& work, const Ticket& ticket);
    [[nodiscard]] Expected<Ticket> send_mute(bool muted, const std::string& client_name);
    [[nodiscard]] static Step refused(Work& work, Error error, TimePoint now);
    void expire_waiting(TimePoint now);
    void expire_still(TimePoint now);

    Engine& engine_;
    EventHub& hub_;
    PendingCommands& link_;
    Workers& workers_;
    std::deque<Work> queue_;
    std::vector<std::shared_ptr<Unanswered>> unanswered_;
    std::uint64_t last_frame_ = 0;
    TimePoint last_progress_{};  ///< when the engine's clock last moved
    bool polling_ = false;
};

}  // namespace rta::api
