// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "graph/audio_graph.h"
#include "graph/edit.h"

namespace rta {

/// Identifies a command that was sent to the audio thread. It takes effect when Engine::Observer::applied() reports its
/// serial or a later one.
struct Ticket {
    std::uint64_t serial = 0;    ///< of the command; commands are applied in the order of their serials
    std::uint64_t revision = 0;  ///< of the graph after the command
    /// Upper bound of the time until the change begins to be heard. 0: with the command.
    std::uint32_t starts_within_ms = 0;
    /// A signal is crossfaded with itself at another latency, without a glide, which causes comb filtering during the
    /// crossfade.
    bool combs = false;
    /// Of scheduled parameters: the frame of the command. Empty if they are not part of what sounds.
    std::optional<std::uint64_t> frame = {};
};

/// A relative parameter change of a transaction, as it was applied.
struct RelativeChange {
    std::size_t edit_index;
    NodeId node;
    std::uint32_t parameter;
    float value;  ///< the result
};

/// A transaction with the processors that it adds, initially without those that ChangeSettings replaces. Its edits have
/// not been validated against a graph yet. If it was prepared with spare processors and is not committed, its destructor
/// gives its processors back to them.
class PreparedTransaction {
 public:
    PreparedTransaction();
    PreparedTransaction(PreparedTransaction&&) noexcept;
    PreparedTransaction& operator=(PreparedTransaction&&) noexcept;
    ~PreparedTransaction();

    /// [any]
    [[nodiscard]] const Transaction& transaction() const;
    /// [control] Parameters that the edits leave with these values, whatever other clients have set since the transaction was
    /// prepared: they are set after the edits. Replaces those of an earlier call. None may be relative.
    void set_last(std::vector<SetParameter> changes);
    /// [control] Returns the relative parameter changes, in the order of the edits, after Engine::commit() has succeeded.
    [[nodiscard]] std::span<const RelativeChange> relative_changes() const;
    /// [control] Returns the names of the nodes whose earlier processors have been put back, after Engine::commit() has
    /// succeeded; see Transaction::restores.
    [[nodiscard]] std::span<const std::string> kept_nodes() const;
    /// [any] Returns the number of processors that were built for it, without those that were spare.
    [[nodiscard]] std::size_t built_count() const;

 private:
    friend class Engine;
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// A graph that other threads may read. The engine destroys it, on the control thread, after nothing else refers to it:
/// a graph edits a node in place if no other graph shares it, so the snapshot must outlive every read.
struct GraphSnapshot {
    AudioGraph graph;
    std::uint64_t next_id = 1;  ///< id of the next node added
    /// The latency that each node adds, in frames, in the order of the graph; never null.
    std::shared_ptr<const std::vector<std::uint32_t>> own_latencies{};
    std::uint64_t revision = 0;  ///< of the graph
    /// The number that a caller of Engine::snapshot() gave to the graph. Written once, before other threads read it.
    std::optional<std::uint64_t> change_number{};
};
using SharedGraphSnapshot = std::shared_ptr<const GraphSnapshot>;

}  // namespace rta
