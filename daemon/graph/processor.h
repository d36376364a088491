// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>

#include "dsp/audio_view.h"
#include "rt/annotations.h"

namespace rta {

class LevelTap;

/// A parameter during one block: at rest, or on a ramp that the engine has already computed, one value a frame.
/// Laws `amplitude` and `on_off` arrive as factors (see RampLaw), all others in the parameter's own unit.
struct ParameterView {
    float value = 0.0F;           ///< at rest: the value. On a ramp: where it arrives.
    const float* ramp = nullptr;  ///< nullptr at rest, else as many values as the block has frames

    [[nodiscard]] bool at_rest() const RTA_NONBLOCKING { return ramp == nullptr; }
    [[nodiscard]] float operator[](std::uint32_t frame) const RTA_NONBLOCKING {
        return ramp == nullptr ? value : ramp[frame];
    }
};

/// The device's channels of the current block, as `input` and `output` nodes see them. Channels that the device lacks
/// are not there: channel counts may be 0. Planar, every channel holds one block.
struct DeviceBlock {
    AudioReadView inputs;    ///< what the device captured
    AudioWriteView outputs;  ///< zero at the start of the block; every `output` adds to it
};

/// Everything a processor may touch in one block. All views hold exactly `frame_count` frames.
struct ProcessContext {
    std::span<const AudioReadView> inputs;      ///< one view a port, as wide as the port; unconnected ports are silent
    std::span<const AudioWriteView> outputs;    ///< one view a port. In-place types may find inputs[0] == outputs[0].
    std::span<const ParameterView> parameters;  ///< in the order of the type's table
    std::uint64_t frame = 0;                    ///< the engine's clock at the first frame of the block
    std::uint32_t frame_count = 0;              ///< the block size: always the same, a power of two from 16 to 1024
    /// For how long nothing comes out of what is before the node, because that is new too and holds sound back. Told in
    /// the first block of a plan only.
    std::uint32_t silent_frames = 0;
    DeviceBlock device;
    /// Sinks on the device only: 0 to 1 while the engine fades the sink in or out.
    ParameterView presence;
};

/// The audio half of a node. Built and destroyed on the control thread; in between only the audio thread touches it.
class Processor {
 public:
    Processor() = default;
    Processor(const Processor&) = delete;
    Processor& operator=(const Processor&) = delete;
    virtual ~Processor() = default;

    /// [audio] Writes every sample of every output, at every call.
    virtual void process(const ProcessContext& context) RTA_NONBLOCKING = 0;
    /// [audio] Back to the state of a fresh one.
    virtual void reset() RTA_NONBLOCKING = 0;

    /// [control] How much later the sound comes out than it went in, in frames: of look-ahead and of linear-phase
    /// filters, not the delay that is a node's purpose. Never changes.
    [[nodiscard]] virtual std::uint32_t latency_frames() const { return 0; }

    /// [control] Where it measures levels for clients; nullptr if it does not. Asked once, before the first plan that
    /// has it. The tap lives as long as the processor.
    [[nodiscard]] virtual LevelTap* level_tap() { return nullptr; }
};

}  // namespace rta
