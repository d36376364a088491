// SPDX-License-Identifier: MIT
#include "api/call.h"
#include "api/services.h"

namespace rta::api::requests {

void list_pending(Call& call) {
    v1::PendingResult& result = *call.request.answer().mutable_list_pending();
    for (v1::PendingEdit& edit : call.services.schedule.list()) *result.add_edits() = std::move(edit);
}

}  // namespace rta::api::requests
