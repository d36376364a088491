// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "rt/annotations.h"
#include "rt/cache_line.h"
#include "rt/spsc_ring.h"

namespace rta {

/// Frames on their way from a worker that reads a file to the audio thread. Lock-free: neither side waits for the other.
///
/// A seek is a number that the audio thread increases. The worker repeats it after it has noted how many samples it had
/// sent before, so the audio thread knows which of them to discard.
class FrameStream {
 public:
    /// `frames`: how many the stream holds at least. `ready_frames`: how many make it ready(). [any]
    FrameStream(std::uint32_t channels, std::uint32_t frames, std::uint32_t ready_frames);
    FrameStream(const FrameStream&) = delete;
    FrameStream& operator=(const FrameStream&) = delete;
    ~FrameStream() = default;

    /// [any]
    [[nodiscard]] std::uint32_t channels() const RTA_NONBLOCKING { return channels_; }

    // --- The audio half: one thread at a time [audio]

    /// What can be read at this time.
    struct State {
        std::uint32_t frames = 0;  ///< 0 until the worker has followed the latest seek
        bool ended = false;        ///< none follow after these
        bool ready = false;        ///< at least the number that the constructor received, or ended
    };
    [[nodiscard]] State state() RTA_NONBLOCKING;
    /// Reads the next interleaved frames. Returns false, and reads nothing, if fewer are available.
    [[nodiscard]] bool read(std::span<float> interleaved) RTA_NONBLOCKING;
    /// Discards all frames; the next ones start at `frame`, counted at the rate of the engine.
    void seek(std::uint64_t frame) RTA_NONBLOCKING;
    /// Counts a gap: the frames came too late.
    void count_dropout() RTA_NONBLOCKING { dropouts_.fetch_add(1, std::memory_order_relaxed); }
    /// Counts that the end was reached.
    void count_end() RTA_NONBLOCKING { ends_.fetch_add(1, std::memory_order_relaxed); }

    // --- The worker's half: one thread at a time [worker]

    /// Returns where to seek, once for each seek that is not outdated. Call start_at_seek() next.
    [[nodiscard]] std::optional<std::uint64_t> take_seek();
    /// The frames sent from here on are those of the seek.
    void start_at_seek();
    /// Returns the number of frames that can be sent.
    [[nodiscard]] std::uint32_t room();
    /// Sends interleaved frames, at most room().
    void send(std::span<const float> interleaved);
    /// No frame follows until the next seek.
    void end();

    // --- [any]

    /// Whether the worker has something to do: a seek, or a quarter of the frames to send.
    [[nodiscard]] bool wants_worker() const;
    /// The reader is gone: the worker can end.
    void abandon() { abandoned_.store(true, std::memory_order_relaxed); }
    [[nodiscard]] bool abandoned() const { return abandoned_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::uint32_t dropouts() const { return dropouts_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::uint32_t ends() const { return ends_.load(std::memory_order_relaxed); }

 private:
    std::uint32_t channels_;
    std::uint32_t ready_frames_;
    SpscRing<float> ring_;
    RingSender<float> sender_;
    RingReceiver<float> receiver_;

    // Written by the audio thread.
    alignas(kCacheLine) std::uint64_t received_ = 0;  ///< samples
    std::atomic<std::uint64_t> wanted_{1};            ///< number of the latest seek
    std::atomic<std::uint64_t> seek_frame_{0};
    std::atomic<std::uint32_t> dropouts_{0};  ///< relaxed, as the next one: counters that order no other data
    std::atomic<std::uint32_t> ends_{0};
    // Written by the worker.
    alignas(kCacheLine) std::uint64_t sent_ = 0;  ///< samples
    std::uint64_t serving_ = 1;                   ///< the latest seek that it has taken
    std::atomic<std::uint64_t> served_{1};        ///< number of the seek that the samples follow
    std::atomic<std::uint64_t> start_{0};         ///< samples sent before those of that seek
    std::atomic<std::uint64_t> ended_{0};         ///< number of the seek whose frames are all sent
    std::atomic<bool> abandoned_{false};          ///< relaxed: orders no other data
};

/// The reader's end of a stream: movable, and abandons it when destroyed. Neither waits for the worker nor for the disk.
class ReadStream {
 public:
    ReadStream() = default;
    explicit ReadStream(std::shared_ptr<FrameStream> stream) : stream_{std::move(stream)} {}
    ReadStream(ReadStream&& other) noexcept : stream_{std::move(other.stream_)} {}
    ReadStream& operator=(ReadStream&&) = delete;
    ~ReadStream() {
        if (stream_ != nullptr) stream_->abandon();
    }

    /// Whether it owns a stream.
    [[nodiscard]] explicit operator bool() const RTA_NONBLOCKING { return stream_ != nullptr; }
    [[nodiscard]] FrameStream* operator->() const RTA_NONBLOCKING { return stream_.get(); }

 private:
    std::shared_ptr<FrameStream> stream_;
};

}  // namespace rta
