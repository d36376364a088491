// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "document/setting_value.h"

namespace rta::json {

/// Appends a string in quotes. Bytes that are not UTF-8 become U+FFFD, as in protobuf and browsers.
void append_string(std::string& out, std::string_view text);

/// Append a value. Infinity and NaN, which JSON does not have, are strings, as in protobuf.
void append_value(std::string& out, const SettingValue& value);
void append_value(std::string& out, float value);
void append_value(std::string& out, double value);

}  // namespace rta::json
