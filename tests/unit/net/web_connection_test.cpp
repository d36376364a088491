// SPDX-License-Identifier: MIT
// HTTP connections over a stream in memory, in each of their states.
#include "net/web/web_connection.h"

#include <gtest/gtest.h>

#include <asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "../api/fake_access.h"
#include "memory_stream.h"
#include "net/web/web_turns.h"
#include "support/deadline.h"
#include "support/temporary.h"

namespace rta::net {
namespace {

constexpr std::size_t kLargeBytes = 1'000'000;

class WebConnectionTest : public testing::Test, private WebConnection::Owner {
 protected:
    WebConnectionTest() {
        test::write_text(page / "index.html", "page");
        test::write_text(page / "large.bin", std::string(kLargeBytes, 'x'));
        site = std::make_shared<WebSite>(
            WebOptions{.page_folder = page.path().native(), .hosts = hosts}, WebNames{hosts, {}, 80, false}, access,
            [](LogLevel, std::string_view) {}, turns);
        connection = std::make_shared<WebConnection>(
            io.get_executor(), std::make_unique<MemoryStream>(stream), site,
            WebSite::Visitor{.entry = {.door = api::Entry::Door::loopback, .address = "127.0.0.1:1"}, .local = {}},
            WebConnection::Name{.number = 1, .listener = "web"}, std::nullopt);
        connection->start(*this);
    }
    ~WebConnectionTest() override {
        connection->close();
        io.run_for(std::chrono::milliseconds{0});
    }

    void receive(const std::string& bytes) const {
        stream->input.push_back(bytes);
        stream->changed.raise();
    }
    void get(const std::string& target) const { receive("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n"); }
    /// Runs until this is true. Returns false after kPatience.
    template <class Condition>
    bool run_until(const Condition& is_true) {
        const test::Deadline deadline;
        while (!is_true() && !deadline.passed()) io.run_one_for(std::chrono::milliseconds{10});
        return is_true();
    }
    bool run_until_output(std::string_view words) {
        return run_until([&] { return stream->output.find(words) != std::string::npos; });
    }
    /// What the server may close to make room for another client.
    bool makes_room() const { return connection->idle_since().has_value(); }

    const std::vector<std::string> hosts{"localhost"};
    const test::TemporaryDirectory page;
    asio::io_context io;
    api::test::FakeAccess access;
    std::shared_ptr<StreamState> stream = std::make_shared<StreamState>(io);
    std::shared_ptr<WebTurns> turns = std::make_shared<WebTurns>(io.get_executor());
    std::shared_ptr<WebSite> site;
    std::shared_ptr<WebConnection> connection;
    bool ended = false;

 private:
    void web_ended(const WebConnection&) override { ended = true; }
    void web_upgraded(const WebConnection&, std::unique_ptr<ByteStream>) override { ended = true; }
    void web_closed_for(ClosedFor, const WebConnection&) override {}
};

TEST_F(WebConnectionTest, MakesRoomWhileItWaitsForARequest) {
    EXPECT_TRUE(makes_room());
    receive("GET / HT");
    io.poll();
    EXPECT_TRUE(makes_room());
}

TEST_F(WebConnectionTest, MakesRoomWhileItWaitsForItsTurn) {
    turns->stepped(std::chrono::hours{1});
    get("/");
    EXPECT_TRUE(run_until([&] { return stream->input.empty(); }));
    io.poll();
    EXPECT_EQ(stream->output, "") << "it waits for hours";
    EXPECT_TRUE(makes_room());
    connection->close();
    EXPECT_TRUE(run_until([&] { return connection.use_count() == 1; })) << "nothing of it waits any longer";
}

TEST_F(WebConnectionTest, MakesRoomWhileTheClientDoesNotReadTheResponse) {
    stream->writes_held = true;
    get("/large.bin");
    EXPECT_TRUE(run_until([&] { return stream->input.empty(); }));
    io.poll();
    EXPECT_TRUE(makes_room());
    const auto before = connection->idle_since();
    EXPECT_EQ(connection->idle_since(), before) << "nothing was taken";
    stream->bytes_taken = 1;
    EXPECT_GT(connection->idle_since(), before) << "those that take nothing make room before those that do";
}

TEST_F(WebConnectionTest, MakesRoomWhileItWaitsForTheEndOfARefusedClient) {
    receive("nonsense\r\n\r\n");
    EXPECT_TRUE(run_until_output("HTTP/1.1 400 "));
    EXPECT_TRUE(run_until([&] { return stream->finished; }));
    EXPECT_FALSE(ended);
    EXPECT_TRUE(makes_room());
}

TEST_F(WebConnectionTest, ALargeFileIsSentInPartsOfWhichEachHasATurn) {
    get("/large.bin");
    EXPECT_TRUE(run_until([&] { return stream->output.size() > kLargeBytes; }));
    EXPECT_TRUE(stream->output.ends_with("x"));
    EXPECT_LE(stream->largest_write, std::size_t{64} << 10U);
    get("/");
    EXPECT_TRUE(run_until_output("page"));
}

TEST_F(WebConnectionTest, ARequestThatUpgradesAndClosesIsRefused) {
    receive(
        "GET /socket HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade, close\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    EXPECT_TRUE(run_until_output("expected one of them"));
    EXPECT_TRUE(stream->output.starts_with("HTTP/1.1 400 "));
}

struct Recorder final : WebTurns::Waiter {
    explicit Recorder(std::string& into, char its_name) : order{into}, name{its_name} {}
    void turn_has_come() override { order += name; }
    std::string& order;
    const char name;
};

class WebTurnsTest : public testing::Test {
 protected:
    std::shared_ptr<Recorder> waiter(char name) { return std::make_shared<Recorder>(order, name); }

    asio::io_context io;
    const std::shared_ptr<WebTurns> turns = std::make_shared<WebTurns>(io.get_executor());
    std::string order;
    const std::shared_ptr<Recorder> a = waiter('a');
    std::shared_ptr<Recorder> b = waiter('b');
    const std::shared_ptr<Recorder> c = waiter('c');
    const std::shared_ptr<Recorder> d = waiter('d');
};

TEST_F(WebTurnsTest, AreTakenInOrderByThoseThatStillWait) {
    EXPECT_TRUE(turns->may_step(a, "one"));
    turns->stepped(std::chrono::milliseconds{10});
    EXPECT_FALSE(turns->may_step(c, "one")) << "the step took long";
    EXPECT_FALSE(turns->may_step(b, "one"));
    EXPECT_FALSE(turns->may_step(a, "one"));
    b.reset();
    const auto start = WebTurns::Clock::now();
    io.run();
    EXPECT_EQ(order, "ca");
    EXPECT_GT(WebTurns::Clock::now() - start, std::chrono::milliseconds{10}) << "a pause of several times the step";
}

TEST_F(WebTurnsTest, OfANetworkWithManyConnectionsDoNotDelayAnother) {
    turns->stepped(std::chrono::milliseconds{1});
    EXPECT_FALSE(turns->may_step(a, "one"));
    EXPECT_FALSE(turns->may_step(b, "one"));
    EXPECT_FALSE(turns->may_step(c, "one"));
    EXPECT_FALSE(turns->may_step(d, "two"));
    io.run();
    EXPECT_EQ(order, "adbc");
}

}  // namespace
}  // namespace rta::net
