// SPDX-License-Identifier: MIT
// Muting the output, and resetting every processor to its initial state.
#include <gtest/gtest.h>

#include <cmath>

#include <algorithm>
#include <atomic>
#include <functional>
#include <new>
#include <optional>
#include <span>
#include <utility>

#include "support/offline_engine.h"

namespace rta::test::engine_mute_test {
namespace {

constexpr std::size_t kDeviceFade = 960;  // 20 ms at 48 kHz
constexpr float kTolerance = 2e-6F;

constexpr const char* kOne = R"({
  "nodes": [ {"name": "one", "type": "constant", "parameters": {"value": 1}},
             {"name": "out", "type": "output", "settings": {"channels": 2}} ],
  "connections": [ {"from": "one", "to": "out"} ] })";

constexpr const char* kTone = R"({
  "nodes": [ {"name": "osc", "type": "sine", "parameters": {"frequency_hz": 997, "gain_db": -6}},
             {"name": "vol", "type": "gain", "parameters": {"gain_db": -3}},
             {"name": "out", "type": "output", "settings": {"channels": 2}} ],
  "connections": [ {"from": "osc", "to": "vol"}, {"from": "vol", "to": "out", "gain_db": -1} ] })";

void expect_fade(std::span<const float> samples, float begin, float end, std::size_t length = kDeviceFade) {
    ASSERT_GE(samples.size(), length);
    for (std::size_t i = 0; i < length; ++i) {
        const float expected = begin + (end - begin) * static_cast<float>(i) / static_cast<float>(length);
        ASSERT_NEAR(samples[i], expected, kTolerance) << "frame " << i;
    }
    for (const float sample : samples.subspan(length)) ASSERT_EQ(sample, end);
}

Ticket must(const Expected<Ticket>& ticket) {
    EXPECT_TRUE(ticket) << ticket.error().sentence;
    return ticket.value_or(Ticket{});
}

void panic(OfflineEngine& offline) {
    must(offline.engine.mute_output(true));
    offline.settle();
    ASSERT_TRUE(offline.engine.output_silent());
    must(offline.reset());
}

struct EngineMute : testing::Test {
    [[nodiscard]] std::span<const float> from(std::size_t frame) const {
        return std::span{offline.recorded[0]}.subspan(frame);
    }
    OfflineEngine offline;
};

TEST_F(EngineMute, MutingFadesOutToExactSilenceAndUnmutingFadesBack) {
    offline.load(kOne);
    offline.render_blocks(4);
    const std::size_t begin = offline.frame();
    const Ticket muted = must(offline.engine.mute_output(true));
    EXPECT_TRUE(offline.engine.output_muted());
    EXPECT_FALSE(offline.engine.output_silent()) << "not before the fade has ended";
    offline.settle();
    EXPECT_TRUE(offline.engine.output_silent());
    offline.render_blocks(5);
    expect_fade(from(begin), 1.0F, 0.0F);
    EXPECT_EQ(offline.applications.back(), (std::pair<std::uint64_t, std::uint64_t>{muted.serial, begin}));
    EXPECT_EQ(muted.revision, offline.engine.revision()) << "it takes no revision";

    const std::size_t again = offline.frame();
    must(offline.engine.mute_output(false));
    offline.settle();
    offline.render_blocks(5);
    expect_fade(from(again), 0.0F, 1.0F);
}

TEST_F(EngineMute, MutingWhatIsMutedDoesNotFadeAgain) {
    offline.load(kOne);
    offline.render_blocks(4);
    const std::size_t begin = offline.frame();
    must(offline.engine.mute_output(true));
    offline.render_blocks(8);
    must(offline.engine.mute_output(true));
    offline.settle();
    offline.render_blocks(2);
    expect_fade(from(begin), 1.0F, 0.0F);
}

TEST_F(EngineMute, ExitFadeCompletesRegardlessOfMute) {
    offline.load(kOne);
    offline.render_blocks(4);
    must(offline.engine.mute_output(true));
    offline.settle();
    const std::size_t fades = offline.device_fades.size();
    const std::size_t begin = offline.frame();
    must(offline.engine.fade_device(0.0F, kDeviceFadeMs));
    must(offline.engine.mute_output(false));
    offline.settle();
    EXPECT_GT(offline.device_fades.size(), fades);
    offline.render_blocks(20);
    for (const float sample : from(begin)) ASSERT_EQ(sample, 0.0F) << "unmuting brings nothing back at the end";
}

TEST_F(EngineMute, OutputAfterResetEqualsAFreshStart) {
    offline.load(kTone);
    offline.render_blocks(37);
    offline.edit({SetParameter{"osc", "frequency_hz", 1'234.0F, {}}});
    offline.render_blocks(1);  // the ramp is cut short; only its target matters
    const std::uint64_t revision = offline.engine.revision();
    panic(offline);
    EXPECT_EQ(offline.engine.revision(), revision);
    must(offline.engine.mute_output(false));
    const std::size_t begin = offline.frame();
    offline.render_blocks(60);

    OfflineEngine fresh;
    fresh.load(kTone);
    fresh.edit({SetParameter{"osc", "frequency_hz", 1'234.0F, {}}});
    fresh.render_blocks(60);
    const auto heard = from(begin);
    for (std::size_t frame = 0; frame < kDeviceFade; ++frame) {
        const float gain = static_cast<float>(frame) / static_cast<float>(kDeviceFade);
        ASSERT_NEAR(heard[frame], gain * fresh.recorded[0][frame], kTolerance) << "frame " << frame;
    }
    for (std::size_t frame = kDeviceFade; frame < heard.size(); ++frame) {
        ASSERT_EQ(heard[frame], fresh.recorded[0][frame]) << "frame " << frame;
    }
}

TEST_F(EngineMute, AResetKeepsTheGraphAndWhatWasEditedMeanwhile) {
    offline.load(kTone);
    offline.render_blocks(10);
    must(offline.engine.mute_output(true));
    EngineReset reset = offline.engine.start_reset();
    offline.settle();
    offline.edit({AddNode{"sine", "second", {}, {{"gain_db", -12.0F}}}, Connect{"second", "vol", {}},
                  RenameNode{"osc", "first"}, SetParameter{"vol", "gain_db", -9.0F, {}}});
    must(offline.complete(std::move(reset)));
    must(offline.engine.mute_output(false));
    const std::size_t begin = offline.frame();
    offline.render_blocks(60);
    offline.edit({SetParameter{"first", "frequency_hz", 500.0F, 0.0F}});
    offline.settle();
    EXPECT_EQ(offline.engine.statistics().plans_alive, 1U) << "what played before has been freed";

    OfflineEngine fresh;
    fresh.load(write_document(offline.engine.graph().document()));
    fresh.edit({SetParameter{"first", "frequency_hz", 997.0F, {}}});
    fresh.render_blocks(60);
    for (std::size_t frame = kDeviceFade; frame < 60 * 64; ++frame) {
        ASSERT_EQ(from(begin)[frame], fresh.recorded[0][frame]) << "frame " << frame;
    }
}

TEST_F(EngineMute, AResetInTheMiddleOfAFadeEndsIt) {
    offline.load(kTone);
    offline.render_blocks(10);
    must(offline.engine.mute_output(true));
    offline.settle();
    offline.edit({AddNode{"gain", "extra", {}, {}}, Disconnect{"vol", "out"}, Connect{"vol", "extra", {}},
                  Connect{"extra", "out", {}}});
    offline.render_block();
    must(offline.reset());
    must(offline.engine.mute_output(false));
    const std::size_t begin = offline.frame();
    offline.render_blocks(60);
    OfflineEngine fresh;
    fresh.load(write_document(offline.engine.graph().document()));
    fresh.render_blocks(60);
    for (std::size_t frame = kDeviceFade; frame < 60 * 64; ++frame) {
        ASSERT_EQ(from(begin)[frame], fresh.recorded[0][frame]) << "frame " << frame;
    }
    EXPECT_FALSE(offline.engine.outstanding());
}

/// Fails to build once `refusing` is set.
std::atomic<bool> refusing{false};

class Quiet final : public Processor {
 public:
    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        std::ranges::fill(context.outputs[0].channel(0), 0.25F);
    }
};

constexpr PortSpec kOut[] = {{"out", 1}};
constinit const NodeType kFickle{.name = "fickle",
                                 .help = "Puts out 0.25.",
                                 .outputs = kOut,
                                 .create = [](const BuildContext&) -> Expected<std::unique_ptr<Processor>> {
                                     if (refusing) return fail(ErrorCode::not_found, "its file is gone");
                                     return std::make_unique<Quiet>();
                                 }};

TEST(EngineReset, AProcessorThatCannotBeBuiltLeavesEverythingAsItWas) {
    std::vector<const NodeType*> types{&kFickle, builtin_nodes().find("output")};
    const NodeRegistry registry{types};
    refusing = false;
    OfflineEngine offline{{}, registry};
    offline.load(R"({"nodes": [{"name": "a", "type": "fickle"}, {"name": "out", "type": "output"}],
                     "connections": [{"from": "a", "to": "out"}]})");
    offline.render_blocks(4);
    must(offline.engine.mute_output(true));
    offline.settle();
    refusing = true;
    const std::uint64_t plans = offline.engine.statistics().plans_made;
    EXPECT_EQ(offline.reset().error().code, ErrorCode::not_found);
    EXPECT_EQ(offline.engine.statistics().plans_made, plans);
    must(offline.engine.mute_output(false));
    offline.settle();
    offline.render_block();
    EXPECT_EQ(offline.recorded[0].back(), 0.25F);
}

/// Runs work when the test requests it.
struct LateWorker {
    [[nodiscard]] RunOnWorker run() {
        return [this](std::function<void()> work, std::function<void(const Expected<void>&)> done) {
            EXPECT_FALSE(work_) << "one build at a time";
            work_ = std::move(work);
            done_ = std::move(done);
        };
    }
    void finish(const Expected<void>& completed = {}) {
        if (completed) work_();
        work_ = nullptr;
        done_(completed);
    }

 private:
    std::function<void()> work_;
    std::function<void(const Expected<void>&)> done_;
};

TEST(EngineReset, CompletesHoweverManyNodesAreAddedInTheMeantime) {
    OfflineEngine offline;
    offline.edit({AddNode{"sine", "a", {}, {}}});
    LateWorker worker;
    offline.engine.build_on(worker.run());
    EngineReset reset = offline.engine.start_reset();
    EXPECT_FALSE(reset.try_complete()) << "the processor of a is not built yet";
    offline.edit({AddNode{"sine", "b", {}, {}}, RemoveNode{"a"}});
    EXPECT_FALSE(reset.try_complete()) << "the processor of a is not built yet";
    worker.finish();
    offline.edit({AddNode{"sine", "c", {}, {}}});
    const auto completed = reset.try_complete();
    ASSERT_TRUE(completed);
    must(*completed);
    offline.render_blocks(2);
    EXPECT_EQ(offline.engine.graph().node_count(), 2U);
}

constexpr const char* kSine = R"({"nodes": [
    {"name": "osc", "type": "sine"}, {"name": "out", "type": "output"}],
    "connections": [{"from": "osc", "to": "out"}]})";

TEST(EngineReset, NodesAddedInTheMeantimeAreFreshToo) {
    OfflineEngine offline;
    offline.load(kSine);
    offline.render_blocks(20);
    must(offline.engine.mute_output(true));
    LateWorker worker;
    offline.engine.build_on(worker.run());
    EngineReset reset = offline.engine.start_reset();
    // If the delay ran before the reset, it would repeat the signal from then.
    offline.edit({AddNode{"delay_line", "echo", {}, {{"time_ms", 50.0F}}}, Disconnect{"osc", "out"},
                  Connect{"osc", "echo", {}}, Connect{"echo", "out", {}},
                  SetParameter{"osc", "frequency_hz", 997.0F, {}}});
    offline.render_blocks(100);
    worker.finish();
    const auto completed = reset.try_complete();
    ASSERT_TRUE(completed);
    must(*completed);
    must(offline.engine.mute_output(false));
    const std::size_t begin = offline.frame();
    offline.settle();
    offline.render_blocks(100);

    OfflineEngine fresh;
    fresh.load(write_document(offline.engine.graph().document()));
    fresh.render_blocks(100);
    constexpr std::size_t kDelay = 2'400;
    for (std::size_t frame = 0; frame < kDelay; ++frame)
        ASSERT_EQ(offline.recorded[0][begin + frame], 0.0F) << "frame " << frame;
    for (std::size_t frame = kDelay + 480; frame < 100 * 64; ++frame)
        ASSERT_EQ(offline.recorded[0][begin + frame], fresh.recorded[0][frame]) << "frame " << frame;
}

TEST(EngineReset, WhatWasCommittedIsHeardWhenAResetFails) {
    OfflineEngine offline;
    offline.load(kSine);
    offline.render_blocks(20);
    LateWorker worker;
    offline.engine.build_on(worker.run());
    EngineReset reset = offline.engine.start_reset();
    offline.edit({RemoveNode{"osc"}, AddNode{"constant", "dc", {}, {{"value", 0.25F}}}, Connect{"dc", "out", {}},
                  SetParameter{"out", "gain_db", -120.0F, {}}});
    offline.edit({SetParameter{"out", "gain_db", 0.0F, {}}, SetParameter{"dc", "value", 0.5F, {}}});
    const std::size_t begin = offline.frame();
    offline.render_blocks(40);
    OfflineEngine untouched;
    untouched.load(kSine);
    untouched.render_blocks(60);
    for (std::size_t frame = begin; frame < offline.frame(); ++frame)
        ASSERT_EQ(offline.recorded[0][frame], untouched.recorded[0][frame]) << "during the reset, frame " << frame;
    worker.finish(fail(ErrorCode::resource_exhausted, "memory ran out"));
    EXPECT_FALSE(reset.try_complete()->has_value());
    offline.settle();
    offline.render_block();
    EXPECT_EQ(offline.recorded[0].back(), 0.5F);
}

TEST(EngineReset, ParametersOfNodesThatStayAreHeldBackToo) {
    OfflineEngine offline;
    offline.load(kSine);
    offline.render_blocks(20);
    LateWorker worker;
    offline.engine.build_on(worker.run());
    {
        const EngineReset abandoned = offline.engine.start_reset();
        offline.edit({SetParameter{"osc", "gain_db", -120.0F, {}}});
        offline.render_blocks(40);
        EXPECT_NE(offline.recorded[0].back(), 0.0F);
    }
    offline.settle();
    offline.render_blocks(40);
    EXPECT_EQ(offline.recorded[0].back(), 0.0F);
    worker.finish();
}

TEST(EngineReset, MayOutliveTheEngine) {
    std::optional<EngineReset> reset;
    {
        OfflineEngine offline;
        offline.edit({AddNode{"sine", "a", {}, {}}});
        reset.emplace(offline.engine.start_reset());
    }
    reset.reset();
}

TEST(EngineReset, CannotStartWithoutMemoryAndChangesNothingThen) {
    OfflineEngine offline;
    offline.load(kSine);
    offline.engine.build_on([](const auto&, const auto&) { throw std::bad_alloc{}; });
    EXPECT_THROW(static_cast<void>(offline.engine.start_reset()), std::bad_alloc);
    offline.edit({RemoveNode{"osc"}});
    offline.settle();
    EXPECT_EQ(offline.recorded[0].back(), 0.0F) << "commits are not held back";
    offline.engine.build_on(run_here);
    must(offline.reset());
}

TEST(EngineReset, ReportsWorkThatWasNotCompleted) {
    OfflineEngine offline;
    offline.edit({AddNode{"sine", "a", {}, {}}});
    LateWorker worker;
    offline.engine.build_on(worker.run());
    EngineReset reset = offline.engine.start_reset();
    worker.finish(fail(ErrorCode::resource_exhausted, "memory ran out"));
    const auto completed = reset.try_complete();
    ASSERT_TRUE(completed);
    EXPECT_EQ(completed->error().sentence, "memory ran out");
}

TEST(EngineReset, MayBeAbandonedWhileProcessorsAreBuilt) {
    OfflineEngine offline;
    offline.edit({AddNode{"sine", "a", {}, {}}});
    LateWorker worker;
    offline.engine.build_on(worker.run());
    {
        const EngineReset abandoned = offline.engine.start_reset();
    }
    worker.finish();
    offline.render_block();
    EXPECT_FALSE(offline.engine.outstanding());
}

bool breaking = false;

class Breaking final : public Processor {
 public:
    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        for (float& sample : context.outputs[0].channel(0)) sample = breaking ? NAN : 0.25F;
    }
};

constexpr NodeType kBreaking{
    .name = "breaking",
    .help = "Breaks.",
    .outputs = kOut,
    .create = [](const BuildContext&) -> Expected<std::unique_ptr<Processor>> { return std::make_unique<Breaking>(); }};

TEST(EngineReset, FaultOfAReplacedProcessorIsNotReportedForItsSuccessor) {
    std::vector<const NodeType*> types{&kBreaking, builtin_nodes().find("output")};
    const NodeRegistry registry{types};
    breaking = false;
    OfflineEngine offline{{}, registry};
    offline.load(R"({"nodes": [{"name": "a", "type": "breaking"}, {"name": "out", "type": "output"}],
                     "connections": [{"from": "a", "to": "out"}]})");
    offline.render_blocks(4);
    offline.polls = false;
    breaking = true;
    offline.render_blocks(3);  // the fault has not been received yet
    breaking = false;
    must(offline.reset());
    offline.polls = true;
    offline.render_blocks(4);
    EXPECT_TRUE(offline.faults.empty());
    EXPECT_EQ(offline.recorded[0].back(), 0.25F);

    // A fault of the new processor is reported.
    breaking = true;
    offline.render_blocks(3);
    breaking = false;
    EXPECT_EQ(offline.faults, std::vector<std::string>{"a"});
}

}  // namespace
}  // namespace rta::test::engine_mute_test
