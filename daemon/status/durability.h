// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace rta {

/// When a change is answered: when it is on disk, or before that.
enum class Durability : std::uint8_t { sync, async };

}  // namespace rta
