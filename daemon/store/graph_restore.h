// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "store/journal_file.h"
#include "store/output_state.h"
#include "store/state_folder.h"
#include "store/store_owner.h"
#include "text/error.h"

namespace rta::store {

/// Restores the graph, its history and the state of the output from a folder: what GraphStore does at a start. [control]
class GraphRestore {
 public:
    /// After this number of failed restores in a row, the graph is no longer restored. A single one may have another cause,
    /// such as a power failure.
    static constexpr unsigned kMaximumFailedRestores = 2;

    enum class Graph : std::uint8_t {
        loaded,
        none,     ///< no saved graph was found
        damaged,  ///< what was saved is not a graph that can be loaded; it was renamed and the owner was warned
    };
    struct Result {
        Graph graph = Graph::none;
        /// If it is damaged, it was renamed, the owner was warned, and the output is to be muted: it may have been.
        OutputState output{};
        bool edited_by_hand = false;  ///< the graph was changed while rtad was not running

        // For the store.
        bool has_graph_file = false;
        bool has_output_file = false;
        bool output_damaged = false;
        bool replayed = false;     ///< some changes of the graph are in its journal only
        bool journaled = false;    ///< the folder has a journal that belongs to the graph
        JournalBase base{};        ///< of a further journal for `graph.json` as it is now
        std::uint64_t number = 0;  ///< of the latest record
    };

    /// Loads the text of a document as the graph. An error must leave the graph unchanged; an exception need not.
    using Load = std::function<Expected<void>(const std::string& text)>;
    /// Takes the saved history of the graph that was loaded. An error must leave the history empty.
    using LoadHistory = std::function<Expected<void>(const std::string& history)>;

    /// The document of a graph after the changes in a journal, and its history, as far as it is known.
    struct Replayed {
        std::string graph;
        std::optional<std::string> history;
        std::size_t entries = 0;  ///< that have been applied
        std::string why{};        ///< the next one could not be; empty if all are
    };
    /// Applies the entries of a journal to the text of a document, or to an empty graph, and to its history, "" if there is
    /// none, or nullopt if it is not known.
    using Replay = std::function<Expected<Replayed>(const std::optional<std::string>& graph,
                                                    const std::optional<std::string>& history,
                                                    std::span<const JournalEntry> entries)>;
    struct Loaders {
        const Load& load;
        const LoadHistory& load_history;  ///< empty: no history is restored
        const Replay& replay;             ///< empty: no journal is
    };

    /// Keeps the references.
    GraphRestore(StateFolder& folder, StoreOwner& owner, const Loaders& loaders)
        : folder_{folder}, owner_{owner}, loaders_{loaders} {}

    /// See GraphStore::restore().
    [[nodiscard]] Expected<Result> run();
    /// Returns whether StateFolder::end_restore() must be called when the graph plays, or is not the reason for a failure.
    [[nodiscard]] bool begun() const { return begun_; }

 private:
    /// A saved graph, or none, with its journal.
    struct SavedGraph {
        std::optional<std::string> text{};
        std::optional<JournalContents> journal{};  ///< that belongs to it
        /// Its history; "" if none is saved; nullopt: it is damaged, or belongs to another graph
        std::optional<std::string> history{};
        bool others_journal = false;  ///< the folder has a journal of another graph, and none of this one
        bool others_history = false;  ///< the same of the history

        [[nodiscard]] bool edited_by_hand() const {
            return !journal && history.value_or("").empty() && (others_journal || others_history);
        }
    };

    [[nodiscard]] Expected<void> restore_graph();
    [[nodiscard]] Expected<std::optional<std::string>> read_saved();
    [[nodiscard]] Expected<void> find_journal(SavedGraph& saved);
    [[nodiscard]] static std::optional<JournalContents> read_journal_of(const std::string& hash,
                                                                        const std::optional<std::string>& file);
    void report_end(const JournalContents& journal);
    void keep_journal(const std::string& why, bool in_use);
    [[nodiscard]] std::optional<Replayed> replay_journal(SavedGraph& saved);
    [[nodiscard]] Expected<void> load_replayed(SavedGraph& saved, Replayed replayed);
    [[nodiscard]] Expected<void> load_saved(const std::string& text);
    void rename_unrestorable(const std::string& why);
    void find_history(SavedGraph& saved);
    void restore_history(const std::string& history);
    void damaged_next_history(const Error& error);
    void damaged_history(const Error& error);
    [[nodiscard]] Expected<void> restore_output();
    void end();

    StateFolder& folder_;
    StoreOwner& owner_;
    const Loaders loaders_;
    Result result_{};
    bool begun_ = false;
};

}  // namespace rta::store
