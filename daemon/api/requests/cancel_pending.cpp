// SPDX-License-Identifier: MIT
#include <utility>

#include "api/call.h"
#include "api/services.h"

namespace rta::api::requests {

void cancel_pending(Call& call) {
    auto edit = call.services.schedule.cancel(call.request.message.cancel_pending().id());
    if (!edit) return call.request.refuse(edit.error());
    *call.request.answer().mutable_cancel_pending()->mutable_edit() = std::move(*edit);
    call.services.wake();
}

}  // namespace rta::api::requests
