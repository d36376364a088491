// SPDX-License-Identifier: MIT
// Two authors edit, undo and apply again until rtad is killed; then the graph and the history must be what a model makes of
// the acknowledged requests, and of a part of those that were under way. RTA_KILLS sets the number of rounds.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/daemon.h"
#include "support/effort.h"
#include "support/temporary.h"

namespace rta::test {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kAuthors = 2;
/// Both authors set their levels. They are in the graph before all steps.
constexpr std::array<const char*, 2> kShared{"left", "right"};
constexpr const char* kFirstGraph =
    R"({"nodes": [{"name": "left", "type": "gain"}, {"name": "right", "type": "gain"}]})";

/// One change, by names. The nodes of an author are changed by no other author, so undo has no conflicts.
struct Change {
    enum class Kind : std::uint8_t { add, set, rename, remove };
    Kind kind;
    std::string node;
    std::string new_name{};
    float gain_db = 0.0F;
};

struct Ask {
    enum class Kind : std::uint8_t { edit, undo, redo };
    Kind kind = Kind::edit;
    std::vector<Change> changes{};

    [[nodiscard]] std::string text() const {
        if (kind == Kind::undo) return "undo";
        if (kind == Kind::redo) return "redo";
        std::string text = "edit";
        for (const Change& change : changes)
            text += " " + std::to_string(static_cast<int>(change.kind)) + ":" + change.node + ">" + change.new_name +
                    "=" + std::to_string(change.gain_db);
        return text;
    }
};

/// Steps in their order. The graph is what those that are not undone make of the first one.
class Model {
 public:
    struct Step {
        std::size_t author;
        std::vector<Change> changes;
        bool undone = false;
        std::uint64_t order = 0;  ///< of those that can be applied again: increases with each undo
    };

    void take(std::size_t author, const Ask& ask) {
        if (ask.kind == Ask::Kind::edit) {
            for (Step& step : steps_) {
                if (step.author == author) step.order = 0;
            }
            steps_.push_back({author, ask.changes});
        } else if (Step* const step = find(author, ask.kind == Ask::Kind::redo)) {
            step->undone = ask.kind == Ask::Kind::undo;
            step->order = step->undone ? ++latest_ : 0;
        }
    }
    /// Returns the step that an undo or redo of the author takes.
    [[nodiscard]] Step* find(std::size_t author, bool redo) {
        Step* found = nullptr;
        for (Step& step : steps_) {
            if (step.author != author || step.undone != redo || (redo && step.order == 0)) continue;
            if (!redo || found == nullptr || step.order > found->order) found = &step;
        }
        return found;
    }
    [[nodiscard]] std::map<std::string, float> gains() const {
        std::map<std::string, float> gains;
        for (const char* const node : kShared) gains[node] = 0.0F;
        for (const Step& step : steps_) {
            if (step.undone) continue;
            for (const Change& change : step.changes) {
                if (change.kind == Change::Kind::remove) {
                    gains.erase(change.node);
                } else if (change.kind == Change::Kind::rename) {
                    auto node = gains.extract(change.node);
                    node.key() = change.new_name;
                    gains.insert(std::move(node));
                } else {
                    gains[change.node] = change.gain_db;
                }
            }
        }
        return gains;
    }
    [[nodiscard]] const std::deque<Step>& steps() const { return steps_; }

 private:
    std::deque<Step> steps_;
    std::uint64_t latest_ = 0;
};

/// What rtad has.
struct Found {
    std::map<std::string, float> gains;
    std::vector<std::pair<std::size_t, bool>> steps;  ///< author, undone

    [[nodiscard]] bool is(const Model& model) const {
        return gains == model.gains() &&
               std::ranges::equal(steps, model.steps(), [](const auto& pair, const auto& step) {
                   return pair == std::pair{step.author, step.undone};
               });
    }
};

Found read(ProtocolClient& client) {
    Found found;
    const v1::GraphResult graph = client.graph();
    for (const v1::Node& node : graph.graph().nodes()) found.gains[node.name()] = node.parameters().at("gain_db");
    v1::Request request;
    request.mutable_get_history()->set_steps(1'000);
    const v1::Response response = client.call(request);
    for (const v1::HistoryStep& step : response.get_history().steps())
        found.steps.emplace_back(step.author() == "loopback" ? 1 : 0, step.undone());
    std::ranges::reverse(found.steps);
    return found;
}

v1::Request request_of(const Ask& ask) {
    v1::Request request;
    if (ask.kind == Ask::Kind::undo) request.mutable_undo();
    if (ask.kind == Ask::Kind::redo) request.mutable_redo();
    if (ask.kind != Ask::Kind::edit) return request;
    v1::EditList& edits = *request.mutable_apply_transaction()->mutable_edits();
    for (const Change& change : ask.changes) {
        if (change.kind == Change::Kind::add) {
            *edits.add_edits() = add_node("gain", change.node, {{"gain_db", change.gain_db}});
        } else if (change.kind == Change::Kind::set) {
            *edits.add_edits() = set_parameter(change.node, "gain_db", change.gain_db);
        } else if (change.kind == Change::Kind::remove) {
            *edits.add_edits() = remove_node(change.node);
        } else {
            v1::RenameNode& rename = *edits.add_edits()->mutable_rename_node();
            rename.set_name(change.node);
            rename.set_new_name(change.new_name);
        }
    }
    return request;
}

/// Returns a valid request of the author. `number` makes names unique.
Ask random_ask(Model& model, std::size_t author, std::size_t number, std::mt19937& random) {
    const auto roll = [&](std::size_t most) { return std::uniform_int_distribution<std::size_t>{0, most}(random); };
    const std::size_t kind = roll(9);
    if (kind < 3 && model.find(author, false) != nullptr) return {.kind = Ask::Kind::undo};
    if (kind < 5 && model.find(author, true) != nullptr) return {.kind = Ask::Kind::redo};
    const std::string prefix = author == 0 ? "a" : "b";
    const std::string name = prefix + std::to_string(number);
    // No two are equal: a transaction without an effect is not a step.
    const auto gain = -0.1F * static_cast<float>(number % 1'100) - (author == 0 ? 0.0F : 0.05F);
    std::vector<std::string> own;
    for (const auto& [node, value] : model.gains()) {
        if (node.starts_with(prefix)) own.push_back(node);
    }
    Ask ask{.changes = {{Change::Kind::set, kShared[roll(1)], {}, gain}}};
    if (kind == 9 || own.empty()) {
        ask.changes.push_back({Change::Kind::add, name, {}, gain});
    } else if (kind == 8) {
        ask.changes = {{Change::Kind::rename, own[roll(own.size() - 1)], name}};
    } else if (kind == 7) {
        ask.changes = {{Change::Kind::remove, own[roll(own.size() - 1)]}};
    } else if (kind == 6) {
        ask.changes.push_back({Change::Kind::set, own[roll(own.size() - 1)], {}, gain});
    }
    return ask;
}

/// Edits until rtad is gone, with two requests under way at any time.
class Author {
 public:
    struct Sent {
        Ask ask;
        std::uint64_t revision = 0;  ///< 0: not acknowledged
    };

    Author(ProtocolClient client, std::size_t author, Model model, std::size_t& number, unsigned seed)
        : client_{std::move(client)},
          author_{author},
          model_{std::move(model)},
          number_{number},
          random_{seed},
          thread_{[this] { run(); }} {}
    Author(const Author&) = delete;
    Author& operator=(const Author&) = delete;
    ~Author() {
        if (thread_.joinable()) thread_.join();
    }

    /// After rtad has exited.
    void join() { thread_.join(); }
    [[nodiscard]] const std::vector<Sent>& sent() const { return sent_; }
    [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
    void run() {
        try {
            for (std::size_t answered = 0;;) {
                Ask ask = random_ask(model_, author_, number_++, random_);
                model_.take(author_, ask);
                v1::Request request = request_of(ask);
                request.set_id(1'000 + sent_.size());
                sent_.push_back({std::move(ask)});
                client_.send(request);
                if (sent_.size() - answered == 2) receive(sent_[answered++]);
                if (!problem_.empty()) return;
            }
        } catch (const std::runtime_error&) {
            // rtad is gone.
        }
    }
    void receive(Sent& sent) {
        const v1::Response response = client_.receive_response();
        const bool durable = response.has_apply_transaction() ? response.apply_transaction().durable()
                             : response.has_undo()            ? response.undo().durable()
                                                              : response.redo().durable();
        if (response.status().code() != v1::OK || !durable)
            problem_ = sent.ask.text() + ": " + response.ShortDebugString();
        sent.revision = response.has_apply_transaction() ? response.apply_transaction().revision()
                        : response.has_undo()            ? response.undo().revision()
                                                         : response.redo().revision();
    }

    ProtocolClient client_;
    std::size_t author_;
    Model model_;  ///< other authors do not matter for what is valid
    std::size_t& number_;
    std::mt19937 random_;
    std::vector<Sent> sent_;
    std::string problem_;
    std::thread thread_;
};

/// Searches for an order of the requests in which the model becomes what was found: those that were acknowledged have
/// their revisions; each author's others come after these, and only the first of them may be missing.
class Search {
 public:
    Search(const Found& found, std::uint64_t revision, std::vector<std::vector<Author::Sent>> sent)
        : found_{found}, first_{revision + 1}, sent_{std::move(sent)} {
        for (const auto& list : sent_) {
            for (const Author::Sent& one : list) last_ = std::max(last_, one.revision);
        }
    }

    [[nodiscard]] std::optional<Model> find(const Model& model) { return find(model, first_, {}); }

 private:
    using Positions = std::array<std::size_t, kAuthors>;

    std::optional<Model> find(const Model& model, std::uint64_t revision, Positions next) {
        if (revision > last_ && found_.is(model)) return model;
        for (std::size_t author = 0; author < kAuthors; ++author) {
            if (next[author] == sent_[author].size()) continue;
            const Author::Sent& one = sent_[author][next[author]];
            if (one.revision != revision && (one.revision != 0 || is_known(revision))) continue;
            Model after = model;
            after.take(author, one.ask);
            Positions later = next;
            ++later[author];
            if (auto good = find(after, revision + 1, later)) return good;
        }
        return std::nullopt;
    }
    [[nodiscard]] bool is_known(std::uint64_t revision) const {
        return std::ranges::any_of(sent_, [&](const auto& list) {
            return std::ranges::any_of(list, [&](const Author::Sent& one) { return one.revision == revision; });
        });
    }

    const Found& found_;
    std::uint64_t first_;
    std::uint64_t last_ = 0;
    std::vector<std::vector<Author::Sent>> sent_;
};

std::string describe(const Model& model, const Found& found, const std::vector<std::vector<Author::Sent>>& sent) {
    std::string text = "before:";
    for (const auto& [name, gain] : model.gains()) text += " " + name + "=" + std::to_string(gain);
    text += "\nsteps:";
    for (const Model::Step& step : model.steps())
        text += " " + std::to_string(step.author) + (step.undone ? "u" : "") + (step.order != 0 ? "r" : "");
    text += "\nfound:";
    for (const auto& [name, gain] : found.gains) text += " " + name + "=" + std::to_string(gain);
    text += "\nsteps:";
    for (const auto& [author, undone] : found.steps) text += " " + std::to_string(author) + (undone ? "u" : "");
    for (std::size_t author = 0; author < kAuthors; ++author) {
        for (const Author::Sent& one : sent[author])
            text += "\n" + std::to_string(author) + " " + std::to_string(one.revision) + " " + one.ask.text();
    }
    return text;
}

int kills() {
    const char* const given = std::getenv("RTA_KILLS");
    return given == nullptr ? cases(30, 8) : std::atoi(given);
}

TEST(KillStorm, TwoAuthorsWhoUndoLoseNothingThatWasAcknowledged) {
    const TemporaryDirectory directory;
    const fs::path folder = directory / "state";
    const fs::path graph = directory / "first.json";
    write_text(graph, kFirstGraph);
    const Daemon::Options options{
        .arguments = {"--device", "null", "--state-dir", folder.string(), "--graph", graph.string()}};
    const char* const given_seed = std::getenv("RTA_SEED");
    std::mt19937 random{given_seed == nullptr ? 20'261'130U : static_cast<unsigned>(std::atoi(given_seed))};
    std::uniform_int_distribution<int> delay_us{0, 60'000};
    constexpr std::size_t kMostSteps = 800;  // fewer than the history keeps
    Model model;
    std::array<std::size_t, kAuthors> numbers{};
    std::size_t acknowledged = 0;
    std::size_t under_way = 0;
    auto daemon = std::make_unique<Daemon>(options);
    for (int kill = 0; kill < kills(); ++kill) {
        SCOPED_TRACE(kill);
        ProtocolClient client = daemon->client();
        const std::uint64_t revision = client.status().engine().revision();
        std::vector<std::vector<Author::Sent>> sent;
        {
            std::vector<std::unique_ptr<Author>> authors;
            for (std::size_t author = 0; author < kAuthors; ++author) {
                authors.push_back(std::make_unique<Author>(author == 0 ? daemon->client() : daemon->tcp_client(),
                                                           author, model, numbers[author], random()));
            }
            ::usleep(static_cast<useconds_t>(delay_us(random)));  // any time is right
            if (kill % 8 == 7) {
                EXPECT_EQ(daemon->stop(), (ExitStatus{0, 0}));
            } else {
                daemon->process().kill();
            }
            for (const auto& author : authors) {
                author->join();
                EXPECT_EQ(author->problem(), "");
                sent.push_back(author->sent());
                for (const Author::Sent& one : sent.back()) ++(one.revision == 0 ? under_way : acknowledged);
            }
        }
        daemon = std::make_unique<Daemon>(options);
        ProtocolClient after = daemon->client();
        const Found found = read(after);
        auto now = Search{found, revision, sent}.find(model);
        ASSERT_TRUE(now) << describe(model, found, sent) << "\n" << daemon->process().error();
        EXPECT_EQ(daemon->process().error().find("warning: the "), std::string::npos) << daemon->process().error();
        ASSERT_FALSE(testing::Test::HasFailure());
        model = std::move(*now);
        if (model.steps().size() < kMostSteps) continue;
        EXPECT_EQ(daemon->stop(), (ExitStatus{0, 0}));
        fs::remove_all(folder);
        model = {};
        daemon = std::make_unique<Daemon>(options);
    }
    EXPECT_GT(acknowledged, static_cast<std::size_t>(kills()));
    RecordProperty("acknowledged", static_cast<int>(acknowledged));
    RecordProperty("under_way", static_cast<int>(under_way));
    EXPECT_EQ(daemon->stop(), (ExitStatus{0, 0}));
}

}  // namespace
}  // namespace rta::test
