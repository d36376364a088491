// SPDX-License-Identifier: MIT
// Measures the cost of node timing per block: the same graph with and without timing, rendered by the engine on one
// core.
//
//     chrt -f 50 taskset -c 1 build/release/bin/node_load_bench [--quick]
#include <cstdio>
#include <memory>

#include "bench.h"
#include "bench_main.h"

namespace rta::bench {
namespace {

/// Chain of gains, which take little time: the worst case for the relative overhead of timing.
std::vector<Edit> gains(std::size_t count) {
    std::vector<Edit> edits{AddNode{"output", "out", {}, {}}, AddNode{"sine", "n0", {}, {}}};
    for (std::size_t i = 1; i < count; ++i) {
        edits.emplace_back(AddNode{"gain", "n" + std::to_string(i), {}, {{"gain_db", -0.001F}}});
        edits.emplace_back(Connect{"n" + std::to_string(i - 1), "n" + std::to_string(i), {}});
    }
    edits.emplace_back(Connect{"n" + std::to_string(count - 1), "out", {}});
    return edits;
}

/// Parallel sines through filters: a typical graph.
std::vector<Edit> voices(std::size_t count) {
    std::vector<Edit> edits{AddNode{"output", "out", {}, {}}};
    for (std::size_t i = 0; i < count / 2; ++i) {
        const std::string name = "n" + std::to_string(i);
        edits.emplace_back(AddNode{"sine", name, {}, {{"gain_db", -60.0F}}});
        edits.emplace_back(AddNode{"biquad_filter", name + "_filter", {}, {}});
        edits.emplace_back(Connect{name, name + "_filter", {}});
        edits.emplace_back(Connect{name + "_filter", "out", {}});
    }
    return edits;
}

void add_pair(std::vector<Row>& rows, const std::string& what, std::vector<Edit> edits) {
    constexpr int kMadeBlocks = 150;
    auto rig = std::make_shared<Rig>(std::move(edits));
    rig->render(1'500);
    rig->poll();
    rig->engine().watch_node_times(true);
    rig->render(200);
    for (const NodeTime& time : rig->engine().node_times()) {
        if (time.cycles == 0) throw std::runtime_error("a node was not timed");
    }
    for (const bool timed : {false, true}) {
        rows.push_back(
            {what + (timed ? ", timed" : ""), std::string{dsp::simd_target()}, kMadeBlocks, "ns a block", [rig, timed] {
                 rig->engine().watch_node_times(timed);
                 rig->render(kMadeBlocks);
             }});
    }
}

}  // namespace
}  // namespace rta::bench

void rta::bench::run(std::span<const std::string_view> arguments) {
    const bool quick = !arguments.empty() && arguments[0] == "--quick";
    std::vector<Row> rows;
    for (const std::size_t count : {100UZ, 1'000UZ, 10'000UZ}) {
        add_pair(rows, std::to_string(count) + " gains in a chain", gains(count));
        add_pair(rows, std::to_string(count) + " sines and filters", voices(count));
    }
    measure(rows, quick ? 20 : 200);
    print(rows);
    std::printf("\n%-52s %9s %12s\n", "timing", "of it", "of 1.333 ms");
    for (std::size_t i = 0; i < rows.size(); i += 2) {
        const double more_ns = rows[i + 1].median() - rows[i].median();
        std::printf("%-52s %7.2f %% %10.4f %%\n", rows[i].what.c_str(), 100.0 * more_ns / rows[i].median(),
                    100.0 * more_ns / (kBlock * 1e9 / kRateHz));
    }
}
