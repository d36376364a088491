// SPDX-License-Identifier: MIT
#include "plan/compiled_graph.h"

#include <algorithm>

#include "rt/cycle_counter.h"

namespace rta {

void CompiledGraph::render(const AudioThreadKey& key, const DeviceBlock& device, std::uint64_t frame,
                           Crossfade& crossfade, const BlockOptions& options) RTA_NONBLOCKING {
    // Nothing was audible before frame 0, so there is nothing to fade from.
    if (!rendered_) crossfade.start(round_, frame, frame == 0 ? 0 : round_frames_);
    if (!crossfade.progress().at_rest(frame)) crossfade.progress().render(frame, progress_);
    ProcessContext context;
    context.frame = frame;
    context.frame_count = block_size_;
    context.device = device;
    const PlanBlock block{.key = key,
                          .context = context,
                          .crossfade = crossfade,
                          .progress = progress_,
                          .scratch = node_scratch_,
                          .is_first = !rendered_,
                          .find_faults = options.find_faults};
    if (options.find_faults) {
        for (const auto& segment : segments_) segment->run_each(block, 0, segment->steps().size(), false);
    } else if (options.time_nodes && kHasCycleCounter && rendered_) {
        run_timed(block);
    } else {
        run(block);
    }
    rendered_ = true;
}

void CompiledGraph::run(const PlanBlock& block) RTA_NONBLOCKING {
    for (std::size_t i = 0; i < segments_.size(); ++i) {
        prefetch(i);
        segments_[i]->run(block, 0, segments_[i]->steps().size());
    }
}

/// The CPU predicts reads inside a segment only. While a segment runs, the first steps of the second one after it are
/// prefetched, and what the first steps of the next one point to.
void CompiledGraph::prefetch(std::size_t segment) const RTA_NONBLOCKING {
    if (segment + 2 < segments_.size()) {
        for (const Step& step : first_steps_[segment + 2]) __builtin_prefetch(&step);
    }
    if (segment + 1 == segments_.size()) return;
    for (const Step& step : first_steps_[segment + 1]) {
        __builtin_prefetch(step.node);
        __builtin_prefetch(step.processor);
        __builtin_prefetch(step.inputs.data());
        __builtin_prefetch(step.outputs.data());
    }
}

/// Runs all steps, and times some of them; the next block times the following ones.
void CompiledGraph::run_timed(const PlanBlock& block) RTA_NONBLOCKING {
    constexpr std::size_t kFewest = 16;
    const std::size_t count = std::max(kFewest, step_count_ * block_size_ / kTimingRoundFrames + 1);
    const std::size_t rounds = (step_count_ + count - 1) / count;
    const std::size_t begin = rounds == 0 ? 0 : block.context.frame / block_size_ % rounds * count;
    std::size_t first = 0;  // step of the segment
    for (const auto& segment : segments_) {
        const std::size_t size = segment->steps().size();
        const std::size_t timed_begin = std::clamp(begin, first, first + size) - first;
        const std::size_t timed_end = std::clamp(begin + count, first, first + size) - first;
        segment->run(block, 0, timed_begin);
        segment->run_each(block, timed_begin, timed_end, true);
        segment->run(block, timed_end, size);
        first += size;
    }
}

}  // namespace rta
