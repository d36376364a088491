// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/record.h"
#include "model/reference.h"

namespace rta::test::model {

/// An edit that waits for its confirmation.
struct Open {
    std::uint64_t id = 0;
    std::string author{};
    Graph target{};  ///< the graph after a revert
    History::Mark mark{};
    double opened_s = 0.0;
    double within_s = 0.0;
};

/// One content of a scene, from one save to the next. What it was saved from may be known to be one of several graphs
/// only.
struct SceneVersion {
    std::vector<Scene> candidates{};
    std::string author{};
};

/// The state of the reference after an event.
struct State {
    std::shared_ptr<const Graph> graph = std::make_shared<Graph>();
    std::uint64_t revision = 0;
    std::uint64_t latest_edit = 0;  ///< number of the latest change of the graph or of parameters
    std::shared_ptr<const History> history = std::make_shared<History>();
    std::shared_ptr<const Open> open{};
    std::map<std::string, std::shared_ptr<SceneVersion>> scenes{};
    std::set<std::uint64_t> pending{};
    bool muted = false;
    float volume_db = 0.0F;
};

/// Decides, in the order of the changes, what each request must have done, and whether each refusal is right.
class Judge {
 public:
    explicit Judge(const Record& record) : record_{record} {}

    /// Returns the first fault, with what led to it; nothing if there is none.
    [[nodiscard]] std::optional<std::string> find_fault();
    /// The states after each number, from 0 on.
    [[nodiscard]] const std::vector<State>& states() const { return states_; }

    struct Counts {
        std::size_t accepted = 0;
        std::size_t refused = 0;
        std::size_t reads = 0;
        std::size_t undone = 0;
        std::size_t recalled = 0;
        std::size_t scheduled = 0;
        std::size_t reverted = 0;
        std::size_t out_of_room = 0;  ///< refused because it had waited too long
    };
    [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
    void fail(std::uint64_t number, const std::string& what, const Exchange* exchange = nullptr);
    void replay();
    void take(std::uint64_t number);
    [[nodiscard]] std::string trace(std::uint64_t number) const;
    [[nodiscard]] const v1::Event& event(std::uint64_t number) const { return record_.events[number - 1].event; }
    [[nodiscard]] const State& before(std::uint64_t number) const { return states_[number - 1]; }

    void take_graph(std::uint64_t number, State& state);
    [[nodiscard]] bool is_before_revert(std::uint64_t number) const;
    [[nodiscard]] bool is_revert(std::uint64_t number) const;
    [[nodiscard]] bool is_recall_with_revert(std::uint64_t number) const;
    [[nodiscard]] bool begin_recall_with_revert(std::uint64_t number, State& state);
    void revert_history(const Open& open, const std::string& author, State& state);
    [[nodiscard]] std::optional<Graph> reported(std::uint64_t number);
    [[nodiscard]] std::vector<std::set<std::uint64_t>> choices(std::uint64_t number, const Exchange& exchange) const;
    [[nodiscard]] std::optional<std::set<std::uint64_t>> find_toggled(std::uint64_t number, const Exchange& exchange,
                                                                      const State& state);
    bool take_undo(std::uint64_t number, const Exchange& exchange, State& state);
    bool take_recall(std::uint64_t number, const std::string& name, std::uint64_t from, State& state,
                     std::string& reason);
    void check_reported_edits(std::uint64_t number, const State& state);
    void take_parameters(std::uint64_t number, State& state);
    void take_pending(std::uint64_t number, State& state);
    void take_confirmation(std::uint64_t number, State& state);
    void take_scene(std::uint64_t number, State& state);
    void take_heard(std::uint64_t number);
    void open(std::uint64_t number, std::uint32_t within_s, const std::string& author, State& state);
    [[nodiscard]] bool try_exchange(std::uint64_t number, std::size_t index, State& state, std::string& reason);
    [[nodiscard]] std::optional<std::size_t> unanswered(std::uint64_t number, const std::string& client_name,
                                                        auto fits);

    void judge_answers();
    void judge_refusal(const Exchange& exchange);
    void judge_read(const Exchange& exchange);
    [[nodiscard]] std::vector<Refusal> refusals(const Exchange& exchange, const State& state) const;
    [[nodiscard]] std::vector<Refusal> undo_refusals(const Exchange& exchange, const State& chosen_in,
                                                     const State& state) const;
    [[nodiscard]] std::vector<Refusal> recall_refusals(const Exchange& exchange, const State& state) const;
    void check_end();

    const Record& record_;
    std::vector<State> states_{};
    Identities identities_{};
    std::optional<std::string> fault_{};
    std::set<std::size_t> used_{};                                ///< exchanges whose effect was found
    std::map<std::uint64_t, std::size_t> by_revision_{};          ///< exchanges
    std::map<std::uint64_t, std::size_t> scheduled_{};            ///< exchanges by the id of the pending edit
    std::map<std::uint64_t, v1::PendingEdit> pending_{};          ///< by id
    std::map<std::uint64_t, std::uint64_t> pending_revisions_{};  ///< revision, id
    std::map<std::uint64_t, std::uint64_t> heard_{};              ///< revision, frame
    std::set<std::uint64_t> panics_{};                            ///< their frames
    Counts counts_{};
};

/// Return the steps as text, the latest first.
[[nodiscard]] std::string listing(const std::vector<Step>& steps, std::size_t count);
[[nodiscard]] std::string listing(const v1::HistoryResult& history);
/// Returns what each step has changed, the earliest first.
[[nodiscard]] std::string contents(const std::vector<Step>& steps);

}  // namespace rta::test::model
