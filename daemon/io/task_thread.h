// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace rta::io {

/// A thread that runs tasks one after the other: where calls are made that may block for ever. Started by the first
/// task. [control]
class TaskThread {
 public:
    TaskThread() = default;
    TaskThread(const TaskThread&) = delete;
    TaskThread& operator=(const TaskThread&) = delete;
    /// Waits for the tasks that are queued.
    ~TaskThread();

    /// Tasks must not throw.
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
