// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <asio/error.hpp>
#include <asio/io_context.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "net/byte_stream.h"
#include "net/condition.h"

namespace rta::net {

/// The state of a stream, which outlives the stream.
struct StreamState {
    explicit StreamState(asio::io_context& io) : changed{io.get_executor()}, written{io.get_executor()} {}

    std::deque<std::string> input;  ///< each is the result of one read
    bool input_ends = false;        ///< eof after the input; otherwise the read waits
    std::string output;
    std::size_t largest_write = 0;
    asio::error_code write_error;
    bool writes_held = false;  ///< a write waits until the stream is closed
    std::uint64_t bytes_taken = 0;
    bool finished = false;  ///< no more output follows
    bool open = true;
    Condition changed;
    Condition written;  ///< for the write that waits
    int reads_pending = 0;
};

class MemoryStream final : public ByteStream {
 public:
    explicit MemoryStream(std::shared_ptr<StreamState> state) : state_{std::move(state)} {}
    ~MemoryStream() override { close(); }

    asio::awaitable<std::size_t> read_some(std::span<char> into, asio::error_code& error) override {
        const auto state = state_;
        EXPECT_EQ(state->reads_pending++, 0) << "two reads at a time";
        while (state->open && state->input.empty() && !state->input_ends) co_await state->changed.wait();
        --state->reads_pending;
        if (!state->open) {
            error = asio::error::operation_aborted;
            co_return 0;
        }
        if (state->input.empty()) {
            error = asio::error::eof;
            co_return 0;
        }
        std::string& next = state->input.front();
        const std::size_t count = next.copy(into.data(), into.size());
        next.erase(0, count);
        if (next.empty()) state->input.pop_front();
        error = {};
        co_return count;
    }

    asio::awaitable<std::size_t> write(std::span<const asio::const_buffer> buffers, asio::error_code& error) override {
        const auto state = state_;
        error = state->write_error;
        while (state->open && state->writes_held) co_await state->written.wait();
        if (!state->open) error = asio::error::operation_aborted;
        if (error) co_return 0;
        std::size_t count = 0;
        state->largest_write = std::max(state->largest_write, asio::buffer_size(buffers));
        for (const asio::const_buffer& buffer : buffers) {
            state->output.append(static_cast<const char*>(buffer.data()), buffer.size());
            count += buffer.size();
        }
        co_return count;
    }

    [[nodiscard]] std::uint64_t bytes_taken() const override { return state_->bytes_taken; }

    asio::awaitable<void> finish_writing(asio::error_code& error) override {
        error = {};
        state_->finished = true;
        co_return;
    }

    void stop_reading() override {
        state_->input_ends = true;
        state_->changed.raise();
    }

    void close() override {
        state_->open = false;
        state_->changed.raise();
        state_->written.raise();
    }

    [[nodiscard]] bool is_open() const override { return state_->open; }

 private:
    std::shared_ptr<StreamState> state_;
};

}  // namespace rta::net
