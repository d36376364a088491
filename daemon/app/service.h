// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace rta::app {

/// What systemd is told of us. Started by anybody else, every function does nothing. [control]
class ServiceManager {
 public:
    /// How often the watchdog wants to hear alive(): several times within the time that it grants. Nothing: there is
    /// none.
    [[nodiscard]] static std::optional<std::chrono::milliseconds> watchdog_interval();

    /// There is one, which may start us again.
    [[nodiscard]] static bool present();

    /// The service is what it promises to be: units that are ordered after it may start.
    void ready();
    /// One line for `systemctl status`; the same line twice is told once.
    void status(const std::string& line);
    /// Only for as long as it is true: a service that stops saying so is killed and started again.
    void alive();
    void stopping();

    /// Before an end that is no success, where somebody would start us again at once, for ever: what does not go away
    /// by itself shall not keep the machine busy.
    static void pause_failed_start();
    /// How long that takes.
    static constexpr std::chrono::milliseconds kFailedStartPause{1000};

 private:
    std::string status_;
};

/// Whether stderr is the journal itself, which takes levels as "<N>" and gives times of its own.
[[nodiscard]] bool stderr_is_journal();

}  // namespace rta::app
