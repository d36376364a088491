// SPDX-License-Identifier: MIT
#pragma once

namespace rta::app {

inline constexpr int kExitClean = 0;
inline constexpr int kExitFailure = 1;  ///< anything that is not the user's configuration: a device that fails
inline constexpr int kExitUsage = 2;    ///< usage or configuration, an address in use, a bad graph file

}  // namespace rta::app
