// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "support/daemon.h"
#include "support/jack_client.h"
#include "support/jack_server.h"

namespace rta::test {

/// The name under which PortAudio offers the two hardware channels of a JACK server.
inline constexpr const char* kJackDevice = "portaudio:JACK Audio Connection Kit/system";

/// The real audio path: a JACK server, rtad on it through PortAudio, and a witness that records what rtad plays and
/// plays what rtad hears.
class JackRig {
 public:
    struct Options {
        std::vector<std::string> arguments{};  ///< of rtad, beside its device
        std::filesystem::path program = rtad_program();
        std::size_t capacity_frames = 0;  ///< of the recording
        JackServer::Options server{};
        bool with_input = false;  ///< the witness plays into rtad's inputs, the server's silence does not
    };

    explicit JackRig(const Options& options);

    [[nodiscard]] JackServer& server() { return server_; }
    [[nodiscard]] Daemon& daemon() { return daemon_; }
    /// Its recording channels 0 and 1 are rtad's outputs 1 and 2; its outputs 0 and 1 feed rtad's inputs.
    [[nodiscard]] JackClient& witness() { return witness_; }

 private:
    [[nodiscard]] std::vector<std::string> wait_for_ports(const std::function<std::vector<std::string>()>& find,
                                                          const char* what);
    void connect_outputs();
    void connect_inputs();

    JackServer server_;
    Daemon daemon_;
    JackClient witness_;
};

}  // namespace rta::test
