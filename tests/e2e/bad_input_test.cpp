// SPDX-License-Identifier: MIT
// Invalid input of any kind: a clear error that names the fault. The graph, the sound and the other clients are not
// affected.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "jack_rig.h"
#include "recorded_daemon.h"
#include "support/analysis.h"

namespace rta::test {
namespace {

constexpr std::size_t kSecond = 48'000;

constexpr const char* kDocument = R"({
  "nodes": [
    {"name": "osc", "type": "sine", "parameters": {"frequency_hz": 440, "gain_db": -6}},
    {"name": "vol", "type": "gain", "parameters": {"gain_db": -3}},
    {"name": "out", "type": "output", "settings": {"channels": 2}}
  ],
  "connections": [ {"from": "osc", "to": "vol"}, {"from": "vol", "to": "out"} ]
})";

/// The state visible to a client that invalid input must not change.
struct Seen {
    std::string document;
    std::uint64_t revision;
    std::uint64_t change_number;
    bool operator==(const Seen&) const = default;
};

Seen look(ProtocolClient& client) {
    const v1::GraphResult graph = client.graph();
    return {graph.document(), graph.revision(), graph.change_number()};
}

/// A daemon that plays a tone, and a client that observes it while others send invalid data.
class BadInput : public testing::Test {
 protected:
    void SetUp() override {
        watcher_.subscribe();
        before_ = look(watcher_);
    }

    /// Verifies that nothing has changed, that no client was notified of a change, and that the recorded output is
    /// bit-identical to the output of the graph alone.
    void TearDown() override {
        EXPECT_EQ(look(watcher_), before_);
        // An event would have arrived before the response to the request above.
        const std::optional<v1::Event> event = watcher_.next_event(std::chrono::milliseconds{0});
        EXPECT_FALSE(event) << event->ShortDebugString();
        EXPECT_TRUE(recorded_.daemon().process().running());
        const std::uint64_t frame = watcher_.status().engine().frame();
        recorded_.wait_for_frame(frame + kSecond / 4);
        const Wav heard = recorded_.stop();
        const Wav expected = render(kDocument, static_cast<double>(heard.frames()) / 48'000.0);
        const std::span<const float> sounding = std::span<const float>{heard.channels[0]}.first(frame);
        EXPECT_GT(rms(sounding), 0.1);
        EXPECT_EQ(first_difference(sounding, expected.channels[0]), std::nullopt);
    }

    [[nodiscard]] Daemon& daemon() { return recorded_.daemon(); }

    /// Sends bytes on a separate connection, after its Hello if `after_hello`. Returns what was received before the
    /// daemon closed the connection.
    std::optional<v1::Response> answer_to(const std::string& bytes, bool after_hello) {
        ProtocolClient client = ProtocolClient::connect_tcp(daemon().port());
        if (after_hello) client.hello("rubbish");
        client.send_bytes(bytes);
        client.finish_sending();
        EXPECT_TRUE(client.wait_closed()) << "a broken connection is closed";
        try {
            return client.receive_response(std::chrono::milliseconds{0});
        } catch (const std::runtime_error&) {
            return std::nullopt;
        }
    }

    RecordedDaemon recorded_{{.graph = kDocument}};
    ProtocolClient watcher_ = recorded_.daemon().client("watcher");
    Seen before_;
};

// ---- bytes

TEST_F(BadInput, GarbageBytes) {
    // Announces more than the maximum size of a message; and, split into frames, is not a valid message.
    const std::string http = "GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: a client with the wrong port\r\n\r\n";
    EXPECT_FALSE(answer_to(http, false));
    const std::optional<v1::Response> after_hello = answer_to(http, true);
    ASSERT_TRUE(after_hello);
    EXPECT_EQ(after_hello->id(), 0U);
    EXPECT_EQ(after_hello->status().code(), v1::INVALID_ARGUMENT);
    EXPECT_NE(after_hello->status().message(), "");
    std::mt19937 random{6};
    for (int round = 0; round < 50; ++round) {
        std::string bytes(1 + random() % 2'000, '\0');
        for (char& byte : bytes) byte = static_cast<char>(random() & 0xFFU);
        const std::optional<v1::Response> response = answer_to(bytes, round % 2 == 0);
        // Bytes that happen to announce a long message are an incomplete message: there is no response.
        if (round % 2 != 0) {
            EXPECT_FALSE(response) << "before Hello";
        } else if (response) {
            EXPECT_NE(response->status().code(), v1::OK) << response->ShortDebugString();
        }
    }
}

TEST_F(BadInput, TruncatedFrame) {
    const std::string whole = delimited(apply_request(transaction({remove_node("osc")})));
    for (std::size_t length = 1; length < whole.size(); ++length) answer_to(whole.substr(0, length), true);
}

TEST_F(BadInput, LengthOfTwoToThePowerOf63) {
    const std::string length = "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01";
    EXPECT_FALSE(answer_to(length, false));
    const std::optional<v1::Response> response = answer_to(length, true);
    ASSERT_TRUE(response);
    EXPECT_EQ(response->id(), 0U);
    EXPECT_EQ(response->status().code(), v1::INVALID_ARGUMENT);
    EXPECT_NE(response->status().message().find("4 MiB"), std::string::npos) << response->status().message();
}

TEST_F(BadInput, LengthJustAboveTheLimit) {
    const std::optional<v1::Response> response = answer_to("\x81\x80\x80\x02", true);  // 4 MiB + 1
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status().code(), v1::INVALID_ARGUMENT);
}

TEST_F(BadInput, ManyBrokenConnectionsLeaveRoomForAGoodOne) {
    for (int i = 0; i < 600; ++i) {  // more than the daemon serves at the same time
        ProtocolClient client = ProtocolClient::connect_unix(daemon().socket());
        client.send_bytes("\x05");
    }
    EXPECT_GT(daemon().client("good").status().client_count(), 0U);
}

// ---- requests

TEST_F(BadInput, UnknownRequest) {
    ProtocolClient client = daemon().client();
    v1::Request request;
    request.GetReflection()->MutableUnknownFields(&request)->AddLengthDelimited(15'000, "from the future");
    const v1::Response response = client.call(request);
    EXPECT_EQ(response.status().code(), v1::UNIMPLEMENTED) << response.ShortDebugString();
    EXPECT_NE(response.status().message(), "");
    client.status();  // the connection stays open
}

TEST_F(BadInput, RequestBeforeHello) {
    EXPECT_FALSE(answer_to(delimited(apply_request(transaction({remove_node("osc")}))), false)) << "an answer";
}

TEST_F(BadInput, WrongVersion) {
    ProtocolClient client = ProtocolClient::connect_tcp(daemon().port());
    v1::Request request;
    request.mutable_hello()->set_protocol_version(7);
    const v1::Response response = client.call(request);
    EXPECT_EQ(response.status().code(), v1::FAILED_PRECONDITION);
    EXPECT_NE(response.status().message().find('7'), std::string::npos) << response.status().message();
    EXPECT_NE(response.status().message().find('1'), std::string::npos)
        << "the version it speaks: " << response.status().message();
}

struct BadEdit {
    const char* name;
    v1::Edit edit;
    v1::Code code;
    std::vector<std::string> named;  ///< texts that the message must contain
};

v1::Edit bad_settings() {
    v1::Edit edit = add_node("gain", "wide");
    (*edit.mutable_add_node()->mutable_settings()->mutable_fields())["channels"].set_number_value(1'000);
    return edit;
}

v1::Edit unknown_setting() {
    v1::Edit edit = add_node("gain", "wide");
    (*edit.mutable_add_node()->mutable_settings()->mutable_fields())["chanels"].set_number_value(2);
    return edit;
}

std::vector<BadEdit> bad_edits() {
    constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    return {
        {"UnknownNodeToRemove", remove_node("ghost"), v1::NOT_FOUND, {"ghost"}},
        {"UnknownNodeToConnectFrom", connect("ghost", "vol"), v1::NOT_FOUND, {"ghost"}},
        {"UnknownNodeToConnectTo", connect("osc", "ghost"), v1::NOT_FOUND, {"ghost"}},
        {"UnknownOutputPort", connect("osc:left", "vol"), v1::NOT_FOUND, {"osc", "left", "out"}},
        {"UnknownInputPort", connect("osc", "vol:in_7"), v1::NOT_FOUND, {"vol", "in_7"}},
        {"NoSuchConnection", disconnect("osc", "out"), v1::NOT_FOUND, {"osc", "out"}},
        {"UnknownType", add_node("sinus", "a"), v1::NOT_FOUND, {"sinus"}},
        {"UnknownParameter", set_parameter("osc", "pitch_hz", 1.0F), v1::NOT_FOUND, {"osc", "pitch_hz"}},
        {"UnknownParameterOfANewNode", add_node("sine", "a", {{"pitch_hz", 1.0F}}), v1::NOT_FOUND, {"pitch_hz"}},
        {"UnknownSetting", unknown_setting(), v1::NOT_FOUND, {"chanels"}},
        {"DuplicateName", add_node("gain", "vol"), v1::ALREADY_EXISTS, {"vol"}},
        {"BadName", add_node("gain", "2 fast"), v1::INVALID_ARGUMENT, {"2 fast"}},
        {"EmptyName", add_node("gain", ""), v1::INVALID_ARGUMENT, {}},
        {"ParameterNan", set_parameter("osc", "frequency_hz", kNan), v1::INVALID_ARGUMENT, {"osc", "frequency_hz"}},
        {"ParameterInfinite", set_parameter("osc", "gain_db", kInfinity), v1::INVALID_ARGUMENT, {"osc", "gain_db"}},
        {"ParameterTooLarge",
         set_parameter("vol", "gain_db", 24.5F),
         v1::INVALID_ARGUMENT,
         {"vol", "gain_db", "24.5", "24"}},
        {"ParameterTooSmall",
         set_parameter("osc", "frequency_hz", -1.0F),
         v1::INVALID_ARGUMENT,
         {"osc", "frequency_hz", "-1"}},
        {"ParameterOfANewNodeOutOfRange",
         add_node("gain", "a", {{"gain_db", 99.0F}}),
         v1::INVALID_ARGUMENT,
         {"gain_db", "99"}},
        {"SettingOutOfRange", bad_settings(), v1::INVALID_ARGUMENT, {"channels", "1000"}},
        {"ConnectionGainNan", connect("osc", "out", kNan), v1::INVALID_ARGUMENT, {"gain_db"}},
        {"ConnectionGainOutOfRange", connect("osc", "out", 100.0F), v1::INVALID_ARGUMENT, {"100"}},
        {"NothingInTheEdit", v1::Edit{}, v1::INVALID_ARGUMENT, {}},
    };
}

void expect_named(const v1::Status& status, const std::vector<std::string>& named) {
    EXPECT_NE(status.message(), "");
    for (const std::string& part : named)
        EXPECT_NE(status.message().find(part), std::string::npos) << part << " in: " << status.message();
}

TEST_F(BadInput, EditsOfATransaction) {
    ProtocolClient client = daemon().client();
    for (const BadEdit& bad : bad_edits()) {
        SCOPED_TRACE(bad.name);
        // The invalid edit is between two valid ones: all edits apply or none.
        const v1::EditList edits =
            transaction({add_node("sine", "extra"), bad.edit, set_parameter("vol", "gain_db", -30.0F)});
        const v1::Response response = client.call(apply_request(edits));
        EXPECT_EQ(v1::Code_Name(response.status().code()), v1::Code_Name(bad.code)) << response.status().message();
        expect_named(response.status(), bad.named);
        ASSERT_TRUE(response.status().has_edit_index());
        EXPECT_EQ(response.status().edit_index(), 1U);
        EXPECT_FALSE(response.has_apply_transaction());
        EXPECT_EQ(look(watcher_), before_);

        v1::Request check;
        *check.mutable_check_graph()->mutable_edits() = edits;
        EXPECT_EQ(client.call(check).status().code(), bad.code) << "CheckGraph finds the same";
    }
}

TEST_F(BadInput, ACycleIsNamedWhole) {
    ProtocolClient client = daemon().client();
    const v1::Response response = client.call(apply_request(transaction(
        {add_node("gain", "alpha"), add_node("gain", "beta"), add_node("gain", "gamma"), connect("alpha", "beta"),
         connect("beta", "gamma"), connect("gamma", "alpha"), connect("gamma", "out")})));
    EXPECT_EQ(response.status().code(), v1::FAILED_PRECONDITION);
    expect_named(response.status(), {"alpha", "beta", "gamma"});
    EXPECT_EQ(response.status().message().find("\"out\""), std::string::npos)
        << "not in the cycle: " << response.status().message();
    const v1::Response self = client.call(apply_request(transaction({connect("vol", "vol")})));
    EXPECT_EQ(self.status().code(), v1::FAILED_PRECONDITION);
    expect_named(self.status(), {"vol"});
}

TEST_F(BadInput, WidthsThatDoNotFitAreBothNamed) {
    ProtocolClient client = daemon().client();
    const v1::Response response = client.call(apply_request(transaction(
        {add_node("gain", "three", {}, {{"channels", 3.0F}}), connect("osc", "three"), connect("three", "out")})));
    EXPECT_EQ(response.status().code(), v1::FAILED_PRECONDITION);
    expect_named(response.status(), {"three", "out", "3", "2"});
    EXPECT_EQ(response.status().edit_index(), 2U);
}

TEST_F(BadInput, SetParametersIsAllOrNothing) {
    ProtocolClient client = daemon().client();
    for (const BadEdit& bad : bad_edits()) {
        if (!bad.edit.has_set_parameter()) continue;
        SCOPED_TRACE(bad.name);
        v1::Request request;
        *request.mutable_set_parameters()->add_changes() = set_parameter("vol", "gain_db", -30.0F).set_parameter();
        *request.mutable_set_parameters()->add_changes() = bad.edit.set_parameter();
        const v1::Response response = client.call(request);
        EXPECT_EQ(response.status().code(), bad.code) << response.status().message();
        expect_named(response.status(), bad.named);
        EXPECT_EQ(response.status().edit_index(), 1U);
        EXPECT_EQ(look(watcher_), before_);
    }
}

TEST_F(BadInput, DocumentsTellLineAndColumn) {
    struct BadDocument {
        const char* text;
        std::vector<std::string> named;
    };
    const BadDocument documents[] = {
        {"Hello, I am no JSON", {"line 1", "column 1:"}},
        {"", {"line 1"}},
        {"{\n  \"nodes\": [\n    {\"name\": \"osc\" \"type\": \"sine\"}\n  ]\n}", {"line 3", "column"}},
        {"{\n  \"nodse\": []\n}", {"line 2", "column", "nodse"}},
        {"{\"nodes\": [{\"name\": \"osc\", \"type\": \"sine\",\n \"name\": \"osc\"}]}", {"line 2", "name"}},
        {"{\"nodes\": [\n {\"name\": \"osc\", \"type\": \"sinus\"}]}", {"line 2", "sinus"}},
        {"{\"nodes\": [{\"name\": \"osc\", \"type\": \"sine\",\n \"parameters\": {\"frequency_hz\": \"high\"}}]}",
         {"line 2", "frequency_hz"}},
        {"{\"nodes\": [{\"name\": \"osc\", \"type\": \"sine\", \"parameters\": {\"frequency_hz\": NaN}}]}", {"line 1"}},
        {"{\"nodes\": [{\"name\": \"osc\", \"type\": \"sine\", \"parameters\": {\"frequency_hz\": 1e99}}]}",
         {"line 1", "frequency_hz"}},
        {"{\"nodes\": [{\"name\": \"a\", \"type\": \"gain\"}, {\"name\": \"b\", \"type\": \"gain\"}],\n"
         " \"connections\": [{\"from\": \"a\", \"to\": \"ghost\"}]}",
         {"line 2", "ghost"}},
        {"{\"nodes\": [{\"name\": \"a\", \"type\": \"gain\"}, {\"name\": \"b\", \"type\": \"gain\"}],\n"
         " \"connections\": [{\"from\": \"a\", \"to\": \"b\"}, {\"from\": \"b\", \"to\": \"a\"}]}",
         {"a", "b"}},
    };
    ProtocolClient client = daemon().client();
    for (const BadDocument& document : documents) {
        SCOPED_TRACE(document.text);
        v1::Request apply;
        apply.mutable_apply_transaction()->set_document(document.text);
        const v1::Response response = client.call(apply);
        EXPECT_NE(response.status().code(), v1::OK);
        expect_named(response.status(), document.named);
        v1::Request check;
        check.mutable_check_graph()->set_document(document.text);
        EXPECT_EQ(client.call(check).status().code(), response.status().code());
    }
}

TEST_F(BadInput, AFileThatIsNoDocument) {
    const TemporaryDirectory directory;
    const std::string file = (directory / "not.json").string();
    write_text(file, "RIFF\x24\x08\x01\x02WAVEfmt ");
    const RunResult loaded = daemon().ctl({"graph", "load", file});
    EXPECT_EQ(loaded.status, (ExitStatus{1, 0}));
    EXPECT_EQ(loaded.output, "");
    EXPECT_NE(loaded.error.find("not.json"), std::string::npos) << loaded.error;
    EXPECT_NE(loaded.error.find("line 1"), std::string::npos) << loaded.error;
    EXPECT_EQ(daemon().ctl({"graph", "check", file}).status.code, 1);
}

// ---- start

std::vector<std::string> with_private_sockets(const TemporaryDirectory& directory, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--socket", (directory / "s").string()});
    return arguments;
}

TEST(BadStart, AnAddressThatIsNotLoopback) {
    const TemporaryDirectory directory;
    for (const char* address : {"0.0.0.0:0", "[::]:0", "192.0.2.1:7340"}) {
        const RunResult refused = run_rtad(with_private_sockets(directory, {"--device", "null", "--listen", address}));
        EXPECT_EQ(refused.status, (ExitStatus{2, 0})) << address << ": " << refused.error;
        EXPECT_NE(refused.error.find(address), std::string::npos) << refused.error;
        EXPECT_NE(refused.error.find("loopback"), std::string::npos) << refused.error;
        EXPECT_FALSE(std::filesystem::exists(directory / "s"));
    }
}

TEST(BadStart, ASocketThatIsInUse) {
    Daemon first{{.arguments = {"--device", "null"}}};
    const RunResult socket =
        run_rtad({"--device", "null", "--socket", first.socket().string(), "--listen", "127.0.0.1:0"});
    EXPECT_EQ(socket.status, (ExitStatus{2, 0})) << socket.error;
    EXPECT_NE(socket.error.find(first.socket().string()), std::string::npos) << socket.error;
    const TemporaryDirectory directory;
    const std::string address = "127.0.0.1:" + std::to_string(first.port());
    const RunResult port = run_rtad(with_private_sockets(directory, {"--device", "null", "--listen", address}));
    EXPECT_EQ(port.status, (ExitStatus{2, 0})) << port.error;
    EXPECT_NE(port.error.find(address), std::string::npos) << port.error;
    EXPECT_EQ(first.client().status().engine().revision(), 0U) << "the first is not disturbed";
}

TEST(BadStart, ADeviceThatCannotBeOpened) {
    const TemporaryDirectory directory;
    const RunResult unknown =
        run_rtad(with_private_sockets(directory, {"--device", "portaudio:No Such Card", "--listen", "127.0.0.1:0"}));
    EXPECT_EQ(unknown.status, (ExitStatus{1, 0})) << unknown.error;
    EXPECT_NE(unknown.error.find("No Such Card"), std::string::npos) << "what was tried: " << unknown.error;
    EXPECT_NE(unknown.error.find("available: "), std::string::npos) << "what there is: " << unknown.error;
    const RunResult jack =
        run_rtad(with_private_sockets(directory, {"--device", "portaudio:JACK Audio Connection Kit/system"}));
    EXPECT_EQ(jack.status, (ExitStatus{2, 0})) << jack.error;
    EXPECT_NE(jack.error.find("use --device jack"), std::string::npos) << jack.error;
    const RunResult server =
        run_rtad(with_private_sockets(directory, {"--device", "jack:no-such-server", "--listen", "127.0.0.1:0"}));
    EXPECT_EQ(server.status, (ExitStatus{1, 0})) << server.error;
    EXPECT_NE(server.error.find("\"no-such-server\": it does not run"), std::string::npos) << server.error;
    const RunResult pattern = run_rtad(with_private_sockets(directory, {"--device", "jack", "--jack-connect", "("}));
    EXPECT_EQ(pattern.status, (ExitStatus{2, 0})) << pattern.error;
    EXPECT_NE(pattern.error.find("regular expression"), std::string::npos) << pattern.error;
    const RunResult file = run_rtad(
        with_private_sockets(directory, {"--device", "null:/no/such/folder/out.wav", "--listen", "127.0.0.1:0"}));
    EXPECT_EQ(file.status, (ExitStatus{1, 0})) << file.error;
    EXPECT_NE(file.error.find("/no/such/folder/out.wav"), std::string::npos) << file.error;
}

TEST(BadStart, AGraphFileThatIsNone) {
    const TemporaryDirectory directory;
    const std::string file = (directory / "graph.json").string();
    write_text(file, "{\n  \"nodes\": [\n    oops\n");
    for (const std::vector<std::string>& command :
         {with_private_sockets(directory, {"--device", "null", "--listen", "127.0.0.1:0", "--graph", file}),
          std::vector<std::string>{"check", file},
          std::vector<std::string>{"render", "--graph", file, "--duration", "1", "--output",
                                   (directory / "out.wav").string()}}) {
        const RunResult refused = run_rtad(command);
        EXPECT_EQ(refused.status, (ExitStatus{2, 0})) << refused.error;
        EXPECT_NE(refused.error.find("graph.json"), std::string::npos) << refused.error;
        EXPECT_NE(refused.error.find("line 3, column 5"), std::string::npos) << refused.error;
        EXPECT_FALSE(std::filesystem::exists(directory / "out.wav"));
    }
}

TEST(BadStart, FlagsThatAreWrong) {
    struct WrongCommand {
        std::vector<std::string> arguments;
        const char* named;
    };
    const WrongCommand commands[] = {
        {{"--no-such-flag"}, "--no-such-flag"}, {{"--block-size", "100"}, "100"}, {{"--sample-rate", "fast"}, "fast"},
        {{"--device", "tape"}, "tape"},         {{"nonsense"}, "nonsense"},       {{"render"}, "--graph"},
    };
    for (const WrongCommand& command : commands) {
        const RunResult refused = run_rtad(command.arguments);
        EXPECT_EQ(refused.status, (ExitStatus{2, 0})) << command.named;
        EXPECT_NE(refused.error.find(command.named), std::string::npos) << refused.error;
        EXPECT_EQ(refused.output, "");
    }
}

}  // namespace
}  // namespace rta::test
