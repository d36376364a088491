// SPDX-License-Identifier: MIT
#pragma once

#include <ostream>
#include <streambuf>
#include <string>
#include <string_view>

#include "rtactl/terminal/interrupts.h"

namespace rta::rtactl {

/// Makes writes to `out` interruptible during its lifetime: a write that is blocked because the reader has stalled ends
/// when a signal requests the end. This is needed because Interrupts blocks the signals that would interrupt write().
class InterruptibleOutput final : public std::streambuf {
 public:
    /// `descriptor` is the one that `out` writes to; -1: writes cannot block, and nothing is changed.
    InterruptibleOutput(std::ostream& out, int descriptor, Interrupts& interrupts);
    InterruptibleOutput(const InterruptibleOutput&) = delete;
    InterruptibleOutput& operator=(const InterruptibleOutput&) = delete;
    ~InterruptibleOutput() override;

 protected:
    int_type overflow(int_type character) override;
    std::streamsize xsputn(const char* text, std::streamsize count) override;
    int sync() override;

 private:
    [[nodiscard]] bool write_all(std::string_view text);
    [[nodiscard]] bool wait_until_writable();

    std::ostream& out_;
    Interrupts& interrupts_;
    std::streambuf* previous_ = nullptr;  ///< buffer of `out`; nullptr: not changed
    int descriptor_ = -1;
    os::UniqueFd own_;  ///< the same pipe or terminal, opened again in non-blocking mode, if possible
    std::string text_;
    bool failed_ = false;
};

}  // namespace rta::rtactl
