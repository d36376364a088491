// SPDX-License-Identifier: MIT
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "rta/v1/control.pb.h"

namespace rta::rtactl {

// What people read of the table of a node type.

/// The page that `rtactl types TYPE` prints.
void print_type(std::ostream& out, const v1::NodeType& type);
/// The same of all types in Markdown: docs/nodes.md.
[[nodiscard]] std::string types_document(const v1::NodeTypesResult& types);

/// Commands that let the type be heard, whatever the graph was before: they replace it.
[[nodiscard]] std::vector<std::string> example_commands(const v1::NodeType& type);

/// "20 to 20000 Hz", "on or off", "lowpass, highpass": what it may be.
[[nodiscard]] std::string range_text(const v1::SettingInfo& setting);
[[nodiscard]] std::string range_text(const v1::ParameterInfo& parameter);
/// "440 Hz", "lowpass".
[[nodiscard]] std::string default_text(const v1::SettingInfo& setting);
[[nodiscard]] std::string default_text(const v1::ParameterInfo& parameter);

}  // namespace rta::rtactl
