// SPDX-License-Identifier: MIT
#include "api/metrics/openmetrics.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <map>
#include <string>
#include <type_traits>
#include <utility>

#include "api/status_wire.h"

namespace rta::api {

// Short names that other files of a unity build must not see.
namespace openmetrics {
namespace {

using enum MetricKind;

constexpr std::string_view kPrefix = "rtad_";
/// As io::DeviceSupervisor names them.
constexpr std::array<std::string_view, 5> kDeviceStates{"opening", "running", "lost", "waiting", "closed"};

constexpr std::array kTable{
    MetricRow{"version", info, "build", "", "The running build of rtad: version, instruction set of the kernels.",
              "version"},
    MetricRow{"engine.simd_target", info, "build", "", "", "simd"},
    MetricRow{"uptime_s", gauge, "uptime_seconds", "seconds", "Time since rtad was started."},

    MetricRow{"device.state", state_set, "device_state", "",
              "What rtad does about the requested device. Unless it is running, the null device drives the engine."},
    MetricRow{"device.kind", info, "device", "", "The device that drives the engine.", "kind"},
    MetricRow{"device.name", info, "device", "", "", "name"},
    MetricRow{"device.running", gauge, "device_running", "", "Whether the callbacks of a device drive the engine."},
    MetricRow{"device.fallback_reason", has_text, "device_fallback", "",
              "Whether the null device replaces the requested one."},
    MetricRow{"device.channels_in", gauge, "device_channels", "", "Channels that are open.", "direction", "in"},
    MetricRow{"device.channels_out", gauge, "device_channels", "", "", "direction", "out"},
    MetricRow{"device.sample_rate_hz", gauge, "sample_rate_hertz", "hertz",
              "Sample rate of the engine and the device."},
    MetricRow{"engine.block_size_frames", seconds, "block_seconds", "seconds", "Duration of a block."},
    MetricRow{"device.callback_frames", seconds, "callback_seconds", "seconds", "Duration of the latest callback."},
    MetricRow{"device.input_latency_s", gauge, "latency_seconds", "seconds",
              "Latency from the input to the output, by its parts.", "part", "input"},
    MetricRow{"device.adapter_frames", seconds, "latency_seconds", "seconds", "", "part", "adapter"},
    MetricRow{"engine.latency_frames", seconds, "latency_seconds", "seconds", "", "part", "graph"},
    MetricRow{"device.output_latency_s", gauge, "latency_seconds", "seconds", "", "part", "output"},

    MetricRow{"load.mean", gauge, "load_mean_ratio", "ratio",
              "Mean load of the audio thread over the last second; above 1, there are dropouts."},
    MetricRow{"load.p99", gauge, "load_p99_ratio", "ratio", "99th percentile of the load of a callback."},
    MetricRow{"load.worst", gauge, "load_worst_ratio", "ratio", "Highest load of a callback."},
    MetricRow{"load.callback_count", gauge, "load_callbacks", "", "Callbacks in that second."},
    MetricRow{"device.late_blocks", counter, "late_blocks", "",
              "Callbacks that started or ended late, since the device was opened."},
    MetricRow{"device.xruns", counter, "host_xruns", "",
              "Callbacks for which the host reported an underflow or overflow, since the device was opened."},
    MetricRow{"device.xrun_counts.input_underflows", counter, "dropouts", "",
              "Dropouts since the device was opened, by kind. A callback may count in several.", "kind",
              "input_underflow"},
    MetricRow{"device.xrun_counts.input_overflows", counter, "dropouts", "", "", "kind", "input_overflow"},
    MetricRow{"device.xrun_counts.output_underflows", counter, "dropouts", "", "", "kind", "output_underflow"},
    MetricRow{"device.xrun_counts.output_overflows", counter, "dropouts", "", "", "kind", "output_overflow"},
    MetricRow{"device.xrun_counts.late_callbacks", counter, "dropouts", "", "", "kind", "late_callback"},
    MetricRow{"device.xrun_counts.overruns", counter, "dropouts", "", "", "kind", "overrun"},
    MetricRow{"device.recording_lost_frames", counter, "recording_lost_frames", "frames",
              "Frames of a recording that silence replaced, because the disk could not keep up."},

    MetricRow{"engine.frame", counter, "rendered_frames", "frames", "Frames rendered: the sample clock."},
    MetricRow{"engine.revision", gauge, "revision", "", "Number of the graph: +1 with every transaction."},
    MetricRow{"engine.heard_revision", gauge, "heard_revision", "",
              "Every transaction up to this revision has begun to be heard."},
    MetricRow{"engine.change_number", gauge, "change_number", "", "Number of the latest change."},
    MetricRow{"engine.node_count", gauge, "nodes", "", "Nodes of the graph."},
    MetricRow{"engine.connection_count", gauge, "connections", "", "Connections of the graph."},
    MetricRow{"engine.plans_made", counter, "plans_made", "", "Plans (compiled graphs) created."},
    MetricRow{"engine.plans_freed", counter, "plans_freed", "", "Plans freed."},
    MetricRow{"engine.plans_alive", gauge, "plans_alive", "", "Plans that exist, at most 16."},
    MetricRow{"engine.output_muted", gauge, "output_muted", "", "Whether the device output is muted."},
    MetricRow{"engine.output_volume_db", gauge, "output_volume_decibels", "decibels", "Gain of the device output."},
    MetricRow{"engine.latency_compensation", gauge, "latency_compensation", "",
              "Whether the graph compensates latencies."},
    MetricRow{"graph_memory.bytes", gauge, "graph_memory_bytes", "bytes",
              "Memory of the nodes of the graph, as estimated before they are built."},
    MetricRow{"graph_memory.limit_bytes", gauge, "graph_memory_limit_bytes", "bytes", "Limit of this memory."},

    MetricRow{"clients.count", gauge, "clients", "", "Connected clients."},
    MetricRow{"clients.subscribed", gauge, "subscribed_clients", "", "Clients that have subscribed to events."},
    MetricRow{
        "engine.telemetry_dropped", counter, "telemetry_dropped", "",
        "Telemetry events that were dropped: by the engine, because its ring was full, or because a client did not "
        "read them in time.",
        "at", "engine"},
    MetricRow{"clients.telemetry_dropped", counter, "telemetry_dropped", "", "", "at", "client"},

    MetricRow{"store.up_to_date", gauge, "store_up_to_date", "", "Whether all committed changes are on disk."},
    MetricRow{"store.error", has_text, "store_failing", "", "Whether saving currently fails."},
    MetricRow{"store.saved_revision", gauge, "saved_revision", "", "The latest revision on disk."},

    MetricRow{"realtime.memory_locked", gauge, "memory_locked", "", "Whether all memory of rtad is locked in RAM."},
    MetricRow{"realtime.scheduling", info, "scheduling", "", "Scheduling of the audio thread.", "policy"},
    MetricRow{"process.resident_bytes", gauge, "process_resident_memory_bytes", "bytes", "Memory of rtad in RAM."},
    MetricRow{"process.available_bytes", gauge, "memory_available_bytes", "bytes",
              "Memory that rtad can still take: of the machine, its control group and its limits."},
    MetricRow{"process.cpu_s", counter, "process_cpu_seconds", "seconds", "Processor time of rtad."},
};

/// A metric has one block of rows, of which the first describes it. Its unit is the end of its name.
consteval bool is_well_formed() {
    for (std::size_t i = 0; i < kTable.size(); ++i) {
        const MetricRow& row = kTable[i];
        const bool continues = i > 0 && kTable[i - 1].name == row.name;
        if (row.help.empty() != continues || row.name.empty() || row.name.ends_with("_total")) return false;
        if (!row.unit.empty() && !row.name.ends_with(row.unit)) return false;
        if (continues && row.label.empty()) return false;
        for (std::size_t before = 0; before + 1 < i && !continues; ++before) {
            if (kTable[before].name == row.name) return false;
        }
    }
    return true;
}
static_assert(is_well_formed());

struct Value {
    std::string text;   ///< of a sample or a label
    double number = 0;  ///< 0 for texts
};
using Values = std::map<std::string, Value, std::less<>>;

std::string number_text(std::floating_point auto number) {
    if (std::isnan(number)) return "NaN";
    if (std::isinf(number)) return number > 0 ? "+Inf" : "-Inf";
    std::array<char, 32> text{};
    const auto written = std::to_chars(text.data(), text.data() + text.size(), number);
    return {text.data(), written.ptr};
}

void collect(Values& values, const std::string& prefix, const auto& status) {
    status.visit_fields([&](std::string_view name, const auto& value) {
        using Type = std::remove_cvref_t<decltype(value)>;
        const std::string path = prefix + std::string{name};
        if constexpr (std::same_as<Type, std::string>) {
            values[path] = {.text = valid_utf8(value)};
        } else if constexpr (std::floating_point<Type>) {
            values[path] = {.text = number_text(value), .number = static_cast<double>(value)};
        } else if constexpr (std::integral<Type>) {
            values[path] = {.text = std::to_string(value), .number = static_cast<double>(value)};
        } else {
            collect(values, path + ".", value);
        }
    });
}

std::string_view type_name(MetricKind kind) {
    switch (kind) {
        case gauge:
        case seconds:
        case has_text:
            return "gauge";
        case counter:
            return "counter";
        case info:
            return "info";
        case state_set:
            return "stateset";
    }
    return "unknown";
}

std::string label(std::string_view name, std::string_view value) {
    std::string text{name};
    text += "=\"";
    for (const char character : value) {
        if (character == '\n') {
            text += "\\n";
            continue;
        }
        if (character == '"' || character == '\\') text += '\\';
        text += character;
    }
    return text + '"';
}

std::string header(const MetricRow& row) {
    const std::string name = std::string{kPrefix} + std::string{row.name} + " ";
    std::string text = "# TYPE " + name + std::string{type_name(row.kind)} + "\n";
    if (!row.unit.empty()) text += "# UNIT " + name + std::string{row.unit} + "\n";
    return text + "# HELP " + name + std::string{row.help} + "\n";
}

std::string sample(const MetricRow& row, std::string_view suffix, const std::string& labels, std::string_view value) {
    std::string text{kPrefix};
    text.append(row.name).append(suffix);
    if (!labels.empty()) text.append("{").append(labels).append("}");
    return text.append(" ").append(value) + "\n";
}

std::string states(const MetricRow& row, std::string_view current) {
    std::string text;
    for (const std::string_view state : kDeviceStates) {
        const std::string labels = label(std::string{kPrefix} + std::string{row.name}, state);
        text += sample(row, "", labels, state == current ? "1" : "0");
    }
    return text;
}

/// Returns the sample of a row that is not an info.
std::string sample_of(const MetricRow& row, const Value& value, double sample_rate_hz) {
    const std::string labels = row.label.empty() ? "" : label(row.label, row.value);
    switch (row.kind) {
        case gauge:
            return sample(row, "", labels, value.text);
        case counter:
            return sample(row, "_total", labels, value.text);
        case seconds:
            return sample(row, "", labels, number_text(sample_rate_hz > 0 ? value.number / sample_rate_hz : 0.0));
        case has_text:
            return sample(row, "", labels, value.text.empty() ? "0" : "1");
        case state_set:
            return states(row, value.text);
        case info:
            break;
    }
    return {};
}

/// Returns the samples of a metric; empty if the status has none of its fields.
std::string samples_of(std::span<const MetricRow> rows, const Values& values) {
    const auto rate = values.find("device.sample_rate_hz");
    const double sample_rate_hz = rate == values.end() ? 0 : rate->second.number;
    std::string samples;
    std::string info_labels;
    for (const MetricRow& row : rows) {
        const auto value = values.find(row.field);
        if (value == values.end()) continue;
        if (row.kind != info) {
            samples += sample_of(row, value->second, sample_rate_hz);
            continue;
        }
        if (!info_labels.empty()) info_labels += ',';
        info_labels += label(row.label, value->second.text);
    }
    if (!info_labels.empty()) samples = sample(rows.front(), "_info", info_labels, "1");
    return samples;
}

}  // namespace
}  // namespace openmetrics

std::span<const MetricRow> metric_table() { return openmetrics::kTable; }

std::string metrics_text(const StatusSnapshot& status) {
    openmetrics::Values values;
    openmetrics::collect(values, "", status);
    std::string text;
    const std::span<const MetricRow> table = metric_table();
    for (auto first = table.begin(); first != table.end();) {
        const auto last =
            std::find_if(first, table.end(), [&](const MetricRow& row) { return row.name != first->name; });
        const std::string samples = openmetrics::samples_of({first, last}, values);
        if (!samples.empty()) text += openmetrics::header(*first) + samples;
        first = last;
    }
    return text + "# EOF\n";
}

}  // namespace rta::api
