// SPDX-License-Identifier: MIT
#include "wasm/json_value.h"

#include <cmath>
#include <limits>

#include "document/json_parser.h"
#include "document/number_literal.h"
#include "document/text_stream.h"
#include "text/quoting.h"
#include "text/utf8.h"

namespace rta::wasm {
namespace {

constexpr std::size_t kDeepest = 16;

class Builder final : public json::Receiver {
 public:
    Builder(std::string_view text, const json::TextStream& stream) : text_{text}, stream_{stream} {}

    [[nodiscard]] JsonValue take() { return std::move(root_); }

    bool null() override { return add({}); }
    bool boolean(bool value) override { return add({value}); }
    bool number() override {
        std::size_t begin = stream_.Tell();
        while (begin > 0 && json::is_number_character(text_[begin - 1])) --begin;
        const auto number = json::parse_number<double>(text_.substr(begin, stream_.Tell() - begin));
        return add({number.value_or(std::numeric_limits<double>::infinity())});
    }
    bool string() override { return add({std::string{stream_.decoded()}}); }
    bool key() override {
        std::get<JsonValue::Object>(open_.back()->value).emplace_back(std::string{stream_.decoded()}, JsonValue{});
        return true;
    }
    bool start_object() override { return enter({JsonValue::Object{}}); }
    bool end_object() override { return leave(); }
    bool start_array() override { return enter({JsonValue::Array{}}); }
    bool end_array() override { return leave(); }

 private:
    /// Returns the place of the next value. Values inside move while their array grows, but none of them is open then.
    JsonValue& place() {
        if (open_.empty()) return root_;
        if (auto* const array = std::get_if<JsonValue::Array>(&open_.back()->value)) return array->emplace_back();
        return std::get<JsonValue::Object>(open_.back()->value).back().second;
    }
    bool add(JsonValue value) {
        place() = std::move(value);
        return true;
    }
    bool enter(JsonValue value) {
        if (open_.size() == kDeepest) return false;
        JsonValue& at = place();
        at = std::move(value);
        open_.push_back(&at);
        return true;
    }
    bool leave() {
        open_.pop_back();
        return true;
    }

    std::string_view text_;
    const json::TextStream& stream_;
    JsonValue root_;
    std::vector<JsonValue*> open_;
};

/// Returns the offset of a / outside strings, or the length of the text.
std::size_t comment_in(std::string_view text) {
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '"') in_string = !in_string;
        if (in_string && text[i] == '\\') ++i;
        if (!in_string && text[i] == '/') return i;
    }
    return text.size();
}

}  // namespace

const JsonValue* JsonValue::find(std::string_view name) const {
    const auto* const object = std::get_if<Object>(&value);
    if (object == nullptr) return nullptr;
    for (const auto& [key, member] : *object) {
        if (key == name) return std::holds_alternative<std::monostate>(member.value) ? nullptr : &member;
    }
    return nullptr;
}

Expected<JsonValue> read_json(std::string_view text) {
    if (first_invalid_utf8(text) != text.size() || text.find('\0') != std::string_view::npos)
        return fail(ErrorCode::invalid_argument, "the command is not UTF-8 text: expected JSON");
    json::TextStream stream{text};
    Builder builder{text, stream};
    const rapidjson::ParseResult result = json::parse(stream, builder);
    const std::size_t comment = comment_in(text);  // the parser skips comments
    if (!result.IsError() && comment == text.size()) return builder.take();
    return fail(
        ErrorCode::invalid_argument,
        result.Code() == rapidjson::kParseErrorTermination
            ? "the command is nested too deeply: expected at most " + std::to_string(kDeepest) + " levels"
            : "the command is not JSON: error at byte " + std::to_string(result.IsError() ? result.Offset() : comment));
}

std::optional<double> number_of(const JsonValue& value) {
    if (const auto* const number = std::get_if<double>(&value.value)) return *number;
    const auto* const text = std::get_if<std::string>(&value.value);
    if (text == nullptr) return std::nullopt;
    if (*text == "NaN") return std::numeric_limits<double>::quiet_NaN();
    if (*text == "Infinity") return std::numeric_limits<double>::infinity();
    if (*text == "-Infinity") return -std::numeric_limits<double>::infinity();
    return std::nullopt;
}

float nearest_float(double value) {
    constexpr double kGreatest = std::numeric_limits<float>::max();
    if (std::abs(value) <= kGreatest || std::isnan(value)) return static_cast<float>(value);
    return value < 0.0 ? -std::numeric_limits<float>::infinity() : std::numeric_limits<float>::infinity();
}

Fields::Fields(const JsonValue* value, std::string_view what) : value_{value}, what_{what} {
    if (value != nullptr && !std::holds_alternative<JsonValue::Object>(value->value)) {
        fault_ = what_ + " is not an object";
        value_ = nullptr;
    }
}

void Fields::note(std::string_view name, std::string_view expected) {
    if (fault_.empty()) fault_ = quoted(name) + " of " + what_ + " is invalid: expected " + std::string{expected};
}

template <class Type>
const Type* Fields::get(std::string_view name, std::string_view expected) {
    const JsonValue* const found = member(name);
    if (found == nullptr) return nullptr;
    const auto* const value = std::get_if<Type>(&found->value);
    if (value == nullptr) note(name, expected);
    return value;
}

std::optional<std::string> Fields::optional_text(std::string_view name) {
    const auto* const found = get<std::string>(name, "text");
    return found == nullptr ? std::nullopt : std::optional{*found};
}

std::optional<bool> Fields::optional_flag(std::string_view name) {
    const auto* const found = get<bool>(name, "true or false");
    return found == nullptr ? std::nullopt : std::optional{*found};
}

std::optional<double> Fields::any_number(std::string_view name) {
    const JsonValue* const found = member(name);
    if (found == nullptr) return std::nullopt;
    const auto value = number_of(*found);
    if (!value) note(name, "a number");
    return value;
}

std::optional<double> Fields::number(std::string_view name) {
    const auto value = any_number(name);
    if (!value || std::isfinite(*value)) return value;
    note(name, "a finite number");
    return std::nullopt;
}

std::optional<float> Fields::number32(std::string_view name) {
    const auto value = any_number(name);
    return value ? std::optional{nearest_float(*value)} : std::nullopt;
}

std::vector<float> Fields::numbers32(std::string_view name) {
    std::vector<float> all;
    for (const JsonValue& element : array(name)) {
        const auto value = number_of(element);
        if (!value) note(name, "a list of numbers");
        all.push_back(nearest_float(value.value_or(0.0)));
    }
    return all;
}

std::optional<double> Fields::whole_number(std::string_view name, double least, double most) {
    const auto value = any_number(name);
    // NaN is not in the range.
    if (!value || (*value >= least && *value <= most && *value == std::floor(*value))) return value;
    note(name, "an integer from " + std::to_string(static_cast<std::int64_t>(least)) + " to " +
                   std::to_string(static_cast<std::int64_t>(most)));
    return std::nullopt;
}

const JsonValue::Array& Fields::array(std::string_view name) {
    static const JsonValue::Array kNone;
    const auto* const found = get<JsonValue::Array>(name, "a list");
    return found == nullptr ? kNone : *found;
}

const JsonValue::Object& Fields::object(std::string_view name) {
    static const JsonValue::Object kNone;
    const auto* const found = get<JsonValue::Object>(name, "an object");
    return found == nullptr ? kNone : *found;
}

std::vector<std::string> Fields::texts(std::string_view name) {
    std::vector<std::string> all;
    for (const JsonValue& element : array(name)) {
        const auto* const text = std::get_if<std::string>(&element.value);
        if (text == nullptr) note(name, "a list of texts");
        all.push_back(text == nullptr ? std::string{} : *text);
    }
    return all;
}

Expected<void> Fields::check() const {
    if (fault_.empty()) return {};
    return fail(ErrorCode::invalid_argument, fault_);
}

}  // namespace rta::wasm
