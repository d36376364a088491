// SPDX-License-Identifier: MIT
// Processors of removed nodes are kept for a while, and put back when a transaction restores their nodes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "engine/kept_processors.h"
#include "support/offline_engine.h"

namespace rta::test {
namespace {

constexpr std::size_t kDelay = 4'800;  // 100 ms
constexpr double kFeedback = 0.9;

/// An impulse in a delay line: echoes of 1, 0.9, 0.81 ...
class Echo {
 public:
    explicit Echo(const EngineConfig& config = {}) : offline{config} {
        offline.edit({AddNode{"impulse", "click", {}, {}}, AddNode{"output", "out", {}, {}}, node(0),
                      Connect{"click", "echo", {}}, Connect{"echo", "out", {}}});
        identity = std::to_underlying(offline.engine.graph().find("echo")->identity);
        render_s(0.25);
    }
    void render_s(double seconds) { offline.render_blocks(static_cast<std::uint32_t>(seconds * 48'000.0 / 64.0)); }
    void remove() { offline.edit({RemoveNode{"echo"}}); }
    /// Returns the names of the nodes that have got their processors back.
    std::vector<std::string> restore(double max_time_ms = 200.0) {
        Edit added = node(identity);
        std::get<AddNode>(added).settings["max_time_ms"] = max_time_ms;
        auto prepared = offline.engine.prepare(
            {.edits = {added, Connect{"click", "echo", {}}, Connect{"echo", "out", {}}}, .restores = true});
        EXPECT_TRUE(prepared);
        while (!offline.engine.commit(*prepared)) offline.render_block();
        const auto names = prepared->kept_nodes();
        return {names.begin(), names.end()};
    }
    /// Returns the largest sample of the next 100 ms.
    float peak() {
        const std::size_t begin = offline.recorded[0].size();
        offline.render_blocks(kDelay / 64);
        return *std::max_element(offline.recorded[0].begin() + static_cast<std::ptrdiff_t>(begin),
                                 offline.recorded[0].end());
    }

    OfflineEngine offline;
    std::uint64_t identity = 0;

 private:
    static Edit node(std::uint64_t identity) {
        return AddNode{"delay_line", "echo",  {{"max_time_ms", 200.0}}, {{"time_ms", 100.0F}, {"feedback", 0.9F}},
                       {},           identity};
    }
};

using Names = std::vector<std::string>;

TEST(KeptProcessors, TheEchoThatWasFrozenComesBack) {
    Echo echo;  // 250 ms: two echoes have sounded
    echo.remove();
    echo.render_s(0.05);
    EXPECT_LT(echo.peak(), 1e-6F) << "nothing is rendered";
    echo.render_s(20.0);
    EXPECT_EQ(echo.restore(), Names{"echo"});
    echo.render_s(0.02);  // the crossfade
    // The removal faded out before the third echo. It is the next one, whatever the time since.
    EXPECT_NEAR(echo.peak(), kFeedback * kFeedback, 1e-4);
    EXPECT_NEAR(echo.peak(), std::pow(kFeedback, 3.0), 1e-4);
}

TEST(KeptProcessors, AfterAMinuteTheNodeIsFresh) {
    Echo echo;
    echo.remove();
    echo.render_s(KeptProcessors::kSeconds + 0.1);
    EXPECT_EQ(echo.restore(), Names{});
    echo.render_s(0.02);
    EXPECT_LT(echo.peak(), 1e-6F);
}

TEST(KeptProcessors, NoMoreMemoryIsTakenThanAllowed) {
    Echo echo{{.kept_bytes = 10'000}};
    echo.remove();
    echo.render_s(0.1);
    EXPECT_EQ(echo.restore(), Names{});
    echo.render_s(0.02);
    EXPECT_LT(echo.peak(), 1e-6F);
}

TEST(KeptProcessors, OtherSettingsNeedAnotherProcessor) {
    Echo echo;
    echo.remove();
    echo.render_s(0.1);
    EXPECT_EQ(echo.restore(300.0), Names{});
    EXPECT_LT(echo.peak(), 1e-6F);
}

TEST(KeptProcessors, ChangedSettingsComeBackWithTheEchoesOfTheirTime) {
    Echo echo;
    echo.offline.edit({ChangeSettings{"echo", {{"max_time_ms", 400.0}}}});
    echo.render_s(0.3);
    EXPECT_LT(echo.peak(), 1e-6F) << "a new processor";
    auto prepared =
        echo.offline.engine.prepare({.edits = {ChangeSettings{"echo", {{"max_time_ms", 200.0}}}}, .restores = true});
    ASSERT_TRUE(prepared);
    for (auto ticket = echo.offline.engine.commit(*prepared); !ticket; ticket = echo.offline.engine.commit(*prepared)) {
        if (ticket.error().code == ErrorCode::aborted) {
            ASSERT_TRUE(echo.offline.engine.build(*prepared));
        } else {
            echo.offline.render_block();
        }
    }
    EXPECT_EQ(prepared->kept_nodes().size(), 1U);
    echo.render_s(0.02);
    // The third echo was due after the crossfade, while the inputs of the old processor faded out.
    EXPECT_NEAR(echo.peak(), std::pow(kFeedback, 3.0), 1e-4);
}

TEST(KeptProcessors, OneThatIsStillFadingOutIsWaitedFor) {
    for (std::uint32_t blocks = 0; blocks < 12; ++blocks) {
        SCOPED_TRACE(blocks);
        Echo echo;
        echo.remove();
        echo.offline.render_blocks(blocks);
        const std::uint64_t begin = echo.offline.frame();
        EXPECT_EQ(echo.restore(), Names{"echo"});
        EXPECT_LT(echo.offline.frame() - begin, 20U * 64U) << "two rounds";
        echo.render_s(0.02);
        EXPECT_NEAR(echo.peak(), kFeedback * kFeedback, 1e-4);
        EXPECT_EQ(echo.offline.faults, Names{});
    }
}

TEST(KeptProcessors, OneThatDoesNotFadeOutIsNotWaitedForForLong) {
    Echo echo;
    echo.remove();
    // A round that would still run at this frame does not begin: the echo stays, although the graph has lost it.
    echo.offline.engine.reserve(echo.offline.frame() + 48'000);
    echo.offline.edit({AddNode{"gain", "x", {}, {}}});
    echo.offline.render_block();
    const std::uint64_t begin = echo.offline.frame();
    static_cast<void>(echo.restore());
    EXPECT_LE(echo.offline.frame() - begin, static_cast<std::uint64_t>(KeptProcessors::kLongestWaitS * 48'000.0));
}

TEST(KeptProcessors, WhoWaitsIsToldThatItMayTryAgain) {
    Echo echo;
    echo.remove();
    echo.offline.render_block();
    auto prepared = echo.offline.engine.prepare(
        {.edits = {AddNode{"delay_line", "echo", {{"max_time_ms", 200.0}}, {}, {}, echo.identity}}, .restores = true});
    ASSERT_TRUE(prepared);
    const auto refused = echo.offline.engine.commit(*prepared);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::resource_exhausted);
    EXPECT_TRUE(echo.offline.engine.refused_until_progress());
    std::uint64_t progress = echo.offline.engine.progress();
    bool committed = false;
    for (int blocks = 0; blocks < 100 && !committed; ++blocks) {
        echo.offline.render_block();
        if (std::exchange(progress, echo.offline.engine.progress()) == echo.offline.engine.progress()) continue;
        committed = echo.offline.engine.commit(*prepared).has_value();
    }
    EXPECT_TRUE(committed);
    EXPECT_EQ(prepared->kept_nodes().size(), 1U);
}

TEST(KeptProcessors, WhoWaitsIsToldThatTheProcessorIsNotKeptAnyMore) {
    // Room for one delay line: the second one that is removed takes the place of the first.
    OfflineEngine offline{{.kept_bytes = 150'000}};
    const auto delay = [](const char* name, std::uint64_t identity = 0) {
        return AddNode{"delay_line", name, {{"max_time_ms", 200.0}}, {}, {}, identity};
    };
    offline.edit({AddNode{"sine", "osc", {}, {}}, AddNode{"output", "out", {}, {}}, delay("first"), delay("second"),
                  Connect{"osc", "first", {}}, Connect{"first", "out", {}}, Connect{"osc", "second", {}},
                  Connect{"second", "out", {}}});
    const std::uint64_t memory = offline.engine.graph().find("first")->description->memory_bytes;
    ASSERT_LT(memory, 150'000U);
    ASSERT_GT(2 * memory, 150'000U);
    const std::uint64_t identity = std::to_underlying(offline.engine.graph().find("first")->identity);
    offline.settle();
    // A round that would still run at this frame does not begin: the nodes stay, although the graph has lost them.
    offline.engine.reserve(offline.frame() + 48'000);
    offline.edit({RemoveNode{"first"}});
    auto prepared = offline.engine.prepare({.edits = {delay("first", identity)}, .restores = true});
    ASSERT_TRUE(prepared);
    ASSERT_FALSE(offline.engine.commit(*prepared));
    ASSERT_TRUE(offline.engine.refused_until_progress());
    const std::uint64_t progress = offline.engine.progress();
    offline.render_block();
    ASSERT_EQ(offline.engine.progress(), progress) << "it is still fading out";
    offline.edit({RemoveNode{"second"}});
    offline.poll();
    EXPECT_NE(offline.engine.progress(), progress);
    ASSERT_TRUE(offline.engine.commit(*prepared));
    EXPECT_EQ(prepared->kept_nodes().size(), 0U) << "it is fresh";
}

TEST(KeptProcessors, APanicForgetsThem) {
    Echo echo;
    echo.remove();
    echo.render_s(0.1);
    ASSERT_TRUE(echo.offline.reset());
    echo.render_s(0.1);
    EXPECT_EQ(echo.restore(), Names{});
}

TEST(KeptProcessors, OnlyATransactionThatRestoresPutsThemBack) {
    Echo echo;
    echo.remove();
    echo.render_s(0.1);
    echo.offline.edit(
        {AddNode{"delay_line", "echo", {{"max_time_ms", 200.0}}, {{"time_ms", 100.0F}}, {}, echo.identity},
         Connect{"echo", "out", {}}});
    echo.render_s(0.02);
    EXPECT_LT(echo.peak(), 1e-6F);
}

}  // namespace
}  // namespace rta::test
