// SPDX-License-Identifier: MIT
#include "dsp/limiter.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>

#include "graph/level_tap.h"
#include "graph/node_type.h"

namespace rta::nodes::limiter {

namespace {

constexpr std::array kSettings{
    SettingSpec{.name = "look_ahead_ms",
                .kind = SettingSpec::Kind::number,
                .minimum = 0.5,
                .maximum = 20.0,
                .default_number = 3.0,
                .help = "Time in which the gain is reduced before a peak. The latency is this time plus 39 frames."},
    channels_setting("Number of channels of every port. The highest peak of all channels sets the gain of all."),
};

enum Parameter : std::uint8_t { kCeilingDb, kReleaseMs };
constexpr std::array kParameters{
    ParameterSpec{"ceiling_db", Unit::decibel, -60.0F, 0.0F, -1.0F,
                  "Maximum level of the samples and of the signal between samples (true peak, dBTP).",
                  RampLaw::amplitude},
    ParameterSpec{"release_ms", Unit::milliseconds, 1.0F, 5'000.0F, 100.0F,
                  "Time constant of the return of the gain: the time to reach 63% of the change.",
                  RampLaw::logarithmic},
};
static_assert(well_formed(kParameters));

constexpr std::array kInputs{PortSpec{"in"}};
constexpr std::array kOutputs{PortSpec{"out"}};

std::uint32_t look_ahead_frames(const BuildContext& context) {
    const double frames = context.settings.number("look_ahead_ms") * context.sample_rate_hz / 1'000.0;
    return std::max(static_cast<std::uint32_t>(frames + 0.5), 2U);
}

class LimiterProcessor final : public Processor {
 public:
    explicit LimiterProcessor(const BuildContext& context)
        : limiter_{context.sample_rate_hz, look_ahead_frames(context), context.settings.integer("channels"),
                   context.block_size},
          tap_{0, context.sample_rate_hz, context.block_size, LevelTap::Measures::gain_reduction} {}

    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        const ParameterView& ceiling = context.parameters[kCeilingDb];
        const ParameterView& release = context.parameters[kReleaseMs];
        const bool wanted = tap_.wanted();
        dsp::GainRange applied;
        limiter_.process(context.inputs[0], {ceiling.value, ceiling.ramp}, {release.value, release.ramp},
                         context.outputs[0], wanted ? &applied : nullptr);
        if (wanted) tap_.add(context.frame, context.frame_count, applied);
    }

    [[nodiscard]] std::uint32_t latency_frames() const override { return limiter_.latency_frames(); }
    [[nodiscard]] LevelTap* level_tap() override { return &tap_; }

 private:
    dsp::Limiter limiter_;
    LevelTap tap_;
};

}  // namespace

extern constinit const NodeType kType{
    .name = "limiter",
    .help =
        "Limits peaks to a ceiling, including peaks between samples. Content above 0.45 of the sample rate (21.6 kHz at "
        "48 kHz) counts for more than its level, since converters with long filters reconstruct higher peaks from it: with a filter of 4096 samples, patterns "
        "near half the sample rate exceed the ceiling by up to 2 dB. "
        "Clients that subscribe to levels receive the gain reduction.",
    .settings = kSettings,
    .parameters = kParameters,
    .inputs = kInputs,
    .outputs = kOutputs,
    .in_place = true,
    .reports = Reports::gain_reduction,
    .create = [](const BuildContext& context) -> Expected<std::unique_ptr<Processor>> {
        return std::make_unique<LimiterProcessor>(context);
    },
    .response = &flat_response,
    .counts_as = "its latency, without gain reduction",
    .memory_bytes = &look_ahead_memory_bytes,
};

}  // namespace rta::nodes::limiter
