// SPDX-License-Identifier: MIT
#include "net/worker_pool.h"

#include <gtest/gtest.h>

#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <latch>
#include <string>

namespace rta::net::worker_pool_test {
namespace {

constexpr int kRequests = 5;

TEST(WorkerPool, ResultsOfRequestsDoNotHoldBackOtherWork) {
    asio::io_context io;
    WorkerPool pool{io};
    std::latch worked{kRequests};
    std::string order;
    for (int i = 0; i < kRequests; ++i) {
        pool.run("working", [&] { worked.count_down(); }, [&](const Expected<void>&) { order += 'r'; });
    }
    worked.wait();
    pool.stop();  // so all results have been returned
    asio::post(io, [&] { order += 'm'; });
    io.run();
    EXPECT_EQ(order, "rmrrrr");
}

TEST(WorkerPool, LargeRequestsDoNotHoldBackOthers) {
    asio::io_context io;
    WorkerPool pool{io};
    const auto ignore = [](const Expected<void>&) {};
    std::latch others{3};
    std::latch large{kRequests};
    for (int i = 0; i < kRequests; ++i) {
        // Each waits until all the others have run.
        const auto work = [&] {
            others.wait();
            large.count_down();
        };
        pool.run("working", work, ignore, api::Workers::Lane::large_requests);
    }
    for (const auto lane : {api::Workers::Lane::requests, api::Workers::Lane::urgent, api::Workers::Lane::freeing})
        pool.run("working", [&] { others.count_down(); }, ignore, lane);
    large.wait();
    pool.stop();
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
