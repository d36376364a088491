// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dsp/audio_buffer.h"
#include "dsp/audio_view.h"
#include "dsp/gliding_delay.h"
#include "graph/port_tap.h"
#include "plan/crossfade.h"
#include "plan/node_instance.h"
#include "rt/audio_thread.h"
#include "rt/cache_line.h"

namespace rta {

/// Silences the channels with a sample that is NaN or infinite, and no others. Returns whether there were any. [audio]
[[nodiscard]] bool silence_if_not_finite(const AudioWriteView& view) RTA_NONBLOCKING;

/// A new value for one parameter, and the ramp to it.
struct ParameterTarget {
    NodeInstance* node;
    std::uint32_t parameter;
    float value;  ///< in the form that the processor receives
    std::uint32_t ramp_frames;
};

/// The plan: a graph compiled to a flat list of steps with all buffers assigned. Created and freed on the control
/// thread and borrowed by the Renderer. The audio thread walks it from front to back, without look-ups.
class CompiledGraph {
 public:
    /// One connection into a port whose signals must be mixed.
    struct MixInput {
        AudioReadView source;
        ConnectionState* state;
        float target_gain;
        std::uint32_t gain_fade_frames;
        std::uint32_t gain_wait_frames;  ///< before the gain starts to move
        float presence;                  ///< 1: in the target of the round, 0: not
        /// Presence and gain rest at their targets while this plan is rendered: the state is not read.
        bool at_rest;
    };
    /// A connection whose signal is delayed into separate buffers before it is mixed, by the delay of its state and
    /// then by `glide`; at least one of them is not nullptr.
    struct DelayedInput {
        AudioReadView source;
        AudioWriteView destination;
        ConnectionState* state;
        dsp::GlidingDelay* glide;
        std::uint32_t glide_frames;         ///< to which it glides
        std::uint32_t glide_length_frames;  ///< for how long
        std::uint64_t glide_order;          ///< see GlidingDelay::move_to()
    };
    /// A port that needs a mix: several connections, or one that is delayed or not at unity gain.
    struct PortMix {
        AudioWriteView destination;
        std::uint32_t first_input;  ///< in mix_inputs, sorted by the name of the source
        std::uint32_t input_count;
        /// In rested_factors: one factor for each input that is present with a gain other than zero. The channels of
        /// these inputs are in rested_channels, those for the first channel of the destination before those for the
        /// second.
        std::uint32_t first_factor;
        std::uint32_t factor_count;
        std::uint32_t first_channel;
        /// All gains and presences are at rest. Only a plan can change them, so they remain at rest while this plan is
        /// rendered.
        bool at_rest;
    };
    /// An output that is measured after its step.
    struct Tap {
        AudioReadView source;
        PortTap* tap;
    };
    /// The part of the plan that a block reads for a plain step: one cache line.
    struct alignas(kCacheLine) Step {
        // In the order of ProcessContext: three copies of 16 bytes.
        std::span<const AudioReadView> inputs;
        std::span<const AudioWriteView> outputs;
        std::span<const ParameterView> parameters;
        Processor* processor;
        NodeInstance* node;
    };
    static_assert(sizeof(Step) == kCacheLine);

    /// The rest of a step. Plain steps have none.
    struct StepDetail {
        std::uint32_t first_mix;
        std::uint32_t mix_count;
        std::uint32_t first_delay;
        std::uint32_t delay_count;
        std::uint32_t filling_count;  ///< delays that follow these, of the outputs: filled, and not heard yet
        std::uint32_t first_tap;
        std::uint32_t tap_count;
        float presence;  ///< device sinks: 1 if in the target of the round, 0 if not
    };

    /// Options for rendering a block.
    struct BlockOptions {
        bool find_faults = false;  ///< find and mute nodes that produce NaN or infinity
        bool time_nodes = false;   ///< time some of the nodes: each about once in kTimingRoundFrames
    };

    CompiledGraph() = default;
    CompiledGraph(const CompiledGraph&) = delete;
    CompiledGraph& operator=(const CompiledGraph&) = delete;

    /// [audio] Renders one block that starts at `frame`. Output nodes add to device.outputs, so the caller must clear
    /// them. Starts the round of the plan in `crossfade` unless an earlier plan has started it.
    void render(const AudioThreadKey& key, const DeviceBlock& device, std::uint64_t frame, Crossfade& crossfade,
                const BlockOptions& options) RTA_NONBLOCKING;
    /// 170 ms at 48 kHz. Reading the cycle counter takes as long as a small node, so only a few nodes are timed in a
    /// block.
    static constexpr std::uint32_t kTimingRoundFrames = 8192;

    /// [any] Returns the parameter targets, which take effect when the plan is adopted.
    [[nodiscard]] std::span<const ParameterTarget> targets() const RTA_NONBLOCKING { return targets_; }
    /// [any] Returns the steps in the order in which they run. Nodes whose outputs are views of their inputs have none.
    [[nodiscard]] std::span<const Step> steps() const RTA_NONBLOCKING { return steps_; }
    /// [any] Returns the number of scratch channels, of one block each.
    [[nodiscard]] std::uint32_t buffer_count() const RTA_NONBLOCKING { return buffer_count_; }

 private:
    friend class PlanCompiler;
    void delay(const DelayedInput& input, std::uint64_t frame, bool find_faults) const RTA_NONBLOCKING;
    void start_round(std::uint64_t frame, Crossfade& crossfade) RTA_NONBLOCKING;
    void start_mixes(const StepDetail& detail, std::uint64_t frame) RTA_NONBLOCKING;
    void mix(PortMix& port, std::uint64_t frame) RTA_NONBLOCKING;
    [[nodiscard]] bool mix_ramped(const PortMix& port, std::uint64_t frame) RTA_NONBLOCKING;
    [[nodiscard]] const float* factors_of(const MixInput& input, std::uint64_t frame) RTA_NONBLOCKING;
    void mix_rested(const PortMix& port) const RTA_NONBLOCKING;
    void run(const AudioThreadKey& key, std::size_t begin, std::size_t end, ProcessContext& context) RTA_NONBLOCKING;
    void run_timed(const AudioThreadKey& key, ProcessContext& context) RTA_NONBLOCKING;
    void run_plain(const AudioThreadKey& key, std::span<const Step> steps, ProcessContext& context) RTA_NONBLOCKING;
    void run_full(const AudioThreadKey& key, std::size_t index, ProcessContext& context,
                  bool find_faults) RTA_NONBLOCKING;
    void run_node(const AudioThreadKey& key, const Step& step, ProcessContext& context) RTA_NONBLOCKING;
    static void mute_if_faulty(const AudioThreadKey& key, NodeInstance& node,
                               const ProcessContext& context) RTA_NONBLOCKING;

    std::uint32_t block_size_ = 0;
    std::uint64_t round_ = 0;
    std::uint32_t round_frames_ = 0;
    const Crossfade* crossfade_ = nullptr;  ///< of the block being rendered
    std::uint32_t buffer_count_ = 0;
    bool rendered_ = false;  ///< audio thread only

    std::vector<Step> steps_;
    std::vector<StepDetail> details_;  ///< of each step
    /// Indices of steps with mixes, fillings or taps and of device sinks, ascending.
    std::vector<std::uint32_t> full_steps_;
    std::vector<DelayedInput> delays_;
    std::vector<PortMix> mixes_;
    std::vector<MixInput> mix_inputs_;
    std::vector<float> rested_factors_;
    std::vector<const float*> rested_channels_;
    std::vector<Tap> taps_;  ///< those of one step are adjacent
    std::vector<AudioReadView> input_views_;
    std::vector<AudioWriteView> output_views_;
    std::vector<ParameterTarget> targets_;

    AudioBuffer scratch_;                      ///< buffer_count x block_size
    AudioBuffer silence_;                      ///< 1 x block_size zeros, read-only
    std::vector<float> progress_;              ///< of the round, while it is not at rest; one block
    std::vector<float> node_scratch_;          ///< shared by all nodes; at least two blocks
    std::vector<const float*> read_channels_;  ///< targets of the input views
    std::vector<float*> write_channels_;       ///< targets of the output views
};

}  // namespace rta
