// SPDX-License-Identifier: MIT
#include "model/judge.h"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <functional>
#include <ranges>
#include <utility>

namespace rta::test::model {
namespace {

constexpr std::uint32_t kMostSteps = 1'000;
constexpr std::uint32_t kLongestConfirmationS = 600;
constexpr float kLongestFadeMs = 600'000.0F;

bool has_result(const v1::Response& response) { return response.result_case() != v1::Response::RESULT_NOT_SET; }

/// Returns whether the request has taken effect, or has been answered with what it asked for.
bool accepted(const Exchange& exchange) {
    if (!exchange.response) return false;
    const v1::Code code = exchange.response->status().code();
    return code == v1::OK || (code == v1::DEADLINE_EXCEEDED && has_result(*exchange.response));
}

const v1::When* time_of(const v1::Request& request) {
    if (request.has_apply_transaction() && request.apply_transaction().has_at())
        return &request.apply_transaction().at();
    if (request.has_set_parameters() && request.set_parameters().has_at()) return &request.set_parameters().at();
    if (request.has_recall_scene() && request.recall_scene().has_at()) return &request.recall_scene().at();
    return nullptr;
}

const v1::PendingEdit* pending_of(const v1::Response& response) {
    if (response.apply_transaction().has_pending()) return &response.apply_transaction().pending();
    if (response.set_parameters().has_pending()) return &response.set_parameters().pending();
    if (response.recall_scene().transaction().has_pending()) return &response.recall_scene().transaction().pending();
    return nullptr;
}

/// Returns the revision that an immediate edit has made; 0: none.
std::uint64_t revision_of(const v1::Response& response) {
    if (pending_of(response) != nullptr) return 0;
    if (response.has_apply_transaction()) return response.apply_transaction().revision();
    if (response.has_undo()) return response.undo().revision();
    if (response.has_redo()) return response.redo().revision();
    if (response.has_recall_scene()) return response.recall_scene().transaction().revision();
    return 0;
}

std::optional<std::uint32_t> confirm_within_s(const v1::Request& request) {
    const auto of = [](const auto& message) {
        return message.has_confirm_within_s() ? std::optional{message.confirm_within_s()} : std::nullopt;
    };
    if (request.has_apply_transaction()) return of(request.apply_transaction());
    if (request.has_undo()) return of(request.undo());
    if (request.has_redo()) return of(request.redo());
    if (request.has_recall_scene()) return of(request.recall_scene());
    return std::nullopt;
}

const v1::Guard& guard_of(const v1::Request& request) {
    switch (request.request_case()) {
        case v1::Request::kApplyTransaction:
            return request.apply_transaction().guard();
        case v1::Request::kSetParameters:
            return request.set_parameters().guard();
        case v1::Request::kUndo:
            return request.undo().guard();
        case v1::Request::kRedo:
            return request.redo().guard();
        case v1::Request::kRecallScene:
            return request.recall_scene().guard();
        default:
            return request.check_graph().guard();
    }
}

/// `number`: of the state.
bool holds(const v1::Guard& guard, const State& state, std::uint64_t number) {
    if (guard.has_expected_revision() && guard.expected_revision() != state.revision) return false;
    if (!guard.has_expected_change()) return true;
    return state.latest_edit <= guard.expected_change() && guard.expected_change() <= number;
}

/// Returns whether an edit of the author is refused because another one waits for its confirmation.
bool is_locked(const State& state, const std::string& author, bool opens) {
    return state.open != nullptr && (opens || state.open->author != author);
}

bool is_valid(const Graph& graph) {
    // A graph is valid if it can be built.
    Identities identities;
    Content content;
    content.whole_graph = true;
    *content.edits.add_edits()->mutable_replace_graph() = message_of(graph);
    Graph built;
    return !check_alone(content) && !apply(built, content, identities);
}

/// Returns whether a step that is toggled changes a node that does not exist afterwards, which it does not remove itself.
bool lacks_a_node(const History& history, const std::set<std::uint64_t>& toggled, const Graph& result) {
    for (const Step& step : history.steps()) {
        if (!toggled.contains(step.number)) continue;
        for (const std::string& node : step.nodes()) {
            const Identity identity = std::strtoull(node.c_str(), nullptr, 10);
            if (!result.nodes.contains(identity) && !step.changes.contains(node)) return true;
        }
    }
    return false;
}

/// Returns whether steps cannot be undone, or applied again, without others.
bool is_impossible(const State& state, const std::set<std::uint64_t>& toggled) {
    const Graph result = state.history->toggled(*state.graph, toggled);
    return !is_valid(result) || lacks_a_node(*state.history, toggled, result);
}

template <class Message>
std::uint32_t steps_of(const Message& message) {
    return message.has_steps() ? message.steps() : 1;
}

struct UndoWish {
    bool redo;
    std::uint32_t steps;
    bool force;
    bool of_all;
};

UndoWish wish_of(const v1::Request& request) {
    if (request.has_redo()) return {true, steps_of(request.redo()), request.redo().force(), request.redo().of_all()};
    return {false, steps_of(request.undo()), request.undo().force(), request.undo().of_all()};
}

std::string shortened(std::string text) {
    constexpr std::size_t kMost = 400;
    if (text.size() > kMost) text = text.substr(0, kMost) + "...";
    return text;
}

std::string brief(const v1::Event& event) {
    v1::Event copy = event;
    copy.mutable_graph_changed()->clear_inverse();
    if (!event.has_graph_changed()) copy = event;
    return shortened(copy.ShortDebugString());
}

std::string brief(const v1::Response& response) {
    v1::Response copy = response;
    if (copy.has_get_graph()) copy.mutable_get_graph()->clear_document();
    return shortened(copy.ShortDebugString());
}

std::string text_of(const Refusal& refusal) {
    return v1::Code_Name(refusal.code) + (refusal.index ? " at edit " + std::to_string(*refusal.index) : "");
}

/// Returns whether the event reports exactly these changes, with the results of relative ones.
bool reports(const v1::ParametersChanged& event, const v1::SetParameters& changes, const Graph& before) {
    if (event.changes_size() != changes.changes_size()) return false;
    Graph graph = before;
    for (int i = 0; i < changes.changes_size(); ++i) {
        v1::SetParameters one;
        *one.add_changes() = changes.changes(i);
        if (apply(graph, one)) return false;
        v1::SetParameter expected = changes.changes(i);
        expected.clear_relative();
        const auto node = graph.find(expected.node());
        expected.set_value(graph.nodes.at(*node).parameters.at(expected.parameter()));
        const v1::SetParameter& reported = event.changes(i);
        if (reported.node() != expected.node() || reported.parameter() != expected.parameter() ||
            reported.value() != expected.value() || reported.has_ramp_ms() != expected.has_ramp_ms())
            return false;
    }
    return true;
}

}  // namespace

std::string listing(const std::vector<Step>& steps, std::size_t count) {
    std::string text;
    for (const Step& step : steps | std::views::reverse | std::views::take(count)) {
        text += std::to_string(step.number) + " revision " + std::to_string(step.revision) + " of " + step.author +
                " (" + step.client_name + ")" + (step.undone ? " undone by " + step.undone_by : "") + "\n";
    }
    return text;
}

std::string contents(const std::vector<Step>& steps) {
    std::string text;
    for (const Step& step : steps) {
        text += std::to_string(step.number) + " of " + step.author +
                (step.undone ? " undone by " + step.undone_by : "") + ":";
        for (const auto& [key, value] : step.changes) text += " [" + key + "]=" + value.value_or("none");
        text += "\n";
    }
    return text;
}

std::string listing(const v1::HistoryResult& history) {
    std::string text;
    for (const v1::HistoryStep& step : history.steps()) {
        text += std::to_string(step.number()) + " revision " + std::to_string(step.revision()) + " of " +
                step.author() + " (" + step.client_name() + ")" +
                (step.undone() ? " undone by " + step.undone_by() : "") + "\n";
    }
    return text;
}

// ---------------------------------------------------------------------------------------------------------------------
// Faults

std::string Judge::trace(std::uint64_t number) const {
    std::string text;
    const std::uint64_t first = number > 6 ? number - 6 : 1;
    for (std::uint64_t n = first; n <= std::min<std::uint64_t>(number + 2, record_.events.size()); ++n) {
        for (const Exchange& exchange : record_.exchanges) {
            if (exchange.after + 1 == n)
                text += "  " + exchange.client_name + "> " + shortened(exchange.request.ShortDebugString()) + "\n";
        }
        text += "  " + brief(event(n)) + "\n";
        for (const Exchange& exchange : record_.exchanges) {
            if (exchange.until == n && exchange.response)
                text += "  " + exchange.client_name + "< " + brief(*exchange.response) + "\n";
        }
    }
    return text;
}

void Judge::fail(std::uint64_t number, const std::string& what, const Exchange* exchange) {
    if (fault_) return;
    fault_ = "change " + std::to_string(number) + ": " + what + "\n";
    if (exchange != nullptr) {
        *fault_ += "request of " + exchange->client_name + " between " + std::to_string(exchange->after) + " and " +
                   std::to_string(exchange->until) + ": " + exchange->request.ShortDebugString() + "\n";
        if (exchange->response) *fault_ += "response: " + brief(*exchange->response) + "\n";
    }
    *fault_ += trace(number);
}

std::optional<std::string> Judge::find_fault() {
    for (std::size_t i = 0; i < record_.exchanges.size(); ++i) {
        const Exchange& exchange = record_.exchanges[i];
        if (!accepted(exchange)) continue;
        if (const v1::PendingEdit* const pending = pending_of(*exchange.response)) scheduled_[pending->id()] = i;
        if (const std::uint64_t revision = revision_of(*exchange.response)) by_revision_[revision] = i;
    }
    for (const Logged& logged : record_.events) {
        const v1::PendingChanged& changed = logged.event.pending_changed();
        if (changed.revision() != 0) pending_revisions_[changed.revision()] = changed.edit().id();
    }
    replay();
    if (!fault_) judge_answers();
    if (!fault_) check_end();
    return fault_;
}

void Judge::replay() {
    states_.resize(1);
    for (std::uint64_t number = 1; number <= record_.events.size() && !fault_; ++number) take(number);
}

void Judge::take(std::uint64_t number) {
    State state = before(number);
    const v1::Event& one = event(number);
    switch (one.event_case()) {
        case v1::Event::kGraphChanged:
            take_graph(number, state);
            break;
        case v1::Event::kParametersChanged:
            take_parameters(number, state);
            break;
        case v1::Event::kPendingChanged:
            take_pending(number, state);
            break;
        case v1::Event::kConfirmationChanged:
            take_confirmation(number, state);
            break;
        case v1::Event::kSceneChanged:
            take_scene(number, state);
            break;
        case v1::Event::kTransactionHeard:
            take_heard(number);
            break;
        case v1::Event::kOutputMuted:
            state.muted = one.output_muted().muted();
            break;
        case v1::Event::kOutputVolumeChanged:
            state.volume_db = one.output_volume_changed().volume_db();
            break;
        case v1::Event::kPanicked:
            panics_.insert(one.panicked().frame());
            break;
        case v1::Event::kNodeFaulted:
            fail(number, "a node is faulty");
            break;
        default:
            break;
    }
    states_.push_back(std::move(state));
}

// ---------------------------------------------------------------------------------------------------------------------
// Transactions

void Judge::take_graph(std::uint64_t number, State& state) {
    const v1::GraphChanged& changed = event(number).graph_changed();
    if (changed.revision() != state.revision + 1) return fail(number, "the revision is not the next one");
    state.revision = changed.revision();
    state.latest_edit = number;
    const auto pending = pending_revisions_.find(changed.revision());
    const auto known = by_revision_.find(changed.revision());
    const bool requested = pending != pending_revisions_.end() || known != by_revision_.end();
    if (is_recall_with_revert(number)) {
        if (!begin_recall_with_revert(number, state)) return;
    } else if (!requested && is_revert(number)) {
        state.graph = std::make_shared<Graph>(state.open->target);
        return check_reported_edits(number, state);
    }
    if (is_locked(state, changed.author(), false))
        return fail(number, "an edit was accepted although that of " + state.open->author + " waits");
    if (pending != pending_revisions_.end()) {
        const auto exchange = scheduled_.find(pending->second);
        if (exchange == scheduled_.end()) return fail(number, "a scheduled edit that was not accepted is committed");
        const Exchange& asked = record_.exchanges[exchange->second];
        if (state.pending.erase(pending->second) == 0)
            return fail(number, "a scheduled edit is committed again", &asked);
        std::string reason;
        if (!try_exchange(number, exchange->second, state, reason)) return fail(number, reason, &asked);
        ++counts_.scheduled;
    } else {
        std::string reason;
        if (known != by_revision_.end()) {
            const Exchange& asked = record_.exchanges[known->second];
            if (asked.client_name != changed.client_name() || asked.author != changed.author())
                return fail(number, "the author is another one", &asked);
            if (!(asked.after < number && number <= asked.until))
                return fail(number, "not between request and response", &asked);
            if (!used_.insert(known->second).second) return fail(number, "a second effect", &asked);
            if (!try_exchange(number, known->second, state, reason)) return fail(number, reason, &asked);
            if (const auto within_s = confirm_within_s(asked.request)) open(number, *within_s, asked.author, state);
        } else {
            // Of a client that has disconnected before the response.
            const auto fits = [&](std::size_t index) {
                State trial = state;
                return try_exchange(number, index, trial, reason);
            };
            const auto index = unanswered(number, changed.client_name(), fits);
            if (!index) return fail(number, "an edit that was not asked for " + reason);
            if (!try_exchange(number, *index, state, reason)) return fail(number, reason);
            const Exchange& asked = record_.exchanges[*index];
            if (const auto within_s = confirm_within_s(asked.request)) open(number, *within_s, asked.author, state);
        }
    }
    if (!fault_) check_reported_edits(number, state);
}

/// Returns the first request of this connection, of those that were not answered, that fits.
std::optional<std::size_t> Judge::unanswered(std::uint64_t number, const std::string& client_name, auto fits) {
    for (std::size_t i = 0; i < record_.exchanges.size(); ++i) {
        const Exchange& exchange = record_.exchanges[i];
        if (exchange.response || exchange.client_name != client_name || exchange.after >= number || used_.contains(i))
            continue;
        if (!fits(i)) continue;
        used_.insert(i);
        return i;
    }
    return std::nullopt;
}

bool Judge::try_exchange(std::uint64_t number, std::size_t index, State& state, std::string& reason) {
    const Exchange& exchange = record_.exchanges[index];
    const v1::Request& request = exchange.request;
    const bool scheduled = time_of(request) != nullptr;
    if (!scheduled && !holds(guard_of(request), before(number), number - 1)) {
        reason = "it was accepted although its guard does not hold";
        return false;
    }
    if (confirm_within_s(request) && before(number).open != nullptr) {
        reason = "it was accepted although another edit waits for its confirmation";
        return false;
    }
    if (is_recall_with_revert(number) && !request.recall_scene().force()) {
        reason = "it reverts an edit, but is not a recall with force";
        return false;
    }
    if (request.has_apply_transaction()) {
        Graph graph = *state.graph;
        const Content content = content_of(request.apply_transaction());
        auto wrong = check_alone(content);
        if (!wrong) wrong = apply(graph, content, identities_);
        if (wrong) {
            reason = "it was accepted, and must be refused: " + text_of(*wrong);
            return false;
        }
        auto history = std::make_shared<History>(*state.history);
        history->record(exchange.author, exchange.client_name, state.revision, *state.graph, graph);
        state.history = std::move(history);
        state.graph = std::make_shared<Graph>(std::move(graph));
        ++counts_.accepted;
        return true;
    }
    if (request.has_undo() || request.has_redo()) return take_undo(number, exchange, state);
    if (request.has_recall_scene()) {
        const auto base = state.graph;
        if (!take_recall(number, request.recall_scene().name(), exchange.after, state, reason)) return false;
        auto history = std::make_shared<History>(*state.history);
        history->record(exchange.author, exchange.client_name, state.revision, *base, *state.graph);
        state.history = std::move(history);
        ++counts_.recalled;
        return true;
    }
    reason = "it does not change the graph";
    return false;
}

void Judge::open(std::uint64_t number, std::uint32_t within_s, const std::string& author, State& state) {
    if (number == record_.events.size() ||
        event(number + 1).confirmation_changed().what() != v1::ConfirmationChanged::OPENED)
        return fail(number, "an edit that must be confirmed does not wait");
    const State& last = before(number);
    state.open = std::make_shared<Open>(Open{.id = event(number + 1).confirmation_changed().confirmation().id(),
                                             .author = author,
                                             .target = *last.graph,
                                             .mark = last.history->mark(),
                                             .opened_s = record_.events[number - 1].time_s,
                                             .within_s = static_cast<double>(within_s)});
}

/// Returns whether an edit was reverted right after this change.
bool Judge::is_before_revert(std::uint64_t number) const {
    return number < record_.events.size() &&
           event(number + 1).confirmation_changed().what() == v1::ConfirmationChanged::REVERTED;
}

/// Returns whether a change of the graph that was not requested is a revert. A revert that changes nothing has no change of
/// the graph: then the one before it is an edit.
bool Judge::is_revert(std::uint64_t number) const {
    const std::shared_ptr<const Open>& open = before(number).open;
    return is_before_revert(number) && open != nullptr && !(*before(number).graph == open->target);
}

/// Returns whether a change of the graph is a recall that reverts the edit that waits: both are one change.
bool Judge::is_recall_with_revert(std::uint64_t number) const {
    if (!is_before_revert(number) || number + 2 > record_.events.size()) return false;
    const v1::SceneChanged& recalled = event(number + 2).scene_changed();
    return recalled.what() == v1::SceneChanged::RECALLED &&
           recalled.revision() == event(number).graph_changed().revision();
}

/// The recall begins where the revert ends.
bool Judge::begin_recall_with_revert(std::uint64_t number, State& state) {
    const auto open = std::exchange(state.open, nullptr);
    const v1::ConfirmationChanged& reverted = event(number + 1).confirmation_changed();
    const std::string& author = event(number).graph_changed().author();
    if (open == nullptr || open->id != reverted.confirmation().id() || reverted.author() != author) {
        fail(number, "a recall reverts another edit than the one that waits");
        return false;
    }
    state.graph = std::make_shared<Graph>(open->target);
    revert_history(*open, author, state);
    return true;
}

void Judge::revert_history(const Open& open, const std::string& author, State& state) {
    auto history = std::make_shared<History>(*state.history);
    history->revert(open.mark, author);
    state.history = std::move(history);
    ++counts_.reverted;
}

/// Returns the graph after the edits of an event; nothing if they do not apply.
std::optional<Graph> Judge::reported(std::uint64_t number) {
    Graph graph = *before(number).graph;
    Content content;
    *content.edits.mutable_edits() = event(number).graph_changed().edits();
    if (apply(graph, content, identities_)) return std::nullopt;
    return graph;
}

/// Returns the sets of steps that the request may have meant, by the states in which they may have been chosen.
std::vector<std::set<std::uint64_t>> Judge::choices(std::uint64_t number, const Exchange& exchange) const {
    const UndoWish wish = wish_of(exchange.request);
    std::vector<std::set<std::uint64_t>> found;
    const auto add = [&](std::set<std::uint64_t> chosen) {
        if (std::ranges::find(found, chosen) == found.end()) found.push_back(std::move(chosen));
    };
    for (std::uint64_t n = exchange.after; n < number; ++n) {
        const auto all = History::candidates(states_[n].history->states(), wish.redo, exchange.author, wish.of_all);
        if (all.size() < wish.steps) continue;
        add({all.begin(), all.begin() + static_cast<std::ptrdiff_t>(wish.steps)});
        // Steps that can never be applied again are passed over.
        for (std::size_t i = 0; wish.redo && wish.steps == 1 && i + 1 < all.size(); ++i) {
            if (!is_impossible(states_[n], {all[i]})) break;
            add({all[i + 1]});
        }
    }
    return found;
}

/// Finds what a client has undone that has disconnected before the response: what it asked for and, with force, what was in
/// the way or needed, so that it leads to what the event reports.
std::optional<std::set<std::uint64_t>> Judge::find_toggled(std::uint64_t number, const Exchange& exchange,
                                                           const State& state) {
    constexpr std::size_t kMostTries = 300;
    const auto result = reported(number);
    if (!result) return std::nullopt;
    const std::string expected = text_of(*result);
    const bool force = wish_of(exchange.request).force;
    const History& history = *state.history;
    std::set<std::set<std::uint64_t>> seen;
    std::deque<std::set<std::uint64_t>> tries;
    const auto add = [&](std::set<std::uint64_t> toggled) {
        if (force) toggled = history.with_what_is_in_the_way(std::move(toggled));
        if (seen.insert(toggled).second) tries.push_back(std::move(toggled));
    };
    for (const auto& chosen : choices(number, exchange)) add(chosen);
    for (std::size_t i = 0; i < kMostTries && !tries.empty(); ++i) {
        const std::set<std::uint64_t> toggled = tries.front();
        tries.pop_front();
        if (!history.collides(toggled) && text_of(history.toggled(*state.graph, toggled)) == expected) return toggled;
        if (!force) continue;
        for (const Step& step : history.steps() | std::views::reverse) {
            std::set<std::uint64_t> more = toggled;
            if (more.insert(step.number).second) add(std::move(more));
        }
    }
    return std::nullopt;
}

bool Judge::take_undo(std::uint64_t number, const Exchange& exchange, State& state) {
    std::vector<std::uint64_t> undone;
    std::vector<std::uint64_t> redone;
    std::set<std::uint64_t> toggled;
    if (exchange.response) {
        const bool redo = exchange.request.has_redo();
        const v1::UndoResult& result = redo ? exchange.response->redo() : exchange.response->undo();
        for (const v1::HistoryStep& step : result.steps()) (step.undone() ? undone : redone).push_back(step.number());
        toggled.insert(undone.begin(), undone.end());
        toggled.insert(redone.begin(), redone.end());
        const auto all = choices(number, exchange);
        const bool chosen_well = std::ranges::any_of(all, [&](const std::set<std::uint64_t>& chosen) {
            return wish_of(exchange.request).force ? std::ranges::includes(toggled, chosen) : toggled == chosen;
        });
        if (!chosen_well) {
            fail(number, all.empty() ? "there are not as many steps" : "other steps than the latest ones are undone",
                 &exchange);
            return true;
        }
    } else {
        const auto found = find_toggled(number, exchange, state);
        if (!found) return false;
        toggled = *found;
        for (const Step& step : state.history->steps()) {
            if (toggled.contains(step.number)) (step.undone ? redone : undone).push_back(step.number);
        }
        std::ranges::reverse(undone);  // the latest first
    }
    const auto is = [&](std::uint64_t step, bool is_undone) {
        return std::ranges::any_of(state.history->steps(),
                                   [&](const Step& one) { return one.number == step && one.undone == is_undone; });
    };
    if (!std::ranges::all_of(undone, [&](std::uint64_t step) { return is(step, false); }) ||
        !std::ranges::all_of(redone, [&](std::uint64_t step) { return is(step, true); })) {
        fail(number, "a step is undone, or applied again, twice", &exchange);
        return true;
    }
    if (state.history->collides(toggled)) {
        fail(number, "a later step has changed the same nodes or connections", &exchange);
        return true;
    }
    auto history = std::make_shared<History>(*state.history);
    Graph graph = history->toggled(*state.graph, toggled);
    if (!is_valid(graph)) fail(number, "the graph after it is invalid:\n" + text_of(graph), &exchange);
    history->toggle(undone, redone, exchange.author);
    state.history = std::move(history);
    state.graph = std::make_shared<Graph>(std::move(graph));
    ++counts_.undone;
    return true;
}

/// The scene is one that existed since `from`; its content may not be known exactly.
bool Judge::take_recall(std::uint64_t number, const std::string& name, std::uint64_t from, State& state,
                        std::string& reason) {
    std::vector<std::shared_ptr<SceneVersion>> versions;
    for (std::uint64_t n = number; n-- > from;) {
        const auto known = states_[n].scenes.find(name);
        if (known == states_[n].scenes.end() || std::ranges::find(versions, known->second) != versions.end()) continue;
        versions.push_back(known->second);
    }
    // What the event says, to know which candidate it is.
    const auto told = reported(number);
    if (!told) {
        reason = "the edits of the event do not apply";
        return false;
    }
    for (const auto& version : versions) {
        std::vector<Scene> fitting;
        std::optional<Graph> result;
        for (const Scene& scene : version->candidates) {
            Graph graph = *state.graph;
            if (recall(graph, scene, identities_) || text_of(graph) != text_of(*told)) continue;
            fitting.push_back(scene);
            result = std::move(graph);
        }
        if (!result) continue;
        version->candidates = std::move(fitting);
        state.graph = std::make_shared<Graph>(std::move(*result));
        return true;
    }
    reason = "the recall does not lead to the scene, but to\n" + text_of(*told);
    if (!versions.empty()) reason += "expected\n" + text_of(versions.front()->candidates.front().graph);
    return false;
}

/// The edits and the inverse in the event must say the same.
void Judge::check_reported_edits(std::uint64_t number, const State& state) {
    const v1::GraphChanged& changed = event(number).graph_changed();
    const auto check = [&](const auto& edits, const Graph& from, const Graph& to, const std::string& what) {
        Graph graph = from;
        Content content;
        *content.edits.mutable_edits() = edits;
        const auto wrong = apply(graph, content, identities_);
        if (wrong) return fail(number, what + " do not apply: " + text_of(*wrong));
        if (text_of(graph) != text_of(to))
            fail(number, what + " lead to\n" + text_of(graph) + "expected\n" + text_of(to));
    };
    check(changed.edits(), *before(number).graph, *state.graph, "the edits of the event");
    check(changed.inverse(), *state.graph, *before(number).graph, "the inverse edits of the event");
}

void Judge::take_heard(std::uint64_t number) {
    const v1::TransactionHeard& heard = event(number).transaction_heard();
    if (!heard_.emplace(heard.revision(), heard.frame()).second) fail(number, "a transaction is heard twice");
    if (heard.revision() > before(number).revision) fail(number, "a transaction is heard before it is committed");
    const auto pending = pending_revisions_.find(heard.revision());
    if (pending == pending_revisions_.end()) return;
    const auto edit = pending_.find(pending->second);
    const bool is_early = edit != pending_.end() && heard.frame() + record_.block_frames <= edit->second.frame();
    // What waits takes effect together with a panic.
    if (is_early && !panics_.contains(heard.frame()))
        fail(number, "a scheduled transaction is heard before its frame, " + std::to_string(edit->second.frame()));
}

// ---------------------------------------------------------------------------------------------------------------------
// Parameters

void Judge::take_parameters(std::uint64_t number, State& state) {
    const v1::ParametersChanged& changed = event(number).parameters_changed();
    if (changed.revision() != state.revision) return fail(number, "parameters must not change the revision");
    state.latest_edit = number;
    const auto takes = [&](const Exchange& exchange) {
        return exchange.client_name == changed.client_name() && exchange.request.has_set_parameters() &&
               reports(changed, exchange.request.set_parameters(), *state.graph);
    };
    std::optional<std::size_t> found;
    for (std::size_t i = 0; i < record_.exchanges.size() && !found; ++i) {
        const Exchange& one = record_.exchanges[i];
        if (used_.contains(i) || !accepted(one) || time_of(one.request) != nullptr || !takes(one)) continue;
        if (one.after < number && number <= one.until) found = i;
    }
    if (found) {
        used_.insert(*found);
        if (!holds(guard_of(record_.exchanges[*found].request), before(number), number - 1))
            return fail(number, "accepted although its guard does not hold", &record_.exchanges[*found]);
    }
    for (auto pending = state.pending.begin(); pending != state.pending.end() && !found; ++pending) {
        const auto exchange = scheduled_.find(*pending);
        if (exchange == scheduled_.end() || !takes(record_.exchanges[exchange->second])) continue;
        found = exchange->second;
        state.pending.erase(pending);
        ++counts_.scheduled;
        break;
    }
    if (!found) {
        const auto fits = [&](std::size_t i) {
            return time_of(record_.exchanges[i].request) == nullptr && takes(record_.exchanges[i]);
        };
        found = unanswered(number, changed.client_name(), fits);
    }
    if (!found) return fail(number, "a change of parameters that was not asked for");
    const Exchange& exchange = record_.exchanges[*found];
    if (exchange.author != changed.author()) return fail(number, "the author is another one", &exchange);
    const v1::SetParameters& changes = exchange.request.set_parameters();
    Graph graph = *state.graph;
    if (const auto wrong = apply(graph, changes))
        return fail(number, "accepted, and must be refused: " + text_of(*wrong), &exchange);
    for (int i = 0; i < changed.changes_size(); ++i) {
        const v1::SetParameter& change = changed.changes(i);
        const Node& node = state.graph->nodes.at(*state.graph->find(change.node()));
        if (changed.previous_size() != changed.changes_size() ||
            changed.previous(i) != node.parameters.at(change.parameter()))
            return fail(number, "the previous values are wrong", &exchange);
    }
    auto history = std::make_shared<History>(*state.history);
    history->record(exchange.author, exchange.client_name, state.revision, record_.events[number - 1].time_s, changes,
                    *state.graph, graph);
    state.history = std::move(history);
    if (state.open != nullptr) {
        // They stay after a revert, where they still exist.
        auto open = std::make_shared<Open>(*state.open);
        Graph kept = open->target;
        for (const v1::SetParameter& change : changed.changes()) {
            const Identity identity = *graph.find(change.node());
            const auto node = kept.nodes.find(identity);
            if (node == kept.nodes.end()) continue;
            const auto ranges = parameters_of(node->second.type, node->second.settings);
            const auto range = ranges.find(change.parameter());
            v1::SetParameter value;
            value.set_value(change.value());
            if (range == ranges.end() || !value_after(range->second, 0.0F, value)) continue;
            node->second.parameters[change.parameter()] = change.value();
        }
        for (auto& [identity, node] : open->target.nodes) {
            if (fit_together(kept.nodes.at(identity))) node = kept.nodes.at(identity);
        }
        state.open = std::move(open);
    }
    state.graph = std::make_shared<Graph>(std::move(graph));
    ++counts_.accepted;
}

// ---------------------------------------------------------------------------------------------------------------------
// Schedules, confirmations, scenes

void Judge::take_pending(std::uint64_t number, State& state) {
    const v1::PendingChanged& changed = event(number).pending_changed();
    const std::uint64_t id = changed.edit().id();
    switch (changed.what()) {
        case v1::PendingChanged::ADDED:
            if (!scheduled_.contains(id)) {
                const auto index = unanswered(number, changed.edit().client_name(), [&](std::size_t i) {
                    return time_of(record_.exchanges[i].request) != nullptr;
                });
                if (!index) return fail(number, "an edit waits that was not asked for");
                scheduled_[id] = *index;
            }
            if (!pending_.emplace(id, changed.edit()).second) return fail(number, "the id was used before");
            state.pending.insert(id);
            return;
        case v1::PendingChanged::CANCELLED:
        case v1::PendingChanged::FAILED: {
            if (state.pending.erase(id) == 0) return fail(number, "an edit ends that does not wait");
            if (changed.what() == v1::PendingChanged::CANCELLED) return;
            const Exchange& exchange = record_.exchanges[scheduled_.at(id)];
            // It has been planned a short time before.
            const std::uint64_t first = number > 24 ? number - 24 : 0;
            for (std::uint64_t n = number; n-- > first;) {
                const auto& one = states_[n];
                std::vector<Refusal> all = refusals(exchange, one);
                if (is_locked(one, exchange.author, false)) all.push_back({v1::FAILED_PRECONDITION});
                if (std::ranges::any_of(all, [&](const Refusal& r) { return r.code == changed.error().code(); }))
                    return;
            }
            return fail(number, "a scheduled edit fails without a reason", &exchange);
        }
        case v1::PendingChanged::COMMITTED:
        case v1::PendingChanged::LATE: {
            if (!pending_.contains(id) || state.pending.contains(id))
                return fail(number, "a scheduled edit is reported that has had no effect");
            const std::uint64_t block = changed.edit().frame() / record_.block_frames * record_.block_frames;
            if (changed.revision() == 0) return;
            const auto heard = heard_.find(changed.revision());
            if (heard == heard_.end()) return fail(number, "it is reported before it is heard");
            if (heard->second > block + changed.late_frames()) fail(number, "it is later than it says");
            return;
        }
        default:
            return fail(number, "unknown");
    }
}

void Judge::take_confirmation(std::uint64_t number, State& state) {
    const v1::ConfirmationChanged& changed = event(number).confirmation_changed();
    if (event(number - 1).has_graph_changed() && is_recall_with_revert(number - 1)) return;  // the recall contains it
    if (state.open == nullptr || state.open->id != changed.confirmation().id())
        return fail(number, "it does not wait for its confirmation");
    switch (changed.what()) {
        case v1::ConfirmationChanged::OPENED:
            if (record_.events[number - 1].time_s != state.open->opened_s) fail(number, "it waits later");
            return;
        case v1::ConfirmationChanged::CONFIRMED:
            state.open.reset();
            return;
        case v1::ConfirmationChanged::REVERTED: {
            const auto open = std::exchange(state.open, nullptr);
            if (!(*state.graph == open->target)) return fail(number, "the revert leads to another graph");
            const bool expired = changed.author().empty();
            if (expired && record_.events[number - 1].time_s < open->opened_s + open->within_s)
                return fail(number, "it is reverted before its time has passed");
            return revert_history(*open, expired ? open->author : changed.author(), state);
        }
        default:
            return fail(number, "a revert has failed");
    }
}

void Judge::take_scene(std::uint64_t number, State& state) {
    const v1::SceneChanged& changed = event(number).scene_changed();
    const std::string& name = changed.scene().name();
    if (changed.what() == v1::SceneChanged::RECALLED) return;  // a GraphChanged precedes it
    const auto fits = [&](const Exchange& exchange) {
        const v1::Request& request = exchange.request;
        if (exchange.client_name != changed.client_name() || exchange.after >= number) return false;
        switch (changed.what()) {
            case v1::SceneChanged::SAVED:
                return request.has_save_scene() && request.save_scene().name() == name;
            case v1::SceneChanged::RENAMED:
                return request.has_rename_scene() && request.rename_scene().new_name() == name &&
                       request.rename_scene().name() == changed.old_name();
            default:
                return request.has_remove_scene() && request.remove_scene().name() == name;
        }
    };
    std::optional<std::size_t> found;
    for (std::size_t i = 0; i < record_.exchanges.size() && !found; ++i) {
        const Exchange& one = record_.exchanges[i];
        const bool open = !one.response || (accepted(one) && number <= one.until);
        if (open && !used_.contains(i) && fits(one)) found = i;
    }
    if (!found) return fail(number, "a change of scenes that was not asked for");
    used_.insert(*found);
    const Exchange& exchange = record_.exchanges[*found];
    if (changed.what() == v1::SceneChanged::REMOVED) {
        if (state.scenes.erase(name) == 0) fail(number, "a scene is removed that does not exist", &exchange);
        return;
    }
    if (changed.what() == v1::SceneChanged::RENAMED) {
        auto scene = state.scenes.extract(changed.old_name());
        if (scene.empty() || state.scenes.contains(name)) return fail(number, "a wrong rename", &exchange);
        scene.key() = name;
        state.scenes.insert(std::move(scene));
        return;
    }
    auto version = std::make_shared<SceneVersion>();
    version->author = exchange.author;
    const auto& nodes = exchange.request.save_scene().nodes();
    for (std::uint64_t n = exchange.after; n < number; ++n) {
        auto scene = save(*states_[n].graph, {nodes.begin(), nodes.end()});
        if (!scene || scene->graph.nodes.size() != changed.scene().node_count()) continue;
        if (std::ranges::find(version->candidates, *scene) == version->candidates.end())
            version->candidates.push_back(std::move(*scene));
    }
    if (version->candidates.empty()) return fail(number, "a scene is saved that no graph was", &exchange);
    state.scenes[name] = std::move(version);
}

// ---------------------------------------------------------------------------------------------------------------------
// Answers

void Judge::judge_answers() {
    for (std::size_t i = 0; i < record_.exchanges.size() && !fault_; ++i) {
        const Exchange& exchange = record_.exchanges[i];
        if (!exchange.response) continue;
        if (!accepted(exchange)) {
            judge_refusal(exchange);
            ++counts_.refused;
            continue;
        }
        const v1::Request& request = exchange.request;
        const bool edits = request.has_apply_transaction() || request.has_set_parameters() || request.has_undo() ||
                           request.has_redo() || request.has_recall_scene() || request.has_save_scene() ||
                           request.has_rename_scene() || request.has_remove_scene();
        if (edits && time_of(request) == nullptr && !used_.contains(i))
            return fail(exchange.until, "accepted without an effect", &exchange);
        if (const v1::PendingEdit* const pending = pending_of(*exchange.response)) {
            if (!pending_.contains(pending->id()))
                return fail(exchange.until, "accepted, and does not wait", &exchange);
        }
        judge_read(exchange);
    }
}

void Judge::judge_read(const Exchange& exchange) {
    const v1::Response& response = *exchange.response;
    const auto in_window = [&](auto matches) {
        for (std::uint64_t n = exchange.after; n <= exchange.until; ++n) {
            if (matches(states_[n])) return true;
        }
        return false;
    };
    if (response.has_get_graph()) {
        ++counts_.reads;
        const v1::GraphResult& read = response.get_graph();
        if (read.change_number() >= states_.size())
            return fail(exchange.until, "a change that does not exist", &exchange);
        const State& state = states_[read.change_number()];
        if (read.change_number() < exchange.after || read.revision() != state.revision ||
            text_of(read.graph()) != text_of(*state.graph))
            fail(exchange.until, "another graph than\n" + text_of(*state.graph) + "is\n" + text_of(read.graph()),
                 &exchange);
    } else if (response.has_check_graph()) {
        ++counts_.reads;
        const v1::CheckResult& read = response.check_graph();
        const State& state = states_[read.change_number()];
        Graph graph = *state.graph;
        const Content content = content_of(exchange.request.check_graph());
        if (read.revision() != state.revision || check_alone(content) || apply(graph, content, identities_))
            return fail(exchange.until, "the check accepts what must be refused", &exchange);
        if (text_of(read.graph()) != text_of(graph))
            return fail(exchange.until, "the check leads to another graph than\n" + text_of(graph), &exchange);
        Content diff;
        *diff.edits.mutable_edits() = read.diff();
        Graph changed = *state.graph;
        if (apply(changed, diff, identities_) || text_of(changed) != text_of(graph))
            fail(exchange.until, "the difference leads to\n" + text_of(changed) + "expected\n" + text_of(graph),
                 &exchange);
    } else if (response.has_get_history()) {
        ++counts_.reads;
        const std::size_t count =
            exchange.request.get_history().has_steps() ? exchange.request.get_history().steps() : 20;
        const std::string read = listing(response.get_history());
        if (!in_window([&](const State& state) { return listing(state.history->steps(), count) == read; }))
            fail(exchange.until,
                 "another history:\n" + read + "expected\n" + listing(states_[exchange.until].history->steps(), count),
                 &exchange);
    } else if (response.has_list_pending()) {
        ++counts_.reads;
        std::set<std::uint64_t> read;
        for (const v1::PendingEdit& edit : response.list_pending().edits()) read.insert(edit.id());
        if (!in_window([&](const State& state) { return state.pending == read; }))
            fail(exchange.until, "other edits wait", &exchange);
    } else if (response.has_list_scenes()) {
        ++counts_.reads;
        std::set<std::string> read;
        for (const v1::SceneInfo& scene : response.list_scenes().scenes()) read.insert(scene.name());
        const auto same = [&](const State& state) {
            const auto names = std::views::keys(state.scenes);
            return std::ranges::equal(names, read);
        };
        if (!in_window(same)) fail(exchange.until, "there are other scenes", &exchange);
    } else if (response.has_get_scene() && exchange.request.get_scene().with_graph()) {
        ++counts_.reads;
        const std::string read = text_of(response.get_scene().graph());
        const auto same = [&](const State& state) {
            const auto scene = state.scenes.find(exchange.request.get_scene().name());
            return scene != state.scenes.end() && std::ranges::any_of(scene->second->candidates, [&](const Scene& one) {
                       return text_of(one.graph) == read;
                   });
        };
        if (!in_window(same)) fail(exchange.until, "the scene has another graph:\n" + read, &exchange);
    }
}

void Judge::judge_refusal(const Exchange& exchange) {
    const v1::Status& status = exchange.response->status();
    const std::string& message = status.message();
    if (status.code() == v1::RESOURCE_EXHAUSTED && message.find("timeout_ms") != std::string::npos) {
        ++counts_.out_of_room;
        return;
    }
    const bool meets_another = message.find("is being") != std::string::npos;
    std::string expected;
    for (std::uint64_t n = exchange.after; n <= exchange.until; ++n) {
        const State& state = states_[n];
        if (status.code() == v1::FAILED_PRECONDITION && meets_another && state.open != nullptr) return;
        if (status.code() == v1::ABORTED && status.has_conflict()) {
            if (!holds(guard_of(exchange.request), state, n)) return;
            continue;
        }
        for (const Refusal& refusal : refusals(exchange, state)) {
            const bool same_edit = !refusal.index || !status.has_edit_index() || *refusal.index == status.edit_index();
            if (refusal.code == status.code() && same_edit) return;
            expected = text_of(refusal);
        }
        if (!exchange.request.has_undo() && !exchange.request.has_redo()) continue;
        for (std::uint64_t earlier = exchange.after; earlier < n; ++earlier) {
            const auto all = undo_refusals(exchange, states_[earlier], state);
            if (std::ranges::any_of(all, [&](const Refusal& one) { return one.code == status.code(); })) return;
        }
    }
    std::string steps;
    if (exchange.request.has_undo() || exchange.request.has_redo())
        steps = contents(states_[exchange.until].history->steps());
    fail(exchange.until, "refused without a reason" + (expected.empty() ? "" : "; expected " + expected) + "\n" + steps,
         &exchange);
}

/// The steps are chosen in one state, perhaps before the one in which they are refused.
std::vector<Refusal> Judge::undo_refusals(const Exchange& exchange, const State& chosen_in, const State& state) const {
    const UndoWish wish = wish_of(exchange.request);
    if (wish.steps < 1 || wish.steps > kMostSteps) return {{v1::INVALID_ARGUMENT}};
    const auto all = History::candidates(chosen_in.history->states(), wish.redo, exchange.author, wish.of_all);
    if (all.size() < wish.steps) return {{v1::NOT_FOUND}};
    const std::set<std::uint64_t> chosen{all.begin(), all.begin() + static_cast<std::ptrdiff_t>(wish.steps)};
    std::vector<Refusal> found;
    const bool impossible = is_impossible(state, chosen);
    if (impossible || (!wish.force && state.history->collides(chosen))) found.push_back({v1::FAILED_PRECONDITION});
    // Steps that can never be applied again are passed over.
    if (wish.redo && wish.steps == 1 && impossible) {
        bool none = true;
        for (const std::uint64_t step : all) {
            none = none && is_impossible(state, {step});
            if (state.history->collides({step})) found.push_back({v1::FAILED_PRECONDITION});
        }
        if (none) found.push_back({v1::NOT_FOUND});
    }
    return found;
}

std::vector<Refusal> Judge::recall_refusals(const Exchange& exchange, const State& state) const {
    const v1::RecallScene& wanted = exchange.request.recall_scene();
    if (wanted.force() && wanted.has_at()) return {{v1::INVALID_ARGUMENT}};
    if (wanted.has_fade_ms() && !(wanted.fade_ms() >= 0.0F && wanted.fade_ms() <= kLongestFadeMs))
        return {{v1::INVALID_ARGUMENT}};
    const auto scene = state.scenes.find(wanted.name());
    if (scene == state.scenes.end()) return {{v1::NOT_FOUND}};
    std::vector<Refusal> found;
    // With force, it begins where the revert of the edit of another author ends.
    const bool reverts = wanted.force() && is_locked(state, exchange.author, false);
    for (const Scene& one : scene->second->candidates) {
        Graph graph = reverts ? state.open->target : *state.graph;
        Identities identities = identities_;
        if (const auto wrong = recall(graph, one, identities)) found.push_back(*wrong);
    }
    return found;
}

/// Returns why a request may be refused in a state.
std::vector<Refusal> Judge::refusals(const Exchange& exchange, const State& state) const {
    const v1::Request& request = exchange.request;
    const v1::When* const at = time_of(request);
    const auto within_s = confirm_within_s(request);
    if (within_s && (*within_s < 1 || *within_s > kLongestConfirmationS || at != nullptr))
        return {{v1::INVALID_ARGUMENT}};
    std::vector<Refusal> found;
    const auto add = [&](std::optional<Refusal> refusal) {
        if (refusal) found.push_back(*refusal);
    };
    const auto add_time = [&] {
        if (at == nullptr) return;
        const bool valid =
            (at->has_in_s() && at->in_s() >= 0.0 && at->in_s() <= 86'400.0) || (at->has_frame() && at->frame() > 0);
        if (!valid) found.push_back({v1::INVALID_ARGUMENT});
    };
    const auto add_lock = [&] {
        if (at == nullptr && is_locked(state, exchange.author, within_s.has_value()))
            found.push_back({v1::FAILED_PRECONDITION});
    };
    switch (request.request_case()) {
        case v1::Request::kApplyTransaction:
        case v1::Request::kCheckGraph: {
            const Content content =
                request.has_check_graph() ? content_of(request.check_graph()) : content_of(request.apply_transaction());
            if (const auto alone = check_alone(content)) {
                add(alone);
            } else {
                Graph graph = *state.graph;
                Identities identities = identities_;
                add(apply(graph, content, identities));
                if (request.has_apply_transaction()) add_lock();
            }
            add_time();
            break;
        }
        case v1::Request::kSetParameters: {
            Graph graph = *state.graph;
            add(apply(graph, request.set_parameters()));
            add_time();
            break;
        }
        case v1::Request::kUndo:
        case v1::Request::kRedo:
            found = undo_refusals(exchange, state, state);
            add_lock();
            break;
        case v1::Request::kRecallScene:
            found = recall_refusals(exchange, state);
            add_lock();  // with force, too, if another edit has begun to wait in the meantime
            add_time();
            break;
        case v1::Request::kSaveScene: {
            const auto& nodes = request.save_scene().nodes();
            if (!save(*state.graph, {nodes.begin(), nodes.end()})) found.push_back({v1::NOT_FOUND});
            if (request.save_scene().name().find(' ') != std::string::npos) found.push_back({v1::INVALID_ARGUMENT});
            break;
        }
        case v1::Request::kRenameScene:
            if (!state.scenes.contains(request.rename_scene().name())) found.push_back({v1::NOT_FOUND});
            if (state.scenes.contains(request.rename_scene().new_name())) found.push_back({v1::ALREADY_EXISTS});
            if (request.rename_scene().new_name().find(' ') != std::string::npos)
                found.push_back({v1::INVALID_ARGUMENT});
            break;
        case v1::Request::kRemoveScene:
            if (!state.scenes.contains(request.remove_scene().name())) found.push_back({v1::NOT_FOUND});
            break;
        case v1::Request::kGetScene:
            if (!state.scenes.contains(request.get_scene().name())) {
                found.push_back({v1::NOT_FOUND});
            } else if (request.get_scene().with_diff()) {
                Exchange wanted = exchange;
                wanted.request.mutable_recall_scene()->set_name(exchange.request.get_scene().name());
                found = recall_refusals(wanted, state);
            }
            break;
        case v1::Request::kConfirm:
        case v1::Request::kRevert: {
            const bool has_id = request.has_confirm() ? request.confirm().has_id() : request.revert().has_id();
            const std::uint64_t id = request.has_confirm() ? request.confirm().id() : request.revert().id();
            if (has_id && (state.open == nullptr || state.open->id != id)) found.push_back({v1::NOT_FOUND});
            if (!has_id && state.open == nullptr) found.push_back({v1::FAILED_PRECONDITION});
            break;
        }
        case v1::Request::kCancelPending:
            if (!state.pending.contains(request.cancel_pending().id())) found.push_back({v1::NOT_FOUND});
            break;
        case v1::Request::kSetVolume: {
            const v1::SetVolume& wanted = request.set_volume();
            const float volume = wanted.has_add_db() ? state.volume_db + wanted.add_db() : wanted.volume_db();
            if (!(volume >= -120.0F && volume <= 12.0F)) found.push_back({v1::INVALID_ARGUMENT});
            break;
        }
        default:
            break;
    }
    return found;
}

// ---------------------------------------------------------------------------------------------------------------------
// The end

void Judge::check_end() {
    const State& state = states_.back();
    const std::uint64_t number = record_.events.size();
    if (text_of(record_.graph.graph()) != text_of(*state.graph) || record_.graph.revision() != state.revision)
        return fail(number, "the graph is\n" + text_of(record_.graph.graph()) + "expected\n" + text_of(*state.graph));
    if (listing(record_.history) != listing(state.history->steps(), kMostSteps))
        return fail(number, "the history is\n" + listing(record_.history) + "expected\n" +
                                listing(state.history->steps(), kMostSteps));
    std::string scenes;
    std::string expected_scenes;
    for (const v1::SceneInfo& scene : record_.scenes.scenes())
        scenes += scene.name() + " " + std::to_string(scene.node_count()) + " " + std::to_string(scene.partial()) +
                  " " + scene.author() + "\n";
    for (const auto& [name, scene] : state.scenes) {
        const Scene& one = scene->candidates.front();
        expected_scenes += name + " " + std::to_string(one.graph.nodes.size()) + " " + std::to_string(one.partial) +
                           " " + scene->author + "\n";
    }
    if (scenes != expected_scenes) return fail(number, "the scenes are\n" + scenes + "expected\n" + expected_scenes);
    std::set<std::uint64_t> waiting;
    for (const v1::PendingEdit& edit : record_.pending.edits()) {
        waiting.insert(edit.id());
        if (edit.frame() < record_.status.engine().frame()) return fail(number, "an edit still waits after its time");
    }
    if (waiting != state.pending) return fail(number, "other edits wait for their time");
    const v1::StatusResult& status = record_.status;
    if (status.has_confirmation() != (state.open != nullptr) ||
        (state.open != nullptr && status.confirmation().id() != state.open->id))
        return fail(number, "another edit waits for its confirmation");
    if (state.open != nullptr && record_.end_s > state.open->opened_s + state.open->within_s + 1.0)
        return fail(number, "an edit was not reverted in time");
    if (status.engine().output_muted() != state.muted || status.engine().output_volume_db() != state.volume_db)
        return fail(number, "the output has another volume");
    for (std::uint64_t revision = 1; revision <= state.revision; ++revision) {
        if (!heard_.contains(revision))
            return fail(number, "revision " + std::to_string(revision) + " was never heard");
    }
}

}  // namespace rta::test::model
