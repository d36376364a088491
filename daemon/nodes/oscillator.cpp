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

namespace rta::nodes::oscillator {

namespace {

constexpr std::array<std::string_view, 3> kShapes{"saw", "square", "triangle"};
constexpr std::array kSettings{
    SettingSpec{.name = "shape",
                .kind = SettingSpec::Kind::choice,
                .default_text = "saw",
                .choices = kShapes,
                .help = "Waveform."},
    channels_setting("Number of channels of the output. All channels carry the same signal."),
};

enum Parameter : std::uint8_t { kFrequencyHz, kGainDb, kPulseWidth };
constexpr std::array kParameters{
    ParameterSpec{.name = "frequency_hz",
                  .unit = Unit::hertz,
                  .minimum = 0.01F,
                  .maximum = 24'000.0F,
                  .default_value = 440.0F,
                  .help = "Frequency, limited to half the sample rate.",
                  .law = RampLaw::logarithmic},
    level_db(
        "gain_db", -20.0F,
        "Peak level of the ideal waveform: half of its peak-to-peak value. Band limiting adds up to 18% of overshoot "
        "at steps."),
    ParameterSpec{
        "pulse_width", Unit::ratio, 0.01F, 0.99F, 0.5F,
        "Part of the cycle for which a square is high; ignored by the other shapes. A square has no DC, so a "
        "narrow pulse is higher than its level: its peak is 2 * (1 - pulse_width) times the level, up to 5.9 dB "
        "more, plus the overshoot. The same applies to a wide pulse, downward."},
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

extern constinit const NodeType kType{
    .name = "oscillator",
    .help = "Saw, square or triangle wave without aliasing.",
    .settings = kSettings,
    .parameters = kParameters,
    .outputs = kOutputs,
    .create = [](const BuildContext& context) -> Expected<std::unique_ptr<Processor>> {
        return std::make_unique<OscillatorProcessor>(context);
    },
};

}  // namespace rta::nodes::oscillator
