// SPDX-License-Identifier: MIT
#include "store/graph_store.h"

#include <pthread.h>

#include <exception>
#include <new>
#include <utility>

#include "document/document.h"
#include "store/history_file.h"

namespace rta::store {
namespace {

/// Returns whether loading failed because of what was saved, rather than of the state of the machine.
bool is_damage(const Error& error) {
    return error.code != ErrorCode::unavailable && error.code != ErrorCode::resource_exhausted;
}

}  // namespace

GraphStore::GraphStore(std::string directory, Post post, Owner& owner)
    : folder_{std::move(directory)}, post_{std::move(post)}, owner_{owner} {}

GraphStore::~GraphStore() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock{mutex_};
        job_.reset();
        stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

Expected<GraphStore::Restored> GraphStore::restore(const Load& load, const LoadHistory& load_history) {
    const auto opened = folder_.open();
    if (!opened) {
        if (opened.error().code == ErrorCode::already_exists) return std::unexpected(opened.error());
        error_ = opened.error().sentence;
        owner_.store_warning("the state cannot be saved: " + error_ + "; retrying every second");
    }
    const auto graph = restore_graph(load, load_history);
    // Without the folder, the reason is that of opening it.
    if (!graph) return std::unexpected(opened ? graph.error() : opened.error());
    const auto output = restore_output();
    if (!output) {
        confirm_restore();  // the graph did not cause this failure
        return std::unexpected(opened ? output.error() : opened.error());
    }
    if (!opened && !std::exchange(busy_, true)) start_save();
    return Restored{*graph, *output};
}

Expected<GraphStore::RestoredGraph> GraphStore::restore_graph(const Load& load, const LoadHistory& load_history) {
    const auto text = read_saved();
    if (text && !*text) {
        folder_.end_restore();
        return RestoredGraph::none;
    }
    const Expected<void> loaded = text ? load_saved(load, **text) : std::unexpected(text.error());
    if (loaded) {
        known_.graph = true;
        saved_revision_ = owner_.state().revision;
        if (load_history) restore_history(**text, load_history);
        return RestoredGraph::loaded;
    }
    if (!is_damage(loaded.error())) return std::unexpected(loaded.error());
    owner_.store_warning(rename_unrestorable(loaded.error().sentence) + "; starting without it");
    confirm_restore();
    return RestoredGraph::damaged;
}

void GraphStore::restore_history(const std::string& graph, const LoadHistory& load_history) {
    const auto loaded = load_saved_history(graph, load_history);
    if (loaded && *loaded) return;
    if (loaded) {
        return owner_.store_warning("a new history is started: " + folder_.graph_path() +
                                    " is not the graph to which the saved history has led");
    }
    std::string consequence;
    if (is_damage(loaded.error())) {
        const auto renamed = folder_.rename_histories();
        consequence = renamed ? "; renamed to " + *renamed : "; " + renamed.error().sentence;
    }
    owner_.store_warning("a new history is started, because the saved one cannot be restored: " +
                         folder_.history_path() + ": " + loaded.error().sentence + consequence);
}

/// Returns whether the saved history belongs to the graph and was loaded, or there is none.
Expected<bool> GraphStore::load_saved_history(const std::string& graph, const LoadHistory& load_history) {
    const auto saved = folder_.read_histories();
    if (!saved) return std::unexpected(saved.error());
    // A crash may have left a next one whose graph was not written any more.
    for (const auto* const file : {&saved->next, &saved->current}) {
        if (!*file) continue;
        auto history = read_history_file(**file, graph);
        if (!history) return std::unexpected(std::move(history.error()));
        if (!*history) continue;
        if (auto loaded = load_history(**history); !loaded) return std::unexpected(std::move(loaded.error()));
        // The next save overwrites it, and may be interrupted, too. On a read-only disk, there is none.
        if (file == &saved->next) static_cast<void>(folder_.accept_next_history());
        return true;
    }
    return !saved->next && !saved->current;
}

Expected<OutputState> GraphStore::restore_output() {
    const auto text = folder_.read_output();
    if (text && !*text) return OutputState{};
    if (!text && !is_damage(text.error())) return std::unexpected(text.error());
    const auto state = text ? read_output_state(**text) : std::unexpected(text.error());
    known_.output = state.has_value();
    if (state) return state;
    const auto renamed = folder_.rename_output();
    owner_.store_warning("the output starts muted, because its state cannot be restored: " + folder_.output_path() +
                         ": " + state.error().sentence + "; " +
                         (renamed ? "renamed to " + *renamed : renamed.error().sentence));
    output_changed();
    return OutputState{.muted = true};
}

Expected<std::optional<std::string>> GraphStore::read_saved() {
    try {
        return folder_.read_graph();
    } catch (const std::bad_alloc&) {
        return fail(ErrorCode::resource_exhausted, "not enough memory to read " + folder_.graph_path());
    }
}

Expected<void> GraphStore::load_saved(const Load& load, const std::string& text) {
    restoring_ = true;
    if (const unsigned failed = folder_.begin_restore(); failed >= kMaximumFailedRestores) {
        return fail(
            ErrorCode::aborted,
            std::to_string(failed) + " starts in a row have failed while rtad was restoring " + folder_.graph_path());
    }
    return load(text);
}

/// Renames a graph that cannot be restored. Returns the warning, without its consequence.
std::string GraphStore::rename_unrestorable(const std::string& why) {
    const auto renamed = folder_.rename_graph();
    return "the saved graph cannot be restored: " + why + "; " +
           (renamed ? "renamed to " + *renamed : renamed.error().sentence);
}

void GraphStore::confirm_restore() {
    if (std::exchange(restoring_, false)) folder_.end_restore();
}

void GraphStore::graph_changed() {
    ++changes_.graph;
    changed();
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

void GraphStore::start_save() {
    // From here on, only the thread uses the folder.
    confirm_restore();
    const std::shared_ptr<Job> job = job_since(saved_changes_);
    {
        const std::lock_guard lock{mutex_};
        if (stopping_) return;
        job_ = job;
    }
    if (thread_.joinable()) {
        wake_.notify_one();
    } else {
        thread_ = std::thread{[this] { run(); }};
    }
}

/// Returns a job that saves what has changed. A folder that appears late may contain an older graph, which stays
/// untouched until there is a change to save.
std::shared_ptr<GraphStore::Job> GraphStore::job_since(const Changes& saved) const {
    const auto job = std::make_shared<Job>();
    job->changes = changes_;
    job->graph = changes_.graph != saved.graph;
    job->output = changes_.output != saved.output;
    if (job->graph || job->output) job->state = owner_.state();
    return job;
}

/// A lost notification would leave busy_ set, and nothing would be saved any more.
template <class Task>
void GraphStore::post_with_retry(const Task& task) {
    while (true) {
        try {
            post_(task);
            return;
        } catch (const std::bad_alloc&) {
            std::unique_lock lock{mutex_};
            if (wake_.wait_for(lock, kRetryInterval, [&] { return stopping_; })) return;
        }
    }
}

void GraphStore::run() {
    pthread_setname_np(pthread_self(), "rtad-store");
    std::unique_lock lock{mutex_};
    while (true) {
        wake_.wait(lock, [&] { return job_ || stopping_; });
        if (!job_) return;
        const std::shared_ptr<Job> job = std::exchange(job_, nullptr);
        lock.unlock();
        const auto begin = std::chrono::steady_clock::now();
        job->result = save(*job);
        const auto interval = job->result ? kSaveInterval : kRetryInterval;
        lock.lock();
        if (job->result) written_changes_ = job->changes;
        last_ = job;
        lock.unlock();
        post_with_retry([this, job] { saved(*job); });
        lock.lock();
        wake_.wait_until(lock, begin + interval, [&] { return stopping_; });
        if (stopping_) continue;
        lock.unlock();
        post_with_retry([this] { interval_elapsed(); });
        lock.lock();
    }
}

Expected<std::optional<std::string>> GraphStore::save(Job& job) {
    try {
        const bool reopens = !folder_.is_open();
        if (auto opened = folder_.open(); !opened) return std::unexpected(std::move(opened.error()));
        if (reopens) lost_ = known_;
        if (!job.state) return std::nullopt;
        // One that cannot be written does not prevent the other.
        Expected<void> output_saved;
        if (job.output || lost_.output) {
            output_saved = folder_.write_output(write_output_state(job.state->output));
            if (output_saved) known_.output = true;
            if (output_saved) lost_.output = false;
        }
        Expected<std::optional<std::string>> graph_saved = std::nullopt;
        if (job.graph || lost_.graph) {
            graph_saved = save_graph(job);
            if (graph_saved) known_.graph = true;
            if (graph_saved) lost_.graph = false;
        }
        if (graph_saved && !output_saved) return std::unexpected(output_saved.error());
        return graph_saved;
    } catch (const std::exception& error) {
        // Out of memory for the document of a large graph.
        return fail(ErrorCode::resource_exhausted, "cannot write " + folder_.graph_path() + ": " + error.what());
    }
}

/// Writes the history first, under another name: whatever a crash leaves, one of the two histories belongs to the graph.
/// The graph is saved without a history that cannot be: only undo after a restart is lost.
Expected<std::optional<std::string>> GraphStore::save_graph(Job& job) {
    const std::string graph = write_document(job.state->graph.document());
    if (!job.state->history) return folder_.write_graph(graph);
    if (auto file = write_history_file(job.state->history(), graph)) {
        job.history = folder_.write_next_history(*file);
    } else {
        job.history = std::unexpected(std::move(file.error()));
    }
    auto written = folder_.write_graph(graph);
    if (written && job.history) job.history = folder_.accept_next_history();
    return written;
}

void GraphStore::saved(Job& job) {
    // Released on this thread: the graph changes a node in place only if its use count shows that it is not shared.
    const std::optional<State> state = std::exchange(job.state, std::nullopt);
    if (!job.result) {
        const bool is_new = std::exchange(error_, job.result.error().sentence).empty();
        if (is_new) owner_.store_warning("the state cannot be saved: " + error_ + "; retrying every second");
        return;
    }
    saved_changes_ = job.changes;
    if (job.graph) saved_revision_ = state->revision;
    if (const auto& renamed = *job.result) {
        owner_.store_warning(folder_.graph_path() + " was not written by this rtad: renamed to " + *renamed);
    }
    if (job.graph) history_saved(job.history);
    if (!std::exchange(error_, {}).empty()) {
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
    busy_ = changes_ != saved_changes_ || !error_.empty();
    if (busy_) start_save();
}

Expected<void> GraphStore::finish() {
    {
        const std::lock_guard lock{mutex_};
        if (written_changes_ != changes_) job_ = job_since(written_changes_);
        stopping_ = true;
    }
    if (!thread_.joinable()) {
        if (!job_) return {};
        thread_ = std::thread{[this] { run(); }};
    }
    wake_.notify_one();
    thread_.join();
    if (written_changes_ == changes_) return {};
    return std::unexpected(last_->result.error());
}

StoreStatus GraphStore::status() const {
    return {.directory = folder_.path(),
            .saved_revision = saved_revision_,
            .up_to_date = saved_changes_ == changes_ && error_.empty(),
            .error = error_};
}

}  // namespace rta::store
