// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "media/media_folders.h"
#include "media/sound_cache.h"
#include "media/stream_service.h"
#include "resources/resources.h"
#include "text/error.h"

namespace rta::media {

/// The Resources of the daemon and of `rtad render`: audio files in the media folders, in every format of libsndfile (WAV, RF64,
/// W64, AIFF, FLAC, Ogg Vorbis, Opus, MP3). Another sample rate is converted with the best converter of libsamplerate;
/// see io::FileSource.
class MediaFiles final : public Resources {
 public:
    /// Length of a stream, in seconds: how long a disk may take to answer without a dropout.
    static constexpr double kStreamSeconds = 1.0;

    MediaFiles(MediaFolders folders, const SoundLimits& limits, StreamService::OnReport on_report);

    [[nodiscard]] Expected<std::shared_ptr<const SoundData>> load(std::string_view file,
                                                                  double sample_rate_hz) override;
    [[nodiscard]] Expected<ReadStream> open_read_stream(std::string_view file,
                                                        const ReadStreamRequest& request) override;

    /// [any] From now on, opening a stream that fails gives one that is silent, and reports the failure; or fails again.
    /// A saved graph whose files are missing, such as those of a disk that is not mounted yet, can then be restored.
    void tolerate_failures(bool tolerated) { tolerated_.store(tolerated, std::memory_order_relaxed); }

    /// [any]
    [[nodiscard]] StreamService& streams() { return streams_; }

 private:
    [[nodiscard]] Expected<ReadStream> try_open(std::string_view file, const ReadStreamRequest& request);

    MediaFolders folders_;
    SoundCache sounds_;
    StreamService::OnReport on_report_;
    std::atomic<bool> tolerated_{false};  ///< relaxed: orders no other data
    StreamService streams_;
};

}  // namespace rta::media
