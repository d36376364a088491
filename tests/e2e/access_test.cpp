// SPDX-License-Identifier: MIT
// Who may do what with a running rtad: roles, access tokens, and users of the Unix socket.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <regex>
#include <string>
#include <vector>

#include "support/daemon.h"

namespace rta::test {
namespace {

namespace fs = std::filesystem;

constexpr int kNotAllowed = 4;

class AccessTest : public testing::Test {
 protected:
    [[nodiscard]] Daemon::Options options(std::vector<std::string> more = {}) const {
        Daemon::Options result{.arguments = {"--device", "null", "--state-dir", state_, "--log-level", "debug"}};
        result.arguments.insert(result.arguments.end(), more.begin(), more.end());
        return result;
    }
    /// Creates a token with `rtactl token new`, and returns its text.
    static std::string create(const Daemon& daemon, std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), {"token", "new"});
        const RunResult made = daemon.ctl(arguments);
        EXPECT_EQ(made.status.code, 0) << made.error;
        EXPECT_EQ(made.error, "");
        EXPECT_TRUE(std::regex_match(made.output, std::regex{"rtad_[A-Za-z0-9_-]{43}\n"})) << made.output;
        return made.output.substr(0, 48);
    }
    /// Writes a file that only its user may read, and returns its path.
    [[nodiscard]] std::string secret_file(const std::string& token, mode_t mode = 0600) const {
        const std::string path = folder_ / "secret";
        write_text(path, token + "\n");
        EXPECT_EQ(::chmod(path.c_str(), mode), 0);
        return path;
    }
    /// Runs rtactl over TCP.
    static RunResult tcp_ctl(const Daemon& daemon, std::vector<std::string> arguments,
                             const std::map<std::string, std::string>& environment = {}) {
        arguments.insert(arguments.begin(), {"--host", "127.0.0.1:" + std::to_string(daemon.port())});
        return run({rtactl_program().string(), std::move(arguments), environment});
    }
    RunResult offline(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), "token");
        arguments.insert(arguments.end(), {"--state-dir", state_});
        return run_rtad(std::move(arguments));
    }

    TemporaryDirectory folder_;
    const std::string state_ = folder_ / "state";
};

TEST_F(AccessTest, WithoutATokenTcpMayControlButNotAdministrate) {
    const Daemon daemon{options()};
    EXPECT_EQ(tcp_ctl(daemon, {"play", "sine:gain_db=-90"}).status.code, 0);
    const RunResult refused = tcp_ctl(daemon, {"device", "set", "null"});
    EXPECT_EQ(refused.status.code, kNotAllowed);
    EXPECT_EQ(refused.error, "rtactl: set_device needs the role admin; this client has the role control (loopback)\n");
    EXPECT_EQ(tcp_ctl(daemon, {"token", "new", "--role", "admin", "mine"}).status.code, kNotAllowed);
    EXPECT_EQ(tcp_ctl(daemon, {"token", "list"}).status.code, kNotAllowed);
    EXPECT_EQ(daemon.ctl({"device", "set", "null"}).status.code, 0);
}

TEST_F(AccessTest, ATokenOpensTcpWithItsRole) {
    const Daemon daemon{options()};
    const std::string token = create(daemon, {"--role", "read", "wall", "--expires", "30d"});
    const RunResult without = tcp_ctl(daemon, {"list"});
    EXPECT_EQ(without.status.code, kNotAllowed);
    EXPECT_NE(without.error.find("an access token is required on TCP"), std::string::npos) << without.error;
    EXPECT_EQ(daemon.ctl({"list"}).status.code, 0) << "the Unix socket needs no token";

    const std::string file = secret_file(token);
    EXPECT_EQ(tcp_ctl(daemon, {"--token-file", file, "list"}).status.code, 0);
    EXPECT_EQ(tcp_ctl(daemon, {"list"}, {{"RTACTL_TOKEN_FILE", file}}).status.code, 0);
    const RunResult denied = tcp_ctl(daemon, {"--token-file", file, "play", "sine"});
    EXPECT_EQ(denied.status.code, kNotAllowed);
    EXPECT_NE(denied.error.find("this client has the role read (wall)"), std::string::npos) << denied.error;

    std::string wrong = token;
    wrong[10] = wrong[10] == 'A' ? 'B' : 'A';
    const RunResult refused = tcp_ctl(daemon, {"--token-file", secret_file(wrong), "list"});
    EXPECT_EQ(refused.status.code, kNotAllowed);
    EXPECT_NE(refused.error.find("unknown access token"), std::string::npos) << refused.error;

    const RunResult list = daemon.ctl({"token", "list"});
    EXPECT_TRUE(std::regex_search(list.output, std::regex{R"(wall +read +0 +\S+Z +\S+Z\n)"})) << list.output;
}

TEST_F(AccessTest, ATokenFileThatOthersMayReadIsNotUsed) {
    const Daemon daemon{options()};
    const std::string file = secret_file(create(daemon, {"--role", "read", "wall"}), 0640);
    const RunResult refused = tcp_ctl(daemon, {"--token-file", file, "list"});
    EXPECT_EQ(refused.status.code, 2);
    EXPECT_NE(refused.error.find("other users may access the token file"), std::string::npos) << refused.error;
    EXPECT_EQ(tcp_ctl(daemon, {"--token-file", folder_ / "missing", "list"}).status.code, 2);
    const RunResult other = tcp_ctl(daemon, {"--token-file", secret_file("my password"), "list"});
    EXPECT_EQ(other.status.code, 2);
    EXPECT_EQ(other.error.find("my password"), std::string::npos) << other.error;
}

TEST_F(AccessTest, ARevocationEndsSessionsImmediatelyAndSurvivesAKill) {
    std::string file;
    {
        Daemon daemon{options()};
        file = secret_file(create(daemon, {"--role", "control", "desk"}));
        const std::string keep = create(daemon, {"--role", "read", "keep"});
        Process watch{{rtactl_program().string(),
                       {"--host", "127.0.0.1:" + std::to_string(daemon.port()), "--token-file", file, "watch"}}};
        // Its subscription is complete when it prints the first event; the volume is changed until then.
        std::optional<std::string> line;
        for (int i = 0; !line && i < 600; ++i) {
            EXPECT_EQ(daemon.ctl({"volume", std::to_string(-1 - i % 2) + "dB"}).status.code, 0);
            line = watch.wait_for_line(Process::Stream::output, "volume", std::chrono::milliseconds{100});
        }
        ASSERT_TRUE(line);
        EXPECT_NE(line->find(" by uid " + std::to_string(::geteuid()) + " (\"rtactl\")"), std::string::npos) << *line;
        const RunResult revoked = daemon.ctl({"token", "revoke", "desk"});
        EXPECT_EQ(revoked.output, "revoked desk, disconnected 1 client\n") << revoked.error;
        EXPECT_EQ(watch.wait(), (ExitStatus{.code = kNotAllowed}));
        EXPECT_NE(watch.error().find("the access token \"desk\" was revoked"), std::string::npos) << watch.error();
        static_cast<void>(daemon.process().kill());
    }
    const Daemon daemon{options()};
    EXPECT_EQ(tcp_ctl(daemon, {"--token-file", file, "list"}).status.code, kNotAllowed);
    const RunResult list = daemon.ctl({"token", "list"});
    EXPECT_NE(list.output.find("keep"), std::string::npos) << list.output;
    EXPECT_EQ(list.output.find("desk"), std::string::npos) << list.output;
}

TEST_F(AccessTest, AnExpiryEndsSessions) {
    const Daemon daemon{options()};
    const std::string file = secret_file(create(daemon, {"--role", "read", "guest", "--expires", "1s"}));
    const RunResult watch = tcp_ctl(daemon, {"--token-file", file, "watch"});
    EXPECT_EQ(watch.status.code, kNotAllowed);
    EXPECT_NE(watch.error.find("the access token \"guest\" expired at"), std::string::npos) << watch.error;
    // An expired token still closes TCP.
    EXPECT_EQ(tcp_ctl(daemon, {"list"}).status.code, kNotAllowed);
    EXPECT_NE(daemon.ctl({"token", "list"}).output.find("(expired)"), std::string::npos);
}

TEST_F(AccessTest, TokensAreCreatedAndRevokedOffline) {
    const RunResult made = offline({"new", "--role", "control", "desk"});
    ASSERT_EQ(made.status.code, 0) << made.error;
    EXPECT_TRUE(std::regex_match(made.output, std::regex{"rtad_[A-Za-z0-9_-]{43}\n"})) << made.output;
    struct stat status{};
    ASSERT_EQ(::stat((state_ + "/tokens").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
    EXPECT_EQ(offline({"new", "--role", "control", "desk"}).status.code, 2);
    EXPECT_EQ(offline({"new", "--role", "owner", "x"}).status.code, 2);
    EXPECT_EQ(offline({"new", "x"}).status.code, 2);
    EXPECT_EQ(offline({"revoke", "other"}).status.code, 2);
    EXPECT_TRUE(std::regex_search(offline({"list"}).output, std::regex{R"(desk  control  \S+Z  never\n)"}));
    EXPECT_EQ(run_rtad({"token", "list"}).status.code, 2) << "neither --tokens nor --state-dir";
    {
        const Daemon daemon{options()};
        const std::string file = secret_file(made.output.substr(0, 48));
        EXPECT_EQ(tcp_ctl(daemon, {"--token-file", file, "play", "sine:gain_db=-90"}).status.code, 0);
        const RunResult refused = offline({"revoke", "desk"});
        EXPECT_EQ(refused.status.code, 2);
        EXPECT_NE(refused.error.find("in use by a running rtad: change them with `rtactl token`"), std::string::npos)
            << refused.error;
        EXPECT_EQ(offline({"list"}).status.code, 0);
    }
    EXPECT_EQ(offline({"revoke", "desk"}).status.code, 0);
    const Daemon daemon{options()};
    EXPECT_EQ(tcp_ctl(daemon, {"list"}).status.code, 0) << "no token is left";
}

TEST_F(AccessTest, ATokenFileOfItsOwnWorksWithoutAStateDirectory) {
    const std::string path = folder_ / "my-tokens";
    ASSERT_EQ(run_rtad({"token", "new", "--role", "read", "wall", "--tokens", path}).status.code, 0);
    const Daemon daemon{{.arguments = {"--device", "null", "--tokens", path}}};
    EXPECT_EQ(tcp_ctl(daemon, {"list"}).status.code, kNotAllowed);
    create(daemon, {"--role", "control", "desk"});
    EXPECT_EQ(run_rtad({"token", "revoke", "wall", "--tokens", path}).status.code, 2);
    const RunResult second =
        run_rtad({"--device", "null", "--tokens", path, "--socket", folder_ / "second", "--listen", "127.0.0.1:0"});
    EXPECT_EQ(second.status.code, 2);
    EXPECT_NE(second.error.find("is in use by a running rtad"), std::string::npos) << second.error;
}

TEST_F(AccessTest, AFailureOfTheMachineIsNoUsageError) {
    const std::string configuration = folder_ / "openssl.cnf";
    write_text(configuration, "openssl_conf = a\n[a]\nrandom = b\n[b]\nrandom = no-such-generator\n");
    const RunResult failed = run_rtad({"token", "new", "--role", "read", "wall", "--tokens", folder_ / "my-tokens"},
                                      {{"OPENSSL_CONF", configuration}});
    EXPECT_EQ(failed.status.code, 1) << failed.error;
    EXPECT_NE(failed.error.find("random numbers"), std::string::npos) << failed.error;
    EXPECT_FALSE(std::filesystem::exists(folder_ / "my-tokens"));
}

TEST_F(AccessTest, WithoutATokenFileNoTokenIsCreated) {
    const Daemon daemon{{.arguments = {"--device", "null"}}};
    const RunResult refused = daemon.ctl({"token", "new", "--role", "read", "wall"});
    EXPECT_EQ(refused.status.code, 1);
    EXPECT_NE(refused.error.find("--state-dir DIR or --tokens FILE"), std::string::npos) << refused.error;
}

TEST_F(AccessTest, ADamagedTokenFilePreventsTheStart) {
    fs::create_directory(state_);
    for (const char* const damaged : {"", "rtad tokens 1\n", "{}\n"}) {
        write_text(state_ + "/tokens", damaged);
        const RunResult refused = run_rtad(
            {"--device", "null", "--state-dir", state_, "--socket", folder_ / "socket", "--listen", "127.0.0.1:0"});
        EXPECT_EQ(refused.status.code, 2) << refused.error;
        EXPECT_NE(refused.error.find("the token file " + state_ + "/tokens is damaged"), std::string::npos)
            << refused.error;
        EXPECT_EQ(refused.error.find("listening on"), std::string::npos) << refused.error;
        EXPECT_EQ(offline({"list"}).status.code, 2);
        EXPECT_EQ(offline({"new", "--role", "read", "x"}).status.code, 2);
        EXPECT_EQ(read_text(state_ + "/tokens"), damaged);
    }
}

TEST_F(AccessTest, NoSecretIsInALogAFileAProcessListOrAnAnswer) {
    Daemon daemon{options()};
    const std::string token = create(daemon, {"--role", "control", "desk"});
    std::string wrong = token;
    wrong[20] = wrong[20] == 'A' ? 'B' : 'A';
    ProtocolClient watcher = daemon.client();
    watcher.subscribe();
    EXPECT_EQ(tcp_ctl(daemon, {"--token-file", secret_file(wrong), "list"}).status.code, kNotAllowed);
    const std::string file = secret_file(token);
    Process watch{{rtactl_program().string(),
                   {"--host", "127.0.0.1:" + std::to_string(daemon.port()), "--token-file", file, "watch"}}};
    EXPECT_EQ(tcp_ctl(daemon, {"--token-file", file, "play", "sine:gain_db=-90"}).status.code, 0);
    const auto event = watcher.next_event();
    ASSERT_TRUE(event);
    EXPECT_EQ(event->graph_changed().author(), "desk");

    std::string seen = event->ShortDebugString() + daemon.ctl({"--json", "status"}).output +
                       daemon.ctl({"--json", "token", "list"}).output + read_text(state_ + "/tokens");
    for (const pid_t process : {daemon.process().pid(), watch.pid()}) {
        for (const char* const name : {"cmdline", "environ"})
            seen += read_text("/proc/" + std::to_string(process) + "/" + name);
    }
    EXPECT_EQ(daemon.stop(), ExitStatus{.code = 0});
    seen += daemon.process().output() + daemon.process().error();
    EXPECT_NE(daemon.process().error().find("access token desk (control) was created by uid "), std::string::npos);
    EXPECT_NE(daemon.process().error().find("refused a client from 127.0.0.1:"), std::string::npos);
    // Also no part of one: 12 of its characters do not occur by chance.
    for (const std::string& secret : {token, wrong}) {
        for (std::size_t at = 5; at + 12 <= secret.size(); ++at)
            ASSERT_EQ(seen.find(secret.substr(at, 12)), std::string::npos) << secret.substr(at, 12);
    }
}

TEST_F(AccessTest, AnotherUserOfTheSocketHasTheRoleControl) {
    if (::geteuid() != 0) GTEST_SKIP() << "not root";
    constexpr uid_t kOther = 65'534;
    const Daemon daemon{options()};
    ASSERT_EQ(::chmod(daemon.socket().parent_path().c_str(), 0711), 0);
    ASSERT_EQ(::chmod(daemon.socket().c_str(), 0666), 0);
    ASSERT_EQ(::seteuid(kOther), 0);
    ProtocolClient client = ProtocolClient::connect_unix(daemon.socket());
    ASSERT_EQ(::seteuid(0), 0);
    const v1::HelloResult hello = client.hello("root");  // the name does not matter
    EXPECT_EQ(hello.role(), "control");
    EXPECT_EQ(hello.author(), "uid 65534");
    const v1::HelloResult own = ProtocolClient::connect_unix(daemon.socket()).hello("nobody");
    EXPECT_EQ(own.role(), "admin");
    EXPECT_EQ(own.author(), "uid 0");
}

}  // namespace
}  // namespace rta::test
