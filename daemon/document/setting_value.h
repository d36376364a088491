// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <string>
#include <variant>

namespace rta {

/// A setting as a document or a client gives it. Numbers are doubles, as in JSON.
using SettingValue = std::variant<bool, double, std::string>;

/// Only what was given; what was left out takes the default of its SettingSpec.
using Settings = std::map<std::string, SettingValue, std::less<>>;

}  // namespace rta
