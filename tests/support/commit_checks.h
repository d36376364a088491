// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "graph/audio_graph.h"
#include "plan/compiler.h"

namespace rta::test {

/// Compares the targets of rounds with what has been committed:
/// - a connection is not heard before the transaction that adds it is reported as heard, so transactions are whole
/// - in the end, the target is the committed graph, and the plan contains nothing else
///
/// Left out: inputs of nodes that are not heard themselves, before or after, which change a round earlier than the
/// transaction is heard; and inputs of nodes that have been removed, which keep what they had.
class CommitChecks {
 public:
    void committed(std::uint64_t revision, const AudioGraph& graph);
    void heard(std::uint64_t revision) { heard_.insert(revision); }
    void send_plan(std::uint64_t serial, const CompileRequest& contents);
    /// The plans up to `serial` were adopted in one block, and what begins to be heard with them has been reported. Returns what is
    /// wrong.
    [[nodiscard]] std::optional<std::string> adopt(std::uint64_t serial);
    /// Returns what is wrong after everything has settled.
    [[nodiscard]] std::optional<std::string> at_end(const AudioGraph& graph) const;

 private:
    struct Plan {
        std::uint64_t serial = 0;
        std::set<ConnectionKey> target{};
        std::set<NodeId> sinks{};  ///< in the target
        std::set<NodeId> heard{};  ///< nodes that feed the device through the target
        std::size_t nodes = 0;
        std::size_t connections = 0;
    };

    /// The time during which a connection is in the graph, in revisions.
    struct Period {
        std::uint64_t added_in;
        std::uint64_t removed_in = 0;  ///< 0: it is still there
    };

    [[nodiscard]] bool is_heard(const Period& period) const;

    std::set<ConnectionKey> committed_{};
    std::set<NodeId> nodes_{};  ///< of the committed graph
    std::map<ConnectionKey, std::vector<Period>> periods_{};
    std::set<std::uint64_t> heard_{};  ///< revisions
    std::deque<Plan> sent_{};
    Plan adopted_{};
};

}  // namespace rta::test
