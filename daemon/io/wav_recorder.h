// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "dsp/audio_view.h"
#include "io/wav_file.h"
#include "rt/annotations.h"
#include "rt/spsc_ring.h"
#include "text/error.h"

namespace rta::io {

/// Records blocks into a WAV file without blocking the audio thread: blocks pass through a ring that holds several
/// seconds to a thread that writes them. If the ring is full, a block is dropped as a whole, counted and reported;
/// silence of the same length replaces it in the file, so that later audio keeps its position.
class WavRecorder {
 public:
    /// Minimum capacity of the ring.
    static constexpr std::uint32_t kBufferSeconds = 5;

    /// UNAVAILABLE, naming the file, if it cannot be written. [control]
    [[nodiscard]] static Expected<std::unique_ptr<WavRecorder>> create(
        const std::string& path, std::uint32_t sample_rate_hz, std::uint32_t channels, std::uint32_t block_size,
        ExistingFile existing_file = ExistingFile::overwrite);
    WavRecorder(const WavRecorder&) = delete;
    WavRecorder& operator=(const WavRecorder&) = delete;
    ~WavRecorder();

    /// `block` must have the channel count and length given to create(). [audio]
    void record(const AudioReadView& block) RTA_NONBLOCKING;

    /// Returns the number of frames that were dropped because the writer thread had fallen behind. [any]
    [[nodiscard]] std::uint64_t dropped_frames() const noexcept {
        return dropped_frames_.load(std::memory_order_relaxed);
    }
    /// Returns a problem since the last call that the user should know of. [control]
    [[nodiscard]] std::optional<std::string> take_warning();
    /// Writes the rest of the ring and closes the file. The audio thread must have stopped recording. Later calls do
    /// nothing. [control]
    void finish();
    /// Returns true after finish() if the file is incomplete, as a warning has reported. [control]
    [[nodiscard]] bool failed() const noexcept { return failed_; }

 private:
    /// Consecutive dropped blocks.
    struct Gap {
        std::uint64_t before_block;  ///< index, in the ring, of the first block after the gap
        std::uint64_t frames;
    };

    WavRecorder(WavWriter writer, std::string path, std::uint32_t sample_rate_hz, std::uint32_t channels,
                std::uint32_t block_size);
    void run(const std::stop_token& stop);
    void drain(std::vector<float>& batch);
    void write(std::vector<float>& batch);
    void write_silence(std::uint64_t frames);
    void check(Expected<void> written);
    void drop(std::uint32_t frames) RTA_NONBLOCKING;
    void report(std::string sentence);

    const std::string path_;
    const std::uint32_t channels_;
    const std::uint32_t block_size_;

    SpscRing<float> ring_;
    RingSender<float> sender_;        ///< the audio thread's
    std::vector<float> interleaved_;  ///< the audio thread's: one block
    std::atomic<std::uint64_t> dropped_frames_{0};
    SpscRing<Gap> gap_ring_;
    RingSender<Gap> gap_sender_;        ///< the audio thread's
    std::uint64_t blocks_sent_ = 0;     ///< the audio thread's
    std::uint64_t missing_frames_ = 0;  ///< the audio thread's until finish(): dropped since the last block in the ring

    RingReceiver<float> receiver_;                          ///< the writer thread's
    RingReceiver<Gap> gap_receiver_;                        ///< the writer thread's
    std::optional<Gap> next_gap_;                           ///< also the writer thread's
    std::uint64_t samples_read_ = 0;                        ///< also the writer thread's
    WavWriter writer_;                                      ///< the writer thread's until finish() has joined it
    bool failed_ = false;                                   ///< also the writer thread's
    std::chrono::steady_clock::time_point header_written_;  ///< also the writer thread's

    std::mutex mutex_;
    std::string warning_;                 ///< under mutex_: not yet taken
    std::uint64_t dropped_reported_ = 0;  ///< [control]

    std::jthread thread_;
};

}  // namespace rta::io
