// SPDX-License-Identifier: MIT
#include "api/schedule.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "api/call.h"
#include "api/convert.h"
#include "api/events/changes.h"
#include "api/exception_barrier.h"
#include "api/requests/set_parameters.h"
#include "api/requests/transaction.h"
#include "graph/edit_summary.h"
#include "text/format_number.h"
#include "text/quoting.h"

namespace rta::api {
namespace {

using namespace std::chrono_literals;

/// A command is sent two callbacks and this much ahead of its frame.
constexpr double kSendAheadNs = 5e6;
/// Rounds must not run at the frames of transactions that are nearer than this.
constexpr double kReserveAheadNs = 1e9;
/// An edit for which the engine has no room for longer than this after its frame has failed.
constexpr auto kLongestRetry = 10s;
/// Edits that are prepared at the same time.
constexpr std::size_t kMostPreparing = 2;
/// Edits that are kept prepared: each may take as much memory as a graph.
constexpr std::size_t kMostPrepared = 16;
/// What one poll() sends, so that other clients do not wait for long.
constexpr std::size_t kMostTransactionsPerPoll = 1;
constexpr std::size_t kMostChangesPerPoll = 2'048;
constexpr std::uint32_t kMostBuilds = 16;
/// A recall is compared with the graph this often, and planned again at most that often, until it is about to be sent.
constexpr auto kSettleInterval = 250ms;
constexpr double kSettleAheadNs = 50e6;
constexpr auto kRetryInterval = 250us;
constexpr auto kRestInterval = 50ms;

/// Of edits that have been checked.
std::string summarize(const auto& messages, auto to_model) {
    constexpr int kMost = 1'000;
    if (messages.size() > kMost) return std::to_string(messages.size()) + " edits";
    std::vector<rta::Edit> edits;
    for (const auto& message : messages) {
        if (auto edit = to_model(message)) edits.push_back(*std::move(edit));
    }
    return summary_of(edits);
}

/// At least 0.001 s.
std::string seconds(double ns) { return format_number(std::ceil(ns / 1e6) / 1e3) + " s"; }

}  // namespace

struct Schedule::Entry {
    enum class Stage : std::uint8_t { waits, preparing, prepared, failed };

    Edit edit;
    v1::PendingEdit info;
    Stage stage = Stage::waits;
    std::unique_ptr<requests::TransactionState> state{};
    std::unique_ptr<RequestState> outdated{};  ///< the plan before, whose processors the next one may use
    bool cancelled = false;
    TimePoint next_settling{};
    Error error{ErrorCode::internal, {}, {}};  ///< of the preparation
    std::uint32_t builds = 0;
    std::optional<std::uint64_t> fill_frames{};  ///< for which new signals fill
    TimePoint due_since{};                       ///< the engine has had no room since
    std::uint64_t blocks_later = 0;              ///< of parameters that an earlier edit changes in the same block
    // In sent_:
    std::uint64_t revision = 0;  ///< of a transaction
    std::uint64_t serial = 0;    ///< of parameters
    std::uint64_t start = 0;     ///< their frame, as sent
    bool must_start = false;     ///< it was committed ahead
};

Schedule::Schedule(Engine& engine, DaemonAccess& daemon, EventHub& hub, History& history, Confirmation& confirmation,
                   ChangeLog& changes, PendingCommands& commands, LoadPrediction& load, Workers& workers,
                   std::function<TimePoint()> clock, std::function<void()> wake)
    : engine_{engine},
      daemon_{daemon},
      hub_{hub},
      history_{history},
      changes_{changes},
      confirmation_{confirmation},
      commands_{commands},
      load_{load},
      workers_{workers},
      wake_{std::move(wake)},
      time_{engine, daemon, std::move(clock)} {
    commands_.on_scheduled({.heard = [this](std::uint64_t revision, std::uint64_t frame) { heard(revision, frame); },
                            .applied = [this](std::uint64_t serial, std::uint64_t frame) { applied(serial, frame); }});
}

Schedule::~Schedule() { *alive_ = false; }

// ---------------------------------------------------------------------------------------------------------------------
// Acceptance

Expected<void> Schedule::read(const v1::When& when, Edit& edit) {
    const FrameTime::Now now = time_.now();
    double later_ns = 0.0;
    switch (when.when_case()) {
        case v1::When::kFrame:
            edit.frame = when.frame();
            later_ns = now.ns_until(edit.frame);
            break;
        case v1::When::kInS:
            if (!(when.in_s() >= 0.0))
                return fail(ErrorCode::invalid_argument, "at.in_s is invalid: expected 0 to 86400");
            later_ns = when.in_s() * 1e9;
            break;
        case v1::When::kUtcUs:
            edit.utc_us = when.utc_us();
            later_ns = 1e3 * (static_cast<double>(when.utc_us()) - static_cast<double>(now.utc_us));
            break;
        case v1::When::WHEN_NOT_SET:
            return fail(ErrorCode::invalid_argument, "`at` has no time: expected frame, in_s or utc_us");
    }
    if (later_ns < 0.0) {
        return fail(ErrorCode::invalid_argument, "the time of the edit has passed: it is " + seconds(-later_ns) +
                                                     " late; frame " + std::to_string(now.frame_after(0)) +
                                                     " is now; expected a later time, up to 24 h ahead");
    }
    if (later_ns > kLongestS * 1e9) {
        return fail(ErrorCode::invalid_argument,
                    "the time of the edit is more than 86400 s (24 h) ahead: expected an earlier time");
    }
    if (when.when_case() != v1::When::kFrame) edit.frame = now.frame_after(later_ns);
    return {};
}

Expected<void> Schedule::check_room(const Edit& edit) const {
    std::size_t count = 0;
    std::size_t count_of_author = 0;
    std::size_t bytes = edit.bytes;
    std::size_t bytes_of_author = edit.bytes;
    for (const auto& entry : waiting_) {
        ++count;
        bytes += entry->edit.bytes;
        if (entry->edit.author != edit.author) continue;
        ++count_of_author;
        bytes_of_author += entry->edit.bytes;
    }
    const auto refuse = [](std::string what) {
        return fail(ErrorCode::resource_exhausted, std::move(what) + "; cancel one, or wait until one takes effect");
    };
    if (count >= kMaximumEdits) return refuse("1000 edits wait for their time already");
    if (count_of_author >= kMaximumEditsOfAuthor)
        return refuse("500 edits of " + quoted(edit.author) + " wait for their time already");
    if (bytes > kMaximumBytes) return refuse("the edits that wait for their time would take more than 32 MiB");
    if (bytes_of_author > kMaximumBytesOfAuthor)
        return refuse("the edits of " + quoted(edit.author) + " that wait for their time would take more than 16 MiB");
    return {};
}

Expected<v1::PendingEdit> Schedule::add(Edit edit) {
    if (auto room = check_room(edit); !room) return std::unexpected(std::move(room.error()));
    auto entry = std::make_shared<Entry>(Entry{.edit = std::move(edit), .info = {}});
    v1::PendingEdit& info = entry->info;
    const Edit& added = entry->edit;
    info.set_id(next_id_++);
    info.set_frame(added.frame);
    info.set_utc_us(added.utc_us.value_or(time_.now().utc_of(added.frame)));
    info.set_author(added.author);
    info.set_client_name(added.client_name);
    if (added.find_plan) {
        info.set_summary(added.summary);
    } else if (added.parameters != nullptr) {
        info.set_summary(summarize(added.parameters->changes(), to_change));
    } else {
        info.set_summary(added.transaction->has_edits() ? summarize(added.transaction->edits().edits(), to_edit)
                                                        : "replace the graph");
    }
    const auto behind =
        std::ranges::find_if(waiting_, [&](const auto& other) { return other->edit.frame > entry->edit.frame; });
    waiting_.insert(behind, entry);
    next_poll_ = {};
    publish(v1::PendingChanged::ADDED, *entry);
    return info;
}

std::vector<v1::PendingEdit> Schedule::list() {
    const FrameTime::Now now = time_.now();
    follow_utc(now);
    std::vector<v1::PendingEdit> edits;
    for (const auto& entry : waiting_) {
        v1::PendingEdit& info = edits.emplace_back(entry->info);
        info.set_frame(entry->edit.frame);
        if (!entry->edit.utc_us) info.set_utc_us(now.utc_of(entry->edit.frame));
    }
    return edits;
}

Expected<v1::PendingEdit> Schedule::cancel(std::uint64_t id) {
    const auto found = std::ranges::find_if(waiting_, [&](const auto& entry) { return entry->info.id() == id; });
    if (found == waiting_.end()) {
        return fail(ErrorCode::not_found,
                    "no edit with the id " + std::to_string(id) +
                        " waits for its time: it was cancelled, has been committed, or never was");
    }
    const std::shared_ptr<Entry> entry = std::move(*found);
    waiting_.erase(found);
    entry->cancelled = true;
    // Its processors become spare again.
    if (entry->state != nullptr) workers_.free(std::move(entry->state));
    if (entry->outdated != nullptr) workers_.free(std::move(entry->outdated));
    next_poll_ = {};
    reserve(time_.now());
    publish(v1::PendingChanged::CANCELLED, *entry);
    return entry->info;
}

// ---------------------------------------------------------------------------------------------------------------------
// Preparation

bool Schedule::may_prepare() const {
    const auto prepared =
        std::ranges::count_if(waiting_, [](const auto& entry) { return entry->stage == Entry::Stage::prepared; });
    return preparing_ < kMostPreparing && preparing_ + static_cast<std::size_t>(prepared) < kMostPrepared;
}

void Schedule::prepare(const std::shared_ptr<Entry>& entry) {
    Expected<Plan> plan = entry->edit.find_plan ? entry->edit.find_plan() : Plan{};
    if (!plan) {
        entry->stage = Entry::Stage::failed;
        entry->error = std::move(plan.error());
        return;
    }
    entry->stage = Entry::Stage::preparing;
    ++preparing_;
    struct Job {
        std::shared_ptr<const v1::ApplyTransaction> given;
        Plan plan;
        std::unique_ptr<RequestState> outdated;
        SharedGraphSnapshot snapshot{};
        Expected<std::unique_ptr<RequestState>> state = fail(ErrorCode::internal, "the edit was not prepared");
    };
    const auto job = std::make_shared<Job>(entry->edit.transaction, std::move(*plan), std::move(entry->outdated));
    if (job->plan || entry->edit.bytes >= PendingRequest::kLargeBytes) job->snapshot = engine_.snapshot();
    workers_.run(
        "preparing a scheduled edit",
        [job, &engine = std::as_const(engine_)] {
            job->outdated.reset();
            if (job->plan) {
                job->state = job->plan(engine, std::move(job->snapshot));
                return;
            }
            v1::ApplyTransaction message = *job->given;
            job->state = requests::prepare_transaction(engine, std::move(job->snapshot), take_content(message, engine));
        },
        [this, job, entry, alive = alive_](const Expected<void>& ran) {
            if (!*alive) return;
            const Expected<void> outcome = !ran          ? ran
                                           : !job->state ? std::unexpected(job->state.error())
                                                         : Expected<void>{};
            finish(entry, outcome ? std::move(*job->state) : nullptr, outcome);
        });
}

/// A worker has prepared or built what belongs to the edit.
void Schedule::finish(const std::shared_ptr<Entry>& entry, std::unique_ptr<RequestState> state,
                      const Expected<void>& outcome) {
    --preparing_;
    next_poll_ = {};
    if (entry->cancelled) {
        if (state != nullptr) workers_.free(std::move(state));
    } else {
        entry->state.reset(static_cast<requests::TransactionState*>(state.release()));
        entry->stage = outcome ? Entry::Stage::prepared : Entry::Stage::failed;
        if (!outcome) entry->error = outcome.error();
    }
    wake_();
}

/// Does on a worker what the engine found missing.
void Schedule::build(const std::shared_ptr<Entry>& entry) {
    entry->stage = Entry::Stage::preparing;
    ++entry->builds;
    ++preparing_;
    struct Job {
        std::unique_ptr<requests::TransactionState> state;
        Expected<void> outcome{};
    };
    const auto job = std::make_shared<Job>(std::move(entry->state));
    workers_.run(
        "building processors",
        [job, &engine = std::as_const(engine_)] { job->outcome = engine.build(job->state->prepared); },
        [this, job, entry, alive = alive_](const Expected<void>& ran) {
            if (!*alive) return;
            finish(entry, std::move(job->state), ran ? job->outcome : ran);
        });
}

// ---------------------------------------------------------------------------------------------------------------------
// Sending

void Schedule::poll(TimePoint clock) {
    if (clock < next_poll_ || (waiting_.empty() && sent_.empty())) return;
    const FrameTime::Now now = time_.now();
    follow_utc(now);
    reserve(now);
    poll_transactions(now, clock);
    reserve(now);
}

/// The frames of edits with a UTC time follow the clocks.
void Schedule::follow_utc(const FrameTime::Now& now) {
    bool moved = false;
    for (const auto& entry : waiting_) {
        if (!entry->edit.utc_us) continue;
        const std::uint64_t frame = now.frame_of_utc(*entry->edit.utc_us);
        moved = moved || frame != entry->edit.frame;
        entry->edit.frame = frame;
        entry->info.set_frame(frame);
    }
    if (moved) waiting_.sort([](const auto& a, const auto& b) { return a->edit.frame < b->edit.frame; });
}

void Schedule::reserve(const FrameTime::Now& now) {
    std::optional<std::uint64_t> next;
    const auto consider = [&](const Entry& entry) {
        const bool near = now.ns_until(entry.edit.frame) < kReserveAheadNs;
        if (near && (!next || entry.edit.frame < *next)) next = entry.edit.frame;
    };
    for (const auto& entry : waiting_) {
        if (entry->edit.is_transaction()) consider(*entry);
    }
    for (const auto& entry : sent_) {
        if (entry->must_start) consider(*entry);
    }
    engine_.reserve(next);
}

/// Returns the frame for which the parameters of an edit are sent.
std::uint64_t Schedule::send_frame(const Entry& entry) const {
    if (entry.blocks_later == 0) return entry.edit.frame;
    return block_of(entry.edit.frame) + entry.blocks_later * engine_.config().block_size;
}

void Schedule::poll_transactions(const FrameTime::Now& now, TimePoint clock) {
    const double lead_ns = 2.0 * now.callback_frames * now.frame_ns + kSendAheadNs;
    double next_ns = 1e6 * std::chrono::duration<double, std::milli>(kRestInterval).count();
    retries_ = false;
    std::size_t transactions = 0;
    std::size_t changes = 0;
    for (const auto& entry : sent_) {
        if (!entry->must_start) continue;
        const double left_ns = now.ns_until(entry->edit.frame) - lead_ns;
        next_ns = std::min(next_ns, left_ns);
        if (left_ns > 0.0) continue;
        entry->must_start = !engine_.start_at(entry->edit.frame).has_value();
        retries_ = retries_ || entry->must_start;
    }
    for (auto next = waiting_.begin(); next != waiting_.end();) {
        const std::shared_ptr<Entry> entry = *next;
        const double until_ns = now.ns_until(entry->edit.frame);
        const bool transaction = entry->edit.is_transaction();
        const double ahead_ns = 1e9 * std::chrono::duration<double>(kPrepareAhead).count();
        if (until_ns > ahead_ns) {
            next_ns = std::min(next_ns, until_ns - ahead_ns);
            break;
        }
        const double fill_ns = static_cast<double>(entry->fill_frames.value_or(0)) * now.frame_ns;
        const bool due = until_ns <= lead_ns + fill_ns;
        if (!due) next_ns = std::min(next_ns, until_ns - lead_ns - fill_ns);
        const std::size_t given = transaction ? 0 : static_cast<std::size_t>(entry->edit.parameters->changes_size());
        if (due && (transactions >= kMostTransactionsPerPoll || changes + given > kMostChangesPerPoll) &&
            transactions + changes > 0) {
            retries_ = true;
            break;
        }
        if (due && entry->due_since == TimePoint{}) entry->due_since = clock;
        Progress progress = Progress::waits;
        if (auto denied = due ? find_denial(*entry) : std::nullopt) {
            entry->error = std::move(*denied);
            progress = Progress::failed;
        } else if (transaction) {
            progress = advance_transaction(entry, now, clock);
        } else if (auto admits = confirmation_.admits_parameters(); due && !admits) {
            entry->error = std::move(admits.error());
        } else if (due) {
            progress = set_parameters(entry, clock);
            // One parameter starts one ramp in a block: its next one starts with the next block.
            const bool conflict = progress == Progress::waits && engine_.refused_until_progress();
            if (conflict && now.ns_until(send_frame(*entry) + engine_.config().block_size) <= lead_ns) {
                const auto moved = next++;
                ++entry->blocks_later;
                const auto behind = std::find_if(
                    next, waiting_.end(), [&](const auto& other) { return other->edit.frame > send_frame(*entry); });
                waiting_.splice(behind, waiting_, moved);
                retries_ = true;
                continue;
            }
        }
        if (progress == Progress::waits) {
            if (due && entry->stage != Entry::Stage::preparing) {
                retries_ = true;
                if (clock - entry->due_since >= kLongestRetry) progress = Progress::failed;
            }
        }
        if (progress == Progress::waits) {
            ++next;
            continue;
        }
        next = waiting_.erase(next);
        transactions += transaction ? 1 : 0;
        changes += given;
        if (progress == Progress::failed) publish(v1::PendingChanged::FAILED, *entry, &entry->error);
    }
    const auto delay = std::chrono::nanoseconds{static_cast<std::int64_t>(std::max(next_ns, 0.0))};
    next_poll_ = clock + (retries_ ? std::chrono::nanoseconds{kRetryInterval} : delay);
}

std::optional<Error> Schedule::find_denial(const Entry& entry) const {
    if (entry.edit.token.empty()) return std::nullopt;
    const auto token = daemon_.access().find_name(entry.edit.token);
    if (token && token->role >= Role::control && !token->expired(daemon_.access().now_s())) return std::nullopt;
    return Error{ErrorCode::unauthenticated,
                 "the token " + quoted(entry.edit.token) + " of the author of the edit is not valid any more",
                 {}};
}

Schedule::Progress Schedule::advance_transaction(const std::shared_ptr<Entry>& entry, const FrameTime::Now& now,
                                                 TimePoint clock) {
    switch (entry->stage) {
        case Entry::Stage::waits:
            if (may_prepare()) prepare(entry);
            // A worker that has finished already leaves it prepared.
            if (entry->stage != Entry::Stage::prepared) return Progress::waits;
            break;
        case Entry::Stage::preparing:
            return Progress::waits;
        case Entry::Stage::failed:
        case Entry::Stage::prepared:
            break;
    }
    const double lead_ns = 2.0 * now.callback_frames * now.frame_ns + kSendAheadNs;
    const double left_ns = now.ns_until(entry->edit.frame) - lead_ns;
    if (entry->stage == Entry::Stage::failed) {
        if (is_outdated(*entry)) return plan_again(*entry, left_ns, clock);
        return Progress::failed;
    }
    if (!entry->fill_frames) {
        const auto fill = engine_.frames_to_wait(entry->state->prepared);
        if (!fill && fill.error().code == ErrorCode::aborted) {
            if (is_outdated(*entry)) return plan_again(*entry, left_ns, clock);
            return refused(entry, fill.error());
        }
        entry->fill_frames = fill.value_or(0);  // other errors count when it is committed
    }
    const double fill_ns = static_cast<double>(*entry->fill_frames) * now.frame_ns;
    if (left_ns - fill_ns <= kSettleAheadNs || clock >= entry->next_settling) {
        if (is_outdated(*entry)) return plan_again(*entry, left_ns - fill_ns, clock);
        entry->next_settling = clock + kSettleInterval;
    }
    if (*entry->fill_frames == 0) return left_ns > 0.0 ? Progress::waits : commit(entry, false);
    // Committed before an earlier edit of the same input, it would hold that back until its own frame.
    const auto is_earlier = [&](const auto& other) {
        return block_of(other->edit.frame) < block_of(entry->edit.frame) && other->edit.is_transaction();
    };
    const bool behind_another =
        std::ranges::any_of(sent_, [&](const auto& other) { return other->must_start && is_earlier(other); }) ||
        std::ranges::any_of(waiting_, is_earlier);
    return left_ns > fill_ns || behind_another ? Progress::waits : commit(entry, true);
}

/// Returns whether a recall was planned for another graph than the present one: then it does not matter whether the engine
/// refuses it. Otherwise the plan leads from the present graph to the scene.
bool Schedule::is_outdated(Entry& entry) const {
    return entry.edit.settle && entry.state != nullptr && !entry.edit.settle(*entry.state);
}

/// Another client has changed the graph since. If that continues after the time of the edit, it fails with this error.
/// `left_ns`: until it must be sent.
Schedule::Progress Schedule::plan_again(Entry& entry, double left_ns, TimePoint clock) {
    if (left_ns > kSettleAheadNs && clock < entry.next_settling) return Progress::waits;
    entry.next_settling = clock + kSettleInterval;
    entry.outdated = std::move(entry.state);
    entry.stage = Entry::Stage::waits;
    entry.fill_frames.reset();
    entry.error = {ErrorCode::aborted, "other clients have changed the graph all the time; nothing has changed", {}};
    return Progress::waits;
}

Schedule::Progress Schedule::commit(const std::shared_ptr<Entry>& entry, bool ahead) {
    const auto admitted = confirmation_.admits(entry->edit.author, false);
    if (!admitted) return refused(entry, admitted.error());
    if (!*admitted) return Progress::waits;
    requests::TransactionState& transaction = *entry->state;
    const auto room = changes_.may_commit(transaction.edit_bytes);
    if (!room) entry->error = room.error();
    if (!room.value_or(false)) return Progress::waits;
    sent_.reserve(sent_.size() + 1);  // nothing may fail once the engine has taken the edit
    AudioGraph before;
    LoadPrediction::Limit limit{.maximum = entry->edit.max_load.value_or(0.0F)};
    const Admission admission = entry->edit.max_load ? load_.admission(limit) : Admission{};
    const auto ticket = ahead ? engine_.commit_ahead(transaction.prepared, entry->edit.frame, &before, admission)
                              : engine_.commit_at(transaction.prepared, entry->edit.frame, &before, admission);
    if (limit.refusal) {
        entry->error = std::move(*limit.refusal);
        if (limit.unmeasured.empty()) return Progress::failed;
        load_.measure_soon(limit.unmeasured);
        return Progress::waits;
    }
    if (!ticket) return refused(entry, ticket.error());
    for (const RelativeChange& change : transaction.prepared.relative_changes()) {
        set_result(*transaction.edits.mutable_edits(static_cast<int>(change.edit_index))->mutable_set_parameter(),
                   change.value);
    }
    entry->revision = ticket->revision;
    entry->must_start = ahead;
    sent_.push_back(entry);
    ComparedStep compared = history_.compare(before);
    history_.record({entry->edit.author, entry->edit.client_name}, ticket->revision, std::move(before),
                    std::move(compared.recorded), transaction.label);
    daemon_.graph_changed();
    static_cast<void>(
        guarded("reporting drawn settings", [&] { requests::report_kept_draws(engine_.graph(), transaction); }));
    static_cast<void>(guarded("reporting a scheduled edit", [&] {
        publish_edits(hub_, {entry->edit.client_name, entry->edit.author}, ticket->revision, transaction.edits,
                      compared.published);
        if (entry->edit.committed) entry->edit.committed(ticket->revision);
        workers_.free(std::move(entry->state));
        commands_.announce(*ticket);
    }));
    return Progress::sent;
}

Schedule::Progress Schedule::set_parameters(const std::shared_ptr<Entry>& entry, TimePoint now) {
    auto changes = to_changes(*entry->edit.parameters);
    if (!changes) {
        entry->error = std::move(changes.error());
        return Progress::failed;
    }
    std::vector<float> results(changes->size());
    std::vector<float> previous(changes->size());
    v1::SetParameters message = *entry->edit.parameters;
    sent_.reserve(sent_.size() + 1);  // nothing may fail once the engine has taken the edit
    const auto ticket = engine_.set_parameters_at(send_frame(*entry), *changes, results, previous);
    if (!ticket) return refused(entry, ticket.error());
    for (std::size_t i = 0; i < changes->size(); ++i) {
        if ((*changes)[i].is_relative()) set_result(*message.mutable_changes(static_cast<int>(i)), results[i]);
    }
    history_.record({entry->edit.author, entry->edit.client_name}, ticket->revision, now, *changes, previous, results);
    confirmation_.parameters_changed(*changes, previous, results);
    daemon_.graph_changed();
    publish_parameters(hub_, {entry->edit.client_name, entry->edit.author}, ticket->revision, message, previous);
    if (!ticket->frame) {
        took_effect(*entry, 0, 0);  // nothing of it is heard
        return Progress::sent;
    }
    entry->serial = ticket->serial;
    entry->start = *ticket->frame;
    sent_.push_back(entry);
    return Progress::sent;
}

Schedule::Progress Schedule::refused(const std::shared_ptr<Entry>& entry, Error error) {
    entry->error = std::move(error);
    if (entry->error.code == ErrorCode::aborted && entry->builds < kMostBuilds) {
        build(entry);
        return Progress::waits;
    }
    const bool full = entry->error.code == ErrorCode::resource_exhausted && !entry->error.edit_index;
    return full ? Progress::waits : Progress::failed;
}

// ---------------------------------------------------------------------------------------------------------------------
// Reports

void Schedule::heard(std::uint64_t revision, std::uint64_t frame) {
    const auto found = std::ranges::find_if(
        sent_, [&](const auto& entry) { return entry->serial == 0 && entry->revision == revision; });
    if (found == sent_.end()) return;
    const std::shared_ptr<Entry> entry = std::move(*found);
    sent_.erase(found);
    took_effect(*entry, block_of(entry->edit.frame), frame);
}

void Schedule::applied(std::uint64_t serial, std::uint64_t frame) {
    const auto found =
        std::ranges::find_if(sent_, [&](const auto& entry) { return entry->serial != 0 && entry->serial == serial; });
    if (found == sent_.end()) return;
    const std::shared_ptr<Entry> entry = std::move(*found);
    sent_.erase(found);
    took_effect(*entry, entry->edit.frame, std::max(frame, entry->start));
}

void Schedule::took_effect(const Entry& entry, std::uint64_t expected, std::uint64_t frame) {
    const std::uint64_t late = frame > expected ? frame - expected : 0;
    publish(late == 0 ? v1::PendingChanged::COMMITTED : v1::PendingChanged::LATE, entry, nullptr, late);
}

void Schedule::publish(v1::PendingChanged::What what, const Entry& entry, const Error* error,
                       std::uint64_t late_frames) {
    const auto fill = [&](v1::Event& event) {
        v1::PendingChanged& changed = *event.mutable_pending_changed();
        changed.set_what(what);
        *changed.mutable_edit() = entry.info;
        changed.set_late_frames(late_frames);
        changed.set_revision(entry.revision);
        if (error != nullptr) to_wire(*error, *changed.mutable_error());
    };
    hub_.publish(std::cref(fill));  // does not allocate, as in publish_edits()
}

std::optional<std::chrono::microseconds> Schedule::interval(TimePoint now) const {
    if (waiting_.empty() && std::ranges::none_of(sent_, [](const auto& entry) { return entry->must_start; }))
        return std::nullopt;
    const auto left = std::chrono::ceil<std::chrono::microseconds>(next_poll_ - now);
    return std::clamp(left, std::chrono::microseconds{50}, std::chrono::microseconds{kRestInterval});
}

}  // namespace rta::api
