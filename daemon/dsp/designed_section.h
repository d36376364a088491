// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dsp/audio_view.h"
#include "dsp/section_design.h"
#include "rt/annotations.h"

namespace rta::dsp {

/// One second-order section for each of several channels, as a system that the caller computes. Stable under any
/// modulation if `advance` is that of a SectionDesign, as in BiquadCascade.
class DesignedSection {
 public:
    /// [control]
    explicit DesignedSection(std::uint32_t channel_count) : states_(channel_count) {}

    /// Sets the system for process(). [audio]
    void set(const StateSpace& system) RTA_NONBLOCKING { coefficients_ = section_coefficients(system); }
    /// Processes one block with the system of set(). Channel n of `out` may be channel n of `in`. [audio]
    void process(const AudioReadView& in, const AudioWriteView& out) RTA_NONBLOCKING;
    /// Processes one block with one system for each frame, in double. [audio]
    void process(std::span<const StateSpace> systems, const AudioReadView& in,
                 const AudioWriteView& out) RTA_NONBLOCKING;

 private:
    BiquadCoefficients coefficients_{};
    std::vector<BiquadState> states_;
};

}  // namespace rta::dsp
