// SPDX-License-Identifier: MIT
#include "plan/signal_path.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>
#include <optional>
#include <ranges>
#include <utility>

#include "dsp/math.h"
#include "graph/frequency_response.h"
#include "graph/port_text.h"
#include "plan/latency.h"
#include "text/quoting.h"
#include "text/sort_range.h"
#include "text/suggestion.h"

namespace rta {
namespace {

using Complex = std::complex<double>;

/// One end of a path: a channel of an input or output.
struct PathEnd {
    enum class Kind : std::uint8_t { input, output, device };

    std::uint32_t node;  ///< index in the graph
    Kind kind;
    PortChannel at;

    [[nodiscard]] bool is_output() const { return kind == Kind::output; }
};

const NodeLayout& layout_of(const GraphNode& node) { return node.description->layout; }
const NodeType& type_of(const GraphNode& node) { return *node.description->type; }

const NodeLayout::Port& port_of(const GraphNode& node, const PathEnd& end) {
    return end.is_output() ? layout_of(node).outputs[end.at.port] : layout_of(node).inputs[end.at.port];
}

/// Checks a channel that starts at 1.
Expected<void> check_channel(const GraphNode& node, const PathEnd& end, std::uint32_t channel, std::string_view field) {
    const NodeLayout::Port& port = port_of(node, end);
    if (channel >= 1 && channel <= port.width) return {};
    return fail(ErrorCode::invalid_argument,
                std::string{field} + " = " + std::to_string(channel) + " is out of range: " + node.name() + ":" +
                    port.name + " has " +
                    (port.width == 1 ? "one channel" : "channels 1 to " + std::to_string(port.width)));
}

/// Finds a named port, first among the outputs.
Expected<PathEnd> named_end(const GraphNode& node, std::uint32_t index, std::string_view name) {
    const NodeLayout& layout = layout_of(node);
    using enum PathEnd::Kind;
    if (const auto port = NodeLayout::find_port(layout.outputs, name)) return PathEnd{index, output, {*port, 0}};
    if (const auto port = NodeLayout::find_port(layout.inputs, name)) return PathEnd{index, input, {*port, 0}};
    std::vector<std::string_view> names = names_of(layout.outputs);
    for (const NodeLayout::Port& port : layout.inputs) names.push_back(port.name);
    return fail(ErrorCode::not_found, "node " + quoted(node.name()) + ": " + unknown_name("port", name, names));
}

struct Place {
    const GraphNode* node;
    std::uint32_t index;
    std::optional<std::string_view> port;
};

Expected<Place> place_of(const AudioGraph& graph, std::string_view text) {
    const auto [name, port] = split_port(text);
    const auto node = graph.require(name);
    if (!node) return std::unexpected(node.error());
    return Place{*node, static_cast<std::uint32_t>(graph.index_of((*node)->id)), port};
}

Expected<PathEnd> find_start(const AudioGraph& graph, const SignalPath::Ends& ends) {
    const auto place = place_of(graph, ends.from);
    if (!place) return std::unexpected(place.error());
    Expected<PathEnd> start = PathEnd{place->index, PathEnd::Kind::output, {}};
    if (place->port) {
        start = named_end(*place->node, place->index, *place->port);
    } else if (auto port = resolve_port(*place->node, layout_of(*place->node).outputs, std::nullopt, "output")) {
        start->at.port = *port;
    } else {
        return std::unexpected(std::move(port.error()));
    }
    if (!start) return start;
    if (auto good = check_channel(*place->node, *start, ends.from_channel, "from_channel"); !good)
        return std::unexpected(std::move(good.error()));
    start->at.channel = ends.from_channel - 1;
    return start;
}

Expected<std::vector<PathEnd>> find_ends(const AudioGraph& graph, const SignalPath::Ends& ends) {
    const auto place = place_of(graph, ends.to);
    if (!place) return std::unexpected(place.error());
    const NodeLayout& layout = layout_of(*place->node);
    std::vector<PathEnd> found;
    if (place->port) {
        auto end = named_end(*place->node, place->index, *place->port);
        if (!end) return std::unexpected(std::move(end.error()));
        found.push_back(*end);
    } else if (layout.outputs.empty()) {
        const bool plays = type_of(*place->node).device_role == DeviceRole::sink;
        found.push_back({place->index, plays ? PathEnd::Kind::device : PathEnd::Kind::input, {}});
    } else {
        for (std::uint32_t port = 0; port < layout.outputs.size(); ++port)
            found.push_back({place->index, PathEnd::Kind::output, {port, 0}});
    }
    for (PathEnd& end : found) {
        if (auto good = check_channel(*place->node, end, ends.to_channel, "to_channel"); !good)
            return std::unexpected(std::move(good.error()));
        end.at.channel = ends.to_channel - 1;
    }
    return found;
}

/// Marks the nodes that the start feeds, and its own node.
std::vector<bool> fed_by(const AudioGraph& graph, const PathEnd& start) {
    std::vector<bool> fed(graph.nodes().size());
    std::vector<std::uint32_t> reached{start.node};
    fed[start.node] = true;
    const auto leaves_another_output = [&](const GraphNode& from, const GraphNode& to) {
        const PortRef output{from.id, start.at.port};
        return start.is_output() && from.id == graph.node_ids()[start.node] &&
               std::ranges::find(to.incoming, output, &IncomingConnection::from) == to.incoming.end();
    };
    while (!reached.empty()) {
        const GraphNode& from = *graph.nodes()[reached.back()];
        reached.pop_back();
        for (const NodeId id : from.outgoing) {
            const auto to = static_cast<std::uint32_t>(graph.index_of(id));
            if (fed[to] || leaves_another_output(from, *graph.nodes()[to])) continue;
            fed[to] = true;
            reached.push_back(to);
        }
    }
    return fed;
}

/// Returns the number of a channel among those of all ports.
std::uint32_t channel_index(std::span<const NodeLayout::Port> ports, PortChannel place) {
    std::uint32_t index = place.channel;
    for (const NodeLayout::Port& port : ports.first(place.port)) index += port.width;
    return index;
}

/// The reverse of channel_index().
std::optional<PortChannel> channel_at(std::span<const NodeLayout::Port> ports, std::uint32_t index) {
    for (std::uint32_t port = 0; port < ports.size(); ++port) {
        if (index < ports[port].width) return PortChannel{port, index};
        index -= ports[port].width;
    }
    return std::nullopt;
}

/// Returns the only input channel that reaches the output channel of a node that does not mix channels, if any.
std::optional<PortChannel> forwarded_input(const GraphNode& node, PortChannel output, bool bypassed) {
    const NodeLayout& layout = layout_of(node);
    if (bypassed && output.port != 0) return std::nullopt;
    if (!bypassed && type_of(node).forwards_channels)
        return channel_at(layout.inputs, channel_index(layout.outputs, output));
    if (layout.inputs.empty() || output.channel >= layout.inputs.front().width) return std::nullopt;
    return PortChannel{0, output.channel};
}

/// Returns the gain from an input to an output of a node that mixes channels, without its response.
double routed_gain(const GraphNode& node, PortChannel input, PortChannel output) {
    const NodeLayout& layout = layout_of(node);
    return type_of(node).routing({node.description->settings, node.parameters,
                                  static_cast<std::uint32_t>(layout.inputs.size()),
                                  static_cast<std::uint32_t>(layout.outputs.size()), input, output});
}

}  // namespace

/// Searches backwards from the end: a point is needed if a later one reads it.
class SignalPath::Finder {
 public:
    Finder(const AudioGraph& graph, std::span<const std::uint32_t> own_frames, const PathEnd& start)
        : graph_{graph}, own_frames_{own_frames}, start_{start}, fed_{fed_by(graph, start)} {
        delays_ = compensating_delays(graph, own_frames);
        std::size_t first = 0;
        for (const auto& node : graph.nodes()) {
            first_delay_.push_back(first);
            first += node->incoming.size();
        }
        wanted_.resize(graph.nodes().size());
        path_.points_.emplace_back();
    }

    Expected<SignalPath> find(std::span<const PathEnd> ends, const Continues& continues) {
        if (auto leads = check_connected(ends.front()); !leads) return std::unexpected(std::move(leads.error()));
        for (const PathEnd& end : ends) add_end(end);
        const auto order = graph_.order();
        assert(order && "the graph has no cycles");
        for (const std::uint32_t index : *order | std::views::reverse) {
            // Sorted, so that the points of one output are adjacent.
            sort_range(wanted_[index], {}, [&](std::uint32_t point) {
                const PortChannel& output = path_.points_[point].output;
                return std::pair{output.port, output.channel};
            });
            if (wanted_[index].empty()) continue;
            const bool bypassed = is_bypassed(node(index));
            for (const std::uint32_t point : wanted_[index]) {
                if (!continues())
                    return fail(ErrorCode::resource_exhausted,
                                "finding the path takes too long; choose ends that are closer to each other");
                if (auto good = add_node(point, index, bypassed); !good)
                    return std::unexpected(std::move(good.error()));
            }
        }
        std::ranges::reverse(path_.order_);
        return std::move(path_);
    }

 private:
    [[nodiscard]] const GraphNode& node(std::uint32_t index) const { return *graph_.nodes()[index]; }

    [[nodiscard]] Expected<void> check_connected(const PathEnd& end) const {
        const std::string from = node(start_.node).name();
        const std::string to = node(end.node).name();
        // Within a node, only an input leads to an output.
        if (start_.node == end.node ? !start_.is_output() && end.kind != PathEnd::Kind::input : bool{fed_[end.node]})
            return {};
        std::string sentence = "no path from " + quoted(from) + " to " + quoted(to) + ": ";
        if (start_.node == end.node) {
            sentence += "they are the same node; expected a later node, or an input of the node as the start";
        } else if (fed_by(graph_, {end.node, PathEnd::Kind::input, {}})[start_.node]) {
            sentence += quoted(to) + " feeds " + quoted(from) + "; exchange the two";
        } else {
            sentence += "no connections lead from one to the other";
        }
        return fail(ErrorCode::failed_precondition, std::move(sentence));
    }

    /// Inputs, and the device, are points without a response behind the last nodes.
    void add_end(const PathEnd& end) {
        const NodeLayout::Port& port = port_of(node(end.node), end);
        if (end.is_output()) return path_.ends_.push_back({port.name, wanted_point(end.node, end.at)});
        const auto point = static_cast<std::uint32_t>(path_.points_.size());
        path_.points_.push_back({.node = &node(end.node), .output = end.at, .flat = true, .reader_count = 1});
        path_.ends_.push_back({port.name, point});
        begin(point);
        const bool has_gain = end.kind == PathEnd::Kind::device && type_of(node(end.node)).routing != nullptr;
        const double gain = has_gain ? routed_gain(node(end.node), end.at, end.at) : 1.0;
        add_input(point, end.node, end.at, gain, 0);
    }

    /// Returns the point of an output, which gets one more reader.
    std::uint32_t wanted_point(std::uint32_t index, PortChannel output) {
        if (start_.is_output() && index == start_.node && output == start_.at) {
            ++path_.points_.front().reader_count;
            return 0;
        }
        std::vector<std::uint32_t>& wanted = wanted_[index];
        const auto found =
            std::ranges::find(wanted, output, [&](std::uint32_t point) { return path_.points_[point].output; });
        const std::uint32_t point = found != wanted.end() ? *found : static_cast<std::uint32_t>(path_.points_.size());
        if (found == wanted.end()) {
            wanted.push_back(point);
            path_.points_.push_back({.node = &node(index), .output = output});
        }
        ++path_.points_[point].reader_count;
        return point;
    }

    void begin(std::uint32_t point) {
        path_.points_[point].first_term = static_cast<std::uint32_t>(path_.terms_.size());
        path_.order_.push_back(point);
    }

    void add_term(std::uint32_t point, const Term& term) {
        path_.terms_.push_back(term);
        ++path_.points_[point].term_count;
    }

    Expected<void> add_node(std::uint32_t point, std::uint32_t index, bool bypassed) {
        const GraphNode& at = node(index);
        const NodeType& type = type_of(at);
        begin(point);
        path_.points_[point].flat = bypassed || type.response == nullptr;
        const PortChannel output = path_.points_[point].output;
        if (!bypassed && !type.forwards_channels && type.routing != nullptr) {
            add_mix(point, index, output);
        } else if (const auto input = forwarded_input(at, output, bypassed)) {
            add_input(point, index, *input, 1.0, own_frames_[index]);
        }
        const bool passes = path_.points_[point].term_count != 0;
        const bool known = type.response != nullptr || type.routing != nullptr || type.forwards_channels;
        if (!passes || bypassed || known) return {};
        return fail(ErrorCode::failed_precondition, "the path leads through node " + quoted(at.name()) + " of type " +
                                                        std::string{type.name} +
                                                        ", which has no frequency response; bypass it, or choose other "
                                                        "ends");
    }

    /// Adds the inputs of a node that mixes channels.
    void add_mix(std::uint32_t point, std::uint32_t index, PortChannel output) {
        const std::span<const NodeLayout::Port> inputs = layout_of(node(index)).inputs;
        for (std::uint32_t port = 0; port < inputs.size(); ++port) {
            if (index != start_.node && connections_to(index, port).empty()) continue;
            for (std::uint32_t channel = 0; channel < inputs[port].width; ++channel) {
                const double gain = routed_gain(node(index), {port, channel}, output);
                if (gain != 0.0) add_input(point, index, {port, channel}, gain, own_frames_[index]);
            }
        }
    }

    [[nodiscard]] std::span<const IncomingConnection> connections_to(std::uint32_t index, std::uint32_t port) const {
        return std::ranges::equal_range(node(index).incoming, port, {}, &IncomingConnection::to_port);
    }

    /// Adds the signals at a channel of an input as terms.
    void add_input(std::uint32_t point, std::uint32_t index, PortChannel input, double gain, std::uint32_t frames) {
        if (index == start_.node) {
            if (start_.is_output() || input != start_.at) return;
            ++path_.points_.front().reader_count;
            return add_term(point, {.source = 0, .delay_frames = frames, .gain = gain});
        }
        for (const IncomingConnection& connection : connections_to(index, input.port)) {
            const auto from = static_cast<std::uint32_t>(graph_.index_of(connection.from.node));
            const double factor = gain * static_cast<double>(dsp::gain_from_db(connection.gain_db));
            if (!fed_[from] || factor == 0.0) continue;
            // A mono signal feeds all channels of a wider input.
            const bool mono = layout_of(node(from)).outputs[connection.from.port].width == 1;
            const PortChannel source{connection.from.port, mono ? 0 : input.channel};
            if (start_.is_output() && from == start_.node && source != start_.at) continue;
            const auto offset = static_cast<std::size_t>(&connection - node(index).incoming.data());
            const std::uint32_t delay = delays_.empty() ? 0 : delays_[first_delay_[index] + offset];
            add_term(point, {.source = wanted_point(from, source), .delay_frames = frames + delay, .gain = factor});
        }
    }

    const AudioGraph& graph_;
    std::span<const std::uint32_t> own_frames_;
    PathEnd start_;
    std::vector<bool> fed_;
    std::vector<std::uint32_t> delays_;               ///< of all connections; empty: none
    std::vector<std::size_t> first_delay_;            ///< of each node
    std::vector<std::vector<std::uint32_t>> wanted_;  ///< points of each node
    SignalPath path_;
};

Expected<SignalPath> SignalPath::find(const AudioGraph& graph, std::span<const std::uint32_t> own_frames,
                                      const Ends& ends, const Continues& continues) {
    const auto start = find_start(graph, ends);
    if (!start) return std::unexpected(start.error());
    const auto found = find_ends(graph, ends);
    if (!found) return std::unexpected(found.error());
    return Finder{graph, own_frames, *start}.find(*found, continues);
}

std::size_t SignalPath::cost() const {
    std::size_t cost = points_.size() + terms_.size();
    std::pair<const GraphNode*, std::uint32_t> latest{};
    for (const std::uint32_t index : order_) {
        const Point& point = points_[index];
        const std::pair asked{point.node, point.output.port};
        if (point.flat || point.term_count == 0 || std::exchange(latest, asked) == asked) continue;
        cost += point.node->parameters.size();
    }
    return cost;
}

std::vector<std::string> SignalPath::notes() const {
    constexpr std::size_t kMost = 16;
    std::vector<std::string> notes;
    const GraphNode* latest = nullptr;
    std::size_t more = 0;
    for (const std::uint32_t index : order_) {
        const Point& point = points_[index];
        if (point.flat || point.term_count == 0 || std::exchange(latest, point.node) == point.node) continue;
        const NodeType& type = type_of(*point.node);
        if (type.counts_as.empty()) continue;
        if (notes.size() == kMost) {
            ++more;
            continue;
        }
        notes.push_back(std::string{type.name} + " " + quoted(point.node->name()) + " counts as " +
                        std::string{type.counts_as});
    }
    if (more != 0) notes.push_back(std::to_string(more) + " more nodes count as linear");
    return notes;
}

/// The values of all points at some frequencies. Values that no later point reads are freed.
class SignalPath::Evaluation {
 public:
    Evaluation(const SignalPath& path, std::span<const double> frequencies_hz, double sample_rate_hz)
        : path_{path}, frequencies_hz_{frequencies_hz}, sample_rate_hz_{sample_rate_hz} {
        values_.resize(path.points_.size());
        for (const Point& point : path.points_) unread_.push_back(point.reader_count);
        values_.front().assign(frequencies_hz.size(), 1.0);
    }

    [[nodiscard]] bool run(const Continues& continues) {
        for (const std::uint32_t point : path_.order_) {
            if (!continues()) return false;
            compute(point);
        }
        return true;
    }
    [[nodiscard]] std::span<const Complex> at(std::uint32_t point) const { return values_[point]; }

 private:
    void compute(std::uint32_t index) {
        const Point& point = path_.points_[index];
        std::vector<Complex> sum(frequencies_hz_.size(), 0.0);
        for (const Term& term : std::span{path_.terms_}.subspan(point.first_term, point.term_count)) {
            add(term, sum);
            if (--unread_[term.source] == 0) values_[term.source] = {};
        }
        if (!point.flat && point.term_count != 0) {
            const std::span<const Complex> response = response_of(point);
            for (std::size_t i = 0; i < sum.size(); ++i) sum[i] *= response[i];
        }
        values_[index] = std::move(sum);
    }

    void add(const Term& term, std::span<Complex> sum) {
        const std::span<const Complex> source = values_[term.source];
        if (term.delay_frames == 0) {
            for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += term.gain * source[i];
            return;
        }
        const std::span<const Complex> turns = turns_of(term.delay_frames);
        for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += term.gain * turns[i] * source[i];
    }

    /// Returns the response of a delay. Adjacent terms often have the same.
    std::span<const Complex> turns_of(std::uint32_t frames) {
        if (std::exchange(turned_frames_, frames) == frames) return turns_;
        turns_.resize(frequencies_hz_.size());
        for (std::size_t i = 0; i < turns_.size(); ++i) {
            const double turns = frequencies_hz_[i] * static_cast<double>(frames) / sample_rate_hz_;
            turns_[i] = std::polar(1.0, -2.0 * std::numbers::pi * (turns - std::floor(turns)));
        }
        return turns_;
    }

    /// Returns the response of the node at this output, which all its channels share.
    std::span<const Complex> response_of(const Point& point) {
        const std::pair asked{point.node, point.output.port};
        if (std::exchange(answered_, asked) == asked) return response_;
        response_.resize(frequencies_hz_.size());
        type_of(*point.node)
            .response({point.node->description->settings, point.node->parameters, sample_rate_hz_, point.output.port,
                       frequencies_hz_},
                      response_);
        return response_;
    }

    const SignalPath& path_;
    std::span<const double> frequencies_hz_;
    double sample_rate_hz_;
    std::vector<std::vector<Complex>> values_;  ///< of each point
    std::vector<std::uint32_t> unread_;         ///< terms and ends that have not read the point
    std::uint32_t turned_frames_ = 0;
    std::vector<Complex> turns_;  ///< for turned_frames_
    std::pair<const GraphNode*, std::uint32_t> answered_{};
    std::vector<Complex> response_;  ///< for answered_
};

Expected<std::vector<SignalPath::Output>> SignalPath::response(std::span<const double> frequencies_hz,
                                                               double sample_rate_hz,
                                                               const Continues& continues) const {
    // Bounds the memory for the points. Each frequency is followed by one that is higher by kStepHz, small enough for
    // group delays of up to 1 / (2 kStepHz), and large enough for phases computed in double.
    constexpr std::size_t kChunk = 64;
    constexpr double kStepHz = 1e-3;
    std::vector<Output> outputs;
    outputs.reserve(ends_.size());
    for (const End& end : ends_) outputs.push_back({.port = end.port, .values = {}, .group_delays_s = {}});
    for (std::size_t first = 0; first < frequencies_hz.size(); first += kChunk) {
        std::vector<double> pairs;
        for (const double hz : frequencies_hz.subspan(first, std::min(kChunk, frequencies_hz.size() - first)))
            pairs.insert(pairs.end(), {hz, hz + kStepHz});
        Evaluation evaluation{*this, pairs, sample_rate_hz};
        if (!evaluation.run(continues))
            return fail(ErrorCode::resource_exhausted,
                        "the response of a path with " + std::to_string(points_.size()) + " channels of nodes at " +
                            std::to_string(frequencies_hz.size()) + " frequencies takes too long");
        for (std::size_t end = 0; end < ends_.size(); ++end) {
            const std::span<const Complex> values = evaluation.at(ends_[end].point);
            for (std::size_t i = 0; i < values.size(); i += 2) {
                const Complex turned = values[i + 1] * std::conj(values[i]);
                outputs[end].values.push_back(values[i]);
                outputs[end].group_delays_s.push_back(
                    turned == 0.0 ? 0.0 : -std::arg(turned) / (2.0 * std::numbers::pi * kStepHz));
            }
        }
    }
    return outputs;
}

}  // namespace rta
