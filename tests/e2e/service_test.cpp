// SPDX-License-Identifier: MIT
// rtad as a service, as far as this can be tested without a service manager: configuration, installation, messages
// to systemd and to the journal, and starting while another rtad runs or after one was killed.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <poll.h>
#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <set>
#include <stdexcept>

#include "recorded_daemon.h"

namespace rta::test {
namespace {

namespace fs = std::filesystem;

// ---- configuration

TEST(Configuration, IsReadAndTheCommandLineWins) {
    const TemporaryDirectory directory;
    const std::string config = (directory / "rtad.toml").string();
    write_text(config, "# two keys\ndevice = \"null\"\nblock-size = 256\nsample-rate = 44_100\n");
    Daemon daemon{{.arguments = {"--config", config, "--sample-rate", "96000"}}};
    const v1::StatusResult status = daemon.client().status();
    EXPECT_EQ(status.device().kind(), "null");
    EXPECT_EQ(status.engine().block_size_frames(), 256U);
    EXPECT_EQ(status.device().sample_rate_hz(), 96'000.0);
}

TEST(Configuration, ABadOneEndsTheStartWithItsLine) {
    const TemporaryDirectory directory;
    const std::string config = (directory / "rtad.toml").string();
    write_text(config, "device = \"null\"\nblok-size = 256\n");
    for (const std::vector<std::string>& command : {std::vector<std::string>{"--config", config}, {"check", config}}) {
        const RunResult refused = run_rtad(command);
        EXPECT_EQ(refused.status, (ExitStatus{2, 0}));
        EXPECT_EQ(refused.output, "");
        EXPECT_NE(refused.error.find("rtad.toml: line 2: unknown key \"blok-size\" (did you mean \"block-size\"?)"),
                  std::string::npos)
            << refused.error;
    }
}

TEST(Configuration, ItsGraphIsCheckedToo) {
    const TemporaryDirectory directory;
    const std::string config = (directory / "rtad.toml").string();
    const std::string graph = (directory / "g.json").string();
    write_text(config, "graph = \"" + graph + "\"\n");
    const auto refused_for = [&](const char* part) {
        const RunResult refused = run_rtad({"check", config});
        EXPECT_EQ(refused.status, (ExitStatus{2, 0}));
        EXPECT_NE(refused.error.find(graph), std::string::npos) << refused.error;
        EXPECT_NE(refused.error.find(part), std::string::npos) << refused.error;
    };
    refused_for("No such file");
    write_text(graph, R"({"nodes": [{"name": "a", "type": "theremin"}]})");
    refused_for("theremin");
    write_text(graph, R"({"nodes": [{"name": "a", "type": "gain"}], "connections": [{"from": "a", "to": "a"}]})");
    refused_for("cycle");
    write_text(graph, R"({"nodes": [{"name": "a", "type": "sine"}]})");
    EXPECT_EQ(run_rtad({"check", config}).status, (ExitStatus{0, 0}));
}

TEST(Configuration, TheShippedOneIsGood) {
    const RunResult checked = run_rtad({"check", RTA_TEST_CONFIG});
    EXPECT_EQ(checked.status, (ExitStatus{0, 0})) << checked.error;
    EXPECT_NE(checked.output.find("valid"), std::string::npos) << checked.output;
}

TEST(Check, ReadsStandardInputAndWaitsForNobodyElse) {
    const Command from_input{rtad_program().string(), {"check", "-"}};
    const RunResult good = run(from_input, R"({"nodes": [{"name": "a", "type": "sine"}]})");
    EXPECT_EQ(good.status, (ExitStatus{0, 0})) << good.error;
    EXPECT_NE(good.output.find("standard input: valid, 1 node, 0 connections"), std::string::npos) << good.output;
    const RunResult bad = run(from_input, "{\n oops");
    EXPECT_EQ(bad.status, (ExitStatus{2, 0}));
    EXPECT_NE(bad.error.find("standard input: line 2"), std::string::npos) << bad.error;

    const TemporaryDirectory directory;
    const std::string fifo = (directory / "fifo").string();
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    const RunResult waiting = run_rtad({"check", fifo});
    EXPECT_EQ(waiting.status, (ExitStatus{2, 0}));
    EXPECT_NE(waiting.error.find("not a regular file"), std::string::npos) << waiting.error;
}

// ---- next to and after another rtad

class Sockets : public testing::Test {
 protected:
    [[nodiscard]] std::vector<std::string> arguments(const std::string& listen = "127.0.0.1:0") const {
        return {"--device", "null", "--socket", socket_.string(), "--listen", listen};
    }
    TemporaryDirectory directory_;
    fs::path socket_ = directory_ / "control.sock";
};

TEST_F(Sockets, TheFileThatAKillLeftIsReplaced) {
    Process killed{{rtad_program().string(), arguments()}};
    ASSERT_TRUE(killed.wait_for_line(Process::Stream::error, "device: null")) << killed.error();
    killed.kill();
    ASSERT_TRUE(fs::exists(socket_)) << "otherwise this shows nothing";
    Process next{{rtad_program().string(), arguments()}};
    ASSERT_TRUE(next.wait_for_line(Process::Stream::error, "device: null")) << next.error();
    ProtocolClient client = ProtocolClient::connect_unix(socket_);
    client.hello();
    next.signal(SIGTERM);
    EXPECT_EQ(next.wait(), (ExitStatus{0, 0}));
    EXPECT_FALSE(fs::exists(socket_));
}

TEST_F(Sockets, ASecondDaemonIsRefusedAndTheFirstGoesOn) {
    Process first{{rtad_program().string(), arguments()}};
    ASSERT_TRUE(first.wait_for_line(Process::Stream::error, "device: null")) << first.error();
    ProtocolClient client = ProtocolClient::connect_unix(socket_);
    client.hello();
    client.apply_document(R"({"nodes": [{"name": "osc", "type": "sine"}]})");
    const RunResult second = run_rtad(arguments());
    EXPECT_EQ(second.status, (ExitStatus{2, 0})) << second.error;
    EXPECT_NE(second.error.find(socket_.string()), std::string::npos) << second.error;
    EXPECT_NE(second.error.find("another rtad"), std::string::npos) << second.error;
    client.set_parameter("osc", "frequency_hz", 441.0F);
    ProtocolClient another = ProtocolClient::connect_unix(socket_);
    another.hello();
    EXPECT_EQ(another.status().engine().node_count(), 1U);
}

TEST_F(Sockets, TwoDaemonsDoNotWriteOneRecording) {
    const std::string wav = (directory_ / "out.wav").string();
    Daemon first{{.arguments = {"--device", "null:" + wav}}};
    const RunResult second =
        run_rtad({"--device", "null:" + wav, "--socket", socket_.string(), "--listen", "127.0.0.1:0"});
    EXPECT_EQ(second.status, (ExitStatus{1, 0})) << second.error;
    EXPECT_NE(second.error.find(wav), std::string::npos) << second.error;
    EXPECT_NE(second.error.find("another"), std::string::npos) << second.error;
    ProtocolClient client = first.client();
    const Deadline deadline;
    while (client.status().engine().frame() < 9'600 && !deadline.passed()) ::usleep(10'000);
    EXPECT_EQ(first.stop(), (ExitStatus{0, 0}));
    EXPECT_GE(read_wav(wav).frames(), 9'600U) << "the first is not disturbed";
}

TEST_F(Sockets, AFolderThatIsLockedHangsNobody) {
    const os::UniqueFd folder{::open(directory_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    ASSERT_EQ(::flock(folder.get(), LOCK_EX), 0);
    const RunResult refused = run_rtad(arguments());
    EXPECT_EQ(refused.status, (ExitStatus{1, 0})) << "who locks it may be gone when it is tried again";
    EXPECT_NE(refused.error.find("another process has locked its folder " + directory_.path().string()),
              std::string::npos)
        << refused.error;
    ASSERT_EQ(::flock(folder.get(), LOCK_UN), 0);
    Process next{{rtad_program().string(), arguments()}};
    EXPECT_TRUE(next.wait_for_line(Process::Stream::error, "device: null")) << next.error();
}

TEST_F(Sockets, ARecordingThatFailsIsNoSuccess) {
    const std::string wav = (directory_ / "out.wav").string();
    std::vector<std::string> words{"-c",
                                   "ulimit -f 1; exec \"$0\" \"$@\"",
                                   rtad_program().string(),
                                   "--device",
                                   "null:" + wav,
                                   "--socket",
                                   socket_.string(),
                                   "--listen",
                                   "127.0.0.1:0"};
    Process limited{{"/bin/bash", std::move(words)}};
    ASSERT_TRUE(limited.wait_for_line(Process::Stream::error, "cannot write to the WAV file")) << limited.error();
    limited.signal(SIGTERM);
    EXPECT_EQ(limited.wait(), (ExitStatus{1, 0})) << limited.error();
}

TEST_F(Sockets, AServiceThatIsStartedAgainKeepsWhatItHasRecorded) {
    const fs::path wav = directory_ / "out.wav";
    const std::string recorded(1'000, 'r');
    const auto run_once = [&](const std::map<std::string, std::string>& environment) {
        write_text(wav, recorded);
        std::vector<std::string> words = arguments();
        words[1] = "null:" + wav.string();
        Process daemon{{rtad_program().string(), words, environment}};
        EXPECT_TRUE(daemon.wait_for_line(Process::Stream::error, "device: null")) << daemon.error();
        daemon.signal(SIGTERM);
        EXPECT_EQ(daemon.wait(), (ExitStatus{0, 0}));
        return daemon.error();
    };
    EXPECT_EQ(run_once({}).find("kept"), std::string::npos) << "a person who records again means it";
    EXPECT_FALSE(fs::exists(directory_ / "out.wav.kept-1"));
    const std::string log = run_once({{"NOTIFY_SOCKET", (directory_ / "notify").string()}});
    EXPECT_NE(log.find("was renamed to " + wav.string() + ".kept-1"), std::string::npos) << log;
    EXPECT_EQ(read_text(directory_ / "out.wav.kept-1"), recorded);
    EXPECT_GT(read_wav(wav).frames(), 0U);
}

TEST_F(Sockets, AnIgnoredHangupStaysIgnoredToTheEnd) {
    Process daemon{{"/bin/bash",
                    {"-c", "trap '' HUP; exec \"$0\" \"$@\"", rtad_program().string(), "--device", "null", "--socket",
                     socket_.string(), "--listen", "127.0.0.1:0"}}};
    ASSERT_TRUE(daemon.wait_for_line(Process::Stream::error, "device: null")) << daemon.error();
    daemon.signal(SIGTERM);
    // Ignored, as by nohup.
    while (daemon.running()) daemon.signal(SIGHUP);
    EXPECT_EQ(daemon.wait(), (ExitStatus{0, 0})) << daemon.error();
}

TEST_F(Sockets, TheServicesOwnFolderLetsTheGroupIn) {
    const auto mode_with = [&](const std::map<std::string, std::string>& environment) {
        Process daemon{{rtad_program().string(), arguments(), environment}};
        EXPECT_TRUE(daemon.wait_for_line(Process::Stream::error, "device: null")) << daemon.error();
        struct stat status{};
        EXPECT_EQ(::stat(socket_.c_str(), &status), 0);
        daemon.signal(SIGTERM);
        EXPECT_EQ(daemon.wait(), (ExitStatus{0, 0}));
        return status.st_mode & 07777U;
    };
    EXPECT_EQ(mode_with({{"RUNTIME_DIRECTORY", directory_.path().string()}}), 0660U);
    EXPECT_EQ(mode_with({{"RUNTIME_DIRECTORY", ""}}), 0600U);
    EXPECT_EQ(mode_with({{"RUNTIME_DIRECTORY", "/run/elsewhere"}}), 0600U);
}

TEST_F(Sockets, WithoutTcpThereIsTheSocketAlone) {
    const std::string config = (directory_ / "rtad.toml").string();
    write_text(config, "listen = []\ndevice = \"null\"\nsocket = \"" + socket_.string() + "\"\n");
    Process daemon{{rtad_program().string(), {"--config", config}}};
    ASSERT_TRUE(daemon.wait_for_line(Process::Stream::error, "device: null")) << daemon.error();
    EXPECT_EQ(daemon.error().find("127.0.0.1"), std::string::npos) << daemon.error();
    ProtocolClient::connect_unix(socket_).hello();
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.wait(), (ExitStatus{0, 0}));
}

// ---- messages to systemd and the journal

/// systemd's end of NOTIFY_SOCKET.
class NotifySocket {
 public:
    explicit NotifySocket(const fs::path& path) : socket_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)} {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::ranges::copy(path.string(), address.sun_path);
        if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            throw std::runtime_error("cannot bind " + path.string());
        }
    }
    /// Returns the next message that begins with `begin`. Earlier messages are in seen().
    [[nodiscard]] std::optional<std::string> wait_for(std::string_view begin) {
        const Deadline deadline;
        while (true) {
            pollfd ready{.fd = socket_.get(), .events = POLLIN, .revents = 0};
            if (::poll(&ready, 1, static_cast<int>(deadline.left().count())) != 1) return std::nullopt;
            char buffer[4096];
            const ssize_t got = ::recv(socket_.get(), buffer, sizeof buffer, 0);
            if (got <= 0) return std::nullopt;
            seen_.emplace_back(buffer, static_cast<std::size_t>(got));
            if (seen_.back().starts_with(begin)) return seen_.back();
        }
    }
    [[nodiscard]] const std::vector<std::string>& seen() const { return seen_; }

 private:
    os::UniqueFd socket_;
    std::vector<std::string> seen_;
};

TEST(ServiceManager, IsToldOfTheWholeLife) {
    const TemporaryDirectory directory;
    NotifySocket notify{directory / "notify"};
    Daemon daemon{{.arguments = {"--device", "null"},
                   .environment = {{"NOTIFY_SOCKET", (directory / "notify").string()}, {"WATCHDOG_USEC", "400000"}}}};
    ASSERT_TRUE(notify.wait_for("READY=1"));
    EXPECT_EQ(notify.seen().size(), 1U) << "nothing before it";
    ProtocolClient client = daemon.client();
    EXPECT_GT(client.status().engine().frame(), 0U);
    for (int ping = 0; ping < 3; ++ping) ASSERT_TRUE(notify.wait_for("WATCHDOG=1"));
    client.apply(transaction({add_node("sine", "a"), add_node("sine", "b")}));
    const auto status = notify.wait_for("STATUS=null, 0 in, 2 out, 48000 Hz; revision 1, 2 nodes");
    EXPECT_TRUE(status);
    EXPECT_EQ(daemon.stop(), (ExitStatus{0, 0}));
    EXPECT_TRUE(notify.wait_for("STOPPING=1"));
}

TEST(ServiceManager, IsToldWhyTheGraphCannotBeSaved) {
    const TemporaryDirectory directory;
    NotifySocket notify{directory / "notify"};
    write_text(directory / "above", "in the way");
    Daemon daemon{{.arguments = {"--device", "null", "--state-dir", (directory / "above/state").string()},
                   .environment = {{"NOTIFY_SOCKET", (directory / "notify").string()}}}};
    const auto status = notify.wait_for("STATUS=");
    ASSERT_TRUE(status);
    EXPECT_NE(status->find("the state cannot be saved"), std::string::npos) << *status;
}

TEST(ServiceManager, IsToldWhyAStartFailed) {
    const TemporaryDirectory directory;
    NotifySocket notify{directory / "notify"};
    const RunResult failed = run_rtad(
        {"--device", "null:/no/such/folder/out.wav", "--socket", (directory / "s").string(), "--listen", "127.0.0.1:0"},
        {{"NOTIFY_SOCKET", (directory / "notify").string()}});
    EXPECT_EQ(failed.status, (ExitStatus{1, 0})) << failed.error;
    const auto status = notify.wait_for("STATUS=");
    ASSERT_TRUE(status);
    EXPECT_NE(status->find("/no/such/folder/out.wav"), std::string::npos) << *status;
    EXPECT_EQ(notify.seen().size(), 1U) << "it was never ready";
}

/// Returns everything that rtad writes to stderr, with JOURNAL_STREAM describing `stream`.
std::string log_with_stream(const std::string& stream, std::vector<std::string> arguments) {
    const TemporaryDirectory directory;
    arguments.insert(arguments.begin(),
                     {"-c", "JOURNAL_STREAM=" + stream + " exec \"$0\" \"$@\"", rtad_program().string(), "--socket",
                      (directory / "s").string(), "--listen", "127.0.0.1:0"});
    Process daemon{{"/bin/bash", std::move(arguments)}};
    static_cast<void>(daemon.wait_for_line(Process::Stream::error, "device: null", std::chrono::seconds{10}));
    daemon.signal(SIGTERM);
    EXPECT_TRUE(daemon.wait());
    return daemon.error();
}

TEST(Journal, GetsLevelsAndNoTimesButOnlyWhereItIsTheJournal) {
    constexpr const char* kOurs = "$(stat -Lc %d:%i /proc/self/fd/2)";
    const std::string journal = log_with_stream(kOurs, {"--device", "null", "--state-dir", "/proc/nowhere/state"});
    EXPECT_NE(journal.find("<6>rtad "), std::string::npos) << journal;
    EXPECT_NE(journal.find("\n<4>the state cannot be saved"), std::string::npos) << journal;
    const std::string error = log_with_stream(kOurs, {"--device", "null", "--graph", "/no/such/file"});
    EXPECT_NE(error.find("\n<3>cannot read the graph"), std::string::npos) << error;
    const std::string usage = log_with_stream(kOurs, {"--no-such-flag"});
    EXPECT_EQ(usage.find("<3>rtad: "), 0U) << usage;
    const std::string other = log_with_stream("1:1", {"--device", "null", "--state-dir", "/proc/nowhere/state"});
    EXPECT_EQ(other.find('<'), std::string::npos) << other;
    EXPECT_NE(other.find(" warning: the state cannot be saved"), std::string::npos) << other;
}

// ---- installation

std::set<std::string> installed(const fs::path& root) {
    std::set<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator{root}) {
        if (!entry.is_directory()) files.insert(entry.path().string().substr(root.string().size()));
    }
    return files;
}

void install(const fs::path& root, const std::string& prefix) {
    const RunResult result =
        run({RTA_TEST_CMAKE, {"--install", RTA_TEST_BUILD, "--prefix", prefix}, {{"DESTDIR", root.string()}}});
    ASSERT_EQ(result.status, (ExitStatus{0, 0})) << result.error;
}

TEST(Installation, PlacesWhatAServiceNeeds) {
    const TemporaryDirectory directory;
    const fs::path in_build_tree = fs::path{RTA_TEST_BUILD} / "systemd/rtad.service";
    fs::remove(in_build_tree);
    install(directory.path(), "/usr");
    std::set<std::string> files = installed(directory.path());
    for (const char* file :
         {"/usr/bin/rtad", "/usr/bin/rtactl", "/usr/lib/systemd/system/rtad.service", "/etc/rtad/rtad.toml",
          "/usr/share/bash-completion/completions/rtactl", "/usr/share/zsh/vendor-completions/_rtactl",
          "/usr/share/fish/vendor_completions.d/rtactl.fish", "/usr/share/rtad/proto/rta/v1/control.proto",
          "/usr/share/rtad/proto/rta/v1/graph.proto", "/usr/share/doc/rtad/README.md",
          "/usr/share/doc/rtad/CHANGELOG.md", "/usr/share/doc/rtad/LICENSE"}) {
        EXPECT_EQ(files.erase(file), 1U) << file;
    }
    EXPECT_TRUE(files.contains("/usr/share/doc/rtad/docs/administration.md"));
    // The C++ library; install_test.py builds programs with it.
    EXPECT_TRUE(files.contains("/usr/include/rta/client.h"));
    EXPECT_TRUE(files.contains("/usr/include/rta/v1/control.pb.h"));
    std::erase_if(files, [](const std::string& file) {
        return file.starts_with("/usr/include/rta/") || file.starts_with("/usr/lib/cmake/rta/") ||
               file.starts_with("/usr/lib/librta.") || file == "/usr/lib/pkgconfig/rta.pc" ||
               file.starts_with("/usr/share/rtad/web/");  // the page, if it has been built
    });
    for (const std::string& file : files) EXPECT_TRUE(file.starts_with("/usr/share/doc/rtad/docs/")) << file;
    const std::string unit = read_text(directory / "usr/lib/systemd/system/rtad.service");
    EXPECT_NE(unit.find("ExecStart=/usr/bin/rtad --config /etc/rtad/rtad.toml\n"), std::string::npos) << unit;
    EXPECT_EQ(unit.find('@' + std::string{"RTAD"}), std::string::npos);
    EXPECT_EQ(run({(directory / "usr/bin/rtad").string(), {"--version"}}).status, (ExitStatus{0, 0}));
    EXPECT_EQ(fs::status(directory / "usr/lib/systemd/system/rtad.service").permissions(),
              static_cast<fs::perms>(0644));
    EXPECT_FALSE(fs::exists(in_build_tree)) << "root installs, and the build tree is not root's";
}

TEST(Installation, AnotherPrefixIsWrittenIntoTheUnitAndTheConfigurationStaysItsOwners) {
    const TemporaryDirectory directory;
    install(directory.path(), "/opt/rtad");
    const fs::path config = directory / "opt/rtad/etc/rtad/rtad.toml";
    const std::string unit = read_text(directory / "opt/rtad/lib/systemd/system/rtad.service");
    EXPECT_NE(unit.find("ExecStart=/opt/rtad/bin/rtad --config /opt/rtad/etc/rtad/rtad.toml\n"), std::string::npos)
        << unit;
    write_text(config, "device = \"null\"\n");
    install(directory.path(), "/opt/rtad");
    EXPECT_EQ(read_text(config), "device = \"null\"\n");
}

}  // namespace
}  // namespace rta::test
