// SPDX-License-Identifier: MIT
#include "io/block_adapter.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "io/audio_thread_setup.h"
#include "io/clocks.h"
#include "rt/denormal_guard.h"

namespace rta::io {
namespace {

[[nodiscard]] std::uint32_t fade_length(std::uint32_t sample_rate_hz, std::uint32_t block_size) {
    const auto least = static_cast<std::uint32_t>(std::ceil(BlockAdapter::kFadeSeconds * sample_rate_hz));
    return std::max(std::bit_ceil(least), block_size);  // both are powers of two, so this is a multiple of the block
}

/// No read-modify-write is needed: only the callback writes these counters.
void count(std::atomic<std::uint64_t>& counter, std::uint64_t more = 1) RTA_NONBLOCKING {
    counter.store(counter.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
}

/// Rises from 0 at x = 0 to 1 at x = 1, with zero slope at both ends.
[[nodiscard]] float smooth_step(float x) RTA_NONBLOCKING { return x * x * (3.0F - 2.0F * x); }

}  // namespace

BlockAdapter::BlockAdapter(AudioThreadGate& gate, Renderer& renderer, std::uint32_t sample_rate_hz,
                           std::uint32_t channels_in, std::uint32_t channels_out)
    : gate_{gate},
      renderer_{renderer},
      block_size_{renderer.block_size()},
      fade_frames_{fade_length(sample_rate_hz, block_size_)},
      sample_rate_hz_{sample_rate_hz},
      gathered_{channels_in, block_size_},
      playing_{channels_out, block_size_},
      silent_input_{1, block_size_},
      history_{channels_out, fade_frames_},
      block_inputs_(channels_in, nullptr),
      block_outputs_(channels_out, nullptr),
      peaks_(channels_out, 0.0F),
      lateness_{sample_rate_hz},
      fade_{sample_rate_hz} {}

void BlockAdapter::grant(AudioThreadGate::Generation generation, Entrance entrance) noexcept {
    if (entrance == Entrance::faded_in) {
        fade_.begin_silent();
        extends_ = true;
    }
    // release pairs with the acquire in render(): a device thread that is already running sees everything that the
    // control thread did to the engine before this call, and the beginning of the fade.
    generation_.store(generation, std::memory_order_release);
}

void BlockAdapter::process(const float* const* inputs, float* const* outputs, std::uint32_t frames,
                           const DriverFlags& reported) RTA_NONBLOCKING {
    const DenormalGuard denormals_are_zero;
    const std::int64_t start_ns = monotonic_now_ns();
    if (!thread_prepared_) prepare_thread();
    render(inputs, outputs, frames, start_ns);
    callback_frames_.store(frames, std::memory_order_relaxed);
    count(frames_, frames);
    count(callbacks_);
    if (frames == 0) return;
    const std::int64_t took_ns = monotonic_now_ns() - start_ns;
    const std::int64_t available_ns = std::int64_t{frames} * kSecondNs / sample_rate_hz_;
    load_meter_.add(took_ns, available_ns);
    const bool late = lateness_.callback(start_ns, frames, tolerance_ns_.load(std::memory_order_relaxed));
    if (late || took_ns > available_ns || reported.any()) count_xruns(reported, late, took_ns > available_ns);
}

void BlockAdapter::count_xruns(const DriverFlags& reported, bool late, bool overrun) RTA_NONBLOCKING {
    xrun_frame_.store(renderer_.frames(), std::memory_order_relaxed);
    if (reported.input_underflow) count(input_underflows_);
    if (reported.input_overflow) count(input_overflows_);
    if (reported.output_underflow) count(output_underflows_);
    if (reported.output_overflow) count(output_overflows_);
    if (reported.any()) count(reported_xruns_);
    if (late) count(late_callbacks_);
    if (overrun) count(overruns_);
}

XrunCounts BlockAdapter::xrun_counts() const noexcept {
    return {.input_underflows = input_underflows_.load(std::memory_order_relaxed),
            .input_overflows = input_overflows_.load(std::memory_order_relaxed),
            .output_underflows = output_underflows_.load(std::memory_order_relaxed),
            .output_overflows = output_overflows_.load(std::memory_order_relaxed),
            .late_callbacks = late_callbacks_.load(std::memory_order_relaxed),
            .overruns = overruns_.load(std::memory_order_relaxed)};
}

void BlockAdapter::render(const float* const* inputs, float* const* outputs, std::uint32_t frames,
                          std::int64_t start_ns) RTA_NONBLOCKING {
    // acquire pairs with the release in grant().
    const AudioThreadGate::Generation generation = generation_.load(std::memory_order_acquire);
    if (const auto claim = gate_.try_claim(generation)) {
        if (ended_ > 0) begin_again();
        if (!delayed_ && frames % block_size_ != 0) switch_to_delay();
        const std::uint64_t first_frame = renderer_.frames() + (delayed_ ? position_ : 0);
        renderer_.begin_callback(claim.key(), {start_ns, first_frame, frames, generation});
        if (delayed_) {
            process_delayed(claim.key(), inputs, outputs, frames);
        } else {
            process_direct(claim.key(), inputs, outputs, frames);
        }
    } else {
        end_output(outputs, frames);
    }
}

/// The engine has been given to this device again: it fades in.
void BlockAdapter::begin_again() RTA_NONBLOCKING {
    ended_ = 0;
    fade_.begin_silent();
    playing_.clear();
}

void BlockAdapter::prepare_thread() RTA_NONBLOCKING {
    thread_prepared_ = true;
    thread_id_.store(current_thread_id(), std::memory_order_relaxed);
    touch_stack();
}

/// Plays what is left of the rendered audio, then its extension, fading out, then silence. A recording gets only
/// silence.
void BlockAdapter::end_output(float* const* outputs, std::uint32_t frames) RTA_NONBLOCKING {
    const std::uint32_t rendered = delayed_ ? block_size_ - position_ : 0;
    const std::uint32_t end = rendered_ && extends_ ? rendered + fade_frames_ : 0;
    if (end > 0 && ended_ == 0) measure_peaks();
    for (std::uint32_t channel = 0; channel < playing_.channel_count(); ++channel) {
        for (std::uint32_t i = 0; i < frames; ++i) {
            const std::uint32_t frame = ended_ + i;
            outputs[channel][i] = frame >= end       ? 0.0F
                                  : frame < rendered ? playing_.read().channel(channel)[position_ + frame]
                                                     : fading_out(channel, frame - rendered);
        }
    }
    ended_ = std::min(ended_ + std::min(frames, end), end);
}

void BlockAdapter::process_direct(const AudioThreadKey& key, const float* const* inputs, float* const* outputs,
                                  std::uint32_t frames) RTA_NONBLOCKING {
    for (std::uint32_t begin = 0; begin < frames; begin += block_size_) {
        for (std::size_t channel = 0; channel < block_inputs_.size(); ++channel) {
            block_inputs_[channel] =
                inputs == nullptr ? silent_input_.read().channel(0).data() : inputs[channel] + begin;
        }
        for (std::size_t channel = 0; channel < block_outputs_.size(); ++channel) {
            block_outputs_[channel] = outputs[channel] + begin;
        }
        const AudioWriteView output{block_outputs_.data(), playing_.channel_count(), block_size_};
        renderer_.render(key, {{block_inputs_.data(), gathered_.channel_count(), block_size_}, output});
        fade_.apply(output);
        remember(output.read());
        rendered_ = true;
    }
}

void BlockAdapter::remember(const AudioReadView& block) RTA_NONBLOCKING {
    for (std::uint32_t channel = 0; channel < block.channel_count(); ++channel) {
        std::ranges::copy(block.channel(channel), history_.write().channel(channel).subspan(history_end_).begin());
    }
    history_end_ = (history_end_ + block_size_) % fade_frames_;
}

void BlockAdapter::switch_to_delay() RTA_NONBLOCKING {
    delayed_ = true;
    latency_frames_.store(block_size_, std::memory_order_relaxed);
    starts_unfaded_ = renderer_.frames() == 0;
    measure_peaks();
    playing_.clear();
    fade_block();
}

void BlockAdapter::process_delayed(const AudioThreadKey& key, const float* const* inputs, float* const* outputs,
                                   std::uint32_t frames) RTA_NONBLOCKING {
    for (std::uint32_t done = 0; done < frames;) {
        const std::uint32_t count = std::min(frames - done, block_size_ - position_);
        for (std::uint32_t channel = 0; channel < gathered_.channel_count(); ++channel) {
            float* const target = gathered_.write().channel(channel).data() + position_;
            if (inputs == nullptr) {
                std::fill_n(target, count, 0.0F);
            } else {
                std::copy_n(inputs[channel] + done, count, target);
            }
        }
        for (std::uint32_t channel = 0; channel < playing_.channel_count(); ++channel) {
            std::copy_n(playing_.read().channel(channel).data() + position_, count, outputs[channel] + done);
        }
        done += count;
        position_ += count;
        if (position_ == block_size_) {
            position_ = 0;
            renderer_.render(key, {gathered_.read(), playing_.write()});
            fade_.apply(playing_.write());
            rendered_ = true;
            if (faded_ < block_size_ + fade_frames_) {
                fade_block();
            } else {
                remember(playing_.read());
            }
        }
    }
}

void BlockAdapter::measure_peaks() RTA_NONBLOCKING {
    for (std::uint32_t channel = 0; channel < history_.channel_count(); ++channel) {
        peaks_[channel] = 0.0F;
        for (const float sample : history_.read().channel(channel)) {
            peaks_[channel] = std::max(peaks_[channel], std::abs(sample));
        }
    }
}

/// Applies the fades to the block in playing_, which starts `faded_` frames after the switch.
void BlockAdapter::fade_block() RTA_NONBLOCKING {
    for (std::uint32_t channel = 0; channel < playing_.channel_count(); ++channel) {
        std::uint32_t frame = faded_;
        for (float& sample : playing_.write().channel(channel)) {
            sample = sample * fading_in(frame) + fading_out(channel, frame);
            ++frame;
        }
    }
    faded_ += block_size_;
}

/// Returns the gain of the audio rendered after the switch, `frame` frames after it. The first block contains none.
float BlockAdapter::fading_in(std::uint32_t frame) const RTA_NONBLOCKING {
    if (starts_unfaded_ || frame >= block_size_ + fade_frames_) return 1.0F;
    if (frame < block_size_) return 0.0F;
    return smooth_step(static_cast<float>(frame - block_size_ + 1) / static_cast<float>(fade_frames_));
}

/// Returns the extension of the audio before the switch, fading out: its mirror image about the last sample, so that
/// neither value nor slope jumps. The image alone could reach three times the peak; it is compressed smoothly to stay
/// below the loudest sample played. Silence is not extended: its image would be the sound before it.
float BlockAdapter::fading_out(std::uint32_t channel, std::uint32_t frame) const RTA_NONBLOCKING {
    if (frame + 1 >= fade_frames_) return 0.0F;
    const auto history = history_.read().channel(channel);
    const float last = history[(history_end_ + fade_frames_ - 1) % fade_frames_];
    if (last == 0.0F && history[(history_end_ + fade_frames_ - 2) % fade_frames_] == 0.0F) return 0.0F;
    const float away = last - history[(history_end_ + fade_frames_ - 2 - frame) % fade_frames_];
    const float room = away > 0.0F ? peaks_[channel] - last : peaks_[channel] + last;
    const float bent = room > 0.0F ? away * room / (room + std::abs(away)) : 0.0F;
    const float gain = 1.0F - smooth_step(static_cast<float>(frame + 1) / static_cast<float>(fade_frames_));
    return gain * (last + bent);
}

}  // namespace rta::io
