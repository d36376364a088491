// SPDX-License-Identifier: MIT
// The history, undo and redo: without a protocol, against a model that applies the steps that stay to an empty graph.
#include "api/history/history.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "api/history/undo_plan.h"
#include "document/document.h"
#include "script.h"
#include "support/analysis.h"
#include "support/offline_engine.h"
#include "support/random_edits.h"

namespace rta::api::test {
namespace {

using rta::test::OfflineEngine;
using rta::test::RandomEdit;
using rta::test::RandomEdits;

std::string text(const AudioGraph& graph) { return write_document(graph.document()); }

std::string node_in(const Edit& edit) {
    const auto* const set = std::get_if<SetParameter>(&edit);
    return set == nullptr ? "" : set->node;
}

/// An engine and its history, edited by several authors.
class Studio {
 public:
    /// Returns false if the edits are refused.
    bool edit(const std::string& author, std::vector<Edit> edits) {
        AudioGraph before;
        const auto revision = commit(std::move(edits), before);
        if (!revision) return false;
        auto content = history.compare(before).recorded;
        history.record({author, "test"}, *revision, std::move(before), std::move(content));
        return true;
    }
    void set(const std::string& author, const std::string& node, const std::string& parameter, float value) {
        const SetParameter change{node, parameter, value, {}};
        float before = 0.0F;
        float after = 0.0F;
        while (true) {
            const auto ticket = offline.engine.set_parameters({&change, 1}, {&after, 1}, {&before, 1});
            if (ticket) break;
            ASSERT_EQ(ticket.error().code, ErrorCode::resource_exhausted) << ticket.error().sentence;
            offline.render_block();
        }
        history.record({author, "test"}, offline.engine.revision(), now, {&change, 1}, {&before, 1}, {&after, 1});
    }
    Expected<UndoPlan> undo(const std::string& author, std::size_t steps = 1, UndoWish wish = {}) {
        wish.author = author;
        wish.steps = steps;
        const AudioGraph graph = offline.engine.graph();
        auto plan = plan_undo(history.steps(), wish, graph, builtin_nodes());
        if (!plan) return plan;
        AudioGraph before;
        if (const auto revision = commit(plan->edits, before); !revision) {
            ADD_FAILURE() << revision.error().sentence << "\nin " << text(graph);
            return std::unexpected(revision.error());
        }
        history.carried_out(*plan, author);
        return plan;
    }
    Expected<UndoPlan> redo(const std::string& author, std::size_t steps = 1, UndoWish wish = {}) {
        wish.redo = true;
        return undo(author, steps, std::move(wish));
    }
    [[nodiscard]] std::string document() const { return text(offline.engine.graph()); }
    [[nodiscard]] float value(std::string_view node, std::string_view parameter) const {
        const auto place = offline.engine.graph().find_parameter(node, parameter);
        return place ? offline.engine.graph().find(place->node)->parameters[place->index] : -1e9F;
    }
    [[nodiscard]] std::vector<std::string> summaries() const {
        std::vector<std::string> all;
        for (const HistoryStep& step : history.steps())
            all.push_back(summary_of(step.content->edits) + (step.undone ? " (undone)" : ""));
        return all;
    }

    OfflineEngine offline;
    FakeWorkers workers;
    TimePoint now{std::chrono::hours{1}};
    int changes = 0;
    History history{offline.engine, workers, [this] { ++changes; }, [] { return 7; }};

 private:
    Expected<std::uint64_t> commit(std::vector<Edit> edits, AudioGraph& before) {
        auto prepared = offline.engine.prepare({.edits = std::move(edits), .restores = true});
        if (!prepared) return std::unexpected(prepared.error());
        while (true) {
            const auto ticket = offline.engine.commit(*prepared, &before);
            if (ticket) return ticket->revision;
            const Error& error = ticket.error();
            if (error.code == ErrorCode::aborted) {
                if (auto built = offline.engine.build(*prepared); !built) return std::unexpected(built.error());
            } else if (error.code == ErrorCode::resource_exhausted && !error.edit_index) {
                offline.render_block();
            } else {
                return std::unexpected(error);
            }
        }
    }
};

std::vector<Edit> tone() {
    return {AddNode{"sine", "osc", {}, {}}, AddNode{"gain", "vol", {}, {}}, AddNode{"output", "out", {}, {}},
            Connect{"osc", "vol", {}}, Connect{"vol", "out", {}}};
}

TEST(History, UndoRestoresTheGraphAndRedoAppliesItAgain) {
    Studio studio;
    const std::string empty = studio.document();
    ASSERT_TRUE(studio.edit("ann", tone()));
    const std::string first = studio.document();
    ASSERT_TRUE(studio.edit("ann", {RemoveNode{"vol"}, Connect{"osc", "out", -6.0F}, RenameNode{"osc", "tone"}}));
    const std::string second = studio.document();
    const auto undone = studio.undo("ann");
    ASSERT_TRUE(undone) << undone.error().sentence;
    EXPECT_EQ(studio.document(), first);
    ASSERT_TRUE(studio.undo("ann"));
    EXPECT_EQ(studio.document(), empty);
    EXPECT_EQ(studio.undo("ann").error().sentence,
              "no step of ann is left to undo; with of_all, steps of other authors count, too");
    EXPECT_EQ(studio.redo("ann", 3).error().sentence, "there are only 2 steps of ann to apply again, not 3");
    ASSERT_TRUE(studio.redo("ann"));
    EXPECT_EQ(studio.document(), first);
    ASSERT_TRUE(studio.redo("ann"));
    EXPECT_EQ(studio.document(), second);
    EXPECT_EQ(studio.summaries().back(), "remove vol; rename osc to tone; connect tone -> out");
}

TEST(History, AWholeGraphThatWasReplacedComesBackExactly) {
    Studio studio;
    ASSERT_TRUE(studio.edit("ann", tone()));
    const std::string before = studio.document();
    GraphDocument noise;
    noise.nodes = {{"noise", "noise", {}, {}}, {"out", "output", {{"channels", 2.0}}, {}}};
    noise.connections = {{"noise", "out", {}}};
    ASSERT_TRUE(studio.edit("bob", {ReplaceGraph{noise}}));
    ASSERT_TRUE(studio.undo("bob"));
    EXPECT_EQ(studio.document(), before);
}

TEST(History, ADragIsOneStepWithTheValueBeforeIt) {
    Studio studio;
    ASSERT_TRUE(studio.edit("ann", tone()));
    for (int i = 1; i <= 20; ++i) {
        studio.set("ann", "vol", "gain_db", static_cast<float>(-i));
        studio.set("bob", "osc", "gain_db", static_cast<float>(-i));
        studio.now += std::chrono::milliseconds{500};
    }
    EXPECT_EQ(studio.history.steps().size(), 3U);
    studio.now += std::chrono::seconds{3};
    studio.set("ann", "vol", "gain_db", -40.0F);
    studio.set("ann", "vol", "gain_db", -40.0F);
    ASSERT_EQ(studio.history.steps().size(), 4U);
    ASSERT_TRUE(studio.undo("ann"));
    EXPECT_EQ(studio.value("vol", "gain_db"), -20.0F);
    ASSERT_TRUE(studio.undo("ann"));
    EXPECT_EQ(studio.value("vol", "gain_db"), 0.0F);
    EXPECT_EQ(studio.value("osc", "gain_db"), -20.0F);
    ASSERT_TRUE(studio.redo("ann"));
    EXPECT_EQ(studio.value("vol", "gain_db"), -20.0F);
}

TEST(History, LaterParametersOfOthersStay) {
    Studio studio;
    ASSERT_TRUE(studio.edit("ann", tone()));
    studio.set("ann", "vol", "gain_db", -3.0F);
    studio.set("bob", "vol", "gain_db", -9.0F);
    studio.set("bob", "osc", "frequency_hz", 220.0F);
    ASSERT_TRUE(studio.undo("ann"));
    EXPECT_EQ(studio.value("vol", "gain_db"), -9.0F);
    ASSERT_TRUE(studio.undo("bob", 2));
    EXPECT_EQ(studio.value("vol", "gain_db"), 0.0F) << "and not what ann has undone";
    ASSERT_TRUE(studio.redo("bob", 2));
    EXPECT_EQ(studio.value("vol", "gain_db"), -9.0F);
    // Parameters alone do not keep the nodes.
    ASSERT_TRUE(studio.undo("ann"));
    EXPECT_EQ(studio.offline.engine.graph().node_count(), 0U);
    ASSERT_TRUE(studio.redo("ann"));
    EXPECT_EQ(studio.value("vol", "gain_db"), -9.0F);
    EXPECT_EQ(studio.value("osc", "frequency_hz"), 220.0F);
}

TEST(History, ALaterStepOfAnotherAuthorInTheSamePlaceIsNamedAndForceUndoesBoth) {
    Studio studio;
    ASSERT_TRUE(studio.edit("ann", tone()));
    ASSERT_TRUE(studio.edit("bob", {AddNode{"meter", "level", {}, {}}, Connect{"vol", "level", {}}}));
    ASSERT_TRUE(studio.edit("cid", {AddNode{"sine", "else", {}, {}}}));
    const auto refused = studio.undo("ann");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::failed_precondition);
    EXPECT_EQ(refused.error().sentence,
              "step 1 cannot be undone: step 2 of bob (add level; connect vol -> level) has changed the same nodes or "
              "connections since; expected that step to be undone first, or force, which undoes it too");
    const auto forced = studio.undo("ann", 1, {.force = true});
    ASSERT_TRUE(forced);
    EXPECT_EQ(forced->undone, (std::vector<std::uint64_t>{2, 1}));
    EXPECT_NE(studio.offline.engine.graph().find("else"), nullptr);
    EXPECT_EQ(studio.offline.engine.graph().node_count(), 1U);
    EXPECT_FALSE(studio.redo("bob")) << "ann has undone it";
    ASSERT_TRUE(studio.redo("ann", 2));
    EXPECT_EQ(studio.offline.engine.graph().node_count(), 5U);
    // Only the step of bob, which needs that of ann.
    ASSERT_TRUE(studio.undo("bob"));
    ASSERT_TRUE(studio.undo("ann"));
    const auto needs = studio.redo("bob");
    ASSERT_FALSE(needs);
    EXPECT_NE(needs.error().sentence.find("it needs step 1 of ann"), std::string::npos) << needs.error().sentence;
    ASSERT_TRUE(studio.redo("bob", 1, {.force = true}));
    EXPECT_EQ(studio.offline.engine.graph().node_count(), 5U);
}

TEST(History, ANewEditDiscardsWhatItsAuthorCouldApplyAgain) {
    Studio studio;
    ASSERT_TRUE(studio.edit("ann", tone()));
    studio.set("bob", "vol", "gain_db", -3.0F);
    ASSERT_TRUE(studio.undo("bob"));
    studio.set("ann", "osc", "gain_db", -3.0F);
    EXPECT_TRUE(studio.redo("bob")) << "of another author";
    ASSERT_TRUE(studio.undo("bob"));
    studio.set("bob", "vol", "mute", 1.0F);
    EXPECT_EQ(studio.redo("bob").error().code, ErrorCode::failed_precondition);
    // Neither is an edit without effect.
    ASSERT_TRUE(studio.undo("ann"));
    studio.set("ann", "osc", "gain_db", -20.0F);
    ASSERT_TRUE(studio.edit("ann", {Connect{"osc", "vol", {}}}));
    EXPECT_TRUE(studio.redo("ann"));
}

TEST(History, OfAllChoosesTheLatestOfAllAuthors) {
    Studio studio;
    ASSERT_TRUE(studio.edit("ann", tone()));
    ASSERT_TRUE(studio.edit("bob", {RemoveNode{"osc"}}));
    const auto undone = studio.undo("ann", 2, {.of_all = true});
    ASSERT_TRUE(undone) << undone.error().sentence;
    EXPECT_EQ(undone->undone, (std::vector<std::uint64_t>{2, 1}));
    EXPECT_EQ(studio.offline.engine.graph().node_count(), 0U);
    ASSERT_TRUE(studio.redo("bob", 2, {.of_all = true}));
    EXPECT_EQ(studio.offline.engine.graph().node_count(), 2U);
}

TEST(History, NodesThatLoseWhatTheyRememberAreNamed) {
    Studio studio;
    ASSERT_TRUE(studio.edit("ann", tone()));
    ASSERT_TRUE(studio.edit("ann", {AddNode{"delay_line", "echo", {}, {}}, AddNode{"reverb", "hall", {}, {}},
                                    AddNode{"gain", "g", {}, {}}}));
    ASSERT_TRUE(studio.edit("ann", {RemoveNode{"echo"}, RemoveNode{"g"}}));
    EXPECT_EQ(studio.undo("ann")->fresh_nodes, (std::vector<std::string>{"echo"}));
    EXPECT_TRUE(studio.undo("ann")->fresh_nodes.empty());
}

TEST(History, LargeDifferencesAreComputedOnAWorker) {
    Studio studio;
    studio.workers.held = true;
    std::vector<Edit> edits;
    for (int i = 0; i < 1'500; ++i) edits.emplace_back(AddNode{"constant", "n" + std::to_string(i), {}, {}});
    ASSERT_TRUE(studio.edit("ann", edits));
    EXPECT_TRUE(studio.history.computing());
    // What is saved in the meantime is complete.
    const std::string saved = studio.history.writer()();
    ASSERT_EQ(studio.workers.jobs.size(), 1U);
    studio.workers.finish(0);
    EXPECT_FALSE(studio.history.computing());
    EXPECT_EQ(studio.changes, 1);
    EXPECT_EQ(studio.history.writer()().size(), saved.size());
    EXPECT_EQ(studio.summaries().front(), "add 1500 nodes");
    ASSERT_TRUE(studio.undo("ann"));
    EXPECT_EQ(studio.offline.engine.graph().node_count(), 0U);
}

TEST(History, TheOldestStepsAreDropped) {
    Studio studio;
    ASSERT_TRUE(studio.edit("ann", tone()));
    for (std::size_t i = 0; i < History::kMaximumSteps + 5; ++i) {
        studio.now += std::chrono::seconds{3};
        studio.set("ann", "vol", "gain_db", i % 2 == 0 ? -1.0F : -2.0F);
    }
    EXPECT_EQ(studio.history.steps().size(), History::kMaximumSteps);
    // Each of these takes about 5 MiB with its inverse.
    const std::string description(4'000, 'x');
    std::vector<Edit> edits;
    for (int i = 0; i < 400; ++i)
        edits.emplace_back(AddNode{"constant", "n" + std::to_string(i), {}, {}, {"", description}});
    ASSERT_TRUE(studio.edit("ann", edits));
    for (int round = 0; round < 20; ++round) {
        std::vector<Edit> texts;
        for (int i = 0; i < 400; ++i) {
            texts.emplace_back(
                Describe{"n" + std::to_string(i), {}, std::string(4'000, static_cast<char>('a' + round))});
        }
        ASSERT_TRUE(studio.edit("ann", texts));
        studio.offline.settle();
    }
    std::size_t bytes = 0;
    for (const HistoryStep& step : studio.history.steps()) bytes += step.content->memory_bytes();
    EXPECT_LE(bytes, History::kMaximumBytes);
    EXPECT_GE(bytes, History::kMaximumBytes / 2);
}

TEST(History, IsWrittenAndReadAgain) {
    Studio studio;
    ASSERT_TRUE(studio.edit("ann", tone()));
    studio.set("bob", "osc", "gain_db", -3.0F);
    ASSERT_TRUE(studio.edit("ann", {Describe{"", "Title", "Text"}, Disconnect{"vol", "out"},
                                    ChangeSettings{"vol", {{"channels", 2.0}}, {}}}));
    ASSERT_TRUE(studio.undo("bob"));
    ASSERT_TRUE(studio.undo("ann"));
    const std::string saved = studio.history.writer()();

    Studio later;
    later.offline.load(studio.document());
    ASSERT_TRUE(later.history.restore(saved));
    EXPECT_EQ(later.summaries(), studio.summaries());
    EXPECT_EQ(later.history.steps().front().revision, 0U);
    for (Studio* const one : {&studio, &later}) {
        ASSERT_TRUE(one->redo("ann"));
        ASSERT_TRUE(one->redo("bob"));
        ASSERT_TRUE(one->edit("cid", {AddNode{"gain", "last", {}, {}}}));
        EXPECT_EQ(one->history.steps().back().number, 4U);
    }
    EXPECT_EQ(later.document(), studio.document());

    for (std::size_t cut = 0; cut < saved.size(); cut += 7) {
        const auto cut_off = later.history.restore(saved.substr(0, cut));
        EXPECT_TRUE(!cut_off || later.history.steps().size() < 3U);
    }
    EXPECT_FALSE(later.history.restore("4\nnonsense"));
    EXPECT_TRUE(later.history.steps().empty());
}

// ---------------------------------------------------------------------------------------------------------------------
// The model

/// Returns the edits without changes of parameters of nodes that do not exist then.
std::vector<Edit> applicable(const std::vector<Edit>& edits, const AudioGraph& graph) {
    std::set<std::string> names;
    for (const auto& node : graph.nodes()) names.insert(node->name());
    std::vector<Edit> result;
    for (const Edit& edit : edits) {
        if (const auto* add = std::get_if<AddNode>(&edit)) names.insert(add->name);
        if (const auto* remove = std::get_if<RemoveNode>(&edit)) names.erase(remove->name);
        if (const auto* rename = std::get_if<RenameNode>(&edit)) {
            names.erase(rename->name);
            names.insert(rename->new_name);
        }
        if (const std::string node = node_in(edit); node.empty() || names.contains(node)) result.push_back(edit);
    }
    return result;
}

/// Applies the steps that are not undone to the first graph.
std::string replayed(const GraphDocument& start, const std::vector<HistoryStep>& steps) {
    Studio model;
    EXPECT_TRUE(model.edit("", {ReplaceGraph{start}}));
    for (const HistoryStep& step : steps) {
        if (step.undone) continue;
        EXPECT_TRUE(model.edit("", applicable(step.content->edits, model.offline.engine.graph()))) << name_of(step);
    }
    return model.document();
}

TEST(HistoryModel, TheGraphIsThatOfTheStepsThatAreNotUndone) {
    constexpr std::size_t kAuthors = 3;
    for (const std::uint32_t seed : {1U, 2U, 3U}) {
        std::mt19937 random{seed};
        const auto number = [&](std::uint32_t below) { return static_cast<std::uint32_t>(random() % below); };
        Studio studio;
        const GraphDocument start = RandomEdits::start(kAuthors, {.remembering = true, .channels = 1});
        studio.offline.edit({ReplaceGraph{start}});
        const std::string first = studio.document();
        std::uint32_t next_name = 0;
        std::size_t undone = 0;
        std::size_t refused = 0;
        for (int i = 0; i < 120; ++i) {
            const std::uint32_t who = number(kAuthors);
            const std::string author = "author " + std::to_string(who);
            const UndoWish wish{.of_all = number(5) == 0, .force = number(3) == 0};
            const std::uint32_t what = number(10);
            if (what < 5) {
                RandomEdits edits{
                    studio.offline.engine.graph().document(), {.remembering = true, .channels = 1}, next_name};
                // Most edits are in the author's own region.
                const std::uint32_t region = number(4) == 0 ? number(kAuthors) : who;
                for (std::uint32_t k = 0; k <= number(3); ++k) {
                    edits.add(
                        {static_cast<RandomEdit::Kind>(number(static_cast<std::uint32_t>(RandomEdit::Kind::count))),
                         region, region, number(1'000'000), number(1'000'000)});
                }
                static_cast<void>(studio.edit(author, edits.edits()));
            } else if (what < 7) {
                const GraphDocument document = studio.offline.engine.graph().document();
                const auto& node = document.nodes[number(static_cast<std::uint32_t>(document.nodes.size()))];
                if (const auto change = rta::test::random_parameter(node, number(1'000'000)))
                    studio.set(author, node.name, change->parameter, change->value);
                studio.now += std::chrono::milliseconds{number(3'000)};
            } else {
                const auto plan =
                    what < 9 ? studio.undo(author, 1 + number(3), wish) : studio.redo(author, 1 + number(2), wish);
                ++(plan ? undone : refused);
                EXPECT_TRUE(plan || plan.error().code == ErrorCode::failed_precondition) << plan.error().sentence;
            }
            ASSERT_EQ(studio.document(), replayed(start, studio.history.steps())) << "seed " << seed << ", step " << i;
            studio.offline.render_blocks(number(20));
        }
        EXPECT_GT(undone, 10U);
        EXPECT_GT(refused, 3U);
        // Everything, and back.
        const std::string last = studio.document();
        const auto active =
            static_cast<std::size_t>(std::ranges::count(studio.history.steps(), false, &HistoryStep::undone));
        ASSERT_TRUE(studio.undo("author 0", active, {.of_all = true}));
        EXPECT_EQ(studio.document(), first);
        ASSERT_TRUE(studio.redo("author 0", active, {.of_all = true}));
        EXPECT_EQ(studio.document(), last);
    }
}

TEST(HistorySound, UndoAndRedoAreHeardWithoutAStep) {
    Studio studio;
    ASSERT_TRUE(studio.edit("ann", {AddNode{"sine", "osc", {}, {{"frequency_hz", 440.0F}, {"gain_db", -6.0F}}},
                                    AddNode{"gain", "vol", {}, {}}, AddNode{"output", "out", {}, {}},
                                    Connect{"osc", "vol", {}}, Connect{"vol", "out", {}}}));
    studio.offline.settle();
    ASSERT_TRUE(studio.edit("bob", {AddNode{"biquad_filter", "lp", {}, {{"frequency_hz", 300.0F}}},
                                    Disconnect{"vol", "out"}, Connect{"vol", "lp", {}}, Connect{"lp", "out", {}}}));
    studio.set("bob", "vol", "gain_db", -20.0F);
    studio.offline.settle();
    studio.offline.render_blocks(50);
    for (int round = 0; round < 3; ++round) {
        ASSERT_TRUE(studio.undo("bob", 2));
        studio.offline.render_blocks(7);
        ASSERT_TRUE(studio.redo("bob", 2));
        studio.offline.render_blocks(5);
    }
    studio.offline.settle();
    // A sine of amplitude A has second differences of up to A w^2; its fades add less than twice their slope times w.
    constexpr double kAmplitude = 0.502;
    constexpr double kStep = 2.0 * 3.14159265358979 * 440.0 / 48'000.0;
    constexpr double kSlope = kAmplitude / 480.0;
    const auto found = rta::test::largest_second_difference(studio.offline.recorded[0]);
    EXPECT_LE(found.size, kAmplitude * kStep * kStep + 4.0 * kSlope * kStep + 2.0 * kSlope) << found.frame;
}

// ---------------------------------------------------------------------------------------------------------------------
// The requests

TEST(HistoryRequests, EventsSayHowToUndoAndWhatWasBefore) {
    Script script;
    script.play("hello a\nhello b\n" + test::tone() + R"(
        b> id: 1 subscribe { topics: TOPIC_CHANGES }
        b< response { id: 1 subscribe {} }
        a> id: 2 set_parameters { changes { node: "vol" parameter: "gain_db" value: -6 } changes { node: "osc" parameter: "gain_db" add: -1 } }
    )");
    const auto set = script.receive('b');
    ASSERT_TRUE(set);
    const auto& previous = set->event().parameters_changed().previous();
    ASSERT_EQ(previous.size(), 2);
    EXPECT_EQ(previous[0], 0.0F);
    EXPECT_EQ(previous[1], -20.0F);
    script.play(R"(
        a> id: 3 apply_transaction { edits { edits { rename_node { name: "osc" new_name: "tone" } } edits { remove_node { name: "vol" } } } }
    )");
    const auto changed = script.receive('b');
    ASSERT_TRUE(changed);
    const v1::GraphChanged& graph = changed->event().graph_changed();
    ASSERT_EQ(graph.inverse_size(), 4) << graph.ShortDebugString();
    EXPECT_EQ(graph.inverse(0).rename_node().new_name(), "osc");
    EXPECT_EQ(graph.inverse(1).add_node().parameters().at("gain_db"), -6.0F);
}

TEST(HistoryRequests, UndoIsAnsweredWithItsSteps) {
    Script script;
    script.play("hello a\nhello b\n" + test::tone() + R"(
        block
        a> id: 2 undo { steps: 0 }
        a< response { id: 2 status { code: INVALID_ARGUMENT message: "steps is 0: expected 1 to 1000" } }
        a> id: 3 undo { steps: 2 }
        a< response { id: 3 status { code: FAILED_PRECONDITION } }
        a> id: 4 undo {}
        a< response { id: 4 status { code: OK } undo { revision: 2 steps { number: 1 revision: 1 client_name: "a" undone: true } } }
        b> id: 5 get_history { steps: 5 with_edits: true }
        b< response { id: 5 status { code: OK } get_history { steps { number: 1 undone: true } } }
        b> id: 6 get_history { before: 1 }
        b< response { id: 6 status { code: OK } get_history {} }
        b> id: 7 get_history { steps: 1001 }
        b< response { id: 7 status { code: INVALID_ARGUMENT } }
    )");
    const auto play_on = [&] {
        for (int i = 0; i < 50; ++i) script.block();  // longer than a crossfade
    };
    play_on();
    script.play("a> id: 8 redo { wait_for_start: true }\na-\n");
    play_on();
    script.play("a< response { id: 8 status { code: OK } redo { revision: 3 steps { number: 1 } } }\n");
    EXPECT_EQ(script.engine.graph().node_count(), 3U);
}

TEST(HistoryRequests, AStepThatIsCommittedInTheMeantimeIsConsidered) {
    Script script;
    script.play("hello a\nhello b\n" + test::tone());
    script.workers.held = true;
    script.play(R"(
        a> id: 2 undo {}
        b> id: 3 apply_transaction { edits { edits { add_node { name: "more" type: "sine" } } } }
    )");
    ASSERT_EQ(script.workers.jobs.size(), 2U);
    script.workers.finish(1);
    script.workers.finish(0);
    ASSERT_EQ(script.workers.jobs.size(), 1U) << "planned again";
    script.workers.finish(0);
    const auto undone = script.receive('a');
    ASSERT_TRUE(undone);
    ASSERT_EQ(undone->response().undo().steps_size(), 1) << undone->ShortDebugString();
    // Both clients have the same author here, so the latest step is that of the other one.
    EXPECT_EQ(undone->response().undo().steps(0).number(), 2U);
    EXPECT_EQ(script.engine.graph().node_count(), 3U);
}

TEST(HistoryRequests, UndoWaitsForTheComparisonOfLargeGraphs) {
    Script script;
    script.play("hello a\n");
    v1::Request add;
    add.set_id(1);
    for (int i = 0; i < 1'500; ++i) {
        v1::Node& node = *add.mutable_apply_transaction()->mutable_edits()->add_edits()->mutable_add_node();
        node.set_name("n" + std::to_string(i));
        node.set_type("constant");
    }
    script.workers.held = true;
    script.send('a', add);
    while (script.engine.graph().node_count() == 0) script.workers.finish(0);
    script.play("a< response { id: 1 apply_transaction { revision: 1 } }\na> id: 2 undo {}\n");
    EXPECT_TRUE(script.dispatcher.services().history.computing());
    while (!script.workers.jobs.empty()) script.workers.finish(0);
    script.play("a< response { id: 2 status { code: OK } undo { revision: 2 } }\n");
    EXPECT_EQ(script.engine.graph().node_count(), 0U);
}

}  // namespace
}  // namespace rta::api::test
