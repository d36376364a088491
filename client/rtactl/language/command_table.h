// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "rtactl/language/command.h"

namespace rta::rtactl {

/// All commands, in the order of their positions.
class CommandTable {
 public:
    /// Keeps the pointers.
    explicit CommandTable(std::span<const Command* const> commands);

    [[nodiscard]] std::span<const Command* const> all() const { return commands_; }
    /// Returns nullptr if no command has that name.
    [[nodiscard]] const Command* find(std::string_view name) const;
    /// Returns the first words of the commands listed for a place, without duplicates: "status", ..., "graph".
    [[nodiscard]] std::vector<std::string_view> first_words(Place place) const;
    /// Returns the second words of the commands whose first word is `first`: "save", "load", ... for "graph".
    [[nodiscard]] std::vector<std::string_view> second_words(std::string_view first) const;

 private:
    std::vector<const Command*> commands_;
};

}  // namespace rta::rtactl
