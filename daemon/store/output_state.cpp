// SPDX-License-Identifier: MIT
#include "store/output_state.h"

#include <rapidjson/document.h>

namespace rta::store {

Expected<OutputState> read_output_state(std::string_view text) {
    rapidjson::Document document;
    document.Parse<rapidjson::kParseIterativeFlag>(text.data(), text.size());
    const bool good = !document.HasParseError() && document.IsObject() && document.MemberCount() == 1 &&
                      document.HasMember("muted") && document["muted"].IsBool();
    if (!good) return fail(ErrorCode::invalid_argument, R"(it is not {"muted": true} or {"muted": false})");
    return OutputState{.muted = document["muted"].GetBool()};
}

std::string write_output_state(const OutputState& state) {
    return std::string{R"({"muted": )"} + (state.muted ? "true" : "false") + "}\n";
}

}  // namespace rta::store
