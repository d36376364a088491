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

/// Writes the magnitude of the loudest channel for each frame. Dynamics processors use it to link channels, so that the
/// stereo image does not shift. [any]
inline void linked_level(const AudioReadView& in, std::span<float> level) RTA_NONBLOCKING {
    const std::span<const float> first = in.channel(0);
    for (std::size_t n = 0; n < level.size(); ++n) level[n] = magnitude(first[n]);
    for (std::uint32_t channel = 1; channel < in.channel_count(); ++channel) {
        const std::span<const float> samples = in.channel(channel);
        for (std::size_t n = 0; n < level.size(); ++n) level[n] = std::max(level[n], magnitude(samples[n]));
    }
}

/// Maximum of the last `length` values. Values are at least 0; the values before the first are 0.
///
/// M. van Herk, "A fast algorithm for local minimum and maximum filters on rectangular and octagonal kernels", Pattern
/// Recognition Letters 13(7), 1992: values are processed in groups, and the window covers the end of one group and the
/// beginning of another. The maximum of the beginning is updated with each value; the maxima of all ends of a group
/// take a backward pass over it. Here a group is half as long as the window, so that a whole group lies between the
/// two. The pass over that group runs while the next group is filled, one step per value, so that every value costs the
/// same. Otherwise processors that were built together would all run their passes in the same block.
class SlidingMaximum {
 public:
    /// `length` > 0. [control]
    explicit SlidingMaximum(std::uint32_t length)
        : group_frames_{length / 2U}, odd_{length % 2U}, groups_(2 * (group_frames_ + 1)) {}

    /// Replaces each value by the maximum of the last `length` values. [audio]
    void process(std::span<float> values) RTA_NONBLOCKING {
        if (group_frames_ == 0) return;  // window of one value
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
    /// Processes values of one group.
    void take(std::span<float> values) RTA_NONBLOCKING {
        float* const coming = groups_.data() + coming_ + place_;
        float* const last = groups_.data() + (group_frames_ + 1 - coming_) + (group_frames_ - 1 - place_);
        // A window of odd length is one value longer than two groups.
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

    /// Starts the next group.
    void turn() RTA_NONBLOCKING {
        coming_ = group_frames_ + 1 - coming_;
        between_ = beginning_;
        beginning_ = 0.0F;
        end_ = 0.0F;
        place_ = 0;
    }

    std::size_t group_frames_;
    std::size_t odd_;
    /// Two groups, each with a 0 at its end. The current group: its values up to place_, then the maxima of the ends of
    /// the group before the last. The other: the last group, of which an equal part from its back has been replaced by
    /// the maxima of its ends.
    std::vector<float> groups_;
    std::size_t coming_ = 0;  ///< index of the current group in groups_
    std::size_t place_ = 0;
    float beginning_ = 0.0F;  ///< maximum of the current group
    float between_ = 0.0F;    ///< maximum of the last group
    float end_ = 0.0F;        ///< maximum of the part of the last group that the pass has covered
};

}  // namespace rta::dsp
