// SPDX-License-Identifier: MIT
#include "graph/node_instance.h"

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
    : many_views_(description->layout.parameters.size() > kViewsHere ? description->layout.parameters.size() : 0),
      processor_{std::move(processor)},
      presence_{0.0F},
      description_{std::move(description)} {
    views_ = many_views_.empty() ? few_views_.data() : many_views_.data();
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
        views_[i] = {ramps_[i].target(), nullptr};
    }
}

void NodeInstance::retarget(const AudioThreadKey&, std::uint32_t parameter, float value, std::uint64_t frame,
                            std::uint32_t ramp_frames) RTA_NONBLOCKING {
    ramps_[parameter].retarget(value, frame, ramp_frames);
    ramping_ = true;
}

void NodeInstance::retarget_presence(const AudioThreadKey&, float presence, std::uint64_t frame,
                                     std::uint32_t ramp_frames) RTA_NONBLOCKING {
    if (presence_.target() == presence) return;
    presence_.retarget(presence, frame, ramp_frames);
    ramping_ = true;
}

void NodeInstance::update_ramping_views(const AudioThreadKey&, std::uint64_t frame, std::uint32_t block_size,
                                        std::span<float> scratch) RTA_NONBLOCKING {
    bool ramping = false;
    for (std::size_t i = 0; i < ramps_.size(); ++i) {
        views_[i] = view_of(ramps_[i], frame, scratch.subspan(i * block_size, block_size));
        ramping = ramping || !views_[i].at_rest();
    }
    presence_view_ = view_of(presence_, frame, scratch.subspan(ramps_.size() * block_size, block_size));
    ramping_ = ramping || !presence_view_.at_rest();
}

}  // namespace rta
