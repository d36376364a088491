// SPDX-License-Identifier: MIT
#include "dsp/noise.h"

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "dsp/gain.h"
#include "graph/node_type.h"

namespace rta::nodes::noise {

namespace {

constexpr std::array<std::string_view, 2> kColors{"white", "pink"};
constexpr std::array kSettings{
    SettingSpec{.name = "color",
                .kind = SettingSpec::Kind::choice,
                .default_text = "white",
                .choices = kColors,
                .help = "white: equal power per hertz; pink: equal power per octave."},
    SettingSpec{
        .name = "seed",
        .kind = SettingSpec::Kind::integer,
        .minimum = 0,
        .maximum = 4'294'967'295,
        .default_number = 1,
        .help = "Seed of the generator. Equal seeds produce equal noise. If left out, a seed is drawn when the node is "
                "added, and stored in the graph.",
        .drawn = true},
    channels_setting("Number of channels of the output. The channels are independent."),
};

enum Parameter : std::uint8_t { kGainDb };
constexpr std::array kParameters{
    level_db("gain_db", -20.0F, "RMS level, given as the peak level of a sine with the same RMS."),
};
static_assert(well_formed(kParameters));

constexpr std::array kOutputs{PortSpec{"out"}};

/// Scales the RMS of the generator, 1/sqrt(3), to that of a sine of amplitude 1: sqrt(3/2).
constexpr float kRmsOfSine = 1.224'744'87F;

class NoiseGenerator final : public Processor {
 public:
    explicit NoiseGenerator(const BuildContext& context) {
        const std::uint64_t seed = context.settings.integer("seed");
        const std::uint32_t channels = context.settings.integer("channels");
        for (std::uint32_t channel = 0; channel < channels; ++channel) white_.emplace_back(seed, channel);
        if (context.settings.text("color") == "pink") pink_.resize(channels);
    }

    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        const ParameterView& gain = context.parameters[kGainDb];
        for (std::uint32_t channel = 0; channel < white_.size(); ++channel) {
            const std::span<float> out = context.outputs[0].channel(channel);
            const bool plain = gain.at_rest() && pink_.empty();
            white_[channel].render(plain ? kRmsOfSine * gain.value : kRmsOfSine, out);
            if (!pink_.empty()) pink_[channel].process(out);
            if (!plain) dsp::scale(out, gain.value, gain.ramp, out);
        }
    }

 private:
    std::vector<dsp::WhiteNoise> white_;  ///< one per channel
    std::vector<dsp::PinkFilter> pink_;   ///< one per channel; empty for white noise
};

}  // namespace

extern constinit const NodeType kType{
    .name = "noise",
    .help = "White or pink noise.",
    .settings = kSettings,
    .parameters = kParameters,
    .outputs = kOutputs,
    .create = [](const BuildContext& context) -> Expected<std::unique_ptr<Processor>> {
        return std::make_unique<NoiseGenerator>(context);
    },
};

}  // namespace rta::nodes::noise
