// SPDX-License-Identifier: MIT
// Measures meters with and without a subscriber, rendered by the engine on one core. Results are verified before they
// are timed.
//
//     chrt -f 50 taskset -c 1 build/release/bin/meter_bench [--quick]
#include <cmath>
#include <cstdio>
#include <memory>

#include "bench.h"
#include "bench_main.h"

namespace rta::bench {
namespace {

constexpr std::size_t kNodes = 64;

/// All channels of all meters receive the same tone.
std::vector<Edit> graph(std::uint32_t channels) {
    std::vector<Edit> edits{AddNode{"output", "out", {}, {}},
                            AddNode{"sine", "tone", {}, {{"frequency_hz", 997.0F}, {"gain_db", -20.0F}}}};
    for (std::size_t i = 0; i < kNodes; ++i) {
        const std::string name = "m" + std::to_string(i);
        edits.emplace_back(AddNode{"meter", name, {{"channels", static_cast<double>(channels)}}, {}});
        edits.emplace_back(Connect{"tone", name, {}});
    }
    edits.emplace_back(Connect{"tone", "out", {}});
    return edits;
}

/// 997 Hz at -20 dB is -23.01 LUFS per channel.
void check(Rig& rig, std::uint32_t channels) {
    rig.engine().watch_levels(true);
    MeasuredLevels levels;
    for (int i = 0; i < 40; ++i) {
        rig.render(20);
        levels = rig.engine().take_levels();
    }
    const double expected = -23.01 + 10.0 * std::log10(channels);
    for (const MeasuredLevels::Source& meter : levels.meters) {
        if (!(std::fabs(static_cast<double>(meter.loudness.momentary_lufs.value_or(0.0F)) - expected) < 0.1)) {
            throw std::runtime_error("a meter reading is wrong: no times were measured");
        }
    }
}

void add_rows(std::vector<Row>& rows, std::uint32_t channels, std::string_view target) {
    constexpr int kMadeBlocks = 20;
    use(target);
    auto rig = std::make_shared<Rig>(graph(channels));
    rig->render(1'500);
    rig->poll();
    check(*rig, channels);
    rig->engine().watch_levels(false);
    const double units = static_cast<double>(kNodes) * channels * kBlock * kMadeBlocks;
    const std::string what = "meter of " + std::to_string(channels) + (channels == 1 ? " channel, " : " channels, ");
    const auto render = [rig] { rig->render(kMadeBlocks); };
    rows.push_back({what + "not watched", std::string{target}, units, "ns a channel and frame", [rig, render] {
                        rig->engine().watch_levels(false);
                        render();
                    }});
    rows.push_back({what + "looked at", std::string{target}, units, "ns a channel and frame", [rig, render] {
                        // Drain the rings, so that they are never full.
                        rig->engine().watch_levels(true);
                        render();
                    }});
}

}  // namespace
}  // namespace rta::bench

void rta::bench::run(std::span<const std::string_view> arguments) {
    const bool quick = !arguments.empty() && arguments[0] == "--quick";
    std::vector<Row> rows;
    for (const std::string_view target : dsp::simd_targets()) {
        for (const std::uint32_t channels : {1U, 2U, 8U}) add_rows(rows, channels, target);
    }
    measure(rows, quick ? 20 : 300);
    print(rows);
}
