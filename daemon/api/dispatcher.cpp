// SPDX-License-Identifier: MIT
#include "api/dispatcher.h"

#include "api/status_wire.h"

#include <algorithm>
#include <utility>

namespace rta::api {
namespace {

/// Between two attempts of those that found the engine full: it has room again once a block has been rendered.
constexpr std::chrono::microseconds kRoomInterval{250};

/// While a mute waits for room, or a panic for its fade and its processors.
constexpr std::chrono::microseconds kOutputInterval{2'000};

/// A request that keeps the control thread longer makes its client a heavy one.
constexpr std::chrono::milliseconds kHeavy{5};
constexpr std::chrono::milliseconds kLongestRest{250};
/// While heavy connections wait for their turn.
constexpr std::chrono::microseconds kHeavyInterval{2'000};

}  // namespace

Dispatcher::Dispatcher(Engine& engine, Host& host, Workers& workers, Clock clock)
    : engine_{engine},
      host_{host},
      workers_{workers},
      clock_{std::move(clock)},
      hub_{random_instance_id()},
      link_{engine_, hub_},
      output_{engine_, hub_, link_, workers_},
      telemetry_{engine_, host_},
      answers_{engine_, host_, hub_, clock_()},
      self_{std::make_shared<Dispatcher*>(this)} {}

std::shared_ptr<Client> Dispatcher::connect(std::string address) {
    auto client = std::make_shared<Client>(*this, std::move(address));
    clients_.push_back(client.get());
    return client;
}

void Dispatcher::tick() {
    const TimePoint now = clock_();
    link_.poll(now);
    output_.poll(now);
    telemetry_.poll(now);
    retry(plan_room_, now);
    retry(parameter_room_, now);
    resume_heavy(now);
    expire_devices(now);
}

std::chrono::microseconds Dispatcher::interval() const {
    const bool waiting = !plan_room_.waiting.empty() || !parameter_room_.waiting.empty();
    std::chrono::microseconds interval = link_.interval();
    if (waiting) interval = std::min(interval, kRoomInterval);
    if (output_.busy()) interval = std::min(interval, kOutputInterval);
    if (!heavy_.waiting.empty()) interval = std::min(interval, kHeavyInterval);
    if (const auto telemetry = telemetry_.interval(clock_())) interval = std::min(interval, *telemetry);
    return interval;
}

void Dispatcher::await(const Ticket& ticket, PendingCommands::Answered answered) {
    link_.await(ticket, clock_() + kHeardDeadline, std::move(answered));
    if (busy_) busy_();
}

bool Dispatcher::may_ask(Client& client, bool transaction) {
    RoomQueue& queue = room_queue(transaction);
    return queue.waiting.empty() || queue.in_turn == &client;
}

/// Another request of the same client goes behind the others.
void Dispatcher::turn_used(Client& client, bool transaction) {
    RoomQueue& queue = room_queue(transaction);
    if (queue.in_turn == &client) queue.in_turn = nullptr;
}

void Dispatcher::wait_for_room(Client& client, bool transaction) {
    RoomQueue& queue = room_queue(transaction);
    if (queue.in_turn == &client) {
        // Refused in its turn: it stays first.
        queue.in_turn = nullptr;
        queue.full = true;
        queue.waiting.push_front(client.weak_from_this());
        return;
    }
    const auto same = [&](const std::weak_ptr<Client>& other) { return other.lock().get() == &client; };
    if (std::ranges::none_of(queue.waiting, same)) queue.waiting.push_back(client.weak_from_this());
    if (busy_) busy_();
}

void Dispatcher::retry(RoomQueue& queue, TimePoint now) {
    // Those whose time is up need no turn to be told so. A copy: they may queue again with their next request.
    for (const auto& waiting : std::deque{queue.waiting}) {
        if (const auto client = waiting.lock()) client->expire(now);
    }
    queue.full = false;
    // One round: whoever queues again with a further request waits for the next.
    for (std::size_t left = queue.waiting.size(); left > 0 && !queue.full && !queue.waiting.empty(); --left) {
        const auto client = queue.waiting.front().lock();
        queue.waiting.pop_front();
        if (client == nullptr) continue;
        queue.in_turn = client.get();
        client->pump();
        queue.in_turn = nullptr;
    }
}

bool Dispatcher::heavy_turn(Client& client) {
    if (heavy_.in_turn == &client) {
        heavy_.in_turn = nullptr;  // for one request
        return true;
    }
    const auto same = [&](const std::weak_ptr<Client>& other) { return other.lock().get() == &client; };
    if (std::ranges::none_of(heavy_.waiting, same)) heavy_.waiting.push_back(client.weak_from_this());
    if (busy_) busy_();
    return false;
}

bool Dispatcher::took(std::chrono::nanoseconds time) {
    if (time < kHeavy) return false;
    heavy_.rest_until = clock_() + std::min<std::chrono::nanoseconds>(time, kLongestRest);
    return true;
}

/// One after the other; whoever was heavy again makes the others rest.
void Dispatcher::resume_heavy(TimePoint now) {
    for (std::size_t left = heavy_.waiting.size(); left > 0 && now >= heavy_.rest_until; --left) {
        const auto client = heavy_.waiting.front().lock();
        heavy_.waiting.pop_front();
        if (client == nullptr) continue;
        heavy_.in_turn = client.get();
        client->pump();
        heavy_.in_turn = nullptr;
    }
}

void Dispatcher::list_devices(DevicesListed listed) {
    devices_waiters_.push_back({std::move(listed), clock_() + kDevicesDeadline});
    // A look that is under way answers everybody: devices are slow, and a client could ask a thousand times.
    if (std::exchange(listing_devices_, true)) return;
    host_.list_devices([self = std::weak_ptr<Dispatcher*>{self_}](const std::vector<DeviceInfo>& devices) {
        if (const auto alive = self.lock()) (*alive)->devices_listed(devices);
    });
}

void Dispatcher::devices_listed(const std::vector<DeviceInfo>& devices) {
    listing_devices_ = false;
    for (const DevicesWaiter& waiter : std::exchange(devices_waiters_, {})) waiter.listed(devices);
}

void Dispatcher::expire_devices(TimePoint now) {
    while (!devices_waiters_.empty() && devices_waiters_.front().deadline <= now) {
        const DevicesWaiter waiter = std::move(devices_waiters_.front());
        devices_waiters_.pop_front();
        waiter.listed(
            fail(ErrorCode::deadline_exceeded, "the host's audio libraries have not listed their devices within 10 s"));
    }
}

void Dispatcher::device_changed(const DeviceStatus& device) {
    hub_.publish([&](v1::Event& event) { to_wire(device, *event.mutable_device_changed()->mutable_device()); });
}

void Dispatcher::fade_out(float length_ms, std::function<void()> done) {
    link_.fade_out(length_ms, std::move(done));
    if (busy_) busy_();
}

}  // namespace rta::api
