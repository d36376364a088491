// SPDX-License-Identifier: MIT
// rtad saves and restores its graph: across restarts, kills during a save, and disk failures. Most tests use
// --durability async, with which graph.json is always new; see durability_test for the other.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <random>
#include <regex>
#include <set>
#include <stdexcept>
#include <thread>

#include "recorded_daemon.h"
#include "support/analysis.h"
#include "support/effort.h"

namespace rta::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTone = R"({
  "nodes": [
    {"name": "osc", "type": "sine", "parameters": {"frequency_hz": 440, "gain_db": -6}},
    {"name": "out", "type": "output", "settings": {"channels": 2}}
  ],
  "connections": [ {"from": "osc", "to": "out"} ]
})";

std::set<std::string> names_in(const fs::path& folder) {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator{folder}) names.insert(entry.path().filename());
    return names;
}

class Store : public testing::Test {
 protected:
    [[nodiscard]] Daemon::Options options(std::vector<std::string> more = {}) const {
        Daemon::Options result{
            .arguments = {"--device", "null", "--state-dir", folder_.string(), "--durability", "async"}};
        result.arguments.insert(result.arguments.end(), more.begin(), more.end());
        return result;
    }
    /// Polls the status until `good` holds, and returns it.
    static v1::StatusResult wait_for_status(ProtocolClient& client,
                                            const std::function<bool(const v1::StoreState&)>& good) {
        const Deadline deadline;
        while (true) {
            v1::StatusResult status = client.status();
            if (good(status.store())) return status;
            if (deadline.passed()) throw std::runtime_error("the store stays at " + status.store().ShortDebugString());
            ::usleep(10'000);  // polls the daemon; no time is assumed
        }
    }
    static v1::StatusResult wait_until_saved(ProtocolClient& client) {
        return wait_for_status(client, [](const v1::StoreState& store) { return store.up_to_date(); });
    }
    static void expect_clean_end(Daemon& daemon) {
        EXPECT_EQ(daemon.stop(), (ExitStatus{0, 0})) << daemon.process().error();
    }

    TemporaryDirectory directory_;
    fs::path folder_ = directory_ / "state";
    fs::path file_ = folder_ / "graph.json";
};

TEST_F(Store, WithoutAFolderNothingIsRemembered) {
    Daemon daemon{{.arguments = {"--device", "null"}}};
    ProtocolClient client = daemon.client();
    client.apply_document(kTone);
    EXPECT_EQ(client.status().store().directory(), "");
}

TEST_F(Store, WhatWasPlayingPlaysFromTheFirstFrameAsIfItHadNeverStopped) {
    std::string saved;
    {
        Daemon daemon{options()};
        ProtocolClient client = daemon.client();
        EXPECT_EQ(client.status().store().directory(), folder_);
        EXPECT_TRUE(client.status().store().up_to_date());
        client.apply_document(kTone);
        const v1::StatusResult status = wait_until_saved(client);
        EXPECT_EQ(status.store().saved_revision(), 1U);
        EXPECT_EQ(status.store().error(), "");
        saved = client.graph().document();
        EXPECT_EQ(read_text(file_), saved) << "the text that rtactl graph save writes";
        expect_clean_end(daemon);
    }
    EXPECT_EQ(run_rtad({"check", file_.string()}).status, (ExitStatus{0, 0}));

    RecordedDaemon again{{.arguments = {"--state-dir", folder_.string()}}};
    ProtocolClient client = again.daemon().client();
    const v1::GraphResult graph = client.graph();
    EXPECT_EQ(graph.document(), saved);
    EXPECT_EQ(graph.revision(), 1U);
    EXPECT_EQ(client.status().store().saved_revision(), 1U);
    EXPECT_TRUE(client.status().store().up_to_date());
    again.wait_for_frame(4'800);
    const std::uint64_t sounding = client.status().engine().frame();
    const Wav heard = again.stop();
    const Wav expected = render(saved, 1.0);
    const std::size_t frames = std::min<std::size_t>(sounding, 4'800);
    EXPECT_EQ(first_difference(std::span<const float>{heard.channels[0]}.first(frames), expected.channels[0]),
              std::nullopt)
        << "unfaded, from frame 0";
}

TEST_F(Store, ParametersAndConnectionGainsAreRememberedToo) {
    std::string saved;
    {
        Daemon daemon{options()};
        ProtocolClient client = daemon.client();
        client.apply_document(kTone);
        client.apply(transaction({connect("osc", "out", -3.5F)}));
        wait_until_saved(client);
        client.set_parameter("osc", "frequency_hz", 123.25F);
        saved = client.graph().document();
        // No wait: the daemon saves unsaved changes before it exits.
        expect_clean_end(daemon);
    }
    EXPECT_EQ(read_text(file_), saved);
    Daemon daemon{options()};
    ProtocolClient client = daemon.client();
    EXPECT_EQ(client.graph().document(), saved);
}

TEST_F(Store, WhatWasDoneBeforeAKillCanBeUndone) {
    v1::Request undo;
    undo.mutable_undo();
    v1::Request history;
    history.mutable_get_history();
    std::string first;
    {
        Daemon daemon{options()};
        ProtocolClient client = daemon.client();
        client.apply_document(kTone);
        wait_until_saved(client);
        first = read_text(file_);
        client.apply_document(R"({"nodes": [{"name": "hiss", "type": "noise"}]})");
        wait_until_saved(client);
        daemon.process().kill();
    }
    {
        Daemon daemon{options()};
        ProtocolClient client = daemon.client();
        const v1::HistoryResult steps = client.call(history).get_history();
        ASSERT_EQ(steps.steps_size(), 2);
        EXPECT_EQ(steps.steps(0).revision(), 0U);
        const v1::Response undone = client.call(undo);
        ASSERT_EQ(undone.status().code(), v1::OK) << undone.status().message();
        wait_until_saved(client);
        EXPECT_EQ(read_text(file_), first);
        expect_clean_end(daemon);
    }
    // An administrator edits the graph.
    write_text(file_, R"({"nodes": [{"name": "mine", "type": "sine"}]})");
    {
        Daemon daemon{options()};
        ProtocolClient client = daemon.client();
        EXPECT_EQ(client.call(history).get_history().steps_size(), 0);
        EXPECT_NE(daemon.process().error().find("a new history is started: "), std::string::npos)
            << daemon.process().error();
        client.apply_document(kTone);
        wait_until_saved(client);
        expect_clean_end(daemon);
    }
    // A damaged one is renamed.
    std::string damaged = read_text(folder_ / "history");
    damaged[damaged.size() / 2] ^= 1;
    write_text(folder_ / "history", damaged);
    Daemon daemon{options()};
    ProtocolClient client = daemon.client();
    EXPECT_EQ(client.call(history).get_history().steps_size(), 0);
    EXPECT_TRUE(fs::exists(folder_ / "history.kept-1"));
    EXPECT_NE(daemon.process().error().find("the checksum is wrong; renamed to"), std::string::npos)
        << daemon.process().error();
}

TEST_F(Store, AnOutputThatIsMutedWhenRtadIsKilledStaysMuted) {
    for (const char* const request : {"mute", "panic"}) {
        {
            Daemon daemon{options()};
            ProtocolClient client = daemon.client();
            client.apply_document(kTone);
            ASSERT_EQ(daemon.ctl({request}).status, (ExitStatus{0, 0}));
            wait_until_saved(client);
            daemon.process().kill();
        }
        RecordedDaemon again{{.arguments = {"--state-dir", folder_.string()}}};
        const v1::StatusResult status = again.daemon().client().status();
        EXPECT_TRUE(status.engine().output_muted());
        EXPECT_NE(again.daemon().process().error().find("rtactl unmute"), std::string::npos) << "the log says so";
        again.wait_for_frame(4'800);
        const std::uint64_t silent_frames = again.daemon().client().status().engine().frame();
        ASSERT_EQ(again.daemon().ctl({"unmute"}).status, (ExitStatus{0, 0}));
        again.wait_for_frame(silent_frames + 9'600);
        const Wav heard = again.stop();
        EXPECT_EQ(peak(std::span<const float>{heard.channels[0]}.first(silent_frames)), 0.0) << request;
        EXPECT_GT(peak(heard.channels[0]), 0.49) << "unmuted";
    }
    // The last request was to unmute.
    RecordedDaemon last{{.arguments = {"--state-dir", folder_.string()}}};
    EXPECT_FALSE(last.daemon().client().status().engine().output_muted());
    static_cast<void>(last.stop());
}

TEST_F(Store, TheVolumeAppliesFromTheFirstFrameAfterAKill) {
    {
        Daemon daemon{options()};
        ProtocolClient client = daemon.client();
        client.apply_document(kTone);
        ASSERT_EQ(daemon.ctl({"volume", "-20"}).status, (ExitStatus{0, 0}));
        wait_until_saved(client);
        daemon.process().kill();
    }
    RecordedDaemon again{{.arguments = {"--state-dir", folder_.string()}}};
    EXPECT_EQ(again.daemon().client().status().engine().output_volume_db(), -20.0F);
    EXPECT_NE(again.daemon().process().error().find("volume of the output is -20 dB"), std::string::npos);
    again.wait_for_frame(4'800);
    const Wav heard = again.stop();
    const Wav full = render(kTone, 0.1);
    for (std::size_t frame = 0; frame < 4'800; ++frame)
        ASSERT_NEAR(heard.channels[0][frame], 0.1F * full.channels[0][frame], 1e-6) << "frame " << frame;
    EXPECT_GT(peak(std::span<const float>{heard.channels[0]}.first(4'800)), 0.049);
}

TEST_F(Store, TheLastEditsBeforeTheEndAreOnDisk) {
    Daemon daemon{options()};
    ProtocolClient client = daemon.client();
    client.apply_document(kTone);
    for (int edit = 1; edit <= 200; ++edit) client.set_parameter("osc", "frequency_hz", static_cast<float>(100 + edit));
    const std::string last = client.graph().document();
    expect_clean_end(daemon);
    EXPECT_EQ(read_text(file_), last);
}

TEST_F(Store, TheyAreHoweverItWasToldToEnd) {
    for (const std::vector<int>& signals : {std::vector{SIGHUP},
                                            {SIGTERM, SIGTERM},
                                            {SIGINT, SIGINT},
                                            {SIGQUIT},
                                            {SIGTERM, SIGTERM, SIGTERM, SIGQUIT},
                                            {SIGUSR1, SIGUSR2, SIGALRM, SIGPROF, SIGRTMIN + 1, SIGTERM}}) {
        Daemon daemon{options()};
        ProtocolClient client = daemon.client();
        client.apply_document(kTone);
        for (int edit = 1; edit <= 20; ++edit) {
            client.set_parameter("osc", "frequency_hz", static_cast<float>(100 * signals.front() + edit));
        }
        const std::string last = client.graph().document();
        for (const int signal : signals) daemon.process().signal(signal);
        EXPECT_EQ(daemon.process().wait(), (ExitStatus{0, 0})) << signals.front();
        EXPECT_EQ(read_text(file_), last) << signals.front();
    }
}

TEST_F(Store, ADamagedGraphIsReplacedByTheGraphFile) {
    write_text(directory_ / "tone.json", kTone);
    fs::create_directory(folder_);
    write_text(file_, "not a graph");
    Daemon daemon{options({"--graph", (directory_ / "tone.json").string()})};
    ProtocolClient client = daemon.client();
    EXPECT_EQ(client.status().engine().node_count(), 2U);
    wait_until_saved(client);
    EXPECT_EQ(read_text(folder_ / "graph.json.kept-1"), "not a graph");
    EXPECT_EQ(read_text(file_), client.graph().document());
}

/// The disk to which it leads may not be mounted yet.
TEST_F(Store, ALinkThatLeadsNowhereStays) {
    fs::create_directory(folder_);
    fs::create_symlink("nowhere", file_);
    const RunResult refused = run_rtad({"--device", "null", "--socket", (directory_ / "s").string(), "--listen",
                                        "127.0.0.1:0", "--state-dir", folder_.string()});
    EXPECT_EQ(refused.status, (ExitStatus{1, 0})) << refused.error;
    EXPECT_NE(refused.error.find("cannot read " + file_.string() + ": No such file"), std::string::npos)
        << refused.error;
    EXPECT_TRUE(fs::is_symlink(file_));
}

/// A process without descriptors can read no file: this is no reason to move a good one away.
TEST_F(Store, WithoutDescriptorsTheStartFailsAndTheGraphStays) {
    fs::create_directory(folder_);
    write_text(file_, kTone);
    int failed = 0;
    for (int limit = 4; limit <= 24; ++limit) {
        Process limited{
            {"/bin/bash",
             {"-c", "ulimit -n " + std::to_string(limit) + "; exec \"$0\" \"$@\"", rtad_program().string(), "--device",
              "null", "--socket", (directory_ / "s").string(), "--state-dir", folder_.string()}}};
        const bool started = limited.wait_for_line(Process::Stream::error, "device: null").has_value();
        if (started) limited.signal(SIGTERM);
        const auto status = limited.wait();
        ASSERT_TRUE(status) << limit;
        EXPECT_EQ(status->signal, 0) << limit << ": " << limited.error();
        EXPECT_TRUE(started || status->code != 0) << limit << ": " << limited.error();
        EXPECT_EQ(read_text(file_), kTone) << limit << ": " << limited.error();
        EXPECT_FALSE(fs::exists(folder_ / "graph.json.kept-1")) << limit << ": " << limited.error();
        failed += started ? 0 : 1;
    }
    EXPECT_GT(failed, 5);
}

TEST_F(Store, AGraphFileIsForAFolderThatHoldsNone) {
    write_text(directory_ / "tone.json", kTone);
    const std::vector<std::string> graph{"--graph", (directory_ / "tone.json").string()};
    {
        Daemon daemon{options(graph)};
        ProtocolClient client = daemon.client();
        EXPECT_EQ(client.status().engine().node_count(), 2U);
        wait_until_saved(client);
        client.apply(transaction({remove_node("osc")}));
        expect_clean_end(daemon);
    }
    Daemon daemon{options(graph)};
    EXPECT_EQ(daemon.client().status().engine().node_count(), 1U) << "an empty graph may be wanted, too";
    EXPECT_TRUE(daemon.process().wait_for_line(Process::Stream::error, "is not loaded")) << daemon.process().error();
}

TEST_F(Store, ASecondDaemonOnTheFolderIsRefused) {
    Daemon first{options()};
    ProtocolClient client = first.client();
    client.apply_document(kTone);
    const RunResult second = run_rtad({"--device", "null", "--socket", (directory_ / "s").string(), "--listen",
                                       "127.0.0.1:0", "--state-dir", folder_.string()});
    EXPECT_EQ(second.status, (ExitStatus{2, 0})) << second.error;
    EXPECT_NE(second.error.find(folder_.string()), std::string::npos) << second.error;
    EXPECT_NE(second.error.find("another rtad"), std::string::npos) << second.error;
    client.set_parameter("osc", "frequency_hz", 500.0F);
    wait_until_saved(client);
    expect_clean_end(first);
}

TEST_F(Store, TheSocketMayBeInTheSameFolder) {
    fs::create_directory(folder_);
    Process daemon{{rtad_program(),
                    {"--device", "null", "--state-dir", folder_.string(), "--socket", (folder_ / "s").string(),
                     "--listen", "127.0.0.1:0"}}};
    EXPECT_TRUE(daemon.wait_for_line(Process::Stream::error, "device: null")) << daemon.error();
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.wait(), (ExitStatus{0, 0}));
}

// ---- invalid state

TEST_F(Store, DamagedStateIsRenamedAndTheGraphIsEmpty) {
    struct Damage {
        const char* what;
        std::function<void(const fs::path&)> make;
        const char* reason;  ///< part of the warning
    };
    const Damage damages[] = {
        {"not JSON", [](const fs::path& file) { write_text(file, "RIFF\x01\x02"); }, "line 1"},
        {"empty", [](const fs::path& file) { write_text(file, ""); }, "line 1"},
        {"cut off", [](const fs::path& file) { write_text(file, std::string{kTone}.substr(0, 120)); }, "line"},
        {"unknown type",
         [](const fs::path& file) { write_text(file, R"({"nodes":[{"name":"a","type":"theremin"}]})"); }, "theremin"},
        {"a cycle",
         [](const fs::path& file) {
             write_text(file, R"({"nodes":[{"name":"a","type":"gain"},{"name":"b","type":"gain"}],
                                  "connections":[{"from":"a","to":"b"},{"from":"b","to":"a"}]})");
         },
         "cycle"},
        {"too large",
         [](const fs::path& file) {
             write_text(file, "");
             fs::resize_file(file, (std::uintmax_t{16} << 20U) + 1);
         },
         "16 MiB"},
        {"too large with all parameters",
         [](const fs::path& file) {
             std::string nodes;
             for (int node = 0; node < 500; ++node) {
                 nodes += std::string{node > 0 ? "," : ""} + R"({"name":"m)" + std::to_string(node) +
                          R"(","type":"matrix","settings":{"inputs":32,"outputs":32}})";
             }
             write_text(file, R"({"nodes":[)" + nodes + "]}");
         },
         "16 MiB"},
        {"a folder", [](const fs::path& file) { fs::create_directory(file); }, "not a regular file"},
        {"a FIFO", [](const fs::path& file) { ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0); }, "not a regular file"},
    };
    fs::create_directory(folder_);
    int kept = 0;
    for (const Damage& damage : damages) {
        SCOPED_TRACE(damage.what);
        fs::remove_all(file_);
        damage.make(file_);
        Daemon daemon{options()};
        ++kept;
        const std::string name = "graph.json.kept-" + std::to_string(kept);
        const auto warning = daemon.process().wait_for_line(Process::Stream::error, name);
        ASSERT_TRUE(warning) << daemon.process().error();
        EXPECT_NE(warning->find("warning"), std::string::npos) << *warning;
        EXPECT_NE(warning->find(damage.reason), std::string::npos) << *warning;
        EXPECT_FALSE(fs::exists(fs::symlink_status(file_)));
        EXPECT_TRUE(fs::exists(fs::symlink_status(folder_ / name)));
        ProtocolClient client = daemon.client();
        EXPECT_EQ(client.status().engine().node_count(), 0U);
        client.apply_document(kTone);
        wait_until_saved(client);
        expect_clean_end(daemon);
        EXPECT_EQ(run_rtad({"check", file_.string()}).status, (ExitStatus{0, 0}));
    }
}

// ---- a graph that is too large to save

TEST_F(Store, AGraphThatIsTooLargeToSaveIsRefused) {
    v1::StatusResult saved;
    {
        Daemon daemon{options({"--block-size", "1024"})};
        ProtocolClient client = daemon.client();
        v1::Response response;
        std::uint64_t accepted = 0;
        for (; accepted < 10; ++accepted) {
            std::vector<v1::Edit> edits;
            for (int i = 0; i < 100; ++i) {
                edits.push_back(add_node("matrix", "m" + std::to_string(accepted) + "_" + std::to_string(i), {},
                                         {{"inputs", 32}, {"outputs", 32}}));
            }
            response = client.call(apply_request(transaction(edits)));
            if (response.status().code() != v1::OK) break;
        }
        EXPECT_EQ(response.status().code(), v1::RESOURCE_EXHAUSTED) << accepted;
        EXPECT_NE(response.status().message().find("16 MiB"), std::string::npos) << response.status().message();
        EXPECT_TRUE(response.status().has_edit_index());
        EXPECT_EQ(client.status().engine().revision(), accepted);
        EXPECT_EQ(client.status().engine().node_count(), 100 * accepted);

        client.apply(transaction({add_node("sine", "later")}));
        saved = wait_until_saved(client);
        EXPECT_EQ(saved.store().saved_revision(), accepted + 1);
        EXPECT_NE(read_text(file_).find("\"later\""), std::string::npos);
        expect_clean_end(daemon);
    }
    Daemon again{options({"--block-size", "1024"})};
    EXPECT_EQ(again.client().status().engine().node_count(), saved.engine().node_count());
    expect_clean_end(again);
}

// ---- state that exceeds the memory of the machine

#ifdef RTA_LIMITS_ADDRESS_SPACE
/// 300 MB of delay lines.
std::string large_graph() {
    std::string nodes;
    for (int node = 0; node < 150; ++node) {
        if (node > 0) nodes += ',';
        nodes +=
            R"({"type": "delay_line", "settings": {"max_time_ms": 10000}, "name": "d)" + std::to_string(node) + "\"}";
    }
    return R"({"nodes": [)" + nodes + "]}";
}

/// Another program may have taken the memory for a moment.
TEST_F(Store, AGraphThatDoesNotFitInMemoryIsRenamedAfterTwoFailedStarts) {
    fs::create_directory(folder_);
    write_text(file_, large_graph());
    const std::string socket = (directory_ / "s").string();
    const Command command{"/bin/bash",
                          {"-c", "ulimit -v 200000; exec \"$0\" \"$@\"", rtad_program().string(), "--device", "null",
                           "--socket", socket, "--listen", "127.0.0.1:0", "--state-dir", folder_.string()}};
    for (int start = 0; start < 2; ++start) {
        const RunResult failed = run(command);
        EXPECT_EQ(failed.status, (ExitStatus{1, 0})) << failed.error;
        EXPECT_NE(failed.error.find(" and 32 MiB stay reserved for the system"), std::string::npos) << failed.error;
        EXPECT_EQ(read_text(file_), large_graph());
    }
    Process limited{command};
    const auto warning = limited.wait_for_line(Process::Stream::error, "graph.json.kept-1");
    ASSERT_TRUE(warning) << limited.error();
    EXPECT_NE(warning->find("2 starts in a row have failed"), std::string::npos) << *warning;
    ASSERT_TRUE(limited.wait_for_line(Process::Stream::error, "device: null")) << limited.error();
    ProtocolClient client = ProtocolClient::connect_unix(socket);
    client.hello();
    EXPECT_EQ(client.status().engine().node_count(), 0U);
    client.apply_document(kTone);
    wait_until_saved(client);
    limited.signal(SIGTERM);
    EXPECT_EQ(limited.wait(), (ExitStatus{0, 0}));
    EXPECT_EQ(read_text(folder_ / "graph.json.kept-1"), large_graph());
    EXPECT_EQ(run_rtad({"check", file_.string()}).status, (ExitStatus{0, 0}));
}
#endif

TEST_F(Store, AGraphOnWhichRtadDiesWhileRestoringIsTriedTwice) {
    fs::create_directory(folder_);
    // The first block takes a second; the file `restoring` exists during that time.
    write_text(file_, R"({"nodes": [{"name": "b", "type": "burn", "parameters": {"once_ms": 1000}}]})");
    const Command command{rtad_test_nodes_program().string(),
                          {"--device", "null", "--socket", (directory_ / "s").string(), "--listen", "127.0.0.1:0",
                           "--state-dir", folder_.string(), "--durability", "async"}};
    for (int start = 1; start <= 2; ++start) {
        Process process{command};
        ASSERT_TRUE(process.wait_for_line(Process::Stream::error, "restored the graph")) << process.error();
        EXPECT_EQ(read_text(folder_ / "restoring"), std::to_string(start) + "\n");
        process.kill();
    }
    {
        Process process{command};
        const auto warning = process.wait_for_line(Process::Stream::error, "graph.json.kept-1");
        ASSERT_TRUE(warning) << process.error();
        EXPECT_NE(warning->find("2 starts in a row have failed"), std::string::npos) << *warning;
        ASSERT_TRUE(process.wait_for_line(Process::Stream::error, "device: null")) << process.error();
        process.signal(SIGTERM);
        EXPECT_EQ(process.wait(), (ExitStatus{0, 0}));
    }
    EXPECT_EQ(names_in(folder_), (std::set<std::string>{"graph.json.kept-1", "lock"}));
}

TEST_F(Store, AnOrderlyExitBeforeTheFirstBlockIsNotAFailedRestore) {
    fs::create_directory(folder_);
    write_text(file_, kTone);
    write_text(directory_ / "no socket", "in the way");
    for (int start = 0; start < 3; ++start) {
        const RunResult usage = run_rtad({"--device", "null", "--socket", (directory_ / "no socket").string(),
                                          "--listen", "127.0.0.1:0", "--state-dir", folder_.string()});
        EXPECT_EQ(usage.status, (ExitStatus{2, 0})) << usage.error;
        const RunResult refused =
            run_rtad({"--device", "portaudio:there is none", "--socket", (directory_ / "s").string(), "--listen",
                      "127.0.0.1:0", "--state-dir", folder_.string()});
        EXPECT_EQ(refused.status, (ExitStatus{1, 0})) << refused.error;
        EXPECT_EQ(names_in(folder_), (std::set<std::string>{"graph.json", "lock"})) << start;
    }
}

// ---- disk failures

/// A tone that must play undisturbed while the disk refuses writes.
class StoreTrouble : public Store {
 protected:
    /// Makes edits, which must take effect, and expects one warning and the status to report the failure.
    void expect_trouble(Process& process, ProtocolClient& client, const std::string& reason) {
        client.set_parameter("osc", "frequency_hz", 441.0F);
        const auto warning = process.wait_for_line(Process::Stream::error, "cannot be saved");
        ASSERT_TRUE(warning) << process.error();
        EXPECT_NE(warning->find(reason), std::string::npos) << *warning;
        const v1::StatusResult status =
            wait_for_status(client, [](const v1::StoreState& store) { return !store.error().empty(); });
        EXPECT_FALSE(status.store().up_to_date());
        EXPECT_NE(status.store().error().find(reason), std::string::npos) << status.store().error();
        client.set_parameter("osc", "frequency_hz", 442.0F);  // throws if it does not take effect
    }
    /// The changes made in the meantime are saved, and the log reports it.
    void expect_recovery(Process& process, ProtocolClient& client) {
        EXPECT_TRUE(process.wait_for_line(Process::Stream::error, "can be written again")) << process.error();
        EXPECT_EQ(wait_until_saved(client).store().error(), "");
        EXPECT_EQ(read_text(file_), client.graph().document());
        const std::string log = process.error();
        EXPECT_EQ(log.find("cannot be saved"), log.rfind("cannot be saved")) << "one warning: " << log;
        EXPECT_FALSE(names_in(folder_).contains("graph.json.new"));
    }
};

TEST_F(StoreTrouble, AFolderThatCannotBeMadeIsTriedAgain) {
    write_text(directory_ / "above", "in the way");
    folder_ = directory_ / "above/state";
    file_ = folder_ / "graph.json";
    Daemon daemon{options()};
    ProtocolClient client = daemon.client();
    client.apply_document(kTone);
    expect_trouble(daemon.process(), client, "Not a directory");
    fs::remove(directory_ / "above");
    fs::create_directory(directory_ / "above");
    expect_recovery(daemon.process(), client);
    expect_clean_end(daemon);
}

TEST_F(StoreTrouble, AnEndWithoutHavingSavedIsNoSuccess) {
    write_text(directory_ / "above", "in the way");
    folder_ = directory_ / "above/state";
    Daemon daemon{options()};
    ProtocolClient client = daemon.client();
    client.apply_document(kTone);
    EXPECT_EQ(daemon.stop(), (ExitStatus{1, 0}));
    EXPECT_NE(daemon.process().error().find("the last changes were not saved"), std::string::npos)
        << daemon.process().error();
}

TEST_F(StoreTrouble, ALimitOnTheSizeOfFilesIsNoDeath) {
    Daemon first{options()};
    first.client().apply_document(kTone);
    expect_clean_end(first);
    const std::string saved = read_text(file_);
    // 1 KiB is enough for the tone, but not for thirty more nodes. A larger file would raise a signal.
    const std::string socket = (directory_ / "s").string();
    Process limited{{"/bin/bash",
                     {"-c", "ulimit -f 1; exec \"$0\" \"$@\"", rtad_program().string(), "--device", "null", "--socket",
                      socket, "--listen", "127.0.0.1:0", "--state-dir", folder_.string(), "--durability", "async"}}};
    ASSERT_TRUE(limited.wait_for_line(Process::Stream::error, "device: null")) << limited.error();
    ProtocolClient client = ProtocolClient::connect_unix(socket);
    client.hello();
    std::vector<v1::Edit> many;
    for (int node = 0; node < 30; ++node) many.push_back(add_node("sine", "n" + std::to_string(node)));
    client.apply(transaction(many));
    expect_trouble(limited, client, "File too large");
    EXPECT_EQ(read_text(file_), saved) << "what was there is whole";
    EXPECT_FALSE(names_in(folder_).contains("graph.json.new"));
    std::vector<v1::Edit> fewer;
    for (int node = 0; node < 30; ++node) fewer.push_back(remove_node("n" + std::to_string(node)));
    client.apply(transaction(fewer));
    expect_recovery(limited, client);
    limited.signal(SIGTERM);
    EXPECT_EQ(limited.wait(), (ExitStatus{0, 0}));
}

/// Filesystem of a few pages, mounted for one test.
class SmallDisk {
 public:
    explicit SmallDisk(const fs::path& path) : path_{path} {
        fs::create_directory(path);
        if (::mount("rtad-test", path.c_str(), "tmpfs", 0, "size=64k") != 0) {
            throw std::runtime_error(std::string{"a tmpfs cannot be mounted, which takes root: "} +
                                     std::strerror(errno));
        }
    }
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;
    ~SmallDisk() { ::umount2(path_.c_str(), MNT_DETACH); }

    void remount(bool read_only) const {
        unsigned long flags = MS_REMOUNT;
        if (read_only) flags |= MS_RDONLY;
        if (::mount("rtad-test", path_.c_str(), "tmpfs", flags, "size=64k") != 0) {
            throw std::runtime_error(std::string{"a tmpfs cannot be remounted: "} + std::strerror(errno));
        }
    }

 private:
    fs::path path_;
};

TEST_F(StoreTrouble, AFullDiskHarmsNobodyAndIsTriedAgain) {
    const SmallDisk disk{folder_};
    RecordedDaemon recorded{{.arguments = {"--state-dir", folder_.string(), "--durability", "async"}}};
    Daemon& daemon = recorded.daemon();
    ProtocolClient client = daemon.client();
    client.apply_document(kTone);
    wait_until_saved(client);
    const std::string saved = read_text(file_);
    const std::string filler(std::size_t{128} * 1024, 'x');
    EXPECT_THROW(write_text(folder_ / "filler", filler), std::runtime_error) << "until nothing more fits";
    expect_trouble(daemon.process(), client, "No space left");
    EXPECT_EQ(read_text(file_), saved) << "what was there is whole";
    fs::remove(folder_ / "filler");
    expect_recovery(daemon.process(), client);
    const std::uint64_t heard = client.status().engine().frame();
    const Wav wav = recorded.stop();
    const std::span<const float> sound = std::span<const float>{wav.channels[0]}.first(heard);
    EXPECT_GT(rms(sound.last(4'800)), 0.1) << "the tone plays on";
}

TEST_F(StoreTrouble, AReadOnlyDiskIsReadAndTriedAgain) {
    const SmallDisk disk{folder_};
    write_text(file_, kTone);
    disk.remount(true);
    Daemon daemon{options()};
    ProtocolClient client = daemon.client();
    EXPECT_EQ(client.status().engine().node_count(), 2U) << "restored all the same";
    expect_trouble(daemon.process(), client, "Read-only file system");
    disk.remount(false);
    expect_recovery(daemon.process(), client);
    EXPECT_EQ(names_in(folder_), (std::set<std::string>{"graph.json", "history", "lock"}))
        << "nothing had to be renamed";
    expect_clean_end(daemon);
}

TEST_F(StoreTrouble, AFolderThatIsRemovedIsMadeAgain) {
    Daemon daemon{options()};
    ProtocolClient client = daemon.client();
    client.apply_document(kTone);
    wait_until_saved(client);
    fs::remove_all(folder_);
    client.set_parameter("osc", "frequency_hz", 500.0F);
    wait_until_saved(client);
    EXPECT_EQ(read_text(file_), client.graph().document());
    expect_clean_end(daemon);
}

// ---- kills during a save

constexpr int kKills = cases(200, 60);
constexpr int kNodes = 100;

/// Reports when a file of that name appears in the folder.
class Watch {
 public:
    Watch(const fs::path& folder, std::string name) : name_{std::move(name)}, inotify_{::inotify_init1(IN_CLOEXEC)} {
        if (::inotify_add_watch(inotify_.get(), folder.c_str(), IN_CREATE) < 0) {
            throw std::runtime_error("cannot watch " + folder.string());
        }
    }
    [[nodiscard]] bool wait() {
        alignas(inotify_event) char buffer[4096];
        const Deadline deadline;
        while (true) {
            pollfd ready{.fd = inotify_.get(), .events = POLLIN, .revents = 0};
            if (::poll(&ready, 1, static_cast<int>(deadline.left().count())) != 1) return false;
            const ssize_t got = ::read(inotify_.get(), buffer, sizeof buffer);
            for (ssize_t at = 0; at < got;) {
                const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
                if (event->len > 0 && name_ == event->name) return true;
                at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
            }
        }
    }

 private:
    std::string name_;
    os::UniqueFd inotify_;
};

/// Sets the same frequency in all nodes repeatedly, by transactions and by parameter changes, until the daemon is gone.
/// The frequency only increases, so that a saved graph shows its age.
class Storm {
 public:
    Storm(ProtocolClient client, float frequency_hz)
        : client_{std::move(client)}, sent_hz_{frequency_hz}, thread_{[this] { run(); }} {}
    /// After the daemon has been killed: returns the highest frequency requested.
    [[nodiscard]] float end() {
        thread_.join();
        return sent_hz_;
    }

 private:
    void run() {
        try {
            for (int edit = 0;; ++edit) {
                std::vector<v1::Edit> edits;
                v1::Request request;
                sent_hz_ += 0.25F;
                for (int node = 0; node < kNodes; ++node) {
                    const v1::Edit one = set_parameter("n" + std::to_string(node), "frequency_hz", sent_hz_);
                    if (edit % 4 == 0) {
                        edits.push_back(one);
                    } else {
                        *request.mutable_set_parameters()->add_changes() = one.set_parameter();
                    }
                }
                client_.send(edit % 4 == 0 ? apply_request(transaction(edits)) : request);
                if (edit >= 8) static_cast<void>(client_.receive_response());
            }
        } catch (const std::runtime_error&) {
            // The daemon is gone.
        }
    }

    ProtocolClient client_;
    float sent_hz_;
    std::thread thread_;
};

/// Returns the frequency of all nodes in a saved graph. Throws if they differ or a node is missing.
float frequency_of(const std::string& document) {
    static const std::regex pattern{"\"frequency_hz\": ([0-9.]+)"};
    std::set<std::string> values;
    int nodes = 0;
    for (std::sregex_iterator it{document.begin(), document.end(), pattern}, end; it != end; ++it, ++nodes) {
        values.insert((*it)[1]);
    }
    if (nodes != kNodes || values.size() != 1) {
        throw std::runtime_error("a graph of " + std::to_string(nodes) + " nodes and " + std::to_string(values.size()) +
                                 " frequencies was saved:\n" + document);
    }
    return std::stof(*values.begin());
}

TEST_F(Store, KilledInTheMiddleOfSavingItHasTheOldGraphOrTheNewOne) {
    {
        Daemon daemon{options()};
        ProtocolClient client = daemon.client();
        std::vector<v1::Edit> edits;
        for (int node = 0; node < kNodes; ++node) {
            edits.push_back(add_node("sine", "n" + std::to_string(node), {{"frequency_hz", 100.0F}}));
        }
        client.apply(transaction(edits));
        expect_clean_end(daemon);
    }
    std::mt19937 random{20'260};
    // Most kills occur while the file is written, the others while it is renamed and later.
    std::exponential_distribution<double> delay_ms{1.0};
    float highest_hz = 100.0F;
    int half_written = 0;
    int replaced = 0;
    for (int kill = 0; kill < kKills; ++kill) {
        const std::string before = read_text(file_);
        Daemon daemon{options()};
        ASSERT_EQ(daemon.client().graph().document(), before) << "restored, kill " << kill;
        v1::Request history;
        history.mutable_get_history();
        ASSERT_GT(daemon.client().call(history).get_history().steps_size(), 0) << "kill " << kill;
        Watch watch{folder_, "graph.json.new"};
        Storm storm{daemon.client(), highest_hz};
        ASSERT_TRUE(watch.wait());
        ::usleep(static_cast<useconds_t>(std::min(delay_ms(random), 12.0) * 1000.0));
        daemon.process().kill();
        highest_hz = storm.end();

        if (fs::exists(folder_ / "graph.json.new")) ++half_written;
        const std::string after = read_text(file_);
        if (after != before) ++replaced;
        const float saved_hz = frequency_of(after);
        ASSERT_GE(saved_hz, frequency_of(before)) << "kill " << kill;
        ASSERT_LE(saved_hz, highest_hz) << "kill " << kill;
    }
    // Otherwise no kill occurred during a save, and the test proved nothing.
    EXPECT_GT(half_written, 0);
    EXPECT_GT(replaced, 0);
    RecordProperty("half_written", half_written);
    RecordProperty("replaced", replaced);

    Daemon daemon{options()};
    EXPECT_EQ(daemon.client().graph().document(), read_text(file_));
    std::set<std::string> names = names_in(folder_);
    names.erase("history.next");  // that of a graph that was not written any more
    EXPECT_EQ(names, (std::set<std::string>{"graph.json", "history", "lock"}));
    EXPECT_EQ(run_rtad({"check", file_.string()}).status, (ExitStatus{0, 0}));
}

}  // namespace
}  // namespace rta::test
