// SPDX-License-Identifier: MIT
// Measures the cost of edits while an engine is under an edit load, relative to an idle engine.
//
//     build/release/bin/edit_load_bench [--quick] [--seed N] [storm | ports | inserts | clients | panic | gains]...
//
// storm    100,000 edits of all kinds, 500 per second; then compares the engine with a new one of the same graph
// ports    branches that move from port to port over 4,096 ports, one edit every 2 ms
// inserts  nodes inserted into 30,000 nodes of a running daemon; counts late blocks
// clients  response and start times of one client of a daemon while others edit as fast as they can
// panic    a panic while four clients add nodes
// gains    the first block after an edit of 10,000 nodes, compared with the next block
//
// Without names, measures all. Times of the engine alone are in seconds of audio, because it renders as fast as it can.
// The output is verified before it is timed; times are not asserted.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "bench_main.h"
#include "edit_load.h"

namespace rta::bench {
namespace {

struct Mode {
    std::string_view name;
    void (*measure)(const Load&);
};
constexpr std::array kModes{Mode{"storm", measure_storm},     Mode{"ports", measure_ports},
                            Mode{"inserts", measure_inserts}, Mode{"clients", measure_clients},
                            Mode{"panic", measure_panic},     Mode{"gains", measure_gains}};

}  // namespace
}  // namespace rta::bench

void rta::bench::run(std::span<const std::string_view> arguments) {
    Load load;
    std::vector<Mode> modes;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string_view word = arguments[i];
        const auto mode = std::ranges::find(kModes, word, &Mode::name);
        if (word == "--quick") {
            load.quick = true;
        } else if (word == "--seed" && i + 1 < arguments.size()) {
            const std::string_view number = arguments[++i];
            std::from_chars(number.data(), number.data() + number.size(), load.seed);
        } else if (mode != kModes.end()) {
            modes.push_back(*mode);
        } else {
            throw std::runtime_error("invalid argument " + std::string{word} +
                                     ": expected --quick, --seed N, storm, ports, inserts, clients, panic or gains");
        }
    }
    if (modes.empty()) modes.assign(kModes.begin(), kModes.end());
    for (const Mode& mode : modes) mode.measure(load);
}
