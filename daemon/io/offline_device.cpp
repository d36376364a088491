// SPDX-License-Identifier: MIT
#include "io/offline_device.h"

#include <algorithm>
#include <filesystem>
#include <span>
#include <system_error>
#include <utility>

#include "graph/level_tap.h"
#include "io/block_adapter.h"

namespace rta::io {
Expected<std::unique_ptr<OfflineDevice>> OfflineDevice::open(const Config& config) {
    std::optional<FileSource> source;
    if (!config.input_file.empty()) {
        auto opened = FileSource::open(config.input_file, config.sample_rate_hz);
        if (!opened) return std::unexpected(std::move(opened.error()));
        // Opening the output truncates it.
        if (std::error_code ignored; std::filesystem::equivalent(config.input_file, config.output.path, ignored)) {
            return fail(ErrorCode::invalid_argument,
                        "input and output are the same file, " + config.output.path + ": choose another output file");
        }
        source = std::move(*opened);
    }
    auto output = OfflineOutput::create(config.output);
    if (!output) return std::unexpected(std::move(output.error()));
    return std::unique_ptr<OfflineDevice>{new OfflineDevice{config, std::move(source), std::move(*output)}};
}

OfflineDevice::OfflineDevice(const Config& config, std::optional<FileSource> source, OfflineOutput output)
    : description_{.kind = "offline",
                   .name = config.output.path,
                   .sample_rate_hz = config.sample_rate_hz,
                   .channels_in = config.channels_in,
                   .channels_out = config.output.channels},
      quantum_frames_{std::max(config.block_size, LevelTap::kMinimumQuantum)},
      source_{std::move(source)},
      output_{std::move(output)},
      input_{config.channels_in, kPieceFrames},
      rendered_{config.output.channels, kPieceFrames},
      inputs_{channel_pointers(input_.read())},
      outputs_{channel_pointers(rendered_.write())},
      interleaved_(source_ ? std::size_t{source_->channels()} * kPieceFrames : 0),
      before_block_{config.before_block},
      block_size_{config.block_size} {
    if (!source_) output_.end_input(0);
}

Expected<void> OfflineDevice::start(BlockAdapter& adapter) {
    adapter_ = &adapter;
    return {};
}

Expected<void> OfflineDevice::advance() {
    if (ended()) return {};
    const auto frames_read = read_input(next_frames());
    if (!frames_read) return std::unexpected(frames_read.error());
    const std::uint32_t frames = next_frames();  // fewer if the input has ended
    if (frames == 0) return {};
    spread(*frames_read, frames);
    if (auto processed = process(frames); !processed) return processed;
    frame_ += frames;
    return output_.add({outputs_.data(), description_.channels_out, frames});
}

/// Renders the piece, block by block if something must be done in between.
Expected<void> OfflineDevice::process(std::uint32_t frames) {
    if (before_block_ == nullptr) {
        adapter_->process(inputs_.data(), outputs_.data(), frames);
        return {};
    }
    std::vector<const float*> inputs = inputs_;
    std::vector<float*> outputs = outputs_;
    for (std::uint32_t first = 0; first < frames; first += block_size_) {
        if (auto ready = before_block_(); !ready) return ready;
        adapter_->process(inputs.data(), outputs.data(), block_size_);
        for (const float*& input : inputs) input += block_size_;
        for (float*& output : outputs) output += block_size_;
    }
    return {};
}

/// Returns the length of the next piece, 0 if the end has been reached. Near the end, no more is rendered than meters
/// need for whole quanta. In a tail whose end is not known, a piece is one quantum, so that the levels of each are known.
std::uint32_t OfflineDevice::next_frames() const {
    const std::uint64_t tail = output_.open_tail();
    const std::uint64_t stop = frame_ < tail ? std::min(tail, output_.end()) : output_.end();
    const std::uint64_t left = stop - std::min(frame_, stop);
    const std::uint64_t longest = frame_ < tail ? kPieceFrames : quantum_frames_;
    if (left >= longest) return static_cast<std::uint32_t>(longest);
    return static_cast<std::uint32_t>((left + quantum_frames_ - 1) / quantum_frames_ * quantum_frames_);
}

/// Reads up to `frames` frames and reports the end of the input to the output. Returns the number of frames read.
Expected<std::size_t> OfflineDevice::read_input(std::uint32_t frames) {
    if (!source_ || input_ended_) return std::size_t{0};
    const auto read = source_->read(std::span{interleaved_}.first(std::size_t{frames} * source_->channels()));
    if (read && *read < frames) {
        input_ended_ = true;
        output_.end_input(frame_ + *read);
    }
    return read;
}

/// Writes the frames read to the input channels, followed by silence.
void OfflineDevice::spread(std::size_t frames_read, std::uint32_t frames) {
    if (!source_) return;
    const std::size_t width = source_->channels();
    for (std::uint32_t channel = 0; channel < description_.channels_in; ++channel) {
        const std::span<float> samples = input_.write().channel(channel).first(frames);
        const std::size_t from = width == 1 ? 0 : channel;
        const std::size_t count = from < width ? frames_read : 0;
        const float* next = interleaved_.data() + from;
        for (std::size_t frame = 0; frame < count; ++frame, next += width) samples[frame] = *next;
        std::fill(samples.begin() + static_cast<std::ptrdiff_t>(count), samples.end(), 0.0F);
    }
}

Expected<void> OfflineDevice::finish() { return output_.finish(); }

}  // namespace rta::io
