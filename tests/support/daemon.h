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

/// Paths of the programs under test.
[[nodiscard]] std::filesystem::path rtad_program();
/// rtad without ramps and fades: shows that a test that listens for clicks can fail.
[[nodiscard]] std::filesystem::path rtad_no_ramps_program();
/// rtad with a node type more, `burn`, that makes the audio late.
[[nodiscard]] std::filesystem::path rtad_test_nodes_program();
[[nodiscard]] std::filesystem::path rtactl_program();

/// A running rtad with a Unix socket and a TCP port of its own. It ends with the test, whatever ends that.
class Daemon {
 public:
    struct Options {
        std::vector<std::string> arguments{};  ///< beside --socket and --listen: --device and so on
        std::map<std::string, std::string> environment{};
        std::filesystem::path program = rtad_program();
    };

    /// Returns when it accepts connections on both. Throws std::runtime_error with what it wrote if it ends before
    /// that.
    explicit Daemon(const Options& options);
    /// Ends rtad as its users do, so that it takes leave of a sound server too; kills it if it does not obey.
    ~Daemon();
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    [[nodiscard]] const std::filesystem::path& socket() const { return socket_; }
    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] Process& process() { return *process_; }

    /// A connection over the Unix socket, past its Hello.
    [[nodiscard]] ProtocolClient client(const std::string& name = "e2e") const;
    /// The same over TCP.
    [[nodiscard]] ProtocolClient tcp_client(const std::string& name = "e2e-tcp") const;

    /// `rtactl --socket SOCKET ARGUMENTS...`
    [[nodiscard]] RunResult ctl(std::vector<std::string> arguments, std::string_view input = {}) const;

    /// SIGTERM, and waits for the end. Throws std::runtime_error, with what it wrote, if it does not come.
    ExitStatus stop();

 private:
    TemporaryDirectory directory_;
    std::filesystem::path socket_;
    std::uint16_t port_ = 0;
    std::unique_ptr<Process> process_;
};

/// Runs `rtad ARGUMENTS...` to its end, with sockets of its own where it is to listen.
[[nodiscard]] RunResult run_rtad(std::vector<std::string> arguments,
                                 std::map<std::string, std::string> environment = {});

}  // namespace rta::test
