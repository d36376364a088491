// SPDX-License-Identifier: MIT
#include "app/exit_signals.h"

#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigaction is POSIX
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "app/options.h"

namespace rta::app {
namespace {

constexpr std::array kExitSignals{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGXCPU, SIGPWR};

[[nodiscard]] bool is_ignored(int signal) {
    struct sigaction action{};
    return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

// Signal handlers.

void report_save(int) {
    constexpr std::string_view kText = "rtad: saving the last changes\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kText.data(), kText.size());
}

void exit_immediately(int) { std::_Exit(kExitFailure); }

}  // namespace

void ExitSignals::await(std::function<void()> first, std::function<void()> second) {
    for (const int signal : kExitSignals) {
        if (!is_ignored(signal)) signals_.add(signal);
    }
    signals_.async_wait(
        [this, first = std::move(first), second = std::move(second)](const asio::error_code& error, int) {
            if (error) return;
            signals_.async_wait([second](const asio::error_code& second_error, int) {
                if (!second_error) second();
            });
            first();
        });
}

/// Replaces the handlers of Asio. The replacement must be atomic: with the default action in between, a signal would kill
/// the process.
void ExitSignals::set_afterwards(Afterwards afterwards) {
    for (const int signal : kExitSignals) {
        if (is_ignored(signal)) continue;
        struct sigaction action{};
        action.sa_handler = afterwards == Afterwards::report_save ? report_save : exit_immediately;
        sigaction(signal, &action, nullptr);
    }
}

}  // namespace rta::app
