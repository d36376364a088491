// SPDX-License-Identifier: MIT
#include "dsp/delay_line.h"

#include <algorithm>
#include <cassert>
#include <numbers>

#include "dsp/gain.h"
#include "dsp/kernels.h"
#include "dsp/math.h"

namespace rta::dsp {

namespace {

/// Number of frames that are computed one by one if the line is read immediately after it is written.
constexpr std::uint32_t kNear = kKernelFrames;
/// Maximum age of the samples read by a tap whose `nearest` is less than kNear.
constexpr std::uint32_t kNearHistory = kNear + DelayTap::kMaximumCount;

/// Feedback decays into denormals, which take about a hundred cycles each unless flushed.
void flush_tiny(std::span<float> samples) RTA_NONBLOCKING {
    for (float& sample : samples) sample = flushed(sample);
}

/// Returns the sample that the tap reads. `now` points to the sample of age 0.
float read_one(const DelayTap& tap, const float* now) RTA_NONBLOCKING {
    const float* const oldest = now - tap.farthest();
    if (tap.whole()) return *oldest;
    float even = 0.0F;
    float odd = 0.0F;
    for (std::uint32_t k = 0; k < tap.count; k += 2) {
        even += oldest[k] * tap.factors[k];
        odd += oldest[k + 1] * tap.factors[k + 1];
    }
    return even + odd;
}

/// Rounds a time that is a whole number of frames within float precision.
double frames_in(float time_ms, double sample_rate_hz) RTA_NONBLOCKING {
    const double frames = static_cast<double>(time_ms) * sample_rate_hz / 1'000.0;
    const double whole = static_cast<double>(static_cast<std::uint32_t>(frames + 0.5));
    const double off = frames > whole ? frames - whole : whole - frames;
    return off <= frames * 0x1p-23 ? whole : frames;
}

/// Crossfades from a (`fade` = 0) to b (`fade` = 1).
float faded(float a, float b, float fade) RTA_NONBLOCKING { return a * (1.0F - fade) + b * fade; }

}  // namespace

DelayLine::DelayLine(double sample_rate_hz, double maximum_ms, std::uint32_t channel_count, std::uint32_t block_size)
    : sample_rate_hz_{sample_rate_hz},
      block_size_{block_size},
      maximum_frames_{static_cast<std::uint32_t>(maximum_ms * sample_rate_hz / 1'000.0) + 1} {
    constexpr double kFadeSeconds = 0.02;
    const auto runs = static_cast<std::uint32_t>(kFadeSeconds * sample_rate_hz / kNear + 0.5);
    fade_frames_ = std::max(runs, 1U) * kNear;

    const std::uint32_t kept = maximum_frames_ + DelayTap::kMaximumCount + 2 * block_size;
    ring_ = AudioBuffer{channel_count, kept / block_size * block_size};
    window_.resize(block_size + DelayTap::kMaximumCount + kNearHistory);
    wet_.resize(block_size);
    old_wet_.resize(block_size);
    dry_gains_.resize(block_size);
}

void DelayLine::process(const AudioReadView& in, const AudioWriteView& out, float time_ms, BlockValue feedback,
                        BlockValue mix) RTA_NONBLOCKING {
    assert(in.frame_count() == block_size_);
    ask_for(time_ms);
    for (std::uint32_t first = 0; first < block_size_;) {
        begin_fade();
        // Up to the end of the crossfade or of the block.
        const std::uint32_t left = block_size_ - first;
        const std::uint32_t count = fade_left_ == 0 ? left : std::min(fade_left_, left);
        process_part(in, out, first, count, feedback.from(first), mix.from(first));
        first += count;
    }
    prefetch();
}

/// Processes `count` frames of the block, starting at `first`, where `feedback` and `mix` start.
void DelayLine::process_part(const AudioReadView& in, const AudioWriteView& out, std::uint32_t first,
                             std::uint32_t count, BlockValue feedback, BlockValue mix) RTA_NONBLOCKING {
    if (mix.ramp != nullptr) {
        for (std::uint32_t frame = 0; frame < count; ++frame) dry_gains_[frame] = 1.0F - mix.ramp[frame];
    }
    for (std::uint32_t channel = 0; channel < out.channel_count(); ++channel) {
        const std::span<const float> dry = in.channel(channel).subspan(first, count);
        const std::span<float> heard = out.channel(channel).subspan(first, count);
        if (feedback.is(0.0F)) {
            pass(channel, dry, heard, mix);
        } else {
            feed_back(channel, dry, heard, feedback, mix);
        }
    }
    position_ = position_ + count == ring_.frame_count() ? 0 : position_ + count;
    filled_ = std::min(filled_ + count, ring_.frame_count());
    fade_left_ -= std::min(fade_left_, count);
}

/// Prefetches the memory of the next block, which is no longer in the caches, while other nodes are processed. With
/// many delays, cache misses would dominate the cost.
void DelayLine::prefetch() const RTA_NONBLOCKING {
    constexpr std::uint32_t kLineFrames = AudioBuffer::kAlignment / sizeof(float);
    // After this number the hardware prefetcher takes over.
    constexpr std::uint32_t kEnough = 8 * kLineFrames;
    const std::uint32_t capacity = ring_.frame_count();
    const std::uint32_t back = tap_.farthest();
    const std::uint32_t begin = position_ >= back ? position_ - back : position_ + capacity - back;
    const std::uint32_t frames = std::min(block_size_, kEnough);
    const std::uint32_t read_frames = std::min(frames + tap_.count - 1, capacity - begin);
    for (std::uint32_t channel = 0; channel < ring_.channel_count(); ++channel) {
        const float* const ring = ring_.read().channel(channel).data();
        for (std::uint32_t frame = 0; frame < frames; frame += kLineFrames) {
            __builtin_prefetch(ring + position_ + frame, 1);
        }
        for (std::uint32_t frame = 0; frame < read_frames; frame += kLineFrames) {
            __builtin_prefetch(ring + begin + frame);
        }
        __builtin_prefetch(ring + begin + read_frames - 1);  // reads may start anywhere in a cache line
    }
}

std::complex<double> DelayLine::response(double frequency, double sample_rate_hz, float time_ms, double feedback,
                                         double mix) {
    const DelayTap tap = DelayTap::at(frames_in(time_ms, sample_rate_hz));
    const std::complex<double> wet = tap.response(frequency);
    const std::complex<double> looped = tap.nearest == 0 ? std::polar(1.0, -2.0 * std::numbers::pi * frequency) : wet;
    return 1.0 - mix + mix * wet / (1.0 - feedback * looped);
}

double DelayLine::frames_of(float time_ms) const RTA_NONBLOCKING {
    return std::min(frames_in(time_ms, sample_rate_hz_), static_cast<double>(maximum_frames_));
}

/// Called at the start of a block.
void DelayLine::ask_for(float time_ms) RTA_NONBLOCKING {
    if (started_ && time_ms == time_ms_) return;
    time_ms_ = time_ms;
    wanted_ = DelayTap::at(frames_of(time_ms));
    waiting_ = started_;
    if (!started_) tap_ = wanted_;
    started_ = true;
}

/// Starts a crossfade to the requested delay if one is pending and no crossfade is active.
void DelayLine::begin_fade() RTA_NONBLOCKING {
    if (!waiting_ || fade_left_ != 0) return;
    old_tap_ = tap_;
    tap_ = wanted_;
    waiting_ = false;
    fade_left_ = fade_frames_;
}

/// Returns the gain of the new position in a frame of the part; the gain of the old one is 1 minus it.
float DelayLine::fade_gain(std::uint32_t frame) const RTA_NONBLOCKING {
    return static_cast<float>(fade_frames_ - fade_left_ + frame) / static_cast<float>(fade_frames_);
}

/// Returns `count` contiguous samples of the line, starting at frame `first` relative to the part. `first` may be
/// negative; samples before the first block are silence. The result may be in `scratch`.
const float* DelayLine::window(std::uint32_t channel, std::int32_t first, std::uint32_t count,
                               std::span<float> scratch) RTA_NONBLOCKING {
    const std::span<const float> ring = ring_.read().channel(channel);
    const auto capacity = static_cast<std::int32_t>(ring.size());
    const auto size = static_cast<std::int32_t>(count);
    std::int32_t begin = static_cast<std::int32_t>(position_) + first;
    if (begin < 0) begin += capacity;
    const std::int32_t silent = -first - static_cast<std::int32_t>(filled_);
    if (silent <= 0 && begin + size <= capacity) return ring.data() + begin;

    const std::int32_t zeros = std::clamp(silent, 0, size);
    std::ranges::fill(scratch.first(static_cast<std::size_t>(zeros)), 0.0F);
    for (std::int32_t i = zeros; i < size; ++i) {
        const std::int32_t place = begin + i < capacity ? begin + i : begin + i - capacity;
        scratch[static_cast<std::size_t>(i)] = ring[static_cast<std::size_t>(place)];
    }
    return scratch.data();
}

/// Returns the output of the tap for `count` frames of the part, starting at `frame`. All samples that it reads must
/// have been written. The result may be in `scratch`.
const float* DelayLine::read(std::uint32_t channel, const DelayTap& tap, std::uint32_t frame, std::uint32_t count,
                             std::span<float> scratch) RTA_NONBLOCKING {
    const std::int32_t first = static_cast<std::int32_t>(frame) - static_cast<std::int32_t>(tap.farthest());
    if (tap.whole()) return window(channel, first, count, scratch);
    const float* const samples = window(channel, first, count + tap.count - 1, window_);
    kernels().fir(samples, tap.factors.data(), tap.count, scratch.data(), count);
    return scratch.data();
}

/// Returns the output of the current tap, including an active crossfade.
const float* DelayLine::read_faded(std::uint32_t channel, std::uint32_t frame, std::uint32_t count) RTA_NONBLOCKING {
    const float* const wet = read(channel, tap_, frame, count, wet_);
    if (fade_left_ == 0) return wet;
    const float* const old_wet = read(channel, old_tap_, frame, count, old_wet_);
    for (std::uint32_t i = 0; i < count; ++i) wet_[i] = faded(old_wet[i], wet[i], fade_gain(frame + i));
    return wet_.data();
}

/// Processes a whole part without feedback.
void DelayLine::pass(std::uint32_t channel, std::span<const float> in, std::span<float> out,
                     BlockValue mix) RTA_NONBLOCKING {
    std::ranges::copy(in, ring_.write().channel(channel).subspan(position_).begin());
    blend(in, read_faded(channel, 0, static_cast<std::uint32_t>(out.size())), 0, mix, out);
}

/// Processes a part with feedback, in steps that read only samples already written.
void DelayLine::feed_back(std::uint32_t channel, std::span<const float> in, std::span<float> out, BlockValue feedback,
                          BlockValue mix) RTA_NONBLOCKING {
    const std::uint32_t nearest = fade_left_ == 0 ? tap_.nearest : std::min(tap_.nearest, old_tap_.nearest);
    const auto size = static_cast<std::uint32_t>(out.size());
    const std::uint32_t run = std::max(std::min(nearest, size) / kNear * kNear, kNear);
    for (std::uint32_t frame = 0; frame < size; frame += run) {
        const std::uint32_t count = std::min(run, size - frame);
        if (nearest < kNear) {
            feed_back_near(channel, frame, in.subspan(frame, count), out.subspan(frame, count), feedback, mix);
        } else {
            feed_back_far(channel, frame, in.subspan(frame, count), out.subspan(frame, count), feedback, mix);
        }
    }
}

void DelayLine::feed_back_far(std::uint32_t channel, std::uint32_t frame, std::span<const float> in,
                              std::span<float> out, BlockValue feedback, BlockValue mix) RTA_NONBLOCKING {
    const std::span<float> line = ring_.write().channel(channel).subspan(position_ + frame, out.size());
    const float* const wet = read_faded(channel, frame, static_cast<std::uint32_t>(out.size()));
    if (feedback.at_rest() && mix.at_rest()) {
        kernels().feed_back(in.data(), wet, feedback.value, mix.value, line.data(), out.data(), out.size());
        return;
    }
    std::ranges::copy(in, line.begin());
    add_scaled({wet, out.size()}, feedback.value, feedback.from(frame).ramp, line);
    flush_tiny(line);
    blend(in, wet, frame, mix, out);
}

/// Processes kNear frames one by one.
void DelayLine::feed_back_near(std::uint32_t channel, std::uint32_t frame, std::span<const float> in,
                               std::span<float> out, BlockValue feedback, BlockValue mix) RTA_NONBLOCKING {
    std::array<float, kNearHistory + kNear> line{};
    std::copy_n(window(channel, static_cast<std::int32_t>(frame) - static_cast<std::int32_t>(kNearHistory),
                       kNearHistory, window_),
                kNearHistory, line.begin());
    // During a crossfade one of the two positions may be far away.
    const bool fading = fade_left_ != 0;
    const float* const far = tap_.nearest >= kNear ? read(channel, tap_, frame, kNear, wet_) : nullptr;
    const float* const old_far =
        fading && old_tap_.nearest >= kNear ? read(channel, old_tap_, frame, kNear, old_wet_) : nullptr;
    // With a delay of 0 the input is output immediately, but fed back one frame later.
    const bool at_once = tap_.nearest == 0 || (fading && old_tap_.nearest == 0);

    std::array<float, kNear> wet;
    for (std::uint32_t i = 0; i < kNear; ++i) {
        float* const now = line.data() + kNearHistory + i;
        const auto hear = [&]() RTA_NONBLOCKING {
            const float heard = far != nullptr ? far[i] : read_one(tap_, now);
            if (!fading) return heard;
            return faded(old_far != nullptr ? old_far[i] : read_one(old_tap_, now), heard, fade_gain(frame + i));
        };
        const auto fed = [&](const DelayTap& tap, const float* samples) RTA_NONBLOCKING {
            return samples != nullptr ? samples[i] : tap.nearest == 0 ? now[-1] : read_one(tap, now);
        };
        float back = fed(tap_, far);
        if (fading) back = faded(fed(old_tap_, old_far), back, fade_gain(frame + i));
        *now = flushed(in[i] + feedback[frame + i] * back);
        wet[i] = at_once ? hear() : back;
    }
    std::copy_n(line.begin() + kNearHistory, kNear, ring_.write().channel(channel).subspan(position_ + frame).begin());
    blend(in, wet.data(), frame, mix, out);
}

void DelayLine::blend(std::span<const float> dry, const float* wet, std::uint32_t frame, BlockValue mix,
                      std::span<float> out) RTA_NONBLOCKING {
    if (mix.is(1.0F)) {
        std::copy_n(wet, out.size(), out.data());
    } else {
        scale(dry, 1.0F - mix.value, mix.at_rest() ? nullptr : dry_gains_.data() + frame, out);
        add_scaled({wet, out.size()}, mix.value, mix.from(frame).ramp, out);
    }
}

}  // namespace rta::dsp
