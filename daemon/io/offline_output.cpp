// SPDX-License-Identifier: MIT
#include "io/offline_output.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <system_error>
#include <utility>

#include "text/quoting.h"

namespace rta::io {
namespace {

/// Frames that are measured and written together.
constexpr std::uint32_t kPieceFrames = 8192;
static_assert(kPieceFrames % ProgrammeMeter::kBlock == 0);

[[nodiscard]] std::uint64_t end_of(const RenderExtent& extent) {
    return extent.length ? extent.skipped + *extent.length : std::numeric_limits<std::uint64_t>::max();
}

/// Returns the end of the last frame in which a channel is not silent, `begin` if none exists.
[[nodiscard]] std::uint32_t end_of_sound(const AudioReadView& frames, std::uint32_t begin, std::uint32_t end) {
    std::uint32_t last = begin;
    for (std::uint32_t channel = 0; channel < frames.channel_count(); ++channel) {
        const std::span<const float> samples = frames.channel(channel);
        for (std::uint32_t frame = end; frame > last; --frame) {
            if (std::abs(samples[frame - 1]) < RenderExtent::kSilence) continue;
            last = frame;
        }
    }
    return last;
}

void interleave(const AudioReadView& planar, std::uint32_t frames, std::span<float> interleaved) {
    const std::size_t width = planar.channel_count();
    if (width == 2) {  // a loop that compilers vectorize
        const float* const left = planar.channel(0).data();
        const float* const right = planar.channel(1).data();
        for (std::size_t frame = 0; frame < frames; ++frame) {
            interleaved[2 * frame] = left[frame];
            interleaved[2 * frame + 1] = right[frame];
        }
        return;
    }
    for (std::uint32_t channel = 0; channel < width; ++channel) {
        const float* const samples = planar.channel(channel).data();
        for (std::size_t frame = 0; frame < frames; ++frame) interleaved[frame * width + channel] = samples[frame];
    }
}

}  // namespace

Expected<FileFormat> format_of_file(const std::string& path) {
    namespace fs = std::filesystem;
    std::string extension = fs::path{path}.extension().string();
    std::ranges::transform(extension, extension.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    if (extension == ".wav") return FileFormat::wav;
    if (extension == ".flac") return FileFormat::flac;
    std::error_code ignored;
    if (const auto status = fs::status(path, ignored); fs::exists(status) && !fs::is_regular_file(status)) {
        return FileFormat::wav;
    }
    return fail(ErrorCode::invalid_argument,
                "unknown audio format of " + quoted(path) +
                    ": expected a name that ends in .wav (32-bit float) or .flac (24 bits)");
}

Expected<OfflineOutput> OfflineOutput::create(const Config& config) {
    if (config.format == FileFormat::flac) {
        auto writer = FlacWriter::create(config.path, config.sample_rate_hz, config.channels);
        if (!writer) return std::unexpected(std::move(writer.error()));
        return OfflineOutput{config, std::move(*writer)};
    }
    auto writer = WavWriter::create(config.path, config.sample_rate_hz, config.channels);
    if (!writer) return std::unexpected(std::move(writer.error()));
    return OfflineOutput{config, std::move(*writer)};
}

OfflineOutput::OfflineOutput(const Config& config, Writer writer)
    : extent_{config.extent},
      writer_{std::move(writer)},
      frames_that_tell_silence_{config.sample_rate_hz / 10},
      end_{end_of(config.extent)},
      staged_{config.channels, kPieceFrames},
      interleaved_(std::size_t{config.channels} * kPieceFrames),
      quiet_(config.channels) {
    for (const Group& group : config.groups) {
        meters_.emplace_back(group.first_channel, group.channel_count, config.sample_rate_hz);
    }
}

void OfflineOutput::end_input(std::uint64_t frame) {
    if (extent_.length) return;
    const std::uint64_t left_graph = frame + extent_.latency;
    if (!extent_.tail) keep_ = left_graph;
    end_ = left_graph + extent_.tail.value_or(extent_.longest_tail);
}

Expected<void> OfflineOutput::add(const AudioReadView& frames) {
    const auto place = [&](std::uint64_t frame) {
        return static_cast<std::uint32_t>(std::clamp(frame, frame_, frame_ + frames.frame_count()) - frame_);
    };
    const std::uint32_t begin = place(extent_.skipped);
    const std::uint32_t end = place(end_);
    const std::uint32_t tail = std::clamp(place(keep_), begin, std::max(begin, end));
    const std::uint64_t first = std::exchange(frame_, frame_ + frames.frame_count());
    if (begin >= end) return {};
    if (tail > begin) kept_until_ = first + tail;
    if (auto staged = stage(frames, begin, tail); !staged) return staged;
    return tail < end ? add_tail(frames, tail, end) : Expected<void>{};
}

/// Writes the tail up to its last frame that is not silent, and holds back the rest.
Expected<void> OfflineOutput::add_tail(const AudioReadView& frames, std::uint32_t begin, std::uint32_t end) {
    const std::uint32_t loud_end = end_of_sound(frames, begin, end);
    if (loud_end > begin) {
        kept_until_ = frame_ - frames.frame_count() + loud_end;
        std::vector<const float*> channels(quiet_.size());
        std::ranges::transform(quiet_, channels.begin(),
                               [](const std::vector<float>& samples) { return samples.data(); });
        const auto quiet_frames = static_cast<std::uint32_t>(quiet_.front().size());
        const AudioReadView quiet{channels.data(), frames.channel_count(), quiet_frames};
        if (auto staged = stage(quiet, 0, quiet_frames); !staged) return staged;
        for (std::vector<float>& samples : quiet_) samples.clear();
        if (auto staged = stage(frames, begin, loud_end); !staged) return staged;
    }
    for (std::uint32_t channel = 0; channel < frames.channel_count(); ++channel) {
        const auto rest = frames.channel(channel).subspan(loud_end, end - loud_end);
        quiet_[channel].insert(quiet_[channel].end(), rest.begin(), rest.end());
    }
    tail_was_cut_ = frame_ >= end_ && quiet_.front().size() < frames_that_tell_silence_;
    return {};
}

Expected<void> OfflineOutput::stage(const AudioReadView& frames, std::uint32_t begin, std::uint32_t end) {
    while (begin < end) {
        const std::uint32_t count = std::min(end - begin, kPieceFrames - staged_frames_);
        for (std::uint32_t channel = 0; channel < frames.channel_count(); ++channel) {
            std::ranges::copy(frames.channel(channel).subspan(begin, count),
                              staged_.write().channel(channel).subspan(staged_frames_).begin());
        }
        begin += count;
        staged_frames_ += count;
        if (staged_frames_ < kPieceFrames) break;
        if (auto written = write_staged(); !written) return written;
    }
    return {};
}

Expected<void> OfflineOutput::write_staged() {
    const AudioReadView piece = staged_.read();
    const std::uint32_t count = std::exchange(staged_frames_, 0);
    if (count == 0) return {};
    std::vector<const float*> channels(piece.channel_count());
    for (std::uint32_t begin = 0; begin < count; begin += ProgrammeMeter::kBlock) {
        for (std::uint32_t channel = 0; channel < channels.size(); ++channel) {
            channels[channel] = piece.channel(channel).data() + begin;
        }
        const AudioReadView block{channels.data(), piece.channel_count(), ProgrammeMeter::kBlock};
        for (ProgrammeMeter& meter : meters_) meter.add(block, std::min(ProgrammeMeter::kBlock, count - begin));
    }
    interleave(piece, count, interleaved_);
    frames_ += count;
    const auto samples = std::span{interleaved_}.first(std::size_t{count} * piece.channel_count());
    return std::visit([&](auto& writer) { return writer.write(samples); }, writer_);
}

Expected<void> OfflineOutput::finish() {
    // The meter expects zeros after the end.
    for (std::uint32_t channel = 0; channel < staged_.channel_count(); ++channel) {
        std::ranges::fill(staged_.write().channel(channel).subspan(staged_frames_), 0.0F);
    }
    if (auto written = write_staged(); !written) return written;
    return std::visit([](auto& writer) { return writer.close(); }, writer_);
}

std::vector<ProgrammeLevels> OfflineOutput::levels() const {
    std::vector<ProgrammeLevels> levels;
    levels.reserve(meters_.size());
    for (const ProgrammeMeter& meter : meters_) levels.push_back(meter.levels());
    return levels;
}

std::uint64_t OfflineOutput::clipped_samples() const noexcept {
    const auto* const flac = std::get_if<FlacWriter>(&writer_);
    return flac == nullptr ? 0 : flac->clipped_samples();
}

}  // namespace rta::io
