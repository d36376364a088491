// SPDX-License-Identifier: MIT
#include "net/worker_pool.h"

#include <algorithm>
#include <asio/post.hpp>
#include <chrono>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "api/exception_barrier.h"
#include "os/memory.h"
#include "os/thread_priority.h"

namespace rta::net {
namespace {

constexpr std::size_t kRequestThreads = 2;
/// Pause before retrying an operation that failed because memory ran out.
constexpr std::chrono::milliseconds kMemoryPause{10};
/// Time from a request that was freed to the return of memory, which then covers what is freed in the meantime.
constexpr std::chrono::seconds kTrimDelay{2};
/// Minimum interval between two of them: each delays allocations, by up to 0.1 ms for each locked MB.
constexpr std::chrono::seconds kTrimInterval{10};
constexpr std::size_t kKeptBytes = std::size_t{1} << 20U;
/// How long one handler takes results. Most take microseconds; one that leads to a commit is the last.
constexpr std::chrono::microseconds kResultsSlice{100};

}  // namespace

/// Results that wait for the thread of the io_context. A handler takes some of them and posts the next handler.
class WorkerPool::Results : public std::enable_shared_from_this<Results> {
 public:
    explicit Results(asio::io_context& io) : io_{io} {}

    /// [any] May throw; the result has then not been added.
    void add(const std::function<void()>& done) {
        const std::scoped_lock lock{mutex_};
        results_.push_back(done);
        if (posted_) return;
        try {
            post();
            posted_ = true;
        } catch (...) {
            results_.pop_back();
            throw;
        }
    }

 private:
    void post() {
        asio::post(io_, [self = shared_from_this()] { self->take(); });
    }

    void take() {
        const auto end = std::chrono::steady_clock::now() + kResultsSlice;
        while (const auto done = next()) {
            done();
            // If memory is too short for another handler, this handler takes the next results, too.
            if (std::chrono::steady_clock::now() >= end && api::guarded("taking a result", [this] { post(); })) return;
        }
    }

    /// Returns nullptr, and lets the next result post a handler, if none exist.
    [[nodiscard]] std::function<void()> next() {
        const std::scoped_lock lock{mutex_};
        posted_ = !results_.empty();
        if (!posted_) return nullptr;
        std::function<void()> done = std::move(results_.front());
        results_.pop_front();
        return done;
    }

    asio::io_context& io_;
    std::mutex mutex_;
    std::deque<std::function<void()>> results_;
    bool posted_ = false;  ///< a handler processes results, or will
};

WorkerPool::WorkerPool(asio::io_context& io)
    : io_{io},
      results_{std::make_shared<Results>(io)},
      request_threads_{kRequestThreads},
      large_request_thread_{1},
      response_thread_{1},
      answer_thread_{1},
      urgent_thread_{1},
      freeing_thread_{1},
      background_thread_{1},
      trim_timer_{freeing_thread_} {
    asio::post(background_thread_, os::lower_thread_priority);
}

WorkerPool::~WorkerPool() = default;

void WorkerPool::stop() {
    stopping_ = true;
    for (asio::thread_pool* const threads : all_threads()) threads->stop();
    for (asio::thread_pool* const threads : all_threads()) threads->join();
}

std::array<asio::thread_pool*, 7> WorkerPool::all_threads() {
    return {&request_threads_, &large_request_thread_, &response_thread_,  &answer_thread_,
            &urgent_thread_,   &freeing_thread_,       &background_thread_};
}

asio::thread_pool& WorkerPool::threads_of(Lane lane) {
    switch (lane) {
        case Lane::large_requests:
            return large_request_thread_;
        case Lane::responses:
            return response_thread_;
        case Lane::answers:
            return answer_thread_;
        case Lane::urgent:
            return urgent_thread_;
        case Lane::freeing:
            return freeing_thread_;
        case Lane::background:
            return background_thread_;
        case Lane::requests:
            break;
    }
    return request_threads_;
}

/// Returns freed memory to the system, which the heap would keep, and which is locked.
void WorkerPool::trim_later() {
    if (std::exchange(trim_pending_, true)) return;
    trim_timer_.expires_at(std::max(std::chrono::steady_clock::now() + kTrimDelay, next_trim_));
    trim_timer_.async_wait([this](const asio::error_code& cancelled) {
        trim_pending_ = false;
        if (cancelled) return;
        os::return_free_memory(kKeptBytes);
        next_trim_ = std::chrono::steady_clock::now() + kTrimInterval;
    });
}

void WorkerPool::return_memory() {
    asio::post(freeing_thread_, [this] { trim_later(); });
}

void WorkerPool::start(Lane lane, std::function<void()> work, std::function<void()> done) {
    asio::post(threads_of(lane), [this, lane, work = std::move(work), done = std::move(done)] {
        work();
        if (lane == Lane::freeing) trim_later();
        const bool may_commit =
            lane == Lane::requests || lane == Lane::large_requests || lane == Lane::responses || lane == Lane::answers;
        const auto deliver = [&] { may_commit ? results_->add(done) : asio::post(io_, done); };
        // A client waits for the result, so it must not be lost because of a temporary lack of memory.
        while (!api::guarded("returning a result", deliver) && !stopping_) {
            std::this_thread::sleep_for(kMemoryPause);
        }
    });
}

}  // namespace rta::net
