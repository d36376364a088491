// SPDX-License-Identifier: MIT
#include "net/worker_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <atomic>
#include <chrono>
#include <latch>
#include <string>
#include <thread>

namespace rta::net::worker_pool_test {
namespace {

constexpr int kRequests = 5;

TEST(WorkerPool, ResultsThatTakeLongDoNotHoldBackOtherWork) {
    asio::io_context io;
    WorkerPool pool{io};
    std::latch worked{kRequests};
    std::string order;
    for (int i = 0; i < kRequests; ++i) {
        const auto commit = [&](const Expected<void>&) {
            order += 'r';
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
        };
        pool.run("working", [&] { worked.count_down(); }, commit);
    }
    worked.wait();
    pool.stop();  // so all results have been returned
    asio::post(io, [&] { order += 'm'; });
    io.run();
    EXPECT_EQ(order, "rmrrrr");
}

/// Occupies a lane with work that waits until all other lanes have run theirs.
void expect_not_to_hold_back(api::Workers::Lane lane) {
    using enum api::Workers::Lane;
    asio::io_context io;
    WorkerPool pool{io};
    const auto ignore = [](const Expected<void>&) {};
    std::latch others{4};
    std::latch slow{kRequests};
    for (int i = 0; i < kRequests; ++i) {
        const auto work = [&] {
            others.wait();
            slow.count_down();
        };
        pool.run("working", work, ignore, lane);
    }
    for (const auto other : {requests, large_requests, responses, urgent, freeing}) {
        if (other != lane) pool.run("working", [&] { others.count_down(); }, ignore, other);
    }
    slow.wait();
    pool.stop();
}

TEST(WorkerPool, LargeRequestsDoNotHoldBackOthers) { expect_not_to_hold_back(api::Workers::Lane::large_requests); }

TEST(WorkerPool, ResponsesDoNotHoldBackOthers) { expect_not_to_hold_back(api::Workers::Lane::responses); }

TEST(WorkerPool, ResponsesRunOneAtATime) {
    asio::io_context io;
    WorkerPool pool{io};
    std::atomic<int> running = 0;
    std::atomic<int> most = 0;
    std::latch worked{kRequests};
    for (int i = 0; i < kRequests; ++i) {
        const auto work = [&] {
            most = std::max(most.load(), ++running);
            std::this_thread::sleep_for(std::chrono::milliseconds{1});  // another thread would start the next
            --running;
            worked.count_down();
        };
        pool.run("working", work, [](const Expected<void>&) {}, api::Workers::Lane::responses);
    }
    worked.wait();
    pool.stop();
    EXPECT_EQ(most, 1);
}

TEST(WorkerPool, ResultsAreTakenAfterThePoolIsGone) {
    asio::io_context io;
    int taken = 0;
    {
        WorkerPool pool{io};
        std::latch worked{kRequests};
        for (int i = 0; i < kRequests; ++i)
            pool.run("working", [&] { worked.count_down(); }, [&](const Expected<void>&) { ++taken; });
        worked.wait();
        pool.stop();
    }
    io.run();
    EXPECT_EQ(taken, kRequests);
}

}  // namespace
}  // namespace rta::net::worker_pool_test
