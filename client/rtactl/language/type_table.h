// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rta/v1/control.pb.h"

namespace rta::rtactl {

// A # in the name of a parameter or a port stands for a number from 1; see ParameterInfo.

/// The parameter of this name, with its own name and default even where the table has one row for many; nullopt: none.
[[nodiscard]] std::optional<v1::ParameterInfo> find_parameter(const v1::NodeType& type, std::string_view name);

/// The parameters that a node with these settings has, each with its own name, default and maximum.
[[nodiscard]] std::vector<v1::ParameterInfo> parameters_of(const v1::NodeType& type,
                                                           const google::protobuf::Struct& settings);

/// nullptr if there is none of that name.
[[nodiscard]] const v1::NodeType* find_type(const v1::NodeTypesResult& types, std::string_view name);
[[nodiscard]] const v1::SettingInfo* find_setting(const v1::NodeType& type, std::string_view name);

using Ports = google::protobuf::RepeatedPtrField<v1::PortInfo>;
/// Names of the ports (the type's inputs or outputs) that a node with these settings has.
[[nodiscard]] std::vector<std::string> port_names(const Ports& ports, const v1::NodeType& type,
                                                  const google::protobuf::Struct& settings);

/// The setting as it is given, or its default; 0 where it is no number.
[[nodiscard]] double number_setting(const v1::NodeType& type, const google::protobuf::Struct& settings,
                                    std::string_view name);

}  // namespace rta::rtactl
