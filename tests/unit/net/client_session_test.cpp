// SPDX-License-Identifier: MIT
// Sessions over a byte stream in memory, which delivers and accepts exactly what a test decides.
#include "net/client_session.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <asio/error.hpp>
#include <asio/io_context.hpp>

#include "memory_stream.h"
#include "net/server.h"
#include "quiet_daemon.h"
#include "support/deadline.h"
#include "support/protocol_client.h"

namespace rta::net {
namespace {

v1::Request parsed(std::string_view text) {
    v1::Request request;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(std::string{text}, &request)) << text;
    return request;
}

class ClientSessionTest : public testing::Test {
 protected:
    ~ClientSessionTest() override {
        server.stop();
        io.run_for(std::chrono::milliseconds{0});
    }

    /// Sends the requests in pieces of `size` bytes.
    void receive_in_pieces(const std::string& bytes, std::size_t size) const {
        for (std::size_t at = 0; at < bytes.size(); at += size) stream->input.push_back(bytes.substr(at, size));
        stream->changed.raise();
    }
    void serve() { server.serve(std::make_unique<MemoryStream>(stream), {.address = "memory"}); }

    /// Runs the server until the condition holds.
    template <class Condition>
    [[nodiscard]] bool run_until(const Condition& condition) {
        const test::Deadline deadline;
        while (!condition()) {
            if (deadline.passed()) return false;
            io.run_one_for(std::chrono::milliseconds{10});
        }
        return true;
    }
    /// The responses that have been written so far.
    [[nodiscard]] std::vector<v1::Response> responses() const {
        std::vector<v1::Response> found;
        FrameDecoder decoder;
        decoder.feed(stream->output);
        while (const auto payload = decoder.next().value_or(std::nullopt)) {
            v1::ServerMessage message;
            EXPECT_TRUE(message.ParseFromString(std::string{*payload}));
            if (message.has_response()) found.push_back(message.response());
        }
        return found;
    }
    [[nodiscard]] static std::string three_requests() {
        return test::delimited(parsed("id: 1 hello { protocol_version: 1 }")) +
               test::delimited(parsed("id: 2 list_node_types {}")) + test::delimited(parsed("id: 3 get_status {}"));
    }

    asio::io_context io;
    std::shared_ptr<StreamState> stream = std::make_shared<StreamState>(io);
    Engine engine{builtin_nodes(), {}};
    QuietDaemon daemon;
    std::string log;
    Server server{io, engine, daemon, [this](LogLevel, std::string_view line) { log.append(line).append("\n"); },
                  ServerLimits{.clients = 1, .hello_time = std::chrono::milliseconds{100}}};
};

/// Many sessions, each with a large message that is not complete.
class LargeMessagesTest : public ClientSessionTest {
 protected:
    static constexpr std::size_t kMessageBytes = std::size_t{1} << 20U;
    static constexpr std::size_t kPartBytes = std::size_t{200} << 10U;

    std::shared_ptr<StreamState> send_part() {
        auto sender = std::make_shared<StreamState>(io);
        std::string bytes = test::delimited(parsed("id: 1 hello { protocol_version: 1 }"));
        append_frame_length(bytes, kMessageBytes);
        bytes.append(kPartBytes, '\n');
        sender->input.push_back(std::move(bytes));
        many.serve(std::make_unique<MemoryStream>(sender), {.address = "memory"});
        return sender;
    }
    static constexpr std::size_t kPlaces = 5;  // not the default
    static bool is_read(const std::shared_ptr<StreamState>& sender) { return sender->input.empty(); }
    ~LargeMessagesTest() override { many.stop(); }

    Server many{
        io, engine, daemon, [](LogLevel, std::string_view) {},
        ServerLimits{.clients = 40, .large_message_time = std::chrono::milliseconds{500}, .large_messages = kPlaces}};
    std::vector<std::shared_ptr<StreamState>> senders;
};

TEST_F(LargeMessagesTest, WithoutAPlaceASessionDoesNotReadOn) {
    for (std::size_t i = 0; i < kPlaces + 2; ++i) senders.push_back(send_part());
    const auto read_count = [&] { return static_cast<std::size_t>(std::ranges::count_if(senders, is_read)); };
    // Which of them wait is decided by the order in which the clients have their turns.
    const auto waits = [](const std::shared_ptr<StreamState>& sender) {
        return sender->input.size() == 1 && sender->input.front().size() < kPartBytes;
    };
    ASSERT_TRUE(run_until([&] { return read_count() == kPlaces && std::ranges::count_if(senders, waits) == 2; }));
    for (const auto& sender : senders) {
        if (!waits(sender)) continue;
        EXPECT_GT(sender->input.front().size(), kPartBytes - 2 * LargeMessages::kFreeBytes);
    }

    const auto reader = std::ranges::find_if(senders, is_read);
    (*reader)->input_ends = true;
    (*reader)->changed.raise();
    EXPECT_TRUE(run_until([&] { return read_count() == kPlaces + 1; })) << "one takes the place";
    EXPECT_EQ(std::ranges::count_if(senders, waits), 1);
}

TEST_F(LargeMessagesTest, WhoTakesTooLongMakesRoomForThoseWhoWait) {
    for (std::size_t i = 0; i < kPlaces; ++i) senders.push_back(send_part());
    ASSERT_TRUE(run_until([&] { return std::ranges::all_of(senders, is_read); }));
    const auto late = send_part();
    EXPECT_TRUE(run_until([&] { return is_read(late); }));
    EXPECT_TRUE(run_until([&] { return !senders.front()->open; }));
    stream = senders.front();
    EXPECT_EQ(responses().back().status().code(), v1::DEADLINE_EXCEEDED);
}

TEST_F(ClientSessionTest, AnswersRequestsHoweverTheirBytesArrive) {
    for (const std::size_t size : {1U, 2U, 7U, 1000U}) {
        stream = std::make_shared<StreamState>(io);
        stream->input_ends = true;
        receive_in_pieces(three_requests(), size);
        serve();
        ASSERT_TRUE(run_until([&] { return !stream->open; })) << size;
        const auto answers = responses();
        ASSERT_EQ(answers.size(), 3U) << size;
        for (std::uint64_t id = 1; id <= 3; ++id) {
            EXPECT_EQ(answers[id - 1].id(), id);
            EXPECT_EQ(answers[id - 1].status().code(), v1::OK) << answers[id - 1].ShortDebugString();
        }
        EXPECT_TRUE(stream->finished);
        EXPECT_EQ(server.client_count(), 0U);
    }
}

TEST_F(ClientSessionTest, StaysOpenUntilTheServerStops) {
    receive_in_pieces(three_requests(), 1000);
    serve();
    ASSERT_TRUE(run_until([&] { return responses().size() == 3; }));
    EXPECT_EQ(server.client_count(), 1U);
    EXPECT_TRUE(stream->open);
    server.stop();
    EXPECT_FALSE(stream->open);
}

TEST_F(ClientSessionTest, EndsWhenAWriteFails) {
    stream->write_error = asio::error::broken_pipe;
    stream->input_ends = true;
    receive_in_pieces(three_requests(), 1000);
    serve();
    ASSERT_TRUE(run_until([&] { return !stream->open; }));
    EXPECT_EQ(stream->output, "");
    EXPECT_EQ(server.client_count(), 0U);
    EXPECT_NE(log.find("client 1 on memory disconnected: Broken pipe"), std::string::npos) << log;
}

TEST_F(ClientSessionTest, EndsWhenAWriteFailsWhileARequestIsAwaited) {
    receive_in_pieces(three_requests(), 1000);
    stream->write_error = asio::error::broken_pipe;
    serve();
    // The client may still send; the session waits for that for a limited time.
    ASSERT_TRUE(run_until([&] { return !stream->open; }));
    EXPECT_EQ(server.client_count(), 0U);
}

TEST_F(ClientSessionTest, RefusesAMessageThatIsCutOff) {
    const std::string bytes = three_requests();
    receive_in_pieces(bytes.substr(0, bytes.size() - 1), 1000);
    stream->input_ends = true;
    serve();
    ASSERT_TRUE(run_until([&] { return !stream->open; }));
    const auto answers = responses();
    ASSERT_EQ(answers.size(), 3U);
    EXPECT_EQ(answers.back().id(), 0U);
    EXPECT_EQ(answers.back().status().code(), v1::INVALID_ARGUMENT);
}

TEST_F(ClientSessionTest, ClosesAConnectionWithoutHelloAndWithoutAnAnswer) {
    serve();
    ASSERT_TRUE(run_until([&] { return !stream->open; }));
    EXPECT_EQ(stream->output, "");
    EXPECT_FALSE(stream->finished);
    EXPECT_NE(log.find("it sent no Hello within 0.1 s (--hello-timeout)"), std::string::npos) << log;
}

TEST_F(ClientSessionTest, ClosesAConnectionWhoseFirstMessageIsNoHello) {
    std::string longest;
    append_frame(longest, std::string{"\x08\x01"} + std::string(api::Client::kMaximumHelloBytes - 1, 'x'));
    const std::string whole = three_requests();
    const struct {
        std::string bytes;
        const char* words;
        bool ends = false;
    } strangers[] = {
        {test::delimited(parsed("id: 1 get_status {}")), "first message is not a Hello of at most 4 KiB"},
        {test::delimited(parsed("get_status {}")), "first message is not a Hello"},
        {longest.substr(0, 4), "first message is not a Hello"},
        {std::string{"\x05\x08\xFF\xFF\xFF\xFF"}, "first message is not a Hello"},
        {whole.substr(0, 4), "first message is not a Hello", true},
        {"GET / HTTP/1.1\r\n\r\n", "sent an HTTP request; this address serves only the protocol of rtad"},
        {"\x16\x03\x01", "started TLS, but this address is plain"},
    };
    for (const auto& stranger : strangers) {
        SCOPED_TRACE(stranger.words);
        log.clear();
        Server fresh{io, engine, daemon, [this](LogLevel, std::string_view line) { log.append(line); }};
        stream = std::make_shared<StreamState>(io);
        stream->input_ends = stranger.ends;
        receive_in_pieces(stranger.bytes, 1000);
        fresh.serve(std::make_unique<MemoryStream>(stream), {.address = "memory"});
        ASSERT_TRUE(run_until([&] { return !stream->open; }));
        EXPECT_EQ(stream->output, "");
        EXPECT_FALSE(stream->finished);
        EXPECT_NE(log.find(stranger.words), std::string::npos) << log;
        fresh.stop();
    }
}

TEST_F(ClientSessionTest, AConnectionThatSendsNothingAndEndsIsNoFault) {
    stream->input_ends = true;
    serve();
    ASSERT_TRUE(run_until([&] { return !stream->open; }));
    EXPECT_EQ(stream->output, "");
    EXPECT_EQ(log, "");
}

TEST_F(ClientSessionTest, ARefusedHelloIsTheLastAnswer) {
    receive_in_pieces(test::delimited(parsed("id: 7 hello { protocol_version: 2 }")) + three_requests(), 1000);
    serve();
    ASSERT_TRUE(run_until([&] { return stream->finished; }));
    ASSERT_EQ(responses().size(), 1U);
    EXPECT_EQ(responses().front().id(), 7U);
    EXPECT_EQ(responses().front().status().code(), v1::FAILED_PRECONDITION);
    EXPECT_EQ(server.client_count(), 0U);
    ASSERT_TRUE(run_until([&] { return !stream->open; }));
}

std::size_t unread_bytes(const StreamState& stream) {
    std::size_t bytes = 0;
    for (const std::string& piece : stream.input) bytes += piece.size();
    return bytes;
}

TEST_F(ClientSessionTest, DoesNotReadAllThatARefusedClientSends) {
    const std::size_t sent = 16 * kMostDiscardedBytes;
    receive_in_pieces(test::delimited(parsed("id: 7 hello { protocol_version: 2 }")) + std::string(sent, 'x'), 1000);
    serve();
    ASSERT_TRUE(run_until([&] { return !stream->open; }));
    EXPECT_EQ(responses().size(), 1U);
    EXPECT_GT(unread_bytes(*stream), sent / 2);
}

TEST_F(ClientSessionTest, DoesNotReadAllThatAClientWithoutAPlaceSends) {
    receive_in_pieces(test::delimited(parsed("id: 1 hello { protocol_version: 1 }")), 1000);
    serve();
    ASSERT_TRUE(run_until([&] { return responses().size() == 1; }));
    const std::size_t sent = 16 * kMostDiscardedBytes;
    const auto other = std::make_shared<StreamState>(io);
    for (std::size_t at = 0; at < sent; at += 1000) other->input.emplace_back(1000, 'x');
    server.serve(std::make_unique<MemoryStream>(other), {.address = "memory"});
    ASSERT_TRUE(run_until([&] { return !other->open; }));
    EXPECT_NE(other->output, "") << "the reason";
    EXPECT_GT(unread_bytes(*other), sent / 2);
}

/// Clients that take their output slowly, or wait.
class TimeLimitsTest : public ClientSessionTest {
 protected:
    static constexpr std::chrono::milliseconds kLong{60'000};
    static constexpr std::chrono::milliseconds kShort{300};

    ~TimeLimitsTest() override {
        if (timed) timed->stop();
    }
    void start(const ServerLimits& limits) {
        timed.emplace(
            io, engine, daemon, [this](LogLevel, std::string_view line) { warnings.append(line).append("\n"); },
            limits);
    }
    std::shared_ptr<StreamState> connect(const std::string& requests) {
        auto client = std::make_shared<StreamState>(io);
        if (!requests.empty()) client->input.push_back(requests);
        timed->serve(std::make_unique<MemoryStream>(client), {.address = "memory"});
        return client;
    }
    [[nodiscard]] v1::Response last_answer(const std::shared_ptr<StreamState>& client) {
        stream = client;
        return responses().back();
    }

    std::string warnings;
    std::optional<Server> timed;
    const std::string hello = test::delimited(parsed("id: 1 hello { protocol_version: 1 }"));
    const std::string subscription = test::delimited(parsed("id: 2 subscribe { topics: TOPIC_CHANGES }"));
};

TEST_F(TimeLimitsTest, AClientThatTakesNothingIsDisconnected) {
    start({.hello_time = kLong, .write_time = kShort});
    const auto stuck = std::make_shared<StreamState>(io);
    stuck->input.push_back(hello);
    stuck->writes_held = true;
    const auto slow = std::make_shared<StreamState>(io);
    slow->input.push_back(hello + subscription);
    slow->writes_held = true;
    for (const auto& client : {stuck, slow})
        timed->serve(std::make_unique<MemoryStream>(client), {.address = "memory"});
    // It takes a byte now and then.
    ASSERT_TRUE(run_until([&] {
        ++slow->bytes_taken;
        return !stuck->open;
    }));
    EXPECT_NE(warnings.find("it read nothing of its output for 0.3 s (--write-timeout)"), std::string::npos)
        << warnings;
    EXPECT_TRUE(slow->open);
}

TEST_F(TimeLimitsTest, AnIdleClientThatNeverSubscribedIsDisconnectedWithTheReason) {
    start({.hello_time = kLong, .idle_time = kShort, .write_time = kLong});
    const auto subscriber = connect(hello + subscription);
    const auto idle = connect(hello);
    ASSERT_TRUE(run_until([&] { return idle->finished; }));
    EXPECT_EQ(last_answer(idle).status().code(), v1::DEADLINE_EXCEEDED);
    EXPECT_NE(last_answer(idle).status().message().find("--idle-timeout"), std::string::npos);
    ASSERT_TRUE(run_until([&] { return !idle->open; }));
    EXPECT_TRUE(subscriber->open);
    EXPECT_EQ(timed->client_count(), 1U);
}

TEST_F(TimeLimitsTest, AnIdleClientMakesRoomAndIsToldWhy) {
    start({.clients = 3, .hello_time = kLong, .displaceable_time = std::chrono::milliseconds{0}, .write_time = kLong});
    const auto answered = [&](const std::shared_ptr<StreamState>& client) {
        return run_until([&] { return !client->output.empty(); });
    };
    const auto subscriber = connect(hello + subscription);
    const auto first = connect(hello);
    ASSERT_TRUE(answered(first));
    const auto silent = connect("");
    const auto second = connect(hello);
    EXPECT_FALSE(silent->open) << "it has sent no Hello";
    EXPECT_EQ(silent->output, "");
    ASSERT_TRUE(answered(second));
    const auto third = connect(hello + subscription);
    ASSERT_TRUE(run_until([&] { return first->finished || second->finished; }));
    ASSERT_TRUE(first->finished) << "it was idle longer";
    EXPECT_EQ(last_answer(first).status().code(), v1::RESOURCE_EXHAUSTED);
    EXPECT_NE(last_answer(first).status().message().find("idle the longest"), std::string::npos);
    EXPECT_TRUE(subscriber->open);
    EXPECT_TRUE(third->open);
    EXPECT_EQ(timed->client_count(), 3U);
}

TEST_F(ClientSessionTest, DeliversTheReasonToAClientBeyondTheLimit) {
    receive_in_pieces(three_requests(), 1000);
    serve();
    ASSERT_TRUE(run_until([&] { return responses().size() == 3; }));
    stream = std::make_shared<StreamState>(io);
    serve();
    ASSERT_TRUE(run_until([&] { return stream->finished; }));
    EXPECT_TRUE(stream->open) << "closed before the client could read";
    ASSERT_EQ(responses().size(), 1U);
    EXPECT_EQ(responses().front().status().code(), v1::RESOURCE_EXHAUSTED);
    stream->input_ends = true;
    stream->changed.raise();
    EXPECT_TRUE(run_until([&] { return !stream->open; }));
}

}  // namespace
}  // namespace rta::net
