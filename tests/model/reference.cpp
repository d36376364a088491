// SPDX-License-Identifier: MIT
#include "model/reference.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <limits>
#include <ranges>

namespace rta::test::model {
namespace {

using google::protobuf::Value;

constexpr float kSilentDb = -120.0F;
constexpr float kLoudestDb = 24.0F;
constexpr float kLongestRampMs = 600'000.0F;

std::string number(double value) {
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "%.9g", value == 0.0 ? 0.0 : value);  // not -0
    return text.data();
}

bool is_name(const std::string& name) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    return !name.empty() && name.size() <= 64 && letter(name.front()) && std::ranges::all_of(name, [&](char c) {
        return letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
}

// ---------------------------------------------------------------------------------------------------------------------
// Node types

struct SettingRow {
    double minimum;
    double maximum;
    double initial;
    bool whole = true;
};
struct Type {
    std::map<std::string, SettingRow> settings{};
    std::map<std::string, Range> parameters{};
    bool in = true;
    bool out = true;
};

constexpr SettingRow kChannels{1, 64, 1};
constexpr Range kSwitch{0, 1, 0, true};

Range level(float initial) { return {kSilentDb, kLoudestDb, initial}; }

/// The rows of the mixer, which depend on its settings, are added below.
const std::map<std::string, Type>& types() {
    static const std::map<std::string, Type> table{
        {"biquad",
         {{{"channels", kChannels}},
          {{"b0", {-1000, 1000, 1}},
           {"b1", {-1000, 1000, 0}},
           {"b2", {-1000, 1000, 0}},
           {"a1", {-2, 2, 0}},
           {"a2", {-1, 1, 0}},
           {"bypass", kSwitch}}}},
        {"constant", {{}, {{"value", {-1, 1, 0}}}, false}},
        {"delay_line",
         {{{"channels", kChannels}, {"max_time_ms", {1, 10'000, 1'000, false}}},
          {{"time_ms", {0, 10'000, 100}}, {"feedback", {-0.99F, 0.99F, 0}}, {"mix", {0, 1, 1}}, {"bypass", kSwitch}}}},
        {"gain",
         {{{"channels", kChannels}},
          {{"gain_db", level(0)}, {"mute", kSwitch}, {"invert", kSwitch}, {"bypass", kSwitch}}}},
        {"limiter",
         {{{"channels", kChannels}, {"look_ahead_ms", {0.5, 20, 3, false}}},
          {{"ceiling_db", {-60, 0, -1}}, {"release_ms", {1, 5000, 100}}, {"bypass", kSwitch}}}},
        {"mixer", {{{"channels", kChannels}, {"inputs", {1, 64, 2}}}, {}}},
        {"output", {{{"channels", kChannels}, {"first_channel", {1, 1024, 1}}}, {{"gain_db", level(0)}}, true, false}},
        {"sine", {{{"channels", kChannels}}, {{"frequency_hz", {0.01F, 24'000, 440}}, {"gain_db", level(-20)}}, false}},
    };
    return table;
}

std::optional<v1::Code> check_settings(const std::string& type, const Settings& given) {
    const auto& rows = types().at(type).settings;
    for (const auto& [name, value] : given) {
        const auto row = rows.find(name);
        if (row == rows.end()) continue;
        const bool in_range = value >= row->second.minimum && value <= row->second.maximum;
        if (!in_range || (row->second.whole && std::trunc(value) != value)) return v1::INVALID_ARGUMENT;
    }
    const bool known = std::ranges::all_of(given, [&](const auto& one) { return rows.contains(one.first); });
    return known ? std::nullopt : std::optional{v1::NOT_FOUND};
}

bool accepts(const Range& range, float value) {
    if (!(value >= range.minimum && value <= range.maximum)) return false;
    return !range.is_switch || value == 0.0F || value == 1.0F;
}

std::optional<Settings> settings_of(const google::protobuf::Struct& message) {
    Settings settings;
    for (const auto& [name, value] : message.fields()) {
        if (value.kind_case() != Value::kNumberValue) return std::nullopt;
        settings[name] = value.number_value();
    }
    return settings;
}

// ---------------------------------------------------------------------------------------------------------------------
// Edits

/// Returns the node, or why it is refused.
std::optional<v1::Code> read_node(const v1::Node& message, Node& node) {
    if (!is_type(message.type())) return v1::NOT_FOUND;
    auto settings = settings_of(message.settings());
    if (!settings) return v1::INVALID_ARGUMENT;
    node = {message.name(), message.type(), std::move(*settings), {}, message.title(), message.description()};
    if (const auto wrong = check_settings(node.type, node.settings)) return wrong;
    const auto ranges = parameters_of(node.type, node.settings);
    for (const auto& [name, range] : ranges) node.parameters[name] = range.initial;
    const std::map<std::string, float> given{message.parameters().begin(), message.parameters().end()};
    for (const auto& [name, value] : given) {
        const auto range = ranges.find(name);
        if (range == ranges.end()) return v1::NOT_FOUND;
        if (!accepts(range->second, value)) return v1::INVALID_ARGUMENT;
        node.parameters[name] = value;
    }
    return fit_together(node) ? std::nullopt : std::optional{v1::INVALID_ARGUMENT};
}

std::optional<v1::Code> check_relative(const v1::SetParameter& change) {
    if (change.relative_case() == v1::SetParameter::RELATIVE_NOT_SET) return std::nullopt;
    if (change.value() != 0.0F || (change.has_toggle() && !change.toggle())) return v1::INVALID_ARGUMENT;
    return std::nullopt;
}

std::optional<v1::Code> check_form(const v1::Edit& edit, int count) {
    switch (edit.edit_case()) {
        case v1::Edit::EDIT_NOT_SET:
            return v1::INVALID_ARGUMENT;
        case v1::Edit::kReplaceGraph:
            return count > 1 ? std::optional{v1::INVALID_ARGUMENT} : std::nullopt;
        case v1::Edit::kDescribe:
            if (!edit.describe().has_title() && !edit.describe().has_description()) return v1::INVALID_ARGUMENT;
            return std::nullopt;
        case v1::Edit::kSetParameter:
            return check_relative(edit.set_parameter());
        default:
            return std::nullopt;
    }
}

std::optional<v1::Code> check_nodes(const v1::Edit& edit) {
    Node node;
    if (edit.has_add_node()) return read_node(edit.add_node(), node);
    for (const v1::Node& one : edit.replace_graph().nodes()) {
        if (const auto wrong = read_node(one, node)) return wrong;
    }
    return std::nullopt;
}

using Outcome = std::optional<v1::Code>;  ///< nothing: it is done

/// Applies edits one by one.
class Editor {
 public:
    Editor(Graph& graph, Identities& identities) : graph_{graph}, identities_{identities} {}

    Outcome operator()(const v1::Edit& edit) {
        switch (edit.edit_case()) {
            case v1::Edit::kAddNode:
                return add(edit.add_node());
            case v1::Edit::kRemoveNode:
                return remove(edit.remove_node().name());
            case v1::Edit::kRenameNode:
                return rename(edit.rename_node());
            case v1::Edit::kConnect:
                return connect(edit.connect());
            case v1::Edit::kDisconnect:
                return disconnect(edit.disconnect());
            case v1::Edit::kSetParameter:
                return set(edit.set_parameter());
            case v1::Edit::kChangeSettings:
                return change_settings(edit.change_settings());
            case v1::Edit::kReplaceGraph:
                return replace(edit.replace_graph());
            case v1::Edit::kSetLatencyCompensation:
                graph_.compensation = edit.set_latency_compensation().enabled();
                return {};
            case v1::Edit::kDescribe:
                return describe(edit.describe());
            case v1::Edit::EDIT_NOT_SET:
                break;
        }
        return v1::INVALID_ARGUMENT;
    }

    Outcome connect(const v1::Connection& edit) {
        Place from;
        Place to;
        if (const auto wrong = resolve(edit.from(), true, from)) return wrong;
        if (const auto wrong = resolve(edit.to(), false, to)) return wrong;
        if (edit.has_gain_db() && !(edit.gain_db() >= kSilentDb && edit.gain_db() <= kLoudestDb))
            return v1::INVALID_ARGUMENT;
        const int width = width_of(from, true);
        if (width != 1 && width != width_of(to, false)) return v1::FAILED_PRECONDITION;
        graph_.connections[{from, to}] = edit.gain_db();
        return {};
    }

    [[nodiscard]] std::vector<Port> ports(Identity identity, bool outputs) const {
        const Node& node = graph_.nodes.at(identity);
        return outputs ? outputs_of(node.type, node.settings) : inputs_of(node.type, node.settings);
    }

    [[nodiscard]] int width_of(const Place& place, bool output) const {
        for (const Port& port : ports(place.node, output)) {
            if (port.name == place.port) return port.width;
        }
        return 0;
    }

    Outcome change_settings(Identity identity, Settings settings) {
        Node& node = graph_.nodes.at(identity);
        if (const auto wrong = check_settings(node.type, settings)) return wrong;
        if (resolved(node.type, settings) == resolved(node.type, node.settings)) {
            node.settings = std::move(settings);
            return {};
        }
        const Node old = node;
        node.settings = std::move(settings);
        for (const auto& [ends, gain] : graph_.connections) {
            if ((ends.first.node == identity && width_of(ends.first, true) == 0) ||
                (ends.second.node == identity && width_of(ends.second, false) == 0))
                return v1::FAILED_PRECONDITION;
        }
        node.parameters.clear();
        for (const auto& [name, range] : parameters_of(node.type, node.settings)) {
            const auto kept = old.parameters.find(name);
            node.parameters[name] = kept == old.parameters.end() ? range.initial : kept->second;
            if (!accepts(range, node.parameters[name])) return v1::INVALID_ARGUMENT;
        }
        for (const auto& [ends, gain] : graph_.connections) {
            if (ends.first.node != identity && ends.second.node != identity) continue;
            const int width = width_of(ends.first, true);
            if (width != 1 && width != width_of(ends.second, false)) return v1::FAILED_PRECONDITION;
        }
        return {};
    }

    void erase(Identity identity) {
        graph_.nodes.erase(identity);
        std::erase_if(graph_.connections, [&](const auto& connection) {
            return connection.first.first.node == identity || connection.first.second.node == identity;
        });
    }

 private:
    Outcome resolve(const std::string& text, bool output, Place& place) const {
        const std::size_t colon = text.find(':');
        const auto node = graph_.find(text.substr(0, colon));
        if (!node) return v1::NOT_FOUND;
        const std::vector<Port> all = ports(*node, output);
        if (all.empty()) return v1::FAILED_PRECONDITION;
        if (colon == std::string::npos) {
            place = {*node, all.front().name};
            return all.size() > 1 ? Outcome{v1::INVALID_ARGUMENT} : std::nullopt;
        }
        place = {*node, text.substr(colon + 1)};
        return width_of(place, output) == 0 ? Outcome{v1::NOT_FOUND} : std::nullopt;
    }

    [[nodiscard]] Outcome check_new(const std::string& name) const {
        if (!is_name(name)) return v1::INVALID_ARGUMENT;
        return graph_.find(name) ? Outcome{v1::ALREADY_EXISTS} : std::nullopt;
    }

    Outcome add(const v1::Node& message) {
        Node node;
        if (const auto wrong = read_node(message, node)) return wrong;
        if (const auto wrong = check_new(node.name)) return wrong;
        // A node that is removed and added in one transaction is replaced.
        const auto removed = removed_.find({node.name, node.type});
        const Identity identity = removed == removed_.end() ? identities_.next() : removed->second;
        if (removed != removed_.end()) removed_.erase(removed);
        graph_.nodes[identity] = std::move(node);
        return {};
    }

    Outcome remove(const std::string& name) {
        const auto node = graph_.find(name);
        if (!node) return v1::NOT_FOUND;
        removed_[{name, graph_.nodes.at(*node).type}] = *node;
        erase(*node);
        return {};
    }

    Outcome rename(const v1::RenameNode& edit) {
        const auto node = graph_.find(edit.name());
        if (!node) return v1::NOT_FOUND;
        if (edit.new_name() != edit.name()) {
            if (const auto wrong = check_new(edit.new_name())) return wrong;
        }
        graph_.nodes.at(*node).name = edit.new_name();
        return {};
    }

    Outcome disconnect(const v1::Disconnect& edit) {
        Place from;
        Place to;
        if (const auto wrong = resolve(edit.from(), true, from)) return wrong;
        if (const auto wrong = resolve(edit.to(), false, to)) return wrong;
        return graph_.connections.erase({from, to}) == 0 ? Outcome{v1::NOT_FOUND} : std::nullopt;
    }

    Outcome set(const v1::SetParameter& edit) {
        const auto identity = graph_.find(edit.node());
        if (!identity) return v1::NOT_FOUND;
        Node& node = graph_.nodes.at(*identity);
        const auto ranges = parameters_of(node.type, node.settings);
        const auto range = ranges.find(edit.parameter());
        if (range == ranges.end()) return v1::NOT_FOUND;
        const auto value = value_after(range->second, node.parameters.at(edit.parameter()), edit);
        if (!value) return v1::INVALID_ARGUMENT;
        if (edit.has_ramp_ms() && !(edit.ramp_ms() >= 0.0F && edit.ramp_ms() <= kLongestRampMs))
            return v1::INVALID_ARGUMENT;
        node.parameters[edit.parameter()] = *value;
        return {};
    }

    Outcome change_settings(const v1::ChangeSettings& edit) {
        const auto changes = settings_of(edit.settings());
        if (!changes) return v1::INVALID_ARGUMENT;
        const auto identity = graph_.find(edit.node());
        if (!identity) return v1::NOT_FOUND;
        const Node& node = graph_.nodes.at(*identity);
        Settings settings = node.settings;
        for (const auto& [name, value] : *changes) settings[name] = value;
        for (const std::string& name : edit.defaults()) {
            if (changes->contains(name)) return v1::INVALID_ARGUMENT;
            if (!types().at(node.type).settings.contains(name)) return v1::NOT_FOUND;
            settings.erase(name);
        }
        return change_settings(*identity, std::move(settings));
    }

    Outcome describe(const v1::Describe& edit) {
        const auto node = graph_.find(edit.node());
        if (!edit.node().empty() && !node) return v1::NOT_FOUND;
        if (edit.has_title()) (node ? graph_.nodes.at(*node).title : graph_.title) = edit.title();
        if (edit.has_description())
            (node ? graph_.nodes.at(*node).description : graph_.description) = edit.description();
        return {};
    }

    Outcome replace(const v1::Graph& message) {
        Graph replaced;
        replaced.compensation = message.latency_compensation();
        replaced.title = message.title();
        replaced.description = message.description();
        for (const v1::Node& one : message.nodes()) {
            Node node;
            if (const auto wrong = read_node(one, node)) return wrong;
            if (!is_name(node.name)) return v1::INVALID_ARGUMENT;
            if (replaced.find(node.name)) return v1::ALREADY_EXISTS;
            const auto old = graph_.find(node.name);
            const bool same = old && graph_.nodes.at(*old).type == node.type;
            replaced.nodes[same ? *old : identities_.next()] = std::move(node);
        }
        graph_ = std::move(replaced);
        for (const v1::Connection& connection : message.connections()) {
            const std::size_t count = graph_.connections.size();
            if (const auto wrong = connect(connection)) return wrong;
            if (graph_.connections.size() == count) return v1::ALREADY_EXISTS;
        }
        return {};
    }

    Graph& graph_;
    Identities& identities_;
    std::map<std::pair<std::string, std::string>, Identity> removed_;  ///< by name and type
};

bool has_cycle(const Graph& graph) {
    std::set<std::pair<Identity, Identity>> arcs;
    for (const auto& [ends, gain] : graph.connections) arcs.emplace(ends.first.node, ends.second.node);
    std::set<Identity> left;
    for (const auto& [identity, node] : graph.nodes) left.insert(identity);
    for (bool progress = true; progress;) {
        const auto fed = [&](Identity node) {
            return std::ranges::any_of(arcs, [&](const auto& arc) { return arc.second == node; });
        };
        progress = false;
        for (auto node = left.begin(); node != left.end();) {
            if (fed(*node)) {
                ++node;
                continue;
            }
            std::erase_if(arcs, [&](const auto& arc) { return arc.first == *node; });
            node = left.erase(node);
            progress = true;
        }
    }
    return !left.empty();
}

Refusal at(v1::Code code, int index, bool whole_graph) {
    if (whole_graph) return {code};
    return {code, static_cast<std::uint32_t>(index)};
}

std::string full_port(const std::string& text, const std::vector<Port>& ports) {
    return text.find(':') == std::string::npos && ports.size() == 1 ? text + ":" + ports.front().name : text;
}

}  // namespace

std::optional<Identity> Graph::find(std::string_view name) const {
    for (const auto& [identity, node] : nodes) {
        if (node.name == name) return identity;
    }
    return std::nullopt;
}

// ---------------------------------------------------------------------------------------------------------------------
// Node types

bool is_type(const std::string& type) { return types().contains(type); }

Settings resolved(const std::string& type, const Settings& given) {
    Settings settings = given;
    for (const auto& [name, row] : types().at(type).settings) settings.emplace(name, row.initial);
    return settings;
}

std::map<std::string, Range> parameters_of(const std::string& type, const Settings& given) {
    std::map<std::string, Range> ranges = types().at(type).parameters;
    const Settings settings = resolved(type, given);
    if (type == "mixer") {
        for (int i = 1; i <= static_cast<int>(settings.at("inputs")); ++i) {
            ranges["gain_" + std::to_string(i) + "_db"] = level(0);
            ranges["mute_" + std::to_string(i)] = kSwitch;
        }
    }
    if (type == "delay_line") {
        Range& time = ranges.at("time_ms");
        time.maximum = static_cast<float>(settings.at("max_time_ms"));
        time.initial = std::min(time.initial, time.maximum);
    }
    return ranges;
}

std::vector<Port> inputs_of(const std::string& type, const Settings& given) {
    if (!types().at(type).in) return {};
    const Settings settings = resolved(type, given);
    const auto width = static_cast<int>(settings.at("channels"));
    if (type != "mixer") return {{"in", width}};
    std::vector<Port> ports;
    for (int i = 1; i <= static_cast<int>(settings.at("inputs")); ++i)
        ports.push_back({"in_" + std::to_string(i), width});
    return ports;
}

std::vector<Port> outputs_of(const std::string& type, const Settings& given) {
    if (!types().at(type).out) return {};
    const Settings settings = resolved(type, given);
    const auto channels = settings.find("channels");
    return {{"out", channels == settings.end() ? 1 : static_cast<int>(channels->second)}};
}

bool fit_together(const Node& node) {
    if (node.type != "biquad") return true;
    const double a1 = node.parameters.at("a1");
    const double a2 = node.parameters.at("a2");
    return std::abs(a2) < 1.0 && std::abs(a1) < 1.0 + a2;
}

// ---------------------------------------------------------------------------------------------------------------------
// Edits

Content content_of(const v1::ApplyTransaction& transaction) {
    Content content;
    content.whole_graph = !transaction.has_edits();
    if (transaction.has_edits()) content.edits = transaction.edits();
    if (transaction.has_graph()) *content.edits.add_edits()->mutable_replace_graph() = transaction.graph();
    if (transaction.has_document()) {
        const auto read = google::protobuf::util::JsonStringToMessage(
            transaction.document(), content.edits.add_edits()->mutable_replace_graph());
        if (!read.ok()) content.edits.mutable_edits(0)->clear_edit();
    }
    return content;
}

Content content_of(const v1::CheckGraph& check) {
    v1::ApplyTransaction transaction;
    if (check.has_edits()) *transaction.mutable_edits() = check.edits();
    if (check.has_graph()) *transaction.mutable_graph() = check.graph();
    if (check.has_document()) transaction.set_document(check.document());
    return content_of(transaction);
}

std::optional<Refusal> check_alone(const Content& content) {
    const auto& edits = content.edits.edits();
    if (edits.empty() && content.whole_graph) return Refusal{v1::INVALID_ARGUMENT};
    for (int i = 0; i < edits.size(); ++i) {
        if (const auto wrong = check_form(edits[i], edits.size())) return at(*wrong, i, content.whole_graph);
    }
    for (int i = 0; i < edits.size(); ++i) {
        if (const auto wrong = check_nodes(edits[i])) return at(*wrong, i, content.whole_graph);
    }
    return std::nullopt;
}

std::optional<Refusal> apply(Graph& graph, const Content& content, Identities& identities) {
    const auto& edits = content.edits.edits();
    Editor editor{graph, identities};
    for (int i = 0; i < edits.size(); ++i) {
        if (const auto wrong = editor(edits[i])) return at(*wrong, i, content.whole_graph);
    }
    // Which edit is at fault is another question.
    for (const auto& [identity, node] : graph.nodes) {
        if (!fit_together(node)) return Refusal{v1::INVALID_ARGUMENT};
    }
    if (has_cycle(graph)) return Refusal{v1::FAILED_PRECONDITION};
    return std::nullopt;
}

std::optional<Refusal> apply(Graph& graph, const v1::SetParameters& changes) {
    if (changes.changes().empty()) return Refusal{v1::INVALID_ARGUMENT};
    for (int i = 0; i < changes.changes_size(); ++i) {
        if (const auto wrong = check_relative(changes.changes(i))) return at(*wrong, i, false);
    }
    Content content;
    for (const v1::SetParameter& change : changes.changes())
        *content.edits.add_edits()->mutable_set_parameter() = change;
    Identities none;
    return apply(graph, content, none);
}

std::optional<float> value_after(const Range& range, float current, const v1::SetParameter& change) {
    float value = change.value();
    if (change.has_toggle()) {
        if (!range.is_switch) return std::nullopt;
        value = current == 0.0F ? 1.0F : 0.0F;
    } else if (change.relative_case() == v1::SetParameter::kAdd) {
        if (range.is_switch) return std::nullopt;
        value = current + change.add();  // the tests add what a float holds exactly
    }
    return accepts(range, value) ? std::optional{value} : std::nullopt;
}

// ---------------------------------------------------------------------------------------------------------------------
// Scenes

std::optional<Scene> save(const Graph& graph, const std::vector<std::string>& nodes) {
    Scene scene{graph, !nodes.empty()};
    if (nodes.empty()) return scene;
    for (const std::string& name : nodes) {
        if (!graph.find(name)) return std::nullopt;
    }
    const std::set<std::string> wanted{nodes.begin(), nodes.end()};
    Identities none;
    Editor editor{scene.graph, none};
    for (const auto& [identity, node] : graph.nodes) {
        if (!wanted.contains(node.name)) editor.erase(identity);
    }
    scene.graph.compensation = false;
    scene.graph.title.clear();
    scene.graph.description.clear();
    return scene;
}

std::optional<Refusal> recall(Graph& graph, const Scene& scene, Identities& identities) {
    const Graph before = graph;
    if (!scene.partial) graph = {};
    Editor editor{graph, identities};
    std::map<Identity, Identity> places;  // from the scene to the graph
    std::set<Identity> rebuilt;
    for (const auto& [in_scene, node] : scene.graph.nodes) {
        const auto old = before.find(node.name);
        const Node* const known = old ? &before.nodes.at(*old) : nullptr;
        const bool same_type = known != nullptr && known->type == node.type;
        const bool same = same_type && resolved(node.type, known->settings) == resolved(node.type, node.settings);
        const Identity identity = same_type ? *old : identities.next();
        if (!same && known != nullptr) {
            editor.erase(*old);
            rebuilt.insert(*old);
        }
        graph.nodes[identity] = node;
        places[in_scene] = identity;
    }
    const auto in_scene = [&](Identity node) {
        return std::ranges::any_of(places, [&](const auto& place) { return place.second == node; });
    };
    // Connections between nodes of the scene are those of the scene.
    std::erase_if(graph.connections, [&](const auto& connection) {
        return in_scene(connection.first.first.node) && in_scene(connection.first.second.node);
    });
    for (const auto& [ends, gain] : scene.graph.connections) {
        const Place from{places.at(ends.first.node), ends.first.port};
        const Place to{places.at(ends.second.node), ends.second.port};
        graph.connections[{from, to}] = gain;
    }
    if (scene.partial) {
        // A node that replaces another one takes its connections to all others, if it has the ports.
        const auto successor = [&](Identity old) -> std::optional<Identity> {
            if (!rebuilt.contains(old)) return graph.nodes.contains(old) ? std::optional{old} : std::nullopt;
            return graph.find(before.nodes.at(old).name);
        };
        for (const auto& [ends, gain] : before.connections) {
            if (!rebuilt.contains(ends.first.node) && !rebuilt.contains(ends.second.node)) continue;
            const auto from = successor(ends.first.node);
            const auto to = successor(ends.second.node);
            if (!from || !to || (in_scene(*from) && in_scene(*to))) continue;
            v1::Connection connection;
            connection.set_from(graph.nodes.at(*from).name + ":" + ends.first.port);
            connection.set_to(graph.nodes.at(*to).name + ":" + ends.second.port);
            connection.set_gain_db(gain);
            static_cast<void>(editor.connect(connection));
        }
    } else {
        graph.compensation = scene.graph.compensation;
        graph.title = scene.graph.title;
        graph.description = scene.graph.description;
    }
    if (has_cycle(graph)) return Refusal{v1::FAILED_PRECONDITION};
    return std::nullopt;
}

// ---------------------------------------------------------------------------------------------------------------------
// Texts

Graph graph_of(const v1::Graph& message, Identities& identities) {
    Content content;
    *content.edits.add_edits()->mutable_replace_graph() = message;
    Graph graph;
    if (apply(graph, content, identities)) std::abort();  // it comes from a graph
    return graph;
}

v1::Graph message_of(const Graph& graph) {
    v1::Graph message;
    message.set_latency_compensation(graph.compensation);
    message.set_title(graph.title);
    message.set_description(graph.description);
    for (const auto& [identity, node] : graph.nodes) {
        v1::Node& one = *message.add_nodes();
        one.set_name(node.name);
        one.set_type(node.type);
        one.set_title(node.title);
        one.set_description(node.description);
        for (const auto& [name, value] : node.settings)
            (*one.mutable_settings()->mutable_fields())[name].set_number_value(value);
        for (const auto& [name, value] : node.parameters) (*one.mutable_parameters())[name] = value;
    }
    for (const auto& [ends, gain] : graph.connections) {
        v1::Connection& one = *message.add_connections();
        one.set_from(graph.nodes.at(ends.first.node).name + ":" + ends.first.port);
        one.set_to(graph.nodes.at(ends.second.node).name + ":" + ends.second.port);
        if (gain != 0.0F) one.set_gain_db(gain);
    }
    return message;
}

std::string text_of(const Graph& graph) { return text_of(message_of(graph)); }

std::string text_of(const v1::Graph& message) {
    std::set<std::string> lines;
    std::map<std::string, std::pair<std::vector<Port>, std::vector<Port>>> ports;
    for (const v1::Node& node : message.nodes()) {
        std::string line = node.name() + " (" + node.type();
        const Settings settings = settings_of(node.settings()).value_or(Settings{});
        for (const auto& [name, value] : settings) line += ", " + name + " " + number(value);
        line += ")";
        const std::map<std::string, float> values{node.parameters().begin(), node.parameters().end()};
        for (const auto& [name, value] : values) line += " " + name + "=" + number(value);
        lines.insert(line + " \"" + node.title() + "\" \"" + node.description() + "\"");
        ports[node.name()] = {inputs_of(node.type(), settings), outputs_of(node.type(), settings)};
    }
    for (const v1::Connection& one : message.connections()) {
        const std::string from = full_port(one.from(), ports[one.from().substr(0, one.from().find(':'))].second);
        const std::string to = full_port(one.to(), ports[one.to().substr(0, one.to().find(':'))].first);
        lines.insert(from + " -> " + to + " " + number(one.gain_db()));
    }
    std::string text = "compensation " + std::to_string(message.latency_compensation()) + " \"" + message.title() +
                       "\" \"" + message.description() + "\"\n";
    for (const std::string& line : lines) text += line + "\n";
    return text;
}

// ---------------------------------------------------------------------------------------------------------------------
// The history

namespace {

constexpr double kOneGestureS = 2.0;
constexpr std::size_t kMostGestures = 16;
constexpr std::uint64_t kMostLaterSteps = 64;

std::string settings_text(const Settings& settings) {
    std::string text;
    for (const auto& [name, value] : settings) text += name + "=" + number(value) + ";";
    return text;
}

Settings settings_in(const std::string& text) {
    Settings settings;
    for (std::size_t start = 0; start < text.size();) {
        const std::size_t equals = text.find('=', start);
        const std::size_t end = text.find(';', equals);
        settings[text.substr(start, equals - start)] = std::strtod(text.c_str() + equals + 1, nullptr);
        start = end + 1;
    }
    return settings;
}

std::vector<std::string> words(const std::string& key) {
    std::vector<std::string> all;
    for (std::size_t start = 0; start <= key.size();) {
        const std::size_t end = std::min(key.find(' ', start), key.size());
        all.push_back(key.substr(start, end - start));
        start = end + 1;
    }
    return all;
}

bool is_parameter(const std::string& key) { return key.find(" = ") != std::string::npos; }
bool is_connection(const std::string& key) { return key.find(" < ") != std::string::npos; }
/// Returns the key of the existence of the node to which a key belongs.
std::string owner(const std::string& key) { return key.substr(0, key.find(' ') + 1); }
/// Of a connection.
std::string source(const std::string& key) { return words(key)[2] + " "; }

}  // namespace

Parts parts_of(const Graph& graph) {
    Parts parts;
    parts["graph compensation"] = graph.compensation ? "on" : "off";
    parts["graph title"] = graph.title;
    parts["graph description"] = graph.description;
    for (const auto& [identity, node] : graph.nodes) {
        const std::string key = std::to_string(identity) + " ";
        parts[key] = node.type;
        parts[key + "name"] = node.name;
        parts[key + "settings"] = settings_text(node.settings);
        parts[key + "title"] = node.title;
        parts[key + "description"] = node.description;
        for (const auto& [name, value] : node.parameters) {
            parts[key + "= " + name] = number(value);
        }
    }
    for (const auto& [ends, gain] : graph.connections) {
        parts[std::to_string(ends.second.node) + " < " + std::to_string(ends.first.node) + " " + ends.first.port + " " +
              ends.second.port] = number(gain);
    }
    return parts;
}

Graph graph_of(const Parts& parts) {
    const auto get = [&](const std::string& key) {
        const auto found = parts.find(key);
        return found == parts.end() ? std::string{} : found->second;
    };
    Graph graph;
    graph.compensation = get("graph compensation") == "on";
    graph.title = get("graph title");
    graph.description = get("graph description");
    for (const auto& [key, type] : parts) {
        if (owner(key) != key) continue;
        Node node{get(key + "name"),       type, settings_in(get(key + "settings")), {}, get(key + "title"),
                  get(key + "description")};
        for (const auto& [name, range] : parameters_of(type, node.settings)) {
            const auto value = parts.find(key + "= " + name);
            node.parameters[name] = value == parts.end() ? range.initial : std::strtof(value->second.c_str(), nullptr);
        }
        graph.nodes[std::strtoull(key.c_str(), nullptr, 10)] = std::move(node);
    }
    for (const auto& [key, gain] : parts) {
        // What belongs to nodes that do not exist is not part of the graph.
        if (!is_connection(key) || !parts.contains(owner(key)) || !parts.contains(source(key))) continue;
        const std::vector<std::string> part = words(key);
        const Place from{std::strtoull(part[2].c_str(), nullptr, 10), part[3]};
        const Place to{std::strtoull(part[0].c_str(), nullptr, 10), part[4]};
        graph.connections[{from, to}] = std::strtof(gain.c_str(), nullptr);
    }
    return graph;
}

std::set<std::string> Step::nodes() const {
    std::set<std::string> all;
    for (const auto& [key, value] : changes) {
        if (key.starts_with("graph ")) continue;
        all.insert(owner(key));
        if (is_connection(key)) all.insert(source(key));
    }
    return all;
}

namespace {

std::map<std::string, std::optional<std::string>> difference(const Graph& before, const Graph& after) {
    const Parts from = parts_of(before);
    const Parts to = parts_of(after);
    std::map<std::string, std::optional<std::string>> changes;
    for (const auto& [key, value] : from) {
        if (!to.contains(key)) changes[key] = std::nullopt;
    }
    for (const auto& [key, value] : to) {
        const auto known = from.find(key);
        if (known == from.end() || known->second != value) changes[key] = value;
    }
    return changes;
}

/// Returns whether a change of parameters cannot continue a step before this one.
bool interferes(const Step& step, const Step& later) {
    const std::set<std::string> nodes = step.nodes();
    const std::set<std::string> others = later.nodes();
    if (std::ranges::none_of(nodes, [&](const std::string& node) { return others.contains(node); })) return false;
    return std::ranges::any_of(later.changes, [&](const auto& change) {
        if (!is_parameter(change.first)) return true;
        const std::string name = change.first.substr(change.first.find(" = ") + 3);
        return std::ranges::any_of(step.sets, [&](const auto& set) { return set.second == name; });
    });
}

/// Returns whether a step cannot be undone or applied again while a later one stays.
bool is_in_the_way(const Step& earlier, const Step& later) {
    const auto existence = [](const Step& step, const std::string& key) { return step.changes.contains(key); };
    for (const auto& [key, value] : later.changes) {
        if (!is_parameter(key) && earlier.changes.contains(key)) return true;
        if (is_connection(key) && (existence(earlier, owner(key)) || existence(earlier, source(key)))) return true;
    }
    return std::ranges::any_of(earlier.changes, [&](const auto& change) {
        const std::string& key = change.first;
        if (!is_connection(key)) return existence(later, owner(key));
        if (existence(earlier, owner(key)) || existence(earlier, source(key))) return false;
        return existence(later, owner(key)) || existence(later, source(key));
    });
}

}  // namespace

Step& History::add(const std::string& author, const std::string& client_name, std::uint64_t revision) {
    const std::uint64_t next = steps_.empty() ? 1 : steps_.back().number + 1;
    return steps_.emplace_back(Step{next, revision, author, client_name});
}

void History::discard_redo(const std::string& author) {
    for (Step& step : steps_) {
        if (step.undo_order != 0 && step.undone_by == author) step.undo_order = 0;
    }
}

void History::record(const std::string& author, const std::string& client_name, std::uint64_t revision,
                     const Graph& before, const Graph& after) {
    auto changes = difference(before, after);
    if (changes.empty()) return;
    discard_redo(author);
    Step& step = add(author, client_name, revision);
    step.transaction = true;
    step.changes = std::move(changes);
}

void History::record(const std::string& author, const std::string& client_name, std::uint64_t revision, double now_s,
                     const v1::SetParameters& changes, const Graph& before, const Graph& after) {
    auto parts = difference(before, after);
    if (parts.empty()) return;
    discard_redo(author);
    std::vector<std::pair<std::string, std::string>> sets;
    for (const v1::SetParameter& change : changes.changes()) sets.emplace_back(change.node(), change.parameter());
    if (Step* const known = gesture(author, now_s, sets)) {
        for (auto& [key, value] : parts) known->changes[key] = std::move(value);
        return;
    }
    Step& step = add(author, client_name, revision);
    step.changes = std::move(parts);
    step.sets = std::move(sets);
    gestures_.push_back({step.number, now_s, step.number});
    if (gestures_.size() > kMostGestures) gestures_.pop_front();
}

Step* History::find(std::uint64_t number) {
    const auto found = std::ranges::find(steps_, number, &Step::number);
    return found == steps_.end() ? nullptr : &*found;
}

Step* History::gesture(const std::string& author, double now_s,
                       const std::vector<std::pair<std::string, std::string>>& sets) {
    std::erase_if(gestures_, [&](const Gesture& known) { return now_s - known.latest_s > kOneGestureS; });
    for (Gesture& known : gestures_) {
        Step* const step = find(known.number);
        if (step->undone || step->author != author || step->sets != sets) continue;
        if (steps_.back().number - known.compared_to > kMostLaterSteps) continue;
        const bool free = std::ranges::none_of(
            steps_, [&](const Step& later) { return later.number > known.compared_to && interferes(*step, later); });
        if (!free) continue;
        known.compared_to = steps_.back().number;
        known.latest_s = now_s;
        return step;
    }
    return nullptr;
}

std::vector<std::uint64_t> History::candidates(const std::vector<StepState>& steps, bool redo,
                                               const std::string& author, bool of_all) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> found;
    for (const StepState& step : steps) {
        if (redo ? step.undo_order == 0 : step.undone) continue;
        if (!of_all && (redo ? step.undone_by : step.author) != author) continue;
        found.emplace_back(redo ? step.undo_order : step.number, step.number);
    }
    std::ranges::sort(found, std::greater{});
    std::vector<std::uint64_t> numbers;
    for (const auto& [order, number] : found) numbers.push_back(number);
    return numbers;
}

Graph History::toggled(const Graph& graph, const std::set<std::uint64_t>& numbers) const {
    const auto stays = [&](const Step& step) { return step.undone == numbers.contains(step.number); };
    const auto replayed = [&](const std::string& key) {
        const auto first = start_.find(key);
        std::optional<std::string> value = first == start_.end() ? std::nullopt : std::optional{first->second};
        for (const Step& step : steps_) {
            const auto change = step.changes.find(key);
            if (change != step.changes.end() && stays(step)) value = change->second;
        }
        return value;
    };
    Parts parts = parts_of(graph);
    const Parts present = parts;
    const auto take = [&](const std::string& key) {
        if (const auto value = replayed(key)) {
            parts[key] = *value;
        } else {
            parts.erase(key);
        }
    };
    for (const Step& step : steps_) {
        if (!numbers.contains(step.number)) continue;
        for (const auto& [key, value] : step.changes) take(key);
    }
    // A node that comes back has all that was changed of it while it was away.
    const auto returns = [&](const std::string& node) { return parts.contains(node) && !present.contains(node); };
    for (const Step& step : steps_) {
        for (const auto& [key, value] : step.changes) {
            if (returns(owner(key)) || (is_connection(key) && returns(source(key)))) take(key);
        }
    }
    return graph_of(parts);
}

bool History::is_met(const std::set<std::uint64_t>& numbers, const Step& later) const {
    if (later.undone || numbers.contains(later.number)) return false;
    return std::ranges::any_of(steps_, [&](const Step& earlier) {
        return earlier.number < later.number && numbers.contains(earlier.number) && is_in_the_way(earlier, later);
    });
}

bool History::collides(const std::set<std::uint64_t>& numbers) const {
    return std::ranges::any_of(steps_, [&](const Step& later) { return is_met(numbers, later); });
}

std::set<std::uint64_t> History::with_what_is_in_the_way(std::set<std::uint64_t> numbers) const {
    for (const Step& later : steps_) {
        if (is_met(numbers, later)) numbers.insert(later.number);
    }
    return numbers;
}

void History::toggle(const std::vector<std::uint64_t>& undone, const std::vector<std::uint64_t>& redone,
                     const std::string& author) {
    for (const std::uint64_t number : undone) {
        Step& step = *find(number);
        step.undone = true;
        step.undone_by = author;
        step.undo_order = next_order_++;
    }
    for (const std::uint64_t number : redone) {
        Step& step = *find(number);
        step.undone = false;
        step.undone_by.clear();
        step.undo_order = 0;
    }
    gestures_.clear();
}

std::vector<StepState> History::states() const {
    std::vector<StepState> states;
    for (const Step& step : steps_)
        states.push_back({step.number, step.author, step.undone, step.undone_by, step.undo_order});
    return states;
}

History::Mark History::mark() const {
    Mark mark{steps_.empty() ? 1 : steps_.back().number + 1, states()};
    std::erase_if(mark.undone, [](const StepState& step) { return !step.undone; });
    std::ranges::sort(mark.undone, {}, &StepState::undo_order);
    return mark;
}

void History::revert(const Mark& mark, const std::string& author) {
    for (Step& step : steps_) {
        if (step.number >= mark.next_number && step.transaction) continue;
        step.undone = false;
        step.undone_by.clear();
        step.undo_order = 0;
    }
    for (const StepState& undone : mark.undone) {
        Step& step = *find(undone.number);
        step.undone = true;
        step.undone_by = undone.undone_by;
        step.undo_order = undone.undo_order == 0 ? 0 : next_order_++;
    }
    // The latest first, so that the earliest is the first to be applied again.
    for (Step& step : steps_ | std::views::reverse) {
        if (step.number < mark.next_number || !step.transaction || step.undone) continue;
        step.undone = true;
        step.undone_by = author;
        step.undo_order = next_order_++;
    }
    gestures_.clear();
}

}  // namespace rta::test::model
