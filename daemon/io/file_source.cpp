// SPDX-License-Identifier: MIT
#include "io/file_source.h"

#include <samplerate.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "io/sound_reader.h"

namespace rta::io {
namespace {

/// Frames that the converter takes per call.
constexpr std::size_t kPieceFrames = 8192;
/// Largest ratio of two rates, up or down, that libsamplerate converts.
constexpr std::uint64_t kLargestRatio = 256;

struct FreeConverter {
    void operator()(SRC_STATE* state) const noexcept { src_delete(state); }
};
using Converter = std::unique_ptr<SRC_STATE, FreeConverter>;

[[nodiscard]] std::string hertz(std::uint64_t rate) { return std::to_string(rate) + " Hz"; }

}  // namespace

/// At one address, which the converter keeps.
class FileSource::Impl {
 public:
    Impl(SoundReader reader, std::string path, std::uint32_t sample_rate_hz)
        : reader_{std::move(reader)}, path_{std::move(path)}, sample_rate_hz_{sample_rate_hz} {}

    [[nodiscard]] Expected<void> prepare() {
        if (reader_.frames() == 0) {
            return fail(ErrorCode::invalid_argument,
                        path_ + " contains no samples: expected a file with at least one frame");
        }
        const std::uint64_t from = reader_.sample_rate_hz();
        const std::uint64_t to = sample_rate_hz_;
        if (from == to) return {};
        if (from == 0 || from > to * kLargestRatio || to > from * kLargestRatio) {
            return fail(ErrorCode::invalid_argument,
                        "the sound file " + path_ + " has a sample rate of " + hertz(from) +
                            ", which cannot be converted to " + hertz(to) + ": expected " +
                            hertz((to + kLargestRatio - 1) / kLargestRatio) + " to " + hertz(to * kLargestRatio));
        }
        const auto load = [](void* self, float** samples) noexcept { return static_cast<Impl*>(self)->load(samples); };
        int error = 0;
        converter_.reset(
            src_callback_new(load, SRC_SINC_BEST_QUALITY, static_cast<int>(reader_.channels()), &error, this));
        if (!converter_) {
            return fail(ErrorCode::invalid_argument,
                        "cannot convert the sample rate of " + path_ + ": " + src_strerror(error));
        }
        piece_.resize(kPieceFrames * reader_.channels());
        return {};
    }

    [[nodiscard]] std::uint32_t channels() const { return reader_.channels(); }

    [[nodiscard]] std::optional<std::uint64_t> frames() const {
        if (reader_.frames() >= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
            return std::nullopt;
        if (!converter_) return reader_.frames();
        return static_cast<std::uint64_t>(std::llround(static_cast<double>(reader_.frames()) * ratio()));
    }

    [[nodiscard]] std::vector<std::string> notices() const {
        std::vector<std::string> notices;
        if (!reader_.warning().empty()) notices.push_back("warning: " + reader_.warning());
        if (converter_) {
            notices.push_back(path_ + " is converted from " + hertz(reader_.sample_rate_hz()) + " to " +
                              hertz(sample_rate_hz_));
        }
        return notices;
    }

    [[nodiscard]] Expected<std::size_t> read(std::span<float> interleaved) {
        std::size_t done = 0;
        while (true) {
            const auto rest = interleaved.subspan(done * channels());
            if (rest.size() < channels()) return done;
            const auto frames = read_some(rest);
            if (!frames) return frames;
            if (*frames == 0) return done;
            done += *frames;
        }
    }

 private:
    [[nodiscard]] double ratio() const {
        return static_cast<double>(sample_rate_hz_) / static_cast<double>(reader_.sample_rate_hz());
    }

    [[nodiscard]] Expected<std::size_t> read_some(std::span<float> interleaved) {
        if (!converter_) return reader_.read(interleaved);
        const auto room = static_cast<long>(interleaved.size() / channels());
        const long frames = src_callback_read(converter_.get(), ratio(), room, interleaved.data());
        if (error_) return std::unexpected(*error_);
        if (const int error = src_error(converter_.get()); error != 0) {
            return fail(ErrorCode::internal, "cannot convert the sample rate of " + path_ + ": " + src_strerror(error));
        }
        return static_cast<std::size_t>(frames);
    }

    /// Gives the converter the next piece of the file. Returns the number of frames, 0 at the end.
    [[nodiscard]] long load(float** samples) noexcept {
        *samples = piece_.data();
        auto frames = reader_.read(piece_);
        if (frames) return static_cast<long>(*frames);
        error_ = std::move(frames.error());
        return 0;
    }

    SoundReader reader_;
    std::string path_;
    std::uint32_t sample_rate_hz_;
    Converter converter_;       ///< nullptr if the file has the rate of the engine
    std::vector<float> piece_;  ///< what the converter reads
    std::optional<Error> error_;
};

FileSource::FileSource(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
FileSource::FileSource(FileSource&& other) noexcept = default;
FileSource& FileSource::operator=(FileSource&& other) noexcept = default;
FileSource::~FileSource() = default;

Expected<FileSource> FileSource::open(const std::string& path, std::uint32_t sample_rate_hz) {
    auto reader = SoundReader::open(path);
    if (!reader) return std::unexpected(std::move(reader.error()));
    auto impl = std::make_unique<Impl>(std::move(*reader), path, sample_rate_hz);
    if (auto prepared = impl->prepare(); !prepared) return std::unexpected(std::move(prepared.error()));
    return FileSource{std::move(impl)};
}

std::uint32_t FileSource::channels() const noexcept { return impl_->channels(); }
std::optional<std::uint64_t> FileSource::frames() const noexcept { return impl_->frames(); }
std::vector<std::string> FileSource::notices() const { return impl_->notices(); }
Expected<std::size_t> FileSource::read(std::span<float> interleaved) { return impl_->read(interleaved); }

}  // namespace rta::io
