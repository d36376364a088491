// SPDX-License-Identifier: MIT
#include "app/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

#include "app/config_file.h"
#include "app/graph_file.h"
#include "app/limit_options.h"
#include "app/option_checks.h"
#include "app/text_file.h"
#include "app/tls_setup.h"
#include "app/token_options.h"
#include "app/unexpected_argument.h"
#include "frame/local_address.h"
#include "io/offline_output.h"
#include "net/address.h"
#include "net/advertisement.h"
#include "net/web/web_names.h"
#include "store/state_folder.h"
#include "text/quoting.h"
#include "text/suggestion.h"

namespace rta::app {
namespace {

constexpr std::uint32_t kMinimumBlockSize = 16;
constexpr std::uint32_t kMaximumBlockSize = 1024;
/// A century. A longer duration is a typing error.
constexpr double kMaximumDurationS = 3.2e9;
constexpr double kMaximumTailS = 86'400;

[[nodiscard]] std::string environment(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::string{} : std::string{value};
}

/// Refuses an empty path, such as an unset variable of a script. Treating it as a missing option would silently use
/// another file than the one that was meant.
[[nodiscard]] std::string refuse_empty(const std::string& path) {
    return path.empty() ? "empty value: expected a path; leave the option out to use the default" : std::string{};
}

/// Replaces the name of a level by the number from which CLI11 reads an enumeration.
[[nodiscard]] std::string read_log_level(std::string& text) {
    constexpr std::array<std::string_view, 4> kNames{"debug", "info", "warning", "error"};  // as in net::LogLevel
    const auto found = std::ranges::find(kNames, CLI::detail::to_lower(text));
    if (found == kNames.end()) return "invalid log level " + quoted(text) + ": expected debug, info, warning or error";
    text = std::to_string(found - kNames.begin());
    return {};
}

/// Does the same with the name of a Durability.
[[nodiscard]] std::string read_durability(std::string& text) {
    if (text != "sync" && text != "async") return "invalid durability " + quoted(text) + ": expected sync or async";
    text = std::to_string(static_cast<int>(text == "sync" ? Durability::sync : Durability::async));
    return {};
}

void add_file(CLI::App& app, const std::string& flag, std::string& path, const std::string& help) {
    app.add_option(flag, path, help)->type_name("FILE")->check(refuse_empty);
}

void add_media_folders(CLI::App& app, std::vector<std::string>& folders) {
    app.add_option(
           "--media-dir", folders,
           "Directory of the audio files that nodes may open, by their paths relative to it; may be repeated: a "
           "file is opened in the first directory that has it. Without it, nodes cannot open files")
        ->type_name("DIR")
        ->check(refuse_empty)
        ->take_all();
}

void add_sample_rate(CLI::App& app, std::uint32_t& sample_rate_hz) {
    app.add_option("--sample-rate", sample_rate_hz, "Sample rate in Hz, from 8000 to 768000")
        ->type_name("HZ")
        ->check(in_range("sample rate", io::kMinimumSampleRateHz, io::kMaximumSampleRateHz))
        ->capture_default_str();
}

void add_block_size(CLI::App& app, std::uint32_t& block_size) {
    app.add_option("--block-size", block_size,
                   "Block size in frames, a power of two from 16 to 1024. Smaller blocks reduce latency; larger blocks "
                   "reduce CPU load")
        ->type_name("FRAMES")
        ->check([](const std::string& text) {
            std::uint32_t value = 0;
            const bool good = CLI::detail::lexical_cast(text, value) && std::has_single_bit(value) &&
                              value >= kMinimumBlockSize && value <= kMaximumBlockSize;
            return good ? std::string{}
                        : "invalid block size " + quoted(text) + ": expected 16, 32, 64, 128, 256, 512 or 1024";
        })
        ->capture_default_str();
}

void add_channels(CLI::App& app, const std::string& flag, std::optional<std::uint32_t>& channels,
                  const std::string& help) {
    app.add_option(flag, channels, help)
        ->type_name("N")
        ->check(in_range("number of channels", 0, io::kMaximumChannels));
}

constexpr const char* kDeviceNameHelp =
    "`rtad devices` lists each NAME. Also accepted: hw:CARD or hw:CARD,DEVICE (CARD is a number or an id), the id of a "
    "card, and a part of a name that only one device has (if none has it in the same case, in any case)";

/// Option values that complete() turns into DaemonOptions.
struct RawValues {
    std::string device = "auto";
    std::string input_device;
    std::string config;
    bool listen_configured = false;  ///< the configuration has the key; its list may be empty
};

/// Returns the result in the form that CLI11 expects of a check: an empty string, or the reason for the refusal.
template <class T>
[[nodiscard]] std::string reason_of(const Expected<T>& result) {
    return result ? std::string{} : result.error().sentence;
}

/// Defines the options of the daemon, for the command line and for the configuration file.
void define_daemon(CLI::App& app, DaemonOptions& options, RawValues& raw) {
    app.add_option("--device", raw.device,
                   "Audio device: " + io::device_forms(io::device_kinds()) + ". " + kDeviceNameHelp)
        ->type_name("DEVICE")
        ->check([](const std::string& text) { return reason_of(io::parse_device(text, io::device_kinds())); })
        ->capture_default_str();
    app.add_option("--input-device", raw.input_device,
                   "Device to capture from if it is not --device: " + io::input_device_forms(io::device_kinds()) +
                       ". It must be on the same card")
        ->type_name("DEVICE")
        ->check([](const std::string& text) { return reason_of(io::parse_input_device(text, io::device_kinds())); });
    app.add_option("--jack-connect", options.device.jack_connect,
                   "With --device jack: ports to connect to whenever they appear, as a regular expression of their "
                   "names, such as system:.*")
        ->type_name("PATTERN")
        ->check(refuse_empty)
        ->check([](const std::string& pattern) { return reason_of(io::check_port_pattern(pattern)); });
    add_channels(app, "--channels-in", options.device.channels_in,
                 "Number of input channels (default: those of the device, at most 2; null: 0)");
    add_channels(app, "--channels-out", options.device.channels_out,
                 "Number of output channels (default: those of the device, at most 2; null: 2)");
    add_sample_rate(app, options.device.sample_rate_hz);
    add_block_size(app, options.device.block_size);
    app.add_option("--listen", options.listen,
                   "TCP address to listen on; may be repeated (default: " + default_tcp_address() +
                       "). A loopback address is not encrypted; any other address, and any with the prefix tls://, "
                       "uses TLS")
        ->type_name("HOST:PORT")
        ->check([](const std::string& text) { return reason_of(net::resolve_listen_address(text)); })
        ->take_all();
    app.add_option(
           "--web", options.web,
           "TCP address at which browsers find the page of rtad, over HTTP on a loopback address, otherwise, and "
           "with the prefix tls://, over HTTPS (default: not served)")
        ->type_name("HOST:PORT")
        ->check([](const std::string& text) { return reason_of(net::resolve_listen_address(text)); });
    app.add_option(
           "--web-name", options.web_names,
           "Further name of this machine in the addresses of --web, such as studio.lan; may be repeated. Requests "
           "with another Host are refused")
        ->type_name("NAME[:PORT]")
        ->check([](const std::string& text) { return reason_of(net::check_web_name(text)); })
        ->take_all();
    app.add_option("--web-root", options.web_root,
                   "Directory of the page of --web (default: share/rtad/web next to the directory of rtad)")
        ->type_name("DIR")
        ->check(refuse_empty);
    add_file(app, "--tls-cert", options.tls_certificate,
             "Certificate for TLS, in PEM (default: tls/certificate.pem in --state-dir, created when it is needed)");
    add_file(app, "--tls-key", options.tls_key, "Private key of --tls-cert, in PEM");
    add_file(
        app, "--tls-client-ca", options.tls_client_ca,
        "Certificate authority, in PEM, that signs certificates of clients. A certificate with the name of a token "
        "replaces the token");
    app.add_option("--socket", options.socket, "Unix socket to listen on (default: " + default_socket_path() + ")")
        ->type_name("PATH")
        ->check(refuse_empty)
        ->check([](const std::string& path) { return reason_of(net::check_socket_path(path)); });
    app.add_option(
           "--state-dir", options.state_directory,
           "Directory in which to save the graph, the mute and the device that clients set after every change, and from which to "
           "restore them at start")
        ->type_name("DIR")
        ->check(refuse_empty);
    app.add_option(
           "--durability", options.durability,
           "With --state-dir: sync answers a transaction when it is on disk; async answers immediately, and saves "
           "the graph within about 200 ms (default: sync)")
        ->type_name("sync|async")
        ->transform(CLI::Validator{read_durability, ""});
    app.add_option("--tokens", options.tokens,
                   "File of the access tokens (default: the file tokens in --state-dir). Created with the first token")
        ->type_name("FILE")
        ->check(refuse_empty);
    add_file(app, "--graph", options.graph, "Initial graph; ignored if --state-dir contains a saved graph");
    add_media_folders(app, options.media_folders);
    define_limits(app, options.limits);
    app.add_option("--log-level", options.log_level,
                   "Least severe messages to log: debug, info, warning or error (default: info)")
        ->type_name("LEVEL")
        ->transform(CLI::Validator{read_log_level, ""});
    const std::string host_name{net::kHostNameMark};
    app.add_option_function<std::string>(
           "--advertise",
           [&options, host_name](const std::string& name) { options.advertise = name.empty() ? host_name : name; },
           "Publish the daemon on the local network under this name, so that `rtactl discover` finds it (DNS-SD, "
           "through Avahi). %h stands for the host name; --advertise alone is --advertise %h")
        ->type_name("NAME")
        ->expected(0, 1)
        ->default_str(host_name)
        ->check([](const std::string& name) { return reason_of(net::check_service_name(name)); });
}

CLI::App* define_check(CLI::App& app, CheckOptions& options) {
    CLI::App* const command =
        app.add_subcommand("check", "Validate and compile a graph document, or validate a configuration");
    command
        ->add_option(
            "FILE", options.file,
            "Configuration if the name ends in .toml, otherwise a graph document; - reads a graph from standard input")
        ->required()
        ->check(refuse_empty)
        ->type_name("");
    add_media_folders(*command, options.media_folders);
    return command;
}

CLI::App* define_render(CLI::App& app, RenderOptions& options) {
    CLI::App* const command = app.add_subcommand(
        "render", "Render a graph to an audio file, as fast as the CPU allows, and report its levels");
    add_file(*command, "--graph", options.graph, "Graph to render");
    command->get_option("--graph")->required();
    command
        ->add_option("--output", options.output,
                     "File to write: .wav (32-bit float; RF64 if it is larger than 4 GiB) or .flac (24 bits, dithered)")
        ->required()
        ->type_name("OUT")
        ->check(refuse_empty)
        ->check([](const std::string& path) { return reason_of(io::format_of_file(path)); });
    command
        ->add_option(
            "--input", options.input,
            "Audio file to feed to the input nodes, converted to --sample-rate; silence follows its end. A mono "
            "file feeds all input channels")
        ->type_name("IN")
        ->check(refuse_empty);
    const auto duration = [&options](double seconds) { options.duration_s = seconds; };
    const auto tail = [&options](double seconds) { options.tail_s = seconds; };
    add_time(*command, "--duration", duration, {.highest_s = kMaximumDurationS, .above_lowest = true},
             "Duration of the output. Required without --input (default: the input and its tail)");
    add_time(*command, "--tail", tail, {.highest_s = kMaximumTailS},
             "Length of the tail, after the end of the input has left the graph (default: until the output stays below "
             "-90 dBFS, at most 10 s)");
    command->add_flag("--align", options.align,
                      "Remove the latency of the graph, so that input and output start together");
    command->add_flag("--json", options.json, "Print the levels as JSON");
    add_sample_rate(*command, options.sample_rate_hz);
    add_block_size(*command, options.block_size);
    add_media_folders(*command, options.media_folders);
    return command;
}

/// Returns the reason if the options of render conflict, else "".
[[nodiscard]] std::string conflict_of(const RenderOptions& options) {
    if (!options.duration_s && options.input.empty()) {
        return "rtad render requires --duration or --input: without an input file, a graph of sources does not end";
    }
    if (options.duration_s && options.tail_s) {
        return "--tail conflicts with --duration, which includes the tail: leave one of them out";
    }
    if (options.duration_s && std::llround(*options.duration_s * options.sample_rate_hz) == 0) {
        const auto frame_us = static_cast<std::int64_t>(std::ceil(1e6 / options.sample_rate_hz));
        return "--duration is shorter than a frame at " + std::to_string(options.sample_rate_hz) +
               " Hz: expected at least " + std::to_string(frame_us) + "us";
    }
    return {};
}

[[nodiscard]] EarlyExit usage_error(const std::string& sentence) {
    return {.status = kExitUsage, .output = {}, .error = "rtad: " + sentence + "\nSee rtad --help for the options.\n"};
}

/// Returns whether the socket is directly in a runtime directory that the service manager created for this service.
/// The unit then controls the access to that folder.
[[nodiscard]] bool in_runtime_directory(const std::string& socket) {
    std::stringstream folders{environment("RUNTIME_DIRECTORY")};
    for (std::string folder; std::getline(folders, folder, ':');) {
        if (!folder.empty() && std::filesystem::path{socket}.parent_path() == std::filesystem::path{folder})
            return true;
    }
    return false;
}

/// Refuses a recording that would overwrite a file that rtad itself reads or writes.
[[nodiscard]] std::string refuse_overwriting(const DaemonOptions& options, const std::string& config) {
    const io::DeviceChoice& device = options.device.device;
    if (device.kind == nullptr || device.kind->argument_use != io::ArgumentUse::output_file) return {};
    const std::string& wav = device.name;
    const auto refuse = [&](const std::string& what) {
        return "--device " + std::string{device.kind->name} + ":" + wav + " would overwrite " + what +
               ": choose another file";
    };
    if (same_file(wav, options.graph)) return refuse("the graph");
    if (same_file(wav, config)) return refuse("the configuration");
    if (same_file(wav, options.tokens)) return refuse("the access tokens");
    for (const std::string& file : {options.tls_certificate, options.tls_key, options.tls_client_ca}) {
        if (same_file(wav, file)) return refuse("a file of TLS");
    }
    if (options.state_directory.empty()) return {};
    for (const std::string& file : store::StateFolder::files_in(options.state_directory)) {
        if (same_file(wav, file)) return refuse("a file of the state directory");
    }
    for (const std::string& file : tls_files_in(options.state_directory)) {
        if (same_file(wav, file)) return refuse("a file of the state directory");
    }
    return {};
}

/// Completes the options from the raw values and the defaults. Returns the reason if they conflict, else "".
[[nodiscard]] std::string complete(DaemonOptions& options, const RawValues& raw) {
    // value(): both device texts were validated when they were parsed.
    options.device.device = io::parse_device(raw.device, io::device_kinds()).value();
    if (!raw.input_device.empty()) {
        options.device.input = io::parse_input_device(raw.input_device, io::device_kinds()).value();
    }
    if (auto wrong = reason_of(io::check_request(options.device, io::device_kinds())); !wrong.empty()) return wrong;
    if (options.listen.empty() && !raw.listen_configured) options.listen.push_back(default_tcp_address());
    if (options.socket.empty()) {
        options.socket = default_socket_path();
        // A path from --socket was validated when it was parsed.
        if (auto wrong = reason_of(net::check_socket_path(options.socket)); !wrong.empty()) return wrong;
    }
    if (options.tls_certificate.empty() != options.tls_key.empty()) {
        return "--tls-cert and --tls-key belong together: expected both or none";
    }
    if (options.web.empty() && !(options.web_names.empty() && options.web_root.empty())) {
        return std::string{options.web_names.empty() ? "--web-root" : "--web-name"} +
               " has no effect without --web: expected both or none";
    }
    // Whether there are tokens is known only at the start.
    if (auto wrong = reason_of(check_certificate(options)); !wrong.empty()) return wrong;
    options.socket_for_group = in_runtime_directory(options.socket);
    return refuse_overwriting(options, raw.config);
}

/// The key names of a configuration: the flags without their dashes.
[[nodiscard]] std::vector<std::string_view> keys_of(const CLI::App& app) {
    std::vector<std::string_view> keys;
    for (const CLI::Option* const option : app.get_options()) {
        for (const std::string& name : option->get_lnames()) keys.emplace_back(name);
    }
    return keys;
}

/// Returns whether the values of an option may be numbers. All others are text.
[[nodiscard]] bool is_number(const CLI::Option& option) {
    constexpr std::array<std::string_view, 5> kNumberTypes{"FRAMES", "HZ", "N", "SIZE", "TIME"};
    return std::ranges::find(kNumberTypes, option.get_type_name()) != kNumberTypes.end();
}

/// Passes the entry to the option of that name, as the command line would. Returns the reason for a refusal, else "".
[[nodiscard]] std::string apply_entry(CLI::App& app, const TomlEntry& entry, RawValues& raw) {
    const std::vector<std::string_view> keys = keys_of(app);
    if (std::ranges::find(keys, entry.key) == keys.end()) return unknown_name("key", entry.key, keys);
    CLI::Option* const option = app.get_option("--" + entry.key);
    const bool list = option->get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
    if (std::ranges::find(entry.values, std::string{}) != entry.values.end()) {
        return entry.key + " is empty; remove the key to use the default";
    }
    if (entry.has_number && !is_number(*option)) {
        return entry.key + " must be text, in quotes: " + entry.key + " = " + (list ? "[" : "") + '"' +
               entry.values.front() + '"' + (list ? "]" : "");
    }
    if (entry.key == "listen") raw.listen_configured = true;
    if (entry.values.empty()) return list ? std::string{} : entry.key + " = [] is empty: expected one value";
    if (!list && entry.values.size() > 1) return entry.key + " expects one value, not several";
    try {
        option->add_result(entry.values);
        option->run_callback();
    } catch (const CLI::ParseError& error) {
        return error.what();
    }
    return {};
}

/// Reads the configuration file into the values that the command line overrides afterwards.
[[nodiscard]] Expected<void> apply_config(const std::string& path, DaemonOptions& options, RawValues& raw) {
    const auto text = path == "-"
                          ? fail(ErrorCode::invalid_argument, "--config - is not supported: expected a file name")
                          : read_text_file("the configuration", path, kLongestTomlBytes);
    if (!text) return std::unexpected(text.error());
    const auto entries = read_config(*text);
    if (!entries) return fail(ErrorCode::invalid_argument, path + ": " + entries.error().sentence);
    CLI::App app;
    app.set_help_flag();  // removes --help, which is not a key
    define_daemon(app, options, raw);
    for (const TomlEntry& entry : *entries) {
        if (const std::string wrong = apply_entry(app, entry, raw); !wrong.empty()) {
            return fail(ErrorCode::invalid_argument, path + ": line " + std::to_string(entry.line) + ": " + wrong);
        }
    }
    raw.config = path;
    DaemonOptions alone = options;
    if (const std::string wrong = complete(alone, raw); !wrong.empty()) {
        return fail(ErrorCode::invalid_argument, path + ": " + wrong);
    }
    return {};
}

/// The definition of the command line, and the values that it is parsed into.
struct CommandLine {
    CommandLine(DaemonOptions daemon_options, RawValues daemon_raw)
        : daemon{std::move(daemon_options)}, raw{std::move(daemon_raw)} {
        app.set_help_flag("-h,--help", "Show this help");
        app.set_version_flag("--version", "rtad " RTA_VERSION, "Show the version");
        define_daemon(app, daemon, raw);
        app.add_option(
               "--config", raw.config,
               "Configuration file (TOML). Its keys are the flags above without their dashes; flags override it")
            ->type_name("FILE")
            ->check(refuse_empty);
        daemon_flags = app.get_options();
        devices_command = app.add_subcommand("devices", "List the audio devices");
        check_command = define_check(app, check);
        render_command = define_render(app, render);
        token_command = define_token(app, token);
        app.require_subcommand(0, 1);
    }
    CommandLine(const CommandLine&) = delete;
    CommandLine& operator=(const CommandLine&) = delete;
    ~CommandLine() = default;

    /// Parses the arguments. Returns a value if the program must exit: after --help, --version, or a usage error.
    [[nodiscard]] std::optional<EarlyExit> parse(int argc, const char* const* argv) {
        try {
            app.parse(argc, argv);
        } catch (const CLI::ParseError& error) {
            // Also the likely reason if a required option seems to be missing.
            const bool is_unexpected = error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError) ||
                                       error.get_exit_code() == static_cast<int>(CLI::ExitCodes::RequiredError);
            if (is_unexpected && !app.remaining(true).empty()) return usage_error(unexpected_argument(app));
            std::ostringstream output;
            std::ostringstream unused;
            if (app.exit(error, output, unused) == 0) return EarlyExit{kExitClean, output.str(), {}};
            return usage_error(error.what());
        }
        if (const auto commands = app.get_subcommands(); !commands.empty()) {
            for (const CLI::Option* const flag : daemon_flags) {
                if (flag->count() == 0) continue;
                const std::string& command = commands.front()->get_name();
                return usage_error("rtad " + command + " does not accept " + flag->get_name() +
                                   " before the command; see rtad " + command + " --help");
            }
        }
        return std::nullopt;
    }

    CLI::App app{"Real-time audio daemon. Plays a graph of audio nodes, which clients edit while it runs.", "rtad"};
    DaemonOptions daemon;
    RawValues raw;
    CheckOptions check;
    RenderOptions render;
    TokenOptions token;
    std::vector<CLI::Option*> daemon_flags;
    const CLI::App* devices_command = nullptr;
    const CLI::App* check_command = nullptr;
    const CLI::App* render_command = nullptr;
    const CLI::App* token_command = nullptr;
};

/// Reads the configuration, then parses the command line again on top of it.
[[nodiscard]] std::variant<Options, EarlyExit> parse_over_config(const std::string& config, int argc,
                                                                 const char* const* argv) {
    DaemonOptions configured;
    RawValues raw;
    if (const auto applied = apply_config(config, configured, raw); !applied) {
        return EarlyExit{kExitUsage, {}, "rtad: " + applied.error().sentence + "\n"};
    }
    CommandLine line{std::move(configured), std::move(raw)};
    if (auto early = line.parse(argc, argv)) return std::move(*early);
    if (const std::string conflict = complete(line.daemon, line.raw); !conflict.empty()) {
        return usage_error(conflict + " (with the configuration " + config + ")");
    }
    return Options{line.daemon};
}

}  // namespace

std::string default_socket_path() {
    return local_sockets(environment("RUNTIME_DIRECTORY"), environment("XDG_RUNTIME_DIR")).front();
}

Expected<DaemonOptions> read_config_file(const std::string& path) {
    DaemonOptions options;
    RawValues raw;
    if (auto applied = apply_config(path, options, raw); !applied) return std::unexpected(std::move(applied.error()));
    static_cast<void>(complete(options, raw));  // apply_config() has checked it
    return options;
}

std::variant<Options, EarlyExit> parse_options(int argc, const char* const* argv) {
    CommandLine line{{}, {}};
    if (auto early = line.parse(argc, argv)) return std::move(*early);
    if (line.devices_command->parsed()) return Options{DevicesOptions{}};
    if (line.check_command->parsed()) return Options{line.check};
    if (line.render_command->parsed()) {
        if (const std::string conflict = conflict_of(line.render); !conflict.empty()) return usage_error(conflict);
        return Options{line.render};
    }
    if (line.token_command->parsed()) {
        if (const std::string conflict = conflict_of(line.token); !conflict.empty()) return usage_error(conflict);
        return Options{line.token};
    }
    if (!line.raw.config.empty()) return parse_over_config(line.raw.config, argc, argv);
    if (const std::string conflict = complete(line.daemon, line.raw); !conflict.empty()) {
        return usage_error(conflict);
    }
    return Options{line.daemon};
}

}  // namespace rta::app
