// SPDX-License-Identifier: MIT
// Thousands of random edits: no click in the path of a tone, and a final output that is bit-identical to that of the
// same graph without the edits.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>

#include "support/effort.h"
#include "support/offline_engine.h"

namespace rta::test::engine_storm_test {
namespace {

/// Edits the path of one tone at random: osc -> [some of g0 g1 g2 g3 in any order] -> out.
class TonePathEditor {
 public:
    /// `with_look_ahead`: some of the nodes have look-ahead, a parallel path of the tone has none, and compensation is
    /// switched on and off.
    TonePathEditor(OfflineEngine& offline, unsigned seed, bool with_look_ahead = false)
        : offline_{offline}, random_{seed}, with_look_ahead_{with_look_ahead} {}

    void start() {
        offline_.edit({AddNode{"sine", "osc", {}, {{"frequency_hz", 440.0F}, {"gain_db", -6.0F}}},
                       AddNode{"output", "out", {}, {}}, Connect{"osc", "out", {}}});
        if (with_look_ahead_) {
            offline_.edit(
                {AddNode{"gain", "direct", {}, {}}, Connect{"osc", "direct", {}}, Connect{"direct", "out", {}}});
        }
    }

    /// The same with a constant instead of a tone, so that the recording is the sum of all gains.
    void start_constant(float value) {
        offline_.edit({AddNode{"constant", "osc", {}, {{"value", value}}}, AddNode{"output", "out", {}, {}},
                       Connect{"osc", "out", {}}});
    }

    /// Makes an edit that needs no dip: it does not reorder nodes, and disconnects nothing.
    void edit_without_dip() {
        switch (pick(4)) {
            case 0:
            case 1:
                insert();
                break;
            case 2:
                remove();
                break;
            default:
                rebuild();
                break;
        }
    }

    void edit_once() {
        switch (pick(with_look_ahead_ ? 6 : 5)) {
            case 0:
                insert();
                break;
            case 1:
                remove();
                break;
            case 2:
                swap();
                break;
            case 3:
                retune();
                break;
            case 4:
                reconnect();
                break;
            default:
                compensate();
                break;
        }
    }

 private:
    int pick(int count) { return std::uniform_int_distribution{0, count - 1}(random_); }

    [[nodiscard]] std::vector<std::string> path() const {
        std::vector<std::string> whole{"osc"};
        whole.insert(whole.end(), inner_.begin(), inner_.end());
        whole.emplace_back("out");
        return whole;
    }

    /// Changes the current path to `inner`, in one transaction.
    void rewire(std::vector<std::string> inner, std::vector<Edit> before, std::vector<Edit> after) {
        const auto connections_of = [](const std::vector<std::string>& nodes) {
            std::set<std::pair<std::string, std::string>> connections;
            for (std::size_t i = 1; i < nodes.size(); ++i) connections.emplace(nodes[i - 1], nodes[i]);
            return connections;
        };
        const auto old_connections = connections_of(path());
        inner_ = std::move(inner);
        const auto new_connections = connections_of(path());
        std::vector<Edit> edits = std::move(before);
        for (const auto& [from, to] : old_connections) {
            if (!new_connections.contains({from, to})) edits.emplace_back(Disconnect{from, to});
        }
        for (const auto& [from, to] : new_connections) {
            if (!old_connections.contains({from, to})) edits.emplace_back(Connect{from, to, {}});
        }
        edits.insert(edits.end(), after.begin(), after.end());
        offline_.edit(std::move(edits));
    }

    void insert() {
        if (inner_.size() >= 4) return remove();
        const std::string name = "g" + std::to_string(next_++);
        auto inner = inner_;
        inner.insert(inner.begin() + pick(static_cast<int>(inner.size()) + 1), name);
        AddNode node{"gain", name, {}, {}};
        if (with_look_ahead_ && pick(2) == 0) {
            node.type = "limiter";  // the signal is below its ceiling: it only delays
            node.settings["look_ahead_ms"] = static_cast<double>(1 + pick(10));
        }
        rewire(std::move(inner), {std::move(node)}, {});
    }
    void remove() {
        if (inner_.empty()) return insert();
        auto inner = inner_;
        const auto victim = inner.begin() + pick(static_cast<int>(inner.size()));
        const std::string name = *victim;
        inner.erase(victim);
        rewire(std::move(inner), {}, {RemoveNode{name}});
    }
    void rebuild() {
        if (inner_.empty()) return insert();
        const std::string& name = inner_[static_cast<std::size_t>(pick(static_cast<int>(inner_.size())))];
        if (offline_.engine.graph().find(name)->description->type->name != "limiter") return remove();
        offline_.edit({ChangeSettings{name, {{"look_ahead_ms", static_cast<double>(1 + pick(20))}}}});
    }
    void swap() {
        if (inner_.size() < 2) return insert();
        auto inner = inner_;
        std::ranges::shuffle(inner, random_);
        rewire(std::move(inner), {}, {});
    }
    void retune() {
        const SetParameter change{"osc", "frequency_hz", static_cast<float>(300 + pick(400)), {}};
        const auto ticket = offline_.engine.set_parameters({&change, 1});
        ASSERT_TRUE(ticket) << ticket.error().sentence;
    }
    void compensate() { offline_.edit({SetLatencyCompensation{!offline_.engine.graph().latency_compensation()}}); }
    void reconnect() {
        const auto nodes = path();
        const auto at = static_cast<std::size_t>(pick(static_cast<int>(nodes.size()) - 1));
        offline_.edit({Disconnect{nodes[at], nodes[at + 1]}});
        offline_.render_blocks(static_cast<std::uint32_t>(pick(4)));
        offline_.edit({Connect{nodes[at], nodes[at + 1], {}}});
    }

    OfflineEngine& offline_;
    std::mt19937 random_;
    bool with_look_ahead_;
    std::vector<std::string> inner_;
    int next_ = 0;
};

double largest_second_difference(const std::vector<float>& samples) {
    double largest = 0.0;
    for (std::size_t i = 2; i < samples.size(); ++i) {
        const double bend = static_cast<double>(samples[i]) - 2.0 * static_cast<double>(samples[i - 1]) +
                            static_cast<double>(samples[i - 2]);
        largest = std::max(largest, std::abs(bend));
    }
    return largest;
}

/// The second difference of a sine of amplitude A and at most 700 Hz is at most A w^2, w = 2 pi 700 / 48000 = 0.0916:
/// 0.0042 for A = 0.5. A fade of 480 frames adds a corner of A/480 at its start and end, and 2 w A/480 while it runs. A
/// path has at most five connections in series, each a sum of a falling and a rising one. If all of them fade at the
/// same time, they add 10 corners of 0.5/480 = 0.0104 and 10 x 2 x 0.0916 x 0.5/480 = 0.0019. A step without ramps has
/// a second difference of up to 0.5.
constexpr double kBound = 0.0042 + 0.0104 + 0.0019;

TEST(EngineStorm, RandomEditsInTheTonesPathLeaveNoClick) {
    for (unsigned seed = 1; seed <= cases(8U, 2U); ++seed) {
        OfflineEngine offline;
        offline.with_snapshots = seed % 2 == 0;
        TonePathEditor editor{offline, seed};
        editor.start();
        std::mt19937 random{seed};
        for (int i = 0; i < 500; ++i) {
            editor.edit_once();
            offline.render_blocks(std::uniform_int_distribution{1U, 12U}(random));
        }
        offline.settle();
        EXPECT_LE(largest_second_difference(offline.recorded[0]), kBound) << "seed " << seed;
        EXPECT_EQ(offline.engine.statistics().plans_alive, 1U);
        EXPECT_EQ(offline.engine.statistics().telemetry_dropped, 0U);
    }
}

TEST(EngineStorm, NeitherLookAheadNorItsCompensationClicks) {
    for (unsigned seed = 1; seed <= cases(12U, 3U); ++seed) {
        OfflineEngine offline;
        offline.with_snapshots = seed % 2 == 0;
        TonePathEditor editor{offline, seed, true};
        editor.start();
        std::mt19937 random{seed};
        for (int i = 0; i < 300; ++i) {
            editor.edit_once();
            offline.render_blocks(std::uniform_int_distribution{1U, 24U}(random));
        }
        offline.settle();
        EXPECT_LE(largest_second_difference(offline.recorded[0]), 2.0 * kBound) << "two paths, seed " << seed;
        EXPECT_EQ(offline.engine.statistics().plans_alive, 1U);
    }
}

/// After any of these edits, the path is a crossfade of paths of the same level.
TEST(EngineStorm, RapidLookAheadEditsKeepExactlyOnePathAudible) {
    for (unsigned seed = 1; seed <= cases(30U, 5U); ++seed) {
        OfflineEngine offline;
        offline.with_snapshots = seed % 2 == 0;
        TonePathEditor editor{offline, seed, true};
        editor.start_constant(0.25F);
        offline.render_blocks(4);
        std::mt19937 random{seed};
        for (int i = 0; i < 200; ++i) {
            editor.edit_without_dip();
            // Often several plans in one block, and often a pause shorter than a look-ahead.
            offline.render_blocks(std::uniform_int_distribution{0U, 3U + seed % 20}(random));
            offline.poll();
        }
        offline.settle();
        const auto [low, high] = std::ranges::minmax(offline.recorded[0]);
        EXPECT_NEAR(low, 0.25F, 1e-5F) << "seed " << seed;
        EXPECT_NEAR(high, 0.25F, 1e-5F) << "seed " << seed;
        EXPECT_EQ(offline.engine.statistics().plans_alive, 1U);
    }
}

TEST(EngineStorm, TheSameEditsWithoutRampsClick) {
    EngineConfig config;
    config.ramps = false;
    OfflineEngine offline{config};
    TonePathEditor editor{offline, 1};
    editor.start();
    for (int i = 0; i < 100; ++i) {
        editor.edit_once();
        offline.render_blocks(5);
    }
    EXPECT_GT(largest_second_difference(offline.recorded[0]), 4.0 * kBound);
}

/// Edits any graph at random; an edit that the engine refuses must change nothing.
class GraphScrambler {
 public:
    GraphScrambler(OfflineEngine& offline, unsigned seed) : offline_{offline}, random_{seed} {}

    void scramble() {
        std::vector<Edit> edits;
        for (int i = pick(3); i >= 0; --i) edits.push_back(any_edit());
        const std::string before = write_document(offline_.engine.graph().document());
        const auto ticket = offline_.apply(std::move(edits));
        if (ticket) {
            ++accepted;
        } else {
            ASSERT_EQ(write_document(offline_.engine.graph().document()), before) << ticket.error().sentence;
        }
    }

    int accepted = 0;

 private:
    int pick(int count) { return std::uniform_int_distribution{0, count - 1}(random_); }
    std::string name() { return "n" + std::to_string(pick(12)); }

    Edit any_edit() {
        static constexpr const char* kTypes[] = {"constant", "gain", "gain", "output"};
        switch (pick(8)) {
            case 0:
            case 1: {
                const std::string type = kTypes[pick(4)];
                AddNode add{type, name(), {}, {}};
                if (type == "constant") add.parameters["value"] = static_cast<float>(pick(64)) / 64.0F;
                return add;
            }
            case 2:
                return RemoveNode{name()};
            case 3:
                return Disconnect{name(), name()};
            case 4:
                return ChangeSettings{name(), {{"channels", static_cast<double>(1 + pick(2))}}};
            default:
                return Connect{name(), name(), {}};
        }
    }

    OfflineEngine& offline_;
    std::mt19937 random_;
};

TEST(EngineStorm, EditedGraphRendersLikeItsDocument) {
    for (unsigned seed = 1; seed <= cases(40U, 8U); ++seed) {
        OfflineEngine lived{{}, builtin_nodes(), 1};
        GraphScrambler scrambler{lived, seed};
        std::mt19937 random{seed};
        for (int i = 0; i < 400; ++i) {
            scrambler.scramble();
            lived.render_blocks(std::uniform_int_distribution{0U, 9U}(random));
            lived.poll();
        }
        lived.settle();
        lived.render_blocks(2);
        ASSERT_GT(scrambler.accepted, 20);

        OfflineEngine fresh{{}, builtin_nodes(), 1};
        fresh.load(write_document(lived.engine.graph().document()));
        fresh.render_blocks(2);
        EXPECT_EQ(lived.recorded[0].back(), fresh.recorded[0].back()) << "seed " << seed;
        EXPECT_EQ(lived.engine.statistics().plans_alive, 1U);
    }
}

}  // namespace
}  // namespace rta::test::engine_storm_test
