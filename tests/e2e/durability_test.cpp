// SPDX-License-Identifier: MIT
// With --state-dir, what rtad has acknowledged is on disk: across kills under edits, full disks, and edited files.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/daemon.h"
#include "support/effort.h"
#include "support/temporary.h"

namespace rta::test {
namespace {

namespace fs = std::filesystem;

std::set<std::string> nodes_of(ProtocolClient& client) {
    std::set<std::string> names;
    const v1::GraphResult result = client.graph();
    for (const v1::Node& node : result.graph().nodes()) names.insert(node.name());
    return names;
}

int history_steps(ProtocolClient& client) {
    v1::Request request;
    request.mutable_get_history()->set_steps(1'000);
    return client.call(request).get_history().steps_size();
}

/// Polls the status until everything is saved.
void wait_until_saved(ProtocolClient& client) {
    const Deadline deadline;
    while (!client.status().store().up_to_date()) {
        if (deadline.passed()) throw std::runtime_error("not saved: " + client.status().store().ShortDebugString());
        ::usleep(5'000);  // polls the daemon; no time is assumed
    }
}

class Durability : public testing::Test {
 protected:
    [[nodiscard]] std::unique_ptr<Daemon> start(std::vector<std::string> more = {}) const {
        Daemon::Options options{.arguments = {"--device", "null", "--state-dir", folder_.string()}};
        options.arguments.insert(options.arguments.end(), more.begin(), more.end());
        return std::make_unique<Daemon>(options);
    }

    TemporaryDirectory directory_;
    fs::path folder_ = directory_ / "state";
};

// ---- kills under edits

/// Edits until the daemon is gone: adds nodes, one by one, and tries to make changes that are refused.
class Editor {
 public:
    Editor(ProtocolClient client, std::string prefix)
        : client_{std::move(client)}, prefix_{std::move(prefix)}, thread_{[this] { run(); }} {}
    /// After the daemon has been killed.
    void join() { thread_.join(); }
    [[nodiscard]] const std::set<std::string>& acknowledged() const { return acknowledged_; }
    [[nodiscard]] const std::set<std::string>& sent() const { return sent_; }
    [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
    /// Two requests are under way at any time.
    void run() {
        try {
            std::vector<std::string> waiting;
            for (int edit = 0;; ++edit) {
                std::string name = prefix_ + std::to_string(edit);
                std::vector<v1::Edit> edits{add_node("sine", name)};
                if (edit % 5 == 4) {
                    name = "refused_" + name;
                    edits = {add_node("sine", name), connect(name, "missing")};
                } else {
                    sent_.insert(name);
                }
                client_.send(apply_request(transaction(edits)));
                waiting.push_back(name);
                if (waiting.size() < 2) continue;
                receive(waiting.front());
                waiting.erase(waiting.begin());
            }
        } catch (const std::runtime_error&) {
            // The daemon is gone.
        }
    }
    void receive(const std::string& name) {
        const v1::Response response = client_.receive_response();
        if (name.starts_with("refused_")) {
            if (response.status().code() != v1::NOT_FOUND) problem_ = "not refused: " + response.ShortDebugString();
        } else if (response.status().code() != v1::OK || !response.apply_transaction().durable()) {
            problem_ = "not durable: " + response.ShortDebugString();
        } else {
            acknowledged_.insert(name);
        }
    }

    ProtocolClient client_;
    std::string prefix_;
    std::set<std::string> acknowledged_;
    std::set<std::string> sent_;
    std::string problem_;
    std::thread thread_;
};

/// RTA_KILLS sets the number of rounds.
int kills() {
    const char* const given = std::getenv("RTA_KILLS");
    return given == nullptr ? cases(50, 15) : std::atoi(given);
}

TEST_F(Durability, WhatWasAcknowledgedIsThereAfterAKill) {
    std::mt19937 random{20'261};
    std::uniform_int_distribution<int> delay_us{0, 40'000};
    std::set<std::string> expected;  ///< acknowledged, or found after an earlier kill
    std::size_t acknowledged = 0;
    auto daemon = start();
    for (int kill = 0; kill < kills(); ++kill) {
        SCOPED_TRACE(kill);
        std::vector<std::unique_ptr<Editor>> editors;
        for (const char* const prefix : {"a", "b", "c", "d"}) {
            editors.push_back(
                std::make_unique<Editor>(daemon->client(), std::string{prefix} + std::to_string(kill) + "_"));
        }
        ::usleep(static_cast<useconds_t>(delay_us(random)));  // any time is right
        daemon->process().kill();
        std::set<std::string> sent;
        for (const auto& editor : editors) {
            editor->join();
            EXPECT_EQ(editor->problem(), "");
            acknowledged += editor->acknowledged().size();
            expected.insert(editor->acknowledged().begin(), editor->acknowledged().end());
            sent.insert(editor->sent().begin(), editor->sent().end());
        }
        daemon = start();
        ProtocolClient client = daemon->client();
        const std::set<std::string> found = nodes_of(client);
        std::vector<std::string> missing;
        std::ranges::set_difference(expected, found, std::back_inserter(missing));
        EXPECT_TRUE(missing.empty()) << missing.size() << " lost, such as " << missing.front();
        for (const std::string& name : found) {
            EXPECT_TRUE(expected.contains(name) || sent.contains(name)) << name << " was not sent, or refused";
        }
        EXPECT_EQ(history_steps(client), static_cast<int>(std::min<std::size_t>(found.size(), 1'000)))
            << "the history has led to the graph: " << daemon->process().error();
        EXPECT_EQ(daemon->process().error().find("warning: the "), std::string::npos) << daemon->process().error();
        ASSERT_FALSE(HasFailure());
        expected = found;
        if (found.size() < 800) continue;
        ProtocolClient{daemon->client()}.apply_document(R"({"nodes": []})");
        daemon->process().kill();
        fs::remove_all(folder_);
        daemon = start();
        expected.clear();
    }
    EXPECT_GT(acknowledged, static_cast<std::size_t>(kills()));
    EXPECT_EQ(daemon->stop(), (ExitStatus{0, 0}));
}

TEST_F(Durability, AnUndoAndAReplacedGraphAreThereAfterAKill) {
    v1::Request undo;
    undo.mutable_undo()->set_steps(1);
    std::string document;
    {
        const auto daemon = start();
        ProtocolClient client = daemon->client();
        client.apply_document(R"({"nodes": [{"name": "a", "type": "sine"}, {"name": "n", "type": "noise"}]})");
        client.set_parameter("a", "frequency_hz", 300.0F);
        client.apply(transaction({remove_node("n"), set_parameter("a", "gain_db", -3.0F)}));
        client.apply_document(R"({"nodes": [{"name": "b", "type": "sine"}]})");
        const v1::Response undone = client.call(undo);
        ASSERT_EQ(undone.status().code(), v1::OK) << undone.status().message();
        EXPECT_TRUE(undone.undo().durable());
        document = client.graph().document();
        daemon->process().kill();
    }
    const auto daemon = start();
    ProtocolClient client = daemon->client();
    EXPECT_EQ(client.graph().document(), document);
    EXPECT_EQ(history_steps(client), 4);
    v1::Request redo;
    redo.mutable_redo();
    ASSERT_EQ(client.call(redo).status().code(), v1::OK);
    EXPECT_EQ(nodes_of(client), std::set<std::string>{"b"});
    undo.mutable_undo()->set_steps(3);
    ASSERT_EQ(client.call(undo).status().code(), v1::OK);
    EXPECT_EQ(nodes_of(client), (std::set<std::string>{"a", "n"}));
}

TEST_F(Durability, ParametersAreThereAfterAKillOnceTheyAreSaved) {
    std::string document;
    {
        const auto daemon = start();
        ProtocolClient client = daemon->client();
        client.apply(transaction({add_node("sine", "a"), add_node("sine", "b")}));
        for (int i = 0; i < 100; ++i) client.set_parameter("a", "frequency_hz", static_cast<float>(100 + i));
        EXPECT_FALSE(client.status().store().up_to_date());
        wait_until_saved(client);
        document = client.graph().document();
        daemon->process().kill();
    }
    const auto daemon = start();
    ProtocolClient client = daemon->client();
    EXPECT_EQ(client.graph().document(), document);
    EXPECT_EQ(history_steps(client), 2);
    client.set_parameter("b", "frequency_hz", 77.0F);
    const std::string last = client.graph().document();
    EXPECT_EQ(daemon->stop(), (ExitStatus{0, 0}));
    EXPECT_EQ(read_text(folder_ / "graph.json"), last) << "an orderly end waits for them";
}

TEST_F(Durability, OnlyWithAFolderIsAChangeDurable) {
    const v1::EditList edits = transaction({add_node("sine", "a")});
    {
        Daemon daemon{{.arguments = {"--device", "null"}}};
        ProtocolClient client = daemon.client();
        EXPECT_FALSE(client.apply(edits).has_durable());
        EXPECT_EQ(client.status().store().durability(), "");
    }
    {
        const auto daemon = start({"--durability", "async"});
        ProtocolClient client = daemon->client();
        EXPECT_FALSE(client.apply(edits).has_durable());
        EXPECT_EQ(client.status().store().durability(), "async");
        wait_until_saved(client);
        EXPECT_EQ(read_text(folder_ / "graph.json"), client.graph().document()) << "saved immediately";
        EXPECT_FALSE(fs::exists(folder_ / "journal"));
    }
    const auto daemon = start();
    ProtocolClient client = daemon->client();
    EXPECT_EQ(nodes_of(client), std::set<std::string>{"a"}) << "the folder of the former is read";
    EXPECT_TRUE(client.apply(transaction({add_node("sine", "b")})).durable());
    EXPECT_EQ(client.status().store().durability(), "sync");
    EXPECT_EQ(run_rtad({"--durability", "perhaps"}).status, (ExitStatus{2, 0}));
}

TEST_F(Durability, AnEditedGraphCountsAndTheJournalIsKept) {
    {
        const auto daemon = start();
        ProtocolClient client = daemon->client();
        client.apply(transaction({add_node("sine", "a")}));
        daemon->process().kill();
    }
    write_text(folder_ / "graph.json", R"({"nodes": [{"name": "mine", "type": "sine"}]})");
    const auto daemon = start();
    ProtocolClient client = daemon->client();
    EXPECT_EQ(nodes_of(client), std::set<std::string>{"mine"});
    EXPECT_NE(daemon->process().error().find("journal.kept-1"), std::string::npos) << daemon->process().error();
}

TEST_F(Durability, OddFilesAreRenamedAndNeitherBlockNorBreakTheExit) {
    const std::vector<std::string> names{"graph.json",   "graph.json.new",   "output.json", "output.json.new",
                                         "history",      "history.next",     "journal",     "journal.next",
                                         "confirmation", "confirmation.new", "restoring",   "history.next.new"};
    const std::vector<std::pair<std::string, void (*)(const fs::path&)>> kinds{
        {"directory", [](const fs::path& path) { fs::create_directories(path / "with a folder"); }},
        {"FIFO", [](const fs::path& path) { EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0); }},
        {"loop", [](const fs::path& path) { fs::create_symlink(path.filename(), path); }},
        {"device", [](const fs::path& path) { fs::create_symlink("/dev/zero", path); }},
    };
    for (const auto& [kind, create] : kinds) {
        SCOPED_TRACE(kind);
        fs::remove_all(folder_);
        fs::create_directory(folder_);
        for (const std::string& name : names) create(folder_ / name);
        auto daemon = start();
        {
            ProtocolClient client = daemon->client();
            EXPECT_TRUE(client.apply(transaction({add_node("sine", "a")})).durable());
            v1::Request edit = apply_request(transaction({add_node("sine", "b")}));
            edit.mutable_apply_transaction()->set_confirm_within_s(600);
            v1::Request confirm;
            confirm.mutable_confirm();
            EXPECT_EQ(client.call(edit).status().code(), v1::OK);
            EXPECT_EQ(client.call(confirm).status().code(), v1::OK);
            v1::Request unmute;
            unmute.mutable_mute_output()->set_muted(false);
            EXPECT_EQ(client.call(unmute).status().code(), v1::OK);
            edit.mutable_apply_transaction()->mutable_edits()->mutable_edits(0)->mutable_add_node()->set_name("c");
            EXPECT_EQ(client.call(edit).status().code(), v1::OK);
        }
        EXPECT_EQ(daemon->stop(), (ExitStatus{0, 0})) << daemon->process().error();
        for (const char* const name : {"graph.json", "output.json", "history", "journal", "confirmation"}) {
            const std::string kept = (folder_ / name).string() + ".kept-1";
            EXPECT_TRUE(fs::exists(fs::symlink_status(kept))) << kept;
            EXPECT_NE(daemon->process().error().find((folder_ / name).string() + " is not a regular file"),
                      std::string::npos)
                << name << ": " << daemon->process().error();
            EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(folder_ / name))) << name;
        }
        daemon = start();
        ProtocolClient client = daemon->client();
        EXPECT_EQ(nodes_of(client), (std::set<std::string>{"a", "b", "c"}));
        EXPECT_TRUE(client.status().has_confirmation());
        EXPECT_EQ(daemon->stop(), (ExitStatus{0, 0})) << daemon->process().error();
    }
}

// ---- a full disk

/// A small file system, mounted for one test.
class SmallDisk {
 public:
    explicit SmallDisk(const fs::path& path) : path_{path} {
        fs::create_directory(path);
        if (::mount("rtad-test", path.c_str(), "tmpfs", 0, "size=4m") != 0) {
            throw std::runtime_error(std::string{"a tmpfs cannot be mounted, which takes root: "} +
                                     std::strerror(errno));
        }
    }
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;
    ~SmallDisk() { ::umount2(path_.c_str(), MNT_DETACH); }

 private:
    fs::path path_;
};

TEST_F(Durability, AFullDiskRefusesChangesOfTheGraphAndRecovers) {
    const SmallDisk disk{folder_};
    auto daemon = start();
    ProtocolClient client = daemon->client();
    client.apply(transaction({add_node("sine", "first")}));
    {
        std::ofstream filler{folder_ / "filler"};
        while (filler << std::string(4'096, 'x') << std::flush) {
        }
    }
    // The space that has been reserved is used first.
    v1::Response response;
    int accepted = 0;
    std::string description(500, 'x');
    for (; accepted < 10'000; ++accepted) {
        v1::Edit edit = add_node("sine", "n" + std::to_string(accepted));
        edit.mutable_add_node()->set_description(description);
        response = client.call(apply_request(transaction({edit})));
        if (response.status().code() != v1::OK) break;
        ASSERT_TRUE(response.apply_transaction().durable()) << accepted;
    }
    EXPECT_EQ(response.status().code(), v1::RESOURCE_EXHAUSTED) << response.status().message();
    EXPECT_NE(response.status().message().find("No space left on device"), std::string::npos)
        << response.status().message();
    const v1::StatusResult full = client.status();
    EXPECT_EQ(full.engine().node_count(), static_cast<unsigned>(accepted + 1)) << "nothing is heard of it";
    EXPECT_NE(full.store().error(), "");
    for (const std::vector<std::string>& command :
         {std::vector<std::string>{"mute"}, {"unmute"}, {"volume", "-20"}, {"panic"}, {"set", "first.gain_db=-30"}}) {
        const RunResult passed = daemon->ctl(command);
        EXPECT_EQ(passed.status, (ExitStatus{0, 0})) << command.front() << ": " << passed.error;
    }
    fs::remove(folder_ / "filler");
    const Deadline deadline;
    do {
        ::usleep(20'000);  // polls the daemon; no time is assumed
        response = client.call(apply_request(transaction({add_node("sine", "later")})));
    } while (response.status().code() == v1::RESOURCE_EXHAUSTED && !deadline.passed());
    ASSERT_EQ(response.status().code(), v1::OK) << response.status().message();
    EXPECT_TRUE(response.apply_transaction().durable());
    EXPECT_TRUE(daemon->process().wait_for_line(Process::Stream::error, "can be written again"))
        << daemon->process().error();
    wait_until_saved(client);
    const std::string document = client.graph().document();
    daemon->process().kill();
    daemon = start();
    EXPECT_EQ(daemon->client().graph().document(), document);
    EXPECT_EQ(daemon->stop(), (ExitStatus{0, 0}));
}

TEST_F(Durability, WithoutADiskAChangeIsMadeAndNotDurable) {
    write_text(directory_ / "above", "in the way");
    folder_ = directory_ / "above/state";
    const auto daemon = start();
    ProtocolClient client = daemon->client();
    const v1::TransactionResult made = client.apply(transaction({add_node("sine", "a")}));
    EXPECT_TRUE(made.has_durable());
    EXPECT_FALSE(made.durable());
    fs::remove(directory_ / "above");
    fs::create_directory(directory_ / "above");
    wait_until_saved(client);
    EXPECT_TRUE(client.apply(transaction({add_node("sine", "b")})).durable());
    daemon->process().kill();
    const auto again = start();
    ProtocolClient later = again->client();
    EXPECT_EQ(nodes_of(later), (std::set<std::string>{"a", "b"}));
}

}  // namespace
}  // namespace rta::test
