// SPDX-License-Identifier: MIT
#include "io/wav_recorder.h"

#include <pthread.h>

#include <bit>
#include <chrono>
#include <utility>

namespace rta::io {
namespace {

constexpr std::chrono::milliseconds kDrainInterval{50};
/// How much sound may be missing from the file after a kill, beside what is in the ring.
constexpr std::chrono::seconds kHeaderInterval{1};
constexpr std::size_t kBatchFrames = 4096;

[[nodiscard]] std::size_t ring_capacity(std::uint32_t sample_rate_hz, std::uint32_t channels) {
    return std::bit_ceil(std::size_t{sample_rate_hz} * channels * WavRecorder::kBufferSeconds);
}

}  // namespace

Expected<std::unique_ptr<WavRecorder>> WavRecorder::create(const std::string& path, std::uint32_t sample_rate_hz,
                                                           std::uint32_t channels, std::uint32_t block_size) {
    auto writer = WavWriter::create(path, sample_rate_hz, channels);
    if (!writer) return std::unexpected(writer.error());
    return std::unique_ptr<WavRecorder>{
        new WavRecorder{std::move(*writer), path, sample_rate_hz, channels, block_size}};
}

WavRecorder::WavRecorder(WavWriter writer, std::string path, std::uint32_t sample_rate_hz, std::uint32_t channels,
                         std::uint32_t block_size)
    : path_{std::move(path)},
      channels_{channels},
      ring_{ring_capacity(sample_rate_hz, channels)},
      sender_{ring_.sender()},
      interleaved_(std::size_t{block_size} * channels),
      receiver_{ring_.receiver()},
      writer_{std::move(writer)},
      thread_{[this](const std::stop_token& stop) { run(stop); }} {
    pthread_setname_np(thread_.native_handle(), "rtad-wav");
}

WavRecorder::~WavRecorder() { finish(); }

void WavRecorder::record(const AudioReadView& block) RTA_NONBLOCKING {
    for (std::uint32_t channel = 0; channel < channels_; ++channel) {
        std::size_t index = channel;
        for (const float sample : block.channel(channel)) {
            interleaved_[index] = sample;
            index += channels_;
        }
    }
    if (!sender_.try_push_batch(interleaved_)) {
        // relaxed: a counter, written by this thread only.
        lost_frames_.store(lost_frames_.load(std::memory_order_relaxed) + block.frame_count(),
                           std::memory_order_relaxed);
    }
}

void WavRecorder::run(const std::stop_token& stop) {
    std::vector<float> batch;
    batch.reserve(kBatchFrames * channels_);
    auto header_written = std::chrono::steady_clock::now();
    while (!stop.stop_requested()) {
        // The audio thread wakes nobody, so this one looks.
        std::this_thread::sleep_for(kDrainInterval);
        drain(batch);
        if (const auto now = std::chrono::steady_clock::now(); now - header_written >= kHeaderInterval) {
            writer_.update_header();
            header_written = now;
        }
    }
    drain(batch);
}

void WavRecorder::drain(std::vector<float>& batch) {
    const auto write_batch = [&] {
        if (!failed_ && !batch.empty()) {
            if (auto written = writer_.write(batch); !written) {
                failed_ = true;
                report(std::move(written.error().sentence));
            }
        }
        batch.clear();
    };
    while (const auto sample = receiver_.try_pop()) {
        batch.push_back(*sample);
        if (batch.size() == kBatchFrames * channels_) write_batch();
    }
    // Blocks enter the ring whole, so what is there is whole frames.
    write_batch();
}

void WavRecorder::report(std::string sentence) {
    const std::lock_guard lock{mutex_};
    warning_ = std::move(sentence);
}

std::optional<std::string> WavRecorder::take_warning() {
    {
        const std::lock_guard lock{mutex_};
        if (!warning_.empty()) return std::exchange(warning_, {});
    }
    if (const std::uint64_t lost = lost_frames(); lost != lost_reported_) {
        const std::uint64_t fresh = lost - std::exchange(lost_reported_, lost);
        return std::to_string(fresh) + " frames are missing from " + path_ + ": the disk could not keep up (" +
               std::to_string(lost) + " in all)";
    }
    return std::nullopt;
}

void WavRecorder::finish() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
    if (auto closed = writer_.close(); !closed && !failed_) report(std::move(closed.error().sentence));
}

}  // namespace rta::io
