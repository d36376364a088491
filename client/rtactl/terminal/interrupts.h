// SPDX-License-Identifier: MIT
#pragma once

#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigset_t is POSIX

#include <cstdint>
#include <deque>

#include "os/unique_fd.h"

namespace rta::rtactl {

/// Blocks SIGINT, SIGTERM and SIGHUP during its lifetime and makes a descriptor readable instead, so that they do not
/// end the program. Optionally does the same with the signals that concern a picture on the terminal.
class Interrupts {
 public:
    enum class Signal : std::uint8_t {
        none,
        end,      ///< the program must end
        suspend,  ///< Ctrl-Z; only with Scope::end_and_screen
        resize,   ///< the size of the terminal has changed; only with Scope::end_and_screen
    };
    enum class Scope : std::uint8_t { end, end_and_screen };

    explicit Interrupts(Scope scope = Scope::end);
    Interrupts(const Interrupts&) = delete;
    Interrupts& operator=(const Interrupts&) = delete;
    ~Interrupts();

    [[nodiscard]] int descriptor() const { return signals_.get(); }
    /// Returns the next pending signal.
    [[nodiscard]] Signal take();
    /// Returns whether Signal::end has arrived. Keeps all other signals for take().
    [[nodiscard]] bool end_requested();
    /// Returns whether signals were kept; the descriptor is not readable for them.
    [[nodiscard]] bool has_pending() const { return !pending_.empty(); }

 private:
    [[nodiscard]] Signal read() const;

    sigset_t before_{};
    os::UniqueFd signals_;
    std::deque<Signal> pending_;
    bool end_requested_ = false;
};

}  // namespace rta::rtactl
