// SPDX-License-Identifier: MIT
#include "dsp/ramp.h"

#include <algorithm>
#include <limits>

#include "dsp/kernels.h"
#include "dsp/math.h"

namespace rta::dsp {

namespace {

// One formula for each shape, used for single frames; the kernels compute the same bits for blocks. `elapsed` is the
// number of frames since the start: an integer below 2^53, and therefore exact.
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
               .start_frame = start_frame,
               .length_frames = length_frames,
               .bent = leg_.shape == Shape::logarithmic && start >= kSmallest && target >= kSmallest,
               .shape = leg_.shape};
    if (length_frames == 0) return;
    const double way = leg_.bent ? log2(static_cast<double>(target)) - log2(static_cast<double>(start))
                                 : static_cast<double>(target) - static_cast<double>(start);
    leg_.step = way / static_cast<double>(length_frames);
}

float Ramp::value_at(std::uint64_t frame) const RTA_NONBLOCKING {
    return frame < leg_.start_frame ? previous_.value_at(frame) : leg_.value_at(frame);
}

void Ramp::render(std::uint64_t frame, std::span<float> values) const RTA_NONBLOCKING {
    const bool whole = values.size() % kKernelFrames == 0;
    if (whole && frame >= leg_.start_frame && frame + values.size() <= leg_.end_frame()) {
        return leg_.render_moving(frame, values);
    }
    const std::uint64_t first_frame = frame;
    const std::span<float> before = take_until(leg_.start_frame, frame, values);
    previous_.render(first_frame, before);
    leg_.render(frame, values);
}

float Ramp::Leg::value_at(std::uint64_t frame) const RTA_NONBLOCKING {
    if (frame >= end_frame()) return target;
    if (frame <= start_frame) return start;
    const double elapsed = static_cast<double>(frame - start_frame);
    return bent ? logarithmic_value(start, step, elapsed) : linear_value(start, step, elapsed);
}

/// Frames between start and end, in whole kernel blocks.
void Ramp::Leg::render_moving(std::uint64_t frame, std::span<float> values) const RTA_NONBLOCKING {
    const double elapsed = static_cast<double>(frame - start_frame);
    const auto kernel = bent ? kernels().logarithmic_ramp : kernels().linear_ramp;
    kernel(start, step, elapsed, values.data(), values.size());
}

void Ramp::Leg::render(std::uint64_t frame, std::span<float> values) const RTA_NONBLOCKING {
    std::ranges::fill(take_until(start_frame, frame, values), start);
    const std::span<float> moving = take_until(end_frame(), frame, values);
    const std::uint64_t first_frame = frame - moving.size();
    const std::size_t whole = moving.size() - moving.size() % kKernelFrames;
    if (whole != 0) render_moving(first_frame, moving.first(whole));
    for (std::size_t i = whole; i < moving.size(); ++i) moving[i] = value_at(first_frame + i);
    std::ranges::fill(values, target);
}

}  // namespace rta::dsp
