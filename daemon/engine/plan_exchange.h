// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>

#include "engine/messages.h"
#include "engine/renderer.h"

namespace rta {

/// The control thread's side of the rings: lends plans and parameter batches to the Renderer and takes them back.
/// [control]
///
/// Why nothing here can fail once there is room: at most kMaximumCommands commands are unanswered, the command ring
/// holds as many, and the ring of returns holds two for each, which is the most that a command is answered by (the plan
/// or batch that it gave back, and one `applied` for all commands of its block).
class PlanExchange {
 public:
    static constexpr std::size_t kMaximumCommands = 1024;
    /// Alive at once, the one that plays included.
    static constexpr std::size_t kMaximumPlans = 16;
    /// Of all batches that have not been handed back: what the audio thread may have to walk at the top of one block.
    static constexpr std::size_t kMaximumBatchTargets = 2048;

    PlanExchange(double sample_rate_hz, std::uint32_t block_size);
    /// No audio thread may be inside or enter any more.
    ~PlanExchange();
    PlanExchange(const PlanExchange&) = delete;
    PlanExchange& operator=(const PlanExchange&) = delete;

    [[nodiscard]] bool has_room_for_command() const { return sent_serial_ - applied_serial_ < kMaximumCommands; }
    [[nodiscard]] bool has_room_for_batch(std::size_t targets) const {
        return has_room_for_command() && batch_targets_ + targets <= kMaximumBatchTargets;
    }
    [[nodiscard]] bool has_room_for_plan() const { return has_room_for_command() && plans_.size() < kMaximumPlans; }

    /// The serial that the next command will have.
    [[nodiscard]] std::uint64_t next_serial() const { return sent_serial_ + 1; }

    // Each returns the command's serial. Only where there is room.
    std::uint64_t send(std::unique_ptr<CompiledGraph> plan);
    std::uint64_t send(std::unique_ptr<ParameterBatch> batch);
    std::uint64_t send(const ParameterTarget& parameter);
    std::uint64_t send(Command::DeviceFade fade);
    std::uint64_t send_nothing();

    /// Everything sent so far has been applied.
    [[nodiscard]] bool all_applied() const { return sent_serial_ == applied_serial_; }

    /// The next answer that its caller needs to hear of; frees what was handed back on the way.
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
    std::size_t batch_targets_ = 0;  ///< of all of them
};

}  // namespace rta
