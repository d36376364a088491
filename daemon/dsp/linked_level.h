// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dsp/audio_view.h"
#include "dsp/math.h"
#include "rt/annotations.h"

namespace rta::dsp {

/// Of each frame the magnitude of the loudest channel: what links the channels of a dynamics processor, so that the
/// image between them stands still. [any]
inline void linked_level(const AudioReadView& in, std::span<float> level) RTA_NONBLOCKING {
    const std::span<const float> first = in.channel(0);
    for (std::size_t n = 0; n < level.size(); ++n) level[n] = magnitude(first[n]);
    for (std::uint32_t channel = 1; channel < in.channel_count(); ++channel) {
        const std::span<const float> samples = in.channel(channel);
        for (std::size_t n = 0; n < level.size(); ++n) level[n] = std::max(level[n], magnitude(samples[n]));
    }
}

/// The largest of the latest `length` values, of values that are at least 0, with 0 before the first.
///
/// M. van Herk, "A fast algorithm for local minimum and maximum filters on rectangular and octagonal kernels", Pattern
/// Recognition Letters 13(7), 1992: values come in groups, and the window is the end of one group and the beginning of
/// another. The largest of the beginning is kept as values come; those of all ends of a group take a pass over it from
/// its back. Here groups are half as long as the window, so that a whole group lies between the two, and the pass over
/// that one is made while the next one comes, a step with each value: every value costs the same. Else processors that
/// were built together would all have their passes to make in the same block.
class SlidingMaximum {
 public:
    /// `length` > 0. [control]
    explicit SlidingMaximum(std::uint32_t length)
        : group_frames_{length / 2U}, odd_{length % 2U}, groups_(2 * (group_frames_ + 1)) {}

    /// Each value becomes the largest of the latest. [audio]
    void process(std::span<float> values) RTA_NONBLOCKING {
        if (group_frames_ == 0) return;  // a window of one
        while (!values.empty()) {
            const std::size_t run = std::min(values.size(), group_frames_ - place_);
            take(values.first(run));
            values = values.subspan(run);
            place_ += run;
            if (place_ == group_frames_) turn();
        }
    }

    /// [audio]
    void reset() RTA_NONBLOCKING {
        std::ranges::fill(groups_, 0.0F);
        beginning_ = 0.0F;
        between_ = 0.0F;
        end_ = 0.0F;
        place_ = 0;
    }

 private:
    /// Values of one group.
    void take(std::span<float> values) RTA_NONBLOCKING {
        float* const coming = groups_.data() + coming_ + place_;
        float* const last = groups_.data() + (group_frames_ + 1 - coming_) + (group_frames_ - 1 - place_);
        // A window of an odd length reaches back one value further than two groups do.
        const float* const ends = coming + 1 - odd_;
        float beginning = beginning_;
        float end = end_;
        for (std::size_t i = 0; i < values.size(); ++i) {
            const float value = values[i];
            beginning = std::max(beginning, value);
            values[i] = std::max(beginning, std::max(between_, ends[i]));
            coming[i] = value;
            float& from_back = *(last - i);
            end = std::max(end, from_back);
            from_back = end;
        }
        beginning_ = beginning;
        end_ = end;
    }

    /// A group is complete.
    void turn() RTA_NONBLOCKING {
        coming_ = group_frames_ + 1 - coming_;
        between_ = beginning_;
        beginning_ = 0.0F;
        end_ = 0.0F;
        place_ = 0;
    }

    std::size_t group_frames_;
    std::size_t odd_;
    /// Two groups, each with a 0 at its end. In the one that is coming: its values up to place_, from there on the
    /// largest of each end of the group before the last. In the other: the last group, of which as much from its back
    /// has become the largest of each end.
    std::vector<float> groups_;
    std::size_t coming_ = 0;  ///< where the group that is coming begins
    std::size_t place_ = 0;
    float beginning_ = 0.0F;  ///< the largest of the group that is coming
    float between_ = 0.0F;    ///< of the last group
    float end_ = 0.0F;        ///< of as much of it as the pass has come through
};

}  // namespace rta::dsp
