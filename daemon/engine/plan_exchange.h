// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "engine/borrowed.h"
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
    /// Parameter targets per second of a block. Applying a target and rendering the first block of its ramp takes 30 to
    /// 45 ns, so this number takes up to 7 % of a block.
    static constexpr double kTargetsPerSecond = 1'536'000.0;
    static constexpr std::size_t kFewestTargets = 16;

    PlanExchange(double sample_rate_hz, std::uint32_t block_size);
    /// No audio thread may be inside the renderer or enter it again.
    ~PlanExchange();
    PlanExchange(const PlanExchange&) = delete;
    PlanExchange& operator=(const PlanExchange&) = delete;

    [[nodiscard]] bool has_room_for_command() const { return sent_serial_ - applied_serial_ < kMaximumCommands; }
    /// Returns the number of parameter targets that may wait: the audio thread may have to apply all of them in its
    /// next block.
    [[nodiscard]] std::size_t maximum_targets() const { return maximum_targets_; }
    /// Commands other than plans need room for their targets. A plan has room, because no later command is applied in
    /// the same block.
    [[nodiscard]] bool has_room_for_targets(std::size_t targets) const {
        return waiting_targets_ + targets <= maximum_targets_;
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

    /// Keeps alive what the next plan borrows. What the plan no longer borrows is freed when the earlier plans have
    /// returned. Plans return in the order in which they were sent.
    void borrow(Borrowed changes);
    /// The same, if the next plan shares nothing with the earlier ones.
    void borrow_only(std::vector<std::shared_ptr<const void>> entered);

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
    /// Counts the targets of the next command.
    void count_targets(std::size_t targets);
    void free_retired();

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
    /// Released objects, with the number of plans created before: those plans may borrow them.
    struct Retired {
        std::uint64_t plans_made;
        std::vector<std::shared_ptr<const void>> owners;
    };
    std::unordered_map<const void*, std::shared_ptr<const void>> borrowed_;
    std::deque<Retired> retired_;
    /// A plan that returns is freed, and the allocator reuses its memory for one of the next plans: an edit of 10,000
    /// nodes causes 0 to 7 minor page faults (plan_bench), so plans need no pool.
    std::vector<std::unique_ptr<CompiledGraph>> plans_;  ///< reserved, so that sending one cannot fail
    std::unordered_map<ParameterBatch*, std::unique_ptr<ParameterBatch>> batches_;

    /// A command with targets that has not been applied yet.
    struct Waiting {
        std::uint64_t serial;
        std::size_t targets;
    };
    std::size_t maximum_targets_;
    std::deque<Waiting> waiting_;
    std::size_t waiting_targets_ = 0;  ///< in all of waiting_
};

}  // namespace rta
