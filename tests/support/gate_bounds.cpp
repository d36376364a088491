// SPDX-License-Identifier: MIT
#include "support/gate_bounds.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace rta::test {
namespace {

std::shared_ptr<const NodeDescription> with_side_chain(const NodeDescription& gate) {
    Settings settings = gate.given_settings;
    settings["side_chain"] = true;
    return NodeDescription::make(*gate.type, gate.name, std::move(settings)).value();
}

}  // namespace

GateBounds::GateBounds(const NodeInstance& gate, const EngineConfig& config)
    : description_{with_side_chain(gate.description())},
      ones_{description_->layout.inputs[0].width, config.block_size},
      level_{description_->layout.inputs[1].width, config.block_size} {
    for (std::uint32_t channel = 0; channel < ones_.channel_count(); ++channel)
        std::ranges::fill(ones_.write().channel(channel), 1.0F);
    for (Bound& bound : bounds_) {
        auto processor = description_->type->create({config.sample_rate_hz, config.block_size, description_->settings});
        bound.gate = std::make_shared<NodeInstance>(description_, std::move(processor.value()));
        bound.gain = AudioBuffer{ones_.channel_count(), config.block_size};
    }
    scratch_.resize(bounds_[0].gate->scratch_frames(config.block_size));
}

void GateBounds::start_with(std::span<const float> parameters) {
    std::vector<float> values{parameters.begin(), parameters.end()};
    if (description_->layout.has_bypass) values.back() = 0.0F;
    for (const Bound& bound : bounds_) bound.gate->start_with(values);
}

void GateBounds::retarget(const AudioThreadKey& key, std::uint32_t parameter, float value, std::uint64_t frame,
                          std::uint32_t ramp_frames) {
    const NodeLayout& layout = description_->layout;
    if (layout.has_bypass && parameter + 1 == layout.parameters.size()) return;
    for (const Bound& bound : bounds_) bound.gate->retarget(key, parameter, value, frame, ramp_frames);
}

bool GateBounds::agree(const AudioThreadKey& key, const AudioReadView& input, std::uint64_t frame, float error) {
    for (const bool highest : {false, true}) {
        for (std::uint32_t channel = 0; channel < input.channel_count(); ++channel) {
            std::ranges::transform(input.channel(channel), level_.write().channel(channel).begin(), [&](float sample) {
                return highest ? std::abs(sample) + error : std::max(std::abs(sample) - error, 0.0F);
            });
        }
        run(key, bounds_.at(highest ? 1 : 0), frame);
    }
    return std::ranges::equal(bounds_[0].gain.read().channel(0), bounds_[1].gain.read().channel(0));
}

void GateBounds::run(const AudioThreadKey& key, Bound& bound, std::uint64_t frame) {
    const std::array inputs{ones_.read(), level_.read()};
    const std::array outputs{bound.gain.write()};
    ProcessContext context;
    context.inputs = inputs;
    context.outputs = outputs;
    context.frame = frame;
    context.frame_count = ones_.frame_count();
    bound.gate->run(key, *bound.gate->processor(), context, Crossfade{}, scratch_);
}

}  // namespace rta::test
