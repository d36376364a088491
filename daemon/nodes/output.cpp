// SPDX-License-Identifier: MIT
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "dsp/gain.h"
#include "dsp/math.h"
#include "graph/node_type.h"

namespace rta::nodes::output {

namespace {

constexpr std::array kSettings{
    channels_setting("Number of device channels, and of channels of the input."),
    first_channel_setting("First device channel, starting at 1. Channels that the device does not have are dropped."),
};

enum Parameter : std::uint8_t { kGainDb };
constexpr std::array kParameters{level_db("gain_db", 0.0F, "Gain; -120 dB is silence.")};
static_assert(well_formed(kParameters));

constexpr std::array kInputs{PortSpec{"in"}};

class DeviceOutput final : public Processor {
 public:
    explicit DeviceOutput(const BuildContext& context)
        : first_channel_{context.settings.integer("first_channel") - 1}, factors_(context.block_size) {}

    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        const ParameterView gain = context.parameters[kGainDb];
        const ParameterView presence = context.presence;
        const bool at_rest = gain.at_rest() && presence.at_rest();
        if (!at_rest) {
            for (std::uint32_t frame = 0; frame < context.frame_count; ++frame) {
                factors_[frame] = gain[frame] * presence[frame];
            }
        }
        const float factor = gain.value * presence.value;
        const float* const ramp = at_rest ? nullptr : factors_.data();
        const AudioReadView& in = context.inputs[0];
        const AudioWriteView& device = context.device.outputs;
        for (std::uint32_t channel = 0; channel < in.channel_count(); ++channel) {
            const std::uint32_t destination = first_channel_ + channel;
            if (destination >= device.channel_count()) break;
            // Add, not overwrite: several output nodes may feed one device channel.
            dsp::add_scaled(in.channel(channel), factor, ramp, device.channel(destination));
        }
    }

 private:
    std::uint32_t first_channel_;  ///< starting at 0
    std::vector<float> factors_;   ///< one per frame of the block, while a factor is ramping
};

}  // namespace

extern constinit const NodeType kType{
    .name = "output",
    .help = "Output of the audio device.",
    .settings = kSettings,
    .parameters = kParameters,
    .inputs = kInputs,
    .device_role = DeviceRole::sink,
    .create = [](const BuildContext& context) -> Expected<std::unique_ptr<Processor>> {
        return std::make_unique<DeviceOutput>(context);
    },
    .routing = [](const RoutingQuery& query) -> double {
        if (query.input.channel != query.output.channel) return 0.0;
        return static_cast<double>(dsp::gain_from_db(query.parameters[kGainDb]));
    },
};

}  // namespace rta::nodes::output
