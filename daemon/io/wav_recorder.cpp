// SPDX-License-Identifier: MIT
#include "io/wav_recorder.h"

#include <pthread.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <utility>

namespace rta::io {
namespace {

constexpr std::chrono::milliseconds kDrainInterval{50};
/// How much sound may be missing from the file after a kill, beside what is in the ring.
constexpr std::chrono::seconds kHeaderInterval{1};
constexpr std::size_t kBatchFrames = 4096;
/// In the ring at once; while there are more, blocks are lost, and make a gap longer instead.
constexpr std::size_t kGaps = 64;

[[nodiscard]] std::size_t ring_capacity(std::uint32_t sample_rate_hz, std::uint32_t channels) {
    return std::bit_ceil(std::size_t{sample_rate_hz} * channels * WavRecorder::kBufferSeconds);
}

}  // namespace

Expected<std::unique_ptr<WavRecorder>> WavRecorder::create(const std::string& path, std::uint32_t sample_rate_hz,
                                                           std::uint32_t channels, std::uint32_t block_size,
                                                           OlderRecording older) {
    auto writer = WavWriter::create(path, sample_rate_hz, channels, older);
    if (!writer) return std::unexpected(writer.error());
    const std::string kept = writer->kept();
    std::unique_ptr<WavRecorder> recorder{
        new WavRecorder{std::move(*writer), path, sample_rate_hz, channels, block_size}};
    if (!kept.empty()) recorder->report("an older recording, " + path + ", is kept as " + kept);
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
    // The gap goes first: when its reader finds the block, it finds the gap before it too.
    if (missing_frames_ != 0) {
        if (sender_.free_space() < interleaved_.size() || !gap_sender_.try_push({blocks_sent_, missing_frames_})) {
            return lose(block.frame_count());
        }
        missing_frames_ = 0;
    }
    if (!sender_.try_push_batch(interleaved_)) return lose(block.frame_count());
    ++blocks_sent_;
}

void WavRecorder::lose(std::uint32_t frames) RTA_NONBLOCKING {
    missing_frames_ += frames;
    // relaxed: a counter, written by this thread only.
    lost_frames_.store(lost_frames_.load(std::memory_order_relaxed) + frames, std::memory_order_relaxed);
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
    // Blocks enter the ring whole, so what is there is whole frames.
    write(batch);
}

void WavRecorder::write(std::vector<float>& batch) {
    if (!failed_ && !batch.empty()) {
        if (auto written = writer_.write(batch); !written) {
            failed_ = true;
            report(std::move(written.error().sentence));
        }
    }
    batch.clear();
}

void WavRecorder::write_silence(std::uint64_t frames) {
    std::vector<float> silence;
    for (; frames > 0; frames -= std::min<std::uint64_t>(frames, kBatchFrames)) {
        silence.assign(std::min<std::uint64_t>(frames, kBatchFrames) * channels_, 0.0F);
        write(silence);
    }
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
        return std::to_string(fresh) + " frames are missing from " + path_ +
               ", and silence stands for them: the disk could not keep up (" + std::to_string(lost) + " in all)";
    }
    return std::nullopt;
}

void WavRecorder::finish() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
    write_silence(std::exchange(missing_frames_, 0));
    if (auto closed = writer_.close(); !closed && !std::exchange(failed_, true)) {
        report(std::move(closed.error().sentence));
    }
}

}  // namespace rta::io
