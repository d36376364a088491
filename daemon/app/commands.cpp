// SPDX-License-Identifier: MIT
#include "app/commands.h"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "app/build_variant.h"
#include "app/device_page.h"
#include "app/graph_file.h"
#include "app/logging.h"
#include "app/output_file.h"
#include "app/process_setup.h"
#include "app/progress_bar.h"
#include "app/text_file.h"
#include "document/document_size.h"
#include "engine/engine.h"
#include "io/block_adapter.h"
#include "io/device_kind.h"
#include "io/device_names.h"
#include "io/offline_device.h"

namespace rta::app {
namespace {

[[nodiscard]] int failure(int status, const Error& error) {
    print_error(error.sentence);
    return status;
}

[[nodiscard]] std::string count_of(std::size_t count, const char* what) {
    return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

[[nodiscard]] EngineConfig render_config(const RenderOptions& options) {
    return {.sample_rate_hz = static_cast<double>(options.sample_rate_hz),
            .block_size = options.block_size,
            .ramps = ramps_enabled(),
            .memory_left_bytes = &available_memory_bytes};
}

/// Checks the initial graph of a configuration with the sample rate and block size of that configuration.
[[nodiscard]] Expected<void> check_graph_of(const DaemonOptions& options) {
    if (options.graph.empty()) return {};
    const auto text = read_text_file("the graph", options.graph, kLongestDocument);
    if (!text) return std::unexpected(text.error());
    Engine engine{node_types(),
                  {.sample_rate_hz = static_cast<double>(options.device.sample_rate_hz),
                   .block_size = options.device.block_size,
                   .ramps = ramps_enabled()}};
    if (const auto checked = check_graph_text(engine, *text, options.graph); !checked) {
        return std::unexpected(checked.error());
    }
    return {};
}

/// Records the first node fault. A rendering with a fault is an error.
class RenderObserver final : public Engine::Observer {
 public:
    void applied(std::uint64_t, std::uint64_t) override {}
    void transaction_heard(std::uint64_t, std::uint64_t) override {}
    void device_faded(std::uint64_t) override {}
    void node_faulted(const std::string& node, std::uint64_t frame) override {
        if (fault_.empty()) {
            fault_ =
                "node \"" + node + "\" produced NaN or infinity at frame " + std::to_string(frame) + " and was muted";
        }
    }
    [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
    std::string fault_;
};

volatile std::sig_atomic_t interrupted = 0;

/// Makes the next SIGINT, SIGTERM or SIGHUP set `interrupted`. Ignored signals stay ignored, as nohup requires.
void watch_for_interruption() {
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
        struct sigaction action{};
        if (sigaction(number, nullptr, &action) != 0 || action.sa_handler == SIG_IGN) continue;
        action = {};
        action.sa_handler = [](int) { interrupted = 1; };
        action.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND);
        sigaction(number, &action, nullptr);
    }
}

/// Renders in chunks. In between, the engine processes the events of the renderer.
[[nodiscard]] Expected<void> render_all(Engine& engine, io::OfflineDevice& device, std::uint64_t frames,
                                        ProgressBar& progress) {
    constexpr std::uint64_t kChunkFrames = 4096;
    io::BlockAdapter adapter{engine.gate(), engine.renderer(), device.description().sample_rate_hz,
                             device.description().channels_in, device.description().channels_out};
    adapter.grant(engine.gate().start_generation());
    if (auto started = device.start(adapter); !started) return started;
    RenderObserver observer;
    for (std::uint64_t done = 0; done < frames;) {
        if (interrupted != 0) return fail(ErrorCode::aborted, "interrupted: no file was written");
        const std::uint64_t chunk = std::min(frames - done, kChunkFrames);
        if (auto rendered = device.advance(chunk); !rendered) return rendered;
        engine.poll(observer);
        done += chunk;
        progress.advance_to(done);
    }
    if (auto finished = device.finish(); !finished) return finished;
    if (!observer.fault().empty()) return fail(ErrorCode::internal, observer.fault());
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
    Engine engine{node_types(), {.memory_left_bytes = &available_memory_bytes}};
    const auto document = check_graph_text(engine, *text, name);
    if (!document) return failure(kExitUsage, document.error());
    std::printf("%s: valid, %s, %s\n", name.c_str(), count_of(document->nodes.size(), "node").c_str(),
                count_of(document->connections.size(), "connection").c_str());
    return std::fflush(stdout) == 0 ? kExitClean : kExitFailure;
}

int run_render(const RenderOptions& options) {
    for (const std::string& read : {options.graph, options.input}) {
        if (!same_file(options.output, read)) continue;
        print_error("--output " + options.output + " would overwrite " + read +
                    ", which is an input: choose another file");
        return kExitUsage;
    }
    Engine engine{node_types(), render_config(options)};
    if (const auto loaded = load_graph_file(engine, options.graph); !loaded) return failure(kExitUsage, loaded.error());
    const std::uint32_t channels = highest_output_channel(engine.graph());
    if (channels == 0) {
        print_error(options.graph + ": nothing to render: the graph has no output node");
        return kExitUsage;
    }
    const auto frames = static_cast<std::uint64_t>(std::llround(options.duration_s * options.sample_rate_hz));
    auto file = OutputFile::of(options.output);
    if (!file) return failure(kExitFailure, file.error());
    // A device or a pipe has no partial file to remove, and may block the writer: there, signals must end the process.
    if (file->has_partial_file()) watch_for_interruption();
    if (const auto begun = file->begin(); !begun) return failure(kExitFailure, begun.error());
    const auto device = io::OfflineDevice::open({.sample_rate_hz = options.sample_rate_hz,
                                                 .block_size = options.block_size,
                                                 .channels_out = channels,
                                                 .output_file = file->path(),
                                                 .input_file = options.input});
    if (!device) {
        const bool usage = device.error().code != ErrorCode::unavailable;
        return failure(usage ? kExitUsage : kExitFailure, device.error());
    }
    Expected<void> rendered;
    {
        ProgressBar progress{options.output, frames, engine.config().sample_rate_hz};
        rendered = render_all(engine, **device, frames, progress);
        if (rendered) rendered = file->finish();
        if (rendered) progress.finish();
    }
    if (!rendered) return failure(kExitFailure, rendered.error());
    return kExitClean;
}

}  // namespace rta::app
