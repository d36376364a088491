// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <vector>

#include "graph/topological_order.h"
#include "plan/compile_request.h"

namespace rta {

/// In which order the nodes of a plan run, how they are divided into segments, and the buffers of the signals that are
/// passed from segment to segment. It depends on nodes and connections, and not on their gains and fades: plans share it
/// while these stay. [control]
///
/// Where a segment ends depends on the ids of the nodes around it, and a passed signal keeps its buffers from plan to
/// plan, so that a change of some nodes leaves most segments as they are.
struct PlanLayout {
    static constexpr std::uint32_t kNone = static_cast<std::uint32_t>(-1);

    struct Node {
        NodeId id;
        const NodeInstance* instance;
        bool is_view;  ///< its outputs are its inputs: it has no step
        [[nodiscard]] bool operator==(const Node&) const = default;
    };
    struct Link {
        std::uint32_t from_node;
        std::uint32_t from_port;
        std::uint32_t to_node;
        [[nodiscard]] bool operator==(const Link&) const = default;
    };
    /// A channel of an output port.
    struct Channel {
        std::uint32_t signal;  ///< kNone: silence
        std::uint32_t channel;
    };

    // What determines the rest.
    std::uint32_t segment_nodes = 0;  ///< fewest nodes of a segment
    std::vector<Node> nodes;          ///< of the request
    std::vector<Link> links;          ///< of the request

    std::vector<std::uint32_t> order;         ///< nodes, each after its sources
    std::vector<std::uint32_t> position;      ///< of each node in `order`
    std::vector<std::uint32_t> segment_of;    ///< number of the segment of each node
    std::vector<std::uint32_t> first_of;      ///< index in `order` for each segment, and one more at the end
    std::vector<std::uint32_t> first_signal;  ///< number of the first output port of each node, and one more at the end
    std::vector<std::uint32_t> first_passed;  ///< index in `passed` for each signal; kNone: it is not passed
    std::vector<std::uint32_t> passed;        ///< numbers of buffers
    std::uint32_t passed_count = 0;           ///< of different buffers
    /// For each signal of a view: the channels that it contains. Empty if there are no views.
    std::vector<std::uint32_t> first_view_channel;  ///< index in `view_channels`; kNone: not of a view
    std::vector<Channel> view_channels;

    /// Returns the layout of the request, or `previous` if that is the same. `first_connection` is the index of the first
    /// connection into each node, and one more at the end. `views` are the nodes without a step.
    [[nodiscard]] static std::expected<std::shared_ptr<const PlanLayout>, Cycle> of(
        const CompileRequest& request, std::span<const std::uint32_t> first_connection, const std::vector<bool>& views,
        std::shared_ptr<const PlanLayout> previous);

    [[nodiscard]] std::size_t segment_count() const { return first_of.size() - 1; }
    /// Returns the nodes of a segment, in their order.
    [[nodiscard]] std::span<const std::uint32_t> segment(std::size_t number) const {
        return std::span{order}.subspan(first_of[number], first_of[number + 1] - first_of[number]);
    }
    [[nodiscard]] std::uint32_t signal(std::uint32_t node, std::uint32_t port) const {
        return first_signal[node] + port;
    }
    [[nodiscard]] bool is_passed(std::uint32_t signal) const { return first_passed[signal] != kNone; }
    [[nodiscard]] std::uint32_t passed_buffer(const Channel& channel) const {
        return passed[first_passed[channel.signal] + channel.channel];
    }
    /// Appends the numbers of the buffers of a signal that is passed, or whose channels are.
    void append_buffers(std::uint32_t signal, std::uint32_t width, std::vector<std::uint32_t>& numbers) const;
    /// Returns the channel of another node that a channel of a signal is.
    [[nodiscard]] Channel origin(const Channel& channel) const {
        if (first_view_channel.empty() || first_view_channel[channel.signal] == kNone) return channel;
        return view_channels[first_view_channel[channel.signal] + channel.channel];
    }
};

}  // namespace rta
