// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <string>

namespace rta::app {

/// Returns a check that a text is a whole number in the range. `name` is what the error calls it.
[[nodiscard]] std::function<std::string(const std::string&)> in_range(std::string name, std::uint32_t lowest,
                                                                      std::uint32_t highest);

/// The times that an option accepts.
struct TimeRange {
    double lowest_s = 0.0;
    double highest_s = 0.0;
    bool above_lowest = false;  ///< the lowest itself is refused
};

/// Defines an option that takes a time, such as 10, 250ms or 2min, and passes it to `set` in seconds.
CLI::Option* add_time(CLI::App& app, const std::string& flag, std::function<void(double seconds)> set, TimeRange range,
                      const std::string& help);

}  // namespace rta::app
