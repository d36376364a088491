// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "support/process.h"
#include "support/protocol_client.h"
#include "support/temporary.h"

namespace rta::test {

/// Return the paths of the programs under test.
[[nodiscard]] std::filesystem::path rtad_program();
/// rtad without ramps and fades, to verify that a test for clicks can fail.
[[nodiscard]] std::filesystem::path rtad_no_ramps_program();
/// rtad with an additional node type, `burn`, which makes the audio late.
[[nodiscard]] std::filesystem::path rtad_test_nodes_program();
[[nodiscard]] std::filesystem::path rtactl_program();

/// A running rtad with a separate Unix socket and TCP port. It is stopped with the test, however the test ends.
class Daemon {
 public:
    struct Options {
        std::vector<std::string> arguments{};  ///< in addition to --socket and --listen: --device etc.
        std::map<std::string, std::string> environment{};
        std::filesystem::path program = rtad_program();
        std::uint16_t port = 0;  ///< TCP; 0: a free one
    };

    /// Returns when rtad accepts connections on both. If it exits before, throws std::runtime_error with its output.
    explicit Daemon(const Options& options);
    /// Stops rtad as its users do, so that it disconnects from a sound server, too; kills it if it does not exit.
    ~Daemon();
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    [[nodiscard]] const std::filesystem::path& socket() const { return socket_; }
    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] Process& process() { return *process_; }

    /// Opens a connection over the Unix socket, with its Hello completed.
    [[nodiscard]] ProtocolClient client(const std::string& name = "e2e") const;
    /// Opens a connection over TCP.
    [[nodiscard]] ProtocolClient tcp_client(const std::string& name = "e2e-tcp") const;

    /// Runs `rtactl --socket SOCKET ARGUMENTS...`.
    [[nodiscard]] RunResult ctl(std::vector<std::string> arguments, std::string_view input = {}) const;

    /// Sends SIGTERM and waits for the exit. If rtad does not exit, throws std::runtime_error with its output.
    ExitStatus stop();

 private:
    TemporaryDirectory directory_;
    std::filesystem::path socket_;
    std::uint16_t port_ = 0;
    std::unique_ptr<Process> process_;
};

/// Runs `rtad ARGUMENTS...` to its exit, with separate sockets if it listens.
[[nodiscard]] RunResult run_rtad(std::vector<std::string> arguments,
                                 std::map<std::string, std::string> environment = {});

}  // namespace rta::test
