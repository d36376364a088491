// SPDX-License-Identifier: MIT
#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rta/v1/control.pb.h"

/// A plain model of what edits do: a graph as maps, and a history as a list. It is written from the protocol's
/// documentation and shares no code with the daemon, so that an error there cannot hide itself.
namespace rta::test::model {

/// A node keeps its identity through renames, other settings, undo and redo.
using Identity = std::uint64_t;

struct Place {
    Identity node;
    std::string port;
    [[nodiscard]] auto operator<=>(const Place&) const = default;
};

struct Node {
    std::string name;
    std::string type;
    std::map<std::string, double> settings{};   ///< those that were given
    std::map<std::string, float> parameters{};  ///< all
    std::string title{};
    std::string description{};
    [[nodiscard]] bool operator==(const Node&) const = default;
};

struct Graph {
    std::map<Identity, Node> nodes{};
    std::map<std::pair<Place, Place>, float> connections{};  ///< from, to; the gain in dB
    bool compensation = false;
    std::string title{};
    std::string description{};

    [[nodiscard]] bool operator==(const Graph&) const = default;
    [[nodiscard]] std::optional<Identity> find(std::string_view name) const;
};

// ---------------------------------------------------------------------------------------------------------------------
// Node types

struct Range {
    float minimum;
    float maximum;
    float initial;
    bool is_switch = false;
};
struct Port {
    std::string name;
    int width;
    [[nodiscard]] bool operator==(const Port&) const = default;
};
using Settings = std::map<std::string, double>;

[[nodiscard]] bool is_type(const std::string& type);
/// Returns the settings of a node, with the defaults of those that are not given.
[[nodiscard]] Settings resolved(const std::string& type, const Settings& given);
[[nodiscard]] std::map<std::string, Range> parameters_of(const std::string& type, const Settings& given);
[[nodiscard]] std::vector<Port> inputs_of(const std::string& type, const Settings& given);
[[nodiscard]] std::vector<Port> outputs_of(const std::string& type, const Settings& given);
/// Returns whether the values of a node are valid together.
[[nodiscard]] bool fit_together(const Node& node);

// ---------------------------------------------------------------------------------------------------------------------
// Edits

/// Why a request is refused.
struct Refusal {
    v1::Code code;
    std::optional<std::uint32_t> index{};  ///< of the edit at fault
    [[nodiscard]] bool operator==(const Refusal&) const = default;
};

/// Gives identities to new nodes.
class Identities {
 public:
    [[nodiscard]] Identity next() { return ++last_; }

 private:
    Identity last_ = 0;
};

/// What a transaction contains.
struct Content {
    v1::EditList edits{};
    bool whole_graph = false;  ///< refusals name no edit
};
[[nodiscard]] Content content_of(const v1::ApplyTransaction& transaction);
[[nodiscard]] Content content_of(const v1::CheckGraph& check);

/// Returns why the edits are refused whatever the graph is.
[[nodiscard]] std::optional<Refusal> check_alone(const Content& content);
/// Applies all edits, or returns why they are refused; the graph is then undefined.
[[nodiscard]] std::optional<Refusal> apply(Graph& graph, const Content& content, Identities& identities);
/// Applies changes of parameters.
[[nodiscard]] std::optional<Refusal> apply(Graph& graph, const v1::SetParameters& changes);
/// Returns the value of a parameter after a change; nothing if it is invalid.
[[nodiscard]] std::optional<float> value_after(const Range& range, float current, const v1::SetParameter& change);

/// A scene: nodes by name; its identities mean nothing.
struct Scene {
    Graph graph{};
    bool partial = false;
    [[nodiscard]] bool operator==(const Scene&) const = default;
};
/// Returns the part of the graph that a scene of these nodes has; nothing if one is unknown.
[[nodiscard]] std::optional<Scene> save(const Graph& graph, const std::vector<std::string>& nodes);
[[nodiscard]] std::optional<Refusal> recall(Graph& graph, const Scene& scene, Identities& identities);

// ---------------------------------------------------------------------------------------------------------------------
// Texts

/// Returns the graph as sorted lines, by names.
[[nodiscard]] std::string text_of(const Graph& graph);
/// Returns a graph with new identities.
[[nodiscard]] Graph graph_of(const v1::Graph& message, Identities& identities);
[[nodiscard]] v1::Graph message_of(const Graph& graph);
[[nodiscard]] std::string text_of(const v1::Graph& message);

// ---------------------------------------------------------------------------------------------------------------------
// The history

/// Each property of each node, each connection and each property of the graph, under a key with identities.
using Parts = std::map<std::string, std::string>;
[[nodiscard]] Parts parts_of(const Graph& graph);
[[nodiscard]] Graph graph_of(const Parts& parts);

struct Step {
    std::uint64_t number = 0;
    std::uint64_t revision = 0;
    std::string author{};
    std::string client_name{};
    bool transaction = false;
    std::map<std::string, std::optional<std::string>> changes{};  ///< the parts after it; nothing: it removes the part
    std::vector<std::pair<std::string, std::string>> sets{};      ///< of changes of parameters: nodes and parameters
    bool undone = false;
    std::string undone_by{};
    std::uint64_t undo_order = 0;  ///< 0: it cannot be applied again

    [[nodiscard]] std::set<std::string> nodes() const;
};

/// What happens to a step without a change of its content.
struct StepState {
    std::uint64_t number;
    std::string author;
    bool undone;
    std::string undone_by;
    std::uint64_t undo_order;
};

class History {
 public:
    explicit History(Parts start = {}) : start_{std::move(start)} {}

    void record(const std::string& author, const std::string& client_name, std::uint64_t revision, const Graph& before,
                const Graph& after);
    void record(const std::string& author, const std::string& client_name, std::uint64_t revision, double now_s,
                const v1::SetParameters& changes, const Graph& before, const Graph& after);

    /// Returns the numbers of the steps that are undone, or applied again, first; too few: there are not more.
    [[nodiscard]] static std::vector<std::uint64_t> candidates(const std::vector<StepState>& steps, bool redo,
                                                               const std::string& author, bool of_all);
    /// Returns the graph if these steps are undone or applied again instead.
    [[nodiscard]] Graph toggled(const Graph& graph, const std::set<std::uint64_t>& numbers) const;
    /// Returns whether a later step that stays, and is none of these, has changed the same parts, other than parameters.
    [[nodiscard]] bool collides(const std::set<std::uint64_t>& numbers) const;
    /// Returns these steps and the later ones that collide with them.
    [[nodiscard]] std::set<std::uint64_t> with_what_is_in_the_way(std::set<std::uint64_t> numbers) const;
    void toggle(const std::vector<std::uint64_t>& undone, const std::vector<std::uint64_t>& redone,
                const std::string& author);

    struct Mark {
        std::uint64_t next_number = 1;
        std::vector<StepState> undone{};
    };
    [[nodiscard]] Mark mark() const;
    void revert(const Mark& mark, const std::string& author);

    [[nodiscard]] const std::vector<Step>& steps() const { return steps_; }
    [[nodiscard]] std::vector<StepState> states() const;

 private:
    struct Gesture {
        std::uint64_t number;
        double latest_s;
        std::uint64_t compared_to;
    };
    Step& add(const std::string& author, const std::string& client_name, std::uint64_t revision);
    [[nodiscard]] bool is_met(const std::set<std::uint64_t>& numbers, const Step& later) const;
    void discard_redo(const std::string& author);
    [[nodiscard]] Step* gesture(const std::string& author, double now_s,
                                const std::vector<std::pair<std::string, std::string>>& sets);
    [[nodiscard]] Step* find(std::uint64_t number);

    Parts start_;
    std::vector<Step> steps_{};
    std::deque<Gesture> gestures_{};
    std::uint64_t next_order_ = 1;
};

}  // namespace rta::test::model
