// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "document/document.h"
#include "graph/edit.h"

namespace rta::test {

/// One random change of a graph. What it does depends on the graph, so any changes of a list may be left out.
struct RandomEdit {
    enum class Kind : std::uint8_t {
        insert,      ///< a new node into a connection
        split,       ///< a new node side by side with another
        add,         ///< a new node that feeds nothing
        add_output,  ///< of the device
        remove,      ///< a node, and with half of them the path through it
        exchange,    ///< a node for a new one with the same name
        swap,        ///< two nodes change places
        reverse,     ///< the nodes of a path
        plug,        ///< an existing node into a connection
        unplug,      ///< takes a node out of its path
        connect,
        level,  ///< of a connection
        disconnect,
        rename,
        settings,
        parameter,
        compensate,
        count,
    };
    static constexpr std::array<std::string_view, static_cast<std::size_t>(Kind::count)> kNames{
        "insert", "split",   "add",   "add output", "remove", "exchange", "swap",      "reverse",   "plug",
        "unplug", "connect", "level", "disconnect", "rename", "settings", "parameter", "compensate"};

    Kind kind;
    std::size_t region;
    std::size_t other_region;  ///< from which `connect` takes the signal
    std::uint32_t first;       ///< random: which node, which value
    std::uint32_t second;
};

/// What random edits may add.
struct RandomEditLimits {
    bool remembering;        ///< nodes whose output depends on earlier input, and generators
    std::uint32_t channels;  ///< of most ports
    bool views = false;      ///< splits and merges of two channels
};

/// Edits of a graph that consists of regions, one for each client: the names of the nodes of region 1 start with `r1_`.
/// Each region starts as an input, a gain and an output.
class RandomEdits {
 public:
    RandomEdits(GraphDocument graph, const RandomEditLimits& limits, std::uint32_t& next_name)
        : graph_{std::move(graph)}, limits_{limits}, next_name_{next_name} {}

    [[nodiscard]] static GraphDocument start(std::size_t regions, const RandomEditLimits& limits);

    /// Adds one more change to the transaction. It has no effect if the graph has nothing to change.
    void add(const RandomEdit& edit);
    /// Returns the transaction.
    [[nodiscard]] const std::vector<Edit>& edits() const { return edits_; }
    /// Returns the graph as it is after the transaction, if that succeeds.
    [[nodiscard]] const GraphDocument& graph() const { return graph_; }

 private:
    using Node = GraphDocument::Node;
    using Connection = GraphDocument::Connection;

    void insert(const RandomEdit& edit);
    void insert_pair(const Connection& connection, const std::string& node, std::uint32_t random);
    void split(const RandomEdit& edit);
    void add_output(const RandomEdit& edit);
    void remove(const RandomEdit& edit);
    void exchange(const RandomEdit& edit);
    void swap(const RandomEdit& edit);
    void reverse(const RandomEdit& edit);
    void plug(const RandomEdit& edit);
    void unplug(const RandomEdit& edit);
    void connect_any(const RandomEdit& edit);
    void rename(const RandomEdit& edit);
    void change_settings(const RandomEdit& edit);
    void set_parameter(const RandomEdit& edit);

    [[nodiscard]] Node make_node(std::string name, std::uint32_t random) const;
    [[nodiscard]] std::string add_node(std::size_t region, std::uint32_t random);
    std::string add_to_graph(Node node);
    void insert_into(const Connection& connection, const std::string& node);
    void bridge(const std::string& node);
    void disconnect_all(const std::string& node);
    void connect(const std::string& from, const std::string& to, float gain_db);
    void disconnect(const Connection& connection);
    void reconnect(const std::function<Connection(const Connection&)>& changed);

    [[nodiscard]] const Node* find(std::string_view name) const;
    [[nodiscard]] std::string input_of(std::string_view node) const;
    [[nodiscard]] std::string output_of(std::string_view node) const;
    [[nodiscard]] std::vector<Connection> connections_from(std::string_view node) const;
    [[nodiscard]] std::vector<Connection> connections_to(std::string_view node) const;
    /// Returns a node of the region that has inputs and outputs; empty if it has none.
    [[nodiscard]] std::string any_inner(std::size_t region, std::uint32_t random) const;
    [[nodiscard]] std::optional<Connection> any_connection(std::size_t region, std::uint32_t random) const;
    [[nodiscard]] std::vector<std::string> path(const std::string& start) const;

    GraphDocument graph_;
    RandomEditLimits limits_;
    std::uint32_t& next_name_;
    std::vector<Edit> edits_{};
};

/// Returns a random parameter of a node and a value for it; nothing if the node has none that are changed.
[[nodiscard]] std::optional<SetParameter> random_parameter(const GraphDocument::Node& node, std::uint32_t random);

}  // namespace rta::test
