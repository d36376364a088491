// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "plan/compile_request.h"

namespace rta {

/// All that determines a segment of a plan. Two segments with the same source are the same.
struct SegmentSource {
    struct Node {
        const NodeInstance* instance;
        const Processor* processor;
        bool present;
        [[nodiscard]] bool operator==(const Node&) const = default;
    };

    struct Filling {
        const NodeInstance* node;
        std::uint32_t port;
        const ConnectionState* state;
        CompileRequest::Glide glide;
        [[nodiscard]] bool operator==(const Filling&) const = default;
    };
    struct Tap {
        const NodeInstance* node;
        std::uint32_t port;
        const PortTap* tap;
        [[nodiscard]] bool operator==(const Tap&) const = default;
    };

    std::vector<Node> nodes;                              ///< in their order
    std::vector<CompileRequest::Connection> connections;  ///< into these nodes
    std::vector<Filling> fillings;                        ///< from these nodes
    std::vector<Tap> taps;                                ///< of these nodes
    /// For each node: whether it is a view, the buffers of its connections from other segments, and those of its signals
    /// that are passed to other segments.
    std::vector<std::uint32_t> places;
};

}  // namespace rta
