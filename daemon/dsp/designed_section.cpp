// SPDX-License-Identifier: MIT
#include "dsp/designed_section.h"

#include <cstddef>

namespace rta::dsp {

void DesignedSection::process(const AudioReadView& in, const AudioWriteView& out) RTA_NONBLOCKING {
    for (std::uint32_t channel = 0; channel < out.channel_count(); ++channel) {
        filter_kernels().run(&coefficients_, &states_[channel], 1, in.channel(channel).data(),
                             out.channel(channel).data(), out.frame_count());
    }
}

void DesignedSection::process(std::span<const StateSpace> systems, const AudioReadView& in,
                              const AudioWriteView& out) RTA_NONBLOCKING {
    for (std::uint32_t channel = 0; channel < out.channel_count(); ++channel) {
        const std::span<const float> from = in.channel(channel);
        const std::span<float> to = out.channel(channel);
        auto s1 = static_cast<double>(states_[channel].s1);
        auto s2 = static_cast<double>(states_[channel].s2);
        for (std::size_t frame = 0; frame < systems.size(); ++frame) {
            const StateSpace& system = systems[frame];
            const auto x = static_cast<double>(from[frame]);
            to[frame] = static_cast<float>(system.through * x + (system.from[0] * s1 + system.from[1] * s2));
            const double next = system.advance[0] * s1 + system.advance[1] * s2 + system.into[0] * x;
            s2 = system.advance[2] * s1 + system.advance[3] * s2 + system.into[1] * x;
            s1 = next;
        }
        states_[channel] = {flushed_state(static_cast<float>(s1)), flushed_state(static_cast<float>(s2))};
    }
}

}  // namespace rta::dsp
