// SPDX-License-Identifier: MIT
#include "engine/sounding_graph.h"

#include <algorithm>
#include <tuple>

#include "dsp/math.h"

namespace rta {
namespace {

NodeId id_of(const SoundingGraph::Node& node) { return node.instance->id(); }

auto place_of(const SoundingGraph::Connection& connection) { return std::tie(connection.key, connection.delay_frames); }

const SoundingGraph::Node* find_node(const std::vector<SoundingGraph::Node>& nodes, NodeId id) {
    const auto found = std::ranges::lower_bound(nodes, id, {}, id_of);
    return found != nodes.end() && id_of(*found) == id ? &*found : nullptr;
}

/// Which part of a transition to include.
enum class Scope : std::uint8_t { everything, departures };

/// Walks `now` and `target` in parallel; both are sorted the same way.
class Merger {
 public:
    Merger(const SoundingTransition& transition, Scope scope)
        : transition_{transition}, with_new_{scope == Scope::everything} {
        result_.unsettled = !with_new_;
    }

    [[nodiscard]] SoundingGraph merge() {
        merge_nodes();
        merge_connections();
        return std::move(result_);
    }

 private:
    void merge_nodes() {
        const auto& now = transition_.now.nodes;
        const auto target = transition_.target.nodes();
        result_.nodes.reserve(std::max(now.size(), target.size()));
        auto old = now.begin();
        for (const auto& node : target) {
            for (; old != now.end() && id_of(*old) < node->id; ++old) leave(*old);
            if (old != now.end() && id_of(*old) == node->id) {
                result_.nodes.push_back(*old++);
            } else if (with_new_) {
                enter(*node);
            }
        }
        for (; old != now.end(); ++old) leave(*old);
    }

    void enter(const GraphNode& node) {
        result_.nodes.push_back(
            {.instance = transition_.entering(node.id), .left_in = 0, .entered_in = transition_.serial});
        if (node.description->type->device_role == DeviceRole::sink) result_.device_fades = true;
    }

    void leave(const SoundingGraph::Node& node) {
        if (node.left_in != 0 && node.left_in <= transition_.ended_serial) return;
        result_.nodes.push_back(node);
        result_.unsettled = true;
        if (node.left_in != 0) return;
        result_.nodes.back().left_in = transition_.serial;
        if (node.instance->description().type->device_role == DeviceRole::sink) result_.device_fades = true;
    }

    void merge_connections() {
        const auto& now = transition_.now.connections;
        result_.connections.reserve(std::max(now.size(), transition_.target.connection_count()));
        auto old = now.begin();
        auto delay = transition_.delays_frames.begin();
        for (const auto& node : transition_.target.nodes()) {
            for (const IncomingConnection& incoming : node->incoming) {
                const std::uint32_t delay_frames = transition_.delays_frames.empty() ? 0 : *delay++;
                const ConnectionKey key{{node->id, incoming.to_port}, incoming.from};
                const auto place = std::tie(key, delay_frames);
                const float gain = dsp::gain_from_db(incoming.gain_db);
                for (; old != now.end() && place_of(*old) < place; ++old) disconnect(*old);
                if (old != now.end() && place_of(*old) == place) {
                    keep(*old++, gain);
                } else if (with_new_) {
                    connect(key, delay_frames, gain);
                }
            }
        }
        for (; old != now.end(); ++old) disconnect(*old);
    }

    void keep(SoundingGraph::Connection connection, float gain) {
        if (connection.target_gain != gain) {
            connection.target_gain = gain;
            connection.changed_in = transition_.serial;
        }
        if (connection.changed_in > transition_.ended_serial) result_.unsettled = true;
        result_.connections.push_back(std::move(connection));
    }

    void connect(const ConnectionKey& key, std::uint32_t delay_frames, float gain) {
        const bool fades_in = find_node(transition_.now.nodes, key.to.node) != nullptr;
        auto state = std::make_shared<ConnectionState>(dsp::Ramp{fades_in ? 0.0F : gain});
        if (delay_frames != 0) {
            const auto& outputs = find_node(result_.nodes, key.from.node)->instance->description().layout.outputs;
            state->delay = std::make_unique<dsp::FixedDelay>(outputs[key.from.port].width, delay_frames);
        }
        result_.connections.push_back({.key = key,
                                       .delay_frames = delay_frames,
                                       .state = std::move(state),
                                       .target_gain = gain,
                                       .changed_in = fades_in ? transition_.serial : 0,
                                       .entered_in = transition_.serial});
        if (fades_in) result_.unsettled = true;
    }

    void disconnect(SoundingGraph::Connection connection) {
        const auto* to = find_node(result_.nodes, connection.key.to.node);
        if (to == nullptr || find_node(result_.nodes, connection.key.from.node) == nullptr) return;  // pruned
        const bool stays = to->left_in == 0;
        if (stays && connection.target_gain != 0.0F) {
            connection.target_gain = 0.0F;
            connection.changed_in = transition_.serial;
        } else if (stays && connection.changed_in <= transition_.ended_serial) {
            return;  // has faded out
        }
        result_.unsettled = true;
        result_.connections.push_back(std::move(connection));
    }

    const SoundingTransition& transition_;
    bool with_new_;
    SoundingGraph result_;
};

}  // namespace

bool SoundingGraph::contains(NodeId id) const { return find_node(nodes, id) != nullptr; }

CompileRequest SoundingGraph::request(std::uint64_t serial, std::uint64_t ended_serial,
                                      const RemainingSilence& remaining_silence) const {
    const auto left = [&](const Silence& silence, std::uint64_t entered_in) {
        return silence.none() || entered_in == serial ? Silence{} : remaining_silence(silence, entered_in);
    };
    CompileRequest request{};
    request.nodes.reserve(nodes.size());
    for (const Node& node : nodes) {
        request.nodes.push_back({.instance = node.instance,
                                 .leaving = node.left_in != 0,
                                 .entering = node.entered_in == serial,
                                 .silence = left(node.silence, node.entered_in)});
    }

    const auto number_of = [this](NodeId id) {
        return static_cast<std::uint32_t>(std::ranges::lower_bound(nodes, id, {}, id_of) - nodes.begin());
    };
    request.connections.reserve(connections.size());
    std::uint32_t to = 0;  // connections are sorted by the id of their destination, as nodes are by id
    for (const Connection& connection : connections) {
        while (id_of(nodes[to]) != connection.key.to.node) ++to;
        request.connections.push_back(
            {.from_node = number_of(connection.key.from.node),
             .from_port = connection.key.from.port,
             .to_node = to,
             .to_port = connection.key.to.port,
             .state = connection.state,
             .target_gain = connection.target_gain,
             .at_unity = connection.target_gain == 1.0F && connection.changed_in <= ended_serial,
             .entering = connection.entered_in == serial,
             .silence = left(connection.state->silence, connection.entered_in)});
    }
    return request;
}

SoundingGraph merge(const SoundingTransition& transition) { return Merger{transition, Scope::everything}.merge(); }

SoundingGraph merge_departures(const SoundingTransition& transition) {
    return Merger{transition, Scope::departures}.merge();
}

}  // namespace rta
