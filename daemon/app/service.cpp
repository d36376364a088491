// SPDX-License-Identifier: MIT
#include "app/service.h"

#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <thread>

namespace rta::app {

std::optional<std::chrono::milliseconds> ServiceManager::watchdog_interval() {
    constexpr std::uint64_t kCallsPerTimeout = 4;
    std::uint64_t granted_us = 0;
    if (sd_watchdog_enabled(0, &granted_us) <= 0) return std::nullopt;
    const std::uint64_t interval_ms = std::max<std::uint64_t>(granted_us / 1000 / kCallsPerTimeout, 1);
    return std::chrono::milliseconds{interval_ms};
}

bool ServiceManager::present() { return std::getenv("NOTIFY_SOCKET") != nullptr; }

void ServiceManager::ready() { sd_notify(0, "READY=1"); }

void ServiceManager::status(const std::string& line) {
    if (line == status_) return;
    status_ = line;
    std::string one_line = "STATUS=" + line;
    std::ranges::replace(one_line, '\n', ' ');
    sd_notify(0, one_line.c_str());
}

void ServiceManager::alive() { sd_notify(0, "WATCHDOG=1"); }

void ServiceManager::stopping() { sd_notify(0, "STOPPING=1"); }

void ServiceManager::pause_failed_start() {
    if (present()) std::this_thread::sleep_for(kFailedStartPause);
}

bool stderr_is_journal() {
    const char* const stream = std::getenv("JOURNAL_STREAM");
    struct stat status{};
    if (stream == nullptr || ::fstat(STDERR_FILENO, &status) != 0) return false;
    // The variable is inherited, also by processes whose stderr is redirected: compare the file itself.
    return std::string_view{stream} == std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
}

}  // namespace rta::app
