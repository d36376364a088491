// SPDX-License-Identifier: MIT
#include "plan/node_instance.h"

#include <algorithm>
#include <cassert>

#include "dsp/math.h"

namespace rta {
namespace {

dsp::Ramp::Shape shape_of(RampLaw law) {
    return law == RampLaw::logarithmic ? dsp::Ramp::Shape::logarithmic : dsp::Ramp::Shape::linear;
}

ParameterView view_of(const dsp::Ramp& ramp, std::uint64_t frame, std::span<float> scratch) RTA_NONBLOCKING {
    if (ramp.at_rest(frame)) return {ramp.target(), nullptr};
    ramp.render(frame, scratch);
    return {ramp.target(), scratch.data()};
}

}  // namespace

float processor_value(const ParameterSpec& spec, float value) {
    return spec.law == RampLaw::amplitude ? dsp::gain_from_db(value) : value;
}

NodeInstance::NodeInstance(std::shared_ptr<const NodeDescription> description, std::unique_ptr<Processor> processor)
    : own_parameters_{description->layout.parameters.size() - (description->layout.has_bypass ? 1 : 0)},
      processor_{std::move(processor)},
      presence_{0.0F},
      description_{std::move(description)},
      level_tap_{processor_->level_tap()} {
    if (own_parameters_ > kInlineViews) allocated_views_.resize(own_parameters_);
    if (description_->layout.has_bypass && processor_->latency_frames() > 0) {
        dry_delay_ =
            std::make_unique<dsp::FixedDelay>(description_->layout.inputs.front().width, processor_->latency_frames());
        needs_run_ = true;
    }
    views_ = allocated_views_.empty() ? inline_views_.data() : allocated_views_.data();
    ramps_.reserve(description_->layout.parameters.size());
    for (const ParameterSpec& spec : description_->layout.parameters) {
        ramps_.emplace_back(processor_value(spec, spec.default_value), shape_of(spec.law));
    }
}

void NodeInstance::start_with(std::span<const float> parameters) {
    assert(parameters.size() == ramps_.size());
    for (std::size_t i = 0; i < ramps_.size(); ++i) {
        const ParameterSpec& spec = description_->layout.parameters[i];
        ramps_[i] = dsp::Ramp{processor_value(spec, parameters[i]), shape_of(spec.law)};
        view(i) = {ramps_[i].target(), nullptr};
    }
    needs_run_ = needs_dry();
}

void NodeInstance::start_present() {
    presence_ = dsp::Ramp{1.0F};
    presence_view_ = {1.0F, nullptr};
}

void NodeInstance::retarget(const AudioThreadKey&, std::uint32_t parameter, float value, std::uint64_t frame,
                            std::uint32_t ramp_frames) RTA_NONBLOCKING {
    ramps_[parameter].retarget(value, frame, ramp_frames);
    needs_run_ = true;
}

void NodeInstance::retarget_presence(const AudioThreadKey&, float presence, std::uint64_t frame,
                                     std::uint64_t start_frame, std::uint32_t ramp_frames) RTA_NONBLOCKING {
    presence_.withdraw(frame);
    if (presence_.target() == presence) return;
    presence_.retarget(presence, start_frame, ramp_frames);
    needs_run_ = true;
}

std::size_t NodeInstance::scratch_frames(std::uint32_t block_size) const {
    const NodeLayout& layout = description_->layout;
    const std::size_t dry_channels = layout.has_bypass ? layout.inputs.front().width : 0;
    return (ramps_.size() + 1 + dry_channels) * block_size;
}

void NodeInstance::run(const AudioThreadKey&, ProcessContext& context, std::span<float> scratch) RTA_NONBLOCKING {
    if (needs_run_) update_views(context.frame, context.frame_count, scratch);
    context.parameters = {views_, own_parameters_};
    context.presence = presence_view_;
    if (needs_dry()) {
        run_with_dry(context, scratch.subspan((ramps_.size() + 1) * context.frame_count));
    } else {
        processor_->process(context);
    }
}

/// Copies the dry signal first, because an in-place processor overwrites it.
void NodeInstance::run_with_dry(ProcessContext& context, std::span<float> dry) RTA_NONBLOCKING {
    const AudioReadView& in = context.inputs[0];
    const AudioWriteView& out = context.outputs[0];
    const auto dry_channel = [&](std::uint32_t channel) RTA_NONBLOCKING {
        return dry.subspan(std::size_t{channel} * context.frame_count, context.frame_count);
    };
    for (std::uint32_t channel = 0; channel < in.channel_count(); ++channel) {
        if (dry_delay_ != nullptr) {
            dry_delay_->process(channel, in.channel(channel), dry_channel(channel));
        } else {
            std::ranges::copy(in.channel(channel), dry_channel(channel).begin());
        }
    }
    if (dry_delay_ != nullptr) dry_delay_->advance(context.frame_count);
    processor_->process(context);

    if (bypass_view_.at_rest() && bypass_view_.value == 0.0F) return;
    for (std::uint32_t channel = 0; channel < out.channel_count(); ++channel) {
        const std::span<const float> dry_samples = dry_channel(channel);
        const std::span<float> samples = out.channel(channel);
        if (bypass_view_.at_rest()) {
            std::ranges::copy(dry_samples, samples.begin());
            continue;
        }
        for (std::uint32_t frame = 0; frame < context.frame_count; ++frame) {
            samples[frame] += bypass_view_.ramp[frame] * (dry_samples[frame] - samples[frame]);
        }
    }
}

bool NodeInstance::needs_dry() const RTA_NONBLOCKING {
    return dry_delay_ != nullptr || !bypass_view_.at_rest() || bypass_view_.value != 0.0F;
}

void NodeInstance::update_views(std::uint64_t frame, std::uint32_t block_size,
                                std::span<float> scratch) RTA_NONBLOCKING {
    bool ramping = false;
    for (std::size_t i = 0; i < ramps_.size(); ++i) {
        view(i) = view_of(ramps_[i], frame, scratch.subspan(i * block_size, block_size));
        ramping = ramping || !view(i).at_rest();
    }
    presence_view_ = view_of(presence_, frame, scratch.subspan(ramps_.size() * block_size, block_size));
    needs_run_ = ramping || !presence_view_.at_rest() || fault_.muted || needs_dry();
}

}  // namespace rta
