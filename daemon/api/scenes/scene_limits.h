// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

namespace rta::api {

/// What scenes may take.
struct SceneLimits {
    std::size_t scenes = 256;
    /// Length of the texts of all scenes, which are in memory and on the disk.
    std::size_t bytes = std::size_t{64} << 20U;
    /// Memory of the scenes that are kept prepared, and of their processors. 0: none is.
    std::uint64_t prepared_bytes = std::uint64_t{128} << 20U;
};

}  // namespace rta::api
