// SPDX-License-Identifier: MIT
#include "api/dispatcher.h"

#include <algorithm>
#include <utility>

#include "api/exception_barrier.h"
#include "api/metrics/openmetrics.h"
#include "api/status_snapshot.h"
#include "api/status_wire.h"

namespace rta::api {
namespace {

using Stage = PendingRequest::Stage;

/// Interval while clients wait for room in the engine, which is available again once a block has been rendered.
constexpr std::chrono::microseconds kRoomInterval{250};
/// Interval while clients wait until the engine makes progress.
constexpr std::chrono::microseconds kProgressInterval{1'000};
/// Interval while a mute waits for room, or a panic for its fade and its processors.
constexpr std::chrono::microseconds kOutputInterval{2'000};
/// Interval while answers to failed attempts are delayed.
constexpr std::chrono::microseconds kDelayedAnswerInterval{20'000};
/// Interval at which expired tokens and sessions are looked for.
constexpr std::chrono::seconds kExpiryInterval{1};

/// Data that is passed to a worker and back.
struct Preparation {
    v1::Request message;
    Expected<std::unique_ptr<RequestState>> state = fail(ErrorCode::internal, "the request was not prepared");
};

Error permission_denied(const RequestKind& kind, const Identity& client) {
    std::string sentence{kind.name};
    sentence.append(" needs the role ").append(role_name(kind.role)).append("; this client has the role ");
    sentence += role_name(client.role);
    if (!client.author.empty()) sentence += " (" + client.author + ")";
    return {ErrorCode::permission_denied, std::move(sentence), {}};
}

void execute(Call& call) {
    PendingRequest& request = call.request;
    const RequestKind& kind = *request.kind;
    if (kind.ordering == Ordering::after_answers && !call.client.ready_for_answer()) return;
    if (kind.prepare != nullptr && request.stage != Stage::prepared) return;
    kind.execute(call);
}

}  // namespace

std::shared_ptr<Client> Dispatcher::connect(Entry entry) {
    auto client = std::make_shared<Client>(*this, std::move(entry));
    services_.clients.push_back(client.get());
    return client;
}

void Dispatcher::tick() {
    const TimePoint now = services_.clock();
    services_.commands.poll(now);
    services_.output.poll(now);
    services_.telemetry.poll(now);
    services_.watches.poll(
        [this, end = services_.clock() + services_.limits.slice] { return services_.clock() >= end; });
    services_.confirmation.poll(now);
    resume_waiting(now);
    services_.schedule.poll(now);
    services_.changes.poll(now);
    services_.scenes.poll(now);
    services_.load.poll(now);
    services_.devices.expire(now);
    services_.failed_attempts.poll(now);
    end_expired_sessions(now);
}

/// Takes about one slice for each queue: other clients have their turns before the rest.
void Dispatcher::resume_waiting(TimePoint now) {
    TimePoint end = now + services_.limits.slice;
    const auto over = [&] { return services_.clock() >= end; };
    services_.progress_queue.retry(now, services_.engine.progress() + services_.confirmation.progress(), over);
    end = services_.clock() + services_.limits.slice;
    services_.parameter_room.retry(now, over);
    services_.plan_room.retry(now, over);
}

/// Compares with the time of day, which may be set: the time that a token has left is not constant.
void Dispatcher::end_expired_sessions(TimePoint now) {
    if (now < next_expiry_check_) return;
    next_expiry_check_ = now + kExpiryInterval;
    const std::int64_t now_s = services_.daemon.access().now_s();
    services_.sessions.remove_expired(now, now_s);
    services_.end_sessions([now_s](const Client& client) { return find_expiry(client.identity(), now_s); });
}

std::chrono::microseconds Dispatcher::interval() const {
    std::chrono::microseconds interval = services_.commands.interval();
    if (!services_.plan_room.empty() || !services_.parameter_room.empty()) interval = std::min(interval, kRoomInterval);
    if (!services_.progress_queue.empty()) interval = std::min(interval, kProgressInterval);
    if (services_.output.busy()) interval = std::min(interval, kOutputInterval);
    if (services_.failed_attempts.waiting()) interval = std::min(interval, kDelayedAnswerInterval);
    const TimePoint now = services_.clock();
    if (const auto confirmation = services_.confirmation.interval(now)) interval = std::min(interval, *confirmation);
    if (const auto schedule = services_.schedule.interval(now)) interval = std::min(interval, *schedule);
    if (const auto scenes = services_.scenes.interval(now)) interval = std::min(interval, *scenes);
    if (const auto load = services_.load.interval(now)) interval = std::min(interval, *load);
    if (const auto telemetry = services_.telemetry.interval(now)) interval = std::min(interval, *telemetry);
    if (const auto watches = services_.watches.interval()) interval = std::min(interval, *watches);
    return interval;
}

std::optional<Error> Dispatcher::find_denial(const Call& call) {
    const RequestKind& kind = *call.request.kind;
    const Client& client = call.client;
    if (*client.access_end()) return *client.access_end();
    if (kind.role == Role::none) return std::nullopt;
    if (!client.introduced()) return not_introduced();
    if (!permits(client.identity().role, kind)) return permission_denied(kind, client.identity());
    return std::nullopt;
}

void Dispatcher::prepare(const Call& call) {
    PendingRequest& request = call.request;
    request.stage = Stage::preparing;
    const auto preparation = std::make_shared<Preparation>();
    preparation->message.Swap(&request.message);
    request.message.set_id(preparation->message.id());
    if (preparation->message.has_timeout_ms()) request.message.set_timeout_ms(preparation->message.timeout_ms());
    services_.workers.run(
        "preparing the request",
        [preparation, prepare = request.kind->prepare, &engine = std::as_const(services_.engine)] {
            v1::Request message;  // freed on the worker, like all that takes long
            message.Swap(&preparation->message);
            preparation->state = prepare(engine, nullptr, message);
        },
        [preparation, handle = call.handle()](const Expected<void>& ran) {
            if (!ran) preparation->state = std::unexpected(unchanged(ran.error()));
            handle.resume([&](Call& later) { later.request.prepared(std::move(preparation->state)); });
        });
}

bool Dispatcher::dispatch(Call& call) {
    PendingRequest& request = call.request;
    if (!request.is_parsed()) return false;
    if (!request.turn_over() && request.stage != Stage::queued) {
        if (const auto denial = find_denial(call)) request.refuse(*denial);
    }
    if (!request.turn_over() && request.stage != Stage::queued) {
        const auto executed = guarded("executing the request", [&] { execute(call); });
        if (!executed) request.fail(executed.error());
    }
    return request.turn_over();
}

std::string Dispatcher::metrics() const {
    StatusSnapshot status = take_status(services_);
    status.process = services_.daemon.process_status();
    return metrics_text(status);
}

void Dispatcher::device_changed(const DeviceStatus& device) {
    services_.hub.publish(
        [&](v1::Event& event) { to_wire(device, *event.mutable_device_changed()->mutable_device()); });
}

void Dispatcher::release_engine() {
    services_.load.release_engine();
    services_.engine.build_on(run_here);
}

void Dispatcher::fade_out(float length_ms, std::function<void()> done) {
    services_.commands.fade_out(length_ms, std::move(done));
    services_.wake();
}

}  // namespace rta::api
