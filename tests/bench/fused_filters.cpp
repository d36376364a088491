// SPDX-License-Identifier: MIT
#include "fused_filters.h"

#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fused_filters.cpp"
#include <hwy/foreach_target.h>  // before highway.h
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace rta::bench {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, 16>;
constexpr Floats kFloats;
constexpr std::size_t kLanes = hn::MaxLanes(Floats{});
constexpr std::size_t kChunk = kLanes < 8 ? 8 : kLanes;
constexpr std::size_t kParts = kChunk / kLanes;
constexpr std::size_t kFrames = FusedFilters::kFrames;
constexpr std::size_t kVectors = kFrames / kLanes;

/// Block state-space: the response to the input by columns, the states by sums over lanes, then the response to the
/// states.
void render(const dsp::BiquadCoefficients* sections, dsp::BiquadState* states, std::size_t count, float* samples) {
    constexpr std::size_t kAll = dsp::BiquadCoefficients::kFrames;
    for (std::size_t i = 0; i < count; ++i) {
        const dsp::BiquadCoefficients& section = sections[i];
        hn::Vec<Floats> answers[kVectors];
        for (auto& answer : answers) answer = hn::Zero(kFloats);
        for (std::size_t frame = 0; frame < kChunk; ++frame) {
            for (std::size_t part = frame / kLanes; part < kParts; ++part) {
                const auto column = hn::LoadU(kFloats, section.impulse + kAll + part * kLanes - frame);
                for (std::size_t v = part; v < kVectors; v += kParts) {
                    const auto x = hn::Set(kFloats, samples[(v - part) * kLanes + frame]);
                    answers[v] = hn::MulAdd(column, x, answers[v]);
                }
            }
        }
        float s1 = states[i].s1;
        float s2 = states[i].s2;
        const float* const advance = kChunk == 8 ? section.advance_8 : section.advance_16;
        for (std::size_t chunk = 0; chunk < kFrames; chunk += kChunk) {
            auto to_1 = hn::Zero(kFloats);
            auto to_2 = hn::Zero(kFloats);
            for (std::size_t part = 0; part < kParts; ++part) {
                const std::size_t lane = part * kLanes;
                const auto x = hn::LoadU(kFloats, samples + chunk + lane);
                to_1 = hn::MulAdd(x, hn::LoadU(kFloats, section.to_state_1 + kAll - kChunk + lane), to_1);
                to_2 = hn::MulAdd(x, hn::LoadU(kFloats, section.to_state_2 + kAll - kChunk + lane), to_2);
                auto answer = answers[(chunk + lane) / kLanes];
                answer = hn::MulAdd(hn::LoadU(kFloats, section.from_state_1 + lane), hn::Set(kFloats, s1), answer);
                answer = hn::MulAdd(hn::LoadU(kFloats, section.from_state_2 + lane), hn::Set(kFloats, s2), answer);
                hn::StoreU(answer, kFloats, samples + chunk + lane);
            }
            const float change_1 = advance[0] * s1 + (advance[1] * s2 + hn::GetLane(hn::SumOfLanes(kFloats, to_1)));
            const float change_2 = advance[3] * s2 + (advance[2] * s1 + hn::GetLane(hn::SumOfLanes(kFloats, to_2)));
            s1 += change_1;
            s2 += change_2;
        }
        states[i] = {s1, s2};
    }
}

}  // namespace HWY_NAMESPACE
}  // namespace rta::bench
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace rta::bench {

void FusedFilters::render(std::string_view simd_target, std::size_t channel, float* samples) {
    auto* function = &HWY_STATIC_DISPATCH(render);
#if (HWY_TARGETS & HWY_AVX2) && HWY_STATIC_TARGET != HWY_AVX2
    if (simd_target == "avx2") function = &N_AVX2::render;
#endif
#if (HWY_TARGETS & HWY_AVX3) && HWY_STATIC_TARGET != HWY_AVX3
    if (simd_target == "avx3") function = &N_AVX3::render;
#endif
    function(sections.data(), states.data() + channel * sections.size(), sections.size(), samples);
}

}  // namespace rta::bench

#endif  // HWY_ONCE
