// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>

#include "dsp/finite.h"
#include "dsp/gain.h"
#include "graph/node_type.h"

namespace rta::nodes::input {

namespace {

constexpr std::array kSettings{
    channels_setting("Number of device channels, and of channels of the output."),
    first_channel_setting("First device channel, starting at 1. Channels that the device does not have are silent."),
};

enum Parameter : std::uint8_t { kGainDb };
constexpr std::array kParameters{level_db("gain_db", 0.0F, "Gain; -120 dB is silence.")};
static_assert(well_formed(kParameters));

constexpr std::array kOutputs{PortSpec{"out"}};

class DeviceInput final : public Processor {
 public:
    explicit DeviceInput(const BuildContext& context) : first_channel_{context.settings.integer("first_channel") - 1} {}

    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        const AudioReadView& device = context.device.inputs;
        const AudioWriteView& out = context.outputs[0];
        for (std::uint32_t channel = 0; channel < out.channel_count(); ++channel) {
            const std::uint32_t source = first_channel_ + channel;
            if (source < device.channel_count()) {
                capture(device.channel(source), context.parameters[kGainDb], out.channel(channel));
            } else {
                std::ranges::fill(out.channel(channel), 0.0F);
            }
        }
    }

 private:
    static void capture(std::span<const float> in, const ParameterView& gain, std::span<float> out) RTA_NONBLOCKING {
        // A NaN from the driver counts as a lost sample. Passed on, it would get this node muted as faulty.
        dsp::finite_or_zero(in, out);
        dsp::scale(out, gain.value, gain.ramp, out);
    }

    std::uint32_t first_channel_;  ///< starting at 0
};

}  // namespace

extern constinit const NodeType kType{
    .name = "input",
    .help = "Input of the audio device.",
    .settings = kSettings,
    .parameters = kParameters,
    .outputs = kOutputs,
    .device_role = DeviceRole::source,
    .create = [](const BuildContext& context) -> Expected<std::unique_ptr<Processor>> {
        return std::make_unique<DeviceInput>(context);
    },
};

}  // namespace rta::nodes::input
