// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "resources/frame_stream.h"
#include "resources/resources.h"

namespace rta::test {

/// Files in memory: every name is the same file. The test is the worker of the latest stream: it decides when frames arrive.
class FakeFiles final : public Resources {
 public:
    /// `samples`: interleaved. `stream_frames`: how many a stream holds.
    FakeFiles(std::vector<float> samples, std::uint32_t channels, std::uint32_t stream_frames)
        : samples_{std::move(samples)}, channels_{channels}, stream_frames_{stream_frames} {}

    Expected<std::shared_ptr<const SoundData>> load(std::string_view, double) override {
        return fail(ErrorCode::unimplemented, "no test loads a file");
    }
    Expected<ReadStream> open_read_stream(std::string_view, const ReadStreamRequest& request) override {
        if (!refusal.empty()) return fail(ErrorCode::not_found, std::string{refusal});
        stream_ = std::make_shared<FrameStream>(channels_, std::max(stream_frames_, request.ready_frames),
                                                request.ready_frames);
        next_ = 0;
        work();
        return ReadStream{stream_};
    }

    /// Does the work of the worker: follows a seek, and sends up to `frames` frames.
    void work(std::uint32_t frames = UINT32_MAX) {
        if (const auto seek = stream_->take_seek()) {
            next_ = std::min<std::size_t>(static_cast<std::size_t>(*seek) * channels_, samples_.size());
            stream_->start_at_seek();
        }
        const std::size_t room = std::size_t{std::min(frames, stream_->room())} * channels_;
        const std::size_t count = std::min(room, samples_.size() - next_);
        stream_->send(std::span{samples_}.subspan(next_, count));
        next_ += count;
        if (next_ == samples_.size()) stream_->end();
    }
    [[nodiscard]] FrameStream& stream() { return *stream_; }

    std::string_view refusal = {};  ///< if not empty, every file is refused

 private:
    std::vector<float> samples_;
    std::uint32_t channels_;
    std::uint32_t stream_frames_;
    std::shared_ptr<FrameStream> stream_;
    std::size_t next_ = 0;
};

}  // namespace rta::test
