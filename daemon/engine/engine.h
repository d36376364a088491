// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/commit_forecast.h"
#include "engine/config.h"
#include "engine/measurements.h"
#include "engine/prepared_transaction.h"
#include "engine/reset.h"
#include "engine/run_on_worker.h"
#include "engine/spare_processors.h"
#include "graph/audio_graph.h"
#include "graph/edit.h"
#include "graph/node_type.h"
#include "rt/audio_thread.h"
#include "text/error.h"

namespace rta {

class Renderer;
struct CompileRequest;
struct EngineCore;
struct ParameterTarget;

/// Receives the contents of the plan that is sent as command `serial`, during the call only.
using PlanWatcher = std::function<void(std::uint64_t serial, const CompileRequest& contents)>;
/// Receives the parameters that are sent as command `serial`, during the call only.
using ParameterWatcher = std::function<void(std::uint64_t serial, std::span<const ParameterTarget> targets)>;

/// Receives the graph that a transaction is about to replace, and the one that would replace it, during the call only.
/// An error refuses the transaction.
using Admission = std::function<Expected<void>(const AudioGraph& before, const AudioGraph& after)>;

/// Receives the graph that was replaced, and the one that has replaced it, during the call only. Must not throw.
using GraphWatcher = std::function<void(const AudioGraph& before, const AudioGraph& after)>;

/// The control half of the engine: owns the graph, the processors and the plans. Edits are compiled to plans and sent
/// to the Renderer. Calls never wait: those that find no room return RESOURCE_EXHAUSTED and change nothing.
class Engine {
 public:
    /// Receives the reports of poll(), in order. [control]
    class Observer {
     public:
        virtual ~Observer() = default;
        /// Every command up to `serial` took effect at the start of the block that begins at `frame`.
        virtual void applied(std::uint64_t serial, std::uint64_t frame) = 0;
        /// The transaction with this revision begins to be heard in the block that starts at `frame`. Once for each
        /// revision, not necessarily in their order; what starts together has the same frame.
        virtual void transaction_heard(std::uint64_t revision, std::uint64_t frame) = 0;
        /// The scheduled command `serial` took effect at its frame, or at the start of the block that begins at `frame` if
        /// that is later. Reported after transaction_heard().
        virtual void scheduled_applied(std::uint64_t /*serial*/, std::uint64_t /*frame*/) {}
        /// A node produced NaN or infinity at `frame`. It is muted until its processor has been rebuilt.
        virtual void node_faulted(const std::string& node, std::uint64_t frame) = 0;
        /// The fade started by fade_device(), mute_output() or set_output_volume() has ended.
        virtual void device_faded(std::uint64_t frame) = 0;
    };

    /// [control] `registry` must outlive the engine.
    Engine(const NodeRegistry& registry, const EngineConfig& config);
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;
    /// [control] No audio thread may be inside the renderer or enter it again.
    ~Engine();

    /// [control] Returns the current graph, for prepare(). Takes as long as copying the graph; callers between two changes
    /// of the graph share one snapshot. `change_number` is the caller's number of the state; a shared snapshot has that of
    /// the first caller who gave one.
    [[nodiscard]] SharedGraphSnapshot snapshot(std::optional<std::uint64_t> change_number = std::nullopt);

    /// [any] Builds the processors that the transaction adds. Slow: call it on a worker thread. Their memory is added
    /// up before the first is built. Errors: unknown type, invalid setting, failed factory, RESOURCE_EXHAUSTED if
    /// memory is short; `edit_index` identifies the edit.
    ///
    /// With a snapshot, the edits are applied to it before anything is built. This finds the errors of commit(), except
    /// those that depend on latencies and on the number of parameter changes, and that of kMaximumEditS. Take the
    /// snapshot when commit() could be called: the errors are final. The time of commit() then depends on the size of
    /// the graph, not on the number of edits.
    ///
    /// Processors in `spares` are used before others are built.
    [[nodiscard]] Expected<PreparedTransaction> prepare(Transaction transaction, SharedGraphSnapshot snapshot = nullptr,
                                                        std::shared_ptr<SpareProcessors> spares = nullptr) const;
    /// [any] Adds a processor for such nodes to the spare ones. Slow, and errors, as prepare().
    [[nodiscard]] Expected<void> build_spare(std::shared_ptr<const NodeDescription> node,
                                             SpareProcessors& spares) const;

    /// [control] Validates the transaction against the current graph, compiles it and sends the plan, in one step and
    /// all or nothing. Takes the next revision. On any error the graph has not changed. The same `prepared` may be
    /// committed again after two of the errors. RESOURCE_EXHAUSTED without an `edit_index` means that the audio thread
    /// has not returned enough plans yet, or that refused_until_progress() applies. ABORTED means that build() must be
    /// called first: processors are missing, because only the graph to which ChangeSettings applies determines them, or
    /// the graph has changed since the snapshot in the same places.
    /// INVALID_ARGUMENT also if more than maximum_changes() parameters of playing nodes change. `before` receives the
    /// graph that was replaced, for difference(). The errors of `admission` are returned after all others, except those of
    /// the room for the change of the sound.
    [[nodiscard]] Expected<Ticket> commit(PreparedTransaction& prepared, AudioGraph* before = nullptr,
                                          const Admission& admission = {});

    // Scheduled edits. A call should come early enough: two device periods ahead. One that comes too late takes effect in
    // the next block. Commands without a frame do not wait for those that have one; transactions wait while one of them
    // is on its way.

    /// [control] As commit(); the transaction begins to be heard in the block that holds `frame`. If signals must fill, it
    /// begins later: see commit_ahead(). Frames must not decrease.
    [[nodiscard]] Expected<Ticket> commit_at(PreparedTransaction& prepared, std::uint64_t frame,
                                             AudioGraph* before = nullptr, const Admission& admission = {});
    /// [control] Returns what a transaction would do if it were committed now. Changes nothing. Errors as those of commit().
    [[nodiscard]] Expected<CommitForecast> forecast(PreparedTransaction& prepared);
    /// [control] As commit(); new signals fill from now on, but the transaction does not begin before the block that holds
    /// `frame`. Call start_at() for the same frame later.
    [[nodiscard]] Expected<Ticket> commit_ahead(PreparedTransaction& prepared, std::uint64_t frame,
                                                AudioGraph* before = nullptr, const Admission& admission = {});
    /// [control] Lets the transactions that are ready begin in the block that holds `frame`. RESOURCE_EXHAUSTED as in
    /// commit().
    [[nodiscard]] Expected<void> start_at(std::uint64_t frame);
    /// [control] As set_parameters(); the ramps start exactly at `frame`. Frames must not decrease.
    [[nodiscard]] Expected<Ticket> set_parameters_at(std::uint64_t frame, std::span<const SetParameter> changes,
                                                     std::span<float> results = {}, std::span<float> previous = {});
    /// [control] Announces the frame of the next scheduled transaction, or that none is scheduled. No round begins that would
    /// still run there; what waits begins together with it.
    void reserve(std::optional<std::uint64_t> frame);
    /// [control] Validates parameter changes as set_parameters() does, and changes nothing.
    [[nodiscard]] Expected<void> check_parameters(std::span<const SetParameter> changes) const;

    /// [control] Returns whether the last commit() or set_parameters() was refused because of waiting changes or fades, and
    /// not because the engine is full: other edits can be made. It cannot succeed before progress() changes.
    [[nodiscard]] bool refused_until_progress() const;
    /// [control] Returns a number that changes when a waiting change may have started.
    [[nodiscard]] std::uint64_t progress() const;

    /// [any] Does what commit() or check() found missing. Slow: call it on a worker thread. Errors as in prepare().
    [[nodiscard]] Expected<void> build(PreparedTransaction& prepared) const;

    /// [control] Validates and compiles without committing. Returns the graph that would result. ABORTED as in commit().
    [[nodiscard]] Expected<AudioGraph> check(PreparedTransaction& prepared);
    /// [any] Returns the graph that a transaction makes of the snapshot with which it was prepared. Errors:
    /// FAILED_PRECONDITION if its compensating delays exceed their limit.
    [[nodiscard]] static Expected<AudioGraph> result(const PreparedTransaction& prepared);

    /// [control] Gives the nodes of the graph these identities, by their names; other nodes get new ones. New nodes have
    /// greater ones, at least `next`. Call it before the first edit of a client.
    void restore_identities(const std::map<std::string, NodeIdentity>& identities, std::uint64_t next);
    /// [control] Returns the identity of the next node added; that of each existing node is less.
    [[nodiscard]] std::uint64_t next_identity() const;

    /// [control] Sets the executor that builds processors without a transaction: those of a reset, and the successors
    /// of faulty nodes. Initially run_here(). The work must have ended when the engine is destroyed.
    void build_on(RunOnWorker run);

    /// [control] Changes parameters, all or none; all take effect in the same block. INVALID_ARGUMENT if there are more
    /// than maximum_changes(); RESOURCE_EXHAUSTED as in commit(). `results` and `previous` are empty, or as long as
    /// `changes`: they receive the values to which the changes set the parameters, and those before all of them.
    [[nodiscard]] Expected<Ticket> set_parameters(std::span<const SetParameter> changes, std::span<float> results = {},
                                                  std::span<float> previous = {});

    /// [control] Returns the number of parameters of playing nodes that one request may change, which depends on the
    /// duration of a block. ReplaceGraph is not limited: the number of changes by a document depends on the graph that
    /// it replaces; nor is Transaction::restores.
    [[nodiscard]] std::size_t maximum_changes() const;
    /// [control] Returns the error of set_parameters() for more changes than that.
    [[nodiscard]] Expected<void> check_changes_count(std::size_t count) const;

    /// [control] Fades the device output to silence (`gain` 0) or to full level (1) over `length_ms`; before the first
    /// block, without a fade. A muted output stays silent. RESOURCE_EXHAUSTED as in commit().
    [[nodiscard]] Expected<Ticket> fade_device(float gain, float length_ms);

    /// [control] Mutes or unmutes the device output with a fade over kDeviceFadeMs; before the first block, without a
    /// fade. The graph keeps playing. RESOURCE_EXHAUSTED as in commit().
    [[nodiscard]] Expected<Ticket> mute_output(bool muted);
    /// [control] Returns the state requested last with mute_output().
    [[nodiscard]] bool output_muted() const;
    /// [control] Returns whether the output is muted and the fade has ended.
    [[nodiscard]] bool output_silent() const;

    /// [control] Sets the gain of the device output, with a ramp over kDeviceFadeMs; before the first block, without one.
    /// While the output is muted, nothing is heard of it. INVALID_ARGUMENT unless it is kMinimumVolumeDb (silence) to
    /// kMaximumVolumeDb; RESOURCE_EXHAUSTED as in commit().
    [[nodiscard]] Expected<Ticket> set_output_volume(float volume_db);
    /// [control] Returns the volume set last; initially 0 dB.
    [[nodiscard]] float output_volume_db() const;

    /// [control] Starts to replace the processors of all nodes by new ones. Graph, parameters and revision do not
    /// change. One reset at a time. During the reset, commit() changes the graph only: the sound changes when the reset
    /// takes effect, although the ticket is applied in the next block. Call try_complete() on the result until it
    /// returns a ticket or an error.
    [[nodiscard]] EngineReset start_reset();

    /// [control] Starts or stops level measurement; earlier measurements are discarded.
    void watch_levels(bool watched);
    /// [control] Returns all levels measured since the last call, in whole quanta of 256 frames, or of one
    /// block if that is longer.
    [[nodiscard]] MeasuredLevels take_levels();
    /// [control] Restarts programme loudness (integrated, range and maxima) in the named nodes, or in all meters if
    /// `names` is empty; all or nothing. Returns the first frame that counts. Errors: unknown node; node without a
    /// meter.
    [[nodiscard]] Expected<std::uint64_t> restart_loudness(std::span<const std::string> names);

    /// [control] Replaces the ports whose signals are measured. One of the next plans measures them, as soon as no round runs;
    /// neither the graph nor its revision changes, nor anything that is heard. Ports of nodes that do not sound are not
    /// measured.
    void watch_ports(std::vector<TappedPort> ports);

    /// [control] Starts or stops timing nodes. Each node is timed in some blocks only, about once every 8,192 frames,
    /// or more often in small graphs.
    void watch_node_times(bool watched);
    /// [control] Returns the times of all nodes, unordered.
    [[nodiscard]] std::vector<NodeTime> node_times() const;

    /// [control] From now on, calls `watcher` after each change of nodes or connections, from within the call that makes it.
    void watch_graph(GraphWatcher watcher);

    /// [control] From now on, calls `plans` with each plan, and `parameters` with those of each transaction that needs no
    /// plan, from within the call that sends it. Tests predict the sound from this.
    void watch_plans(PlanWatcher plans, ParameterWatcher parameters = nullptr);

    /// [control] Processes the replies of the audio thread: frees what it returned, prunes what has faded out, and
    /// reports to the observer. Call it every few milliseconds while outstanding() returns true, and every 100 ms
    /// otherwise.
    void poll(Observer& observer);
    /// [control] Returns whether a command has not been applied yet or a running fade must be followed by a plan.
    [[nodiscard]] bool outstanding() const;

    /// [control]
    [[nodiscard]] const AudioGraph& graph() const;
    /// [control]
    [[nodiscard]] LatencyReport latency() const;
    /// [control] Returns the latency that each node adds, in frames, in the order of the graph.
    [[nodiscard]] std::shared_ptr<const std::vector<std::uint32_t>> own_latencies() const;
    /// [control]
    [[nodiscard]] std::uint64_t revision() const;
    /// [control]
    [[nodiscard]] EngineStatistics statistics() const;
    /// [any]
    [[nodiscard]] const EngineConfig& config() const;
    /// [any]
    [[nodiscard]] const NodeRegistry& registry() const;

    /// [any] The audio half. Only the holder of the gate may call its [audio] functions.
    [[nodiscard]] Renderer& renderer();
    /// [any]
    [[nodiscard]] const Renderer& renderer() const;
    /// [any]
    [[nodiscard]] AudioThreadGate& gate();

 private:
    std::unique_ptr<EngineCore> core_;
};

}  // namespace rta
