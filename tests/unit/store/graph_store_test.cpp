// SPDX-License-Identifier: MIT
#include "store/graph_store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "document/document.h"
#include "graph/node_type.h"
#include "os/unique_fd.h"
#include "support/deadline.h"
#include "support/temporary.h"

namespace rta::store {
namespace {

namespace fs = std::filesystem;
using test::Deadline;
using test::read_text;
using test::TemporaryDirectory;
using test::write_text;

/// The control thread of these tests. Posted functions run when the test calls run_until() or run_waiting().
class ControlThread {
 public:
    void post(std::function<void()> task) {
        {
            const std::lock_guard lock{mutex_};
            tasks_.push_back(std::move(task));
        }
        arrived_.notify_one();
    }
    /// Runs posted functions until `done` returns true. False after the deadline.
    [[nodiscard]] bool run_until(const std::function<bool()>& done) {
        const Deadline deadline;
        while (!done()) {
            std::unique_lock lock{mutex_};
            if (!arrived_.wait_until(lock, deadline.end(), [&] { return !tasks_.empty(); })) return false;
            const std::function<void()> task = std::move(tasks_.front());
            tasks_.pop_front();
            lock.unlock();
            task();
        }
        return true;
    }
    /// Runs the functions posted so far.
    void run_waiting() {
        std::unique_lock lock{mutex_};
        while (!tasks_.empty()) {
            const std::function<void()> task = std::move(tasks_.front());
            tasks_.pop_front();
            lock.unlock();
            task();
            lock.lock();
        }
    }

 private:
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<std::function<void()>> tasks_;
};

class GraphStoreTest : public testing::Test, protected GraphStore::Owner {
 protected:
    [[nodiscard]] GraphStore::State state() const override {
        GraphStore::State state{graph_, revision_, output_};
        if (history_) state.history = [history = *history_] { return history; };
        return state;
    }
    void store_warning(const std::string& sentence) override { warnings_.push_back(sentence); }
    void store_recovered(const std::string& sentence) override { recoveries_.push_back(sentence); }

    [[nodiscard]] std::unique_ptr<GraphStore> make_store() {
        GraphStore::Owner& owner = *this;
        return std::make_unique<GraphStore>(
            path_, [this](std::function<void()> task) { control_.post(std::move(task)); }, owner,
            GraphStore::Settings{});
    }
    [[nodiscard]] Expected<GraphStore::Restored> try_restore(GraphStore& store) {
        return store.restore(
            [this](const std::string& text) {
                loaded_ = text;
                return load_result_;
            },
            nullptr, nullptr);
    }
    [[nodiscard]] GraphStore::RestoredGraph restore(GraphStore& store) {
        const auto restored = try_restore(store);
        EXPECT_TRUE(restored);
        if (!restored) return GraphStore::RestoredGraph::damaged;
        output_ = restored->output;
        return restored->graph;
    }
    void add_node(const std::string& name) {
        const NodeType& type = *builtin_nodes().find("sine");
        auto description = NodeDescription::make(type, name, {});
        auto values = (*description)->parameter_values({});
        ASSERT_TRUE(graph_.add_node(NodeId{++revision_}, std::move(*description), std::move(*values)));
    }
    [[nodiscard]] bool run_until_saved(const GraphStore& store) {
        return control_.run_until([&] { return store.status().up_to_date; });
    }
    [[nodiscard]] std::string current_text() const { return write_document(graph_.document()); }

    TemporaryDirectory directory_;
    fs::path path_ = directory_ / "state";
    fs::path file_ = path_ / "graph.json";
    fs::path output_file_ = path_ / "output.json";
    ControlThread control_;
    AudioGraph graph_;
    std::uint64_t revision_ = 0;
    OutputState output_;
    std::string loaded_;
    std::optional<std::string> history_;  ///< to be saved
    std::optional<std::string> loaded_history_;
    Expected<void> load_result_;
    std::vector<std::string> warnings_;
    std::vector<std::string> recoveries_;
};

TEST_F(GraphStoreTest, ANewFolderHasNoGraphUntilTheFirstChange) {
    const auto store = make_store();
    EXPECT_EQ(restore(*store), GraphStore::RestoredGraph::none);
    EXPECT_TRUE(store->status().up_to_date);
    EXPECT_EQ(store->status().directory, path_);
    ASSERT_TRUE(store->finish());
    EXPECT_FALSE(fs::exists(file_));
    EXPECT_TRUE(warnings_.empty());
}

TEST_F(GraphStoreTest, AChangeIsSavedAndRestored) {
    {
        const auto store = make_store();
        EXPECT_EQ(restore(*store), GraphStore::RestoredGraph::none);
        add_node("a");
        store->graph_changed();
        EXPECT_FALSE(store->status().up_to_date);
        ASSERT_TRUE(run_until_saved(*store));
        EXPECT_EQ(store->status().saved_revision, 1U);
        EXPECT_EQ(read_text(file_), current_text());
    }
    const auto store = make_store();
    EXPECT_EQ(restore(*store), GraphStore::RestoredGraph::loaded);
    EXPECT_EQ(loaded_, current_text());
    EXPECT_EQ(store->status().saved_revision, 1U);
    EXPECT_TRUE(store->status().up_to_date);
}

TEST_F(GraphStoreTest, TheHistoryIsRestoredWithTheGraphToWhichItHasLed) {
    const auto load = [this](const std::string& history) -> Expected<void> {
        loaded_history_ = history;
        return history == "bad\n" ? fail(ErrorCode::invalid_argument, "bad") : Expected<void>{};
    };
    const auto loaded = [&] {
        loaded_history_.reset();
        const auto store = make_store();
        EXPECT_TRUE(store->restore([](const std::string&) -> Expected<void> { return {}; }, load, nullptr));
        store->confirm_restore();
        return loaded_history_;
    };
    const auto save = [&](const std::string& history) {
        const auto store = make_store();
        static_cast<void>(restore(*store));
        store->confirm_restore();
        history_ = history;
        add_node("n" + std::to_string(revision_));
        store->graph_changed();
        EXPECT_TRUE(store->finish());
    };
    EXPECT_EQ(loaded(), std::nullopt);
    save("first\n");
    EXPECT_EQ(loaded(), "first\n");
    const std::string first_graph = read_text(file_);
    const std::string first = read_text(path_ / "history");
    save("second\n");
    EXPECT_EQ(loaded(), "second\n");
    EXPECT_FALSE(fs::exists(path_ / "history.next"));

    // A crash before the graph was replaced.
    const std::string second_graph = read_text(file_);
    fs::rename(path_ / "history", path_ / "history.next");
    write_text(path_ / "history", first);
    write_text(file_, first_graph);
    EXPECT_EQ(loaded(), "first\n");
    // And one after it.
    write_text(file_, second_graph);
    EXPECT_EQ(loaded(), "second\n");
    EXPECT_FALSE(fs::exists(path_ / "history.next")) << "the next save must not overwrite the only good one";
    EXPECT_TRUE(warnings_.empty());

    write_text(file_, second_graph + " ");
    EXPECT_EQ(loaded(), std::nullopt);
    ASSERT_EQ(warnings_.size(), 1U);
    EXPECT_NE(warnings_[0].find("is not the graph to which the saved history has led"), std::string::npos);

    for (const std::string& text : {std::string{}, std::string{"rtad history 3 x\n"},
                                    "rtad history 1" + first.substr(14), first.substr(0, first.size() - 1)}) {
        warnings_.clear();
        write_text(path_ / "history", text);
        fs::remove(path_ / "history.next");
        EXPECT_EQ(loaded(), std::nullopt);
        EXPECT_FALSE(fs::exists(path_ / "history"));
        ASSERT_EQ(warnings_.size(), 1U) << text;
        EXPECT_NE(warnings_[0].find("renamed to " + (path_ / "history.kept-").string()), std::string::npos)
            << warnings_[0];
    }
    warnings_.clear();
    save("bad\n");
    EXPECT_EQ(loaded(), "bad\n");
    ASSERT_EQ(warnings_.size(), 1U);
    EXPECT_NE(warnings_[0].find(": bad; renamed to "), std::string::npos) << warnings_[0];
}

TEST_F(GraphStoreTest, TheNewestOfManyChangesWins) {
    const auto store = make_store();
    EXPECT_EQ(restore(*store), GraphStore::RestoredGraph::none);
    for (int change = 0; change < 300; ++change) {
        add_node("n" + std::to_string(change));
        store->graph_changed();
        store->graph_changed();
        control_.run_waiting();
    }
    ASSERT_TRUE(run_until_saved(*store));
    EXPECT_EQ(store->status().saved_revision, 300U);
    EXPECT_EQ(read_text(file_), current_text());
}

TEST_F(GraphStoreTest, TheOutputIsSavedAndRestoredWithoutTheGraph) {
    for (const bool muted : {true, false}) {
        {
            const auto store = make_store();
            static_cast<void>(restore(*store));
            output_.muted = muted;
            store->output_changed();
            EXPECT_FALSE(store->status().up_to_date);
            ASSERT_TRUE(run_until_saved(*store));
        }
        EXPECT_FALSE(fs::exists(file_));
        const auto store = make_store();
        EXPECT_EQ(restore(*store), GraphStore::RestoredGraph::none);
        EXPECT_EQ(output_.muted, muted);
    }
}

TEST_F(GraphStoreTest, FinishSavesTheOutput) {
    {
        const auto store = make_store();
        static_cast<void>(restore(*store));
        output_.muted = true;
        store->output_changed();
        EXPECT_TRUE(store->finish());
    }
    const auto store = make_store();
    static_cast<void>(restore(*store));
    EXPECT_TRUE(output_.muted);
}

TEST_F(GraphStoreTest, ADamagedStateOfTheOutputIsRenamedAndMutesEveryLaterStart) {
    for (const char* const text : {"", "{", "{}", "[]", "true", "{\"muted\": 1}", "{\"muted\": true, \"volume\": 1}",
                                   "{\"muted\": false} x", "{\"muted\": {\"muted\": true}}"}) {
        SCOPED_TRACE(text);
        fs::create_directory(path_);
        write_text(output_file_, text);
        {
            const auto store = make_store();
            static_cast<void>(restore(*store));
            EXPECT_TRUE(output_.muted);
            EXPECT_FALSE(fs::exists(output_file_));
            ASSERT_FALSE(warnings_.empty());
            EXPECT_NE(warnings_.back().find(output_file_.string() + ".kept-"), std::string::npos) << warnings_.back();
            EXPECT_TRUE(store->finish());
        }
        warnings_.clear();
        const auto store = make_store();
        static_cast<void>(restore(*store));
        EXPECT_TRUE(output_.muted);
        EXPECT_TRUE(warnings_.empty());
    }
}

TEST_F(GraphStoreTest, AStateOfTheOutputThatCannotBeReadIsAnErrorAndStays) {
    fs::create_directory(path_);
    write_text(file_, "a graph");
    fs::create_symlink("nowhere", output_file_);
    // The graph is not the cause, so no number of failed starts renames it.
    for (int start = 0; start < 4; ++start) {
        const auto store = make_store();
        const auto restored = try_restore(*store);
        ASSERT_FALSE(restored);
        EXPECT_EQ(restored.error().code, ErrorCode::unavailable);
        EXPECT_EQ(loaded_, "a graph");
    }
    EXPECT_TRUE(fs::is_symlink(output_file_));
    EXPECT_TRUE(fs::exists(file_));
}

/// The store's thread retries to open the folder, while the state is read.
TEST_F(GraphStoreTest, AFolderThatCannotBeLockedIsRead) {
    fs::create_directory(path_);
    fs::create_directory(path_ / "lock");
    write_text(output_file_, "{\"muted\": true}\n");
    for (int i = 0; i < 20; ++i) {
        const auto store = make_store();
        static_cast<void>(restore(*store));
        EXPECT_TRUE(output_.muted);
    }
}

TEST_F(GraphStoreTest, WhatWasInAFolderThatHasBeenRemovedIsWrittenAgain) {
    for (const bool restored : {false, true}) {
        const auto store = make_store();
        static_cast<void>(restore(*store));
        if (!restored) {
            add_node("a");
            store->graph_changed();
            output_.muted = true;
            store->output_changed();
            ASSERT_TRUE(run_until_saved(*store));
        }
        fs::remove_all(path_);
        store->output_changed();
        ASSERT_TRUE(run_until_saved(*store));
        EXPECT_EQ(read_text(file_), current_text());
        fs::remove_all(path_);
        store->graph_changed();
        ASSERT_TRUE(run_until_saved(*store));
        EXPECT_TRUE(fs::exists(output_file_));
    }
}

TEST_F(GraphStoreTest, FinishSavesTheLastChange) {
    const auto store = make_store();
    EXPECT_EQ(restore(*store), GraphStore::RestoredGraph::none);
    add_node("a");
    store->graph_changed();
    ASSERT_TRUE(run_until_saved(*store));
    // During the interval after a save; a save of the first change may be running. Posted functions no longer run.
    for (int change = 0; change < 10; ++change) {
        add_node("b" + std::to_string(change));
        store->graph_changed();
    }
    ASSERT_TRUE(store->finish());
    EXPECT_EQ(read_text(file_), current_text());
}

TEST_F(GraphStoreTest, TheStoreReleasesTheGraphAfterASave) {
    const auto store = make_store();
    EXPECT_EQ(restore(*store), GraphStore::RestoredGraph::none);
    add_node("a");
    store->graph_changed();
    ASSERT_TRUE(run_until_saved(*store));
    // Otherwise every later change would copy its node.
    EXPECT_EQ(graph_.nodes().front().use_count(), 1);
}

TEST_F(GraphStoreTest, ADamagedGraphIsRenamed) {
    fs::create_directory(path_);
    write_text(file_, "RIFF");
    load_result_ = fail(ErrorCode::invalid_argument, "graph.json: line 1, column 1: no value");
    const auto store = make_store();
    EXPECT_EQ(restore(*store), GraphStore::RestoredGraph::damaged);
    ASSERT_EQ(warnings_.size(), 1U);
    EXPECT_NE(warnings_[0].find("line 1, column 1: no value"), std::string::npos) << warnings_[0];
    EXPECT_NE(warnings_[0].find("graph.json.kept-1"), std::string::npos) << warnings_[0];
    EXPECT_EQ(read_text(path_ / "graph.json.kept-1"), "RIFF");
    EXPECT_FALSE(fs::exists(file_));
}

TEST_F(GraphStoreTest, AGraphThatExceedsTheMemoryIsRenamedAfterTwoStarts) {
    fs::create_directory(path_);
    write_text(file_, "too much");
    EXPECT_THROW(
        static_cast<void>(make_store()->restore([](const std::string&) -> Expected<void> { throw std::bad_alloc{}; })),
        std::bad_alloc);
    EXPECT_EQ(read_text(file_), "too much");
    load_result_ = fail(ErrorCode::resource_exhausted, "too little memory");
    const auto refused = make_store()->restore([this](const std::string&) { return load_result_; });
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().sentence, "too little memory");
    EXPECT_EQ(read_text(file_), "too much");
    EXPECT_TRUE(warnings_.empty());
    EXPECT_EQ(restore(*make_store()), GraphStore::RestoredGraph::damaged);
    ASSERT_EQ(warnings_.size(), 1U);
    EXPECT_NE(warnings_[0].find("graph.json.kept-1"), std::string::npos) << warnings_[0];
    EXPECT_EQ(read_text(path_ / "graph.json.kept-1"), "too much");
    EXPECT_FALSE(fs::exists(path_ / "restoring"));
}

/// A read error is not damage.
TEST_F(GraphStoreTest, AGraphThatCannotBeReadStays) {
    fs::create_directory(path_);
    const auto expect_refused = [&](std::string_view reason) {
        const auto refused = make_store()->restore([](const std::string&) -> Expected<void> { return {}; });
        ASSERT_FALSE(refused) << reason;
        EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
        EXPECT_NE(refused.error().sentence.find(reason), std::string::npos) << refused.error().sentence;
        EXPECT_TRUE(warnings_.empty() || warnings_.back().find("kept") == std::string::npos) << warnings_.back();
        EXPECT_FALSE(fs::exists(path_ / "graph.json.kept-1"));
    };
    fs::create_symlink("/proc/self/mem", file_);  // whose first page is not mapped
    expect_refused("Input/output error");
    fs::remove(file_);

    write_text(file_, "good");
    const os::UniqueFd highest{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    for (int free = 0; free < 3; ++free) {
        const rlimit none{.rlim_cur = static_cast<rlim_t>(highest.get() + 1 + free), .rlim_max = before.rlim_max};
        ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
        const auto refused = make_store()->restore([](const std::string&) -> Expected<void> { return {}; });
        ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
        ASSERT_FALSE(refused) << free;
        EXPECT_NE(refused.error().sentence.find("Too many open files"), std::string::npos) << refused.error().sentence;
        EXPECT_EQ(read_text(file_), "good") << free;
    }
}

TEST_F(GraphStoreTest, AGraphIsRenamedAfterTwoFailedRestoresInARow) {
    fs::create_directory(path_);
    write_text(file_, "deadly");
    for (int start = 0; start < 2; ++start) {
        const auto store = make_store();
        EXPECT_EQ(restore(*store), GraphStore::RestoredGraph::loaded);
        EXPECT_TRUE(fs::exists(path_ / "restoring"));
    }
    EXPECT_TRUE(warnings_.empty());
    loaded_.clear();
    const auto store = make_store();
    EXPECT_EQ(restore(*store), GraphStore::RestoredGraph::damaged);
    EXPECT_EQ(loaded_, "") << "no third attempt";
    ASSERT_EQ(warnings_.size(), 1U);
    EXPECT_NE(warnings_[0].find("2 starts in a row have failed"), std::string::npos) << warnings_[0];
    EXPECT_EQ(read_text(path_ / "graph.json.kept-1"), "deadly");
    EXPECT_FALSE(fs::exists(path_ / "restoring"));
}

TEST_F(GraphStoreTest, AConfirmedRestoreResetsTheCount) {
    fs::create_directory(path_);
    write_text(file_, "good");
    for (int start = 0; start < 9; ++start) {
        const auto store = make_store();
        EXPECT_EQ(restore(*store), GraphStore::RestoredGraph::loaded);
        if (start % 2 == 0) store->confirm_restore();
        EXPECT_EQ(fs::exists(path_ / "restoring"), start % 2 != 0);
    }
    EXPECT_TRUE(warnings_.empty());
}

TEST_F(GraphStoreTest, TheCountIsRemovedWithTheGraph) {
    fs::create_directory(path_);
    write_text(path_ / "restoring", "2\n");
    const auto store = make_store();
    EXPECT_EQ(restore(*store), GraphStore::RestoredGraph::none);
    EXPECT_FALSE(fs::exists(path_ / "restoring"));
}

TEST_F(GraphStoreTest, AnInvalidCountIsIgnored) {
    fs::create_directory(path_);
    write_text(file_, "good");
    write_text(path_ / "restoring", "many");
    EXPECT_EQ(restore(*make_store()), GraphStore::RestoredGraph::loaded);
    EXPECT_EQ(read_text(path_ / "restoring"), "1\n");
    fs::remove(path_ / "restoring");
    fs::create_symlink(path_ / "graph.json", path_ / "restoring");
    EXPECT_EQ(restore(*make_store()), GraphStore::RestoredGraph::loaded);
    EXPECT_EQ(read_text(file_), "good") << "not written through a symbolic link";
}

TEST_F(GraphStoreTest, OutOfMemoryWhilePostingDelaysASave) {
    int refused = 0;
    GraphStore::Owner& owner = *this;
    const std::thread::id control = std::this_thread::get_id();
    GraphStore store{path_,
                     [&](std::function<void()> task) {
                         if (std::this_thread::get_id() != control && refused++ == 0) throw std::bad_alloc{};
                         control_.post(std::move(task));
                     },
                     owner, GraphStore::Settings{}};
    EXPECT_EQ(restore(store), GraphStore::RestoredGraph::none);
    add_node("a");
    store.graph_changed();
    ASSERT_TRUE(run_until_saved(store));
    EXPECT_GT(refused, 1);
    ASSERT_TRUE(store.finish());
}

TEST_F(GraphStoreTest, RestoreFailsOnlyIfTheFolderIsInUse) {
    const auto first = make_store();
    EXPECT_EQ(restore(*first), GraphStore::RestoredGraph::none);
    const auto second = make_store();
    const auto refused = second->restore([](const std::string&) { return Expected<void>{}; });
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::already_exists);
}

TEST_F(GraphStoreTest, AFolderThatAppearsLateIsUsed) {
    path_ = directory_ / "mount/state";
    file_ = path_ / "graph.json";
    const auto store = make_store();
    EXPECT_EQ(restore(*store), GraphStore::RestoredGraph::none);
    ASSERT_EQ(warnings_.size(), 1U);
    EXPECT_NE(warnings_[0].find(path_.string()), std::string::npos) << warnings_[0];
    EXPECT_FALSE(store->status().up_to_date);
    EXPECT_NE(store->status().error, "");
    add_node("a");
    store->graph_changed();

    fs::create_directory(directory_ / "mount");
    ASSERT_TRUE(run_until_saved(*store));
    EXPECT_EQ(warnings_.size(), 1U) << "one warning for all retries";
    EXPECT_EQ(recoveries_.size(), 1U);
    EXPECT_EQ(store->status().error, "");
    EXPECT_EQ(read_text(file_), current_text());
}

TEST_F(GraphStoreTest, AnOlderGraphInAFolderThatAppearsLateIsNotLost) {
    path_ = directory_ / "mount/state";
    const auto store = make_store();
    EXPECT_EQ(restore(*store), GraphStore::RestoredGraph::none);
    fs::create_directories(directory_ / "elsewhere/state");
    write_text(directory_ / "elsewhere/state/graph.json", "older\n");
    fs::rename(directory_ / "elsewhere", directory_ / "mount");
    ASSERT_TRUE(run_until_saved(*store));
    EXPECT_EQ(read_text(path_ / "graph.json"), "older\n") << "untouched while there is nothing to save";
    add_node("a");
    store->graph_changed();
    ASSERT_TRUE(run_until_saved(*store));
    EXPECT_EQ(read_text(path_ / "graph.json"), current_text());
    EXPECT_EQ(read_text(path_ / "graph.json.kept-1"), "older\n");
}

TEST_F(GraphStoreTest, ALastChangeThatCannotBeSavedIsAnError) {
    path_ = directory_ / "no/such";
    const auto store = make_store();
    EXPECT_EQ(restore(*store), GraphStore::RestoredGraph::none);
    add_node("a");
    store->graph_changed();
    const auto finished = store->finish();
    ASSERT_FALSE(finished);
    EXPECT_NE(finished.error().sentence.find("no/such"), std::string::npos) << finished.error().sentence;
}

}  // namespace
}  // namespace rta::store
