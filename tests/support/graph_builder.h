// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "graph/audio_graph.h"
#include "plan/compiler.h"
#include "plan/node_instance.h"

namespace rta::test {

/// Builds graphs of the built-in node types without an engine, and compiles them without fades.
class GraphBuilder {
 public:
    GraphBuilder& add(std::string_view type, std::string name, Settings settings = {},
                      const std::map<std::string, float, std::less<>>& parameters = {}) {
        auto description = describe(type, std::move(name), std::move(settings));
        auto values = description->parameter_values(parameters);
        EXPECT_TRUE(values);
        const auto added = graph.add_node(NodeId{next_id_++}, description, std::move(*values));
        EXPECT_TRUE(added) << added.error().sentence;
        return *this;
    }
    GraphBuilder& connect(std::string_view from, std::string_view to) {
        const auto connected = graph.connect(from, to, {});
        EXPECT_TRUE(connected) << connected.error().sentence;
        return *this;
    }
    GraphBuilder& replace(std::string_view type, std::string name, Settings settings) {
        const auto replaced =
            graph.replace_node(NodeId{next_id_++}, describe(type, std::move(name), std::move(settings)));
        EXPECT_TRUE(replaced) << replaced.error().sentence;
        return *this;
    }

    GraphBuilder& rename(std::string_view name, std::string new_name) {
        const NodeDescription& old = *graph.find(name)->description;
        const auto renamed = graph.rename_node(name, describe(old.type->name, std::move(new_name), old.given_settings));
        EXPECT_TRUE(renamed) << renamed.error().sentence;
        return *this;
    }
    GraphBuilder& remove(std::string_view name) {
        const auto removed = graph.remove_node(name);
        EXPECT_TRUE(removed) << removed.error().sentence;
        return *this;
    }
    /// Returns the id that the next node gets.
    [[nodiscard]] std::uint64_t next_id() const { return next_id_; }

    /// Returns a request to compile the graph. If not `at_unity`, every connection is mixed, as during a fade. The plan
    /// refers to this object.
    [[nodiscard]] CompileRequest request(bool at_unity = true) const {
        CompileRequest request{.block_size = 64,
                               .gain_fade_frames = 480,
                               .round = 1,
                               .round_frames = 480,
                               .nodes = {},
                               .connections = {},
                               .fillings = {},
                               .targets = {}};
        std::map<NodeId, std::uint32_t> numbers;
        for (const auto& node : graph.nodes()) {
            numbers[node->id] = static_cast<std::uint32_t>(numbers.size());
            auto processor = node->description->type->create({48'000.0, 64, node->description->settings});
            EXPECT_TRUE(processor);
            auto instance = std::make_shared<NodeInstance>(node->description, std::move(*processor));
            instance->assign_id(node->id);
            instance->start_with(node->parameters);
            request.nodes.push_back(CompileRequest::Node::of(*instance));
            borrowed_.push_back(std::move(instance));
        }
        for (const auto& node : graph.nodes()) {
            for (const IncomingConnection& incoming : node->incoming) {
                auto state = std::make_shared<ConnectionState>(dsp::Ramp{1.0F});
                request.connections.push_back({numbers.at(incoming.from.node), incoming.from.port, numbers.at(node->id),
                                               incoming.to_port, state.get(), 1.0F, at_unity});
                borrowed_.push_back(std::move(state));
            }
        }
        return request;
    }

    AudioGraph graph;

 private:
    static std::shared_ptr<const NodeDescription> describe(std::string_view type, std::string name, Settings settings) {
        auto description = NodeDescription::make(*builtin_nodes().find(type), std::move(name), std::move(settings));
        EXPECT_TRUE(description) << description.error().sentence;
        return *description;
    }

    std::uint64_t next_id_ = 1;
    mutable std::vector<std::shared_ptr<const void>> borrowed_;
};

/// Returns the steps of all segments.
inline std::vector<CompiledGraph::Step> steps_of(const CompiledGraph& plan) {
    std::vector<CompiledGraph::Step> steps;
    for (const auto& segment : plan.segments())
        steps.insert(steps.end(), segment->steps().begin(), segment->steps().end());
    return steps;
}

}  // namespace rta::test
