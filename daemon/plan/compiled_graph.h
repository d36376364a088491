// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "plan/compile_request.h"
#include "plan/crossfade.h"
#include "plan/plan_segment.h"
#include "rt/audio_thread.h"

namespace rta {

class PlanBuffers;
struct PlanLayout;

/// The plan: a graph compiled to a list of segments with all buffers assigned. Created and freed on the control thread
/// and borrowed by the Renderer. The audio thread walks it from front to back, without look-ups.
class CompiledGraph {
 public:
    using Step = PlanSegment::Step;
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
    /// [any] Returns the segments in the order in which they run.
    [[nodiscard]] std::span<const std::shared_ptr<PlanSegment>> segments() const RTA_NONBLOCKING { return segments_; }
    /// [any] Returns the number of steps in all segments.
    [[nodiscard]] std::size_t step_count() const RTA_NONBLOCKING { return step_count_; }
    /// [any] Returns the number of buffers in use, of one block each.
    [[nodiscard]] std::size_t buffer_count() const { return buffer_count_; }

 private:
    friend class PlanCompiler;
    void run(const PlanBlock& block) RTA_NONBLOCKING;
    void prefetch(std::size_t segment) const RTA_NONBLOCKING;
    void run_timed(const PlanBlock& block) RTA_NONBLOCKING;

    std::uint32_t block_size_ = 0;
    std::uint32_t gain_fade_frames_ = 0;  ///< of the request
    std::uint64_t round_ = 0;
    std::uint32_t round_frames_ = 0;
    std::size_t buffer_count_ = 0;
    bool rendered_ = false;  ///< audio thread only

    std::shared_ptr<const PlanLayout> layout_;
    std::shared_ptr<PlanBuffers> buffers_;
    std::vector<std::shared_ptr<PlanSegment>> segments_;
    std::vector<std::span<const Step>> first_steps_;  ///< of each segment, to be prefetched
    std::size_t step_count_ = 0;
    std::vector<ParameterTarget> targets_;
    std::vector<float> progress_;      ///< of the round, while it is not at rest; one block
    std::vector<float> node_scratch_;  ///< shared by all nodes; at least two blocks
};

}  // namespace rta
