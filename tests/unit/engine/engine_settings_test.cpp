// SPDX-License-Identifier: MIT
// Changes of settings, and transactions that are prepared with a snapshot of the graph: what is built, and when.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "support/offline_engine.h"

namespace rta::test::engine_settings_test {
namespace {

/// Counts how often it is built.
class CountedProcessor final : public Processor {
 public:
    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        std::ranges::fill(context.outputs[0].channel(0), 0.5F);
    }
    static inline int built = 0;
};

constexpr std::array<PortSpec, 1> kCountedOut{{{"out", 1}}};
constexpr std::array kCountedSettings{channels_setting()};
constexpr NodeType kCounted{.name = "counted",
                            .help = "Counts how often it is built.",
                            .settings = kCountedSettings,
                            .outputs = kCountedOut,
                            .create = [](const BuildContext&) -> Expected<std::unique_ptr<Processor>> {
                                ++CountedProcessor::built;
                                return std::make_unique<CountedProcessor>();
                            }};

struct EngineSettings : testing::Test {
    std::array<const NodeType*, 4> types{builtin_nodes().find("compressor"), &kCounted, builtin_nodes().find("gain"),
                                         builtin_nodes().find("output")};
    NodeRegistry registry{types};
    OfflineEngine offline{{}, registry};
};

TEST_F(EngineSettings, ARefusedTransactionBuildsNothing) {
    offline.edit({AddNode{"counted", "a", {}, {}}, AddNode{"gain", "b", {}, {}}, AddNode{"gain", "c", {}, {}},
                  Connect{"b", "c", {}}});
    for (const std::uint32_t count : {5U, 500U}) {
        std::vector<Edit> edits;
        for (std::uint32_t i = 0; i < count; ++i) edits.emplace_back(ChangeSettings{"a", {{"channels", 2.0 + i % 2}}});
        edits.emplace_back(Connect{"c", "b", {}});
        edits.emplace_back(Connect{"a", "b", {}});
        CountedProcessor::built = 0;
        const auto refused = offline.apply(std::move(edits));
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().sentence, "the connections would form a cycle: b -> c -> b");
        EXPECT_EQ(refused.error().edit_index, count);
        EXPECT_EQ(CountedProcessor::built, 0);
    }
}

TEST_F(EngineSettings, ManyChangesOfSettingsAreNotAppliedByTheCommit) {
    offline.edit({AddNode{"counted", "a", {}, {}}});
    std::vector<Edit> edits;
    for (int i = 0; i < 9; ++i) edits.emplace_back(ChangeSettings{"a", {{"channels", 2.0 + i % 2}}});
    auto prepared = offline.engine.prepare({edits});
    ASSERT_TRUE(prepared);
    const auto refused = offline.engine.commit(*prepared);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().sentence, "the edits must be applied on a worker first");
    offline.edit({AddNode{"counted", "b", {}, {}}});
    CountedProcessor::built = 0;
    ASSERT_TRUE(offline.engine.build(*prepared));
    EXPECT_EQ(CountedProcessor::built, 1);
    ASSERT_TRUE(offline.engine.commit(*prepared));
    EXPECT_EQ(offline.engine.graph().find("a")->description->settings.integer("channels"), 2U);
}

TEST_F(EngineSettings, TheEditThatClosesACycleIsFoundBehindChangesOfItsNodes) {
    offline.edit({AddNode{"compressor", "b", {}, {}}, AddNode{"gain", "c", {}, {}}});
    const auto refused = offline.apply({Connect{"c", "b", {}}, ChangeSettings{"b", {{"look_ahead_ms", 5.0}}},
                                        RenameNode{"b", "d"}, Connect{"d:out", "c:in", {}}, Connect{"c", "d", -3.0F}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().edit_index, 3U) << refused.error().sentence;
}

TEST_F(EngineSettings, ASecondConnectionOfTwoNodesClosesNoCycle) {
    const AddNode compressor{"compressor", "b", {{"side_chain", true}}, {}};
    offline.edit({AddNode{"gain", "a", {}, {}}, compressor, Connect{"a", "b:in", {}}});
    for (const bool taken_back : {false, true}) {
        std::vector<Edit> edits{Connect{"b", "a", {}}, Connect{"a", "b:side_chain", {}}};
        if (taken_back) edits.emplace_back(Disconnect{"a", "b:side_chain"});
        const auto refused = offline.apply(std::move(edits));
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().edit_index, 0U) << refused.error().sentence;
    }
}

TEST_F(EngineSettings, SettingsThatStayTheSameKeepTheNode) {
    offline.edit({AddNode{"counted", "a", {}, {}}, AddNode{"output", "out", {}, {}}, Connect{"a", "out", {}}});
    const NodeId before = offline.engine.graph().find("a")->id;
    CountedProcessor::built = 0;
    offline.edit({ChangeSettings{"a", {{"channels", 1.0}}}});
    EXPECT_EQ(CountedProcessor::built, 0);
    EXPECT_EQ(offline.engine.graph().find("a")->id, before);
    EXPECT_EQ(offline.engine.graph().find("a")->description->given_settings.size(), 1U);
    offline.edit({ChangeSettings{"a", {{"channels", 2.0}}}});
    EXPECT_EQ(CountedProcessor::built, 1);
    EXPECT_NE(offline.engine.graph().find("a")->id, before);
}

/// Returns the seed of a noise as the document of the graph contains it.
double stored_seed(const OfflineEngine& offline, std::string_view node) {
    for (const GraphDocument::Node& entry : offline.engine.graph().document().nodes) {
        if (entry.name == node) return std::get<double>(entry.settings.at("seed"));
    }
    return -1.0;
}

const std::vector<Edit>& two_noises() {
    static const std::vector<Edit> edits{
        AddNode{"output", "left", {}, {}}, AddNode{"output", "right", {{"first_channel", 2.0}}, {}},
        AddNode{"noise", "a", {}, {}},     AddNode{"noise", "b", {}, {}},
        Connect{"a", "left", {}},          Connect{"b", "right", {}}};
    return edits;
}

TEST(DrawnSettings, TwoNodesDifferAndTheirDocumentSoundsTheSameAgain) {
    OfflineEngine live;
    live.edit(two_noises());
    EXPECT_NE(stored_seed(live, "a"), stored_seed(live, "b"));
    live.render_blocks(8);
    EXPECT_NE(live.recorded[0], live.recorded[1]) << "not the same noise twice";

    OfflineEngine saved;
    saved.edit({ReplaceGraph{live.engine.graph().document()}});
    EXPECT_EQ(stored_seed(saved, "a"), stored_seed(live, "a"));
    saved.render_blocks(8);
    EXPECT_EQ(saved.recorded, live.recorded);
}

TEST(DrawnSettings, AreRandomForAnAddedNodeAndDerivedFromTheNameForADocument) {
    static std::uint64_t next = 0;
    next = 0x1'0000'0007;
    const EngineConfig config{.random = +[]() -> std::uint64_t { return next++; }};
    OfflineEngine offline{config};
    offline.edit(
        {AddNode{"noise", "a", {}, {}}, AddNode{"noise", "b", {}, {}}, AddNode{"noise", "c", {{"seed", 5.0}}, {}}});
    EXPECT_EQ(stored_seed(offline, "a"), 7.0) << "within the range of the setting";
    EXPECT_EQ(stored_seed(offline, "b"), 8.0);
    EXPECT_EQ(stored_seed(offline, "c"), 5.0);

    GraphDocument document;
    for (const char* name : {"x", "y"})
        document.nodes.push_back({.name = name, .type = "noise", .settings = {}, .parameters = {}});
    OfflineEngine one{config};
    one.edit({ReplaceGraph{document}});
    OfflineEngine other;
    other.edit({ReplaceGraph{document}});
    EXPECT_NE(stored_seed(one, "x"), stored_seed(one, "y"));
    EXPECT_EQ(stored_seed(one, "x"), stored_seed(other, "x"));
    EXPECT_EQ(stored_seed(one, "y"), stored_seed(other, "y"));
}

TEST(DrawnSettings, ADocumentWithoutASeedKeepsTheRunningNode) {
    OfflineEngine offline{{.random = +[]() -> std::uint64_t { return 99; }}};
    offline.edit({AddNode{"noise", "a", {}, {}}});
    const NodeId before = offline.engine.graph().find("a")->id;
    GraphDocument document;
    document.nodes.push_back({.name = "a", .type = "noise", .settings = {}, .parameters = {{"gain_db", -30.0F}}});
    offline.edit({ReplaceGraph{document}});
    EXPECT_EQ(offline.engine.graph().find("a")->id, before);
    EXPECT_EQ(stored_seed(offline, "a"), 99.0);

    document.nodes[0].settings = {{"color", std::string{"pink"}}};
    offline.edit({ReplaceGraph{document}});
    EXPECT_NE(offline.engine.graph().find("a")->id, before) << "another setting has changed";

    offline.edit({ChangeSettings{"a", {{"color", std::string{"white"}}}}, RenameNode{"a", "b"}});
    const double kept = stored_seed(offline, "b");
    offline.edit({ChangeSettings{"b", {{"channels", 2.0}}}});
    EXPECT_EQ(stored_seed(offline, "b"), kept) << "neither a new name nor other settings change it";
}

TEST_F(EngineSettings, ANodeThatChangedAfterItsSuccessorWasBuiltIsBuiltAgain) {
    offline.edit({AddNode{"compressor", "b", {}, {}}});
    const auto change = [&](const char* setting, double value) {
        auto prepared = offline.engine.prepare({{ChangeSettings{"b", {{setting, value}}}}});
        EXPECT_EQ(offline.engine.commit(*prepared).error().code, ErrorCode::aborted);
        EXPECT_TRUE(offline.engine.build(*prepared));
        return std::move(*prepared);
    };
    auto first = change("look_ahead_ms", 5.0);
    auto second = change("channels", 2.0);
    ASSERT_TRUE(offline.engine.commit(second));
    EXPECT_EQ(offline.engine.commit(first).error().code, ErrorCode::aborted);
    ASSERT_TRUE(offline.engine.build(first));
    ASSERT_TRUE(offline.engine.commit(first));
    const ResolvedSettings& settings = offline.engine.graph().find("b")->description->settings;
    EXPECT_EQ(settings.integer("channels"), 2U);
    EXPECT_EQ(settings.number("look_ahead_ms"), 5.0);
}

TEST_F(EngineSettings, WhatIsNotValidInASnapshotIsRefusedBeforeAnythingIsBuilt) {
    offline.edit({AddNode{"gain", "b", {}, {}}, AddNode{"counted", "c", {}, {}}});
    const AddNode counted{"counted", "a", {}, {}};
    const std::vector<std::vector<Edit>> transactions{
        {counted, Connect{"b", "a", {}}, Connect{"a", "b", {}}},
        {counted, RemoveNode{"a"}, RemoveNode{"a"}},
        {counted, RenameNode{"b", "c"}},
        {counted, ChangeSettings{"c", {{"channels", 2.0}}}, ChangeSettings{"c", {{"channels", 200.0}}}},
        {counted, SetParameter{"b", "gain_db", 1e9F, {}}},
    };
    const SharedGraphSnapshot snapshot = offline.engine.snapshot();
    for (const auto& edits : transactions) {
        const auto direct = offline.apply(edits);
        ASSERT_FALSE(direct);
        CountedProcessor::built = 0;
        const auto refused = offline.engine.prepare({edits}, snapshot);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, direct.error().code);
        EXPECT_EQ(refused.error().sentence, direct.error().sentence);
        EXPECT_EQ(refused.error().edit_index, direct.error().edit_index);
        EXPECT_EQ(CountedProcessor::built, 0) << refused.error().sentence;
    }
}

TEST_F(EngineSettings, WhatASnapshotShowsToBeMissingIsBuiltWithTheRest) {
    offline.edit({AddNode{"counted", "a", {}, {}}});
    const SharedGraphSnapshot snapshot = offline.engine.snapshot();
    CountedProcessor::built = 0;
    auto prepared =
        offline.engine.prepare({{ChangeSettings{"a", {{"channels", 2.0}}}, AddNode{"counted", "b", {}, {}}}}, snapshot);
    ASSERT_TRUE(prepared);
    EXPECT_EQ(CountedProcessor::built, 2);
    EXPECT_TRUE(offline.engine.commit(*prepared));
    EXPECT_EQ(CountedProcessor::built, 2);
}

TEST_F(EngineSettings, NodesThatATransactionRemovesAgainAreNotBuiltFromASnapshot) {
    offline.edit({AddNode{"counted", "a", {}, {}}});
    CountedProcessor::built = 0;
    std::vector<Edit> edits;
    for (int i = 0; i < 100; ++i) {
        edits.emplace_back(AddNode{"counted", "b", {}, {}});
        edits.emplace_back(RemoveNode{"b"});
        edits.emplace_back(ChangeSettings{"a", {{"channels", 2.0 + i % 2}}});
    }
    auto prepared = offline.engine.prepare({std::move(edits)}, offline.engine.snapshot());
    ASSERT_TRUE(prepared);
    ASSERT_TRUE(offline.engine.commit(*prepared));
    EXPECT_EQ(CountedProcessor::built, 1);
    EXPECT_EQ(offline.engine.graph().find("a")->description->settings.integer("channels"), 3U);
    EXPECT_EQ(offline.engine.graph().node_count(), 1U);
}

/// A transaction that is prepared with a snapshot, while another client edits the graph.
struct EngineSnapshots : EngineSettings {
    void SetUp() override {
        offline.edit({AddNode{"counted", "a", {}, {}}, AddNode{"gain", "b", {}, {}}, AddNode{"output", "out", {}, {}},
                      Connect{"a", "b", {}}, Connect{"b", "out", {}}});
        offline.settle();
    }
    PreparedTransaction prepare(std::vector<Edit> edits) {
        auto prepared = offline.engine.prepare({std::move(edits)}, offline.engine.snapshot());
        EXPECT_TRUE(prepared) << prepared.error().sentence;
        return std::move(*prepared);
    }
    /// Applies it once more.
    void commit_after_conflict(PreparedTransaction& prepared) {
        const auto refused = offline.engine.commit(prepared);
        ASSERT_FALSE(refused);
        ASSERT_EQ(refused.error().code, ErrorCode::aborted) << refused.error().sentence;
        const auto built = offline.engine.build(prepared);
        ASSERT_TRUE(built) << built.error().sentence;
        const auto committed = offline.engine.commit(prepared);
        ASSERT_TRUE(committed) << committed.error().sentence;
    }
    std::string document() { return write_document(offline.engine.graph().document()); }
};

TEST_F(EngineSnapshots, TheTransactionIsCarriedOverToWhatTheOtherHasCommitted) {
    const std::vector<Edit> edits{AddNode{"counted", "c", {}, {}},
                                  AddNode{"gain", "d", {}, {}},
                                  Connect{"c", "d", {}},
                                  Connect{"d", "out", -6.0F},
                                  SetParameter{"b", "gain_db", -6.0F, {}},
                                  SetParameter{"d", "gain_db", -6.0F, {}},
                                  RenameNode{"a", "source"}};
    const std::vector<Edit> others{AddNode{"counted", "e", {}, {}}, Connect{"e", "out", {}},
                                   SetParameter{"b", "gain_db", -12.0F, {}}};
    auto prepared = prepare(edits);
    offline.edit(others);
    CountedProcessor::built = 0;
    const auto ticket = offline.engine.commit(prepared);
    ASSERT_TRUE(ticket) << ticket.error().sentence;
    EXPECT_EQ(CountedProcessor::built, 0);

    OfflineEngine in_order{{}, registry};
    in_order.load(R"({"nodes": [ {"name": "a", "type": "counted"}, {"name": "b", "type": "gain"},
                                 {"name": "out", "type": "output"} ],
                      "connections": [ {"from": "a", "to": "b"}, {"from": "b", "to": "out"} ]})");
    in_order.edit(others);
    in_order.edit(edits);
    EXPECT_EQ(document(), write_document(in_order.engine.graph().document()));
    for (OfflineEngine* engine : {&offline, &in_order}) {
        engine->settle();
        engine->render_blocks(40);
    }
    EXPECT_EQ(offline.recorded[0].back(), in_order.recorded[0].back());
}

TEST_F(EngineSnapshots, WhatTheOtherHasChangedInTheSamePlaceIsEditedAgain) {
    auto prepared = prepare({ChangeSettings{"a", {{"channels", 2.0}}}, Disconnect{"b", "out"}});
    offline.edit({RemoveNode{"a"}, AddNode{"counted", "a", {}, {}}});
    const NodeId before = offline.engine.graph().find("a")->id;
    commit_after_conflict(prepared);
    EXPECT_GT(offline.engine.graph().find("a")->id, before);
    EXPECT_EQ(offline.engine.graph().find("a")->description->settings.integer("channels"), 2U);

    auto removed = prepare({RemoveNode{"a"}, Connect{"b", "out", {}}});
    offline.edit({RemoveNode{"a"}});
    EXPECT_EQ(offline.engine.commit(removed).error().code, ErrorCode::aborted);
    const auto built = offline.engine.build(removed);
    ASSERT_FALSE(built);
    EXPECT_EQ(built.error().code, ErrorCode::not_found);
    EXPECT_EQ(built.error().edit_index, 0U);
}

TEST_F(EngineSnapshots, ACycleThatTheOtherHasClosedIsFound) {
    auto prepared = prepare({AddNode{"gain", "c", {}, {}}, Connect{"b", "c", {}}});
    offline.edit({AddNode{"gain", "d", {}, {}}});
    auto back = prepare({Connect{"d", "b", {}}});
    ASSERT_TRUE(offline.engine.commit(prepared));
    offline.edit({Connect{"c", "d", {}}});
    EXPECT_EQ(offline.engine.commit(back).error().code, ErrorCode::aborted);
    const auto built = offline.engine.build(back);
    ASSERT_FALSE(built);
    EXPECT_EQ(built.error().code, ErrorCode::failed_precondition);
    EXPECT_EQ(built.error().edit_index, 0U);
}

TEST_F(EngineSnapshots, WhatTheTransactionSetsToItsOldValueIsSetNevertheless) {
    auto prepared = prepare({SetParameter{"b", "gain_db", 0.0F, {}}, Connect{"b", "out", {}},
                             SetLatencyCompensation{false}, SetLatencyCompensation{false}});
    const std::string before = document();
    offline.edit({SetParameter{"b", "gain_db", -20.0F, {}}, Connect{"b", "out", -20.0F}, SetLatencyCompensation{true}});
    ASSERT_TRUE(offline.engine.commit(prepared));
    EXPECT_EQ(document(), before);

    auto again = prepare({Connect{"b", "out", {}}});
    offline.edit({Disconnect{"b", "out"}});
    commit_after_conflict(again);
    EXPECT_EQ(document(), before);
}

/// Clients that follow the graph apply the edits of all events in the order of their revisions, by the names in them.
TEST_F(EngineSnapshots, ANameIsThatOfTheNodeThatHasItAtTheCommit) {
    auto renamed = prepare({SetParameter{"b", "gain_db", -6.0F, {}}});
    offline.edit({RenameNode{"b", "c"}, AddNode{"gain", "b", {}, {}}});
    commit_after_conflict(renamed);
    EXPECT_EQ(offline.engine.graph().find("b")->parameters.front(), -6.0F);
    EXPECT_EQ(offline.engine.graph().find("c")->parameters.front(), 0.0F);

    auto taken_back = prepare({AddNode{"gain", "d", {}, {}}, RemoveNode{"d"}});
    offline.edit({AddNode{"gain", "d", {}, {}}});
    EXPECT_EQ(offline.engine.commit(taken_back).error().code, ErrorCode::aborted);
    EXPECT_EQ(offline.engine.build(taken_back).error().code, ErrorCode::already_exists);

    auto disconnected = prepare({Connect{"b", "d", {}}, Disconnect{"b", "d"}});
    offline.edit({Connect{"b", "d", {}}});
    commit_after_conflict(disconnected);
    EXPECT_TRUE(offline.engine.graph().find("d")->incoming.empty());
}

TEST_F(EngineSnapshots, RandomTransactionsEndAsIfTheyHadBeenAppliedInTheirOrder) {
    constexpr std::array kNames{"a", "b", "c", "d", "e"};
    std::mt19937 random{1};
    const auto name = [&] { return std::string{kNames.at(random() % kNames.size())}; };
    const auto edit = [&]() -> Edit {
        switch (random() % 9) {
            case 0:
            case 1:
                return AddNode{"gain", name(), {}, {}};
            case 2:
                return RemoveNode{name()};
            case 3:
                return RenameNode{name(), name()};
            case 4:
                return Connect{name(), name(), -static_cast<float>(random() % 2)};
            case 5:
                return Disconnect{name(), name()};
            case 6:
                return SetLatencyCompensation{random() % 2 == 0};
            case 7:
                return ChangeSettings{name(), {{"channels", 1.0 + static_cast<double>(random() % 2)}}};
            default:
                return SetParameter{name(), "gain_db", -static_cast<float>(random() % 3), {}};
        }
    };
    const auto edits = [&](std::uint32_t most) {
        std::vector<Edit> list(1 + random() % most);
        std::ranges::generate(list, edit);
        return list;
    };
    OfflineEngine follower{{}, registry};
    follower.load(document());
    std::size_t carried_over = 0;
    std::size_t applied_again = 0;
    for (int i = 0; i < 20'000; ++i) {
        for (OfflineEngine* engine : {&offline, &follower}) engine->settle();
        Transaction large{edits(5)};
        auto prepared = offline.engine.prepare(large, offline.engine.snapshot());
        if (const auto others = edits(2); offline.apply(others)) {
            ASSERT_TRUE(follower.apply(others)) << i;
        }
        if (!prepared) continue;
        auto ticket = offline.engine.commit(*prepared);
        const bool again = !ticket && ticket.error().code == ErrorCode::aborted;
        if (again && !offline.engine.build(*prepared)) continue;
        for (OfflineEngine* engine : {&offline, &follower}) engine->settle();
        if (!ticket) ticket = offline.engine.commit(*prepared);
        ASSERT_TRUE(ticket) << i << ": " << ticket.error().sentence;
        ASSERT_TRUE(follower.apply(large.edits)) << i;
        ASSERT_EQ(document(), write_document(follower.engine.graph().document())) << i;
        ++(again ? applied_again : carried_over);
    }
    EXPECT_GT(carried_over, 1'000U);
    EXPECT_GT(applied_again, 100U);
}

TEST_F(EngineSnapshots, AReplacedGraphIsThatOfTheDocumentWhateverTheOtherHasDone) {
    const GraphDocument document_before = offline.engine.graph().document();
    const std::string before = document();
    auto unchanged = prepare({ReplaceGraph{document_before}});
    ASSERT_TRUE(offline.engine.commit(unchanged));
    auto added = prepare({ReplaceGraph{document_before}});
    offline.edit({AddNode{"gain", "c", {}, {}}, SetParameter{"b", "gain_db", -20.0F, {}}});
    ASSERT_TRUE(offline.engine.commit(added)) << "nothing is missing";
    EXPECT_EQ(document(), before);
    auto compensated = prepare({ReplaceGraph{document_before}});
    offline.edit({SetLatencyCompensation{true}});
    ASSERT_TRUE(offline.engine.commit(compensated));
    EXPECT_EQ(document(), before);
    auto removed = prepare({ReplaceGraph{document_before}});
    offline.edit({RemoveNode{"a"}});
    commit_after_conflict(removed);
    EXPECT_EQ(document(), before);
}

}  // namespace
}  // namespace rta::test::engine_settings_test
