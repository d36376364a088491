// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string_view>

#include "rta/v1/control.pb.h"

namespace rta::rtactl {

[[nodiscard]] v1::Edit connect_edit(std::string_view from, std::string_view to, std::optional<float> gain_db = {});
[[nodiscard]] v1::Edit disconnect_edit(std::string_view from, std::string_view to);

}  // namespace rta::rtactl
