// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/random_edits.h"

namespace rta::test {
namespace {

struct ParameterRange {
    std::string_view type;
    std::string_view name;
    float low;
    float high;
};
constexpr std::array kParameters{
    ParameterRange{"gain", "gain_db", -24.0F, 0.0F},
    ParameterRange{"gain", "mute", 0.0F, 1.0F},
    ParameterRange{"gain", "invert", 0.0F, 1.0F},
    ParameterRange{"gain", "bypass", 0.0F, 1.0F},
    ParameterRange{"mixer", "gain_1_db", -24.0F, 0.0F},
    ParameterRange{"mixer", "mute_2", 0.0F, 1.0F},
    ParameterRange{"constant", "value", -0.5F, 0.5F},
    ParameterRange{"input", "gain_db", -12.0F, 0.0F},
    ParameterRange{"output", "gain_db", -12.0F, 0.0F},
    ParameterRange{"biquad_filter", "frequency_hz", 100.0F, 3'000.0F},
    ParameterRange{"biquad_filter", "q", 0.5F, 2.0F},
    ParameterRange{"delay_line", "time_ms", 0.0F, 40.0F},
    ParameterRange{"delay_line", "mix", 0.0F, 1.0F},
    ParameterRange{"delay_line", "feedback", -0.5F, 0.5F},
    ParameterRange{"limiter", "ceiling_db", -12.0F, 0.0F},
    ParameterRange{"limiter", "bypass", 0.0F, 1.0F},
    ParameterRange{"compressor", "threshold_db", -30.0F, 0.0F},
    ParameterRange{"compressor", "ratio", 1.0F, 8.0F},
    ParameterRange{"compressor", "bypass", 0.0F, 1.0F},
    ParameterRange{"soft_clip", "drive_db", -6.0F, 6.0F},
    ParameterRange{"dc_blocker", "frequency_hz", 2.0F, 100.0F},
    ParameterRange{"crossover", "frequency_1_hz", 100.0F, 3'000.0F},
    ParameterRange{"noise", "gain_db", -40.0F, -12.0F},
    ParameterRange{"sine", "gain_db", -40.0F, -12.0F},
    ParameterRange{"oscillator", "gain_db", -40.0F, -12.0F},
    ParameterRange{"equalizer", "gain_1_db", -12.0F, 6.0F},
    ParameterRange{"reverb", "mix", 0.0F, 0.5F},
    ParameterRange{"gate", "threshold_db", -50.0F, -6.0F},
    ParameterRange{"gate", "hysteresis_db", 0.0F, 12.0F},
    ParameterRange{"gate", "hold_ms", 0.0F, 60.0F},
    ParameterRange{"gate", "release_ms", 1.0F, 100.0F},
    ParameterRange{"gate", "range_db", -80.0F, -6.0F},
    ParameterRange{"gate", "bypass", 0.0F, 1.0F},
    ParameterRange{"pan", "position", -1.0F, 1.0F},
    ParameterRange{"matrix", "gain_1_1_db", -24.0F, 0.0F},
    ParameterRange{"matrix", "gain_1_2_db", -24.0F, 0.0F},
    ParameterRange{"matrix", "gain_2_1_db", -24.0F, 0.0F},
    ParameterRange{"impulse", "gain_db", -40.0F, 0.0F},
};

}  // namespace

std::optional<SetParameter> random_parameter(const GraphDocument::Node& node, std::uint32_t random) {
    std::vector<ParameterRange> ranges;
    std::ranges::copy_if(kParameters, std::back_inserter(ranges),
                         [&](const ParameterRange& range) { return range.type == node.type; });
    if (ranges.empty()) return std::nullopt;
    const ParameterRange& range = ranges[random % ranges.size()];
    const std::uint32_t step = random / 8 % 16;
    const bool is_switch = range.low == 0.0F && range.high == 1.0F && range.name != "mix";
    const float part = is_switch ? static_cast<float>(step % 2) : static_cast<float>(step) / 15.0F;
    return SetParameter{node.name, std::string{range.name}, range.low + part * (range.high - range.low),
                        static_cast<float>(random / 128 % 60)};
}

}  // namespace rta::test
