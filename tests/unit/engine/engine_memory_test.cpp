// SPDX-License-Identifier: MIT
// A commit or a change of parameters during which memory runs out, at each of its allocations in turn: nothing changes, and
// the sound continues.
#include <gtest/gtest.h>

#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "document/document.h"
#include "support/failing_allocations.h"
#include "support/offline_engine.h"

namespace rta::test {
namespace {

/// Two engines with the same edits: in one of them, memory runs out.
struct ShortOfMemory : testing::Test {
    [[nodiscard]] static std::string text(const Engine& engine) { return write_document(engine.graph().document()); }

    void render(std::uint32_t blocks) {
        offline.render_blocks(blocks);
        other.render_blocks(blocks);
    }

    /// Returns false if memory ran out.
    static bool commit(OfflineEngine& engine, PreparedTransaction& prepared, std::size_t allocations) {
        allocations_left = allocations;
        try {
            const auto ticket = engine.engine.commit(prepared);
            allocations_left = kNeverFails;
            EXPECT_TRUE(ticket) << ticket.error().sentence;
            return true;
        } catch (const std::bad_alloc&) {
            allocations_left = kNeverFails;
            return false;
        }
    }

    /// Renders a block after each failure: what is left of a failed commit would be heard.
    void edit(const std::vector<Edit>& edits, bool restores = false) {
        SCOPED_TRACE("edit " + std::to_string(++count));
        const Transaction transaction{.edits = edits, .restores = restores};
        auto prepared = offline.engine.prepare(transaction);
        auto prepared_for_other = other.engine.prepare(transaction);
        ASSERT_TRUE(prepared && prepared_for_other);
        const std::string before = text(offline.engine);
        const std::uint64_t revision = offline.engine.revision();
        std::size_t allocations = 0;
        for (; !commit(offline, *prepared, allocations); ++allocations) {
            ASSERT_EQ(text(offline.engine), before);
            ASSERT_EQ(offline.engine.revision(), revision);
            render(1);
            ASSERT_EQ(offline.engine.statistics().plans_alive, other.engine.statistics().plans_alive) << allocations;
            ASSERT_LT(allocations, 10'000U);
        }
        EXPECT_GT(allocations, 5U);
        ASSERT_TRUE(commit(other, *prepared_for_other, kNeverFails));
        EXPECT_EQ(text(offline.engine), text(other.engine));
        EXPECT_EQ(
            std::vector<std::string>(prepared->kept_nodes().begin(), prepared->kept_nodes().end()),
            std::vector<std::string>(prepared_for_other->kept_nodes().begin(), prepared_for_other->kept_nodes().end()));
        render(40);
        ASSERT_EQ(offline.recorded, other.recorded);
    }

    /// Changes parameters, at `frame` if it is given; `graph` is copied before each attempt, as by a client that reads it.
    void set(const std::vector<SetParameter>& changes, std::optional<std::uint64_t> frame = {}) {
        SCOPED_TRACE("change " + std::to_string(++count));
        const auto change = [&](Engine& engine) {
            return frame ? engine.set_parameters_at(*frame, changes) : engine.set_parameters(changes);
        };
        const std::string before = text(offline.engine);
        std::size_t allocations = 0;
        for (bool done = false; !done; ++allocations) {
            ASSERT_LT(allocations, 1'000U);
            const AudioGraph graph = offline.engine.graph();
            allocations_left = allocations;
            try {
                const auto ticket = change(offline.engine);
                allocations_left = kNeverFails;
                ASSERT_TRUE(ticket) << ticket.error().sentence;
                done = true;
            } catch (const std::bad_alloc&) {
                allocations_left = kNeverFails;
                ASSERT_EQ(text(offline.engine), before) << allocations;
                render(1);
            }
        }
        EXPECT_GT(allocations, 2U);
        EXPECT_NE(text(offline.engine), before);
        ASSERT_TRUE(change(other.engine));
        EXPECT_EQ(text(offline.engine), text(other.engine));
        render(160);
        ASSERT_EQ(offline.recorded, other.recorded);
        EXPECT_FALSE(offline.engine.outstanding());
    }

    OfflineEngine offline;
    OfflineEngine other;
    int count = 0;
};

TEST_F(ShortOfMemory, ACommitIsAllOrNothing) {
    const Edit echo = AddNode{"delay_line", "echo", {}, {{"time_ms", 5.0F}, {"feedback", 0.9F}}};
    edit({AddNode{"sine", "osc", {}, {}}, AddNode{"output", "out", {}, {}}, echo, Connect{"osc", "echo", {}},
          Connect{"echo", "out", {}}});
    const std::uint64_t identity = std::to_underlying(offline.engine.graph().find("echo")->identity);
    edit({SetParameter{"osc", "gain_db", -12.0F, {}}, SetParameter{"echo", "mix", 0.7F, {}}});
    edit({AddNode{"meter", "level", {}, {}}, AddNode{"limiter", "limit", {}, {}}, Connect{"osc", "level", {}},
          Connect{"level", "limit", {}}, Connect{"limit", "out", -6.0F}});
    edit({RenameNode{"osc", "tone"}, Connect{"tone", "out", -20.0F}});
    edit({RemoveNode{"echo"}, RemoveNode{"level"}});
    // With the processor that was removed.
    Edit again = echo;
    std::get<AddNode>(again).identity = identity;
    edit({again, Connect{"tone", "echo", {}}, Connect{"echo", "out", {}}}, true);
    EXPECT_EQ(offline.engine.graph().find("echo")->identity, NodeIdentity{identity});
}

TEST_F(ShortOfMemory, SoIsACommitAtAFrame) {
    edit({AddNode{"sine", "osc", {}, {}}, AddNode{"output", "out", {}, {}}, Connect{"osc", "out", {}}});
    auto prepared =
        offline.engine.prepare({.edits = {Disconnect{"osc", "out"}, SetParameter{"osc", "gain_db", -30.0F, {}}}});
    ASSERT_TRUE(prepared);
    const std::string before = text(offline.engine);
    for (allocations_left = 0;; allocations_left = static_cast<std::size_t>(++count)) {
        try {
            const auto ticket = offline.engine.commit_at(*prepared, offline.frame() + 640);
            allocations_left = kNeverFails;
            ASSERT_TRUE(ticket) << ticket.error().sentence;
            break;
        } catch (const std::bad_alloc&) {
            allocations_left = kNeverFails;
            ASSERT_EQ(text(offline.engine), before);
            offline.render_block();
            ASSERT_LT(count, 10'000);
        }
    }
    offline.render_blocks(60);
    EXPECT_FALSE(offline.engine.outstanding());
    EXPECT_EQ(offline.recorded[0].back(), 0.0F);
    EXPECT_EQ(offline.engine.statistics().plans_alive, 1U);
}

TEST_F(ShortOfMemory, SoAreChangesOfParameters) {
    edit({AddNode{"sine", "osc", {}, {}}, AddNode{"sine", "high", {}, {}}, AddNode{"output", "out", {}, {}},
          Connect{"osc", "out", {}}, Connect{"high", "out", {}}});
    set({{"osc", "gain_db", -12.0F, {}}});
    set({{"osc", "frequency_hz", 300.0F, {}}, {"high", "frequency_hz", 3'000.0F, {}}, {"high", "gain_db", -30.0F, {}}});
    set({{"osc", "gain_db", -6.0F, {}}, {"high", "gain_db", -40.0F, {}}}, offline.frame() + 6'400);
    set({{"osc", "gain_db", -9.0F, {}}}, offline.frame() + 6'400);
}

}  // namespace
}  // namespace rta::test
