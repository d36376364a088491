// SPDX-License-Identifier: MIT
#include "io/flac_writer.h"

#include <sndfile.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "io/locked_file.h"
#include "io/quantizer.h"
#include "os/file.h"

namespace rta::io {
namespace {

struct CloseFile {
    void operator()(SNDFILE* file) const noexcept { sf_close(file); }
};

}  // namespace

/// At one address, which libsndfile keeps. Writes through our own descriptor, because libsndfile reports no error of
/// the writes that sf_close() makes.
class FlacWriter::Impl {
 public:
    Impl(os::UniqueFd file, std::string path, std::uint32_t channels)
        : file_{std::move(file)}, path_{std::move(path)}, channels_{channels} {}

    [[nodiscard]] Expected<void> open(std::uint32_t sample_rate_hz) {
        if (::ftruncate(file_.get(), 0) != 0 || ::lseek(file_.get(), 0, SEEK_SET) < 0) {
            return failure(std::strerror(errno));
        }
        SF_INFO info{};
        info.samplerate = static_cast<int>(sample_rate_hz);
        info.channels = static_cast<int>(channels_);
        info.format = SF_FORMAT_FLAC | SF_FORMAT_PCM_24;
        SF_VIRTUAL_IO callbacks{
            .get_filelen = [](void* self) noexcept -> sf_count_t { return static_cast<Impl*>(self)->size(); },
            .seek = [](sf_count_t offset, int whence, void* self) noexcept -> sf_count_t {
                return ::lseek(static_cast<Impl*>(self)->file_.get(), offset, whence);
            },
            .read = [](void* out, sf_count_t count, void* self) noexcept -> sf_count_t {
                return ::read(static_cast<Impl*>(self)->file_.get(), out, static_cast<std::size_t>(count));
            },
            .write = [](const void* bytes, sf_count_t count, void* self) noexcept -> sf_count_t {
                return static_cast<Impl*>(self)->put(static_cast<const char*>(bytes), static_cast<std::size_t>(count));
            },
            .tell = [](void* self) noexcept -> sf_count_t {
                return ::lseek(static_cast<Impl*>(self)->file_.get(), 0, SEEK_CUR);
            },
        };
        sound_.reset(sf_open_virtual(&callbacks, SFM_WRITE, &info, this));
        if (!sound_) return failure(sf_strerror(nullptr));
        return {};
    }

    [[nodiscard]] Expected<void> write(std::span<const float> interleaved) {
        samples_.resize(interleaved.size());
        quantizer_.convert(interleaved, samples_);
        const auto frames = static_cast<sf_count_t>(interleaved.size() / channels_);
        const sf_count_t written = sf_writef_int(sound_.get(), samples_.data(), frames);
        if (error_ != 0) return failure(std::strerror(error_));
        if (written != frames) return failure(sf_strerror(sound_.get()));
        return {};
    }

    [[nodiscard]] Expected<void> close() {
        const int closed = sf_close(sound_.release());
        const auto file_closed = os::close(std::move(file_));
        if (error_ != 0) return failure(std::strerror(error_));
        if (closed != 0) return failure(sf_error_number(closed));
        if (!file_closed) return failure(file_closed.error().message());
        return {};
    }

    [[nodiscard]] std::uint64_t clipped_samples() const { return quantizer_.clipped_samples(); }

 private:
    [[nodiscard]] sf_count_t size() const noexcept {
        const off_t now = ::lseek(file_.get(), 0, SEEK_CUR);
        const off_t end = ::lseek(file_.get(), 0, SEEK_END);
        ::lseek(file_.get(), now, SEEK_SET);
        return end;
    }

    [[nodiscard]] sf_count_t put(const char* bytes, std::size_t count) noexcept {
        const auto written = os::write_all(file_.get(), {bytes, count});
        if (written) return static_cast<sf_count_t>(count);
        if (error_ == 0) error_ = written.error().value();
        return 0;
    }

    [[nodiscard]] std::unexpected<Error> failure(const std::string& why) const {
        return fail(ErrorCode::unavailable, "cannot write the FLAC file " + path_ + ": " + why);
    }

    os::UniqueFd file_;
    std::string path_;
    std::uint32_t channels_;
    std::unique_ptr<SNDFILE, CloseFile> sound_;
    Quantizer24 quantizer_;
    std::vector<std::int32_t> samples_;
    int error_ = 0;  ///< errno of the first write that failed
};

FlacWriter::FlacWriter(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
FlacWriter::FlacWriter(FlacWriter&& other) noexcept = default;
FlacWriter& FlacWriter::operator=(FlacWriter&& other) noexcept = default;
FlacWriter::~FlacWriter() = default;

Expected<FlacWriter> FlacWriter::create(const std::string& path, std::uint32_t sample_rate_hz, std::uint32_t channels) {
    const auto refuse = [&](ErrorCode code, const std::string& why) {
        return fail(code, "cannot write the FLAC file " + path + ": " + why);
    };
    if (channels > kMaximumChannels) {
        return refuse(ErrorCode::invalid_argument, std::to_string(channels) + " channels, expected at most " +
                                                       std::to_string(kMaximumChannels) +
                                                       "; a WAV file has room for more");
    }
    // Rates above 65535 Hz are stored in multiples of 10 Hz.
    if (sample_rate_hz > kMaximumSampleRateHz || (sample_rate_hz > 65'535 && sample_rate_hz % 10 != 0)) {
        return refuse(ErrorCode::invalid_argument, "a sample rate of " + std::to_string(sample_rate_hz) +
                                                       " Hz, expected up to 65535 Hz or a multiple of 10 Hz up to " +
                                                       std::to_string(kMaximumSampleRateHz) +
                                                       " Hz; a WAV file has any rate");
    }
    auto file = open_locked(path);
    if (!file) return refuse(ErrorCode::unavailable, describe_lock_error(file.error()));
    auto impl = std::make_unique<Impl>(std::move(*file), path, channels);
    if (auto opened = impl->open(sample_rate_hz); !opened) return std::unexpected(std::move(opened.error()));
    return FlacWriter{std::move(impl)};
}

Expected<void> FlacWriter::write(std::span<const float> interleaved) { return impl_->write(interleaved); }
Expected<void> FlacWriter::close() { return impl_->close(); }
std::uint64_t FlacWriter::clipped_samples() const noexcept { return impl_->clipped_samples(); }

}  // namespace rta::io
