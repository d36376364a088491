// SPDX-License-Identifier: MIT
// The server over real sockets, tested with a client that shares no code with it.
#include "net/server.h"

#include <fcntl.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <future>
#include <mutex>
#include <random>
#include <thread>

#include "control_thread.h"
#include "dsp/audio_buffer.h"
#include "engine/renderer.h"
#include "os/unique_fd.h"
#include "quiet_daemon.h"
#include "support/deadline.h"
#include "support/protocol_client.h"
#include "support/temporary.h"

namespace rta::net {
namespace {

using rta::os::UniqueFd;
using rta::test::Deadline;
using rta::test::kPatience;
using rta::test::ProtocolClient;
using rta::test::TemporaryDirectory;

/// A server with its own control thread and audio thread.
class RunningServer {
 public:
    explicit RunningServer(ServerLimits limits = {}, const NodeRegistry& registry = builtin_nodes())
        : engine_{registry, {}},
          server{control_.io(), engine_, daemon_, [this](LogLevel, std::string_view line) { log.add(line); }, limits},
          socket_path{(directory_ / "control.sock").string()} {
        const auto address = server.listen_tcp("127.0.0.1:0");
        EXPECT_TRUE(address);
        port = static_cast<std::uint16_t>(std::stoi(address->substr(address->rfind(':') + 1)));
        EXPECT_TRUE(server.listen_unix(socket_path));
        control_.start();
        audio_ = std::thread{[this] { render(); }};
    }
    ~RunningServer() {
        quit_ = true;
        audio_.join();
        control_.stop([this] { server.stop(); });
    }

    /// Runs `call` on the control thread, and waits for it.
    void on_control(const std::function<void()>& call) { control_.run(call); }
    [[nodiscard]] ProtocolClient tcp() const { return ProtocolClient::connect_tcp(port); }
    [[nodiscard]] ProtocolClient local() const { return ProtocolClient::connect_unix(socket_path); }
    /// Returns the graph document, requested by a client.
    [[nodiscard]] std::string graph_text() const {
        ProtocolClient client = tcp();
        client.hello();
        return client.graph().document();
    }

    Lines log;

 private:
    void render() {
        AudioBuffer inputs{0, 64};
        AudioBuffer outputs{2, 64};
        const auto generation = engine_.gate().start_generation();
        while (!quit_) {
            {
                const auto claim = engine_.gate().try_claim(generation);
                if (claim) engine_.renderer().render(claim.key(), {inputs.read(), outputs.write()});
            }
            std::this_thread::sleep_for(std::chrono::microseconds{500});
        }
    }

    TemporaryDirectory directory_;
    ControlThread control_;
    Engine engine_;
    QuietDaemon daemon_;
    std::atomic<bool> quit_{false};

 public:
    Server server;
    std::string socket_path;
    std::uint16_t port = 0;

 private:
    std::thread audio_;
};

v1::Request request(std::string_view text) {
    v1::Request message;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(std::string{text}, &message)) << text;
    return message;
}

/// A replacement of the graph by `count` nodes: about 40 bytes each.
v1::Request large_graph(int count) {
    v1::Request message = request("apply_transaction { graph {} }");
    for (int i = 0; i < count; ++i) {
        v1::Node& node = *message.mutable_apply_transaction()->mutable_graph()->add_nodes();
        node.set_name("node_with_a_name_of_almost_the_64_bytes_that_are_allowed_" + std::to_string(i));
        node.set_type("gain");
    }
    return message;
}

/// Over TCP and over the Unix socket.
class ServerTest : public testing::TestWithParam<bool> {
 protected:
    [[nodiscard]] ProtocolClient connect() const { return GetParam() ? server.tcp() : server.local(); }

    /// Checks that another client is still served and that the graph is unchanged.
    void expect_unharmed() {
        EXPECT_EQ(other.graph().document(), before);
        EXPECT_EQ(other.call(request("get_status {}")).status().code(), v1::OK);
    }

    RunningServer server;
    ProtocolClient other = [this] {
        ProtocolClient client = server.tcp();
        client.hello("other");
        client.apply(rta::test::transaction({rta::test::add_node("sine", "osc")}));
        return client;
    }();
    std::string before = other.graph().document();
};

INSTANTIATE_TEST_SUITE_P(Sockets, ServerTest, testing::Bool(),
                         [](const auto& given) { return given.param ? "Tcp" : "Unix"; });

TEST_P(ServerTest, ServesAClient) {
    ProtocolClient client = connect();
    const v1::HelloResult hello = client.hello("me");
    EXPECT_EQ(hello.instance_id(), other.status().instance_id());
    client.subscribe();
    const auto result = client.apply(rta::test::transaction({rta::test::add_node("gain", "vol")}));
    EXPECT_EQ(result.revision(), 2U);
    EXPECT_TRUE(result.has_frame());
    const auto changed = client.next_event();
    ASSERT_TRUE(changed);
    EXPECT_EQ(changed->graph_changed().client_name(), "me");
    const auto heard = client.next_event();
    ASSERT_TRUE(heard);
    EXPECT_EQ(heard->transaction_heard().frame(), result.frame());
    EXPECT_EQ(client.status().client_count(), 2U);
    EXPECT_EQ(client.call(request("list_devices {}")).list_devices().devices(0).name(), "ALSA/default");
}

TEST_P(ServerTest, AThousandPipelinedRequestsAreAnsweredInOrder) {
    ProtocolClient client = connect();
    client.hello();
    std::string bytes;
    for (int i = 1; i <= 1000; ++i) {
        v1::Request message =
            i % 7 == 0 ? request("get_graph {}")
            : i % 5 == 0
                ? request("apply_transaction { edits {} }")
                : request(R"(set_parameters { changes { node: "osc" parameter: "frequency_hz" value: 300 } })");
        message.set_id(static_cast<std::uint64_t>(i));
        message.set_timeout_ms(60'000);
        bytes += rta::test::delimited(message);
    }
    // On a separate thread: the server may stop reading until its responses are read.
    auto sent = std::async(std::launch::async, [&] { client.send_bytes(bytes); });
    for (std::uint64_t i = 1; i <= 1000; ++i) {
        const v1::Response response = client.receive_response();
        ASSERT_EQ(response.id(), i);
        ASSERT_EQ(response.status().code(), v1::OK) << response.ShortDebugString();
    }
    sent.get();
}

TEST_P(ServerTest, ManyClientsAtOnce) {
    std::vector<std::future<std::uint64_t>> clients;
    for (int i = 0; i < 16; ++i) {
        clients.push_back(std::async(std::launch::async, [this, i] {
            ProtocolClient client = connect();
            client.hello("client " + std::to_string(i));
            std::uint64_t last = 0;
            for (int n = 0; n < 20; ++n) {
                const std::string name = "c" + std::to_string(i) + "_" + std::to_string(n);
                last = client.apply(rta::test::transaction({rta::test::add_node("gain", name)})).revision();
                client.set_parameter(name, "gain_db", -6.0F);
            }
            return last;
        }));
    }
    std::uint64_t last = 0;
    for (auto& client : clients) last = std::max(last, client.get());
    EXPECT_EQ(last, 321U);
    EXPECT_EQ(other.graph().graph().nodes_size(), 321);
}

TEST_P(ServerTest, ALengthOf2To63IsRefusedAndTheSocketClosed) {
    ProtocolClient client = connect();
    client.hello();
    client.send_bytes(std::string{"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 10});
    const v1::Response response = client.receive_response();
    EXPECT_EQ(response.id(), 0U);
    EXPECT_EQ(response.status().code(), v1::INVALID_ARGUMENT);
    EXPECT_NE(response.status().message().find("4 MiB"), std::string::npos) << response.status().message();
    EXPECT_TRUE(client.wait_closed());
    expect_unharmed();
}

TEST_P(ServerTest, RequestsBeforeInvalidBytesAreAnswered) {
    ProtocolClient client = connect();
    client.hello();
    v1::Request good = request("id: 5 get_graph {}");
    client.send_bytes(rta::test::delimited(good) + "\x03\xFF\xFF\xFF" + std::string(100'000, '\xFF'));
    EXPECT_EQ(client.receive_response().id(), 5U);
    const v1::Response response = client.receive_response();
    EXPECT_EQ(response.id(), 0U);
    EXPECT_EQ(response.status().code(), v1::INVALID_ARGUMENT);
    EXPECT_TRUE(client.wait_closed());
    expect_unharmed();
}

TEST_P(ServerTest, RandomBytesDoNotAffectOtherClients) {
    for (std::uint32_t seed = 0; seed < 30; ++seed) {
        std::mt19937 random{seed};
        std::string bytes(10'000, '\0');
        for (char& byte : bytes) byte = static_cast<char>(random());
        ProtocolClient client = connect();
        if (seed % 2 == 0) client.hello();
        try {
            client.send_bytes(bytes);
        } catch (const std::runtime_error&) {
            // The server has closed the socket already.
        }
        client.finish_sending();
        EXPECT_TRUE(client.wait_closed()) << seed;
    }
    expect_unharmed();
}

TEST_P(ServerTest, ATruncatedFrameIsReportedAndTheSocketClosed) {
    ProtocolClient client = connect();
    client.hello();
    const std::string whole = rta::test::delimited(request("id: 5 list_node_types { type: \"sine\" }"));
    client.send_bytes(whole.substr(0, whole.size() - 1));
    client.finish_sending();
    const v1::Response response = client.receive_response();
    EXPECT_EQ(response.id(), 0U);
    EXPECT_EQ(response.status().code(), v1::INVALID_ARGUMENT);
    EXPECT_TRUE(client.wait_closed());
    expect_unharmed();
}

TEST_P(ServerTest, AllRequestsBeforeTheEndOfInputAreAnswered) {
    ProtocolClient client = connect();
    client.send(request("id: 1 hello { protocol_version: 1 }"));
    for (int i = 2; i <= 20; ++i) {
        v1::Request message = request("apply_transaction { edits {} }");
        message.set_id(static_cast<std::uint64_t>(i));
        client.send(message);
    }
    client.finish_sending();
    for (std::uint64_t i = 1; i <= 20; ++i) {
        const v1::Response response = client.receive_response();
        EXPECT_EQ(response.id(), i);
        EXPECT_EQ(response.status().code(), v1::OK) << response.ShortDebugString();
    }
    EXPECT_TRUE(client.wait_closed());
}

TEST_P(ServerTest, AnUnknownRequestIsAnsweredAndTheClientStaysConnected) {
    ProtocolClient client = connect();
    client.hello();
    v1::Request unknown;
    v1::Request::GetReflection()->MutableUnknownFields(&unknown)->AddLengthDelimited(77, "?");
    EXPECT_EQ(client.call(unknown).status().code(), v1::UNIMPLEMENTED);
    EXPECT_EQ(client.call(request("get_status {}")).status().code(), v1::OK);
}

/// A socket without the checks of ProtocolClient.
class RawClient {
 public:
    RawClient(bool tcp, const RunningServer& server) : socket_{::socket(tcp ? AF_INET : AF_UNIX, SOCK_STREAM, 0)} {
        if (tcp) {
            sockaddr_in address{};
            address.sin_family = AF_INET;
            address.sin_port = htons(server.port);
            address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            connect(&address, sizeof address);
        } else {
            sockaddr_un address{};
            address.sun_family = AF_UNIX;
            std::strncpy(address.sun_path, server.socket_path.c_str(), sizeof address.sun_path - 1);
            connect(&address, sizeof address);
        }
    }
    /// Sends as much as possible without blocking.
    std::size_t push(std::string_view bytes) {
        const ssize_t count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        return count > 0 ? static_cast<std::size_t>(count) : 0;
    }
    /// Returns true if the server closes the socket in time. Reads nothing.
    [[nodiscard]] bool closed_within(std::chrono::milliseconds time) {
        pollfd wait{.fd = socket_.get(), .events = POLLRDHUP, .revents = 0};
        return ::poll(&wait, 1, static_cast<int>(time.count())) > 0;
    }
    /// Resets the socket, as if the client's machine had failed.
    void reset() {
        const linger at_once{1, 0};
        ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        socket_.reset();
    }

 private:
    void connect(const void* address, socklen_t size) {
        EXPECT_EQ(::connect(socket_.get(), static_cast<const sockaddr*>(address), size), 0);
    }
    UniqueFd socket_;
};

TEST_P(ServerTest, AClientKilledInTheMiddleOfAFrameIsForgotten) {
    RawClient client{GetParam(), server};
    const std::string frame = rta::test::delimited(request("id: 1 hello { protocol_version: 1 client_name: \"x\" }")) +
                              rta::test::delimited(request("id: 2 subscribe { topics: TOPIC_CHANGES }")) +
                              rta::test::delimited(request("id: 3 apply_transaction { edits { edits {} } }"));
    ASSERT_EQ(client.push(std::string_view{frame}.substr(0, frame.size() - 3)), frame.size() - 3);
    const Deadline connected;
    while (other.status().client_count() != 2U) ASSERT_FALSE(connected.passed());
    client.reset();
    const Deadline forgotten;
    while (other.status().client_count() != 1U) ASSERT_FALSE(forgotten.passed());
    expect_unharmed();
}

TEST_P(ServerTest, AClientThatNeverReadsIsNotReadFromAndDoesNotBlockOthers) {
    v1::Request large = large_graph(5'000);
    other.call(large);
    before = other.graph().document();
    RawClient client{GetParam(), server};
    std::string requests = rta::test::delimited(request("id: 1 hello { protocol_version: 1 }"));
    client.push(requests);
    // Each request has six bytes, and a response of half a megabyte.
    requests.clear();
    for (int i = 0; i < 10'000; ++i) requests += rta::test::delimited(request("id: 2 get_graph {}"));
    // Until the server has stopped reading: several attempts to send fail, although it had time to continue.
    std::size_t sent = 0;
    for (int stalled = 0; stalled < 20;) {
        const std::size_t count = client.push(requests);
        sent += count;
        stalled = count == 0 ? stalled + 1 : 0;
        ASSERT_LT(sent, std::size_t{32} << 20U) << "the server accepts requests without limit";
        EXPECT_EQ(other.call(request("get_status {}")).status().code(), v1::OK);
    }
    expect_unharmed();
    client.reset();
    const Deadline forgotten;
    while (other.status().client_count() != 1U) ASSERT_FALSE(forgotten.passed());
}

TEST_P(ServerTest, ASubscriberThatNeverReadsIsDisconnectedAndOthersMissNothing) {
    RawClient sleeper{GetParam(), server};
    sleeper.push(rta::test::delimited(request("id: 1 hello { protocol_version: 1 client_name: \"sleeper\" }")) +
                 rta::test::delimited(request("id: 2 subscribe { topics: TOPIC_CHANGES }")));
    ProtocolClient reader = connect();
    reader.hello("reader");
    std::uint64_t number = reader.subscribe().change_number();
    const Deadline connected;
    while (other.status().client_count() != 3U) ASSERT_FALSE(connected.passed());
    const v1::Request large = large_graph(10'000);
    for (int i = 0; !server.log.has("\"sleeper\" does not read its events"); ++i) {
        ASSERT_LT(i, 200) << "a client that does not read is never disconnected";
        ASSERT_EQ(other.call(large).status().code(), v1::OK);
        for (int events = 0; events < 2; ++events) {
            const auto event = reader.next_event();
            ASSERT_TRUE(event);
            EXPECT_EQ(event->number(), ++number);
        }
    }
    const Deadline forgotten;
    while (other.status().client_count() != 2U) ASSERT_FALSE(forgotten.passed());
    EXPECT_EQ(reader.call(request("get_status {}")).status().code(), v1::OK);
}

TEST_P(ServerTest, ClientsBeyondTheLimitAreRefused) {
    RunningServer small{ServerLimits{.clients = 2}};
    const auto connect_small = [&] { return GetParam() ? small.tcp() : small.local(); };
    auto first = std::make_unique<ProtocolClient>(connect_small());
    first->hello();
    ProtocolClient second = connect_small();
    second.hello();
    ProtocolClient third = connect_small();
    const v1::Response refusal = third.receive_response();
    EXPECT_EQ(refusal.id(), 0U);
    EXPECT_EQ(refusal.status().code(), v1::RESOURCE_EXHAUSTED);
    EXPECT_TRUE(third.wait_closed());
    first.reset();
    const Deadline deadline;
    while (second.status().client_count() != 1U) ASSERT_FALSE(deadline.passed());
    ProtocolClient fourth = connect_small();
    fourth.hello();
}

TEST_P(ServerTest, ARefusedClientThatReadsNothingIsDisconnected) {
    other.call(large_graph(2'000));
    RawClient client{GetParam(), server};
    std::string requests = rta::test::delimited(request("id: 1 hello { protocol_version: 1 }"));
    requests += rta::test::delimited(request("id: 2 get_graph {}"));  // the response exceeds the system's buffers
    requests += std::string{"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 10};
    client.push(requests);
    // Unread bytes make the server reset a TCP socket when it closes it, which poll() reports.
    for (int i = 0; i < 20; ++i) client.push(std::string(1000, 'x'));
    EXPECT_TRUE(client.closed_within(kPatience));
    const Deadline forgotten;
    while (other.status().client_count() != 1U) ASSERT_FALSE(forgotten.passed());
}

TEST_P(ServerTest, RefusedClientsDoNotBlockOthersOrFillTheLog) {
    RunningServer small{ServerLimits{.clients = 2}};
    const auto connect_small = [&] { return GetParam() ? small.tcp() : small.local(); };
    auto first = std::make_unique<ProtocolClient>(connect_small());
    first->hello();
    ProtocolClient second = connect_small();
    second.hello();
    std::vector<std::unique_ptr<RawClient>> refused;
    for (int i = 0; i < 100; ++i) refused.push_back(std::make_unique<RawClient>(GetParam(), small));
    ProtocolClient last = connect_small();
    EXPECT_EQ(last.receive_response().status().code(), v1::RESOURCE_EXHAUSTED);  // so all before it have been refused
    first.reset();
    const Deadline deadline;
    while (second.status().client_count() != 1U) ASSERT_FALSE(deadline.passed());
    ProtocolClient third = connect_small();
    third.hello();
    EXPECT_EQ(small.log.count("refused a client"), 1U);
    for (const auto& client : refused) EXPECT_TRUE(client->closed_within(kPatience));
}

TEST_P(ServerTest, OutOfMemoryOnAWorkerIsReportedAndTheDaemonContinues) {
    constexpr NodeType huge{
        .name = "huge",
        .help = "Runs out of memory.",
        .create = [](const BuildContext&) -> Expected<std::unique_ptr<Processor>> { throw std::bad_alloc{}; },
    };
    const NodeType* types[] = {&huge};
    const NodeRegistry registry{types};
    RunningServer tight{{}, registry};
    ProtocolClient client = GetParam() ? tight.tcp() : tight.local();
    client.hello();
    for (int i = 0; i < 3; ++i) {
        const v1::Response response =
            client.call(request("apply_transaction { edits { edits { add_node { name: 'h' type: 'huge' } } } }"));
        EXPECT_EQ(response.status().code(), v1::RESOURCE_EXHAUSTED) << response.ShortDebugString();
    }
    EXPECT_EQ(client.call(request("apply_transaction { edits {} }")).status().code(), v1::OK);
}

TEST_P(ServerTest, APanicDoesNotWaitForTheWorkOfOtherClients) {
    static std::promise<void> end;
    static std::atomic<int> waiting{0};
    static std::shared_future<void> ended;
    end = {};
    ended = end.get_future().share();
    waiting = 0;
    constexpr NodeType slow{
        .name = "slow",
        .help = "Is built when the test says so.",
        .create = [](const BuildContext&) -> Expected<std::unique_ptr<Processor>> {
            ++waiting;
            ended.wait();
            return fail(ErrorCode::unavailable, "not needed");
        },
    };
    const NodeType* types[] = {builtin_nodes().find("output"), &slow};
    const NodeRegistry registry{types};
    RunningServer busy{{}, registry};
    struct Finish {
        ~Finish() { end.set_value(); }
    } const finish;  // before the server waits for its workers
    const auto connect = [&] { return GetParam() ? busy.tcp() : busy.local(); };
    ProtocolClient other = connect();
    other.hello();
    EXPECT_EQ(other.call(request("apply_transaction { edits { edits { add_node { name: 'o' type: 'output' } } } }"))
                  .status()
                  .code(),
              v1::OK);
    ProtocolClient client = connect();
    client.hello();
    for (int i = 0; i < 8; ++i)
        client.send(request("apply_transaction { edits { edits { add_node { name: 's' type: 'slow' } } } }"));
    const Deadline deadline;
    while (waiting < 2) ASSERT_FALSE(deadline.passed()) << "both workers are busy";
    EXPECT_EQ(other.call(request("panic {}")).status().code(), v1::OK);
    EXPECT_EQ(other.call(request("mute_output {}")).status().code(), v1::OK);
}

TEST_P(ServerTest, ContinuesAfterRunningOutOfDescriptors) {
    rlimit before_limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before_limit), 0);
    // The client opens its descriptor before the limit is reached; only the server needs another one.
    RawClient* waiting = nullptr;
    {
        std::vector<UniqueFd> hoard;
        rlimit tight = before_limit;
        tight.rlim_cur = 200;
        ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
        while (true) {
            UniqueFd one{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
            if (!one) break;
            hoard.push_back(std::move(one));
        }
        hoard.pop_back();
        waiting = new RawClient{GetParam(), server};
        EXPECT_TRUE(server.log.wait_for("cannot accept clients"));
        EXPECT_EQ(other.call(request("get_status {}")).status().code(), v1::OK);
    }
    const Deadline deadline;
    while (other.status().client_count() != 2U) ASSERT_FALSE(deadline.passed());
    delete waiting;
    ::setrlimit(RLIMIT_NOFILE, &before_limit);
}

TEST(Server, StopClosesEverythingAndRemovesItsSocket) {
    auto server = std::make_unique<RunningServer>();
    ProtocolClient tcp = server->tcp();
    ProtocolClient local = server->local();
    tcp.hello();
    local.hello();
    const std::string path = server->socket_path;
    const std::uint16_t port = server->port;
    server->on_control([&] { server->server.stop(); });
    EXPECT_TRUE(tcp.wait_closed());
    EXPECT_TRUE(local.wait_closed());
    EXPECT_FALSE(std::filesystem::exists(path));
    EXPECT_THROW((void)ProtocolClient::connect_tcp(port), std::runtime_error);
    EXPECT_EQ(server->server.client_count(), 0U);
}

TEST(Server, StopsWhileClientsHaveRequestsPending) {
    for (int round = 0; round < 5; ++round) {
        RunningServer server;
        std::vector<ProtocolClient> clients;
        for (int i = 0; i < 8; ++i) {
            clients.push_back(server.tcp());
            clients.back().send(request("id: 1 hello { protocol_version: 1 }"));
            for (int n = 0; n < 50; ++n) clients.back().send(request("apply_transaction { edits {} }"));
        }
    }
}

TEST(Server, DisconnectsClientsThatSendNoHello) {
    RunningServer server{ServerLimits{.hello_time = std::chrono::milliseconds{200}}};
    ProtocolClient greeted = server.local();
    greeted.hello();
    ProtocolClient silent = server.tcp();
    ProtocolClient half = server.local();
    half.send_bytes("\x7F");
    for (ProtocolClient* client : {&silent, &half}) {
        EXPECT_TRUE(client->wait_closed());
        EXPECT_THROW((void)client->receive_response(std::chrono::milliseconds{0}), std::runtime_error);
    }
    EXPECT_EQ(greeted.status().client_count(), 1U);
    EXPECT_EQ(server.log.count("sent no Hello"), 1U) << "warnings are limited";
}

TEST(Server, KnowsTheDoorAndTheUserOfAClient) {
    RunningServer server{ServerLimits{.clients = 100, .clients_per_address = 1, .clients_per_user = 2}};
    ProtocolClient tcp = server.tcp();
    tcp.hello();
    ProtocolClient local = server.local();
    local.hello();
    ProtocolClient another = server.local();
    another.hello();
    ProtocolClient too_many = server.local();
    const v1::Response user_limit = too_many.receive_response();
    EXPECT_EQ(user_limit.status().message(), "limit of 2 clients of user " + std::to_string(::getuid()) +
                                                 " reached (--max-clients-per-user); try again later");
    ProtocolClient too_many_tcp = server.tcp();
    EXPECT_EQ(too_many_tcp.receive_response().status().message(),
              "limit of 1 clients from loopback reached (--max-clients-per-address); try again later");
    EXPECT_EQ(server.log.count("refused a client"), 1U);
    EXPECT_TRUE(server.log.has("user " + std::to_string(::getuid()) + " on " + server.socket_path));
}

TEST(Server, ReportsTheEndOfTheFadeOut) {
    RunningServer server;
    std::promise<void> faded;
    server.on_control([&] { server.server.fade_out(20.0F, [&] { faded.set_value(); }); });
    EXPECT_EQ(faded.get_future().wait_for(kPatience), std::future_status::ready);
}

TEST(Server, HeldClientsAreServedOnceTheyAreWelcome) {
    RunningServer server;
    ProtocolClient before = server.local();
    before.hello();
    server.on_control([&] { server.server.hold_clients(); });
    ProtocolClient held = server.local();
    ProtocolClient also_held = server.tcp();
    held.send(request("id: 1 hello { protocol_version: 1 }"));
    // Clients that are already connected are served. Held clients are not counted.
    for (int i = 0; i < 20; ++i) EXPECT_EQ(before.status().client_count(), 1U);
    server.on_control([&] { server.server.welcome_clients(); });
    EXPECT_EQ(held.receive_response().status().code(), v1::OK);
    also_held.hello();
    EXPECT_FALSE(server.log.has("cannot accept"));
}

TEST(Server, DeviceChangesReachSubscribers) {
    RunningServer server;
    ProtocolClient client = server.local();
    client.hello();
    client.subscribe();
    server.on_control(
        [&] { server.server.device_changed({.description = {.kind = "null"}, .fallback_reason = "unplugged"}); });
    const auto event = client.next_event();
    ASSERT_TRUE(event);
    EXPECT_EQ(event->device_changed().device().fallback_reason(), "unplugged");
}

TEST(Server, ListeningTwiceOnOneAddressIsRefused) {
    RunningServer server;
    server.on_control([&] {
        const auto again = server.server.listen_tcp("127.0.0.1:" + std::to_string(server.port));
        ASSERT_FALSE(again);
        EXPECT_EQ(again.error().code, ErrorCode::already_exists);
        const std::string own = "127.0.0.1:" + std::to_string(server.port);
        EXPECT_EQ(again.error().sentence, "cannot listen on \"" + own + "\": it overlaps " + own +
                                              ", which is another address of --listen or --web; expected one of them");
        for (const std::string host : {"localhost", "0.0.0.0"}) {
            const auto overlapping = server.server.listen_tcp(host + ":" + std::to_string(server.port));
            ASSERT_FALSE(overlapping) << host;
            EXPECT_NE(overlapping.error().sentence.find("it overlaps " + own), std::string::npos)
                << overlapping.error().sentence;
        }
        const RunningServer other;
        const auto foreign = server.server.listen_tcp("127.0.0.1:" + std::to_string(other.port));
        ASSERT_FALSE(foreign);
        EXPECT_NE(foreign.error().sentence.find("another process listens there"), std::string::npos)
            << foreign.error().sentence;
        const auto socket = server.server.listen_unix(server.socket_path);
        ASSERT_FALSE(socket);
        EXPECT_EQ(socket.error().code, ErrorCode::already_exists);
    });
    ProtocolClient client = server.local();
    client.hello();
}

}  // namespace
}  // namespace rta::net
