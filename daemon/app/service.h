// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace rta::app {

/// Reports state to systemd. All functions are no-ops if the process was not started by systemd. [control]
class ServiceManager {
 public:
    /// Returns the interval at which to call alive(), a fraction of the watchdog timeout; nullopt without a watchdog.
    [[nodiscard]] static std::optional<std::chrono::milliseconds> watchdog_interval();

    /// Returns whether a service manager started the process. It may restart the process when it exits.
    [[nodiscard]] static bool present();

    /// Reports that the service works. Units that are ordered after it may start.
    void ready();
    /// Sets the line that `systemctl status` shows. Sends nothing if it has not changed.
    void status(const std::string& line);
    /// Resets the watchdog. Without it, systemd kills and restarts the service.
    void alive();
    /// Reports that the service is about to exit.
    void stopping();

    /// Delays exit after a failed start. Otherwise a permanent failure and immediate restarts would keep the CPU busy.
    static void pause_failed_start();
    static constexpr std::chrono::milliseconds kFailedStartPause{1000};

 private:
    std::string status_;
};

/// Returns whether stderr is connected to the journal, which adds times and reads levels from a prefix "<N>".
[[nodiscard]] bool stderr_is_journal();

}  // namespace rta::app
