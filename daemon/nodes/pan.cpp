// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "dsp/gain.h"
#include "dsp/math.h"
#include "graph/node_type.h"

namespace rta::nodes::pan {

namespace {

constexpr std::array<std::string_view, 3> kLaws{"minus_3_db", "minus_4_5_db", "minus_6_db"};
constexpr std::array kSettings{
    SettingSpec{.name = "law",
                .kind = SettingSpec::Kind::choice,
                .default_text = "minus_3_db",
                .choices = kLaws,
                .help =
                    "Pan law: level of both outputs at the centre position of a mono input. minus_3_db keeps the power "
                    "constant, minus_6_db the sum of both sides; minus_4_5_db is a compromise."},
    SettingSpec{.name = "channels",
                .kind = SettingSpec::Kind::integer,
                .minimum = 1,
                .maximum = 2,
                .default_number = 1,
                .help = "Number of channels of the input: 1 is panned between left and right, 2 is balanced."},
};

enum Parameter : std::uint8_t { kPosition };
constexpr std::array kParameters{
    ParameterSpec{"position", Unit::none, -1.0F, 1.0F, 0.0F,
                  "Position from -1 (left) to 1 (right). With a stereo input, the opposite side is attenuated."},
};
static_assert(well_formed(kParameters));

constexpr std::array kInputs{PortSpec{"in"}};
constexpr std::array kOutputs{PortSpec{"out", 2}};

enum class Law : std::uint8_t { minus_3_db, minus_4_5_db, minus_6_db };

Law law_of(std::string_view name) { return static_cast<Law>(std::ranges::find(kLaws, name) - kLaws.begin()); }

/// Returns the factor of the side at position 1. The factor of the other side is the same at -position.
double gain_towards(Law law, double position) RTA_NONBLOCKING {
    const double linear = 0.5 + 0.5 * position;
    const double constant_power = dsp::sine_of_turns(0.25 * linear);
    switch (law) {
        case Law::minus_3_db:
            return constant_power;
        case Law::minus_6_db:
            return linear;
        case Law::minus_4_5_db:
            break;
    }
    return dsp::square_root(linear * constant_power);
}

/// Returns the gain of a stereo input relative to a mono one: it is unchanged at the centre.
double scale_of(Law law, std::uint32_t channels) { return channels == 2 ? 1.0 / gain_towards(law, 0.0) : 1.0; }

/// Returns the factor of a side, 0 or 1, which never amplifies.
float factor_of(Law law, double scale, std::uint32_t side, float position) RTA_NONBLOCKING {
    const auto towards = static_cast<double>(side == 0 ? -position : position);
    return static_cast<float>(std::min(1.0, scale * gain_towards(law, towards)));
}

class Pan final : public Processor {
 public:
    explicit Pan(const BuildContext& context)
        : law_{law_of(context.settings.text("law"))},
          scale_{scale_of(law_, context.settings.integer("channels"))},
          factors_{std::vector<float>(context.block_size), std::vector<float>(context.block_size)} {}

    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        const ParameterView& position = context.parameters[kPosition];
        if (!position.at_rest()) {
            for (std::uint32_t frame = 0; frame < context.frame_count; ++frame) {
                for (std::uint32_t side = 0; side < 2; ++side) factors_[side][frame] = factor(side, position[frame]);
            }
        } else if (position.value != position_) {
            position_ = position.value;
            for (std::uint32_t side = 0; side < 2; ++side) factor_[side] = factor(side, position_);
        }
        const AudioReadView& in = context.inputs[0];
        for (std::uint32_t side = 0; side < 2; ++side) {
            dsp::scale(in.channel(std::min(side, in.channel_count() - 1)), factor_[side],
                       position.at_rest() ? nullptr : factors_[side].data(), context.outputs[0].channel(side));
        }
    }

 private:
    [[nodiscard]] float factor(std::uint32_t side, float position) const RTA_NONBLOCKING {
        return factor_of(law_, scale_, side, position);
    }

    Law law_;
    double scale_;
    float position_ = 2.0F;                      ///< for which factor_ was computed; 2: none yet
    std::array<float, 2> factor_{};              ///< of each side, while the position is constant
    std::array<std::vector<float>, 2> factors_;  ///< one per frame, while the position is ramping
};

}  // namespace

extern constinit const NodeType kType{
    .name = "pan",
    .help = "Pans a mono input between left and right, or balances a stereo input.",
    .settings = kSettings,
    .parameters = kParameters,
    .inputs = kInputs,
    .outputs = kOutputs,
    .create = [](const BuildContext& context) -> Expected<std::unique_ptr<Processor>> {
        return std::make_unique<Pan>(context);
    },
    .routing = [](const RoutingQuery& query) -> double {
        const std::uint32_t channels = query.settings.integer("channels");
        if (query.input.channel != std::min(query.output.channel, channels - 1)) return 0.0;
        const Law law = law_of(query.settings.text("law"));
        return static_cast<double>(
            factor_of(law, scale_of(law, channels), query.output.channel, query.parameters[kPosition]));
    },
};

}  // namespace rta::nodes::pan
