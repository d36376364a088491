// SPDX-License-Identifier: MIT
#pragma once

#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigset_t is POSIX

#include <cstdint>
#include <deque>

namespace rta::rtactl {

/// While it lives, SIGINT, SIGTERM and SIGHUP do not end the program but make a descriptor readable; so do the signals
/// that a picture on a terminal needs to know of, if it is asked to hold them too.
class Interrupts {
 public:
    enum class Signal : std::uint8_t {
        none,
        end,      ///< whoever runs the program wants it to end
        suspend,  ///< to stop, as with Ctrl-Z; only of a picture
        resize,   ///< the terminal has another size; only of a picture
    };

    explicit Interrupts(bool of_picture = false);
    Interrupts(const Interrupts&) = delete;
    Interrupts& operator=(const Interrupts&) = delete;
    ~Interrupts();

    [[nodiscard]] int descriptor() const { return descriptor_; }
    /// The next signal that has come.
    [[nodiscard]] Signal take();
    /// Takes what has come, and holds it back for take() where it is not the end. Returns whether that has come, now or
    /// before.
    [[nodiscard]] bool end_has_come();
    /// There is something held back, which the descriptor does not tell.
    [[nodiscard]] bool holds_back() const { return !held_back_.empty(); }

 private:
    [[nodiscard]] Signal read() const;

    sigset_t before_{};
    int descriptor_ = -1;
    std::deque<Signal> held_back_;
    bool end_ = false;
};

}  // namespace rta::rtactl
