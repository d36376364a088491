// SPDX-License-Identifier: MIT
#include "api/events/event_hub.h"

#include <algorithm>
#include <random>

#include "api/exception_barrier.h"
#include "rta/v1/control.pb.h"
#include "text/quoting.h"

namespace rta::api {

void EventHub::publish(const std::function<void(v1::Event&)>& fill) {
    ++number_;
    if (!keeps_) return;
    Change change;
    const auto created = guarded("creating an event", [&] {
        change = change_of(fill);
        kept_.add(change);
    });
    if (!created) kept_.restart(number_ + 1);
    for (Subscriber* subscriber : subscribers_) created ? subscriber->deliver(change) : subscriber->missed();
}

void EventHub::publish_edit(const std::string& author, const std::string& client_name,
                            const std::function<void(v1::Event&)>& fill) {
    publish(fill);
    latest_edit_.number = number_;
    const auto named = guarded("recording the author of a change", [&] {
        latest_edit_.author = author;
        latest_edit_.client_name = client_name;
    });
    if (named) return;
    latest_edit_.author.clear();
    latest_edit_.client_name.clear();
}

Change EventHub::change_of(const std::function<void(v1::Event&)>& fill) {
    v1::ServerMessage message;
    v1::Event& event = *message.mutable_event();
    event.set_number(number_);
    fill(event);
    return {pages_.add(message), ConcernedNodes::of(event)};
}

void EventHub::subscribe(Subscriber& subscriber) {
    if (std::ranges::find(subscribers_, &subscriber) == subscribers_.end()) subscribers_.push_back(&subscriber);
    if (!std::exchange(keeps_, true)) kept_.restart(number_ + 1);
}

void EventHub::unsubscribe(Subscriber& subscriber) { std::erase(subscribers_, &subscriber); }

std::string random_instance_id() {
    std::random_device random;
    std::string id;
    while (id.size() < 32) id += hexadecimal(random(), 8);
    return id;
}

}  // namespace rta::api
