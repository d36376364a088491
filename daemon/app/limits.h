// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/config.h"
#include "graph/graph_limits.h"
#include "net/limits.h"
#include "net/tls_limits.h"

namespace rta::app {

/// All limits that the configuration can change, with their defaults.
struct Limits {
    net::ServerLimits clients{};
    net::TlsLimits tls{};
    GraphLimits graph{};
    std::uint64_t kept_bytes = EngineConfig{}.kept_bytes;
};

enum class LimitUnit : std::uint8_t { count, bytes, time };

/// A row of the table of limits, from which the options, the configuration and docs/administration.md are generated.
/// Values are counts, bytes or microseconds.
struct Limit {
    std::string_view key;    ///< of the configuration; the flag is --key
    std::string_view group;  ///< heading in the documentation
    LimitUnit unit;
    std::uint64_t lowest;
    std::uint64_t highest;
    bool or_zero;             ///< 0 is accepted, too
    std::string_view zero;    ///< what 0 means; empty if it is not accepted
    std::string_view help;    ///< for --help
    std::string_view beyond;  ///< what happens at the limit
    std::uint64_t (*get)(const Limits& limits);
    void (*set)(Limits& limits, std::uint64_t value);

    [[nodiscard]] bool accepts(std::uint64_t value) const {
        return (or_zero && value == 0) || (value >= lowest && value <= highest);
    }
};
[[nodiscard]] std::span<const Limit> limit_table();

/// A limit that the configuration cannot change.
struct FixedLimit {
    std::string_view what;
    std::string value;
    std::string_view why;  ///< why it is fixed
};
[[nodiscard]] std::span<const FixedLimit> fixed_limit_table();

/// Writes a value so that the option accepts it: "512", "4MiB", "250us".
[[nodiscard]] std::string limit_text(LimitUnit unit, std::uint64_t value);

/// Returns both tables as Markdown, for docs/administration.md.
[[nodiscard]] std::string limits_as_markdown();

}  // namespace rta::app
