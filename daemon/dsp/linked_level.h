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
/// Recognition Letters 13(7), 1992: values come in groups of `length`. The window is the end of one group and the
/// beginning of the next; the largest of the beginning is kept as values come, those of all ends of a group are worked
/// out when it is complete.
class SlidingMaximum {
 public:
    /// `length` > 0. [control]
    explicit SlidingMaximum(std::uint32_t length) : ends_(length + std::size_t{1}) {}

    /// Each value becomes the largest of the latest. [audio]
    void process(std::span<float> values) RTA_NONBLOCKING {
        const std::size_t length = ends_.size() - 1;
        while (!values.empty()) {
            const std::size_t run = std::min(values.size(), length - place_);
            take(values.first(run));
            values = values.subspan(run);
            place_ += run;
            if (place_ == length) complete();
        }
    }

    /// [audio]
    void reset() RTA_NONBLOCKING {
        std::ranges::fill(ends_, 0.0F);
        beginning_ = 0.0F;
        place_ = 0;
    }

 private:
    /// Values of one group.
    void take(std::span<float> values) RTA_NONBLOCKING {
        float* const ends = ends_.data() + place_;
        float beginning = beginning_;
        for (std::size_t i = 0; i < values.size(); ++i) {
            const float value = values[i];
            ends[i] = value;
            beginning = std::max(beginning, value);
            values[i] = std::max(beginning, ends[i + 1]);
        }
        beginning_ = beginning;
    }

    void complete() RTA_NONBLOCKING {
        for (std::size_t i = ends_.size() - 2; i > 0; --i) ends_[i - 1] = std::max(ends_[i - 1], ends_[i]);
        beginning_ = 0.0F;
        place_ = 0;
    }

    /// Values of this group; from place_ on the largest of the last group from there on, and 0 at its end.
    std::vector<float> ends_;
    float beginning_ = 0.0F;
    std::size_t place_ = 0;
};

}  // namespace rta::dsp
