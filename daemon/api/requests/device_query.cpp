// SPDX-License-Identifier: MIT
#include "api/requests/device_query.h"

#include <utility>

namespace rta::api {

void DeviceQuery::list(TimePoint now, Listed listed) {
    callers_.push_back({std::move(listed), now + kDeadline});
    if (std::exchange(running_, true)) return;
    daemon_.list_devices([self = std::weak_ptr{self_}](const std::vector<DeviceInfo>& devices) {
        if (const auto alive = self.lock()) (*alive)->answer(devices);
    });
}

void DeviceQuery::answer(const std::vector<DeviceInfo>& devices) {
    running_ = false;
    for (const Caller& caller : std::exchange(callers_, {})) caller.listed(devices);
}

void DeviceQuery::expire(TimePoint now) {
    while (!callers_.empty() && callers_.front().deadline <= now) {
        const Caller caller = std::move(callers_.front());
        callers_.pop_front();
        caller.listed(fail(ErrorCode::deadline_exceeded,
                           "timed out after 10 s: the audio libraries have not listed their devices"));
    }
}

}  // namespace rta::api
