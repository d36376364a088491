// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "graph/audio_graph.h"
#include "plan/compiler.h"

namespace rta::test {

/// Compares the targets of rounds with what has been committed:
/// - no connection is in the target before the transaction that adds it is reported as heard
/// - when a transaction is reported as heard, all that it adds is in the target, and nothing that it removes
/// - when everything has settled, the target is the committed graph, and the plan contains nothing else
///
/// Left out of the first two: inputs of nodes that are not heard, before or after, which change a round earlier or
/// later; and inputs of nodes that have been removed, which keep what they had. Left out of the second: transactions
/// that close a cycle with what sounds or waits, which may take several rounds.
class CommitChecks {
 public:
    void committed(std::uint64_t revision, const AudioGraph& graph);
    void send_plan(std::uint64_t serial, const CompileRequest& contents);
    /// The transaction is reported as heard in the block for which adopt() is called next. Without a plan in that block it
    /// counts from the next plan on.
    void heard(std::uint64_t revision) { heard_now_.insert(revision); }
    /// The plans up to `serial` were adopted in one block. Returns what is wrong.
    [[nodiscard]] std::optional<std::string> adopt(std::uint64_t serial);
    /// Returns what is wrong after everything has settled.
    [[nodiscard]] std::optional<std::string> check_settled(const AudioGraph& graph) const;

 private:
    using Connections = std::set<ConnectionKey>;
    struct Plan {
        std::uint64_t serial = 0;
        Connections target{};
        Connections all{};
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

    [[nodiscard]] std::optional<std::string> check_arrivals(const Plan& before) const;
    [[nodiscard]] std::optional<std::string> check_whole() const;
    [[nodiscard]] bool may_close_cycles(const Plan& before) const;
    /// Returns whether a connection should be in the target, by what has been reported as heard.
    [[nodiscard]] bool is_due(const ConnectionKey& connection) const;

    Connections committed_{};
    std::set<NodeId> nodes_{};                                    ///< of the committed graph
    std::deque<std::pair<std::uint64_t, Connections>> graphs_{};  ///< by revision, from the first that is not heard
    std::map<ConnectionKey, std::vector<Period>> periods_{};
    std::set<std::uint64_t> heard_{};      ///< revisions
    std::set<std::uint64_t> heard_now_{};  ///< revisions, in this block
    std::deque<Plan> sent_{};
    Plan adopted_{};
};

}  // namespace rta::test
