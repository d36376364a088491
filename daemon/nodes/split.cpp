// SPDX-License-Identifier: MIT
#include <array>
#include <cstdint>
#include <memory>

#include "dsp/gain.h"
#include "graph/node_type.h"

namespace rta::nodes::split {

namespace {

constexpr std::array kSettings{channels_setting("Number of channels of `in`, and of mono outputs.")};
constexpr std::array kInputs{PortSpec{"in"}};
constexpr std::array kOutputs{PortSpec{"out_#", 1, {"channels"}}};

/// Runs only where the plan cannot forward the channels.
class SplitProcessor final : public Processor {
 public:
    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        const AudioReadView& in = context.inputs[0];
        for (std::uint32_t channel = 0; channel < in.channel_count(); ++channel)
            dsp::copy(in.channel(channel), context.outputs[channel].channel(0));
    }
};

}  // namespace

extern constinit const NodeType kType{
    .name = "split",
    .help = "Splits one port into a mono port for each channel. Costs no time while `in` has one connection at 0 dB.",
    .settings = kSettings,
    .inputs = kInputs,
    .outputs = kOutputs,
    .forwards_channels = true,
    .create = [](const BuildContext&) -> Expected<std::unique_ptr<Processor>> {
        return std::make_unique<SplitProcessor>();
    },
};

}  // namespace rta::nodes::split
