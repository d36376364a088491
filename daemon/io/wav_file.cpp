// SPDX-License-Identifier: MIT
#include "io/wav_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <string_view>
#include <system_error>
#include <utility>

#include "io/locked_file.h"
#include "io/wav_header.h"
#include "os/file.h"
#include "os/file_replacement.h"

namespace rta::io {
namespace {

static_assert(sizeof(off_t) == 8, "recordings may be longer than 2 GiB");

/// Returns whether a file is longer than the header of a recording with this number of channels.
[[nodiscard]] bool holds_sound(int descriptor, std::uint32_t channels) {
    const auto header_bytes = static_cast<off_t>(wav_header(48'000, channels, 0).size());
    struct stat status{};
    return ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > header_bytes;
}

}  // namespace

WavWriter::WavWriter(os::UniqueFd file, std::string path, std::uint32_t sample_rate_hz, std::uint32_t channels)
    : file_{std::move(file)}, path_{std::move(path)}, sample_rate_hz_{sample_rate_hz}, channels_{channels} {}

Expected<WavWriter> WavWriter::create(const std::string& path, std::uint32_t sample_rate_hz, std::uint32_t channels,
                                      ExistingFile existing_file) {
    const auto refuse = [&](const std::string& why) {
        return fail(ErrorCode::unavailable, "cannot write the WAV file " + path + ": " + why);
    };
    if (channels > kMaximumWavChannels) {
        return refuse(std::to_string(channels) + " channels, expected at most " + std::to_string(kMaximumWavChannels));
    }
    auto output = open_locked(path);
    if (!output) return refuse(describe_lock_error(output.error()));
    std::string renamed_to;
    if (existing_file == ExistingFile::rename && holds_sound(output->get(), channels)) {
        // Renames the target of a symbolic link, not the link.
        auto new_name = os::rename_to_free_name(AT_FDCWD, os::real_path(path), ".kept-");
        if (!new_name) return refuse("the existing recording cannot be renamed: " + new_name.error().message());
        renamed_to = std::move(*new_name);
        output = open_locked(path);
        if (!output) return refuse(describe_lock_error(output.error()));
    }
    // Ignored: a file that cannot be truncated, such as a device, is written as it is.
    static_cast<void>(::ftruncate(output->get(), 0) == 0);
    if (::lseek(output->get(), 0, SEEK_CUR) < 0)
        return refuse("its header cannot be updated: expected a file, not a pipe or terminal");
    WavWriter writer{std::move(*output), path, sample_rate_hz, channels};
    writer.renamed_to_ = std::move(renamed_to);
    if (const auto written = os::write_all(writer.file_.get(), writer.header()); !written) {
        return refuse(written.error().message());
    }
    return writer;
}

Expected<void> WavWriter::write(std::span<const float> interleaved) {
    static_assert(std::endian::native == std::endian::little, "WAV files contain little-endian samples");
    const auto bytes = std::as_bytes(interleaved);
    if (auto written = append({reinterpret_cast<const char*>(bytes.data()), bytes.size()}); !written) return written;
    frames_ += interleaved.size() / channels_;
    return {};
}

Expected<void> WavWriter::write_silence(std::uint64_t frames) {
    if (frames == 0) return {};
    const std::string silence(channels_ * sizeof(float), '\0');
    // A regular file is as long as its last byte that was written, so the last frame of the hole is written.
    if (::lseek(file_.get(), static_cast<off_t>((frames - 1) * silence.size()), SEEK_CUR) < 0) {
        return fail(ErrorCode::unavailable,
                    "cannot write to the WAV file " + path_ + ": " + os::last_error().message());
    }
    if (auto written = append(silence); !written) return written;
    frames_ += frames;
    return {};
}

Expected<void> WavWriter::append(std::string_view samples) {
    if (const auto written = os::write_all(file_.get(), samples); !written) {
        // A disk that is full has taken some of the frames. They remain part of the file.
        const auto header_bytes = static_cast<off_t>(header().size());
        off_t end = ::lseek(file_.get(), 0, SEEK_CUR);
        // It may not have taken the end of a hole.
        struct stat status{};
        if (::fstat(file_.get(), &status) == 0 && S_ISREG(status.st_mode)) end = std::min(end, status.st_size);
        if (end > header_bytes) {
            frames_ = static_cast<std::uint64_t>(end - header_bytes) / (channels_ * sizeof(float));
        }
        return fail(ErrorCode::unavailable, "cannot write to the WAV file " + path_ + ": " + written.error().message());
    }
    return {};
}

std::string WavWriter::header() const { return wav_header(sample_rate_hz_, channels_, frames_); }

void WavWriter::update_header() {
    // Ignored: close() updates the header again and reports errors.
    static_cast<void>(os::write_all_at(file_.get(), header(), 0));
}

Expected<void> WavWriter::close() {
    auto finished = os::write_all_at(file_.get(), header(), 0);
    if (auto closed = os::close(std::move(file_)); finished) finished = closed;
    if (!finished) {
        return fail(ErrorCode::unavailable, "cannot finish the WAV file " + path_ + ": " + finished.error().message());
    }
    return {};
}

}  // namespace rta::io
