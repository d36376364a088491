// SPDX-License-Identifier: MIT
#include "io/null_device.h"

#include <pthread.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <system_error>
#include <utility>

#include "io/audio_thread_setup.h"
#include "io/clocks.h"

namespace rta::io {
namespace {

void sleep_until(std::int64_t time_ns) noexcept {
    const timespec until{.tv_sec = time_ns / kSecondNs, .tv_nsec = time_ns % kSecondNs};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {
    }
}

}  // namespace

Expected<std::unique_ptr<NullDevice>> NullDevice::open(const Config& config) {
    std::unique_ptr<WavRecorder> recorder;
    if (!config.file.empty()) {
        auto created = WavRecorder::create(config.file, config.sample_rate_hz, config.channels_out, config.block_size,
                                           config.existing_file);
        if (!created) return std::unexpected(created.error());
        recorder = std::move(*created);
    }
    return std::unique_ptr<NullDevice>{new NullDevice{config, std::move(recorder)}};
}

NullDevice::NullDevice(const Config& config, std::unique_ptr<WavRecorder> recorder)
    : description_{.kind = "null",
                   .name = config.file,
                   .sample_rate_hz = config.sample_rate_hz,
                   .channels_in = config.channels_in,
                   .channels_out = config.channels_out},
      block_size_{config.block_size},
      recorder_{std::move(recorder)},
      input_{config.channels_in, config.block_size},
      output_{config.channels_out, config.block_size} {}

NullDevice::~NullDevice() { stop(); }

Expected<void> NullDevice::start(BlockAdapter& adapter) {
    try {
        thread_ = std::thread{[this, &adapter] { run(adapter); }};
    } catch (const std::system_error& error) {
        return fail(ErrorCode::resource_exhausted,
                    std::string{"cannot start the thread of the null device: "} + error.what());
    }
    return {};
}

void NullDevice::run(BlockAdapter& adapter) {
    pthread_setname_np(pthread_self(), "rtad-audio");
    priority_refusal_.store(ask_for_realtime_priority(), std::memory_order_relaxed);
    const auto inputs = channel_pointers(input_.read());
    const auto outputs = channel_pointers(output_.write());

    NullClock clock{description_.sample_rate_hz, block_size_, monotonic_now_ns()};
    while (!stop_.load(std::memory_order_relaxed)) {
        sleep_until(clock.due_ns());
        clock.begin_block(monotonic_now_ns());
        adapter.process(inputs.data(), outputs.data(), block_size_);
        if (recorder_) recorder_->record(output_.read());
    }
}

void NullDevice::stop() {
    stop_.store(true, std::memory_order_relaxed);
    if (thread_.joinable()) thread_.join();
    if (recorder_) recorder_->finish();
}

std::string NullDevice::why_not_realtime() const {
    const int refusal = priority_refusal_.load(std::memory_order_relaxed);
    return "SCHED_FIFO was refused: " + std::string{std::strerror(refusal)} +
           "; grant CAP_SYS_NICE or a limit on real-time priority (LimitRTPRIO=)";
}

std::optional<std::string> NullDevice::take_warning() { return recorder_ ? recorder_->take_warning() : std::nullopt; }

}  // namespace rta::io
