// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "graph/node_type.h"

/// Names of what the table of a node type contains, as in the protocol. [any]
namespace rta {

[[nodiscard]] inline std::string_view kind_name(SettingSpec::Kind kind) {
    switch (kind) {
        case SettingSpec::Kind::integer:
            return "integer";
        case SettingSpec::Kind::number:
            return "number";
        case SettingSpec::Kind::on_off:
            return "on_off";
        case SettingSpec::Kind::choice:
            return "choice";
        case SettingSpec::Kind::text:
            return "text";
    }
    return "";
}

[[nodiscard]] inline std::string_view reports_name(Reports reports) {
    switch (reports) {
        case Reports::nothing:
            return "";
        case Reports::levels:
            return "levels";
        case Reports::gain_reduction:
            return "gain_reduction";
    }
    return "";
}

}  // namespace rta
