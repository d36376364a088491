// SPDX-License-Identifier: MIT
#include <vector>

#include "api/call.h"
#include "api/services.h"
#include "api/status_wire.h"

namespace rta::api::requests {
namespace {

void answer_devices(PendingRequest& request, const Expected<std::vector<DeviceInfo>>& devices) {
    if (!devices) return request.refuse(devices.error());
    v1::DevicesResult& result = *request.answer().mutable_list_devices();
    for (const DeviceInfo& device : *devices) to_wire(device, *result.add_devices());
}

}  // namespace

void list_devices(Call& call) {
    call.request.stage = PendingRequest::Stage::executed;
    call.services.devices.list(call.services.clock(), [handle = call.handle()](const auto& devices) {
        handle.resume([&](Call& later) { answer_devices(later.request, devices); });
    });
}

}  // namespace rta::api::requests
