// SPDX-License-Identifier: MIT
#include "api/requests/scene_change.h"

namespace rta::api::requests {

void rename_scene(Call& call) {
    const v1::RenameScene& message = call.request.message.rename_scene();
    auto done = answer_later(call, [](v1::Response& response) -> auto& { return *response.mutable_rename_scene(); });
    call.services.scenes.rename(message.name(), message.new_name(), who_of(call), std::move(done));
}

}  // namespace rta::api::requests
