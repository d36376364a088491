// SPDX-License-Identifier: MIT
// TLS of the server, with the client library and with OpenSSL directly.
#include "net/tls_stream.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <atomic>
#include <csignal>
#include <deque>
#include <future>
#include <random>

#include "control_thread.h"
#include "net/server.h"
#include "net/tls_context.h"
#include "os/unique_fd.h"
#include "quiet_daemon.h"
#include "rta/daemon_client.h"
#include "rta/socket.h"
#include "rta/tls.h"
#include "support/certificates.h"
#include "support/deadline.h"
#include "support/temporary.h"

namespace rta::net {
namespace {

using std::chrono::milliseconds;
using test::kPatience;

std::shared_ptr<const TlsContext> test_context(const std::string& client_ca_file = {}) {
    const test::TemporaryDirectory directory;
    test::make_certificate().write(directory.path(), "rtad");
    auto context = TlsContext::load({directory / "rtad.pem", directory / "rtad.key"}, client_ca_file);
    EXPECT_TRUE(context) << context.error().sentence;
    return *context;
}

client::TlsOptions trusting(const TlsContext& context) {
    return {.on_loopback = true, .fingerprint = context.fingerprint(), .known_hosts_file = {}};
}

os::UniqueFd connect_tcp(std::uint16_t port) {
    os::UniqueFd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return socket;
}

void send_all(const os::UniqueFd& socket, std::string_view bytes) {
    EXPECT_EQ(::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
}

/// Reads to the end. Returns false if the server keeps the connection.
bool closed_by_server(const os::UniqueFd& socket) {
    timeval patience{.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(kPatience).count(), .tv_usec = 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    std::array<char, 256> bytes{};
    for (;;) {
        const ssize_t count = ::recv(socket.get(), bytes.data(), bytes.size(), 0);
        if (count == 0 || (count < 0 && errno == ECONNRESET)) return true;
        if (count < 0 && errno != EINTR) return false;
    }
}

/// A client that uses OpenSSL directly, over a blocking socket.
class OpensslClient {
 public:
    struct Options {
        int highest_version = TLS1_3_VERSION;
        std::string certificate_file{};
        std::string key_file{};
    };

    OpensslClient(std::uint16_t port, const Options& options)
        : socket_{connect_tcp(port)}, context_{SSL_CTX_new(TLS_client_method())} {
        std::signal(SIGPIPE, SIG_IGN);
        SSL_CTX_set_max_proto_version(context_, options.highest_version);
        if (!options.certificate_file.empty()) {
            EXPECT_EQ(SSL_CTX_use_certificate_file(context_, options.certificate_file.c_str(), SSL_FILETYPE_PEM), 1);
            EXPECT_EQ(SSL_CTX_use_PrivateKey_file(context_, options.key_file.c_str(), SSL_FILETYPE_PEM), 1);
        }
        ssl_ = SSL_new(context_);
        SSL_set_fd(ssl_, socket_.get());
    }
    OpensslClient(const OpensslClient&) = delete;
    OpensslClient& operator=(const OpensslClient&) = delete;
    ~OpensslClient() {
        SSL_free(ssl_);
        SSL_CTX_free(context_);
    }

    [[nodiscard]] bool shake_hands() { return SSL_connect(ssl_) == 1; }
    [[nodiscard]] bool write(std::string_view bytes) {
        return SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size());
    }
    /// Returns one record; empty at the end and after an error.
    [[nodiscard]] std::string read() {
        std::string bytes(100, '\0');
        const int count = SSL_read(ssl_, bytes.data(), static_cast<int>(bytes.size()));
        bytes.resize(static_cast<std::size_t>(std::max(count, 0)));
        return bytes;
    }
    [[nodiscard]] bool ended_cleanly() const { return (SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0; }
    void close_notify() { SSL_shutdown(ssl_); }
    [[nodiscard]] SSL& ssl() { return *ssl_; }

 private:
    os::UniqueFd socket_;
    SSL_CTX* context_;
    SSL* ssl_ = nullptr;
};

/// Sends back what it receives, in two buffers, until the input ends.
class EchoServer {
 public:
    explicit EchoServer(std::shared_ptr<const TlsContext> context, TlsLimits limits = {})
        : network_{std::make_shared<TlsNetwork>(std::move(context), limits)} {
        accept();
        control_.start();
    }
    ~EchoServer() {
        control_.stop([this] {
            asio::error_code ignored;
            acceptor_.close(ignored);
            for (const auto& weak : streams_) {
                if (const auto stream = weak.lock()) stream->close();
            }
            network_->stop();
        });
    }
    [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

    Lines ends;  ///< of the streams

 private:
    void accept() {
        acceptor_.async_accept([this](const asio::error_code& error, asio::ip::tcp::socket socket) {
            if (error) return;
            auto stream = std::shared_ptr<ByteStream>(
                make_tls_stream(StreamSocket{std::move(socket)}, network_, "client",
                                [this](const asio::error_code& why) { ends.add("failed: " + why.message()); }));
            streams_.push_back(stream);
            asio::co_spawn(control_.io(), echo(std::move(stream)), asio::detached);
            accept();
        });
    }

    asio::awaitable<void> echo(std::shared_ptr<ByteStream> stream) {
        std::vector<char> bytes(16 << 10);
        asio::error_code error;
        bool first = true;
        while (!error) {
            const std::size_t count = co_await stream->read_some(bytes, error);
            if (std::exchange(first, false)) ends.add("name: " + stream->certificate_name() + ".");
            if (error) break;
            const std::size_t half = count / 2;
            const std::array<asio::const_buffer, 3> buffers{asio::buffer(bytes.data(), half), asio::const_buffer{},
                                                            asio::buffer(bytes.data() + half, count - half)};
            const std::size_t written = co_await stream->write(buffers, error);
            EXPECT_TRUE(error || written == count);
        }
        ends.add("end: " + error.message());
        if (error == asio::error::eof) co_await stream->finish_writing(error);
        stream->close();
    }

    ControlThread control_;
    std::shared_ptr<TlsNetwork> network_;
    std::vector<std::weak_ptr<ByteStream>> streams_;
    asio::ip::tcp::acceptor acceptor_{control_.io(), {asio::ip::address_v4::loopback(), 0}};
};

/// A stream that moves a random number of bytes at a time.
class CutStream final : public client::ByteStream {
 public:
    CutStream(std::unique_ptr<client::ByteStream> stream, std::uint32_t seed)
        : stream_{std::move(stream)}, random_{seed} {}
    Readiness wait(bool for_writing, const client::Deadline& deadline, int interrupt) override {
        return stream_->wait(for_writing, deadline, interrupt);
    }
    Transfer read(std::span<char> into) override { return stream_->read(into.first(cut(into.size()))); }
    Transfer write(std::string_view bytes) override {
        if (drops_output) return {.count = bytes.size()};
        return stream_->write(bytes.substr(0, cut(bytes.size())));
    }
    [[nodiscard]] int descriptor() const noexcept override { return stream_->descriptor(); }
    void close() noexcept override { stream_->close(); }

    bool drops_output = false;

 private:
    std::size_t cut(std::size_t size) {
        // Mostly a few bytes, sometimes many.
        const std::size_t most = random_() % 4 == 0 ? size : std::min<std::size_t>(size, 40);
        return std::max<std::size_t>(1, random_() % (most + 1));
    }

    std::unique_ptr<client::ByteStream> stream_;
    std::mt19937 random_;
};

struct CutClient {
    CutStream* below;
    std::unique_ptr<client::ByteStream> stream;
};

CutClient cut_client(const EchoServer& server, const TlsContext& context, std::uint32_t seed) {
    const client::TcpEndpoint endpoint{.host = "127.0.0.1", .port = server.port()};
    const client::Deadline deadline = client::Deadline::in(kPatience);
    auto socket = client::connect_socket(endpoint, deadline);
    EXPECT_TRUE(socket) << socket.error();
    auto below = std::make_unique<CutStream>(std::move(*socket), seed);
    CutStream* const raw = below.get();
    auto tls = client::connect_tls(std::move(below), endpoint, trusting(context), deadline);
    EXPECT_TRUE(tls) << tls.error().sentence;
    return {raw, std::move(tls->stream)};
}

TEST(TlsStream, CarriesBytesUnchangedHoweverTheyAreCut) {
    const auto context = test_context();
    EchoServer server{context};
    for (std::uint32_t seed = 1; seed <= 5; ++seed) {
        CutClient client = cut_client(server, *context, seed);
        std::mt19937 random{seed};
        std::string sent(1 << 20, '\0');
        for (char& c : sent) c = static_cast<char>(random());
        std::string received;
        std::vector<char> bytes(64 << 10);
        const client::Deadline deadline = client::Deadline::in(kPatience);
        for (std::size_t at = 0; received.size() < sent.size();) {
            const auto ready = client.stream->wait(at < sent.size(), deadline, -1);
            ASSERT_TRUE(ready.readable || ready.writable) << "seed " << seed << ": " << received.size();
            if (ready.writable) at += client.stream->write(std::string_view{sent}.substr(at)).count;
            if (!ready.readable) continue;
            const auto read = client.stream->read(bytes);
            ASSERT_FALSE(read.closed) << read.reason;
            received.append(bytes.data(), read.count);
        }
        EXPECT_EQ(received, sent) << "seed " << seed;
    }
}

TEST(TlsStream, ReportsACleanEndAndACutOne) {
    const auto context = test_context();
    EchoServer server{context};
    cut_client(server, *context, 1).stream.reset();
    EXPECT_TRUE(server.ends.wait_for("end: End of file"));
    CutClient cut = cut_client(server, *context, 2);
    cut.below->drops_output = true;  // close_notify is lost
    cut.stream.reset();
    EXPECT_TRUE(server.ends.wait_for("end: stream truncated"));
}

TEST(TlsStream, AnswersCloseNotifyWithItsOwn) {
    EchoServer server{test_context()};
    OpensslClient client{server.port(), {}};
    ASSERT_TRUE(client.shake_hands());
    ASSERT_TRUE(client.write("abc"));
    EXPECT_EQ(client.read(), "abc");
    client.close_notify();
    EXPECT_EQ(client.read(), "");
    EXPECT_TRUE(client.ended_cleanly());
}

TEST(TlsStream, UsesTls13WithoutResumption) {
    EchoServer server{test_context()};
    OpensslClient client{server.port(), {}};
    ASSERT_TRUE(client.shake_hands());
    EXPECT_EQ(SSL_version(&client.ssl()), TLS1_3_VERSION);
    ASSERT_TRUE(client.write("abc"));
    EXPECT_EQ(client.read(), "abc") << "what the server sends after the handshake has arrived";
    EXPECT_EQ(SSL_SESSION_is_resumable(SSL_get0_session(&client.ssl())), 0);
    EXPECT_EQ(SSL_get_early_data_status(&client.ssl()), SSL_EARLY_DATA_NOT_SENT);
    // A new key in both directions, while bytes are in flight.
    ASSERT_EQ(SSL_key_update(&client.ssl(), SSL_KEY_UPDATE_REQUESTED), 1);
    ASSERT_TRUE(client.write("def"));
    EXPECT_EQ(client.read(), "def");

    OpensslClient old{server.port(), {.highest_version = TLS1_2_VERSION}};
    EXPECT_FALSE(old.shake_hands());
    EXPECT_TRUE(server.ends.wait_for("failed: unsupported protocol"));
}

TEST(TlsStream, AClientThatSendsOnlyNewKeysDoesNotDelayOthers) {
    EchoServer server{test_context()};
    OpensslClient restless{server.port(), {}};
    ASSERT_TRUE(restless.shake_hands());
    std::atomic<bool> served{false};
    auto flood = std::async(std::launch::async, [&] {
        const test::Deadline deadline;
        while (!served && !deadline.passed()) {
            if (SSL_key_update(&restless.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED) != 1) return false;
            if (SSL_do_handshake(&restless.ssl()) != 1) return false;
        }
        return served.load();
    });
    for (int i = 0; i < 20; ++i) {
        OpensslClient other{server.port(), {}};
        EXPECT_TRUE(other.shake_hands());
        EXPECT_TRUE(other.write("abc"));
        EXPECT_EQ(other.read(), "abc");
    }
    served = true;
    EXPECT_TRUE(flood.get()) << "the others were served only after the end of the flood";
    // The keys of both sides still agree.
    EXPECT_TRUE(restless.write("def"));
    EXPECT_EQ(restless.read(), "def");
}

TEST(TlsStream, ReturnsTheNameInAVerifiedCertificate) {
    const test::TemporaryDirectory directory;
    const test::Certificate authority = test::make_certificate({.common_name = "authority", .authority = true});
    authority.write(directory.path(), "authority");
    test::make_certificate({.common_name = "desk-1", .issuer = &authority}).write(directory.path(), "desk");
    test::make_certificate({.common_name = "stranger"}).write(directory.path(), "stranger");
    EchoServer server{test_context(directory / "authority.pem")};
    OpensslClient desk{
        server.port(),
        {.certificate_file = (directory / "desk.pem").string(), .key_file = (directory / "desk.key").string()}};
    ASSERT_TRUE(desk.shake_hands());
    ASSERT_TRUE(desk.write("abc"));
    EXPECT_EQ(desk.read(), "abc");
    EXPECT_TRUE(server.ends.wait_for("name: desk-1."));
    OpensslClient nameless{server.port(), {}};
    ASSERT_TRUE(nameless.shake_hands());
    ASSERT_TRUE(nameless.write("abc"));
    EXPECT_EQ(nameless.read(), "abc");
    EXPECT_TRUE(server.ends.wait_for("name: ."));
    OpensslClient stranger{
        server.port(),
        {.certificate_file = (directory / "stranger.pem").string(), .key_file = (directory / "stranger.key").string()}};
    // With TLS 1.3, the client has finished before the server has verified its certificate.
    static_cast<void>(stranger.shake_hands() && stranger.write("abc"));
    EXPECT_EQ(stranger.read(), "");
    EXPECT_TRUE(server.ends.wait_for("failed: certificate verify failed"));
}

TEST(TlsStream, EndsAHandshakeThatTakesTooLong) {
    EchoServer server{test_context(), {.handshake_time = milliseconds{50}}};
    const os::UniqueFd silent = connect_tcp(server.port());
    EXPECT_TRUE(closed_by_server(silent));
    const os::UniqueFd slow = connect_tcp(server.port());
    send_all(slow, "\x16\x03\x01\x02");  // the begin of a ClientHello
    EXPECT_TRUE(closed_by_server(slow));
    EXPECT_TRUE(server.ends.wait_for("failed: Connection timed out"));
}

TEST(TlsStream, RefusesPlainText) {
    EchoServer server{test_context()};
    const os::UniqueFd http = connect_tcp(server.port());
    send_all(http, "GET / HTTP/1.1\r\n\r\n");
    EXPECT_TRUE(closed_by_server(http));
    EXPECT_TRUE(server.ends.wait_for("failed: http request"));
    const os::UniqueFd frames = connect_tcp(server.port());
    send_all(frames, std::string_view{"\x06\x08\x01\x52\x02\x08\x01", 7});
    EXPECT_TRUE(closed_by_server(frames));
}

TEST(TlsNetwork, LetsHandshakesWaitForTheirTurn) {
    TlsNetwork network{test_context(), {.handshakes = 1}};
    std::vector<int> order;
    std::promise<void> finished;
    const auto first = std::make_unique<TlsNetwork::Turn>(network, "a");
    const auto second = std::make_unique<TlsNetwork::Turn>(network, "b");
    const auto abandoned = std::make_unique<TlsNetwork::Turn>(network, "c");
    const auto third = std::make_unique<TlsNetwork::Turn>(network, "d");
    const auto take = [&](TlsNetwork::Turn& turn, int number) -> asio::awaitable<void> {
        co_await turn.wait();
        order.push_back(number);
    };
    asio::post(network.executor(), [&] {
        asio::co_spawn(network.executor(), take(*first, 1), asio::detached);
        asio::co_spawn(network.executor(), take(*second, 2), asio::detached);
        asio::co_spawn(network.executor(), take(*abandoned, 0), asio::detached);
        asio::co_spawn(network.executor(), take(*third, 3), asio::detached);
        asio::post(network.executor(), [&] {
            EXPECT_EQ(order, (std::vector<int>{1})) << "one at a time";
            abandoned->end();
            order.push_back(-1);
            first->end();
            asio::post(network.executor(), [&] {
                second->end();
                asio::post(network.executor(), [&] {
                    third->end();
                    finished.set_value();
                });
            });
        });
    });
    finished.get_future().wait();
    network.stop();
    std::erase(order, 0);  // the abandoned one returned, too
    EXPECT_EQ(order, (std::vector<int>{1, -1, 2, 3}));
}

TEST(TlsNetwork, HandshakesOfOneAddressDoNotDelayThoseOfOthers) {
    TlsNetwork network{test_context(), {.handshakes = 3, .handshakes_per_address = 2}};
    std::vector<std::string> order;
    std::deque<TlsNetwork::Turn> turns;
    const auto take = [&](TlsNetwork::Turn& turn, std::string name) -> asio::awaitable<void> {
        co_await turn.wait();
        order.push_back(std::move(name));
    };
    const auto on_network = [&](const std::function<void()>& call) {
        std::promise<void> done;
        asio::post(network.executor(), [&] {
            call();
            // What the call has caused is complete.
            asio::post(network.executor(), [&] { asio::post(network.executor(), [&] { done.set_value(); }); });
        });
        done.get_future().wait();
    };
    on_network([&] {
        for (const char* const name : {"a1", "a2", "a3", "a4", "b1", "b2", "c1"}) {
            TlsNetwork::Turn& turn = turns.emplace_back(network, std::string(1, name[0]));
            asio::co_spawn(network.executor(), take(turn, name), asio::detached);
        }
    });
    EXPECT_EQ(order, (std::vector<std::string>{"a1", "a2", "b1"}));
    on_network([&] { turns[4].end(); });  // b1: a has its share, so b2 is next
    EXPECT_EQ(order.back(), "b2");
    on_network([&] { turns[0].end(); });
    EXPECT_EQ(order.back(), "a3") << "the first of those that wait";
    on_network([&] { turns[1].end(); });
    EXPECT_EQ(order.back(), "a4");
    on_network([&] { turns[5].end(); });
    EXPECT_EQ(order.back(), "c1");
    on_network([&] { turns.clear(); });
    network.stop();
}

/// A server of the protocol at a TLS address, without a device.
class TlsServer {
 public:
    explicit TlsServer(ServerLimits limits = {}, TlsLimits tls_limits = {})
        : context{test_context()},
          server{control_.io(), engine_, daemon_, [this](LogLevel, std::string_view line) { log.add(line); }, limits} {
        daemon_.tokens.add("studio", api::Role::control);
        server.use_tls(context, tls_limits);
        const auto address = server.listen_tcp("tls://127.0.0.1:0");
        EXPECT_TRUE(address) << address.error().sentence;
        port = static_cast<std::uint16_t>(std::stoi(address->substr(address->rfind(':') + 1)));
        control_.start();
    }
    ~TlsServer() {
        control_.stop([this] { server.stop(); });
    }
    void on_control(const std::function<void()>& call) { control_.run(call); }
    [[nodiscard]] client::Expected<client::DaemonClient> connect() const {
        const client::Endpoint endpoint = client::TcpEndpoint{.host = "127.0.0.1", .port = port};
        return client::DaemonClient::open(std::span{&endpoint, 1}, {.client_name = "tls",
                                                                    .token = api::test::secret_of("studio"),
                                                                    .tls = trusting(*context),
                                                                    .timeout = kPatience});
    }
    [[nodiscard]] bool wait_for_clients(std::size_t count) {
        const test::Deadline deadline;
        for (std::size_t found = count + 1; found != count;) {
            on_control([&] { found = server.client_count(); });
            if (deadline.passed()) return false;
        }
        return true;
    }

    Lines log;
    std::shared_ptr<const TlsContext> context;

 private:
    ControlThread control_;
    Engine engine_{builtin_nodes(), {}};
    QuietDaemon daemon_;

 public:
    Server server;
    std::uint16_t port = 0;
};

v1::Request status_request() {
    v1::Request request;
    request.mutable_get_status();
    return request;
}

TEST(TlsServerTest, ServesTheProtocol) {
    TlsServer server;
    EXPECT_TRUE(server.log.wait_for("with TLS; certificate " + server.context->fingerprint()));
    auto client = server.connect();
    ASSERT_TRUE(client) << client.error().sentence;
    const auto status = client->call(status_request());
    ASSERT_TRUE(status) << status.error().sentence;
    ASSERT_EQ(status->get_status().clients_size(), 1);
    EXPECT_TRUE(status->get_status().clients(0).address().starts_with("127.0.0.1:"));
}

TEST(TlsServerTest, RequiresACertificate) {
    asio::io_context io;
    Engine engine{builtin_nodes(), {}};
    QuietDaemon daemon;
    Server server{io, engine, daemon, {}};
    for (const char* address : {"tls://127.0.0.1:0", "0.0.0.0:0", "[::]:0"}) {
        const auto refused = server.listen_tcp(address);
        ASSERT_FALSE(refused) << address;
        EXPECT_EQ(refused.error().code, ErrorCode::permission_denied);
    }
    EXPECT_TRUE(server.listen_tcp("127.0.0.1:0"));
}

TEST(TlsServerTest, CarriesMessagesOfTheMaximumSize) {
    TlsServer server;
    auto client = server.connect();
    ASSERT_TRUE(client) << client.error().sentence;
    v1::Request request;
    // Spaces, and an error that quotes none of them.
    request.mutable_check_graph()->set_document(std::string((4U << 20U) - 100, ' '));
    const auto answer = client->call(std::move(request));
    ASSERT_TRUE(answer) << answer.error().sentence;
    EXPECT_NE(answer->status().code(), v1::OK);
    EXPECT_TRUE(client->call(status_request()));
}

TEST(TlsServerTest, ServesManyClientsThatConnectTogether) {
    TlsServer server;
    std::vector<std::future<std::string>> clients;
    for (int i = 0; i < 64; ++i) {
        clients.push_back(std::async(std::launch::async, [&] {
            auto client = server.connect();
            if (!client) return client.error().sentence;
            for (int call = 0; call < 10; ++call) {
                const auto status = client->call(status_request());
                if (!status) return status.error().sentence;
            }
            return std::string{};
        }));
    }
    for (auto& client : clients) EXPECT_EQ(client.get(), "");
    EXPECT_TRUE(server.wait_for_clients(0));
}

TEST(TlsServerTest, FreesAClientWhoseHandshakeFails) {
    TlsServer server{{}, {.handshake_time = milliseconds{50}}};
    const os::UniqueFd http = connect_tcp(server.port);
    send_all(http, "GET / HTTP/1.1\r\n\r\n");
    EXPECT_TRUE(closed_by_server(http));
    EXPECT_TRUE(server.log.wait_for("TLS handshake with 127.0.0.1:"));
    EXPECT_TRUE(server.log.wait_for(" failed: http request"));
    const os::UniqueFd silent = connect_tcp(server.port);
    EXPECT_TRUE(closed_by_server(silent));
    EXPECT_TRUE(server.wait_for_clients(0));
}

/// The handshake would cost more than the place that the client does not get.
TEST(TlsServerTest, ClosesTheConnectionOfARefusedClientAndLogsTheReason) {
    TlsServer server{{.clients = 1}};
    auto first = server.connect();
    ASSERT_TRUE(first) << first.error().sentence;
    const auto second = server.connect();
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().sentence.find("TLS handshake failed"), std::string::npos) << second.error().sentence;
    EXPECT_TRUE(server.log.wait_for("limit of 1 clients reached"));
}

TEST(TlsServerTest, StopsDuringHandshakesAndCalls) {
    std::vector<os::UniqueFd> half;
    std::vector<client::DaemonClient> clients;
    {
        TlsServer server;
        for (int i = 0; i < 20; ++i) {
            half.push_back(connect_tcp(server.port));
            if (i % 2 == 0) send_all(half.back(), "\x16\x03\x01\x02");
            auto client = server.connect();
            ASSERT_TRUE(client) << client.error().sentence;
            ASSERT_TRUE(client->send(status_request()));
            clients.push_back(std::move(*client));
        }
    }
    for (const os::UniqueFd& socket : half) EXPECT_TRUE(closed_by_server(socket));
}

}  // namespace
}  // namespace rta::net
