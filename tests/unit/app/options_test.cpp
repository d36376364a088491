// SPDX-License-Identifier: MIT
#include "app/options.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace rta::app {
namespace {

[[nodiscard]] std::variant<Options, EarlyExit> parse(std::vector<std::string> arguments) {
    std::vector<const char*> argv{"rtad"};
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    return parse_options(static_cast<int>(argv.size()), argv.data());
}

template <class T>
[[nodiscard]] T expect(const std::vector<std::string>& arguments) {
    const auto parsed = parse(arguments);
    if (const auto* const early = std::get_if<EarlyExit>(&parsed)) {
        ADD_FAILURE() << early->error;
        return {};
    }
    return std::get<T>(std::get<Options>(parsed));
}

/// Expects a usage error whose text contains `part`.
void expect_usage_error(const std::vector<std::string>& arguments, const std::string& part) {
    const auto parsed = parse(arguments);
    const auto* const early = std::get_if<EarlyExit>(&parsed);
    ASSERT_NE(early, nullptr) << part;
    EXPECT_EQ(early->status, 2);
    EXPECT_EQ(early->output, "");
    EXPECT_NE(early->error.find(part), std::string::npos) << early->error;
}

TEST(Options, Defaults) {
    setenv("RUNTIME_DIRECTORY", "/run/a:/run/b", 1);
    const auto options = expect<DaemonOptions>({});
    EXPECT_EQ(options.device.device, io::DeviceChoice{}) << "auto";
    EXPECT_FALSE(options.device.channels_in);
    EXPECT_FALSE(options.device.channels_out);
    EXPECT_EQ(options.device.sample_rate_hz, 48'000U);
    EXPECT_EQ(options.device.block_size, 64U);
    EXPECT_EQ(options.listen, std::vector<std::string>{"127.0.0.1:7340"});
    EXPECT_EQ(options.socket, "/run/a/control.sock");
    EXPECT_EQ(options.log_level, net::LogLevel::info);
    unsetenv("RUNTIME_DIRECTORY");
    setenv("XDG_RUNTIME_DIR", "/run/user/1000", 1);
    EXPECT_EQ(default_socket_path(), "/run/user/1000/rtad/control.sock");
    unsetenv("XDG_RUNTIME_DIR");
    EXPECT_EQ(default_socket_path(), "/run/rtad/control.sock");
}

TEST(Options, AdvertiseHasADefaultNameButIsOff) {
    EXPECT_EQ(expect<DaemonOptions>({}).advertise, "");
    EXPECT_EQ(expect<DaemonOptions>({"--advertise"}).advertise, "%h");
    EXPECT_EQ(expect<DaemonOptions>({"--advertise", "--device", "null"}).advertise, "%h");
    EXPECT_EQ(expect<DaemonOptions>({"--advertise", ""}).advertise, "%h") << "never silently off";
    EXPECT_EQ(expect<DaemonOptions>({"--advertise", "Rack on %h"}).advertise, "Rack on %h");
    expect_usage_error({"--advertise", std::string(64, 'x')}, "expected 1 to 63 bytes of printable text");
    expect_usage_error({"--advertise", "a\x1b[31m"}, "invalid name");
    expect_usage_error({"--advertise", "a", "--advertise", "b"}, "--advertise");
}

TEST(Options, EveryFlagOfTheDaemon) {
    const auto options = expect<DaemonOptions>({"--device",        "portaudio:ALSA/hw:0",
                                                "--input-device",  "portaudio:Mic",
                                                "--channels-in",   "1",
                                                "--channels-out",  "8",
                                                "--sample-rate",   "96000",
                                                "--block-size",    "128",
                                                "--listen",        "127.0.0.1:1",
                                                "--listen",        "[::1]:2",
                                                "--socket",        "/tmp/s",
                                                "--listen",        "tls://127.0.0.1:3",
                                                "--listen",        "0.0.0.0:4",
                                                "--tls-cert",      "c.pem",
                                                "--tls-key",       "k.pem",
                                                "--tls-client-ca", "ca.pem",
                                                "--state-dir",     "/var/lib/x",
                                                "--graph",         "g.json",
                                                "--media-dir",     "/srv/a",
                                                "--media-dir",     "b",
                                                "--log-level",     "debug",
                                                "--advertise",     "Studio A"});
    EXPECT_EQ(options.device.device, io::parse_device("portaudio:ALSA/hw:0", io::device_kinds()));
    ASSERT_TRUE(options.device.input);
    EXPECT_EQ(options.device.input->name, "Mic");
    EXPECT_EQ(options.device.channels_in, 1U);
    EXPECT_EQ(options.device.channels_out, 8U);
    EXPECT_EQ(options.device.sample_rate_hz, 96'000U);
    EXPECT_EQ(options.device.block_size, 128U);
    EXPECT_EQ(options.listen, (std::vector<std::string>{"127.0.0.1:1", "[::1]:2", "tls://127.0.0.1:3", "0.0.0.0:4"}));
    EXPECT_EQ(options.tls_certificate, "c.pem");
    EXPECT_EQ(options.tls_key, "k.pem");
    EXPECT_EQ(options.tls_client_ca, "ca.pem");
    EXPECT_EQ(options.advertise, "Studio A");
    EXPECT_EQ(options.socket, "/tmp/s");
    EXPECT_EQ(options.state_directory, "/var/lib/x");
    EXPECT_EQ(options.graph, "g.json");
    EXPECT_EQ(options.media_folders, (std::vector<std::string>{"/srv/a", "b"}));
    EXPECT_EQ(options.log_level, net::LogLevel::debug);
}

TEST(Options, Commands) {
    static_cast<void>(expect<DevicesOptions>({"devices"}));
    EXPECT_EQ(expect<CheckOptions>({"check", "g.json"}).file, "g.json");
    const auto render = expect<RenderOptions>({"render", "--graph", "g.json", "--duration", "1.5", "--output", "o.wav",
                                               "--input", "i.wav", "--sample-rate", "44100", "--block-size", "16"});
    EXPECT_EQ(render.graph, "g.json");
    EXPECT_EQ(render.duration_s, 1.5);
    EXPECT_EQ(render.output, "o.wav");
    EXPECT_EQ(render.input, "i.wav");
    EXPECT_EQ(render.sample_rate_hz, 44'100U);
    EXPECT_EQ(render.block_size, 16U);
    EXPECT_FALSE(render.tail_s);
    EXPECT_FALSE(render.align);
    EXPECT_FALSE(render.json);
    const auto tail = expect<RenderOptions>(
        {"render", "--graph", "g.json", "--output", "o.FLAC", "--input", "i.wav", "--tail", "0", "--align", "--json"});
    EXPECT_FALSE(tail.duration_s);
    EXPECT_EQ(tail.tail_s, 0.0);
    EXPECT_TRUE(tail.align);
    EXPECT_TRUE(tail.json);
}

TEST(Options, TimesOfARenderingHaveUnits) {
    const auto duration = [](const std::string& text) {
        return expect<RenderOptions>({"render", "--graph", "g", "--output", "o.wav", "--duration", text}).duration_s;
    };
    EXPECT_EQ(duration("10"), 10.0);
    EXPECT_EQ(duration("10s"), 10.0);
    EXPECT_EQ(duration("250 ms"), 0.25);
    EXPECT_EQ(duration("2min"), 120.0);
    EXPECT_EQ(duration("3.2e9"), 3.2e9);
    for (const char* text : {"10x", "-1", "0s", "6dB", "", "3.3e9", "inf"}) {
        expect_usage_error({"render", "--graph", "g", "--output", "o.wav", "--duration", text},
                           "expected seconds, or a time such as 250ms or 2min, above 0");
        if (text == std::string{"0s"}) continue;
        expect_usage_error({"render", "--graph", "g", "--output", "o.wav", "--input", "i", "--tail", text},
                           "expected seconds, or a time such as 250ms or 2min, from 0 to");
    }
}

std::uint64_t limit_set(const Limit& row, const std::string& text) {
    return row.get(expect<DaemonOptions>({"--" + std::string{row.key}, text}).limits);
}

TEST(Options, EachLimitIsAcceptedUpToTheEndsOfItsRangeAndNoFurther) {
    for (const Limit& row : limit_table()) {
        SCOPED_TRACE(row.key);
        const std::string flag = "--" + std::string{row.key};
        const Limits defaults;
        const std::uint64_t value = row.get(defaults);
        EXPECT_TRUE(row.accepts(value)) << "the default";
        EXPECT_EQ(limit_set(row, limit_text(row.unit, value)), value);
        EXPECT_EQ(limit_set(row, limit_text(row.unit, row.lowest)), row.lowest);
        EXPECT_EQ(limit_set(row, limit_text(row.unit, row.highest)), row.highest);
        // No other limit has changed: each row has a value of its own.
        const auto changed = expect<DaemonOptions>({flag, limit_text(row.unit, row.highest)}).limits;
        for (const Limit& other : limit_table()) {
            if (other.key == row.key) continue;
            EXPECT_EQ(other.get(changed), other.get(defaults)) << other.key;
        }
        const auto refused = [&](std::uint64_t number) {
            // A time without a unit is in seconds.
            const std::string text =
                row.unit == LimitUnit::time ? std::to_string(number) + "us" : std::to_string(number);
            expect_usage_error({flag, text}, "invalid " + std::string{row.key} + " \"" + text + "\": expected ");
            expect_usage_error({flag, text},
                               "from " + limit_text(row.unit, row.lowest) + " to " + limit_text(row.unit, row.highest));
        };
        refused(row.highest + 1);
        if (row.lowest > 1 || (row.lowest == 1 && !row.or_zero)) refused(row.lowest - 1);
        if (row.or_zero) {
            EXPECT_EQ(limit_set(row, "0"), 0U);
        }
        for (const char* text : {"", "many", "-1", "1 parsec", "99999999999999999999"})
            expect_usage_error({flag, text}, "");
    }
}

TEST(Options, LimitsAreWrittenInTheirUnits) {
    const auto row = [](std::string_view key) { return *std::ranges::find(limit_table(), key, &Limit::key); };
    const Limit size = row("max-unread-events");
    EXPECT_EQ(limit_set(size, "65536"), 65'536U);
    EXPECT_EQ(limit_set(size, "65KiB"), 66'560U);
    EXPECT_EQ(limit_set(size, "2 MiB"), 2'097'152U);
    EXPECT_EQ(limit_set(size, "1GiB"), std::uint64_t{1} << 30U);
    for (const char* text : {"1.5MiB", "1MB", "MiB", "1 mib", "99999999999999TiB"})
        expect_usage_error({"--max-unread-events", text}, "expected bytes, or a size such as 512KiB or 4MiB");
    const Limit time = row("control-slice");
    EXPECT_EQ(limit_set(time, "1ms"), 1'000U);
    EXPECT_EQ(limit_set(time, "0.001"), 1'000U);
    expect_usage_error({"--control-slice", "10us"},
                       "expected seconds, or a time such as 250ms or 2min, from 50us to 5ms");
    expect_usage_error({"--max-clients", "1.5"}, "expected a whole number from 1 to 65536");
    EXPECT_EQ(limit_text(LimitUnit::bytes, 65'537), "65537");
    EXPECT_EQ(limit_text(LimitUnit::time, 1'500), "1.5ms");
}

TEST(Options, ARenderingHasAtLeastOneFrame) {
    const auto words = [](const std::string& duration, const std::string& rate) {
        return std::vector<std::string>{"render", "--graph",       "g", "--output", "o.wav", "--duration",
                                        duration, "--sample-rate", rate};
    };
    expect_usage_error(words("1us", "48000"), "--duration is shorter than a frame at 48000 Hz: expected at least 21us");
    expect_usage_error(words("60us", "8000"), "expected at least 125us");
    EXPECT_EQ(expect<RenderOptions>(words("21us", "48000")).duration_s, 21e-6);
    EXPECT_EQ(expect<RenderOptions>(words("125us", "8000")).duration_s, 125e-6);
}

TEST(Options, ARenderingNeedsAnEnd) {
    expect_usage_error({"render", "--graph", "g.json", "--output", "o.wav"},
                       "rtad render requires --duration or --input");
    expect_usage_error({"render", "--graph", "g.json", "--output", "o.wav", "--tail", "1"}, "--duration");
    expect_usage_error({"render", "--graph", "g", "--output", "o.wav", "--duration", "1", "--tail", "1"},
                       "--tail conflicts with --duration");
}

TEST(Options, AFormatThatIsNotWrittenIsRefused) {
    for (const char* output : {"o.mp3", "o", "wav"}) {
        expect_usage_error({"render", "--graph", "g", "--output", output, "--duration", "1"},
                           ".wav (32-bit float) or .flac (24 bits)");
    }
}

TEST(Options, VersionAndHelpAreNotErrors) {
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"--version"}, {"--help"}, {"render", "--help"}}) {
        const auto parsed = parse(arguments);
        const auto* const early = std::get_if<EarlyExit>(&parsed);
        ASSERT_NE(early, nullptr);
        EXPECT_EQ(early->status, 0);
        EXPECT_NE(early->output, "");
        EXPECT_EQ(early->error, "");
    }
    EXPECT_EQ(std::get<EarlyExit>(parse({"--version"})).output, "rtad " RTA_VERSION "\n");
}

TEST(Options, UsageErrorsNameTheFlag) {
    expect_usage_error({"--devise", "null"}, "--devise");
    expect_usage_error({"--device", "jack:" + std::string(65, 'x')}, "expected 1 to 64 letters");
    expect_usage_error({"--device", "jack:../x"}, "expected 1 to 64 letters");
    expect_usage_error({"--device", "jack", "--jack-connect", "("}, "expected a regular expression");
    expect_usage_error({"--device", "jack", "--jack-connect", ""}, "--jack-connect");
    expect_usage_error({"--sample-rate", "100"}, "--sample-rate");
    expect_usage_error({"--sample-rate", "fast"}, "--sample-rate");
    expect_usage_error({"--block-size", "65"}, "invalid block size \"65\": expected 16, 32");
    expect_usage_error({"--block-size", "8"}, "invalid block size \"8\": expected 16, 32");
    expect_usage_error({"--block-size", "2048"}, "invalid block size \"2048\": expected 16, 32");
    expect_usage_error({"--channels-out", "-1"}, "--channels-out");
    expect_usage_error({"--channels-out", "1000"}, "--channels-out");
    expect_usage_error({"--log-level", "loud"},
                       "--log-level: invalid log level \"loud\": expected debug, info, warning or error");
    expect_usage_error({"check"}, "FILE");
    expect_usage_error({"render", "--graph", "g", "--output", "o.wav", "--duration", "nan"},
                       "invalid duration \"nan\"");
    expect_usage_error({"render", "--graph", "g", "--output", "o.wav", "--duration", "0"}, "invalid duration \"0\"");
    expect_usage_error({"play"}, "play");
}

TEST(Options, EmptyValuesAreRefused) {
    for (const char* flag : {"--state-dir", "--socket", "--graph", "--config", "--device", "--listen"}) {
        expect_usage_error({flag, ""}, flag);
        expect_usage_error({std::string{flag} + "="}, flag);
    }
    expect_usage_error({"check", ""}, "FILE");
    expect_usage_error({"render", "--graph", "", "--output", "o.wav", "--duration", "1"}, "--graph");
    expect_usage_error({"render", "--graph", "g", "--output", "", "--duration", "1"}, "--output");
    expect_usage_error({"render", "--graph", "g", "--output", "o.wav", "--duration", "1", "--input", ""}, "--input");
}

TEST(Options, AddressesAndSocketPathsAreValidatedBeforeTheStart) {
    expect_usage_error({"--listen", "0.0.0.0:7340"}, "refused to listen on 0.0.0.0:7340");
    expect_usage_error({"--listen", "[::]:7340"}, "refused to listen on [::]:7340");
    expect_usage_error({"--socket", "/" + std::string(107, 's')}, "108 bytes; expected 1 to 107");
    static_cast<void>(expect<DaemonOptions>({"--socket", "/" + std::string(106, 's')}));
}

TEST(Options, ARecordingMustNotOverwriteFilesOfRtad) {
    expect_usage_error({"--device", "null:/x/g.json", "--graph", "/x/./g.json"}, "would overwrite the graph");
    for (const char* name : {"graph.json", "graph.json.new", "lock", "restoring"}) {
        expect_usage_error({"--device", std::string{"null:/x/state/../state/"} + name, "--state-dir", "/x/state"},
                           "would overwrite a file of the state directory");
    }
    for (const char* name : {"tokens", "c.pem", "k.pem", "ca.pem"}) {
        expect_usage_error({"--device", std::string{"null:/x/"} + name, "--tokens", "/x/tokens", "--tls-cert",
                            "/x/c.pem", "--tls-key", "/x/k.pem", "--tls-client-ca", "/x/ca.pem"},
                           "would overwrite");
    }
    static_cast<void>(expect<DaemonOptions>({"--device", "null:/x/state/out.wav", "--state-dir", "/x/state"}));
}

TEST(Options, ConflictsAreExplained) {
    expect_usage_error({"--device", "null", "--input-device", "portaudio:Mic"}, "--input-device");
    expect_usage_error({"--input-device", "null"},
                       "invalid input device \"null\": expected portaudio or portaudio:NAME");
    expect_usage_error({"--device", "null:x.wav", "--channels-out", "0"}, "--channels-out is 0");
    expect_usage_error({"--channels-in", "0", "--channels-out", "0"}, "no channels left to open");
    expect_usage_error({"--input-device", "portaudio", "--channels-in", "0"}, "conflicts with --channels-in 0");
    expect_usage_error({"--device", "null", "devices"}, "rtad devices does not accept --device before the command");
}

TEST(UnexpectedArguments, AreNamedInTheirOrderWithASuggestion) {
    expect_usage_error({"--port", "7900"}, "rtad: unknown option \"--port\"\n");
    expect_usage_error({"--device", "null", "--listn=:1"}, R"(unknown option "--listn"; did you mean "--listen"?)");
    expect_usage_error({"-version"}, R"(unknown option "-version"; did you mean "--version"?)");
    expect_usage_error({"chek", "x.json"},
                       R"(unknown command "chek" (did you mean "check"?); expected one of: devices, check, render)");
    expect_usage_error({"check", "a.json", "b.json"}, R"(rtad check does not expect the argument "b.json")");
    expect_usage_error({"check", "--json", "a.json"}, R"(unknown option "--json" of rtad check)");
    expect_usage_error({"render", "--grap", "a.json"},
                       R"(unknown option "--grap" of rtad render; did you mean "--graph"?)");
    expect_usage_error({"render", "--block-size", "64"}, "--graph is required");
}

}  // namespace
}  // namespace rta::app
