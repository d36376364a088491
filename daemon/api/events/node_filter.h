// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rta::v1 {
class Event;
}

namespace rta::api {

/// The nodes that a change concerns, as hashes of their names. [control]
class ConcernedNodes {
 public:
    /// Concerns every client, whatever its filter.
    ConcernedNodes() = default;
    /// Those of an event about a change.
    static ConcernedNodes of(const v1::Event& event);

    /// Returns whether it is a change that names no node, or replaces the graph.
    [[nodiscard]] bool all() const { return hashes_.empty(); }
    [[nodiscard]] bool contains(std::size_t hash) const { return std::ranges::binary_search(hashes_, hash); }
    /// Memory in addition to the object.
    [[nodiscard]] std::size_t bytes() const { return hashes_.capacity() * sizeof(std::size_t); }

 private:
    explicit ConcernedNodes(std::vector<std::size_t> hashes);

    std::vector<std::size_t> hashes_;  ///< sorted
};

/// The nodes whose events a client has subscribed to. [control]
class NodeFilter {
 public:
    /// The time that a filter takes for each event grows with it.
    static constexpr std::size_t kMaximumNodes = 256;

    explicit NodeFilter(std::vector<std::string> names);

    /// Returns whether the client gets the change. Two names with the same hash only give it a change that it need not
    /// have.
    [[nodiscard]] bool passes(const ConcernedNodes& nodes) const;
    /// Returns a serialised event of telemetry without the levels and loads of other nodes.
    [[nodiscard]] std::string reduced(const std::string& event) const;

 private:
    [[nodiscard]] bool contains(std::string_view name) const { return std::ranges::binary_search(names_, name); }

    std::vector<std::string> names_;  ///< sorted
    std::vector<std::size_t> hashes_;
};

}  // namespace rta::api
