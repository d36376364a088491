// SPDX-License-Identifier: MIT
#include "support/daemon.h"

#include <signal.h>
#include <unistd.h>

#include <stdexcept>

namespace rta::test {
namespace {

bool accepts_connections(const std::filesystem::path& socket, std::uint16_t port) {
    try {
        static_cast<void>(ProtocolClient::connect_unix(socket));
        static_cast<void>(ProtocolClient::connect_tcp(port));
        return true;
    } catch (const std::runtime_error&) {
        return false;
    }
}

}  // namespace

std::filesystem::path rtad_program() { return RTA_TEST_RTAD; }
std::filesystem::path rtad_no_ramps_program() { return RTA_TEST_RTAD_NO_RAMPS; }
std::filesystem::path rtad_test_nodes_program() { return RTA_TEST_RTAD_TEST_NODES; }
std::filesystem::path rtactl_program() { return RTA_TEST_RTACTL; }

Daemon::Daemon(const Options& options)
    : socket_{directory_ / "control.sock"}, port_{options.port == 0 ? free_tcp_port() : options.port} {
    std::vector<std::string> arguments{"--socket", socket_.string(), "--listen", "127.0.0.1:" + std::to_string(port_)};
    arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
    process_ = std::make_unique<Process>(Command{options.program.string(), std::move(arguments), options.environment});
    const Deadline deadline;
    while (!accepts_connections(socket_, port_)) {
        if (!process_->running() || deadline.passed()) {
            const ExitStatus status = process_->kill();
            throw std::runtime_error("rtad does not start (" + describe(status) + "):\n" + process_->output() +
                                     process_->error());
        }
        // The daemon is a separate program under test: accepting a connection is the only sign that it is ready.
        ::usleep(5'000);
    }
}

Daemon::~Daemon() {
    process_->signal(SIGTERM);
    static_cast<void>(process_->wait(std::chrono::seconds{10}));
}

ProtocolClient Daemon::client(const std::string& name) const {
    ProtocolClient client = ProtocolClient::connect_unix(socket_);
    client.hello(name);
    return client;
}

ProtocolClient Daemon::tcp_client(const std::string& name) const {
    ProtocolClient client = ProtocolClient::connect_tcp(port_);
    client.hello(name);
    return client;
}

RunResult Daemon::ctl(std::vector<std::string> arguments, std::string_view input) const {
    arguments.insert(arguments.begin(), {"--socket", socket_.string()});
    return run(Command{rtactl_program().string(), std::move(arguments)}, input);
}

ExitStatus Daemon::stop() {
    process_->signal(SIGTERM);
    const std::optional<ExitStatus> status = process_->wait();
    if (!status)
        throw std::runtime_error("rtad does not end after SIGTERM:\n" + process_->output() + process_->error());
    return *status;
}

RunResult run_rtad(std::vector<std::string> arguments, std::map<std::string, std::string> environment) {
    return run(Command{rtad_program().string(), std::move(arguments), std::move(environment)});
}

}  // namespace rta::test
