// SPDX-License-Identifier: MIT
#include "store/graph_store.h"

#include <pthread.h>

#include <exception>
#include <new>
#include <utility>

#include "document/document.h"

namespace rta::store {

GraphStore::GraphStore(std::string directory, Post post, Owner& owner)
    : folder_{std::move(directory)}, post_{std::move(post)}, owner_{owner} {}

GraphStore::~GraphStore() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock{mutex_};
        job_.reset();
        ending_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

Expected<GraphStore::Restored> GraphStore::restore(const Load& load) {
    const auto opened = folder_.open();
    if (!opened) {
        if (opened.error().code == ErrorCode::already_exists) return std::unexpected(opened.error());
        error_ = opened.error().sentence;
        owner_.store_warning("the graph cannot be saved: " + error_ + "; tried again every second");
    }
    const auto text = read_saved();
    Expected<void> loaded;
    if (!text) {
        loaded = std::unexpected(text.error());
    } else if (*text) {
        loaded = load_saved(load, **text);
    }
    Restored restored = text && !*text ? Restored::nothing : Restored::graph;
    if (restored == Restored::nothing) folder_.end_restore();
    if (!loaded) {
        restored = Restored::damaged;
        owner_.store_warning(keep_aside(loaded.error().sentence) + ", the graph begins empty");
        confirm_restore();
    }
    if (restored == Restored::graph) saved_revision_ = owner_.state().revision;
    if (!opened) {
        busy_ = true;
        hand_over();
    }
    return restored;
}

Expected<std::optional<std::string>> GraphStore::read_saved() {
    try {
        return folder_.read_graph();
    } catch (const std::bad_alloc&) {
        return fail(ErrorCode::resource_exhausted, "there is not enough memory to read " + folder_.graph_path());
    }
}

Expected<void> GraphStore::load_saved(const Load& load, const std::string& text) {
    restoring_ = true;
    if (const unsigned unheard = folder_.begin_restore(); unheard >= kMostUnheard) {
        return fail(ErrorCode::aborted, "rtad died " + std::to_string(unheard) + " times in a row after it had read " +
                                            folder_.graph_path() + " and before it was heard");
    }
    try {
        return load(text);
    } catch (const std::exception& error) {
        owner_.store_warning(keep_aside(error.what()) + ", the next start begins empty");
        confirm_restore();
        throw;
    }
}

/// What is to be told of it, but for what follows from it.
std::string GraphStore::keep_aside(const std::string& why) {
    const auto kept = folder_.keep_aside();
    return "the saved graph cannot be restored: " + why + "; " +
           (kept ? "kept aside as " + *kept : kept.error().sentence);
}

void GraphStore::confirm_restore() {
    if (std::exchange(restoring_, false)) folder_.end_restore();
}

void GraphStore::changed() {
    ++change_;
    if (std::exchange(busy_, true)) return;
    // Later: what else is being done in this turn belongs to the same save.
    post_([this] { hand_over(); });
}

void GraphStore::hand_over() {
    // The folder is about to be the thread's.
    confirm_restore();
    const auto job = std::make_shared<Job>(Job{.state = std::nullopt, .change = change_});
    // A folder that turns up late may hold an older graph: it is left alone as long as there is nothing to save.
    if (change_ > 0) job->state = owner_.state();
    {
        const std::lock_guard lock{mutex_};
        if (ending_) return;
        job_ = job;
    }
    if (thread_.joinable()) {
        wake_.notify_one();
    } else {
        thread_ = std::thread{[this] { run(); }};
    }
}

/// What is not posted would never be saved again.
template <class Task>
void GraphStore::post_surely(const Task& task) {
    while (true) {
        try {
            post_(task);
            return;
        } catch (const std::bad_alloc&) {
            std::unique_lock lock{mutex_};
            if (wake_.wait_for(lock, kRetryInterval, [&] { return ending_; })) return;
        }
    }
}

void GraphStore::run() {
    pthread_setname_np(pthread_self(), "rtad-store");
    std::unique_lock lock{mutex_};
    while (true) {
        wake_.wait(lock, [&] { return job_ || ending_; });
        if (!job_) return;
        const std::shared_ptr<Job> job = std::exchange(job_, nullptr);
        lock.unlock();
        const auto begin = std::chrono::steady_clock::now();
        job->result = save(*job);
        const auto rest = job->result ? kSaveInterval : kRetryInterval;
        lock.lock();
        if (job->result) written_change_ = job->change;
        last_ = job;
        lock.unlock();
        post_surely([this, job] { saved(*job); });
        lock.lock();
        wake_.wait_until(lock, begin + rest, [&] { return ending_; });
        if (ending_) continue;
        lock.unlock();
        post_surely([this] { rested(); });
        lock.lock();
    }
}

Expected<std::optional<std::string>> GraphStore::save(const Job& job) {
    try {
        if (job.state) return folder_.write_graph(write_document(job.state->graph.document()));
        if (auto opened = folder_.open(); !opened) return std::unexpected(std::move(opened.error()));
        return std::nullopt;
    } catch (const std::exception& error) {
        // The document of a large graph is what takes memory here; nothing of it has been written.
        return fail(ErrorCode::resource_exhausted, "cannot write " + folder_.graph_path() + ": " + error.what());
    }
}

void GraphStore::saved(Job& job) {
    // Let go of here: a graph finds out whether it may change a node in place by counting who shares it.
    const std::optional<State> state = std::exchange(job.state, std::nullopt);
    if (!job.result) {
        const bool news = std::exchange(error_, job.result.error().sentence).empty();
        if (news) owner_.store_warning("the graph cannot be saved: " + error_ + "; tried again every second");
        return;
    }
    saved_change_ = job.change;
    if (state) saved_revision_ = state->revision;
    if (const auto& kept = *job.result) {
        owner_.store_warning(folder_.graph_path() + " was not written by this rtad: kept aside as " + *kept);
    }
    if (!std::exchange(error_, {}).empty()) {
        owner_.store_recovered("the state folder " + folder_.path() + " can be written again: the graph is saved");
    }
}

void GraphStore::rested() {
    busy_ = change_ != saved_change_ || !error_.empty();
    if (busy_) hand_over();
}

Expected<void> GraphStore::finish() {
    {
        const std::lock_guard lock{mutex_};
        if (written_change_ != change_) {
            job_ = std::make_shared<Job>(Job{.state = owner_.state(), .change = change_});
        }
        ending_ = true;
    }
    if (!thread_.joinable()) {
        if (!job_) return {};
        thread_ = std::thread{[this] { run(); }};
    }
    wake_.notify_one();
    thread_.join();
    if (written_change_ == change_) return {};
    return std::unexpected(last_->result.error());
}

StoreStatus GraphStore::status() const {
    return {.directory = folder_.path(),
            .saved_revision = saved_revision_,
            .up_to_date = saved_change_ == change_ && error_.empty(),
            .error = error_};
}

}  // namespace rta::store
