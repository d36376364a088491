// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "graph/error.h"

namespace rta::app {

/// A file that is written beside another, FILE.partial, and takes its place when it is whole. What is no regular file,
/// a device or a pipe, has no place to take: it is written itself.
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

    /// The file to write.
    [[nodiscard]] const std::string& path() const { return partial_.empty() ? target_ : partial_; }
    /// The file has been made, so that it is to be removed if it does not become whole.
    void begun() { begun_ = true; }
    /// Puts it in its place.
    [[nodiscard]] Expected<void> finish();

 private:
    Replacement() = default;

    std::string target_;
    std::string partial_;  ///< empty: the target itself is written
    bool begun_ = false;
    int lock_ = -1;  ///< descriptor of the file that is replaced, where there is one
};

}  // namespace rta::app
