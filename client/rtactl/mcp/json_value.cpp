// SPDX-License-Identifier: MIT
#include "rtactl/mcp/json_value.h"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <utility>

namespace rta::rtactl::mcp {

namespace {

/// Takes the parts of a text as RapidJSON finds them.
class JsonBuilder {
 public:
    // The names that RapidJSON calls. NOLINTBEGIN(readability-identifier-naming)
    bool Null() { return add({}); }
    bool Bool(bool value) { return add({.kind = Json::Kind::boolean, .flag = value}); }
    bool RawNumber(const char* text, rapidjson::SizeType length, bool /*copy*/) {
        return add({.kind = Json::Kind::number, .text = {text, length}});
    }
    bool String(const char* text, rapidjson::SizeType length, bool /*copy*/) {
        return add({.kind = Json::Kind::string, .text = {text, length}});
    }
    bool Key(const char* text, rapidjson::SizeType length, bool /*copy*/) {
        open_.back().names.emplace_back(text, length);
        return true;
    }
    bool StartObject() { return begin(Json::Kind::object); }
    bool EndObject(rapidjson::SizeType /*count*/) { return end(); }
    bool StartArray() { return begin(Json::Kind::array); }
    bool EndArray(rapidjson::SizeType /*count*/) { return end(); }
    // Not called: numbers are raw.
    bool Int(int /*value*/) { return false; }
    bool Uint(unsigned /*value*/) { return false; }
    bool Int64(std::int64_t /*value*/) { return false; }
    bool Uint64(std::uint64_t /*value*/) { return false; }
    bool Double(double /*value*/) { return false; }
    // NOLINTEND(readability-identifier-naming)

    [[nodiscard]] Json take() { return std::move(root_); }

 private:
    bool add(Json value) {
        (open_.empty() ? root_ : open_.back().elements.emplace_back()) = std::move(value);
        return true;
    }
    bool begin(Json::Kind kind) {
        if (open_.size() >= Json::kMaximumDepth) return false;
        open_.push_back({.kind = kind});
        return true;
    }
    bool end() {
        Json ended = std::move(open_.back());
        open_.pop_back();
        return add(std::move(ended));
    }

    Json root_;
    std::vector<Json> open_;  ///< arrays and objects that have begun
};

}  // namespace

const Json* Json::find(std::string_view name) const {
    const auto found = std::ranges::find(names, name);
    return found == names.end() ? nullptr : &elements[static_cast<std::size_t>(found - names.begin())];
}

std::expected<Json, JsonError> parse_json(std::string_view text) {
    constexpr unsigned kFlags =
        rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag | rapidjson::kParseNumbersAsStringsFlag;
    rapidjson::MemoryStream stream{text.data(), text.size()};
    rapidjson::Reader reader;
    JsonBuilder builder;
    const rapidjson::ParseResult parsed = reader.Parse<kFlags>(stream, builder);
    if (!parsed.IsError()) return builder.take();
    const bool deep = parsed.Code() == rapidjson::kParseErrorTermination;
    return std::unexpected(JsonError{parsed.Offset(), deep ? "more than 64 arrays and objects in each other"
                                                           : rapidjson::GetParseError_En(parsed.Code())});
}

}  // namespace rta::rtactl::mcp
