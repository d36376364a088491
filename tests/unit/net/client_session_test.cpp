// SPDX-License-Identifier: MIT
// Sessions over a byte stream in memory, which delivers and accepts exactly what a test decides.
#include "net/client_session.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <asio/error.hpp>
#include <asio/io_context.hpp>
#include <deque>

#include "net/server.h"
#include "quiet_daemon.h"
#include "support/deadline.h"
#include "support/protocol_client.h"

namespace rta::net {
namespace {

/// The state of a stream, which outlives the stream.
struct StreamState {
    explicit StreamState(asio::io_context& io) : changed{io.get_executor()} {}

    std::deque<std::string> input;  ///< each is the result of one read
    bool input_ends = false;        ///< eof after the input; otherwise the read waits
    std::string output;
    asio::error_code write_error;
    bool finished = false;  ///< no more output follows
    bool open = true;
    Condition changed;
    int reads_pending = 0;
};

class MemoryStream final : public ByteStream {
 public:
    explicit MemoryStream(std::shared_ptr<StreamState> state) : state_{std::move(state)} {}
    ~MemoryStream() override { close(); }

    asio::awaitable<std::size_t> read_some(std::span<char> into, asio::error_code& error) override {
        const auto state = state_;
        EXPECT_EQ(state->reads_pending++, 0) << "two reads at a time";
        while (state->open && state->input.empty() && !state->input_ends) co_await state->changed.wait();
        --state->reads_pending;
        if (!state->open) {
            error = asio::error::operation_aborted;
            co_return 0;
        }
        if (state->input.empty()) {
            error = asio::error::eof;
            co_return 0;
        }
        std::string& next = state->input.front();
        const std::size_t count = next.copy(into.data(), into.size());
        next.erase(0, count);
        if (next.empty()) state->input.pop_front();
        error = {};
        co_return count;
    }

    asio::awaitable<std::size_t> write(std::span<const asio::const_buffer> buffers, asio::error_code& error) override {
        error = state_->write_error;
        if (error) co_return 0;
        std::size_t count = 0;
        for (const asio::const_buffer& buffer : buffers) {
            state_->output.append(static_cast<const char*>(buffer.data()), buffer.size());
            count += buffer.size();
        }
        co_return count;
    }

    asio::awaitable<void> finish_writing(asio::error_code& error) override {
        error = {};
        state_->finished = true;
        co_return;
    }

    void stop_reading() override {
        state_->input_ends = true;
        state_->changed.raise();
    }

    void close() override {
        state_->open = false;
        state_->changed.raise();
    }

    [[nodiscard]] bool is_open() const override { return state_->open; }

 private:
    std::shared_ptr<StreamState> state_;
};

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
    static bool is_read(const std::shared_ptr<StreamState>& sender) { return sender->input.empty(); }
    ~LargeMessagesTest() override { many.stop(); }

    Server many{io, engine, daemon, [](LogLevel, std::string_view) {},
                ServerLimits{.clients = 40, .large_message_time = std::chrono::milliseconds{500}}};
    std::vector<std::shared_ptr<StreamState>> senders;
};

TEST_F(LargeMessagesTest, WithoutAPlaceASessionDoesNotReadOn) {
    for (std::size_t i = 0; i < LargeMessages::kPlaces + 2; ++i) senders.push_back(send_part());
    const auto read_count = [&] { return static_cast<std::size_t>(std::ranges::count_if(senders, is_read)); };
    ASSERT_TRUE(run_until([&] {
        return read_count() == LargeMessages::kPlaces && senders.back()->input.size() == 1 &&
               senders.back()->input.front().size() < kPartBytes;
    }));
    EXPECT_GT(senders.back()->input.front().size(), kPartBytes - 2 * LargeMessages::kFreeBytes);

    senders.front()->input_ends = true;
    senders.front()->changed.raise();
    EXPECT_TRUE(run_until([&] { return read_count() == LargeMessages::kPlaces + 1; })) << "it takes the place";
    EXPECT_FALSE(is_read(senders.back()));
}

TEST_F(LargeMessagesTest, WhoTakesTooLongMakesRoomForThoseWhoWait) {
    for (std::size_t i = 0; i < LargeMessages::kPlaces; ++i) senders.push_back(send_part());
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

TEST_F(ClientSessionTest, StopsReadingFromAClientThatSendsNoHello) {
    serve();
    ASSERT_TRUE(run_until([&] { return !stream->open; }));
    const auto answers = responses();
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_EQ(answers.front().status().code(), v1::DEADLINE_EXCEEDED);
    EXPECT_TRUE(stream->finished);
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
