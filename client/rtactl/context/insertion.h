// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rtactl/context/context.h"

namespace rta::rtactl {

/// A connection into which nodes are inserted.
struct InsertionPoint {
    GraphMirror::ConnectionInfo connection;
    std::string from{};  ///< its ports, without the names of only ports
    std::string to{};
    unsigned channels = 0;  ///< of the output at which it starts; 0: not known
};

/// Returns the only connection that A and B can mean, as an open transaction leaves the graph.
[[nodiscard]] Result<InsertionPoint> find_insertion_point(Context& context, const std::string& a, const std::string& b);

/// Gives a node the channels of the insertion point, if its type has the setting `channels` and the user did not set it.
void inherit_channels(const v1::NodeType* type, const InsertionPoint& point, v1::Node& node);

/// Returns the edits that connect A to `first` and `last` to B, in place of the connection. Its gain stays on the
/// connection to B, so that `first` receives the unchanged output of A.
[[nodiscard]] std::vector<v1::Edit> insertion_edits(const InsertionPoint& point, std::string_view first,
                                                    std::string_view last);

}  // namespace rta::rtactl
