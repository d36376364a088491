// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "model/reference.h"
#include "rta/v1/control.pb.h"

namespace rta::test::model {

/// What a client knows when it makes a request.
struct View {
    v1::Graph graph{};
    std::uint64_t revision = 0;
    std::uint64_t change_number = 0;
    std::vector<std::string> scenes{};
    std::vector<std::uint64_t> pending{};
    std::optional<std::uint64_t> open{};  ///< the id of the edit that waits for its confirmation
    std::uint64_t frame = 0;
    std::int64_t utc_us = 0;
};

/// Outputs of the device; each has a tone or a constant at the start.
inline constexpr int kLanes = 4;

/// Returns the edits that build the first graph.
[[nodiscard]] v1::EditList first_edits();

/// Makes random requests: most of them valid in the view, which others may have made old.
class Traffic {
 public:
    explicit Traffic(std::mt19937& random) : random_{random} {}

    [[nodiscard]] v1::Request request(const View& view);

 private:
    [[nodiscard]] std::uint32_t roll(std::uint32_t below) { return static_cast<std::uint32_t>(random_() % below); }
    [[nodiscard]] bool one_in(std::uint32_t count) { return roll(count) == 0; }
    template <class T>
    [[nodiscard]] const T& any(const std::vector<T>& all) {
        return all[roll(static_cast<std::uint32_t>(all.size()))];
    }

    void apply_transaction(const View& view, v1::ApplyTransaction& message);
    [[nodiscard]] v1::EditList edits(const View& view);
    [[nodiscard]] v1::Graph whole_graph(const View& view);
    [[nodiscard]] std::vector<v1::Edit> change(const Graph& graph);
    [[nodiscard]] std::vector<v1::Edit> insert(const Graph& graph);
    [[nodiscard]] std::vector<v1::Edit> lane();
    void add(v1::Node& node, const std::string& name);
    void set_parameters(const View& view, v1::SetParameters& message);
    void set(const Graph& graph, v1::SetParameter& change);
    [[nodiscard]] float value(const Node& node, const std::string& parameter, const Range& range);
    void change_settings(const Node& node, v1::ChangeSettings& change);
    void guard(const View& view, v1::Guard& guard);
    void when(const View& view, v1::When& when);
    void recall(const View& view, v1::RecallScene& message);
    template <class Message>
    void undo(const View& view, Message& message);
    template <class Message>
    void confirm_sometimes(Message& message);
    [[nodiscard]] std::string node_name(const Graph& graph);
    [[nodiscard]] std::string new_name();
    [[nodiscard]] std::string scene_name() { return "s" + std::to_string(roll(4)); }

    std::mt19937& random_;
};

}  // namespace rta::test::model
