// SPDX-License-Identifier: MIT
#include "io/load_meter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <random>
#include <thread>
#include <vector>

#include "io/block_adapter.h"
#include "io/clocks.h"
#include "sounding_engine.h"

namespace rta::io {
namespace {

TEST(LoadHistogram, ABinIsThreePercentWide) {
    for (double load = 0x1p-14; load < 1'000.0; load *= 1.0007) {
        const double middle = LoadHistogram::load_of(LoadHistogram::bin_of(load));
        ASSERT_NEAR(middle / load, 1.0, 0.017) << load;
    }
}

TEST(LoadHistogram, WhatIsBeyondCountsAtTheEnds) {
    EXPECT_EQ(LoadHistogram::bin_of(0.0), 0U);
    EXPECT_EQ(LoadHistogram::bin_of(1e-9), 0U);
    EXPECT_EQ(LoadHistogram::bin_of(1e9), LoadHistogram::kBins - 1);
}

TEST(LoadHistory, KnowsMeanPercentileAndWorstOfTheLastSecond) {
    LoadMeter meter;
    LoadHistory history;
    EXPECT_EQ(history.load().callback_count, 0U);
    std::mt19937 random{3};
    std::lognormal_distribution<double> loads{-2.0, 0.7};
    for (int second = 0; second < 3; ++second) {
        std::vector<double> exact;
        for (std::size_t snapshot = 0; snapshot < LoadHistory::kSnapshots; ++snapshot) {
            for (int i = 0; i < 75; ++i) {
                const auto took_ns = static_cast<std::int64_t>(loads(random) * 1e6);
                meter.add(took_ns, 1'000'000);
                exact.push_back(static_cast<double>(took_ns) / 1e6);
            }
            history.take(meter);
        }
        std::ranges::sort(exact);
        double sum = 0;
        for (const double load : exact) sum += load;
        const LoadStatus load = history.load();
        EXPECT_EQ(load.callback_count, exact.size());
        EXPECT_NEAR(load.mean, sum / static_cast<double>(exact.size()), 1e-6);
        EXPECT_NEAR(load.p99 / exact[exact.size() - 1 - exact.size() / 100], 1.0, 0.02);
        EXPECT_DOUBLE_EQ(load.worst, exact.back());
    }
}

TEST(LoadMeter, LosesNothingWhileItIsRead) {
    LoadMeter meter;
    std::atomic<bool> ended{false};
    constexpr std::uint64_t kCallbacks = 200'000;
    std::thread audio{[&] {
        for (std::uint64_t i = 0; i < kCallbacks; ++i) meter.add(i == kCallbacks / 2 ? 7'000 : 500, 1'000);
        ended = true;
    }};
    std::uint64_t count = 0;
    double sum = 0;
    double worst = 0;
    LoadMeter::Snapshot snapshot;
    for (bool last = false; !last;) {
        last = ended;
        meter.take(snapshot);
        for (const std::uint32_t bin : snapshot.bins) count += bin;
        sum += snapshot.sum;
        worst = std::max(worst, snapshot.worst);
    }
    audio.join();
    EXPECT_EQ(count, kCallbacks);
    EXPECT_NEAR(sum, 0.5 * (kCallbacks - 1) + 7.0, 1e-3);
    EXPECT_EQ(worst, 7.0);
}

/// Takes 5 ms in every block.
class Slow final : public Processor {
 public:
    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        const std::int64_t end = monotonic_now_ns() + 5'000'000;
        while (monotonic_now_ns() < end) {
        }
        std::ranges::fill(context.outputs[0].channel(0), 0.0F);
    }
};

constexpr PortSpec kOut[] = {{"out", 1}};
constinit const NodeType kSlow{
    .name = "slow",
    .help = "Takes 5 ms.",
    .outputs = kOut,
    .create = [](const BuildContext&) -> Expected<std::unique_ptr<Processor>> { return std::make_unique<Slow>(); }};

TEST(CallbackTiming, ACallbackThatOutlastsItsSoundIsAnOverrunAndItsLoadIsMeasured) {
    const NodeType* const types[] = {&kSlow};
    const NodeRegistry registry{types};
    Engine engine{registry, {.sample_rate_hz = 48'000, .block_size = 64}};
    BlockAdapter adapter{engine.gate(), engine.renderer(), 48'000, 0, 1};
    adapter.grant(engine.gate().start_generation());
    std::vector<float> samples(48'000);
    float* const outputs[] = {samples.data()};
    adapter.process(nullptr, outputs, 64);
    EXPECT_EQ(adapter.xrun_counts().overruns, 0U);
    test::load(engine, R"({"nodes": [{"name": "slow", "type": "slow"}]})");
    adapter.process(nullptr, outputs, 64);
    const std::uint64_t frame = engine.renderer().frames();
    EXPECT_EQ(adapter.xrun_counts().overruns, 1U);
    EXPECT_EQ(adapter.xrun_frame(), frame);
    LoadMeter::Snapshot snapshot;
    adapter.load_meter().take(snapshot);
    EXPECT_GE(snapshot.worst, 5.0 / (64.0 / 48.0));
    EXPECT_EQ(adapter.reported_xruns(), 0U);
}

}  // namespace
}  // namespace rta::io
