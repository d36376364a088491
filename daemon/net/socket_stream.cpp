// SPDX-License-Identifier: MIT
#include "net/socket_stream.h"

#include <asio/completion_condition.hpp>
#include <asio/error.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>
#include <utility>

namespace rta::net {
namespace {

class SocketStream final : public ByteStream {
 public:
    explicit SocketStream(StreamSocket socket) : socket_{std::move(socket)} {
        asio::error_code ignored;  // of a socket that is broken, which the first read reports
        socket_.non_blocking(true, ignored);
    }

    asio::awaitable<std::size_t> read_some(std::span<char> into, asio::error_code& error) override {
        return socket_.async_read_some(asio::buffer(into.data(), into.size()),
                                       asio::redirect_error(asio::use_awaitable, error));
    }

    std::size_t write_now(std::span<const asio::const_buffer> buffers, asio::error_code& error) override {
        const std::size_t sent = socket_.write_some(buffers, error);
        if (error == asio::error::would_block || error == asio::error::try_again) error.clear();
        bytes_taken_ += sent;
        return sent;
    }

    asio::awaitable<std::size_t> write(std::span<const asio::const_buffer> buffers, asio::error_code& error) override {
        // Called before each attempt to send the rest.
        const auto until_all_sent = [this, before = bytes_taken_](const asio::error_code& failed, std::size_t sent) {
            bytes_taken_ = before + sent;
            return asio::transfer_all()(failed, sent);
        };
        return asio::async_write(socket_, buffers, until_all_sent, asio::redirect_error(asio::use_awaitable, error));
    }

    std::uint64_t bytes_taken() const override { return bytes_taken_; }

    asio::awaitable<void> finish_writing(asio::error_code& error) override {
        socket_.shutdown(StreamSocket::shutdown_send, error);
        co_return;
    }

    void stop_reading() override {
        asio::error_code ignored;
        socket_.shutdown(StreamSocket::shutdown_receive, ignored);
    }

    void close() override {
        asio::error_code ignored;
        socket_.close(ignored);
    }

    bool is_open() const override { return socket_.is_open(); }

 private:
    StreamSocket socket_;
    std::uint64_t bytes_taken_ = 0;
};

}  // namespace

std::unique_ptr<ByteStream> make_socket_stream(StreamSocket socket) {
    return std::make_unique<SocketStream>(std::move(socket));
}

}  // namespace rta::net
