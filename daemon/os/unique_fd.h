// SPDX-License-Identifier: MIT
#pragma once

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace rta::os {

/// Owns a file descriptor.
class UniqueFd {
 public:
    UniqueFd() = default;
    explicit UniqueFd(int fd) : fd_{fd} {}
    UniqueFd(UniqueFd&& other) noexcept : fd_{other.release()} {}
    UniqueFd& operator=(UniqueFd&& other) noexcept {
        if (this != &other) {
            reset();
            fd_ = other.release();
        }
        return *this;
    }
    ~UniqueFd() { reset(); }

    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }
    /// The caller owns the descriptor from here on.
    [[nodiscard]] int release() { return std::exchange(fd_, -1); }
    /// Closes the descriptor. Keeps errno, so that a destructor does not hide why an earlier call failed.
    void reset() {
        if (fd_ < 0) return;
        const int error = errno;
        ::close(release());
        errno = error;
    }

 private:
    int fd_ = -1;
};

}  // namespace rta::os
