// SPDX-License-Identifier: MIT
#include <array>
#include <cstdint>
#include <memory>

#include "dsp/gain.h"
#include "graph/node_type.h"

namespace rta::nodes::merge {

namespace {

constexpr std::array kSettings{channels_setting("Number of mono inputs, and of channels of `out`.")};
constexpr std::array kInputs{PortSpec{"in_#", 1, {"channels"}}};
constexpr std::array kOutputs{PortSpec{"out"}};

/// Runs only where the plan cannot forward the channels.
class MergeProcessor final : public Processor {
 public:
    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        const AudioWriteView& out = context.outputs[0];
        for (std::uint32_t channel = 0; channel < out.channel_count(); ++channel)
            dsp::copy(context.inputs[channel].channel(0), out.channel(channel));
    }
};

}  // namespace

extern constinit const NodeType kType{
    .name = "merge",
    .help =
        "Merges mono ports into one port with a channel for each; unconnected inputs are silent. Costs no time while "
        "each input has at most one connection, at 0 dB.",
    .settings = kSettings,
    .inputs = kInputs,
    .outputs = kOutputs,
    .forwards_channels = true,
    .create = [](const BuildContext&) -> Expected<std::unique_ptr<Processor>> {
        return std::make_unique<MergeProcessor>();
    },
};

}  // namespace rta::nodes::merge
