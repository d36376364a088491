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

/// One parameter on its way to a new value.
struct ParameterTarget {
    NodeInstance* node;
    std::uint32_t parameter;
    float value;  ///< in the form that the processor is handed
    std::uint32_t ramp_frames;
};

/// The plan: a graph turned into a flat list of steps with every buffer in its place. Made and freed on the control
/// thread, borrowed by the Renderer; the audio thread walks it from front to back and looks nothing up.
class CompiledGraph {
 public:
    /// One connection of a port whose signal must be mixed.
    struct MixInput {
        AudioReadView source;
        ConnectionState* state;
        float target_gain;
        std::uint32_t fade_frames;
    };
    /// A connection that holds back what would come early, into buffers of its own, before it is mixed.
    struct DelayedInput {
        AudioReadView source;
        AudioWriteView destination;
        ConnectionState* state;
    };
    /// A port that has its own mixture: several connections, or one that is delayed or not at unity gain.
    struct PortMix {
        AudioWriteView destination;
        std::uint32_t first_input;  ///< in mix_inputs, sorted by the name of the source
        std::uint32_t input_count;
        /// In rested_factors: one for each input that does not go to zero gain. The channels of these inputs stand in
        /// rested_channels, those of the first channel of the destination before those of the second.
        std::uint32_t first_factor;
        std::uint32_t factor_count;
        std::uint32_t first_channel;
        /// All gains have arrived. Only plans send them anywhere, so they stay there for as long as this one plays.
        bool at_rest;
    };
    /// All that a block touches of the plan for a plain step: one line of the cache.
    struct alignas(kCacheLine) Step {
        // As ProcessContext has them: three copies of 16 bytes.
        std::span<const AudioReadView> inputs;
        std::span<const AudioWriteView> outputs;
        std::span<const ParameterView> parameters;
        Processor* processor;
        NodeInstance* node;
    };
    static_assert(sizeof(Step) == kCacheLine);

    /// What else there is to a step. Plain ones look at it in the plan's first block only.
    struct StepDetail {
        std::uint32_t first_mix;
        std::uint32_t mix_count;
        std::uint32_t first_delay;
        std::uint32_t delay_count;
        std::uint32_t first_target;
        std::uint32_t target_count;
        float presence;  ///< device sinks: 1 for a node of the graph, 0 for one that leaves
    };

    CompiledGraph() = default;
    CompiledGraph(const CompiledGraph&) = delete;
    CompiledGraph& operator=(const CompiledGraph&) = delete;

    /// [audio] Renders one block that begins at `frame`: device.outputs must hold the zeros that output nodes add to.
    /// Where `hunt` is set, looks for nodes that produce NaN or infinity and mutes them. Where `time` is set, some of
    /// the nodes are timed: other ones in every block, every one about once in kTimingRoundFrames.
    void render(const AudioThreadKey& key, const DeviceBlock& device, std::uint64_t frame, bool hunt,
                bool time = false) RTA_NONBLOCKING;
    /// 170 ms at 48 kHz. Reading the counter takes as long as a small node: so few are timed in a block that it does
    /// not matter.
    static constexpr std::uint32_t kTimingRoundFrames = 8192;

    /// [any] Parameter targets take effect in the first block; until it is rendered the plan must not be replaced.
    [[nodiscard]] bool carries_targets() const RTA_NONBLOCKING { return !targets_.empty(); }
    /// [any] Steps, in the order in which they run.
    [[nodiscard]] std::span<const Step> steps() const RTA_NONBLOCKING { return steps_; }
    /// [any] How long the plan's fades, and those that have not begun before it, wait for what fades in.
    [[nodiscard]] const Silence& fade_wait() const RTA_NONBLOCKING { return fade_wait_; }
    /// [control] Of what each node puts out, in the order of the request; empty where nothing holds sound back.
    [[nodiscard]] std::span<const Silence> silences() const { return silences_; }
    /// [any] Scratch channels of one block each that the plan needs.
    [[nodiscard]] std::uint32_t buffer_count() const RTA_NONBLOCKING { return buffer_count_; }

 private:
    friend class PlanCompiler;
    static void delay(const DelayedInput& input, std::uint64_t frame, bool hunt) RTA_NONBLOCKING;
    [[nodiscard]] std::uint32_t silent_frames(std::size_t index, std::uint64_t frame) const RTA_NONBLOCKING {
        return arrivals_.empty() ? 0 : static_cast<std::uint32_t>(arrivals_[index].end(frame) - frame);
    }
    [[nodiscard]] std::uint64_t fade_start(std::uint64_t frame) const RTA_NONBLOCKING {
        // Nothing has been heard before frame 0, so there is nothing to fade from.
        return frame == 0 ? frame : fade_wait_.end(frame);
    }
    void mix(PortMix& port, std::uint64_t frame) RTA_NONBLOCKING;
    [[nodiscard]] bool mix_ramped(const PortMix& port, std::uint64_t frame) RTA_NONBLOCKING;
    void mix_rested(const PortMix& port) const RTA_NONBLOCKING;
    void run(const AudioThreadKey& key, std::size_t begin, std::size_t end, ProcessContext& context) RTA_NONBLOCKING;
    void run_timing_some(const AudioThreadKey& key, ProcessContext& context) RTA_NONBLOCKING;
    void run_plain(const AudioThreadKey& key, std::span<const Step> steps, ProcessContext& context) RTA_NONBLOCKING;
    void run_carefully(const AudioThreadKey& key, std::size_t index, ProcessContext& context,
                       bool hunt) RTA_NONBLOCKING;
    void aim(const AudioThreadKey& key, NodeInstance& node, const StepDetail& detail,
             std::uint64_t frame) RTA_NONBLOCKING;

    static void blame(const AudioThreadKey& key, NodeInstance& node, const ProcessContext& context) RTA_NONBLOCKING;

    std::uint32_t block_size_ = 0;
    std::uint32_t device_fade_frames_ = 0;
    Silence fade_wait_;
    std::uint32_t buffer_count_ = 0;
    bool rendered_ = false;  ///< audio thread only

    std::vector<Step> steps_;
    std::vector<StepDetail> details_;       ///< of each step
    std::vector<std::uint32_t> not_plain_;  ///< indices of steps with mixtures and of device sinks, growing
    std::vector<DelayedInput> delays_;
    std::vector<PortMix> mixes_;
    std::vector<MixInput> mix_inputs_;
    std::vector<float> rested_factors_;
    std::vector<const float*> rested_channels_;
    std::vector<AudioReadView> input_views_;
    std::vector<AudioWriteView> output_views_;
    std::vector<ParameterTarget> targets_;  ///< those of one step stand together

    AudioBuffer scratch_;                               ///< buffer_count x block_size
    AudioBuffer silence_;                               ///< 1 x block_size of zeros that nobody writes
    std::vector<float> node_scratch_;                   ///< what the neediest node asks for; one block at least
    std::vector<const float*> read_channels_;           ///< what input views point to
    std::vector<float*> write_channels_;                ///< what output views point to
    std::vector<std::shared_ptr<NodeInstance>> nodes_;  ///< keeps what the steps borrow alive
    std::vector<std::shared_ptr<ConnectionState>> connections_;
    std::vector<Silence> silences_;
    std::vector<Silence> arrivals_;  ///< of what comes into each step; empty where nothing holds sound back
};

}  // namespace rta
