// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <atomic>

#include "fake_rtad.h"
#include "rtactl/language/condition.h"

namespace rta::test {
namespace {

using rtactl::Condition;
using rtactl::Exit;

std::expected<Condition, std::string> parse(std::vector<std::string> words) { return rtactl::parse_condition(words); }

/// Runs rtactl with a timeout that is expected to pass.
Outcome run_briefly(FakeRtad& rtad, std::vector<std::string> words) {
    words.insert(words.begin(), {"--host", to_string(rtad.daemon().endpoint()), "--timeout", "0.05"});
    return run_rtactl(std::move(words));
}

TEST(ConditionWords, AreRead) {
    EXPECT_EQ(parse({"running"})->kind, Condition::Kind::running);
    EXPECT_EQ(parse({"revision", "12"})->number, 12U);
    EXPECT_EQ(parse({"heard", "3"})->kind, Condition::Kind::heard);
    EXPECT_EQ(parse({"node", "osc"})->node, "osc");
    EXPECT_EQ(parse({"no-node", "osc"})->kind, Condition::Kind::no_node);
    EXPECT_EQ(parse({"level", "-40dB"})->level_db, -40.0F);
    EXPECT_EQ(parse({"level", "vu", "-3"})->node, "vu");
    EXPECT_EQ(parse({"silence"})->node, "");
    EXPECT_EQ(parse({"silence", "vu"})->node, "vu");
    EXPECT_EQ(parse({"pending", "none"})->kind, Condition::Kind::idle);
    const auto value = parse({"vol.gain_db = -6dB"});
    ASSERT_TRUE(value);
    EXPECT_EQ(value->node, "vol");
    EXPECT_EQ(value->assignment.name, "gain_db");
    EXPECT_EQ(value->assignment.value, "-6dB");
    EXPECT_EQ(value->text, "vol.gain_db = -6dB");
}

TEST(ConditionWords, ThatAreInvalidSayWhatIsExpected) {
    EXPECT_EQ(parse({"revision"}).error(), "invalid condition \"revision\": expected revision N");
    EXPECT_EQ(parse({"revision", "-1"}).error(), "invalid revision \"-1\": expected a whole number");
    EXPECT_EQ(parse({"heard", "18446744073709551615"})->number, 18'446'744'073'709'551'615U);
    EXPECT_EQ(
        parse({"heard", "18446744073709551616"}).error(),
        "invalid revision \"18446744073709551616\": too large; expected a whole number, as printed by `rtactl status`");
    EXPECT_LT(parse({"revision", std::string(100'000, '9')}).error().size(), 250U);
    EXPECT_LT(parse({std::string(100'000, 'r')}).error().size(), 400U);
    EXPECT_EQ(parse({"running", "now"}).error(), "invalid condition \"running now\": expected running");
    EXPECT_EQ(parse({"pending", "3"}).error(), "invalid condition \"pending 3\": expected pending none");
    EXPECT_TRUE(parse({"level", "loud"}).error().starts_with("level: "));
    EXPECT_TRUE(parse({"vol.gain_db+=3"}).error().ends_with("expected NODE.PARAM=VALUE"));
    EXPECT_TRUE(parse({"dinner"}).error().starts_with("unknown condition \"dinner\": expected running, revision N, "));
}

TEST(Wait, ReturnsAtOnceIfTheConditionHolds) {
    FakeRtad rtad;
    for (const std::vector<std::string>& words : {std::vector<std::string>{"node", "osc"},
                                                  {"no-node", "ghost"},
                                                  {"vol.gain_db=-12.5dB"},
                                                  {"vol.mute=on"},
                                                  {"revision", "7"}}) {
        std::vector<std::string> line{"wait"};
        line.insert(line.end(), words.begin(), words.end());
        const Outcome outcome = rtad.run(line);
        EXPECT_EQ(outcome.exit, Exit::done) << words[0] << outcome.err;
        EXPECT_EQ(outcome.out + outcome.err, "");
    }
}

TEST(Wait, SaysTheLastStateAtTheTimeout) {
    FakeRtad rtad;
    const auto error = [&](std::vector<std::string> words) {
        words.insert(words.begin(), "wait");
        const Outcome outcome = run_briefly(rtad, words);
        EXPECT_EQ(outcome.exit, Exit::refused);
        return outcome.err;
    };
    EXPECT_EQ(error({"vol.gain_db=0"}),
              "rtactl: \"vol.gain_db=0\" does not hold after 0.05 s (--timeout): vol.gain_db is -12.5 dB\n");
    EXPECT_TRUE(has(error({"node", "ghost"}), ": node ghost does not exist\n"));
    EXPECT_TRUE(has(error({"no-node", "osc"}), ": node osc exists\n"));
    EXPECT_TRUE(has(error({"revision", "8"}), ": the graph has revision 7\n"));
    EXPECT_TRUE(has(error({"heard", "1"}), ": what is heard has revision 0\n"));
    EXPECT_TRUE(has(error({"running"}), "PortAudio has no device")) << "the null device replaces it";
    EXPECT_TRUE(has(error({"level", "-40"}), ": no levels have been measured\n"));
}

TEST(Wait, InvalidWordsAndValuesAreUsageErrors) {
    FakeRtad rtad;
    EXPECT_EQ(rtad.run({"wait", "dinner"}).exit, Exit::usage);
    EXPECT_EQ(rtad.run({"wait", "vol.gain_db=loud"}).exit, Exit::usage);
    const Outcome unknown = rtad.run({"wait", "vol.gain=1"});
    EXPECT_EQ(unknown.exit, Exit::usage);
    EXPECT_TRUE(has(unknown.err, "cannot wait for vol.gain: unknown parameter \"gain\" (did you mean \"gain_db\"?)"))
        << unknown.err;
    const Outcome setting = rtad.run({"wait", "vol.channels=1"});
    EXPECT_EQ(setting.exit, Exit::usage);
    EXPECT_TRUE(has(setting.err, "cannot wait for vol.channels: channels is a setting")) << setting.err;
    EXPECT_TRUE(has(setting.err, "expected one of its parameters: gain_db, ")) << setting.err;
}

/// Answers Subscribe, then sends an event; every GetStatus has the next revision, from 5 on.
FakeRtad::Override counting(v1::Event event, std::shared_ptr<std::atomic<std::uint64_t>> revision, bool close = false) {
    return [=](const v1::Request& request) -> std::optional<Reply> {
        v1::Response response = ok(request);
        if (request.has_subscribe()) return Reply{.bytes = frame(response) + frame(event)};
        if (!request.has_get_status()) return std::nullopt;
        *response.mutable_get_status() = fake_status();
        response.mutable_get_status()->mutable_engine()->set_revision(4 + ++*revision);
        return Reply{.bytes = frame(response) + frame(event), .close = close};
    };
}

v1::Event graph_change() {
    v1::Event event;
    event.set_number(5);
    event.mutable_graph_changed()->set_revision(5);
    return event;
}

TEST(Wait, AsksAgainAfterAChange) {
    FakeRtad rtad{counting(graph_change(), std::make_shared<std::atomic<std::uint64_t>>(0))};
    const Outcome outcome = rtad.run({"wait", "revision", "7"});
    EXPECT_EQ(outcome.exit, Exit::done) << outcome.err;
    EXPECT_EQ(rtad.daemon().connections(), 1U);
}

TEST(Wait, SurvivesLostConnections) {
    FakeRtad rtad{counting(heard(1), std::make_shared<std::atomic<std::uint64_t>>(0), true)};
    const Outcome outcome = rtad.run({"wait", "revision", "7"});
    EXPECT_EQ(outcome.exit, Exit::done) << outcome.err;
    EXPECT_EQ(rtad.daemon().connections(), 3U);
}

v1::Event output_levels(float peak_db, std::uint32_t frames) {
    v1::Event event;
    event.set_telemetry_number(1);
    event.mutable_levels()->set_frame_count(frames);
    event.mutable_levels()->add_outputs()->set_peak_db(-100.0F);
    event.mutable_levels()->add_outputs()->set_peak_db(peak_db);
    return event;
}

FakeRtad::Override with_levels(std::vector<v1::Event> events) {
    return [events = std::move(events)](const v1::Request& request) -> std::optional<Reply> {
        if (!request.has_subscribe()) return std::nullopt;
        std::string bytes = frame(ok(request));
        for (const v1::Event& event : events) bytes += frame(event);
        return Reply{.bytes = bytes};
    };
}

TEST(Wait, ForALevelTakesTheLoudestChannel) {
    FakeRtad quiet{with_levels({output_levels(-41.0F, 2'400)})};
    const Outcome waited = run_briefly(quiet, {"wait", "level", "-40dB"});
    EXPECT_EQ(waited.exit, Exit::refused);
    EXPECT_TRUE(has(waited.err, "the peak of the device output is -41 dB")) << waited.err;
    FakeRtad loud{with_levels({output_levels(-41.0F, 2'400), output_levels(-40.0F, 2'400)})};
    EXPECT_EQ(loud.run({"wait", "level", "-40dB"}).exit, Exit::done);
}

TEST(Wait, ForSilenceNeedsAWholeSecondOfIt) {
    // 48 kHz; events that arrive before the status are not counted.
    const auto run = [](std::vector<v1::Event> events) {
        FakeRtad rtad{[events](const v1::Request& request) -> std::optional<Reply> {
            if (!request.has_get_status()) return std::nullopt;
            v1::Response response = ok(request);
            *response.mutable_get_status() = fake_status();
            std::string bytes = frame(response);
            for (const v1::Event& event : events) bytes += frame(event);
            return Reply{.bytes = bytes};
        }};
        return run_briefly(rtad, {"wait", "silence"}).exit;
    };
    EXPECT_EQ(run({output_levels(-90.0F, 24'000), output_levels(-90.0F, 24'000)}), Exit::done);
    EXPECT_EQ(run({output_levels(-90.0F, 24'000), output_levels(-90.0F, 23'999)}), Exit::refused);
    EXPECT_EQ(run({output_levels(-90.0F, 47'000), output_levels(-89.0F, 10), output_levels(-90.0F, 24'000)}),
              Exit::refused);
}

TEST(Wait, ForSilenceNeedsTheSampleRateFirst) {
    FakeRtad rtad{with_levels({output_levels(-100.0F, 10)})};
    EXPECT_EQ(run_briefly(rtad, {"wait", "silence"}).exit, Exit::refused);
}

TEST(Wait, PrintsWithJsonWhatHasShownIt) {
    FakeRtad rtad;
    const Outcome held = rtad.run({"--json", "wait", "node", "osc"});
    EXPECT_EQ(parse_json<v1::Response>(held.out).get_graph().graph().nodes_size(), 3);
    const Outcome late = run_briefly(rtad, {"--json", "wait", "node", "ghost"});
    EXPECT_EQ(parse_json<v1::Response>(late.out).status().code(), v1::DEADLINE_EXCEEDED);
    EXPECT_EQ(late.exit, Exit::refused);
}

TEST(Wait, ForADaemonThatIsNotThere) {
    const Outcome outcome = run_rtactl({"--socket", "/nonexistent/rtad", "--timeout", "0.05", "wait", "running"});
    EXPECT_EQ(outcome.exit, Exit::cannot_connect);
    EXPECT_TRUE(has(outcome.err, "\"running\" does not hold after 0.05 s (--timeout): ")) << outcome.err;
    EXPECT_TRUE(has(outcome.err, "/nonexistent/rtad"));
}

TEST(Wait, AnAccessTokenThatIsRefusedEndsIt) {
    FakeRtad rtad{[](const v1::Request& request) -> std::optional<Reply> {
        if (!request.has_subscribe()) return std::nullopt;
        return Reply{.bytes = frame(refusal(request, v1::PERMISSION_DENIED, "no"))};
    }};
    EXPECT_EQ(rtad.run({"wait", "running"}).exit, Exit::not_allowed);
}

}  // namespace
}  // namespace rta::test
