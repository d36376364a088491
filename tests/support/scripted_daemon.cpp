// SPDX-License-Identifier: MIT
#include "support/scripted_daemon.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "frame/frame_codec.h"

namespace rta::test {

namespace {

std::string frame(const v1::ServerMessage& message) {
    std::string bytes;
    append_frame(bytes, message.SerializeAsString());
    return bytes;
}

/// Returns false if the client has disconnected, which some tests intend.
bool write_all(int connection, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

v1::Response welcome(const v1::Request& request) {
    v1::Response response = ok(request);
    response.mutable_hello()->set_protocol_version(1);
    response.mutable_hello()->set_server_version("9.9.9");
    response.mutable_hello()->set_instance_id("instance");
    return response;
}

}  // namespace

std::string frame(const v1::Response& response) {
    v1::ServerMessage message;
    *message.mutable_response() = response;
    return frame(message);
}

std::string frame(const v1::Event& event) {
    v1::ServerMessage message;
    *message.mutable_event() = event;
    return frame(message);
}

v1::Response ok(const v1::Request& request) {
    v1::Response response;
    response.set_id(request.id());
    response.mutable_status()->set_code(v1::OK);
    // A request and its result have the same field number.
    if (const auto* const result = v1::Response::descriptor()->FindFieldByNumber(request.request_case()))
        v1::Response::GetReflection()->MutableMessage(&response, result);
    return response;
}

v1::Response refusal(const v1::Request& request, v1::Code code, const std::string& sentence) {
    v1::Response response;
    response.set_id(request.id());
    response.mutable_status()->set_code(code);
    response.mutable_status()->set_message(sentence);
    return response;
}

v1::Event heard(std::uint64_t number) {
    v1::Event event;
    event.set_number(number);
    event.mutable_transaction_heard()->set_revision(number);
    event.mutable_transaction_heard()->set_frame(number * 64);
    return event;
}

ScriptedDaemon::ScriptedDaemon(Handler handler) : handler_{std::move(handler)}, answers_hello_{true} {}

ScriptedDaemon::ScriptedDaemon(Handler handler, std::string greeting)
    : handler_{std::move(handler)}, answers_hello_{false}, greeting_{std::move(greeting)} {}

ScriptedDaemon::~ScriptedDaemon() {
    listener_.stop();
    {
        const std::scoped_lock lock{mutex_};
        for (const os::UniqueFd& connection : connections_) ::shutdown(connection.get(), SHUT_RDWR);
    }
    for (std::thread& session : sessions_) session.join();
}

void ScriptedDaemon::add(os::UniqueFd client) {
    const std::scoped_lock lock{mutex_};
    const int connection = connections_.emplace_back(std::move(client)).get();
    sessions_.emplace_back([this, connection] { serve(connection); });
}

void ScriptedDaemon::serve(int connection) {
    write_all(connection, greeting_);
    FrameDecoder decoder;
    std::array<char, 65'536> bytes{};
    for (;;) {
        const ssize_t count = ::recv(connection, bytes.data(), bytes.size(), 0);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        decoder.feed(std::span{bytes}.first(static_cast<std::size_t>(count)));
        for (auto payload = decoder.next(); payload && *payload; payload = decoder.next()) {
            v1::Request request;
            if (!request.ParseFromArray((*payload)->data(), static_cast<int>((*payload)->size()))) break;
            const Reply reply = answer(request);
            while (write_all(connection, reply.bytes) && reply.repeat) {
            }
            if (reply.close) {
                ::shutdown(connection, SHUT_RDWR);
                return;
            }
        }
    }
    ::shutdown(connection, SHUT_RDWR);
}

Reply ScriptedDaemon::answer(const v1::Request& request) {
    const std::scoped_lock lock{mutex_};
    if (answers_hello_ && request.has_hello()) return {.bytes = frame(welcome(request))};
    requests_.push_back(request);
    Reply reply = handler_(request);
    answered_.notify_all();
    return reply;
}

std::vector<v1::Request> ScriptedDaemon::requests() const {
    const std::scoped_lock lock{mutex_};
    return requests_;
}

std::size_t ScriptedDaemon::connections() const {
    const std::scoped_lock lock{mutex_};
    return connections_.size();
}

void ScriptedDaemon::wait_for(v1::Request::RequestCase kind) const {
    std::unique_lock lock{mutex_};
    answered_.wait(lock, [&] {
        return std::ranges::any_of(requests_, [&](const auto& request) { return request.request_case() == kind; });
    });
}

}  // namespace rta::test
