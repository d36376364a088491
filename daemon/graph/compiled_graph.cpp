// SPDX-License-Identifier: MIT
#include "graph/compiled_graph.h"

#include <algorithm>

#include "dsp/finite.h"
#include "dsp/gain.h"

namespace rta {
namespace {

/// A mono source feeds every channel.
std::span<const float> source_channel(const AudioReadView& source, std::uint32_t channel) RTA_NONBLOCKING {
    return source.channel(source.channel_count() == 1 ? 0 : channel);
}

/// The gain is a factor, or a ramp where `ramp` points to one; see dsp/gain.h.
void mix_in(const CompiledGraph::MixInput& input, const AudioWriteView& destination, float gain, const float* ramp,
            bool first) RTA_NONBLOCKING {
    for (std::uint32_t channel = 0; channel < destination.channel_count(); ++channel) {
        const auto in = source_channel(input.source, channel);
        const auto out = destination.channel(channel);
        if (first) {
            dsp::scale(in, gain, ramp, out);
        } else {
            dsp::add_scaled(in, gain, ramp, out);
        }
    }
}

void silence(const AudioWriteView& view) RTA_NONBLOCKING {
    for (std::uint32_t channel = 0; channel < view.channel_count(); ++channel)
        std::ranges::fill(view.channel(channel), 0.0F);
}

bool all_finite(const AudioReadView& view) RTA_NONBLOCKING {
    for (std::uint32_t channel = 0; channel < view.channel_count(); ++channel) {
        if (!dsp::all_finite(view.channel(channel))) return false;
    }
    return true;
}

}  // namespace

void CompiledGraph::render(const AudioThreadKey& key, const DeviceBlock& device, std::uint64_t frame,
                           bool hunt) RTA_NONBLOCKING {
    ProcessContext context;
    context.frame = frame;
    context.frame_count = block_size_;
    context.device = device;
    for (const Step& step : steps_) run(key, step, context, hunt);
    rendered_ = true;
}

void CompiledGraph::run(const AudioThreadKey& key, const Step& step, ProcessContext& context,
                        bool hunt) RTA_NONBLOCKING {
    NodeInstance& node = *step.node;
    for (std::uint32_t i = 0; i < step.mix_count; ++i) mix(mixes_[step.first_mix + i], context.frame);
    context.outputs = {output_views_.data() + step.first_output_view, step.output_count};
    if (node.fault(key).muted) {
        for (const AudioWriteView& output : context.outputs) silence(output);
        return;
    }
    if (!rendered_) {
        // Nothing has been heard before frame 0, so there is nothing to ramp from.
        const bool start = context.frame == 0;
        for (std::uint32_t i = 0; i < step.target_count; ++i) {
            const ParameterTarget& target = targets_[step.first_target + i];
            node.retarget(key, target.parameter, target.value, context.frame, start ? 0 : target.ramp_frames);
        }
        node.retarget_presence(key, step.presence, context.frame, start ? 0 : device_fade_frames_);
    }
    node.update_views(key, context.frame, block_size_, ramp_scratch_);
    context.inputs = {input_views_.data() + step.first_input_view, step.input_count};
    context.parameters = node.views(key);
    context.presence = node.presence(key);
    node.processor(key).process(context);

    if (hunt) blame(key, node, context);
}

/// A block was not finite: is it this node that made it so? A sink is judged by what has reached the device.
void CompiledGraph::blame(const AudioThreadKey& key, NodeInstance& node,
                          const ProcessContext& context) RTA_NONBLOCKING {
    bool finite = all_finite(context.device.outputs.read());
    for (const AudioWriteView& output : context.outputs) finite = finite && all_finite(output.read());
    if (finite) return;
    node.fault(key).muted = true;
    for (const AudioWriteView& output : context.outputs) silence(output);
    silence(context.device.outputs);  // or the sinks behind this one would be blamed for it
}

void CompiledGraph::mix(const PortMix& port, std::uint64_t frame) RTA_NONBLOCKING {
    const std::span<float> gains{ramp_scratch_.data(), block_size_};
    bool first = true;
    for (std::uint32_t i = 0; i < port.input_count; ++i) {
        const MixInput& input = mix_inputs_[port.first_input + i];
        dsp::Ramp& gain = input.state->gain;
        if (gain.target() != input.target_gain)
            gain.retarget(input.target_gain, frame, frame == 0 ? 0 : input.fade_frames);
        const bool at_rest = gain.at_rest(frame);
        if (at_rest && gain.target() == 0.0F) continue;  // a connection at zero gain is not read
        if (!at_rest) gain.render(frame, gains);
        mix_in(input, port.destination, gain.target(), at_rest ? nullptr : gains.data(), first);
        first = false;
    }
    if (first) silence(port.destination);
}

}  // namespace rta
