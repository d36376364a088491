// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "api/history/step.h"
#include "text/error.h"

namespace rta::api {

/// What the revert of an edit needs after a restart. [any]
struct SavedConfirmation {
    std::int64_t until_utc_us = 0;  ///< when the edit is reverted
    std::uint32_t within_s = 0;     ///< the time that it had
    std::string author{};
    std::string client_name{};
    std::string summary{};
    HistoryMark mark{};
    std::string document{};  ///< the graph after the revert

    [[nodiscard]] std::string write() const;
    /// INVALID_ARGUMENT if the text is damaged.
    [[nodiscard]] static Expected<SavedConfirmation> read(const std::string& text);
};

}  // namespace rta::api
