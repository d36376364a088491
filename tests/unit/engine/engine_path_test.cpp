// SPDX-License-Identifier: MIT
// Compares the response of a path with the impulse response that the engine renders through it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <numbers>

#include "plan/signal_path.h"
#include "support/offline_engine.h"

namespace rta::test::engine_path_test {
namespace {

using Complex = std::complex<double>;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr double kRate = 48'000.0;
constexpr float kImpulse = 0.01F;  ///< below all thresholds
constexpr std::array kFrequencies{20.0, 31.5, 100.0, 333.0, 999.5, 2'800.0, 7'000.0, 12'000.0, 17'000.0};

bool always() { return true; }

Expected<SignalPath> find_path(const Engine& engine, const SignalPath::Ends& ends) {
    return SignalPath::find(engine.graph(), *engine.own_latencies(), ends, always);
}

/// Renders an impulse at a device input. Returns a channel of the output, starting at the impulse.
std::vector<double> impulse_response(OfflineEngine& offline, std::uint32_t in, std::uint32_t out,
                                     std::uint32_t blocks = 3'000) {
    const std::size_t begin = offline.recorded[out].size();
    offline.inputs.write().channel(in)[0] = kImpulse;
    offline.render_block();
    offline.inputs.write().channel(in)[0] = 0.0F;
    offline.render_blocks(blocks);
    std::vector<double> samples;
    for (std::size_t i = begin; i < offline.recorded[out].size(); ++i)
        samples.push_back(static_cast<double>(offline.recorded[out][i]) / static_cast<double>(kImpulse));
    return samples;
}

struct Measured {
    Complex value;
    double group_delay_s;
};

/// The group delay is the real part of the spectrum of n h[n] over that of h[n].
Measured measure(std::span<const double> samples, double frequency_hz) {
    Complex sum = 0.0;
    Complex weighted = 0.0;
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const double turns = frequency_hz * static_cast<double>(i) / kRate;
        const Complex part = samples[i] * std::polar(1.0, -2.0 * std::numbers::pi * (turns - std::floor(turns)));
        sum += part;
        weighted += part * static_cast<double>(i);
    }
    return {.value = sum, .group_delay_s = (weighted / sum).real() / kRate};
}

/// 0.01 dB, 0.1 degrees and 5 us, relative to what is measured.
void expect_response(const SignalPath::Output& output, std::span<const double> samples) {
    for (std::size_t i = 0; i < kFrequencies.size(); ++i) {
        const Measured measured = measure(samples, kFrequencies[i]);
        const Complex ratio = output.values[i] / measured.value;
        EXPECT_NEAR(20.0 * std::log10(std::abs(ratio)), 0.0, 0.01) << output.port << " at " << kFrequencies[i] << " Hz";
        EXPECT_NEAR(std::arg(ratio) * 180.0 / std::numbers::pi, 0.0, 0.1)
            << output.port << " at " << kFrequencies[i] << " Hz";
        EXPECT_NEAR(output.group_delays_s[i], measured.group_delay_s, 5e-6)
            << output.port << " at " << kFrequencies[i] << " Hz";
    }
}

void expect_path(OfflineEngine& offline, const SignalPath::Ends& ends, std::uint32_t in, std::uint32_t out) {
    const auto path = find_path(offline.engine, ends);
    ASSERT_TRUE(path) << path.error().sentence;
    const auto response = path->response(kFrequencies, kRate, always);
    ASSERT_TRUE(response);
    ASSERT_EQ(response->size(), 1U);
    expect_response(response->front(), impulse_response(offline, in, out));
}

constexpr std::string_view kWays = R"({"latency_compensation": COMPENSATED, "nodes": [
    {"name": "mic", "type": "input", "settings": {"channels": 2}},
    {"name": "low_cut", "type": "dc_blocker", "settings": {"channels": 2}},
    {"name": "eq", "type": "equalizer", "settings": {"bands": 3, "channels": 2},
     "parameters": {"frequency_2_hz": 900, "gain_2_db": 7, "q_2": 2}},
    {"name": "ways", "type": "crossover", "settings": {"channels": 2}, "parameters": {"frequency_1_hz": 700}},
    {"name": "lim", "type": "limiter", "settings": {"channels": 2, "look_ahead_ms": 2}},
    {"name": "level", "type": "gain", "settings": {"channels": 2}, "parameters": {"gain_db": -4, "invert": 1}},
    {"name": "sum", "type": "mixer", "settings": {"inputs": 3, "channels": 2},
     "parameters": {"gain_1_db": 2, "mute_3": 1}},
    {"name": "balance", "type": "pan", "settings": {"channels": 2}, "parameters": {"position": 0.4}},
    {"name": "out", "type": "output", "settings": {"channels": 2}, "parameters": {"gain_db": -3}}],
  "connections": [
    {"from": "mic", "to": "low_cut"}, {"from": "low_cut", "to": "eq", "gain_db": 1.5}, {"from": "eq", "to": "ways"},
    {"from": "ways:out_1", "to": "lim"}, {"from": "lim", "to": "sum:in_1"}, {"from": "ways:out_2", "to": "level"},
    {"from": "level", "to": "sum:in_2", "gain_db": -2}, {"from": "eq", "to": "sum:in_3"},
    {"from": "sum", "to": "balance"}, {"from": "balance", "to": "out"}]})";

std::string ways(bool compensated) {
    std::string document{kWays};
    return document.replace(document.find("COMPENSATED"), 11, compensated ? "true" : "false");
}

TEST(EnginePath, IsWhatAnImpulseShows) {
    for (const bool compensated : {true, false}) {
        OfflineEngine offline{{}, builtin_nodes(), 2, 2};
        offline.load(ways(compensated));
        offline.settle();
        expect_path(offline, {.from = "mic", .to = "out"}, 0, 0);
        expect_path(offline, {.from = "mic", .to = "out", .from_channel = 2, .to_channel = 2}, 1, 1);
        // A muted branch does not count.
        const auto path = find_path(offline.engine, {.from = "mic", .to = "out"});
        EXPECT_THAT(path->notes(), ElementsAre("limiter \"lim\" counts as its latency, without gain reduction"));
        // The other channel is silent.
        const auto crosstalk = find_path(offline.engine, {.from = "mic", .to = "out", .to_channel = 2});
        const auto response = crosstalk->response(kFrequencies, kRate, always);
        EXPECT_EQ(response->front().values[3], 0.0);
        EXPECT_EQ(response->front().group_delays_s[3], 0.0);
    }
}

TEST(EnginePath, FollowsParametersGainsAndBypass) {
    OfflineEngine offline{{}, builtin_nodes(), 2, 2};
    offline.load(ways(true));
    offline.settle();
    offline.edit({SetParameter{"eq", "gain_2_db", -9.0F, 0.0F}, SetParameter{"lim", "bypass", 1.0F, 0.0F},
                  SetParameter{"ways", "frequency_1_hz", 2'000.0F, 0.0F}, SetParameter{"sum", "mute_3", 0.0F, 0.0F},
                  Connect{"level", "sum:in_2", -8.0F}});
    offline.settle();
    offline.render_blocks(30);
    expect_path(offline, {.from = "mic", .to = "out"}, 0, 0);
    offline.edit({SetParameter{"eq", "bypass", 1.0F, 0.0F}, SetParameter{"balance", "bypass", 1.0F, 0.0F}});
    offline.settle();
    offline.render_blocks(30);
    expect_path(offline, {.from = "mic", .to = "out", .from_channel = 2, .to_channel = 2}, 1, 1);
    const auto path = find_path(offline.engine, {.from = "mic", .to = "out"});
    EXPECT_TRUE(path->notes().empty()) << "a bypassed limiter is linear";
}

TEST(EnginePath, CrossesChannels) {
    OfflineEngine offline{{}, builtin_nodes(), 2, 2};
    offline.load(R"({"nodes": [
        {"name": "left", "type": "input"}, {"name": "right", "type": "input", "settings": {"first_channel": 2}},
        {"name": "both", "type": "matrix", "parameters": {"gain_1_1_db": -1, "gain_1_2_db": -20, "gain_2_1_db": -10}},
        {"name": "low", "type": "biquad_filter"}, {"name": "high", "type": "biquad_filter", "settings": {"kind": "highpass"}},
        {"name": "place", "type": "pan", "parameters": {"position": -0.3}},
        {"name": "clip", "type": "soft_clip", "settings": {"channels": 2}, "parameters": {"drive_db": 6}},
        {"name": "wide", "type": "gain", "settings": {"channels": 2}},
        {"name": "out", "type": "output", "settings": {"channels": 2}}],
      "connections": [
        {"from": "left", "to": "both:in_1"}, {"from": "right", "to": "both:in_2"}, {"from": "both:out_1", "to": "low"},
        {"from": "both:out_2", "to": "high"}, {"from": "low", "to": "place"}, {"from": "place", "to": "clip"},
        {"from": "high", "to": "wide", "gain_db": 3}, {"from": "clip", "to": "out"}, {"from": "wide", "to": "out"}]})");
    offline.settle();
    expect_path(offline, {.from = "left", .to = "out"}, 0, 0);
    expect_path(offline, {.from = "left", .to = "out", .to_channel = 2}, 0, 1);
    expect_path(offline, {.from = "right", .to = "out", .to_channel = 2}, 1, 1);
}

TEST(EnginePath, EndsAtPortsAsAsked) {
    OfflineEngine offline{{}, builtin_nodes(), 2, 2};
    offline.load(ways(true));
    const auto at_700 = [&](const SignalPath::Ends& ends) {
        const auto path = find_path(offline.engine, ends);
        EXPECT_TRUE(path) << path.error().sentence;
        std::vector<std::pair<std::string, double>> levels;
        const auto response = path->response(std::array{700.0}, kRate, always);
        for (const SignalPath::Output& output : *response)
            levels.emplace_back(output.port, 20.0 * std::log10(std::abs(output.values[0])));
        return levels;
    };
    // Both ways are at -6 dB at the crossover frequency.
    const auto both = at_700({.from = "ways:in", .to = "ways"});
    ASSERT_EQ(both.size(), 2U);
    EXPECT_EQ(both[0].first, "out_1");
    EXPECT_NEAR(both[0].second, -6.02, 0.01);
    EXPECT_EQ(both[1].first, "out_2");
    EXPECT_NEAR(both[1].second, -6.02, 0.01);
    EXPECT_NEAR(at_700({.from = "ways:in", .to = "ways:out_2"}).front().second, -6.02, 0.01);
    EXPECT_NEAR(at_700({.from = "ways:out_2", .to = "sum:in_2"}).front().second, -6.0, 0.001) << "level and gain";
    EXPECT_NEAR(at_700({.from = "balance", .to = "out:in"}).front().second, 0.0, 1e-9);
    EXPECT_NEAR(at_700({.from = "balance", .to = "out"}).front().second, -3.0, 1e-3);
    EXPECT_NEAR(at_700({.from = "out:in", .to = "out"}).front().second, -3.0, 1e-3);
}

TEST(EnginePath, RefusesWhatIsNotAPath) {
    OfflineEngine offline{{}, builtin_nodes(), 2, 2};
    offline.load(ways(true));
    offline.edit({AddNode{"sine", "osc", {}, {}}});
    const auto expect_error = [&](const SignalPath::Ends& ends, ErrorCode code, const char* sentence) {
        const auto path = find_path(offline.engine, ends);
        ASSERT_FALSE(path) << ends.from << " " << ends.to;
        EXPECT_EQ(path.error().code, code);
        EXPECT_THAT(path.error().sentence, HasSubstr(sentence));
    };
    using enum ErrorCode;
    expect_error({.from = "lime", .to = "out"}, not_found, "did you mean \"lim\"");
    expect_error({.from = "mic", .to = "sum:in_4"}, not_found, "expected one of: out, in_1, in_2, in_3");
    expect_error({.from = "ways", .to = "out"}, invalid_argument,
                 "has several outputs: specify one, for example ways:out_1");
    expect_error({.from = "out", .to = "mic"}, failed_precondition, "has no output");
    expect_error({.from = "lim", .to = "eq"}, failed_precondition, "\"eq\" feeds \"lim\"; exchange the two");
    expect_error({.from = "osc", .to = "out"}, failed_precondition, "no connections lead from one to the other");
    expect_error({.from = "ways:out_2", .to = "lim"}, failed_precondition, "no connections lead");
    expect_error({.from = "eq", .to = "eq"}, failed_precondition, "they are the same node");
    expect_error({.from = "mic", .to = "out", .from_channel = 3}, invalid_argument,
                 "from_channel = 3 is out of range: mic:out has channels 1 to 2");
    expect_error({.from = "osc", .to = "out", .from_channel = 2}, invalid_argument, "osc:out has one channel");
    expect_error({.from = "mic", .to = "out", .to_channel = 0}, invalid_argument, "to_channel = 0 is out of range");
}

TEST(EnginePath, StopsWhenItTakesTooLong) {
    OfflineEngine offline{{}, builtin_nodes(), 2, 2};
    offline.load(ways(true));
    const auto path = find_path(offline.engine, {.from = "mic", .to = "out"});
    int calls = 0;
    const auto response = path->response(kFrequencies, kRate, [&] { return ++calls < 5; });
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, ErrorCode::resource_exhausted);
    EXPECT_THAT(response.error().sentence, HasSubstr("path with 10 channels of nodes at 9 frequencies takes too long"));
}

TEST(EnginePath, StopsWhenFindingItTakesTooLong) {
    OfflineEngine offline{{}, builtin_nodes(), 2, 2};
    offline.load(ways(true));
    const auto find_within = [&](int most) {
        int calls = 0;
        const auto path = SignalPath::find(offline.engine.graph(), *offline.engine.own_latencies(),
                                           {.from = "mic", .to = "out"}, [&] { return ++calls <= most; });
        return std::pair{path, calls};
    };
    const auto [refused, once] = find_within(0);
    ASSERT_FALSE(refused);
    EXPECT_EQ(once, 1) << "at the first node";
    EXPECT_EQ(refused.error().code, ErrorCode::resource_exhausted);
    EXPECT_EQ(refused.error().sentence, "finding the path takes too long; choose ends that are closer to each other");
    // balance, sum, level, lim, two outputs of ways, eq and low_cut: each is asked about before its inputs.
    EXPECT_FALSE(find_within(7).first);
    EXPECT_TRUE(find_within(8).first);
}

TEST(EnginePath, TheCostCountsTheParametersOfFiltersOncePerOutput) {
    OfflineEngine offline{{}, builtin_nodes(), 1, 1};
    offline.load(R"({"nodes": [
        {"name": "place", "type": "pan"},
        {"name": "eq", "type": "equalizer", "settings": {"channels": 2, "bands": 64}},
        {"name": "parts", "type": "split", "settings": {"channels": 2}},
        {"name": "sum", "type": "mixer"}],
      "connections": [{"from": "place", "to": "eq"}, {"from": "eq", "to": "parts"}, {"from": "parts:out_1", "to": "sum:in_1"},
                      {"from": "parts:out_2", "to": "sum:in_2"}]})");
    const auto cost = [&] { return find_path(offline.engine, {.from = "place:in", .to = "sum"})->cost(); };
    // The start, two channels of three nodes, and the sum; each channel reads one signal, the sum reads two.
    constexpr std::size_t kPointsAndTerms = 8 + 8;
    const std::size_t parameters = (*offline.engine.graph().require("eq"))->parameters.size();
    EXPECT_GE(parameters, 3U * 64U);
    EXPECT_EQ(cost(), kPointsAndTerms + parameters);
    offline.edit({SetParameter{"eq", "bypass", 1.0F, 0.0F}});
    EXPECT_EQ(cost(), kPointsAndTerms);
}

TEST(EnginePath, NotesAreCutAfterSixteen) {
    OfflineEngine offline{{}, builtin_nodes(), 1, 1};
    std::vector<Edit> edits{AddNode{"input", "mic", {}, {}}};
    std::string before = "mic";
    for (int i = 1; i <= 20; ++i) {
        const std::string name = "gate_" + std::to_string(i);
        edits.push_back(AddNode{"gate", name, {}, {}});
        edits.push_back(Connect{before, name, {}});
        before = name;
    }
    offline.edit(edits);
    const auto notes = find_path(offline.engine, {.from = "mic", .to = before})->notes();
    ASSERT_EQ(notes.size(), 17U);
    EXPECT_EQ(notes.front(), "gate \"gate_1\" counts as an open gate");
    EXPECT_EQ(notes.back(), "4 more nodes count as linear");
}

}  // namespace
}  // namespace rta::test::engine_path_test
