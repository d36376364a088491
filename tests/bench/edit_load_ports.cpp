// SPDX-License-Identifier: MIT
// The part of edit_load_bench with branches that move from port to port.
#include <cmath>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "edit_load_engine.h"

namespace rta::bench {
namespace {

/// Branches of a constant and some nodes that move to another port with every edit. Their sum is the same constant at
/// every frame, because one branch fades in as the other fades out.
class Branches {
 public:
    static constexpr std::size_t kMixers = 64;
    static constexpr std::size_t kInputs = 64;

    Branches(LoadedEngine& loaded, std::size_t count, std::size_t length, bool looks_ahead, std::uint32_t seed)
        : loaded_{loaded}, length_{length}, looks_ahead_{looks_ahead}, ports_(count), random_{seed} {
        std::vector<Edit> edits{AddNode{"output", "out", {}, {}}};
        for (std::size_t i = 0; i < kMixers; ++i) {
            const std::string mixer = "mixer" + std::to_string(i);
            edits.emplace_back(AddNode{"mixer", mixer, {{"inputs", static_cast<double>(kInputs)}}, {}});
            edits.emplace_back(Connect{mixer, "out", {}});
        }
        add(edits);
        loaded_.edit(std::move(edits), [](double) {});
        loaded_.render_ms(100);
        check();
    }

    void move() {
        std::vector<Edit> edits;
        for (const std::string& node : nodes_) edits.emplace_back(RemoveNode{node});
        const auto before = std::exchange(nodes_, {});
        add(edits);
        if (!loaded_.edit(std::move(edits), [this](double) { check(); })) nodes_ = before;
    }

    void check() const {
        for (const float sample : loaded_.channel(0)) {
            bench::check("the sum of all branches", std::fabs(sample - kLevel), kTolerance);
        }
    }

 private:
    void add(std::vector<Edit>& edits) {
        for (std::size_t i = 0; i < ports_; ++i) {
            std::string last = "b" + std::to_string(next_name_++);
            nodes_.push_back(last);
            edits.emplace_back(AddNode{"constant", last, {}, {{"value", kLevel / static_cast<float>(ports_)}}});
            for (std::size_t n = 1; n < length_; ++n) {
                const std::string name = "b" + std::to_string(next_name_++);
                AddNode node{"gain", name, {}, {}};
                if (looks_ahead_ && n == 1) node = {"limiter", name, {{"look_ahead_ms", 20.0}}, {}};
                edits.emplace_back(node);
                edits.emplace_back(Connect{last, name, {}});
                nodes_.push_back(name);
                last = name;
            }
            const std::size_t port = std::uniform_int_distribution<std::size_t>{0, kMixers * kInputs - 1}(random_);
            edits.emplace_back(Connect{
                last, "mixer" + std::to_string(port / kInputs) + ":in_" + std::to_string(port % kInputs + 1), {}});
        }
    }

    LoadedEngine& loaded_;
    std::size_t length_;
    bool looks_ahead_;
    std::size_t ports_;
    std::mt19937 random_;
    std::vector<std::string> nodes_;
    std::size_t next_name_ = 0;
};

void measure_branches(const Load& load, std::size_t count, std::size_t length, bool looks_ahead) {
    const std::size_t edits = load.of(count == 1 ? 10'000 : 2'500);
    print_title(std::to_string(edits) + " edits, one every 2 ms, each moves " + std::to_string(count) +
                " branches of " + std::to_string(length) + " nodes" + (looks_ahead ? " with 20 ms of look-ahead" : "") +
                " over 4,096 ports");
    LoadedEngine loaded{1};
    loaded.reserve(edits);
    Branches branches{loaded, count, length, looks_ahead, load.seed};
    loaded.reset_counts();
    const Memory before = Memory::now();
    std::vector<double> blocks_us;
    const std::uint64_t late = run_at_rate(
        loaded, edits, kRateHz / 500.0, [&](std::size_t) { branches.move(); },
        [&](double us) {
            blocks_us.push_back(us);
            branches.check();
        });
    print_counts(loaded);
    print_figure("the last edit was late by", decimal(1000.0 * static_cast<double>(late) / kRateHz, 0) + " ms");
    print_figure("memory before, after", before.text() + ", " + Memory::now().text());
    loaded.settle();
    branches.check();
    print_figure("nodes of the graph, nodes that sound at rest",
                 std::to_string(loaded.engine().graph().node_count()) + ", " +
                     std::to_string(loaded.engine().statistics().sounding_nodes),
                 "equal");
}

}  // namespace

void measure_ports(const Load& load) {
    measure_branches(load, 1, 2, false);
    measure_branches(load, 1, 8, true);
    measure_branches(load, 32, 8, false);
    measure_branches(load, 32, 8, true);
}

}  // namespace rta::bench
