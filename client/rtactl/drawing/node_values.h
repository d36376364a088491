// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "rta/v1/control.pb.h"

namespace rta::rtactl {

enum class Naming : std::uint8_t {
    full,  ///< "osc.frequency_hz = 440 Hz"
    none,  ///< "440"
};
/// Prints each parameter and setting of a node; only `name`, unless it is empty.
void print_values(std::ostream& out, const v1::Node& node, const v1::NodeType* type, std::string_view name,
                  Naming naming = Naming::full);

/// Returns "frequency_hz = 440 Hz" for each setting and parameter that differs from its default.
[[nodiscard]] std::vector<std::string> changed_values(const v1::Node& node, const v1::NodeType* type);

/// "440", "on", "saw".
[[nodiscard]] std::string describe(const google::protobuf::Value& value);

}  // namespace rta::rtactl
