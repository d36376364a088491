// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "text/error.h"

namespace rta::media {

/// What a stream reads. One thread at a time. Every call may take long.
class FrameSource {
 public:
    FrameSource() = default;
    FrameSource(const FrameSource&) = delete;
    FrameSource& operator=(const FrameSource&) = delete;
    virtual ~FrameSource() = default;

    /// Returns the name for reports.
    [[nodiscard]] virtual const std::string& name() const = 0;
    [[nodiscard]] virtual std::uint32_t channels() const = 0;
    /// Reads whole interleaved frames until `interleaved` is full or the source ends. Returns the number of frames. After
    /// an error, the source is read again only after a seek.
    [[nodiscard]] virtual Expected<std::size_t> read(std::span<float> interleaved) = 0;
    /// Continues at a frame, counted at the rate of the engine; at the end if the source is shorter.
    [[nodiscard]] virtual Expected<void> seek(std::uint64_t frame) = 0;
};

}  // namespace rta::media
