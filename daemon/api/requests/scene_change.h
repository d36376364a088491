// SPDX-License-Identifier: MIT
#pragma once

#include "api/call.h"
#include "api/client.h"
#include "api/scenes/scenes.h"
#include "api/services.h"

namespace rta::api::requests {

// Shared by SaveScene, RenameScene and RemoveScene, which are answered when the change is on the disk.

[[nodiscard]] inline Scenes::Who who_of(const Call& call) {
    return {call.client.identity().author, call.client.name()};
}

/// Returns the function that answers the request: `result(response)` is where the scene is written. Call it before the
/// change is started.
template <class Result>
[[nodiscard]] Scenes::Done answer_later(Call& call, Result result) {
    call.request.stage = PendingRequest::Stage::executed;
    return [handle = call.handle(), result](const Expected<v1::SceneInfo>& scene) {
        handle.resume([&](Call& later) {
            if (!scene) return later.request.refuse(scene.error());
            *result(later.request.answer()).mutable_scene() = *scene;
        });
    };
}

}  // namespace rta::api::requests
