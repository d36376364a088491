// SPDX-License-Identifier: MIT
#include "plan/node_instance.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <utility>

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
    : has_bypass_{description->layout.has_bypass},
      is_device_sink_{description->type->device_role == DeviceRole::sink},
      own_parameters_{static_cast<std::uint16_t>(description->layout.parameters.size() - (has_bypass_ ? 1 : 0))},
      processor_{std::move(processor)},
      description_{std::move(description)},
      level_tap_{processor_->level_tap()} {
    const std::span<const ParameterSpec> parameters = description_->layout.parameters;
    assert(parameters.size() == parameter_count());
    if (!is_small()) {
        large_ = std::make_unique<Large>();
        large_->ramps.resize(parameters.size());
        large_->views.resize(own_parameters_);
        large_->moving.resize(parameters.size() / kWordBits);
    }
    if (is_device_sink_) presence_ = std::make_unique<SinkPresence>();
    if (has_bypass_ && processor_->latency_frames() > 0) {
        dry_delay_ =
            std::make_unique<dsp::FixedDelay>(description_->layout.inputs.front().width, processor_->latency_frames());
        needs_dry_ = true;
    }
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        ramp(i) = dsp::Ramp{processor_value(parameters[i], parameters[i].default_value), shape_of(parameters[i].law)};
    }
}

void NodeInstance::start_with(std::span<const float> parameters) {
    assert(parameters.size() == parameter_count());
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const ParameterSpec& spec = description_->layout.parameters[i];
        ramp(i) = dsp::Ramp{processor_value(spec, parameters[i]), shape_of(spec.law)};
        view(i) = {ramp(i).target(), nullptr};
    }
    needs_dry_ = uses_dry();
    needs_run_ = true;
}

void NodeInstance::exchange_processor(NodeInstance& other) {
    assert(description_->type == other.description_->type && description_->settings == other.description_->settings);
    processor_.swap(other.processor_);
    dry_delay_.swap(other.dry_delay_);
    std::swap(level_tap_, other.level_tap_);
}

void NodeInstance::start_present() {
    if (is_device_sink_) *presence_ = {Presence{1.0F}, {1.0F, nullptr}};
}

void NodeInstance::retarget(const AudioThreadKey&, std::uint32_t parameter, float value, std::uint64_t frame,
                            std::uint32_t ramp_frames) RTA_NONBLOCKING {
    ramp(parameter).retarget(value, frame, ramp_frames);
    start_moving(parameter);
}

void NodeInstance::move_presence(const AudioThreadKey&, const Crossfade& crossfade, float presence,
                                 std::uint64_t frame) RTA_NONBLOCKING {
    if (!is_device_sink_) return;
    presence_->presence.move(crossfade, presence, frame == 0);
    needs_run_ = true;
}

std::uint32_t NodeInstance::scratch_channels() const {
    const NodeLayout& layout = description_->layout;
    const std::uint32_t dry_channels = layout.has_bypass ? layout.inputs.front().width : 0;
    return static_cast<std::uint32_t>(parameter_count()) + 1 + dry_channels;
}

void NodeInstance::run(const AudioThreadKey&, Processor& processor, ProcessContext& context, const Crossfade& crossfade,
                       std::span<float> scratch) RTA_NONBLOCKING {
    if (needs_run_) update_views(context, crossfade, scratch);
    context.parameters = views();
    if (is_device_sink_) context.presence = presence_->view;
    if (needs_dry_) {
        run_with_dry(context, scratch.subspan((parameter_count() + 1) * context.frame_count));
    } else {
        processor.process(context);
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

/// Updates the views of up to kWordBits ramps, of which `first` is the first one. Bits of `moving` are those of
/// moving_. Returns the bits of the ramps that still move.
inline std::uint64_t NodeInstance::update_word(std::size_t first, std::uint64_t moving, std::uint64_t frame,
                                               std::uint32_t block_size, std::span<float> scratch) RTA_NONBLOCKING {
    std::uint64_t still_moving = 0;
    for (std::uint64_t rest = moving; rest != 0; rest &= rest - 1) {
        const auto bit = static_cast<std::size_t>(std::countr_zero(rest));
        const std::size_t index = first + bit;
        ParameterView& changed = view(index);
        changed = view_of(ramp(index), frame, scratch.subspan(index * block_size, block_size));
        if (!changed.at_rest()) still_moving |= std::uint64_t{1} << bit;
        if (&changed == &bypass_view_) needs_dry_ = uses_dry();
    }
    return still_moving;
}

/// The presence is rendered into the scratch, too.
void NodeInstance::update_views(const ProcessContext& context, const Crossfade& crossfade,
                                std::span<float> scratch) RTA_NONBLOCKING {
    const std::uint64_t frame = context.frame;
    const std::uint32_t block_size = context.frame_count;
    moving_ = update_word(0, moving_, frame, block_size, scratch);
    bool any_moves = moving_ != 0;
    if (!is_small()) {
        for (std::size_t i = 0; i < large_->moving.size(); ++i) {
            std::uint64_t& word = large_->moving[i];
            word = update_word((i + 1) * kWordBits, word, frame, block_size, scratch);
            any_moves = any_moves || word != 0;
        }
    }
    if (is_device_sink_) {
        const Presence& presence = presence_->presence;
        presence_->view = {presence.target(), nullptr};
        if (!presence.at_rest(crossfade, frame)) {
            const std::span<float> values = scratch.subspan(parameter_count() * block_size, block_size);
            crossfade.progress().render(frame, values);
            presence.render(values, values);
            presence_->view.ramp = values.data();
            any_moves = true;
        }
    }
    needs_run_ = any_moves || fault_.muted || needs_dry_;
}

}  // namespace rta
