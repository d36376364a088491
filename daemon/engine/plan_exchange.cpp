// SPDX-License-Identifier: MIT
#include "engine/plan_exchange.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "engine/reserve_for.h"

namespace rta {

PlanExchange::PlanExchange(double sample_rate_hz, std::uint32_t block_size)
    : commands_{command_ring_.sender()},
      scheduled_commands_{scheduled_ring_.sender()},
      returns_{return_ring_.receiver()},
      telemetry_{telemetry_ring_.receiver()},
      maximum_targets_{
          std::max(kFewestTargets, static_cast<std::size_t>(kTargetsPerSecond * block_size / sample_rate_hz))},
      renderer_{sample_rate_hz,
                block_size,
                maximum_targets_,
                CommandReceiver{command_ring_.receiver()},
                CommandReceiver{scheduled_ring_.receiver()},
                EventSender{return_ring_.sender()},
                EventSender{telemetry_ring_.sender()}} {
    plans_.reserve(kMaximumPlans);
}

PlanExchange::~PlanExchange() = default;

std::uint64_t PlanExchange::send(Command command) {
    command.serial = ++sent_serial_;
    unscheduled_serial_ = command.serial;
    [[maybe_unused]] const bool sent = commands_.try_send(command);
    assert(sent && "the caller must check has_room_for_command()");
    return command.serial;
}

PlanExchange::Note PlanExchange::note(std::size_t targets, std::optional<std::uint64_t> frame, bool plan) const {
    Note note;
    if (frame) {
        note.scheduled.push_back({next_serial(), *frame, plan ? 0 : targets, plan});
    } else if (targets != 0) {
        note.waiting.push_back({next_serial(), targets});
    }
    return note;
}

std::uint64_t PlanExchange::send(Command command, std::size_t targets, Note&& note) {
    command.target_count = static_cast<std::uint32_t>(targets);
    if (note.scheduled.empty()) {
        waiting_.splice(waiting_.end(), note.waiting);
        waiting_targets_ += targets;
        return send(command);
    }
    command.serial = ++sent_serial_;
    command.start_frame = note.scheduled.front().frame;
    command.after_serial = unscheduled_serial_;
    scheduled_targets_ += note.scheduled.front().targets;
    scheduled_.splice(scheduled_.end(), note.scheduled);
    [[maybe_unused]] const bool sent = scheduled_commands_.try_send(command);
    assert(sent && "the caller must check that there is room");
    return command.serial;
}

bool PlanExchange::has_room_for_plan_at(std::uint64_t frame) const {
    if (!has_room_for_command() || plans_.size() >= kMaximumPlans || scheduled_.size() >= kMaximumScheduled)
        return false;
    const std::uint64_t block = frame / renderer_.block_size();
    return std::ranges::all_of(scheduled_, [&](const Scheduled& waiting) {
        return !waiting.plan || waiting.frame / renderer_.block_size() == block;
    });
}

std::optional<std::uint64_t> PlanExchange::scheduled_plan_serial() const {
    const auto found = std::ranges::find_if(scheduled_, &Scheduled::plan);
    return found == scheduled_.end() ? std::nullopt : std::optional{found->serial};
}

std::uint64_t PlanExchange::send(std::unique_ptr<CompiledGraph> plan, std::optional<std::uint64_t> frame) {
    Command command{};
    command.kind = Command::Kind::adopt_plan;
    command.plan = plan.get();
    const std::size_t targets = plan->targets().size();
    Note entries = note(targets, frame, true);
    plans_.push_back(std::move(plan));  // reserved
    ++plans_made_;
    return send(command, targets, std::move(entries));
}

std::uint64_t PlanExchange::send(std::unique_ptr<ParameterBatch> batch, std::optional<std::uint64_t> frame) {
    Command command{};
    command.kind = Command::Kind::apply_batch;
    command.batch = batch.get();
    const std::size_t targets = batch->targets.size();
    Note entries = note(targets, frame, false);
    batches_.emplace(batch.get(), std::move(batch));
    return send(command, targets, std::move(entries));
}

std::uint64_t PlanExchange::send(const ParameterTarget& parameter, std::optional<std::uint64_t> frame) {
    Command command{};
    command.kind = Command::Kind::set_parameter;
    command.parameter = parameter;
    return send(command, 1, note(1, frame, false));
}

std::uint64_t PlanExchange::send(Command::DeviceFade fade) {
    Command command{};
    command.kind = Command::Kind::fade_device;
    command.fade = fade;
    return send(command);
}

std::uint64_t PlanExchange::send_nothing() {
    Command command{};
    command.kind = Command::Kind::nothing;
    return send(command);
}

PlanExchange::Loan PlanExchange::prepare(Borrowed changes) {
    Loan loan;
    loan.entered.reserve(changes.entered.size());
    for (auto& owner : changes.entered) {
        const void* const key = owner.get();
        loan.entered.insert_or_assign(key, std::move(owner));
    }
    reserve_for(borrowed_, loan.entered.size());
    if (!changes.left.empty()) loan.retired.emplace_back(plans_made_).owners.reserve(changes.left.size());
    loan.left = std::move(changes.left);
    return loan;
}

void PlanExchange::borrow(Loan&& loan) {
    borrowed_.merge(loan.entered);
    for (const void* const key : loan.left) {
        if (auto entry = borrowed_.extract(key)) loan.retired.front().owners.push_back(std::move(entry.mapped()));
    }
    retired_.splice(retired_.end(), loan.retired);
    free_retired();
}

void PlanExchange::borrow_only(std::vector<std::shared_ptr<const void>> entered) {
    std::unordered_map<const void*, std::shared_ptr<const void>> borrowed;
    for (auto& owner : entered) {
        const void* const key = owner.get();
        borrowed.insert_or_assign(key, std::move(owner));
    }
    Retired& retired = retired_.emplace_back(plans_made_);
    retired.owners.reserve(borrowed_.size());
    for (auto& [key, owner] : borrowed_) retired.owners.push_back(std::move(owner));
    borrowed_ = std::move(borrowed);
    free_retired();
}

void PlanExchange::free_retired() {
    while (!retired_.empty() && retired_.front().plans_made <= plans_freed()) retired_.pop_front();
}

void PlanExchange::took_effect(std::uint64_t serial) {
    applied_serial_ = std::max(applied_serial_, serial);
    while (!waiting_.empty() && waiting_.front().serial <= applied_serial_) {
        waiting_targets_ -= waiting_.front().targets;
        waiting_.pop_front();
    }
}

std::optional<Event> PlanExchange::receive() {
    while (const auto event = returns_.try_receive()) {
        switch (event->kind) {
            case Event::Kind::plan_returned:
                std::erase_if(plans_, [&](const auto& plan) { return plan.get() == event->plan; });
                free_retired();
                break;
            case Event::Kind::batch_returned:
                batches_.erase(event->batch);
                break;
            case Event::Kind::applied:
                took_effect(event->applied.serial);
                return event;
            case Event::Kind::scheduled_applied:
                assert(scheduled_.front().serial == event->applied.serial);
                scheduled_targets_ -= scheduled_.front().targets;
                scheduled_.pop_front();
                // Earlier commands without a frame may still wait for their block.
                if (applied_serial_ >= unscheduled_serial_) took_effect(event->applied.serial);
                return event;
            case Event::Kind::node_faulted:
                break;  // telemetry: never sent on this ring
        }
    }
    return telemetry_.try_receive();
}

}  // namespace rta
