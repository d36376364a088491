// SPDX-License-Identifier: MIT
// The C++ library against a running daemon: calls, coroutines, a daemon that restarts, and connections that are cut.
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <cmath>
#include <future>
#include <random>

#include "rta/async_client.h"
#include "rta/graph_mirror.h"
#include "support/cutting_proxy.h"
#include "support/daemon.h"
#include "support/effort.h"

namespace rta::test {
namespace {

const SubscribeOptions kChanges{.topics = {v1::TOPIC_CHANGES},
                                .shortest_pause = std::chrono::milliseconds{1},
                                .longest_pause = std::chrono::milliseconds{20}};
const ClientOptions kPatient{.client_name = "cpp", .timeout = kPatience};

/// Returns the graph with its nodes and connections in a fixed order.
v1::Graph sorted(v1::Graph graph) {
    const auto ends = [](const v1::Connection& connection) { return connection.from() + " " + connection.to(); };
    std::sort(graph.mutable_nodes()->begin(), graph.mutable_nodes()->end(),
              [](const v1::Node& a, const v1::Node& b) { return a.name() < b.name(); });
    std::sort(graph.mutable_connections()->begin(), graph.mutable_connections()->end(),
              [&](const v1::Connection& a, const v1::Connection& b) { return ends(a) < ends(b); });
    return graph;
}

void expect_equal(const v1::Graph& mirror, const v1::Graph& daemon) {
    google::protobuf::util::MessageDifferencer differencer;
    std::string difference;
    differencer.ReportDifferencesToString(&difference);
    EXPECT_TRUE(differencer.Compare(sorted(daemon), sorted(mirror))) << difference;
}

/// Sends edits and parameter changes of all kinds, valid and invalid, to the daemon.
class RandomEditor {
 public:
    RandomEditor(ProtocolClient client, std::uint32_t seed) : client_{std::move(client)}, random_{seed} {}

    /// Changes the graph `count` times, and returns it.
    v1::GraphResult edit(int count) {
        for (int i = 0; i < count; ++i) client_.call(request());
        return client_.graph();
    }

 private:
    int below(int limit) { return std::uniform_int_distribution{0, limit - 1}(random_); }
    std::string node() { return "n" + std::to_string(below(12)); }
    std::string type() {
        return std::vector<std::string>{"gain", "sine", "noise", "mixer", "equalizer"}.at(
            static_cast<std::size_t>(below(5)));
    }

    v1::SetParameter change() {
        v1::SetParameter change = parameter_change(node(), below(4) == 0 ? "mute" : "gain_db", 0);
        if (below(3) == 0) {
            change.set_add(static_cast<float>(below(20) - 10) / 3);
        } else if (change.parameter() == "mute") {
            change.set_toggle(true);
        } else {
            change.set_value(static_cast<float>(-below(200)) / 7);
        }
        return change;
    }

    v1::Edit settings_edit() {
        v1::Edit edit;
        edit.mutable_change_settings()->set_node(node());
        auto& fields = *edit.mutable_change_settings()->mutable_settings()->mutable_fields();
        fields[below(2) == 0 ? "bands" : "inputs"].set_number_value(1 + below(6));
        if (below(2) == 0) fields["kind_2"].set_string_value("low_shelf");
        return edit;
    }

    v1::Edit edit_of_one_kind() {
        switch (below(9)) {
            case 0:
                return remove_node_edit(node());
            case 1:
                return connect_edit(node(), node(), static_cast<float>(-below(5)));
            case 2:
                return disconnect_edit(node(), node());
            case 3:
                return rename_node_edit(node(), node());
            case 4:
                return settings_edit();
            case 5:
                return set_parameter_edit(change());
            case 6: {
                v1::Edit edit;
                edit.mutable_describe()->set_node(below(3) == 0 ? "" : node());
                edit.mutable_describe()->set_title("title " + std::to_string(below(100)));
                return edit;
            }
            default:
                return add_node_edit(node(), type());
        }
    }

    v1::Request request() {
        v1::Request request;
        if (below(3) == 0) {
            *request.mutable_set_parameters()->add_changes() = change();
            return request;
        }
        auto& edits = *request.mutable_apply_transaction()->mutable_edits();
        if (below(40) == 0) {
            v1::Graph graph;
            *graph.add_nodes() = add_node_edit(node(), type()).add_node();
            *edits.add_edits() = replace_graph_edit(graph);
            return request;
        }
        for (int i = 0; i <= below(2); ++i) *edits.add_edits() = edit_of_one_kind();
        return request;
    }

    ProtocolClient client_;
    std::mt19937 random_;
};

TEST(CppClient, PlaysOverBothTransports) {
    Daemon daemon{{.arguments = {"--device", "null"}}};
    for (const std::string& address : {daemon.socket().string(), "127.0.0.1:" + std::to_string(daemon.port())}) {
        auto client = Client::connect(address, kPatient);
        ASSERT_TRUE(client) << client.error().sentence;
        const auto loaded =
            client->load(R"({"nodes": [{"name": "osc", "type": "sine"}, {"name": "out", "type": "output"}],
                                             "connections": [{"from": "osc", "to": "out"}]})",
                         WaitFor::start);
        ASSERT_TRUE(loaded) << loaded.error().sentence;
        EXPECT_TRUE(loaded->has_frame());
        EXPECT_EQ(client->graph()->graph().nodes_size(), 2);
        EXPECT_TRUE(client->set_parameter("osc", "gain_db", -12));
        EXPECT_TRUE(client->mute());
        EXPECT_TRUE(client->status()->engine().output_muted());
        EXPECT_TRUE(client->panic());
        EXPECT_TRUE(client->mute(false));
        EXPECT_EQ(client->set_volume(-6)->volume_db(), -6.0F);
        const auto refused = client->apply({remove_node_edit("ghost")});
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, v1::NOT_FOUND);
        EXPECT_EQ(refused.error().edit_index, 0U);
    }
}

TEST(CppClient, CoroutinesFollowTheirOwnChanges) {
    Daemon daemon{{.arguments = {"--device", "null"}}};
    asio::io_context context;
    bool ended = false;
    const auto body = [&]() -> asio::awaitable<void> {
        auto client = co_await AsyncClient::connect(daemon.socket().string(), kPatient);
        EXPECT_TRUE(client);
        auto subscription = co_await client->subscribe(kChanges);
        EXPECT_TRUE(subscription);
        GraphMirror mirror;
        std::vector<v1::Edit> edits;
        edits.push_back(add_node_edit("vol", "gain"));
        const auto applied = co_await client->apply(edits);
        EXPECT_TRUE(applied);
        while (mirror.revision() < applied->revision()) {
            const auto item = co_await subscription->next();
            EXPECT_TRUE(item);
            mirror.update(*item);
        }
        EXPECT_NE(mirror.find("vol"), nullptr);
        ended = true;
    };
    asio::co_spawn(context, body, [](const std::exception_ptr& error) {
        if (error) std::rethrow_exception(error);
    });
    context.run();
    EXPECT_TRUE(ended);
}

/// Two clients on one daemon, each with its own thread.
TEST(CppClient, ClientsThatReadAndWriteWithGuardsLoseNoUpdate) {
    constexpr int kTimes = 100;
    Daemon daemon{{.arguments = {"--device", "null"}}};
    auto first = Client::connect(daemon.socket().string(), kPatient);
    ASSERT_TRUE(first) << first.error().sentence;
    ASSERT_TRUE(first->apply({add_node_edit("osc", "sine", {{"frequency_hz", 440}})}));
    const auto frequency_of = [](Client& client, std::uint64_t& number) {
        const auto graph = client.graph();
        EXPECT_TRUE(graph);
        number = graph->change_number();
        return graph->graph().nodes(0).parameters().at("frequency_hz");
    };
    const auto count = [&](Client& client) {
        for (int done = 0; done < kTimes;) {
            std::uint64_t number = 0;
            const float value = frequency_of(client, number) + 1.0F;
            const auto set = client.set_parameter("osc", "frequency_hz", value, expect_change(number));
            if (set) {
                ++done;
            } else {
                ASSERT_EQ(set.error().code, v1::ABORTED) << set.error().sentence;
                ASSERT_TRUE(set.error().conflict);
                EXPECT_EQ(set.error().conflict->client_name(), "cpp");
            }
        }
    };
    auto other = std::async(std::launch::async, [&] {
        auto second = Client::connect(daemon.socket().string(), kPatient);
        ASSERT_TRUE(second) << second.error().sentence;
        count(*second);
    });
    count(*first);
    other.get();
    std::uint64_t number = 0;
    EXPECT_EQ(frequency_of(*first, number), 440.0F + 2 * kTimes);
    const auto outdated = first->apply({remove_node_edit("osc")}, WaitFor::commit, expect_revision(0));
    ASSERT_FALSE(outdated);
    EXPECT_EQ(outdated.error().conflict->revision(), 1U);
}

TEST(CppClient, ASubscriptionSurvivesARestartOfTheDaemon) {
    const Daemon::Options options{.arguments = {"--device", "null"}, .port = free_tcp_port()};
    const std::string address = "127.0.0.1:" + std::to_string(options.port);
    std::optional<Daemon> daemon;
    daemon.emplace(options);
    auto subscription = Subscription::open(address, kChanges, kPatient);
    ASSERT_TRUE(subscription) << subscription.error().sentence;
    auto item = subscription->next(kPatience);
    ASSERT_TRUE(item) << item.error().sentence;
    const std::string first = std::get<Resync>(*item).instance_id;
    daemon.reset();
    daemon.emplace(options);
    item = subscription->next(kPatience);
    ASSERT_TRUE(item) << item.error().sentence;
    EXPECT_EQ(std::get<Resync>(*item).reason, Resync::Reason::restarted);
    EXPECT_NE(std::get<Resync>(*item).instance_id, first);
    daemon->client().apply(transaction({add_node("gain", "vol")}));
    item = subscription->next(kPatience);
    ASSERT_TRUE(item) << item.error().sentence;
    EXPECT_EQ(std::get<v1::Event>(*item).graph_changed().edits(0).add_node().name(), "vol");
}

/// Returns how the proxy damages a connection: it cuts most of them, after a number of bytes of any magnitude.
CuttingProxy::Plan random_plan(std::mt19937& random) {
    const auto below = [&](int limit) { return std::uniform_int_distribution{0, limit - 1}(random); };
    const auto any_magnitude = [&](double most) {
        return static_cast<std::size_t>(std::exp(std::uniform_real_distribution{0.0, std::log(most)}(random)));
    };
    CuttingProxy::Plan plan{.reset = below(2) == 0};
    if (below(4) != 0) plan.to_client.cut_after_bytes = any_magnitude(100'000);
    if (below(4) == 0) plan.to_daemon.cut_after_bytes = any_magnitude(200);
    if (below(4) == 0) plan.to_client.chunk_bytes = plan.to_daemon.chunk_bytes = any_magnitude(100);
    if (below(8) == 0) plan.to_client.delay = std::chrono::microseconds{below(200)};
    return plan;
}

TEST(CppClient, AMirrorEqualsTheDaemonAfterAnyCuts) {
    constexpr std::size_t kCuts = cases(250, 50);
    Daemon daemon{{.arguments = {"--device", "null"}}};
    std::mt19937 random{7};
    CuttingProxy proxy{daemon.port(), [&](std::size_t index) {
                           // The first connection must last until the subscription is open.
                           return index == 0 ? CuttingProxy::Plan{} : random_plan(random);
                       }};
    RandomEditor editor{daemon.client(), 11};
    auto subscription = Subscription::open(proxy.address(), kChanges, kPatient);
    ASSERT_TRUE(subscription) << subscription.error().sentence;
    GraphMirror mirror;
    std::size_t resyncs = 0;
    std::size_t events = 0;
    for (int round = 0; proxy.cuts() < kCuts; ++round) {
        auto edits = std::async(std::launch::async, [&] { return editor.edit(20); });
        if (round % 4 == 0) proxy.cut_all();
        std::optional<v1::GraphResult> expected;
        while (!expected || mirror.change_number() < expected->change_number()) {
            if (!expected && edits.wait_for(std::chrono::seconds{0}) == std::future_status::ready) {
                expected = edits.get();
                continue;
            }
            const auto item = subscription->next(expected ? kPatience : std::chrono::milliseconds{5});
            if (!item && !expected && item.error().kind == ClientError::Kind::timeout) continue;
            ASSERT_TRUE(item) << item.error().sentence << ", at change " << mirror.change_number() << " of "
                              << expected->change_number() << ", after " << proxy.cuts() << " cuts";
            ++(std::holds_alternative<Resync>(*item) ? resyncs : events);
            mirror.update(*item);
        }
        expect_equal(mirror.graph(), expected->graph());
        ASSERT_EQ(mirror.revision(), expected->revision());
        if (HasFailure()) return;
    }
    EXPECT_LT(resyncs, proxy.connections());
    RecordProperty("resyncs", static_cast<int>(resyncs));
    RecordProperty("connections", static_cast<int>(proxy.connections()));
    RecordProperty("events", static_cast<int>(events));
}

}  // namespace
}  // namespace rta::test
