// SPDX-License-Identifier: MIT
// difference(): the edits that it returns, applied by the engine, turn one graph into another, and back.
#include "graph/difference.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "document/document.h"
#include "support/offline_engine.h"
#include "support/random_edits.h"

namespace rta::test::engine_difference_test {
namespace {

std::string text(const AudioGraph& graph) { return write_document(graph.document()); }

template <class Kind>
std::size_t count(const std::vector<Edit>& edits) {
    return static_cast<std::size_t>(
        std::ranges::count_if(edits, [](const Edit& edit) { return std::holds_alternative<Kind>(edit); }));
}

/// Returns the graph that the edits would make of the engine's.
Expected<AudioGraph> result_of(OfflineEngine& offline, std::vector<Edit> edits) {
    auto prepared = offline.engine.prepare({std::move(edits)});
    if (!prepared) return std::unexpected(prepared.error());
    for (;;) {
        auto graph = offline.engine.check(*prepared);
        if (graph || graph.error().code != ErrorCode::aborted) return graph;
        if (auto built = offline.engine.build(*prepared); !built) return std::unexpected(built.error());
    }
}

void expect_leads_to(OfflineEngine& offline, const AudioGraph& target) {
    const std::vector<Edit> edits = difference(offline.engine.graph(), target);
    const auto reached = result_of(offline, edits);
    ASSERT_TRUE(reached) << reached.error().sentence << "\nfrom " << text(offline.engine.graph()) << "\nto "
                         << text(target);
    EXPECT_EQ(text(*reached), text(target)) << "from " << text(offline.engine.graph());
    EXPECT_EQ(edits.empty(), text(offline.engine.graph()) == text(target));
}

/// Random transactions, with more titles, renames and settings than those of RandomEdits.
class RandomTransactions {
 public:
    explicit RandomTransactions(std::uint32_t seed) : random_{seed} {}

    std::vector<Edit> next(const GraphDocument& graph) {
        RandomEdits random{graph, {.remembering = true, .channels = 2, .views = true}, next_name_};
        const std::uint32_t changes = 1 + number(6);
        for (std::uint32_t i = 0; i < changes; ++i) {
            random.add({static_cast<RandomEdit::Kind>(number(static_cast<std::uint32_t>(RandomEdit::Kind::count))),
                        number(3), number(3), number(1'000'000), number(1'000'000)});
        }
        std::vector<Edit> edits = random.edits();
        const std::vector<GraphDocument::Node>& nodes = random.graph().nodes;
        if (nodes.empty()) return edits;
        const auto& node = nodes[number(static_cast<std::uint32_t>(nodes.size()))];
        const auto& other = nodes[number(static_cast<std::uint32_t>(nodes.size()))];
        if (number(4) == 0) edits.emplace_back(Describe{number(3) == 0 ? "" : node.name, title(), {}});
        if (number(4) == 0 && node.name != other.name) {
            edits.emplace_back(RenameNode{node.name, "spare"});
            edits.emplace_back(RenameNode{other.name, node.name});
            edits.emplace_back(RenameNode{"spare", other.name});
        } else if (number(4) == 0 && node.settings.contains("look_ahead_ms")) {
            edits.emplace_back(ChangeSettings{node.name, {}, {"look_ahead_ms"}});
        }
        return edits;
    }
    std::uint32_t number(std::uint32_t below) {
        return std::uniform_int_distribution<std::uint32_t>{0, below - 1}(random_);
    }

 private:
    std::string title() { return number(2) == 0 ? "" : "title " + std::to_string(number(3)); }

    std::mt19937 random_;
    std::uint32_t next_name_ = 0;
};

TEST(EngineDifference, LeadsFromAnyGraphToAnyOther) {
    for (const std::uint32_t seed : {1U, 2U, 3U}) {
        RandomTransactions random{seed};
        OfflineEngine offline;
        OfflineEngine unrelated;
        const GraphDocument start = RandomEdits::start(3, {.remembering = true, .channels = 2});
        offline.edit({ReplaceGraph{start}});
        unrelated.edit({ReplaceGraph{start}});
        std::deque<AudioGraph> earlier;
        std::size_t committed = 0;
        for (int step = 0; step < 150; ++step) {
            const std::vector<Edit> edits = random.next(offline.engine.graph().document());
            const auto after = result_of(offline, edits);
            if (!after) continue;  // such as a cycle
            expect_leads_to(offline, *after);
            const AudioGraph before = offline.engine.graph();
            offline.edit(edits);
            ++committed;
            expect_leads_to(offline, before);
            earlier.push_back(before);
            if (earlier.size() > 20) earlier.pop_front();
            expect_leads_to(offline, earlier.front());
            const std::vector<Edit> others = random.next(unrelated.engine.graph().document());
            if (result_of(unrelated, others)) unrelated.edit(others);
            expect_leads_to(offline, unrelated.engine.graph());
            if (testing::Test::HasFailure()) return;
            offline.settle();
            unrelated.settle();
        }
        EXPECT_GT(committed, 60U);
    }
}

TEST(EngineDifference, NodesThatExchangeTheirNamesKeepPlaying) {
    OfflineEngine offline;
    offline.edit({AddNode{"sine", "a", {}, {}}, AddNode{"sine", "b", {}, {}}, AddNode{"sine", "c", {}, {}},
                  AddNode{"output", "out", {}, {}}, Connect{"a", "out", -6.0F}});
    const AudioGraph before = offline.engine.graph();
    offline.edit({RenameNode{"a", "x"}, RenameNode{"b", "a"}, RenameNode{"c", "b"}, RenameNode{"x", "c"}});
    const std::vector<Edit> back = difference(offline.engine.graph(), before);
    EXPECT_EQ(back.size(), 4U);
    EXPECT_EQ(count<RenameNode>(back), 4U);
    expect_leads_to(offline, before);
    const NodeId id = offline.engine.graph().find("c")->id;
    offline.edit(back);
    EXPECT_EQ(offline.engine.graph().find("a")->id, id);
}

TEST(EngineDifference, SettingsThatWereNotGivenAreNotGivenAgain) {
    OfflineEngine offline;
    offline.edit({AddNode{"equalizer", "eq", {}, {}}, AddNode{"delay_line", "delay", {{"max_time_ms", 50.0}}, {}},
                  AddNode{"output", "out", {}, {}}, Connect{"eq", "delay", {}}, Connect{"delay", "out", {}}});
    const AudioGraph before = offline.engine.graph();
    const NodeId eq = before.find("eq")->id;
    offline.edit({ChangeSettings{"eq", {{"bands", 4.0}}}});
    expect_leads_to(offline, before);
    // The value is valid with the new settings only.
    offline.edit({ChangeSettings{"delay", {{"max_time_ms", 500.0}}}, SetParameter{"delay", "time_ms", 400.0F, {}}});
    expect_leads_to(offline, before);
    // All connections change their width.
    offline.edit({RemoveNode{"eq"}, AddNode{"equalizer", "eq", {{"channels", 2.0}}, {}}, Disconnect{"delay", "out"},
                  ChangeSettings{"delay", {{"channels", 2.0}}}, ChangeSettings{"out", {{"channels", 2.0}}},
                  Connect{"eq", "delay", {}}, Connect{"delay", "out", {}}});
    expect_leads_to(offline, before);
    offline.edit(difference(offline.engine.graph(), before));
    EXPECT_EQ(text(offline.engine.graph()), text(before));
    EXPECT_NE(offline.engine.graph().find("eq")->id, eq);
}

TEST(EngineDifference, ASettingWithItsDefaultValueIsForgottenWithoutRebuildingTheNode) {
    OfflineEngine offline;
    offline.edit({AddNode{"delay_line", "delay", {}, {}}});
    const AudioGraph before = offline.engine.graph();
    offline.edit({ChangeSettings{"delay", {{"channels", 1.0}}}});
    EXPECT_NE(text(offline.engine.graph()), text(before));
    offline.edit(difference(offline.engine.graph(), before));
    EXPECT_EQ(text(offline.engine.graph()), text(before));
    EXPECT_EQ(offline.engine.graph().find("delay")->id, before.find("delay")->id);
}

TEST(EngineDifference, DefaultsMustBeSettingsThatAreNotSet) {
    OfflineEngine offline;
    offline.edit({AddNode{"gain", "g", {}, {}}});
    const auto unknown = offline.apply({ChangeSettings{"g", {}, {"chanels"}}});
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, ErrorCode::not_found);
    EXPECT_EQ(unknown.error().sentence,
              R"(node "g": unknown setting "chanels" (did you mean "channels"?); expected channels)");
    const auto both = offline.apply({ChangeSettings{"g", {{"channels", 2.0}}, {"channels"}}});
    ASSERT_FALSE(both);
    EXPECT_EQ(both.error().sentence,
              R"(setting "channels" of node "g" is in `settings` and in `defaults`: expected one of the two)");
}

TEST(EngineDifference, OneEditOfALargeGraphHasASmallDifference) {
    OfflineEngine offline;
    std::vector<Edit> edits;
    for (int i = 0; i < 2'000; ++i) edits.emplace_back(AddNode{"constant", "n" + std::to_string(i), {}, {}});
    offline.edit(edits);
    const AudioGraph before = offline.engine.graph();
    offline.edit({SetParameter{"n7", "value", 0.5F, {}}});
    EXPECT_LT(difference_size(before, offline.engine.graph()), 16U);
    EXPECT_EQ(difference(before, offline.engine.graph()).size(), 1U);
    EXPECT_EQ(difference_size(AudioGraph{}, before), 4'000U) << "each node has one parameter";
}

}  // namespace
}  // namespace rta::test::engine_difference_test
