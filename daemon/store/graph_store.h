// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "graph/audio_graph.h"
#include "status/durability.h"
#include "status/status.h"
#include "store/graph_restore.h"
#include "store/journal.h"
#include "store/state_folder.h"
#include "store/store_owner.h"
#include "text/error.h"

namespace rta::store {

/// Persists the graph and the state of the output in a folder, and restores them at start.
///
/// With Durability::sync, changes of the graph are recorded in a journal: record() calls back when they are on disk. One
/// write takes all changes that wait for it. Space for them is reserved before they are made: see reserve(). From time to
/// time the graph is saved, and a new journal begins.
///
/// With Durability::async, the graph is saved after every change: the first one immediately. Under load, one save starts
/// every kSaveInterval, with the newest graph.
///
/// The state of the output is saved in the latter way in any case. A failed save is retried every kRetryInterval. A thread
/// of the store writes the documents and waits for the disk. All functions: [control].
class GraphStore {
 public:
    static constexpr std::chrono::milliseconds kSaveInterval{200};
    static constexpr std::chrono::milliseconds kRetryInterval{1000};
    /// Between the beginnings of two writes to the journal: changes that come sooner are written together.
    static constexpr std::chrono::milliseconds kJournalInterval{2};
    /// The graph is saved, and a new journal begins, when one of these is reached.
    static constexpr std::size_t kJournalBytes = std::size_t{8} << 20U;
    static constexpr std::size_t kJournalEntries = 4'096;
    static constexpr std::chrono::seconds kJournalAge{30};

    /// Runs a function later on the control thread. Called by the control thread and the thread of the store.
    using Post = std::function<void(std::function<void()>)>;

    using State = StoreState;
    using Owner = StoreOwner;
    using RestoredGraph = GraphRestore::Graph;
    using Restored = GraphRestore::Result;
    using Load = GraphRestore::Load;
    using LoadHistory = GraphRestore::LoadHistory;
    using Replayed = GraphRestore::Replayed;
    using Replay = GraphRestore::Replay;

    /// A change that is to be recorded in the journal.
    struct Record {
        std::uint64_t revision = 0;
        std::string content{};
        /// Writes what has changed in the history since the previous record. Called by the thread of the store, destroyed
        /// on the control thread.
        std::function<std::string()> history{};
        std::function<void(bool durable)> done{};  ///< called once, later; in the order of the records
    };

    /// How the store is to work.
    struct Settings {
        Durability durability = Durability::async;
        os::FileOperations& files = os::FileOperations::system();
        std::size_t journal_entries = kJournalEntries;
        std::chrono::milliseconds save_interval = kSaveInterval;
        std::chrono::milliseconds retry_interval = kRetryInterval;
    };

    /// The owner must outlive the store. Posted functions must not run after the store is destroyed.
    GraphStore(std::string directory, Post post, Owner& owner, Settings settings);
    GraphStore(const GraphStore&) = delete;
    GraphStore& operator=(const GraphStore&) = delete;
    /// Discards changes that finish() has not saved.
    ~GraphStore();

    /// Opens the folder, loads its graph and reads the state of the output. Call it once, before any other function. If the folder cannot be created
    /// or written, the owner is warned and opening is retried. ALREADY_EXISTS: the folder is in use by another rtad.
    /// UNAVAILABLE and RESOURCE_EXHAUSTED: what was saved may be good, but cannot be read or loaded now; it is not
    /// touched, and a later start may succeed.
    ///
    /// A graph that the machine cannot hold must not stop every start: it is renamed like a damaged one after
    /// GraphRestore::kMaximumFailedRestores starts in a row have failed, or their processes have died, before confirm_restore().
    ///
    /// A history that is damaged is renamed, and one that belongs to another graph is ignored; the owner is warned. A
    /// journal that is damaged, or whose entries cannot be applied, counts up to the damage; one that belongs to another
    /// graph does not count. It is kept under another name, and the owner is warned.
    [[nodiscard]] Expected<Restored> restore(const Load& load, const LoadHistory& load_history = nullptr,
                                             const Replay& replay = nullptr);
    /// Confirms that the restored graph plays, or that it is not the reason for a failed start. Does nothing if no
    /// graph was restored.
    void confirm_restore();

    /// Starts a journal. Call it when clients may make changes; without it, the first change does so.
    void start_journal();
    /// Returns whether changes must be recorded.
    [[nodiscard]] bool has_journal() const { return settings_.durability == Durability::sync; }
    /// Returns whether a change may be made whose record has this many bytes of content. False: not yet; the owner's
    /// room_changed() reports when to ask again. RESOURCE_EXHAUSTED: the disk is full. If the disk cannot be written for
    /// another reason, the change may be made, and is not durable.
    [[nodiscard]] Expected<bool> reserve(std::size_t bytes);
    /// Records a change that reserve() has allowed.
    void record(Record record);
    /// A change could not be recorded, because memory ran out: the graph is saved as a whole.
    void record_lost();

    /// Must be called after a change of the graph or of a parameter. Schedules a save, or, with a journal, only counts: the
    /// change must be recorded. Only increments a counter while a save is pending.
    void graph_changed();
    /// Schedules a save after a change of the output.
    void output_changed();

    /// Saves outstanding changes, waits for the disk, and stops the thread. Call no other function after it, except
    /// status(). Returns the error of that save.
    [[nodiscard]] Expected<void> finish();

    [[nodiscard]] StoreStatus status() const;

 private:
    using TimePoint = std::chrono::steady_clock::time_point;

    /// Numbers of changes.
    struct Changes {
        std::uint64_t graph = 0;
        std::uint64_t output = 0;

        [[nodiscard]] bool operator==(const Changes&) const = default;
    };
    struct Job {
        std::optional<State> state;  ///< nullopt: only open the folder
        Changes changes{};
        std::uint64_t number = 0;                       ///< of the latest record of which the state has the changes
        bool graph = false;                             ///< must be saved
        bool output = false;                            ///< must be saved
        Expected<std::optional<std::string>> result{};  ///< set by the thread, read by saved()
        Expected<void> history{};                       ///< the same; without it, the graph is saved nevertheless
        std::size_t room = 0;                           ///< the same: of the journal
        bool journal_open = false;                      ///< the same
        std::vector<std::string> notes{};               ///< the same: see StateFolder::take_notes()
    };
    /// A record that has not been written.
    struct Pending {
        Record record;
        Changes changes;
        std::uint64_t number;
        std::size_t bytes;  ///< promised
        bool lost = false;  ///< there is no record
    };
    /// What the thread has done with records.
    struct Written {
        std::vector<Pending> records;
        Expected<void> result{};  ///< of writing them
        Expected<void> reserved{};
        std::size_t room = 0;
        bool journal_open = false;
        bool journal_is_long = false;
        Expected<void> history{};  ///< of writing what they have changed in the history
    };

    void changed();
    void start_save();
    [[nodiscard]] bool is_unsaved() const;
    [[nodiscard]] std::shared_ptr<Job> job_since(const Changes& saved) const;
    [[nodiscard]] Expected<std::optional<std::string>> save_graph(Job& job);
    [[nodiscard]] Expected<std::unique_ptr<Journal>> next_journal(const JournalBase& base);
    [[nodiscard]] Expected<void> accept_journal(std::unique_ptr<Journal> next, JournalBase base);
    void run();
    void run_job(std::unique_lock<std::mutex>& lock);
    void run_records(std::unique_lock<std::mutex>& lock, std::uint64_t last);
    [[nodiscard]] std::size_t offer_room(std::size_t wanted);
    [[nodiscard]] bool is_record_due(TimePoint now) const;
    [[nodiscard]] std::optional<TimePoint> next_time() const;
    [[nodiscard]] bool is_journal_open() const;
    [[nodiscard]] Expected<std::optional<std::string>> save(Job& job);
    [[nodiscard]] Expected<void> write(Written& written);
    template <class Task>
    void post_with_retry(const Task& task);
    void saved(Job& job);
    void records_written(Written& written);
    void room_reported(std::size_t room, bool journal_open);
    void reservation_done(const Expected<void>& reserved);
    void graph_is_due();
    void wake();
    void history_saved(const Expected<void>& history);
    void interval_elapsed();

    /// Which files of the folder have been read or written.
    struct Files {
        bool graph = false;
        bool output = false;
    };

    const Settings settings_;

    // Used by the thread only, once it runs.
    std::unique_ptr<Journal> journal_;  ///< null: none has been created
    JournalBase saved_base_;            ///< of a journal for `graph.json` as it is now
    std::optional<Error>
        journal_history_lost_;    ///< why an entry of the journal lacks what it has changed in the history
    std::size_t kept_room_ = 0;   ///< bytes of the journal that the control thread may still promise
    bool records_lost_ = false;   ///< since the graph was saved: no journal may begin without saving it again
    bool other_journal_ = false;  ///< without has_journal(): the folder contains one
    StateFolder folder_;
    Files known_;
    Files lost_;                               ///< known, and removed with the folder
    TimePoint next_write_{};                   ///< records are not written before
    std::optional<TimePoint> interval_end_{};  ///< of the latest save
    std::optional<TimePoint> room_retry_{};    ///< of a reservation that has failed
    std::optional<TimePoint> journal_end_{};   ///< when the journal reaches kJournalAge

    const Post post_;
    Owner& owner_;

    Changes changes_;        ///< calls so far
    Changes saved_changes_;  ///< the calls that are on disk
    std::uint64_t saved_revision_ = 0;
    std::uint64_t number_ = 0;        ///< of the latest record
    std::uint64_t saved_number_ = 0;  ///< of the latest record that the saved graph contains
    std::size_t promised_ = 0;        ///< bytes of records that have not been written
    std::size_t room_ = 0;            ///< for them and further ones, when those before them had been written
    bool journal_known_ = false;      ///< it was opened, or that has failed
    bool journal_open_ = false;
    bool graph_due_ = false;       ///< with a journal: the graph must be saved
    std::optional<Error> full_{};  ///< why no space can be reserved
    std::string error_;
    bool history_lost_ = false;  ///< the latest one could not be saved
    bool restoring_ = false;     ///< restored but not confirmed
    bool busy_ = false;  ///< during a save and the interval after it; then interval_elapsed() checks for changes

    std::mutex mutex_;
    std::condition_variable wake_;
    std::shared_ptr<Job> job_;      ///< under mutex_
    std::vector<Pending> records_;  ///< under mutex_
    std::size_t wanted_room_ = 0;   ///< under mutex_: bytes to reserve; 0: none
    bool stopping_ = false;         ///< under mutex_
    Changes written_changes_;       ///< under mutex_: like saved_changes_, but set by the thread
    std::shared_ptr<Job> last_;     ///< under mutex_: the last attempt
    std::thread thread_;
};

}  // namespace rta::store
