// SPDX-License-Identifier: MIT
// If memory runs out during a request, that request is answered with an error and changes nothing. All clients are
// served as before.
#include <gtest/gtest.h>

#include <string>

#include "api/events/changes.h"
#include "script.h"
#include "support/allocation_trap.h"

namespace rta::api::test {
namespace {

class Memory : public testing::Test {
 protected:
    const NodeType* types_[4] = {&kFailing, &kHuge, builtin_nodes().find("output"), builtin_nodes().find("sine")};
    NodeRegistry registry_{types_};

 public:
    Script script{registry_};
};

TEST_F(Memory, ANodeForWhichThereIsNoneIsRefusedAndNothingChanges) {
    script.play(R"(
        hello a
        a> id: 1 apply_transaction { wait_for_start: true edits { edits { add_node { name: "s" type: "sine" } } edits { add_node { name: "h" type: "huge" } } } }
        a< response { id: 1 status { code: RESOURCE_EXHAUSTED message: "memory ran out while preparing the request; nothing has changed" } }
        a> id: 2 check_graph { edits { edits { add_node { name: "h" type: "huge" } } } }
        a< response { id: 2 status { code: RESOURCE_EXHAUSTED } }
        a> id: 3 get_graph {}
        a< response { id: 3 status { code: OK } get_graph { graph {} } }
        a> id: 4 apply_transaction { wait_for_start: true edits { edits { add_node { name: "s" type: "sine" } } } }
        block
        a< response { id: 4 status { code: OK } apply_transaction { revision: 1 } }
    )");
    EXPECT_EQ(script.engine.graph().node_count(), 1U);
}

TEST_F(Memory, WhateverElseALibraryThrowsIsInternal) {
    script.play(R"(
        hello a
        a> id: 1 apply_transaction { wait_for_start: true edits { edits { add_node { name: "f" type: "failing" } } } }
        a< response { id: 1 status { code: INTERNAL message: "something failed while preparing the request: the library is in a bad mood; nothing has changed" } }
        a> id: 2 apply_transaction { wait_for_start: true edits {} }
        block
        a< response { id: 2 status { code: OK } apply_transaction { revision: 1 } }
    )");
}

TEST_F(Memory, WhatTheControlThreadCannotDoIsAnswered) {
    script.play("hello a\nhello b");
    script.daemon.no_memory = true;
    script.play(R"(
        a> id: 1 get_status {}
        a< response { id: 1 status { code: RESOURCE_EXHAUSTED message: "memory ran out while executing the request; nothing has changed" } }
        b> id: 1 get_graph {}
        b< response { id: 1 status { code: OK } }
    )");
    script.daemon.no_memory = false;
    script.play(R"(
        a> id: 2 get_status {}
        a< response { id: 2 status { code: OK } }
    )");
}

TEST_F(Memory, WhatIsCommittedIsToldAsSuch) {
    script.play("hello a");
    script.daemon.no_memory = true;
    script.play(R"(
        a> id: 1 apply_transaction { wait_for_start: true edits { edits { add_node { name: "s" type: "sine" } } } }
        a< response { id: 1 status { code: RESOURCE_EXHAUSTED message: "memory ran out while executing the request; the change was committed nevertheless" } apply_transaction { revision: 1 } }
        a> id: 2 set_parameters { changes { node: "s" parameter: "frequency_hz" value: 300 } }
        a< response { id: 2 status { code: RESOURCE_EXHAUSTED } set_parameters {} }
    )");
    script.daemon.no_memory = false;
    script.play(R"(
        block
        a-
        a> id: 3 apply_transaction { wait_for_start: true edits {} }
        block
        a< response { id: 3 status { code: OK } apply_transaction { revision: 2 } }
    )");
    EXPECT_EQ(script.engine.graph().node_count(), 1U);
}

/// An allocation before the hub has the event would fail outside of it: the subscribers would not learn that they miss one.
TEST(MemoryOfEvents, EditsAreHandedToTheHubWithoutAnAllocation) {
    if (!rta::test::allocation_trap_active()) return;  // not supported by the allocator of a sanitizer
    EventHub hub{"instance", 1'000};
    const std::string name = "a";
    const Author author{name, name};
    const auto publish = [&] {
        v1::EditList edits;
        v1::SetParameters parameters;
        const rta::test::AllocationTrap trap;
        publish_edits(hub, author, 1, edits, {});
        publish_parameters(hub, author, 1, parameters, {});
        return trap.count();
    };
    EXPECT_EQ(publish(), 0U);
    EXPECT_EQ(hub.number(), 2U);
}

TEST(MemoryLimit, WhatMemoryIsTooShortForIsRefusedAtOnce) {
    Script script{builtin_nodes(), {.memory_left_bytes = [] { return std::uint64_t{64} << 20U; }}};
    script.play(R"(
        hello a
        a> id: 1 apply_transaction { wait_for_start: true edits { edits { add_node { name: "echo" type: "delay_line" } } } }
        block
        a< response { id: 1 apply_transaction { revision: 1 } }
        a> id: 2 apply_transaction { wait_for_start: true edits { edits { change_settings { node: "echo" settings { fields { key: "channels" value { number_value: 64 } } fields { key: "max_time_ms" value { number_value: 10000 } } } } } } }
        a< response { id: 2 status { code: RESOURCE_EXHAUSTED edit_index: 0 } }
        a> id: 3 get_status {}
        a< response { id: 3 get_status { engine { revision: 1 } } }
    )");
}

}  // namespace
}  // namespace rta::api::test
