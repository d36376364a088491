// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/thread_pool.hpp>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>

#include "api/workers.h"

namespace rta::net {

/// Two threads for the requests of clients, one for large ones, one for frequency responses, one for answers by the size
/// of the graph, one for urgent work, one that frees memory, and one of a low priority. Results return to the io_context. Its thread takes the
/// results of requests one at a time, because each may lead to a commit. Other work, such as a mute, waits for at most one.
class WorkerPool final : public api::Workers {
 public:
    explicit WorkerPool(asio::io_context& io);
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;
    ~WorkerPool() override;
    /// Returns freed memory to the system soon. Must be called after freeing much elsewhere than in the lane for it.
    void return_memory();
    /// Waits for running work; drops work that has not started.
    void stop();

 private:
    class Results;
    [[nodiscard]] std::array<asio::thread_pool*, 7> all_threads();
    void trim_later();
    [[nodiscard]] asio::thread_pool& threads_of(Lane lane);
    void start(Lane lane, std::function<void()> work, std::function<void()> done) override;

    std::atomic<bool> stopping_{false};
    asio::io_context& io_;
    std::shared_ptr<Results> results_;  ///< of requests; handlers of the io_context may outlive the pool
    asio::thread_pool request_threads_;
    asio::thread_pool large_request_thread_;
    asio::thread_pool response_thread_;
    asio::thread_pool answer_thread_;
    asio::thread_pool urgent_thread_;
    asio::thread_pool freeing_thread_;
    asio::thread_pool background_thread_;
    asio::steady_timer trim_timer_;                      ///< of the freeing thread
    bool trim_pending_ = false;                          ///< of the freeing thread
    std::chrono::steady_clock::time_point next_trim_{};  ///< at the earliest; of the freeing thread
};

}  // namespace rta::net
