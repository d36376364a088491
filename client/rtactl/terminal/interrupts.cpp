// SPDX-License-Identifier: MIT
#include "rtactl/terminal/interrupts.h"

#include <sys/signalfd.h>
#include <unistd.h>

namespace rta::rtactl {

namespace {

/// Respects a signal that is ignored, as under nohup.
bool is_ignored(int signal) {
    struct sigaction action{};
    return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

Interrupts::Interrupts(Scope scope) {
    sigset_t signals{};
    ::sigemptyset(&signals);
    ::sigaddset(&signals, SIGINT);
    ::sigaddset(&signals, SIGTERM);
    if (!is_ignored(SIGHUP)) ::sigaddset(&signals, SIGHUP);
    if (scope == Scope::end_and_screen) {
        ::sigaddset(&signals, SIGTSTP);
        ::sigaddset(&signals, SIGWINCH);
    }
    ::pthread_sigmask(SIG_BLOCK, &signals, &before_);
    signals_ = os::UniqueFd{::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK)};
}

Interrupts::~Interrupts() {
    // Discards pending signals: they would be delivered when they are unblocked.
    while (read() != Signal::none) {
    }
    signals_.reset();
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

Interrupts::Signal Interrupts::take() {
    if (pending_.empty()) return read();
    const Signal first = pending_.front();
    pending_.pop_front();
    return first;
}

bool Interrupts::end_requested() {
    for (Signal signal = read(); signal != Signal::none; signal = read()) {
        pending_.push_back(signal);
        if (signal == Signal::end) end_requested_ = true;
    }
    return end_requested_;
}

Interrupts::Signal Interrupts::read() const {
    signalfd_siginfo info{};
    if (!signals_ || ::read(signals_.get(), &info, sizeof info) != sizeof info) return Signal::none;
    if (info.ssi_signo == SIGTSTP) return Signal::suspend;
    if (info.ssi_signo == SIGWINCH) return Signal::resize;
    return Signal::end;
}

}  // namespace rta::rtactl
