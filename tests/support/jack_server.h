// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "os/unique_fd.h"
#include "support/process.h"

namespace rta::test {

/// A JACK server of the test's own, on the dummy driver: no hardware, 48 kHz, two channels each way.
///
/// It runs in synchronous mode, in which a cycle waits for its clients: what is recorded is exact to the sample even
/// when the machine is late, and a recording with a hole is the daemon's fault. Real-time scheduling is asked for and
/// done without where it is refused.
class JackServer {
 public:
    struct Options {
        std::uint32_t period_frames = 256;
        std::uint32_t sample_rate_hz = 48'000;
        bool synchronous = true;  ///< without it the server goes on when a client is late: an xrun
    };

    /// Returns when clients can connect. Throws std::runtime_error with what jackd said if it does not start, or if it
    /// is not installed: a test that needs JACK must fail without it.
    JackServer() : JackServer(Options{}) {}
    explicit JackServer(const Options& options);
    /// Ends the server; kills it if it does not obey.
    ~JackServer();
    JackServer(const JackServer&) = delete;
    JackServer& operator=(const JackServer&) = delete;

    /// Unlike that of any other server that runs, and of any client, for they share a path in /dev/shm.
    [[nodiscard]] const std::string& name() const { return name_; }
    /// What a process needs to find this server, and no other, without starting one itself.
    [[nodiscard]] std::map<std::string, std::string> environment() const;
    [[nodiscard]] Process& process() { return *process_; }

 private:
    [[nodiscard]] bool start(const Options& options, bool real_time);

    /// A name that no other test uses at the moment, locked.
    void take_name();

    os::UniqueFd name_lock_;
    std::string name_;
    std::unique_ptr<Process> process_;
    std::string complaints_;
};

}  // namespace rta::test
