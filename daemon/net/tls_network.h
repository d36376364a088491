// SPDX-License-Identifier: MIT
#pragma once

#include <asio/awaitable.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/thread_pool.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "net/tls_context.h"
#include "net/tls_limits.h"

namespace rta::net {

/// The threads of the TLS sessions of a server. The network thread waits for sockets, and encrypts and decrypts. The
/// public-key operations of a handshake take as long as hundreds of messages, so they run on a second thread and do not
/// delay established sessions.
class TlsNetwork {
 public:
    explicit TlsNetwork(std::shared_ptr<const TlsContext> context, TlsLimits limits = {});
    TlsNetwork(const TlsNetwork&) = delete;
    TlsNetwork& operator=(const TlsNetwork&) = delete;
    /// Calls stop().
    ~TlsNetwork();

    /// Ends the threads. Pending operations of streams complete with an error. [control]
    void stop();

    /// Returns whether stop() has not been called. [control]
    [[nodiscard]] bool running() const { return network_thread_.joinable(); }
    /// Runs a function on the network thread, or immediately after stop(). [control]
    void post(std::function<void()> call);

    [[nodiscard]] const TlsContext& context() const { return *context_; }
    [[nodiscard]] const TlsLimits& limits() const { return limits_; }
    /// The executor of the network thread. [any]
    [[nodiscard]] asio::io_context::executor_type executor() { return io_.get_executor(); }
    [[nodiscard]] asio::thread_pool::executor_type handshake_executor() { return handshake_thread_.get_executor(); }

    /// Lets one handshake wait for its turn among those that may run. Of those that wait, the first whose address may have
    /// another one is next. [network thread]
    class Turn {
     public:
        /// `address`: see TlsLimits::handshakes_per_address.
        Turn(TlsNetwork& network, std::string address);
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;
        /// Ends the turn, or the wait.
        ~Turn() { end(); }

        /// Returns when it is this handshake's turn, or after end().
        [[nodiscard]] asio::awaitable<void> wait();
        void end();

     private:
        enum class State : std::uint8_t { idle, waiting, running };
        [[nodiscard]] bool may_run() const;
        void run();

        TlsNetwork& network_;
        const std::string address_;
        asio::steady_timer timer_;
        State state_ = State::idle;
    };

 private:
    const std::shared_ptr<const TlsContext> context_;
    const TlsLimits limits_;
    asio::io_context io_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    asio::thread_pool handshake_thread_{1};
    std::size_t running_ = 0;                          ///< [network thread]
    std::map<std::string, std::size_t> running_from_;  ///< by address [network thread]
    std::deque<Turn*> waiting_;                        ///< [network thread]
    std::thread network_thread_;
};

}  // namespace rta::net
