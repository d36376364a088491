// SPDX-License-Identifier: MIT
#pragma once

#include <jack/jack.h>
#include <semaphore.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "support/deadline.h"
#include "support/jack_server.h"

namespace rta::test {

/// A client of libjack that is independent of the daemon. It records from its inputs, and plays samples at known
/// frames. Frames are counted from the first cycle of the client, for recording and playback.
class JackClient {
 public:
    struct Options {
        std::string name = "witness";
        std::uint32_t inputs = 2;         ///< recorded channels, ports in_1, in_2, ...
        std::uint32_t outputs = 0;        ///< played channels, ports out_1, ...
        std::size_t capacity_frames = 0;  ///< recording stops silently when it is full; see full()
    };

    /// Starts immediately. Throws std::runtime_error if the server refuses.
    JackClient(const JackServer& server, const Options& options);
    ~JackClient();
    JackClient(const JackClient&) = delete;
    JackClient& operator=(const JackClient&) = delete;

    /// Return all output or input ports of the server whose full name contains `part`.
    [[nodiscard]] std::vector<std::string> output_ports(std::string_view part) const;
    [[nodiscard]] std::vector<std::string> input_ports(std::string_view part) const;
    /// Connects two ports by full name, `CLIENT:PORT`. Throws std::runtime_error with both names if it fails.
    void connect(const std::string& from, const std::string& to);
    void disconnect(const std::string& from, const std::string& to);
    /// Returns the names of the ports that `port` is connected to.
    [[nodiscard]] std::vector<std::string> connections(const std::string& port) const;
    /// Waits until each port of the client is connected; frames that were lost before do not count. Throws
    /// std::runtime_error on timeout.
    void wait_until_connected();
    /// Return the names of the client's ports, by channel from 0.
    [[nodiscard]] std::string input_port(std::uint32_t channel) const;
    [[nodiscard]] std::string output_port(std::uint32_t channel) const;

    /// Plays `samples` once on `channel`, from the returned frame on; silence before and after. At most one call per
    /// channel.
    std::size_t play(std::uint32_t channel, std::vector<float> samples);

    /// Returns the number of frames since the client was started.
    [[nodiscard]] std::size_t frames() const { return frames_.load(std::memory_order_acquire); }
    /// Waits until `frame` frames have passed. Throws std::runtime_error on timeout.
    void wait_for_frame(std::size_t frame, std::chrono::milliseconds patience = kPatience);
    void wait_frames(std::size_t count) { wait_for_frame(frames() + count); }

    /// Returns the frame at a time of CLOCK_MONOTONIC, by the clock of the server, which it smooths itself. The time must be
    /// near the present.
    [[nodiscard]] std::int64_t frame_at(std::uint64_t monotonic_ns) const;

    /// Returns the recording of a channel so far.
    [[nodiscard]] std::span<const float> recording(std::uint32_t channel) const;
    [[nodiscard]] bool full() const { return frames() > capacity_frames_; }
    /// Returns the number of frames that were skipped between cycles, by the frame clock of the server.
    [[nodiscard]] std::uint64_t lost_frames() const { return lost_frames_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t xruns() const { return xruns_.load(std::memory_order_relaxed); }
    /// Returns whether the server has shut down.
    [[nodiscard]] bool shut_down() const { return shut_down_.load(std::memory_order_acquire); }

 private:
    struct Playback {
        std::vector<float> samples;
        std::size_t start = 0;
        /// Release by play(), acquire by the callback: samples and start are written before they are read.
        std::atomic<bool> ready{false};
    };

    void process(jack_nframes_t count);
    [[nodiscard]] std::vector<std::string> ports(std::string_view part, unsigned long flags) const;

    jack_client_t* client_ = nullptr;
    std::size_t capacity_frames_;
    std::vector<jack_port_t*> inputs_;
    std::vector<jack_port_t*> outputs_;
    std::vector<std::vector<float>> recordings_;
    std::vector<std::unique_ptr<Playback>> playbacks_;
    jack_nframes_t expected_time_ = 0;
    bool started_ = false;
    std::atomic<std::size_t> frames_{0};
    std::atomic<jack_nframes_t> origin_{0};  ///< of the server's clock: its frames less those of the client
    std::atomic<std::uint64_t> lost_frames_{0};
    std::atomic<std::uint64_t> xruns_{0};
    std::atomic<bool> shut_down_{false};
    sem_t cycle_{};  ///< posted once per cycle: the only wake-up that is allowed from the callback
};

}  // namespace rta::test
