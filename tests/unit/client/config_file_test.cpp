// SPDX-License-Identifier: MIT
#include "rtactl/context/config_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include "fake_rtad.h"
#include "rtactl/language/invocation.h"
#include "support/temporary.h"
#include "toml/toml_text.h"

namespace rta::test {
namespace {

using rtactl::ConfigFile;
using rtactl::ContextOptions;
using rtactl::Exit;
using rtactl::Given;
using rtactl::parse_config_file;
using rtactl::read_config_file;

const std::string kPath = "/home/ada/.config/rtactl/config.toml";
const std::string kFingerprint = "SHA256:B9jOOvU2nk6qQxjG+WCvZwwIqdrNqBTAqpAsI0EEerY";

/// Sets a variable of the environment during the lifetime of this object.
class Variable {
 public:
    Variable(const char* name, const std::string& value) : name_{name} {
        if (const char* const before = std::getenv(name)) before_ = before;
        ::setenv(name, value.c_str(), 1);
    }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;
    ~Variable() {
        if (before_) {
            ::setenv(name_, before_->c_str(), 1);
        } else {
            ::unsetenv(name_);
        }
    }

 private:
    const char* name_;
    std::optional<std::string> before_;
};

ConfigFile good(const std::string& text) {
    auto file = parse_config_file(text, kPath);
    if (file) return std::move(*file);
    ADD_FAILURE() << text << ": " << file.error().sentence;
    return {};
}

/// Returns the error without the path of the file, with which it must begin.
std::string refusal(const std::string& text) {
    const auto file = parse_config_file(text, kPath);
    if (file) return "accepted";
    EXPECT_EQ(file.error().exit, Exit::usage);
    const std::string& sentence = file.error().sentence;
    EXPECT_TRUE(sentence.starts_with(kPath + ": line ")) << sentence;
    return sentence.substr(std::min(kPath.size() + 2, sentence.size()));
}

/// Returns the value of an option of a host, "-" if it has none.
std::string option(const ConfigFile& file, std::string_view host, const std::string& name) {
    const rtactl::NamedHost* const named = file.find(host);
    if (named == nullptr) return "no host";
    const auto found = named->options.find(name);
    return found == named->options.end() ? "-" : found->second.value;
}

TEST(ConfigFile, NamesHosts) {
    const ConfigFile file = good(
        "host = \"studio\"  # at home\n"
        "[hosts.studio]\n"
        "address = \"10.0.0.5:7341\"\n"
        "token-file = \"studio.token\"\n"
        "tls-fingerprint = \"" +
        kFingerprint +
        "\"\n"
        "timeout = \"2s\"\n"
        "[hosts.\"lobby.lan\"]\n"
        "tls-ca = '/etc/ca.pem'\n"
        "timeout = 3\n"
        "[hosts.here]\n"
        "address = \"/run/rtad/control.sock\"\n"
        "[hosts.proxy]\n"
        "address = \"127.0.0.1\"\n"
        "tls = true\n"
        "[hosts.plain]\n"
        "tls = false\n");
    ASSERT_TRUE(file.host);
    EXPECT_EQ(file.host->value, "studio");
    EXPECT_EQ(file.host->source, kPath + ": line 1: host");
    ASSERT_EQ(file.hosts.size(), 5U);
    EXPECT_EQ(option(file, "studio", "--host"), "10.0.0.5:7341");
    EXPECT_EQ(option(file, "studio", "--token-file"), "/home/ada/.config/rtactl/studio.token");
    EXPECT_EQ(option(file, "studio", "--tls-fingerprint"), kFingerprint);
    EXPECT_EQ(option(file, "studio", "--timeout"), "2s");
    EXPECT_EQ(option(file, "studio", "--tls"), "-");
    EXPECT_EQ(option(file, "lobby.lan", "--host"), "lobby.lan") << "the name, as in the configuration of ssh";
    EXPECT_EQ(option(file, "lobby.lan", "--tls-ca"), "/etc/ca.pem");
    EXPECT_EQ(option(file, "lobby.lan", "--timeout"), "3");
    EXPECT_EQ(option(file, "here", "--host"), "/run/rtad/control.sock");
    EXPECT_EQ(option(file, "proxy", "--tls"), "");
    EXPECT_EQ(option(file, "plain", "--tls"), "-");
    EXPECT_EQ(file.find("stud"), nullptr);
    EXPECT_FALSE(good("").host);
    EXPECT_TRUE(good("# nothing\n[hosts]\n").hosts.empty());
}

TEST(ConfigFile, AcceptsUnderscoresInKeys) {
    const ConfigFile file = good("[hosts.a]\ntls_ca = \"ca.pem\"\ntoken_file = \"t\"\n");
    EXPECT_EQ(option(file, "a", "--tls-ca"), "/home/ada/.config/rtactl/ca.pem");
    EXPECT_EQ(option(file, "a", "--token-file"), "/home/ada/.config/rtactl/t");
    EXPECT_EQ(refusal("[hosts.a]\ntls_ca = \"x\"\ntls-ca = \"y\"\n"), "line 3: tls-ca is given twice");
}

TEST(ConfigFile, PathsMayStartAtTheHomeFolder) {
    const Variable home{"HOME", "/home/grace"};
    const ConfigFile file = good(
        "[hosts.a]\naddress = \"~/s.sock\"\ntoken-file = \"~/t\"\n"
        "[hosts.b]\naddress = \"./s.sock\"\ntoken-file = \"x~/t\"\n");
    EXPECT_EQ(option(file, "a", "--host"), "/home/grace/s.sock");
    EXPECT_EQ(option(file, "a", "--token-file"), "/home/grace/t");
    EXPECT_EQ(option(file, "b", "--host"), "/home/ada/.config/rtactl/./s.sock");
    EXPECT_EQ(option(file, "b", "--token-file"), "/home/ada/.config/rtactl/x~/t");
}

TEST(ConfigFile, EveryOptionOfTheConnectionIsAKey) {
    for (const std::string_view key : rtactl::host_keys()) {
        const rtactl::Option* const named = find_option(rtactl::global_options(), "--" + std::string{key});
        const bool is_flag = named != nullptr && named->value_name.empty();
        const std::string wrong = "[hosts.a]\n" + std::string{key} + " = " + (is_flag ? "\"true\"" : "true") + "\n";
        EXPECT_EQ(refusal(wrong),
                  "line 2: " + std::string{key} + (is_flag ? ": expected true or false" : ": expected text in quotes"));
        const std::string empty = "[hosts.a]\n" + std::string{key} + " = \"\"\n";
        if (!is_flag) {
            EXPECT_EQ(refusal(empty), "line 2: " + std::string{key} + " is empty; remove the key to use the default");
        }
    }
    EXPECT_EQ(rtactl::host_keys().size(), 8U)
        << "address, tls, tls-ca, tls-fingerprint, tls-cert, tls-key, token-file, timeout";
}

TEST(ConfigFile, ErrorsNameLineKeyAndWhatIsAccepted) {
    EXPECT_EQ(refusal("\nhots = \"a\""),
              "line 2: unknown key \"hots\" (did you mean \"host\"?); expected one of: host, hosts");
    EXPECT_EQ(refusal("[host.a]\n"), "line 1: unknown table \"host\" (did you mean \"hosts\"?); expected hosts");
    EXPECT_EQ(refusal("hosts = \"a\""),
              "line 1: hosts is not a key: expected a table for each host, such as [hosts.studio]");
    EXPECT_EQ(refusal("[hosts]\nstudio = \"10.0.0.5\"\n"),
              "line 2: unexpected key \"studio\" in [hosts]: expected a table for each host, such as [hosts.studio]");
    EXPECT_EQ(refusal("[hosts.studio.lan]\n"),
              "line 1: unexpected table \"lan\" in the host \"studio\": a name with a dot must be in quotes, such as "
              "[hosts.\"studio.lan\"]");
    EXPECT_TRUE(refusal("[[hosts]]\n").starts_with("line 1: unexpected table \"hosts\": lists of tables"));
    const std::string keys =
        "expected one of: address, tls, tls-ca, tls-fingerprint, tls-cert, tls-key, token-file, timeout";
    EXPECT_EQ(refusal("[hosts.a]\naddres = \"x\"\n"),
              "line 2: unknown key \"addres\" (did you mean \"address\"?); " + keys);
    EXPECT_EQ(refusal("[hosts.a]\ntoken = \"rtad_secret\"\n"),
              "line 2: unknown key \"token\" (did you mean \"token-file\"?); " + keys);
    for (const char* const key : {"json", "help", "host", "socket", "--tls", "version"}) {
        const std::string text = "[hosts.a]\n\"" + std::string{key} + "\" = \"x\"\n";
        EXPECT_TRUE(has(refusal(text), "line 2: unknown key \"" + std::string{key} + "\"")) << refusal(text);
    }
    EXPECT_EQ(
        refusal("[hosts.a]\ntls-fingerprint = \"SHA256:x\"\n"),
        "line 2: tls-fingerprint: invalid fingerprint \"SHA256:x\": expected SHA256: and 43 characters of base64, as "
        "`rtad` logs at start");
    EXPECT_EQ(refusal("[hosts.a]\naddress = 7340\n"), "line 2: address: expected text in quotes");
    EXPECT_EQ(refusal("[hosts.a]\naddress = [\"a\"]\n"), "line 2: address: expected text in quotes");
    EXPECT_EQ(refusal("[hosts.a]\naddress = a\n").substr(0, 16), "line 2, column 1");
    EXPECT_TRUE(has(refusal("[hosts.a]\naddress = studio\n"), "text must be in quotes"));
    EXPECT_TRUE(has(refusal("[hosts.a]\n[hosts.a]\n"), "line 2, column "));
}

TEST(ConfigFile, ChecksTheEndsOfRanges) {
    for (const char* const port : {"1", "65535"}) {
        EXPECT_EQ(option(good("[hosts.a]\naddress = \"b:" + std::string{port} + "\"\n"), "a", "--host"),
                  "b:" + std::string{port});
    }
    for (const char* const address : {"b:0", "b:65536", "b:", ":80", "[::1", "a b", "b:-1"}) {
        const std::string text = "[hosts.a]\naddress = \"" + std::string{address} + "\"\n";
        EXPECT_TRUE(refusal(text).starts_with("line 2: address: invalid address \"")) << refusal(text);
        EXPECT_TRUE(has(refusal(text), "; expected HOST, HOST:PORT or [IPV6]:PORT, or the path of a socket"));
        const std::string top = "host = \"" + std::string{address} + "\"\n";
        EXPECT_TRUE(refusal(top).starts_with("line 1: host: invalid address \"")) << refusal(top);
    }
    for (const char* const timeout : {"\"1ms\"", "\"86400s\"", "0.001", "86400", "\"5\""}) {
        EXPECT_NE(option(good("[hosts.a]\ntimeout = " + std::string{timeout} + "\n"), "a", "--timeout"), "-");
    }
    for (const char* const timeout :
         {"\"0.9ms\"", "\"86401s\"", "0", "-1", "inf", "nan", "86401", "\"x\"", "\"5 dB\""}) {
        const std::string text = "[hosts.a]\ntimeout = " + std::string{timeout} + "\n";
        EXPECT_TRUE(refusal(text).starts_with("line 2: timeout: ")) << refusal(text);
    }
    const std::string longest(255, 'x');
    EXPECT_NE(good("[hosts." + longest + "]\n").find(longest), nullptr);
    for (const std::string& name :
         {longest + "x", std::string{"a b"}, std::string{"-a"}, std::string{}, std::string{"a:1"}, std::string{"a/b"},
          std::string{"\xC3\xA9"}, std::string{"a*"}}) {
        const std::string text = "[hosts.\"" + name + "\"]\naddress = \"a\"\n";
        EXPECT_TRUE(refusal(text).starts_with("line 1: invalid name of a host, \"")) << refusal(text);
        EXPECT_TRUE(has(refusal(text), "expected letters, digits, '.', '_' and '-'"));
    }
}

TEST(ConfigFile, OptionsOfOneHostMustFit) {
    EXPECT_EQ(refusal("[hosts.a]\ntls-ca = \"/c\"\ntls-fingerprint = \"" + kFingerprint + "\"\n"),
              "line 2: tls-ca and " + kPath + ": line 3: tls-fingerprint exclude each other");
    EXPECT_EQ(refusal("[hosts.a]\ntls-cert = \"a.pem\"\n"), "line 2: tls-cert requires tls-key, too");
    EXPECT_EQ(refusal("[hosts.a]\n\ntls_key = \"a.key\"\n"), "line 3: tls_key requires tls-cert, too");
    EXPECT_EQ(refusal("[hosts.a]\naddress = \"/run/s\"\ntls-cert = \"c\"\ntls-key = \"k\"\n"),
              "line 3: tls-cert requires a TCP address, but \"/run/s\" is the path of a Unix socket");
    EXPECT_EQ(refusal("[hosts.a]\naddress = \"/run/s\"\ntls = true\n"),
              "line 3: tls requires a TCP address, but \"/run/s\" is the path of a Unix socket");
}

TEST(ConfigFile, TheDocumentationIsRight) {
    const std::string page = read_text(RTA_TEST_REMOTE_PAGE);
    const std::size_t begin = page.find("```toml\n") + 8;
    const ConfigFile file = good(page.substr(begin, page.find("```", begin) - begin));
    EXPECT_EQ(file.hosts.size(), 3U);
    EXPECT_EQ(option(file, "studio", "--token-file"), "/home/ada/.config/rtactl/desk.token");
    for (const std::string_view key : rtactl::host_keys()) EXPECT_TRUE(has(page, "`" + std::string{key} + "`")) << key;
}

TEST(ConfigFile, AnErrorDoesNotRepeatAToken) {
    const std::string token = "rtad_" + std::string(43, 'A');
    const std::string refused = refusal("[hosts.a]\ntoken-file = \"" + token + "\"\n");
    EXPECT_EQ(refused, "line 2: token-file: expected the path of a file with the token");
}

TEST(ConfigFile, ReadsOrRefusesWhatIsLeftOfAFileAfterAnyDamage) {
    const std::string text =
        "host = \"a\"\n[hosts.a]\naddress = \"10.0.0.5:7340\"\ntoken-file = 't'\ntls = true\ntls-fingerprint = \"" +
        kFingerprint + "\"\n[hosts.\"b.c\"]\ntimeout = 2\n";
    std::mt19937 random{1};
    std::size_t accepted = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string damaged = text;
        for (auto left = 1 + random() % 4; left > 0; --left) {
            const std::size_t at = random() % damaged.size();
            switch (random() % 3) {
                case 0:
                    damaged[at] = static_cast<char>(random() % 256);
                    break;
                case 1:
                    damaged.erase(at, 1 + random() % 9);
                    break;
                default:
                    damaged.insert(at, damaged.substr(random() % damaged.size(), random() % 30));
            }
            if (damaged.empty()) damaged = "#";
        }
        const auto file = parse_config_file(damaged, kPath);
        if (!file) {
            EXPECT_TRUE(file.error().sentence.starts_with(kPath + ": ")) << damaged;
            EXPECT_LT(file.error().sentence.size(), 1'000U) << file.error().sentence;
            continue;
        }
        ++accepted;
        for (const rtactl::NamedHost& host : file->hosts) {
            const auto options = read_given(host.options);
            ASSERT_TRUE(options) << damaged;
            EXPECT_EQ(options->endpoints.size(), 1U);
            EXPECT_TRUE(options->token_file.empty() || options->token_file.starts_with('/')) << options->token_file;
        }
    }
    EXPECT_GT(accepted, 100U);
    EXPECT_LT(accepted, 19'000U);
    for (std::size_t length = 0; length <= text.size(); ++length) {
        static_cast<void>(parse_config_file(text.substr(0, length), kPath));
    }
}

/// A folder of configurations, and what rtactl makes of it.
class HostsByName : public testing::Test {
 protected:
    void write(const std::string& text, mode_t mode = 0644) const {
        std::filesystem::create_directories(folder_ / "rtactl");
        write_text(path(), text);
        EXPECT_EQ(::chmod(path().c_str(), mode), 0);
    }
    [[nodiscard]] std::string path() const { return folder_ / "rtactl/config.toml"; }
    /// Returns the options of the context, or the error in the token file.
    [[nodiscard]] static ContextOptions options(std::map<std::string, std::string, std::less<>> globals) {
        rtactl::Arguments arguments;
        arguments.options = std::move(globals);
        auto read = context_options(arguments);
        if (read) return std::move(*read);
        ContextOptions failed;
        failed.token_file = read.error().sentence;
        return failed;
    }
    [[nodiscard]] static std::string address(const ContextOptions& options) {
        if (options.endpoints.empty()) return options.token_file;
        return options.endpoints.size() == 1 ? client::to_string(options.endpoints.front()) : "this machine";
    }

    TemporaryDirectory folder_;
    Variable configuration_{"XDG_CONFIG_HOME", folder_.path()};
    Variable host_{"RTACTL_HOST", ""};
    Variable token_{"RTACTL_TOKEN_FILE", ""};
};

TEST_F(HostsByName, WithoutAFileNothingChanges) {
    EXPECT_EQ(address(options({})), "this machine");
    EXPECT_EQ(address(options({{"--host", "studio"}})), "studio:7340");
    write("");
    EXPECT_EQ(address(options({})), "this machine");
    const Variable no_folder{"XDG_CONFIG_HOME", "/dev/null"};
    EXPECT_EQ(address(options({})), "this machine");
}

TEST_F(HostsByName, ARelativeFolderInTheEnvironmentIsIgnored) {
    EXPECT_EQ(rtactl::default_config_file(), path());
    const Variable home{"HOME", "/home/ada"};
    const Variable relative{"XDG_CONFIG_HOME", "relative"};
    EXPECT_EQ(rtactl::default_config_file(), "/home/ada/.config/rtactl/config.toml");
    EXPECT_EQ(client::default_known_hosts_file(), "/home/ada/.config/rtactl/known_hosts");
}

TEST_F(HostsByName, AreUsedByHostAndByTheEnvironment) {
    write("[hosts.studio]\naddress = \"10.0.0.5:7341\"\ntoken-file = \"s\"\ntls-ca = \"/c\"\ntimeout = 2\n");
    const auto check = [&](const ContextOptions& used) {
        EXPECT_EQ(address(used), "10.0.0.5:7341");
        EXPECT_EQ(used.token_file, (folder_ / "rtactl/s").string());
        EXPECT_EQ(used.tls.ca_file, "/c");
        EXPECT_EQ(used.timeout, std::chrono::seconds{2});
    };
    check(options({{"--host", "studio"}}));
    {
        const Variable host{"RTACTL_HOST", "studio"};
        check(options({}));
        EXPECT_EQ(address(options({{"--host", "lobby"}})), "lobby:7340");
        EXPECT_EQ(address(options({{"--socket", "/s"}})), "/s");
    }
    const ContextOptions other = options({{"--host", "10.0.0.5:7341"}});
    EXPECT_EQ(other.token_file, "") << "an address is not a name";
    EXPECT_EQ(address(options({})), "this machine");
}

TEST_F(HostsByName, ThePortMayBeAnotherOne) {
    write(
        "[hosts.studio]\naddress = \"10.0.0.5:7341\"\ntoken-file = \"/s\"\n[hosts.here]\naddress = \"/run/s\"\n[hosts.\"a.b\"]\ntoken-file = \"/t\"\n");
    EXPECT_EQ(address(options({{"--host", "studio:80"}})), "10.0.0.5:80");
    EXPECT_EQ(options({{"--host", "studio:80"}}).token_file, "/s");
    EXPECT_EQ(address(options({{"--host", "a.b:7340"}})), "a.b:7340");
    EXPECT_EQ(options({{"--host", "a.b:7340"}}).token_file, "/t");
    EXPECT_EQ(address(options({{"--host", "here"}})), "/run/s");
    EXPECT_EQ(address(options({{"--host", "here:80"}})),
              "--host: a Unix socket has no port; " + path() + ": line 5: address is a path");
}

TEST_F(HostsByName, TheFileMayNameTheHostToUse) {
    write("host = \"studio\"\n[hosts.studio]\naddress = \"10.0.0.5\"\n");
    EXPECT_EQ(address(options({})), "10.0.0.5:7340");
    EXPECT_EQ(address(options({{"--host", "localhost"}})), "localhost:7340");
    EXPECT_EQ(address(options({{"--socket", "/s"}})), "/s");
    const Variable host{"RTACTL_HOST", "/t"};
    EXPECT_EQ(address(options({})), "/t");
    const Variable none{"RTACTL_HOST", ""};
    write("host = \"/u\"\n");
    EXPECT_EQ(address(options({})), "/u");
}

TEST_F(HostsByName, GivenOptionsHavePriority) {
    write("[hosts.studio]\ntoken-file = \"/s\"\ntls-ca = \"/c\"\ntimeout = 2\n");
    const ContextOptions given = options(
        {{"--host", "studio"}, {"--token-file", "/x"}, {"--tls-fingerprint", kFingerprint}, {"--timeout", "5"}});
    EXPECT_EQ(given.token_file, "/x");
    EXPECT_EQ(given.tls.fingerprint, kFingerprint);
    EXPECT_EQ(given.tls.ca_file, "") << "the fingerprint replaces the authority";
    EXPECT_EQ(given.timeout, std::chrono::seconds{5});
    // The variable is for all hosts; the token of a host must not be replaced by that of another one.
    const Variable token{"RTACTL_TOKEN_FILE", "/e"};
    EXPECT_EQ(options({{"--host", "studio"}}).token_file, "/s");
    EXPECT_EQ(options({{"--host", "lobby"}}).token_file, "/e");
}

TEST_F(HostsByName, MayHaveACertificateInsteadOfAToken) {
    write(
        "[hosts.studio]\ntls-cert = \"ada.pem\"\ntls-key = \"~/ada.key\"\n"
        "[hosts.lobby]\ntoken-file = \"/t\"\n");
    const Variable home{"HOME", "/home/ada"};
    const ContextOptions studio = options({{"--host", "studio"}});
    EXPECT_EQ(studio.tls.certificate_file, (folder_ / "rtactl/ada.pem").string());
    EXPECT_EQ(studio.tls.key_file, "/home/ada/ada.key");
    EXPECT_TRUE(studio.tls.on_loopback);
    EXPECT_EQ(options({{"--host", "lobby"}}).tls.certificate_file, "");
    // The daemon would use the token, not the certificate.
    const Variable token{"RTACTL_TOKEN_FILE", "/e"};
    EXPECT_EQ(options({{"--host", "studio"}}).token_file, "");
    EXPECT_EQ(options({{"--host", "other"}, {"--tls-cert", "c"}, {"--tls-key", "k"}}).token_file, "");
    EXPECT_EQ(options({{"--host", "studio"}, {"--token-file", "/x"}}).token_file, "/x");
    const ContextOptions given = options({{"--host", "lobby"}, {"--tls-cert", "c"}, {"--tls-key", "k"}});
    EXPECT_EQ(given.tls.certificate_file, "c");
    EXPECT_EQ(given.tls.key_file, "k");
    EXPECT_EQ(given.token_file, "") << "the certificate replaces the token of the host";
    // Never the certificate of one and the key of the other.
    EXPECT_EQ(address(options({{"--host", "studio"}, {"--tls-key", "k"}})), "--tls-key requires --tls-cert, too");
    EXPECT_EQ(address(options({{"--host", "studio"}, {"--tls-cert", "c"}})), "--tls-cert requires --tls-key, too");
    EXPECT_EQ(address(options({{"--host", "studio"}, {"--tls-cert", ""}, {"--tls-key", "k"}})),
              "--tls-cert: empty path");
    EXPECT_EQ(address(options({{"--tls-cert", "c"}, {"--tls-key", "k"}})), "--tls-cert requires --host");
}

TEST_F(HostsByName, AFileThatOthersMayWriteIsRefused) {
    for (const mode_t mode : {0664U, 0646U, 0622U}) {
        write("[hosts.studio]\n", mode);
        EXPECT_EQ(address(options({})),
                  "other users may change the configuration " + path() + ": expected mode 0644 or less; see chmod(1)");
    }
    for (const mode_t mode : {0644U, 0600U, 0444U}) {
        write("[hosts.studio]\n", 0600);
        EXPECT_EQ(::chmod(path().c_str(), mode), 0);
        EXPECT_EQ(address(options({})), "this machine");
    }
    if (::getuid() != 0) return;
    EXPECT_EQ(::chown(path().c_str(), 12'345, 12'345), 0);
    EXPECT_EQ(address(options({})),
              "the configuration " + path() + " belongs to another user: expected one of yours, or of root");
}

TEST_F(HostsByName, AFileThatCannotBeReadIsRefused) {
    std::filesystem::create_directories(path());
    EXPECT_EQ(address(options({})), "cannot read the configuration " + path() + ": not a regular file");
    std::filesystem::remove(path());
    ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
    EXPECT_EQ(address(options({})), "cannot read the configuration " + path() + ": not a regular file");
    std::filesystem::remove(path());
    write(std::string(rta::kLongestTomlBytes + 1, '#'));
    EXPECT_EQ(address(options({})), "cannot read the configuration " + path() + ": File too large");
}

TEST_F(HostsByName, ReachTheDaemonOfTheirAddress) {
    FakeRtad rtad;
    write("host = \"studio\"\n[hosts.studio]\naddress = \"" + to_string(rtad.daemon().endpoint()) + "\"\n");
    EXPECT_TRUE(has(run_rtactl({"status"}).out, "rtad 9.9.9"));
    EXPECT_TRUE(has(run_rtactl({"--host", "studio", "status"}).out, "rtad 9.9.9"));
    const Outcome similar = run_rtactl({"--host", "127.0.0.1:1", "status"});
    EXPECT_FALSE(has(similar.err, "did you mean")) << similar.err;
    const Outcome misspelled = run_rtactl({"--host", "studoi.invalid", "status"});
    EXPECT_EQ(misspelled.exit, Exit::cannot_connect);
    EXPECT_FALSE(has(misspelled.err, "did you mean")) << misspelled.err;
    write("[hosts.\"localhst\"]\n");
    const Outcome meant = run_rtactl({"--host", "localhost:1", "status"});
    EXPECT_TRUE(has(meant.err, "did you mean the host \"localhst\" of the configuration file?")) << meant.err;
}

TEST_F(HostsByName, AWrongFileStopsNeitherHelpNorCompletionScripts) {
    write("nonsense");
    const Outcome refused = run_rtactl({"list"});
    EXPECT_EQ(refused.exit, Exit::usage);
    EXPECT_TRUE(has(refused.err, path() + ": line 1, column ")) << refused.err;
    EXPECT_EQ(run_rtactl({"--help"}).exit, Exit::done);
    EXPECT_EQ(run_rtactl({"list", "--help"}).exit, Exit::done);
    EXPECT_EQ(run_rtactl({"help", "list"}).exit, Exit::done);
    EXPECT_EQ(run_rtactl({"completion", "bash"}).exit, Exit::done);
    EXPECT_EQ(run_rtactl({"--socket", "/nonexistent/s", "list"}).exit, Exit::cannot_connect);
    EXPECT_EQ(run_rtactl({"complete", "--", "--host", ""}).out, "");
}

TEST_F(HostsByName, AreCompleted) {
    write("[hosts.studio]\naddress = \"10.0.0.5:7341\"\n[hosts.stage]\n[hosts.lobby]\n");
    EXPECT_EQ(run_rtactl({"complete", "--", "--host", "st"}).out, "words\nstage \tstage\nstudio \t10.0.0.5:7341\n");
    EXPECT_EQ(run_rtactl({"complete", "--", "list", "--host=l"}).out, "words\n--host=lobby \tlobby\n");
    EXPECT_EQ(run_rtactl({"complete", "--", "--host=x"}).out, "words\n");
}

TEST_F(HostsByName, AreExplainedByTheHelp) {
    const std::string help = run_rtactl({"--help"}).out;
    EXPECT_TRUE(has(help, "rtactl/config.toml"));
    for (const std::string_view key : rtactl::host_keys()) EXPECT_TRUE(has(help, key)) << key;
}

}  // namespace
}  // namespace rta::test
