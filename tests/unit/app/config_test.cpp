// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "app/config_file.h"
#include "app/options.h"
#include "support/temporary.h"

namespace rta::app {
namespace {

TEST(ConfigFile, IsFlat) {
    const auto entries = read_config("# c\nz = 1\na = [\"x\", 'y']\n");
    ASSERT_TRUE(entries) << entries.error().sentence;
    ASSERT_EQ(entries->size(), 2U);
    EXPECT_EQ((*entries)[0].key, "z");
    EXPECT_TRUE((*entries)[0].has_number);
    EXPECT_EQ((*entries)[1].values, (std::vector<std::string>{"x", "y"}));
    EXPECT_EQ((*entries)[1].line, 3U);
}

/// Returns the error of a configuration.
[[nodiscard]] std::string refusal(std::string_view text) {
    const auto entries = read_config(text);
    return entries ? "accepted" : entries.error().sentence;
}

TEST(ConfigFile, RefusesTablesAndOtherTypesWithTheLine) {
    EXPECT_EQ(
        refusal("\n[rtad]\n"),
        "line 2: unexpected table \"rtad\": a configuration has no tables, only keys such as sample-rate = 48000");
    EXPECT_NE(refusal("[[rtad]]\n").find("line 1: unexpected table"), std::string::npos);
    EXPECT_NE(refusal("\na.b = 1").find("line 2: unexpected table"), std::string::npos);
    EXPECT_NE(refusal("a = {b = 1}").find("line 1: unexpected table"), std::string::npos);
    EXPECT_EQ(refusal("a = true"), "line 1: invalid value of \"a\": expected text in quotes or a number");
    EXPECT_NE(refusal("a = [\n1,\ntrue]").find("line 1: invalid value of \"a\""), std::string::npos);
    EXPECT_NE(refusal("\na = [").find("line 2"), std::string::npos);
}

class ConfigOptions : public testing::Test {
 protected:
    [[nodiscard]] std::variant<Options, EarlyExit> parse(const std::string& config,
                                                         std::vector<std::string> arguments = {}) {
        std::ofstream{path_} << config;
        arguments.insert(arguments.begin(), {"--config", path_});
        std::vector<const char*> argv{"rtad"};
        for (const std::string& argument : arguments) argv.push_back(argument.c_str());
        return parse_options(static_cast<int>(argv.size()), argv.data());
    }
    [[nodiscard]] DaemonOptions good(const std::string& config, std::vector<std::string> arguments = {}) {
        const auto parsed = parse(config, std::move(arguments));
        if (const auto* const early = std::get_if<EarlyExit>(&parsed)) {
            ADD_FAILURE() << early->error;
            return {};
        }
        return std::get<DaemonOptions>(std::get<Options>(parsed));
    }
    /// Expects a refusal, at start and by rtad check, that names the file and contains each of `parts`.
    void expect_refused(const std::string& config, const std::vector<std::string>& parts) {
        const auto parsed = parse(config);
        const auto* const early = std::get_if<EarlyExit>(&parsed);
        ASSERT_NE(early, nullptr) << config;
        EXPECT_EQ(early->status, 2);
        EXPECT_EQ(early->output, "");
        EXPECT_NE(early->error.find(path_), std::string::npos) << early->error;
        for (const std::string& part : parts) EXPECT_NE(early->error.find(part), std::string::npos) << early->error;
        const auto checked = read_config_file(path_);
        ASSERT_FALSE(checked);
        EXPECT_EQ("rtad: " + checked.error().sentence + "\n", early->error);
    }

    test::TemporaryDirectory folder_;
    std::string path_ = folder_ / "rtad.toml";
};

TEST_F(ConfigOptions, EveryKey) {
    const auto options = good(R"(
        device = "portaudio:ALSA/hw:0"
        input-device = "portaudio:Mic"
        channels-in = 1
        channels-out = 8
        sample-rate = 96_000
        block-size = 128
        listen = ["127.0.0.1:1", "[::1]:2"]
        socket = "/tmp/a socket, with # signs"
        tls-cert = "c.pem"
        tls-key = "k.pem"
        tls-client-ca = "ca.pem"
        state-dir = "/var/lib/x"
        durability = "async"
        tokens = "/etc/rtad/tokens"
        graph = 'g.json'
        media-dir = ["/srv/a", "b"]
        max-clients = 1000
        hello-timeout = 2.5
        idle-timeout = "5min"
        control-slice = "0.5 ms"
        max-message-size = 65536
        max-graph-memory = "1 GiB"
        log-level = "debug"
        advertise = "Studio A"
    )");
    EXPECT_EQ(options.device.device, io::parse_device("portaudio:ALSA/hw:0", io::device_kinds()));
    ASSERT_TRUE(options.device.input);
    EXPECT_EQ(options.device.input->name, "Mic");
    EXPECT_EQ(options.device.channels_in, 1U);
    EXPECT_EQ(options.device.channels_out, 8U);
    EXPECT_EQ(options.device.sample_rate_hz, 96'000U);
    EXPECT_EQ(options.device.block_size, 128U);
    EXPECT_EQ(options.listen, (std::vector<std::string>{"127.0.0.1:1", "[::1]:2"}));
    EXPECT_EQ(options.socket, "/tmp/a socket, with # signs");
    EXPECT_EQ(options.tls_certificate, "c.pem");
    EXPECT_EQ(options.tls_key, "k.pem");
    EXPECT_EQ(options.tls_client_ca, "ca.pem");
    EXPECT_EQ(options.state_directory, "/var/lib/x");
    EXPECT_EQ(options.durability, Durability::async);
    EXPECT_EQ(options.tokens, "/etc/rtad/tokens");
    EXPECT_EQ(options.graph, "g.json");
    EXPECT_EQ(options.media_folders, (std::vector<std::string>{"/srv/a", "b"}));
    EXPECT_EQ(options.limits.clients.clients, 1'000U);
    EXPECT_EQ(options.limits.clients.hello_time, std::chrono::milliseconds{2'500});
    EXPECT_EQ(options.limits.clients.idle_time, std::chrono::minutes{5});
    EXPECT_EQ(options.limits.clients.requests.slice, std::chrono::microseconds{500});
    EXPECT_EQ(options.limits.clients.requests.message_bytes, 65'536U);
    EXPECT_EQ(options.limits.graph.memory_bytes, std::uint64_t{1} << 30U);
    EXPECT_EQ(options.log_level, net::LogLevel::debug);
    EXPECT_EQ(options.advertise, "Studio A");
}

TEST_F(ConfigOptions, TheCommandLineWins) {
    const std::string config = R"(
        device = "null:a.wav"
        sample-rate = 44100
        block-size = 256
        listen = ["127.0.0.1:1", "127.0.0.1:2"]
    )";
    const auto options = good(config, {"--sample-rate", "96000", "--listen", "127.0.0.1:3", "--device", "null"});
    EXPECT_EQ(options.device.device, io::parse_device("null", io::device_kinds()));
    EXPECT_EQ(options.device.sample_rate_hz, 96'000U);
    EXPECT_EQ(options.device.block_size, 256U) << "the value of the file, which the command line does not override";
    EXPECT_EQ(options.listen, std::vector<std::string>{"127.0.0.1:3"});
    const auto parsed = parse(config, {"--channels-out", "0"});
    ASSERT_TRUE(std::holds_alternative<EarlyExit>(parsed)) << "valid each, but not together";
    EXPECT_NE(std::get<EarlyExit>(parsed).error.find(path_), std::string::npos);
}

TEST_F(ConfigOptions, ListenMayBeOneAddressOrNone) {
    EXPECT_EQ(good("").listen, std::vector<std::string>{"127.0.0.1:7340"});
    EXPECT_EQ(good("listen = \"[::1]:7340\"").listen, std::vector<std::string>{"[::1]:7340"});
    EXPECT_TRUE(good("listen = []").listen.empty());
    EXPECT_EQ(good("listen = []", {"--listen", "127.0.0.1:3"}).listen, std::vector<std::string>{"127.0.0.1:3"});
}

TEST_F(ConfigOptions, TheWebServerHasAnAddressAndNames) {
    const auto options = good("web = \"[::1]:1\"\nweb-name = [\"studio.lan\", \"[fd00::1]:443\"]\nweb-root = \"page\"");
    EXPECT_EQ(options.web, "[::1]:1");
    EXPECT_EQ(options.web_names, (std::vector<std::string>{"studio.lan", "[fd00::1]:443"}));
    EXPECT_EQ(options.web_root, "page");
    EXPECT_EQ(options.listen, std::vector<std::string>{"127.0.0.1:7340"}) << "the names are not those of listen";
    expect_refused("web = \"8080\"", {"line 1", "web", "HOST:PORT"});
    expect_refused("web = \"127.0.0.1:1\"\nweb-name = \"http://x\"",
                   {"line 2", "invalid web name", "NAME or NAME:PORT"});
    expect_refused("web-name = \"x\"", {"--web-name has no effect without --web"});
}

TEST_F(ConfigOptions, UnknownKeysAreRefusedWithASuggestion) {
    expect_refused("sample-rat = 48000", {"line 1", "\"sample-rat\"", "did you mean \"sample-rate\"?"});
    expect_refused("\nsample_rate = 48000", {"line 2", "\"sample_rate\"", "did you mean \"sample-rate\"?"});
    expect_refused("version = 1", {"\"version\""});
    expect_refused("help = 1", {"\"help\""});
    expect_refused("config = \"b.toml\"", {"\"config\""});
    expect_refused("duration = 3", {"\"duration\""});
    expect_refused("[render]\nduration = 3", {"line 1", "no tables"});
}

TEST_F(ConfigOptions, WrongValuesAreRefusedWithFileLineKeyAndTheExpectedValue) {
    expect_refused("\n\nsample-rate = 100", {"line 3", "sample-rate", "100", "8000", "768000"});
    expect_refused("sample-rate = \"fast\"", {"line 1", "sample-rate", "fast"});
    expect_refused("block-size = 65", {"block-size", "invalid block size \"65\": expected 16, 32"});
    expect_refused("channels-out = -1", {"channels-out"});
    expect_refused("channels-in = 1.5", {"channels-in"});
    expect_refused("device = \"tape\"", {"line 1", "device", "\"tape\"", "portaudio:NAME"});
    expect_refused("input-device = \"null\"", {"line 1", "input-device", "portaudio:NAME"});
    expect_refused("listen = [\"127.0.0.1\"]", {"line 1", "listen", "HOST:PORT"});
    expect_refused("log-level = \"loud\"", {"log-level", "invalid log level \"loud\": expected debug"});
    expect_refused("device = \"\"", {"device is empty"});
    expect_refused("device = [\"null\", \"auto\"]", {"device expects one value"});
    expect_refused("graph = []", {"graph = [] is empty"});
    expect_refused("device = null", {"line 1", "text must be in quotes"});
    expect_refused("socket = 7340", {"line 1", "socket must be text", "socket = \"7340\""});
    expect_refused("\nstate-dir = 12", {"line 2", "state-dir must be text"});
    expect_refused("listen = [\"127.0.0.1:1\", 7340]", {"line 1", "listen must be text"});
    expect_refused("listen = [\"tls://\"]", {"line 1", "listen", "invalid listen address"});
    expect_refused("listen = [\"0.0.0.0:7340\"]", {"refused to listen on 0.0.0.0:7340", "--tls-cert", "token"});
    expect_refused("tls-cert = \"c.pem\"", {"--tls-cert and --tls-key belong together"});
    expect_refused("socket = \"/" + std::string(107, 's') + "\"", {"line 1", "socket", "108 bytes; expected 1 to 107"});
    expect_refused("device = \"null:" + path_ + "\"", {"would overwrite the configuration"});
    expect_refused("advertise = \"a\\tb\"", {"line 1", "advertise", "invalid name", "1 to 63 bytes"});
    expect_refused("advertise = \"\"", {"advertise is empty"});
    expect_refused("advertise = true", {"line 1", "advertise"});
    expect_refused("device = \"null\"\ninput-device = \"portaudio\"", {"--input-device conflicts with --device null"});
}

TEST_F(ConfigOptions, AFileThatCannotBeReadIsRefused) {
    const std::string missing = folder_ / "missing.toml";
    for (const std::string& path : {missing, std::string{"/"}, std::string{"/dev/zero"}}) {
        const auto checked = read_config_file(path);
        ASSERT_FALSE(checked);
        EXPECT_NE(checked.error().sentence.find(path), std::string::npos) << checked.error().sentence;
    }
    EXPECT_FALSE(read_config_file("-"));
}

// ---- the shipped configuration

[[nodiscard]] std::string shipped() {
    std::ifstream file{RTA_TEST_CONFIG};
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

/// Removes the comment sign of each line that shows a default.
[[nodiscard]] std::string with_defaults_in_force(const std::string& text) {
    std::istringstream lines{text};
    std::string result;
    for (std::string line; std::getline(lines, line);) {
        const bool shown = line.size() > 1 && line[0] == '#' && line[1] >= 'a' && line[1] <= 'z';
        result += (shown ? line.substr(1) : line) + "\n";
    }
    return result;
}

TEST_F(ConfigOptions, TheShippedFileIsAcceptedAndChangesNothingButTheStateFolder) {
    ASSERT_NE(shipped(), "");
    auto options = good(shipped());
    EXPECT_EQ(options.state_directory, "/var/lib/rtad");
    auto bare = good("");
    EXPECT_EQ(options.listen, bare.listen);
    EXPECT_EQ(options.advertise, "") << "off";
    EXPECT_EQ(options.socket, bare.socket);
    EXPECT_EQ(options.device.device, bare.device.device);
}

TEST_F(ConfigOptions, TheShippedFileShowsEveryKeyAndTheTrueDefaults) {
    setenv("RUNTIME_DIRECTORY", "/run/rtad", 1);
    const std::string text = with_defaults_in_force(shipped());
    const auto entries = read_config(text);
    ASSERT_TRUE(entries) << entries.error().sentence;
    EXPECT_EQ(entries->size(), 22U + limit_table().size()) << "as many as there are flags: see EveryKey";
    const auto shown = good(text);
    const auto bare = good("");
    unsetenv("RUNTIME_DIRECTORY");
    EXPECT_EQ(shown.device.device, bare.device.device);
    EXPECT_EQ(shown.device.sample_rate_hz, bare.device.sample_rate_hz);
    EXPECT_EQ(shown.device.block_size, bare.device.block_size);
    EXPECT_EQ(shown.device.channels_out, io::kDefaultChannels);
    EXPECT_EQ(shown.listen, bare.listen);
    EXPECT_EQ(shown.socket, bare.socket);
    for (const Limit& row : limit_table()) {
        EXPECT_NE(shipped().find("\n#" + std::string{row.key} + " = "), std::string::npos) << row.key;
        EXPECT_EQ(row.get(shown.limits), row.get(Limits{})) << row.key;
    }
    EXPECT_EQ(shown.durability, bare.durability);
    EXPECT_EQ(shown.log_level, bare.log_level);
    EXPECT_TRUE(shown.socket_for_group);
}

TEST_F(ConfigOptions, OnlyASocketInARuntimeDirectoryIsForTheGroup) {
    setenv("RUNTIME_DIRECTORY", "/run/rtad:/run/other", 1);
    EXPECT_TRUE(good("").socket_for_group);
    EXPECT_TRUE(good("socket = \"/run/other/s\"").socket_for_group);
    EXPECT_FALSE(good("socket = \"/tmp/s\"").socket_for_group);
    EXPECT_FALSE(good("socket = \"/run/rtad/below/s\"").socket_for_group);
    unsetenv("RUNTIME_DIRECTORY");
    EXPECT_FALSE(good("socket = \"/run/rtad/control.sock\"").socket_for_group);
}

}  // namespace
}  // namespace rta::app
