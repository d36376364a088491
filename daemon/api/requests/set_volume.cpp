// SPDX-License-Identifier: MIT
#include <memory>
#include <utility>

#include "api/requests/output_call.h"
#include "api/services.h"
#include "graph/edit_checks.h"

namespace rta::api::requests {

void set_volume(Call& call) {
    const v1::SetVolume& message = call.request.message.set_volume();
    if (message.change_case() == v1::SetVolume::CHANGE_NOT_SET) {
        return call.request.refuse(no_volume_change());
    }
    const bool adds = message.change_case() == v1::SetVolume::kAddDb;
    const OutputControl::VolumeChange change{.db = adds ? message.add_db() : message.volume_db(), .adds = adds};
    // Other clients may change the volume again before the answer.
    const auto result = std::make_shared<float>();
    auto asked = enqueue_output_call(call, [result](v1::Response& response, std::optional<std::uint64_t> frame) {
        response.mutable_set_volume()->set_volume_db(*result);
        if (frame) response.mutable_set_volume()->set_frame(*frame);
    });
    call.services.output.set_volume(change, result, std::move(asked));
    call.services.wake();
}

}  // namespace rta::api::requests
