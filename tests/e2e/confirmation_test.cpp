// SPDX-License-Identifier: MIT
// Edits that are reverted unless they are confirmed: what is heard of it, restarts, and kills at any point.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <functional>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/daemon.h"
#include "support/effort.h"
#include "support/temporary.h"
#include "support/wav.h"

namespace rta::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTone = R"({
  "nodes": [
    {"name": "osc", "type": "sine", "parameters": {"frequency_hz": 440, "gain_db": -6}},
    {"name": "vol", "type": "gain"},
    {"name": "out", "type": "output", "settings": {"channels": 2}}
  ],
  "connections": [{"from": "osc", "to": "vol"}, {"from": "vol", "to": "out"}]
})";

v1::Request edit(std::vector<v1::Edit> edits, std::uint32_t confirm_within_s) {
    v1::Request request;
    v1::ApplyTransaction& transaction = *request.mutable_apply_transaction();
    for (v1::Edit& one : edits) *transaction.mutable_edits()->add_edits() = std::move(one);
    transaction.set_confirm_within_s(confirm_within_s);
    return request;
}

v1::Request confirm() {
    v1::Request request;
    request.mutable_confirm();
    return request;
}

v1::StatusResult wait_for(ProtocolClient& client, const std::function<bool(const v1::StatusResult&)>& good) {
    const Deadline deadline;
    while (true) {
        v1::StatusResult status = client.status();
        if (good(status)) return status;
        if (deadline.passed()) throw std::runtime_error("the status stays at " + status.ShortDebugString());
        ::usleep(5'000);  // polls the daemon; no time is assumed
    }
}
v1::StatusResult wait_until_saved(ProtocolClient& client) {
    return wait_for(client, [](const v1::StatusResult& status) { return status.store().up_to_date(); });
}
v1::StatusResult wait_until_closed(ProtocolClient& client) {
    return wait_for(client, [](const v1::StatusResult& status) { return !status.has_confirmation(); });
}
bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// ---------------------------------------------------------------------------------------------------------------------
// What is heard

/// Returns the largest second difference of a recording in which an edit was heard and reverted.
double roughest_revert(const fs::path& program) {
    const TemporaryDirectory directory;
    const fs::path file = directory / "out.wav";
    Daemon daemon{{.arguments = {"--device", "null:" + file.string()}, .program = program}};
    ProtocolClient client = daemon.client();
    client.subscribe();
    client.apply_document(kTone);
    // Half of the level, through another path, and another frequency.
    const auto response =
        client.call(edit({add_node("gain", "half", {{"gain_db", -6.0F}}), disconnect("vol", "out"),
                          connect("vol", "half"), connect("half", "out"), set_parameter("vol", "gain_db", -3.0F)},
                         1));
    EXPECT_EQ(response.status().code(), v1::OK) << response.status().message();
    std::uint64_t reverted = 0;
    while (reverted == 0) {
        const auto event = client.next_event();
        if (!event) throw std::runtime_error("the edit is not reverted");
        if (event->transaction_heard().revision() == 3) reverted = event->transaction_heard().frame();
    }
    wait_for(client, [&](const v1::StatusResult& status) { return status.engine().frame() > reverted + 9'600; });
    daemon.stop();
    const Wav wav = read_wav(file);
    const std::vector<float>& samples = wav.channels.at(0);
    double largest = 0;
    // Without the fades of the device at the start and at the end.
    for (std::size_t i = 24'000; i + 2'000 < samples.size(); ++i) {
        largest = std::max(largest, std::abs(static_cast<double>(samples[i + 1]) - 2.0 * samples[i] + samples[i - 1]));
    }
    return largest;
}

TEST(Confirmation, ARevertIsHeardWithoutAClick) {
    const double omega = 2.0 * M_PI * 440.0 / 48'000.0;
    const double of_tone = std::pow(10.0, -6.0 / 20.0) * omega * omega;
    EXPECT_LT(roughest_revert(rtad_program()), 1.3 * of_tone);
    EXPECT_GT(roughest_revert(rtad_no_ramps_program()), 3.0 * of_tone) << "the measurement finds a click";
}

// ---------------------------------------------------------------------------------------------------------------------
// Restarts

class ConfirmationStore : public testing::Test {
 protected:
    [[nodiscard]] Daemon::Options options() const {
        return {.arguments = {"--device", "null", "--state-dir", folder_.string(), "--durability", durability_}};
    }
    /// Returns the document.
    std::string save_tone() {
        Daemon daemon{options()};
        ProtocolClient client = daemon.client();
        client.apply_document(kTone);
        const std::string document = client.graph().document();
        EXPECT_EQ(daemon.stop(), (ExitStatus{0, 0}));
        return document;
    }
    [[nodiscard]] bool file_exists() const { return fs::exists(folder_ / "confirmation"); }

    TemporaryDirectory directory_;
    fs::path folder_ = directory_ / "state";
    std::string durability_ = "sync";
};

TEST_F(ConfirmationStore, ARestartContinuesWithTheTimeLeft) {
    const std::string before = save_tone();
    std::string after;
    for (const bool kill : {false, true}) {
        SCOPED_TRACE(kill);
        std::optional<Daemon> daemon{options()};
        {
            ProtocolClient client = daemon->client();
            ASSERT_EQ(client.call(edit({disconnect("vol", "out")}, 600)).status().code(), v1::OK);
            client.set_parameter("vol", "gain_db", -3.0F);
            client.set_parameter("vol", "gain_db", 0.0F);
            after = client.graph().document();
            wait_until_saved(client);
            wait_for(client, [&](const v1::StatusResult&) {
                return has(read_text(folder_ / "confirmation"), "disconnect vol -> out");
            });
        }
        if (kill) {
            daemon->process().kill();
        } else {
            EXPECT_EQ(daemon->stop(), (ExitStatus{0, 0}));
        }
        EXPECT_TRUE(file_exists());
        daemon.emplace(options());
        ProtocolClient client = daemon->client();
        EXPECT_EQ(client.graph().document(), after);
        const v1::OpenConfirmation open = client.status().confirmation();
        EXPECT_GT(open.left_s(), 0.0);
        EXPECT_LE(open.left_s(), 600.0);
        EXPECT_EQ(open.revision(), 0U);
        EXPECT_EQ(open.author(), "uid " + std::to_string(::getuid()));
        EXPECT_EQ(open.summary(), "disconnect vol -> out");
        ProtocolClient other = daemon->tcp_client();
        EXPECT_EQ(other.call(edit({remove_node("vol")}, 5)).status().code(), v1::FAILED_PRECONDITION);
        v1::Request revert;
        revert.mutable_revert();
        EXPECT_EQ(other.call(revert).status().code(), v1::OK);
        EXPECT_EQ(client.graph().document(), before);
        v1::Request history;
        history.mutable_get_history()->set_steps(5);
        bool undone = false;
        const v1::Response steps = client.call(history);
        for (const v1::HistoryStep& step : steps.get_history().steps())
            undone = undone || (step.summary() == "disconnect vol -> out" && step.undone_by() == "loopback");
        EXPECT_TRUE(undone);
        wait_until_saved(client);
        EXPECT_EQ(daemon->stop(), (ExitStatus{0, 0}));
        EXPECT_FALSE(file_exists());
        EXPECT_TRUE(has(daemon->process().error(), "waits for its confirmation; it is reverted in"));
    }
}

v1::Request request_of(const std::string& what, std::uint32_t steps) {
    v1::Request request;
    if (what == "undo") request.mutable_undo()->set_steps(steps);
    if (what == "redo") request.mutable_redo()->set_steps(steps);
    if (what == "revert") request.mutable_revert();
    return request;
}

TEST_F(ConfirmationStore, WhatWasAnsweredSurvivesAKillAndFitsTheHistory) {
    const std::string before = save_tone();
    std::string edited;
    std::optional<Daemon> daemon{options()};
    {
        ProtocolClient client = daemon->client();
        v1::Edit rename;
        rename.mutable_rename_node()->set_name("osc");
        rename.mutable_rename_node()->set_new_name("tone");
        const auto made = client.call(edit({remove_node("vol"), rename, connect("tone", "out")}, 600));
        ASSERT_EQ(made.status().code(), v1::OK) << made.status().message();
        edited = client.graph().document();
        daemon->process().kill();
    }
    daemon.emplace(options());
    {
        ProtocolClient client = daemon->client();
        EXPECT_EQ(client.graph().document(), edited) << "it is on the disk when it is answered";
        EXPECT_TRUE(client.status().has_confirmation());
        ASSERT_EQ(client.call(request_of("revert", 1)).status().code(), v1::OK);
        EXPECT_EQ(client.graph().document(), before);
        daemon->process().kill();
    }
    daemon.emplace(options());
    ProtocolClient client = daemon->client();
    EXPECT_EQ(client.graph().document(), before) << "the revert is, too";
    EXPECT_FALSE(client.status().has_confirmation());
    for (const auto& [what, document] : {std::pair{"redo", edited}, std::pair{"undo", before}}) {
        const v1::Response done = client.call(request_of(what, 1));
        EXPECT_EQ(done.status().code(), v1::OK) << done.status().message();
        EXPECT_EQ(client.graph().document(), document);
    }
    EXPECT_EQ(client.call(request_of("undo", 1)).status().code(), v1::OK);
    EXPECT_EQ(client.status().engine().node_count(), 0U) << "the nodes are still those that the first edit has added";
    EXPECT_EQ(daemon->stop(), (ExitStatus{0, 0}));
}

TEST_F(ConfirmationStore, WhatWasNotConfirmedInTimeIsRevertedAtTheStart) {
    const std::string before = save_tone();
    std::int64_t end_us = 0;
    {
        Daemon daemon{options()};
        ProtocolClient client = daemon.client();
        ASSERT_EQ(client.call(edit({disconnect("vol", "out")}, 1)).status().code(), v1::OK);
        wait_until_saved(client);
        v1::Request time;
        time.mutable_get_time();
        end_us = client.call(time).get_time().utc_us() + 1'000'000;
        daemon.process().kill();
    }
    ASSERT_TRUE(file_exists());
    ASSERT_TRUE(has(read_text(folder_ / "graph.json"), "\"vol\""));
    const auto now_us = [] {
        return std::chrono::duration_cast<std::chrono::microseconds>(
                   std::chrono::system_clock::now().time_since_epoch())
            .count();
    };
    while (now_us() <= end_us) ::usleep(10'000);
    Daemon daemon{options()};
    ProtocolClient client = daemon.client();
    EXPECT_EQ(client.graph().document(), before);
    EXPECT_FALSE(client.status().has_confirmation());
    wait_for(client, [&](const v1::StatusResult&) { return !file_exists(); });
    EXPECT_EQ(read_text(folder_ / "graph.json"), before);
    v1::Request redo;
    redo.mutable_redo();
    EXPECT_EQ(client.call(redo).status().code(), v1::OK) << "it can be applied again";
    EXPECT_EQ(daemon.stop(), (ExitStatus{0, 0}));
    EXPECT_TRUE(has(daemon.process().error(), "was not confirmed in time and is reverted")) << daemon.process().error();
}

TEST_F(ConfirmationStore, ADamagedFileLeavesTheEditAndIsKept) {
    save_tone();
    {
        Daemon daemon{options()};
        ProtocolClient client = daemon.client();
        ASSERT_EQ(client.call(edit({disconnect("vol", "out")}, 600)).status().code(), v1::OK);
        EXPECT_EQ(daemon.stop(), (ExitStatus{0, 0}));
    }
    write_text(folder_ / "confirmation", read_text(folder_ / "confirmation") + "x");
    Daemon daemon{options()};
    ProtocolClient client = daemon.client();
    EXPECT_FALSE(client.status().has_confirmation());
    EXPECT_EQ(client.status().engine().connection_count(), 1U);
    EXPECT_FALSE(file_exists());
    EXPECT_TRUE(fs::exists(folder_ / "confirmation.kept-1"));
    EXPECT_EQ(daemon.stop(), (ExitStatus{0, 0}));
    EXPECT_TRUE(has(daemon.process().error(), "the checksum is wrong")) << daemon.process().error();
}

TEST_F(ConfirmationStore, AGraphThatWasEditedByHandCounts) {
    const std::string mine = R"({"nodes": [{"name": "mine", "type": "sine"}]})";
    for (const bool kill : {false, true}) {
        for (const std::string durability : {"sync", "async"}) {
            SCOPED_TRACE(durability + (kill ? ", killed" : ""));
            durability_ = durability;
            fs::remove_all(folder_);
            save_tone();
            {
                Daemon daemon{options()};
                ProtocolClient client = daemon.client();
                ASSERT_EQ(client.call(edit({disconnect("vol", "out")}, 1)).status().code(), v1::OK);
                wait_until_saved(client);
                if (kill) {
                    daemon.process().kill();
                } else {
                    EXPECT_EQ(daemon.stop(), (ExitStatus{0, 0}));
                }
            }
            ASSERT_TRUE(file_exists());
            write_text(folder_ / "graph.json", mine);
            Daemon daemon{options()};
            ProtocolClient client = daemon.client();
            EXPECT_EQ(client.status().engine().node_count(), 1U);
            EXPECT_FALSE(client.status().has_confirmation());
            wait_for(client, [&](const v1::StatusResult&) { return !file_exists(); });
            EXPECT_TRUE(has(daemon.process().error(),
                            "(disconnect vol -> out) does not wait for its confirmation any more: " +
                                (folder_ / "graph.json").string() + " was changed while rtad was not running"))
                << daemon.process().error();
            EXPECT_EQ(daemon.stop(), (ExitStatus{0, 0}));
            EXPECT_EQ(read_text(folder_ / "graph.json"), mine) << "there was nothing to save";
        }
    }
}

TEST_F(ConfirmationStore, InsteadOfADamagedGraphTheOneBeforeTheEditIsLoaded) {
    const std::string before = save_tone();
    {
        Daemon daemon{options()};
        ProtocolClient client = daemon.client();
        ASSERT_EQ(client.call(edit({disconnect("vol", "out")}, 600)).status().code(), v1::OK);
        EXPECT_EQ(daemon.stop(), (ExitStatus{0, 0}));
    }
    write_text(folder_ / "graph.json", "{");
    Daemon daemon{options()};
    ProtocolClient client = daemon.client();
    EXPECT_EQ(client.graph().document(), before);
    EXPECT_FALSE(client.status().has_confirmation());
    wait_for(client, [&](const v1::StatusResult&) { return !file_exists(); });
    EXPECT_EQ(daemon.stop(), (ExitStatus{0, 0}));
}

TEST_F(ConfirmationStore, AKillAtAnyPointLeavesTheGraphBeforeOrTheConfirmedOne) {
    const std::string before = save_tone();
    std::mt19937 random{14};
    std::uniform_real_distribution<double> delay_ms{0.0, 25.0};
    int continued = 0;
    int reverted = 0;
    constexpr int kKills = cases(40, 12);
    for (int kill = 0; kill < kKills; ++kill) {
        SCOPED_TRACE(kill);
        {
            Daemon daemon{options()};
            ProtocolClient client = daemon.client();
            client.send([] {
                v1::Request request = edit({disconnect("vol", "out")}, 1);
                request.set_id(100);
                return request;
            }());
            ::usleep(static_cast<useconds_t>(delay_ms(random) * 1000.0));
            daemon.process().kill();
        }
        Daemon daemon{options()};
        ProtocolClient client = daemon.client();
        if (client.status().has_confirmation()) {
            ++continued;
            EXPECT_NE(client.graph().document(), before);
            wait_until_closed(client);
        } else if (has(daemon.process().error(), "reverted")) {
            ++reverted;
        }
        ASSERT_EQ(client.graph().document(), before);
        wait_for(client, [&](const v1::StatusResult&) { return !file_exists(); });
        EXPECT_EQ(daemon.stop(), (ExitStatus{0, 0}));
        ASSERT_EQ(read_text(folder_ / "graph.json"), before);
    }
    RecordProperty("continued", continued);
    RecordProperty("reverted", reverted);
    // What is confirmed stays.
    {
        Daemon daemon{options()};
        ProtocolClient client = daemon.client();
        ASSERT_EQ(client.call(edit({disconnect("vol", "out")}, 1)).status().code(), v1::OK);
        wait_until_saved(client);
        ASSERT_EQ(client.call(confirm()).status().code(), v1::OK);
        daemon.process().kill();
    }
    EXPECT_FALSE(file_exists());
    Daemon daemon{options()};
    ProtocolClient client = daemon.client();
    EXPECT_FALSE(client.status().has_confirmation());
    EXPECT_EQ(client.status().engine().connection_count(), 1U);
}

TEST_F(ConfirmationStore, AKillDuringARevertLeavesNoEditThatDoesNotWait) {
    const std::string before = save_tone();
    std::mt19937 random{15};
    std::uniform_real_distribution<double> delay_ms{0.0, 15.0};
    int continued = 0;
    constexpr int kKills = cases(40, 12);
    for (int kill = 0; kill < kKills; ++kill) {
        durability_ = kill % 2 == 0 ? "sync" : "async";
        SCOPED_TRACE(std::to_string(kill) + " " + durability_);
        {
            Daemon daemon{options()};
            ProtocolClient client = daemon.client();
            ASSERT_EQ(client.call(edit({disconnect("vol", "out")}, 600)).status().code(), v1::OK);
            if (kill % 4 < 2) wait_until_saved(client);
            v1::Request revert = request_of("revert", 1);
            revert.set_id(100);
            client.send(revert);
            ::usleep(static_cast<useconds_t>(delay_ms(random) * 1000.0));
            daemon.process().kill();
        }
        Daemon daemon{options()};
        ProtocolClient client = daemon.client();
        if (client.status().has_confirmation()) {
            ++continued;
            EXPECT_NE(client.graph().document(), before);
            ASSERT_EQ(client.call(request_of("revert", 1)).status().code(), v1::OK);
        }
        ASSERT_EQ(client.graph().document(), before);
        wait_for(client, [&](const v1::StatusResult&) { return !file_exists(); });
        EXPECT_EQ(daemon.stop(), (ExitStatus{0, 0}));
        ASSERT_EQ(read_text(folder_ / "graph.json"), before);
    }
    RecordProperty("continued", continued);
}

// ---------------------------------------------------------------------------------------------------------------------
// rtactl

TEST(ConfirmationCommand, ConfirmsAndReverts) {
    Daemon daemon{{.arguments = {"--device", "null"}}};
    const auto done = [&](std::vector<std::string> words) {
        const RunResult result = daemon.ctl(std::move(words));
        EXPECT_EQ(result.status, (ExitStatus{0, 0})) << result.error;
        return result.output;
    };
    done({"play", "sine", "gain"});
    const std::string waits = done({"set", "gain.gain_db=-6", "--confirm-within", "10min"});
    EXPECT_TRUE(has(waits, "revision 2")) << waits;
    EXPECT_TRUE(has(waits, "(reverted in 10 min 0 s unless `rtactl confirm` comes)")) << waits;
    EXPECT_TRUE(has(done({"status"}), "confirm"));
    EXPECT_TRUE(has(done({"pending"}), "set gain.gain_db = -6, is reverted in"));
    EXPECT_TRUE(has(done({"confirm", "--revert"}), "undid step 2 of uid"));
    EXPECT_TRUE(has(done({"get", "gain.gain_db"}), "= 0 dB"));
    done({"redo", "--confirm-within", "1min"});
    EXPECT_TRUE(has(done({"confirm"}), "confirmed the edit of uid"));
    EXPECT_TRUE(has(done({"get", "gain.gain_db"}), "= -6 dB"));
    EXPECT_EQ(daemon.ctl({"confirm"}).status, (ExitStatus{1, 0}));
}

}  // namespace
}  // namespace rta::test
