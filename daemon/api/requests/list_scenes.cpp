// SPDX-License-Identifier: MIT
#include "api/call.h"
#include "api/services.h"

namespace rta::api::requests {

void list_scenes(Call& call) {
    v1::ScenesResult& result = *call.request.answer().mutable_list_scenes();
    for (v1::SceneInfo& scene : call.services.scenes.list()) *result.add_scenes() = std::move(scene);
}

}  // namespace rta::api::requests
