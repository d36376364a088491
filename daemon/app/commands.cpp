// SPDX-License-Identifier: MIT
#include "app/commands.h"

#include <cstdio>
#include <cstdlib>
#include <string>

#include "app/build_variant.h"
#include "app/device_page.h"
#include "app/graph_file.h"
#include "app/logging.h"
#include "app/media.h"
#include "app/process_setup.h"
#include "app/text_file.h"
#include "document/document_size.h"
#include "engine/engine.h"
#include "io/device_kind.h"
#include "io/device_names.h"

namespace rta::app {
namespace {

[[nodiscard]] int failure(int status, const Error& error) {
    print_error(error.sentence);
    return status;
}

[[nodiscard]] std::string count_of(std::size_t count, const char* what) {
    return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

void print_warnings(const GraphReport& report) {
    for (const std::string& warning : report.warnings) print_error("warning: " + warning);
}

/// Checks the initial graph of a configuration with the sample rate and block size of that configuration.
[[nodiscard]] Expected<void> check_graph_of(const DaemonOptions& options) {
    if (options.graph.empty()) return {};
    const auto text = read_text_file("the graph", options.graph, kLongestDocument);
    if (!text) return std::unexpected(text.error());
    const auto media = open_media(options.media_folders, options.limits.graph.memory_bytes, &ignore_stream);
    if (!media) return std::unexpected(media.error());
    Engine engine{node_types(),
                  {.sample_rate_hz = static_cast<double>(options.device.sample_rate_hz),
                   .block_size = options.device.block_size,
                   .ramps = ramps_enabled(),
                   .resources = media->get()}};
    const auto checked = check_graph_text(engine, *text, options.graph);
    if (!checked) return std::unexpected(checked.error());
    print_warnings(*checked);
    return {};
}

}  // namespace

int run_devices() {
    const auto devices = io::list_devices(io::device_kinds());
    if (!devices) return failure(kExitFailure, devices.error());
    std::fputs(device_page(*devices, io::read_card_ids()).c_str(), stdout);
    if (devices->empty()) std::fputs("rtad: no audio devices found; --device null works without one\n", stderr);
    return std::fflush(stdout) == 0 ? kExitClean : kExitFailure;
}

int run_check(const CheckOptions& options) {
    if (options.file.ends_with(".toml")) {
        const auto config = read_config_file(options.file);
        if (!config) return failure(kExitUsage, config.error());
        if (const auto checked = check_graph_of(*config); !checked) return failure(kExitUsage, checked.error());
        std::printf("%s: valid\n", options.file.c_str());
        return std::fflush(stdout) == 0 ? kExitClean : kExitFailure;
    }
    const std::string name = options.file == "-" ? "standard input" : options.file;
    const auto text = read_text_file("the graph", options.file, kLongestDocument);
    if (!text) return failure(kExitUsage, text.error());
    const auto media = open_media(options.media_folders, 0, &ignore_stream);
    if (!media) return failure(kExitUsage, media.error());
    Engine engine{node_types(), {.memory_left_bytes = &available_memory_bytes, .resources = media->get()}};
    const auto graph = check_graph_text(engine, *text, name);
    if (!graph) return failure(kExitUsage, graph.error());
    print_warnings(*graph);
    std::printf("%s: valid, %s, %s\n", name.c_str(), count_of(graph->node_count, "node").c_str(),
                count_of(graph->connection_count, "connection").c_str());
    return std::fflush(stdout) == 0 ? kExitClean : kExitFailure;
}

}  // namespace rta::app
