// SPDX-License-Identifier: MIT
#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigset_t and pthread_sigmask are POSIX
#include <sys/signalfd.h>
#include <unistd.h>

#include <ostream>

#include "rtactl/command.h"
#include "rtactl/print.h"
#include "rtactl/session.h"

namespace rta::rtactl {

namespace {

/// While it lives, SIGINT and SIGTERM do not end the program but make a descriptor readable.
class Interrupts {
 public:
    Interrupts() {
        sigset_t signals{};
        ::sigemptyset(&signals);
        ::sigaddset(&signals, SIGINT);
        ::sigaddset(&signals, SIGTERM);
        ::pthread_sigmask(SIG_BLOCK, &signals, &before_);
        descriptor_ = ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    }
    Interrupts(const Interrupts&) = delete;
    Interrupts& operator=(const Interrupts&) = delete;
    ~Interrupts() {
        // Take what has come: it would strike as soon as it is no longer blocked.
        signalfd_siginfo info{};
        while (descriptor_ >= 0 && ::read(descriptor_, &info, sizeof info) > 0) {
        }
        if (descriptor_ >= 0) ::close(descriptor_);
        ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }

    [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
    sigset_t before_{};
    int descriptor_ = -1;
};

}  // namespace

Result<void> run_watch(Session& session, const Arguments&) {
    // A conversation of its own: in the shell, events must not pile up behind the commands that follow.
    auto connection = session.open();
    if (!connection) return std::unexpected(std::move(connection.error()));
    const Interrupts interrupts;
    v1::Request request;
    request.mutable_subscribe()->add_topics(v1::TOPIC_CHANGES);
    const auto response = connection->call(std::move(request));
    if (!response) return fail(Exit::cannot_connect, response.error().sentence);
    if (session.json()) session.print_json(*response);
    if (response->status().code() != v1::OK) return fail(Exit::refused, response->status().message());
    for (;;) {
        const auto event = connection->next_event(client::Deadline::never(), interrupts.descriptor());
        if (!event && event.error().kind == client::Error::Kind::interrupted) return {};
        if (!event) return fail(Exit::cannot_connect, event.error().sentence);
        if (session.json()) {
            session.print_json(*event);
        } else {
            session.out() << describe(*event)
                          << std::endl;  // NOLINT(performance-avoid-endl): whoever reads the pipe must see it now
        }
        // Nobody reads any more, or the disk is full: the caller of all commands says so.
        if (!session.out()) return {};
    }
}

}  // namespace rta::rtactl
