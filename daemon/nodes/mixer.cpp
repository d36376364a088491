// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dsp/gain.h"
#include "dsp/math.h"
#include "graph/node_type.h"

namespace rta::nodes::mixer {

namespace {

constexpr std::array kSettings{
    SettingSpec{.name = "inputs",
                .kind = SettingSpec::Kind::integer,
                .minimum = 1,
                .maximum = 64,
                .default_number = 2,
                .help = "Number of inputs, each with as many channels as the output."},
    channels_setting(),
};

constexpr std::array kParameters{
    repeated(level_db("gain_#_db", 0.0F, "Gain of input #; -120 dB is silence."), "inputs"),
    repeated(on_off("mute_#", false, "Mutes input #."), "inputs"),
};
static_assert(well_formed(kParameters));

constexpr std::array kInputs{PortSpec{.name = "in_#", .repeat = {"inputs"}}};
constexpr std::array kOutputs{PortSpec{"out"}};

class Mixer final : public Processor {
 public:
    explicit Mixer(const BuildContext& context)
        : inputs_{context.settings.integer("inputs")}, factors_(context.block_size) {}

    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        const AudioWriteView& out = context.outputs[0];
        for (std::uint32_t channel = 0; channel < out.channel_count(); ++channel) {
            std::ranges::fill(out.channel(channel), 0.0F);
        }
        for (std::uint32_t input = 0; input < inputs_; ++input) add(context, input);
    }

 private:
    void add(const ProcessContext& context, std::uint32_t input) RTA_NONBLOCKING {
        const ParameterView& gain = context.parameters[input];
        const ParameterView& mute = context.parameters[inputs_ + input];
        const bool at_rest = gain.at_rest() && mute.at_rest();
        if (!at_rest) {
            for (std::uint32_t frame = 0; frame < context.frame_count; ++frame) {
                factors_[frame] = gain[frame] * (1.0F - mute[frame]);
            }
        }
        const float factor = gain.value * (1.0F - mute.value);
        if (at_rest && factor == 0.0F) return;
        const AudioWriteView& out = context.outputs[0];
        for (std::uint32_t channel = 0; channel < out.channel_count(); ++channel) {
            dsp::add_scaled(context.inputs[input].channel(channel), factor, at_rest ? nullptr : factors_.data(),
                            out.channel(channel));
        }
    }

    std::uint32_t inputs_;
    std::vector<float> factors_;  ///< of one input, one per frame, while its gain or mute is ramping
};

}  // namespace

extern constinit const NodeType kType{
    .name = "mixer",
    .help = "Sums its inputs, each with its own gain and mute.",
    .settings = kSettings,
    .parameters = kParameters,
    .inputs = kInputs,
    .outputs = kOutputs,
    .create = [](const BuildContext& context) -> Expected<std::unique_ptr<Processor>> {
        return std::make_unique<Mixer>(context);
    },
    .routing = [](const RoutingQuery& query) -> double {
        if (query.input.channel != query.output.channel) return 0.0;
        const bool muted = query.parameters[query.input_count + query.input.port] != 0.0F;
        return muted ? 0.0 : static_cast<double>(dsp::gain_from_db(query.parameters[query.input.port]));
    },
};

}  // namespace rta::nodes::mixer
