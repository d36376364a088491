// SPDX-License-Identifier: MIT
#include "support/jack_server.h"

#include <jack/jack.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <stdexcept>

namespace rta::test {
namespace {

/// libjack prints every attempt to reach a server that is not there yet.
void silence_libjack() {
    ::jack_set_error_function([](const char*) {});
    ::jack_set_info_function([](const char*) {});
}

bool accepts_clients(const std::string& server) {
    const std::string name = "probe-" + std::to_string(::getpid());
    jack_client_t* client = ::jack_client_open(
        name.c_str(), static_cast<jack_options_t>(JackNoStartServer | JackServerName), nullptr, server.c_str());
    if (client == nullptr) return false;
    ::jack_client_close(client);
    return true;
}

std::string unique_server_name() {
    static std::atomic<int> next{0};
    return "rta-" + std::to_string(::getpid()) + "-" + std::to_string(next++);
}

}  // namespace

JackServer::JackServer(const Options& options) : name_{unique_server_name()} {
    silence_libjack();
    if (!start(options, true) && !start(options, false)) {
        throw std::runtime_error("jackd does not start (packages jackd2, libjack-jackd2-0):\n" + complaints_);
    }
}

JackServer::~JackServer() {
    process_->signal(SIGTERM);
    // Without a SIGTERM obeyed the destructor of the process kills it.
    static_cast<void>(process_->wait(std::chrono::seconds{5}));
}

bool JackServer::start(const Options& options, bool real_time) {
    // -S: synchronous. -t: a client may be as late as it likes; the test's own patience ends first.
    std::vector<std::string> arguments{"-n",
                                       name_,
                                       real_time ? "-R" : "--no-realtime",
                                       "-t",
                                       "5000",
                                       "-S",
                                       "-d",
                                       "dummy",
                                       "-r",
                                       std::to_string(options.sample_rate_hz),
                                       "-p",
                                       std::to_string(options.period_frames)};
    process_ = std::make_unique<Process>(Command{"jackd", std::move(arguments), {{"JACK_NO_AUDIO_RESERVATION", "1"}}});
    const Deadline deadline;
    while (process_->running() && !deadline.passed()) {
        if (accepts_clients(name_)) return true;
        // There is nothing to wait on: the server says nothing when it is ready, and its socket appears too early.
        ::usleep(10'000);
    }
    process_->kill();
    complaints_ += process_->output() + process_->error();
    return false;
}

std::map<std::string, std::string> JackServer::environment() const {
    return {{"JACK_DEFAULT_SERVER", name_}, {"JACK_NO_START_SERVER", "1"}, {"JACK_NO_AUDIO_RESERVATION", "1"}};
}

}  // namespace rta::test
