// SPDX-License-Identifier: MIT
#include <algorithm>
#include <memory>
#include <vector>

#include "resources/frame_stream.h"
#include "resources/resources.h"

namespace rta {
namespace {

/// More than the measurement of a load plays, which is 272 blocks of up to 1,024 frames.
constexpr std::uint32_t kFrames = std::uint32_t{1} << 19U;
/// Of wide streams, for which a measurement ends with silence.
constexpr std::uint32_t kMostSamples = std::uint32_t{1} << 22U;

class SilentFiles final : public Resources {
 public:
    Expected<std::shared_ptr<const SoundData>> load(std::string_view, double) override {
        auto sound = std::make_shared<SoundData>();
        sound->channels = 1;
        sound->frames = kFrames;
        sound->samples.resize(kFrames);
        return sound;
    }
    Expected<ReadStream> open_read_stream(std::string_view, const ReadStreamRequest& request) override {
        const std::uint32_t frames =
            std::max(std::min(kFrames, kMostSamples / request.channels), 2 * request.ready_frames);
        auto stream = std::make_shared<FrameStream>(request.channels, frames, request.ready_frames);
        stream->send(std::vector<float>(std::size_t{frames} * request.channels));
        return ReadStream{std::move(stream)};
    }
};

}  // namespace

Resources& silent_files() {
    static SilentFiles silent;
    return silent;
}

}  // namespace rta
