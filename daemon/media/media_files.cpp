// SPDX-License-Identifier: MIT
#include "media/media_files.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "media/file_frames.h"
#include "resources/frame_stream.h"
#include "text/quoting.h"

namespace rta::media {

MediaFiles::MediaFiles(MediaFolders folders, const SoundLimits& limits, StreamService::OnReport on_report)
    : folders_{std::move(folders)}, sounds_{limits}, on_report_{on_report}, streams_{std::move(on_report)} {}

Expected<std::shared_ptr<const SoundData>> MediaFiles::load(std::string_view file, double sample_rate_hz) {
    auto opened = folders_.open_to_read(file);
    if (!opened) return std::unexpected(std::move(opened.error()));
    return sounds_.load(std::move(*opened), std::string{file}, sample_rate_hz);
}

Expected<ReadStream> MediaFiles::open_read_stream(std::string_view file, const ReadStreamRequest& request) {
    auto stream = try_open(file, request);
    if (stream || !tolerated_.load(std::memory_order_relaxed)) return stream;
    on_report_({.kind = StreamReport::Kind::failed,
                .source = std::string{file},
                .reason = stream.error().sentence + "; its node is silent"});
    auto silent = std::make_shared<FrameStream>(1, 1, 1);
    silent->end();
    return ReadStream{std::move(silent)};
}

Expected<ReadStream> MediaFiles::try_open(std::string_view file, const ReadStreamRequest& request) {
    auto opened = folders_.open_to_read(file);
    if (!opened) return std::unexpected(std::move(opened.error()));
    auto source = open_file_frames(std::move(*opened), std::string{file}, request.sample_rate_hz, request.repeat);
    if (!source) return std::unexpected(std::move(source.error()));
    if (const std::uint32_t channels = (*source)->channels(); channels != 1 && channels != request.channels) {
        return fail(ErrorCode::failed_precondition,
                    "the file " + quoted(file) + " has " + std::to_string(channels) + " channels, but the node has " +
                        std::to_string(request.channels) + ": set its channels to " + std::to_string(channels));
    }
    // Four times what the reader needs before it starts: a seek must not fill the whole stream first.
    const auto frames =
        std::max(static_cast<std::uint32_t>(kStreamSeconds * request.sample_rate_hz), 4 * request.ready_frames);
    return streams_.open(std::move(*source), {.frames = frames, .ready_frames = request.ready_frames});
}

}  // namespace rta::media
