// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "text/error.h"

namespace rta::wasm {

/// A value of JSON. Members of objects keep their order.
struct JsonValue {
    using Array = std::vector<JsonValue>;
    using Object = std::vector<std::pair<std::string, JsonValue>>;

    std::variant<std::monostate, bool, double, std::string, Array, Object> value{};

    /// Returns the member of an object; nullptr if it is missing, or null.
    [[nodiscard]] const JsonValue* find(std::string_view name) const;
};

/// Reads UTF-8. INVALID_ARGUMENT: not JSON, or nested too deeply.
[[nodiscard]] Expected<JsonValue> read_json(std::string_view text);

/// Reads the members of an object. A member of another type, or a number out of range, counts as missing, and is noted:
/// check() reports the first. Numbers may be text such as "NaN", as in the JSON of protobuf.
class Fields {
 public:
    /// Larger integers are not exact in JSON.
    static constexpr double kLargestInteger = 9007199254740992.0;

    /// `what` names the object in errors.
    Fields(const JsonValue* value, std::string_view what);

    [[nodiscard]] bool has(std::string_view name) const { return value_ != nullptr && value_->find(name) != nullptr; }
    [[nodiscard]] std::string text(std::string_view name) { return optional_text(name).value_or(std::string{}); }
    [[nodiscard]] std::optional<std::string> optional_text(std::string_view name);
    [[nodiscard]] bool flag(std::string_view name) { return optional_flag(name).value_or(false); }
    [[nodiscard]] std::optional<bool> optional_flag(std::string_view name);
    /// Any finite number.
    [[nodiscard]] std::optional<double> number(std::string_view name);
    /// Any number, also NaN and infinity: the engine checks the ranges of floats.
    [[nodiscard]] std::optional<float> number32(std::string_view name);
    /// Numbers as number32(), in an array.
    [[nodiscard]] std::vector<float> numbers32(std::string_view name);
    /// An integer that Type can hold, at most kLargestInteger from 0.
    template <std::integral Type>
    [[nodiscard]] std::optional<Type> integer(std::string_view name) {
        constexpr auto kLeast = std::max(static_cast<double>(std::numeric_limits<Type>::min()), -kLargestInteger);
        constexpr auto kMost = std::min(static_cast<double>(std::numeric_limits<Type>::max()), kLargestInteger);
        const auto value = whole_number(name, kLeast, kMost);
        return value ? std::optional{static_cast<Type>(*value)} : std::nullopt;
    }
    [[nodiscard]] const JsonValue::Array& array(std::string_view name);
    [[nodiscard]] const JsonValue::Object& object(std::string_view name);
    [[nodiscard]] std::vector<std::string> texts(std::string_view name);
    [[nodiscard]] const JsonValue* member(std::string_view name) const {
        return value_ == nullptr ? nullptr : value_->find(name);
    }

    /// INVALID_ARGUMENT if a member had another type.
    [[nodiscard]] Expected<void> check() const;

 private:
    void note(std::string_view name, std::string_view expected);
    [[nodiscard]] std::optional<double> any_number(std::string_view name);
    [[nodiscard]] std::optional<double> whole_number(std::string_view name, double least, double most);
    template <class Type>
    [[nodiscard]] const Type* get(std::string_view name, std::string_view expected);

    const JsonValue* value_;
    std::string what_;
    std::string fault_;
};

/// Returns the number that a value stands for.
[[nodiscard]] std::optional<double> number_of(const JsonValue& value);
/// Returns the nearest float: infinity beyond the range.
[[nodiscard]] float nearest_float(double value);

}  // namespace rta::wasm
