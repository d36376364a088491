// SPDX-License-Identifier: MIT
#include "rtactl/terminal/interrupts.h"

#include <sys/signalfd.h>
#include <unistd.h>

namespace rta::rtactl {

namespace {

/// As nohup has it: who does not want to be ended by a signal is not.
bool is_ignored(int signal) {
    struct sigaction action{};
    return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

Interrupts::Interrupts(bool of_picture) {
    sigset_t signals{};
    ::sigemptyset(&signals);
    ::sigaddset(&signals, SIGINT);
    ::sigaddset(&signals, SIGTERM);
    if (!is_ignored(SIGHUP)) ::sigaddset(&signals, SIGHUP);
    if (of_picture) {
        ::sigaddset(&signals, SIGTSTP);
        ::sigaddset(&signals, SIGWINCH);
    }
    ::pthread_sigmask(SIG_BLOCK, &signals, &before_);
    descriptor_ = ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

Interrupts::~Interrupts() {
    // Take what has come: it would strike as soon as it is no longer blocked.
    while (read() != Signal::none) {
    }
    if (descriptor_ >= 0) ::close(descriptor_);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

Interrupts::Signal Interrupts::take() {
    if (held_back_.empty()) return read();
    const Signal first = held_back_.front();
    held_back_.pop_front();
    return first;
}

bool Interrupts::end_has_come() {
    for (Signal signal = read(); signal != Signal::none; signal = read()) {
        held_back_.push_back(signal);
        if (signal == Signal::end) end_ = true;
    }
    return end_;
}

Interrupts::Signal Interrupts::read() const {
    signalfd_siginfo info{};
    if (descriptor_ < 0 || ::read(descriptor_, &info, sizeof info) != sizeof info) return Signal::none;
    if (info.ssi_signo == SIGTSTP) return Signal::suspend;
    if (info.ssi_signo == SIGWINCH) return Signal::resize;
    return Signal::end;
}

}  // namespace rta::rtactl
