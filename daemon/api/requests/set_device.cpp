// SPDX-License-Identifier: MIT
#include <optional>
#include <string>

#include "api/call.h"
#include "api/services.h"
#include "api/status_wire.h"

namespace rta::api::requests {
namespace {

void answer_device(Call& call, const Expected<void>& changed) {
    if (!changed) return call.request.refuse(changed.error());
    to_wire(call.services.daemon.device_status(), *call.request.answer().mutable_set_device()->mutable_device());
}

}  // namespace

void set_device(Call& call) {
    const v1::SetDevice& wanted = call.request.message.set_device();
    call.request.stage = PendingRequest::Stage::executed;
    call.services.daemon.set_device(wanted.has_device() ? std::optional{wanted.device()} : std::nullopt,
                                    [handle = call.handle()](const Expected<void>& changed) {
                                        handle.resume([&](Call& later) { answer_device(later, changed); });
                                    });
}

}  // namespace rta::api::requests
