// SPDX-License-Identifier: MIT
#include "app/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

#include "app/config_file.h"
#include "app/exit_status.h"
#include "app/graph_file.h"
#include "app/text_file.h"
#include "frame/local_address.h"
#include "net/address.h"
#include "store/state_folder.h"
#include "text/names.h"

namespace rta::app {
namespace {

constexpr std::uint32_t kMinimumBlockSize = 16;
constexpr std::uint32_t kMaximumBlockSize = 1024;
/// A century: beyond it, a number is a typing mistake.
constexpr double kMaximumDurationS = 3.2e9;

[[nodiscard]] std::string environment(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::string{} : std::string{value};
}

/// What a flag says that names a file: an empty text, as of a variable of a script that is not set, is a slip. As if
/// the flag were not there it would be the file of nobody's choice.
[[nodiscard]] std::string reason_if_empty(const std::string& path) {
    return path.empty() ? "it is empty: leave it out where there is nothing to say" : std::string{};
}

/// The name of a level becomes the number that CLI11 reads an enumeration from.
[[nodiscard]] std::string read_log_level(std::string& text) {
    constexpr std::array<std::string_view, 4> kNames{"debug", "info", "warning", "error"};  // as in net::LogLevel
    const auto found = std::ranges::find(kNames, CLI::detail::to_lower(text));
    if (found == kNames.end()) return quoted(text) + " is no log level: debug, info, warning or error";
    text = std::to_string(found - kNames.begin());
    return {};
}

void add_graph(CLI::App& app, std::string& graph, const std::string& help) {
    app.add_option("--graph", graph, help)->type_name("FILE")->check(reason_if_empty);
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

/// What is parsed, and cannot be used as it is.
struct Texts {
    std::string device = "auto";
    std::string input_device;
    std::string config;
    bool listen_given = false;  ///< by the configuration, which may also say: nowhere
};

/// "" for what is right, else why not: what CLI11 asks a check for.
template <class T>
[[nodiscard]] std::string reason_of(const Expected<T>& result) {
    return result ? std::string{} : result.error().sentence;
}

/// One definition for the command line and for the configuration file.
void define_daemon(CLI::App& app, DaemonOptions& options, Texts& texts) {
    app.add_option("--device", texts.device, "auto, null, null:FILE.wav, portaudio or portaudio:NAME")
        ->type_name("DEVICE")
        ->check([](const std::string& text) { return reason_of(io::DeviceChoice::parse(text)); })
        ->capture_default_str();
    app.add_option("--input-device", texts.input_device,
                   "portaudio or portaudio:NAME: capture from another device than --device")
        ->type_name("DEVICE")
        ->check([](const std::string& text) {
            const auto input = io::DeviceChoice::parse(text);
            const bool good = input && input->kind == io::DeviceChoice::Kind::portaudio;
            return good ? std::string{} : quoted(text) + " is none: write portaudio or portaudio:NAME";
        });
    add_channels(app, "--channels-in", options.device.channels_in,
                 "Input channels (default: the device's, at most 2; null: 0)");
    add_channels(app, "--channels-out", options.device.channels_out,
                 "Output channels (default: the device's, at most 2; null: 2)");
    add_sample_rate(app, options.device.sample_rate_hz);
    add_block_size(app, options.device.block_size);
    app.add_option(
           "--listen", options.listen,
           "Address to serve, on the loopback interface; may be repeated (default: " + default_tcp_address() + ")")
        ->type_name("HOST:PORT")
        ->check([](const std::string& text) { return reason_of(net::check_address(text)); })
        ->take_all();
    app.add_option("--socket", options.socket, "Unix socket to serve (default: " + default_socket_path() + ")")
        ->type_name("PATH")
        ->check(reason_if_empty)
        ->check([](const std::string& path) { return reason_of(net::check_socket_path(path)); });
    app.add_option("--state-dir", options.state_directory,
                   "Folder in which the graph is remembered: restored at the start, saved after every change")
        ->type_name("DIR")
        ->check(reason_if_empty);
    add_graph(app, options.graph, "Graph to begin with, unless --state-dir holds one");
    app.add_option("--log-level", options.log_level, "debug, info, warning or error")
        ->type_name("LEVEL")
        ->transform(CLI::Validator{read_log_level, ""});
}

CLI::App* define_check(CLI::App& app, CheckOptions& options) {
    CLI::App* const command =
        app.add_subcommand("check", "Validate and compile a graph document, or check a configuration (FILE.toml)");
    command
        ->add_option("FILE", options.file,
                     "Configuration if it ends in .toml, else a graph document; - reads one from standard input")
        ->required()
        ->check(reason_if_empty)
        ->type_name("");
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
    command->add_option("--output", options.output, "float32 WAV file to write")
        ->required()
        ->type_name("OUT.wav")
        ->check(reason_if_empty);
    command->add_option("--input", options.input, "Sound file for the input nodes, followed by silence")
        ->type_name("IN.wav")
        ->check(reason_if_empty);
    add_sample_rate(*command, options.sample_rate_hz);
    add_block_size(*command, options.block_size);
    return command;
}

[[nodiscard]] EarlyExit usage_error(const std::string& sentence) {
    return {.status = kExitUsage, .output = {}, .error = "rtad: " + sentence + "\nrtad --help lists what there is.\n"};
}

/// Whether the path leads into one of the folders that the service manager has made for this service alone: who may
/// enter it is what the unit says.
[[nodiscard]] bool in_runtime_folder(const std::string& socket) {
    std::stringstream folders{environment("RUNTIME_DIRECTORY")};
    for (std::string folder; std::getline(folders, folder, ':');) {
        if (!folder.empty() && std::filesystem::path{socket}.parent_path() == std::filesystem::path{folder})
            return true;
    }
    return false;
}

/// A recording replaces what is there; a sentence if that were a file that rtad reads or writes itself.
[[nodiscard]] std::string what_is_overwritten(const std::string& wav, const DaemonOptions& options,
                                              const std::string& config) {
    const auto refuse = [&](const std::string& what) {
        return "--device null:" + wav + " would overwrite " + what + ": choose another file";
    };
    if (same_file(wav, options.graph)) return refuse("the graph");
    if (same_file(wav, config)) return refuse("the configuration");
    if (options.state_directory.empty()) return {};
    for (const std::string& file : store::StateFolder::files_in(options.state_directory)) {
        if (same_file(wav, file)) return refuse("a file of the state folder");
    }
    return {};
}

/// What the texts say; a sentence if they contradict each other.
[[nodiscard]] std::string complete(DaemonOptions& options, const Texts& texts) {
    using Kind = io::DeviceChoice::Kind;
    // Both were checked when they were parsed.
    const io::DeviceChoice device = io::DeviceChoice::parse(texts.device).value();
    options.device.device = device;
    if (!texts.input_device.empty()) {
        if (device.kind == Kind::null) return "--input-device needs a sound card: the null device hears only silence";
        if (options.device.channels_in == 0U) return "--input-device and --channels-in 0 contradict each other";
        options.device.input_name = io::DeviceChoice::parse(texts.input_device).value().name;
    }
    if (options.device.channels_out == 0U) {
        if (device.kind == Kind::null && !device.name.empty()) {
            return "a WAV file needs at least one channel: --channels-out is 0";
        }
        if (device.kind != Kind::null && options.device.channels_in == 0U) {
            return "--channels-in 0 and --channels-out 0 leave nothing of the device";
        }
    }
    if (options.listen.empty() && !texts.listen_given) options.listen.push_back(default_tcp_address());
    if (options.socket.empty()) {
        options.socket = default_socket_path();
        // The others were checked when they were parsed.
        if (auto wrong = reason_of(net::check_socket_path(options.socket)); !wrong.empty()) return wrong;
    }
    options.socket_for_group = in_runtime_folder(options.socket);
    return device.kind == Kind::null ? what_is_overwritten(device.name, options, texts.config) : std::string{};
}

/// The keys that a configuration may have: every flag of the daemon, and nothing that only a command line can say.
[[nodiscard]] std::vector<std::string_view> keys_of(const CLI::App& app) {
    std::vector<std::string_view> keys;
    for (const CLI::Option* const option : app.get_options()) {
        for (const std::string& name : option->get_lnames()) {
            if (name != "help") keys.emplace_back(name);
        }
    }
    return keys;
}

/// The keys whose values are numbers; those of all others are text.
constexpr std::array<std::string_view, 4> kNumbers{"channels-in", "channels-out", "sample-rate", "block-size"};

/// The entry goes the way that a flag of the same name goes.
[[nodiscard]] std::string apply_entry(CLI::App& app, const ConfigEntry& entry, Texts& texts) {
    const std::vector<std::string_view> keys = keys_of(app);
    if (std::ranges::find(keys, entry.key) == keys.end()) return no_such("key", entry.key, keys);
    CLI::Option* const option = app.get_option("--" + entry.key);
    const bool several = option->get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
    if (std::ranges::find(entry.values, std::string{}) != entry.values.end()) {
        return entry.key + " is empty: leave the key out where there is nothing to say";
    }
    if (several) texts.listen_given = true;
    if (entry.number && std::ranges::find(kNumbers, entry.key) == kNumbers.end()) {
        return entry.key + " is text, which stands in quotes: " + entry.key + " = " + (several ? "[" : "") + '"' +
               entry.values.front() + '"' + (several ? "]" : "");
    }
    if (entry.values.empty()) return several ? std::string{} : entry.key + " = [] says nothing: it takes one value";
    if (!several && entry.values.size() > 1) return entry.key + " takes one value, not several";
    try {
        option->add_result(entry.values);
        option->run_callback();
    } catch (const CLI::ParseError& error) {
        return error.what();
    }
    return {};
}

/// Reads the file into what a command line will be read into afterwards.
[[nodiscard]] Expected<void> apply_config(const std::string& path, DaemonOptions& options, Texts& texts) {
    const auto text = path == "-" ? fail(ErrorCode::invalid_argument, "--config - is no file: write its name")
                                  : read_text_file("the configuration", path, kLongestConfigBytes);
    if (!text) return std::unexpected(text.error());
    const auto entries = read_config(*text);
    if (!entries) return fail(ErrorCode::invalid_argument, path + ": " + entries.error().sentence);
    CLI::App app;
    define_daemon(app, options, texts);
    for (const ConfigEntry& entry : *entries) {
        if (const std::string wrong = apply_entry(app, entry, texts); !wrong.empty()) {
            return fail(ErrorCode::invalid_argument, path + ": line " + std::to_string(entry.line) + ": " + wrong);
        }
    }
    texts.config = path;
    DaemonOptions alone = options;
    if (const std::string wrong = complete(alone, texts); !wrong.empty()) {
        return fail(ErrorCode::invalid_argument, path + ": " + wrong);
    }
    return {};
}

/// The command line, and what it is read into.
struct CommandLine {
    CommandLine(DaemonOptions daemon_options, Texts daemon_texts)
        : daemon{std::move(daemon_options)}, texts{std::move(daemon_texts)} {
        app.set_version_flag("--version", "rtad " RTA_VERSION);
        define_daemon(app, daemon, texts);
        app.add_option("--config", texts.config,
                       "Configuration to begin with (TOML): its keys are the flags above without their dashes, and "
                       "flags win over it")
            ->type_name("FILE")
            ->check(reason_if_empty);
        daemon_flags = app.get_options();
        devices_command = app.add_subcommand("devices", "List the devices of PortAudio");
        check_command = define_check(app, check);
        render_command = define_render(app, render);
        app.require_subcommand(0, 1);
    }
    CommandLine(const CommandLine&) = delete;
    CommandLine& operator=(const CommandLine&) = delete;
    ~CommandLine() = default;

    /// What ends the program, if anything does.
    [[nodiscard]] std::optional<EarlyExit> parse(int argc, const char* const* argv) {
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
        return std::nullopt;
    }

    CLI::App app{"A real-time audio daemon: owns the sound card and plays a graph that clients edit while it sounds.",
                 "rtad"};
    DaemonOptions daemon;
    Texts texts;
    CheckOptions check;
    RenderOptions render;
    std::vector<CLI::Option*> daemon_flags;
    const CLI::App* devices_command = nullptr;
    const CLI::App* check_command = nullptr;
    const CLI::App* render_command = nullptr;
};

/// The command line once more, over what the configuration says.
[[nodiscard]] std::variant<Options, EarlyExit> parse_over_config(const std::string& config, int argc,
                                                                 const char* const* argv) {
    DaemonOptions configured;
    Texts texts;
    if (const auto applied = apply_config(config, configured, texts); !applied) {
        return EarlyExit{kExitUsage, {}, "rtad: " + applied.error().sentence + "\n"};
    }
    CommandLine line{std::move(configured), std::move(texts)};
    if (auto early = line.parse(argc, argv)) return std::move(*early);
    if (const std::string contradiction = complete(line.daemon, line.texts); !contradiction.empty()) {
        return usage_error(contradiction + " (with what " + config + " says)");
    }
    return Options{line.daemon};
}

}  // namespace

std::string default_socket_path() {
    return local_sockets(environment("RUNTIME_DIRECTORY"), environment("XDG_RUNTIME_DIR")).front();
}

Expected<DaemonOptions> read_config_file(const std::string& path) {
    DaemonOptions options;
    Texts texts;
    if (auto applied = apply_config(path, options, texts); !applied) return std::unexpected(std::move(applied.error()));
    static_cast<void>(complete(options, texts));  // which apply_config() has found to be right
    return options;
}

std::variant<Options, EarlyExit> parse_options(int argc, const char* const* argv) {
    CommandLine line{{}, {}};
    if (auto early = line.parse(argc, argv)) return std::move(*early);
    if (line.devices_command->parsed()) return Options{DevicesOptions{}};
    if (line.check_command->parsed()) return Options{line.check};
    if (line.render_command->parsed()) return Options{line.render};
    if (!line.texts.config.empty()) return parse_over_config(line.texts.config, argc, argv);
    if (const std::string contradiction = complete(line.daemon, line.texts); !contradiction.empty()) {
        return usage_error(contradiction);
    }
    return Options{line.daemon};
}

}  // namespace rta::app
