// SPDX-License-Identifier: MIT
#include "jack_rig.h"

#include <algorithm>
#include <stdexcept>

namespace rta::test {
namespace {

constexpr const char* kWitness = "witness";

Daemon::Options daemon_options(const JackServer& server, const JackRig::Options& options) {
    Daemon::Options result{.environment = server.environment(), .program = options.program};
    result.arguments = {"--device", "jack"};
    result.arguments.insert(result.arguments.end(), options.arguments.begin(), options.arguments.end());
    return result;
}

/// Returns the ports of the only client that is neither the server nor the witness.
std::vector<std::string> of_the_daemon(std::vector<std::string> ports) {
    std::erase_if(ports,
                  [](const std::string& port) { return port.starts_with("system:") || port.starts_with(kWitness); });
    return ports;
}

}  // namespace

JackRig::JackRig(const Options& options)
    : server_{options.server},
      daemon_{daemon_options(server_, options)},
      witness_{server_,
               {.name = kWitness,
                .inputs = 2,
                .outputs = options.with_input ? 2U : 0U,
                .capacity_frames = options.capacity_frames}} {
    connect_outputs();
    if (options.with_input) connect_inputs();
}

std::vector<std::string> JackRig::wait_for_ports(const std::function<std::vector<std::string>()>& find,
                                                 const char* what) {
    const Deadline deadline;
    std::vector<std::string> ports = of_the_daemon(find());
    // rtad serves its clients before it has opened the device.
    while (ports.size() != 2) {
        if (deadline.passed())
            throw std::runtime_error("rtad has " + std::to_string(ports.size()) + " " + what + " at JACK, not 2:\n" +
                                     daemon_.process().error());
        witness_.wait_frames(256);
        ports = of_the_daemon(find());
    }
    return ports;
}

void JackRig::connect_outputs() {
    const std::vector<std::string> ports = wait_for_ports([this] { return witness_.output_ports(""); }, "outputs");
    for (std::uint32_t channel = 0; channel < 2; ++channel)
        witness_.connect(ports[channel], witness_.input_port(channel));
}

void JackRig::connect_inputs() {
    const std::vector<std::string> ports = wait_for_ports([this] { return witness_.input_ports(""); }, "inputs");
    for (std::uint32_t channel = 0; channel < 2; ++channel) {
        witness_.connect(witness_.output_port(channel), ports[channel]);
    }
}

}  // namespace rta::test
