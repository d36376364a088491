// SPDX-License-Identifier: MIT
#include "dsp/limiter.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>

#include "graph/node_type.h"

namespace rta::nodes {

namespace {

constexpr std::array kSettings{
    SettingSpec{.name = "look_ahead_ms",
                .kind = SettingSpec::Kind::number,
                .minimum = 0.5,
                .maximum = 20.0,
                .default_number = 3.0,
                .help = "Time in which the gain comes down before a peak; the sound comes out 39 frames more than this "
                        "later."},
    channels_setting("Width of every port of the node; the highest peak of all channels decides for all."),
};

enum Parameter : std::uint8_t { kCeilingDb, kReleaseMs };
constexpr std::array kParameters{
    ParameterSpec{"ceiling_db", Unit::decibel, -60.0F, 0.0F, -1.0F,
                  "What neither a sample nor the signal between samples (true peak, dBTP) goes above.",
                  RampLaw::amplitude},
    ParameterSpec{"release_ms", Unit::milliseconds, 1.0F, 5'000.0F, 100.0F,
                  "Time constant with which the gain comes back: after it 63% of the way are done.",
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
                   context.block_size} {}

    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        const ParameterView& ceiling = context.parameters[kCeilingDb];
        const ParameterView& release = context.parameters[kReleaseMs];
        limiter_.process(context.inputs[0], {ceiling.value, ceiling.ramp}, {release.value, release.ramp},
                         context.outputs[0]);
    }

    [[nodiscard]] std::uint32_t latency_frames() const override { return limiter_.latency_frames(); }

 private:
    dsp::Limiter limiter_;
};

}  // namespace

extern constinit const NodeType kLimiter{
    .name = "limiter",
    .help = "Lets no peak through that is higher than a ceiling, between the samples too.",
    .settings = kSettings,
    .parameters = kParameters,
    .inputs = kInputs,
    .outputs = kOutputs,
    .in_place = true,
    .create = [](const BuildContext& context) -> Expected<std::unique_ptr<Processor>> {
        return std::make_unique<LimiterProcessor>(context);
    },
};

}  // namespace rta::nodes
