// SPDX-License-Identifier: MIT
#include "engine/engine_core.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <utility>

#include "engine/renderer.h"
#include "plan/compiler.h"
#include "plan/latency.h"

namespace rta {
namespace {

/// A node that faults again right after it was rebuilt stays muted this long.
constexpr double kRebuildPauseS = 1.0;

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// Sending

std::vector<ParameterTarget> EngineCore::targets_in(const SoundingGraph& sound,
                                                    std::span<const ParameterChange> changes) const {
    std::vector<ParameterTarget> targets;
    targets.reserve(changes.size());
    for (const ParameterChange& change : changes) {
        // A node that is not in a plan yet enters with the value that the graph has then. A node that has left the
        // graph needs no change.
        if (!sound.contains(change.node)) continue;
        const auto found = instances.find(change.node.value());
        if (found == instances.end()) continue;
        const ParameterSpec& spec = found->second->description().layout.parameters[change.parameter];
        const bool immediate = spec.law == RampLaw::own;
        targets.push_back({found->second.get(), change.parameter, processor_value(spec, change.value),
                           immediate ? 0 : frames_of(change.ramp_ms)});
    }
    return targets;
}

CompileRequest EngineCore::request_for(const SoundingGraph& sound) const {
    CompileRequest request = sound.request(
        exchange.next_serial(), fades.ended_serial(),
        [this](const Silence& silence, std::uint64_t serial) { return remaining_silence(silence, serial); });
    request.block_size = config.block_size;
    request.connection_fade_frames = frames_of(kConnectionFadeMs);
    request.device_fade_frames = frames_of(kDeviceFadeMs);
    return request;
}

/// Returns what is left now of a silence that started with the plan `serial`.
Silence EngineCore::remaining_silence(const Silence& silence, std::uint64_t serial) const {
    return fades.remaining_silence(silence, serial, exchange.renderer().frames());
}

/// Sends the plan of `sounding` and records the silences and fades that it starts.
std::uint64_t EngineCore::send_sounding(std::unique_ptr<CompiledGraph> plan, std::uint32_t fade_frames) {
    Silence longest;
    for (std::size_t i = 0; i < plan->silences().size(); ++i) {
        SoundingGraph::Node& node = sounding.nodes[i];
        if (node.entered_in != exchange.next_serial()) continue;
        node.silence = plan->silences()[i];
        longest = longer(longest, node.silence);
    }
    longest = longer(longest, plan->fade_wait());
    fades.plan_sent(exchange.next_serial(), plan->fade_wait(), longest, fade_frames);
    return exchange.send(std::move(plan));
}

/// Compiles the transition from the current sound to the draft and sends the plan. There is room for a plan.
std::uint64_t EngineCore::send_plan(const Draft& draft) {
    const auto delays = compensating_delays(draft.graph, draft.latencies());
    assert(delays && "apply_edits() has refused graphs that cannot be compensated");
    const SoundingTransition transition{.now = sounding,
                                        .target = draft.graph,
                                        .delays_frames = *delays,
                                        .serial = exchange.next_serial(),
                                        .ended_serial = fades.ended_serial(),
                                        .entering = [&](NodeId id) { return draft.instance(id); }};
    const auto compile_sound = [&](const SoundingGraph& sound) {
        CompileRequest request = request_for(sound);
        request.targets = targets_in(sounding, draft.changes);
        return compile(std::move(request));
    };
    SoundingGraph next = merge(transition);
    auto plan = compile_sound(next);
    if (!plan) {
        // The old and the new connections together form a cycle: the old ones fade out first. The current sound has no
        // cycle.
        next = merge_departures(transition);
        plan = compile_sound(next);
        assert(plan);
    }
    for (const SoundingGraph::Node& node : next.nodes) {
        const NodeId id = node.instance->id();
        if (sounding.contains(id)) continue;
        node.instance->start_with(draft.graph.find(id)->parameters);
        levels.prepare_to_play(*node.instance);
    }
    sounding = std::move(next);
    follow_up_due = false;
    return send_sounding(std::move(*plan), frames_of(sounding.device_fades ? kDeviceFadeMs : kConnectionFadeMs));
}

/// Sends the transition to a transaction's draft. During a reset the sound does not change: the commands of a
/// transaction must act together, and the reset sends the graph. There is room for a plan.
std::uint64_t EngineCore::send_commit(const Draft& draft) {
    if (!reset_in_progress()) return send_plan(draft);
    for (const ParameterChange& change : draft.changes)
        held_changes.insert_or_assign({change.node, change.parameter}, change.ramp_ms);
    held_back = true;
    return exchange.send_nothing();
}

/// Sends what sounds now once more, with parameter changes. There is room for a plan.
std::uint64_t EngineCore::send_parameters(std::span<const ParameterChange> changes) {
    CompileRequest request = request_for(sounding);
    request.targets = targets_in(sounding, changes);
    auto plan = compile(std::move(request));
    assert(plan && "the current sound has no cycle");
    return send_sounding(std::move(*plan), frames_of(sounding.device_fades ? kDeviceFadeMs : kConnectionFadeMs));
}

/// After a reset that was abandoned or has failed, what it held back is heard. There is room for a plan.
void EngineCore::release_held_changes() {
    Draft draft = origin().draft();
    for (const auto& [place, ramp_ms] : held_changes) {
        const auto& [node, parameter] = place;
        if (const GraphNode* const changed = graph.find(node))
            draft.changes.push_back({node, parameter, changed->parameters[parameter], ramp_ms});
    }
    send_plan(draft);
    held_changes.clear();
    held_back = false;
}

void EngineCore::adopt(Draft draft) {
    graph = std::move(draft.graph);
    next_id = draft.next_id;
    for (auto& instance : draft.added) {
        const std::uint64_t id = instance->id().value();
        if (graph.find(NodeId{id}) == nullptr) continue;
        levels.add(instance);
        instances.emplace(id, std::move(instance));
    }
    if (instances.size() == graph.node_count()) return;
    std::erase_if(instances, [&](const auto& entry) { return graph.find(NodeId{entry.first}) == nullptr; });
    std::erase_if(rebuilt_nodes, [&](const auto& entry) { return graph.find(entry.first) == nullptr; });
    levels.keep_nodes_of(graph);
}

std::uint64_t EngineCore::send_device_fade(float length_ms) {
    const std::uint32_t frames = frames_of(length_ms);
    const float gain = muted ? 0.0F : device_gain;
    // After a reset the output is silent until the look-ahead is filled; a fade that ended before would end in a step.
    const Silence wait = gain > 0.0F ? remaining_silence(reset_silence, reset_serial) : Silence{};
    device_fade = DeviceFade{.serial = exchange.next_serial(), .wait = wait, .length_frames = frames};
    return exchange.send(Command::DeviceFade{gain, frames, wait});
}

Ticket EngineCore::replace_processors(const NodeInstances& fresh) {
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
    // As if no other plan had been before it: nothing fades in or out.
    const SoundingGraph nothing;
    const DraftOrigin replaced{.graph = graph, .next_id = next_id, .instances = replacements};
    const auto delays = compensating_delays(graph, replaced.draft().latencies());
    assert(delays && "the graph was compensated before");
    SoundingGraph next = merge({.now = nothing,
                                .target = graph,
                                .delays_frames = *delays,
                                .serial = exchange.next_serial(),
                                .ended_serial = fades.ended_serial(),
                                .entering = [&](NodeId id) { return replacements.at(id.value()); }});
    auto plan = compile(request_for(next));
    assert(plan && "the graph has no cycles");

    // Memory may run out above; nothing has changed so far. The plans that borrow the replaced instances keep them alive.
    levels.replace_all(replacements);
    instances = std::move(replacements);
    sounding = std::move(next);
    faulted_nodes.clear();
    held_changes.clear();
    held_back = false;
    follow_up_due = false;
    reset_silence = (*plan)->fade_wait();
    reset_serial = send_sounding(std::move(*plan), 0);
    reset_frame = std::numeric_limits<std::uint64_t>::max();
    return {reset_serial, revision};
}

// ---------------------------------------------------------------------------------------------------------------------
// Replies of the audio thread

void EngineCore::applied(const Event::Applied& reply) {
    if (reply.serial >= reset_serial) reset_frame = std::min(reset_frame, reply.frame);
    fades.plans_adopted(reply.serial, reply.frame);
    if (device_fade && !device_fade->end_frame && device_fade->serial <= reply.serial) {
        device_fade->end_frame = device_fade->wait.end(reply.frame) + device_fade->length_frames;
    }
}

void EngineCore::end_fades(Engine::Observer& observer) {
    const std::uint64_t now = exchange.renderer().frames();
    if (fades.advance(now) && sounding.unsettled) follow_up_due = true;
    if (device_fade && device_fade->end_frame && *device_fade->end_frame <= now) {
        device_fade.reset();
        observer.device_faded(now);
    }
    if ((follow_up_due || held_back) && !reset_in_progress() && exchange.has_room_for_plan()) release_held_changes();
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

/// All in one plan: however many nodes fail, they leave room for the transactions of clients. A node that could not be
/// built stays muted; its fault has already been reported.
void EngineCore::replace_faulted_nodes() {
    Draft draft = origin().draft();
    for (const ProcessorBuild::Node& node : rebuild->nodes()) {
        const auto built = rebuild->built().find(node.id.value());
        const GraphNode* const faulted = graph.find(node.id);  // null: removed or replaced in the meantime
        if (built == rebuild->built().end() || faulted == nullptr) continue;
        built->second->rename(faulted->description);
        [[maybe_unused]] const auto replaced = draft.replace(built->second);
        assert(replaced && "the description has not changed");
    }
    if (!draft.added.empty()) {
        const std::uint64_t first_id = next_id;
        send_plan(draft);
        adopt(std::move(draft));
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
