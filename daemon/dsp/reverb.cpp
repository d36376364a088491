// SPDX-License-Identifier: MIT
#include "dsp/reverb.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

#include "dsp/math.h"

namespace rta::dsp {

namespace {

constexpr std::size_t kFrames = kKernelFrames;
constexpr std::size_t kLines = Reverb::kLines;

/// Lengths of the lines at size 1, in ms: prime numbers of frames at 48 kHz from 27 to 90 ms, in equal ratios.
constexpr std::array<double, kLines> kLineMs{1297.0 / 48.0, 1409.0 / 48.0, 1523.0 / 48.0, 1657.0 / 48.0,
                                             1789.0 / 48.0, 1933.0 / 48.0, 2099.0 / 48.0, 2273.0 / 48.0,
                                             2467.0 / 48.0, 2671.0 / 48.0, 2897.0 / 48.0, 3137.0 / 48.0,
                                             3391.0 / 48.0, 3677.0 / 48.0, 3989.0 / 48.0, 4327.0 / 48.0};

/// All-pass filters: lengths in frames at Dattorro's rate of 29,761 Hz, and gains. Those of the right channel are
/// slightly longer, to decorrelate equal inputs.
constexpr std::array<double, 4> kDiffuserFrames{142.0, 107.0, 379.0, 277.0};
constexpr std::array<float, 4> kDiffuserGains{0.75F, 0.75F, 0.625F, 0.625F};
constexpr double kDattorroRateHz = 29'761.0;
constexpr double kRightDiffusers = 1.083;

/// Signs of the input of each line: a bent function, equally correlated with all rows of the Hadamard matrix, so that
/// the first echo reaches every line with equal energy.
constexpr std::array<float, kLines> kInputSigns = [] {
    std::array<float, kLines> signs{};
    for (std::size_t line = 0; line < kLines; ++line) {
        const bool odd = (((line & 1U) & (line >> 1U)) ^ ((line >> 2U) & (line >> 3U) & 1U)) != 0;
        signs[line] = odd ? -1.0F : 1.0F;
    }
    return signs;
}();

/// Rows of the matrix that are output.
constexpr std::array<std::size_t, 2> kOutputRows{5, 10};

constexpr double kFadeMs = 50.0;
/// Values below this (-300 dB) are set to 0: WebAssembly has no other protection against denormals.
constexpr float kNothing = 1e-15F;

float without_denormals(float sample) RTA_NONBLOCKING { return sample * sample < kNothing * kNothing ? 0.0F : sample; }

/// The size is a constant, so that the copy is inlined.
void copy_chunk(const float* in, float* out) RTA_NONBLOCKING { std::memcpy(out, in, kFrames * sizeof(float)); }

// The loops below are separate functions, not inlined, so that compilers vectorise them: inside another loop, GCC first
// unrolls sixteen frames and then does not vectorise them.

/// a, b = a + b, a - b
[[gnu::noinline]] void butterfly(float* __restrict a, float* __restrict b, std::size_t count) RTA_NONBLOCKING {
    for (std::size_t i = 0; i < count; ++i) {
        const float difference = a[i] - b[i];
        a[i] += b[i];
        b[i] = difference;
    }
}

[[gnu::noinline]] void flush_denormals(float* samples, std::size_t count) RTA_NONBLOCKING {
    for (std::size_t i = 0; i < count; ++i) samples[i] = without_denormals(samples[i]);
}

/// All-pass filter. `before` is the `kept` signal, delayed by the length of the filter.
[[gnu::noinline]] void all_pass(const float* __restrict before, float gain, float* __restrict kept,
                                float* __restrict samples) RTA_NONBLOCKING {
    for (std::size_t frame = 0; frame < kFrames; ++frame) {
        const float sum = without_denormals(samples[frame] + gain * before[frame]);
        kept[frame] = sum;
        samples[frame] = before[frame] - gain * sum;
    }
}

[[gnu::noinline]] void add_signed(float sign, const float* __restrict in, float* __restrict sum) RTA_NONBLOCKING {
    for (std::size_t frame = 0; frame < kFrames; ++frame) sum[frame] += sign * in[frame];
}

/// Multiplies the lines of `tile` by the unnormalised Hadamard matrix, frame by frame.
void hadamard(float* tile) RTA_NONBLOCKING {
    // Lines are contiguous, so the lines combined in a step are two blocks of memory.
    for (std::size_t half = kFrames; half < kLines * kFrames; half *= 2) {
        for (std::size_t first = 0; first < kLines * kFrames; first += 2 * half) {
            butterfly(tile + first, tile + first + half, half);
        }
    }
}

bool all_zero(const float* samples) RTA_NONBLOCKING {
    bool zero = true;
    for (std::size_t frame = 0; frame < kFrames; ++frame) zero = zero & (samples[frame] == 0.0F);
    return zero;
}

}  // namespace

ChunkDelay::ChunkDelay(std::size_t longest_frames)
    // The current chunk must not overwrite the oldest frame that may be read.
    : size_{(longest_frames + 2 * kFrames - 1) / kFrames * kFrames}, samples_(size_ + kFrames) {}

void ChunkDelay::write(const float* chunk) RTA_NONBLOCKING {
    copy_chunk(chunk, samples_.data() + now_);
    if (now_ == 0) copy_chunk(chunk, samples_.data() + size_);
}

Reverb::Reverb(double sample_rate_hz, std::size_t channels)
    : sample_rate_hz_{sample_rate_hz},
      channels_{channels},
      fade_frames_{static_cast<std::uint32_t>(kFadeMs * 1e-3 * sample_rate_hz) &
                   ~(static_cast<std::uint32_t>(kFrames) - 1U)} {
    assert(channels == 1 || channels == 2);
    std::size_t memory = 0;
    for (std::size_t channel = 0; channel < channels; ++channel) {
        Input input{.low_cut = LowCut{sample_rate_hz},
                    .pre_delay = ChunkDelay{pre_delay_of(static_cast<float>(kLongestPreDelayMs))},
                    .diffusers = {},
                    .diffuser_delays = {}};
        memory = std::max(memory, input.pre_delay.size());
        for (std::size_t index = 0; index < kDiffusers; ++index) {
            const double scale = sample_rate_hz / kDattorroRateHz * (channel == 0 ? 1.0 : kRightDiffusers);
            const double frames = std::max(static_cast<double>(kFrames), kDiffuserFrames[index] * scale);
            input.diffuser_delays[index] = static_cast<std::uint32_t>(frames);
            input.diffusers.emplace_back(input.diffuser_delays[index]);
        }
        inputs_.push_back(std::move(input));
    }
    for (const std::uint32_t delay : delays_of(1.0F)) lines_.emplace_back(delay);
    memory_frames_ = memory + lines_.back().size();
}

Reverb::Delays Reverb::delays_of(float size) const RTA_NONBLOCKING {
    Delays delays{};
    for (std::size_t line = 0; line < kLines; ++line) {
        const double frames = kLineMs[line] * 1e-3 * sample_rate_hz_ * static_cast<double>(size);
        delays[line] = std::max(static_cast<std::uint32_t>(kFrames), static_cast<std::uint32_t>(frames + 0.5));
    }
    return delays;
}

std::uint32_t Reverb::pre_delay_of(float ms) const RTA_NONBLOCKING {
    return static_cast<std::uint32_t>(static_cast<double>(ms) * 1e-3 * sample_rate_hz_ + 0.5);
}

Reverb::Coefficients Reverb::coefficients_of(const Controls& controls) const RTA_NONBLOCKING {
    constexpr double kOctavesIn60Db = 9.965'784'284'662'087;  // log2(1000)
    constexpr double kOfMatrix = 0.25;                        // normalises the matrix
    const double corner = std::min(static_cast<double>(controls.damping_hz) / sample_rate_hz_, 0.49);
    const double cosine = cosine_of_turns(corner);
    const double decay_frames = static_cast<double>(controls.decay_s) * sample_rate_hz_;
    // The low-pass must not ring longer than the decay, which it would with long lines and a short decay.
    const double slowest_pole = exp2(-2.0 * kOctavesIn60Db / decay_frames);
    // During a crossfade of the size, use the average length of the mixture.
    const auto left = static_cast<double>(size_.left - std::min<std::uint32_t>(size_.left, kFrames));
    const double part = left / static_cast<double>(fade_frames_);
    Coefficients coefficients;
    double power = 0.0;
    for (std::size_t line = 0; line < kLines; ++line) {
        const double frames =
            static_cast<double>(delays_[line]) * (1.0 - part) + static_cast<double>(from_[line]) * part;
        const double gain = exp2(-kOctavesIn60Db * frames / decay_frames);
        // At the corner frequency the low-pass attenuates by the same factor as the gain.
        const double square = gain * gain;
        const double b = (1.0 - square * cosine) / (1.0 - square);
        const double pole = std::min(1.0 / (b + square_root(b * b - 1.0)), slowest_pole);
        coefficients.gain[line] = static_cast<float>(kOfMatrix * gain * (1.0 - pole));
        coefficients.pole[line] = static_cast<float>(pole);
        power += square / kLines;
    }
    coefficients.in = static_cast<float>(square_root((1.0 - power) / power));
    return coefficients;
}

void Reverb::begin_fade(Fade& fade, float wanted) const RTA_NONBLOCKING {
    if (fade.left == 0 && wanted != fade.to) fade = {.left = fade_frames_, .from = fade.to, .to = wanted};
}

void Reverb::follow(const Controls& controls) RTA_NONBLOCKING {
    if (!started_) {
        started_ = true;
        size_ = {.from = controls.size, .to = controls.size};
        pre_delay_ = {.from = controls.pre_delay_ms, .to = controls.pre_delay_ms};
        from_ = delays_ = delays_of(controls.size);
        controls_ = controls;
        now_ = next_ = coefficients_of(controls);
        moving_ = false;
        return;
    }
    begin_fade(pre_delay_, controls.pre_delay_ms);
    const std::uint32_t left_before = size_.left;
    begin_fade(size_, controls.size);
    if (size_.left > left_before) {
        from_ = delays_;
        delays_ = delays_of(size_.to);
    }
    const bool changed = controls.decay_s != controls_.decay_s || controls.damping_hz != controls_.damping_hz;
    moving_ = changed || size_.left != 0;
    if (moving_) next_ = coefficients_of(controls);
    controls_ = controls;
}

void Reverb::cross_fade(const Fade& fade, const float* from, const float* to, float* out) const RTA_NONBLOCKING {
    const float step = 1.0F / static_cast<float>(fade_frames_);
    const auto done = static_cast<float>(fade_frames_ - fade.left);
    for (std::size_t frame = 0; frame < kFrames; ++frame) {
        const float part = (done + static_cast<float>(static_cast<std::int32_t>(frame))) * step;
        out[frame] = from[frame] + part * (to[frame] - from[frame]);
    }
}

void Reverb::diffuse(Input& input, const float* in, Chunk& out) RTA_NONBLOCKING {
    input.low_cut.process({in, kFrames}, out);
    input.pre_delay.write(out.data());
    const float* const delayed = input.pre_delay.read(pre_delay_of(pre_delay_.to));
    if (pre_delay_.left == 0) {
        copy_chunk(delayed, out.data());
    } else {
        cross_fade(pre_delay_, input.pre_delay.read(pre_delay_of(pre_delay_.from)), delayed, out.data());
    }
    input.pre_delay.advance();
    for (std::size_t index = 0; index < kDiffusers; ++index) {
        ChunkDelay& delay = input.diffusers[index];
        Chunk kept;
        all_pass(delay.read(input.diffuser_delays[index]), kDiffuserGains[index], kept.data(), out.data());
        delay.write(kept.data());
        delay.advance();
    }
}

void Reverb::read_lines(Tile& tile) RTA_NONBLOCKING {
    for (std::size_t line = 0; line < kLines; ++line) {
        const float* const delayed = lines_[line].read(delays_[line]);
        if (size_.left == 0) {
            copy_chunk(delayed, row_of(tile, line));
        } else {
            cross_fade(size_, lines_[line].read(from_[line]), delayed, row_of(tile, line));
        }
    }
}

void Reverb::damp(Tile& tile) RTA_NONBLOCKING {
    if (moving_) {
        constexpr float kStep = 1.0F / kFrames;
        for (std::size_t line = 0; line < kLines; ++line) {
            const float gain_step = (next_.gain[line] - now_.gain[line]) * kStep;
            const float pole_step = (next_.pole[line] - now_.pole[line]) * kStep;
            float gain = now_.gain[line];
            float pole = now_.pole[line];
            float* const row = row_of(tile, line);
            for (std::size_t frame = 0; frame < kFrames; ++frame) {
                gain += gain_step;
                pole += pole_step;
                damped_[line] = gain * row[frame] + pole * damped_[line];
                row[frame] = damped_[line];
            }
        }
    } else {
        // Frame by frame over all lines, so that consecutive operations are independent.
        std::array<float, kLines> damped = damped_;
        for (std::size_t frame = 0; frame < kFrames; ++frame) {
            for (std::size_t line = 0; line < kLines; ++line) {
                float& sample = tile[line * kFrames + frame];
                damped[line] = now_.gain[line] * sample + now_.pole[line] * damped[line];
                sample = damped[line];
            }
        }
        damped_ = damped;
    }
    flush_denormals(tile.data(), tile.size());
    flush_denormals(damped_.data(), damped_.size());
}

void Reverb::listen_for_silence(bool quiet, const Tile& tile, const Chunk* inputs) RTA_NONBLOCKING {
    for (std::size_t channel = 0; channel < channels_; ++channel) quiet = quiet && all_zero(inputs[channel].data());
    for (std::size_t first = 0; quiet && first < tile.size(); first += kFrames) quiet = all_zero(tile.data() + first);
    quiet_frames_ = quiet ? quiet_frames_ + kFrames : 0;
}

void Reverb::process(const Controls& controls, const float* const* in, float* const* out) RTA_NONBLOCKING {
    bool silent = true;
    for (std::size_t channel = 0; channel < channels_; ++channel) silent = silent && all_zero(in[channel]);
    if (silent && quiet_frames_ >= memory_frames_) {
        // The reverb is silent, so controls may change without smoothing.
        started_ = false;
        for (std::size_t channel = 0; channel < channels_; ++channel) std::fill_n(out[channel], kFrames, 0.0F);
        return;
    }
    follow(controls);
    std::array<Chunk, 2> inputs;
    for (std::size_t channel = 0; channel < channels_; ++channel)
        diffuse(inputs_[channel], in[channel], inputs[channel]);
    alignas(64) Tile tile;
    read_lines(tile);
    hadamard(tile.data());
    const float in_step = (next_.in - now_.in) * (1.0F / kFrames);
    for (std::size_t channel = 0; channel < channels_; ++channel) {
        copy_chunk(row_of(tile, kOutputRows[channel]), out[channel]);
        for (std::size_t frame = 0; frame < kFrames; ++frame) {
            inputs[channel][frame] *= now_.in + in_step * static_cast<float>(static_cast<std::int32_t>(frame));
        }
    }
    for (std::size_t line = 0; line < kLines; ++line) {
        add_signed(kInputSigns[line], inputs[channels_ == 2 ? line % 2 : 0].data(), row_of(tile, line));
    }
    damp(tile);
    listen_for_silence(silent, tile, inputs.data());
    for (std::size_t line = 0; line < kLines; ++line) {
        lines_[line].write(row_of(tile, line));
        lines_[line].advance();
    }
    now_ = next_;
    size_.left -= std::min<std::uint32_t>(size_.left, kFrames);
    pre_delay_.left -= std::min<std::uint32_t>(pre_delay_.left, kFrames);
}

}  // namespace rta::dsp
