// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include "document/json_text.h"

namespace rta::wasm {

/// Writes JSON without blanks. Objects and arrays are written by functions that fill them.
class JsonWriter {
 public:
    explicit JsonWriter(std::string& out) : out_{out} {}

    void object(auto fill) { nested('{', '}', fill); }
    void array(auto fill) { nested('[', ']', fill); }
    /// Appends the name of a member; its value must follow.
    JsonWriter& key(std::string_view name) {
        separate();
        json::append_string(out_, name);
        out_ += ':';
        follows_ = false;
        return *this;
    }
    void value(std::string_view text) {
        separate();
        json::append_string(out_, text);
    }
    void value(const char* text) { value(std::string_view{text}); }
    void value(std::same_as<bool> auto flag) {
        separate();
        out_ += flag ? "true" : "false";
    }
    void value(std::floating_point auto number) {
        separate();
        json::append_value(out_, number);
    }
    void value(std::unsigned_integral auto number)
        requires(!std::same_as<decltype(number), bool>)
    {
        separate();
        out_ += std::to_string(number);
    }
    void value(const std::same_as<SettingValue> auto& setting) {
        separate();
        json::append_value(out_, setting);
    }
    /// Writes a value that is JSON.
    void raw(std::string_view json) {
        separate();
        out_ += json;
    }
    /// Writes `"name":value`.
    void member(std::string_view name, const auto& content) { key(name).value(content); }

 private:
    void nested(char open, char close, auto fill) {
        separate();
        out_ += open;
        follows_ = false;
        fill();
        out_ += close;
        follows_ = true;
    }
    void separate() {
        if (follows_) out_ += ',';
        follows_ = true;
    }

    std::string& out_;
    bool follows_ = false;  ///< a value precedes at this level
};

}  // namespace rta::wasm
