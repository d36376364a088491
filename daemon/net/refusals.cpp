// SPDX-License-Identifier: MIT
#include "net/refusals.h"

#include <array>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <chrono>
#include <utility>

#include "api/convert.h"
#include "frame/frame_codec.h"
#include "rta/v1/control.pb.h"

namespace rta::net {
namespace {

constexpr std::chrono::seconds kLingerTime{1};

std::string last_answer(const Error& reason) {
    v1::ServerMessage message;
    api::to_wire(reason, *message.mutable_response()->mutable_status());
    std::string frame;
    append_frame(frame, message.SerializeAsString());
    return frame;
}

}  // namespace

/// Owned by its coroutine.
struct Refusals::Connection {
    Connection(const asio::any_io_executor& executor, std::unique_ptr<ByteStream> its_stream, std::string its_answer)
        : stream{std::move(its_stream)}, answer{std::move(its_answer)}, timer{executor} {}

    std::unique_ptr<ByteStream> stream;
    std::string answer;
    asio::steady_timer timer;
};

void Refusals::add(std::unique_ptr<ByteStream> stream, const Error& reason) {
    std::erase_if(connections_, [](const auto& connection) { return connection.expired(); });
    if (connections_.size() >= kMost) {
        if (const auto oldest = connections_.front().lock()) oldest->stream->close();
        connections_.pop_front();
    }
    const auto connection = std::make_shared<Connection>(executor_, std::move(stream), last_answer(reason));
    connections_.push_back(connection);
    connection->timer.expires_after(kLingerTime);
    connection->timer.async_wait([weak = std::weak_ptr{connection}](asio::error_code cancelled) {
        const auto late = weak.lock();
        if (!cancelled && late) late->stream->close();
    });
    asio::co_spawn(executor_, send_reason(connection), asio::detached);
}

/// Sends the reason, and waits until the client has read it and closed its side.
asio::awaitable<void> Refusals::send_reason(std::shared_ptr<Connection> connection) {
    ByteStream& stream = *connection->stream;
    asio::error_code error;
    const std::array<asio::const_buffer, 1> buffers{asio::buffer(connection->answer)};
    co_await stream.write(buffers, error);
    if (!error && stream.is_open()) co_await stream.finish_writing(error);
    if (!error) co_await discard_input(stream);
    connection->timer.cancel();
    stream.close();
}

void Refusals::close() {
    for (const auto& weak : std::exchange(connections_, {})) {
        if (const auto connection = weak.lock()) connection->stream->close();
    }
}

}  // namespace rta::net
