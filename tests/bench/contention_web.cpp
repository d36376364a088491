// SPDX-License-Identifier: MIT
// The part of contention_bench that loads a daemon as pages in browsers do: WebSockets that watch levels and ports.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "contention.h"
#include "daemon_load.h"
#include "os/unique_fd.h"
#include "support/temporary.h"

namespace rta::bench {
namespace {

constexpr std::size_t kPages = 20;
constexpr std::size_t kMixerChannels = 16;
constexpr float kRateHz = 30.0F;

std::string strip(const char* what, std::size_t channel) { return what + std::to_string(channel); }

/// Channels of a mixer, each with an equalizer, a gain and a meter.
void build_mixer(test::ProtocolClient client) {
    std::vector<v1::Edit> edits{test::add_node("output", "out")};
    for (std::size_t i = 0; i < kMixerChannels; ++i) {
        edits.push_back(test::add_node("sine", strip("source", i)));
        edits.push_back(test::add_node("equalizer", strip("equalizer", i)));
        edits.push_back(test::add_node("gain", strip("gain", i)));
        edits.push_back(test::add_node("meter", strip("meter", i)));
        edits.push_back(test::connect(strip("source", i), strip("equalizer", i)));
        edits.push_back(test::connect(strip("equalizer", i), strip("gain", i)));
        edits.push_back(test::connect(strip("gain", i), strip("meter", i)));
        edits.push_back(test::connect(strip("meter", i), "out", -40.0F));
    }
    client.apply(test::transaction(std::move(edits)));
}

/// A binary frame. The mask is zero, which leaves the payload as it is.
std::string web_frame(const v1::Request& request) {
    const std::string payload = request.SerializeAsString();
    std::string bytes{'\x82', '\xFE', static_cast<char>(payload.size() >> 8U),
                      static_cast<char>(payload.size() & 0xFFU)};
    if (payload.size() < 126) bytes = {'\x82', static_cast<char>(0x80U | payload.size())};
    return bytes + std::string(4, '\0') + payload;
}

/// What a page sends first: the handshake, Hello, and a subscription to all levels, and to some ports with their spectra.
std::string first_bytes(std::uint16_t port, std::size_t page) {
    const std::string host = "localhost:" + std::to_string(port);
    v1::Request hello;
    hello.mutable_hello()->set_protocol_version(1);
    v1::Request subscription;
    v1::Subscribe& subscribe = *subscription.mutable_subscribe();
    for (const v1::Topic topic : {v1::TOPIC_CHANGES, v1::TOPIC_LEVELS, v1::TOPIC_LOAD}) subscribe.add_topics(topic);
    subscribe.set_telemetry_rate_hz(kRateHz);
    for (std::size_t i = 0; i < 4; ++i) {
        v1::PortWatch& watch = *subscribe.add_watches();
        watch.set_port(strip("gain", (page + 4 * i) % kMixerChannels));
        watch.set_spectrum(i == 0);
    }
    return "GET /socket HTTP/1.1\r\nHost: " + host + "\r\nOrigin: http://" + host +
           "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" +
           web_frame(hello) + web_frame(subscription);
}

/// Appends what the daemon sends next. Throws if that takes more than 10 s, or if the connection ends.
void receive(const os::UniqueFd& socket, std::string& bytes) {
    pollfd wait{.fd = socket.get(), .events = POLLIN, .revents = 0};
    std::array<char, 65'536> part{};
    const ssize_t count = ::poll(&wait, 1, 10'000) == 1 ? ::recv(socket.get(), part.data(), part.size(), 0) : -1;
    if (count <= 0) throw std::runtime_error("the daemon did not answer a page");
    bytes.append(part.data(), static_cast<std::size_t>(count));
}

/// Removes the next frame, which has no mask, and returns its payload; receives what is missing.
std::string take_frame(const os::UniqueFd& socket, std::string& bytes) {
    const auto need = [&](std::size_t count) {
        while (bytes.size() < count) receive(socket, bytes);
    };
    need(2);
    const auto short_length = static_cast<std::size_t>(bytes[1] & 0x7F);
    const std::size_t more = short_length == 126 ? 2 : short_length == 127 ? 8 : 0;
    need(2 + more);
    std::size_t length = more == 0 ? short_length : 0;
    for (std::size_t i = 0; i < more; ++i) length = length << 8U | static_cast<unsigned char>(bytes[2 + i]);
    need(2 + more + length);
    std::string payload = bytes.substr(2 + more, length);
    bytes.erase(0, 2 + more + length);
    return payload;
}

/// Waits until the daemon has accepted the handshake, Hello and the subscription. Throws if it refuses one of them.
void await_acceptance(const os::UniqueFd& socket) {
    std::string bytes;
    std::size_t end = std::string::npos;
    while (end == std::string::npos) {
        receive(socket, bytes);
        end = bytes.find("\r\n\r\n");
    }
    if (!bytes.starts_with("HTTP/1.1 101 ")) throw std::runtime_error("the WebSocket was refused: " + bytes);
    bytes.erase(0, end + 4);
    for (std::size_t accepted = 0; accepted < 2;) {
        v1::ServerMessage message;
        if (!message.ParseFromString(take_frame(socket, bytes))) throw std::runtime_error("a frame is not a message");
        if (!message.has_response()) continue;
        if (message.response().status().code() != v1::OK)
            throw std::runtime_error("a page was refused: " + message.response().status().message());
        ++accepted;
    }
}

/// Pages that read what the daemon sends, from construction to the end of the scope.
class Pages {
 public:
    explicit Pages(std::uint16_t port) {
        for (std::size_t i = 0; i < kPages; ++i) {
            os::UniqueFd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
            sockaddr_in address{};
            address.sin_family = AF_INET;
            address.sin_port = htons(port);
            address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            const std::string bytes = first_bytes(port, i);
            if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
                ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size()))
                throw std::runtime_error("cannot connect to --web");
            sockets_.push_back(std::move(socket));
        }
        for (const os::UniqueFd& socket : sockets_) await_acceptance(socket);
        thread_ = std::thread{[this] { run(); }};
    }
    Pages(const Pages&) = delete;
    Pages& operator=(const Pages&) = delete;
    ~Pages() {
        stop_ = true;
        thread_.join();
    }
    [[nodiscard]] std::uint64_t received_bytes() const { return received_; }

 private:
    void run() {
        std::vector<pollfd> waits;
        for (const os::UniqueFd& socket : sockets_)
            waits.push_back({.fd = socket.get(), .events = POLLIN, .revents = 0});
        std::array<char, 65'536> discarded{};
        while (!stop_) {
            ::poll(waits.data(), waits.size(), 50);
            for (const pollfd& wait : waits) {
                if (wait.revents == 0) continue;
                const ssize_t count = ::recv(wait.fd, discarded.data(), discarded.size(), MSG_DONTWAIT);
                if (count > 0) received_ += static_cast<std::uint64_t>(count);
            }
        }
    }

    std::vector<os::UniqueFd> sockets_;
    std::atomic<bool> stop_{false};
    std::atomic<std::uint64_t> received_{0};
    std::thread thread_;
};

}  // namespace

void measure_web(const LoadOptions& options) {
    print_title("Late blocks, quiet and with " + std::to_string(kPages) +
                " WebSockets that watch levels and spectra at 30 Hz (wanted: at most 1.2 times as many, plus 3)");
    const std::uint16_t port = test::free_tcp_port();
    test::Daemon::Options with_page = null_device();
    with_page.arguments.insert(with_page.arguments.end(), {"--web", "127.0.0.1:" + std::to_string(port)});
    test::Daemon daemon{with_page};
    build_mixer(daemon.client());
    test::ProtocolClient client = daemon.client("measured");
    std::uint64_t received = 0;
    const auto loaded = [&] {
        const Pages pages{port};
        options.sleep();
        if (const std::uint32_t clients = client.status().client_count(); clients != 1 + kPages)
            throw std::runtime_error("expected " + std::to_string(1 + kPages) + " clients, not " +
                                     std::to_string(clients));
        received += pages.received_bytes();
    };
    const LateBlocks late = LateBlocks::count(client, [&] { options.sleep(); }, loaded);
    print_figure("telemetry to the pages in a second",
                 decimal(static_cast<double>(received) / (5.0 * options.seconds) / 1024.0, 0) + " KiB");
    print_figure("late blocks in 5 pairs, quiet and under load", late.text(), "wanted <= " + decimal(late.wanted(), 1));
}

}  // namespace rta::bench
