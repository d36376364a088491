// SPDX-License-Identifier: MIT
// The Model Context Protocol, as lines of JSON.
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "fake_rtad.h"
#include "rtactl/mcp/server.h"

namespace rta::test {
namespace {

using rtactl::Exit;

/// JSON, as another library than that of the program reads it.
class Document {
 public:
    explicit Document(google::protobuf::Value value) : value_{std::move(value)} {}
    explicit Document(const std::string& text) {
        EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(text, &value_).ok()) << text;
    }

    Document operator[](const char* name) const {
        const auto& fields = value_.struct_value().fields();
        const auto found = fields.find(name);
        return Document{found == fields.end() ? google::protobuf::Value{} : found->second};
    }
    Document operator[](int index) const { return Document{value_.list_value().values(index)}; }
    [[nodiscard]] bool has(const char* name) const { return value_.struct_value().fields().contains(name); }
    [[nodiscard]] bool is_object() const { return value_.has_struct_value(); }
    [[nodiscard]] std::string text() const { return value_.string_value(); }
    [[nodiscard]] double number() const { return value_.number_value(); }
    [[nodiscard]] bool flag() const { return value_.bool_value(); }
    [[nodiscard]] std::vector<Document> elements() const {
        std::vector<Document> all;
        for (const auto& value : value_.list_value().values()) all.emplace_back(value);
        return all;
    }
    [[nodiscard]] std::string json() const {
        std::string text;
        EXPECT_TRUE(google::protobuf::util::MessageToJsonString(value_, &text).ok());
        return text;
    }
    [[nodiscard]] bool operator==(const Document& other) const {
        return google::protobuf::util::MessageDifferencer::Equals(value_, other.value_);
    }

 private:
    google::protobuf::Value value_;
};

constexpr std::string_view kInitialize =
    R"({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}})"
    "\n"
    R"({"jsonrpc": "2.0", "method": "notifications/initialized"})"
    "\n";

/// Returns the lines that the server writes.
std::vector<std::string> lines_of(const FakeRtad& rtad, const std::string& input, bool edits = false) {
    std::vector<std::string> words{"mcp"};
    if (edits) words.emplace_back("--allow-edits");
    const Outcome outcome = rtad.run(words, input);
    EXPECT_EQ(outcome.exit, Exit::done) << outcome.err;
    std::vector<std::string> lines;
    std::istringstream out{outcome.out};
    for (std::string line; std::getline(out, line);) lines.push_back(line);
    return lines;
}

/// Returns "ID: CODE MESSAGE" of the only answer to a line, after initialize.
std::string refusal_of(const std::string& line) {
    FakeRtad rtad;
    const auto lines = lines_of(rtad, std::string{kInitialize} + line + "\n");
    if (lines.size() != 2) return std::to_string(lines.size()) + " lines";
    const Document answer{lines[1]};
    if (!answer.has("error")) return lines[1];
    return answer["id"].json() + ": " + std::to_string(static_cast<int>(answer["error"]["code"].number())) + " " +
           answer["error"]["message"].text();
}

std::string call(std::string_view tool, std::string_view arguments, int id = 1) {
    return R"({"jsonrpc": "2.0", "id": )" + std::to_string(id) + R"(, "method": "tools/call", "params": {"name": ")" +
           std::string{tool} + R"(", "arguments": )" + std::string{arguments} + "}}\n";
}

/// Returns the results of calls, in order.
std::vector<Document> results(const FakeRtad& rtad, const std::string& calls, bool edits = true) {
    std::vector<Document> results;
    const auto lines = lines_of(rtad, std::string{kInitialize} + calls, edits);
    for (std::size_t i = 1; i < lines.size(); ++i) {
        const Document answer{lines[i]};
        EXPECT_TRUE(answer.has("result")) << lines[i];
        results.push_back(answer["result"]);
        EXPECT_EQ(results.back()["structuredContent"], Document(results.back()["content"][0]["text"].text()));
    }
    return results;
}

TEST(Mcp, InitializesWithAVersionThatBothKnow) {
    FakeRtad rtad;
    for (const auto& [wanted, agreed] : std::map<std::string, std::string>{{"2025-11-25", "2025-11-25"},
                                                                           {"2025-06-18", "2025-06-18"},
                                                                           {"2024-11-05", "2025-11-25"},
                                                                           {"2099-01-01", "2025-11-25"}}) {
        const auto lines =
            lines_of(rtad, R"({"jsonrpc": "2.0", "id": "a", "method": "initialize", "params": {"protocolVersion": ")" +
                               wanted + "\"}}\n");
        const Document answer{lines.at(0)};
        EXPECT_EQ(answer["id"].text(), "a");
        EXPECT_EQ(answer["result"]["protocolVersion"].text(), agreed);
        EXPECT_TRUE(answer["result"]["capabilities"]["tools"].is_object());
    }
    EXPECT_EQ(rtad.daemon().connections(), 0U) << "no daemon is needed yet";
}

std::set<std::string> tool_names(bool edits) {
    FakeRtad rtad;
    const auto lines = lines_of(rtad,
                                std::string{kInitialize} + R"({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})"
                                                           "\n",
                                edits);
    const Document answer{lines.at(1)};
    std::set<std::string> names;
    for (const auto& tool : answer["result"]["tools"].elements()) {
        names.insert(tool["name"].text());
        EXPECT_EQ(tool["inputSchema"]["type"].text(), "object");
        EXPECT_FALSE(tool["description"].text().empty());
        EXPECT_TRUE(edits || tool["annotations"]["readOnlyHint"].flag()) << *names.rbegin();
    }
    return names;
}

TEST(Mcp, ListsAtMost15ToolsAndThoseThatEditOnlyIfAllowed) {
    const std::set<std::string> reading{"status", "devices",  "types",   "graph_show", "get",
                                        "meter",  "response", "history", "pending",    "wait"};
    std::set<std::string> all = reading;
    all.insert({"undo", "redo", "preview_edit", "apply_edit"});
    EXPECT_EQ(tool_names(false), reading);
    EXPECT_EQ(tool_names(true), all);
    EXPECT_LE(all.size(), 15U);
}

TEST(Mcp, CommandsAreToolsWithStructuredResults) {
    FakeRtad rtad;
    const auto all = results(rtad,
                             call("status", "{}") + call("get", R"({"node_param": "vol.gain_db"})") +
                                 call("types", R"({"type": "sine"})") + call("history", R"({"n": 2})"),
                             false);
    ASSERT_EQ(all.size(), 4U);
    for (const Document& result : all) EXPECT_FALSE(result["isError"].flag()) << result.json();
    EXPECT_EQ(all[0]["structuredContent"]["get_status"]["server_version"].text(), "9.9.9");
    EXPECT_EQ(all[1]["structuredContent"]["get_graph"]["graph"]["nodes"][0]["parameters"]["gain_db"].number(), -12.5);
    EXPECT_EQ(all[2]["structuredContent"]["list_node_types"]["types"][0]["name"].text(), "sine");
    EXPECT_EQ(rtad.daemon().connections(), 1U);
}

TEST(Mcp, ErrorsOfToolsAreResults) {
    FakeRtad rtad;
    const auto message = [&](const std::string& line) {
        const auto all = results(rtad, line);
        EXPECT_TRUE(all.at(0)["isError"].flag()) << line;
        return all.at(0)["structuredContent"]["status"]["message"].text();
    };
    EXPECT_TRUE(has(message(call("get", R"({"node_param": "ghost"})")), "ghost"));
    EXPECT_TRUE(has(message(call("get", R"({"nodes": "vol"})")), "unknown argument \"nodes\""));
    EXPECT_TRUE(has(message(call("get", R"({"node_param": ["vol"]})")), "expected text"));
    EXPECT_TRUE(has(message(call("get", R"({"node_param": "--help"})")), "--help")) << "it is a name, not an option";
    EXPECT_TRUE(has(message(call("undo", R"({"all": "yes"})")), "expected true or false"));
    EXPECT_TRUE(has(message(call("preview_edit", R"({"edits": []})")), "expected only \"edits\""));
    EXPECT_TRUE(has(message(call("preview_edit", R"({"edits": ["status"]})")), "is not an edit"));
    EXPECT_TRUE(has(message(call("preview_edit", R"({"edits": ["import eq /etc/passwd vol"]})")), "is not an edit"))
        << "it reads files";
    EXPECT_TRUE(
        has(message(call("preview_edit", R"({"edits": ["set vol.gain_db=3 --at +2s"]})")), "whole transaction"));
    EXPECT_TRUE(has(message(call("apply_edit", R"({"token": "preview-1"})")), "unknown token"));
    EXPECT_EQ(rtad.change_count(), 0U);
}

TEST(Mcp, AnEditIsPreviewedThenAppliedOnceOnThatRevision) {
    FakeRtad rtad{[](const v1::Request& request) -> std::optional<Reply> {
        if (!request.has_check_graph()) return std::nullopt;
        v1::Response response = ok(request);
        response.mutable_check_graph()->set_revision(41);
        *response.mutable_check_graph()->mutable_diff() = request.check_graph().edits().edits();
        return Reply{.bytes = frame(response)};
    }};
    const auto all = results(rtad, call("preview_edit", R"({"edits": ["add gain trim", "connect osc trim"]})") +
                                       call("apply_edit", R"({"token": "preview-1"})") +
                                       call("apply_edit", R"({"token": "preview-1"})"));
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0]["structuredContent"]["token"].text(), "preview-1");
    EXPECT_EQ(all[0]["structuredContent"]["preview"]["check_graph"]["diff"].elements().size(), 2U);
    EXPECT_FALSE(all[1]["isError"].flag()) << all[1].json();
    EXPECT_TRUE(all[2]["isError"].flag()) << "a token is used once";
    const v1::Request made = rtad.last_change();
    EXPECT_EQ(made.apply_transaction().guard().expected_revision(), 41U);
    ASSERT_EQ(made.apply_transaction().edits().edits_size(), 2);
    EXPECT_EQ(made.apply_transaction().edits().edits(0).add_node().name(), "trim");
}

TEST(Mcp, WithoutPermissionToEditNothingIsEdited) {
    FakeRtad rtad;
    for (const char* tool : {"preview_edit", "apply_edit", "undo", "redo"}) {
        const auto lines = lines_of(rtad, std::string{kInitialize} + call(tool, "{}"));
        EXPECT_EQ(Document(lines.at(1))["error"]["code"].number(), -32'602) << tool;
    }
    EXPECT_EQ(rtad.change_count(), 0U);
}

TEST(Mcp, MalformedMessagesAreAnsweredAndTheNextOnesServed) {
    EXPECT_TRUE(refusal_of("{").starts_with("null: -32700 invalid JSON at byte 1: "));
    EXPECT_TRUE(refusal_of(std::string(100'000, '[')).starts_with("null: -32700 "));
    EXPECT_TRUE(refusal_of("{\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": \"\xff\"}").starts_with("null: -32700 "));
    EXPECT_TRUE(refusal_of("[]").starts_with("null: -32600 ")) << "batches are not part of the protocol";
    EXPECT_TRUE(refusal_of(R"({"id": 7, "method": "ping"})").starts_with("7: -32600 "));
    EXPECT_TRUE(refusal_of(R"({"jsonrpc": "2.0", "id": null, "method": "ping"})").starts_with("null: -32600 "));
    EXPECT_TRUE(refusal_of(R"({"jsonrpc": "2.0", "id": "x"})").starts_with("\"x\": -32600 "));
    EXPECT_TRUE(refusal_of(R"({"jsonrpc": "2.0", "id": 7, "method": "ping", "params": []})").starts_with("7: -32602 "));
    EXPECT_TRUE(refusal_of(R"({"jsonrpc": "2.0", "id": 7, "method": "resources/list"})")
                    .starts_with("7: -32601 unknown method \"resources/list\""));
    EXPECT_TRUE(refusal_of(R"({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "rm"}})")
                    .starts_with("7: -32602 unknown tool \"rm\""));
    EXPECT_TRUE(
        refusal_of(R"({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "get", "arguments": []}})")
            .starts_with("7: -32602 "));
    EXPECT_TRUE(refusal_of(R"({"jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": {"cursor": "x"}})")
                    .starts_with("7: -32602 "));
    EXPECT_TRUE(refusal_of(std::string(rtactl::mcp::Server::kMaximumLineBytes + 1, ' '))
                    .starts_with("null: -32600 a line of more than "));
    FakeRtad rtad;
    EXPECT_EQ(lines_of(rtad, "{\n[]\n\n \n" + std::string{kInitialize}).size(), 3U) << "blank lines are ignored";
}

TEST(Mcp, NotificationsAndResponsesAreNotAnswered) {
    FakeRtad rtad;
    EXPECT_EQ(
        lines_of(rtad, std::string{kInitialize} + call("status", "{}") +
                           R"({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}})"
                           "\n"
                           R"({"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "status"}})"
                           "\n"
                           R"({"jsonrpc": "2.0", "id": 4, "result": {}})"
                           "\n"
                           R"({"jsonrpc": "2.0", "id": 5, "method": "ping"})")
            .size(),
        3U);
}

TEST(Mcp, NothingButPingPrecedesInitialize) {
    FakeRtad rtad;
    const auto lines = lines_of(rtad, R"({"jsonrpc": "2.0", "id": 1, "method": "ping"})"
                                      "\n"
                                      R"({"jsonrpc": "2.0", "id": 2, "method": "tools/list"})"
                                      "\n");
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_TRUE(Document(lines[0]).has("result"));
    EXPECT_EQ(Document(lines[1])["error"]["code"].number(), -32'600);
}

TEST(Mcp, ALostDaemonIsAnErrorOfTheToolAndIsFoundAgain) {
    FakeRtad rtad{[lost = false](const v1::Request& request) mutable -> std::optional<Reply> {
        if (!request.has_get_status() || std::exchange(lost, true)) return std::nullopt;
        return Reply{.close = true};
    }};
    const auto all = results(rtad, call("status", "{}"));
    EXPECT_FALSE(all.at(0)["isError"].flag()) << "a tool that reads tries again";
    EXPECT_EQ(rtad.daemon().connections(), 2U);
    const Outcome absent =
        run_rtactl({"--socket", "/nonexistent/rtad", "mcp"}, std::string{kInitialize} + call("status", "{}"));
    EXPECT_TRUE(has(absent.out, R"("code":"UNAVAILABLE")")) << absent.out;
}

}  // namespace
}  // namespace rta::test
