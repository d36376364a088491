// SPDX-License-Identifier: MIT
#pragma once

namespace rta::app {

/// EngineConfig::ramps of this binary: true, but in rtad_no_ramps, with which the tests show that they would hear a
/// click.
[[nodiscard]] bool engine_ramps();

}  // namespace rta::app
