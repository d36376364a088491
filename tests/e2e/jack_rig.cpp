// SPDX-License-Identifier: MIT
#include "jack_rig.h"

#include <stdexcept>
#include <string>

namespace rta::test {
namespace {

constexpr const char* kWitness = "witness";

Daemon::Options daemon_options(const JackServer& server, const JackRig::Options& options) {
    Daemon::Options result{.environment = server.environment(), .program = options.program};
    // rtad connects its ports when it is active at the server: before that, jackd may refuse connections, or hang.
    result.arguments = {"--device", "jack", "--jack-connect", std::string{kWitness} + ":.*"};
    result.arguments.insert(result.arguments.end(), options.arguments.begin(), options.arguments.end());
    return result;
}

}  // namespace

JackRig::JackRig(const Options& options)
    : server_{options.server},
      witness_{server_,
               {.name = kWitness,
                .inputs = 2,
                .outputs = options.with_input ? 2U : 0U,
                .capacity_frames = options.capacity_frames}},
      daemon_{daemon_options(server_, options)} {
    try {
        witness_.wait_until_connected();
    } catch (const std::runtime_error& error) {
        throw std::runtime_error(std::string{error.what()} + ":\n" + daemon_.process().error());
    }
}

}  // namespace rta::test
