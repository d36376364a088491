// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

namespace rta::api {

class Confirmation;

/// The right of one edit to open the confirmation when it is committed. If it is destroyed before, the edit was refused.
/// The Confirmation must outlive it. [control]
class [[nodiscard]] ConfirmationClaim {
 public:
    ConfirmationClaim() = default;
    explicit ConfirmationClaim(Confirmation& confirmation) : confirmation_{&confirmation} {}
    ConfirmationClaim(ConfirmationClaim&& other) noexcept
        : confirmation_{std::exchange(other.confirmation_, nullptr)} {}
    ConfirmationClaim& operator=(ConfirmationClaim&& other) noexcept {
        std::swap(confirmation_, other.confirmation_);
        return *this;
    }
    ~ConfirmationClaim() { withdraw(); }

    [[nodiscard]] explicit operator bool() const { return confirmation_ != nullptr; }
    /// The edit was refused.
    void withdraw();
    /// The edit was committed.
    void end() { confirmation_ = nullptr; }

 private:
    Confirmation* confirmation_ = nullptr;
};

}  // namespace rta::api
