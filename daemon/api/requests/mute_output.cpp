// SPDX-License-Identifier: MIT
#include "api/requests/output_call.h"
#include "api/services.h"

namespace rta::api::requests {
namespace {

void answer_mute(v1::Response& response, std::optional<std::uint64_t> frame) {
    v1::MuteOutputResult& result = *response.mutable_mute_output();
    if (frame) result.set_frame(*frame);
}

}  // namespace

void mute_output(Call& call) {
    call.services.output.mute(call.request.message.mute_output().muted(), enqueue_output_call(call, answer_mute));
    call.services.wake();
}

}  // namespace rta::api::requests
