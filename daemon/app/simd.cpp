// SPDX-License-Identifier: MIT
#include "app/simd.h"

#include <cstdlib>
#include <string>
#include <string_view>

#include "dsp/simd.h"
#include "text/names.h"

namespace rta::app {

Expected<void> choose_simd_target() {
    const char* const name = std::getenv("RTAD_SIMD");
    if (name == nullptr || dsp::use_simd_target(name)) return {};
    std::string known;
    for (const std::string_view target : dsp::simd_targets()) known.append(known.empty() ? "" : ", ").append(target);
    return fail(ErrorCode::invalid_argument,
                "RTAD_SIMD=" + quoted(name) + " is no SIMD target of this machine; it has: " + known);
}

}  // namespace rta::app
