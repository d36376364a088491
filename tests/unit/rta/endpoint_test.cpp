// SPDX-License-Identifier: MIT
#include "rta/endpoint.h"

#include <gtest/gtest.h>

namespace rta::client {
namespace {

TEST(Endpoint, ReadsHostAndPort) {
    struct Case {
        std::string_view text;
        std::string_view host;
        std::uint16_t port;
    };
    for (const auto& [text, host, port] : {
             Case{"studio", "studio", 7340},
             Case{"studio:1", "studio", 1},
             Case{"192.168.1.5:65535", "192.168.1.5", 65535},
             Case{"[::1]", "::1", 7340},
             Case{"[::1]:80", "::1", 80},
             Case{"::1", "::1", 7340},
             Case{"fe80::1%eth0", "fe80::1%eth0", 7340},
         }) {
        const auto endpoint = parse_tcp_endpoint(text);
        ASSERT_TRUE(endpoint) << text << ": " << endpoint.error();
        EXPECT_EQ(endpoint->host, host) << text;
        EXPECT_EQ(endpoint->port, port) << text;
    }
}

TEST(Endpoint, SaysWhatIsNoAddress) {
    using namespace std::literals;
    for (const std::string_view text :
         {""sv, ":7340"sv, "studio:"sv, "studio:0"sv, "studio:65536"sv, "studio:-1"sv, "studio:80x"sv, "[::1"sv,
          "[::1]80"sv, "[]"sv, "a b"sv, "http://studio"sv, "[[::1]]:7340"sv, "\x01"sv, "stu\0dio"sv}) {
        const auto endpoint = parse_tcp_endpoint(text);
        ASSERT_FALSE(endpoint) << text;
        EXPECT_NE(endpoint.error().find("HOST:PORT"), std::string::npos) << endpoint.error();
    }
    EXPECT_FALSE(parse_tcp_endpoint(std::string(1'000'000, 'h')));
    EXPECT_LT(parse_tcp_endpoint(std::string(1'000'000, 'h')).error().size(), 300U);
}

TEST(Endpoint, TakesTextWithASlashForTheSocketUnlessItIsAUrl) {
    for (const char* path : {"/run/rtad/control.sock", "./s", "run/s"}) {
        EXPECT_EQ(parse_endpoint(path), Endpoint{UnixEndpoint{path}}) << path;
    }
    for (const char* url : {"tls://studio:7340", "http://studio/"}) {
        const auto endpoint = parse_endpoint(url);
        ASSERT_FALSE(endpoint) << url;
        EXPECT_NE(endpoint.error().find("a URL"), std::string::npos) << endpoint.error();
    }
}

TEST(Endpoint, KnowsLoopbackWithoutANameServer) {
    for (const char* host : {"127.0.0.1", "127.1.2.3", "::1", "0:0:0:0:0:0:0:1", "localhost", "LocalHost"}) {
        EXPECT_TRUE(is_loopback({.host = host})) << host;
    }
    for (const char* host :
         {"0.0.0.0", "128.0.0.1", "::", "::2", "studio", "localhost.example", "127.0.0.1.example", ""}) {
        EXPECT_FALSE(is_loopback({.host = host})) << host;
    }
}

TEST(Endpoint, PrintsAsItIsWritten) {
    EXPECT_EQ(to_string(TcpEndpoint{.host = "studio", .port = 80}), "studio:80");
    EXPECT_EQ(to_string(TcpEndpoint{.host = "::1"}), "[::1]:7340");
    EXPECT_EQ(to_string(UnixEndpoint{"/run/x.sock"}), "/run/x.sock");
}

TEST(Endpoint, LooksForALocalDaemonInTheDocumentedOrder) {
    const std::vector<Endpoint> all = local_endpoints("/run/rtad:/run/other", "/run/user/5");
    const std::vector<Endpoint> expected{
        UnixEndpoint{"/run/rtad/control.sock"}, UnixEndpoint{"/run/user/5/rtad/control.sock"},
        UnixEndpoint{"/run/rtad/control.sock"}, TcpEndpoint{.host = "127.0.0.1", .port = 7340}};
    EXPECT_EQ(all, expected);
    const std::vector<Endpoint> bare{UnixEndpoint{"/run/rtad/control.sock"},
                                     TcpEndpoint{.host = "127.0.0.1", .port = 7340}};
    EXPECT_EQ(local_endpoints("", ""), bare);
}

}  // namespace
}  // namespace rta::client
