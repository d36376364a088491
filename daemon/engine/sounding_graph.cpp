// SPDX-License-Identifier: MIT
#include "engine/sounding_graph.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <iterator>
#include <optional>
#include <tuple>
#include <utility>

#include "engine/filling.h"

namespace rta {
namespace {

using Node = SoundingGraph::Node;
using Connection = SoundingGraph::Connection;

auto place_of(const Connection& connection) { return std::tie(connection.key, connection.delay_frames); }
auto place_of(const CommittedConnection& connection) { return std::tie(connection.key, connection.delay_frames); }
constexpr auto by_place = [](const Connection& connection) { return place_of(connection); };
constexpr auto port_of = [](const auto& connection) { return connection.key.to; };

/// Merges sorted vectors.
template <typename T, typename Key>
void merge_in(std::vector<T>& all, std::vector<T> added, Key key) {
    if (added.empty()) return;
    std::vector<T> merged;
    merged.reserve(all.size() + added.size());
    std::merge(std::make_move_iterator(all.begin()), std::make_move_iterator(all.end()),
               std::make_move_iterator(added.begin()), std::make_move_iterator(added.end()), std::back_inserter(merged),
               [&](const T& a, const T& b) { return key(a) < key(b); });
    all = std::move(merged);
}

}  // namespace

/// Connects new nodes.
class SoundingGraph::Entry {
 public:
    Entry(SoundingGraph& sound, const SoundingGraph::Entrance& entrance) : sound_{sound}, entrance_{entrance} {}

    bool enter(const AudioGraph& graph, std::span<const CommittedConnection> committed) {
        enter_nodes(graph);
        std::vector<Connection>& present = sound_.connections.own();
        for (Connection& connection : present) connection.filling = false;
        std::vector<Connection> added;
        auto old = present.begin();
        for (const CommittedConnection& connection : committed) {
            while (old != present.end() && place_of(*old) < place_of(connection)) ++old;
            if (old != present.end() && place_of(*old) == place_of(connection)) {
                old->filling = !old->hearing.any();
            } else if (is_new(connection.key.to.node)) {
                added.push_back(heard_connection(connection));
            } else if (connection.delay_frames != 0) {
                added.push_back(sound_.unheard(connection, entrance_.serial));
                added.back().filling = true;
                fills_ = true;
            }
        }
        sound_.add(std::move(added));
        if (fills_) fill(sound_, entrance_.serial, entrance_.frame);
        return fills_;
    }

 private:
    void enter_nodes(const AudioGraph& graph) {
        sound_.hearing_changed();
        sound_.leaving_count_ = 0;
        const auto leave = [&](Node& node) {
            node.committed = false;
            ++sound_.leaving_count_;
        };
        std::vector<Node>& nodes = sound_.nodes.own();
        auto old = nodes.begin();
        for (const NodeId id : graph.node_ids()) {
            for (; old != nodes.end() && old->id < id; ++old) leave(*old);
            if (old != nodes.end() && old->id == id) {
                old++->committed = true;
                continue;
            }
            std::shared_ptr<NodeInstance> instance = entrance_.instance(id);
            added_nodes_.push_back(Node::entering(*instance, entrance_.serial));
            sound_.borrowed.entered.push_back(std::move(instance));
        }
        for (; old != nodes.end(); ++old) leave(*old);
        if (added_nodes_.empty()) return;
        sound_.latest_entry_ = entrance_.serial;
        for (const Node& node : added_nodes_) sound_.latent_count_ += node.latency_frames != 0 ? 1U : 0U;
        fades_ = std::ranges::any_of(added_nodes_, &Node::remembers);
        fills_ = fades_;
        // Ids ascend, so the indices of the other nodes do not change.
        assert(nodes.empty() || nodes.back().id < added_nodes_.front().id);
        nodes.insert(nodes.end(), added_nodes_.begin(), added_nodes_.end());
    }

    [[nodiscard]] bool is_new(NodeId id) const { return !added_nodes_.empty() && id >= added_nodes_.front().id; }

    /// The connections of a new node are present immediately, because it is not heard yet. If one of the new nodes
    /// remembers its input, the signals fade in where they reach the new nodes.
    [[nodiscard]] Connection heard_connection(const CommittedConnection& committed) {
        Connection connection = sound_.unheard(committed, entrance_.serial);
        const Node& source = sound_.nodes[connection.from_node];
        connection.hearing = Hearing::full();
        connection.moves = false;
        connection.state->presence = Presence{1.0F};
        if (source.filled_from != 0 || committed.delay_frames != 0) fills_ = true;
        if (fades_ && (!is_new(source.id) || source.is_source())) {
            connection.state->gain = dsp::Ramp{0.0F};
            connection.gain_changed_in = entrance_.serial;
            connection.fill_frames += entrance_.fade_frames;
        }
        return connection;
    }

    SoundingGraph& sound_;
    const SoundingGraph::Entrance& entrance_;
    std::vector<Node> added_nodes_;  ///< by id
    bool fades_ = false;
    bool fills_ = false;
};

bool Hearing::aim() {
    if (target == wanted) return false;
    target = wanted;
    sounds = sounds || target;
    return true;
}

Node Node::entering(NodeInstance& instance, std::uint64_t serial) {
    Node node{.id = instance.id(), .compiled = CompileRequest::Node::of(instance), .entered_in = serial};
    node.latency_frames = instance.latency_frames();
    node.remembers = instance.description().type->remembers_input || node.latency_frames != 0;
    return node;
}

/// Returns the connection without a presence.
Connection SoundingGraph::unheard(const CommittedConnection& committed, std::uint64_t serial) {
    const std::uint32_t from_node = index_of(committed.key.from.node);
    latest_entry_ = serial;
    auto state = std::make_shared<ConnectionState>(dsp::Ramp{committed.gain});
    if (committed.delay_frames != 0) {
        const NodeDescription& source = nodes[from_node].compiled.instance->description();
        state->delay = std::make_unique<dsp::FixedDelay>(source.layout.outputs[committed.key.from.port].width,
                                                         committed.delay_frames);
    }
    ConnectionState* const borrowed_state = state.get();
    borrowed.entered.push_back(std::move(state));
    return {.key = committed.key,
            .delay_frames = committed.delay_frames,
            .from_node = from_node,
            .to_node = index_of(committed.key.to.node),
            .state = borrowed_state,
            .entered_in = serial,
            .gain = committed.gain,
            .wanted_gain = committed.gain,
            .fill_frames = committed.delay_frames};
}

/// Adds connections, which are sorted.
void SoundingGraph::add(std::vector<Connection> added) {
    if (!added.empty()) merge_in(connections.own(), std::move(added), by_place);
    find_incoming();
}

void SoundingGraph::find_incoming() {
    std::vector<std::uint32_t> first(nodes.size() + 1);
    std::uint32_t next = 0;
    for (std::uint32_t i = 0; i < connections.size(); ++i) {
        while (next <= connections[i].to_node) first[next++] = i;
    }
    while (next < first.size()) first[next++] = static_cast<std::uint32_t>(connections.size());
    first_incoming = SharedVector{std::move(first)};
}

template <typename Predicate>
bool SoundingGraph::remove_connections(Predicate removed) {
    const std::size_t removed_count = std::erase_if(connections.own(), [&](const Connection& connection) {
        if (!removed(connection)) return false;
        borrowed.left.push_back(connection.state);
        if (connection.glide.delay != nullptr) {
            borrowed.left.push_back(connection.glide.delay);
            --glide_count;
        }
        return true;
    });
    return removed_count != 0;
}

void SoundingGraph::hearing_changed() {
    heard_playing_.reset();
    heard_in_target_.reset();
    pruned_ = false;
}

/// Removes the other nodes, and the connections from and to them.
void SoundingGraph::keep_only(const std::vector<bool>& kept) {
    hearing_changed();
    std::vector<std::uint32_t> index(nodes.size());
    std::vector<Node>& all = nodes.own();
    std::uint32_t count = 0;
    for (std::uint32_t i = 0; i < all.size(); ++i) {
        index[i] = count;
        if (!kept[i]) {
            borrowed.left.push_back(all[i].compiled.instance);
            leaving_count_ -= all[i].committed ? 0U : 1U;
            latent_count_ -= all[i].latency_frames != 0 ? 1U : 0U;
            continue;
        }
        if (count != i) all[count] = all[i];
        ++count;
    }
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(count), all.end());
    remove_connections(
        [&](const Connection& connection) { return !kept[connection.from_node] || !kept[connection.to_node]; });
    for (Connection& connection : connections.own()) {
        connection.from_node = index[connection.from_node];
        connection.to_node = index[connection.to_node];
    }
}

SoundingGraph SoundingGraph::of(const AudioGraph& graph, std::span<const CommittedConnection> committed,
                                const Entrance& entrance) {
    SoundingGraph sound;
    sound.enter(graph, committed, entrance);
    for (Node& node : sound.nodes.own()) {
        if (node.is_sink()) node.hearing = Hearing::full();
    }
    return sound;
}

const Node* SoundingGraph::find(NodeId id) const {
    const auto found = std::ranges::lower_bound(nodes, id, {}, &Node::id);
    return found != nodes.end() && found->id == id ? &*found : nullptr;
}

std::uint32_t SoundingGraph::index_of(NodeId id) const {
    return static_cast<std::uint32_t>(std::ranges::lower_bound(nodes, id, {}, &Node::id) - nodes.begin());
}

std::span<Connection> SoundingGraph::into(PortRef port) {
    const std::uint32_t node = index_of(port.node);
    if (node == nodes.size() || nodes[node].id != port.node) return {};
    const auto found = std::ranges::equal_range(into_node(node), port, {}, port_of);
    return {found.begin(), found.end()};
}

std::span<Connection> SoundingGraph::into_node(std::uint32_t index) {
    return std::span{connections.own()}.subspan(first_incoming[index],
                                                first_incoming[index + 1] - first_incoming[index]);
}

std::span<const Connection> SoundingGraph::into_node(std::uint32_t index) const {
    return std::span{connections}.subspan(first_incoming[index], first_incoming[index + 1] - first_incoming[index]);
}

std::span<const Connection> SoundingGraph::into(PortRef port) const {
    const auto found = std::ranges::equal_range(connections, port, {}, port_of);
    return {found.begin(), found.end()};
}

const Connection* SoundingGraph::find(const CommittedConnection& connection) const {
    const auto found = std::ranges::lower_bound(connections, place_of(connection), {}, by_place);
    return found != connections.end() && place_of(*found) == place_of(connection) ? &*found : nullptr;
}

bool SoundingGraph::enter(const AudioGraph& graph, std::span<const CommittedConnection> committed,
                          const Entrance& entrance) {
    return Entry{*this, entrance}.enter(graph, committed);
}

std::vector<PortRef> SoundingGraph::want(std::span<const PortRef> ports, std::span<const CommittedConnection> committed,
                                         const Wish& wish) {
    std::vector<PortRef> changed;
    std::vector<Connection> added;
    for (const PortRef& port : ports) {
        const Node* const node = std::as_const(*this).find(port.node);
        if (node == nullptr) continue;
        if (port.port == kDevicePort) {
            Hearing& hearing = nodes.own()[index_of(port.node)].hearing;
            hearing.wanted = node->committed;
            pruned_ = false;
            if (hearing.wanted != hearing.target) changed.push_back(port);
            continue;
        }
        if (!node->committed) continue;
        bool changes = false;
        const std::span<Connection> old = into(port);
        for (Connection& connection : old) {
            pruned_ = pruned_ && connection.hearing.playing();
            connection.hearing.wanted = false;
        }
        for (const CommittedConnection& connection : std::ranges::equal_range(committed, port, {}, port_of)) {
            const auto found = std::ranges::lower_bound(old, place_of(connection), {}, by_place);
            if (found != old.end() && place_of(*found) == place_of(connection)) {
                found->hearing.wanted = true;
                if (found->gain != connection.gain) found->wanted_gain_frames = wish.gain_frames;
                found->wanted_gain = connection.gain;
                changes = changes || found->gain != connection.gain;
                continue;
            }
            added.push_back(unheard(connection, wish.serial));
            added.back().hearing.wanted = true;
            changes = true;
        }
        changes = changes || std::ranges::any_of(old, [](const Connection& connection) {
                      return connection.hearing.wanted != connection.hearing.target;
                  });
        if (changes) changed.push_back(port);
    }
    if (!added.empty()) add(std::move(added));
    return changed;
}

void SoundingGraph::keep(std::span<const PortRef> ports) {
    pruned_ = false;
    for (const PortRef& port : ports) {
        if (port.port == kDevicePort) {
            Hearing& hearing = nodes.own()[index_of(port.node)].hearing;
            hearing.wanted = hearing.target;
            continue;
        }
        for (Connection& connection : into(port)) {
            connection.hearing.wanted = connection.hearing.target;
            connection.wanted_gain = connection.gain;
        }
    }
}

void SoundingGraph::aim(PortRef port, std::uint64_t serial) {
    if (changes_presence(port)) hearing_changed();
    if (port.port == kDevicePort) {
        nodes.own()[index_of(port.node)].hearing.aim();
        return;
    }
    for (Connection& connection : into(port)) {
        connection.aim();
        if (connection.gain == connection.wanted_gain) continue;
        connection.gain = connection.wanted_gain;
        connection.gain_frames = connection.wanted_gain_frames;
        connection.gain_changed_in = serial;
    }
}

void SoundingGraph::aim_departures(PortRef port) {
    hearing_changed();
    for (Connection& connection : into(port)) {
        if (connection.hearing.target && !connection.hearing.wanted) connection.aim();
    }
}

bool SoundingGraph::changes_presence(PortRef port) const {
    if (port.port == kDevicePort) return true;
    return std::ranges::any_of(into(port), [](const Connection& connection) {
        return connection.hearing.wanted != connection.hearing.target;
    });
}

bool SoundingGraph::settle() {
    hearing_changed();
    bool differs = leaving_count_ != 0;
    for (Node& node : nodes.own()) node.hearing.settle();
    for (Connection& connection : connections.own()) {
        differs = differs || connection.moves;
        connection.moves = false;
        // If the connection is added again, it must not be in the middle of a glide.
        const bool has_left = connection.hearing.sounds && !connection.hearing.target;
        if (has_left && connection.glide.delay != nullptr) replace_glide(connection, nullptr);
        connection.hearing.settle();
    }
    return differs;
}

bool SoundingGraph::settle_before_start() {
    hearing_changed();
    for (Node& node : nodes.own()) node.hearing.settle();
    for (Connection& connection : connections.own()) connection.hearing.settle();
    // The presence of what has left is still 1: it must not be used again.
    return prune({.serial = 0, .draining = {}}).removed;
}

bool SoundingGraph::stays(std::uint32_t index, const Exit& exit, bool& drains) {
    Node& node = nodes.own()[index];
    if (exit.serial == 0 || !node.compiled.instance->description().type->remembers_input) return false;
    if (node.drains_in != 0) return std::ranges::find(exit.draining, node.drains_in) != exit.draining.end();
    for (Connection& connection : into_node(index)) {
        if (!connection.hearing.playing() || connection.gain == 0.0F) continue;
        connection.gain = connection.wanted_gain = 0.0F;
        connection.gain_frames = connection.wanted_gain_frames = 0;
        connection.gain_changed_in = exit.serial;
        node.drains_in = exit.serial;
        drains = true;
    }
    return node.drains_in != 0;
}

SoundingGraph::Pruned SoundingGraph::prune(const Exit& exit) {
    if (pruned_) return {.removed = false, .drains = false};
    std::vector<bool> needed(nodes.size());
    std::vector<std::uint32_t> reached;
    for (std::uint32_t i = 0; i < nodes.size(); ++i) {
        if (!nodes[i].committed && !nodes[i].hearing.any()) continue;
        needed[i] = true;
        if (!nodes[i].committed) reached.push_back(i);
    }
    // The source of a node that is still needed is needed, too.
    const auto need_source = [&](const Connection& connection) {
        if (!connection.hearing.any() || needed[connection.from_node]) return;
        needed[connection.from_node] = true;
        reached.push_back(connection.from_node);
    };
    for (const Connection& connection : connections) {
        if (needed[connection.to_node]) need_source(connection);
    }
    const auto need_all_sources = [&] {
        while (!reached.empty()) {
            const std::uint32_t node = reached.back();
            reached.pop_back();
            std::ranges::for_each(std::as_const(*this).into_node(node), need_source);
        }
    };
    need_all_sources();
    bool drains = false;
    bool stays_any = false;
    for (std::uint32_t i = 0; i < nodes.size(); ++i) {
        if (needed[i] || !stays(i, exit, drains)) continue;
        needed[i] = stays_any = true;
        reached.push_back(i);
    }
    need_all_sources();
    unheard_count_ = 0;
    const bool removed = remove_connections([&](const Connection& connection) {
        if (connection.hearing.any()) return false;
        unheard_count_ += connection.filling ? 1U : 0U;
        return !connection.filling;
    });
    const bool all = std::ranges::find(needed, false) == needed.end();
    if (!all) keep_only(needed);
    if (removed || !all) find_incoming();
    pruned_ = !stays_any;
    return {.removed = removed || !all, .drains = drains};
}

void SoundingGraph::forget(std::uint64_t serial) {
    if (latest_entry_ != serial) return;
    const bool removed =
        remove_connections([&](const Connection& connection) { return connection.entered_in == serial; });
    std::vector<bool> kept(nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i) kept[i] = nodes[i].entered_in != serial;
    const bool all = std::ranges::find(kept, false) == kept.end();
    if (!all) keep_only(kept);
    if (removed || !all) find_incoming();
}

std::uint32_t Connection::glide_position(std::uint64_t frame) const {
    if (glide.delay == nullptr || frame >= glide_rests_from || glide.length_frames == 0) return glide.frames;
    const double left = std::min(1.0, static_cast<double>(glide_rests_from - frame) / glide.length_frames);
    return static_cast<std::uint32_t>(
        std::lround(static_cast<double>(glide.frames) +
                    left * (static_cast<double>(glide_from) - static_cast<double>(glide.frames))));
}

void SoundingGraph::replace_glide(Connection& connection, std::shared_ptr<dsp::GlidingDelay> delay) {
    if (connection.glide.delay != nullptr) {
        borrowed.left.push_back(connection.glide.delay);
        --glide_count;
    }
    connection.glide = {.delay = delay.get()};
    if (delay == nullptr) return;
    borrowed.entered.push_back(std::move(delay));
    ++glide_count;
}

std::vector<bool> SoundingGraph::heard(Counts counts, std::span<const PortRef> later) const {
    const auto is_heard = [&](PortRef port, const Hearing& hearing) {
        return std::ranges::binary_search(later, port) ? hearing.target : counts(hearing);
    };
    std::vector<bool> heard(nodes.size());
    std::vector<std::uint32_t> reached;
    for (std::uint32_t i = 0; i < nodes.size(); ++i) {
        if (!nodes[i].is_sink() || !is_heard({nodes[i].id, kDevicePort}, nodes[i].hearing)) continue;
        heard[i] = true;
        reached.push_back(i);
    }
    while (!reached.empty()) {
        const std::uint32_t node = reached.back();
        reached.pop_back();
        for (const Connection& connection : into_node(node)) {
            const std::uint32_t from = connection.from_node;
            if (heard[from] || !is_heard(connection.key.to, connection.hearing)) continue;
            heard[from] = true;
            reached.push_back(from);
        }
    }
    return heard;
}

const std::vector<bool>& SoundingGraph::heard_playing() const {
    if (!heard_playing_) heard_playing_ = heard([](const Hearing& hearing) { return hearing.playing(); });
    return *heard_playing_;
}

const std::vector<bool>& SoundingGraph::heard_in_target() const {
    if (!heard_in_target_) heard_in_target_ = heard([](const Hearing& hearing) { return hearing.target; });
    return *heard_in_target_;
}

std::vector<PortRef> SoundingGraph::unheard_ports(std::span<const PortRef> ports) const {
    const std::vector<bool>& target = heard_in_target();
    std::vector<PortRef> unheard;
    std::ranges::copy_if(ports, std::back_inserter(unheard), [&](const PortRef& port) {
        return port.port != kDevicePort && contains(port.node) && !target[index_of(port.node)];
    });
    return unheard;
}

std::vector<Arc> SoundingGraph::arcs(Counts counts) const {
    std::vector<Arc> arcs;
    arcs.reserve(connections.size());
    for (const Connection& connection : connections) {
        if (counts(connection.hearing)) arcs.push_back({connection.from_node, connection.to_node});
    }
    return arcs;
}

void SoundingGraph::read_names() {
    for (Node& node : nodes.own())
        node.compiled.name_bytes = CompileRequest::Node::of(*node.compiled.instance).name_bytes;
}

CompileRequest SoundingGraph::request(std::uint64_t ended_gains) const {
    CompileRequest request{};
    request.nodes.reserve(nodes.size());
    for (const Node& node : nodes) {
        request.nodes.push_back(node.compiled);
        request.nodes.back().present = node.hearing.target;
    }
    request.connections.reserve(connections.size());
    for (const Connection& connection : connections) {
        const Hearing& hearing = connection.hearing;
        if (!hearing.playing()) {
            if (connection.delay_frames != 0 || connection.glide.delay != nullptr) {
                request.fillings.push_back(
                    {connection.from_node, connection.key.from.port, connection.state, connection.glide});
            }
            continue;
        }
        // The gain of a connection with a delay ends later.
        const bool gain_rests = connection.gain_changed_in == 0 ||
                                (connection.gain_changed_in <= ended_gains && connection.delay_frames == 0);
        const bool rests = !connection.moves && hearing.target && hearing.wanted && gain_rests;
        request.connections.push_back(
            {.from_node = connection.from_node,
             .from_port = connection.key.from.port,
             .to_node = connection.to_node,
             .to_port = connection.key.to.port,
             .state = connection.state,
             .target_gain = connection.gain,
             .at_rest = rests,
             .present = hearing.target,
             .gain_fade_frames = connection.gain_frames,
             .gain_wait_frames = connection.gain_changed_in == connection.entered_in ? connection.delay_frames : 0,
             .is_delayed = connection.delay_frames != 0 || connection.glide.delay != nullptr,
             .glide = connection.glide});
    }
    return request;
}

}  // namespace rta
