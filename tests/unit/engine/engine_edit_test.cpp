// SPDX-License-Identifier: MIT
// Edits: their effect on the graph, the unchanged sound of everything else, and refused edits.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <new>
#include <utility>

#include "support/offline_engine.h"

namespace rta::test::engine_edit_test {
namespace {

/// Two branches: a sine on the left, a sine on the right.
constexpr const char* kTwoBranches = R"({
  "nodes": [ {"name": "left_osc",  "type": "sine", "parameters": {"frequency_hz": 997, "gain_db": -6}},
             {"name": "right_osc", "type": "sine", "parameters": {"frequency_hz": 441, "gain_db": -6}},
             {"name": "right_vol", "type": "gain"},
             {"name": "left",  "type": "output", "settings": {"first_channel": 1}},
             {"name": "right", "type": "output", "settings": {"first_channel": 2}} ],
  "connections": [ {"from": "left_osc", "to": "left"}, {"from": "right_osc", "to": "right_vol"},
                   {"from": "right_vol", "to": "right"} ] })";

TEST(EngineEdit, AnEditElsewhereLeavesABranchBitIdentical) {
    OfflineEngine edited;
    OfflineEngine untouched;
    edited.load(kTwoBranches);
    untouched.load(kTwoBranches);
    for (int round = 0; round < 12; ++round) {
        edited.edit({AddNode{"gain", "extra", {}, {{"gain_db", -3.0F}}}, Disconnect{"right_vol", "right"},
                     Connect{"right_vol", "extra", {}}, Connect{"extra", "right", {}}});
        edited.render_blocks(5);
        edited.edit({SetParameter{"right_osc", "frequency_hz", 300.0F + static_cast<float>(round), {}}});
        edited.render_blocks(3);
        edited.edit({RemoveNode{"extra"}, Connect{"right_vol", "right", {}}});
        edited.render_blocks(7);
    }
    untouched.render_blocks(12 * 15);
    EXPECT_EQ(edited.recorded[0], untouched.recorded[0]);
    EXPECT_NE(edited.recorded[1], untouched.recorded[1]);
}

TEST(EngineEdit, AReplacedGraphKeepsTheStateOfWhatStays) {
    OfflineEngine edited;
    OfflineEngine untouched;
    edited.load(kTwoBranches);
    untouched.load(kTwoBranches);
    edited.render_blocks(10);
    edited.load(R"({"nodes": [ {"name": "left_osc", "type": "sine", "parameters": {"frequency_hz": 997, "gain_db": -6}},
                               {"name": "left", "type": "output"} ],
                    "connections": [ {"from": "left_osc", "to": "left"} ]})");
    edited.settle();
    edited.render_blocks(10);
    untouched.render_blocks(static_cast<std::uint32_t>(edited.frame() / 64));
    EXPECT_EQ(edited.recorded[0], untouched.recorded[0]) << "the sine's phase must continue";
    EXPECT_EQ(edited.recorded[1].back(), 0.0F);
    EXPECT_EQ(edited.engine.graph().node_count(), 2U);
}

TEST(EngineEdit, AReplacedGraphGivesDefaultsToParametersLeftOut) {
    OfflineEngine offline;
    offline.load(kTwoBranches);
    offline.load(R"({"nodes": [ {"name": "left_osc", "type": "sine"} ]})");
    const GraphNode* node = offline.engine.graph().find("left_osc");
    EXPECT_EQ(node->parameters[*node->description->layout.find_parameter("frequency_hz")], 440.0F);
    EXPECT_EQ(node->parameters[*node->description->layout.find_parameter("gain_db")], -20.0F);
}

TEST(EngineEdit, ARenamedNodePlaysOn) {
    OfflineEngine edited;
    OfflineEngine untouched;
    edited.load(kTwoBranches);
    untouched.load(kTwoBranches);
    edited.render_blocks(10);
    edited.edit({RenameNode{"left_osc", "tone"}, AddNode{"gain", "new", {}, {}}, RenameNode{"new", "newer"},
                 RenameNode{"newer", "newer"}});
    edited.render_blocks(30);
    untouched.render_blocks(40);
    EXPECT_EQ(edited.recorded, untouched.recorded);
    EXPECT_EQ(edited.engine.graph().find("left_osc"), nullptr);
    ASSERT_NE(edited.engine.graph().find("tone"), nullptr);
    ASSERT_NE(edited.engine.graph().find("newer"), nullptr);
    const GraphDocument document = edited.engine.graph().document();
    EXPECT_TRUE(std::ranges::any_of(document.connections, [](const auto& c) { return c.from == "tone"; }));
    edited.edit({SetParameter{"tone", "gain_db", -9.0F, {}}});
    // The old name is available again.
    edited.edit({AddNode{"sine", "left_osc", {}, {}}});
}

TEST(EngineEdit, RenamedSourcesAreSummedAsIfTheyHadAlwaysHadTheirNames) {
    const auto graph = [](const char* a, const char* b, const char* c) {
        const auto osc = [](const char* name, const char* hz) {
            return std::string{R"({"name": ")"} + name + R"(", "type": "sine", "parameters": {"frequency_hz": )" + hz +
                   "}},";
        };
        const auto line = [](const char* name) { return std::string{R"({"from": ")"} + name + R"(", "to": "out"})"; };
        return R"({"nodes": [)" + osc(a, "997") + osc(b, "123.4") + osc(c, "3456.7") +
               R"({"name": "out", "type": "output"}], "connections": [)" + line(a) + "," + line(b) + "," + line(c) +
               "]}";
    };
    OfflineEngine renamed;
    renamed.load(graph("a", "b", "c"));
    renamed.edit({RenameNode{"a", "z"}});
    OfflineEngine fresh;
    fresh.load(graph("z", "b", "c"));
    OfflineEngine other;
    other.load(graph("a", "b", "c"));
    for (OfflineEngine* engine : {&renamed, &fresh, &other}) engine->render_blocks(50);
    EXPECT_EQ(renamed.recorded[0], fresh.recorded[0]);
    EXPECT_NE(renamed.recorded[0], other.recorded[0]) << "the order of these sums must matter, or this shows nothing";
}

TEST(EngineEdit, EveryRefusalNamesWhatIsWrongAndChangesNothing) {
    struct Case {
        std::vector<Edit> edits;
        ErrorCode code;
        std::uint32_t index;
        std::vector<std::string> words;
    };
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const Case cases[] = {
        {{AddNode{"sine", "a", {}, {}}, AddNode{"sinne", "b", {}, {}}}, ErrorCode::not_found, 1, {"sinne", "sine"}},
        {{AddNode{"sine", "left_osc", {}, {}}}, ErrorCode::already_exists, 0, {"left_osc"}},
        {{AddNode{"sine", "1st", {}, {}}}, ErrorCode::invalid_argument, 0, {"1st"}},
        {{RenameNode{"left_osc", "1st"}}, ErrorCode::invalid_argument, 0, {"1st"}},
        {{RenameNode{"left_osc", "right"}}, ErrorCode::already_exists, 0, {"right"}},
        {{RenameNode{"left_osk", "a"}}, ErrorCode::not_found, 0, {"left_osk", "left_osc"}},
        {{AddNode{"sine", "a", {{"chanels", 2.0}}, {}}}, ErrorCode::not_found, 0, {"chanels", "channels"}},
        {{AddNode{"crossover", "ways", {{"order", 3.0}}, {}}},
         ErrorCode::invalid_argument,
         0,
         {"\"ways\"", "order = 3", "2, 4, 6, 8"}},
        {{AddNode{"sine", "a", {{"channels", 1e9}}, {}}},
         ErrorCode::invalid_argument,
         0,
         {"channels", "1000000000", "64"}},
        {{AddNode{"sine", "a", {}, {{"frequency", 1.0F}}}}, ErrorCode::not_found, 0, {"frequency", "frequency_hz"}},
        {{RemoveNode{"left_osc"}, RemoveNode{"left_osc"}}, ErrorCode::not_found, 1, {"left_osc"}},
        {{Connect{"nobody", "left", {}}}, ErrorCode::not_found, 0, {"nobody"}},
        {{Connect{"left_osc:aux", "left", {}}}, ErrorCode::not_found, 0, {"aux", "left_osc", "out"}},
        {{Connect{"left", "right", {}}}, ErrorCode::failed_precondition, 0, {"left", "output"}},
        {{Connect{"left_osc", "left", nan}}, ErrorCode::invalid_argument, 0, {"gain_db"}},
        {{Disconnect{"left_osc", "right"}}, ErrorCode::not_found, 0, {"left_osc -> right"}},
        {{SetParameter{"left_osc", "gain_db", nan, {}}}, ErrorCode::invalid_argument, 0, {"gain_db", "left_osc"}},
        {{SetParameter{"left_osc", "gain_db", 99.0F, {}}}, ErrorCode::invalid_argument, 0, {"99", "24"}},
        {{SetParameter{"left_osc", "gain_db", 0.0F, -1.0F}}, ErrorCode::invalid_argument, 0, {"ramp", "-1"}},
        {{AddNode{"gain", "wide", {{"channels", 3.0}}, {}}, AddNode{"gain", "two", {{"channels", 2.0}}, {}},
          Connect{"two", "wide", {}}},
         ErrorCode::failed_precondition,
         2,
         {"two", "2 channels", "wide", "3 channels"}},
        {{AddNode{"gain", "a", {}, {}}, AddNode{"gain", "b", {}, {}}, Connect{"right_vol", "a", {}},
          Connect{"a", "b", {}}, Connect{"b", "right_vol", {}}, SetParameter{"a", "gain_db", 0.0F, {}}},
         ErrorCode::failed_precondition,
         4,
         {"right_vol -> a -> b -> right_vol"}},
        {{Connect{"right_vol", "right_vol", {}}}, ErrorCode::failed_precondition, 0, {"right_vol -> right_vol"}},
        {{ChangeSettings{"right_vol", {{"channels", 2.0}}}}, ErrorCode::failed_precondition, 0, {"right_vol", "right"}},
    };
    OfflineEngine offline;
    OfflineEngine untouched;
    offline.load(kTwoBranches);
    untouched.load(kTwoBranches);
    const std::string before = write_document(offline.engine.graph().document());
    for (const Case& c : cases) {
        const auto result = offline.apply(c.edits);
        ASSERT_FALSE(result) << c.words.front();
        const Error& error = result.error();
        EXPECT_EQ(error.code, c.code) << error.sentence;
        EXPECT_EQ(error.edit_index, c.index) << error.sentence;
        for (const std::string& word : c.words) {
            EXPECT_NE(error.sentence.find(word), std::string::npos) << "no " << word << " in: " << error.sentence;
        }
        EXPECT_EQ(write_document(offline.engine.graph().document()), before);
        EXPECT_EQ(offline.engine.revision(), 1U);
        offline.render_blocks(2);
        untouched.render_blocks(2);
    }
    EXPECT_EQ(offline.recorded, untouched.recorded);
}

TEST(EngineEdit, DocumentErrorsTellLineAndColumn) {
    OfflineEngine offline;
    const auto error_of = [&](const char* text) {
        auto document = read_document(text);
        if (!document) return document.error().sentence;
        const auto result = offline.apply({ReplaceGraph{std::move(*document)}});
        return result ? std::string{} : result.error().sentence;
    };
    EXPECT_NE(error_of("{\"nodes\": [\n  {\"name\": \"a\", \"type\": \"gian\"} ]}").find("line 2, column 3"),
              std::string::npos);
    EXPECT_NE(
        error_of("{\"nodes\": [\n  {\"name\": \"a\", \"type\": \"gain\"},\n  {\"name\": \"a\", \"type\": \"gain\"} ]}")
            .find("line 3, column 3"),
        std::string::npos);
    EXPECT_NE(
        error_of("{\"nodes\": [],\n\"connections\": [ {\"from\": \"x\", \"to\": \"y\"} ]}").find("line 2, column 18"),
        std::string::npos);
}

TEST(EngineEdit, ADuplicateOfANodeThatStaysIsRefused) {
    OfflineEngine offline;
    offline.load(R"({"nodes": [ {"name": "a", "type": "gain"} ]})");
    auto document = read_document(R"({"nodes": [ {"name": "a", "type": "gain"}, {"name": "a", "type": "gain"} ]})");
    ASSERT_TRUE(document);
    const auto result = offline.apply({ReplaceGraph{std::move(*document)}});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::already_exists);
}

TEST(EngineEdit, TitlesAndDescriptionsChangeNothingThatSounds) {
    OfflineEngine offline;
    OfflineEngine untouched;
    for (OfflineEngine* engine : {&offline, &untouched}) {
        engine->load(kTwoBranches);
        engine->render_blocks(20);
    }
    const auto ids = [&] {
        const auto span = offline.engine.graph().node_ids();
        return std::vector(span.begin(), span.end());
    };
    const std::vector<NodeId> before = ids();
    offline.edit({Describe{"left_osc", "Left", {}}, Describe{"", "Foyer", "Two branches."}});
    EXPECT_EQ(offline.engine.revision(), 2U);
    offline.edit({Describe{"left_osc", {}, "Sine of the left branch."}});
    offline.render_blocks(3);
    GraphDocument document = offline.engine.graph().document();
    EXPECT_EQ(document.annotation, (Annotation{"Foyer", "Two branches."}));
    document.annotation.title = "Hall";
    for (GraphDocument::Node& node : document.nodes) node.annotation.title += " (new)";
    offline.edit({ReplaceGraph{document}});
    EXPECT_EQ(offline.engine.revision(), 4U);
    EXPECT_EQ(write_document(offline.engine.graph().document()), write_document(document));
    EXPECT_EQ(offline.engine.graph().find("left_osc")->description->annotation,
              (Annotation{"Left (new)", "Sine of the left branch."}));
    EXPECT_EQ(ids(), before) << "every node stays";
    offline.render_blocks(40);
    untouched.render_blocks(43);
    EXPECT_EQ(offline.recorded, untouched.recorded);
}

TEST(EngineEdit, TitlesStayWithTheirNode) {
    OfflineEngine offline;
    AddNode add{"gain", "a", {}, {}, {"Volume", "Of the hall."}};
    offline.edit({add});
    offline.edit(
        {RenameNode{"a", "b"}, ChangeSettings{"b", {{"channels", 2.0}}}, ChangeSettings{"b", {{"channels", 2.0}}}});
    EXPECT_EQ(offline.engine.graph().find("b")->description->annotation, (Annotation{"Volume", "Of the hall."}));
    offline.edit({Describe{"b", "", {}}});
    EXPECT_EQ(offline.engine.graph().find("b")->description->annotation, (Annotation{"", "Of the hall."}));
}

TEST(EngineEdit, TitlesThatAreTooLongAreRefused) {
    OfflineEngine offline;
    offline.load(kTwoBranches);
    const std::vector<std::pair<Edit, std::string>> cases{
        {Describe{"nobody", "x", {}}, R"(unknown node "nobody")"},
        {Describe{"left_osc", std::string(257, 'x'), {}},
         R"(node "left_osc": title has 257 bytes: expected at most 256)"},
        {Describe{"", {}, std::string(4097, 'x')}, "the graph: description has 4097 bytes: expected at most 4096"},
        {AddNode{"gain", "a", {}, {}, {std::string(257, 'x'), {}}}, R"(node "a": title has 257 bytes)"},
    };
    for (const auto& [edit, words] : cases) {
        const auto result = offline.apply({edit});
        ASSERT_FALSE(result) << words;
        EXPECT_TRUE(result.error().sentence.starts_with(words)) << result.error().sentence;
        EXPECT_EQ(result.error().edit_index, 0U);
    }
    EXPECT_TRUE(offline.apply({Describe{"left_osc", std::string(256, 'x'), std::string(4096, 'x')}}));
}

// What a worker has applied to a snapshot is carried over: both texts of the graph are kept.
TEST(EngineEdit, TheTitleOfOneClientAndTheDescriptionOfAnotherAreKept) {
    OfflineEngine offline;
    offline.load(kTwoBranches);
    auto title = offline.engine.prepare({{Describe{"", "Foyer", {}}}}, offline.engine.snapshot());
    ASSERT_TRUE(title);
    offline.edit({Describe{"", "Hall", "Two branches."}, Describe{"left_osc", "Left", {}}});
    ASSERT_TRUE(offline.engine.commit(*title));
    EXPECT_EQ(offline.engine.graph().annotation(), (Annotation{"Foyer", "Two branches."}));
    EXPECT_EQ(offline.engine.graph().find("left_osc")->description->annotation.title, "Left");
}

TEST(EngineEdit, CornersAreLimitedByTheSampleRateOfTheEngine) {
    for (const double rate : {44'100.0, 96'000.0}) {
        OfflineEngine offline{{.sample_rate_hz = rate}};
        offline.edit({AddNode{"biquad_filter", "lp", {}, {}}});
        const auto maximum = static_cast<float>(0.49 * rate);
        EXPECT_TRUE(offline.apply({SetParameter{"lp", "frequency_hz", maximum, {}}}));
        offline.edit({ChangeSettings{"lp", {{"channels", 2.0}}}});
        EXPECT_TRUE(offline.apply({SetParameter{"lp", "frequency_hz", maximum, {}}})) << "after a rebuild, too";
        EXPECT_FALSE(offline.apply({SetParameter{"lp", "frequency_hz", maximum + 1.0F, {}}}));
        EXPECT_FALSE(offline.apply({AddNode{"biquad_filter", "b", {}, {{"frequency_hz", maximum + 1.0F}}}}))
            << "a client's value is refused";
        offline.load(R"({"nodes": [{"name": "lp", "type": "biquad_filter", "parameters": {"frequency_hz": 50000}}]})");
        EXPECT_EQ(offline.engine.graph().document().nodes.at(0).parameters.at("frequency_hz"), maximum);
    }
}

TEST(EngineEdit, CheckCommitsNothing) {
    OfflineEngine offline;
    offline.load(kTwoBranches);
    auto prepared = offline.engine.prepare({{AddNode{"gain", "a", {}, {}}, Connect{"left_osc", "a", {}}}});
    ASSERT_TRUE(prepared);
    const auto checked = offline.engine.check(*prepared);
    ASSERT_TRUE(checked);
    EXPECT_EQ(checked->node_count(), 6U);
    EXPECT_EQ(checked->connection_count(), 4U);
    EXPECT_EQ(offline.engine.graph().node_count(), 5U);
    EXPECT_EQ(offline.engine.revision(), 1U);
    EXPECT_EQ(offline.engine.statistics().plans_made, 1U);
    ASSERT_TRUE(offline.engine.commit(*prepared)) << "what was checked can be committed";
}

TEST(EngineEdit, ParametersAreSetTogetherOrNotAtAll) {
    OfflineEngine offline;
    offline.load(kTwoBranches);
    const SetParameter changes[] = {{"left_osc", "frequency_hz", 500.0F, {}}, {"right_osc", "frequency_hz", -1.0F, {}}};
    const auto refused = offline.engine.set_parameters(changes);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().edit_index, 1U);
    const GraphNode* node = offline.engine.graph().find("left_osc");
    EXPECT_EQ(node->parameters[*node->description->layout.find_parameter("frequency_hz")], 997.0F);
    EXPECT_EQ(offline.engine.revision(), 1U);
}

/// A node that outputs NaN from its tenth block on, until it is rebuilt.
class BreakingProcessor final : public Processor {
 public:
    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        const bool breaks = breaks_at_all && ++blocks_ == 10;
        for (float& sample : context.outputs[0].channel(0))
            sample = breaks ? std::numeric_limits<float>::quiet_NaN() : 0.5F;
        if (breaks) blocks_ = 9;  // continues until it is rebuilt
    }
    static inline bool breaks_at_all = true;

 private:
    int blocks_ = 0;
};

constexpr std::array<PortSpec, 1> kBreakingOut{{{"out", 1}}};
constexpr NodeType kBreaking{.name = "breaking",
                             .help = "Breaks.",
                             .outputs = kBreakingOut,
                             .create = [](const BuildContext&) -> Expected<std::unique_ptr<Processor>> {
                                 return std::make_unique<BreakingProcessor>();
                             }};

TEST(EngineEdit, NodeWithNanIsMutedReportedAndRebuilt) {
    const NodeType* types[] = {&kBreaking, builtin_nodes().find("output")};
    const NodeRegistry registry{types};
    BreakingProcessor::breaks_at_all = true;
    OfflineEngine offline{{}, registry};
    offline.load(R"({"nodes": [ {"name": "bad", "type": "breaking"}, {"name": "out", "type": "output"} ],
                     "connections": [ {"from": "bad", "to": "out"} ]})");
    offline.render_blocks(15);
    BreakingProcessor::breaks_at_all = false;
    offline.render_blocks(20);
    EXPECT_EQ(offline.faults, std::vector<std::string>{"bad"});
    for (const float sample : offline.recorded[0]) ASSERT_TRUE(std::isfinite(sample));
    EXPECT_EQ(offline.recorded[0].back(), 0.5F) << "the rebuilt node plays";
    EXPECT_EQ(offline.engine.revision(), 1U);
}

/// A faulty node on channel 1, and a worker that runs when the test requests it.
struct FaultyNodes : testing::Test {
    void SetUp() override {
        BreakingProcessor::breaks_at_all = true;
        offline.load(R"({"nodes": [ {"name": "bad", "type": "breaking"}, {"name": "out", "type": "output"} ],
                         "connections": [ {"from": "bad", "to": "out"} ]})");
        offline.engine.build_on([this](auto run, auto finished) {
            if (std::exchange(no_memory, false)) throw std::bad_alloc{};
            work = std::move(run);
            done = std::move(finished);
        });
        offline.render_blocks(9);
        offline.polls = false;
        offline.render_blocks(4);
        BreakingProcessor::breaks_at_all = false;
        offline.polls = true;
    }
    void finish() {
        work();
        std::exchange(done, nullptr)({});
        work = nullptr;
    }
    [[nodiscard]] float last() {
        offline.render_blocks(40);
        return offline.recorded[0].back();
    }

    std::array<const NodeType*, 2> types{&kBreaking, builtin_nodes().find("output")};
    NodeRegistry registry{types};
    OfflineEngine offline{{}, registry};
    std::function<void()> work;
    std::function<void(const Expected<void>&)> done;
    bool no_memory = false;
};

TEST_F(FaultyNodes, AreSilentUntilTheirSuccessorIsBuilt) {
    EXPECT_EQ(last(), 0.0F);
    ASSERT_TRUE(work);
    finish();
    EXPECT_EQ(last(), 0.5F);
}

TEST_F(FaultyNodes, MayBeRenamedOrRemovedWhileTheirSuccessorIsBuilt) {
    EXPECT_EQ(last(), 0.0F);
    offline.edit({RenameNode{"bad", "good"}});
    finish();
    EXPECT_EQ(last(), 0.5F);
    ASSERT_NE(offline.engine.graph().find("good"), nullptr);

    BreakingProcessor::breaks_at_all = true;
    EXPECT_EQ(last(), 0.0F);
    BreakingProcessor::breaks_at_all = false;
    offline.render_blocks(800);  // a node that fails again soon is rebuilt after a second
    offline.edit({RemoveNode{"good"}});
    finish();
    EXPECT_EQ(last(), 0.0F);
    EXPECT_EQ(offline.engine.graph().node_count(), 1U);
}

TEST_F(FaultyNodes, AreRebuiltWhenThereIsMemoryAgain) {
    no_memory = true;
    EXPECT_THROW(offline.poll(), std::bad_alloc);
    EXPECT_EQ(last(), 0.0F);
    finish();
    EXPECT_EQ(last(), 0.5F);
}

TEST_F(FaultyNodes, AreReplacedByAReset) {
    EXPECT_EQ(last(), 0.0F);
    const auto dropped = std::exchange(done, nullptr);
    EngineReset reset = offline.engine.start_reset();
    finish();
    ASSERT_TRUE(reset.try_complete()->has_value());
    dropped({});
    EXPECT_EQ(last(), 0.5F);
}

TEST(EngineEdit, ManyFaultyNodesAreReplacedInOnePlan) {
    const NodeType* types[] = {&kBreaking, builtin_nodes().find("output")};
    const NodeRegistry registry{types};
    BreakingProcessor::breaks_at_all = true;
    OfflineEngine offline{{}, registry};
    std::vector<Edit> edits{AddNode{"output", "out", {}, {}}};
    for (int i = 0; i < 100; ++i) {
        edits.emplace_back(AddNode{"breaking", "bad" + std::to_string(i), {}, {}});
        edits.emplace_back(Connect{"bad" + std::to_string(i), "out", {}});
    }
    offline.edit(std::move(edits));
    offline.render_blocks(9);
    const std::uint64_t plans = offline.engine.statistics().plans_made;
    offline.render_blocks(4);
    EXPECT_EQ(offline.faults.size(), 100U);
    EXPECT_LE(offline.engine.statistics().plans_made, plans + 2);
    EXPECT_TRUE(offline.apply({RemoveNode{"bad0"}}));
}

TEST(EngineEdit, NanInACompensatingDelayMutesNoOtherNode) {
    const NodeType* types[] = {&kBreaking, builtin_nodes().find("constant"), builtin_nodes().find("limiter"),
                               builtin_nodes().find("output")};
    const NodeRegistry registry{types};
    BreakingProcessor::breaks_at_all = true;
    OfflineEngine offline{{}, registry};
    // The broken node is delayed by at least 20 ms: 15 blocks of NaN are in the delay when the first one arrives.
    offline.load(R"({"nodes": [ {"name": "bad", "type": "breaking"},
                                {"name": "good", "type": "constant", "parameters": {"value": 0.25}},
                                {"name": "lim", "type": "limiter", "settings": {"look_ahead_ms": 20}},
                                {"name": "out", "type": "output"} ],
                     "connections": [ {"from": "bad", "to": "out"}, {"from": "good", "to": "lim"},
                                      {"from": "lim", "to": "out"} ],
                     "latency_compensation": true})");
    offline.render_blocks(30);
    BreakingProcessor::breaks_at_all = false;
    offline.render_blocks(80);
    EXPECT_EQ(offline.faults, std::vector<std::string>{"bad"});
    std::size_t silent_blocks = 0;
    for (std::size_t frame = 1'280; frame < offline.recorded[0].size(); frame += 64) {
        ASSERT_TRUE(std::isfinite(offline.recorded[0][frame]));
        silent_blocks += offline.recorded[0][frame + 32] == 0.0F ? 1U : 0U;
    }
    EXPECT_EQ(silent_blocks, 1U) << "the block in which it was noticed";
    EXPECT_NEAR(offline.recorded[0].back(), 0.75F, 1e-4F) << "both play again";
}

TEST(EngineEdit, AnOutputThatOverflowsIsNamedAndTheOthersPlayOn) {
    OfflineEngine offline;
    // 33 times +24 dB exceeds the range of float32, but only the gain of the output itself exceeds it.
    std::vector<Edit> edits{AddNode{"constant", "one", {}, {{"value", 1.0F}}},
                            AddNode{"output", "loud", {}, {{"gain_db", 24.0F}}},
                            AddNode{"output", "good", {{"first_channel", 2.0}}, {}}, Connect{"one", "good", {}}};
    std::string last = "one";
    for (int i = 0; i < 32; ++i) {
        const std::string name = "gain_" + std::to_string(i);
        edits.emplace_back(AddNode{"gain", name, {}, {{"gain_db", 24.0F}}});
        edits.emplace_back(Connect{last, name, {}});
        last = name;
    }
    edits.emplace_back(Connect{last, "loud", {}});
    offline.edit(std::move(edits));
    offline.render_blocks(10);
    ASSERT_FALSE(offline.faults.empty());
    EXPECT_EQ(offline.faults.front(), "loud");
    EXPECT_EQ(offline.recorded[1].back(), 1.0F);
    for (const float sample : offline.recorded[0]) ASSERT_TRUE(std::isfinite(sample));
}

TEST(EngineEdit, AFaultyNodeDoesNotTouchTheOtherChannels) {
    const NodeType* types[] = {&kBreaking, builtin_nodes().find("output"), builtin_nodes().find("sine")};
    const NodeRegistry registry{types};
    const auto record = [&](bool breaks) {
        BreakingProcessor::breaks_at_all = breaks;
        OfflineEngine offline{{}, registry};
        offline.load(R"({"nodes": [ {"name": "bad", "type": "breaking"}, {"name": "osc", "type": "sine"},
                                    {"name": "left", "type": "output"},
                                    {"name": "right", "type": "output", "settings": {"first_channel": 2}} ],
                         "connections": [ {"from": "bad", "to": "left"}, {"from": "osc", "to": "right"} ]})");
        offline.render_blocks(1'600);
        EXPECT_EQ(offline.faults.empty(), !breaks);
        return offline.recorded[1];
    };
    EXPECT_EQ(record(true), record(false));
}

TEST(EngineEdit, ATransactionThatTakesTooLongToValidateIsRefused) {
    static double time_s = 0.0;
    OfflineEngine offline{{.thread_time_s = [] { return time_s += 0.25; }}};
    const SharedGraphSnapshot snapshot = offline.engine.snapshot();
    Transaction transaction;
    for (int i = 0; i < 1'000; ++i) transaction.edits.emplace_back(AddNode{"gain", "n" + std::to_string(i), {}, {}});
    const auto refused = offline.engine.prepare(transaction, snapshot);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().sentence,
              "the transaction takes too long: after 2 s, 128 of its 1000 edits had been validated; expected several "
              "smaller transactions");
    EXPECT_EQ(refused.error().edit_index, 128U);
    transaction.edits.resize(100);
    EXPECT_TRUE(offline.engine.prepare(transaction, snapshot));
}

TEST(EngineEdit, TheMemoryOfATransactionIsAddedUpBeforeAnythingIsBuilt) {
    static std::uint64_t left = 0;
    left = std::uint64_t{400} << 20U;
    OfflineEngine offline{{.memory_left_bytes = [] { return left; }}};
    std::vector<Edit> edits;
    for (int i = 0; i < 2'000; ++i) {
        edits.emplace_back(
            AddNode{"delay_line", "d" + std::to_string(i), {{"channels", 64.0}, {"max_time_ms", 10'000.0}}, {}});
    }
    const auto refused = offline.apply(std::move(edits));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::resource_exhausted);
    EXPECT_EQ(refused.error().edit_index, 3U);
    EXPECT_EQ(refused.error().sentence,
              "node \"d3\": needs 117 MiB of memory (469 MiB with the nodes before it), but 400 MiB are left, "
              "and 32 MiB stay reserved for the system");
}

std::uint64_t g_memory_left = 0;

TEST(EngineEdit, NodeThatNeedsTooMuchMemoryIsRejectedByName) {
    g_memory_left = std::uint64_t{200} << 20U;
    OfflineEngine offline{{.memory_left_bytes = [] { return g_memory_left; }}};
    const AddNode small{"delay_line", "small", {{"channels", 2.0}}, {}};
    const AddNode large{"delay_line", "large", {{"channels", 64.0}, {"max_time_ms", 10'000.0}}, {}};  // 117 MiB
    offline.edit({small, large});

    g_memory_left = std::uint64_t{100} << 20U;
    const auto refused = offline.apply({AddNode{"gain", "vol", {}, {}}, large});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::resource_exhausted);
    EXPECT_EQ(refused.error().edit_index, 1U);
    EXPECT_EQ(refused.error().sentence,
              "node \"large\": needs 117 MiB of memory, but 100 MiB are left, and 32 MiB stay reserved for the system");
    EXPECT_EQ(offline.engine.graph().node_count(), 2U);
    EXPECT_TRUE(offline.apply({AddNode{"delay_line", "another", {}, {}}}));

    const auto changed = offline.apply({ChangeSettings{"small", {{"channels", 64.0}, {"max_time_ms", 10'000.0}}}});
    ASSERT_FALSE(changed);
    EXPECT_EQ(changed.error().code, ErrorCode::resource_exhausted);
    EXPECT_EQ(changed.error().edit_index, 0U) << "or it would be tried again without an effect";

    // Small nodes do not reserve memory one by one, but their number is limited, too.
    g_memory_left = std::uint64_t{10} << 20U;
    std::vector<Edit> many;
    for (int i = 0; i < 64; ++i) many.emplace_back(AddNode{"gain", "g" + std::to_string(i), {}, {}});
    EXPECT_EQ(offline.apply(many).error().code, ErrorCode::resource_exhausted);
}

}  // namespace
}  // namespace rta::test::engine_edit_test
