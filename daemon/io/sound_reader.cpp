// SPDX-License-Identifier: MIT
#include "io/sound_reader.h"

#include <fcntl.h>
#include <sndfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "io/wav_data_size.h"
#include "os/result.h"
#include "os/unique_fd.h"

namespace rta::io {
namespace {

/// Bytes per read. libsndfile itself reads integer samples and FLAC in pieces of 8 KiB and less.
constexpr std::size_t kPieceBytes = std::size_t{256} * 1024;

/// Returns an error of libsndfile, to end a sentence with.
[[nodiscard]] std::string error_text(SNDFILE* file) {
    constexpr std::string_view kSystem = "System error : ";
    std::string words = sf_strerror(file);
    if (words.starts_with(kSystem)) words.erase(0, kSystem.size());
    if (words.ends_with('.')) words.pop_back();
    return words;
}

[[nodiscard]] std::string wrong_size_warning(const std::string& path, const WrongDataSize& wrong) {
    return "the header of " + path + " declares " + std::to_string(wrong.declared) + " bytes of samples, but " +
           std::to_string(wrong.actual) + " follow: reading to the end of the file";
}

}  // namespace

/// The bytes of a file, for libsndfile. A wrong size of the samples in the header of a WAV file is replaced: libsndfile
/// corrects sizes that are too large, but takes 0 as it is.
class SoundReader::Bytes {
 public:
    explicit Bytes(os::UniqueFd file) : file_{std::move(file)} {
        struct stat status{};
        if (::fstat(file_.get(), &status) != 0 || !S_ISREG(status.st_mode)) return;
        is_regular_ = true;
        size_ = status.st_size;
        wrong_size_ = find_wrong_data_size(file_.get(), static_cast<std::uint64_t>(size_));
    }

    [[nodiscard]] const std::optional<WrongDataSize>& wrong_size() const { return wrong_size_; }
    /// Returns the error of the first read that failed, 0 if none exists.
    [[nodiscard]] int error() const { return error_; }

    [[nodiscard]] SNDFILE* open(SF_INFO& info) {
        // Pipes are read through the descriptor: libsndfile knows that it cannot seek in them.
        if (!is_regular_) return sf_open_fd(file_.get(), SFM_READ, &info, SF_FALSE);
        SF_VIRTUAL_IO callbacks{
            .get_filelen = [](void* self) noexcept -> sf_count_t { return static_cast<Bytes*>(self)->size_; },
            .seek = [](sf_count_t offset, int whence, void* self) noexcept -> sf_count_t {
                return static_cast<Bytes*>(self)->seek(offset, whence);
            },
            .read = [](void* out, sf_count_t count, void* self) noexcept -> sf_count_t {
                return static_cast<Bytes*>(self)->read(static_cast<char*>(out), static_cast<std::size_t>(count));
            },
            .write = [](const void*, sf_count_t, void*) noexcept -> sf_count_t { return 0; },
            .tell = [](void* self) noexcept -> sf_count_t { return static_cast<Bytes*>(self)->position_; },
        };
        return sf_open_virtual(&callbacks, SFM_READ, &info, this);
    }

 private:
    [[nodiscard]] sf_count_t seek(sf_count_t offset, int whence) noexcept {
        if (whence == SEEK_CUR) offset += position_;
        if (whence == SEEK_END) offset += size_;
        return position_ = std::max<sf_count_t>(offset, 0);
    }

    [[nodiscard]] sf_count_t read(char* out, std::size_t count) noexcept {
        const sf_count_t begin = position_;
        while (count > 0) {
            const std::size_t copied = count >= kPieceBytes ? load(out, count) : copy(out, count);
            if (copied == 0) break;
            position_ += static_cast<sf_count_t>(copied);
            out += copied;
            count -= copied;
        }
        return position_ - begin;
    }

    /// Copies from the piece, which is read if the position is outside of it.
    [[nodiscard]] std::size_t copy(char* out, std::size_t count) noexcept {
        if (position_ < piece_begin_ || position_ >= piece_begin_ + static_cast<sf_count_t>(piece_bytes_)) {
            if (!piece_) piece_ = std::make_unique<char[]>(kPieceBytes);
            piece_begin_ = position_;
            piece_bytes_ = load(piece_.get(), kPieceBytes);
        }
        const auto offset = static_cast<std::size_t>(position_ - piece_begin_);
        const std::size_t copied = std::min(count, piece_bytes_ - offset);
        std::copy_n(piece_.get() + offset, copied, out);
        return copied;
    }

    /// Reads from the file at the position. Returns the number of bytes, 0 at the end and after an error.
    [[nodiscard]] std::size_t load(char* out, std::size_t count) noexcept {
        const ssize_t bytes = ::pread(file_.get(), out, count, position_);
        if (bytes < 0) {
            if (error_ == 0) error_ = errno;
            return 0;
        }
        if (wrong_size_) correct(out, static_cast<std::size_t>(bytes));
        return static_cast<std::size_t>(bytes);
    }

    /// Replaces the bytes of the wrong size among those that were read at the position. A 32-bit field cannot hold more
    /// than 4 GiB: libsndfile corrects its largest number.
    void correct(char* out, std::size_t bytes) const noexcept {
        const std::uint64_t size =
            wrong_size_->width == 4 ? std::min<std::uint64_t>(wrong_size_->actual, 0xFFFF'FFFF) : wrong_size_->actual;
        for (std::uint32_t i = 0; i < wrong_size_->width; ++i) {
            const std::uint64_t place = wrong_size_->position + i - static_cast<std::uint64_t>(position_);
            if (place < bytes) out[place] = static_cast<char>(static_cast<unsigned char>(size >> (8 * i)));
        }
    }

    os::UniqueFd file_;
    bool is_regular_ = false;
    sf_count_t size_ = 0;
    sf_count_t position_ = 0;
    std::optional<WrongDataSize> wrong_size_;
    std::unique_ptr<char[]> piece_;
    sf_count_t piece_begin_ = 0;
    std::size_t piece_bytes_ = 0;
    int error_ = 0;
};

void SoundReader::Close::operator()(sf_private_tag* file) const noexcept { sf_close(file); }

SoundReader::SoundReader(std::string path, std::unique_ptr<Bytes> bytes)
    : path_{std::move(path)}, bytes_{std::move(bytes)} {}
SoundReader::SoundReader(SoundReader&& other) noexcept = default;
SoundReader& SoundReader::operator=(SoundReader&& other) noexcept {
    file_ = std::move(other.file_);  // closes the file of this reader before the bytes that it reads from
    path_ = std::move(other.path_);
    bytes_ = std::move(other.bytes_);
    warning_ = std::move(other.warning_);
    sample_rate_hz_ = other.sample_rate_hz_;
    channels_ = other.channels_;
    frames_ = other.frames_;
    position_ = other.position_;
    return *this;
}
SoundReader::~SoundReader() = default;

Expected<SoundReader> SoundReader::open(const std::string& path) {
    os::UniqueFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    struct stat status{};
    const bool is_directory = file && ::fstat(file.get(), &status) == 0 && S_ISDIR(status.st_mode);
    if (!file || is_directory) {
        const int error = is_directory ? EISDIR : errno;
        return fail(error == ENOENT ? ErrorCode::not_found : ErrorCode::unavailable,
                    "cannot read the sound file " + path + ": " + std::strerror(error));
    }
    return open(std::move(file), path);
}

Expected<SoundReader> SoundReader::open(os::UniqueFd file, std::string name) {
    SoundReader reader{std::move(name), std::make_unique<Bytes>(std::move(file))};
    if (auto opened = reader.open_sound(); !opened) return std::unexpected(std::move(opened.error()));
    return reader;
}

Expected<void> SoundReader::open_sound() {
    SF_INFO info{};
    file_.reset(bytes_->open(info));
    if (!file_) return fail(ErrorCode::invalid_argument, path_ + " is not a sound file: " + error_text(nullptr));
    sample_rate_hz_ = static_cast<std::uint32_t>(info.samplerate);
    channels_ = static_cast<std::uint32_t>(info.channels);
    frames_ = static_cast<std::uint64_t>(info.frames);
    if (bytes_->wrong_size()) warning_ = wrong_size_warning(path_, *bytes_->wrong_size());
    return {};
}

Expected<std::size_t> SoundReader::read(std::span<float> interleaved) {
    const auto room = static_cast<sf_count_t>(interleaved.size() / channels_);
    const sf_count_t frames = sf_readf_float(file_.get(), interleaved.data(), room);
    if (frames < room) {
        const bool failed = bytes_->error() != 0 || sf_error(file_.get()) != SF_ERR_NO_ERROR;
        const std::string why = bytes_->error() != 0 ? std::strerror(bytes_->error()) : error_text(file_.get());
        if (failed) return fail(ErrorCode::unavailable, "cannot read the sound file " + path_ + ": " + why);
    }
    position_ += static_cast<std::uint64_t>(frames);
    return static_cast<std::size_t>(frames);
}

Expected<void> SoundReader::seek(std::uint64_t frame) {
    const std::uint64_t to = std::min(frame, frames_);
    if (sf_seek(file_.get(), static_cast<sf_count_t>(to), SEEK_SET) != static_cast<sf_count_t>(to)) {
        return fail(ErrorCode::unavailable, "cannot seek to frame " + std::to_string(to) + " of the sound file " +
                                                path_ + ": " + error_text(file_.get()));
    }
    position_ = to;
    return {};
}

}  // namespace rta::io
