// SPDX-License-Identifier: MIT
#include "io/wav_file.h"

#include <fcntl.h>
#include <sndfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>
#include <utility>

#include "os/file.h"
#include "os/file_lock.h"
#include "os/file_replacement.h"

namespace rta::io {
namespace {

/// Returns libsndfile's error message for `file` (nullptr: for the last failed open), to end a sentence with.
[[nodiscard]] std::string reason(sf_private_tag* file) {
    constexpr std::string_view kSystem = "System error : ";
    std::string words = sf_strerror(file);
    if (words.starts_with(kSystem)) words.erase(0, kSystem.size());
    if (words.ends_with('.')) words.pop_back();
    return words;
}

/// Opens the file without truncating it, because another process may be writing it, and locks it while it is open.
/// Ignores that a file system has no locks.
[[nodiscard]] os::Result<os::UniqueFd> open_locked(const std::string& path) {
    os::UniqueFd file{::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666)};
    if (!file) return os::fail_with_errno();
    const auto locked = os::try_lock(file.get());
    if (!locked && locked.error() == std::errc::operation_would_block) return std::unexpected(locked.error());
    return file;
}

[[nodiscard]] std::string describe(std::error_code error) {
    return error == std::errc::operation_would_block ? "another rtad is writing to it" : error.message();
}

[[nodiscard]] bool holds_sound(int descriptor) {
    constexpr off_t kHeader = 128;  // upper bound
    struct stat status{};
    return ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > kHeader;
}

}  // namespace

void CloseSoundFile::operator()(sf_private_tag* file) const noexcept { sf_close(file); }

WavWriter::WavWriter(SoundFile file, std::string path, std::uint32_t channels)
    : file_{std::move(file)}, path_{std::move(path)}, channels_{channels} {}

Expected<WavWriter> WavWriter::create(const std::string& path, std::uint32_t sample_rate_hz, std::uint32_t channels,
                                      ExistingFile existing_file) {
    SF_INFO info{};
    info.samplerate = static_cast<int>(sample_rate_hz);
    info.channels = static_cast<int>(channels);
    info.format = SF_FORMAT_WAV | SF_FORMAT_FLOAT;
    const auto refuse = [&](const std::string& why) {
        return fail(ErrorCode::unavailable, "cannot write the WAV file " + path + ": " + why);
    };
    auto output = open_locked(path);
    if (!output) return refuse(describe(output.error()));
    std::string renamed_to;
    if (existing_file == ExistingFile::rename && holds_sound(output->get())) {
        // Renames the target of a symbolic link, not the link.
        auto new_name = os::rename_to_free_name(AT_FDCWD, os::real_path(path), ".kept-");
        if (!new_name) return refuse("the existing recording cannot be renamed: " + new_name.error().message());
        renamed_to = std::move(*new_name);
        output = open_locked(path);
        if (!output) return refuse(describe(output.error()));
    }
    const int descriptor = output->release();
    // Ignored: a file that cannot be truncated, such as a device, is written as it is.
    static_cast<void>(::ftruncate(descriptor, 0) == 0);
    SoundFile file{sf_open_fd(descriptor, SFM_WRITE, &info, SF_TRUE)};
    if (!file) return refuse(reason(nullptr));
    // The PEAK chunk contains a timestamp, which would make files with the same audio differ.
    sf_command(file.get(), SFC_SET_ADD_PEAK_CHUNK, nullptr, SF_FALSE);
    WavWriter writer{std::move(file), path, channels};
    writer.renamed_to_ = std::move(renamed_to);
    writer.update_header();
    return writer;
}

Expected<void> WavWriter::write(std::span<const float> interleaved) {
    const std::uint64_t frames = interleaved.size() / channels_;
    if (!wav_has_room(frames_, frames, channels_)) {
        return fail(ErrorCode::resource_exhausted,
                    "the WAV file " + path_ + " has reached 4 GiB, the maximum size of a WAV file; recording stopped");
    }
    const sf_count_t written = sf_writef_float(file_.get(), interleaved.data(), static_cast<sf_count_t>(frames));
    frames_ += static_cast<std::uint64_t>(written);
    if (std::cmp_not_equal(written, frames)) {
        return fail(ErrorCode::unavailable, "cannot write to the WAV file " + path_ + ": " + reason(file_.get()));
    }
    return {};
}

void WavWriter::update_header() noexcept { sf_command(file_.get(), SFC_UPDATE_HEADER_NOW, nullptr, 0); }

Expected<void> WavWriter::close() {
    if (const int error = sf_close(file_.release()); error != SF_ERR_NO_ERROR) {
        return fail(ErrorCode::unavailable, "cannot finish the WAV file " + path_ + ": " + sf_error_number(error));
    }
    return {};
}

SoundReader::SoundReader(SoundFile file, std::uint32_t sample_rate_hz, std::uint32_t channels, std::uint64_t frames)
    : file_{std::move(file)}, sample_rate_hz_{sample_rate_hz}, channels_{channels}, frames_{frames} {}

Expected<SoundReader> SoundReader::open(const std::string& path) {
    // Checked first, because libsndfile's format detection overwrites errno.
    if (access(path.c_str(), R_OK) != 0) {
        const int error = errno;
        return fail(error == ENOENT ? ErrorCode::not_found : ErrorCode::unavailable,
                    "cannot read the sound file " + path + ": " + std::strerror(error));
    }
    SF_INFO info{};
    SoundFile file{sf_open(path.c_str(), SFM_READ, &info)};
    if (!file) {
        return fail(ErrorCode::invalid_argument, path + " is not a sound file: " + reason(nullptr));
    }
    return SoundReader{std::move(file), static_cast<std::uint32_t>(info.samplerate),
                       static_cast<std::uint32_t>(info.channels), static_cast<std::uint64_t>(info.frames)};
}

std::size_t SoundReader::read(std::span<float> interleaved) {
    const auto room = static_cast<sf_count_t>(interleaved.size() / channels_);
    return static_cast<std::size_t>(sf_readf_float(file_.get(), interleaved.data(), room));
}

}  // namespace rta::io
