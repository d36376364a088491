// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "api/exception_barrier.h"
#include "text/error.h"

namespace rta::api {

/// Runs slow work on other threads. [control]
class Workers {
 public:
    /// Work in one lane never waits for work in another lane.
    enum class Lane : std::uint8_t {
        requests,        ///< requests of clients
        large_requests,  ///< see PendingRequest::large
        responses,       ///< frequency responses, one at a time
        answers,         ///< answers that take time by the size of the graph
        urgent,          ///< work that must not wait for clients: panic, and the successors of faulty nodes
        freeing,         ///< work that would occupy memory if it waited
        background,      ///< work for which no client waits, at a low priority
    };

    virtual ~Workers() = default;
    /// Calls `work` on a worker thread, and then `done` on the control thread: later, or before run() returns. `done`
    /// receives the exception of `work` as an error; see guarded().
    void run(std::string_view doing, std::function<void()> work, std::function<void(const Expected<void>&)> done,
             Lane lane = Lane::requests) {
        const auto outcome = std::make_shared<Expected<void>>();
        start(
            lane, [doing, work = std::move(work), outcome] { *outcome = guarded(doing, work); },
            [done = std::move(done), outcome] { done(*outcome); });
    }
    /// Frees on a thread what would take long: the nodes of a large transaction that was rejected. The caller must hand
    /// over the only reference.
    void free(std::shared_ptr<const void> memory) {
        static_cast<void>(guarded("freeing a request", [&] {
            run(
                "freeing a request", [owned = std::move(memory)]() mutable { owned.reset(); },
                [](const Expected<void>&) {}, Lane::freeing);
        }));
    }
    template <class Owned>
    void free(std::unique_ptr<Owned> memory) {
        static_cast<void>(guarded("freeing a request", [&] { free(std::shared_ptr<const void>{std::move(memory)}); }));
    }

 private:
    /// As run(), for `work` that does not throw.
    virtual void start(Lane lane, std::function<void()> work, std::function<void()> done) = 0;
};

}  // namespace rta::api
