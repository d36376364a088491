// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <string>
#include <variant>

namespace rta {

/// A setting as written in a document or request. Numbers are doubles, as in JSON.
using SettingValue = std::variant<bool, double, std::string>;

/// The settings that were given. All others have the default of their SettingSpec.
using Settings = std::map<std::string, SettingValue, std::less<>>;

}  // namespace rta
