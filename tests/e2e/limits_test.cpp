// SPDX-License-Identifier: MIT
// Each limit of the configuration, through real requests: what is at the limit is accepted, one more is refused, and
// what was saved under higher limits is not lost.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "support/daemon.h"

namespace rta::test {
namespace {

Daemon::Options with(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--device", "null"});
    return {.arguments = std::move(arguments)};
}

void expect_accepted(ProtocolClient& client, const std::vector<v1::Edit>& edits) {
    const v1::Status status = client.call(apply_request(transaction(edits))).status();
    EXPECT_EQ(status.code(), v1::OK) << status.message();
}

void expect_refused(ProtocolClient& client, const std::vector<v1::Edit>& edits, const std::string& words,
                    v1::Code code = v1::RESOURCE_EXHAUSTED) {
    const v1::Status status = client.call(apply_request(transaction(edits))).status();
    EXPECT_EQ(status.code(), code) << status.message();
    EXPECT_NE(status.message().find(words), std::string::npos) << status.message();
}

TEST(ConfiguredLimits, NodesAndConnections) {
    Daemon daemon{with({"--max-nodes", "3", "--max-connections", "2"})};
    ProtocolClient client = daemon.client();
    expect_accepted(client, {add_node("gain", "a"), add_node("gain", "b"), add_node("gain", "c")});
    expect_refused(client, {add_node("gain", "d")}, "the graph would have 4 nodes; the limit is 3 (--max-nodes)");
    expect_accepted(client, {connect("a", "b"), connect("b", "c")});
    expect_refused(client, {connect("a", "c")},
                   "the graph would have 3 connections; the limit is 2 (--max-connections)");
    EXPECT_EQ(client.status().engine().revision(), 2U);
    // A whole graph, as a document.
    v1::Request document;
    document.mutable_apply_transaction()->set_document(
        R"({"nodes": [{"name": "a", "type": "gain"}, {"name": "b", "type": "gain"}, {"name": "c", "type": "gain"},
                      {"name": "d", "type": "gain"}]})");
    EXPECT_EQ(client.call(document).status().code(), v1::RESOURCE_EXHAUSTED);
}

TEST(ConfiguredLimits, MemoryOfTheGraph) {
    Daemon daemon{with({"--max-graph-memory", "1MiB"})};
    ProtocolClient client = daemon.client();
    const auto delay = [](const std::string& name) {
        return add_node("delay_line", name, {}, {{"max_time_ms", 1'000.0F}});
    };
    expect_accepted(client, {delay("a"), delay("b"), delay("c"), delay("d")});
    expect_refused(client, {delay("e")}, "the limit is 1 MiB (--max-graph-memory)");
    expect_refused(client, {add_node("delay_line", "e", {}, {{"max_time_ms", 10'000.0F}})},
                   "the limit of a graph is 1 MiB (--max-graph-memory)");
    expect_accepted(client, {remove_node("a"), delay("e")});
}

TEST(ConfiguredLimits, CompensatingDelays) {
    Daemon daemon{with({"--max-delay-memory", "1MiB", "--sample-rate", "192000"})};
    ProtocolClient client = daemon.client();
    const auto wide = [](const std::string& type, const std::string& name) {
        return add_node(type, name, {}, {{"channels", 64.0F}});
    };
    v1::Edit compensate;
    compensate.mutable_set_latency_compensation()->set_enabled(true);
    expect_accepted(
        client, {wide("sine", "in"), wide("output", "out"), wide("gain", "straight"),
                 add_node("limiter", "lim", {}, {{"channels", 64.0F}, {"look_ahead_ms", 20.0F}}), connect("in", "lim"),
                 connect("lim", "out"), connect("in", "straight"), connect("straight", "out"), compensate});
    expect_refused(client, {wide("gain", "second"), connect("in", "second"), connect("second", "out")},
                   "the limit is 1 MiB (--max-delay-memory)", v1::FAILED_PRECONDITION);
}

TEST(ConfiguredLimits, LengthOfTheDocument) {
    Daemon daemon{with({"--max-document-size", "64KiB"})};
    ProtocolClient client = daemon.client();
    std::vector<v1::Edit> edits;
    for (int i = 0; i < 500; ++i) edits.push_back(add_node("gain", "g" + std::to_string(i)));
    expect_accepted(client, edits);
    for (v1::Edit& edit : edits) edit.mutable_add_node()->set_name("h" + edit.add_node().name());
    expect_refused(client, edits, "expected at most 65536, the limit of --max-document-size");
}

TEST(ConfiguredLimits, SizeOfAMessage) {
    Daemon daemon{with({"--max-message-size", "64KiB"})};
    ProtocolClient client = daemon.client();
    const auto of_size = [](std::size_t bytes) {
        v1::Request request;
        request.set_id(7);
        request.mutable_check_graph()->set_document(R"({"nodes": []})");
        while (request.ByteSizeLong() < bytes)
            request.mutable_check_graph()->mutable_document()->append(bytes - request.ByteSizeLong(), ' ');
        while (request.ByteSizeLong() > bytes) request.mutable_check_graph()->mutable_document()->pop_back();
        return request;
    };
    ASSERT_EQ(of_size(65'536).ByteSizeLong(), 65'536U);
    client.send(of_size(65'536));
    EXPECT_EQ(client.receive_response().status().code(), v1::OK);
    client.send(of_size(65'537));
    const v1::Response refused = client.receive_response();
    EXPECT_EQ(refused.id(), 0U);
    EXPECT_EQ(refused.status().code(), v1::INVALID_ARGUMENT);
    EXPECT_NE(refused.status().message().find("more than 65536 bytes"), std::string::npos)
        << refused.status().message();
    EXPECT_NE(refused.status().message().find("--max-message-size"), std::string::npos) << refused.status().message();
    EXPECT_TRUE(client.wait_closed());
}

TEST(ConfiguredLimits, Subscriptions) {
    Daemon daemon{with({"--max-subscriptions", "2"})};
    ProtocolClient first = daemon.client();
    ProtocolClient third = daemon.client();
    v1::Request subscribe;
    subscribe.mutable_subscribe();
    {
        ProtocolClient second = daemon.client();
        EXPECT_EQ(first.call(subscribe).status().code(), v1::OK);
        EXPECT_EQ(second.call(subscribe).status().code(), v1::OK);
        const v1::Status refused = third.call(subscribe).status();
        EXPECT_EQ(refused.code(), v1::RESOURCE_EXHAUSTED);
        EXPECT_NE(refused.message().find("--max-subscriptions"), std::string::npos) << refused.message();
    }
    const Deadline deadline;
    while (third.call(subscribe).status().code() != v1::OK) {
        ASSERT_FALSE(deadline.passed()) << "the second client has left";
        ::usleep(10'000);
    }
}

TEST(ConfiguredLimits, UnreadChanges) {
    Daemon daemon{with({"--max-unread-events", "64KiB"})};
    ProtocolClient sleeper = daemon.client("sleeper");
    sleeper.subscribe();
    ProtocolClient editor = daemon.client("editor");
    v1::Edit describe;
    describe.mutable_describe()->set_description(std::string(4'000, 'x'));
    // More than the buffers of the socket and the limit, and less than the default of 8 MiB.
    for (int i = 0; i < 500; ++i) expect_accepted(editor, {describe});
    EXPECT_TRUE(daemon.process().wait_for_line(Process::Stream::error, "\"sleeper\" does not read its events"));
}

TEST(ConfiguredLimits, AGraphThatWasSavedUnderHigherLimitsIsRestored) {
    const TemporaryDirectory directory;
    const std::string state = (directory / "state").string();
    std::string before;
    {
        Daemon daemon{with({"--state-dir", state})};
        ProtocolClient client = daemon.client();
        std::vector<v1::Edit> edits;
        for (const char* name : {"a", "b", "c", "d", "e"}) edits.push_back(add_node("gain", name));
        edits.push_back(connect("a", "b"));
        edits.push_back(connect("b", "c"));
        client.apply(transaction(edits));
        before = client.graph().document();
        daemon.stop();
    }
    const std::vector<std::string> lowered{"--state-dir", state, "--max-nodes", "3", "--max-connections", "1"};
    {
        Daemon daemon{with(lowered)};
        ProtocolClient client = daemon.client();
        EXPECT_EQ(client.graph().document(), before);
        EXPECT_TRUE(daemon.process().wait_for_line(
            Process::Stream::error,
            "the graph has 5 nodes, more than --max-nodes 3: clients can edit it, but not enlarge it"));
        expect_refused(client, {add_node("gain", "f")},
                       "the limit is 3 (--max-nodes), which the graph exceeds already");
        expect_accepted(client, {set_parameter("a", "gain_db", -6.0F)});
        expect_accepted(client, {remove_node("e")});
        expect_refused(client, {add_node("gain", "e")}, "5 nodes; the limit is 3");
        daemon.stop();
    }
    Daemon daemon{with(lowered)};
    ProtocolClient client = daemon.client();
    EXPECT_EQ(client.status().engine().node_count(), 4U);
    expect_accepted(client, {remove_node("c"), remove_node("d")});
    expect_accepted(client, {add_node("gain", "x")});
    expect_refused(client, {add_node("gain", "y")}, "4 nodes; the limit is 3 (--max-nodes)");
}

TEST(ConfiguredLimits, TheGraphOfTheOperatorIsLoadedInFull) {
    const TemporaryDirectory directory;
    const auto file = directory / "graph.json";
    write_text(file, R"({"nodes": [{"name": "a", "type": "gain"}, {"name": "b", "type": "gain"}]})");
    Daemon daemon{with({"--graph", file.string(), "--max-nodes", "1"})};
    ProtocolClient client = daemon.client();
    EXPECT_EQ(client.status().engine().node_count(), 2U);
    expect_refused(client, {add_node("gain", "c")}, "--max-nodes");
}

}  // namespace
}  // namespace rta::test
