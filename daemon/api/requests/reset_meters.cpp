// SPDX-License-Identifier: MIT
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "api/call.h"
#include "api/list_limits.h"
#include "api/services.h"
#include "text/quoting.h"

namespace rta::api::requests {
namespace {

Expected<void> check_names(const std::vector<std::string>& nodes) {
    if (nodes.size() > kMaximumItems) return std::unexpected(too_many_items("nodes", nodes.size()));
    std::unordered_set<std::string_view> seen;
    for (const std::string& node : nodes) {
        if (!seen.insert(node).second)
            return fail(ErrorCode::invalid_argument, "duplicate node " + quoted(node) + ": name each node once");
    }
    return {};
}

}  // namespace

void reset_meters(Call& call) {
    const auto& wanted = call.request.message.reset_meters().nodes();
    const std::vector<std::string> nodes{wanted.begin(), wanted.end()};
    if (const auto valid = check_names(nodes); !valid) return call.request.refuse(valid.error());
    const auto frame = call.services.engine.restart_loudness(nodes);
    if (!frame) return call.request.refuse(frame.error());
    call.request.answer().mutable_reset_meters()->set_frame(*frame);
}

}  // namespace rta::api::requests
