// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <thread>

#include "os/unique_fd.h"

namespace rta::test {

/// Listens on a free loopback port, and calls a function with each client, on a thread of its own.
class LoopbackListener {
 public:
    /// Throws std::runtime_error if it cannot listen.
    explicit LoopbackListener(std::function<void(os::UniqueFd)> on_client);
    LoopbackListener(const LoopbackListener&) = delete;
    LoopbackListener& operator=(const LoopbackListener&) = delete;
    ~LoopbackListener() { stop(); }

    [[nodiscard]] std::uint16_t port() const { return port_; }
    /// Stops accepting clients. The function is not called after it.
    void stop();

 private:
    void accept_all();

    std::function<void(os::UniqueFd)> on_client_;
    os::UniqueFd listener_;
    std::uint16_t port_ = 0;
    std::thread thread_;
};

}  // namespace rta::test
