// SPDX-License-Identifier: MIT
#include "store/graph_store.h"

#include <pthread.h>

#include <algorithm>
#include <exception>
#include <iterator>
#include <limits>
#include <new>
#include <utility>

#include "document/document.h"
#include "store/digest.h"
#include "store/history_file.h"

namespace rta::store {
namespace {

/// Space that is reserved for changes to come, unless the disk is nearly full.
constexpr std::size_t kReservedAhead = 4 * Journal::kPieceBytes;

}  // namespace

GraphStore::GraphStore(std::string directory, Post post, Owner& owner, Settings settings)
    : settings_{settings}, folder_{std::move(directory), settings.files}, post_{std::move(post)}, owner_{owner} {}

GraphStore::~GraphStore() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock{mutex_};
        job_.reset();
        records_.clear();
        stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

// ---------------------------------------------------------------------------------------------------------------------
// Restoring

Expected<GraphStore::Restored> GraphStore::restore(const Load& load, const LoadHistory& load_history,
                                                   const Replay& replay) {
    const auto opened = folder_.open();
    for (const std::string& note : folder_.take_notes()) owner_.store_warning(note);
    if (!opened) {
        if (opened.error().code == ErrorCode::already_exists) return std::unexpected(opened.error());
        error_ = opened.error().sentence;
        owner_.store_warning("the state cannot be saved: " + error_ + "; retrying every second");
    }
    GraphRestore restoration{folder_, owner_, {load, load_history, replay}};
    auto restored = restoration.run();
    restoring_ = restoration.begun();
    // Without the folder, the reason is that of opening it.
    if (!restored) return std::unexpected(opened ? restored.error() : opened.error());
    known_ = {.graph = restored->has_graph_file, .output = restored->has_output_file};
    saved_base_ = restored->base;
    number_ = saved_number_ = restored->number;
    other_journal_ = restored->journaled;
    if (restored->graph == RestoredGraph::loaded) saved_revision_ = owner_.state().revision;
    if (restored->replayed) {
        graph_due_ = true;
        ++changes_.graph;
    }
    if (restored->output_damaged) output_changed();
    if (!opened && !std::exchange(busy_, true)) start_save();
    return restored;
}

void GraphStore::confirm_restore() {
    if (std::exchange(restoring_, false)) folder_.end_restore();
}

// ---------------------------------------------------------------------------------------------------------------------
// Changes

void GraphStore::graph_changed() {
    ++changes_.graph;
    if (!has_journal()) return changed();
    // Without a journal, nothing else saves what was loaded at the start.
    if (!journal_known_) graph_due_ = true;
}

void GraphStore::output_changed() {
    ++changes_.output;
    changed();
}

void GraphStore::changed() {
    if (std::exchange(busy_, true)) return;
    // Deferred, so that later changes of the same turn of the event loop are part of this save.
    post_([this] { start_save(); });
}

void GraphStore::start_journal() {
    if (has_journal() ? !journal_known_ : is_unsaved()) changed();
}

Expected<bool> GraphStore::reserve(std::size_t bytes) {
    if (!has_journal()) return true;
    const std::size_t needed = promised_ + journal_bytes(bytes);
    if (journal_open_ && needed <= room_) return true;
    if (full_) {
        return fail(ErrorCode::resource_exhausted,
                    "the change cannot be saved, because the disk of " + folder_.path() + " is full: " +
                        full_->sentence + "; nothing has changed; changes are accepted again when there is space");
    }
    if (!journal_known_) {
        start_journal();
        return false;
    }
    // What is not saved now is saved with the whole graph, later.
    if (!journal_open_) return needed <= Journal::kMaximumBytes;
    {
        const std::lock_guard lock{mutex_};
        wanted_room_ = std::max(wanted_room_, needed);
    }
    wake_.notify_one();
    return false;
}

void GraphStore::record(Record record) {
    const std::size_t bytes = journal_bytes(record.content.size());
    promised_ += bytes;
    {
        const std::lock_guard lock{mutex_};
        records_.push_back({std::move(record), changes_, ++number_, bytes});
    }
    wake();
}

void GraphStore::record_lost() {
    if (!has_journal()) return;
    {
        const std::lock_guard lock{mutex_};
        records_.push_back({.record = {}, .changes = changes_, .number = ++number_, .bytes = 0, .lost = true});
    }
    wake();
}

void GraphStore::wake() {
    if (thread_.joinable()) {
        wake_.notify_one();
    } else {
        thread_ = std::thread{[this] { run(); }};
    }
}

void GraphStore::start_save() {
    // From here on, only the thread uses the folder.
    confirm_restore();
    const std::shared_ptr<Job> job = job_since(saved_changes_);
    {
        const std::lock_guard lock{mutex_};
        if (stopping_) return;
        job_ = job;
    }
    wake();
}

/// Returns a job that saves what has changed. A folder that appears late may contain an older graph, which stays
/// untouched until there is a change to save.
std::shared_ptr<GraphStore::Job> GraphStore::job_since(const Changes& saved) const {
    const auto job = std::make_shared<Job>();
    job->changes = changes_;
    job->number = number_;
    job->graph = has_journal() ? graph_due_ : changes_.graph != saved.graph;
    job->output = changes_.output != saved.output;
    if (job->graph || job->output || has_journal()) job->state = owner_.state();
    return job;
}

/// Returns whether something must be saved other than by records.
bool GraphStore::is_unsaved() const {
    if (!error_.empty() || changes_.output != saved_changes_.output) return true;
    return has_journal() ? graph_due_ || (journal_known_ && !journal_open_) : changes_.graph != saved_changes_.graph;
}

void GraphStore::graph_is_due() {
    if (number_ == saved_number_) return;
    graph_due_ = true;
    if (!std::exchange(busy_, true)) start_save();
}

// ---------------------------------------------------------------------------------------------------------------------
// The thread

/// A lost notification would leave busy_ set, and nothing would be saved any more.
template <class Task>
void GraphStore::post_with_retry(const Task& task) {
    while (true) {
        try {
            post_(task);
            return;
        } catch (const std::bad_alloc&) {
            std::unique_lock lock{mutex_};
            if (wake_.wait_for(lock, settings_.retry_interval, [&] { return stopping_; })) return;
        }
    }
}

void GraphStore::run() {
    pthread_setname_np(pthread_self(), "rtad-store");
    const auto passed = [](std::optional<TimePoint>& time) {
        if (!time || std::chrono::steady_clock::now() < *time) return false;
        time.reset();
        return true;
    };
    const auto post = [this](std::unique_lock<std::mutex>& lock, void (GraphStore::*task)()) {
        lock.unlock();
        post_with_retry([this, task] { (this->*task)(); });
        lock.lock();
    };
    std::unique_lock lock{mutex_};
    while (true) {
        if (job_) {
            run_job(lock);
        } else if (is_record_due(std::chrono::steady_clock::now())) {
            run_records(lock, std::numeric_limits<std::uint64_t>::max());
        } else if (stopping_) {
            return;
        } else if (passed(interval_end_)) {
            post(lock, &GraphStore::interval_elapsed);
        } else if (passed(journal_end_)) {
            post(lock, &GraphStore::graph_is_due);
        } else if (const auto time = next_time()) {
            wake_.wait_until(lock, *time);
        } else {
            wake_.wait(lock);
        }
    }
}

/// Returns whether records must be written, or space be reserved, now. Under mutex_.
bool GraphStore::is_record_due(TimePoint now) const {
    if (!records_.empty() || wanted_room_ != 0) return stopping_ || now >= next_write_;
    return room_retry_ && !stopping_ && now >= *room_retry_;
}

/// Returns when the thread must do something next. Under mutex_.
std::optional<GraphStore::TimePoint> GraphStore::next_time() const {
    std::optional<TimePoint> next;
    const auto consider = [&](const std::optional<TimePoint>& time) {
        if (time && (!next || *time < *next)) next = time;
    };
    if (!records_.empty() || wanted_room_ != 0) consider(next_write_);
    consider(interval_end_);
    consider(journal_end_);
    consider(room_retry_);
    return next;
}

void GraphStore::run_job(std::unique_lock<std::mutex>& lock) {
    const std::shared_ptr<Job> job = std::exchange(job_, nullptr);
    // The state contains them: a new journal must not.
    run_records(lock, job->number);
    lock.unlock();
    const auto begin = std::chrono::steady_clock::now();
    job->result = save(*job);
    job->journal_open = is_journal_open();
    if (job->journal_open) job->room = offer_room(0);
    interval_end_ = begin + (job->result ? settings_.save_interval : settings_.retry_interval);
    lock.lock();
    if (job->result) {
        written_changes_.output = job->changes.output;
        if (job->graph || !has_journal()) written_changes_.graph = std::max(written_changes_.graph, job->changes.graph);
    }
    last_ = job;
    lock.unlock();
    post_with_retry([this, job] { saved(*job); });
    lock.lock();
}

/// Writes the records up to a number, and reserves space for further ones.
void GraphStore::run_records(std::unique_lock<std::mutex>& lock, std::uint64_t last) {
    const auto written = std::make_shared<Written>();
    const auto end = std::ranges::find_if(records_, [last](const Pending& one) { return one.number > last; });
    written->records.assign(std::make_move_iterator(records_.begin()), std::make_move_iterator(end));
    records_.erase(records_.begin(), end);
    const std::size_t wanted = std::exchange(wanted_room_, 0);
    if (written->records.empty() && wanted == 0 && !room_retry_) return;
    lock.unlock();
    next_write_ = std::chrono::steady_clock::now() + kJournalInterval;
    if (!written->records.empty()) written->result = write(*written);
    if (!written->result) records_lost_ = true;
    for (const Pending& pending : written->records) kept_room_ -= std::min(kept_room_, pending.bytes);
    written->journal_open = is_journal_open();
    if (written->journal_open) {
        // Some more, so that the next changes need not wait for it.
        if (!journal_->reserve(wanted + kReservedAhead))
            written->reserved = journal_->reserve(wanted + Journal::kPieceBytes / 2);
        written->room = offer_room(wanted);
        written->journal_is_long =
            journal_->entry_bytes() >= kJournalBytes || journal_->entry_count() >= settings_.journal_entries;
    }
    room_retry_.reset();
    if (!written->reserved) room_retry_ = std::chrono::steady_clock::now() + settings_.retry_interval;
    lock.lock();
    if (written->result && !written->records.empty()) {
        written_changes_.graph = std::max(written_changes_.graph, written->records.back().changes.graph);
    }
    lock.unlock();
    post_with_retry([this, written] { records_written(*written); });
    lock.lock();
}

/// Returns how many bytes the control thread may promise from now on. More are kept for it, as long as it may still promise
/// what was offered before. What is reserved beyond that is left for the history: otherwise each write with a history would
/// make the journal longer than its entries.
std::size_t GraphStore::offer_room(std::size_t wanted) {
    const std::size_t room = std::min(journal_->room(), wanted + kReservedAhead);
    kept_room_ = std::max(kept_room_, room);
    return room;
}

/// Returns whether the journal is open and still in its folder.
bool GraphStore::is_journal_open() const { return journal_ != nullptr && journal_->is_open() && folder_.is_open(); }

Expected<void> GraphStore::write(Written& written) {
    try {
        if (!is_journal_open()) {
            if (journal_ != nullptr) journal_->close();
            return fail(ErrorCode::unavailable, folder_.journal_path() + " is not open");
        }
        if (std::ranges::any_of(written.records, &Pending::lost)) {
            journal_->close();
            return fail(ErrorCode::unavailable, "memory ran out for a change");
        }
        std::vector<JournalEntry> entries;
        entries.reserve(written.records.size());
        std::size_t history_bytes = 0;
        for (Pending& pending : written.records) {
            JournalEntry& entry = entries.emplace_back(
                JournalEntry{pending.record.revision, std::move(pending.record.content), std::nullopt});
            if (journal_history_lost_) continue;
            entry.history = pending.record.history ? pending.record.history() : "";
            history_bytes += entry.history->size();
        }
        // Space was reserved for the changes only: without space for the history, they are recorded without it.
        const auto reserved = history_bytes == 0 ? Expected<void>{} : journal_->reserve(kept_room_ + history_bytes);
        if (!reserved) {
            for (JournalEntry& entry : entries) entry.history.reset();
            journal_history_lost_ = reserved.error();
        }
        if (journal_history_lost_) written.history = std::unexpected(*journal_history_lost_);
        auto appended = journal_->append(entries);
        if (!appended) journal_->close();
        if (appended && !journal_end_) journal_end_ = std::chrono::steady_clock::now() + kJournalAge;
        return appended;
    } catch (const std::exception& error) {
        if (journal_ != nullptr) journal_->close();
        return fail(ErrorCode::unavailable, "cannot write " + folder_.journal_path() + ": " + error.what());
    }
}

Expected<std::optional<std::string>> GraphStore::save(Job& job) {
    try {
        const bool reopens = !folder_.is_open();
        if (auto opened = folder_.open(); !opened) return std::unexpected(std::move(opened.error()));
        job.notes = folder_.take_notes();
        if (reopens) lost_ = known_;
        if (reopens && journal_ != nullptr) journal_->close();
        if (!job.state) return std::nullopt;
        // One that cannot be written does not prevent the other.
        Expected<void> output_saved;
        if (job.output || lost_.output) {
            output_saved = folder_.write_output(write_output_state(job.state->output));
            if (output_saved) known_.output = true;
            if (output_saved) lost_.output = false;
        }
        Expected<std::optional<std::string>> graph_saved = std::nullopt;
        job.graph = job.graph || lost_.graph || records_lost_;
        if (job.graph) {
            graph_saved = save_graph(job);
            if (graph_saved) known_.graph = true;
            if (graph_saved) lost_.graph = false;
            if (graph_saved) records_lost_ = false;
        } else if (has_journal() && !is_journal_open()) {
            saved_base_.next_number = job.number + 1;
            auto next = next_journal(saved_base_);
            auto begun = next ? accept_journal(std::move(*next), saved_base_) : std::unexpected(next.error());
            if (!begun) graph_saved = std::unexpected(std::move(begun.error()));
        }
        if (graph_saved && !output_saved) return std::unexpected(output_saved.error());
        return graph_saved;
    } catch (const std::exception& error) {
        // Out of memory for the document of a large graph.
        return fail(ErrorCode::unavailable, "cannot write " + folder_.graph_path() + ": " + error.what());
    }
}

/// Writes the history and the next journal first, under other names: whatever a crash leaves, one of the two histories,
/// and one of the two journals, belongs to the graph. The graph is saved without a history that cannot be: only undo after
/// a restart is lost.
Expected<std::optional<std::string>> GraphStore::save_graph(Job& job) {
    using History = JournalBase::History;
    const std::string graph = write_document(job.state->graph.document());
    JournalBase base{.history = History::empty, .next_number = job.number + 1};
    if (job.state->history) {
        if (auto file = write_history_file(job.state->history(), graph)) {
            job.history = folder_.write_next_history(*file);
        } else {
            job.history = std::unexpected(std::move(file.error()));
        }
        base.history = job.history ? History::saved : History::lost;
    }
    std::unique_ptr<Journal> journal;
    if (has_journal()) {
        auto hash = sha256_digits(graph);
        if (!hash) return std::unexpected(std::move(hash.error()));
        base.graph = std::move(*hash);
        auto next = next_journal(base);
        if (!next) return std::unexpected(std::move(next.error()));
        journal = std::move(*next);
    }
    auto written = folder_.write_graph(graph);
    if (!folder_.has_replaced_graph()) {
        folder_.remove_next_journal();
        return written;
    }
    if (job.state->history && job.history) job.history = folder_.accept_next_history();
    // It belongs to an earlier graph: at the next start, this one would look as if it had been edited by hand.
    if (!job.history) folder_.remove_history();
    if (journal != nullptr) {
        auto accepted = accept_journal(std::move(journal), std::move(base));
        // Which of the graphs is on the disk is not known: another attempt must succeed before changes are durable.
        if (!written) journal_->close();
        if (written && !accepted) return std::unexpected(std::move(accepted.error()));
    } else if (written && std::exchange(other_journal_, false)) {
        folder_.remove_journal();
    }
    return written;
}

Expected<std::unique_ptr<Journal>> GraphStore::next_journal(const JournalBase& base) {
    auto journal = std::make_unique<Journal>(settings_.files);
    auto created = folder_.create_next_journal(*journal, base);
    if (created) return journal;
    folder_.remove_next_journal();
    return std::unexpected(std::move(created.error()));
}

/// The previous journal does not belong to the graph any more.
Expected<void> GraphStore::accept_journal(std::unique_ptr<Journal> next, JournalBase base) {
    journal_ = std::move(next);
    saved_base_ = std::move(base);
    journal_history_lost_.reset();
    if (saved_base_.history == JournalBase::History::lost)
        journal_history_lost_ = Error{ErrorCode::unavailable, "the history before it was not saved", {}};
    journal_end_.reset();
    auto accepted = folder_.accept_next_journal();
    if (!accepted) journal_->close();
    return accepted;
}

// ---------------------------------------------------------------------------------------------------------------------
// Results

void GraphStore::saved(Job& job) {
    // Released on this thread: the graph changes a node in place only if its use count shows that it is not shared.
    const std::optional<State> state = std::exchange(job.state, std::nullopt);
    const bool had_journal = journal_open_;
    for (const std::string& note : job.notes) owner_.store_warning(note);
    if (has_journal()) room_reported(job.room, job.journal_open);
    if (!job.result) {
        const bool is_new = std::exchange(error_, job.result.error().sentence).empty();
        if (is_new) {
            owner_.store_warning((job.journal_open ? "the graph cannot be saved, and stays in the journal: "
                                                   : "the state cannot be saved: ") +
                                 error_ + "; retrying every second");
        }
        if (has_journal() && !job.journal_open && job.result.error().code == ErrorCode::resource_exhausted)
            full_ = job.result.error();
        return owner_.room_changed();
    }
    saved_changes_.output = job.changes.output;
    if (job.graph || !has_journal()) saved_changes_.graph = std::max(saved_changes_.graph, job.changes.graph);
    if (job.graph) {
        saved_revision_ = std::max(saved_revision_, state->revision);
        saved_number_ = job.number;
        graph_due_ = false;
    }
    if (const auto& renamed = *job.result) {
        owner_.store_warning(folder_.graph_path() + " was not written by this rtad: renamed to " + *renamed);
    }
    if (job.graph) history_saved(job.history);
    const bool new_journal = job.graph || !had_journal;
    const bool was_full = new_journal && std::exchange(full_, std::nullopt).has_value();
    if (!std::exchange(error_, {}).empty() || was_full) {
        owner_.store_recovered("the state directory " + folder_.path() + " can be written again; the state is saved");
    }
    owner_.room_changed();
}

void GraphStore::records_written(Written& written) {
    for (const Pending& pending : written.records) promised_ -= pending.bytes;
    room_reported(written.room, written.journal_open);
    if (!written.result) {
        graph_due_ = true;
        if (error_.empty()) {
            error_ = written.result.error().sentence;
            owner_.store_warning("the state cannot be saved: " + error_ + "; retrying every second");
        }
    } else if (!written.records.empty()) {
        saved_changes_.graph = std::max(saved_changes_.graph, written.records.back().changes.graph);
        saved_revision_ = std::max(saved_revision_, written.records.back().record.revision);
        history_saved(written.history);
    }
    if (written.journal_open) reservation_done(written.reserved);
    graph_due_ = graph_due_ || written.journal_is_long || !written.history;
    if (is_unsaved() && !std::exchange(busy_, true)) start_save();
    // Released on this thread, as in saved().
    const std::vector<Pending> records = std::exchange(written.records, {});
    for (const Pending& pending : records) {
        if (pending.record.done) pending.record.done(written.result.has_value());
    }
    owner_.room_changed();
}

void GraphStore::room_reported(std::size_t room, bool journal_open) {
    room_ = room;
    journal_open_ = journal_open;
    journal_known_ = true;
}

void GraphStore::reservation_done(const Expected<void>& reserved) {
    const bool was_full = full_.has_value();
    full_ = reserved ? std::nullopt : std::optional{reserved.error()};
    if (full_ && !was_full && error_.empty()) {
        owner_.store_warning("the state cannot be saved: " + full_->sentence +
                             "; changes of the graph are refused when the space that is left has been used");
    } else if (!full_ && was_full && error_.empty()) {
        owner_.store_recovered("the state directory " + folder_.path() + " can be written again; the state is saved");
    }
}

void GraphStore::history_saved(const Expected<void>& history) {
    const bool was_lost = std::exchange(history_lost_, !history);
    if (history_lost_ && !was_lost) {
        owner_.store_warning("the history of changes is not saved, and lost if rtad exits now: " +
                             history.error().sentence + "; the graph is saved");
    } else if (was_lost && !history_lost_) {
        owner_.store_recovered("the history of changes is saved again");
    }
}

void GraphStore::interval_elapsed() {
    busy_ = is_unsaved();
    if (busy_) start_save();
}

Expected<void> GraphStore::finish() {
    {
        const std::lock_guard lock{mutex_};
        // Without anything to save, a folder without a graph stays without one.
        graph_due_ = graph_due_ || number_ != saved_number_ || written_changes_.graph != changes_.graph;
        if (written_changes_ != changes_ || (has_journal() && graph_due_)) job_ = job_since(written_changes_);
        stopping_ = true;
    }
    if (!thread_.joinable()) {
        if (!job_) return {};
        thread_ = std::thread{[this] { run(); }};
    }
    wake_.notify_one();
    thread_.join();
    if (written_changes_ == changes_) {
        // Its records are on the disk.
        if (last_ != nullptr && !last_->result) owner_.store_warning(last_->result.error().sentence);
        return {};
    }
    if (last_ == nullptr || last_->result) return fail(ErrorCode::unavailable, "not everything could be saved");
    return std::unexpected(last_->result.error());
}

StoreStatus GraphStore::status() const {
    const std::string why = error_.empty() && full_ ? full_->sentence : error_;
    return {.directory = folder_.path(),
            .saved_revision = saved_revision_,
            .up_to_date = saved_changes_ == changes_ && (error_.empty() || journal_open_),
            .error = why,
            .durability = has_journal() ? "sync" : "async"};
}

}  // namespace rta::store
