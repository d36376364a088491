// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rta/v1/control.pb.h"

namespace rta {

// A # in the name of a parameter, setting or port stands for a number, starting at 1; see ParameterInfo.

/// Returns the parameter of that name, with its own name and default even if the table has one row for several; nullopt
/// if not found.
[[nodiscard]] std::optional<v1::ParameterInfo> find_parameter(const v1::NodeType& type, std::string_view name);

/// Returns the parameters of a node with these settings, each with its own name, default and maximum.
[[nodiscard]] std::vector<v1::ParameterInfo> parameters_of(const v1::NodeType& type,
                                                           const google::protobuf::Struct& settings);

/// Returns the setting of that name, with its own name even if the table has one row for several; nullopt if not found.
[[nodiscard]] std::optional<v1::SettingInfo> find_setting(const v1::NodeType& type, std::string_view name);

/// Returns the settings of a node with these settings, each with its own name.
[[nodiscard]] std::vector<v1::SettingInfo> settings_of(const v1::NodeType& type,
                                                       const google::protobuf::Struct& settings);

/// Returns nullptr if not found.
[[nodiscard]] const v1::NodeType* find_type(const v1::NodeTypesResult& types, std::string_view name);

using Ports = google::protobuf::RepeatedPtrField<v1::PortInfo>;
/// Returns the names of the ports (the inputs or outputs of the type) of a node with these settings.
[[nodiscard]] std::vector<std::string> port_names(const Ports& ports, const v1::NodeType& type,
                                                  const google::protobuf::Struct& settings);

/// Returns the number of channels of a port of a node with these settings; 0 if no such port exists.
[[nodiscard]] unsigned port_width(const Ports& ports, const v1::NodeType& type,
                                  const google::protobuf::Struct& settings, std::string_view port);

/// Returns the given setting, or its default; 0 if it is not a number.
[[nodiscard]] double number_setting(const v1::NodeType& type, const google::protobuf::Struct& settings,
                                    std::string_view name);

}  // namespace rta
