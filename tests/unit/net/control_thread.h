// SPDX-License-Identifier: MIT
#pragma once

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <condition_variable>
#include <cstddef>
#include <future>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "support/deadline.h"

namespace rta::net {

/// Collects lines, such as those of a log, for tests that wait for one. Thread-safe.
class Lines {
 public:
    void add(std::string_view line) {
        const std::scoped_lock lock{mutex_};
        text_ += std::string{line} + "\n";
        changed_.notify_all();
    }
    [[nodiscard]] bool wait_for(std::string_view words) {
        std::unique_lock lock{mutex_};
        return changed_.wait_for(lock, test::kPatience, [&] { return text_.find(words) != std::string::npos; });
    }
    [[nodiscard]] std::size_t count(std::string_view words) {
        const std::scoped_lock lock{mutex_};
        std::size_t count = 0;
        for (std::size_t at = text_.find(words); at != std::string::npos; at = text_.find(words, at + 1)) ++count;
        return count;
    }
    [[nodiscard]] bool has(std::string_view words) { return count(words) > 0; }

 private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::string text_;
};

/// The control thread of a server under test.
class ControlThread {
 public:
    [[nodiscard]] asio::io_context& io() { return io_; }

    void start() {
        thread_ = std::thread{[this] { io_.run(); }};
    }
    /// Runs `call` on the thread, and waits for it.
    template <class Call>
    void run(const Call& call) {
        std::promise<void> done;
        asio::post(io_, [&] {
            call();
            done.set_value();
        });
        done.get_future().wait();
    }
    /// Runs `last` on the thread, and waits until everything else has ended, too.
    template <class Call>
    void stop(const Call& last) {
        run(last);
        work_.reset();
        thread_.join();
    }

 private:
    asio::io_context io_;
    asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
    std::thread thread_;
};

}  // namespace rta::net
