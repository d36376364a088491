// SPDX-License-Identifier: MIT
#include "dsp/oscillator.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "dsp/gain.h"
#include "graph/node_type.h"

namespace rta::nodes {

namespace {

constexpr std::array<std::string_view, 3> kShapes{"saw", "square", "triangle"};
constexpr std::array kSettings{
    SettingSpec{.name = "shape",
                .kind = SettingSpec::Kind::choice,
                .default_text = "saw",
                .choices = kShapes,
                .help = "Shape of the wave."},
    channels_setting("Width of the output; every channel carries the same tone."),
};

enum Parameter : std::uint8_t { kFrequencyHz, kGainDb, kPulseWidth };
constexpr std::array kParameters{
    ParameterSpec{.name = "frequency_hz",
                  .unit = Unit::hertz,
                  .minimum = 0.01F,
                  .maximum = 24'000.0F,
                  .default_value = 440.0F,
                  .help = "Frequency of the tone; at most half the sample rate is played.",
                  .law = RampLaw::logarithmic},
    level_db("gain_db", -20.0F,
             "Level of the wave: half the way from its lowest to its highest point; at a jump, leaving out what lies "
             "above half the sample rate adds up to 18 % to it."),
    ParameterSpec{"pulse_width", Unit::ratio, 0.01F, 0.99F, 0.5F,
                  "Part of the cycle for which a square is high; other shapes do without it."},
};
static_assert(well_formed(kParameters));

constexpr std::array kOutputs{PortSpec{"out"}};

dsp::BandLimitedOscillator::Shape shape_of(std::string_view name) {
    return static_cast<dsp::BandLimitedOscillator::Shape>(std::ranges::find(kShapes, name) - kShapes.begin());
}

dsp::FrameValues values_of(const ParameterView& view) RTA_NONBLOCKING { return {view.value, view.ramp}; }

class OscillatorProcessor final : public Processor {
 public:
    explicit OscillatorProcessor(const BuildContext& context)
        : oscillator_{shape_of(context.settings.text("shape")), context.sample_rate_hz, context.block_size} {}

    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        const ParameterView& gain = context.parameters[kGainDb];
        const AudioWriteView& out = context.outputs[0];
        const std::span<float> first = out.channel(0);
        oscillator_.render(values_of(context.parameters[kFrequencyHz]), values_of(context.parameters[kPulseWidth]),
                           first);
        dsp::scale(first, gain.value, gain.ramp, first);
        for (std::uint32_t channel = 1; channel < out.channel_count(); ++channel) {
            std::ranges::copy(first, out.channel(channel).begin());
        }
    }

 private:
    dsp::BandLimitedOscillator oscillator_;
};

}  // namespace

extern constinit const NodeType kOscillator{
    .name = "oscillator",
    .help = "A saw, square or triangle wave without aliases.",
    .settings = kSettings,
    .parameters = kParameters,
    .outputs = kOutputs,
    .create = [](const BuildContext& context) -> Expected<std::unique_ptr<Processor>> {
        return std::make_unique<OscillatorProcessor>(context);
    },
};

}  // namespace rta::nodes
