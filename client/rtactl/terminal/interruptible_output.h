// SPDX-License-Identifier: MIT
#pragma once

#include <ostream>
#include <streambuf>
#include <string>
#include <string_view>

#include "rtactl/terminal/interrupts.h"

namespace rta::rtactl {

/// While it lives, what is written to `out` waits for a reader that has stalled no longer than until a signal wants the
/// end: Interrupts keep such a signal from ending a write() that waits.
class PatientOutput final : public std::streambuf {
 public:
    /// `descriptor` is what `out` writes to; -1: nothing that could wait, and nothing is changed.
    PatientOutput(std::ostream& out, int descriptor, Interrupts& interrupts);
    PatientOutput(const PatientOutput&) = delete;
    PatientOutput& operator=(const PatientOutput&) = delete;
    ~PatientOutput() override;

 protected:
    int_type overflow(int_type character) override;
    std::streamsize xsputn(const char* text, std::streamsize count) override;
    int sync() override;

 private:
    [[nodiscard]] bool write_all(std::string_view text);
    [[nodiscard]] bool wait_until_writable();

    std::ostream& out_;
    Interrupts& interrupts_;
    std::streambuf* before_ = nullptr;  ///< nullptr: nothing was changed
    int descriptor_ = -1;
    int own_ = -1;  ///< the same pipe or terminal, opened anew so that a write to it never waits; -1: it cannot be
    std::string text_;
    bool failed_ = false;
};

}  // namespace rta::rtactl
