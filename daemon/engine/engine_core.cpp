// SPDX-License-Identifier: MIT
#include "engine/engine_core.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <limits>
#include <ranges>
#include <unordered_set>
#include <utility>

#include "engine/renderer.h"
#include "engine/reserve_for.h"
#include "plan/compiler.h"
#include "plan/latency.h"
#include "text/sort_range.h"

namespace rta {
namespace {

/// A node that faults again right after it was rebuilt stays muted this long.
constexpr double kRebuildPauseS = 1.0;

}  // namespace

SharedGraphSnapshot EngineCore::snapshot(std::optional<std::uint64_t> change_number) {
    if (latest_snapshot == nullptr) {
        free_snapshots();
        auto taken = std::make_shared<GraphSnapshot>(graph, next_id, latencies(), revision);
        snapshots.push_back(taken);
        latest_snapshot = std::move(taken);
    }
    if (change_number && !latest_snapshot->change_number) latest_snapshot->change_number = change_number;
    return latest_snapshot;
}

std::shared_ptr<const std::vector<std::uint32_t>> EngineCore::latencies() {
    if (own_latencies == nullptr) {
        auto own = std::make_shared<std::vector<std::uint32_t>>();
        own->reserve(graph.node_count());
        for (const auto& node : graph.nodes()) own->push_back(instances.at(node->id.value())->latency_frames());
        own_latencies = std::move(own);
    }
    return own_latencies;
}

// ---------------------------------------------------------------------------------------------------------------------
// Sending

std::vector<ParameterTarget> EngineCore::targets_of(std::span<const ParameterChange> changes) const {
    std::vector<ParameterTarget> targets;
    targets.reserve(changes.size());
    for (const ParameterChange& change : changes) {
        // A node that is not in a plan yet enters with the value that the graph has then. A node that has left the
        // graph needs no change.
        if (!rounds.sound().contains(change.node)) continue;
        const auto found = instances.find(change.node.value());
        if (found == instances.end()) continue;
        const ParameterSpec& spec = found->second->description().layout.parameters[change.parameter];
        const bool immediate = spec.law == RampLaw::own;
        targets.push_back({found->second.get(), change.parameter, processor_value(spec, change.value),
                           immediate ? 0 : frames_of(change.ramp_ms)});
    }
    return targets;
}

std::unique_ptr<CompiledGraph> EngineCore::make_plan(CompileRequest request, bool renamed) const {
    if (plan_watcher) plan_watcher(exchange.next_serial(), request);
    request.taps = taps.of(request.nodes);
    auto plan = compile(std::move(request), renamed ? nullptr : exchange.latest_plan());
    assert(plan && "neither the graph nor a round has a cycle");
    return std::move(*plan);
}

EngineCore::SentTargets EngineCore::sent(std::vector<ParameterTarget> targets,
                                         std::optional<std::uint64_t> frame) const {
    SentTargets result{.serial = exchange.next_serial(),
                       .block = frame.value_or(0) / config.block_size,
                       .targets = std::move(targets),
                       .owners = {}};
    for (const ParameterTarget& target : result.targets) {
        const auto found = instances.find(target.node->id().value());
        if (found != instances.end()) result.owners.push_back(found->second);
    }
    return result;
}

bool EngineCore::must_wait(std::span<const ParameterTarget> targets, std::optional<std::uint64_t> frame) const {
    if (scheduled_targets.empty() && (!frame || plan_targets.empty())) return false;
    const auto key = [](const ParameterTarget& target) { return std::pair{target.node->id(), target.parameter}; };
    std::vector<std::pair<NodeId, std::uint32_t>> keys;
    keys.reserve(targets.size());
    std::ranges::transform(targets, std::back_inserter(keys), key);
    sort_range(keys);
    const auto conflicts = [&](const SentTargets& waiting) {
        return std::ranges::any_of(waiting.targets, [&](const ParameterTarget& target) {
            return std::ranges::binary_search(keys, key(target));
        });
    };
    if (!frame) return std::ranges::any_of(scheduled_targets, conflicts);
    return std::ranges::any_of(plan_targets, conflicts) ||
           std::ranges::any_of(scheduled_targets, [&](const SentTargets& waiting) {
               return waiting.block == *frame / config.block_size && conflicts(waiting);
           });
}

std::uint64_t EngineCore::send_targets(std::vector<ParameterTarget> targets, std::optional<std::uint64_t> frame) {
    if (targets.empty()) return exchange.send_nothing();
    if (targets.size() == 1) return exchange.send(targets.front(), frame);
    return exchange.send(std::make_unique<ParameterBatch>(std::move(targets)), frame);
}

std::uint64_t EngineCore::send(Rounds next, const Rounds::Step& step, const AudioGraph& committed,
                               const CommitStart& start) {
    // A scheduled transaction without an audible change is heard at its frame, too, and `rounds` are those of that frame.
    if (!step.plan && !start.frame) {
        auto targets = targets_of(step.parameters);
        if (exchange.has_room_for_targets(targets.size())) {
            if (parameter_watcher) parameter_watcher(exchange.next_serial(), targets);
            PlanExchange::Loan loan = exchange.prepare(next.take_borrowed());
            const std::uint64_t serial = send_targets(std::move(targets));
            exchange.borrow(std::move(loan));
            rounds = std::move(next);
            return serial;
        }
    }
    // New nodes have the largest ids.
    for (const SoundingGraph::Node& node : next.sound().nodes | std::views::reverse) {
        if (node.entered_in != exchange.next_serial()) break;
        node.compiled.instance->start_with(committed.find(node.id)->parameters);
        levels.prepare_to_play(*node.compiled.instance);
    }
    CompileRequest request = next.request();
    request.targets = targets_of(step.parameters);
    // The transaction that sets a parameter may also remove the node.
    std::erase_if(request.targets,
                  [&](const ParameterTarget& target) { return !next.sound().contains(target.node->id()); });
    auto& waiting = start.frame ? scheduled_targets : plan_targets;
    std::optional<SentTargets> targets;
    if (!request.targets.empty()) targets = sent(request.targets, start.frame);
    waiting.reserve(waiting.size() + 1);  // so that nothing fails once the plan has been sent
    auto plan = make_plan(std::move(request), step.renames);
    Borrowed borrowed = next.take_borrowed();
    taps.add_borrowed(borrowed);
    PlanExchange::Loan loan = exchange.prepare(std::move(borrowed));
    const std::uint64_t serial = exchange.send(std::move(plan), start.frame);
    exchange.borrow(std::move(loan));
    taps.sent();
    if (targets) waiting.push_back(std::move(*targets));
    rounds = std::move(next);
    return serial;
}

Expected<std::uint64_t> EngineCore::send_draft(const Draft& draft, std::vector<std::uint64_t> revisions,
                                               const CommitStart& start) {
    const auto delays = compensating_delays(draft.graph, draft.latencies());
    // During a reset, and until its changes are released, the graph is not what `rounds` holds.
    const bool similar = delays.empty() && !held_back && !rounds.has_delays();
    Rounds next = rounds;
    const auto step =
        next.commit({.graph = draft.graph,
                     .connections = similar ? changed_connections(graph, rounds.committed(), draft.graph)
                                            : rounds.change_to(committed_connections(draft.graph, delays)),
                     .parameters = draft.changes,
                     .renames = !draft.renamed.empty(),
                     .revisions = std::move(revisions),
                     .must_be_taken = held_back,
                     .not_before = start.not_before,
                     .gain_frames = start.gain_frames,
                     .instance = [&](NodeId id) { return draft.instance(id); }},
                    {.frame = start.frame.value_or(now().frame), .serial = exchange.next_serial()});
    refused_until_progress = next.refused_until_progress();
    if (!step) return std::unexpected(step.error());
    return send(std::move(next), *step, draft.graph, start);
}

/// Sends the transition to a transaction's draft. During a reset the sound does not change: the commands of a
/// transaction must act together, and the reset sends the graph. There is room for a plan.
Expected<Ticket> EngineCore::send_commit(const Draft& draft, const CommitStart& start) {
    const std::uint64_t next_revision = revision + 1;
    if (reset_in_progress()) {
        // Without memory for all, what remains of these two has no effect: the values and names are those of the graph.
        held_renames.insert(held_renames.end(), draft.renamed.begin(), draft.renamed.end());
        for (const ParameterChange& change : draft.changes)
            held_changes.insert_or_assign({change.node, change.parameter}, change.ramp_ms);
        held_revisions.push_back(next_revision);
        held_back = true;
        return Ticket{exchange.send_nothing(), next_revision};
    }
    const auto serial = send_draft(draft, {next_revision}, start);
    if (!serial) return std::unexpected(serial.error());
    const double wait_ms = 1000.0 * static_cast<double>(rounds.latest_waits_frames()) / config.sample_rate_hz;
    return Ticket{*serial, next_revision, static_cast<std::uint32_t>(std::ceil(wait_ms)), rounds.latest_combs()};
}

/// After a reset that was abandoned or has failed, applies the changes that it held back. There is room for a plan.
void EngineCore::release_held_changes() {
    Draft draft = origin(config.limits).draft();
    for (const auto& [place, ramp_ms] : held_changes) {
        const auto& [node, parameter] = place;
        if (const GraphNode* const changed = graph.find(node))
            draft.changes.push_back({node, parameter, changed->parameters[parameter], ramp_ms});
    }
    draft.renamed = held_renames;
    if (!send_draft(draft, held_revisions)) return;  // retried later
    held_changes.clear();
    held_revisions.clear();
    held_renames.clear();
    held_back = false;
}

void EngineCore::restore_names(const Draft& draft) {
    for (const NodeId id : draft.renamed) {
        if (const GraphNode* const node = graph.find(id)) instances.at(id.value())->rename(node->description);
    }
}

EngineCore::Adoption EngineCore::prepare_adoption(const Draft& draft) {
    Adoption adoption;
    for (const AddedNode& node : draft.added) {
        if (draft.graph.find(node.id) != nullptr) adoption.added.emplace(node.id.value(), node.instance);
    }
    adoption.meters = levels.prepare(draft);
    reserve_for(instances, adoption.added.size());
    if (graph.node_count() + adoption.added.size() == draft.graph.node_count()) return adoption;
    std::ranges::set_difference(graph.node_ids(), draft.graph.node_ids(), std::back_inserter(adoption.removed));
    // A panic silences what would sound again; and a faulty processor must not come back.
    if (reset_in_progress()) return adoption;
    std::unordered_set<NodeIdentity> entering;
    for (const auto& [id, instance] : adoption.added) entering.insert(draft.graph.find(NodeId{id})->identity);
    for (const NodeId id : adoption.removed) {
        if (faulted_nodes.contains(id)) continue;
        const NodeIdentity identity = graph.find(id)->identity;
        KeptProcessors::add(adoption.kept, {.node = identity,
                                            .instance = instances.at(id.value()),
                                            .frame = exchange.renderer().frames(),
                                            .replaced = entering.contains(identity)});
    }
    return adoption;
}

AudioGraph EngineCore::adopt(Draft draft, Adoption adoption) noexcept {
    AudioGraph before = std::exchange(graph, std::move(draft.graph));
    latest_snapshot.reset();
    own_latencies.reset();
    latency.reset();
    next_id = draft.next_id;
    builder.set_graph_memory(graph.size().memory_bytes);
    levels.add(std::move(adoption.meters));
    instances.merge(adoption.added);
    if (graph_watcher) graph_watcher(before, graph);
    for (const NodeId id : adoption.removed) {
        instances.erase(id.value());
        rebuilt_nodes.erase(id);
    }
    draft.added.clear();  // nothing else may refer to processors that are kept
    kept.keep(std::move(adoption.kept));
    if (!adoption.removed.empty()) levels.keep_nodes_of(graph);
    return before;
}

std::uint64_t EngineCore::send_device_fade(float length_ms) {
    const std::uint32_t frames = frames_of(length_ms);
    const float gain = output_gain();
    // After a reset the output is silent until the look-ahead is filled; a fade that ended before would end in a step.
    const bool reset_applied = reset_frame != std::numeric_limits<std::uint64_t>::max();
    const Command::DeviceFade fade{
        .gain = gain,
        .length_frames = frames,
        .wait_frames = gain > 0.0F && !reset_applied ? reset_silence_frames : 0,
        .not_before_frame = gain > 0.0F && reset_applied ? reset_frame + reset_silence_frames : 0};
    device_fade = DeviceFade{.serial = exchange.next_serial(), .fade = fade};
    return exchange.send(fade);
}

Ticket EngineCore::replace_processors(const NodeInstances& fresh) {
    kept.clear();
    NodeInstances replacements;
    for (const auto& node : graph.nodes()) {
        const auto built = fresh.find(node->id.value());
        const std::shared_ptr<NodeInstance>& instance =
            built != fresh.end() ? built->second : instances.at(node->id.value());
        instance->assign_id(node->id);
        instance->rename(node->description);
        instance->start_with(node->parameters);
        instance->start_present();
        levels.prepare_to_play(*instance);
        replacements.emplace(node->id.value(), instance);
    }
    // As if this were the first plan: nothing fades in or out.
    const DraftOrigin replaced{.graph = graph, .next_id = next_id, .instances = replacements, .limits = config.limits};
    const auto delays = compensating_delays(graph, replaced.draft().latencies());
    Rounds next = rounds;
    const std::uint32_t silence_frames =
        next.restart({.graph = graph,
                      .connections = {.connections = committed_connections(graph, delays), .ports = {}},
                      .parameters = {},
                      .renames = false,
                      .revisions = held_revisions,
                      .must_be_taken = true,
                      .instance = [&](NodeId id) { return replacements.at(id.value()); }},
                     now());
    auto plan = make_plan(next.request(), true);

    // Memory may run out up to borrow_only(): until then, no node that a plan borrows has been released.
    levels.replace_all(replacements);
    std::vector<std::shared_ptr<const void>> borrowed = next.take_borrowed().entered;
    taps.lend_all(borrowed);
    exchange.borrow_only(std::move(borrowed));
    instances = std::move(replacements);
    rounds = std::move(next);
    faulted_nodes.clear();
    held_changes.clear();
    held_revisions.clear();
    held_renames.clear();
    held_back = false;
    reset_silence_frames = silence_frames;
    reset_serial = exchange.send(std::move(plan));
    reset_frame = std::numeric_limits<std::uint64_t>::max();
    return {reset_serial, revision};
}

// ---------------------------------------------------------------------------------------------------------------------
// Replies of the audio thread

void EngineCore::applied(const Event::Applied& reply, Engine::Observer& observer) {
    if (reply.serial >= reset_serial) reset_frame = std::min(reset_frame, reply.frame);
    if (device_fade && !device_fade->end_frame && device_fade->serial <= reply.serial) {
        device_fade->end_frame = device_fade->fade.start_frame(reply.frame) + device_fade->fade.frames(reply.frame);
    }
    std::erase_if(plan_targets, [&](const SentTargets& sent) { return sent.serial <= reply.serial; });
    observer.applied(reply.serial, reply.frame);
    // A scheduled plan that waits was sent before the commands that overtake it.
    const std::uint64_t waiting = exchange.scheduled_plan_serial().value_or(reply.serial + 1);
    adopted(std::min(reply.serial, waiting - 1), reply.frame, observer);
}

void EngineCore::scheduled_applied(const Event::Applied& reply, Engine::Observer& observer) {
    std::erase_if(scheduled_targets, [&](const SentTargets& sent) { return sent.serial == reply.serial; });
    ++rounds_advanced;  // what has waited for it may be tried again
    adopted(reply.serial, reply.frame, observer);
    observer.scheduled_applied(reply.serial, reply.frame);
}

void EngineCore::adopted(std::uint64_t serial, std::uint64_t frame, Engine::Observer& observer) {
    if (serial <= adopted_serial) return;
    adopted_serial = serial;
    rounds.adopted(serial, frame, [&](std::uint64_t heard) { observer.transaction_heard(heard, frame); });
}

void EngineCore::end_fades(Engine::Observer& observer) {
    const std::uint64_t frame = exchange.renderer().frames();
    if (device_fade && device_fade->end_frame && *device_fade->end_frame <= frame) {
        device_fade.reset();
        observer.device_faded(frame);
    }
    if (!reset_in_progress() && exchange.has_room_for_plan()) start_waiting();
}

/// Sends the changes that may be heard now, which have waited for a reset or for a round. There is room for a plan.
void EngineCore::start_waiting() {
    if (held_back) release_held_changes();
    if (!exchange.has_room_for_plan()) return;
    const Rounds::Moment moment = now();
    if (!rounds.due(moment.frame)) return;
    ++rounds_advanced;
    Rounds next = rounds;
    const Rounds::Step step = next.advance(graph, moment, [this](NodeId id) { return instances.at(id.value()); });
    if (step.needs_command()) {
        send(std::move(next), step, graph);
    } else {
        exchange.borrow(exchange.prepare(next.take_borrowed()));
        rounds = std::move(next);
    }
}

void EngineCore::rebuild_faulted_nodes() {
    if (reset_in_progress()) return;
    std::erase_if(faulted_nodes, [&](const auto& entry) { return graph.find(entry.first) == nullptr; });
    if (rebuild == nullptr) start_rebuild();
    if (rebuild != nullptr && rebuild->done() && exchange.has_room_for_plan()) replace_faulted_nodes();
}

void EngineCore::start_rebuild() {
    const std::uint64_t now = exchange.renderer().frames();
    std::vector<ProcessorBuild::Node> nodes;
    for (const auto& [id, not_before] : faulted_nodes) {
        if (now >= not_before) nodes.push_back({id, graph.find(id)->description});
    }
    if (nodes.empty()) return;
    rebuild = ProcessorBuild::start(run_on_worker, builder, std::move(nodes), ProcessorBuild::OnError::skip);
}

/// Sends all of them in one plan, so that any number of faulty nodes leaves room for the transactions of clients. A
/// node that could not be built stays muted; its fault has already been reported.
void EngineCore::replace_faulted_nodes() {
    Draft draft = origin(config.limits).draft();
    draft.graph.defer_compaction();
    for (const ProcessorBuild::Node& node : rebuild->nodes()) {
        const auto built = rebuild->built().find(node.id.value());
        const GraphNode* const faulted = graph.find(node.id);  // null: removed or replaced in the meantime
        if (built == rebuild->built().end() || faulted == nullptr) continue;
        built->second->rename(faulted->description);
        [[maybe_unused]] const auto replaced = draft.replace(built->second);
        assert(replaced && "the description has not changed");
    }
    draft.graph.compact();
    if (!draft.added.empty()) {
        const std::uint64_t first_id = next_id;
        Adoption adoption = prepare_adoption(draft);
        if (!send_draft(draft, {})) return;  // retried later
        adopt(std::move(draft), std::move(adoption));
        for (std::uint64_t id = first_id; id < next_id; ++id)
            rebuilt_nodes.insert_or_assign(NodeId{id}, exchange.renderer().frames());
    }
    for (const ProcessorBuild::Node& node : rebuild->nodes()) faulted_nodes.erase(node.id);
    rebuild.reset();
}

/// The nodes stay faulted, and are rebuilt later unless a reset replaces them.
void EngineCore::abandon_rebuild() {
    if (rebuild == nullptr) return;
    rebuild->abandon();
    rebuild.reset();
}

void EngineCore::node_faulted(const Event::NodeFault& fault, Engine::Observer& observer) {
    const GraphNode* node = graph.find(fault.node);
    if (node == nullptr || fault.frame < reset_frame) return;  // removed or replaced in the meantime
    const auto last = rebuilt_nodes.find(node->id);
    const auto pause = static_cast<std::uint64_t>(kRebuildPauseS * config.sample_rate_hz);
    faulted_nodes.insert_or_assign(node->id, last == rebuilt_nodes.end() ? 0 : last->second + pause);
    observer.node_faulted(node->name(), fault.frame);
}

}  // namespace rta
