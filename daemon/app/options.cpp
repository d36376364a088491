// SPDX-License-Identifier: MIT
#include "app/options.h"

#include <CLI/CLI.hpp>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <map>
#include <sstream>
#include <string_view>
#include <utility>

#include "app/exit_status.h"

namespace rta::app {
namespace {

constexpr const char* kDefaultListen = "127.0.0.1:7340";
constexpr std::uint32_t kMinimumBlockSize = 16;
constexpr std::uint32_t kMaximumBlockSize = 1024;
/// A century: beyond it, a number is a typing mistake.
constexpr double kMaximumDurationS = 3.2e9;

[[nodiscard]] std::string environment(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::string{} : std::string{value};
}

void add_graph(CLI::App& app, std::string& graph, const std::string& help) {
    app.add_option("--graph", graph, help)->type_name("FILE");
}

void add_sample_rate(CLI::App& app, std::uint32_t& sample_rate_hz) {
    app.add_option("--sample-rate", sample_rate_hz, "Frames a second")
        ->type_name("HZ")
        ->check(CLI::Range(io::kMinimumSampleRateHz, io::kMaximumSampleRateHz))
        ->capture_default_str();
}

void add_block_size(CLI::App& app, std::uint32_t& block_size) {
    app.add_option("--block-size", block_size, "Frames rendered at once: a power of two from 16 to 1024")
        ->type_name("FRAMES")
        ->check([](const std::string& text) {
            std::uint32_t value = 0;
            const bool good = CLI::detail::lexical_cast(text, value) && std::has_single_bit(value) &&
                              value >= kMinimumBlockSize && value <= kMaximumBlockSize;
            return good ? std::string{} : text + " is no block size: 16, 32, 64, 128, 256, 512 or 1024";
        })
        ->capture_default_str();
}

void add_channels(CLI::App& app, const std::string& flag, std::optional<std::uint32_t>& channels,
                  const std::string& help) {
    app.add_option(flag, channels, help)->type_name("N")->check(CLI::Range(0U, io::kMaximumChannels));
}

/// The text of --device and its sisters until it is parsed.
struct Texts {
    std::string device = "auto";
    std::string input_device;
};

void define_daemon(CLI::App& app, DaemonOptions& options, Texts& texts) {
    app.add_option("--device", texts.device, "auto, null, null:FILE.wav, portaudio or portaudio:NAME")
        ->type_name("DEVICE")
        ->capture_default_str();
    app.add_option("--input-device", texts.input_device,
                   "portaudio or portaudio:NAME: capture from another device than --device")
        ->type_name("DEVICE");
    add_channels(app, "--channels-in", options.device.channels_in,
                 "Input channels (default: the device's, at most 2; null: 0)");
    add_channels(app, "--channels-out", options.device.channels_out,
                 "Output channels (default: the device's, at most 2; null: 2)");
    add_sample_rate(app, options.device.sample_rate_hz);
    add_block_size(app, options.device.block_size);
    app.add_option("--listen", options.listen,
                   std::string{"Address to serve, on the loopback interface; may be repeated (default: "} +
                       kDefaultListen + ")")
        ->type_name("HOST:PORT")
        ->take_all();
    app.add_option("--socket", options.socket, "Unix socket to serve (default: " + default_socket_path() + ")")
        ->type_name("PATH");
    app.add_option("--state-dir", options.state_directory,
                   "Folder in which the graph is remembered: restored at the start, saved after every change")
        ->type_name("DIR");
    add_graph(app, options.graph, "Graph to begin with, unless --state-dir holds one");
    app.add_option("--log-level", options.log_level, "debug, info, warning or error")
        ->type_name("LEVEL")
        ->transform(CLI::CheckedTransformer(std::map<std::string, api::LogLevel>{{"debug", api::LogLevel::debug},
                                                                                 {"info", api::LogLevel::info},
                                                                                 {"warning", api::LogLevel::warning},
                                                                                 {"error", api::LogLevel::error}},
                                            CLI::ignore_case)
                        .description(""));
}

CLI::App* define_check(CLI::App& app, CheckOptions& options) {
    CLI::App* const command = app.add_subcommand("check", "Validate and compile a graph document");
    command->add_option("FILE", options.file, "Graph document; - reads standard input")->required()->type_name("");
    return command;
}

CLI::App* define_render(CLI::App& app, RenderOptions& options) {
    CLI::App* const command = app.add_subcommand("render", "Render a graph into a WAV file, as fast as it goes");
    add_graph(*command, options.graph, "Graph to render");
    command->get_option("--graph")->required();
    command->add_option("--duration", options.duration_s, "Seconds to render")
        ->required()
        ->type_name("S")
        ->check([](const std::string& text) {
            double value = 0;
            const bool good = CLI::detail::lexical_cast(text, value) && value > 0 && value <= kMaximumDurationS;
            return good ? std::string{} : text + " is no duration: a number of seconds above 0";
        });
    command->add_option("--output", options.output, "float32 WAV file to write")->required()->type_name("OUT.wav");
    command->add_option("--input", options.input, "Sound file for the input nodes, followed by silence")
        ->type_name("IN.wav");
    add_sample_rate(*command, options.sample_rate_hz);
    add_block_size(*command, options.block_size);
    return command;
}

[[nodiscard]] EarlyExit usage_error(const std::string& sentence) {
    return {.status = kExitUsage, .output = {}, .error = "rtad: " + sentence + "\nrtad --help lists what there is.\n"};
}

/// What the texts say; a sentence if they contradict each other.
[[nodiscard]] std::string complete(DaemonOptions& options, const Texts& texts) {
    using Kind = io::DeviceChoice::Kind;
    const auto device = io::DeviceChoice::parse(texts.device);
    if (!device) return "--device: " + device.error().sentence;
    options.device.device = *device;
    if (!texts.input_device.empty()) {
        const auto input = io::DeviceChoice::parse(texts.input_device);
        if (!input || input->kind != Kind::portaudio) {
            return "--input-device: \"" + texts.input_device + "\" is none: write portaudio or portaudio:NAME";
        }
        if (device->kind == Kind::null) return "--input-device needs a sound card: the null device hears only silence";
        if (options.device.channels_in == 0U) return "--input-device and --channels-in 0 contradict each other";
        options.device.input_name = input->name;
    }
    if (options.device.channels_out == 0U) {
        if (device->kind == Kind::null && !device->name.empty()) {
            return "a WAV file needs at least one channel: --channels-out is 0";
        }
        if (device->kind != Kind::null && options.device.channels_in == 0U) {
            return "--channels-in 0 and --channels-out 0 leave nothing of the device";
        }
    }
    if (options.listen.empty()) options.listen.emplace_back(kDefaultListen);
    if (options.socket.empty()) options.socket = default_socket_path();
    return {};
}

}  // namespace

std::string default_socket_path() {
    if (const std::string folder = environment("RUNTIME_DIRECTORY"); !folder.empty()) {
        // systemd separates several folders by colons; the first is the unit's own.
        return folder.substr(0, folder.find(':')) + "/control.sock";
    }
    if (const std::string folder = environment("XDG_RUNTIME_DIR"); !folder.empty())
        return folder + "/rtad/control.sock";
    return "/run/rtad/control.sock";
}

std::variant<Options, EarlyExit> parse_options(int argc, const char* const* argv) {
    CLI::App app{"A real-time audio daemon: owns the sound card and plays a graph that clients edit while it sounds.",
                 "rtad"};
    DaemonOptions daemon;
    CheckOptions check;
    RenderOptions render;
    Texts texts;
    app.set_version_flag("--version", "rtad " RTA_VERSION);
    define_daemon(app, daemon, texts);
    const std::vector<CLI::Option*> daemon_flags = app.get_options();
    const CLI::App* const devices_command = app.add_subcommand("devices", "List the devices of PortAudio");
    const CLI::App* const check_command = define_check(app, check);
    const CLI::App* const render_command = define_render(app, render);
    app.require_subcommand(0, 1);

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        std::ostringstream output;
        std::ostringstream unused;
        if (app.exit(error, output, unused) == 0) return EarlyExit{kExitClean, output.str(), {}};
        return usage_error(error.what());
    }

    if (const auto commands = app.get_subcommands(); !commands.empty()) {
        for (const CLI::Option* const flag : daemon_flags) {
            if (flag->count() == 0) continue;
            return usage_error("rtad " + commands.front()->get_name() + " takes no " + flag->get_name() +
                               " before it; see rtad " + commands.front()->get_name() + " --help");
        }
    }
    if (devices_command->parsed()) return Options{DevicesOptions{}};
    if (check_command->parsed()) return Options{check};
    if (render_command->parsed()) return Options{render};
    if (const std::string contradiction = complete(daemon, texts); !contradiction.empty()) {
        return usage_error(contradiction);
    }
    return Options{daemon};
}

}  // namespace rta::app
