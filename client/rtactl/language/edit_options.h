// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "rta/v1/control.pb.h"
#include "rtactl/language/command.h"

namespace rta::rtactl {

/// The edit is reverted unless it is confirmed.
inline constexpr Option kConfirmWithin{
    .name = "--confirm-within",
    .value_name = "TIME",
    .help = "Revert the edit unless `rtactl confirm` comes within this time, 1s to 10min.",
    .of_edits = true};

inline constexpr Option kExpect{
    .name = "--expect",
    .value_name = "REVISION",
    .help = "Make the change only if the graph is at this revision; otherwise change nothing.",
    .of_edits = true};

/// The options of every command that edits the graph; undo and redo have some of them.
inline constexpr std::array kEditOptions{
    Option{.name = "--at",
           .value_name = "TIME",
           .help = "Make the change later: in +SECONDS, at a FRAME of the sample clock, or at a UTC time.",
           .of_edits = true},
    kExpect,
    Option{.name = "--dry-run",
           .value_name = "",
           .help = "Validate the edit and show what it would change, without changing anything.",
           .of_edits = true},
    Option{.name = "--max-load",
           .value_name = "PERCENT",
           .help = "Make the change only if the predicted load of the new graph is at most this, such as 80%.",
           .of_edits = true},
    kConfirmWithin,
};

/// Returns the options of a command that edits the graph: its own, and those of all edits.
template <std::size_t N>
[[nodiscard]] consteval std::array<Option, N + kEditOptions.size()> with_edit_options(
    const std::array<Option, N>& own) {
    std::array<Option, N + kEditOptions.size()> all{};
    std::ranges::copy(kEditOptions, std::ranges::copy(own, all.begin()).out);
    return all;
}

/// The names of kEditOptions, for errors.
inline constexpr std::string_view kEditOptionNames = "--at, --expect, --dry-run, --max-load and --confirm-within";

/// The values of kEditOptions.
struct EditOptions {
    std::optional<v1::When> at{};
    std::optional<std::uint64_t> expected_revision{};
    std::optional<std::uint32_t> confirm_within_s{};
    bool dry_run = false;
    std::optional<float> max_load{};  ///< a share of the time of a block

    [[nodiscard]] bool given() const { return at || expected_revision || confirm_within_s || dry_run || max_load; }
};

/// Reads +2s, a frame, or 2026-12-01T20:15:00Z, also with a fraction of a second.
[[nodiscard]] Result<v1::When> parse_when(std::string_view text);

/// Reads an option whose value is a time of 0 to 600000 ms; nullopt if it is not given.
[[nodiscard]] Result<std::optional<float>> read_milliseconds(const Arguments& arguments, std::string_view option);

/// Reads the options of a command. Without them, and for any other command, the result is the default.
[[nodiscard]] Result<EditOptions> read_edit_options(const Arguments& arguments);

}  // namespace rta::rtactl
