// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rtactl/language/assignment.h"

namespace rta::rtactl {

/// What `wait` waits for.
struct Condition {
    enum class Kind : std::uint8_t {
        running,   ///< the requested device drives the engine
        revision,  ///< the graph has this revision or a later one
        heard,     ///< so has what is heard
        node,      ///< the node exists
        no_node,   ///< it does not
        value,     ///< the parameter has this value
        level,     ///< a peak reaches a level
        silence,   ///< no peak exceeds kSilenceDb for kSilenceS
        idle,      ///< no edit waits for its time
    };
    /// Below the noise of 16 bits.
    static constexpr float kSilenceDb = -90.0F;
    static constexpr double kSilenceS = 1.0;

    Kind kind{};
    std::string text{};        ///< as it was given
    std::string node{};        ///< of level and silence: empty for the device output
    Assignment assignment{};   ///< of value
    std::uint64_t number = 0;  ///< of revision and heard
    float level_db = 0.0F;     ///< of level
};

/// The first words of the conditions other than NODE.PARAM=VALUE.
[[nodiscard]] std::vector<std::string_view> condition_names();

/// Reads the words of a condition. Errors are sentences that say what would be accepted.
[[nodiscard]] std::expected<Condition, std::string> parse_condition(std::span<const std::string> words);

}  // namespace rta::rtactl
