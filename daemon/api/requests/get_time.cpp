// SPDX-License-Identifier: MIT
#include "api/call.h"
#include "api/services.h"

namespace rta::api::requests {

void get_time(Call& call) {
    const FrameTime::Now now = call.services.schedule.time().now();
    v1::TimeResult& result = *call.request.answer().mutable_get_time();
    result.set_frame(now.frame_after(0.0));
    result.set_monotonic_ns(static_cast<std::uint64_t>(now.monotonic_ns));
    result.set_utc_us(now.utc_us);
    result.set_sample_rate_hz(call.services.engine.config().sample_rate_hz);
}

}  // namespace rta::api::requests
