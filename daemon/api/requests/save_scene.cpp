// SPDX-License-Identifier: MIT
#include "api/requests/scene_change.h"

namespace rta::api::requests {

void save_scene(Call& call) {
    const v1::SaveScene& message = call.request.message.save_scene();
    auto done = answer_later(call, [](v1::Response& response) -> auto& { return *response.mutable_save_scene(); });
    call.services.scenes.save(message.name(), {message.nodes().begin(), message.nodes().end()}, who_of(call),
                              std::move(done));
}

}  // namespace rta::api::requests
