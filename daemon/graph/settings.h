// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "document/setting_value.h"
#include "graph/repeat.h"
#include "text/error.h"

namespace rta {

/// One row of a node's settings table. A setting is fixed when the node is built; changing it rebuilds the node.
struct SettingSpec {
    enum class Kind : std::uint8_t { integer, number, on_off, choice, text };

    std::string_view name;
    Kind kind;
    double minimum = 0;  ///< integer and number
    double maximum = 0;
    double default_number = 0;                       ///< integer, number; on_off: 0 or 1
    std::string_view default_text = {};              ///< choice and text
    std::span<const std::string_view> choices = {};  ///< choice; integer: if not empty, the only valid values
    std::string_view help;
    /// An integer that differs between nodes: if a node is added without it, a value is drawn and stored in the graph.
    bool drawn = false;
    Repeat repeat = {};  ///< by an integer setting of the same table; the name then contains a #
};

/// Adds the settings that are drawn and that `given` does not contain, with values that depend on `random`. Returns
/// their names. [any]
std::vector<std::string_view> draw_settings(std::span<const SettingSpec> table, std::uint64_t random, Settings& given);

/// Returns a number for draw_settings() that is always the same for a name, and differs between names. [any]
[[nodiscard]] std::uint64_t random_from_name(std::string_view name);

/// Returns the row, repeated as many times as the integer setting `by` specifies.
[[nodiscard]] constexpr SettingSpec repeated(SettingSpec spec, std::string_view by) {
    spec.repeat = {by, 0};
    return spec;
}

/// Returns the row `channels`, the same for all nodes that have it.
[[nodiscard]] constexpr SettingSpec channels_setting(std::string_view help = "Width of every port of the node.") {
    return {.name = "channels",
            .kind = SettingSpec::Kind::integer,
            .minimum = 1,
            .maximum = 64,
            .default_number = 1,
            .help = help};
}

/// Returns the row `look_ahead_ms` of a dynamics processor.
[[nodiscard]] constexpr SettingSpec look_ahead_setting(std::string_view help) {
    return {.name = "look_ahead_ms",
            .kind = SettingSpec::Kind::number,
            .minimum = 0.0,
            .maximum = 50.0,
            .default_number = 0.0,
            .help = help};
}

/// Returns the row `side_chain` of a dynamics processor, which has a port of the same name.
[[nodiscard]] constexpr SettingSpec side_chain_setting() {
    return {.name = "side_chain",
            .kind = SettingSpec::Kind::on_off,
            .default_number = 0,
            .help = "Adds the input `side_chain`, whose level controls the node instead of that of `in`."};
}

/// Returns the row `first_channel` of an `input` or `output`: its first device channel, from 1.
[[nodiscard]] constexpr SettingSpec first_channel_setting(std::string_view help) {
    return {.name = "first_channel",
            .kind = SettingSpec::Kind::integer,
            .minimum = 1,
            .maximum = 1024,
            .default_number = 1,
            .help = help};
}

/// Returns `given` with `changes`, without those repeated settings that the changed counts leave no place for, and
/// without `defaults`. [any]
[[nodiscard]] Settings changed_settings(std::span<const SettingSpec> table, const Settings& given,
                                        const Settings& changes, std::span<const std::string> defaults = {});

/// Settings that have been validated against a table, with defaults filled in. [any]
class ResolvedSettings {
 public:
    /// Validates `given`. `where` starts the error message: `node "osc"`. Errors: INVALID_ARGUMENT, NOT_FOUND.
    [[nodiscard]] static Expected<ResolvedSettings> resolve(std::span<const SettingSpec> table, const Settings& given,
                                                            std::string_view where);

    // Return the value of a setting. The table must contain a setting of that name and kind.
    [[nodiscard]] std::uint32_t integer(std::string_view name) const;
    [[nodiscard]] double number(std::string_view name) const;
    [[nodiscard]] bool on(std::string_view name) const;
    [[nodiscard]] const std::string& text(std::string_view name) const;
    /// Compares all values: a node of the same name, type and settings stays when the whole graph is replaced.
    [[nodiscard]] bool operator==(const ResolvedSettings&) const = default;
    /// Returns all settings with their values, defaults included.
    [[nodiscard]] const Settings& values() const { return values_; }

 private:
    [[nodiscard]] Expected<void> take(const SettingSpec& spec, const std::string& name, const SettingValue& value,
                                      std::string_view where);
    [[nodiscard]] std::string no_such_setting(std::span<const SettingSpec> table, std::string_view name) const;

    Settings values_;
};

}  // namespace rta
