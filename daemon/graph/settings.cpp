// SPDX-License-Identifier: MIT
#include "graph/settings.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>
#include <vector>

#include "text/format_number.h"
#include "text/quoting.h"
#include "text/suggestion.h"

namespace rta {

namespace {

std::string display(const SettingValue& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return quoted(*text);
    if (const auto* number = std::get_if<double>(&value)) return format_number(*number);
    return *std::get_if<bool>(&value) ? "true" : "false";
}

std::string range_of(const SettingSpec& spec) {
    return format_number(spec.minimum) + " to " + format_number(spec.maximum);
}

/// Lists the choices as a document writes them: strings in quotes, numbers without.
std::string one_of_choices(const SettingSpec& spec) {
    std::string out = "one of ";
    for (std::size_t i = 0; i < spec.choices.size(); ++i) {
        if (i != 0) out += ", ";
        out += spec.kind == SettingSpec::Kind::choice ? quoted(spec.choices[i]) : std::string{spec.choices[i]};
    }
    return out;
}

/// Describes the valid values: "a whole number from 1 to 64".
std::string expected_value(const SettingSpec& spec) {
    switch (spec.kind) {
        case SettingSpec::Kind::integer:
            if (!spec.choices.empty()) break;
            return "a whole number from " + range_of(spec);
        case SettingSpec::Kind::number:
            return "a number from " + range_of(spec);
        case SettingSpec::Kind::on_off:
            return "true or false";
        case SettingSpec::Kind::text:
            return "a string";
        case SettingSpec::Kind::choice:
            break;
    }
    return one_of_choices(spec);
}

SettingValue default_of(const SettingSpec& spec) {
    switch (spec.kind) {
        case SettingSpec::Kind::integer:
        case SettingSpec::Kind::number:
            return spec.default_number;
        case SettingSpec::Kind::on_off:
            return spec.default_number != 0;
        case SettingSpec::Kind::choice:
        case SettingSpec::Kind::text:
            return std::string{spec.default_text};
    }
    return spec.default_number;
}

/// Returns why the value is invalid, or an empty string.
std::string find_error(const SettingSpec& spec, const SettingValue& value) {
    switch (spec.kind) {
        case SettingSpec::Kind::integer:
        case SettingSpec::Kind::number: {
            const auto* number = std::get_if<double>(&value);
            if (number == nullptr || std::isnan(*number)) break;
            if (!spec.choices.empty()) {
                if (std::ranges::find(spec.choices, format_number(*number)) == spec.choices.end()) break;
                return {};
            }
            if (*number < spec.minimum || *number > spec.maximum) return " is out of range: " + range_of(spec);
            if (spec.kind == SettingSpec::Kind::integer && std::trunc(*number) != *number) break;
            return {};
        }
        case SettingSpec::Kind::on_off:
            if (!std::holds_alternative<bool>(value)) break;
            return {};
        case SettingSpec::Kind::text:
            if (!std::holds_alternative<std::string>(value)) break;
            return {};
        case SettingSpec::Kind::choice: {
            const auto* text = std::get_if<std::string>(&value);
            if (text == nullptr) break;
            if (std::ranges::find(spec.choices, *text) != spec.choices.end()) return {};
            const std::string_view closest = closest_name(*text, spec.choices);
            return " must be " + expected_value(spec) +
                   (closest.empty() ? "" : " (did you mean " + quoted(closest) + "?)");
        }
    }
    return " must be " + expected_value(spec);
}

/// Returns the row of a setting, or nullptr if none exists, whatever the counts of repeated rows.
const SettingSpec* row_of(std::span<const SettingSpec> table, std::string_view name) {
    const auto found = std::ranges::find_if(table, [name](const SettingSpec& spec) {
        return spec.repeat.given() ? number_in(spec.name, name).has_value() : spec.name == name;
    });
    return found == table.end() ? nullptr : &*found;
}

/// A setting that is missing from the table or of another kind is an error in the code of the node.
template <class T>
const T& get_as(const Settings& values, std::string_view name) {
    const auto found = values.find(name);
    const T* value = found == values.end() ? nullptr : std::get_if<T>(&found->second);
    if (value == nullptr) std::abort();
    return *value;
}

}  // namespace

std::vector<std::string_view> draw_settings(std::span<const SettingSpec> table, std::uint64_t random, Settings& given) {
    std::vector<std::string_view> drawn;
    for (const SettingSpec& spec : table) {
        if (!spec.drawn || given.contains(spec.name)) continue;
        const auto values = static_cast<std::uint64_t>(spec.maximum - spec.minimum) + 1;
        given.emplace(spec.name, spec.minimum + static_cast<double>(random % values));
        drawn.push_back(spec.name);
    }
    return drawn;
}

/// FNV-1a, whose bits are mixed once more because names often differ in their last letter only.
std::uint64_t random_from_name(std::string_view name) {
    std::uint64_t hash = 0xCBF2'9CE4'8422'2325;
    for (const char letter : name) hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100'0000'01B3;
    hash = (hash ^ (hash >> 33U)) * 0xFF51'AFD7'ED55'8CCD;
    hash = (hash ^ (hash >> 33U)) * 0xC4CE'B9FE'1A85'EC53;
    return hash ^ (hash >> 33U);
}

Expected<void> ResolvedSettings::take(const SettingSpec& spec, const std::string& name, const SettingValue& value,
                                      std::string_view where) {
    if (const std::string wrong = find_error(spec, value); !wrong.empty()) {
        return fail(ErrorCode::invalid_argument,
                    std::string{where} + ": setting " + name + " = " + display(value) + wrong);
    }
    SettingValue& stored = values_.insert_or_assign(name, value).first->second;
    // -0 compares equal to 0, but a node may treat it differently.
    if (auto* number = std::get_if<double>(&stored)) *number += 0.0;
    return {};
}

Expected<ResolvedSettings> ResolvedSettings::resolve(std::span<const SettingSpec> table, const Settings& given,
                                                     std::string_view where) {
    ResolvedSettings resolved;
    // First the settings that may be counts of others.
    for (const SettingSpec& spec : table) {
        if (spec.repeat.given()) continue;
        resolved.values_.emplace(spec.name, default_of(spec));
        const auto found = given.find(spec.name);
        if (found == given.end()) continue;
        if (auto good = resolved.take(spec, found->first, found->second, where); !good)
            return std::unexpected(std::move(good.error()));
    }
    for (const SettingSpec& spec : table) {
        if (!spec.repeat.given()) continue;
        const std::uint32_t count = resolved.integer(spec.repeat.setting) - spec.repeat.less;
        for (std::uint32_t number = 1; number <= count; ++number)
            resolved.values_.emplace(numbered(spec.name, number), default_of(spec));
    }
    for (const auto& [name, value] : given) {
        const SettingSpec* const spec = row_of(table, name);
        if (spec == nullptr || !resolved.values_.contains(name))
            return fail(ErrorCode::not_found, std::string{where} + ": " + resolved.no_such_setting(table, name));
        if (!spec->repeat.given()) continue;
        if (auto good = resolved.take(*spec, name, value, where); !good)
            return std::unexpected(std::move(good.error()));
    }
    return resolved;
}

std::string ResolvedSettings::no_such_setting(std::span<const SettingSpec> table, std::string_view name) const {
    if (const SettingSpec* const row = row_of(table, name); row != nullptr) {
        return "unknown setting " + quoted(name) + ": expected " + numbered(row->name, 1) + " to " +
               numbered(row->name, integer(row->repeat.setting)) + ", because " + std::string{row->repeat.setting} +
               " is " + std::to_string(integer(row->repeat.setting));
    }
    std::vector<std::string_view> names;
    for (const SettingSpec& spec : table) {
        for (const auto& [known, value] : values_) {
            if (row_of(table, known) == &spec) names.push_back(known);
        }
    }
    return unknown_name("setting", name, names);
}

Settings changed_settings(std::span<const SettingSpec> table, const Settings& given, const Settings& changes,
                          std::span<const std::string> defaults) {
    Settings changed = given;
    for (const auto& [name, value] : changes) changed.insert_or_assign(name, value);
    std::erase_if(changed, [&](const auto& setting) {
        const SettingSpec* const row = row_of(table, setting.first);
        if (row == nullptr || !row->repeat.given() || changes.contains(setting.first)) return false;
        const auto count = changed.find(row->repeat.setting);
        const auto* const number = count == changed.end() ? nullptr : std::get_if<double>(&count->second);
        return number != nullptr && static_cast<double>(*number_in(row->name, setting.first)) > *number;
    });
    for (const std::string& name : defaults) changed.erase(name);
    return changed;
}

std::uint32_t ResolvedSettings::integer(std::string_view name) const {
    return static_cast<std::uint32_t>(number(name));
}
double ResolvedSettings::number(std::string_view name) const { return get_as<double>(values_, name); }
bool ResolvedSettings::on(std::string_view name) const { return get_as<bool>(values_, name); }
const std::string& ResolvedSettings::text(std::string_view name) const { return get_as<std::string>(values_, name); }

}  // namespace rta
