// SPDX-License-Identifier: MIT
#include <string>
#include <vector>

#include "api/call.h"
#include "api/list_limits.h"
#include "api/services.h"
#include "graph/edit_checks.h"

namespace rta::api::requests {
namespace {

Expected<void> check_names(const std::vector<std::string>& nodes) {
    if (nodes.size() > kMaximumItems) return std::unexpected(too_many_items("nodes", nodes.size()));
    return check_distinct(nodes);
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
