// SPDX-License-Identifier: MIT
// Scenes of a running rtad: across restarts, kills and damaged files, and what a recall leaves in the recording.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <csignal>

#include <filesystem>
#include <map>
#include <numbers>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
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
    {"name": "vol", "type": "gain"},
    {"name": "out", "type": "output", "settings": {"channels": 2}}
  ],
  "connections": [ {"from": "osc", "to": "vol"}, {"from": "vol", "to": "out"} ]
})";

v1::Request save(const std::string& name) {
    v1::Request request;
    request.mutable_save_scene()->set_name(name);
    return request;
}

v1::Request recall(const std::string& name) {
    v1::Request request;
    request.mutable_recall_scene()->set_name(name);
    request.mutable_recall_scene()->set_wait_for_start(true);
    return request;
}

v1::Request rename(const std::string& name, const std::string& new_name) {
    v1::Request request;
    request.mutable_rename_scene()->set_name(name);
    request.mutable_rename_scene()->set_new_name(new_name);
    return request;
}

v1::Request remove(const std::string& name) {
    v1::Request request;
    request.mutable_remove_scene()->set_name(name);
    return request;
}

class Scenes : public testing::Test {
 protected:
    [[nodiscard]] Daemon::Options options() const {
        return {.arguments = {"--device", "null", "--state-dir", folder_.string()}};
    }
    static v1::Response ok(ProtocolClient& client, const v1::Request& request) {
        v1::Response response = client.call(request);
        EXPECT_EQ(response.status().code(), v1::OK) << response.status().message();
        return response;
    }
    static std::set<std::string> names(ProtocolClient& client) {
        v1::Request request;
        request.mutable_list_scenes();
        std::set<std::string> found;
        const v1::Response response = ok(client, request);
        for (const v1::SceneInfo& scene : response.list_scenes().scenes()) found.insert(scene.name());
        return found;
    }

    TemporaryDirectory directory_;
    fs::path folder_ = directory_ / "state";
    fs::path scenes_ = folder_ / "scenes";
};

TEST_F(Scenes, SurviveARestartAndAKillAndCanBeUndoneThen) {
    std::string day;
    {
        Daemon daemon{options()};
        ProtocolClient client = daemon.client();
        client.apply_document(kTone);
        day = client.graph().document();
        EXPECT_EQ(ok(client, save("day")).save_scene().scene().node_count(), 3U);
        client.apply(transaction({remove_node("vol"), connect("osc", "out", -30.0F)}));
        ok(client, save("night"));
        ok(client, rename("night", "late"));
        ok(client, save("other"));
        ok(client, remove("other"));
        daemon.process().signal(SIGKILL);
        static_cast<void>(daemon.process().wait());
    }
    EXPECT_TRUE(fs::exists(scenes_ / "day.json"));
    EXPECT_EQ(run_rtad({"check", (scenes_ / "day.json").string()}).status, (ExitStatus{0, 0}))
        << "it is an ordinary document";
    std::string night;
    {
        Daemon daemon{options()};
        ProtocolClient client = daemon.client();
        EXPECT_EQ(names(client), (std::set<std::string>{"day", "late"}));
        // The kill may have come before the last transaction was on the disk: the recall must change something.
        client.set_parameter("osc", "gain_db", -40.0F);
        night = client.graph().document();
        ok(client, recall("day"));
        EXPECT_EQ(client.graph().document(), day);
        EXPECT_EQ(daemon.stop(), (ExitStatus{0, 0})) << daemon.process().error();
    }
    Daemon daemon{options()};
    ProtocolClient client = daemon.client();
    EXPECT_EQ(client.graph().document(), day);
    v1::Request undo;
    undo.mutable_undo();
    const v1::Response undone = ok(client, undo);
    ASSERT_EQ(undone.undo().steps_size(), 1);
    EXPECT_EQ(undone.undo().steps(0).summary(), "recall day");
    EXPECT_EQ(client.graph().document(), night);
}

TEST_F(Scenes, WhatWasAcknowledgedBeforeAKillIsThereAndNothingElse) {
    std::map<std::string, float> acknowledged;  // of each scene: the level with which it was saved
    for (int round = 0; round < cases(20, 3); ++round) {
        SCOPED_TRACE("round " + std::to_string(round));
        std::map<std::string, float> tried;
        {
            Daemon daemon{options()};
            ProtocolClient client = daemon.client();
            client.apply_document(kTone);
            std::atomic<int> saved = 0;
            std::thread killer{[&] {
                // After some saves, in the middle of one.
                while (saved < 2 + round % 5) std::this_thread::yield();
                std::this_thread::sleep_for(std::chrono::microseconds{137 * round});
                daemon.process().signal(SIGKILL);
            }};
            try {
                for (int i = 0;; ++i) {
                    const std::string name = "scene_" + std::to_string(i % 7);
                    const float level = -0.5F * static_cast<float>((i + round) % 200);
                    client.set_parameter("vol", "gain_db", level);
                    tried[name] = level;
                    if (client.call(save(name)).status().code() == v1::OK) acknowledged[name] = level;
                    tried.erase(name);
                    ++saved;
                }
            } catch (const std::runtime_error&) {
                // The daemon has died.
            }
            killer.join();
            static_cast<void>(daemon.process().wait());
        }
        Daemon daemon{options()};
        ProtocolClient client = daemon.client();
        for (const auto& [name, level] : acknowledged) {
            ok(client, recall(name));
            const v1::GraphResult graph = client.graph();
            float found = 1.0F;
            for (const v1::Node& node : graph.graph().nodes()) {
                if (node.name() == "vol") found = node.parameters().at("gain_db");
            }
            // The last save may be on the disk although its response was lost.
            const bool last = tried.contains(name) && tried.at(name) == found;
            EXPECT_TRUE(found == level || last) << name << ": " << found << " instead of " << level;
            if (last) acknowledged[name] = found;
        }
        for (const std::string& name : names(client))
            EXPECT_TRUE(acknowledged.contains(name) || tried.contains(name)) << name;
        for (const auto& [name, level] : tried) {
            if (names(client).contains(name)) acknowledged.emplace(name, level);
        }
        for (const auto& entry : fs::directory_iterator{scenes_})
            EXPECT_EQ(entry.path().extension(), ".json") << entry.path() << ": left behind";
        EXPECT_EQ(daemon.stop(), (ExitStatus{0, 0})) << daemon.process().error();
    }
}

TEST_F(Scenes, ADamagedFileIsKeptAndTheOthersAreRestored) {
    {
        Daemon daemon{options()};
        ProtocolClient client = daemon.client();
        client.apply_document(kTone);
        ok(client, save("day"));
        ok(client, save("night"));
        EXPECT_EQ(daemon.stop(), (ExitStatus{0, 0}));
    }
    write_text(scenes_ / "day.json", "{\"nodes\": [");
    write_text(scenes_ / "by_hand.json", kTone);
    write_text(scenes_ / "ignored.txt", "x");
    Daemon daemon{options()};
    ProtocolClient client = daemon.client();
    EXPECT_EQ(names(client), (std::set<std::string>{"by_hand", "night"}));
    EXPECT_TRUE(fs::exists(scenes_ / "day.json.kept-1"));
    ok(client, recall("by_hand"));
    ok(client, save("day"));
    EXPECT_EQ(daemon.stop(), (ExitStatus{0, 0}));
    EXPECT_NE(daemon.process().error().find("scene day cannot be restored"), std::string::npos)
        << daemon.process().error();
}

TEST_F(Scenes, AFailedSaveChangesNothing) {
    Daemon daemon{options()};
    ProtocolClient client = daemon.client();
    client.apply_document(kTone);
    ok(client, save("day"));
    fs::remove_all(scenes_);
    write_text(scenes_, "a file where the folder was");
    EXPECT_EQ(client.call(save("night")).status().code(), v1::UNAVAILABLE);
    EXPECT_EQ(client.call(remove("day")).status().code(), v1::UNAVAILABLE);
    EXPECT_EQ(names(client), std::set<std::string>{"day"});
    fs::remove(scenes_);
    ok(client, save("night"));
    EXPECT_EQ(names(client), (std::set<std::string>{"day", "night"}));
}

TEST_F(Scenes, RtactlSavesRecallsAndShowsThem) {
    Daemon daemon{options()};
    daemon.client().apply_document(kTone);
    EXPECT_EQ(daemon.ctl({"scene", "save", "day"}).output, "saved scene day: 3 nodes\n");
    EXPECT_EQ(daemon.ctl({"scene", "save", "quiet", "--only", "vol"}).output,
              "saved scene quiet: 1 node of the graph\n");
    EXPECT_EQ(daemon.ctl({"set", "vol.gain_db=-30"}).status, (ExitStatus{0, 0}));
    EXPECT_EQ(daemon.ctl({"scene", "diff", "quiet"}).output, "begin\nset vol.gain_db=0\ncommit\n");
    const RunResult recalled = daemon.ctl({"scene", "recall", "quiet", "--fade", "1s"});
    EXPECT_EQ(recalled.status, (ExitStatus{0, 0})) << recalled.error;
    EXPECT_NE(recalled.output.find("recalled quiet: revision 2, takes effect at frame "), std::string::npos)
        << recalled.output;
    EXPECT_EQ(daemon.ctl({"get", "vol.gain_db"}).output, "vol.gain_db = 0 dB\n");
    EXPECT_NE(daemon.ctl({"history"}).output.find("recall quiet"), std::string::npos);
    EXPECT_EQ(daemon.ctl({"scene", "recall", "dya"}).status, (ExitStatus{1, 0}));
}

TEST_F(Scenes, RecallsLeaveNoClickInTheRecording) {
    RecordedDaemon recorded{{.graph = kTone, .arguments = {"--state-dir", folder_.string()}}};
    ProtocolClient client = recorded.daemon().client();
    ok(client, save("s0"));
    for (int i = 1; i < 6; ++i) {
        // Other levels, other nodes of the same names, and longer chains.
        std::vector<v1::Edit> edits{set_parameter("vol", "gain_db", -3.0F * static_cast<float>(i))};
        if (i % 2 == 1) {
            edits.push_back(disconnect("vol", "out"));
            edits.push_back(add_node("gain", "more", {{"invert", static_cast<float>(i % 3 == 0)}}));
            edits.push_back(connect("vol", "more"));
            edits.push_back(connect("more", "out", -1.0F * static_cast<float>(i)));
        } else {
            edits.push_back(remove_node("more"));
            edits.push_back(connect("vol", "out", -2.0F * static_cast<float>(i)));
        }
        client.apply(transaction(edits));
        ok(client, save("s" + std::to_string(i)));
    }
    std::uint32_t random = 1;
    for (int i = 0; i < cases(200, 20); ++i) {
        random = random * 1'664'525U + 1'013'904'223U;
        v1::Request request = recall("s" + std::to_string((random >> 16U) % 6));
        request.mutable_recall_scene()->set_wait_for_start(i % 3 != 0);
        if (i % 5 == 0) request.mutable_recall_scene()->set_fade_ms(100.0F);
        ok(client, request);
    }
    recorded.wait_for_frame(client.status().engine().frame() + 9'600);
    const Wav heard = recorded.stop();
    // A sine of 440 Hz and 0.5; two gains and two connections in series: a crossfade, a gain and a parameter each.
    constexpr double kSlope = (2 * (2 + 1 + 1) + 2) / 480.0;
    const double bound =
        0.5 * (std::pow(2.0 * std::numbers::pi * 440.0 / 48'000.0, 2) +
               2.0 * kSlope * 2.0 * std::numbers::pi * 440.0 / 48'000.0 + kSlope * (1.0 + 2.0 * kSlope));
    EXPECT_LE(largest_second_difference(
                  std::span<const float>{heard.channels[0]}.first(heard.channels[0].size() - kDeviceFadeFrames))
                  .size,
              bound);
}

}  // namespace
}  // namespace rta::test
