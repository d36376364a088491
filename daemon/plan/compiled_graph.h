// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dsp/audio_buffer.h"
#include "dsp/audio_view.h"
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
        std::uint32_t fade_frames;
    };
    /// A connection whose signal is delayed into separate buffers before it is mixed.
    struct DelayedInput {
        AudioReadView source;
        AudioWriteView destination;
        ConnectionState* state;
    };
    /// A port that needs a mix: several connections, or one that is delayed or not at unity gain.
    struct PortMix {
        AudioWriteView destination;
        std::uint32_t first_input;  ///< in mix_inputs, sorted by the name of the source
        std::uint32_t input_count;
        /// In rested_factors: one factor for each input with a target gain other than zero. The channels of these
        /// inputs are in rested_channels, those for the first channel of the destination before those for the second.
        std::uint32_t first_factor;
        std::uint32_t factor_count;
        std::uint32_t first_channel;
        /// All gains are at rest. Only a plan can change them, so they remain at rest while this plan is rendered.
        bool at_rest;
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

    /// The rest of a step. Plain steps read it in the first block of a plan only.
    struct StepDetail {
        std::uint32_t first_mix;
        std::uint32_t mix_count;
        std::uint32_t first_delay;
        std::uint32_t delay_count;
        std::uint32_t first_target;
        std::uint32_t target_count;
        float presence;  ///< device sinks: 1 for a node of the graph, 0 for a leaving one
    };

    /// What to do while rendering a block.
    struct BlockOptions {
        bool find_faults = false;  ///< find and mute nodes that produce NaN or infinity
        bool time_nodes = false;   ///< time some of the nodes: each about once in kTimingRoundFrames
    };

    CompiledGraph() = default;
    CompiledGraph(const CompiledGraph&) = delete;
    CompiledGraph& operator=(const CompiledGraph&) = delete;

    /// [audio] Renders one block that starts at `frame`. Output nodes add to device.outputs, so the caller must clear
    /// them.
    void render(const AudioThreadKey& key, const DeviceBlock& device, std::uint64_t frame,
                const BlockOptions& options) RTA_NONBLOCKING;
    /// 170 ms at 48 kHz. Reading the cycle counter takes as long as a small node, so only a few nodes are timed in a
    /// block.
    static constexpr std::uint32_t kTimingRoundFrames = 8192;

    /// [any] Returns whether the plan has parameter targets. They take effect in its first block; the plan must not be
    /// replaced before that.
    [[nodiscard]] bool carries_targets() const RTA_NONBLOCKING { return !targets_.empty(); }
    /// [any] Returns the steps in the order in which they run.
    [[nodiscard]] std::span<const Step> steps() const RTA_NONBLOCKING { return steps_; }
    /// [any] Returns the silence after which the fades of the plan start, and with them earlier fades that have not
    /// started yet: signals that fade in must have arrived.
    [[nodiscard]] const Silence& fade_wait() const RTA_NONBLOCKING { return fade_wait_; }
    /// [control] Returns the silence at the outputs of each node, in the order of the request; empty if nothing delays
    /// signals.
    [[nodiscard]] std::span<const Silence> silences() const { return silences_; }
    /// [any] Returns the number of scratch channels, of one block each.
    [[nodiscard]] std::uint32_t buffer_count() const RTA_NONBLOCKING { return buffer_count_; }

 private:
    friend class PlanCompiler;
    static void delay(const DelayedInput& input, std::uint64_t frame, bool find_faults) RTA_NONBLOCKING;
    [[nodiscard]] std::uint32_t silent_frames(std::size_t index, std::uint64_t frame) const RTA_NONBLOCKING {
        return arrivals_.empty() ? 0 : static_cast<std::uint32_t>(arrivals_[index].end(frame) - frame);
    }
    [[nodiscard]] std::uint64_t fade_start(std::uint64_t frame) const RTA_NONBLOCKING {
        // Nothing was audible before frame 0, so there is nothing to fade from.
        return frame == 0 ? frame : fade_wait_.end(frame);
    }
    void mix(PortMix& port, std::uint64_t frame) RTA_NONBLOCKING;
    [[nodiscard]] bool mix_ramped(const PortMix& port, std::uint64_t frame) RTA_NONBLOCKING;
    void mix_rested(const PortMix& port) const RTA_NONBLOCKING;
    void run(const AudioThreadKey& key, std::size_t begin, std::size_t end, ProcessContext& context) RTA_NONBLOCKING;
    void run_timed(const AudioThreadKey& key, ProcessContext& context) RTA_NONBLOCKING;
    void run_plain(const AudioThreadKey& key, std::span<const Step> steps, ProcessContext& context) RTA_NONBLOCKING;
    void run_full(const AudioThreadKey& key, std::size_t index, ProcessContext& context,
                  bool find_faults) RTA_NONBLOCKING;
    void run_node(const AudioThreadKey& key, const Step& step, ProcessContext& context) RTA_NONBLOCKING;
    void start_ramps(const AudioThreadKey& key, NodeInstance& node, const StepDetail& detail,
                     std::uint64_t frame) RTA_NONBLOCKING;

    static void mute_if_faulty(const AudioThreadKey& key, NodeInstance& node,
                               const ProcessContext& context) RTA_NONBLOCKING;

    std::uint32_t block_size_ = 0;
    std::uint32_t device_fade_frames_ = 0;
    Silence fade_wait_;
    std::uint32_t buffer_count_ = 0;
    bool rendered_ = false;  ///< audio thread only

    std::vector<Step> steps_;
    std::vector<StepDetail> details_;        ///< of each step
    std::vector<std::uint32_t> full_steps_;  ///< indices of steps with mixes and of device sinks, ascending
    std::vector<DelayedInput> delays_;
    std::vector<PortMix> mixes_;
    std::vector<MixInput> mix_inputs_;
    std::vector<float> rested_factors_;
    std::vector<const float*> rested_channels_;
    std::vector<AudioReadView> input_views_;
    std::vector<AudioWriteView> output_views_;
    std::vector<ParameterTarget> targets_;  ///< those of one step are adjacent

    AudioBuffer scratch_;                               ///< buffer_count x block_size
    AudioBuffer silence_;                               ///< 1 x block_size zeros, read-only
    std::vector<float> node_scratch_;                   ///< shared by all nodes; at least one block
    std::vector<const float*> read_channels_;           ///< targets of the input views
    std::vector<float*> write_channels_;                ///< targets of the output views
    std::vector<std::shared_ptr<NodeInstance>> nodes_;  ///< keeps the instances of the steps alive
    std::vector<std::shared_ptr<ConnectionState>> connections_;
    std::vector<Silence> silences_;
    std::vector<Silence> arrivals_;  ///< at the inputs of each step; empty if nothing delays signals
};

}  // namespace rta
