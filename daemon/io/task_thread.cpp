// SPDX-License-Identifier: MIT
#include "io/task_thread.h"

#include <pthread.h>

#include <utility>

namespace rta::io {

TaskThread::~TaskThread() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock{queue_.mutex};
        queue_.closed = true;
    }
    queue_.changed.notify_one();
    thread_.join();
}

void TaskThread::post(std::function<void()> task) {
    {
        const std::lock_guard lock{queue_.mutex};
        queue_.tasks.push_back(std::move(task));
    }
    queue_.changed.notify_one();
    if (!thread_.joinable()) thread_ = std::thread{[this] { run(queue_); }};
}

void TaskThread::run(Queue& queue) {
    pthread_setname_np(pthread_self(), "rtad-device");
    std::unique_lock lock{queue.mutex};
    while (true) {
        queue.changed.wait(lock, [&] { return queue.closed || !queue.tasks.empty(); });
        if (queue.tasks.empty()) return;
        const std::function<void()> task = std::move(queue.tasks.front());
        queue.tasks.pop_front();
        lock.unlock();
        task();
        lock.lock();
    }
}

}  // namespace rta::io
