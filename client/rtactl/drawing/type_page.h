// SPDX-License-Identifier: MIT
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "rta/v1/control.pb.h"

namespace rta::rtactl {

// Documentation of a node type, from the daemon's table.

/// Prints the page of `rtactl types TYPE`.
void print_type(std::ostream& out, const v1::NodeType& type);
/// Returns the pages of all types in Markdown: docs/nodes.md.
[[nodiscard]] std::string types_document(const v1::NodeTypesResult& types);

/// Returns commands that play a node of the type. They replace the graph.
[[nodiscard]] std::vector<std::string> example_commands(const v1::NodeType& type);

/// Returns the accepted values: "20 to 20000 Hz", "on or off", "lowpass, highpass".
[[nodiscard]] std::string range_text(const v1::SettingInfo& setting);
[[nodiscard]] std::string range_text(const v1::ParameterInfo& parameter);
/// Returns the default: "440 Hz", "lowpass".
[[nodiscard]] std::string default_text(const v1::SettingInfo& setting);
[[nodiscard]] std::string default_text(const v1::ParameterInfo& parameter);

}  // namespace rta::rtactl
