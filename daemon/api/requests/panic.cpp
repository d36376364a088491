// SPDX-License-Identifier: MIT
#include "api/requests/output_call.h"
#include "api/services.h"

namespace rta::api::requests {
namespace {

void answer_panic(v1::Response& response, std::optional<std::uint64_t> frame) {
    v1::PanicResult& result = *response.mutable_panic();
    if (frame) result.set_frame(*frame);
}

}  // namespace

void panic(Call& call) {
    call.services.output.panic(enqueue_output_call(call, answer_panic));
    call.services.wake();
}

}  // namespace rta::api::requests
