// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "support/daemon.h"
#include "support/jack_client.h"
#include "support/jack_server.h"

namespace rta::test {

/// The real audio path: a JACK server, rtad as its client, and a witness, which records the output of rtad and plays
/// into its inputs.
class JackRig {
 public:
    struct Options {
        std::vector<std::string> arguments{};  ///< arguments of rtad, in addition to its device
        std::filesystem::path program = rtad_program();
        std::size_t capacity_frames = 0;  ///< capacity of the recording
        JackServer::Options server{};
        bool with_input = false;  ///< connect the inputs of rtad to the witness instead of the silence of the server
    };

    /// Returns when the ports are connected. Throws std::runtime_error with the output of rtad if they are not.
    explicit JackRig(const Options& options);

    [[nodiscard]] JackServer& server() { return server_; }
    [[nodiscard]] Daemon& daemon() { return daemon_; }
    /// Its recording channels 0 and 1 are rtad's outputs 1 and 2; its outputs 0 and 1 feed rtad's inputs.
    [[nodiscard]] JackClient& witness() { return witness_; }

 private:
    JackServer server_;
    JackClient witness_;  ///< before the daemon, which connects its ports to those of the witness
    Daemon daemon_;
};

}  // namespace rta::test
