// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "graph/audio_graph.h"
#include "status/status.h"
#include "store/output_state.h"
#include "store/state_folder.h"
#include "text/error.h"

namespace rta::store {

/// Persists the graph and the state of the output in a folder: restores them at start and saves them after every
/// change.
///
/// The first change is saved immediately. Under load, one save starts every kSaveInterval, with the newest graph. A
/// failed save is retried every kRetryInterval. A thread of the store writes the documents and waits for the disk.
/// All functions: [control].
class GraphStore {
 public:
    static constexpr std::chrono::milliseconds kSaveInterval{200};
    static constexpr std::chrono::milliseconds kRetryInterval{1000};
    /// After this many failed restores in a row, the graph is no longer restored. A single one may have another cause,
    /// such as a power failure.
    static constexpr unsigned kMaximumFailedRestores = 2;

    /// Runs a function later on the control thread. Called by the control thread and the thread of the store.
    using Post = std::function<void(std::function<void()>)>;

    struct State {
        AudioGraph graph;
        std::uint64_t revision = 0;
        OutputState output{};
        /// Writes the history that has led to this graph; called by the thread of the store, destroyed on the control
        /// thread. Empty: there is none.
        std::function<std::string()> history{};
    };

    class Owner {
     public:
        virtual ~Owner() = default;
        /// Returns what is to be saved.
        [[nodiscard]] virtual State state() const = 0;
        /// Reports a problem that affects neither the audio nor the clients.
        virtual void store_warning(const std::string& sentence) = 0;
        /// Reports that the problem is solved.
        virtual void store_recovered(const std::string& sentence) = 0;
    };

    enum class RestoredGraph : std::uint8_t {
        loaded,
        none,     ///< no saved graph was found
        damaged,  ///< what was saved is not a graph that can be loaded; it was renamed and the owner was warned
    };
    struct Restored {
        RestoredGraph graph;
        /// If it is damaged, it was renamed, the owner was warned, and the output is to be muted: it may have been.
        OutputState output;
    };
    /// Loads the text of a document as the graph. An error must leave the graph unchanged; an exception need not.
    using Load = std::function<Expected<void>(const std::string& text)>;

    /// Takes the saved history of the graph that was loaded. An error must leave the history empty.
    using LoadHistory = std::function<Expected<void>(const std::string& history)>;

    /// The owner must outlive the store. Posted functions must not run after the store is destroyed.
    GraphStore(std::string directory, Post post, Owner& owner);
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
    /// kMaximumFailedRestores starts in a row have failed, or their processes have died, before confirm_restore().
    ///
    /// A history that is damaged is renamed, and one that belongs to another graph is ignored; the owner is warned.
    [[nodiscard]] Expected<Restored> restore(const Load& load, const LoadHistory& load_history = nullptr);
    /// Confirms that the restored graph plays, or that it is not the reason for a failed start. Does nothing if no
    /// graph was restored.
    void confirm_restore();

    /// Schedules a save after a change of the graph or of a parameter. Only increments a counter while a save is
    /// pending.
    void graph_changed();
    /// Schedules a save after a change of the output.
    void output_changed();

    /// Saves outstanding changes, waits for the disk, and stops the thread. Call no other function after it, except
    /// status(). Returns the error of that save.
    [[nodiscard]] Expected<void> finish();

    [[nodiscard]] StoreStatus status() const;

 private:
    /// Numbers of changes.
    struct Changes {
        std::uint64_t graph = 0;
        std::uint64_t output = 0;

        [[nodiscard]] bool operator==(const Changes&) const = default;
    };
    struct Job {
        std::optional<State> state;  ///< nullopt: only open the folder
        Changes changes{};
        bool graph = false;                             ///< must be saved
        bool output = false;                            ///< must be saved
        Expected<std::optional<std::string>> result{};  ///< set by the thread, read by saved()
        Expected<void> history{};                       ///< the same; without it, the graph is saved nevertheless
    };

    void changed();
    void start_save();
    [[nodiscard]] std::shared_ptr<Job> job_since(const Changes& saved) const;
    [[nodiscard]] Expected<RestoredGraph> restore_graph(const Load& load, const LoadHistory& load_history);
    void restore_history(const std::string& graph, const LoadHistory& load_history);
    [[nodiscard]] Expected<bool> load_saved_history(const std::string& graph, const LoadHistory& load_history);
    [[nodiscard]] Expected<std::optional<std::string>> save_graph(Job& job);
    [[nodiscard]] Expected<OutputState> restore_output();
    [[nodiscard]] Expected<std::optional<std::string>> read_saved();
    [[nodiscard]] Expected<void> load_saved(const Load& load, const std::string& text);
    [[nodiscard]] std::string rename_unrestorable(const std::string& why);
    void run();
    [[nodiscard]] Expected<std::optional<std::string>> save(Job& job);
    template <class Task>
    void post_with_retry(const Task& task);
    void saved(Job& job);
    void history_saved(const Expected<void>& history);
    void interval_elapsed();

    /// Which files of the folder have been read or written.
    struct Files {
        bool graph = false;
        bool output = false;
    };

    // Used by the thread only, once it runs.
    StateFolder folder_;
    Files known_;
    Files lost_;  ///< known, and removed with the folder

    const Post post_;
    Owner& owner_;

    Changes changes_;        ///< calls so far
    Changes saved_changes_;  ///< the calls that are on disk
    std::uint64_t saved_revision_ = 0;
    std::string error_;
    bool history_lost_ = false;  ///< the latest one could not be saved
    bool restoring_ = false;     ///< restored but not confirmed
    bool busy_ = false;  ///< during a save and the interval after it; then interval_elapsed() checks for changes

    std::mutex mutex_;
    std::condition_variable wake_;
    std::shared_ptr<Job> job_;   ///< under mutex_
    bool stopping_ = false;      ///< under mutex_
    Changes written_changes_;    ///< under mutex_: like saved_changes_, but set by the thread
    std::shared_ptr<Job> last_;  ///< under mutex_: the last attempt
    std::thread thread_;
};

}  // namespace rta::store
