// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace rta::io {

/// Thread that runs tasks in order, for calls that may block indefinitely. The first task starts it. [control]
class TaskThread {
 public:
    TaskThread() = default;
    TaskThread(const TaskThread&) = delete;
    TaskThread& operator=(const TaskThread&) = delete;
    /// Waits for all queued tasks.
    ~TaskThread();

    /// Queues a task, which must not throw.
    void post(std::function<void()> task);

 private:
    struct Queue {
        std::mutex mutex;
        std::condition_variable changed;
        std::deque<std::function<void()>> tasks;  ///< under mutex
        bool closed = false;                      ///< under mutex
    };
    static void run(Queue& queue);

    Queue queue_;
    std::thread thread_;
};

}  // namespace rta::io
