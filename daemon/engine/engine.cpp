// SPDX-License-Identifier: MIT
#include "engine/engine.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <iterator>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>

#include "engine/committed_connections.h"
#include "engine/engine_core.h"
#include "engine/renderer.h"
#include "plan/compiler.h"
#include "plan/latency.h"
#include "text/format_number.h"
#include "text/quoting.h"
#include "text/sort_range.h"

namespace rta {
namespace {

constexpr const char* kFull = "the queue to the audio thread is full; nothing was changed, try again";

Error too_many_changes(const EngineCore& core, std::size_t changes) {
    return {ErrorCode::invalid_argument,
            "the request changes " + std::to_string(changes) + " parameters: expected at most " +
                std::to_string(core.exchange.maximum_targets()) + " in one block of " +
                std::to_string(core.config.block_size) + " frames at " +
                std::to_string(std::lround(core.config.sample_rate_hz)) + " Hz",
            {}};
}

/// Transactions with more ChangeSettings edits are applied on a worker: a new layout of the parameters of a node takes
/// up to 0.2 ms.
constexpr std::ptrdiff_t kMostLayouts = 8;

bool takes_long(const Transaction& transaction) {
    return std::ranges::count_if(transaction.edits, [](const Edit& edit) {
               return std::holds_alternative<ChangeSettings>(edit);
           }) > kMostLayouts;
}

/// Returns a draft that can be compiled. On ABORTED, a worker must call build(), for which `edits` is prepared.
Expected<Draft> complete_draft(EngineCore& core, PreparedEdits& edits) {
    const DraftOrigin origin = core.origin(limits_of(edits.transaction, core.config));
    if (!edits.draft && takes_long(edits.transaction)) {
        edits.snapshot = core.snapshot();
        return fail(ErrorCode::aborted, "the edits must be applied on a worker first");
    }
    if (edits.draft) {
        auto draft = carry_over(edits, origin);
        if (draft || draft.error().code != ErrorCode::aborted) return draft;
        edits.draft.reset();
        // The time of this one edit depends on the size of the new graph only.
        const bool again = !edits.transaction.replaces_graph();
        edits.snapshot = again ? core.snapshot() : nullptr;
        if (again) return draft;
    }
    auto draft = apply_edits(origin, edits);
    if (!draft) return draft;
    edits.missing = draft->missing();
    if (edits.missing.empty()) return draft;
    return fail(ErrorCode::aborted, "node " + quoted(edits.missing.front().description->name) +
                                        " must be built with its new settings first");
}

/// A transaction whose new nodes alone exceed the memory of a graph is refused before they are built.
Expected<void> check_memory_limit(const NodeBuilder& builder, const PreparedEdits& edits,
                                  std::span<const MissingNode> missing) {
    if (edits.transaction.exempt) return {};
    std::uint64_t bytes = 0;
    for (const MissingNode& node : missing) {
        const PreparedNode& prepared = edits.nodes[node.edit_index][node.node_index];
        bytes += prepared.description->memory_bytes;
        if (auto fits = builder.check_graph_memory(*prepared.description, bytes); !fits)
            return std::unexpected(at_edit(at_position(std::move(fits.error()), prepared.position), node.edit_index));
    }
    return {};
}

/// Builds the nodes that are missing. Their memory is added up first.
Expected<void> build_missing(const NodeBuilder& builder, PreparedEdits& edits) {
    const std::vector<MissingNode> missing = std::exchange(edits.missing, {});
    NodeBuilder::Reservation reservation{builder};
    for (const MissingNode& node : missing) {
        auto& nodes = edits.nodes[node.edit_index];
        if (std::holds_alternative<ChangeSettings>(edits.transaction.edits[node.edit_index]))
            nodes = {PreparedNode{.description = node.description, .parameters = {}}};
        PreparedNode& prepared = nodes[node.node_index];
        if (edits.spares != nullptr) prepared.instance = edits.spares->take(*prepared.description);
        if (prepared.instance == nullptr)
            reservation.add(*prepared.description, node.edit_index, prepared.position);
        else
            prepared.instance->rename(prepared.description);
    }
    if (auto allowed = check_memory_limit(builder, edits, missing); !allowed) return allowed;
    if (auto enough = reservation.check(); !enough) return enough;
    for (const MissingNode& node : missing) {
        PreparedNode& prepared = edits.nodes[node.edit_index][node.node_index];
        if (prepared.instance != nullptr) continue;
        auto instance = builder.build(prepared.description);
        if (!instance) {
            return std::unexpected(
                at_edit(at_position(std::move(instance.error()), prepared.position), node.edit_index));
        }
        prepared.instance = std::move(*instance);
        ++edits.built;
    }
    return {};
}

/// Applies the edits to the snapshot, and builds the new nodes that are still in the graph afterwards.
Expected<void> make_draft(const EngineCore& core, PreparedEdits& edits) {
    auto draft = apply_to_snapshot(edits, core.config);
    if (!draft) return std::unexpected(std::move(draft.error()));
    edits.missing = draft->missing();
    if (auto built = build_missing(core.builder, edits); !built) return built;
    for (AddedNode& node : draft->added) {
        const auto& nodes = edits.nodes[node.edit_index];
        if (node.instance == nullptr && !nodes.empty()) node.instance = nodes[node.node_index].instance;
    }
    edits.draft = std::move(*draft);
    edits.names = names_in(edits.transaction);
    return {};
}

std::vector<MissingNode> all_nodes(const PreparedEdits& edits) {
    std::vector<MissingNode> nodes;
    for (std::size_t i = 0; i < edits.nodes.size(); ++i) {
        for (std::size_t k = 0; k < edits.nodes[i].size(); ++k) nodes.push_back({i, k, edits.nodes[i][k].description});
    }
    return nodes;
}

LatencyReport latency_report(const AudioGraph& graph, std::span<const std::uint32_t> own) {
    LatencyReport latency;
    if (std::ranges::all_of(own, [](std::uint32_t frames) { return frames == 0; })) return latency;
    const GraphLatency found = find_latency(graph, own);
    latency.output_frames = found.output_frames;
    for (std::size_t i = 0; i < own.size(); ++i) {
        if (own[i] != 0) latency.nodes.push_back({graph.nodes()[i]->id, own[i], found.arrivals[i] + own[i]});
    }
    return latency;
}

/// Returns the latency of each node of a draft of a snapshot; empty if the graph does not compensate latencies.
std::vector<std::uint32_t> latencies_of(const Draft& draft, const GraphSnapshot& snapshot) {
    std::vector<std::uint32_t> latencies;
    if (!draft.graph.latency_compensation()) return latencies;
    std::unordered_map<std::uint64_t, std::uint32_t> known;
    for (std::size_t i = 0; i < snapshot.graph.nodes().size(); ++i)
        known.emplace(snapshot.graph.nodes()[i]->id.value(), (*snapshot.own_latencies)[i]);
    for (const AddedNode& node : draft.added) {
        if (node.instance != nullptr) known.insert_or_assign(node.id.value(), node.instance->latency_frames());
    }
    for (const auto& node : draft.graph.nodes()) latencies.push_back(known.at(node->id.value()));
    return latencies;
}

/// Gives the processors of a draft their new names, and takes back that and what was lent to them, unless the draft succeeds.
class DraftTrial {
 public:
    DraftTrial(EngineCore& core, const Draft& draft) : core_{&core}, draft_{draft} { draft.rename_instances(); }
    DraftTrial(const DraftTrial&) = delete;
    DraftTrial& operator=(const DraftTrial&) = delete;
    ~DraftTrial() {
        if (core_ == nullptr) return;
        core_->kept.take_back();
        core_->restore_names(draft_);
    }
    void succeed() { core_ = nullptr; }

 private:
    EngineCore* core_;
    const Draft& draft_;
};

}  // namespace

struct PreparedTransaction::Impl : PreparedEdits {
    Impl() = default;
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl() {
        if (spares == nullptr) return;
        draft.reset();
        for (auto& of_edit : nodes) {
            for (PreparedNode& node : of_edit) {
                if (node.instance != nullptr) spares->put(std::exchange(node.instance, nullptr));
            }
        }
    }
};

PreparedTransaction::PreparedTransaction() : impl_{std::make_unique<Impl>()} {}
PreparedTransaction::PreparedTransaction(PreparedTransaction&&) noexcept = default;
PreparedTransaction& PreparedTransaction::operator=(PreparedTransaction&&) noexcept = default;
PreparedTransaction::~PreparedTransaction() = default;

const Transaction& PreparedTransaction::transaction() const { return impl_->transaction; }

void PreparedTransaction::set_last(std::vector<SetParameter> changes) { impl_->last = std::move(changes); }

std::span<const RelativeChange> PreparedTransaction::relative_changes() const { return impl_->relative; }

std::span<const std::string> PreparedTransaction::kept_nodes() const { return impl_->kept; }
std::size_t PreparedTransaction::built_count() const { return impl_->built; }

SharedGraphSnapshot Engine::snapshot(std::optional<std::uint64_t> change_number) {
    return core_->snapshot(change_number);
}

Expected<PreparedTransaction> Engine::prepare(Transaction transaction, SharedGraphSnapshot snapshot,
                                              std::shared_ptr<SpareProcessors> spares) const {
    PreparedTransaction prepared;
    PreparedEdits& edits = *prepared.impl_;
    edits.spares = std::move(spares);
    edits.nodes.reserve(transaction.edits.size());
    for (std::size_t i = 0; i < transaction.edits.size(); ++i) {
        auto nodes = core_->builder.describe(transaction.edits[i]);
        if (!nodes) return std::unexpected(at_edit(std::move(nodes.error()), i));
        edits.nodes.push_back(std::move(*nodes));
    }
    edits.transaction = std::move(transaction);
    edits.snapshot = std::move(snapshot);
    if (edits.snapshot == nullptr) edits.missing = all_nodes(edits);
    if (auto built = build(prepared); !built) return std::unexpected(std::move(built.error()));
    return prepared;
}

Expected<void> Engine::build_spare(std::shared_ptr<const NodeDescription> node, SpareProcessors& spares) const {
    NodeBuilder::Reservation reservation{core_->builder};
    reservation.add(*node);
    if (auto enough = reservation.check(); !enough) return enough;
    auto instance = core_->builder.build(std::move(node));
    if (!instance) return std::unexpected(std::move(instance.error()));
    spares.put(std::move(*instance));
    return {};
}

Expected<void> Engine::build(PreparedTransaction& prepared) const {
    PreparedEdits& edits = *prepared.impl_;
    return edits.snapshot != nullptr ? make_draft(*core_, edits) : build_missing(core_->builder, edits);
}

// ---------------------------------------------------------------------------------------------------------------------
// Sending

Expected<Ticket> EngineCore::commit(PreparedEdits& edits, const CommitStart& start, AudioGraph* before,
                                    const Admission& admission) {
    refused_until_progress = false;
    const bool room = start.frame ? exchange.has_room_for_plan_at(*start.frame) : exchange.has_room_for_plan();
    if (!room) return fail(ErrorCode::resource_exhausted, kFull);
    auto draft = complete_draft(*this, edits);
    if (!draft) return std::unexpected(std::move(draft.error()));
    const auto targets = targets_of(draft->changes);
    const bool limited = !edits.transaction.replaces_graph() && !edits.transaction.restores;
    if (!reset_in_progress() && limited && targets.size() > exchange.maximum_targets())
        return std::unexpected(too_many_changes(*this, targets.size()));
    // The changes that a failed reset has held back must be heard first.
    if (held_back && !reset_in_progress()) return fail(ErrorCode::resource_exhausted, kFull);
    if (!start.frame && must_wait(targets, {})) return refuse_until_scheduled();
    if (admission) {
        if (auto admitted = admission(graph, draft->graph); !admitted)
            return std::unexpected(std::move(admitted.error()));
    }
    // Until the plan has been sent, the commit may be refused, and memory may run out; after that, nothing can fail.
    DraftTrial trial{*this, *draft};
    if (edits.transaction.restores && !reset_in_progress() && !kept.lend(*draft, now().frame)) {
        refused_until_progress = true;
        return fail(ErrorCode::resource_exhausted, "a removed node that comes back is still fading out");
    }
    std::vector<std::string> names_of_kept = kept.lent();
    Adoption adoption = prepare_adoption(*draft);
    CommitStart with_gains = start;
    with_gains.gain_frames = frames_of(edits.transaction.gain_ramp_ms);
    auto ticket = send_commit(*draft, with_gains);
    if (!ticket) return ticket;
    trial.succeed();
    kept.end();
    edits.spares.reset();  // its processors are in use
    edits.kept = std::move(names_of_kept);
    edits.relative = std::move(draft->relative);
    AudioGraph replaced = adopt(std::move(*draft), std::move(adoption));
    if (before != nullptr) *before = std::move(replaced);
    ++revision;
    return ticket;
}

Expected<Ticket> Engine::commit(PreparedTransaction& prepared, AudioGraph* before, const Admission& admission) {
    return core_->commit(*prepared.impl_, {}, before, admission);
}

Expected<Ticket> Engine::commit_at(PreparedTransaction& prepared, std::uint64_t frame, AudioGraph* before,
                                   const Admission& admission) {
    return core_->commit(*prepared.impl_, {.frame = core_->block_of(frame)}, before, admission);
}

Expected<Ticket> Engine::commit_ahead(PreparedTransaction& prepared, std::uint64_t frame, AudioGraph* before,
                                      const Admission& admission) {
    return core_->commit(*prepared.impl_, {.not_before = core_->block_of(frame)}, before, admission);
}

Expected<CommitForecast> Engine::forecast(PreparedTransaction& prepared) {
    EngineCore& core = *core_;
    auto draft = complete_draft(core, *prepared.impl_);
    if (!draft) return std::unexpected(std::move(draft.error()));
    ConnectionChange change = core.rounds.change_to(
        committed_connections(draft->graph, compensating_delays(draft->graph, draft->latencies())));
    CommitForecast forecast;
    // Two transactions may give the same ids to the nodes that they add.
    std::ranges::copy_if(change.ports, std::back_inserter(forecast.inputs),
                         [&](const PortRef& port) { return core.graph.find(port.node) != nullptr; });
    for (const ParameterChange& parameter : draft->changes) {
        if (core.graph.find(parameter.node) != nullptr)
            forecast.parameters.emplace_back(parameter.node, parameter.parameter);
    }
    sort_range(forecast.parameters);
    forecast.anywhere = !forecast.inputs.empty() && form_loop(core.graph, draft->graph);
    forecast.frames = core.rounds.frames_to_wait({.graph = draft->graph,
                                                  .connections = std::move(change),
                                                  .parameters = draft->changes,
                                                  .renames = false,
                                                  .revisions = {core.revision + 1},
                                                  .must_be_taken = false,
                                                  .instance = [&](NodeId id) { return draft->instance(id); }},
                                                 core.now());
    return forecast;
}

Expected<void> Engine::start_at(std::uint64_t frame) {
    EngineCore& core = *core_;
    const std::uint64_t block = core.block_of(frame);
    if (core.reset_in_progress()) return {};
    if (!core.exchange.has_room_for_plan_at(block)) return fail(ErrorCode::resource_exhausted, kFull);
    Rounds next = core.rounds;
    const Rounds::Step step = next.advance(core.graph, {.frame = block, .serial = core.exchange.next_serial()},
                                           [&](NodeId id) { return core.instances.at(id.value()); });
    if (step.needs_command()) core.send(std::move(next), step, core.graph, {.frame = block});
    return {};
}

void Engine::reserve(std::optional<std::uint64_t> frame) {
    core_->rounds.reserve(frame ? std::optional{*frame / core_->config.block_size * core_->config.block_size} : frame);
}

bool Engine::refused_until_progress() const { return core_->refused_until_progress; }
std::uint64_t Engine::progress() const { return core_->rounds_advanced; }

Expected<AudioGraph> Engine::check(PreparedTransaction& prepared) {
    auto draft = complete_draft(*core_, *prepared.impl_);
    if (!draft) return std::unexpected(draft.error());
    const SoundingGraph sound = SoundingGraph::of(
        draft->graph, committed_connections(draft->graph, {}),
        {.serial = 1, .frame = 0, .fade_frames = 0, .instance = [&](NodeId id) { return draft->instance(id); }});
    CompileRequest request = sound.request(0);
    request.block_size = core_->config.block_size;
    const auto plan = compile(std::move(request));
    assert(plan && "an acyclic graph compiles");
    return std::move(draft->graph);
}

Expected<AudioGraph> Engine::result(const PreparedTransaction& prepared) {
    const PreparedEdits& edits = *prepared.impl_;
    assert(edits.draft && "it was prepared with a snapshot");
    const Draft& draft = *edits.draft;
    const GraphSnapshot& snapshot = *edits.snapshot;
    auto fits = check_delays(compensating_samples(draft.graph, latencies_of(draft, snapshot)), draft.limits,
                             [&] { return compensating_samples(snapshot.graph, *snapshot.own_latencies); });
    if (!fits) return std::unexpected(std::move(fits.error()));
    return draft.graph;
}

void Engine::restore_identities(const std::map<std::string, NodeIdentity>& identities, std::uint64_t next) {
    EngineCore& core = *core_;
    core.latest_snapshot.reset();
    core.next_id = std::max(core.next_id, next);
    const std::vector<NodeId> ids{core.graph.node_ids().begin(), core.graph.node_ids().end()};
    for (const NodeId id : ids) {
        const auto known = identities.find(core.graph.find(id)->name());
        core.graph.set_identity(id, known != identities.end() ? known->second : NodeIdentity{core.next_id++});
    }
}

std::uint64_t Engine::next_identity() const { return core_->next_id; }

/// Others need not wait: only what a scheduled command on its way would change.
std::unexpected<Error> EngineCore::refuse_until_scheduled() {
    refused_until_progress = true;
    return fail(ErrorCode::resource_exhausted, "a scheduled change of the same parameters is about to take effect");
}

Expected<Ticket> EngineCore::set_parameters(std::span<const SetParameter> edits, std::span<float> results,
                                            std::span<float> previous, std::optional<std::uint64_t> frame) {
    refused_until_progress = false;
    if (!has_room_for_targets(edits.size(), frame)) return fail(ErrorCode::resource_exhausted, kFull);
    const auto changes = check_changes(graph, edits);
    if (!changes) return std::unexpected(changes.error());
    if (auto good = check_together(graph, *changes); !good) return std::unexpected(std::move(good.error()));
    auto targets = targets_of(*changes);
    if (frame) frame = std::max(*frame, exchange.scheduled_frame());
    if (must_wait(targets, frame)) return refuse_until_scheduled();
    if (targets.empty()) frame = std::nullopt;
    // All changes are valid. Only memory may run out, until the command has been sent: up to then, nothing changes.
    assert(previous.empty() || previous.size() == changes->size());
    assert(results.empty() || results.size() == changes->size());
    if (!previous.empty()) {
        std::ranges::transform(*changes, previous.begin(), [&](const ParameterChange& change) {
            return graph.find(change.node)->parameters[change.parameter];
        });
    }
    for (const ParameterChange& change : *changes) graph.prepare_to_set({change.node, change.parameter}, change.value);
    std::optional<SentTargets> scheduled;
    if (frame) {
        scheduled = sent(targets, frame);
        scheduled_targets.reserve(scheduled_targets.size() + 1);
    }
    const std::uint64_t serial = send_targets(std::move(targets), frame);
    if (scheduled) scheduled_targets.push_back(std::move(*scheduled));
    latest_snapshot.reset();
    for (const ParameterChange& change : *changes) {
        graph.set_parameter({change.node, change.parameter}, change.value);
        rounds.parameter_set(change.node, change.parameter);
    }
    if (!results.empty()) std::ranges::transform(*changes, results.begin(), &ParameterChange::value);
    return Ticket{serial, revision, 0, false, frame};
}

Expected<Ticket> Engine::set_parameters(std::span<const SetParameter> edits, std::span<float> results,
                                        std::span<float> previous) {
    if (auto fits = check_changes_count(edits.size()); !fits) return std::unexpected(std::move(fits.error()));
    return core_->set_parameters(edits, results, previous, {});
}

Expected<Ticket> Engine::set_parameters_at(std::uint64_t frame, std::span<const SetParameter> edits,
                                           std::span<float> results, std::span<float> previous) {
    if (auto fits = check_changes_count(edits.size()); !fits) return std::unexpected(std::move(fits.error()));
    return core_->set_parameters(edits, results, previous, frame);
}

Expected<void> Engine::check_parameters(std::span<const SetParameter> edits) const {
    if (auto fits = check_changes_count(edits.size()); !fits) return fits;
    const auto changes = check_changes(core_->graph, edits);
    if (!changes) return std::unexpected(changes.error());
    return check_together(core_->graph, *changes);
}

Expected<void> Engine::check_changes_count(std::size_t count) const {
    if (count <= core_->exchange.maximum_targets()) return {};
    return std::unexpected(too_many_changes(*core_, count));
}

std::size_t Engine::maximum_changes() const { return core_->exchange.maximum_targets(); }

Expected<Ticket> Engine::fade_device(float gain, float length_ms) {
    EngineCore& core = *core_;
    if (!core.exchange.has_room_for_command()) return fail(ErrorCode::resource_exhausted, kFull);
    core.device_gain = gain;
    return Ticket{core.send_device_fade(length_ms), core.revision};
}

Expected<Ticket> Engine::mute_output(bool muted) {
    EngineCore& core = *core_;
    if (!core.exchange.has_room_for_command()) return fail(ErrorCode::resource_exhausted, kFull);
    if (core.muted == muted) return Ticket{core.exchange.send_nothing(), core.revision};
    core.muted = muted;
    return Ticket{core.send_device_fade(kDeviceFadeMs), core.revision};
}

Expected<Ticket> Engine::set_output_volume(float volume_db) {
    EngineCore& core = *core_;
    if (!(volume_db >= kMinimumVolumeDb && volume_db <= kMaximumVolumeDb)) {
        return fail(ErrorCode::invalid_argument, "a volume of " + format_number(volume_db) +
                                                     " dB is out of range: " + format_number(kMinimumVolumeDb) +
                                                     " (silence) to " + format_number(kMaximumVolumeDb) + " dB");
    }
    if (!core.exchange.has_room_for_command()) return fail(ErrorCode::resource_exhausted, kFull);
    const float before = core.output_gain();
    core.volume_db = volume_db == 0.0F ? 0.0F : volume_db;  // not -0
    // A fade to silence that is running must not start again.
    if (core.output_gain() == before) return Ticket{core.exchange.send_nothing(), core.revision};
    return Ticket{core.send_device_fade(kDeviceFadeMs), core.revision};
}

float Engine::output_volume_db() const { return core_->volume_db; }
bool Engine::output_muted() const { return core_->muted; }
bool Engine::output_silent() const { return core_->muted && !core_->device_fade; }

// ---------------------------------------------------------------------------------------------------------------------
// Reset

void Engine::build_on(RunOnWorker run) {
    core_->abandon_rebuild();  // the old workers may have dropped it
    core_->run_on_worker = std::move(run);
}

EngineReset Engine::start_reset() { return EngineReset{*core_}; }

// ---------------------------------------------------------------------------------------------------------------------
// Measurements

std::shared_ptr<const std::vector<std::uint32_t>> Engine::own_latencies() const { return core_->latencies(); }

LatencyReport Engine::latency() const {
    if (!core_->latency) core_->latency = latency_report(core_->graph, *core_->latencies());
    return *core_->latency;
}

void Engine::watch_levels(bool watched) { core_->levels.watch(watched); }

MeasuredLevels Engine::take_levels() { return core_->levels.take(); }

Expected<std::uint64_t> Engine::restart_loudness(std::span<const std::string> names) {
    const std::uint64_t frame = renderer().frames();
    if (auto good = core_->levels.restart(names, core_->graph, frame); !good) return std::unexpected(good.error());
    return frame;
}

void Engine::watch_node_times(bool watched) { renderer().time_nodes(watched); }

void Engine::watch_ports(std::vector<TappedPort> ports) {
    if (core_->taps.replace(std::move(ports))) core_->rounds.send_again();
}

void Engine::watch_graph(GraphWatcher watcher) { core_->graph_watcher = std::move(watcher); }

void Engine::watch_plans(PlanWatcher plans, ParameterWatcher parameters) {
    core_->plan_watcher = std::move(plans);
    core_->parameter_watcher = std::move(parameters);
}

std::vector<NodeTime> Engine::node_times() const {
    std::vector<NodeTime> times;
    times.reserve(core_->instances.size());
    for (const auto& [id, instance] : core_->instances) {
        const NodeInstance::Time time = instance->time();
        times.push_back({.node = NodeId{id}, .cycles = time.cycles, .block_count = time.block_count});
    }
    return times;
}

// ---------------------------------------------------------------------------------------------------------------------
// Replies of the audio thread

void Engine::poll(Observer& observer) {
    EngineCore& core = *core_;
    while (const auto event = core.exchange.receive()) {
        if (event->kind == Event::Kind::applied) {
            core.applied(event->applied, observer);
        } else if (event->kind == Event::Kind::scheduled_applied) {
            core.scheduled_applied(event->applied, observer);
        } else if (event->kind == Event::Kind::node_faulted) {
            core.node_faulted(event->fault, observer);
        }
    }
    core.rebuild_faulted_nodes();
    core.end_fades(observer);
    core.free_snapshots();
    const std::uint64_t frame = core.exchange.renderer().frames();
    core.kept.free_expired(frame);
    if (core.kept.take_returned(frame)) ++core.rounds_advanced;
}

bool Engine::outstanding() const {
    const EngineCore& core = *core_;
    return !core.exchange.all_applied() || core.rounds.unfinished() || core.device_fade.has_value() ||
           !core.faulted_nodes.empty() || core.held_back;
}

// ---------------------------------------------------------------------------------------------------------------------

Engine::Engine(const NodeRegistry& registry, const EngineConfig& config)
    : core_{std::make_unique<EngineCore>(registry, config)} {}
Engine::~Engine() = default;

const AudioGraph& Engine::graph() const { return core_->graph; }
std::uint64_t Engine::revision() const { return core_->revision; }
const EngineConfig& Engine::config() const { return core_->config; }
const NodeRegistry& Engine::registry() const { return core_->registry; }
Renderer& Engine::renderer() { return core_->exchange.renderer(); }
const Renderer& Engine::renderer() const { return core_->exchange.renderer(); }
AudioThreadGate& Engine::gate() { return core_->gate; }

EngineStatistics Engine::statistics() const {
    const PlanExchange& exchange = core_->exchange;
    return {exchange.plans_made(), exchange.plans_freed(), exchange.plans_alive(), core_->rounds.sound().nodes.size(),
            exchange.renderer().telemetry_dropped()};
}

}  // namespace rta
