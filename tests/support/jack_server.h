// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "os/unique_fd.h"
#include "support/process.h"

namespace rta::test {

/// A separate JACK server with the dummy driver: no hardware, 48 kHz, two channels in each direction.
///
/// It runs in synchronous mode, in which a cycle waits for its clients: recordings are exact to the sample even on a
/// busy machine, so a gap in a recording is an error of the daemon. Real-time scheduling is requested, and not
/// required.
class JackServer {
 public:
    struct Options {
        std::uint32_t period_frames = 256;
        std::uint32_t sample_rate_hz = 48'000;
        bool synchronous = true;  ///< if false, the server continues when a client is late: an xrun
    };

    /// Returns when clients can connect. Throws std::runtime_error with the output of jackd if it does not start or is
    /// not installed: a test that needs JACK must fail without it.
    JackServer() : JackServer(Options{}) {}
    explicit JackServer(const Options& options);
    /// Stops the server; kills it if it does not exit.
    ~JackServer();
    JackServer(const JackServer&) = delete;
    JackServer& operator=(const JackServer&) = delete;

    /// Returns a name that differs from those of all running servers and of all clients, which share a path in
    /// /dev/shm.
    [[nodiscard]] const std::string& name() const { return name_; }
    /// Returns the environment in which a process finds only this server and does not start another one.
    [[nodiscard]] std::map<std::string, std::string> environment() const;
    [[nodiscard]] Process& process() { return *process_; }

    /// Kills the server, as a crash would.
    void kill() { process_->kill(); }
    /// Starts it again under the same name, after kill() or an exit. Returns when clients can connect.
    void restart();

 private:
    [[nodiscard]] bool start(const Options& options, bool real_time);

    void start_or_throw();

    /// Locks a name that no other test currently uses.
    void take_name();

    Options options_;
    os::UniqueFd name_lock_;
    std::string name_;
    std::unique_ptr<Process> process_;
    std::string complaints_;
};

}  // namespace rta::test
