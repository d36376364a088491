// SPDX-License-Identifier: MIT
#include "fused_delays.h"

#include <utility>

#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fused_delays.cpp"
#include <hwy/foreach_target.h>  // before highway.h
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace rta::bench {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, 16>;
using FloatVector = hn::Vec<Floats>;

/// Returns `count` samples starting at `begin`; copied to `scratch` if they wrap at the end of the line.
const float* piece(const float* line, std::size_t capacity, std::size_t begin, std::size_t count, float* scratch) {
    if (begin + count <= capacity) return line + begin;
    for (std::size_t i = 0; i < count; ++i) scratch[i] = line[(begin + i) % capacity];
    return scratch;
}

/// Prefetch distance in delays, which covers the memory latency.
constexpr std::size_t kAhead = 8;

void prefetch(const FusedDelays& all, std::size_t d) {
    const FusedDelays::Delay& delay = all.delays[d];
    const float* const line = all.lines[d].data();
    const std::size_t begin = (all.position + all.capacity - delay.frames - delay.taps.size() / 2) % all.capacity;
    for (std::size_t frame = 0; frame < FusedDelays::kFrames + delay.taps.size(); frame += 16) {
        __builtin_prefetch(line + (begin + frame) % all.capacity);
        if (frame < FusedDelays::kFrames) __builtin_prefetch(line + all.position + frame, 1);
    }
}

void render_delays(FusedDelays& all, const float* in, float* out) {
    constexpr Floats kFloats;
    constexpr std::size_t kLanes = hn::MaxLanes(Floats{});
    constexpr std::size_t kVectors = FusedDelays::kFrames / kLanes;
    float scratch[FusedDelays::kFrames + 64];
    for (std::size_t n = 0; n < FusedDelays::kFrames; ++n) out[n] = 0.0F;
    for (std::size_t d = 0; d < all.delays.size(); ++d) {
        const FusedDelays::Delay& delay = all.delays[d];
        prefetch(all, (d + kAhead) % all.delays.size());
        float* const line = all.lines[d].data();
        const std::size_t taps = delay.taps.empty() ? 1 : delay.taps.size();
        const std::size_t oldest = delay.frames + taps / 2;
        const std::size_t begin = (all.position + all.capacity - oldest) % all.capacity;
        const float* const from = piece(line, all.capacity, begin, FusedDelays::kFrames + taps - 1, scratch);
        const auto factor = hn::Set(kFloats, delay.factor * all.mix);
        const auto dry = hn::Set(kFloats, delay.factor * (1.0F - all.mix));
        const auto feedback = hn::Set(kFloats, all.feedback);
        FloatVector wets[kVectors];
        for (std::size_t v = 0; v < kVectors; ++v) wets[v] = hn::LoadU(kFloats, from + v * kLanes);
        if (taps > 1) {
            for (auto& wet : wets) wet = hn::Zero(kFloats);
            for (std::size_t k = 0; k < taps; ++k) {
                const auto tap = hn::Set(kFloats, delay.taps[k]);
                for (std::size_t v = 0; v < kVectors; ++v) {
                    wets[v] = hn::MulAdd(hn::LoadU(kFloats, from + v * kLanes + k), tap, wets[v]);
                }
            }
        }
        for (std::size_t v = 0; v < kVectors; ++v) {
            const std::size_t n = v * kLanes;
            const auto wet = wets[v];
            const auto input = hn::LoadU(kFloats, in + n);
            hn::StoreU(all.feedback == 0.0F ? input : hn::MulAdd(wet, feedback, input), kFloats,
                       line + all.position + n);
            auto sum = hn::MulAdd(wet, factor, hn::LoadU(kFloats, out + n));
            if (all.mix != 1.0F) sum = hn::MulAdd(input, dry, sum);
            hn::StoreU(sum, kFloats, out + n);
        }
    }
    all.position = (all.position + static_cast<std::uint32_t>(FusedDelays::kFrames)) % all.capacity;
}

}  // namespace HWY_NAMESPACE
}  // namespace rta::bench
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace rta::bench {

FusedDelays::FusedDelays(std::vector<Delay> all, std::uint32_t frames, float back, float wet)
    : delays{std::move(all)},
      lines(delays.size(), std::vector<float>(frames)),
      capacity{frames},
      feedback{back},
      mix{wet} {}

void FusedDelays::render(std::string_view simd_target, const float* in, float* out) {
    auto* function = &HWY_STATIC_DISPATCH(render_delays);
#if (HWY_TARGETS & HWY_AVX2) && HWY_STATIC_TARGET != HWY_AVX2
    if (simd_target == "avx2") function = &N_AVX2::render_delays;
#endif
#if (HWY_TARGETS & HWY_AVX3) && HWY_STATIC_TARGET != HWY_AVX3
    if (simd_target == "avx3") function = &N_AVX3::render_delays;
#endif
    function(*this, in, out);
}

}  // namespace rta::bench

#endif  // HWY_ONCE
