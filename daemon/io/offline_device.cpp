// SPDX-License-Identifier: MIT
#include "io/offline_device.h"

#include <algorithm>
#include <filesystem>
#include <span>
#include <system_error>
#include <utility>

namespace rta::io {

Expected<std::unique_ptr<OfflineDevice>> OfflineDevice::open(const Config& config) {
    std::optional<SoundReader> reader;
    if (!config.input_file.empty()) {
        auto opened = SoundReader::open(config.input_file);
        if (!opened) return std::unexpected(opened.error());
        if (opened->sample_rate_hz() != config.sample_rate_hz) {
            const std::string rate = std::to_string(opened->sample_rate_hz());
            return fail(ErrorCode::invalid_argument, "the sound file " + config.input_file + " has a sample rate of " +
                                                         rate + " Hz, but the engine runs at " +
                                                         std::to_string(config.sample_rate_hz) +
                                                         " Hz: use --sample-rate " + rate + " or convert the file");
        }
        // Opening the output truncates it.
        if (std::error_code ignored; std::filesystem::equivalent(config.input_file, config.output_file, ignored)) {
            return fail(ErrorCode::invalid_argument,
                        "input and output are the same file, " + config.output_file + ": choose another output file");
        }
        reader = std::move(*opened);
    }
    auto writer = WavWriter::create(config.output_file, config.sample_rate_hz, config.channels_out);
    if (!writer) return std::unexpected(writer.error());
    return std::unique_ptr<OfflineDevice>{new OfflineDevice{config, std::move(reader), std::move(*writer)}};
}

OfflineDevice::OfflineDevice(const Config& config, std::optional<SoundReader> reader, WavWriter writer)
    : description_{.kind = "offline",
                   .name = config.output_file,
                   .sample_rate_hz = config.sample_rate_hz,
                   .channels_in = reader ? reader->channels() : 0,
                   .channels_out = config.channels_out},
      block_size_{config.block_size},
      reader_{std::move(reader)},
      writer_{std::move(writer)},
      input_{description_.channels_in, config.block_size},
      output_{config.channels_out, config.block_size},
      inputs_{channel_pointers(input_.read())},
      outputs_{channel_pointers(output_.write())},
      interleaved_input_(std::size_t{description_.channels_in} * config.block_size),
      interleaved_output_(std::size_t{config.channels_out} * config.block_size) {}

Expected<void> OfflineDevice::start(BlockAdapter& adapter) {
    adapter_ = &adapter;
    return {};
}

Expected<void> OfflineDevice::advance(std::uint64_t frames) {
    while (frames > 0) {
        if (unwritten_ == 0) render_block();
        const auto count = static_cast<std::uint32_t>(std::min<std::uint64_t>(frames, unwritten_));
        const std::size_t width = description_.channels_out;
        const auto unwritten = std::span{interleaved_output_}.last(unwritten_ * width);
        if (auto written = writer_.write(unwritten.first(count * width)); !written) return written;
        unwritten_ -= count;
        frames -= count;
    }
    return {};
}

void OfflineDevice::render_block() {
    read_input();
    adapter_->process(inputs_.data(), outputs_.data(), block_size_);
    for (std::uint32_t channel = 0; channel < description_.channels_out; ++channel) {
        std::size_t index = channel;
        for (const float sample : output_.read().channel(channel)) {
            interleaved_output_[index] = sample;
            index += description_.channels_out;
        }
    }
    unwritten_ = block_size_;
}

void OfflineDevice::read_input() {
    if (!reader_) return;
    const std::size_t frames = reader_->read(interleaved_input_);
    const std::uint32_t width = description_.channels_in;
    std::fill(interleaved_input_.begin() + static_cast<std::ptrdiff_t>(frames * width), interleaved_input_.end(), 0.0F);
    for (std::uint32_t channel = 0; channel < width; ++channel) {
        std::size_t index = channel;
        for (float& sample : input_.write().channel(channel)) {
            sample = interleaved_input_[index];
            index += width;
        }
    }
}

Expected<void> OfflineDevice::finish() { return writer_.close(); }

}  // namespace rta::io
