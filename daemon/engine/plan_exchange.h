// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
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
/// kMaximumCommands commands without a frame and kMaximumScheduled with one are unanswered, their rings hold that many,
/// and the return ring holds more than two events for each of both. A command causes at most two events: the returned
/// plan or batch, and one `applied`, which commands without a frame share in a block.
///
/// Scheduled commands, which take effect at a frame, have a ring of their own, so that they delay no others. Commands
/// without a frame that were sent later may be applied before them; plans may not: while a scheduled plan waits, there is
/// no room for another one, except in the same block.
class PlanExchange {
    /// Released objects, with the number of plans created before: those plans may borrow them.
    struct Retired {
        std::uint64_t plans_made;
        std::vector<std::shared_ptr<const void>> owners;
    };

 public:
    static constexpr std::size_t kMaximumCommands = 1024;
    /// Plans alive at the same time, including the one being rendered.
    static constexpr std::size_t kMaximumPlans = 16;
    /// Parameter targets per second of a block. Applying a target and rendering the first block of its ramp takes 30 to
    /// 45 ns, so this number takes up to 7 % of a block.
    static constexpr double kTargetsPerSecond = 1'536'000.0;
    static constexpr std::size_t kFewestTargets = 16;
    /// Scheduled commands that wait for their frames.
    static constexpr std::size_t kMaximumScheduled = 256;

    PlanExchange(double sample_rate_hz, std::uint32_t block_size);
    /// No audio thread may be inside the renderer or enter it again.
    ~PlanExchange();
    PlanExchange(const PlanExchange&) = delete;
    PlanExchange& operator=(const PlanExchange&) = delete;

    [[nodiscard]] bool has_room_for_command() const { return sent_serial_ - applied_serial_ < kMaximumCommands; }
    /// Returns the number of parameter targets that may wait: the audio thread may have to apply all of them in its
    /// next block.
    [[nodiscard]] std::size_t maximum_targets() const { return maximum_targets_; }
    /// Commands other than plans need room for their targets. A plan has room: if a block has applied maximum_targets(),
    /// later commands wait for the next one.
    [[nodiscard]] bool has_room_for_targets(std::size_t targets) const {
        return waiting_targets_ + targets <= maximum_targets_;
    }
    [[nodiscard]] bool has_room_for_plan() const {
        return has_room_for_command() && plans_.size() < kMaximumPlans && !scheduled_plan_serial();
    }
    /// Room for a plan in the block that holds the frame. Scheduled commands have frames that do not decrease.
    [[nodiscard]] bool has_room_for_plan_at(std::uint64_t frame) const;
    /// Room for a command with parameter targets, which has its own share of a block.
    [[nodiscard]] bool has_room_for_targets_at(std::size_t targets) const {
        return has_room_for_command() && scheduled_.size() < kMaximumScheduled &&
               scheduled_targets_ + targets <= maximum_targets_;
    }
    /// Returns the serial of the first scheduled plan that waits.
    [[nodiscard]] std::optional<std::uint64_t> scheduled_plan_serial() const;
    /// Returns the frame before which no further command can be scheduled.
    [[nodiscard]] std::uint64_t scheduled_frame() const { return scheduled_.empty() ? 0 : scheduled_.back().frame; }

    /// Returns the serial of the next command.
    [[nodiscard]] std::uint64_t next_serial() const { return sent_serial_ + 1; }

    // Each sends a command and returns its serial. Precondition: there is room. With a frame, the command is scheduled. If
    // memory runs out, nothing is sent.
    std::uint64_t send(std::unique_ptr<CompiledGraph> plan, std::optional<std::uint64_t> frame = {});
    std::uint64_t send(std::unique_ptr<ParameterBatch> batch, std::optional<std::uint64_t> frame = {});
    std::uint64_t send(const ParameterTarget& parameter, std::optional<std::uint64_t> frame = {});
    std::uint64_t send(Command::DeviceFade fade);
    std::uint64_t send_nothing();

    /// What a plan borrows, with the memory that borrow() needs.
    class Loan {
        friend class PlanExchange;
        std::unordered_map<const void*, std::shared_ptr<const void>> entered;
        std::vector<const void*> left;
        std::list<Retired> retired;
    };
    /// Prepares a loan to the next plan. Nothing changes.
    [[nodiscard]] Loan prepare(Borrowed changes);
    /// Keeps alive what the plan borrows. What the plan no longer borrows is freed when the earlier plans have returned.
    /// Plans return in the order in which they were sent. Does not throw.
    void borrow(Loan&& loan);
    /// The same, if the next plan shares nothing with the earlier ones.
    void borrow_only(std::vector<std::shared_ptr<const void>> entered);

    /// Returns the latest plan that was sent, or nullptr. What it borrows is alive until the next one has been adopted.
    [[nodiscard]] const CompiledGraph* latest_plan() const { return plans_.empty() ? nullptr : plans_.back().get(); }

    /// Returns whether all commands sent so far have been applied.
    [[nodiscard]] bool all_applied() const { return applied_serial_ >= unscheduled_serial_ && scheduled_.empty(); }

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
    /// A command with targets that has not been applied yet.
    struct Waiting {
        std::uint64_t serial;
        std::size_t targets;
    };
    /// A scheduled command that has not been applied yet.
    struct Scheduled {
        std::uint64_t serial;
        std::uint64_t frame;
        std::size_t targets;
        bool plan;
    };
    /// The entries of the next command, which has targets or a frame. If it is not sent, nothing has changed.
    struct Note {
        std::list<Waiting> waiting;
        std::list<Scheduled> scheduled;
    };
    [[nodiscard]] Note note(std::size_t targets, std::optional<std::uint64_t> frame, bool plan) const;
    /// Sends the command. Does not throw.
    std::uint64_t send(Command command, std::size_t targets, Note&& note);
    void took_effect(std::uint64_t serial);
    void free_retired();

    SpscRing<Command> command_ring_{kMaximumCommands};
    SpscRing<Command> scheduled_ring_{kMaximumScheduled};
    static_assert(4 * kMaximumCommands >= 2 * (kMaximumCommands + kMaximumScheduled));
    SpscRing<Event> return_ring_{4 * kMaximumCommands};
    SpscRing<Event> telemetry_ring_{kTelemetryEvents};
    CommandSender commands_;
    CommandSender scheduled_commands_;
    EventReceiver returns_;
    EventReceiver telemetry_;
    std::size_t maximum_targets_;
    Renderer renderer_;

    std::uint64_t sent_serial_ = 0;
    std::uint64_t applied_serial_ = 0;
    std::uint64_t unscheduled_serial_ = 0;  ///< of the last command without a frame
    std::uint64_t plans_made_ = 0;
    std::unordered_map<const void*, std::shared_ptr<const void>> borrowed_;
    std::list<Retired> retired_;
    /// A plan that returns is freed, and the allocator reuses its memory for one of the next plans: an edit of 10,000
    /// nodes causes 0 to 7 minor page faults (plan_bench), so plans need no pool.
    std::vector<std::unique_ptr<CompiledGraph>> plans_;  ///< as sent; reserved, so that sending one cannot fail
    std::unordered_map<ParameterBatch*, std::unique_ptr<ParameterBatch>> batches_;

    std::list<Waiting> waiting_;
    std::size_t waiting_targets_ = 0;  ///< in all of waiting_
    std::list<Scheduled> scheduled_;
    std::size_t scheduled_targets_ = 0;  ///< in all of scheduled_, without those of plans
};

}  // namespace rta
