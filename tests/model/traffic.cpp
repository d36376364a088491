// SPDX-License-Identifier: MIT
#include "model/traffic.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <array>

#include "support/edits.h"

namespace rta::test::model {
namespace {

/// Nodes with this first letter are never connected: their values need not be bounded.
constexpr char kFree = 'f';

/// Half of the lanes have a tone, the others a constant.
std::vector<v1::Edit> lane_edits(int lane) {
    const std::string number = std::to_string(lane);
    return {lane % 2 == 0 ? add_node("sine", "src" + number, {{"frequency_hz", 100.0F}})
                          : add_node("constant", "src" + number, {{"value", 0.1F}}),
            add_node("gain", "vol" + number),
            add_node("output", "out" + number, {}, {{"first_channel", static_cast<float>(lane + 1)}}),
            connect("src" + number, "vol" + number), connect("vol" + number, "out" + number)};
}

}  // namespace

v1::EditList first_edits() {
    v1::EditList list;
    for (int lane = 0; lane < kLanes; ++lane) {
        for (v1::Edit& edit : lane_edits(lane)) *list.add_edits() = std::move(edit);
    }
    return list;
}

v1::Request Traffic::request(const View& view) {
    v1::Request request;
    const std::uint32_t kind = roll(100);
    if (kind < 30) {
        apply_transaction(view, *request.mutable_apply_transaction());
    } else if (kind < 50) {
        set_parameters(view, *request.mutable_set_parameters());
    } else if (kind < 58) {
        undo(view, *request.mutable_undo());
    } else if (kind < 64) {
        undo(view, *request.mutable_redo());
    } else if (kind < 68) {
        v1::SaveScene& save = *request.mutable_save_scene();
        save.set_name(one_in(20) ? "a scene" : scene_name());
        for (const v1::Node& node : view.graph.nodes()) {
            if (kind < 66 && one_in(3)) save.add_nodes(node.name());
        }
        if (one_in(12)) save.add_nodes("unknown");
    } else if (kind < 75) {
        recall(view, *request.mutable_recall_scene());
    } else if (kind < 76) {
        v1::RenameScene& rename = *request.mutable_rename_scene();
        rename.set_name(scene_name());
        rename.set_new_name(one_in(10) ? "a scene" : scene_name());
    } else if (kind < 77) {
        request.mutable_remove_scene()->set_name(scene_name());
    } else if (kind < 79) {
        v1::GetScene& get = *request.mutable_get_scene();
        get.set_name(scene_name());
        get.set_with_graph(one_in(2));
        get.set_with_diff(one_in(3));
    } else if (kind < 82) {
        const bool known = !view.pending.empty() && !one_in(6);
        request.mutable_cancel_pending()->set_id(known ? any(view.pending) : roll(40));
    } else if (kind < 86) {
        if (one_in(2)) {
            request.mutable_confirm();
            if (one_in(3)) request.mutable_confirm()->set_id(view.open.value_or(roll(9)));
        } else {
            request.mutable_revert()->set_wait_for_start(one_in(3));
            if (one_in(3)) request.mutable_revert()->set_id(view.open.value_or(roll(9)));
        }
    } else if (kind < 90) {
        v1::ApplyTransaction transaction;
        apply_transaction(view, transaction);
        v1::CheckGraph& check = *request.mutable_check_graph();
        if (transaction.has_edits()) *check.mutable_edits() = transaction.edits();
        if (transaction.has_graph()) *check.mutable_graph() = transaction.graph();
        if (transaction.has_document()) check.set_document(transaction.document());
        check.set_with_graph(true);
        check.set_with_diff(true);
        guard(view, *check.mutable_guard());
    } else if (kind < 93) {
        request.mutable_get_graph()->set_content(v1::GRAPH_CONTENT_MESSAGE);
    } else if (kind < 95) {
        request.mutable_get_history()->set_steps(1 + roll(60));
    } else if (kind < 96) {
        if (one_in(2)) {
            request.mutable_list_pending();
        } else {
            request.mutable_list_scenes();
        }
    } else if (kind < 98) {
        request.mutable_mute_output()->set_muted(one_in(3));
    } else if (one_in(12)) {
        request.mutable_panic();
    } else if (one_in(3)) {
        request.mutable_set_volume()->set_add_db(one_in(2) ? -3.0F : 3.0F);
    } else {
        request.mutable_set_volume()->set_volume_db(one_in(10) ? 20.0F : -static_cast<float>(roll(24)));
    }
    return request;
}

// ---------------------------------------------------------------------------------------------------------------------
// Conditions

/// Numbers that are too old or too new are refused.
void Traffic::guard(const View& view, v1::Guard& guard) {
    if (!one_in(6)) return;
    const auto near = [&](std::uint64_t number) { return one_in(3) && number > 2 ? number - roll(3) : number; };
    if (one_in(2)) guard.set_expected_revision(near(view.revision));
    if (one_in(2)) guard.set_expected_change(one_in(8) ? view.change_number + 50 : near(view.change_number));
}

void Traffic::when(const View& view, v1::When& when) {
    switch (roll(10)) {
        case 0:
            when.set_in_s(-1.0);
            break;
        case 1:
            when.set_in_s(1'000.0);
            break;
        case 2:
            when.set_utc_us(view.utc_us + 1'000 + roll(300'000));
            break;
        case 3:
        case 4:
        case 5:
            when.set_in_s(0.001 * roll(300));
            break;
        default:
            when.set_frame(one_in(16) ? 0 : view.frame + 1'000 + roll(16'000));
    }
}

template <class Message>
void Traffic::confirm_sometimes(Message& message) {
    if (!one_in(9)) return;
    message.set_confirm_within_s(one_in(12) ? 601 * roll(2) : 1 + roll(2) * (one_in(8) ? 500 : 1));
}

// ---------------------------------------------------------------------------------------------------------------------
// Requests

void Traffic::apply_transaction(const View& view, v1::ApplyTransaction& message) {
    switch (roll(16)) {
        case 0:
            *message.mutable_graph() = whole_graph(view);
            break;
        case 1: {
            google::protobuf::util::JsonPrintOptions options;
            options.preserve_proto_field_names = true;
            std::string text;
            static_cast<void>(google::protobuf::util::MessageToJsonString(whole_graph(view), &text, options));
            message.set_document(text);
            break;
        }
        case 2:
            *message.mutable_edits()->add_edits()->mutable_replace_graph() = whole_graph(view);
            break;
        case 3:
            if (one_in(6)) break;  // empty
            [[fallthrough]];
        default:
            *message.mutable_edits() = edits(view);
    }
    message.set_wait_for_start(one_in(3));
    guard(view, *message.mutable_guard());
    confirm_sometimes(message);
    if (one_in(8)) when(view, *message.mutable_at());
}

v1::Graph Traffic::whole_graph(const View& view) {
    v1::Graph graph = view.graph;
    if (one_in(3) && graph.nodes_size() > 3) {
        const std::string lost =
            graph.nodes(static_cast<int>(roll(static_cast<std::uint32_t>(graph.nodes_size())))).name();
        auto& nodes = *graph.mutable_nodes();
        nodes.erase(std::remove_if(nodes.begin(), nodes.end(), [&](const v1::Node& n) { return n.name() == lost; }),
                    nodes.end());
        auto& connections = *graph.mutable_connections();
        const auto touches = [&](const v1::Connection& one) {
            return one.from().substr(0, one.from().find(':')) == lost || one.to().substr(0, one.to().find(':')) == lost;
        };
        connections.erase(std::remove_if(connections.begin(), connections.end(), touches), connections.end());
    }
    if (one_in(2)) {
        Identities identities;
        Graph changed = graph_of(graph, identities);
        Content content;
        View small = view;
        small.graph = graph;
        content.edits = edits(small);
        if (!check_alone(content) && !apply(changed, content, identities)) graph = message_of(changed);
    }
    if (one_in(20) && graph.nodes_size() > 0) *graph.add_nodes() = graph.nodes(0);
    if (one_in(20) && graph.connections_size() > 0) *graph.add_connections() = graph.connections(0);
    if (one_in(30)) graph.clear_nodes();
    if (one_in(4)) graph.set_title("title " + std::to_string(roll(5)));
    return graph;
}

/// Some of the edits are invalid.
v1::EditList Traffic::edits(const View& view) {
    Identities identities;
    Graph graph = graph_of(view.graph, identities);
    v1::EditList list;
    const std::uint32_t count = one_in(20) ? 0 : 1 + roll(4);
    for (std::uint32_t tries = 0; list.edits_size() < static_cast<int>(count) && tries < 12; ++tries) {
        Content content;
        for (v1::Edit& edit : change(graph)) *content.edits.add_edits() = std::move(edit);
        Graph changed = graph;
        const bool refused = check_alone(content).has_value() || apply(changed, content, identities).has_value();
        if (refused && !one_in(12)) continue;
        for (const v1::Edit& edit : content.edits.edits()) *list.add_edits() = edit;
        if (refused) break;
        graph = std::move(changed);
    }
    return list;
}

std::string Traffic::node_name(const Graph& graph) {
    if (graph.nodes.empty() || one_in(40)) return "unknown";
    auto node = graph.nodes.begin();
    std::advance(node, roll(static_cast<std::uint32_t>(graph.nodes.size())));
    return node->second.name;
}

std::string Traffic::new_name() { return one_in(40) ? "2bad" : (one_in(6) ? "f" : "n") + std::to_string(roll(10)); }

void Traffic::add(v1::Node& node, const std::string& name) {
    constexpr std::array kTypes{"gain", "gain", "gain", "mixer", "delay_line", "limiter", "sine", "biquad"};
    node.set_name(name);
    node.set_type(name.front() == kFree ? "biquad" : kTypes.at(roll(kTypes.size() - 1)));
    if (one_in(40)) node.set_type("unknown");
    google::protobuf::Struct& settings = *node.mutable_settings();
    auto& parameters = *node.mutable_parameters();
    if (node.type() == "gain" && one_in(2)) parameters["gain_db"] = -static_cast<float>(roll(20));
    if (node.type() == "mixer" && one_in(2)) set_number(settings, "inputs", 1.0 + roll(4));
    if (node.type() == "delay_line") {
        set_number(settings, "max_time_ms", 100.0 * (1 + roll(4)));
        parameters["time_ms"] = static_cast<float>(roll(100));
    }
    if (node.type() == "sine") parameters["frequency_hz"] = 60.0F + static_cast<float>(roll(60));
    if (node.type() == "limiter") set_number(settings, "look_ahead_ms", 1.0 + roll(3));
    if (one_in(40)) parameters["unknown"] = 1.0F;
    if (one_in(40)) set_number(settings, "channels", 0.5);
    if (one_in(10)) set_number(settings, "channels", 2.0);
}

/// Most nodes of the first graph are there most of the time.
std::vector<v1::Edit> Traffic::lane() { return lane_edits(static_cast<int>(roll(kLanes))); }

std::vector<v1::Edit> Traffic::insert(const Graph& graph) {
    if (graph.connections.empty()) return lane();
    auto connection = graph.connections.begin();
    std::advance(connection, roll(static_cast<std::uint32_t>(graph.connections.size())));
    const auto& [from, to] = connection->first;
    const std::string source = graph.nodes.at(from.node).name + ":" + from.port;
    const std::string destination = graph.nodes.at(to.node).name + ":" + to.port;
    v1::Edit added;
    add(*added.mutable_add_node(), "n" + std::to_string(roll(10)));
    const std::string name = added.add_node().name();
    const bool is_mixer = added.add_node().type() == "mixer";
    return {added, disconnect(source, destination), connect(source, is_mixer ? name + ":in_1" : name),
            connect(name, destination)};
}

std::vector<v1::Edit> Traffic::change(const Graph& graph) {
    v1::Edit edit;
    switch (roll(20)) {
        case 0:
            add(*edit.mutable_add_node(), new_name());
            break;
        case 1:
            edit.mutable_remove_node()->set_name(node_name(graph));
            break;
        case 2:
            edit.mutable_rename_node()->set_name(node_name(graph));
            edit.mutable_rename_node()->set_new_name(one_in(8) ? edit.rename_node().name() : new_name());
            break;
        case 3:
        case 4:
        case 5: {
            std::string from = node_name(graph);
            std::string to = node_name(graph);
            if (from.front() == kFree || to.front() == kFree) return {};
            const auto node = graph.find(to);
            if (node && graph.nodes.at(*node).type == "mixer") to += ":in_" + std::to_string(1 + roll(4));
            if (one_in(30)) from += ":unknown";
            edit = connect(from, to, -static_cast<float>(roll(18)));
            if (one_in(30)) edit.mutable_connect()->set_gain_db(30.0F);
            break;
        }
        case 6: {
            if (graph.connections.empty()) return {};
            auto connection = graph.connections.begin();
            std::advance(connection, roll(static_cast<std::uint32_t>(graph.connections.size())));
            const auto& [from, to] = connection->first;
            edit = disconnect(graph.nodes.at(from.node).name + ":" + from.port,
                              graph.nodes.at(to.node).name + ":" + to.port);
            break;
        }
        case 7:
        case 8:
        case 9:
        case 10:
            set(graph, *edit.mutable_set_parameter());
            break;
        case 11: {
            const auto node = graph.find(node_name(graph));
            if (!node) return {};
            change_settings(graph.nodes.at(*node), *edit.mutable_change_settings());
            break;
        }
        case 12:
        case 13:
        case 14:
            return insert(graph);
        case 15:
            if (one_in(3)) edit.mutable_describe()->set_node(node_name(graph));
            if (!one_in(10)) edit.mutable_describe()->set_title("title " + std::to_string(roll(4)));
            if (one_in(2)) edit.mutable_describe()->set_description("text " + std::to_string(roll(4)));
            edit.mutable_describe();
            break;
        case 16:
            edit.mutable_set_latency_compensation()->set_enabled(one_in(2));
            break;
        case 17: {
            // A node is exchanged for a new one.
            const auto known = graph.find(node_name(graph));
            if (!known) return {};
            const v1::Graph all = message_of(graph);
            const auto node = std::ranges::find(all.nodes(), graph.nodes.at(*known).name, &v1::Node::name);
            v1::Edit removed;
            removed.mutable_remove_node()->set_name(node->name());
            *edit.mutable_add_node() = *node;
            return {removed, edit};
        }
        case 18:
            return lane();
        default:
            if (one_in(12)) break;  // an edit without a kind
            return insert(graph);
    }
    return {edit};
}

void Traffic::change_settings(const Node& node, v1::ChangeSettings& change) {
    change.set_node(node.name);
    google::protobuf::Struct& settings = *change.mutable_settings();
    if (one_in(4) && !node.settings.empty()) {
        change.add_defaults(node.settings.begin()->first);
    } else if (one_in(8)) {
        set_number(settings, "channels", 1.0 + roll(2));
    } else if (node.type == "mixer") {
        set_number(settings, "inputs", 1.0 + roll(4));
    } else if (node.type == "delay_line") {
        set_number(settings, "max_time_ms", 50.0 + 50.0 * roll(6));
    } else if (node.type == "limiter") {
        set_number(settings, "look_ahead_ms", 1.0 + roll(3));
    }
    if (one_in(30)) set_number(settings, "unknown", 1.0);
}

/// Levels are at most 0 dB, apart from what relative changes add to them.
float Traffic::value(const Node& node, const std::string& parameter, const Range& range) {
    if (one_in(40)) return 1e6F;
    if (range.is_switch) return static_cast<float>(roll(2));
    if (parameter == "frequency_hz") return 60.0F + static_cast<float>(roll(100));
    if (parameter == "value") return 0.01F * static_cast<float>(roll(20)) - 0.1F;
    if (parameter == "time_ms") return static_cast<float>(roll(400));
    if (parameter == "feedback") return 0.1F * static_cast<float>(roll(4));
    if (parameter == "mix") return 0.25F * static_cast<float>(roll(5));
    if (parameter == "release_ms") return 10.0F + static_cast<float>(roll(200));
    if (parameter == "ceiling_db") return -1.0F + 0.5F * static_cast<float>(roll(3));
    if (parameter == "a1") return node.name.front() == kFree ? 0.3F * static_cast<float>(roll(9)) - 1.2F : 0.0F;
    if (parameter == "a2") return node.name.front() == kFree ? 0.5F * static_cast<float>(roll(3)) - 0.5F : 0.0F;
    if (parameter.front() == 'b') return parameter == "b0" ? 1.0F : 0.0F;
    if (node.type == "sine") return -20.0F - static_cast<float>(roll(10));
    return -static_cast<float>(roll(30));
}

void Traffic::set(const Graph& graph, v1::SetParameter& change) {
    change.set_node(node_name(graph));
    change.set_parameter("unknown");
    const auto known = graph.find(change.node());
    if (!known || one_in(40)) return;
    const Node& node = graph.nodes.at(*known);
    const auto ranges = parameters_of(node.type, node.settings);
    auto range = ranges.begin();
    std::advance(range, roll(static_cast<std::uint32_t>(ranges.size())));
    change.set_parameter(range->first);
    if (one_in(6)) change.set_ramp_ms(one_in(16) ? -1.0F : 10.0F * static_cast<float>(1 + roll(8)));
    if (one_in(5) && (range->second.is_switch || range->first.ends_with("_db")) && node.type != "sine") {
        // The other kind of a relative change is refused.
        const bool toggles = range->second.is_switch != one_in(12);
        if (toggles) {
            change.set_toggle(!one_in(20));
        } else {
            change.set_add(static_cast<float>(roll(7)) - 3.0F);
        }
        return;
    }
    change.set_value(value(node, range->first, range->second));
}

void Traffic::set_parameters(const View& view, v1::SetParameters& message) {
    Identities identities;
    const Graph graph = graph_of(view.graph, identities);
    const std::uint32_t count = one_in(40) ? 0 : 1 + roll(one_in(3) ? 4 : 1);
    for (std::uint32_t i = 0; i < count; ++i) {
        v1::SetParameter change;
        set(graph, change);
        // Two coefficients that are valid together only.
        const auto node = graph.find(change.node());
        if (node && change.parameter() == "a1" && !change.has_add()) {
            v1::SetParameter other = change;
            other.set_parameter("a2");
            other.set_value(value(graph.nodes.at(*node), "a2", {-1, 1, 0}));
            *message.add_changes() = other;
        }
        Graph changed = graph;
        v1::SetParameters all = message;
        *all.add_changes() = change;
        if (apply(changed, all) && !one_in(10)) continue;
        message = all;
    }
    guard(view, *message.mutable_guard());
    if (one_in(8)) when(view, *message.mutable_at());
}

void Traffic::recall(const View& view, v1::RecallScene& message) {
    message.set_name(one_in(16) ? "unknown" : scene_name());
    if (!view.scenes.empty() && !one_in(8)) message.set_name(any(view.scenes));
    if (one_in(2)) message.set_fade_ms(one_in(16) ? -5.0F : 10.0F * static_cast<float>(1 + roll(8)));
    message.set_wait_for_start(one_in(3));
    message.set_force(one_in(4));
    guard(view, *message.mutable_guard());
    confirm_sometimes(message);
    if (one_in(8)) when(view, *message.mutable_at());
}

template <class Message>
void Traffic::undo(const View& view, Message& message) {
    if (one_in(2)) message.set_steps(one_in(24) ? 1'001 * roll(2) : 1 + roll(3));
    message.set_force(one_in(3));
    message.set_of_all(one_in(4));
    message.set_wait_for_start(one_in(3));
    guard(view, *message.mutable_guard());
    confirm_sometimes(message);
}

}  // namespace rta::test::model
