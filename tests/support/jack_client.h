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

/// A client of libjack that has nothing to do with the daemon: it records what arrives at its ports, and plays samples
/// at known frames. Frames are counted from the first cycle of the client; the recording and the playing share that
/// count.
class JackClient {
 public:
    struct Options {
        std::string name = "witness";
        std::uint32_t inputs = 2;         ///< recorded channels, ports in_1, in_2, ...
        std::uint32_t outputs = 0;        ///< played channels, ports out_1, ...
        std::size_t capacity_frames = 0;  ///< recording ends silently when it is full; see full()
    };

    /// Runs at once. Throws std::runtime_error if the server refuses.
    JackClient(const JackServer& server, const Options& options);
    ~JackClient();
    JackClient(const JackClient&) = delete;
    JackClient& operator=(const JackClient&) = delete;

    /// All ports of the server whose full name contains `part`: those that give samples, or those that take them.
    [[nodiscard]] std::vector<std::string> output_ports(std::string_view part) const;
    [[nodiscard]] std::vector<std::string> input_ports(std::string_view part) const;
    /// Full names, `CLIENT:PORT`. Throws std::runtime_error, naming both, if it cannot be done.
    void connect(const std::string& from, const std::string& to);
    void disconnect(const std::string& from, const std::string& to);
    /// Names of the ports that `port` is connected to.
    [[nodiscard]] std::vector<std::string> connections(const std::string& port) const;
    /// Own ports, by channel from 0.
    [[nodiscard]] std::string input_port(std::uint32_t channel) const;
    [[nodiscard]] std::string output_port(std::uint32_t channel) const;

    /// Plays `samples` at `channel`, once, from the returned frame on; silence before and after. One call a channel.
    std::size_t play(std::uint32_t channel, std::vector<float> samples);

    /// Frames that have gone by since the client runs.
    [[nodiscard]] std::size_t frames() const { return frames_.load(std::memory_order_acquire); }
    /// Waits until `frame` frames have gone by. Throws std::runtime_error if they do not.
    void wait_for_frame(std::size_t frame, std::chrono::milliseconds patience = kPatience);
    void wait_frames(std::size_t count) { wait_for_frame(frames() + count); }

    /// What has been recorded of a channel so far.
    [[nodiscard]] std::span<const float> recording(std::uint32_t channel) const;
    [[nodiscard]] bool full() const { return frames() > capacity_frames_; }
    /// Cycles whose number, by the server's own frame clock, did not follow that of the cycle before.
    [[nodiscard]] std::uint64_t lost_frames() const { return lost_frames_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t xruns() const { return xruns_.load(std::memory_order_relaxed); }
    /// The server went away.
    [[nodiscard]] bool shut_down() const { return shut_down_.load(std::memory_order_acquire); }

 private:
    struct Playback {
        std::vector<float> samples;
        std::size_t start = 0;
        /// Release by play(), acquire by the callback: samples and start are complete before they are read.
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
    std::atomic<std::uint64_t> lost_frames_{0};
    std::atomic<std::uint64_t> xruns_{0};
    std::atomic<bool> shut_down_{false};
    sem_t cycle_{};  ///< posted once a cycle: the one wake-up that may be given from the callback
};

}  // namespace rta::test
