// SPDX-License-Identifier: MIT
#include "rtactl/drawing/status_page.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <ostream>

#include "rtactl/drawing/node_values.h"
#include "rtactl/drawing/text_table.h"
#include "rtactl/drawing/wording.h"
#include "text/format_number.h"
#include "text/quantity.h"
#include "text/quoting.h"

namespace rta::rtactl {

namespace {

std::string with_reason(const std::string& text, const std::string& reason) {
    return reason.empty() ? text : text + " (" + reason + ")";
}

std::string daemon_text(const v1::StatusResult& status) {
    return "rtad " + status.server_version() + ", up " + duration_text(status.uptime_s()) + ", " +
           counted(status.client_count(), "client");
}

std::string graph_text(const v1::EngineState& engine) {
    return "revision " + std::to_string(engine.revision()) + ", change " + std::to_string(engine.change_number()) +
           ", " + counted(engine.node_count(), "node") + ", " + counted(engine.connection_count(), "connection");
}

Style device_style(const v1::DeviceState& device) {
    return !device.running() ? Style::error : !device.fallback_reason().empty() ? Style::warning : Style::plain;
}

Style dropouts_style(const v1::XrunCounts& counts) {
    return describe(counts) == describe(v1::XrunCounts{}) ? Style::plain : Style::warning;
}

/// `[####      ]` for 0 to 100 %.
std::string load_bar(float share) {
    constexpr double kWidth = 30;
    const auto filled = static_cast<std::size_t>(std::round(std::clamp(static_cast<double>(share), 0.0, 1.0) * kWidth));
    return "[" + std::string(filled, '#') + std::string(static_cast<std::size_t>(kWidth) - filled, ' ') + "]";
}

std::string store_text(const v1::StoreState& store) {
    if (store.directory().empty()) return "none: nothing is saved (rtad runs without --state-dir)";
    std::string text = store.directory() + ", revision " + std::to_string(store.saved_revision()) + " saved";
    if (!store.durability().empty()) text += " (" + store.durability() + ")";
    if (!store.error().empty()) return text + "; later changes cannot be saved: " + store.error();
    if (!store.up_to_date()) text += ", later changes are being written";
    return text;
}

std::string client_text(const v1::ClientState& client) {
    std::string text =
        quoted(client.name()) + " from " + client.address() + " for " + duration_text(client.connected_s());
    if (!client.author().empty()) text += ", " + client.author();
    if (!client.session().empty()) text += " (" + client.session() + ")";
    if (!client.role().empty()) text += ", role " + client.role();
    return text;
}

/// "volume -6 dB, muted; `rtactl unmute` unmutes it"; empty if the output is as at the first start.
std::string output_text(const v1::EngineState& engine) {
    std::string text;
    if (engine.output_volume_db() != 0.0F) text = "volume " + format_value(engine.output_volume_db(), "dB");
    if (engine.output_muted()) text.append(text.empty() ? "" : ", ").append("muted; `rtactl unmute` unmutes it");
    return text;
}

/// "5.33 ms from input to output: input 1.33 ms, look-ahead 1 ms, output 3 ms; 64 frames per callback"
std::string latency_text(const v1::DeviceState& device, const v1::EngineState& engine) {
    const auto seconds = [&](std::uint64_t frames) {
        return device.sample_rate_hz() > 0 ? static_cast<double>(frames) / device.sample_rate_hz() : 0.0;
    };
    std::string parts;
    double sum_s = 0.0;
    const auto add = [&](std::string_view what, double latency_s) {
        parts.append(parts.empty() ? "" : ", ").append(what).append(" ").append(milliseconds_text(latency_s));
        sum_s += latency_s;
    };
    const bool captures = device.channels_in() > 0;
    if (captures) add("input", device.input_latency_s());
    if (device.adapter_frames() > 0) add("fixed blocks", seconds(device.adapter_frames()));
    if (engine.latency_frames() > 0) add("look-ahead", seconds(engine.latency_frames()));
    add("output", device.output_latency_s());
    return milliseconds_text(sum_s) + (captures ? " from input to output: " : " to the output: ") + parts + "; " +
           counted(device.callback_frames(), "frame") + " per callback";
}

/// Prints the nodes in order of load, then those without a load in the order of the graph.
void print_node_loads(std::ostream& out, const v1::Graph& graph, const v1::NodeTypesResult& types,
                      const v1::NodeLoads& loads) {
    constexpr std::size_t kNodesShown = 40;
    std::map<std::string_view, const v1::Node*> others;
    for (const v1::Node& node : graph.nodes()) others.emplace(node.name(), &node);
    std::vector<std::pair<const v1::Node*, const v1::NodeLoad*>> shown;
    for (const v1::NodeLoad& load : loads.nodes()) {
        const auto node = others.find(load.node());
        if (node == others.end()) continue;  // the graph has changed in the meantime
        shown.emplace_back(node->second, &load);
        others.erase(node);
    }
    for (const v1::Node& node : graph.nodes()) {
        if (others.contains(node.name())) shown.emplace_back(&node, nullptr);
    }
    TextTable nodes;
    nodes.style_column(1, Style::secondary);
    nodes.heading({"NODE", "TYPE", "SHARE", "AVERAGE", "VALUES"});
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

void print_status(std::ostream& out, const v1::StatusResult& status, bool verbose) {
    const v1::DeviceState& device = status.device();
    const v1::RealtimeState& realtime = status.realtime();
    const v1::EngineState& engine = status.engine();
    TextTable table;
    table.style_column(0, Style::heading);
    table.add({"daemon", daemon_text(status) + (verbose ? ", instance " + status.instance_id() : "")});
    table.add({"device", device_text(device)}, device_style(device));
    table.add({"latency", latency_text(device, engine)});
    table.add({"dropouts", describe(device.xrun_counts())}, dropouts_style(device.xrun_counts()));
    if (device.recording_lost_frames() > 0) {
        table.add({"recording", counted(device.recording_lost_frames(), "frame") +
                                    " lost and replaced by silence: the disk could not keep up"},
                  Style::warning);
    }
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
    table.add({"graph", graph_text(engine)});
    if (engine.node_latencies_size() > 0) table.add({"look-ahead", look_ahead_text(engine, device.sample_rate_hz())});
    if (verbose) {
        table.add({"plans", std::to_string(engine.plans_made()) + " created, " + std::to_string(engine.plans_freed()) +
                                " freed, " + std::to_string(engine.plans_alive()) + " alive"});
    }
    if (const std::string output = output_text(engine); !output.empty())
        table.add({"output", output}, engine.output_muted() ? Style::warning : Style::plain);
    if (status.has_confirmation()) table.add({"confirm", confirmation_text(status.confirmation())}, Style::warning);
    if (status.has_store())
        table.add({"store", store_text(status.store())}, status.store().error().empty() ? Style::plain : Style::error);
    if (!status.tls_fingerprint().empty()) table.add({"TLS", "certificate " + status.tls_fingerprint()});
    for (const std::string& url : status.web_urls()) table.add({"page", url});
    for (const v1::ClientState& client : status.clients()) {
        std::string text = client_text(client);
        if (client.telemetry_dropped() > 0)
            text += ", " + counted(client.telemetry_dropped(), "event") + " of telemetry dropped";
        table.add({"client", text}, client.telemetry_dropped() > 0 ? Style::warning : Style::plain);
    }
    table.print(out);
}

void print_summary(std::ostream& out, const v1::StatusResult& status) {
    const v1::EngineState& engine = status.engine();
    TextTable table;
    table.style_column(0, Style::heading);
    table.add({"daemon", daemon_text(status)});
    table.add({"device", device_text(status.device())}, device_style(status.device()));
    if (status.has_load()) {
        const v1::XrunCounts& dropouts = status.device().xrun_counts();
        table.add({"load", "mean " + percent_text(status.load().mean()) + ", worst " +
                               percent_text(status.load().worst()) + ", dropouts: " + describe(dropouts)},
                  dropouts_style(dropouts));
    }
    table.add({"graph", graph_text(engine)});
    if (const std::string output = output_text(engine); !output.empty())
        table.add({"output", output}, engine.output_muted() ? Style::warning : Style::plain);
    table.print(out);
}

void print_top(std::ostream& out, const v1::StatusResult& status, const v1::Graph& graph,
               const v1::NodeTypesResult& types, const v1::NodeLoads& loads) {
    const v1::EngineState& engine = status.engine();
    TextTable table;
    table.style_column(0, Style::heading);
    table.add({"device", device_text(status.device())}, device_style(status.device()));
    if (const std::string output = output_text(engine); !output.empty())
        table.add({"output", output}, engine.output_muted() ? Style::warning : Style::plain);
    const v1::Load& load = status.load();
    table.add({"load", "mean  " + load_bar(load.mean()) + " " + percent_text(load.mean())});
    table.add({"", "p99   " + load_bar(load.p99()) + " " + percent_text(load.p99())});
    table.add({"", "worst " + load_bar(load.worst()) + " " + percent_text(load.worst())});
    table.add({"dropouts", describe(status.device().xrun_counts())}, dropouts_style(status.device().xrun_counts()));
    table.add({"engine", "frame " + std::to_string(engine.frame()) + ", revision " + std::to_string(engine.revision()) +
                             ", " + counted(engine.node_count(), "node") + ", " +
                             counted(engine.connection_count(), "connection")});
    table.print(out);
    if (status.clients_size() > 0) {
        TextTable clients;
        clients.heading({"CLIENT", "ADDRESS", "CONNECTED", "DROPPED"});
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

}  // namespace rta::rtactl
