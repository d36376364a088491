// SPDX-License-Identifier: MIT
// Measures dynamics processors: a tone through many of them in parallel, rendered by the engine on one core. Results
// are verified before they are timed.
//
//     chrt -f 50 taskset -c 1 build/release/bin/dynamics_bench [--quick]
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <memory>

#include "bench.h"
#include "bench_main.h"

namespace rta::bench {
namespace {

constexpr std::size_t kNodes = 64;

struct Kind {
    const char* what;
    const char* type;
    float level_db;  ///< of the tone
    std::map<std::string, float, std::less<>> parameters;
    double peak_db;  ///< expected peak of the output, per node
};

const std::vector<Kind> kKinds{
    {"gain, for comparison", "gain", -10.0F, {{"gain_db", -1.0F}}, -11.0},
    {"compressor, below its threshold", "compressor", -40.0F, {}, -40.0},
    {"compressor, at work", "compressor", 0.0F, {}, -15.0},
    {"gate, open", "gate", -10.0F, {}, -10.0},
    {"gate, half open in its knee", "gate", -50.0F, {{"knee_db", 24.0F}}, -56.02},
    {"gate, shut", "gate", -60.0F, {{"range_db", -20.0F}}, -80.0},
    {"limiter, 20 dB below its ceiling", "limiter", -21.0F, {}, -21.0},
    {"limiter, 2 dB below its ceiling", "limiter", -3.0F, {}, -3.0},
    {"limiter, at work", "limiter", 6.0F, {}, -1.0},
};

std::vector<Edit> graph(const Kind& kind, const Settings& settings = {}) {
    std::vector<Edit> edits{AddNode{"output", "out", {}, {}},
                            AddNode{"sine", "tone", {}, {{"frequency_hz", 997.0F}, {"gain_db", kind.level_db}}}};
    for (std::size_t i = 0; i < kNodes; ++i) {
        const std::string name = "n" + std::to_string(i);
        edits.emplace_back(AddNode{kind.type, name, settings, kind.parameters});
        edits.emplace_back(Connect{"tone", name, {}});
        edits.emplace_back(Connect{name, "out", {}});
    }
    return edits;
}

Row row(const Kind& kind, std::string_view target) {
    constexpr int kMadeBlocks = 20;
    use(target);
    auto rig = std::make_shared<Rig>(graph(kind));
    rig->render(1'500);
    rig->poll();
    double peak = 0.0;
    for (int block = 0; block < 10; ++block) {
        rig->render(1);
        for (const float sample : rig->block()) peak = std::max(peak, std::fabs(static_cast<double>(sample)));
    }
    const double peak_db = 20.0 * std::log10(peak / kNodes);
    if (!(std::fabs(peak_db - kind.peak_db) < 0.1)) {
        throw std::runtime_error(std::string{kind.what} + " has a peak of " + std::to_string(peak_db) +
                                 " dB: no times were measured");
    }
    return {kind.what, std::string{target}, static_cast<double>(kNodes) * kBlock * kMadeBlocks, "ns a node and frame",
            [rig] { rig->render(kMadeBlocks); }};
}

/// Measures each block of processors with a long look-ahead that were built together, so that periodic work of all of
/// them would fall into the same block. The same signal is rendered repeatedly by new engines; the minimum time of each
/// block counts, to exclude other load on the machine.
void print_worst_block(const char* what, const char* type, double look_ahead_ms, bool quick) {
    constexpr double kHighRateHz = 192'000.0;
    constexpr std::size_t kBlocks = 1'500;  // half a second: ten times the longest look-ahead
    const int rounds = quick ? 3 : 20;
    std::vector<double> us(kBlocks, std::numeric_limits<double>::infinity());
    for (int round = 0; round < rounds; ++round) {
        Rig rig{graph({what, type, 6.0F, {}, 0.0}, {{"look_ahead_ms", look_ahead_ms}}), kHighRateHz};
        rig.render(100);
        rig.poll();
        for (double& block : us) block = std::min(block, ns_of([&] { rig.render(1); }) / 1'000.0);
    }
    std::ranges::sort(us);
    std::printf("%-52s %-6s %9.3f %9.3f us a block of %.0f us\n", what, std::string{dsp::simd_target()}.c_str(),
                us[kBlocks / 2], us.back(), kBlock / kHighRateHz * 1e6);
}

}  // namespace
}  // namespace rta::bench

void rta::bench::run(std::span<const std::string_view> arguments) {
    const bool quick = !arguments.empty() && arguments[0] == "--quick";
    std::vector<Row> rows;
    for (const std::string_view target : dsp::simd_targets()) {
        for (const Kind& kind : kKinds) rows.push_back(row(kind, target));
    }
    measure(rows, quick ? 20 : 300);
    print(rows);
    std::printf("\n%-52s %-6s %9s %9s\n", "64 that look ahead, at 192 kHz", "target", "median", "worst");
    for (const std::string_view target : dsp::simd_targets()) {
        use(target);
        print_worst_block("compressor, 50 ms ahead", "compressor", 50.0, quick);
        print_worst_block("limiter, 20 ms ahead", "limiter", 20.0, quick);
    }
}
