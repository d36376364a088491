// SPDX-License-Identifier: MIT
#include "io/wav_recorder.h"

#include <pthread.h>

#include <bit>
#include <chrono>
#include <utility>

namespace rta::io {
namespace {

constexpr std::chrono::milliseconds kDrainInterval{50};
/// Audio that may be missing from the file after a kill, in addition to the contents of the ring.
constexpr std::chrono::seconds kHeaderInterval{1};
constexpr std::size_t kBatchFrames = 4096;
/// Capacity of the ring of gaps. While it is full, further blocks are dropped, which extends the last gap.
constexpr std::size_t kGaps = 64;

[[nodiscard]] std::size_t ring_capacity(std::uint32_t sample_rate_hz, std::uint32_t channels) {
    return std::bit_ceil(std::size_t{sample_rate_hz} * channels * WavRecorder::kBufferSeconds);
}

}  // namespace

Expected<std::unique_ptr<WavRecorder>> WavRecorder::create(const std::string& path, std::uint32_t sample_rate_hz,
                                                           std::uint32_t channels, std::uint32_t block_size,
                                                           ExistingFile existing_file) {
    auto writer = WavWriter::create(path, sample_rate_hz, channels, existing_file);
    if (!writer) return std::unexpected(writer.error());
    const std::string renamed_to = writer->renamed_to();
    std::unique_ptr<WavRecorder> recorder{
        new WavRecorder{std::move(*writer), path, sample_rate_hz, channels, block_size}};
    if (!renamed_to.empty()) recorder->report("the existing recording " + path + " was renamed to " + renamed_to);
    return recorder;
}

WavRecorder::WavRecorder(WavWriter writer, std::string path, std::uint32_t sample_rate_hz, std::uint32_t channels,
                         std::uint32_t block_size)
    : path_{std::move(path)},
      channels_{channels},
      block_size_{block_size},
      ring_{ring_capacity(sample_rate_hz, channels)},
      sender_{ring_.sender()},
      interleaved_(std::size_t{block_size} * channels),
      gap_ring_{kGaps},
      gap_sender_{gap_ring_.sender()},
      receiver_{ring_.receiver()},
      gap_receiver_{gap_ring_.receiver()},
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
    // The gap is pushed first, so that the reader of the block always sees the gap before it.
    if (missing_frames_ != 0) {
        if (sender_.free_space() < interleaved_.size() || !gap_sender_.try_push({blocks_sent_, missing_frames_})) {
            return drop(block.frame_count());
        }
        missing_frames_ = 0;
    }
    if (!sender_.try_push_batch(interleaved_)) return drop(block.frame_count());
    ++blocks_sent_;
}

void WavRecorder::drop(std::uint32_t frames) RTA_NONBLOCKING {
    missing_frames_ += frames;
    // relaxed: a counter, written by this thread only.
    dropped_frames_.store(dropped_frames_.load(std::memory_order_relaxed) + frames, std::memory_order_relaxed);
}

void WavRecorder::run(const std::stop_token& stop) {
    std::vector<float> batch;
    batch.reserve(kBatchFrames * channels_);
    header_written_ = std::chrono::steady_clock::now();
    while (!stop.stop_requested()) {
        // The audio thread must not wake other threads, so this thread polls.
        std::this_thread::sleep_for(kDrainInterval);
        drain(batch);
    }
    drain(batch);
}

void WavRecorder::drain(std::vector<float>& batch) {
    const std::size_t block_samples = std::size_t{block_size_} * channels_;
    while (const auto sample = receiver_.try_pop()) {
        if (samples_read_ % block_samples == 0) {
            if (!next_gap_) next_gap_ = gap_receiver_.try_pop();
            if (next_gap_ && next_gap_->before_block == samples_read_ / block_samples) {
                write(batch);
                write_silence(next_gap_->frames);
                next_gap_.reset();
            }
        }
        ++samples_read_;
        batch.push_back(*sample);
        if (batch.size() == kBatchFrames * channels_) write(batch);
    }
    // Blocks enter the ring as a whole, so the batch contains whole frames.
    write(batch);
}

void WavRecorder::write(std::vector<float>& batch) {
    if (!failed_ && !batch.empty()) check(writer_.write(batch));
    batch.clear();
    // Here, because the ring of a slow disk is never empty.
    if (const auto now = std::chrono::steady_clock::now(); now - header_written_ >= kHeaderInterval) {
        writer_.update_header();
        header_written_ = now;
    }
}

void WavRecorder::write_silence(std::uint64_t frames) {
    if (!failed_) check(writer_.write_silence(frames));
}

void WavRecorder::check(Expected<void> written) {
    if (written) return;
    failed_ = true;
    report(std::move(written.error().sentence));
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
    if (const std::uint64_t dropped = dropped_frames(); dropped != dropped_reported_) {
        const std::uint64_t fresh = dropped - std::exchange(dropped_reported_, dropped);
        return std::to_string(fresh) + " frames are missing from " + path_ +
               " and were replaced with silence: the disk could not keep up (" + std::to_string(dropped) +
               " frames in total)";
    }
    return std::nullopt;
}

void WavRecorder::finish() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
    write_silence(std::exchange(missing_frames_, 0));
    if (auto closed = writer_.close(); !failed_) check(std::move(closed));
}

}  // namespace rta::io
