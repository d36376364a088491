// SPDX-License-Identifier: MIT
// The history, undo and redo: without a protocol, against a model that replays the steps that stay, and as requests.
#include "api/history/history.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "api/history/history_changes.h"
#include "api/history/saved_history.h"
#include "api/history/undo_plan.h"
#include "document/document.h"
#include "script.h"
#include "studio.h"
#include "support/allocation_trap.h"
#include "support/analysis.h"
#include "support/offline_engine.h"
#include "support/random_edits.h"
#include "text/format_number.h"

namespace rta::api::test {
namespace {

using rta::test::allocation_trap_active;
using rta::test::AllocationTrap;
using rta::test::RandomEdit;
using rta::test::RandomEdits;

TEST(History, UndoRestoresTheGraphAndRedoAppliesItAgain) {
    Studio studio;
    const std::string empty = studio.document();
    ASSERT_TRUE(studio.edit("ann", tone_edits()));
    const std::string first = studio.document();
    ASSERT_TRUE(studio.edit("ann", {RemoveNode{"vol"}, Connect{"osc", "out", -6.0F}, RenameNode{"osc", "tone"}}));
    const std::string second = studio.document();
    const auto undone = studio.undo("ann");
    ASSERT_TRUE(undone) << undone.error().sentence;
    EXPECT_EQ(studio.document(), first);
    ASSERT_TRUE(studio.undo("ann"));
    EXPECT_EQ(studio.document(), empty);
    EXPECT_EQ(studio.undo("ann").error().sentence, "no step of ann is left to undo");
    EXPECT_EQ(studio.redo("ann", 3).error().sentence, "there are only 2 steps of ann to apply again, not 3");
    ASSERT_TRUE(studio.redo("ann"));
    EXPECT_EQ(studio.document(), first);
    ASSERT_TRUE(studio.redo("ann"));
    EXPECT_EQ(studio.document(), second);
    EXPECT_EQ(studio.summaries().back(), "remove vol; rename osc to tone; connect tone -> out");
}

TEST(History, AWholeGraphThatWasReplacedComesBackExactly) {
    Studio studio;
    ASSERT_TRUE(studio.edit("ann", tone_edits()));
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
    ASSERT_TRUE(studio.edit("ann", tone_edits()));
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

/// A drag of 5,000 changes with 20 records of the journal, whose readers keep what they have been given. Returns the
/// allocations of the changes right after a record, and of the others.
std::pair<std::vector<std::uint64_t>, std::vector<std::uint64_t>> allocations_of_a_drag(Studio& studio) {
    constexpr int kChanges = 5'000;
    constexpr int kChangesInRecord = 250;
    std::pair<std::vector<std::uint64_t>, std::vector<std::uint64_t>> counts;
    const std::size_t steps = studio.history.steps().size();
    std::function<std::string()> record;
    // The graph keeps 0 dB, which no change has as its value before: each of them has an effect.
    for (int i = 0; i < kChanges; ++i) {
        const SetParameter change{"vol", "gain_db", -0.001F * static_cast<float>(i + 2), {}};
        const float before = -0.001F * static_cast<float>(i + 1);
        const bool recorded = i != 0 && i % kChangesInRecord == 0;
        if (recorded) record = studio.history.take_changes();
        studio.now += std::chrono::milliseconds{10};
        const AllocationTrap trap;
        studio.history.record({"ann", "test"}, 1, studio.now, {&change, 1}, {&before, 1}, {&change.value, 1});
        const std::uint64_t count = trap.count();
        if (i != 0) (recorded ? counts.first : counts.second).push_back(count);
    }
    EXPECT_EQ(studio.history.steps().size(), std::min(steps + 1, History::kMaximumSteps));
    return counts;
}

TEST(History, AChangeOfADragCostsTheSameHoweverLongItAndTheHistoryAre) {
    if (!allocation_trap_active()) return;  // not supported by the allocator of a sanitizer
    Studio fresh;
    ASSERT_TRUE(fresh.edit("ann", tone_edits()));
    const auto [recorded, others] = allocations_of_a_drag(fresh);
    EXPECT_EQ(std::ranges::min(others), std::ranges::max(others));
    EXPECT_EQ(std::ranges::min(recorded), std::ranges::max(recorded));
    EXPECT_LE(std::ranges::max(recorded), 30U) << "a copy of a step of one parameter";

    Studio full;
    ASSERT_TRUE(full.edit("ann", tone_edits()));
    for (std::size_t i = 0; i < History::kMaximumSteps; ++i) {
        full.now += std::chrono::seconds{3};
        full.set("bob", "osc", "gain_db", i % 2 == 0 ? -1.0F : -2.0F);
    }
    ASSERT_EQ(full.history.steps().size(), History::kMaximumSteps);
    const auto [recorded_later, others_later] = allocations_of_a_drag(full);
    EXPECT_EQ(others_later, others);
    EXPECT_EQ(recorded_later, recorded);
}

/// A value that a dropped step passes on to a later one is recorded.
TEST(History, TheRecordedChangesLeadToTheHistoryAlsoWhenStepsAreDropped) {
    Studio studio;
    ASSERT_TRUE(studio.edit("ann", tone_edits()));
    studio.set("ann", "vol", "gain_db", -1.0F);
    ASSERT_TRUE(studio.undo("ann"));
    studio.set("bob", "vol", "gain_db", -2.0F);  // from the value without the step of ann
    ASSERT_TRUE(studio.redo("ann"));
    const auto change = [&](int i) {
        studio.now += std::chrono::seconds{3};
        studio.set("bob", "osc", "gain_db", i % 2 == 0 ? -1.0F : -2.0F);
    };
    for (int i = 0; studio.history.steps().size() < History::kMaximumSteps; ++i) change(i);
    const EngineConfig& config = studio.offline.engine.config();
    SavedHistory saved = SavedHistory::read(studio.history.writer()(), builtin_nodes(), config).value();
    static_cast<void>(studio.history.take_changes());
    for (int i = 1; i <= 2; ++i) {
        change(i);
        ASSERT_TRUE(HistoryChanges::apply(studio.history.take_changes()(), saved, builtin_nodes(), config));
        const std::vector<HistoryStep> steps = studio.history.steps();
        ASSERT_EQ(saved.steps.size(), steps.size());
        for (std::size_t k = 0; k < steps.size(); ++k) {
            const auto& [node, before, after] = steps[k].content->changes.nodes.front();
            const NodeChange& read = saved.steps[k].content->changes.nodes.front();
            ASSERT_EQ(saved.steps[k].number, steps[k].number);
            ASSERT_EQ(read.node, node) << k;
            ASSERT_EQ(read.before == nullptr, before == nullptr) << k;
            ASSERT_EQ(read.after->parameters, after->parameters) << k;
            if (before == nullptr) continue;
            ASSERT_EQ(read.before->parameters, before->parameters) << "step " << steps[k].number;
        }
    }
    // The step of bob is the earliest now: the step of ann before it has left its value.
    const HistoryStep earliest = studio.history.steps().front();
    const auto gain = studio.offline.engine.graph().find_parameter("vol", "gain_db");
    ASSERT_EQ(earliest.number, 3U);
    EXPECT_EQ(earliest.content->changes.nodes.front().before->parameters[gain->index], -1.0F);
}

TEST(History, LaterParametersOfOthersStay) {
    Studio studio;
    ASSERT_TRUE(studio.edit("ann", tone_edits()));
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
    ASSERT_TRUE(studio.edit("ann", tone_edits()));
    ASSERT_TRUE(studio.edit("bob", {AddNode{"meter", "level", {}, {}}, Connect{"vol", "level", {}}}));
    ASSERT_TRUE(studio.edit("cid", {AddNode{"sine", "else", {}, {}}}));
    const auto refused = studio.undo("ann");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::failed_precondition);
    EXPECT_EQ(refused.error().sentence,
              "step 1 cannot be undone: step 2 of bob (add level; connect vol -> level) has changed the same nodes or "
              "connections; expected that step to be undone first, or together with it");
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
    ASSERT_TRUE(studio.edit("ann", tone_edits()));
    studio.set("bob", "vol", "gain_db", -3.0F);
    ASSERT_TRUE(studio.undo("bob"));
    studio.set("ann", "osc", "gain_db", -3.0F);
    EXPECT_TRUE(studio.redo("bob")) << "of another author";
    ASSERT_TRUE(studio.undo("bob"));
    studio.set("bob", "vol", "mute", 1.0F);
    EXPECT_EQ(studio.redo("bob").error().code, ErrorCode::not_found);
    // Neither is an edit without effect.
    ASSERT_TRUE(studio.undo("ann"));
    studio.set("ann", "osc", "gain_db", -20.0F);
    ASSERT_TRUE(studio.edit("ann", {Connect{"osc", "vol", {}}}));
    EXPECT_TRUE(studio.redo("ann"));
}

TEST(History, OfAllChoosesTheLatestOfAllAuthors) {
    Studio studio;
    ASSERT_TRUE(studio.edit("ann", tone_edits()));
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
    ASSERT_TRUE(studio.edit("ann", tone_edits()));
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
    ASSERT_TRUE(studio.edit("ann", tone_edits()));
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
    ASSERT_TRUE(studio.edit("ann", tone_edits()));
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
    EXPECT_FALSE(later.history.restore("4 nonsense"));
    EXPECT_TRUE(later.history.steps().empty());
}

// ---------------------------------------------------------------------------------------------------------------------
// The model

/// A graph as a table: each part of it under a key that contains the identities of its nodes.
using Parts = std::map<std::string, std::string>;

std::string identity_text(const GraphNode& node) { return std::to_string(std::to_underlying(node.identity)); }

Parts parts_of(const AudioGraph& graph) {
    Parts parts;
    parts["compensation"] = graph.latency_compensation() ? "on" : "off";
    for (const auto& node : graph.nodes()) {
        const std::string key = identity_text(*node) + " ";
        parts[key] = node->description->type->name;
        parts[key + "name"] = node->name();
        std::string& settings = parts[key + "settings"];
        GraphDocument document;
        document.nodes.push_back({"x", "x", node->description->given_settings, {}});
        settings = write_document(document);
        for (std::size_t p = 0; p < node->parameters.size(); ++p)
            parts[key + "= " + std::string{node->description->layout.parameters[p].name}] =
                format_number(node->parameters[p]);
        for (const IncomingConnection& connection : node->incoming) {
            const GraphNode& source = *graph.find(connection.from.node);
            parts[key + "< " + identity_text(source) + " " +
                  std::string{source.description->layout.outputs[connection.from.port].name} + " " +
                  std::string{node->description->layout.inputs[connection.to_port].name}] =
                format_number(connection.gain_db);
        }
    }
    return parts;
}

/// Replays the steps that are not undone, part by part.
class Model {
 public:
    explicit Model(const AudioGraph& graph) : start_{parts_of(graph)} {}

    /// The latest change of the history has turned one graph into the other.
    void record(const History& history, const Parts& before, const Parts& after) {
        if (before == after) return;
        const std::vector<HistoryStep> steps = history.steps();
        auto& step = steps_[std::ranges::max(steps, {}, &HistoryStep::changed_at).number];
        for (const auto& [key, value] : before) {
            if (!after.contains(key)) step[key] = std::nullopt;
        }
        for (const auto& [key, value] : after) {
            const auto known = before.find(key);
            if (known == before.end() || known->second != value) step[key] = value;
        }
    }

    [[nodiscard]] Parts graph(const History& history) const {
        Parts parts = start_;
        for (const HistoryStep& step : history.steps()) {
            const auto known = steps_.find(step.number);
            if (step.undone || known == steps_.end()) continue;
            for (const auto& [key, value] : known->second) {
                if (value) {
                    parts[key] = *value;
                } else {
                    parts.erase(key);
                }
            }
        }
        // What belongs to nodes that do not exist is not part of the graph.
        std::erase_if(parts, [&](const auto& part) {
            std::istringstream key{part.first};
            std::string node;
            std::string kind;
            std::string source;
            key >> node >> kind >> source;
            if (node == "compensation") return false;
            return !parts.contains(node + " ") || (kind == "<" && !parts.contains(source + " "));
        });
        return parts;
    }

 private:
    Parts start_;
    std::map<std::uint64_t, std::map<std::string, std::optional<std::string>>> steps_;
};

std::string text(const Parts& parts) {
    std::string text;
    for (const auto& [key, value] : parts) text.append(key).append(": ").append(value).append("\n");
    return text;
}

constexpr std::uint32_t kAuthors = 4;

/// Four authors make random edits, undo and redo.
class RandomStudio {
 public:
    explicit RandomStudio(std::uint32_t seed) : random_{seed} {
        studio.offline.edit({ReplaceGraph{RandomEdits::start(kAuthors, kLimits)}});
        model.emplace(studio.offline.engine.graph());
    }

    void act() {
        const std::uint32_t who = number(kAuthors);
        const std::string author = "author " + std::to_string(who);
        const Parts before = parts_of(graph());
        const std::uint32_t what = number(10);
        if (what < 5) {
            if (studio.edit(author, number(8) == 0 ? edits_of_an_old_name() : random_edits(who)))
                model->record(studio.history, before, parts_of(graph()));
        } else if (what < 7) {
            const GraphDocument document = graph().document();
            if (document.nodes.empty()) return;
            const auto& node = document.nodes[number(static_cast<std::uint32_t>(document.nodes.size()))];
            if (const auto change = rta::test::random_parameter(node, number(1'000'000))) {
                studio.set(author, node.name, change->parameter, change->value);
                model->record(studio.history, before, parts_of(graph()));
            }
            studio.now += std::chrono::milliseconds{number(3'000)};
        } else {
            const UndoWish wish{.of_all = number(5) == 0, .force = number(3) == 0};
            const auto plan =
                what < 9 ? studio.undo(author, 1 + number(3), wish) : studio.redo(author, 1 + number(2), wish);
            ++(plan ? undone : refused);
            EXPECT_TRUE(plan || plan.error().code == ErrorCode::failed_precondition ||
                        plan.error().code == ErrorCode::not_found)
                << plan.error().sentence;
        }
        studio.offline.render_blocks(number(20));
    }

    [[nodiscard]] const AudioGraph& graph() const { return studio.offline.engine.graph(); }

    Studio studio;
    std::optional<Model> model;
    std::size_t undone = 0;
    std::size_t refused = 0;

 private:
    static constexpr rta::test::RandomEditLimits kLimits{.remembering = true, .channels = 1};

    std::uint32_t number(std::uint32_t below) { return static_cast<std::uint32_t>(random_() % below); }

    /// Most edits are in the author's own region.
    std::vector<Edit> random_edits(std::uint32_t who) {
        RandomEdits edits{graph().document(), kLimits, next_name_};
        const std::uint32_t region = number(4) == 0 ? number(kAuthors) : who;
        for (std::uint32_t k = 0; k <= number(3); ++k) {
            edits.add({static_cast<RandomEdit::Kind>(number(static_cast<std::uint32_t>(RandomEdit::Kind::count))),
                       region, region, number(1'000'000), number(1'000'000)});
        }
        for (const auto& node : graph().nodes()) names_.insert(node->name());
        return edits.edits();
    }

    /// Gives a name that some node has had to a new node, or to another one.
    std::vector<Edit> edits_of_an_old_name() {
        std::vector<std::string> free;
        for (const std::string& name : names_) {
            if (graph().find(name) == nullptr) free.push_back(name);
        }
        if (free.empty()) return {};
        const std::string name = free[number(static_cast<std::uint32_t>(free.size()))];
        if (number(2) == 0) return {AddNode{number(2) == 0 ? "gain" : "delay_line", name, {}, {}}};
        const auto nodes = graph().nodes();
        return {RenameNode{nodes[number(static_cast<std::uint32_t>(nodes.size()))]->name(), name}};
    }

    std::mt19937 random_;
    std::uint32_t next_name_ = 0;
    std::set<std::string> names_;
};

TEST(HistoryModel, TheGraphIsThatOfTheStepsThatAreNotUndone) {
    const char* const given = std::getenv("RTA_HISTORY_SEEDS");
    const std::uint32_t seeds = given == nullptr ? 8 : static_cast<std::uint32_t>(std::stoul(given));
    std::size_t undone = 0;
    for (std::uint32_t seed = 1; seed <= seeds; ++seed) {
        RandomStudio random{seed};
        Studio& studio = random.studio;
        const std::string first = studio.document();
        for (int i = 0; i < 120; ++i) {
            random.act();
            ASSERT_EQ(text(parts_of(random.graph())), text(random.model->graph(studio.history)))
                << "seed " << seed << ", action " << i;
            ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed << ", action " << i;
        }
        undone += random.undone;
        // Everything, and back.
        const std::string last = studio.document();
        const auto active =
            static_cast<std::size_t>(std::ranges::count(studio.history.steps(), false, &HistoryStep::undone));
        const auto all = studio.undo("author 0", active, {.of_all = true});
        ASSERT_TRUE(all) << "seed " << seed << ": " << all.error().sentence;
        EXPECT_EQ(studio.document(), first) << "seed " << seed;
        const auto redone = studio.redo("author 0", active, {.of_all = true});
        ASSERT_TRUE(redone) << "seed " << seed << ": " << redone.error().sentence;
        EXPECT_EQ(studio.document(), last) << "seed " << seed;
    }
    EXPECT_GT(undone, 10 * seeds);
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

TEST(HistorySound, AnEchoThatComesBackHasNoStepWhereItsNodeWasRemoved) {
    Studio studio;
    ASSERT_TRUE(studio.edit("ann", {AddNode{"constant", "one", {}, {{"value", 0.5F}}}, AddNode{"output", "out", {}, {}},
                                    AddNode{"delay_line", "echo", {}, {{"time_ms", 90.0F}}}, Connect{"one", "echo", {}},
                                    Connect{"echo", "out", {}}}));
    studio.offline.settle();
    studio.offline.render_blocks(100);
    const std::size_t begin = studio.offline.recorded[0].size();  // before, nothing fades
    for (int round = 0; round < 2; ++round) {
        ASSERT_TRUE(studio.edit("ann", {RemoveNode{"echo"}}));
        studio.offline.settle();
        ASSERT_TRUE(studio.undo("ann"));
        studio.offline.render_blocks(200);
        // With other settings, it is another node.
        ASSERT_TRUE(studio.edit("ann", {ChangeSettings{"echo", {{"max_time_ms", 200.0}}, {}}}));
        studio.offline.settle();
        ASSERT_TRUE(studio.undo("ann"));
        studio.offline.render_blocks(200);
    }
    const std::vector<float>& heard = studio.offline.recorded[0];
    EXPECT_GT(*std::ranges::max_element(heard), 0.49F);
    // Ramps of 480 frames, two of which may coincide.
    for (std::size_t i = begin; i < heard.size(); ++i)
        ASSERT_LE(std::abs(heard[i] - heard[i - 1]), 2.01F * 0.5F / 480.0F) << "frame " << i;
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
        a< response { id: 3 status { code: NOT_FOUND } }
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

TEST(HistoryRequests, TheStepsThatWereTheLatestOnesAreUndoneWhateverIsCommittedInTheMeantime) {
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
    EXPECT_TRUE(script.workers.jobs.empty()) << "the plan still fits";
    const auto undone = script.receive('a');
    ASSERT_TRUE(undone);
    ASSERT_EQ(undone->response().undo().steps_size(), 1) << undone->ShortDebugString();
    EXPECT_EQ(undone->response().undo().steps(0).number(), 1U);
    EXPECT_EQ(script.engine.graph().node_count(), 1U);
}

/// Client `a` adds nodes, and sets a gain.
void play_two_steps(Script& script) {
    script.play("hello a\nhello b\n" + test::tone() + R"(
        block
        a> id: 2 set_parameters { changes { node: "vol" parameter: "gain_db" value: -6 } }
        block
        a< response { id: 2 }
    )");
}

TEST(HistoryRequests, AnotherClientThatNeverStopsEditingDoesNotHoldUpAnUndo) {
    Script script;
    play_two_steps(script);
    script.workers.held = true;
    script.play("a> id: 3 undo { steps: 2 }\n");
    for (int i = 0; i < 40 && !script.workers.jobs.empty(); ++i) {
        const std::string id = std::to_string(10 + i);
        // Elsewhere, and on the same node.
        script.play("b> id: " + id + " apply_transaction { edits { edits { add_node { name: \"n" + id +
                    "\" type: \"sine\" } } } }\n");
        script.play("b> id: " + std::to_string(100 + i) +
                    " set_parameters { changes { node: \"vol\" parameter: \"mute\" value: " + std::to_string(i % 2) +
                    " } }\n");
        while (!script.workers.jobs.empty() && script.workers.jobs.size() > 1) script.workers.finish(1);
        script.workers.finish(0);
        for (int k = 0; k < 20; ++k) script.block();
    }
    const auto undone = script.receive('a');
    ASSERT_TRUE(undone);
    EXPECT_EQ(undone->response().status().code(), v1::OK) << undone->ShortDebugString();
    EXPECT_EQ(undone->response().undo().steps_size(), 2);
}

/// Client `a` undoes its latest step with `force`, while `b` sets these parameters whenever that has been planned. Returns how
/// many jobs that took; the answer must be a success.
int undo_while_parameters_are_set(Script& script, const std::string& changes) {
    script.workers.held = true;
    script.play("a> id: 3 undo { force: true }\n");
    int jobs = 0;
    for (; jobs < 40 && !script.workers.jobs.empty(); ++jobs) {
        script.play("b> id: " + std::to_string(100 + jobs) + " set_parameters { " + changes + " }\n");
        script.workers.finish(0);
        for (int k = 0; k < 20; ++k) script.block();
    }
    script.workers.held = false;
    const auto undone = script.receive('a');
    EXPECT_TRUE(undone && undone->response().status().code() == v1::OK) << sentence(undone);
    return jobs;
}

float parameter_of(const Script& script, const std::string& node, const std::string& parameter) {
    const auto place = script.engine.graph().find_parameter(node, parameter);
    return place ? script.engine.graph().find(place->node)->parameters[place->index] : -1e9F;
}

TEST(HistoryRequests, AnUndoWithForceIsNotPlannedAgainWhileOthersSetParameters) {
    Script script;
    script.play("hello a\nhello b\n" + test::tone() + R"(
        block
        a> id: 2 apply_transaction { edits { edits { set_parameter { node: "vol" parameter: "gain_db" value: -6 } } edits { set_parameter { node: "osc" parameter: "gain_db" value: -50 } } edits { add_node { name: "extra" type: "gain" } } } }
        block
        a< response { id: 2 }
    )");
    const std::string changes =
        "changes { node: 'vol' parameter: 'gain_db' value: -12 } changes { node: 'extra' parameter: 'gain_db' value: -1 }";
    EXPECT_EQ(undo_while_parameters_are_set(script, changes), 1);
    EXPECT_EQ(parameter_of(script, "vol", "gain_db"), -12.0F) << "what others set later stays";
    EXPECT_EQ(parameter_of(script, "osc", "gain_db"), -20.0F);
    EXPECT_EQ(script.engine.graph().find("extra"), nullptr) << "a value does not keep a node";
    // The history fits the graph.
    script.play("b> id: 5 undo { }\nblock\n");
    while (script.receive('b')) {
    }
    EXPECT_EQ(parameter_of(script, "vol", "gain_db"), 0.0F);
}

TEST(HistoryRequests, AParameterThatIsSetToTheValueItHasDoesNotHoldUpAnUndo) {
    Script script;
    play_two_steps(script);
    const std::string changes =
        "changes { node: 'vol' parameter: 'gain_db' value: -6 } changes { node: 'vol' parameter: 'invert' value: 1 }";
    EXPECT_EQ(undo_while_parameters_are_set(script, changes), 1);
    EXPECT_EQ(parameter_of(script, "vol", "gain_db"), 0.0F) << "as if it had been undone after the other request";
    EXPECT_EQ(parameter_of(script, "vol", "invert"), 1.0F);
}

TEST(HistoryRequests, AnEarlierStepThatIsAppliedAgainInTheMeantimeCounts) {
    Script script;
    script.connect('b', {.door = Entry::Door::unix_socket, .user_id = 7});
    script.play("hello a\n" + test::tone() + R"(
        b> id: 1 hello { protocol_version: 1 client_name: "b" }
        b< response { id: 1 hello { } }
        block
        b> id: 2 set_parameters { changes { node: "vol" parameter: "gain_db" value: -6 } }
        block
        b< response { id: 2 }
        a> id: 2 set_parameters { changes { node: "vol" parameter: "gain_db" value: -12 } }
        block
        a< response { id: 2 }
        b> id: 3 undo { }
        b< response { id: 3 undo { steps { number: 2 } } }
    )");
    EXPECT_EQ(parameter_of(script, "vol", "gain_db"), -12.0F);
    for (int k = 0; k < 20; ++k) script.block();
    script.workers.held = true;
    script.play("a> id: 3 undo { }\nb> id: 4 redo { }\n");
    ASSERT_EQ(script.workers.jobs.size(), 2U);
    script.workers.finish(1);
    script.workers.held = false;
    script.workers.finish(0);
    for (int k = 0; k < 20; ++k) script.block();
    script.play("b< response { id: 4 redo { } }\na< response { id: 3 undo { steps { number: 3 } } }\n");
    EXPECT_EQ(parameter_of(script, "vol", "gain_db"), -6.0F);
}

TEST(HistoryRequests, AnUndoOfManyNodesIsNotPlannedAgainWhileOthersSetParameters) {
    Script script;
    script.play("hello a\nhello b\n");
    v1::Request add;
    add.set_id(1);
    for (int i = 0; i < 300; ++i) {
        v1::Node& node = *add.mutable_apply_transaction()->mutable_edits()->add_edits()->mutable_add_node();
        node.set_name("n" + std::to_string(i));
        node.set_type("gain");
    }
    script.send('a', add);
    for (int k = 0; k < 50; ++k) script.block();
    ASSERT_EQ(script.receive('a')->response().status().code(), v1::OK);
    EXPECT_EQ(undo_while_parameters_are_set(script, R"(changes { node: "n7" parameter: "gain_db" value: -12 })"), 1);
    EXPECT_EQ(script.engine.graph().node_count(), 0U);
}

TEST(HistoryRequests, AStepOfMoreThanAMessageCanBeUndone) {
    Script script;
    script.play("hello a\nhello b\n");
    const std::string description(4'000, 'x');
    for (int part = 0; part < 3; ++part) {
        v1::Request add;
        add.set_id(static_cast<std::uint64_t>(part) + 1);
        for (int i = 0; i < 500; ++i) {
            v1::Node& node = *add.mutable_apply_transaction()->mutable_edits()->add_edits()->mutable_add_node();
            node.set_name("n" + std::to_string(500 * part + i));
            node.set_type("constant");
            node.set_description(description);
        }
        script.send('a', add);
        for (int k = 0; k < 50; ++k) script.block();
        ASSERT_EQ(script.receive('a')->response().status().code(), v1::OK);
    }
    script.play(R"(
        a> id: 4 apply_transaction { graph {} }
        a< response { id: 4 status { code: OK } }
        b> id: 1 subscribe { topics: TOPIC_CHANGES }
        b< response { id: 1 status { code: OK } }
    )");
    ASSERT_EQ(script.engine.graph().node_count(), 0U);
    for (int k = 0; k < 50; ++k) script.block();
    while (script.receive('b')) {
    }
    script.play("a> id: 5 undo {}\n");
    const auto undone = script.receive('a');
    ASSERT_TRUE(undone);
    EXPECT_EQ(undone->response().status().code(), v1::OK) << undone->response().status().message();
    EXPECT_EQ(script.engine.graph().node_count(), 1'500U);
    const auto changed = script.receive('b');
    ASSERT_TRUE(changed);
    ASSERT_EQ(changed->event().graph_changed().edits_size(), 1);
    EXPECT_EQ(changed->event().graph_changed().edits(0).edit_case(), v1::Edit::EDIT_NOT_SET)
        << "mirrors request the graph after an edit that they do not know";
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
