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

std::uint64_t EngineCore::send_draft(const Draft& draft) {
    return resets_in_progress == 0 ? send_plan(draft) : send_changes(draft);
}

/// What sounds does not change, except for parameters: the reset may fail.
std::uint64_t EngineCore::send_changes(const Draft& draft) {
    held_back = true;
    auto targets = targets_in(sounding, draft.changes);
    if (targets.empty()) return exchange.send_nothing();
    CompileRequest request = request_for(sounding);
    request.targets = std::move(targets);
    auto plan = compile(std::move(request));
    assert(plan && "the current sound has no cycle");
    return send_sounding(std::move(*plan), frames_of(kConnectionFadeMs));
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
    levels.replace_all(replacements);
    // The plans that borrow the replaced instances keep them alive.
    instances = std::move(replacements);
    faulted_nodes.clear();
    auto plan = compile_without_fades();
    reset_silence = plan->fade_wait();
    reset_serial = send_sounding(std::move(plan), 0);
    reset_frame = std::numeric_limits<std::uint64_t>::max();
    follow_up_due = false;
    return {reset_serial, revision};
}

/// Compiles the graph as if no other plan had been before it: nothing fades in or out.
std::unique_ptr<CompiledGraph> EngineCore::compile_without_fades() {
    const SoundingGraph nothing;
    const auto delays = compensating_delays(graph, origin().draft().latencies());
    assert(delays && "the graph was compensated before");
    sounding = merge({.now = nothing,
                      .target = graph,
                      .delays_frames = *delays,
                      .serial = exchange.next_serial(),
                      .ended_serial = fades.ended_serial(),
                      .entering = [&](NodeId id) { return instances.at(id.value()); }});
    auto plan = compile(request_for(sounding));
    assert(plan && "the graph has no cycles");
    return std::move(*plan);
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
    if (follow_up_due && resets_in_progress == 0 && exchange.has_room_for_plan()) send_plan(origin().draft());
}

void EngineCore::rebuild_faulted_nodes() {
    if (resets_in_progress != 0) return;
    const std::uint64_t now = exchange.renderer().frames();
    bool any_built = false;
    for (auto node = faulted_nodes.begin(); node != faulted_nodes.end();) {
        const GraphNode* faulted = graph.find(node->first);
        if (faulted == nullptr) {  // removed or replaced in the meantime
            node = faulted_nodes.erase(node);
            continue;
        }
        FaultedNode& state = node->second;
        if (now >= state.not_before && state.build == nullptr) rebuild(state, *faulted);
        any_built = any_built || (state.build != nullptr && state.build->done);
        ++node;
    }
    if (any_built && exchange.has_room_for_plan()) replace_faulted_nodes();
}

/// All in one plan: however many nodes fail, they leave room for the transactions of clients.
void EngineCore::replace_faulted_nodes() {
    Draft rebuilt = origin().draft();
    for (auto node = faulted_nodes.begin(); node != faulted_nodes.end();) {
        FaultedNode& state = node->second;
        if (state.build == nullptr || !state.build->done) {
            ++node;
            continue;
        }
        // If the factory fails, the node stays muted; its fault has already been reported.
        if (state.build->instance) {
            const NodeId new_id{rebuilt.next_id};
            (*state.build->instance)->rename(graph.find(node->first)->description);
            [[maybe_unused]] const auto replaced = rebuilt.replace(std::move(*state.build->instance));
            assert(replaced && "the description has not changed");
            rebuilt_nodes.insert_or_assign(new_id, exchange.renderer().frames());
        }
        node = faulted_nodes.erase(node);
    }
    if (rebuilt.added.empty()) return;
    send_plan(rebuilt);
    adopt(std::move(rebuilt));
}

void EngineCore::rebuild(FaultedNode& node, const GraphNode& faulted) {
    node.build = std::make_shared<FaultedNode::Build>();
    run_on_worker([build = node.build, description = faulted.description,
                   &nodes = std::as_const(builder)] { build->instance = nodes.build(description); },
                  [build = node.build](const Expected<void>& completed) {
                      if (!completed) build->instance = std::unexpected(completed.error());
                      build->done = true;
                  });
}

void EngineCore::node_faulted(const Event::NodeFault& fault, Engine::Observer& observer) {
    const GraphNode* node = graph.find(fault.node);
    if (node == nullptr || fault.frame < reset_frame) return;  // removed or replaced in the meantime
    const auto last = rebuilt_nodes.find(node->id);
    const auto pause = static_cast<std::uint64_t>(kRebuildPauseS * config.sample_rate_hz);
    faulted_nodes.insert_or_assign(node->id, FaultedNode{last == rebuilt_nodes.end() ? 0 : last->second + pause});
    observer.node_faulted(node->name(), fault.frame);
}

}  // namespace rta
