// SPDX-License-Identifier: MIT
#include "dsp/compressor.h"

#include <algorithm>
#include <array>
#include <complex>
#include <cstdint>
#include <memory>
#include <span>

#include "dsp/math.h"
#include "graph/level_tap.h"
#include "graph/node_type.h"

namespace rta::nodes::compressor {

namespace {

constexpr std::array kSettings{
    look_ahead_setting(
        "Delay of the output relative to the level detector, so that the gain is reduced before a peak. Adds latency."),
    side_chain_setting(),
    channels_setting("Number of channels of every port. The loudest channel sets the gain of all."),
};

enum Parameter : std::uint8_t { kThresholdDb, kRatio, kKneeDb, kAttackMs, kReleaseMs, kMakeupDb };
constexpr std::array kParameters{
    ParameterSpec{"threshold_db", Unit::decibel, -80.0F, 0.0F, -20.0F, "Peak level above which the gain is reduced."},
    ParameterSpec{"ratio", Unit::ratio, 1.0F, 100.0F, 4.0F,
                  "Increase of the input level, in dB, that raises the output by 1 dB above the threshold.",
                  RampLaw::logarithmic},
    ParameterSpec{"knee_db", Unit::decibel, 0.0F, 24.0F, 6.0F,
                  "Width of the soft knee around the threshold; 0 is a hard knee."},
    ParameterSpec{"attack_ms", Unit::milliseconds, 0.05F, 500.0F, 10.0F,
                  "Time constant of increasing gain reduction: the time to reach 63% of the change.",
                  RampLaw::logarithmic},
    ParameterSpec{"release_ms", Unit::milliseconds, 1.0F, 5'000.0F, 150.0F,
                  "Time constant of decreasing gain reduction; the release starts 5 ms after the level has fallen.",
                  RampLaw::logarithmic},
    ParameterSpec{"makeup_db", Unit::decibel, -24.0F, 24.0F, 0.0F, "Gain applied after compression.",
                  RampLaw::amplitude},
};
static_assert(well_formed(kParameters));

constexpr std::array kInputs{PortSpec{"in"}, PortSpec{.name = "side_chain", .repeat = {"side_chain"}}};
constexpr std::array kOutputs{PortSpec{"out"}};

class CompressorProcessor final : public Processor {
 public:
    explicit CompressorProcessor(const BuildContext& context)
        : compressor_{context.sample_rate_hz,
                      static_cast<std::uint32_t>(
                          context.settings.number("look_ahead_ms") * context.sample_rate_hz / 1'000.0 + 0.5),
                      context.settings.integer("channels"), context.block_size},
          tap_{0, context.sample_rate_hz, context.block_size, LevelTap::Measures::gain_reduction} {}

    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        const auto value = [&](Parameter parameter) RTA_NONBLOCKING {
            const ParameterView& view = context.parameters[parameter];
            return dsp::BlockValue{view.value, view.ramp};
        };
        const bool wanted = tap_.wanted();
        dsp::GainRange applied;
        // The last input is the side chain if the node has one, otherwise `in`.
        compressor_.process(context.inputs.front(), context.inputs.back(),
                            {.threshold_db = value(kThresholdDb),
                             .ratio = value(kRatio),
                             .knee_db = value(kKneeDb),
                             .attack_ms = value(kAttackMs),
                             .release_ms = value(kReleaseMs),
                             .makeup = value(kMakeupDb)},
                            context.outputs[0], wanted ? &applied : nullptr);
        if (wanted) tap_.add(context.frame, context.frame_count, applied);
    }

    [[nodiscard]] std::uint32_t latency_frames() const override { return compressor_.latency_frames(); }
    [[nodiscard]] LevelTap* level_tap() override { return &tap_; }

 private:
    dsp::Compressor compressor_;
    LevelTap tap_;
};

}  // namespace

extern constinit const NodeType kType{
    .name = "compressor",
    .help =
        "Reduces the gain of signals above a threshold. Clients that subscribe to levels receive the gain reduction.",
    .settings = kSettings,
    .parameters = kParameters,
    .inputs = kInputs,
    .outputs = kOutputs,
    .in_place = true,
    .reports = Reports::gain_reduction,
    .create = [](const BuildContext& context) -> Expected<std::unique_ptr<Processor>> {
        return std::make_unique<CompressorProcessor>(context);
    },
    .response =
        [](const ResponseQuery& query, std::span<std::complex<double>> values) {
            std::ranges::fill(values, static_cast<double>(dsp::gain_from_db(query.parameters[kMakeupDb])));
        },
    .counts_as = "its make-up gain, without gain reduction",
    .memory_bytes = &look_ahead_memory_bytes,
};

}  // namespace rta::nodes::compressor
