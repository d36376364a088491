// SPDX-License-Identifier: MIT
#include "api/confirmation/confirmation.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "api/convert.h"
#include "api/events/changes.h"
#include "api/exception_barrier.h"
#include "api/history/undo_plan.h"
#include "api/requests/transaction.h"
#include "api/scenes/processor_pool.h"
#include "document/document.h"
#include "graph/difference.h"
#include "text/quoting.h"

namespace rta::api {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostNamedNodes = 256;
/// Interval while the engine has no room for a revert.
constexpr auto kRevertRetryInterval = 250us;
/// Interval at which the store is asked whether a revert is on the disk.
constexpr auto kSettleInterval = 20ms;
/// The same for an edit that is being confirmed: a client waits.
constexpr auto kConfirmInterval = 2ms;
/// Interval after which a failed save is tried again.
constexpr auto kSaveRetryInterval = 1s;
constexpr auto kLongestPollInterval = 50ms;

}  // namespace

void ConfirmationClaim::withdraw() {
    if (Confirmation* const confirmation = std::exchange(confirmation_, nullptr)) confirmation->withdraw();
}

/// The transaction of a revert, from the worker that plans it until it is committed.
struct Confirmation::Plan {
    AudioGraph target{};
    SharedGraphSnapshot snapshot{};
    std::shared_ptr<Plan> previous{};  ///< the processors that were built for it are used again
    std::shared_ptr<ProcessorPool> spares = std::make_shared<ProcessorPool>();
    bool is_last = false;  ///< nothing changes the graph until it is committed
    Expected<std::unique_ptr<RequestState>> state = fail(ErrorCode::internal, "the revert was not planned");
    std::vector<std::string> fresh_nodes{};
    bool empty = false;  ///< the graph is already that before the edit

    [[nodiscard]] requests::TransactionState& transaction() const {
        return static_cast<requests::TransactionState&>(**state);
    }
    /// [any]
    void run(const Engine& engine) {
        if (previous != nullptr) {
            spares = std::move(previous->spares);
            previous.reset();  // its processors return to the spares
        }
        TransactionContent content;
        content.transaction.edits = difference(snapshot->graph, target, Pairs::by_identity);
        const std::vector<Edit>& edits = content.transaction.edits;
        empty = edits.empty();
        fresh_nodes = rta::fresh_nodes(edits, snapshot->graph, engine.registry());
        for (const Edit& edit : edits) to_wire(edit, *content.edits.add_edits());
        content.whole_graph = true;  // no client has numbered the edits
        content.any_size = true;
        // The graph before the edit may have been larger than clients may make it.
        content.transaction.exempt = true;
        content.transaction.restores = true;
        state = requests::prepare_transaction(engine, std::move(snapshot), std::move(content), spares);
    }
};

Confirmation::Confirmation(Engine& engine, DaemonAccess& daemon, EventHub& hub, History& history, ChangeLog& changes,
                           PendingCommands& commands, Workers& workers, std::function<TimePoint()> clock,
                           std::function<void()> wake)
    : engine_{engine},
      daemon_{daemon},
      hub_{hub},
      history_{history},
      changes_{changes},
      commands_{commands},
      workers_{workers},
      clock_{std::move(clock)},
      wake_{std::move(wake)} {}

// ---------------------------------------------------------------------------------------------------------------------
// Opening

Expected<void> Confirmation::check_time(std::uint32_t within_s, bool has_at) {
    if (has_at) {
        return fail(ErrorCode::invalid_argument,
                    "the transaction has `at` and confirm_within_s: expected one of the two");
    }
    if (within_s >= kShortestS && within_s <= kLongestS) return {};
    return fail(ErrorCode::invalid_argument, "confirm_within_s is " + std::to_string(within_s) + ": expected " +
                                                 std::to_string(kShortestS) + " to " + std::to_string(kLongestS));
}

Expected<bool> Confirmation::admits(const std::string& author, bool opens) const {
    switch (state_) {
        case State::none:
            // One file cannot be about an edit whose revert is not on the disk, too.
            return !(opens && settling_);
        case State::claimed:
            return false;
        case State::open:
        case State::confirming:
        case State::confirmed:
            if (author == who_.author && !opens) return true;
            break;
        case State::reverting:
            break;
    }
    std::string sentence = "the edit of " + who_.author;
    if (!who_.client_name.empty()) sentence += " (client " + quoted(who_.client_name) + ")";
    if (!summary_.empty()) sentence += ", " + printable(summary_) + ",";
    if (state_ == State::reverting) {
        sentence += " is being reverted; try again";
    } else {
        sentence +=
            " waits for its confirmation, " + left_text() + " left; expected it to be confirmed or reverted first";
    }
    return fail(ErrorCode::failed_precondition, std::move(sentence));
}

Expected<void> Confirmation::admits_parameters() const {
    if (state_ != State::reverting || !holds_) return {};
    return fail(ErrorCode::resource_exhausted, "the edit of " + who_.author + " is being reverted; try again");
}

ConfirmationClaim Confirmation::claim(Who who, std::string summary, std::uint32_t within_s, Saved saved) {
    target_ = engine_.graph();
    target_ids_.clear();
    mark_ = history_.mark();
    key_ = std::max(static_cast<std::uint64_t>(std::max<std::int64_t>(daemon_.utc_us(), 0)), key_ + 1);
    who_ = std::move(who);
    summary_ = std::move(summary);
    within_s_ = within_s;
    until_ = clock_() + std::chrono::seconds{within_s};
    state_ = State::claimed;
    ConfirmationClaim claim{*this};
    save(std::move(saved));
    return claim;
}

void Confirmation::opened(ConfirmationClaim& claim, std::uint64_t revision) {
    claim.end();
    state_ = State::open;
    id_ = next_id_++;
    revision_ = revision;
    until_ = clock_() + std::chrono::seconds{within_s_};
    ++progress_;
    history_.set_open_edit(key_);
    wake_();
}

void Confirmation::announce() { publish(v1::ConfirmationChanged::OPENED, {}); }

void Confirmation::withdraw() {
    close();
    unsaved_ = true;
    next_save_ = {};
    wake_();
}

/// No edit waits any more.
void Confirmation::close() {
    state_ = State::none;
    target_ = {};
    target_ids_.clear();
    mark_ = {};
    history_.set_open_edit(0);
    ++progress_;
}

void Confirmation::parameters_changed(std::span<const SetParameter> changes, std::span<const float> before,
                                      std::span<const float> after) {
    if (state_ == State::none) return;
    unsaved_ = true;
    static_cast<void>(guarded("keeping parameters for a revert", [&] {
        KeptValues previous;
        for (std::size_t i = 0; i < changes.size(); ++i) keep(changes[i], before[i], after[i], previous);
        // Values that are valid together only may have been set together.
        for (const auto& [node, values] : previous) {
            const GraphNode& kept = *target_.find(node);
            if (kept.description->check_together(kept.parameters)) continue;
            for (std::uint32_t p = 0; p < values.size(); ++p) target_.set_parameter({node, p}, values[p]);
            changed_differently();
        }
    }));
}

/// The graph and the one after a revert have not changed in the same way: plans of a revert are out of date.
void Confirmation::changed_differently() {
    stale_ = true;
    ++stale_changes_;
}

const GraphNode* Confirmation::find_in_target(const GraphNode& node) {
    for (const GraphNode* const kept : {target_.find(node.id), target_.find(node.name())}) {
        if (kept != nullptr && kept->identity == node.identity) return kept;
    }
    // Most nodes are found by one of these.
    if (target_ids_.empty()) {
        for (const auto& kept : target_.nodes()) target_ids_.emplace(kept->identity, kept->id);
    }
    const auto known = target_ids_.find(node.identity);
    return known != target_ids_.end() ? target_.find(known->second) : nullptr;
}

/// Applies a change to the graph after a revert, if it has the node, and if its value is in the range there.
void Confirmation::keep(const SetParameter& change, float before, float after, KeptValues& previous) {
    const GraphNode* const current = engine_.graph().find(change.node);
    if (current == nullptr) return;
    const GraphNode* const kept = find_in_target(*current);
    if (kept == nullptr) return;
    const NodeDescription& description = *kept->description;
    if (description.type != current->description->type) return;
    const auto index = description.layout.find_parameter(change.parameter);
    if (!index || !check_parameter(description.layout.parameters[*index], after, change.node)) return;
    const float was = kept->parameters[*index];
    if (was != before || kept->description != current->description) changed_differently();
    if (description.type->check != nullptr) previous.try_emplace(kept->id, kept->parameters);
    target_.set_parameter({kept->id, *index}, after);
}

// ---------------------------------------------------------------------------------------------------------------------
// The edit that waits

v1::OpenConfirmation Confirmation::describe() const {
    v1::OpenConfirmation open;
    open.set_id(id_);
    open.set_revision(revision_);
    open.set_author(who_.author);
    open.set_client_name(who_.client_name);
    open.set_left_s(std::max(std::chrono::duration<double>(until_ - clock_()).count(), 0.0));
    open.set_summary(summary_);
    return open;
}

std::string Confirmation::left_text() const {
    const auto left = std::chrono::ceil<std::chrono::seconds>(until_ - clock_());
    return std::to_string(std::max(left, 0s).count()) + " s";
}

std::optional<v1::OpenConfirmation> Confirmation::waiting() const {
    if (state_ == State::none || state_ == State::claimed) return std::nullopt;
    return describe();
}

Expected<void> Confirmation::check_waiting(std::optional<std::uint64_t> id) const {
    const bool waits = state_ != State::none && state_ != State::claimed;
    if (id && !(waits && *id == id_)) {
        return fail(ErrorCode::not_found, "no edit with the confirmation " + std::to_string(*id) +
                                              " waits: it was confirmed or reverted, or never was");
    }
    if (!waits) return fail(ErrorCode::failed_precondition, "no edit waits for its confirmation");
    if (state_ == State::confirming || state_ == State::confirmed)
        return fail(ErrorCode::failed_precondition, "the edit is being confirmed already");
    // Clients that confirm without a pause, while the disk fails, must not postpone the revert.
    if (state_ == State::reverting || clock_() >= until_)
        return fail(ErrorCode::failed_precondition, "the edit is being reverted already");
    return {};
}

/// An edit that is not on the disk could be lost although its confirmation was acknowledged.
void Confirmation::confirm(const std::string& author, Saved done) {
    state_ = State::confirming;
    confirmed_by_ = author;
    confirm_done_ = std::move(done);
    confirm_until_ = clock_() + kLongestSave;
    poll_confirming(clock_());
    wake_();
}

void Confirmation::poll_confirming(TimePoint now) {
    if (state_ != State::confirming) return;
    if (is_on_disk(revision_)) {
        state_ = State::confirmed;
        save([this](const Expected<void>& outcome) { end_confirming(outcome); });
    } else if (now >= confirm_until_) {
        const std::string why = daemon_.store_status().error;
        end_confirming(fail(ErrorCode::unavailable,
                            "the edit is not on the disk" + (why.empty() ? "" : ": " + why) + "; it waits as before"));
    }
}

void Confirmation::end_confirming(const Expected<void>& outcome) {
    if (outcome) {
        publish(v1::ConfirmationChanged::CONFIRMED, confirmed_by_);
        close();
    } else {
        state_ = State::open;
        unsaved_ = true;  // the file may be gone
        wake_();
    }
    const Saved done = std::exchange(confirm_done_, nullptr);
    done(outcome);
}

void Confirmation::revert(Who by, RevertDone done) {
    expired_ = false;
    start_revert(std::move(by), std::move(done));
}

std::optional<Confirmation::Revertible> Confirmation::revertible(const std::string& author) const {
    if (state_ != State::open || author == who_.author) return std::nullopt;
    return Revertible{id_, stale_changes_};
}

AudioGraph Confirmation::reverted(std::string_view author) {
    history_.set_open_edit(0);
    history_.revert(mark_, author);
    settling_ = engine_.revision();
    AudioGraph before = std::exchange(target_, {});
    close();
    return before;
}

void Confirmation::announce_revert(const std::string& author) {
    publish(v1::ConfirmationChanged::REVERTED, author);
    wake_();
}

void Confirmation::poll(TimePoint now) {
    if (state_ == State::open && now >= until_) {
        daemon_.confirmation_warning("the edit of " + who_.author + " was not confirmed within " +
                                     std::to_string(within_s_) + " s and is reverted: " + printable(summary_));
        expired_ = true;
        start_revert(who_, nullptr);
    } else if (state_ == State::reverting) {
        advance(now);
    }
    poll_confirming(now);
    settle(now);
    if (unsaved_ && !saving_ && now >= next_save_) save(nullptr);
}

std::optional<std::chrono::microseconds> Confirmation::interval(TimePoint now) const {
    std::optional<TimePoint> next;
    const auto consider = [&](TimePoint time) { next = next ? std::min(*next, time) : time; };
    if (state_ == State::open) consider(until_);
    if (state_ == State::confirming) consider(now + kConfirmInterval);
    if (state_ == State::reverting && !planning_) consider(now + kRevertRetryInterval);
    if (settling_) consider(next_settle_);
    if (unsaved_ && !saving_) consider(next_save_);
    if (!next) return std::nullopt;
    const auto left = std::chrono::ceil<std::chrono::microseconds>(*next - now);
    return std::clamp(left, std::chrono::microseconds{50}, std::chrono::microseconds{kLongestPollInterval});
}

// ---------------------------------------------------------------------------------------------------------------------
// The revert

void Confirmation::start_revert(Who by, RevertDone done) {
    state_ = State::reverting;
    by_ = std::move(by);
    done_ = std::move(done);
    holds_ = false;
    retry_until_ = clock_() + kLongestRetry;
    plan(nullptr);
}

/// Plans the transaction on a worker, from the graph as it is now.
void Confirmation::plan(std::shared_ptr<Plan> previous) {
    const auto plan = std::make_shared<Plan>();
    plan->target = target_;
    plan->snapshot = engine_.snapshot(hub_.number());
    plan->previous = std::move(previous);
    plan->is_last = holds_;
    stale_ = false;
    planning_ = true;
    workers_.run(
        "planning a revert", [plan, &engine = std::as_const(engine_)] { plan->run(engine); },
        [this, plan, alive = std::weak_ptr{alive_}](const Expected<void>& ran) {
            plan->target = {};  // on this thread
            plan->snapshot.reset();
            if (alive.expired()) return;
            if (!ran) plan->state = std::unexpected(ran.error());
            planning_ = false;
            plan_ = plan;
            advance(clock_());
        },
        Workers::Lane::urgent);
}

/// The graph has changed since the plan was made. The processors have been built, so this takes the time of comparing two
/// graphs.
void Confirmation::plan_again() {
    holds_ = true;
    plan(std::exchange(plan_, nullptr));
}

void Confirmation::advance(TimePoint now) {
    if (planning_ || state_ != State::reverting) return;
    if (!plan_->state) return fail_revert(plan_->state.error());
    // Without space on the disk, it is not recorded, and the file stays until the graph has been saved.
    const auto room = changes_.may_commit(plan_->transaction().edit_bytes);
    if (room && !*room && now < retry_until_) return wake_();
    if (stale_) return plan_again();
    if (plan_->empty) {
        const std::vector<HistoryStep> steps = revert_history();
        daemon_.graph_changed();
        changes_.history_changed();
        changes_.flush();
        return finish(std::nullopt, steps);
    }
    AudioGraph before;
    const auto ticket = engine_.commit(plan_->transaction().prepared, &before);
    if (ticket) return committed(*ticket, std::move(before));
    const Error& error = ticket.error();
    if (error.code == ErrorCode::aborted && !plan_->is_last) return plan_again();
    const bool full = error.code == ErrorCode::resource_exhausted && !error.edit_index;
    if (!full || now >= retry_until_) return fail_revert(error);
    holds_ = true;
    wake_();
}

void Confirmation::committed(const Ticket& ticket, AudioGraph before) {
    requests::TransactionState& transaction = plan_->transaction();
    const std::vector<HistoryStep> steps = revert_history();  // before it is recorded
    daemon_.graph_changed();
    static_cast<void>(guarded("reporting a revert", [&] {
        const ComparedStep compared = history_.compare(before);
        publish_edits(hub_, {by_.client_name, by_.author}, ticket.revision, transaction.edits, compared.published);
        commands_.announce(ticket);
    }));
    finish(ticket, steps);
}

std::vector<HistoryStep> Confirmation::revert_history() {
    history_.set_open_edit(0);
    return history_.revert(mark_, by_.author);
}

void Confirmation::finish(std::optional<Ticket> ticket, std::span<const HistoryStep> steps) {
    settling_ = engine_.revision();
    publish(v1::ConfirmationChanged::REVERTED, expired_ ? std::string{} : by_.author);
    const std::shared_ptr<Plan> plan = std::exchange(plan_, nullptr);
    close();
    const RevertDone done = std::exchange(done_, nullptr);
    if (done) {
        Reverted reverted{.ticket = ticket};
        for (const HistoryStep& step : steps) to_wire(step, *reverted.result.add_steps());
        for (std::size_t i = 0; i < std::min(plan->fresh_nodes.size(), kMostNamedNodes); ++i)
            reverted.result.add_fresh_nodes(plan->fresh_nodes[i]);
        if (ticket) {
            requests::remove_kept_nodes(plan->transaction().prepared.kept_nodes(),
                                        *reverted.result.mutable_fresh_nodes());
        }
        done(reverted);
    }
    if (plan->state) workers_.free(std::move(*plan->state));
    wake_();
}

void Confirmation::fail_revert(const Error& error) {
    const std::shared_ptr<Plan> plan = std::exchange(plan_, nullptr);
    const RevertDone done = std::exchange(done_, nullptr);
    if (expired_) {
        daemon_.confirmation_warning("the edit of " + who_.author +
                                     " cannot be reverted, and stays: " + printable(error.sentence));
        publish(v1::ConfirmationChanged::FAILED, {}, &error);
        close();
        unsaved_ = true;  // the file is removed
        next_save_ = {};
    } else {
        state_ = State::open;  // and is tried again when its time has passed
        ++progress_;
    }
    if (done) done(std::unexpected(error));
    if (plan->state) workers_.free(std::move(*plan->state));
    wake_();
}

void Confirmation::publish(v1::ConfirmationChanged::What what, const std::string& author, const Error* error) {
    const auto fill = [&](v1::Event& event) {
        v1::ConfirmationChanged& changed = *event.mutable_confirmation_changed();
        changed.set_what(what);
        *changed.mutable_confirmation() = describe();
        changed.set_author(author);
        if (error != nullptr) to_wire(*error, *changed.mutable_error());
    };
    hub_.publish(std::cref(fill));  // does not allocate, as in publish_edits()
}

// ---------------------------------------------------------------------------------------------------------------------
// The file

bool Confirmation::is_file_needed() const { return (state_ != State::none && state_ != State::confirmed) || settling_; }

/// Writes or removes the file, and calls `done` when that has been done.
void Confirmation::save(Saved done) {
    saves_.emplace_back(++wanted_saves_, std::move(done));
    start_save();
}

void Confirmation::start_save() {
    if (std::exchange(saving_, true)) return;
    unsaved_ = false;
    const std::uint64_t number = wanted_saves_;
    const auto done = [this, number, alive = std::weak_ptr{alive_}](const Expected<void>& outcome) {
        if (!alive.expired()) saved(number, outcome);
    };
    // While a revert is not on the disk, the file stays as it is.
    if (is_file_needed() && state_ == State::none) return done({});
    const auto started = guarded("saving a confirmation", [&] {
        daemon_.save_confirmation(is_file_needed() ? writer() : nullptr, workers_, done);
    });
    if (!started) done(started);
}

void Confirmation::saved(std::uint64_t number, const Expected<void>& outcome) {
    saving_ = false;
    next_save_ = clock_() + (outcome ? std::chrono::milliseconds{kSaveInterval} : kSaveRetryInterval);
    if (!outcome) unsaved_ = true;
    std::vector<Saved> ready;
    while (!saves_.empty() && saves_.front().first <= number) {
        if (saves_.front().second) ready.push_back(std::move(saves_.front().second));
        saves_.erase(saves_.begin());
    }
    for (const Saved& done : ready) done(outcome);
    if (!saves_.empty()) start_save();
}

bool Confirmation::is_on_disk(std::uint64_t revision) const {
    const StoreStatus store = daemon_.store_status();
    return store.directory.empty() || store.saved_revision >= revision;
}

/// Removes the file when the revert is on the disk.
void Confirmation::settle(TimePoint now) {
    if (!settling_ || now < next_settle_) return;
    if (!is_on_disk(*settling_)) {
        next_settle_ = now + kSettleInterval;
        return;
    }
    settling_.reset();
    ++progress_;
    if (state_ == State::none) save(nullptr);
}

std::function<std::string()> Confirmation::writer() const {
    if (state_ == State::none || state_ == State::confirmed) return nullptr;
    const auto left = std::chrono::duration_cast<std::chrono::microseconds>(until_ - clock_());
    SavedConfirmation saved{.until_utc_us = daemon_.utc_us() + left.count(),
                            .within_s = within_s_,
                            .author = who_.author,
                            .client_name = who_.client_name,
                            .summary = summary_,
                            .key = key_,
                            .mark = mark_};
    return [saved = std::move(saved), target = target_]() mutable {
        for (const auto& node : target.nodes()) saved.identities.emplace(node->name(), node->identity);
        saved.document = write_document(target.document());
        return saved.write();
    };
}

void Confirmation::restore(const SavedConfirmation& saved, AudioGraph target, std::chrono::microseconds left) {
    state_ = State::open;
    id_ = next_id_++;
    revision_ = 0;
    within_s_ = saved.within_s;
    until_ = clock_() + left;
    who_ = {saved.author, saved.client_name};
    summary_ = saved.summary;
    key_ = saved.key;
    history_.set_open_edit(key_);
    mark_ = saved.mark;
    target_ = std::move(target);
}

}  // namespace rta::api
