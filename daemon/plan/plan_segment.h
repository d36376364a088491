// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "dsp/audio_view.h"
#include "dsp/gliding_delay.h"
#include "graph/port_tap.h"
#include "plan/crossfade.h"
#include "plan/node_instance.h"
#include "plan/segment_source.h"
#include "rt/audio_thread.h"
#include "rt/cache_line.h"

namespace rta {

/// Silences the channels with a sample that is NaN or infinite, and no others. Returns whether there were any. [audio]
[[nodiscard]] bool silence_if_not_finite(const AudioWriteView& view) RTA_NONBLOCKING;

/// What all segments of a plan have in common while a block is rendered.
struct PlanBlock {
    const AudioThreadKey& key;
    ProcessContext& context;
    const Crossfade& crossfade;
    std::span<const float> progress;  ///< of the round, while it is not at rest
    std::span<float> scratch;         ///< at least two blocks
    bool is_first;                    ///< of the plan
    bool find_faults;                 ///< find and mute nodes that produce NaN or infinity
};

/// How far ahead nodes and processors are prefetched. The CPU predicts reads of the steps, which are in order, but not
/// of the objects that they point to. Measurements: docs/decisions/0004-kernels.md.
inline constexpr std::ptrdiff_t kPrefetchSteps = 6;

/// A part of a plan: a flat list of steps with all buffers assigned. Built and freed on the control thread. Plans in
/// which the same nodes and connections are in the same state share it; see compile(). The audio thread walks it from
/// front to back, without look-ups.
class PlanSegment {
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

    explicit PlanSegment(SegmentSource source) : source_{std::move(source)} {}
    PlanSegment(const PlanSegment&) = delete;
    PlanSegment& operator=(const PlanSegment&) = delete;

    /// [audio] Runs the steps from `begin` to `end`.
    void run(const PlanBlock& block, std::size_t begin, std::size_t end) RTA_NONBLOCKING;
    /// [audio] The same, and measures the time of each step, or finds faults.
    void run_each(const PlanBlock& block, std::size_t begin, std::size_t end, bool timed) RTA_NONBLOCKING;
    /// [any] Returns the steps in the order in which they run. Nodes whose outputs are views of their inputs have none.
    [[nodiscard]] std::span<const Step> steps() const RTA_NONBLOCKING { return steps_; }
    /// [any] Returns the number of buffers that only this segment uses while it runs.
    [[nodiscard]] std::uint32_t buffer_count() const { return buffer_count_; }
    /// [any] Returns the number of floats that a node needs as scratch.
    [[nodiscard]] std::size_t scratch_frames() const { return scratch_frames_; }
    /// [control] Returns what it was compiled from.
    [[nodiscard]] const SegmentSource& source() const { return source_; }

 private:
    friend class SegmentCompiler;
    void delay(const PlanBlock& block, const DelayedInput& input) const RTA_NONBLOCKING;
    void start_mixes(const PlanBlock& block, const StepDetail& detail) RTA_NONBLOCKING;
    void mix(const PlanBlock& block, PortMix& port) RTA_NONBLOCKING;
    [[nodiscard]] bool mix_ramped(const PlanBlock& block, const PortMix& port) RTA_NONBLOCKING;
    void mix_rested(const PortMix& port) const RTA_NONBLOCKING;
    void run_plain(const PlanBlock& block, std::span<const Step> steps) RTA_NONBLOCKING;
    void run_full(const PlanBlock& block, std::size_t index) RTA_NONBLOCKING;

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
    std::vector<const float*> read_channels_;  ///< targets of the input views
    std::vector<float*> write_channels_;       ///< targets of the output views
    std::uint32_t buffer_count_ = 0;
    std::size_t scratch_frames_ = 0;
    SegmentSource source_;
};

}  // namespace rta
