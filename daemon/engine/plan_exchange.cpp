// SPDX-License-Identifier: MIT
#include "engine/plan_exchange.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace rta {

PlanExchange::PlanExchange(double sample_rate_hz, std::uint32_t block_size)
    : commands_{command_ring_.sender()},
      returns_{return_ring_.receiver()},
      telemetry_{telemetry_ring_.receiver()},
      renderer_{sample_rate_hz, block_size, CommandReceiver{command_ring_.receiver()},
                EventSender{return_ring_.sender()}, EventSender{telemetry_ring_.sender()}},
      maximum_targets_{
          std::max(kFewestTargets, static_cast<std::size_t>(kTargetsPerSecond * block_size / sample_rate_hz))} {
    plans_.reserve(kMaximumPlans);
}

PlanExchange::~PlanExchange() = default;

std::uint64_t PlanExchange::send(Command command) {
    command.serial = ++sent_serial_;
    [[maybe_unused]] const bool sent = commands_.try_send(command);
    assert(sent && "the caller must check has_room_for_command()");
    return command.serial;
}

std::uint64_t PlanExchange::send(std::unique_ptr<CompiledGraph> plan) {
    Command command{};
    command.kind = Command::Kind::adopt_plan;
    command.render_first = plan->carries_targets();
    command.plan = plan.get();
    count_targets(plan->target_count());
    plans_.push_back(std::move(plan));
    ++plans_made_;
    return send(command);
}

std::uint64_t PlanExchange::send(std::unique_ptr<ParameterBatch> batch) {
    Command command{};
    command.kind = Command::Kind::apply_batch;
    command.batch = batch.get();
    const std::size_t targets = batch->targets.size();
    batches_.emplace(batch.get(), std::move(batch));
    count_targets(targets);
    return send(command);
}

std::uint64_t PlanExchange::send(const ParameterTarget& parameter) {
    Command command{};
    command.kind = Command::Kind::set_parameter;
    command.parameter = parameter;
    count_targets(1);
    return send(command);
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

void PlanExchange::borrow(Borrowed changes) {
    for (auto& owner : changes.entered) {
        const void* const key = owner.get();
        borrowed_.insert_or_assign(key, std::move(owner));
    }
    if (changes.left.empty()) return;
    Retired& retired = retired_.emplace_back(plans_made_);
    retired.owners.reserve(changes.left.size());
    // Memory may run out above, where nothing has been released yet.
    for (const void* const key : changes.left) {
        if (auto entry = borrowed_.extract(key)) retired.owners.push_back(std::move(entry.mapped()));
    }
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

void PlanExchange::count_targets(std::size_t targets) {
    if (targets == 0) return;
    waiting_.push_back({next_serial(), targets});
    waiting_targets_ += targets;
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
                applied_serial_ = event->applied.serial;
                while (!waiting_.empty() && waiting_.front().serial <= applied_serial_) {
                    waiting_targets_ -= waiting_.front().targets;
                    waiting_.pop_front();
                }
                return event;
            case Event::Kind::node_faulted:
                break;  // telemetry: never sent on this ring
        }
    }
    return telemetry_.try_receive();
}

}  // namespace rta
