// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "api/history/step.h"
#include "graph/audio_graph.h"
#include "graph/edit.h"

namespace rta::api {

/// What steps have changed that cannot be in one graph.
struct UndoConflict {
    /// The latest of the steps that stay to have changed each part of it, by their indices.
    std::vector<std::size_t> writers{};
    /// Nodes that an undone step may bring back, or give what is needed.
    std::vector<NodeIdentity> lacking{};
    std::string reason{};  ///< "node \"x\" already exists"
};

/// The graph as if the steps that stay had been the only ones. Each part of a graph (whether a node exists, its name, its
/// settings, a parameter, a connection) has the value that the latest step that stays has given it, or else the one
/// before all steps. Computed only for the parts that steps change which are undone or applied again. [any]
class UndoTarget {
 public:
    /// `stays`: after the undo. `toggled`: the steps that are undone or applied again. All must outlive the target.
    UndoTarget(std::span<const HistoryStep> steps, const std::vector<bool>& stays, const std::set<std::size_t>& toggled,
               const AudioGraph& graph);

    /// Returns why the graph would not be valid, if so.
    [[nodiscard]] std::optional<UndoConflict> conflict() const;
    /// Returns edits that lead there from the present graph. There must be no conflict.
    [[nodiscard]] std::vector<Edit> edits() const;
    /// Returns the nodes on which the edits depend, ascending.
    [[nodiscard]] std::vector<NodeIdentity> concerned() const;
    /// Returns how many nodes and connections were considered.
    [[nodiscard]] std::size_t size() const { return nodes_.size() + places_.size(); }

 private:
    /// A change of the node by a step.
    struct Link {
        std::size_t step;
        const NodeChange* change;
    };
    struct Node {
        const GraphNode* actual = nullptr;  ///< null: not in the graph
        SharedRecord present{};             ///< of `actual`
        SharedRecord target{};              ///< null: will not exist
        std::vector<Link> links{};          ///< in the order of the steps; of nodes that toggled steps change
        bool rewired = false;  ///< all its connections are considered: it comes back, or has other settings
    };
    struct Place {
        bool toggled = false;  ///< changed by a toggled step
        std::optional<float> actual{};
        std::optional<float> target{};
        std::optional<std::size_t> writer{};  ///< the latest step that stays and has changed it
        std::optional<float> first{};         ///< before all steps, if one of them has changed it
        std::optional<float> last{};          ///< after `writer`
        bool changed = false;                 ///< by some step
    };
    using Places = std::map<ConnectionPlace, Place>;

    [[nodiscard]] const StepChanges* changes_of(std::size_t step) const;
    void find_nodes();
    void find_links();
    void set_target(Node& node) const;
    void find_places();
    void add_present_places(const GraphNode& node);
    void add_earlier_places();
    void follow_places();
    void add_neighbours();
    void set_target(const ConnectionPlace& place, Place& entry) const;
    void set_graph_target();
    [[nodiscard]] const GraphNode* find_actual(NodeIdentity identity) const;
    [[nodiscard]] std::optional<float> actual_gain(const ConnectionPlace& place) const;

    /// The latest steps that stay and have changed something.
    [[nodiscard]] const Link* existence_link(const Node& node) const;
    [[nodiscard]] const Link* link(const Node& node, const Facet& facet) const;
    /// Of a node that need not be changed by toggled steps.
    [[nodiscard]] std::optional<std::size_t> writer(NodeIdentity identity, const Facet& facet) const;
    [[nodiscard]] bool applied_again(std::size_t step) const { return toggled_.contains(step) && stays_[step]; }

    [[nodiscard]] std::optional<UndoConflict> missing_node() const;
    [[nodiscard]] std::optional<UndoConflict> missing_node(std::size_t step, NodeIdentity identity) const;
    [[nodiscard]] std::optional<UndoConflict> invalid_value() const;
    [[nodiscard]] std::optional<UndoConflict> taken_name() const;
    [[nodiscard]] std::optional<UndoConflict> invalid_connection() const;
    [[nodiscard]] std::optional<UndoConflict> cycle() const;
    [[nodiscard]] std::optional<UndoConflict> invalid_value(NodeIdentity identity, const Node& node) const;
    [[nodiscard]] std::optional<UndoConflict> lost_parameter(NodeIdentity identity, const Node& node) const;
    /// Describes values of a node that do not fit together, or its settings.
    [[nodiscard]] UndoConflict bad_values(NodeIdentity identity, std::string reason,
                                          std::span<const std::string_view> parameters) const;
    [[nodiscard]] std::vector<NodeIdentity> fed_by(NodeIdentity identity) const;
    /// Returns the latest step that has connected the two.
    [[nodiscard]] std::optional<std::size_t> writer(NodeIdentity from, NodeIdentity to) const;

    /// Returns the considered part of the target, or of the present graph.
    [[nodiscard]] AudioGraph part(bool target) const;

    std::span<const HistoryStep> steps_;
    const std::vector<bool>& stays_;
    const std::set<std::size_t>& toggled_;
    const AudioGraph& graph_;
    std::map<NodeIdentity, Node> nodes_;  ///< changed, and those that are connected to them
    std::set<NodeIdentity> changed_;      ///< by the toggled steps
    Places places_;
    std::multimap<NodeIdentity, NodeIdentity> fed_;  ///< by places_, from and to
    GraphRecord graph_target_;
    std::unordered_map<std::uint64_t, const GraphNode*> by_identity_;  ///< of nodes whose identity is not their id
};

}  // namespace rta::api
