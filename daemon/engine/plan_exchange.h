// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>

#include "engine/messages.h"
#include "engine/renderer.h"

namespace rta {

/// The control side of the rings: lends plans and parameter batches to the Renderer and takes them back. [control]
///
/// Sending cannot fail once a has_room function has returned true, and returning cannot fail at all: at most
/// kMaximumCommands commands are unanswered, the command ring holds that many, and the return ring holds two events for
/// each. A command causes at most two events: the returned plan or batch, and one `applied` for all commands of its
/// block.
class PlanExchange {
 public:
    static constexpr std::size_t kMaximumCommands = 1024;
    /// Plans alive at the same time, including the one being rendered.
    static constexpr std::size_t kMaximumPlans = 16;
    /// Targets in all batches that have not been returned: the audio thread may have to apply all of them in one block.
    static constexpr std::size_t kMaximumBatchTargets = 2048;

    PlanExchange(double sample_rate_hz, std::uint32_t block_size);
    /// No audio thread may be inside the renderer or enter it again.
    ~PlanExchange();
    PlanExchange(const PlanExchange&) = delete;
    PlanExchange& operator=(const PlanExchange&) = delete;

    [[nodiscard]] bool has_room_for_command() const { return sent_serial_ - applied_serial_ < kMaximumCommands; }
    [[nodiscard]] bool has_room_for_batch(std::size_t targets) const {
        return has_room_for_command() && batch_targets_ + targets <= kMaximumBatchTargets;
    }
    [[nodiscard]] bool has_room_for_plan() const { return has_room_for_command() && plans_.size() < kMaximumPlans; }

    /// Returns the serial of the next command.
    [[nodiscard]] std::uint64_t next_serial() const { return sent_serial_ + 1; }

    // Each sends a command and returns its serial. Precondition: there is room.
    std::uint64_t send(std::unique_ptr<CompiledGraph> plan);
    std::uint64_t send(std::unique_ptr<ParameterBatch> batch);
    std::uint64_t send(const ParameterTarget& parameter);
    std::uint64_t send(Command::DeviceFade fade);
    std::uint64_t send_nothing();

    /// Returns whether all commands sent so far have been applied.
    [[nodiscard]] bool all_applied() const { return sent_serial_ == applied_serial_; }

    /// Frees what the Renderer has returned. Returns the next event that is not a return.
    [[nodiscard]] std::optional<Event> receive();

    [[nodiscard]] std::uint64_t plans_made() const { return plans_made_; }
    [[nodiscard]] std::uint64_t plans_freed() const { return plans_made_ - plans_.size(); }
    [[nodiscard]] std::uint64_t plans_alive() const { return plans_.size(); }

    [[nodiscard]] Renderer& renderer() { return renderer_; }
    [[nodiscard]] const Renderer& renderer() const { return renderer_; }

 private:
    static constexpr std::size_t kTelemetryEvents = 256;

    std::uint64_t send(Command command);

    SpscRing<Command> command_ring_{kMaximumCommands};
    SpscRing<Event> return_ring_{2 * kMaximumCommands};
    SpscRing<Event> telemetry_ring_{kTelemetryEvents};
    CommandSender commands_;
    EventReceiver returns_;
    EventReceiver telemetry_;
    Renderer renderer_;

    std::uint64_t sent_serial_ = 0;
    std::uint64_t applied_serial_ = 0;
    std::uint64_t plans_made_ = 0;
    std::unordered_map<CompiledGraph*, std::unique_ptr<CompiledGraph>> plans_;
    std::unordered_map<ParameterBatch*, std::unique_ptr<ParameterBatch>> batches_;
    std::size_t batch_targets_ = 0;  ///< in all of batches_
};

}  // namespace rta
