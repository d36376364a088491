// SPDX-License-Identifier: MIT
#include "dsp/sine.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>

#include "graph/node_type.h"

namespace rta::nodes::sine {

namespace {

constexpr std::array kSettings{
    channels_setting("Number of channels of the output. All channels carry the same signal.")};

enum Parameter : std::uint8_t { kFrequencyHz, kGainDb };
constexpr std::array kParameters{
    ParameterSpec{.name = "frequency_hz",
                  .unit = Unit::hertz,
                  .minimum = 0.01F,
                  .maximum = 24'000.0F,
                  .default_value = 440.0F,
                  .help = "Frequency, limited to half the sample rate.",
                  .law = RampLaw::logarithmic},
    level_db("gain_db", -20.0F, "Peak level."),
};
static_assert(well_formed(kParameters));

constexpr std::array kOutputs{PortSpec{"out"}};

class SineGenerator final : public Processor {
 public:
    explicit SineGenerator(const BuildContext& context) : oscillator_{context.sample_rate_hz} {}

    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        const ParameterView& frequency = context.parameters[kFrequencyHz];
        const ParameterView& gain = context.parameters[kGainDb];
        const AudioWriteView& out = context.outputs[0];
        if (!frequency.at_rest() || !gain.at_rest() || out.channel_count() != 1) return process_any(context);
        // The most common path; it ends with a tail call.
        oscillator_.render(frequency.value, gain.value, out.channel(0));
    }

 private:
    // A separate function, so that the path above has no registers to save.
    [[gnu::noinline]] void process_any(const ProcessContext& context) RTA_NONBLOCKING {
        const ParameterView& frequency = context.parameters[kFrequencyHz];
        const ParameterView& gain = context.parameters[kGainDb];
        const AudioWriteView& out = context.outputs[0];
        const std::span<float> first = out.channel(0);
        oscillator_.render(frequency.value, frequency.ramp, gain.value, gain.ramp, first);
        for (std::uint32_t channel = 1; channel < out.channel_count(); ++channel) {
            std::ranges::copy(first, out.channel(channel).begin());
        }
    }

    dsp::SineOscillator oscillator_;
};

}  // namespace

extern constinit const NodeType kType{
    .name = "sine",
    .help = "Sine wave.",
    .settings = kSettings,
    .parameters = kParameters,
    .outputs = kOutputs,
    .create = [](const BuildContext& context) -> Expected<std::unique_ptr<Processor>> {
        return std::make_unique<SineGenerator>(context);
    },
};

}  // namespace rta::nodes::sine
