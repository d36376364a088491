// SPDX-License-Identifier: MIT
#include "script.h"

#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <limits>
#include <new>
#include <optional>
#include <stdexcept>

namespace rta::api::test {
namespace {

using google::protobuf::TextFormat;
using google::protobuf::util::MessageDifferencer;

class BrokenProcessor final : public Processor {
 public:
    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        for (float& sample : context.outputs[0].channel(0)) sample = std::numeric_limits<float>::quiet_NaN();
    }
};

constexpr PortSpec kOut[] = {{"out", 1}};

}  // namespace

constinit const NodeType kBroken{
    .name = "broken",
    .help = "Puts out NaN.",
    .outputs = kOut,
    .create = [](const BuildContext&) -> Expected<std::unique_ptr<Processor>> {
        return std::make_unique<BrokenProcessor>();
    },
};

constinit const NodeType kHuge{
    .name = "huge",
    .help = "Takes more memory than there is.",
    .outputs = kOut,
    .create = [](const BuildContext&) -> Expected<std::unique_ptr<Processor>> { throw std::bad_alloc{}; },
};

constinit const NodeType kFailing{
    .name = "failing",
    .help = "Throws.",
    .outputs = kOut,
    .create = [](const BuildContext&) -> Expected<std::unique_ptr<Processor>> {
        throw std::runtime_error{"the library is in a bad mood"};
    },
};

v1::Request request(std::string_view text) {
    v1::Request message;
    EXPECT_TRUE(TextFormat::ParseFromString(std::string{text}, &message)) << text;
    return message;
}

std::string tone(char client) {
    const std::string name{client};
    return name + R"(> id: 1 apply_transaction { wait_for_start: true edits { )" +
           R"(edits { add_node { name: "osc" type: "sine" } } )" +
           R"(edits { add_node { name: "vol" type: "gain" } } )" +
           R"(edits { add_node { name: "out" type: "output" settings { fields { key: "channels" value { number_value: 2 } } } } } )" +
           R"(edits { connect { from: "osc" to: "vol" } } )" + R"(edits { connect { from: "vol" to: "out" } } } })" +
           "\nblock\n" + name + "< response { id: 1 apply_transaction { revision: 1 frame: 0 } }\n";
}

std::string sentence(const std::optional<v1::ServerMessage>& message) {
    return message ? message->response().status().message() : "no answer";
}

Script::Script(const NodeRegistry& registry, EngineConfig config, const ClientLimits& limits)
    : engine{registry, config},
      dispatcher{engine, daemon, workers, [this] { return now += clock_step; }, limits},
      inputs_{0, config.block_size},
      outputs_{2, config.block_size},
      generation_{engine.gate().start_generation()} {
    // Suppresses warnings about strings that are not UTF-8, which tests send deliberately.
    google::protobuf::SetLogHandler(nullptr);
}

void Script::render_block() {
    const auto claim = engine.gate().try_claim(generation_);
    ASSERT_TRUE(claim);
    engine.renderer().render(claim.key(), {inputs_.read(), outputs_.write()});
}

void Script::set_device_channels(std::uint32_t channels_out) {
    outputs_ = AudioBuffer{channels_out, engine.config().block_size};
}

Script::Peer& Script::peer(char name) {
    Peer& peer = peers_[name];
    if (peer.client == nullptr) peer.client = dispatcher.connect();
    return peer;
}

Client& Script::connect(char name, Entry entry) {
    Peer& peer = peers_[name];
    EXPECT_EQ(peer.client, nullptr) << "it is connected";
    peer.client = dispatcher.connect(std::move(entry));
    return *peer.client;
}

Client& Script::client(char name) { return *peer(name).client; }

void Script::disconnect(char name) {
    client(name).close();
    peers_.erase(name);
}

void Script::send_bytes(char name, std::string_view payload) {
    EXPECT_TRUE(client(name).wants_more());
    client(name).receive(payload);
}

void Script::send(char name, const v1::Request& request) { send_bytes(name, request.SerializeAsString()); }

std::optional<v1::ServerMessage> Script::receive(char name) {
    Peer& from = peer(name);
    const auto next = [&]() -> std::optional<std::string_view> {
        const auto frame = from.decoder.next();
        EXPECT_TRUE(frame) << "the dispatcher's output is not a stream of frames";
        return frame ? *frame : std::nullopt;
    };
    auto frame = next();
    if (!frame) {
        const auto chunks = from.client->outbox().take(1);
        for (const auto& chunk : chunks) from.decoder.feed(chunk.bytes());
        from.client->outbox().sent(chunks);
        from.client->output_drained();
        frame = next();
    }
    if (!frame) return std::nullopt;
    v1::ServerMessage message;
    EXPECT_TRUE(message.ParseFromArray(frame->data(), static_cast<int>(frame->size())));
    return message;
}

void Script::expect(char name, std::string_view text) {
    v1::ServerMessage expected;
    ASSERT_TRUE(TextFormat::ParseFromString(std::string{text}, &expected));
    const auto received = receive(name);
    ASSERT_TRUE(received) << "nothing has come";
    MessageDifferencer differencer;
    differencer.set_scope(MessageDifferencer::PARTIAL);
    // A field with its default value counts as omitted, so compare separately what distinguishes success from failure.
    EXPECT_EQ(received->message_case(), expected.message_case()) << received->ShortDebugString();
    EXPECT_EQ(received->response().status().code(), expected.response().status().code())
        << received->ShortDebugString();
    std::string difference;
    differencer.ReportDifferencesToString(&difference);
    EXPECT_TRUE(differencer.Compare(expected, *received)) << difference << "in " << received->ShortDebugString();
}

void Script::step(std::string_view line) {
    if (line == "block") return block();
    if (line.starts_with("tick ")) return tick(std::chrono::milliseconds{std::stoi(std::string{line.substr(5)})});
    if (line.starts_with("hello ")) {
        const char name = line[6];
        send(name, request("id: 100 hello { protocol_version: 1 client_name: \"" + std::string{name} + "\" }"));
        return expect(name, "response { id: 100 hello { protocol_version: 1 } }");
    }
    ASSERT_GE(line.size(), 2U);
    const char name = line[0];
    if (line[1] == '>') return send(name, request(line.substr(2)));
    if (line[1] == '<') return expect(name, line.substr(2));
    ASSERT_EQ(line.substr(1), "-") << "no step of a script";
    const auto received = receive(name);
    EXPECT_FALSE(received) << received->ShortDebugString();
}

void Script::play(std::string_view script) {
    while (!script.empty()) {
        const std::size_t end = std::min(script.find('\n'), script.size());
        std::string_view line = script.substr(0, end);
        script.remove_prefix(std::min(end + 1, script.size()));
        line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
        if (line.empty()) continue;
        SCOPED_TRACE(std::string{line});
        step(line);
        if (::testing::Test::HasFatalFailure()) return;
    }
}

}  // namespace rta::api::test
