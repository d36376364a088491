// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
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
    std::uint64_t key = 0;  ///< see History::open_edit()
    HistoryMark mark{};
    std::map<std::string, NodeIdentity> identities{};  ///< of the nodes of the graph after the revert, by their names
    std::string document{};                            ///< that graph

    [[nodiscard]] std::string write() const;
    /// INVALID_ARGUMENT if the text is damaged.
    [[nodiscard]] static Expected<SavedConfirmation> read(const std::string& text);
};

}  // namespace rta::api
