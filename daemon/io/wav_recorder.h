// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
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

/// Records blocks into a WAV file from an audio thread that never waits: the blocks cross a ring of several seconds to
/// a thread that writes them. A block for which there is no room is lost as a whole, counted and reported; silence
/// of the same length stands for it, so that what follows is where it belongs.
class WavRecorder {
 public:
    /// What the ring holds at least.
    static constexpr std::uint32_t kBufferSeconds = 5;

    /// UNAVAILABLE, naming the file, if it cannot be written. [control]
    [[nodiscard]] static Expected<std::unique_ptr<WavRecorder>> create(
        const std::string& path, std::uint32_t sample_rate_hz, std::uint32_t channels, std::uint32_t block_size,
        OlderRecording older = OlderRecording::overwritten);
    WavRecorder(const WavRecorder&) = delete;
    WavRecorder& operator=(const WavRecorder&) = delete;
    ~WavRecorder();

    /// [audio] `block` has the channels and the length that the recorder was made for.
    void record(const AudioReadView& block) RTA_NONBLOCKING;

    /// [any] Frames of silence that are in the file because the writing thread had fallen behind.
    [[nodiscard]] std::uint64_t lost_frames() const noexcept { return lost_frames_.load(std::memory_order_relaxed); }
    /// [control] What happened since the last call that the user should know.
    [[nodiscard]] std::optional<std::string> take_warning();
    /// [control] Writes what is still in the ring and closes the file: every block recorded before is in it. The audio
    /// thread must not record any more. Later calls do nothing.
    void finish();
    /// [control] After finish(): the file is not whole, as a warning has said.
    [[nodiscard]] bool failed() const noexcept { return failed_; }

 private:
    /// Blocks that were lost in a row.
    struct Gap {
        std::uint64_t before_block;  ///< the first that was recorded again, by its number in the ring
        std::uint64_t frames;
    };

    WavRecorder(WavWriter writer, std::string path, std::uint32_t sample_rate_hz, std::uint32_t channels,
                std::uint32_t block_size);
    void run(const std::stop_token& stop);
    void drain(std::vector<float>& batch);
    void write(std::vector<float>& batch);
    void write_silence(std::uint64_t frames);
    void lose(std::uint32_t frames) RTA_NONBLOCKING;
    void report(std::string sentence);

    const std::string path_;
    const std::uint32_t channels_;
    const std::uint32_t block_size_;

    SpscRing<float> ring_;
    RingSender<float> sender_;        ///< the audio thread's
    std::vector<float> interleaved_;  ///< the audio thread's: one block
    std::atomic<std::uint64_t> lost_frames_{0};
    SpscRing<Gap> gap_ring_;
    RingSender<Gap> gap_sender_;        ///< the audio thread's
    std::uint64_t blocks_sent_ = 0;     ///< the audio thread's
    std::uint64_t missing_frames_ = 0;  ///< the audio thread's until finish(): lost since the last block in the ring

    RingReceiver<float> receiver_;    ///< the writing thread's
    RingReceiver<Gap> gap_receiver_;  ///< the writing thread's
    std::optional<Gap> next_gap_;     ///< likewise
    std::uint64_t samples_read_ = 0;  ///< likewise
    WavWriter writer_;                ///< the writing thread's, until finish() has joined it
    bool failed_ = false;             ///< likewise

    std::mutex mutex_;
    std::string warning_;              ///< under mutex_: not taken yet
    std::uint64_t lost_reported_ = 0;  ///< [control]

    std::jthread thread_;
};

}  // namespace rta::io
