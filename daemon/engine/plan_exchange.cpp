// SPDX-License-Identifier: MIT
#include "engine/plan_exchange.h"

#include <cassert>

namespace rta {

PlanExchange::PlanExchange(double sample_rate_hz, std::uint32_t block_size)
    : commands_{command_ring_.sender()},
      returns_{return_ring_.receiver()},
      telemetry_{telemetry_ring_.receiver()},
      renderer_{sample_rate_hz, block_size, CommandReceiver{command_ring_.receiver()},
                EventSender{return_ring_.sender()}, EventSender{telemetry_ring_.sender()}} {}

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
    plans_.emplace(plan.get(), std::move(plan));
    ++plans_made_;
    return send(command);
}

std::uint64_t PlanExchange::send(std::unique_ptr<ParameterBatch> batch) {
    Command command{};
    command.kind = Command::Kind::apply_batch;
    command.batch = batch.get();
    batch_targets_ += batch->targets.size();
    batches_.emplace(batch.get(), std::move(batch));
    return send(command);
}

std::uint64_t PlanExchange::send(const ParameterTarget& parameter) {
    Command command{};
    command.kind = Command::Kind::set_parameter;
    command.parameter = parameter;
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

std::optional<Event> PlanExchange::receive() {
    while (const auto event = returns_.try_receive()) {
        switch (event->kind) {
            case Event::Kind::plan_returned:
                plans_.erase(event->plan);
                break;
            case Event::Kind::batch_returned:
                batch_targets_ -= event->batch->targets.size();
                batches_.erase(event->batch);
                break;
            case Event::Kind::applied:
                applied_serial_ = event->applied.serial;
                return event;
            case Event::Kind::node_faulted:
                break;  // telemetry: never sent on this ring
        }
    }
    return telemetry_.try_receive();
}

}  // namespace rta
