// SPDX-License-Identifier: MIT
// Edits for transactions, as messages.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rta/v1/control.pb.h"

namespace rta::test {

/// Sets a number in settings.
void set_number(google::protobuf::Struct& settings, const std::string& name, double value);

using Values = std::initializer_list<std::pair<const char*, float>>;
[[nodiscard]] v1::Edit add_node(const std::string& type, const std::string& name, Values parameters = {},
                                Values settings = {});
[[nodiscard]] v1::Edit remove_node(const std::string& name);
[[nodiscard]] v1::Edit connect(const std::string& from, const std::string& to, std::optional<float> gain_db = {});
[[nodiscard]] v1::Edit disconnect(const std::string& from, const std::string& to);
[[nodiscard]] v1::Edit set_parameter(const std::string& node, const std::string& parameter, float value);
[[nodiscard]] v1::EditList transaction(std::vector<v1::Edit> edits);
[[nodiscard]] v1::Request apply_request(const v1::EditList& edits);

}  // namespace rta::test
