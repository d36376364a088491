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

TlsNetwork::Turn::Turn(TlsNetwork& network, std::string address)
    : network_{network}, address_{std::move(address)}, timer_{network.io_, asio::steady_timer::time_point::max()} {}

bool TlsNetwork::Turn::may_run() const {
    if (network_.running_ >= network_.limits_.handshakes) return false;
    const auto found = network_.running_from_.find(address_);
    return found == network_.running_from_.end() || found->second < network_.limits_.handshakes_per_address;
}

void TlsNetwork::Turn::run() {
    ++network_.running_from_[address_];
    ++network_.running_;
    state_ = State::running;
}

asio::awaitable<void> TlsNetwork::Turn::wait() {
    if (may_run()) {
        run();
        co_return;
    }
    network_.waiting_.push_back(this);
    state_ = State::waiting;
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
    }
    if (state != State::running) return;
    --network_.running_;
    const auto from = network_.running_from_.find(address_);
    if (--from->second == 0) network_.running_from_.erase(from);
    const auto next = std::ranges::find_if(network_.waiting_, &Turn::may_run);
    if (next == network_.waiting_.end()) return;
    (*next)->run();
    (*next)->timer_.cancel();
    network_.waiting_.erase(next);
}

}  // namespace rta::net
