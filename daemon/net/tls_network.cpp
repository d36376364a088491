// SPDX-License-Identifier: MIT
#include "net/tls_network.h"

#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigset_t is POSIX

#include <algorithm>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>

#include "api/exception_barrier.h"

namespace rta::net {
namespace {

/// OpenSSL writes to sockets that the client may have closed. The signals of the program belong to its other threads.
void block_signals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

TlsNetwork::TlsNetwork(std::shared_ptr<const TlsContext> context, TlsLimits limits)
    : context_{std::move(context)}, limits_{limits}, work_{asio::make_work_guard(io_)} {
    asio::post(handshake_thread_, &block_signals);
    network_thread_ = std::thread{[this] {
        block_signals();
        // An operation for which memory is missing fails; the others continue.
        while (!api::guarded("serving TLS clients", [this] { io_.run(); })) {
        }
    }};
}

TlsNetwork::~TlsNetwork() { stop(); }

void TlsNetwork::stop() {
    if (!running()) return;
    io_.stop();
    network_thread_.join();
    handshake_thread_.join();
    // Completes what the owners of the streams have cancelled, so that no handler keeps a stream.
    io_.restart();
    while (io_.poll() > 0) {
    }
}

void TlsNetwork::post(std::function<void()> call) {
    if (!running()) return call();
    asio::post(io_, std::move(call));
}

TlsNetwork::Turn::Turn(TlsNetwork& network)
    : network_{network}, timer_{network.io_, asio::steady_timer::time_point::max()} {}

asio::awaitable<void> TlsNetwork::Turn::wait() {
    if (network_.running_ < network_.limits_.handshakes) {
        ++network_.running_;
        state_ = State::running;
        co_return;
    }
    state_ = State::waiting;
    network_.waiting_.push_back(this);
    asio::error_code ignored;
    while (state_ == State::waiting) {
        co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
}

void TlsNetwork::Turn::end() {
    const State state = std::exchange(state_, State::idle);
    if (state == State::waiting) {
        std::erase(network_.waiting_, this);
        timer_.cancel();
    } else if (state == State::running && network_.waiting_.empty()) {
        --network_.running_;
    } else if (state == State::running) {
        Turn& next = *network_.waiting_.front();
        network_.waiting_.pop_front();
        next.state_ = State::running;
        next.timer_.cancel();
    }
}

}  // namespace rta::net
