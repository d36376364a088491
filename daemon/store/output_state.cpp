// SPDX-License-Identifier: MIT
#include "store/output_state.h"

#include <algorithm>
#include <iterator>

namespace rta::store {

Expected<OutputState> read_output_state(std::string_view text) {
    std::string compact;
    std::ranges::copy_if(text, std::back_inserter(compact),
                         [](char c) { return c != ' ' && c != '\t' && c != '\r' && c != '\n'; });
    if (compact == R"({"muted":true})") return OutputState{.muted = true};
    if (compact == R"({"muted":false})") return OutputState{.muted = false};
    return fail(ErrorCode::invalid_argument,
                R"(invalid state of the output: expected {"muted": true} or {"muted": false})");
}

std::string write_output_state(const OutputState& state) {
    return std::string{R"({"muted": )"} + (state.muted ? "true" : "false") + "}\n";
}

}  // namespace rta::store
