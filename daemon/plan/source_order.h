// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <tuple>
#include <vector>

#include "plan/compile_request.h"
#include "text/sort_range.h"

namespace rta {

/// Sorts the connections into one port.
///
/// Signals are summed in the order of their sources' names, so that a graph renders bit-identically however it was
/// built. A name occurs twice while a node is replaced by a node of the same name: the older node comes first. [control]
class SourceOrder {
 public:
    void sort(std::span<CompileRequest::Connection> sources, std::span<const CompileRequest::Node> nodes) {
        if (sources.size() == 1) return;
        keys_.clear();
        for (std::size_t i = 0; i < sources.size(); ++i) {
            const CompileRequest::Node& node = nodes[sources[i].from_node];
            keys_.push_back({node.name_bytes, node.id, node.instance, sources[i].from_port, i});
        }
        sort_range(keys_, std::less<>{});
        sorted_.clear();
        for (const Key& key : keys_) sorted_.push_back(sources[key.index]);
        std::ranges::move(sorted_, sources.begin());
    }

 private:
    struct Key {
        std::uint64_t name_bytes;
        NodeId id;
        const NodeInstance* node;
        std::uint32_t port;
        std::size_t index;

        /// The order by name of the node, then by name of its port, then by id.
        [[nodiscard]] bool operator<(const Key& other) const {
            if (name_bytes != other.name_bytes) return name_bytes < other.name_bytes;
            return std::tuple{node_name(), port_name(), id} <
                   std::tuple{other.node_name(), other.port_name(), other.id};
        }
        [[nodiscard]] std::string_view node_name() const { return node->description().name; }
        [[nodiscard]] std::string_view port_name() const { return node->description().layout.outputs[port].name; }
    };

    std::vector<Key> keys_;
    std::vector<CompileRequest::Connection> sorted_;
};

}  // namespace rta
