// SPDX-License-Identifier: MIT
#include "dsp/delay_line.h"

#include <array>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "graph/node_type.h"

namespace rta::nodes::delay_line {

namespace {

constexpr double kMaximumMs = 10'000.0;

constexpr std::array kSettings{
    SettingSpec{.name = "max_time_ms",
                .kind = SettingSpec::Kind::number,
                .minimum = 1.0,
                .maximum = kMaximumMs,
                .default_number = 1'000.0,
                .help = "Maximum delay. Memory for it is allocated when the node is built."},
    channels_setting(),
};

enum Parameter : std::uint8_t { kTimeMs, kFeedback, kMix };
constexpr std::array kParameters{
    ParameterSpec{
        .name = "time_ms",
        .unit = Unit::milliseconds,
        .minimum = 0.0F,
        .maximum = static_cast<float>(kMaximumMs),
        .default_value = 100.0F,
        .help =
            "Delay, including fractions of a frame. A change crossfades to the new delay in about 20 ms, without "
            "a change of pitch. At every delay the response is flat within 0.1 dB up to 5/12 of the sample rate (20 "
            "kHz at 48 kHz). Phase error: at most 0.2 frames up to 10 kHz below 12 frames, negligible from there on.",
        .law = RampLaw::own,
        .maximum_setting = "max_time_ms"},
    ParameterSpec{
        .name = "feedback",
        .unit = Unit::ratio,
        .minimum = -0.99F,
        .maximum = 0.99F,
        .default_value = 0.0F,
        .help = "Factor of the feedback from the delayed signal to the input; its delay is at least one frame."},
    ParameterSpec{.name = "mix",
                  .unit = Unit::ratio,
                  .minimum = 0.0F,
                  .maximum = 1.0F,
                  .default_value = 1.0F,
                  .help = "Mix of input and delayed signal: 0 is the input only, 1 the delayed signal only."},
};
static_assert(well_formed(kParameters));

constexpr std::array kInputs{PortSpec{"in"}};
constexpr std::array kOutputs{PortSpec{"out"}};

class DelayProcessor final : public Processor {
 public:
    explicit DelayProcessor(const BuildContext& context)
        : line_{context.sample_rate_hz, context.settings.number("max_time_ms"), context.settings.integer("channels"),
                context.block_size} {}

    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        const ParameterView& feedback = context.parameters[kFeedback];
        const ParameterView& mix = context.parameters[kMix];
        const float time_ms = context.parameters[kTimeMs].value;
        line_.process(context.inputs[0], context.outputs[0], time_ms, {feedback.value, feedback.ramp},
                      {mix.value, mix.ramp});
    }

 private:
    dsp::DelayLine line_;
};

}  // namespace

extern constinit const NodeType kType{
    .name = "delay_line",
    .help = "Delays the signal, with feedback for echoes.",
    .settings = kSettings,
    .parameters = kParameters,
    .inputs = kInputs,
    .outputs = kOutputs,
    .in_place = true,
    .remembers_input = true,
    .create = [](const BuildContext& context) -> Expected<std::unique_ptr<Processor>> {
        return std::make_unique<DelayProcessor>(context);
    },
    .response =
        [](const ResponseQuery& query, std::span<std::complex<double>> values) {
            for (std::size_t i = 0; i < values.size(); ++i) {
                values[i] = dsp::DelayLine::response(
                    query.frequencies_hz[i] / query.sample_rate_hz, query.sample_rate_hz, query.parameters[kTimeMs],
                    static_cast<double>(query.parameters[kFeedback]), static_cast<double>(query.parameters[kMix]));
            }
        },
    .memory_bytes = [](const BuildContext& context) -> std::uint64_t {
        constexpr std::uint64_t kBesideTheLine = std::uint64_t{64} << 10U;
        const double frames =
            context.settings.number("max_time_ms") * context.sample_rate_hz / 1'000.0 + 4.0 * context.block_size;
        return kBesideTheLine +
               static_cast<std::uint64_t>(frames) * sizeof(float) * context.settings.integer("channels");
    },
};

}  // namespace rta::nodes::delay_line
