// SPDX-License-Identifier: MIT
#include "api/requests/scene_change.h"

namespace rta::api::requests {

void remove_scene(Call& call) {
    auto done = answer_later(call, [](v1::Response& response) -> auto& { return *response.mutable_remove_scene(); });
    call.services.scenes.remove(call.request.message.remove_scene().name(), who_of(call), std::move(done));
}

}  // namespace rta::api::requests
