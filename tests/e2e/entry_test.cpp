// SPDX-License-Identifier: MIT
// How a connection comes in: what a stranger sends changes nothing and gets no answer.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <filesystem>
#include <functional>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "os/unique_fd.h"
#include "support/daemon.h"
#include "support/effort.h"

namespace rta::test {
namespace {

/// A TCP socket that speaks no protocol.
class RawSocket {
 public:
    explicit RawSocket(std::uint16_t port) : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        // The system reports an error if the daemon has closed the socket already; answer() finds that, too.
        EXPECT_EQ(::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    }
    void send(std::string_view bytes) {
        static_cast<void>(::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
    }

    /// Returns all bytes that the daemon sends before it closes the socket; nullopt if it does not close it.
    [[nodiscard]] std::optional<std::string> answer() {
        std::string received;
        const Deadline deadline;
        while (!deadline.passed()) {
            pollfd wait{.fd = socket_.get(), .events = POLLIN, .revents = 0};
            if (::poll(&wait, 1, static_cast<int>(deadline.left().count())) <= 0) break;
            char bytes[4096];
            const ssize_t count = ::recv(socket_.get(), bytes, sizeof bytes, 0);
            if (count <= 0) return received;
            received.append(bytes, static_cast<std::size_t>(count));
        }
        return std::nullopt;
    }

 private:
    os::UniqueFd socket_;
};

std::string repeated(std::string_view text, std::size_t times) {
    std::string all;
    for (std::size_t i = 0; i < times; ++i) all += text;
    return all;
}

/// Hello and a transaction that replaces the graph, as frames.
std::string attack() {
    v1::Request hello;
    hello.mutable_hello()->set_protocol_version(1);
    v1::Request replace;
    replace.mutable_apply_transaction()->set_document(R"({"nodes": [{"name": "evil", "type": "noise"}]})");
    return delimited(hello) + delimited(replace);
}

/// Returns a valid HTTP request whose head consists of frames that are valid messages: unknown fields, and a
/// `get_graph`. A new frame begins after the first byte of the body.
std::string request_of_frames(std::string_view body) {
    // "P": a frame of 80 bytes. "U" and "a" are tags of fields with 4 and 8 bytes, "x" of a field with a varint.
    const std::string path = "/?a12345678" + repeated("x0", 33);
    // "G": a frame of 71 bytes. "1", "a": fields of 8 bytes; "\r": 4 bytes; ": ": 32 bytes, the field get_graph.
    const std::string rest = "Ga HTTP/1.1\r\nHost: aevil.exa\r\nX-Y: " + repeated("x0", 16) + "\r\n\r\n";
    return "PUT " + path + rest + "#" + std::string{body};
}

/// Returns a valid HTTP request whose first frame is a Hello: a header value may contain almost any byte.
std::string request_with_a_hello(std::string_view body) {
    // "z": a frame of 122 bytes, with a Hello in the header. "\x05": a frame up to the first byte of the body.
    const std::string head = "zx0 /a HTTP/1.1\r\nHost: aevil.exa\r\nX-Y: " + repeated("x0", 16) + "\x1A\x02\x08\x01" +
                             repeated("x0", 24) + "\x05\r\n\r\n";
    return head + "#" + std::string{body};
}

class Entry : public testing::Test {
 protected:
    void SetUp() override { before_ = client_.graph().document(); }
    void TearDown() override {
        EXPECT_EQ(client_.graph().document(), before_);
        EXPECT_EQ(client_.graph().revision(), 1U);
    }

    /// Checks that the daemon closes a connection that sends these bytes, and says nothing.
    void expect_silence(const std::string& bytes) {
        RawSocket socket{daemon_.port()};
        socket.send(bytes);
        EXPECT_EQ(socket.answer(), "") << bytes.substr(0, 200);
    }

    Daemon daemon_{{.arguments = {"--device", "null"}}};
    ProtocolClient client_ = [this] {
        ProtocolClient client = daemon_.client();
        client.apply(transaction({add_node("sine", "osc")}));
        return client;
    }();
    std::string before_;
};

TEST_F(Entry, ARequestOfABrowserDoesNotChangeTheGraph) { expect_silence(request_of_frames(attack())); }

TEST_F(Entry, NoRequestOfABrowserBeginsWithAHello) { expect_silence(request_with_a_hello(attack())); }

TEST_F(Entry, NoMethodAndNoOffsetOfABodyChangesTheGraph) {
    const std::string body = repeated(attack(), 8);
    for (const char* method : {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT",
                               "PROPFIND", "MKCOL", "M-SEARCH", "PRI", "get", "x"}) {
        for (std::size_t offset = 0; offset < cases(128U, 16U); ++offset) {
            expect_silence(std::string{method} + " /" + std::string(offset, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n" +
                           body);
        }
    }
}

TEST_F(Entry, TheLogSaysWhatAStrangerSpoke) {
    expect_silence("GET /status HTTP/1.1\r\n\r\n");
    const auto http = daemon_.process().wait_for_line(Process::Stream::error, "it sent an HTTP request");
    ASSERT_TRUE(http);
    EXPECT_NE(http->find("127.0.0.1:"), std::string::npos) << "the address of the client: " << *http;
    expect_silence(std::string{"\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03", 11});
    const auto tls = daemon_.process().wait_for_line(Process::Stream::error, "it started TLS");
    ASSERT_TRUE(tls);
    EXPECT_NE(tls->find("this address is plain"), std::string::npos) << *tls;
}

// ---- many connections

/// Returns the connections that the daemon has accepted until it refuses one. Each stays: it subscribes.
std::vector<ProtocolClient> take_all_places(const std::function<ProtocolClient()>& connect) {
    std::vector<ProtocolClient> taken;
    while (taken.size() < 2'000) {
        ProtocolClient client = connect();
        v1::Request hello;
        hello.mutable_hello()->set_protocol_version(1);
        v1::Request subscribe;
        subscribe.mutable_subscribe()->add_topics(v1::TOPIC_CHANGES);
        try {
            client.send_bytes(delimited(hello) + delimited(subscribe));
            if (client.receive_response().status().code() != v1::OK) break;
            if (client.receive_response().status().code() != v1::OK) break;
        } catch (const std::runtime_error&) {
            break;
        }
        taken.push_back(std::move(client));
    }
    return taken;
}

TEST_F(Entry, TheLoopbackInterfaceCannotLockTheDaemonsUserOut) {
    const auto taken = take_all_places([&] { return ProtocolClient::connect_tcp(daemon_.port()); });
    EXPECT_EQ(taken.size(), 128U) << "one user of the machine can take no more";
    ProtocolClient owner = daemon_.client("owner");
    EXPECT_GT(owner.status().client_count(), 128U);
}

TEST(EntryLimits, ReservedPlacesStayFreeWhateverIsTaken) {
    const Daemon daemon{{.arguments = {"--device", "null", "--max-clients", "24", "--max-clients-per-address", "1000",
                                       "--max-clients-per-user", "1000"}}};
    const auto over_loopback = take_all_places([&] { return ProtocolClient::connect_tcp(daemon.port()); });
    EXPECT_EQ(over_loopback.size(), 24U - 4U - 4U);
    // The tests run as the user of the daemon, or as root.
    const auto over_unix = take_all_places([&] { return ProtocolClient::connect_unix(daemon.socket()); });
    EXPECT_EQ(over_unix.size(), 4U);
}

TEST(EntryLimits, AClientThatReadsNothingIsDisconnected) {
    Daemon daemon{{.arguments = {"--device", "null", "--write-timeout", "300ms"}}};
    ProtocolClient sleeper = daemon.tcp_client("sleeper");
    v1::Request types;
    types.mutable_list_node_types();
    for (int i = 0; i < 1'000; ++i) sleeper.send(types);  // more than the buffers of the system hold
    EXPECT_TRUE(daemon.process().wait_for_line(Process::Stream::error, "it read nothing of its output for 0.3 s"));
    ProtocolClient other = daemon.client();
    EXPECT_EQ(other.status().client_count(), 1U);
}

/// What a process holds.
struct Held {
    std::size_t descriptors;
    long memory_kb;  ///< resident
};

Held held_by(pid_t pid) {
    const std::filesystem::path process = "/proc/" + std::to_string(pid);
    const auto descriptors = std::filesystem::directory_iterator{process / "fd"};
    std::istringstream status{read_text(process / "status")};
    long memory_kb = 0;
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmRSS:")) memory_kb = std::stol(line.substr(6));
    }
    return {static_cast<std::size_t>(std::distance(begin(descriptors), end(descriptors))), memory_kb};
}

TEST(EntryLimits, ConnectionsThatComeAndGoLeaveNothing) {
    // The second half of them must not need more than the first: so what the first use of each part needs is not
    // counted, and neither is what the sanitizers keep.
    Daemon daemon{{.arguments = {"--device", "null", "--hello-timeout", "1s", "--log-level", "error"}}};
    ProtocolClient client = daemon.client();
    const auto come_and_go = [&](std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            RawSocket socket{daemon.port()};
            if (i % 4 == 1) socket.send("\x05\x08");
            if (i % 4 == 2) socket.send(attack());
            if (i % 4 == 3) socket.send("GET / HTTP/1.1\r\n\r\n");
        }
        std::vector<RawSocket> half_open;
        for (std::size_t i = 0; i < count / 10; ++i) {
            half_open.emplace_back(daemon.port());
            if (i % 2 == 0) half_open.back().send("\x05");
        }
        for (RawSocket& socket : half_open) EXPECT_TRUE(socket.answer());
        const Deadline deadline;
        while (client.status().client_count() != 1U) ASSERT_FALSE(deadline.passed());
    };
    const pid_t pid = daemon.process().pid();
    const Held fresh = held_by(pid);
    come_and_go(cases(1'000U, 100U));
    const Held warm = held_by(pid);
    come_and_go(cases(10'000U, 300U));
    // Closed descriptors may be counted until the daemon has run once more.
    const Deadline deadline;
    while (held_by(pid).descriptors > fresh.descriptors) ASSERT_FALSE(deadline.passed());
    const Held after = held_by(pid);
    // Sanitizers keep freed memory.
    if (!kSanitized) {
        EXPECT_LE(after.memory_kb, warm.memory_kb + 4'096);
        EXPECT_LE(after.memory_kb, fresh.memory_kb + 4'096);
    }
    RecordProperty("memory_kb_fresh", static_cast<int>(fresh.memory_kb));
    RecordProperty("memory_kb_after", static_cast<int>(after.memory_kb));
    std::cout << "descriptors " << fresh.descriptors << " -> " << after.descriptors << ", memory " << fresh.memory_kb
              << " -> " << warm.memory_kb << " -> " << after.memory_kb << " kB\n";
}

}  // namespace
}  // namespace rta::test
