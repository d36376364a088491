// SPDX-License-Identifier: MIT
#include "io/file_source.h"

#include <samplerate.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace rta::io {
namespace {

/// Frames that the converter takes per call.
constexpr std::size_t kPieceFrames = 8192;
/// Largest ratio of two rates, up or down, that libsamplerate converts.
constexpr std::uint64_t kLargestRatio = 256;
/// Files that repeat are kept decoded if they have no more samples: otherwise, a file of one frame would be decoded again for
/// every frame that is played.
constexpr std::uint64_t kKeptSamples = std::uint64_t{1} << 16U;

struct FreeConverter {
    void operator()(SRC_STATE* state) const noexcept { src_delete(state); }
};
using Converter = std::unique_ptr<SRC_STATE, FreeConverter>;

[[nodiscard]] std::string hertz(std::uint64_t rate) { return std::to_string(rate) + " Hz"; }

}  // namespace

/// At one address, which the converter keeps.
class FileSource::Impl {
 public:
    Impl(SoundReader reader, std::uint32_t sample_rate_hz, AtEnd at_end)
        : reader_{std::move(reader)}, path_{reader_.name()}, sample_rate_hz_{sample_rate_hz}, at_end_{at_end} {}

    [[nodiscard]] Expected<void> prepare() {
        if (reader_.frames() == 0) {
            return fail(ErrorCode::invalid_argument,
                        path_ + " contains no samples: expected a file with at least one frame");
        }
        if (auto kept = keep_short(); !kept) return kept;
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

    [[nodiscard]] Expected<void> seek(std::uint64_t frame) {
        error_.reset();
        if (converter_) {
            const std::uint64_t from = reader_.sample_rate_hz();
            const std::uint64_t to = sample_rate_hz_;
            frame = frame / to * from + frame % to * from / to;  // frame * from could overflow
            src_reset(converter_.get());
        }
        if (at_end_ == AtEnd::repeat && reader_.frames() > 0) frame %= reader_.frames();
        if (kept_.empty()) return reader_.seek(frame);
        next_kept_ = static_cast<std::size_t>(frame) * channels();
        return {};
    }

    [[nodiscard]] bool ended_early() const { return frames().has_value() && reader_.position() < reader_.frames(); }

 private:
    [[nodiscard]] double ratio() const {
        return static_cast<double>(sample_rate_hz_) / static_cast<double>(reader_.sample_rate_hz());
    }

    [[nodiscard]] Expected<std::size_t> read_some(std::span<float> interleaved) {
        if (!converter_) return read_file(interleaved);
        const auto room = static_cast<long>(interleaved.size() / channels());
        const long frames = src_callback_read(converter_.get(), ratio(), room, interleaved.data());
        if (error_) return std::unexpected(*error_);
        if (const int error = src_error(converter_.get()); error != 0) {
            return fail(ErrorCode::internal, "cannot convert the sample rate of " + path_ + ": " + src_strerror(error));
        }
        return static_cast<std::size_t>(frames);
    }

    /// Reads a file that repeats into memory if it is short, and if it has as many frames as its header declares.
    [[nodiscard]] Expected<void> keep_short() {
        if (at_end_ != AtEnd::repeat || reader_.frames() > kKeptSamples / channels()) return {};
        std::vector<float> samples((static_cast<std::size_t>(reader_.frames()) + 1) * channels());
        std::size_t frames = 0;
        while (frames <= reader_.frames()) {
            const auto read = reader_.read(std::span{samples}.subspan(frames * channels()));
            if (!read) return std::unexpected(read.error());
            if (*read == 0) break;
            frames += *read;
        }
        if (frames == 0 || frames != reader_.frames()) return reader_.seek(0);
        samples.resize(frames * channels());
        kept_ = std::move(samples);
        return {};
    }

    /// Reads some frames at the rate of the file, across its end if it repeats. Returns 0 at the end.
    [[nodiscard]] Expected<std::size_t> read_file(std::span<float> interleaved) {
        if (!kept_.empty()) return read_kept(interleaved);
        auto frames = reader_.read(interleaved);
        if (!frames || *frames != 0 || at_end_ == AtEnd::stop || ended_early()) return frames;
        if (auto first = reader_.seek(0); !first) return std::unexpected(std::move(first.error()));
        return reader_.read(interleaved);
    }

    [[nodiscard]] std::size_t read_kept(std::span<float> interleaved) {
        if (next_kept_ == kept_.size()) next_kept_ = 0;
        const std::size_t whole = interleaved.size() / channels() * channels();
        const std::size_t samples = std::min(whole, kept_.size() - next_kept_);
        std::copy_n(kept_.begin() + static_cast<std::ptrdiff_t>(next_kept_), samples, interleaved.begin());
        next_kept_ += samples;
        return samples / channels();
    }

    /// Gives the converter the next piece of the file. Returns the number of frames, 0 at the end.
    [[nodiscard]] long load(float** samples) noexcept {
        *samples = piece_.data();
        auto frames = read_file(piece_);
        if (frames) return static_cast<long>(*frames);
        error_ = std::move(frames.error());
        return 0;
    }

    SoundReader reader_;
    std::string path_;
    std::uint32_t sample_rate_hz_;
    AtEnd at_end_;
    std::vector<float> kept_;    ///< the whole file, interleaved, if it is short and repeats
    std::size_t next_kept_ = 0;  ///< sample of kept_
    Converter converter_;        ///< nullptr if the file has the rate of the engine
    std::vector<float> piece_;   ///< what the converter reads
    std::optional<Error> error_;
};

FileSource::FileSource(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
FileSource::FileSource(FileSource&& other) noexcept = default;
FileSource& FileSource::operator=(FileSource&& other) noexcept = default;
FileSource::~FileSource() = default;

Expected<FileSource> FileSource::open(const std::string& path, std::uint32_t sample_rate_hz) {
    auto reader = SoundReader::open(path);
    if (!reader) return std::unexpected(std::move(reader.error()));
    return open(std::move(*reader), sample_rate_hz, AtEnd::stop);
}

Expected<FileSource> FileSource::open(SoundReader reader, std::uint32_t sample_rate_hz, AtEnd at_end) {
    auto impl = std::make_unique<Impl>(std::move(reader), sample_rate_hz, at_end);
    if (auto prepared = impl->prepare(); !prepared) return std::unexpected(std::move(prepared.error()));
    return FileSource{std::move(impl)};
}

std::uint32_t FileSource::channels() const noexcept { return impl_->channels(); }
std::optional<std::uint64_t> FileSource::frames() const noexcept { return impl_->frames(); }
std::vector<std::string> FileSource::notices() const { return impl_->notices(); }
Expected<std::size_t> FileSource::read(std::span<float> interleaved) { return impl_->read(interleaved); }
Expected<void> FileSource::seek(std::uint64_t frame) { return impl_->seek(frame); }
bool FileSource::ended_early() const noexcept { return impl_->ended_early(); }

}  // namespace rta::io
