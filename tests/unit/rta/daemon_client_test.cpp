// SPDX-License-Identifier: MIT
#include "rta/daemon_client.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <future>
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

TEST(DaemonClient, SaysHelloWithItsVersionAndName) {
    v1::Request hello;
    ScriptedDaemon daemon{[&](const v1::Request& request) {
                              hello = request;
                              v1::Response response = ok(request);
                              response.mutable_hello()->set_protocol_version(1);
                              response.mutable_hello()->set_server_version("1.2.3");
                              return Reply{.bytes = frame(response)};
                          },
                          ""};
    const auto connection = connect(daemon);
    ASSERT_TRUE(connection) << connection.error().sentence;
    EXPECT_EQ(connection->daemon().server_version(), "1.2.3");
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
    const auto connection = connect(daemon);
    ASSERT_FALSE(connection);
    EXPECT_EQ(connection.error().kind, Error::Kind::refused);
    EXPECT_EQ(connection.error().code, v1::FAILED_PRECONDITION);
    EXPECT_TRUE(says(connection.error(), "speaks version 1")) << connection.error().sentence;
    EXPECT_TRUE(says(connection.error(), "this rtad speaks version 2")) << connection.error().sentence;
}

TEST(DaemonClient, ExplainsAnotherVersionThatTheDaemonAccepts) {
    ScriptedDaemon daemon{[](const v1::Request& request) {
                              v1::Response response = ok(request);
                              response.mutable_hello()->set_protocol_version(2);
                              response.mutable_hello()->set_server_version("7.0");
                              return Reply{.bytes = frame(response)};
                          },
                          ""};
    const auto connection = connect(daemon);
    ASSERT_FALSE(connection);
    EXPECT_EQ(connection.error().kind, Error::Kind::refused);
    EXPECT_TRUE(says(connection.error(), "version 2")) << connection.error().sentence;
    EXPECT_TRUE(says(connection.error(), "rtad 7.0")) << connection.error().sentence;
}

TEST(DaemonClient, TellsWhyItWasTurnedAwayAtTheDoor) {
    v1::Response full;
    full.mutable_status()->set_code(v1::RESOURCE_EXHAUSTED);
    full.mutable_status()->set_message("512 clients are connected, which is the most");
    ScriptedDaemon daemon{[](const v1::Request&) { return Reply{.close = true}; }, frame(full)};
    const auto connection = connect(daemon);
    ASSERT_FALSE(connection);
    EXPECT_EQ(connection.error().kind, Error::Kind::refused);
    EXPECT_EQ(connection.error().code, v1::RESOURCE_EXHAUSTED);
    EXPECT_TRUE(says(connection.error(), "512 clients")) << connection.error().sentence;
}

TEST(DaemonClient, TellsWhatItMayMeanToBeTurnedAwayWithoutAWord) {
    ScriptedDaemon daemon{[](const v1::Request&) { return Reply{.close = true}; }, ""};
    const auto connection = connect(daemon);
    ASSERT_FALSE(connection);
    EXPECT_EQ(connection.error().kind, Error::Kind::lost);
    EXPECT_TRUE(says(connection.error(), "before it answered hello")) << connection.error().sentence;
}

TEST(DaemonClient, ReadsTheReasonEvenIfItsHelloCouldNotBeSent) {
    // Whoever closes with unread bytes before them resets the connection: the reason, sent before, must still be read.
    v1::Response full;
    full.mutable_status()->set_code(v1::RESOURCE_EXHAUSTED);
    full.mutable_status()->set_message("no room");
    const std::string reason = frame(full);
    const test::UniqueFd listener{::socket(AF_INET, SOCK_STREAM, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    ASSERT_EQ(::listen(listener.get(), 1), 0);
    ASSERT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    std::thread daemon{[&] {
        for (int i = 0; i < 20; ++i) {
            const test::UniqueFd client{::accept(listener.get(), nullptr, nullptr)};
            // Every other time the hello is there, unread, when the socket is closed.
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
        const auto connection = DaemonClient::open(std::span{&endpoint, 1}, {.timeout = test::kPatience});
        ASSERT_FALSE(connection);
        EXPECT_EQ(connection.error().kind, Error::Kind::refused) << connection.error().sentence;
    }
    daemon.join();
}

TEST(DaemonClient, RefusesWhatIsNoRtad) {
    for (const std::string& greeting :
         {std::string{"HTTP/1.1 400 Bad Request\r\n\r\n"}, std::string(16, '\xff'), std::string{"\x03\xff\xff\xff"}}) {
        ScriptedDaemon daemon{[](const v1::Request&) { return Reply{.close = true}; }, greeting};
        const auto connection = connect(daemon);
        ASSERT_FALSE(connection);
        // "HTTP..." reads as a frame of 72 bytes that is cut short.
        EXPECT_TRUE(connection.error().kind == Error::Kind::protocol ||
                    says(connection.error(), "in the middle of a message"))
            << connection.error().sentence;
    }
}

TEST(DaemonClient, TellsThatTheDaemonWentAwayInMidCall) {
    ScriptedDaemon daemon{[](const v1::Request&) { return Reply{.close = true}; }};
    auto connection = connect(daemon);
    ASSERT_TRUE(connection);
    const auto response = connection->call(status_request());
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind, Error::Kind::lost);
    EXPECT_TRUE(says(response.error(), to_string(daemon.endpoint()))) << response.error().sentence;
    // From now on every call says so, at once.
    EXPECT_EQ(connection->call(status_request()).error().kind, Error::Kind::lost);
    EXPECT_EQ(connection->next_event(Deadline::never()).error().kind, Error::Kind::lost);
}

TEST(DaemonClient, TellsThatAMessageWasCutOff) {
    ScriptedDaemon daemon{[](const v1::Request& request) {
        const std::string whole = frame(ok(request));
        return Reply{.bytes = whole.substr(0, whole.size() - 1), .close = true};
    }};
    auto connection = connect(daemon);
    ASSERT_TRUE(connection);
    const auto response = connection->call(status_request());
    ASSERT_FALSE(response);
    EXPECT_TRUE(says(response.error(), "in the middle of a message")) << response.error().sentence;
}

TEST(DaemonClient, RefusesAResponseToNothing) {
    ScriptedDaemon daemon{[](const v1::Request& request) {
        v1::Response response = ok(request);
        response.set_id(request.id() + 7);
        return Reply{.bytes = frame(response)};
    }};
    auto connection = connect(daemon);
    ASSERT_TRUE(connection);
    const auto response = connection->call(status_request());
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind, Error::Kind::protocol);
}

TEST(DaemonClient, GoesOnAfterATimeoutAndDropsTheLateResponse) {
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
    auto connection = connect(daemon);
    ASSERT_TRUE(connection);
    connection->set_timeout(std::chrono::milliseconds{1});
    const auto id = connection->send(status_request());
    ASSERT_TRUE(id);
    const auto first = connection->receive(*id);
    ASSERT_FALSE(first);
    EXPECT_EQ(first.error().kind, Error::Kind::timeout);
    EXPECT_TRUE(says(first.error(), "did not answer within 0.001 s")) << first.error().sentence;

    connection->set_timeout(test::kPatience);
    const auto second = connection->call(status_request());
    ASSERT_TRUE(second) << second.error().sentence;
    EXPECT_EQ(second->get_status().server_version(), "in time");
    EXPECT_FALSE(connection->receive(*id)) << "the late response was kept";
}

TEST(DaemonClient, GivesUpOnADaemonThatAcceptsAndSaysNothing) {
    ScriptedDaemon daemon{[](const v1::Request&) { return Reply{}; }, ""};
    const Endpoint endpoint = daemon.endpoint();
    const auto connection = DaemonClient::open(std::span{&endpoint, 1}, {.timeout = std::chrono::milliseconds{50}});
    ASSERT_FALSE(connection);
    EXPECT_EQ(connection.error().kind, Error::Kind::timeout);
}

TEST(DaemonClient, KeepsEventsThatArriveBetweenResponses) {
    ScriptedDaemon daemon{[next = std::uint64_t{1}](const v1::Request& request) mutable {
        const std::string before = frame(heard(next++));
        return Reply{.bytes = before + frame(ok(request)) + frame(heard(next++))};
    }};
    auto connection = connect(daemon);
    ASSERT_TRUE(connection);
    ASSERT_TRUE(connection->call(status_request()));
    ASSERT_TRUE(connection->call(status_request()));
    for (std::uint64_t number = 1; number <= 4; ++number) {
        const auto event = connection->next_event(Deadline::in(test::kPatience));
        ASSERT_TRUE(event) << event.error().sentence;
        EXPECT_EQ(event->number(), number);
    }
    const auto none = connection->next_event(Deadline::in(std::chrono::milliseconds{0}));
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().kind, Error::Kind::timeout);
}

TEST(DaemonClient, KeepsWhatCameBeforeTheEnd) {
    ScriptedDaemon daemon{[](const v1::Request& request) {
        return Reply{.bytes = frame(ok(request)) + frame(heard(1)) + std::string(12, '\xff'), .close = true};
    }};
    auto connection = connect(daemon);
    ASSERT_TRUE(connection);
    ASSERT_TRUE(connection->call(status_request()));
    const auto event = connection->next_event(Deadline::in(test::kPatience));
    ASSERT_TRUE(event);
    EXPECT_EQ(event->number(), 1U);
    EXPECT_FALSE(connection->next_event(Deadline::in(test::kPatience)));
}

TEST(DaemonClient, PipelinesRequests) {
    ScriptedDaemon daemon{agreeable};
    auto connection = connect(daemon);
    ASSERT_TRUE(connection);
    std::vector<std::uint64_t> ids;
    for (int i = 0; i < 100; ++i) {
        const auto id = connection->send(status_request());
        ASSERT_TRUE(id);
        ids.push_back(*id);
    }
    for (auto id = ids.rbegin(); id != ids.rend(); ++id) {
        const auto response = connection->receive(*id);
        ASSERT_TRUE(response) << response.error().sentence;
        EXPECT_EQ(response->id(), *id);
    }
    EXPECT_FALSE(connection->receive(ids.front())) << "a response can be received once";
    EXPECT_FALSE(connection->receive(12'345)) << "nothing was sent under this id";
}

TEST(DaemonClient, DoesNotDeadlockWhenBothSidesHaveMuchToSay) {
    constexpr std::size_t kBytes = 3'000'000;
    ScriptedDaemon daemon{[](const v1::Request& request) {
        v1::Response response = ok(request);
        response.mutable_get_graph()->set_document(std::string(kBytes, ' '));
        return Reply{.bytes = frame(response)};  // blocks until it is read: no request is read before
    }};
    auto connection = connect(daemon);
    ASSERT_TRUE(connection);
    std::vector<std::uint64_t> ids;
    for (int i = 0; i < 8; ++i) {
        const auto id = connection->send(document_request(kBytes));
        ASSERT_TRUE(id) << id.error().sentence;
        ids.push_back(*id);
    }
    for (const std::uint64_t id : ids) {
        const auto response = connection->receive(id);
        ASSERT_TRUE(response) << response.error().sentence;
        EXPECT_EQ(response->get_graph().document().size(), kBytes);
    }
}

TEST(DaemonClient, RefusesARequestThatIsTooLargeAndGoesOn) {
    ScriptedDaemon daemon{agreeable};
    auto connection = connect(daemon);
    ASSERT_TRUE(connection);
    const auto response = connection->call(document_request(kMaximumFrameBytes));
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind, Error::Kind::too_large);
    EXPECT_TRUE(connection->call(status_request()));
    EXPECT_EQ(daemon.requests().size(), 1U);
}

TEST(DaemonClient, StopsWaitingWhenInterrupted) {
    ScriptedDaemon daemon{agreeable};
    auto connection = connect(daemon);
    ASSERT_TRUE(connection);
    const test::UniqueFd interrupt{::eventfd(0, EFD_CLOEXEC)};
    auto waiting =
        std::async(std::launch::async, [&] { return connection->next_event(Deadline::never(), interrupt.get()); });
    ASSERT_EQ(::eventfd_write(interrupt.get(), 1), 0);
    const auto event = waiting.get();
    ASSERT_FALSE(event);
    EXPECT_EQ(event.error().kind, Error::Kind::interrupted);
    EXPECT_TRUE(connection->call(status_request())) << "an interruption is not the end";
}

TEST(DaemonClient, AnInterruptedResponseCanBeReceivedAfterwards) {
    const test::UniqueFd interrupt{::eventfd(0, EFD_CLOEXEC)};
    std::string held_back;
    ScriptedDaemon daemon{[&](const v1::Request& request) {
        if (held_back.empty()) {
            held_back = frame(ok(request));
            EXPECT_EQ(::eventfd_write(interrupt.get(), 1), 0);
            return Reply{};
        }
        return Reply{.bytes = held_back + frame(ok(request))};
    }};
    auto connection = connect(daemon);
    ASSERT_TRUE(connection);
    const auto first = connection->send(status_request());
    ASSERT_TRUE(first);
    const auto interrupted = connection->receive(*first, interrupt.get());
    ASSERT_FALSE(interrupted);
    EXPECT_EQ(interrupted.error().kind, Error::Kind::interrupted);
    EXPECT_TRUE(connection->call(status_request()));
    const auto response = connection->receive(*first);
    ASSERT_TRUE(response) << response.error().sentence;
    EXPECT_EQ(response->id(), *first);
}

TEST(DaemonClient, TellsWhatWasTriedAndWhy) {
    const std::array<Endpoint, 3> endpoints{UnixEndpoint{"/nonexistent/control.sock"},
                                            UnixEndpoint{std::string(200, 'p')},
                                            TcpEndpoint{.host = "127.0.0.1", .port = test::free_tcp_port()}};
    const auto connection = DaemonClient::open(endpoints, {.timeout = test::kPatience});
    ASSERT_FALSE(connection);
    EXPECT_EQ(connection.error().kind, Error::Kind::cannot_connect);
    EXPECT_TRUE(says(connection.error(), "/nonexistent/control.sock (No such file or directory)"))
        << connection.error().sentence;
    EXPECT_TRUE(says(connection.error(), "107 bytes")) << connection.error().sentence;
    EXPECT_TRUE(says(connection.error(), to_string(endpoints[2]) + " (Connection refused)"))
        << connection.error().sentence;
    EXPECT_EQ(DaemonClient::open({}).error().kind, Error::Kind::cannot_connect);
}

TEST(DaemonClient, PassesOverASocketOnWhichNobodyListens) {
    const test::TemporaryDirectory directory;
    const std::string stale = directory / "control.sock";
    {
        const test::UniqueFd listener{::socket(AF_UNIX, SOCK_STREAM, 0)};
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, stale.data(), stale.size());
        ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        ASSERT_EQ(::listen(listener.get(), 1), 0);
    }
    ScriptedDaemon daemon{agreeable};
    const std::array<Endpoint, 2> endpoints{UnixEndpoint{stale}, daemon.endpoint()};
    const auto connection = DaemonClient::open(endpoints, {.timeout = test::kPatience});
    ASSERT_TRUE(connection) << connection.error().sentence;
    EXPECT_EQ(connection->endpoint(), daemon.endpoint());
}

TEST(Deadline, NeverWakesEarlyAndSharesWhatIsLeft) {
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
