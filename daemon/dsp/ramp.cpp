// SPDX-License-Identifier: MIT
#include "dsp/ramp.h"

#include <algorithm>
#include <limits>

#include "dsp/math.h"

namespace rta::dsp {

namespace {

// One formula for each shape, used for single frames and for blocks, so that both produce the same bits. `elapsed` is
// the number of frames since the start: an integer below 2^53, and therefore exact.
float linear_value(float start, double step, double elapsed) RTA_NONBLOCKING {
    return static_cast<float>(static_cast<double>(start) + step * elapsed);
}

float logarithmic_value(float start, double step, double elapsed) RTA_NONBLOCKING {
    return static_cast<float>(static_cast<double>(start) * exp2(step * elapsed));
}

/// Removes the frames before `end_frame` from the front of `values`, whose first frame is `frame`, and returns them.
std::span<float> take_until(std::uint64_t end_frame, std::uint64_t& frame, std::span<float>& values) RTA_NONBLOCKING {
    const std::uint64_t wanted = end_frame > frame ? end_frame - frame : 0;
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(wanted, values.size()));
    const std::span<float> taken = values.first(count);
    values = values.subspan(count);
    frame += count;
    return taken;
}

}  // namespace

void Ramp::retarget(float target, std::uint64_t start_frame, std::uint32_t length_frames) RTA_NONBLOCKING {
    const float start = value_at(start_frame);
    // A leg that does not start before the new one never applies; the one before it still does.
    if (start_frame > leg_.start_frame) previous_ = leg_;

    // log2() requires normal numbers.
    constexpr float kSmallest = std::numeric_limits<float>::min();
    leg_ = Leg{.start = start,
               .target = target,
               .bent = shape_ == Shape::logarithmic && start >= kSmallest && target >= kSmallest,
               .start_frame = start_frame,
               .end_frame = start_frame + length_frames};
    if (length_frames == 0) return;
    const double way = leg_.bent ? log2(static_cast<double>(target)) - log2(static_cast<double>(start))
                                 : static_cast<double>(target) - static_cast<double>(start);
    leg_.step = way / static_cast<double>(length_frames);
}

float Ramp::value_at(std::uint64_t frame) const RTA_NONBLOCKING {
    return frame < leg_.start_frame ? previous_.value_at(frame) : leg_.value_at(frame);
}

void Ramp::render(std::uint64_t frame, std::span<float> values) const RTA_NONBLOCKING {
    const std::uint64_t first_frame = frame;
    const std::span<float> before = take_until(leg_.start_frame, frame, values);
    previous_.render(first_frame, before);
    leg_.render(frame, values);
}

float Ramp::Leg::value_at(std::uint64_t frame) const RTA_NONBLOCKING {
    if (frame >= end_frame) return target;
    if (frame <= start_frame) return start;
    const double elapsed = static_cast<double>(frame - start_frame);
    return bent ? logarithmic_value(start, step, elapsed) : linear_value(start, step, elapsed);
}

void Ramp::Leg::render(std::uint64_t frame, std::span<float> values) const RTA_NONBLOCKING {
    std::ranges::fill(take_until(start_frame, frame, values), start);
    const double first_elapsed = static_cast<double>(frame - start_frame);
    const std::span<float> moving = take_until(end_frame, frame, values);
    // A 32-bit frame counter, because SSE cannot convert wider integers to double.
    const auto count = static_cast<std::int32_t>(moving.size());
    float* const out = moving.data();
    if (bent) {
        for (std::int32_t index = 0; index < count; ++index) {
            out[index] = logarithmic_value(start, step, first_elapsed + static_cast<double>(index));
        }
    } else {
        for (std::int32_t index = 0; index < count; ++index) {
            out[index] = linear_value(start, step, first_elapsed + static_cast<double>(index));
        }
    }
    std::ranges::fill(values, target);
}

}  // namespace rta::dsp
