// SPDX-License-Identifier: MIT
#include "support/jack_server.h"

#include <fcntl.h>
#include <jack/jack.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>

#include "os/file_lock.h"

namespace rta::test {
namespace {

/// Suppresses the messages of libjack about attempts to reach a server that has not started yet.
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

/// JACK keeps a registry of at most eight servers. The entry of a killed server remains until a server with the same
/// name starts. Reusing a few names prevents killed servers from filling the registry.
constexpr int kNames = 4;

}  // namespace

void JackServer::take_name() {
    const Deadline deadline;
    for (int number = 0; !deadline.passed(); number = (number + 1) % kNames) {
        const std::string name = "rta_test_" + std::to_string(::getuid()) + "_" + std::to_string(number);
        const std::string file = std::filesystem::temp_directory_path() / (name + ".lock");
        name_lock_ = os::UniqueFd{::open(file.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0666)};
        if (!name_lock_) throw std::runtime_error("cannot open " + file);
        if (os::try_lock(name_lock_.get())) {
            name_ = name;
            return;
        }
        if (number == kNames - 1) ::usleep(100'000);  // all names are in use by other tests
    }
    throw std::runtime_error("all JACK servers of the tests are in use");
}

JackServer::JackServer(const Options& options) : options_{options} {
    silence_libjack();
    take_name();
    start_or_throw();
}

void JackServer::restart() {
    static_cast<void>(process_->wait());
    start_or_throw();
}

void JackServer::start_or_throw() {
    if (!start(options_, true) && !start(options_, false)) {
        throw std::runtime_error("jackd does not start (packages jackd2, libjack-jackd2-0):\n" + complaints_);
    }
}

JackServer::~JackServer() {
    process_->signal(SIGTERM);
    // The destructor of the process kills it if it does not exit.
    static_cast<void>(process_->wait(std::chrono::seconds{5}));
}

bool JackServer::start(const Options& options, bool real_time) {
    // -S: synchronous. -t: a timeout for clients that is longer than that of the test.
    std::vector<std::string> arguments{"-n", name_, real_time ? "-R" : "--no-realtime", "-t", "5000"};
    if (options.synchronous) arguments.emplace_back("-S");
    arguments.insert(arguments.end(), {"-d", "dummy", "-r", std::to_string(options.sample_rate_hz), "-p",
                                       std::to_string(options.period_frames)});
    process_ = std::make_unique<Process>(Command{"jackd", std::move(arguments), {{"JACK_NO_AUDIO_RESERVATION", "1"}}});
    const Deadline deadline;
    while (process_->running() && !deadline.passed()) {
        if (accepts_clients(name_)) return true;
        // The server does not signal when it is ready, and its socket appears too early, so poll.
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
