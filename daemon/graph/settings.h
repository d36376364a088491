// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "document/setting_value.h"
#include "text/error.h"

namespace rta {

/// One row of a node's settings table: fixed when the node is built, changed only by building it anew.
struct SettingSpec {
    enum class Kind : std::uint8_t { integer, number, on_off, choice, text };

    std::string_view name;
    Kind kind;
    double minimum = 0;  ///< integer and number
    double maximum = 0;
    double default_number = 0;                       ///< integer, number; on_off: 0 or 1
    std::string_view default_text = {};              ///< choice and text
    std::span<const std::string_view> choices = {};  ///< choice; of an integer, if not empty: all that it may be
    std::string_view help;
};

/// `channels`, as every node that has it has it.
[[nodiscard]] constexpr SettingSpec channels_setting(std::string_view help = "Width of every port of the node.") {
    return {.name = "channels",
            .kind = SettingSpec::Kind::integer,
            .minimum = 1,
            .maximum = 64,
            .default_number = 1,
            .help = help};
}

/// `look_ahead_ms`: of dynamics that may know what comes.
[[nodiscard]] constexpr SettingSpec look_ahead_setting(std::string_view help) {
    return {.name = "look_ahead_ms",
            .kind = SettingSpec::Kind::number,
            .minimum = 0.0,
            .maximum = 50.0,
            .default_number = 0.0,
            .help = help};
}

/// `side_chain`: of dynamics, with a port of the same name.
[[nodiscard]] constexpr SettingSpec side_chain_setting() {
    return {.name = "side_chain",
            .kind = SettingSpec::Kind::on_off,
            .default_number = 0,
            .help = "Adds the input `side_chain`, whose level decides in the place of that of `in`."};
}

/// `first_channel`: where on the device the channels of an `input` or `output` begin.
[[nodiscard]] constexpr SettingSpec first_channel_setting(std::string_view help) {
    return {.name = "first_channel",
            .kind = SettingSpec::Kind::integer,
            .minimum = 1,
            .maximum = 1024,
            .default_number = 1,
            .help = help};
}

/// Settings that have been checked against their table, with the defaults filled in.
class ResolvedSettings {
 public:
    /// INVALID_ARGUMENT or NOT_FOUND, naming the setting, the value and the range. `where` begins the sentence:
    /// `node "osc"`.
    [[nodiscard]] static Expected<ResolvedSettings> resolve(std::span<const SettingSpec> table, const Settings& given,
                                                            std::string_view where);

    [[nodiscard]] std::uint32_t integer(std::string_view name) const;
    [[nodiscard]] double number(std::string_view name) const;
    [[nodiscard]] bool on(std::string_view name) const;
    [[nodiscard]] const std::string& text(std::string_view name) const;
    /// The same in every value: a node of the same name, type and settings stays in a whole-graph replacement.
    [[nodiscard]] bool operator==(const ResolvedSettings&) const = default;
    /// All settings with their values, defaults included.
    [[nodiscard]] const Settings& values() const { return values_; }

 private:
    Settings values_;
};

}  // namespace rta
