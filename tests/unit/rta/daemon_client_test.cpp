// SPDX-License-Identifier: MIT
#include "rta/daemon_client.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <future>
#include <set>
#include <thread>

#include "support/deadline.h"
#include "support/scripted_daemon.h"
#include "support/temporary.h"

namespace rta::client {
namespace {

using test::frame;
using test::heard;
using test::ok;
using test::refusal;
using test::Reply;
using test::ScriptedDaemon;

Reply agreeable(const v1::Request& request) { return {.bytes = frame(ok(request))}; }

Expected<DaemonClient> connect(const ScriptedDaemon& daemon) {
    const Endpoint endpoint = daemon.endpoint();
    return DaemonClient::open(std::span{&endpoint, 1}, {.client_name = "test", .timeout = test::kPatience});
}

v1::Request status_request() {
    v1::Request request;
    request.mutable_get_status();
    return request;
}

v1::Request document_request(std::size_t bytes) {
    v1::Request request;
    request.mutable_check_graph()->set_document(std::string(bytes, ' '));
    return request;
}

bool says(const Error& error, std::string_view part) { return error.sentence.find(part) != std::string::npos; }

TEST(DaemonClient, SendsHelloWithItsVersionAndName) {
    v1::Request hello;
    ScriptedDaemon daemon{[&](const v1::Request& request) {
                              hello = request;
                              v1::Response response = ok(request);
                              response.mutable_hello()->set_protocol_version(1);
                              response.mutable_hello()->set_server_version("1.2.3");
                              return Reply{.bytes = frame(response)};
                          },
                          ""};
    const auto client = connect(daemon);
    ASSERT_TRUE(client) << client.error().sentence;
    EXPECT_EQ(client->hello().server_version(), "1.2.3");
    EXPECT_EQ(hello.hello().protocol_version(), 1U);
    EXPECT_EQ(hello.hello().client_name(), "test");
    EXPECT_NE(hello.id(), 0U);
}

TEST(DaemonClient, ExplainsARefusedVersion) {
    ScriptedDaemon daemon{
        [](const v1::Request& request) {
            return Reply{.bytes = frame(refusal(request, v1::FAILED_PRECONDITION, "this rtad speaks version 2")),
                         .close = true};
        },
        ""};
    const auto client = connect(daemon);
    ASSERT_FALSE(client);
    EXPECT_EQ(client.error().kind, Error::Kind::refused);
    EXPECT_EQ(client.error().code, v1::FAILED_PRECONDITION);
    EXPECT_TRUE(says(client.error(), "protocol version 1")) << client.error().sentence;
    EXPECT_TRUE(says(client.error(), "this rtad speaks version 2")) << client.error().sentence;
}

TEST(DaemonClient, ExplainsAnotherVersionThatTheDaemonAccepts) {
    ScriptedDaemon daemon{[](const v1::Request& request) {
                              v1::Response response = ok(request);
                              response.mutable_hello()->set_protocol_version(2);
                              response.mutable_hello()->set_server_version("7.0");
                              return Reply{.bytes = frame(response)};
                          },
                          ""};
    const auto client = connect(daemon);
    ASSERT_FALSE(client);
    EXPECT_EQ(client.error().kind, Error::Kind::refused);
    EXPECT_TRUE(says(client.error(), "version 2")) << client.error().sentence;
    EXPECT_TRUE(says(client.error(), "version 7.0")) << client.error().sentence;
}

TEST(DaemonClient, ReportsWhyItWasRefusedBeforeHello) {
    v1::Response full;
    full.mutable_status()->set_code(v1::RESOURCE_EXHAUSTED);
    full.mutable_status()->set_message("512 clients are connected, which is the most");
    ScriptedDaemon daemon{[](const v1::Request&) { return Reply{.close = true}; }, frame(full)};
    const auto client = connect(daemon);
    ASSERT_FALSE(client);
    EXPECT_EQ(client.error().kind, Error::Kind::refused);
    EXPECT_EQ(client.error().code, v1::RESOURCE_EXHAUSTED);
    EXPECT_TRUE(says(client.error(), "512 clients")) << client.error().sentence;
}

TEST(DaemonClient, SuggestsACauseIfRefusedWithoutAReason) {
    ScriptedDaemon daemon{[](const v1::Request&) { return Reply{.close = true}; }, ""};
    const auto client = connect(daemon);
    ASSERT_FALSE(client);
    EXPECT_EQ(client.error().kind, Error::Kind::lost);
    EXPECT_TRUE(says(client.error(), "before it responded to Hello")) << client.error().sentence;
}

TEST(DaemonClient, ReadsTheReasonEvenIfItsHelloCouldNotBeSent) {
    // Closing a socket with unread bytes resets it. The reason, which was sent before, must still be received.
    v1::Response full;
    full.mutable_status()->set_code(v1::RESOURCE_EXHAUSTED);
    full.mutable_status()->set_message("no room");
    const std::string reason = frame(full);
    const os::UniqueFd listener{::socket(AF_INET, SOCK_STREAM, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    ASSERT_EQ(::listen(listener.get(), 1), 0);
    ASSERT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    std::thread daemon{[&] {
        for (int i = 0; i < 20; ++i) {
            const os::UniqueFd client{::accept(listener.get(), nullptr, nullptr)};
            // In every second round, the socket holds the unread Hello when it is closed.
            char byte = 0;
            if (i % 2 == 0) {
                EXPECT_EQ(::recv(client.get(), &byte, 1, MSG_PEEK), 1);
            }
            EXPECT_EQ(::send(client.get(), reason.data(), reason.size(), MSG_NOSIGNAL),
                      static_cast<ssize_t>(reason.size()));
        }
    }};
    const Endpoint endpoint = TcpEndpoint{.host = "127.0.0.1", .port = ntohs(address.sin_port)};
    for (int i = 0; i < 20; ++i) {
        const auto client = DaemonClient::open(std::span{&endpoint, 1}, {.timeout = test::kPatience});
        ASSERT_FALSE(client);
        EXPECT_EQ(client.error().kind, Error::Kind::refused) << client.error().sentence;
    }
    daemon.join();
}

TEST(DaemonClient, RefusesAPeerThatIsNotAnRtad) {
    for (const std::string& greeting :
         {std::string{"HTTP/1.1 400 Bad Request\r\n\r\n"}, std::string(16, '\xff'), std::string{"\x03\xff\xff\xff"}}) {
        ScriptedDaemon daemon{[](const v1::Request&) { return Reply{.close = true}; }, greeting};
        const auto client = connect(daemon);
        ASSERT_FALSE(client);
        // "HTTP..." reads as a frame of 72 bytes that is cut short.
        EXPECT_TRUE(client.error().kind == Error::Kind::protocol || says(client.error(), "in the middle of a message"))
            << client.error().sentence;
    }
}

TEST(DaemonClient, ReportsADisconnectionDuringACall) {
    ScriptedDaemon daemon{[](const v1::Request&) { return Reply{.close = true}; }};
    auto client = connect(daemon);
    ASSERT_TRUE(client);
    const auto response = client->call(status_request());
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind, Error::Kind::lost);
    EXPECT_TRUE(says(response.error(), to_string(daemon.endpoint()))) << response.error().sentence;
    // All later calls return the same error immediately.
    EXPECT_EQ(client->call(status_request()).error().kind, Error::Kind::lost);
    EXPECT_EQ(client->next_event(Deadline::never()).error().kind, Error::Kind::lost);
}

TEST(DaemonClient, ReportsATruncatedMessage) {
    ScriptedDaemon daemon{[](const v1::Request& request) {
        const std::string whole = frame(ok(request));
        return Reply{.bytes = whole.substr(0, whole.size() - 1), .close = true};
    }};
    auto client = connect(daemon);
    ASSERT_TRUE(client);
    const auto response = client->call(status_request());
    ASSERT_FALSE(response);
    EXPECT_TRUE(says(response.error(), "in the middle of a message")) << response.error().sentence;
}

TEST(DaemonClient, RefusesAResponseWithoutARequest) {
    ScriptedDaemon daemon{[](const v1::Request& request) {
        v1::Response response = ok(request);
        response.set_id(request.id() + 7);
        return Reply{.bytes = frame(response)};
    }};
    auto client = connect(daemon);
    ASSERT_TRUE(client);
    const auto response = client->call(status_request());
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind, Error::Kind::protocol);
}

TEST(DaemonClient, ContinuesAfterATimeoutAndDropsTheLateResponse) {
    std::string late;
    ScriptedDaemon daemon{[&](const v1::Request& request) {
        if (late.empty()) {
            v1::Response response = ok(request);
            response.mutable_get_status()->set_server_version("late");
            late = frame(response);
            return Reply{};
        }
        v1::Response response = ok(request);
        response.mutable_get_status()->set_server_version("in time");
        return Reply{.bytes = late + frame(response)};
    }};
    auto client = connect(daemon);
    ASSERT_TRUE(client);
    client->set_timeout(std::chrono::milliseconds{1});
    const auto id = client->send(status_request());
    ASSERT_TRUE(id);
    const auto first = client->receive(*id);
    ASSERT_FALSE(first);
    EXPECT_EQ(first.error().kind, Error::Kind::timeout);
    EXPECT_TRUE(says(first.error(), "did not respond within 0.001 s")) << first.error().sentence;

    client->set_timeout(test::kPatience);
    const auto second = client->call(status_request());
    ASSERT_TRUE(second) << second.error().sentence;
    EXPECT_EQ(second->get_status().server_version(), "in time");
    EXPECT_FALSE(client->receive(*id)) << "the late response was kept";
}

TEST(DaemonClient, TimesOutIfTheDaemonNeverResponds) {
    ScriptedDaemon daemon{[](const v1::Request&) { return Reply{}; }, ""};
    const Endpoint endpoint = daemon.endpoint();
    const auto client = DaemonClient::open(std::span{&endpoint, 1}, {.timeout = std::chrono::milliseconds{50}});
    ASSERT_FALSE(client);
    EXPECT_EQ(client.error().kind, Error::Kind::timeout);
}

TEST(DaemonClient, KeepsEventsThatArriveBetweenResponses) {
    ScriptedDaemon daemon{[next = std::uint64_t{1}](const v1::Request& request) mutable {
        const std::string before = frame(heard(next++));
        return Reply{.bytes = before + frame(ok(request)) + frame(heard(next++))};
    }};
    auto client = connect(daemon);
    ASSERT_TRUE(client);
    ASSERT_TRUE(client->call(status_request()));
    ASSERT_TRUE(client->call(status_request()));
    for (std::uint64_t number = 1; number <= 4; ++number) {
        const auto event = client->next_event(Deadline::in(test::kPatience));
        ASSERT_TRUE(event) << event.error().sentence;
        EXPECT_EQ(event->number(), number);
    }
    const auto none = client->next_event(Deadline::in(std::chrono::milliseconds{0}));
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().kind, Error::Kind::timeout);
}

TEST(DaemonClient, ReturnsTheResultOfATransactionThatIsCommittedAndNotHeardYet) {
    ScriptedDaemon daemon{[](const v1::Request& request) {
        if (!request.has_apply_transaction()) return Reply{.bytes = frame(heard(7)) + frame(ok(request))};
        v1::Response late = refusal(request, v1::DEADLINE_EXCEEDED, "committed as revision 7, but not heard yet");
        late.mutable_apply_transaction()->set_revision(7);
        late.mutable_apply_transaction()->set_starts_within_ms(60);
        return Reply{.bytes = frame(late)};
    }};
    auto client = connect(daemon);
    ASSERT_TRUE(client);
    v1::Request request;
    request.mutable_apply_transaction()->mutable_edits();
    request.mutable_apply_transaction()->set_wait_for_start(true);
    const auto response = client->call(std::move(request));
    ASSERT_TRUE(response) << response.error().sentence;
    EXPECT_TRUE(daemon.requests().front().apply_transaction().wait_for_start());
    EXPECT_EQ(response->status().code(), v1::DEADLINE_EXCEEDED);
    EXPECT_EQ(response->apply_transaction().revision(), 7U);
    EXPECT_EQ(response->apply_transaction().starts_within_ms(), 60U);
    EXPECT_FALSE(response->apply_transaction().has_frame());
    ASSERT_TRUE(client->call(status_request())) << "still connected";
    const auto event = client->next_event(Deadline::in(test::kPatience));
    ASSERT_TRUE(event);
    EXPECT_EQ(event->transaction_heard().revision(), 7U);
}

TEST(DaemonClient, KeepsEventsReceivedBeforeAnError) {
    ScriptedDaemon daemon{[](const v1::Request& request) {
        return Reply{.bytes = frame(ok(request)) + frame(heard(1)) + std::string(12, '\xff'), .close = true};
    }};
    auto client = connect(daemon);
    ASSERT_TRUE(client);
    ASSERT_TRUE(client->call(status_request()));
    const auto event = client->next_event(Deadline::in(test::kPatience));
    ASSERT_TRUE(event);
    EXPECT_EQ(event->number(), 1U);
    EXPECT_FALSE(client->next_event(Deadline::in(test::kPatience)));
}

TEST(DaemonClient, PipelinesRequests) {
    ScriptedDaemon daemon{agreeable};
    auto client = connect(daemon);
    ASSERT_TRUE(client);
    std::vector<std::uint64_t> ids;
    for (int i = 0; i < 100; ++i) {
        const auto id = client->send(status_request());
        ASSERT_TRUE(id);
        ids.push_back(*id);
    }
    for (auto id = ids.rbegin(); id != ids.rend(); ++id) {
        const auto response = client->receive(*id);
        ASSERT_TRUE(response) << response.error().sentence;
        EXPECT_EQ(response->id(), *id);
    }
    EXPECT_FALSE(client->receive(ids.front())) << "a response can be received once";
    EXPECT_FALSE(client->receive(12'345)) << "nothing was sent under this id";
}

TEST(DaemonClient, DoesNotDeadlockWhenBothSidesSendMuch) {
    constexpr std::size_t kBytes = 3'000'000;
    ScriptedDaemon daemon{[](const v1::Request& request) {
        v1::Response response = ok(request);
        response.mutable_check_graph()->add_warnings(std::string(kBytes, ' '));
        return Reply{.bytes = frame(response)};  // blocks until it has been read; no request is read before
    }};
    auto client = connect(daemon);
    ASSERT_TRUE(client);
    std::vector<std::uint64_t> ids;
    for (int i = 0; i < 8; ++i) {
        const auto id = client->send(document_request(kBytes));
        ASSERT_TRUE(id) << id.error().sentence;
        ids.push_back(*id);
    }
    for (const std::uint64_t id : ids) {
        const auto response = client->receive(id);
        ASSERT_TRUE(response) << response.error().sentence;
        EXPECT_EQ(response->check_graph().warnings(0).size(), kBytes);
    }
}

TEST(DaemonClient, RefusesARequestThatIsTooLargeAndContinues) {
    ScriptedDaemon daemon{agreeable};
    auto client = connect(daemon);
    ASSERT_TRUE(client);
    const auto response = client->call(document_request(kMaximumFrameBytes));
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind, Error::Kind::too_large);
    EXPECT_TRUE(client->call(status_request()));
    EXPECT_EQ(daemon.requests().size(), 1U);
}

TEST(DaemonClient, StopsWaitingWhenInterrupted) {
    ScriptedDaemon daemon{agreeable};
    auto client = connect(daemon);
    ASSERT_TRUE(client);
    const os::UniqueFd interrupt{::eventfd(0, EFD_CLOEXEC)};
    auto waiting =
        std::async(std::launch::async, [&] { return client->next_event(Deadline::never(), interrupt.get()); });
    ASSERT_EQ(::eventfd_write(interrupt.get(), 1), 0);
    const auto event = waiting.get();
    ASSERT_FALSE(event);
    EXPECT_EQ(event.error().kind, Error::Kind::interrupted);
    EXPECT_TRUE(client->call(status_request())) << "an interruption does not disconnect the client";
}

TEST(DaemonClient, AnInterruptedResponseCanBeReceivedAfterwards) {
    const os::UniqueFd interrupt{::eventfd(0, EFD_CLOEXEC)};
    std::string held_back;
    ScriptedDaemon daemon{[&](const v1::Request& request) {
        if (held_back.empty()) {
            held_back = frame(ok(request));
            EXPECT_EQ(::eventfd_write(interrupt.get(), 1), 0);
            return Reply{};
        }
        return Reply{.bytes = held_back + frame(ok(request))};
    }};
    auto client = connect(daemon);
    ASSERT_TRUE(client);
    const auto first = client->send(status_request());
    ASSERT_TRUE(first);
    const auto interrupted = client->receive(*first, interrupt.get());
    ASSERT_FALSE(interrupted);
    EXPECT_EQ(interrupted.error().kind, Error::Kind::interrupted);
    EXPECT_TRUE(client->call(status_request()));
    const auto response = client->receive(*first);
    ASSERT_TRUE(response) << response.error().sentence;
    EXPECT_EQ(response->id(), *first);
}

TEST(DaemonClient, ListsAllAddressesAndReasons) {
    const std::array<Endpoint, 3> endpoints{UnixEndpoint{"/nonexistent/control.sock"},
                                            UnixEndpoint{std::string(200, 'p')},
                                            TcpEndpoint{.host = "127.0.0.1", .port = test::free_tcp_port()}};
    const auto client = DaemonClient::open(endpoints, {.timeout = test::kPatience});
    ASSERT_FALSE(client);
    EXPECT_EQ(client.error().kind, Error::Kind::cannot_connect);
    EXPECT_TRUE(says(client.error(), "/nonexistent/control.sock (No such file or directory)"))
        << client.error().sentence;
    EXPECT_TRUE(says(client.error(), "107 bytes")) << client.error().sentence;
    EXPECT_TRUE(says(client.error(), to_string(endpoints[2]) + " (Connection refused)")) << client.error().sentence;
    EXPECT_EQ(DaemonClient::open({}).error().kind, Error::Kind::cannot_connect);
}

TEST(DaemonClient, SkipsAStaleSocket) {
    const test::TemporaryDirectory directory;
    const std::string stale = directory / "control.sock";
    {
        const os::UniqueFd listener{::socket(AF_UNIX, SOCK_STREAM, 0)};
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, stale.data(), stale.size());
        ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        ASSERT_EQ(::listen(listener.get(), 1), 0);
    }
    ScriptedDaemon daemon{agreeable};
    const std::array<Endpoint, 2> endpoints{UnixEndpoint{stale}, daemon.endpoint()};
    const auto client = DaemonClient::open(endpoints, {.timeout = test::kPatience});
    ASSERT_TRUE(client) << client.error().sentence;
    EXPECT_EQ(client->endpoint(), daemon.endpoint());
}

/// A daemon in memory that moves a few bytes at a time.
class MemoryStream final : public ByteStream {
 public:
    explicit MemoryStream(bool& closed, std::set<Deadline::Clock::time_point>* deadlines = nullptr)
        : closed_{closed}, deadlines_{deadlines} {}

    Readiness wait(bool for_writing, const Deadline& deadline, int /*interrupt_descriptor*/) override {
        if (deadlines_ != nullptr) deadlines_->insert(*deadline.moment());
        return {.readable = !responses_.empty(), .writable = for_writing};
    }
    Transfer read(std::span<char> into) override {
        const std::size_t count = responses_.copy(into.data(), 1);
        responses_.erase(0, count);
        return {.count = count};
    }
    Transfer write(std::string_view bytes) override {
        const std::size_t count = std::min<std::size_t>(bytes.size(), 3);
        requests_.feed(std::span{bytes}.first(count));
        while (const auto payload = requests_.next().value_or(std::nullopt)) {
            v1::Request request;
            if (!request.ParseFromString(std::string{*payload})) return {.closed = true, .reason = "invalid request"};
            v1::Response response = ok(request);
            if (request.has_hello()) response.mutable_hello()->set_protocol_version(1);
            responses_ += frame(response);
        }
        return {.count = count};
    }
    [[nodiscard]] int descriptor() const noexcept override { return -1; }
    void close() noexcept override { closed_ = true; }

 private:
    bool& closed_;
    std::set<Deadline::Clock::time_point>* deadlines_;
    FrameDecoder requests_;
    std::string responses_;
};

TEST(DaemonClient, WorksOverAnyByteStream) {
    bool closed = false;
    auto client = DaemonClient::open(std::make_unique<MemoryStream>(closed), TcpEndpoint{.host = "memory"});
    ASSERT_TRUE(client) << client.error().sentence;
    const auto response = client->call(status_request());
    ASSERT_TRUE(response) << response.error().sentence;
    EXPECT_EQ(response->id(), 2U);
    EXPECT_FALSE(closed);
    const auto none = client->next_event(Deadline::in(std::chrono::milliseconds{0}));
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().kind, Error::Kind::timeout);
    EXPECT_EQ(none.error().sentence, "timeout while waiting for rtad at memory:7340");
}

TEST(DaemonClient, SendsAndReceivesWithinOneTimeout) {
    bool closed = false;
    std::set<Deadline::Clock::time_point> deadlines;
    auto client = DaemonClient::open(std::make_unique<MemoryStream>(closed, &deadlines), TcpEndpoint{.host = "memory"});
    ASSERT_TRUE(client) << client.error().sentence;
    EXPECT_EQ(deadlines.size(), 1U) << "Hello";
    deadlines.clear();
    ASSERT_TRUE(client->call(status_request()));
    EXPECT_EQ(deadlines.size(), 1U);
}

TEST(DaemonClient, SendsTheTokenWithoutTheLineEndOfItsFile) {
    std::string token;
    ScriptedDaemon daemon{[&](const v1::Request& request) {
                              token = request.hello().token();
                              v1::Response response = ok(request);
                              response.mutable_hello()->set_protocol_version(1);
                              return Reply{.bytes = frame(response)};
                          },
                          ""};
    const Endpoint endpoint = daemon.endpoint();
    for (const auto& [given, sent] : {std::pair{" rtad_x\r\n", "rtad_x"}, {"rtad_x", "rtad_x"}, {"\n", ""}}) {
        ASSERT_TRUE(DaemonClient::open(std::span{&endpoint, 1}, {.token = given, .timeout = test::kPatience}));
        EXPECT_EQ(token, sent);
    }
}

TEST(Deadline, NeverWakesEarlyAndSharesTheRemainingTime) {
    EXPECT_EQ(Deadline::never().poll_timeout(), -1);
    EXPECT_FALSE(Deadline::never().passed());
    EXPECT_FALSE(Deadline::never().share(3).moment().has_value());
    EXPECT_TRUE(Deadline::in(std::chrono::milliseconds{-5}).passed());
    EXPECT_EQ(Deadline::in(std::chrono::milliseconds{0}).poll_timeout(), 0);
    EXPECT_GT(Deadline::in(std::chrono::milliseconds::max()).poll_timeout(), 1'000'000'000);
    const Deadline hour = Deadline::in(std::chrono::hours{1});
    EXPECT_LE(*hour.share(2).moment(), *hour.moment() - std::chrono::minutes{29});
    EXPECT_EQ(*hour.share(1).moment(), *hour.moment());
    EXPECT_EQ(*hour.share(0).moment(), *hour.moment());
}

}  // namespace
}  // namespace rta::client
