// SPDX-License-Identifier: MIT
#include "support/protocol_client.h"

#include <arpa/inet.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/util/delimited_message_util.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <system_error>

namespace rta::test {
namespace {

[[noreturn]] void fail_with_errno(const std::string& what) {
    throw std::runtime_error(what + ": " + std::generic_category().message(errno));
}

void connect_socket(const os::UniqueFd& socket, const sockaddr* address, socklen_t size, const std::string& name) {
    if (::connect(socket.get(), address, size) != 0) fail_with_errno("cannot connect to " + name);
}

const v1::Response& require_ok(const v1::Response& response) {
    if (response.status().code() != v1::OK) {
        throw std::runtime_error("the daemon refused: " + v1::Code_Name(response.status().code()) + ": " +
                                 response.status().message());
    }
    return response;
}

}  // namespace

std::string delimited(const v1::Request& request) {
    std::ostringstream stream;
    google::protobuf::util::SerializeDelimitedToOstream(request, &stream);
    return stream.str();
}

ProtocolClient ProtocolClient::connect_unix(const std::filesystem::path& path) {
    os::UniqueFd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string text = path.string();
    if (text.size() >= sizeof address.sun_path) throw std::runtime_error("the path of the socket is too long: " + text);
    std::memcpy(address.sun_path, text.c_str(), text.size() + 1);
    connect_socket(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address, text);
    return ProtocolClient{std::move(socket)};
}

ProtocolClient ProtocolClient::connect_tcp(std::uint16_t port) {
    os::UniqueFd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connect_socket(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address,
                   "127.0.0.1:" + std::to_string(port));
    const int on = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return ProtocolClient{std::move(socket)};
}

void ProtocolClient::send_bytes(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail_with_errno("cannot send to the daemon");
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
}

void ProtocolClient::finish_sending() { ::shutdown(socket_.get(), SHUT_WR); }

void ProtocolClient::send(const v1::Request& request) { send_bytes(delimited(request)); }

bool ProtocolClient::take_message() {
    google::protobuf::io::CodedInputStream stream{reinterpret_cast<const std::uint8_t*>(buffer_.data()),
                                                  static_cast<int>(buffer_.size())};
    std::uint32_t length = 0;
    if (!stream.ReadVarint32(&length)) return false;
    const auto header = static_cast<std::size_t>(stream.CurrentPosition());
    if (buffer_.size() - header < length) return false;
    v1::ServerMessage message;
    if (!message.ParseFromArray(buffer_.data() + header, static_cast<int>(length))) {
        throw std::runtime_error("the daemon sent " + std::to_string(length) + " bytes that are no ServerMessage");
    }
    buffer_.erase(0, header + length);
    switch (message.message_case()) {
        case v1::ServerMessage::kResponse:
            responses_.push_back(std::move(*message.mutable_response()));
            break;
        case v1::ServerMessage::kEvent:
            events_.push_back(std::move(*message.mutable_event()));
            break;
        case v1::ServerMessage::MESSAGE_NOT_SET:
            throw std::runtime_error("the daemon sent an empty ServerMessage");
    }
    return true;
}

ProtocolClient::Received ProtocolClient::receive(const Deadline& deadline) {
    for (;;) {
        if (take_message()) return Received::message;
        if (closed_) return Received::closed;
        pollfd entry{socket_.get(), POLLIN, 0};
        const int ready = ::poll(&entry, 1, static_cast<int>(deadline.left().count()));
        if (ready == 0 && deadline.passed()) return Received::nothing;
        if (ready <= 0) continue;
        std::array<char, 65536> chunk{};
        const ssize_t count = ::recv(socket_.get(), chunk.data(), chunk.size(), 0);
        if (count > 0) {
            buffer_.append(chunk.data(), static_cast<std::size_t>(count));
        } else if (count == 0 || errno != EINTR) {
            closed_ = true;
        }
    }
}

v1::Response ProtocolClient::receive_response(std::chrono::milliseconds patience) {
    const Deadline deadline{patience};
    while (responses_.empty()) {
        switch (receive(deadline)) {
            case Received::message:
                break;
            case Received::closed:
                throw std::runtime_error("the daemon closed the connection instead of answering");
            case Received::nothing:
                throw std::runtime_error("the daemon does not answer");
        }
    }
    v1::Response response = std::move(responses_.front());
    responses_.pop_front();
    return response;
}

std::optional<v1::Event> ProtocolClient::next_event(std::chrono::milliseconds patience) {
    const Deadline deadline{patience};
    while (events_.empty()) {
        if (receive(deadline) != Received::message) return std::nullopt;
    }
    v1::Event event = std::move(events_.front());
    events_.pop_front();
    return event;
}

bool ProtocolClient::wait_closed(std::chrono::milliseconds patience) {
    const Deadline deadline{patience};
    for (;;) {
        switch (receive(deadline)) {
            case Received::message:
                break;
            case Received::closed:
                return true;
            case Received::nothing:
                return false;
        }
    }
}

v1::Response ProtocolClient::call(v1::Request request) {
    request.set_id(next_id_++);
    send(request);
    v1::Response response = receive_response();
    if (response.id() != request.id()) {
        throw std::runtime_error("response " + std::to_string(response.id()) + " to request " +
                                 std::to_string(request.id()) + ": " + response.status().message());
    }
    return response;
}

v1::HelloResult ProtocolClient::hello(const std::string& client_name) {
    v1::Request request;
    request.mutable_hello()->set_protocol_version(1);
    request.mutable_hello()->set_client_name(client_name);
    return require_ok(call(request)).hello();
}

v1::StatusResult ProtocolClient::status() {
    v1::Request request;
    request.mutable_get_status();
    return require_ok(call(request)).get_status();
}

v1::GraphResult ProtocolClient::graph() {
    v1::Request request;
    request.mutable_get_graph();
    return require_ok(call(request)).get_graph();
}

v1::SubscribeResult ProtocolClient::subscribe(const std::vector<v1::Topic>& topics,
                                              std::optional<float> telemetry_rate_hz) {
    v1::Request request;
    v1::Subscribe& subscribe = *request.mutable_subscribe();
    for (const v1::Topic topic : topics) subscribe.add_topics(topic);
    if (telemetry_rate_hz) subscribe.set_telemetry_rate_hz(*telemetry_rate_hz);
    return require_ok(call(request)).subscribe();
}

v1::TransactionResult ProtocolClient::apply(const v1::EditList& edits) {
    return require_ok(call(apply_request(edits))).apply_transaction();
}

v1::TransactionResult ProtocolClient::apply_document(const std::string& text) {
    v1::Request request;
    request.mutable_apply_transaction()->set_document(text);
    request.mutable_apply_transaction()->set_wait_for_start(true);
    return require_ok(call(request)).apply_transaction();
}

v1::ParametersResult ProtocolClient::set_parameter(const std::string& node, const std::string& parameter, float value) {
    v1::Request request;
    v1::SetParameter* change = request.mutable_set_parameters()->add_changes();
    change->set_node(node);
    change->set_parameter(parameter);
    change->set_value(value);
    return require_ok(call(request)).set_parameters();
}

}  // namespace rta::test
