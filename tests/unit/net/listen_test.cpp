// SPDX-License-Identifier: MIT
#include "net/listen.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <asio/io_context.hpp>
#include <cstring>
#include <filesystem>

#include "net/endpoint.h"
#include "os/unique_fd.h"
#include "support/temporary.h"

namespace rta::net {
namespace {

using rta::os::UniqueFd;
using rta::test::TemporaryDirectory;

/// Never run: listening needs no handlers.
asio::io_context& io_context() {
    static asio::io_context io;
    return io;
}

mode_t mode_of(const std::filesystem::path& path) {
    struct stat status{};
    EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777U;
}

/// Binds a socket to the path. Its file remains when the socket is closed.
UniqueFd bind_to(const std::filesystem::path& path, bool listening) {
    UniqueFd socket{::socket(AF_UNIX, SOCK_STREAM, 0)};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    if (listening) {
        EXPECT_EQ(::listen(socket.get(), 1), 0);
    }
    return socket;
}

TEST(ParseAddress, TakesHostAndPort) {
    const auto v4 = parse_address("127.0.0.1:7340");
    ASSERT_TRUE(v4);
    EXPECT_EQ(v4->host, "127.0.0.1");
    EXPECT_EQ(v4->port, 7340);
    const auto v6 = parse_address("[::1]:0");
    ASSERT_TRUE(v6);
    EXPECT_EQ(v6->host, "::1");
    EXPECT_EQ(v6->port, 0);
    EXPECT_TRUE(parse_address("localhost:65535"));
}

TEST(ParseAddress, RefusesEverythingElseAndShowsAnExample) {
    for (const char* text : {"", ":", "7340", "127.0.0.1", ":7340", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
                             "127.0.0.1:7340x", "127.0.0.1: 7340", "::1:7340", "[]:7340", "[::1]", "[::1]7340"}) {
        const auto address = parse_address(text);
        ASSERT_FALSE(address) << text;
        EXPECT_EQ(address.error().code, ErrorCode::invalid_argument);
        EXPECT_NE(address.error().sentence.find("127.0.0.1:7340"), std::string::npos);
    }
}

TEST(ListenTcp, ReturnsTheChosenPort) {
    const auto listener = listen_tcp(io_context(), "127.0.0.1:0");
    ASSERT_TRUE(listener) << listener.error().sentence;
    EXPECT_TRUE(listener->name.starts_with("127.0.0.1:"));
    EXPECT_NE(listener->name, "127.0.0.1:0");
    EXPECT_TRUE(listener->tcp);
}

TEST(ListenTcp, TakesTheIpv4AddressOfAName) {
    const auto listener = listen_tcp(io_context(), "localhost:0");
    ASSERT_TRUE(listener) << listener.error().sentence;
    EXPECT_TRUE(listener->name.starts_with("127.0.0.1:")) << listener->name;
}

TEST(ListenTcp, UsesTlsWhereverOtherMachinesCanConnect) {
    for (const char* text : {"0.0.0.0:0", "[::]:0", "192.0.2.1:7340", "8.8.8.8:80", "[2001:db8::1]:7340"}) {
        const auto address = resolve_listen_address(text);
        ASSERT_TRUE(address) << text;
        EXPECT_TRUE(address->tls) << text;
        EXPECT_TRUE(address->reachable) << text;
        EXPECT_EQ(address->name, text);
    }
    for (const char* text : {"127.0.0.1:1", "127.255.0.9:1", "[::1]:1", "localhost:1"}) {
        EXPECT_FALSE(resolve_listen_address(text)->tls) << text;
        EXPECT_FALSE(resolve_listen_address(text)->reachable) << text;
        EXPECT_TRUE(resolve_listen_address("tls://" + std::string{text})->tls) << text;
        EXPECT_FALSE(resolve_listen_address("tls://" + std::string{text})->reachable) << text;
    }
    EXPECT_EQ(resolve_listen_address("tls://[::1]:7")->host, "::1");
    for (const char* text :
         {"tls://", "tls:127.0.0.1:1", "TLS://127.0.0.1:1", "tls://127.0.0.1", "tcp://127.0.0.1:1"}) {
        EXPECT_FALSE(resolve_listen_address(text)) << text;
    }
    const auto everywhere = listen_tcp(io_context(), "0.0.0.0:0");
    ASSERT_TRUE(everywhere) << everywhere.error().sentence;
    EXPECT_TRUE(everywhere->tls);
    const auto forced = listen_tcp(io_context(), "tls://127.0.0.1:0");
    ASSERT_TRUE(forced) << forced.error().sentence;
    EXPECT_TRUE(forced->tls);
    EXPECT_TRUE(forced->name.starts_with("127.0.0.1:")) << forced->name;
}

TEST(ListenTcp, NamesAnAddressInUse) {
    const auto first = listen_tcp(io_context(), "127.0.0.1:0");
    ASSERT_TRUE(first);
    const auto second = listen_tcp(io_context(), first->name);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::already_exists);
    EXPECT_NE(second.error().sentence.find(first->name), std::string::npos) << second.error().sentence;
}

TEST(ListenTcp, KnowsWhichAddressesExcludeEachOther) {
    const auto overlapping = [](const char* a, const char* b) {
        const asio::ip::tcp::endpoint first = resolve_listen_target(a).value().endpoint;
        const asio::ip::tcp::endpoint second = resolve_listen_target(b).value().endpoint;
        EXPECT_EQ(overlap(first, second), overlap(second, first)) << a << " " << b;
        return overlap(first, second);
    };
    EXPECT_TRUE(overlapping("127.0.0.1:7340", "127.0.0.1:7340"));
    EXPECT_TRUE(overlapping("127.0.0.1:7340", "tls://127.0.0.1:7340"));
    EXPECT_TRUE(overlapping("127.0.0.1:7340", "0.0.0.0:7340"));
    EXPECT_TRUE(overlapping("127.0.0.1:7340", "[::]:7340"));
    EXPECT_TRUE(overlapping("[::1]:7340", "[::]:7340"));
    EXPECT_TRUE(overlapping("0.0.0.0:7340", "[::]:7340"));
    EXPECT_FALSE(overlapping("[::1]:7340", "0.0.0.0:7340"));
    EXPECT_FALSE(overlapping("127.0.0.1:7340", "127.0.0.2:7340"));
    EXPECT_FALSE(overlapping("127.0.0.1:7340", "0.0.0.0:7341"));
}

TEST(ListenTcp, IsNotInheritedByChildProcesses) {
    const TemporaryDirectory directory;
    auto tcp = listen_tcp(io_context(), "127.0.0.1:0");
    auto local = listen_unix(io_context(), directory / "s");
    ASSERT_TRUE(tcp && local);
    EXPECT_NE(::fcntl(tcp->acceptor.native_handle(), F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_NE(::fcntl(local->acceptor.native_handle(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(ListenTcp, NamesAHostWithoutAnAddress) {
    const auto listener = listen_tcp(io_context(), "no-such-host.invalid:7340");
    ASSERT_FALSE(listener);
    EXPECT_EQ(listener.error().code, ErrorCode::not_found);
    EXPECT_NE(listener.error().sentence.find("no-such-host.invalid"), std::string::npos);
}

TEST(ListenUnix, CreatesAPrivateFolderAndSocketAndRemovesTheSocket) {
    const TemporaryDirectory directory;
    const auto path = directory / "rtad/control.sock";
    {
        const auto listener = listen_unix(io_context(), path);
        ASSERT_TRUE(listener) << listener.error().sentence;
        EXPECT_EQ(mode_of(path), 0600U);
        EXPECT_EQ(mode_of(path.parent_path()), 0700U);
        EXPECT_FALSE(listener->tcp);
    }
    EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(ListenUnix, GrantsTheGroupAccessWhateverTheUmask) {
    const TemporaryDirectory directory;
    const auto path = directory / "s";
    for (const mode_t mask : {0000U, 0022U, 0077U}) {
        const mode_t before = ::umask(mask);
        const auto listener = listen_unix(io_context(), path, SocketAccess::group);
        ::umask(before);
        ASSERT_TRUE(listener) << listener.error().sentence;
        EXPECT_EQ(mode_of(path), 0660U) << mask;
    }
}

TEST(ListenUnix, ReplacesAStaleSocketFile) {
    const TemporaryDirectory directory;
    const auto path = directory / "control.sock";
    bind_to(path, true).reset();
    ASSERT_TRUE(std::filesystem::exists(path));
    const auto listener = listen_unix(io_context(), path);
    EXPECT_TRUE(listener) << listener.error().sentence;
}

TEST(ListenUnix, DoesNotReplaceTheSocketOfARunningDaemon) {
    const TemporaryDirectory directory;
    const auto path = directory / "control.sock";
    const auto first = listen_unix(io_context(), path);
    ASSERT_TRUE(first);
    {
        const auto second = listen_unix(io_context(), path);
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().code, ErrorCode::already_exists);
        EXPECT_NE(second.error().sentence.find(path.string()), std::string::npos) << second.error().sentence;
    }
    EXPECT_TRUE(std::filesystem::exists(path));
}

TEST(ListenUnix, AFullBacklogMeansARunningDaemon) {
    const TemporaryDirectory directory;
    const auto path = directory / "control.sock";
    const UniqueFd listening{bind_to(path, false)};
    ASSERT_EQ(::listen(listening.get(), 0), 0);
    std::vector<UniqueFd> waiting;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    int connected = 0;
    while (connected == 0) {
        ASSERT_LT(waiting.size(), 100U);
        waiting.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
        connected = ::connect(waiting.back().get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    }
    ASSERT_EQ(errno, EAGAIN);
    const auto listener = listen_unix(io_context(), path);
    ASSERT_FALSE(listener);
    EXPECT_EQ(listener.error().code, ErrorCode::already_exists);
}

TEST(ListenUnix, DoesNotRemoveAFileThatIsNotASocket) {
    const TemporaryDirectory directory;
    const auto path = directory / "precious.txt";
    rta::test::write_text(path, "data");
    const auto listener = listen_unix(io_context(), path);
    ASSERT_FALSE(listener);
    EXPECT_EQ(listener.error().code, ErrorCode::already_exists);
    EXPECT_EQ(rta::test::read_text(path), "data");
}

TEST(ListenUnix, DoesNotRemoveTheSocketOfALaterDaemon) {
    const TemporaryDirectory directory;
    const auto path = directory / "control.sock";
    UniqueFd other;
    {
        const auto listener = listen_unix(io_context(), path);
        ASSERT_TRUE(listener);
        std::filesystem::remove(path);
        other = bind_to(path, true);
    }
    EXPECT_TRUE(std::filesystem::exists(path));
}

TEST(ListenUnix, RefusesPathsThatAreTooLongOrEmpty) {
    const TemporaryDirectory directory;
    for (const std::string& path : {std::string{}, (directory / std::string(108, 'x')).string()}) {
        const auto listener = listen_unix(io_context(), path);
        ASSERT_FALSE(listener);
        EXPECT_EQ(listener.error().code, ErrorCode::invalid_argument);
        EXPECT_NE(listener.error().sentence.find("107"), std::string::npos) << listener.error().sentence;
    }
}

TEST(ListenUnix, NamesAFolderThatCannotBeCreated) {
    const TemporaryDirectory directory;
    const auto path = directory / "not/there/control.sock";
    const auto listener = listen_unix(io_context(), path);
    ASSERT_FALSE(listener);
    EXPECT_NE(listener.error().sentence.find(path.parent_path().string()), std::string::npos)
        << listener.error().sentence;
}

}  // namespace
}  // namespace rta::net
