// SPDX-License-Identifier: MIT
// GraphStore with a journal: what it has reported as durable is there after a crash at every step.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "document/document.h"
#include "graph/node_type.h"
#include "os/file_operations.h"
#include "store/graph_store.h"
#include "support/deadline.h"
#include "support/temporary.h"

namespace rta::store {
namespace {

namespace fs = std::filesystem;
using test::Deadline;
using test::read_text;
using test::TemporaryDirectory;
using test::write_text;

/// Files of which one operation fails, or all from one on, as after a crash.
class FaultyFiles final : public os::FileOperations {
 public:
    enum class Kind : std::uint8_t { once, all_later };

    /// Called before the next operation.
    void fail(std::size_t step, Kind kind, int error) {
        const std::lock_guard lock{mutex_};
        step_ = step;
        kind_ = kind;
        error_ = error;
        count_ = 0;
        failed_.clear();
    }
    void heal() {
        const std::lock_guard lock{mutex_};
        step_.reset();
    }
    /// Returns the operations that have failed.
    [[nodiscard]] std::set<std::string> failed() const {
        const std::lock_guard lock{mutex_};
        return failed_;
    }

    os::Result<os::UniqueFd> create(int folder, const std::string& name, mode_t mode) override {
        if (fails("create")) return error();
        return FileOperations::create(folder, name, mode);
    }
    os::Result<void> write_at(int fd, std::string_view text, off_t offset) override {
        if (!fails("write")) return FileOperations::write_at(fd, text, offset);
        static_cast<void>(FileOperations::write_at(fd, text.substr(0, text.size() / 2), offset));
        return error();
    }
    os::Result<void> reserve(int fd, off_t offset, off_t bytes) override {
        if (fails("fallocate")) return error();
        return FileOperations::reserve(fd, offset, bytes);
    }
    os::Result<void> sync_data(int /*fd*/) override {
        if (fails("fdatasync")) return error();
        return {};  // no test needs the disk
    }
    os::Result<void> sync_folder(int /*folder*/) override {
        if (fails("fsync")) return error();
        return {};
    }
    os::Result<void> rename(int folder, const std::string& from, const std::string& to) override {
        if (fails("rename")) return error();
        return FileOperations::rename(folder, from, to);
    }

 private:
    bool fails(const char* what) {
        const std::lock_guard lock{mutex_};
        const std::size_t now = count_++;
        if (!step_ || !(kind_ == Kind::once ? now == *step_ : now >= *step_)) return false;
        failed_.insert(what);
        return true;
    }
    [[nodiscard]] std::unexpected<std::error_code> error() const {
        return std::unexpected(std::error_code{error_, std::generic_category()});
    }

    mutable std::mutex mutex_;
    std::optional<std::size_t> step_;
    Kind kind_ = Kind::once;
    int error_ = EIO;
    std::size_t count_ = 0;
    std::set<std::string> failed_;
};

GraphDocument document_of(const std::vector<std::string>& names) {
    GraphDocument document;
    for (const std::string& name : names) {
        GraphDocument::Node node;
        node.name = name;
        node.type = "sine";
        document.nodes.push_back(std::move(node));
    }
    return document;
}

/// The names of the nodes of a document, in the order in which they were added: all are numbered.
std::vector<std::string> names_of(const std::string& text) {
    std::vector<std::string> names;
    const auto document = read_document(text);
    if (!document) return {"damaged: " + document.error().sentence};
    for (const GraphDocument::Node& node : document->nodes) names.push_back(node.name);
    std::ranges::sort(names);
    return names;
}

/// A daemon that only adds nodes, and its control thread. Each change adds one node, and its history is a line.
class Daemon final : public GraphStore::Owner {
 public:
    Daemon(const fs::path& folder, GraphStore::Settings settings)
        : store_{std::make_unique<GraphStore>(
              folder, [this](std::function<void()> task) { post(std::move(task)); },
              static_cast<GraphStore::Owner&>(*this), settings)} {}

    [[nodiscard]] Expected<GraphStore::Restored> restore() {
        auto restored = store_->restore(
            [this](const std::string& text) -> Expected<void> {
                names = names_of(text);
                if (!names.empty() && names[0].starts_with("damaged"))
                    return rta::fail(ErrorCode::invalid_argument, names[0]);
                graph_ = {};
                for (const std::string& name : names) add_to_graph(name);
                return {};
            },
            [this](const std::string& text) -> Expected<void> {
                history = text;
                return {};
            },
            [](const auto& graph, const auto& old, auto entries) -> Expected<GraphStore::Replayed> {
                std::vector<std::string> all = graph ? names_of(*graph) : std::vector<std::string>{};
                GraphStore::Replayed replayed{.graph = {}, .history = old};
                for (const JournalEntry& entry : entries) {
                    if (entry.content == "impossible") {
                        replayed.why = "it is impossible";
                        break;
                    }
                    if (!entry.content.empty()) all.push_back(entry.content);
                    if (!entry.history) replayed.history.reset();
                    if (replayed.history) *replayed.history += *entry.history;
                    ++replayed.entries;
                }
                replayed.graph = write_document(document_of(all));
                return replayed;
            });
        store_->confirm_restore();
        return restored;
    }
    void start() {
        store_->start_journal();
        static_cast<void>(run_until([this] { return asked_; }));
    }
    enum class Outcome : std::uint8_t { durable, not_durable, refused };
    /// Makes a change as the daemon does: reserves space, changes the graph, records, and waits.
    Outcome edit(const std::string& name) {
        Expected<bool> may = store_->reserve(name.size());
        while (may && !*may) {
            asked_ = false;
            EXPECT_TRUE(run_until([this] { return asked_; }));
            may = store_->reserve(name.size());
        }
        if (!may) {
            refusal = may.error().sentence;
            return Outcome::refused;
        }
        std::optional<bool> durable;
        apply(name, [&durable](bool result) { durable = result; });
        EXPECT_TRUE(run_until([&] { return durable.has_value(); })) << name;
        return durable.value_or(false) ? Outcome::durable : Outcome::not_durable;
    }
    void apply(const std::string& name, std::function<void(bool)> done) {
        add_to_graph(name);
        names.push_back(name);
        history += name + "\n";
        store_->graph_changed();
        store_->record({.revision = revision_,
                        .content = name,
                        .history = [line = name + "\n"] { return line; },
                        .done = std::move(done)});
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
    [[nodiscard]] bool warned_of(const std::string& text) const {
        return std::ranges::any_of(warnings,
                                   [&](const std::string& one) { return one.find(text) != std::string::npos; });
    }
    [[nodiscard]] GraphStore& store() { return *store_; }

    std::vector<std::string> names;
    std::string history;
    std::string refusal;
    std::vector<std::string> warnings;
    std::vector<std::string> recoveries;

 private:
    [[nodiscard]] GraphStore::State state() const override {
        return {graph_, revision_, {}, [saved = history] { return saved; }};
    }
    void store_warning(const std::string& sentence) override { warnings.push_back(sentence); }
    void store_recovered(const std::string& sentence) override { recoveries.push_back(sentence); }
    void room_changed() override { asked_ = true; }
    void post(std::function<void()> task) {
        {
            const std::lock_guard lock{mutex_};
            tasks_.push_back(std::move(task));
        }
        arrived_.notify_one();
    }
    void add_to_graph(const std::string& name) {
        auto description = NodeDescription::make(*builtin_nodes().find("sine"), name, {});
        auto values = (*description)->parameter_values({});
        ASSERT_TRUE(graph_.add_node(NodeId{++revision_}, std::move(*description), std::move(*values)));
    }

    std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<std::function<void()>> tasks_;
    AudioGraph graph_;
    std::uint64_t revision_ = 0;
    bool asked_ = false;
    std::unique_ptr<GraphStore> store_;
};

using Outcome = Daemon::Outcome;

std::string node(int number) { return "n" + std::to_string(1000 + number); }

class DurableStoreTest : public testing::Test {
 protected:
    [[nodiscard]] GraphStore::Settings settings(std::size_t entries = GraphStore::kJournalEntries) {
        return {.durability = Durability::sync,
                .files = files_,
                .journal_entries = entries,
                .save_interval = std::chrono::milliseconds{1},
                .retry_interval = std::chrono::milliseconds{1}};
    }
    [[nodiscard]] std::unique_ptr<Daemon> started(std::size_t entries = GraphStore::kJournalEntries) {
        auto daemon = std::make_unique<Daemon>(path_, settings(entries));
        EXPECT_TRUE(daemon->restore());
        daemon->start();
        return daemon;
    }
    /// Starts another daemon on what is on the disk.
    [[nodiscard]] std::unique_ptr<Daemon> restored() {
        files_.heal();
        auto daemon = std::make_unique<Daemon>(path_, settings());
        EXPECT_TRUE(daemon->restore());
        return daemon;
    }
    [[nodiscard]] static std::string lines(const std::vector<std::string>& names) {
        std::string text;
        for (const std::string& name : names) text += name + "\n";
        return text;
    }

    TemporaryDirectory directory_;
    fs::path path_ = directory_ / "state";
    fs::path graph_ = path_ / "graph.json";
    fs::path journal_ = path_ / "journal";
    FaultyFiles files_;
};

TEST_F(DurableStoreTest, EveryAnsweredChangeIsThereAfterACrash) {
    std::vector<std::string> expected;
    for (int run = 0; run < 4; ++run) {
        const auto daemon = started();
        EXPECT_EQ(daemon->names, expected);
        EXPECT_EQ(daemon->history, lines(expected));
        EXPECT_TRUE(daemon->warnings.empty());
        for (int i = 0; i < run; ++i) {
            expected.push_back(node(static_cast<int>(expected.size())));
            EXPECT_EQ(daemon->edit(expected.back()), Outcome::durable);
            EXPECT_TRUE(daemon->store().status().up_to_date);
        }
    }
    EXPECT_EQ(restored()->names, expected);
}

TEST_F(DurableStoreTest, AFolderWithoutChangesHoldsNoGraph) {
    {
        const auto daemon = started();
        EXPECT_TRUE(daemon->store().finish());
    }
    EXPECT_FALSE(fs::exists(graph_));
    const auto daemon = std::make_unique<Daemon>(path_, settings());
    EXPECT_EQ(daemon->restore()->graph, GraphStore::RestoredGraph::none);
}

TEST_F(DurableStoreTest, AnOrderlyEndLeavesADocumentAndAnEmptyJournal) {
    {
        const auto daemon = started();
        EXPECT_EQ(daemon->edit(node(1)), Outcome::durable);
        EXPECT_FALSE(fs::exists(graph_));
        EXPECT_TRUE(daemon->store().finish());
    }
    EXPECT_EQ(names_of(read_text(graph_)), std::vector{node(1)});
    EXPECT_TRUE(read_journal(read_text(journal_))->entries.empty());
    const std::string text = read_text(graph_);
    // A start alone does not write what an administrator may have formatted.
    write_text(graph_, text + "\n");
    static_cast<void>(started());
    EXPECT_EQ(read_text(graph_), text + "\n");
}

TEST_F(DurableStoreTest, ALongJournalIsReplaced) {
    std::vector<std::string> expected;
    {
        const auto daemon = started(4);
        for (int i = 0; i < 20; ++i) {
            expected.push_back(node(i));
            EXPECT_EQ(daemon->edit(expected.back()), Outcome::durable);
        }
        EXPECT_TRUE(daemon->run_until([&] { return fs::exists(graph_); }));
    }
    EXPECT_TRUE(fs::exists(path_ / "history"));
    const auto again = restored();
    EXPECT_EQ(again->names, expected);
    EXPECT_EQ(again->history, lines(expected));
}

TEST_F(DurableStoreTest, AnEditedGraphCountsAndTheJournalIsKept) {
    {
        const auto daemon = started();
        EXPECT_EQ(daemon->edit(node(1)), Outcome::durable);
        EXPECT_TRUE(daemon->store().finish());
    }
    {
        const auto daemon = started();
        EXPECT_EQ(daemon->edit(node(2)), Outcome::durable);
    }
    write_text(graph_, write_document(document_of({"mine"})));
    const auto daemon = restored();
    EXPECT_EQ(daemon->names, std::vector<std::string>{"mine"});
    EXPECT_TRUE(daemon->warned_of("it was changed while rtad was not running")) << daemon->warnings.size();
    EXPECT_TRUE(fs::exists(path_ / "journal.kept-1"));
    EXPECT_FALSE(fs::exists(journal_));
}

TEST_F(DurableStoreTest, WithoutAJournalTheLastOneIsUsedAndRemoved) {
    {
        const auto daemon = started();
        EXPECT_EQ(daemon->edit(node(1)), Outcome::durable);
    }
    {
        Daemon daemon{path_, {.durability = Durability::async, .files = files_}};
        EXPECT_TRUE(daemon.restore());
        EXPECT_EQ(daemon.names, std::vector{node(1)});
        daemon.store().start_journal();
        EXPECT_TRUE(daemon.run_until([&] { return daemon.store().status().up_to_date; }));
        EXPECT_FALSE(fs::exists(journal_));
        EXPECT_TRUE(daemon.store().finish());
    }
    EXPECT_EQ(restored()->names, std::vector{node(1)});
}

TEST_F(DurableStoreTest, ChangesThatWaitAreWrittenTogether) {
    auto daemon = started();
    int done = 0;
    for (int i = 0; i < 500; ++i) {
        ASSERT_TRUE(daemon->store().reserve(node(i).size()).value_or(false)) << i;
        daemon->apply(node(i), [&done, i](bool durable) {
            EXPECT_TRUE(durable);
            EXPECT_EQ(done++, i) << "in their order";
        });
    }
    EXPECT_TRUE(daemon->run_until([&] { return done == 500; }));
    daemon.reset();
    EXPECT_EQ(restored()->names.size(), 500U);
}

TEST_F(DurableStoreTest, WritesWithAHistoryReserveWhatTheyNeed) {
    const auto daemon = started();
    for (int i = 0; i < 200; ++i) ASSERT_EQ(daemon->edit(node(i)), Outcome::durable) << i;
    EXPECT_LT(fs::file_size(journal_), std::uintmax_t{1} << 20U);
    EXPECT_TRUE(daemon->warnings.empty());
}

/// The change is made by another client while the disk does not answer.
TEST_F(DurableStoreTest, WhatIsNotWrittenYetIsBounded) {
    const auto daemon = started();
    const std::string long_name = "n" + std::string(60, 'x');
    std::size_t promised = 0;
    int count = 0;
    while (daemon->store().reserve(10'000).value_or(false) && promised < (std::size_t{1} << 30U)) {
        daemon->store().record({.revision = 1, .content = std::string(10'000, ' '), .done = [](bool) {}});
        promised += 10'000;
        ++count;
    }
    EXPECT_LT(promised, std::size_t{2} << 20U);
    EXPECT_GT(count, 5);
}

// ---------------------------------------------------------------------------------------------------------------------
// Faults

/// Makes changes while one operation fails. What was answered as durable, and nothing that was refused, must be there
/// afterwards; and the changes that are there are the first ones.
class JournalFaults : public DurableStoreTest {
 protected:
    struct Run {
        std::vector<std::string> applied;
        std::size_t durable = 0;  ///< so many of them, at least
        std::set<std::string> failed;
    };
    Run run(std::size_t step, FaultyFiles::Kind kind, int error, bool recovers) {
        fs::remove_all(path_);
        files_.fail(step, kind, error);
        const auto daemon = started(3);
        Run result;
        int number = 0;
        const auto edit = [&] {
            const std::string name = node(number++);
            const Outcome outcome = daemon->edit(name);
            if (outcome == Outcome::refused) return outcome;
            result.applied.push_back(name);
            if (outcome == Outcome::durable) result.durable = result.applied.size();
            return outcome;
        };
        for (int i = 0; i < 5; ++i) edit();
        // The graph is saved now, or soon.
        static_cast<void>(daemon->store().reserve(1));
        for (int i = 0; i < 3; ++i) edit();
        result.failed = files_.failed();
        if (recovers) {
            files_.heal();
            const Deadline deadline;
            while (edit() != Outcome::durable && !deadline.passed()) {
                bool waited = false;
                daemon->store().output_changed();
                static_cast<void>(daemon->run_until([&] { return std::exchange(waited, true); }));
            }
            EXPECT_FALSE(deadline.passed());
        }
        return result;
    }
    void expect_restored(const Run& made) {
        const auto daemon = restored();
        ASSERT_GE(daemon->names.size(), made.durable);
        ASSERT_LE(daemon->names.size(), made.applied.size());
        const std::vector<std::string> first(made.applied.begin(),
                                             made.applied.begin() + static_cast<std::ptrdiff_t>(daemon->names.size()));
        EXPECT_EQ(daemon->names, first);
        if (!daemon->history.empty()) {
            EXPECT_EQ(daemon->history, lines(first));
        }
        // And it works on.
        daemon->start();
        EXPECT_EQ(daemon->edit("z"), Outcome::durable);
    }
    void run_all(FaultyFiles::Kind kind, bool recovers) {
        std::set<std::string> failed;
        for (const int error : {EIO, ENOSPC}) {
            for (std::size_t step = 0;; ++step) {
                SCOPED_TRACE("step " + std::to_string(step) + ", error " + std::to_string(error));
                const Run made = run(step, kind, error, recovers);
                expect_restored(made);
                if (HasFatalFailure() || made.failed.empty()) break;
                failed.insert(made.failed.begin(), made.failed.end());
                ASSERT_LT(step, 500U);
            }
        }
        EXPECT_EQ(failed, (std::set<std::string>{"create", "fallocate", "fdatasync", "fsync", "rename", "write"}));
    }
};

TEST_F(JournalFaults, EachOperationFailsOnce) { run_all(FaultyFiles::Kind::once, false); }
TEST_F(JournalFaults, EachOperationFailsOnceAndTheStoreRecovers) { run_all(FaultyFiles::Kind::once, true); }
TEST_F(JournalFaults, ACrashAfterEachOperation) { run_all(FaultyFiles::Kind::all_later, false); }
TEST_F(JournalFaults, ADiskThatFailsForSomeTime) { run_all(FaultyFiles::Kind::all_later, true); }

TEST_F(DurableStoreTest, AFullDiskRefusesChangesUntilThereIsSpace) {
    auto daemon = started();
    EXPECT_EQ(daemon->edit(node(0)), Outcome::durable);
    files_.fail(0, FaultyFiles::Kind::all_later, ENOSPC);
    // Space has been reserved for the next ones; but these need more.
    const std::string large = "n" + std::string(400'000, 'x');
    Expected<bool> may = daemon->store().reserve(large.size());
    while (may && !*may) {
        EXPECT_TRUE(daemon->run_until([&] {
            may = daemon->store().reserve(large.size());
            return !may || *may;
        }));
    }
    ASSERT_FALSE(may);
    EXPECT_EQ(may.error().code, ErrorCode::resource_exhausted);
    EXPECT_NE(may.error().sentence.find("No space left on device"), std::string::npos) << may.error().sentence;
    EXPECT_FALSE(daemon->store().status().error.empty());
    EXPECT_TRUE(daemon->warned_of("No space left on device"));
    files_.heal();
    EXPECT_TRUE(daemon->run_until([&] { return daemon->store().reserve(large.size()).value_or(false); }))
        << "without any further request";
    EXPECT_EQ(daemon->store().status().error, "");
    EXPECT_EQ(daemon->recoveries.size(), 1U);
    EXPECT_EQ(daemon->edit(node(1)), Outcome::durable);
    daemon.reset();
    EXPECT_EQ(restored()->names, (std::vector{node(0), node(1)}));
}

TEST_F(DurableStoreTest, AnErrorOfTheDiskIsNoRefusal) {
    auto daemon = started();
    files_.fail(0, FaultyFiles::Kind::all_later, EIO);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(daemon->edit(node(i)), Outcome::not_durable);
    EXPECT_FALSE(daemon->store().status().up_to_date);
    files_.heal();
    EXPECT_TRUE(daemon->run_until([&] { return daemon->store().status().up_to_date; }));
    EXPECT_EQ(daemon->edit(node(10)), Outcome::durable);
    daemon.reset();
    EXPECT_EQ(restored()->names.size(), 11U);
}

// ---------------------------------------------------------------------------------------------------------------------
// Damage

class DamagedJournal : public DurableStoreTest {
 protected:
    void SetUp() override {
        const auto daemon = started();
        for (int i = 0; i < 6; ++i) {
            all_.push_back(node(i));
            ASSERT_EQ(daemon->edit(all_.back()), Outcome::durable);
        }
    }
    /// Restores from a journal with this text, and returns how many changes are there.
    std::size_t restored_from(const std::string& text, bool* warned) {
        for (const auto& file : fs::directory_iterator{path_}) fs::remove(file);
        write_text(journal_, text);
        const auto daemon = restored();
        EXPECT_LE(daemon->names.size(), all_.size());
        for (std::size_t i = 0; i < daemon->names.size(); ++i) EXPECT_EQ(daemon->names[i], all_[i]);
        *warned = !daemon->warnings.empty();
        EXPECT_EQ(*warned, fs::exists(path_ / "journal.kept-1"));
        return daemon->names.size();
    }

    std::vector<std::string> all_;
};

TEST_F(DamagedJournal, TheChangesBeforeTheDamageAreRestored) {
    std::string text = read_text(journal_);
    text.resize(text.find_last_not_of('\0') + 1);
    for (std::size_t place = 0; place < text.size(); place += 5) {
        SCOPED_TRACE(place);
        bool warned = false;
        std::string damaged = text;
        damaged[place] = static_cast<char>(damaged[place] ^ 0x10);
        const std::size_t count = restored_from(damaged, &warned);
        EXPECT_LT(count, all_.size());
        EXPECT_TRUE(warned || count == all_.size() - 1) << "the last one may have been torn by a crash";
        damaged = text.substr(0, place);
        static_cast<void>(restored_from(damaged, &warned));
    }
}

TEST_F(DamagedJournal, AChangeThatCannotBeMadeAgainEndsIt) {
    {
        const auto daemon = started();
        EXPECT_EQ(daemon->names, all_);
        EXPECT_TRUE(daemon->run_until([&] { return daemon->store().status().up_to_date; }));
        daemon->store().graph_changed();
        std::optional<bool> durable;
        daemon->store().record(
            {.revision = 77, .content = "impossible", .done = [&durable](bool result) { durable = result; }});
        EXPECT_TRUE(daemon->run_until([&] { return durable.has_value(); }));
        EXPECT_EQ(daemon->edit(node(8)), Outcome::durable);
    }
    const auto daemon = restored();
    EXPECT_EQ(daemon->names, all_);
    EXPECT_TRUE(daemon->warned_of("the change to revision 77 cannot be made again: it is impossible"));
    EXPECT_TRUE(fs::exists(path_ / "journal.kept-1"));
    daemon->start();
    EXPECT_EQ(daemon->edit(node(9)), Outcome::durable);
}

/// A damaged next history must not discard the good one.
TEST_F(DurableStoreTest, ADamagedNextHistoryIsRenamedAndTheGoodOneIsRestored) {
    {
        Daemon daemon{path_, {.durability = Durability::async, .files = files_}};
        EXPECT_TRUE(daemon.restore());
        daemon.names.push_back(node(1));
        daemon.apply(node(2), [](bool) {});
        EXPECT_TRUE(daemon.store().finish());
    }
    std::string damaged = read_text(path_ / "history");
    damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
    write_text(path_ / "history.next", damaged);
    const auto daemon = restored();
    EXPECT_EQ(daemon->history, node(2) + "\n");
    EXPECT_TRUE(daemon->warned_of("history.next.kept-1"));
    EXPECT_TRUE(fs::exists(path_ / "history"));
    EXPECT_FALSE(fs::exists(path_ / "history.next"));
}

}  // namespace
}  // namespace rta::store
