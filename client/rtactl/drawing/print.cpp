// SPDX-License-Identifier: MIT
#include "rtactl/drawing/print.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <ostream>

#include "document/document.h"
#include "rtactl/language/lexer.h"
#include "rtactl/language/type_table.h"
#include "rtactl/language/values.h"
#include "text/format_number.h"
#include "text/names.h"

namespace rta::rtactl {

namespace {

/// More edits than these make a line that nobody reads.
constexpr int kEditsShown = 8;

/// UTF-8 characters, near enough to columns for what is printed here.
std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string milliseconds_text(double seconds) { return format_number(std::round(seconds * 1e5) / 100.0) + " ms"; }

std::string duration_text(double seconds) {
    const auto whole = static_cast<std::uint64_t>(std::max(seconds, 0.0));
    const std::uint64_t days = whole / 86'400;
    const std::uint64_t hours = whole / 3'600 % 24;
    const std::uint64_t minutes = whole / 60 % 60;
    if (days > 0) return std::to_string(days) + " d " + std::to_string(hours) + " h";
    if (hours > 0) return std::to_string(hours) + " h " + std::to_string(minutes) + " min";
    if (minutes > 0) return std::to_string(minutes) + " min " + std::to_string(whole % 60) + " s";
    return std::to_string(whole) + " s";
}

std::string device_text(const v1::DeviceState& device) {
    std::string text = device.kind();
    if (!device.name().empty()) text.append(" ").append(device.name());
    text += device.running() ? ", running, " : ", not running, ";
    text += format_number(device.sample_rate_hz()) + " Hz, " + std::to_string(device.channels_in()) + " in, " +
            std::to_string(device.channels_out()) + " out";
    if (!device.fallback_reason().empty())
        text += " (in place of the device asked for: " + device.fallback_reason() + ")";
    return text;
}

std::string with_reason(const std::string& text, const std::string& reason) {
    return reason.empty() ? text : text + " (" + reason + ")";
}

std::string port_list(const auto& ports) {
    std::string names;
    for (const v1::PortInfo& port : ports) names.append(names.empty() ? "" : " ").append(port.name());
    return names.empty() ? "-" : names;
}

std::string assigned(std::string_view name, std::string_view value) {
    return as_word(std::string{name} + "=" + std::string{value});
}

/// Settings, then parameters, both by name: a protobuf map has no order of its own.
std::string describe_values(const v1::Node& node) {
    std::map<std::string, std::string> settings;
    for (const auto& [name, value] : node.settings().fields()) settings.emplace(name, describe(value));
    std::map<std::string, std::string> parameters;
    for (const auto& [name, value] : node.parameters()) parameters.emplace(name, format_number(value));
    std::string text;
    for (const auto& [name, value] : settings) text.append(" ").append(assigned(name, value));
    for (const auto& [name, value] : parameters) text.append(" ").append(assigned(name, value));
    return text;
}

std::string describe_settings(const v1::ChangeSettings& change) {
    std::map<std::string, std::string> settings;
    for (const auto& [name, value] : change.settings().fields()) settings.emplace(name, describe(value));
    std::string text = "set";
    for (const auto& [name, value] : settings) text.append(" ").append(assigned(change.node() + "." + name, value));
    return text;
}

std::string describe_all(const auto& edits) {
    std::string text;
    const int shown = std::min(edits.size(), kEditsShown);
    for (int i = 0; i < shown; ++i) text.append(i == 0 ? "" : "; ").append(describe(edits.Get(i)));
    if (shown < edits.size()) text += "; and " + std::to_string(edits.size() - shown) + " more";
    return text.empty() ? "no change" : text;
}

std::string percent_text(float share) {
    return format_number(std::round(static_cast<double>(share) * 1000.0) / 10.0) + " %";
}

/// To a thousandth: a node may take next to nothing, and there may be thousands.
std::string node_share_text(float share) {
    return format_number(std::round(static_cast<double>(share) * 100'000.0) / 1'000.0) + " %";
}

std::string load_text(const v1::Load& load) {
    return "mean " + percent_text(load.mean()) + ", p99 " + percent_text(load.p99()) + ", worst " +
           percent_text(load.worst()) + " of the time for " + counted(load.callback_count(), "callback");
}

/// `[####      ]` of 0 to 100 %.
std::string load_bar(float share) {
    constexpr double kWidth = 30;
    const auto filled = static_cast<std::size_t>(std::round(std::clamp(static_cast<double>(share), 0.0, 1.0) * kWidth));
    return "[" + std::string(filled, '#') + std::string(static_cast<std::size_t>(kWidth) - filled, ' ') + "]";
}

std::string store_text(const v1::StoreState& store) {
    if (store.directory().empty()) return "the graph is not remembered (rtad has no --state-dir)";
    std::string text = store.directory() + ", revision " + std::to_string(store.saved_revision()) + " is on disk";
    if (!store.error().empty()) return text + "; what came after it cannot be saved: " + store.error();
    if (!store.up_to_date()) text += ", what came after it is being written";
    return text;
}

std::string client_text(const v1::ClientState& client) {
    return quoted(client.name()) + " from " + client.address() + " for " + duration_text(client.connected_s());
}

std::string dropouts_text(const v1::DeviceState& device) {
    const std::string counts = counted(device.xruns(), "xrun") + ", " + counted(device.late_blocks(), "late block");
    const std::string kinds = describe(device.xrun_counts());
    return kinds == "none" ? counts : counts + " (" + kinds + ")";
}

std::string level_list(const google::protobuf::RepeatedPtrField<v1::ChannelLevel>& channels) {
    std::string peaks;
    std::string means;
    for (const v1::ChannelLevel& channel : channels) {
        peaks.append(" ").append(level_text(channel.peak_db()));
        means.append(" ").append(level_text(channel.rms_db()));
    }
    return " peak" + peaks + ", rms" + means + " dB";
}

std::string levels_text(const v1::Levels& levels) {
    std::string text = "levels up to frame " + std::to_string(levels.frame()) + ": ";
    if (levels.outputs_size() > 0) text += "(device)" + level_list(levels.outputs());
    bool first = levels.outputs_size() == 0;
    for (const v1::MeterLevels& meter : levels.meters()) {
        text.append(first ? "" : "; ").append(meter.node()).append(level_list(meter.channels()));
        if (meter.has_loudness()) text.append(", ").append(loudness_text(meter));
        first = false;
    }
    return first ? text + "none" : text;
}

/// The heaviest first, then those of which nothing is known, in the graph's order.
void print_node_loads(std::ostream& out, const v1::Graph& graph, const v1::NodeTypesResult& types,
                      const v1::NodeLoads& loads) {
    constexpr std::size_t kNodesShown = 40;
    std::map<std::string_view, const v1::Node*> others;
    for (const v1::Node& node : graph.nodes()) others.emplace(node.name(), &node);
    std::vector<std::pair<const v1::Node*, const v1::NodeLoad*>> shown;
    for (const v1::NodeLoad& load : loads.nodes()) {
        const auto node = others.find(load.node());
        if (node == others.end()) continue;  // the graph has changed meanwhile
        shown.emplace_back(node->second, &load);
        others.erase(node);
    }
    for (const v1::Node& node : graph.nodes()) {
        if (others.contains(node.name())) shown.emplace_back(&node, nullptr);
    }
    TextTable nodes;
    nodes.add({"NODE", "TYPE", "SHARE", "AVERAGE", "VALUES"});
    for (std::size_t i = 0; i < std::min(shown.size(), kNodesShown); ++i) {
        const auto& [node, load] = shown[i];
        const auto type =
            std::ranges::find(types.types(), node->type(), [](const v1::NodeType& t) { return t.name(); });
        std::string values;
        for (const std::string& value : changed_values(*node, type == types.types().end() ? nullptr : &*type))
            values.append(values.empty() ? "" : ", ").append(value);
        nodes.add({node->name(), node->type(), load == nullptr ? "-" : node_share_text(load->share()),
                   load == nullptr ? "-" : node_share_text(load->average()), values});
    }
    nodes.print(out);
    if (shown.size() > kNodesShown) out << "... and " << shown.size() - kNodesShown << " more\n";
}

std::string node_loads_text(const v1::NodeLoads& loads) {
    constexpr int kShown = 5;
    std::string text;
    for (int i = 0; i < std::min(loads.nodes_size(), kShown); ++i) {
        const v1::NodeLoad& load = loads.nodes(i);
        text.append(i == 0 ? "" : ", ").append(load.node()).append(" ").append(node_share_text(load.share()));
    }
    if (text.empty()) text = "nothing was timed";
    return text + " (of " + counted(loads.node_count(), "node") + ")";
}

/// What is behind the text of telemetry, if the client was too slow for some of it.
std::string dropped_text(const v1::Event& event) {
    if (event.telemetry_dropped() == 0) return "";
    return " (" + std::to_string(event.telemetry_dropped()) + " events so far were dropped, being read too slowly)";
}

std::string made_by(const std::string& client_name) { return client_name.empty() ? "" : " by " + quoted(client_name); }

}  // namespace

void TextTable::print(std::ostream& out, std::size_t indent) const {
    std::vector<std::size_t> widths;
    for (const auto& row : rows_) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
    }
    for (const auto& row : rows_) {
        std::string line(indent, ' ');
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += row[i];
            if (i + 1 < row.size()) line.append(widths[i] - width_of(row[i]) + 2, ' ');
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out << line << '\n';
    }
}

std::string counted(std::uint64_t count, std::string_view thing) {
    return std::to_string(count) + " " + std::string{thing} + (count == 1 ? "" : "s");
}

std::string describe(const google::protobuf::Value& value) {
    switch (value.kind_case()) {
        case google::protobuf::Value::kBoolValue:
            return value.bool_value() ? "on" : "off";
        case google::protobuf::Value::kNumberValue:
            return format_number(value.number_value());
        case google::protobuf::Value::kStringValue:
            return value.string_value();
        case google::protobuf::Value::kNullValue:
        case google::protobuf::Value::kStructValue:
        case google::protobuf::Value::kListValue:
        case google::protobuf::Value::KIND_NOT_SET:
            break;
    }
    return "";
}

namespace {

/// "5 ms (240 frames) through the graph, compensated; lim 240 frames, clip 12 frames"
std::string look_ahead_text(const v1::EngineState& engine, double sample_rate_hz) {
    constexpr int kNodesShown = 6;
    std::string text = counted(engine.latency_frames(), "frame");
    if (sample_rate_hz > 0) {
        text = milliseconds_text(static_cast<double>(engine.latency_frames()) / sample_rate_hz) + " (" + text + ")";
    }
    text += std::string{" through the graph, "} + (engine.latency_compensation() ? "" : "not ") + "compensated";
    std::string_view separator = "; ";
    for (int i = 0; i < std::min(engine.node_latencies_size(), kNodesShown); ++i) {
        const v1::NodeLatency& node = engine.node_latencies(i);
        text += std::string{separator} + node.node() + " " + counted(node.latency_frames(), "frame");
        separator = ", ";
    }
    return engine.node_latencies_size() > kNodesShown ? text + ", ..." : text;
}

}  // namespace

void print_status(std::ostream& out, const v1::StatusResult& status) {
    const v1::DeviceState& device = status.device();
    const v1::RealtimeState& realtime = status.realtime();
    const v1::EngineState& engine = status.engine();
    TextTable table;
    table.add({"daemon", "rtad " + status.server_version() + ", up " + duration_text(status.uptime_s()) + ", " +
                             counted(status.client_count(), "client") + ", instance " + status.instance_id()});
    table.add({"device", device_text(device)});
    table.add({"latency", "output " + milliseconds_text(device.output_latency_s()) + ", input " +
                              milliseconds_text(device.input_latency_s()) + ", " +
                              counted(device.callback_frames(), "frame") + " a callback, " +
                              counted(device.adapter_frames(), "frame") + " added to make blocks"});
    table.add({"dropouts", dropouts_text(device)});
    if (status.has_load()) table.add({"load", load_text(status.load())});
    table.add({"real time", with_reason(realtime.scheduling().empty() ? "no audio thread yet" : realtime.scheduling(),
                                        realtime.scheduling_detail()) +
                                ", " +
                                with_reason(realtime.memory_locked() ? "memory locked" : "memory not locked",
                                            realtime.memory_detail())});
    std::string clock =
        "blocks of " + counted(engine.block_size_frames(), "frame") + ", at frame " + std::to_string(engine.frame());
    if (device.sample_rate_hz() > 0) {
        clock +=
            " (" +
            format_number(std::round(static_cast<double>(engine.frame()) / device.sample_rate_hz() * 10.0) / 10.0) +
            " s)";
    }
    if (!engine.simd_target().empty()) clock += ", kernels for " + engine.simd_target();
    table.add({"engine", clock});
    table.add({"graph", "revision " + std::to_string(engine.revision()) + ", change " +
                            std::to_string(engine.change_number()) + ", " + counted(engine.node_count(), "node") +
                            ", " + counted(engine.connection_count(), "connection")});
    if (engine.node_latencies_size() > 0) table.add({"look-ahead", look_ahead_text(engine, device.sample_rate_hz())});
    table.add({"plans", std::to_string(engine.plans_made()) + " made, " + std::to_string(engine.plans_freed()) +
                            " freed, " + std::to_string(engine.plans_alive()) + " alive"});
    if (engine.output_muted()) table.add({"output", "muted; `rtactl unmute` brings it back"});
    if (status.has_store()) table.add({"store", store_text(status.store())});
    for (const v1::ClientState& client : status.clients()) {
        std::string text = client_text(client);
        if (client.telemetry_dropped() > 0)
            text += ", " + counted(client.telemetry_dropped(), "event") + " of telemetry dropped";
        table.add({"client", text});
    }
    table.print(out);
}

void print_top(std::ostream& out, const v1::StatusResult& status, const v1::Graph& graph,
               const v1::NodeTypesResult& types, const v1::NodeLoads& loads) {
    const v1::EngineState& engine = status.engine();
    TextTable table;
    table.add({"device", device_text(status.device())});
    if (engine.output_muted()) table.add({"output", "muted; `rtactl unmute` brings it back"});
    const v1::Load& load = status.load();
    table.add({"load", "mean  " + load_bar(load.mean()) + " " + percent_text(load.mean())});
    table.add({"", "p99   " + load_bar(load.p99()) + " " + percent_text(load.p99())});
    table.add({"", "worst " + load_bar(load.worst()) + " " + percent_text(load.worst())});
    table.add({"xruns", describe(status.device().xrun_counts())});
    table.add({"engine", "frame " + std::to_string(engine.frame()) + ", revision " + std::to_string(engine.revision()) +
                             ", " + counted(engine.node_count(), "node") + ", " +
                             counted(engine.connection_count(), "connection")});
    table.print(out);
    if (status.clients_size() > 0) {
        TextTable clients;
        clients.add({"CLIENT", "ADDRESS", "CONNECTED", "DROPPED"});
        for (const v1::ClientState& client : status.clients()) {
            clients.add({quoted(client.name()), client.address(), duration_text(client.connected_s()),
                         std::to_string(client.telemetry_dropped())});
        }
        out << '\n';
        clients.print(out);
    }
    if (graph.nodes_size() == 0) return;
    out << '\n';
    print_node_loads(out, graph, types, loads);
}

void print_devices(std::ostream& out, const v1::DevicesResult& devices) {
    if (devices.devices_size() == 0) {
        out << "no sound device; rtad plays to the null device\n";
        return;
    }
    TextTable table;
    table.add({"NAME", "IN", "OUT", "RATE", ""});
    for (const v1::Device& device : devices.devices()) {
        std::string role = device.default_output() ? "default output" : "";
        if (device.default_input()) role += role.empty() ? "default input" : ", default input";
        table.add({device.name(), std::to_string(device.channels_in()), std::to_string(device.channels_out()),
                   format_number(device.default_sample_rate_hz()) + " Hz", role});
    }
    table.print(out);
}

void print_types(std::ostream& out, const v1::NodeTypesResult& types) {
    TextTable table;
    table.add({"TYPE", "IN", "OUT", "HELP"});
    for (const v1::NodeType& type : types.types()) {
        table.add({type.name(), port_list(type.inputs()), port_list(type.outputs()), type.help()});
    }
    table.print(out);
}

void print_values(std::ostream& out, const v1::Node& node, const v1::NodeType* type, std::string_view name) {
    std::vector<std::string_view> printed;
    const auto print = [&](const std::string& value_name, const std::string& value) {
        printed.push_back(value_name);
        if (name.empty() || value_name == name) out << node.name() << '.' << value_name << " = " << value << '\n';
    };
    if (type != nullptr) {
        for (const v1::ParameterInfo& parameter : type->parameters()) {
            const auto value = node.parameters().find(parameter.name());
            if (value != node.parameters().end())
                print(parameter.name(), format_value(value->second, parameter.unit()));
        }
    }
    // What the table has one row for many of, in an order that does not change.
    std::vector<std::string_view> others;
    for (const auto& [other, value] : node.parameters()) {
        if (std::ranges::find(printed, other) == printed.end()) others.push_back(other);
    }
    std::ranges::sort(others);
    for (const std::string_view other : others) {
        const auto info = type == nullptr ? std::nullopt : find_parameter(*type, other);
        print(std::string{other}, format_value(node.parameters().at(std::string{other}), info ? info->unit() : ""));
    }
    if (type != nullptr) {
        for (const v1::SettingInfo& setting : type->settings()) {
            const auto given = node.settings().fields().find(setting.name());
            print(setting.name(),
                  describe(given == node.settings().fields().end() ? setting.default_() : given->second));
        }
    }
}

std::vector<std::string> changed_values(const v1::Node& node, const v1::NodeType* type) {
    std::vector<std::string> values;
    std::map<std::string, std::string> settings;
    for (const auto& [name, value] : node.settings().fields()) settings.emplace(name, describe(value));
    std::map<std::string, std::string> parameters;
    for (const auto& [name, value] : node.parameters()) parameters.emplace(name, format_number(value));
    if (type != nullptr) {
        for (const v1::SettingInfo& setting : type->settings()) {
            const auto given = settings.find(setting.name());
            if (given != settings.end() && given->second == describe(setting.default_())) settings.erase(given);
        }
        for (const auto& [name, value] : node.parameters()) {
            const auto info = find_parameter(*type, name);
            if (!info) continue;
            if (value == info->default_()) {
                parameters.erase(name);
            } else {
                parameters[name] = format_value(value, info->unit());
            }
        }
    }
    values.reserve(settings.size() + parameters.size());
    for (const auto& [name, value] : settings) values.push_back(name + " = " + value);
    for (const auto& [name, value] : parameters) values.push_back(name + " = " + value);
    return values;
}

std::string level_text(float level_db) {
    constexpr float kSilenceDb = -150.0F;
    if (level_db <= kSilenceDb) return "-inf";
    const double rounded = std::round(static_cast<double>(level_db) * 10.0) / 10.0;
    std::string text = format_number(rounded == 0.0 ? 0.0 : rounded);
    return text.find('.') == std::string::npos ? text + ".0" : text;
}

std::string loudness_text(const v1::MeterLevels& meter) {
    const auto measured = [](bool there, float value) { return there ? level_text(value) : "--"; };
    const v1::Loudness& loudness = meter.loudness();
    std::string text = "M " + measured(loudness.has_momentary_lufs(), loudness.momentary_lufs()) + ", S " +
                       measured(loudness.has_short_term_lufs(), loudness.short_term_lufs()) + ", I " +
                       measured(loudness.has_integrated_lufs(), loudness.integrated_lufs()) + " LUFS, range " +
                       measured(loudness.has_range_lu(), loudness.range_lu()) + " LU, true peak";
    for (const v1::ChannelLevel& channel : meter.channels())
        text.append(" ").append(level_text(channel.true_peak_db()));
    return text + ", highest " + level_text(loudness.maximum_true_peak_db()) + " dBTP";
}

std::string describe(const v1::XrunCounts& counts) {
    std::string text;
    const auto add = [&](std::uint64_t count, std::string_view thing) {
        if (count > 0) text.append(text.empty() ? "" : ", ").append(counted(count, thing));
    };
    add(counts.input_underflows(), "input underflow");
    add(counts.input_overflows(), "input overflow");
    add(counts.output_underflows(), "output underflow");
    add(counts.output_overflows(), "output overflow");
    add(counts.late_callbacks(), "late callback");
    add(counts.overruns(), "overrun");
    return text.empty() ? "none" : text;
}

std::string describe(const v1::SetParameter& change) {
    std::string text = "set " + assigned(change.node() + "." + change.parameter(), format_number(change.value()));
    if (change.has_ramp_ms()) text += " --ramp " + format_number(change.ramp_ms());
    return text;
}

std::string describe(const v1::Edit& edit) {
    switch (edit.edit_case()) {
        case v1::Edit::kAddNode:
            return "add " + as_word(edit.add_node().type()) + " " + as_word(edit.add_node().name()) +
                   describe_values(edit.add_node());
        case v1::Edit::kRemoveNode:
            return "remove " + as_word(edit.remove_node().name());
        case v1::Edit::kSetLatencyCompensation:
            return std::string{"graph compensate "} + (edit.set_latency_compensation().enabled() ? "on" : "off");
        case v1::Edit::kRenameNode:
            return "rename " + as_word(edit.rename_node().name()) + " " + as_word(edit.rename_node().new_name());
        case v1::Edit::kConnect: {
            std::string text = "connect " + as_word(edit.connect().from()) + " " + as_word(edit.connect().to());
            if (edit.connect().has_gain_db()) text += " gain_db=" + format_number(edit.connect().gain_db());
            return text;
        }
        case v1::Edit::kDisconnect:
            return "disconnect " + as_word(edit.disconnect().from()) + " " + as_word(edit.disconnect().to());
        case v1::Edit::kSetParameter:
            return describe(edit.set_parameter());
        case v1::Edit::kChangeSettings:
            return describe_settings(edit.change_settings());
        case v1::Edit::kReplaceGraph:
            return "graph of " + counted(static_cast<std::uint64_t>(edit.replace_graph().nodes_size()), "node") +
                   " and " + counted(static_cast<std::uint64_t>(edit.replace_graph().connections_size()), "connection");
        case v1::Edit::EDIT_NOT_SET:
            break;
    }
    return "an edit that this rtactl does not know";
}

std::string describe(const v1::Event& event) {
    const std::string number = std::to_string(event.number()) + ": ";
    switch (event.event_case()) {
        case v1::Event::kGraphChanged:
            return number + "revision " + std::to_string(event.graph_changed().revision()) +
                   made_by(event.graph_changed().client_name()) + ": " + describe_all(event.graph_changed().edits());
        case v1::Event::kParametersChanged:
            return number + "parameters" + made_by(event.parameters_changed().client_name()) + ": " +
                   describe_all(event.parameters_changed().changes());
        case v1::Event::kTransactionHeard:
            return number + "revision " + std::to_string(event.transaction_heard().revision()) +
                   " is heard from frame " + std::to_string(event.transaction_heard().frame());
        case v1::Event::kDeviceChanged:
            return number + "device: " + device_text(event.device_changed().device());
        case v1::Event::kNodeFaulted:
            return number + "node " + event.node_faulted().node() + " produced NaN or infinity at frame " +
                   std::to_string(event.node_faulted().frame()) + "; it is silent until it has been built anew";
        case v1::Event::kOutputMuted:
            return number + "the device output was " + (event.output_muted().muted() ? "muted" : "unmuted") +
                   made_by(event.output_muted().client_name());
        case v1::Event::kPanicked:
            return number + "panic" + made_by(event.panicked().client_name()) +
                   ": every processor starts afresh from frame " + std::to_string(event.panicked().frame());
        case v1::Event::kLevels:
            return levels_text(event.levels()) + dropped_text(event);
        case v1::Event::kLoad:
            return "load up to frame " + std::to_string(event.load().frame()) + ": " + load_text(event.load()) +
                   dropped_text(event);
        case v1::Event::kXruns:
            return "xruns up to frame " + std::to_string(event.xruns().frame()) + ": " +
                   describe(event.xruns().counts()) + dropped_text(event);
        case v1::Event::kNodeLoads:
            return "loads of nodes up to frame " + std::to_string(event.node_loads().frame()) + ": " +
                   node_loads_text(event.node_loads()) + dropped_text(event);
        case v1::Event::EVENT_NOT_SET:
            break;
    }
    return number + "an event that this rtactl does not know";
}

}  // namespace rta::rtactl
