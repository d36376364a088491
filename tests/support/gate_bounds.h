// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dsp/audio_buffer.h"
#include "engine/config.h"
#include "plan/node_instance.h"
#include "rt/audio_thread.h"

namespace rta::test {

/// Finds out whether the level of a gate is so close to a threshold that rounding errors decide whether it opens. Runs
/// two more gates: one with the highest level that the errors allow, one with the lowest. A higher level never closes a
/// gate, so while both have the same gain, that is the gain for all levels in between. The gate must have a hard knee.
class GateBounds {
 public:
    GateBounds(const NodeInstance& gate, const EngineConfig& config);

    void start_with(std::span<const float> parameters);
    /// Bypass is ignored: it does not change the state of a gate.
    void retarget(const AudioThreadKey& key, std::uint32_t parameter, float value, std::uint64_t frame,
                  std::uint32_t ramp_frames);
    /// Renders one block. Returns whether the gain is the same for all inputs that differ from `input` by at most
    /// `error`.
    [[nodiscard]] bool agree(const AudioThreadKey& key, const AudioReadView& input, std::uint64_t frame, float error);

 private:
    struct Bound {
        std::shared_ptr<NodeInstance> gate;
        AudioBuffer gain;  ///< output for an input of 1
    };

    void run(const AudioThreadKey& key, Bound& bound, std::uint64_t frame);

    std::shared_ptr<const NodeDescription> description_;  ///< with a side chain
    AudioBuffer ones_;
    AudioBuffer level_;
    std::vector<float> scratch_;
    std::array<Bound, 2> bounds_;  ///< of the lowest and of the highest level
};

}  // namespace rta::test
