// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "media/frame_source.h"
#include "resources/frame_stream.h"
#include "text/error.h"

namespace rta::media {

/// What happened to a stream.
struct StreamReport {
    enum class Kind : std::uint8_t {
        dropouts,  ///< frames came too late: the reader played silence
        ended,     ///< the reader has played the last frame
        failed,    ///< the source cannot be read: the reader plays silence
    };
    Kind kind;
    std::string source;       ///< its name
    std::uint32_t count = 1;  ///< of dropouts, or of ends
    std::string reason = {};  ///< failed: a sentence
};

/// Reads sources ahead of the audio thread. Each stream has a thread of its own, so a source that hangs harms no other. The
/// audio thread wakes none of them: a further thread looks every few milliseconds which stream has room.
class StreamService {
 public:
    /// Receives reports, on a thread of the service. Must not throw.
    using OnReport = std::function<void(const StreamReport&)>;
    static constexpr std::uint32_t kMostStreams = 256;

    explicit StreamService(OnReport on_report);
    StreamService(const StreamService&) = delete;
    StreamService& operator=(const StreamService&) = delete;
    /// Ends the threads. One that still hangs in its source after a second is left behind, with what it uses.
    ~StreamService();

    struct Format {
        std::uint32_t frames;        ///< that the stream holds
        std::uint32_t ready_frames;  ///< see FrameStream
    };
    /// [worker] Opens a stream and fills it, on the calling thread, before the first frame is needed. Errors: those of the
    /// source; RESOURCE_EXHAUSTED if too many streams are open, or if no thread can be started.
    [[nodiscard]] Expected<ReadStream> open(std::unique_ptr<FrameSource> source, const Format& format);

    /// [audio, offline only] Waits until all streams are ready() or have failed, or the time is over. Returns whether they
    /// are.
    [[nodiscard]] bool wait_until_ready(std::chrono::milliseconds timeout);
    /// [any] Returns the first failure of a source that the audio thread may have reached.
    [[nodiscard]] std::optional<Error> failure() const;
    /// [any] Returns the number of streams whose threads run.
    [[nodiscard]] std::uint32_t stream_count() const;

 private:
    struct Stream;
    struct Shared;
    static void run_stream(const std::shared_ptr<Shared>& shared, const std::shared_ptr<Stream>& stream);
    static void watch(Shared& shared);

    std::shared_ptr<Shared> shared_;  ///< with the threads
    std::thread watcher_;             ///< runs from the first stream on
};

}  // namespace rta::media
