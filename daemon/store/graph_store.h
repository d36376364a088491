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
#include "store/state_folder.h"
#include "text/error.h"

namespace rta::store {

/// Remembers the graph in a folder: restores it at the start, and saves it after every change.
///
/// A change is saved at once where nothing was saved just before; under load a save begins every kSaveInterval, with
/// the newest graph. A save that fails is tried again every kRetryInterval. Documents are written, and the disk is
/// waited for, on a thread of the store's own. All functions: [control].
class GraphStore {
 public:
    static constexpr std::chrono::milliseconds kSaveInterval{200};
    static constexpr std::chrono::milliseconds kRetryInterval{1000};
    /// Once may have been anything: a power cut, or an administrator.
    static constexpr unsigned kMostUnheard = 2;

    /// Runs a function on the control thread, later. Called by both threads.
    using Post = std::function<void(std::function<void()>)>;

    struct State {
        AudioGraph graph;
        std::uint64_t revision = 0;
    };

    class Owner {
     public:
        virtual ~Owner() = default;
        /// The graph of now, and its revision.
        [[nodiscard]] virtual State state() const = 0;
        /// Something went wrong that hurts neither the sound nor a client.
        virtual void store_warning(const std::string& sentence) = 0;
        /// It is right again.
        virtual void store_recovered(const std::string& sentence) = 0;
    };

    enum class Restored : std::uint8_t {
        graph,    ///< the graph is the one that was saved
        nothing,  ///< there was none, as far as can be seen
        damaged,  ///< what there was is no graph; it was kept aside, the owner was warned
    };
    /// Makes the text of a document the graph. On any error nothing has changed; nobody knows that of an exception.
    using Load = std::function<Expected<void>(const std::string& text)>;

    /// The owner outlives the store, and nothing that was posted runs after the store.
    GraphStore(std::string directory, Post post, Owner& owner);
    GraphStore(const GraphStore&) = delete;
    GraphStore& operator=(const GraphStore&) = delete;
    /// Saves nothing that finish() has not saved.
    ~GraphStore();

    /// Opens the folder and loads the graph that is in it. To be called once, first, and before any changed().
    /// ALREADY_EXISTS is the only error: another rtad uses the folder. A folder that cannot be used otherwise is warned
    /// of, and tried again.
    ///
    /// A graph that is too much for the machine must not be restored for ever. One whose loading throws is kept aside
    /// as a damaged one is before the exception goes on; and so is one for which kMostUnheard starts in a row died
    /// before confirm_restore().
    [[nodiscard]] Expected<Restored> restore(const Load& load);
    /// What was restored is heard, or is not the reason why this start comes to nothing. Does nothing where nothing was
    /// restored.
    void confirm_restore();

    /// The graph or a parameter has changed. Costs an addition where a save is on its way already.
    void changed();

    /// Saves what is not saved yet, waiting for the disk, and ends the thread: the last call. The error is of that
    /// save.
    [[nodiscard]] Expected<void> finish();

    [[nodiscard]] StoreStatus status() const;

 private:
    struct Job {
        std::optional<State> state;  ///< nothing: only the folder is to be opened
        std::uint64_t change = 0;
        Expected<std::optional<std::string>> result{};  ///< the thread's; then saved()'s
    };

    void hand_over();
    void start_thread();
    [[nodiscard]] Expected<std::optional<std::string>> read_saved();
    [[nodiscard]] Expected<void> load_saved(const Load& load, const std::string& text);
    [[nodiscard]] std::string keep_aside(const std::string& why);
    void run();
    [[nodiscard]] Expected<std::optional<std::string>> save(const Job& job);
    template <class Task>
    void post_surely(const Task& task);
    void saved(Job& job);
    void rested();

    StateFolder folder_;  ///< the thread's, once that runs
    const Post post_;
    Owner& owner_;

    std::uint64_t change_ = 0;        ///< counts the calls of changed()
    std::uint64_t saved_change_ = 0;  ///< as many of them are on disk
    std::uint64_t saved_revision_ = 0;
    std::string error_;
    bool restoring_ = false;  ///< restored, and not yet confirmed
    bool busy_ = false;  ///< a save is under way, or the rest after it: rested() looks for what has changed meanwhile

    std::mutex mutex_;
    std::condition_variable wake_;
    std::shared_ptr<Job> job_;          ///< under mutex_
    bool ending_ = false;               ///< under mutex_
    std::uint64_t written_change_ = 0;  ///< under mutex_: as saved_change_, but at once
    std::shared_ptr<Job> last_;         ///< under mutex_: the last that was tried
    std::thread thread_;
};

}  // namespace rta::store
