// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "text/error.h"

namespace rta::app {

/// A file that is written beside another, FILE.partial-XXXXXX, and takes its place when it is whole. What is no regular
/// file, a device or a pipe, has no place to take: it is written itself.
class Replacement {
 public:
    /// UNAVAILABLE, naming the file, where it may not be written or another rtad is writing it.
    [[nodiscard]] static Expected<Replacement> of(const std::string& path);
    Replacement(const Replacement&) = delete;
    Replacement& operator=(const Replacement&) = delete;
    Replacement(Replacement&& other) noexcept;
    Replacement& operator=(Replacement&&) = delete;
    /// Removes what is not whole.
    ~Replacement();

    /// Whether there is a place to take, and so a file that is to be removed if it does not become whole.
    [[nodiscard]] bool is_beside() const { return beside_; }
    /// Makes the file that is written, of a name that nobody else has: what others put there beforehand, a link that
    /// leads elsewhere, is not followed.
    [[nodiscard]] Expected<void> begin();
    /// The file to write, once it has been begun.
    [[nodiscard]] const std::string& path() const { return beside_ ? partial_ : target_; }
    /// Puts it in its place.
    [[nodiscard]] Expected<void> finish();

 private:
    Replacement() = default;

    std::string target_;
    bool beside_ = false;  ///< else the target itself is written
    std::string partial_;  ///< the file beside it; empty: there is none
    int lock_ = -1;        ///< descriptor of the file that is replaced, where there is one
};

}  // namespace rta::app
