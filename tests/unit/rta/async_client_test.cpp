// SPDX-License-Identifier: MIT
#include "rta/async_client.h"

#include <gtest/gtest.h>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>
#include <functional>
#include <future>

#include "scripted_state.h"
#include "support/deadline.h"
#include "support/temporary.h"

namespace rta {
namespace {

using client::Error;
using test::frame;
using test::heard;
using test::ok;
using test::Reply;
using test::ScriptedDaemon;
using test::ScriptedState;

/// Runs a coroutine to its end.
void run(asio::io_context& context, std::function<asio::awaitable<void>()> body) {
    bool ended = false;
    asio::co_spawn(context, std::move(body), [&](const std::exception_ptr& error) {
        ended = true;
        if (error) std::rethrow_exception(error);
    });
    context.run();
    EXPECT_TRUE(ended);
}

std::string address(const ScriptedDaemon& daemon) { return to_string(daemon.endpoint()); }

TEST(AsyncClient, CallsOverlapAndEachGetsItsResponse) {
    ScriptedDaemon daemon{[](const v1::Request& request) {
        v1::Response response = ok(request);
        response.mutable_set_volume()->set_volume_db(request.set_volume().volume_db());
        return Reply{.bytes = frame(heard(request.id())) + frame(response)};
    }};
    asio::io_context context;
    int returned = 0;
    run(context, [&]() -> asio::awaitable<void> {
        auto connected = co_await AsyncClient::connect(address(daemon));
        EXPECT_TRUE(connected);
        auto client = std::make_shared<AsyncClient>(std::move(*connected));
        EXPECT_EQ(client->hello().server_version(), "9.9.9");
        for (int i = 0; i < 100; ++i) {
            asio::co_spawn(
                context,
                [](std::shared_ptr<AsyncClient> shared, int number, int& count) -> asio::awaitable<void> {
                    const auto result = co_await shared->set_volume(static_cast<float>(-number));
                    EXPECT_TRUE(result);
                    EXPECT_EQ(result->volume_db(), static_cast<float>(-number));
                    ++count;
                }(client, i, returned),
                asio::detached);
        }
    });
    EXPECT_EQ(returned, 100);
    EXPECT_EQ(daemon.connections(), 1U);
}

TEST(AsyncClient, ReturnsTheTypedResults) {
    ScriptedDaemon daemon{[](const v1::Request& request) {
        v1::Response response = ok(request);
        if (request.has_get_status()) response.mutable_get_status()->set_server_version("1.2.3");
        if (request.has_get_graph()) response.mutable_get_graph()->set_revision(7);
        if (request.has_list_node_types()) response.mutable_list_node_types()->add_types()->set_name("gain");
        if (request.has_apply_transaction()) response.mutable_apply_transaction()->set_revision(8);
        if (request.has_set_parameters()) response.mutable_set_parameters()->set_frame(64);
        if (request.has_mute_output()) response.mutable_mute_output()->set_frame(128);
        if (request.has_undo()) response.mutable_undo()->set_revision(9);
        if (request.has_redo()) response.mutable_redo()->set_revision(10);
        if (request.has_get_history()) response.mutable_get_history()->add_steps()->set_number(5);
        if (request.has_get_time()) response.mutable_get_time()->set_frame(512);
        if (request.apply_transaction().has_at()) response.mutable_apply_transaction()->mutable_pending()->set_id(5);
        if (request.set_parameters().has_at()) response.mutable_set_parameters()->mutable_pending()->set_id(6);
        if (request.has_list_pending()) response.mutable_list_pending()->add_edits()->set_id(5);
        if (request.has_cancel_pending()) response.mutable_cancel_pending()->mutable_edit()->set_id(5);
        if (request.apply_transaction().has_confirm_within_s())
            response.mutable_apply_transaction()->mutable_confirmation()->set_id(
                request.apply_transaction().confirm_within_s());
        if (request.has_confirm()) response.mutable_confirm()->mutable_confirmation()->set_id(request.confirm().id());
        if (request.has_revert()) response.mutable_revert()->set_revision(request.revert().id());
        if (request.has_save_scene()) response.mutable_save_scene()->mutable_scene()->set_node_count(3);
        if (request.has_recall_scene()) response.mutable_recall_scene()->set_was_prepared(true);
        if (request.has_list_scenes()) response.mutable_list_scenes()->add_scenes()->set_name("day");
        if (request.has_rename_scene()) response.mutable_rename_scene()->mutable_scene()->set_name("noon");
        if (request.has_remove_scene()) response.mutable_remove_scene()->mutable_scene()->set_name("noon");
        if (request.has_get_scene()) response.mutable_get_scene()->set_revision(9);
        if (request.has_panic()) response = test::refusal(request, v1::PERMISSION_DENIED, "not allowed");
        return Reply{.bytes = frame(response)};
    }};
    asio::io_context context;
    run(context, [&]() -> asio::awaitable<void> {
        auto client = co_await AsyncClient::connect(address(daemon));
        const auto status = co_await client->status();
        EXPECT_EQ(status->server_version(), "1.2.3");
        const auto time = co_await client->time();
        EXPECT_EQ(time->frame(), 512U);
        std::vector<v1::Edit> removal;
        removal.push_back(remove_node_edit("osc"));
        const auto later = co_await client->apply_at(at_time(std::chrono::system_clock::time_point{}), removal);
        EXPECT_EQ(later->pending().id(), 5U);
        std::vector<v1::SetParameter> fade;
        fade.push_back(parameter_change("osc", "gain_db", -6));
        const auto moved = co_await client->set_parameters_at(in_seconds(1), fade);
        EXPECT_EQ(moved->pending().id(), 6U);
        const auto pending = co_await client->pending();
        EXPECT_EQ(pending->edits_size(), 1);
        const auto cancelled = co_await client->cancel(5);
        EXPECT_EQ(cancelled->edit().id(), 5U);
        const auto waits = co_await client->apply_to_confirm(30, removal);
        EXPECT_EQ(waits->confirmation().id(), 30U);
        const auto waits_too = co_await client->load_to_confirm(60, "{}", WaitFor::start);
        EXPECT_EQ(waits_too->confirmation().id(), 60U);
        const auto confirmed = co_await client->confirm(7);
        EXPECT_EQ(confirmed->confirmation().id(), 7U);
        const auto reverted = co_await client->revert(9);
        EXPECT_EQ(reverted->revision(), 9U);
        const auto graph = co_await client->graph();
        EXPECT_EQ(graph->revision(), 7U);
        const auto types = co_await client->node_types();
        EXPECT_EQ(types->types(0).name(), "gain");
        std::vector<v1::Edit> edits;
        edits.push_back(add_node_edit("osc", "sine"));
        const auto applied = co_await client->apply(edits);
        EXPECT_EQ(applied->revision(), 8U);
        const auto loaded = co_await client->load("{}", WaitFor::start, expect_revision(8));
        EXPECT_EQ(loaded->revision(), 8U);
        const auto undone = co_await client->undo();
        EXPECT_EQ(undone->revision(), 9U);
        const auto redone = co_await client->redo();
        EXPECT_EQ(redone->revision(), 10U);
        const auto history = co_await client->history(3);
        EXPECT_EQ(history->steps(0).number(), 5U);
        const auto saved = co_await client->save_scene("day");
        EXPECT_EQ(saved->scene().node_count(), 3U);
        const auto recalled = co_await client->recall_scene("day");
        EXPECT_TRUE(recalled->was_prepared());
        const auto scenes = co_await client->scenes();
        EXPECT_EQ(scenes->scenes(0).name(), "day");
        const auto renamed = co_await client->rename_scene("day", "noon");
        EXPECT_EQ(renamed->scene().name(), "noon");
        const auto removed = co_await client->remove_scene("noon");
        EXPECT_EQ(removed->scene().name(), "noon");
        const auto scene = co_await client->scene("day");
        EXPECT_EQ(scene->revision(), 9U);
        const auto set = co_await client->set_parameter("osc", "gain_db", -6, expect_change(12));
        EXPECT_EQ(set->frame(), 64U);
        const auto muted = co_await client->mute();
        EXPECT_EQ(muted->frame(), 128U);
        const auto panicked = co_await client->panic();
        EXPECT_EQ(panicked.error().kind, Error::Kind::rejected);
        EXPECT_EQ(panicked.error().code, v1::PERMISSION_DENIED);
    });
    const std::vector<v1::Request> requests = daemon.requests();
    ASSERT_EQ(requests.size(), 26U);
    EXPECT_FALSE(requests[12].apply_transaction().has_guard());
    EXPECT_EQ(requests[13].apply_transaction().guard().expected_revision(), 8U);
    EXPECT_EQ(requests[23].set_parameters().guard().expected_change(), 12U);
}

TEST(AsyncClient, TimesOutAndIgnoresTheLateResponse) {
    std::string late;
    ScriptedDaemon daemon{[&](const v1::Request& request) {
        v1::Response response = ok(request);
        response.mutable_get_status()->set_server_version(late.empty() ? "late" : "in time");
        if (!late.empty()) return Reply{.bytes = late + frame(response)};
        late = frame(response);
        return Reply{};
    }};
    asio::io_context context;
    run(context, [&]() -> asio::awaitable<void> {
        ClientOptions options;
        options.timeout = std::chrono::milliseconds{200};
        auto client = co_await AsyncClient::connect(address(daemon), options);
        EXPECT_TRUE(client);
        const auto first = co_await client->status();
        EXPECT_EQ(first.error().kind, Error::Kind::timeout);
        EXPECT_NE(first.error().sentence.find("did not respond within 0.2 s"), std::string::npos);
        // Sanitizers slow the daemon down, so its response may be late again.
        for (;;) {
            const auto second = co_await client->status();
            if (!second && second.error().kind == Error::Kind::timeout) continue;
            EXPECT_TRUE(second);
            EXPECT_EQ(second->server_version(), "in time");
            break;
        }
    });
}

TEST(AsyncClient, ReportsALostDaemonToAllCalls) {
    ScriptedDaemon daemon{[](const v1::Request&) { return Reply{.close = true}; }};
    asio::io_context context;
    run(context, [&]() -> asio::awaitable<void> {
        auto client = co_await AsyncClient::connect(address(daemon));
        const auto first = co_await client->status();
        EXPECT_EQ(first.error().kind, Error::Kind::lost);
        const auto second = co_await client->status();
        EXPECT_EQ(second.error().kind, Error::Kind::lost);
    });
}

TEST(AsyncClient, ReportsWhyItCannotConnect) {
    asio::io_context context;
    run(context, [&]() -> asio::awaitable<void> {
        const auto refused = co_await AsyncClient::connect("127.0.0.1:" + std::to_string(test::free_tcp_port()));
        EXPECT_EQ(refused.error().kind, Error::Kind::cannot_connect);
        const auto bad = co_await AsyncClient::connect("a b");
        EXPECT_EQ(bad.error().kind, Error::Kind::bad_address);
    });
}

TEST(AsyncClient, EndsItsCallsWhenItIsDestroyed) {
    ScriptedDaemon daemon{[](const v1::Request&) { return Reply{}; }};
    asio::io_context context;
    std::optional<Error::Kind> kind;
    run(context, [&]() -> asio::awaitable<void> {
        auto client = co_await AsyncClient::connect(address(daemon));
        asio::co_spawn(
            context,
            [](AsyncClient::Awaitable<v1::StatusResult> call,
               std::optional<Error::Kind>& result) -> asio::awaitable<void> {
                const auto status = co_await std::move(call);
                result = status.error().kind;
            }(client->status(), kind),
            asio::detached);
        co_await asio::post(context, asio::use_awaitable);  // the call begins
    });
    EXPECT_EQ(kind, Error::Kind::interrupted);
}

TEST(AsyncClient, CanBeDestroyedWithItsContextDuringACall) {
    ScriptedDaemon daemon{[](const v1::Request&) { return Reply{}; }};
    asio::io_context context;
    asio::co_spawn(
        context,
        [&]() -> asio::awaitable<void> {
            auto client = co_await AsyncClient::connect(address(daemon));
            const auto status = co_await client->status();
            ADD_FAILURE() << "the daemon never responds";
        },
        asio::detached);
    while (daemon.requests().empty()) context.run_one_for(std::chrono::milliseconds{10});
}

TEST(AsyncSubscription, ReconnectsAndContinues) {
    ScriptedDaemon daemon{ScriptedState{{ScriptedState::Session{},
                                         {.after_resync = {heard(1)}, .close_at_end = true},
                                         {.subscribed_at = 1, .after_subscribe = {heard(2)}}}},
                          ""};
    asio::io_context context;
    run(context, [&]() -> asio::awaitable<void> {
        auto client = co_await AsyncClient::connect(address(daemon));
        SubscribeOptions options;
        options.shortest_pause = options.longest_pause = std::chrono::milliseconds{1};
        auto subscription = co_await client->subscribe(options);
        EXPECT_TRUE(subscription);
        const auto first = co_await subscription->next();
        EXPECT_TRUE(std::holds_alternative<Resync>(*first));
        for (std::uint64_t number = 1; number <= 2; ++number) {
            const auto item = co_await subscription->next();
            EXPECT_EQ(std::get<v1::Event>(*item).number(), number);
        }
    });
}

TEST(AsyncSubscription, EndsNextWhenItIsDestroyedWhileItConnects) {
    ScriptedState state{
        {{.after_resync = {heard(1)}, .close_at_end = true}, {.subscribed_at = 1, .after_subscribe = {heard(2)}}}};
    std::promise<void> connecting;
    std::promise<void> destroyed;
    int hellos = 0;
    ScriptedDaemon daemon{[&](const v1::Request& request) {
                              if (request.has_hello() && ++hellos == 2) {
                                  connecting.set_value();
                                  destroyed.get_future().wait();
                              }
                              return state(request);
                          },
                          ""};
    asio::io_context context;
    std::optional<client::Expected<SubscriptionItem>> last;
    run(context, [&]() -> asio::awaitable<void> {
        SubscribeOptions options;
        options.shortest_pause = options.longest_pause = std::chrono::milliseconds{1};
        auto opened = co_await AsyncSubscription::open(address(daemon), options);
        EXPECT_TRUE(opened);
        std::optional<AsyncSubscription> subscription{std::move(*opened)};
        const auto resync = co_await subscription->next();
        EXPECT_TRUE(resync);
        const auto event = co_await subscription->next();
        EXPECT_TRUE(event);
        asio::co_spawn(
            context, subscription->next(),
            [&](const std::exception_ptr&, client::Expected<SubscriptionItem> item) { last = std::move(item); });
        auto hello = connecting.get_future();
        while (hello.wait_for(std::chrono::seconds{0}) != std::future_status::ready) {
            co_await asio::post(context, asio::use_awaitable);
        }
        subscription.reset();
        destroyed.set_value();
    });
    ASSERT_TRUE(last);
    ASSERT_FALSE(*last);
    EXPECT_EQ(last->error().kind, Error::Kind::interrupted);
}

TEST(AsyncSubscription, ACancelledNextLosesNothing) {
    ScriptedDaemon daemon{ScriptedState{{ScriptedState::Session{}}}, ""};
    asio::io_context context;
    asio::cancellation_signal signal;
    std::optional<client::Expected<SubscriptionItem>> cancelled;
    std::optional<AsyncSubscription> subscription;
    run(context, [&]() -> asio::awaitable<void> {
        auto opened = co_await AsyncSubscription::open(address(daemon));
        subscription = std::move(*opened);
        const auto first = co_await subscription->next();
        EXPECT_TRUE(std::holds_alternative<Resync>(*first));
    });
    asio::co_spawn(context, subscription->next(),
                   asio::bind_cancellation_slot(
                       signal.slot(), [&](const std::exception_ptr&, client::Expected<SubscriptionItem> item) {
                           cancelled = std::move(item);
                       }));
    asio::post(context, [&] { signal.emit(asio::cancellation_type::terminal); });
    context.restart();
    while (!cancelled) context.run_one();
    ASSERT_FALSE(*cancelled);
    EXPECT_EQ(cancelled->error().kind, Error::Kind::interrupted);
    subscription.reset();
    context.run();
}

}  // namespace
}  // namespace rta
