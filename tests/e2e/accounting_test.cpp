// SPDX-License-Identifier: MIT
// Every plan that was created is alive or has been freed: no plan is lost between the control thread and the audio
// thread, and plans do not accumulate.
#include <gtest/gtest.h>

#include <thread>

#include "edit_storm.h"
#include "support/daemon.h"

namespace rta::test {
namespace {

void expect_balanced(const v1::EngineState& engine) {
    EXPECT_EQ(engine.plans_made(), engine.plans_freed() + engine.plans_alive());
}

TEST(Accounting, PlansMadeArePlansFreedAndPlansAlive) {
    Daemon daemon{{.arguments = {"--device", "null"}}};
    ProtocolClient client = daemon.client();
    expect_balanced(client.status().engine());
    const StormPlan plan{.source_type = "sine", .retune_source = true, .edits = 2'000, .seed = 5};
    build_storm_path(daemon, plan);
    std::exception_ptr failure;
    std::thread storm{[&] {
        try {
            run_storm(daemon, plan);
        } catch (...) {
            failure = std::current_exception();
        }
    }};
    // The sum holds at all times, not only at the end.
    std::uint64_t most_alive = 0;
    for (int look = 0; look < 200; ++look) {
        const v1::EngineState engine = client.status().engine();
        expect_balanced(engine);
        most_alive = std::max(most_alive, engine.plans_alive());
    }
    storm.join();
    if (failure) std::rethrow_exception(failure);
    clear_storm_path(daemon, plan, 100.0F);

    // After all fades, one plan is rendered; the previous one may still be in the ring to the control thread.
    v1::EngineState engine = client.status().engine();
    const Deadline deadline;
    while (engine.plans_alive() > 2 && !deadline.passed()) engine = client.status().engine();
    expect_balanced(engine);
    EXPECT_LE(engine.plans_alive(), 2U);
    EXPECT_GE(engine.plans_made(), plan.edits / 20) << "rounds of 10 ms make plans";
    RecordProperty("most_plans_alive", static_cast<int>(most_alive));
    EXPECT_EQ(daemon.stop(), (ExitStatus{0, 0}));
}

TEST(Accounting, RefusedEditsMakeNoPlanThatStays) {
    Daemon daemon{{.arguments = {"--device", "null"}}};
    ProtocolClient client = daemon.client();
    client.apply(transaction({add_node("sine", "osc"), add_node("output", "out"), connect("osc", "out")}));
    for (int i = 0; i < 500; ++i) {
        const v1::Response response =
            client.call(apply_request(transaction({add_node("gain", "vol"), connect("vol", "ghost")})));
        ASSERT_EQ(response.status().code(), v1::NOT_FOUND);
    }
    const v1::StatusResult status = client.status();
    expect_balanced(status.engine());
    EXPECT_LE(status.engine().plans_alive(), 3U);
    EXPECT_EQ(status.engine().revision(), 1U);
    EXPECT_EQ(status.engine().node_count(), 2U);
}

}  // namespace
}  // namespace rta::test
