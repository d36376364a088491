// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "text/error.h"

namespace rta::io {

/// Writes 24-bit FLAC files through libsndfile. May block; must not be called on the audio thread.
class FlacWriter {
 public:
    static constexpr std::uint32_t kMaximumChannels = 8;
    static constexpr std::uint32_t kMaximumSampleRateHz = 655'350;

    /// Creates or truncates `path`. UNAVAILABLE, naming the file, if that fails; INVALID_ARGUMENT if FLAC does not
    /// support the number of channels or the sample rate.
    [[nodiscard]] static Expected<FlacWriter> create(const std::string& path, std::uint32_t sample_rate_hz,
                                                     std::uint32_t channels);
    FlacWriter(FlacWriter&& other) noexcept;
    FlacWriter& operator=(FlacWriter&& other) noexcept;
    FlacWriter(const FlacWriter&) = delete;
    FlacWriter& operator=(const FlacWriter&) = delete;
    ~FlacWriter();

    /// Appends whole interleaved frames, which Quantizer24 converts. UNAVAILABLE if the write fails.
    [[nodiscard]] Expected<void> write(std::span<const float> interleaved);
    /// Writes the rest and closes the file. UNAVAILABLE if that fails.
    [[nodiscard]] Expected<void> close();

    /// Returns the number of samples that were beyond full scale.
    [[nodiscard]] std::uint64_t clipped_samples() const noexcept;

 private:
    class Impl;
    explicit FlacWriter(std::unique_ptr<Impl> impl);

    std::unique_ptr<Impl> impl_;
};

}  // namespace rta::io
