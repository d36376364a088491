// SPDX-License-Identifier: MIT
#include "rta/subscription.h"

#include <gtest/gtest.h>

#include <future>

#include "rta/backoff.h"
#include "rta/client.h"
#include "rta/graph_mirror.h"
#include "scripted_state.h"
#include "support/deadline.h"
#include "support/temporary.h"

namespace rta {
namespace {

using client::Error;
using test::heard;
using test::ScriptedDaemon;
using test::ScriptedState;
using Session = ScriptedState::Session;

const SubscribeOptions kQuick{.topics = {v1::TOPIC_CHANGES},
                              .shortest_pause = std::chrono::milliseconds{1},
                              .longest_pause = std::chrono::milliseconds{2}};

client::Expected<Subscription> open(const ScriptedDaemon& daemon, const SubscribeOptions& options = kQuick) {
    return Subscription::open(to_string(daemon.endpoint()), options, {.timeout = test::kPatience});
}

/// Returns the next items in short: "started@4" is a Resync with the graph at change 4, "5" the event of change 5.
std::string items(Subscription& subscription, int number) {
    std::string text;
    for (int i = 0; i < number; ++i) {
        const auto item = subscription.next(test::kPatience);
        if (!item) return text + " error: " + item.error().sentence;
        text += text.empty() ? "" : " ";
        if (const auto* event = std::get_if<v1::Event>(&*item)) {
            text += std::to_string(event->number());
            continue;
        }
        const auto& resync = std::get<Resync>(*item);
        constexpr std::array kReasons{"started", "restarted", "missed"};
        text += kReasons.at(static_cast<std::size_t>(resync.reason));
        text += "@" + std::to_string(resync.graph.change_number());
        EXPECT_EQ(resync.types->types(0).name(), "gain");
        EXPECT_EQ(resync.status.instance_id(), resync.instance_id);
    }
    return text;
}

TEST(Subscription, BeginsWithTheStateAndSkipsTheChangesThatItContains) {
    ScriptedDaemon daemon{
        ScriptedState{
            {{.subscribed_at = 3, .graph_at = 4, .after_subscribe = {heard(4)}, .after_resync = {heard(5), heard(6)}}}},
        ""};
    auto subscription = open(daemon);
    ASSERT_TRUE(subscription) << subscription.error().sentence;
    EXPECT_EQ(items(*subscription, 3), "started@4 5 6");
}

TEST(Subscription, ContinuesAfterALostConnectionIfNothingWasMissed) {
    ScriptedDaemon daemon{ScriptedState{{{.after_resync = {heard(1), heard(2)}, .close_at_end = true},
                                         {.subscribed_at = 2, .after_subscribe = {heard(3)}, .close_at_end = true},
                                         {.subscribed_at = 3, .after_subscribe = {heard(4), heard(5)}}}},
                          ""};
    auto subscription = open(daemon);
    ASSERT_TRUE(subscription) << subscription.error().sentence;
    EXPECT_EQ(items(*subscription, 6), "started@0 1 2 3 4 5");
    EXPECT_EQ(count(daemon, v1::Request::kGetGraph), 1U);
    EXPECT_EQ(daemon.connections(), 3U);
    std::vector<std::string> resumed;
    for (const v1::Request& request : daemon.requests()) {
        if (request.has_subscribe())
            resumed.push_back(std::to_string(request.subscribe().resume_after()) +
                              request.subscribe().resume_instance());
    }
    EXPECT_EQ(resumed, (std::vector<std::string>{"0", "2one", "3one"}));
}

TEST(Subscription, OfSomeNodesAcceptsGapsInTheNumbers) {
    ScriptedDaemon daemon{ScriptedState{{{.after_resync = {heard(3), heard(7)}, .close_at_end = true},
                                         {.subscribed_at = 7, .after_subscribe = {heard(12)}}}},
                          ""};
    SubscribeOptions options = kQuick;
    options.nodes = {"osc", "vol"};
    auto subscription = open(daemon, options);
    ASSERT_TRUE(subscription);
    EXPECT_EQ(items(*subscription, 4), "started@0 3 7 12");
    EXPECT_EQ(count(daemon, v1::Request::kGetGraph), 1U);
    EXPECT_EQ(daemon.requests()[1].subscribe().nodes(1), "vol");
}

TEST(Subscription, YieldsTheStateIfChangesWereMissedWhileDisconnected) {
    ScriptedDaemon daemon{ScriptedState{{{.after_resync = {heard(1)}, .close_at_end = true},
                                         {.subscribed_at = 2, .graph_at = 2, .after_resync = {heard(3)}}}},
                          ""};
    auto subscription = open(daemon);
    ASSERT_TRUE(subscription);
    EXPECT_EQ(items(*subscription, 4), "started@0 1 missed@2 3");
    EXPECT_EQ(count(daemon, v1::Request::kListNodeTypes), 1U) << "types are constant for an instance";
}

TEST(Subscription, YieldsTheStateOfARestartedDaemonEvenIfItsNumbersFit) {
    ScriptedDaemon daemon{
        ScriptedState{{{.after_resync = {heard(1)}, .close_at_end = true},
                       {.instance_id = "two", .subscribed_at = 1, .graph_at = 1, .after_resync = {heard(2)}}}},
        ""};
    auto subscription = open(daemon);
    ASSERT_TRUE(subscription);
    EXPECT_EQ(items(*subscription, 4), "started@0 1 restarted@1 2");
    EXPECT_EQ(count(daemon, v1::Request::kListNodeTypes), 2U);
}

TEST(Subscription, YieldsTheStateAfterAGapInTheNumbers) {
    ScriptedDaemon daemon{ScriptedState{{{.graph_at = 0, .after_resync = {heard(1), heard(3)}}}}, ""};
    auto subscription = open(daemon);
    ASSERT_TRUE(subscription);
    EXPECT_EQ(items(*subscription, 3), "started@0 1 missed@0");
}

TEST(Subscription, YieldsTheStateAfterAnEditOfAnUnknownKind) {
    v1::Event unknown;
    unknown.set_number(1);
    unknown.mutable_graph_changed()->add_edits();
    ScriptedDaemon daemon{ScriptedState{{{.after_resync = {unknown}}}}, ""};
    auto subscription = open(daemon);
    ASSERT_TRUE(subscription);
    EXPECT_EQ(items(*subscription, 2), "started@0 missed@0");
}

TEST(Subscription, RetriesARefusalThatPasses) {
    ScriptedDaemon daemon{ScriptedState{{{.after_resync = {heard(1)}, .close_at_end = true},
                                         {.refuse = v1::RESOURCE_EXHAUSTED},
                                         {.refuse = v1::UNAVAILABLE},
                                         {.subscribed_at = 1, .after_subscribe = {heard(2)}}}},
                          ""};
    auto subscription = open(daemon);
    ASSERT_TRUE(subscription);
    EXPECT_EQ(items(*subscription, 3), "started@0 1 2");
}

TEST(Subscription, ReturnsARefusalThatStaysAndCanBeCalledAgain) {
    ScriptedDaemon daemon{ScriptedState{{{.after_resync = {heard(1)}, .close_at_end = true},
                                         {.refuse = v1::UNAUTHENTICATED},
                                         {.subscribed_at = 1, .after_subscribe = {heard(2)}}}},
                          ""};
    auto subscription = open(daemon);
    ASSERT_TRUE(subscription);
    EXPECT_EQ(items(*subscription, 2), "started@0 1");
    const auto refused = subscription->next(test::kPatience);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Error::Kind::refused);
    EXPECT_EQ(refused.error().code, v1::UNAUTHENTICATED);
    EXPECT_EQ(items(*subscription, 1), "2");
}

TEST(Subscription, DoesNotRetryTheFirstConnection) {
    const auto address = "127.0.0.1:" + std::to_string(test::free_tcp_port());
    const auto subscription = Subscription::open(address, kQuick);
    ASSERT_FALSE(subscription);
    EXPECT_EQ(subscription.error().kind, Error::Kind::cannot_connect);
}

TEST(Subscription, NeedsNoGraphForTelemetryOnly) {
    v1::Event levels;
    levels.set_telemetry_number(1);
    levels.mutable_levels()->set_frame(64);
    SubscribeOptions options = kQuick;
    options.topics = {v1::TOPIC_LEVELS};
    options.telemetry_rate_hz = 25.0F;
    options.watches = {{.port = "vol:out", .spectrum = true}, {.port = "osc"}};
    ScriptedDaemon daemon{ScriptedState{{{.after_subscribe = {levels}, .close_at_end = true},
                                         {.instance_id = "two", .subscribed_at = 9, .after_subscribe = {levels}}}},
                          ""};
    auto subscription = open(daemon, options);
    ASSERT_TRUE(subscription);
    EXPECT_EQ(items(*subscription, 2), "0 0");
    EXPECT_EQ(count(daemon, v1::Request::kGetGraph), 0U);
    const v1::Subscribe wanted = daemon.requests()[1].subscribe();
    EXPECT_EQ(wanted.telemetry_rate_hz(), 25.0F);
    ASSERT_EQ(wanted.watches_size(), 2);
    EXPECT_EQ(wanted.watches(0).port(), "vol:out");
    EXPECT_TRUE(wanted.watches(0).spectrum());
    EXPECT_EQ(wanted.watches(1).port(), "osc");
}

TEST(Subscription, ATimeoutLosesNoItem) {
    ScriptedDaemon daemon{ScriptedState{{{.after_resync = {heard(1), heard(2)}}}}, ""};
    auto subscription = open(daemon);
    ASSERT_TRUE(subscription);
    std::string order;
    while (order.size() < 3) {
        const auto item = subscription->next(std::chrono::milliseconds{0});
        if (item) {
            order += std::holds_alternative<Resync>(*item) ? "R" : std::to_string(std::get<v1::Event>(*item).number());
        } else {
            ASSERT_EQ(item.error().kind, Error::Kind::timeout) << item.error().sentence;
        }
    }
    EXPECT_EQ(order, "R12");
}

TEST(Subscription, IsInterruptedByAnotherThread) {
    ScriptedDaemon daemon{ScriptedState{{Session{}}}, ""};
    auto subscription = open(daemon);
    ASSERT_TRUE(subscription);
    EXPECT_EQ(items(*subscription, 1), "started@0");
    auto waiting = std::async(std::launch::async, [&] { return subscription->next(); });
    subscription->interrupt();
    EXPECT_EQ(waiting.get().error().kind, Error::Kind::interrupted);
    subscription->interrupt();
    EXPECT_EQ(subscription->next().error().kind, Error::Kind::interrupted) << "an interruption before the call";
    EXPECT_EQ(subscription->next(std::chrono::milliseconds{0}).error().kind, Error::Kind::timeout);
}

TEST(Subscription, IsOpenedByAClient) {
    ScriptedDaemon daemon{ScriptedState{{Session{}, {.after_resync = {heard(1)}}}}, ""};
    const auto client = Client::connect(to_string(daemon.endpoint()));
    ASSERT_TRUE(client);
    auto subscription = client->subscribe(kQuick);
    ASSERT_TRUE(subscription) << subscription.error().sentence;
    EXPECT_EQ(items(*subscription, 2), "started@0 1");
}

TEST(Subscription, KeepsAMirrorThatIsNeverSilentlyWrong) {
    v1::Event added;
    added.set_number(1);
    added.mutable_graph_changed()->set_revision(1);
    *added.mutable_graph_changed()->add_edits() = add_node_edit("vol", "gain");
    v1::Event set;
    set.set_number(2);
    *set.mutable_parameters_changed()->add_changes() = parameter_change("vol", "gain_db", -6);
    ScriptedDaemon daemon{
        ScriptedState{{{.after_resync = {added, set}, .close_at_end = true}, {.subscribed_at = 9, .graph_at = 9}}}, ""};
    auto subscription = open(daemon);
    ASSERT_TRUE(subscription);
    GraphMirror mirror;
    for (int i = 0; i < 3; ++i) mirror.update(subscription->next(test::kPatience).value());
    EXPECT_EQ(mirror.revision(), 1U);
    EXPECT_EQ(mirror.change_number(), 2U);
    ASSERT_NE(mirror.find("vol"), nullptr);
    EXPECT_EQ(mirror.find("vol")->parameters.at("gain_db"), -6.0F);
    mirror.update(subscription->next(test::kPatience).value());
    EXPECT_EQ(mirror.change_number(), 9U);
    EXPECT_EQ(mirror.find("vol"), nullptr);
    EXPECT_NE(mirror.find("n9"), nullptr);
}

TEST(Backoff, DoublesUpToItsLimitAndDrawsFromTheUpperHalf) {
    using std::chrono::milliseconds;
    client::Backoff backoff{milliseconds{100}, milliseconds{1000}, 1};
    for (const int limit_ms : {100, 200, 400, 800, 1000, 1000}) {
        const auto pause = backoff.next();
        EXPECT_GE(pause, milliseconds{limit_ms} / 2);
        EXPECT_LE(pause, milliseconds{limit_ms});
    }
    backoff.reset();
    EXPECT_LE(backoff.next(), milliseconds{100});
    client::Backoff other{milliseconds{100}, milliseconds{1000}, 2};
    EXPECT_NE(client::Backoff(milliseconds{100}, milliseconds{1000}, 1).next(), other.next()) << "clients spread";
}

}  // namespace
}  // namespace rta
