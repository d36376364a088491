// SPDX-License-Identifier: MIT
#include "media/file_frames.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "io/file_source.h"
#include "io/sound_reader.h"

namespace rta::media {
namespace {

class FileFrames final : public FrameSource {
 public:
    FileFrames(io::FileSource source, std::string name) : source_{std::move(source)}, name_{std::move(name)} {}

    [[nodiscard]] const std::string& name() const override { return name_; }
    [[nodiscard]] std::uint32_t channels() const override { return source_.channels(); }
    [[nodiscard]] Expected<std::size_t> read(std::span<float> interleaved) override {
        const std::size_t room = interleaved.size() / source_.channels();
        const auto frames = source_.read(interleaved);
        if (frames) silence_non_finite(interleaved.first(*frames * source_.channels()));
        // What precedes the end of a file that is cut off is played first: the next call reports it.
        if (!frames || *frames == room || *frames != 0 || !source_.ended_early()) return frames;
        return fail(ErrorCode::unavailable,
                    "the sound file " + name_ +
                        " ends before the frames that its header declares: it is cut off, or has "
                        "become shorter");
    }
    [[nodiscard]] Expected<void> seek(std::uint64_t frame) override { return source_.seek(frame); }

 private:
    io::FileSource source_;
    std::string name_;
};

}  // namespace

void silence_non_finite(std::span<float> samples) {
    std::ranges::replace_if(samples, [](float sample) { return !std::isfinite(sample); }, 0.0F);
}

Expected<std::unique_ptr<FrameSource>> open_file_frames(os::UniqueFd file, std::string name, double sample_rate_hz,
                                                        bool repeat) {
    auto reader = io::SoundReader::open(std::move(file), name);
    if (!reader) return std::unexpected(std::move(reader.error()));
    auto source = io::FileSource::open(std::move(*reader), static_cast<std::uint32_t>(std::lround(sample_rate_hz)),
                                       repeat ? io::FileSource::AtEnd::repeat : io::FileSource::AtEnd::stop);
    if (!source) return std::unexpected(std::move(source.error()));
    return std::make_unique<FileFrames>(std::move(*source), std::move(name));
}

}  // namespace rta::media
