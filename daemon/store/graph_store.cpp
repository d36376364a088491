// SPDX-License-Identifier: MIT
#include "store/graph_store.h"

#include <pthread.h>

#include <memory>
#include <utility>

#include "graph/document.h"

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
    const auto text = folder_.read_graph();
    Expected<void> loaded;
    if (!text) {
        loaded = std::unexpected(text.error());
    } else if (*text) {
        loaded = load(**text);
    }
    Restored restored = text && !*text ? Restored::nothing : Restored::graph;
    if (!loaded) {
        restored = Restored::damaged;
        const auto kept = folder_.keep_aside();
        owner_.store_warning("the saved graph cannot be restored: " + loaded.error().sentence + "; " +
                             (kept ? "kept aside as " + *kept : kept.error().sentence) + ", the graph begins empty");
    }
    if (restored == Restored::graph) saved_revision_ = owner_.state().revision;
    if (!opened) {
        busy_ = true;
        hand_over();
    }
    return restored;
}

void GraphStore::changed() {
    ++change_;
    if (std::exchange(busy_, true)) return;
    // Later: what else is being done in this turn belongs to the same save.
    post_([this] { hand_over(); });
}

void GraphStore::hand_over() {
    Job job{.state = std::nullopt, .change = change_};
    // A folder that turns up late may hold an older graph: it is left alone as long as there is nothing to save.
    if (change_ > 0) job.state = owner_.state();
    {
        const std::lock_guard lock{mutex_};
        if (ending_) return;
        job_ = std::move(job);
    }
    if (thread_.joinable()) {
        wake_.notify_one();
    } else {
        thread_ = std::thread{[this] { run(); }};
    }
}

void GraphStore::run() {
    pthread_setname_np(pthread_self(), "rtad-store");
    std::unique_lock lock{mutex_};
    while (true) {
        wake_.wait(lock, [&] { return job_ || ending_; });
        if (!job_) return;
        const auto job = std::make_shared<Job>(*std::exchange(job_, std::nullopt));
        lock.unlock();
        const auto begin = std::chrono::steady_clock::now();
        auto result = save(*job);
        lock.lock();
        if (result) written_change_ = job->change;
        last_save_ = result;
        lock.unlock();
        const auto rest = result ? kSaveInterval : kRetryInterval;
        post_([this, job, result = std::move(result)] { saved(*job, result); });
        lock.lock();
        wake_.wait_until(lock, begin + rest, [&] { return ending_; });
        if (!ending_) post_([this] { rested(); });
    }
}

Expected<std::optional<std::string>> GraphStore::save(const Job& job) {
    if (job.state) return folder_.write_graph(write_document(job.state->graph.document()));
    if (auto opened = folder_.open(); !opened) return std::unexpected(std::move(opened.error()));
    return std::nullopt;
}

void GraphStore::saved(Job& job, const Expected<std::optional<std::string>>& result) {
    // Let go of here: a graph finds out whether it may change a node in place by counting who shares it.
    const std::optional<State> state = std::exchange(job.state, std::nullopt);
    if (!result) {
        const bool news = std::exchange(error_, result.error().sentence).empty();
        if (news) owner_.store_warning("the graph cannot be saved: " + error_ + "; tried again every second");
        return;
    }
    saved_change_ = job.change;
    if (state) saved_revision_ = state->revision;
    if (*result) {
        owner_.store_warning(folder_.graph_path() + " was not written by this rtad: kept aside as " + **result);
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
        if (written_change_ != change_) job_ = Job{.state = owner_.state(), .change = change_};
        ending_ = true;
    }
    if (!thread_.joinable()) {
        if (!job_) return {};
        thread_ = std::thread{[this] { run(); }};
    }
    wake_.notify_one();
    thread_.join();
    if (written_change_ == change_) return {};
    return std::unexpected(last_save_.error());
}

GraphStore::Status GraphStore::status() const {
    return {.directory = folder_.path(),
            .saved_revision = saved_revision_,
            .up_to_date = saved_change_ == change_ && error_.empty(),
            .error = error_};
}

}  // namespace rta::store
