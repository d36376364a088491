// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>

#include "dsp/audio_view.h"
#include "rt/annotations.h"

namespace rta {

class LevelTap;

/// A parameter during one block: at rest, or on a ramp that the engine has computed. Laws `amplitude` and `on_off` are
/// factors (see RampLaw); all others are in the parameter's own unit.
struct ParameterView {
    float value = 0.0F;           ///< at rest: the value; on a ramp: its target
    const float* ramp = nullptr;  ///< nullptr at rest, otherwise one value for each frame

    [[nodiscard]] bool at_rest() const RTA_NONBLOCKING { return ramp == nullptr; }
    [[nodiscard]] float operator[](std::uint32_t frame) const RTA_NONBLOCKING {
        return ramp == nullptr ? value : ramp[frame];
    }
};

/// The channels of the device in the current block, planar, used by `input` and `output` nodes. Only channels that the
/// device has are present: channel counts may be 0.
struct DeviceBlock {
    AudioReadView inputs;    ///< captured by the device
    AudioWriteView outputs;  ///< zero at the start of the block; `output` nodes add to it
};

/// Everything that a processor may access in one block. All views hold `frame_count` frames.
struct ProcessContext {
    std::span<const AudioReadView> inputs;  ///< one view for each port; unconnected ports are silent
    std::span<const AudioWriteView>
        outputs;  ///< one view for each port; for in-place types possibly outputs[0] == inputs[0]
    std::span<const ParameterView> parameters;  ///< in the order of the type's table
    std::uint64_t frame = 0;                    ///< the engine's clock at the start of the block
    std::uint32_t frame_count = 0;              ///< the block size: constant, a power of two from 16 to 1024
    DeviceBlock device;
    /// Device sinks only: a factor from 0 to 1 with which the engine fades the sink in or out.
    ParameterView presence;
};

/// The audio half of a node. Built and destroyed off the audio thread; in between only the audio thread calls it. A
/// processor cannot be reset: a new one replaces it.
class Processor {
 public:
    Processor() = default;
    Processor(const Processor&) = delete;
    Processor& operator=(const Processor&) = delete;
    virtual ~Processor() = default;

    /// [audio] Renders one block. Must write every sample of every output.
    virtual void process(const ProcessContext& context) RTA_NONBLOCKING = 0;

    /// [control] Returns the latency in frames, which never changes: look-ahead and linear-phase filters count, the
    /// delay that is a node's purpose does not.
    [[nodiscard]] virtual std::uint32_t latency_frames() const { return 0; }

    /// [any] Returns the tap in which the processor measures levels, or nullptr. Called once, after construction. The
    /// tap must live as long as the processor.
    [[nodiscard]] virtual LevelTap* level_tap() { return nullptr; }
};

}  // namespace rta
