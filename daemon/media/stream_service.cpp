// SPDX-License-Identifier: MIT
#include "media/stream_service.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <system_error>
#include <utility>
#include <vector>

namespace rta::media {
namespace {

using std::chrono::milliseconds;

/// Frames that are read at once: between two of them, a stream follows seeks and ends.
constexpr std::uint32_t kStepFrames = 4096;
/// How often the watcher looks at the streams.
constexpr milliseconds kWatchInterval{5};
/// How long the end of the service waits for threads that read.
constexpr milliseconds kEndTimeout{1000};

}  // namespace

struct StreamService::Stream {
    Stream(std::unique_ptr<FrameSource> source_in, const Format& format)
        : source{std::move(source_in)},
          frames{std::make_shared<FrameStream>(source->channels(), format.frames, format.ready_frames)},
          piece(std::size_t{kStepFrames} * source->channels()) {}

    /// [its thread] Does one step. Returns whether another one may follow immediately.
    [[nodiscard]] Expected<bool> step() {
        if (const auto frame = frames->take_seek()) {
            ended = false;
            auto sought = source->seek(*frame);
            frames->start_at_seek();
            if (!sought) return std::unexpected(std::move(sought.error()));
        }
        const std::uint32_t room = std::min(frames->room(), kStepFrames);
        if (ended || room == 0) return false;
        const auto read = source->read(std::span{piece}.first(std::size_t{room} * source->channels()));
        if (!read) return std::unexpected(read.error());
        frames->send(std::span{piece}.first(*read * source->channels()));
        if (*read < room) finish();
        return !ended;
    }

    /// [its thread] Ends the frames of the latest seek, at the end of the source or after an error.
    void finish() {
        ended = true;
        frames->end();
    }

    const std::unique_ptr<FrameSource> source;
    const std::shared_ptr<FrameStream> frames;
    std::vector<float> piece;
    bool ended = false;

    std::condition_variable wake;
    // Under Shared::mutex.
    bool woken = false;
    std::optional<Error> error{};
    bool error_reported = false;
    std::uint32_t dropouts_reported = 0;
    std::uint32_t ends_reported = 0;
};

struct StreamService::Shared {
    explicit Shared(OnReport on_report_in) : on_report{std::move(on_report_in)} {}

    void wake(Stream& stream) {
        stream.woken = true;
        stream.wake.notify_one();
    }
    /// Appends what has happened to the stream since the last call.
    static void take_reports(Stream& stream, std::vector<StreamReport>& reports) {
        const std::uint32_t dropouts = stream.frames->dropouts();
        const std::uint32_t ends = stream.frames->ends();
        const std::string& name = stream.source->name();
        if (const std::uint32_t count = dropouts - std::exchange(stream.dropouts_reported, dropouts); count != 0)
            reports.push_back({StreamReport::Kind::dropouts, name, count});
        if (const std::uint32_t count = ends - std::exchange(stream.ends_reported, ends); count != 0)
            reports.push_back({StreamReport::Kind::ended, name, count});
        if (stream.error && !std::exchange(stream.error_reported, true))
            reports.push_back({StreamReport::Kind::failed, name, 1, stream.error->sentence});
    }

    const OnReport on_report;
    std::atomic<bool> closing{false};  ///< relaxed where it is read without the mutex: it orders no other data
    std::mutex mutex;
    std::condition_variable watched;                 ///< a stream was added, or the service closes
    std::condition_variable progress;                ///< a stream has been read, or its thread has ended
    std::vector<std::shared_ptr<Stream>> streams{};  ///< under mutex: those with a thread
    std::optional<Error> failure{};                  ///< under mutex
};

StreamService::StreamService(OnReport on_report) : shared_{std::make_shared<Shared>(std::move(on_report))} {}

StreamService::~StreamService() {
    {
        const std::lock_guard lock{shared_->mutex};
        shared_->closing.store(true, std::memory_order_relaxed);
        for (const auto& stream : shared_->streams) shared_->wake(*stream);
    }
    shared_->watched.notify_one();
    if (watcher_.joinable()) watcher_.join();
    std::unique_lock lock{shared_->mutex};
    shared_->progress.wait_for(lock, kEndTimeout, [this] { return shared_->streams.empty(); });
}

Expected<ReadStream> StreamService::open(std::unique_ptr<FrameSource> source, const Format& format) {
    auto stream = std::make_shared<Stream>(std::move(source), format);
    // Bounded: each step fills a part of the ring, which only the audio thread empties.
    while (true) {
        const auto more = stream->step();
        if (!more) return std::unexpected(more.error());
        if (!*more) break;
    }
    const std::lock_guard lock{shared_->mutex};
    if (shared_->streams.size() >= kMostStreams) {
        return fail(ErrorCode::resource_exhausted, "cannot open " + stream->source->name() + ": " +
                                                       std::to_string(kMostStreams) +
                                                       " files are open, which is the limit");
    }
    try {
        if (!watcher_.joinable()) watcher_ = std::thread{[shared = shared_] { watch(*shared); }};
        shared_->streams.push_back(stream);
        std::thread{[shared = shared_, stream] { run_stream(shared, stream); }}.detach();
    } catch (const std::system_error& error) {
        std::erase(shared_->streams, stream);
        return fail(ErrorCode::resource_exhausted,
                    "cannot open " + stream->source->name() + ": no thread could be started: " + error.what());
    }
    shared_->watched.notify_one();
    return ReadStream{stream->frames};
}

void StreamService::run_stream(const std::shared_ptr<Shared>& shared, const std::shared_ptr<Stream>& stream) {
    pthread_setname_np(pthread_self(), "rtad-stream");
    std::unique_lock lock{shared->mutex};
    const auto is_over = [&] { return shared->closing.load(std::memory_order_relaxed) || stream->frames->abandoned(); };
    while (true) {
        stream->wake.wait(lock, [&] { return stream->woken; });
        stream->woken = false;
        if (is_over()) break;
        lock.unlock();
        Expected<bool> more = true;
        while (more && *more && !is_over()) more = stream->step();
        if (!more) stream->finish();
        lock.lock();
        if (!more && !stream->error) stream->error = more.error();
        if (!more && !shared->failure) shared->failure = std::move(more.error());
        shared->progress.notify_all();
    }
    std::erase(shared->streams, stream);
    shared->progress.notify_all();
}

void StreamService::watch(Shared& shared) {
    pthread_setname_np(pthread_self(), "rtad-streams");
    std::unique_lock lock{shared.mutex};
    const auto is_closing = [&] { return shared.closing.load(std::memory_order_relaxed); };
    while (!is_closing()) {
        if (shared.streams.empty())
            shared.watched.wait(lock, [&] { return is_closing() || !shared.streams.empty(); });
        else
            shared.watched.wait_for(lock, kWatchInterval);
        std::vector<StreamReport> reports;
        for (const auto& stream : shared.streams) {
            if (stream->frames->abandoned() || stream->frames->wants_worker()) shared.wake(*stream);
            Shared::take_reports(*stream, reports);
        }
        if (reports.empty()) continue;
        lock.unlock();
        for (const StreamReport& report : reports) shared.on_report(report);
        lock.lock();
    }
}

bool StreamService::wait_until_ready(std::chrono::milliseconds timeout) {
    std::unique_lock lock{shared_->mutex};
    const auto is_ready = [&] {
        bool ready = true;
        for (const auto& stream : shared_->streams) {
            if (stream->frames->abandoned() || stream->frames->state().ready) continue;
            shared_->wake(*stream);
            ready = false;
        }
        return ready;
    };
    return shared_->progress.wait_for(lock, timeout, is_ready);
}

std::optional<Error> StreamService::failure() const {
    const std::lock_guard lock{shared_->mutex};
    return shared_->failure;
}

std::uint32_t StreamService::stream_count() const {
    const std::lock_guard lock{shared_->mutex};
    return static_cast<std::uint32_t>(shared_->streams.size());
}

}  // namespace rta::media
