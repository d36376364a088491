// SPDX-License-Identifier: MIT
#include "api/event_hub.h"

#include <algorithm>
#include <memory>
#include <random>

#include "frame/frame_codec.h"
#include "rta/v1/control.pb.h"

namespace rta::api {

void EventHub::publish(const std::function<void(v1::Event&)>& fill) {
    ++number_;
    if (subscribers_.empty()) return;
    v1::ServerMessage message;
    v1::Event& event = *message.mutable_event();
    event.set_number(number_);
    fill(event);
    auto frame = std::make_shared<std::string>();
    append_frame_length(*frame, message.ByteSizeLong());
    message.AppendToString(frame.get());
    const SharedFrame shared = std::move(frame);
    for (Subscriber* subscriber : subscribers_) subscriber->deliver(shared);
}

void EventHub::subscribe(Subscriber& subscriber) {
    if (std::ranges::find(subscribers_, &subscriber) == subscribers_.end()) subscribers_.push_back(&subscriber);
}

void EventHub::unsubscribe(Subscriber& subscriber) { std::erase(subscribers_, &subscriber); }

std::string random_instance_id() {
    static constexpr std::string_view kDigits = "0123456789abcdef";
    std::random_device random;
    std::string id;
    while (id.size() < 32) {
        auto bits = random();
        for (int i = 0; i < 8; ++i, bits >>= 4U) id.push_back(kDigits[bits & 0xFU]);
    }
    return id;
}

}  // namespace rta::api
