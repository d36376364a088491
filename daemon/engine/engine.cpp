// SPDX-License-Identifier: MIT
#include "engine/engine.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "engine/draft.h"
#include "engine/fade_schedule.h"
#include "engine/level_meters.h"
#include "engine/node_builder.h"
#include "engine/plan_exchange.h"
#include "engine/renderer.h"
#include "engine/sounding_graph.h"
#include "plan/compiler.h"
#include "plan/latency.h"
#include "plan/node_instance.h"

namespace rta {
namespace {

/// A fade of the whole device output.
struct DeviceFade {
    std::uint64_t serial;
    Silence wait;  ///< before it begins
    std::uint32_t length_frames;
    std::optional<std::uint64_t> end_frame{};  ///< known when it has been applied
};

constexpr const char* kFull =
    "the audio thread has not yet handed back enough of what it was sent; nothing was changed, try again";

/// More changes than this are not walked at the top of a block: they travel on a plan, each applied where its node
/// runs.
constexpr std::size_t kMaximumBatch = 64;

/// A node that fails again at once is left silent this long.
constexpr double kFaultPauseS = 1.0;

}  // namespace

struct PreparedTransaction::Impl : PreparedEdits {};

PreparedTransaction::PreparedTransaction() : impl_{std::make_unique<Impl>()} {}
PreparedTransaction::PreparedTransaction(PreparedTransaction&&) noexcept = default;
PreparedTransaction& PreparedTransaction::operator=(PreparedTransaction&&) noexcept = default;
PreparedTransaction::~PreparedTransaction() = default;

const Transaction& PreparedTransaction::transaction() const { return impl_->transaction; }

struct PreparedReset::Impl {
    std::vector<std::pair<NodeId, std::shared_ptr<const NodeDescription>>> nodes;
    NodeInstances fresh;
};

PreparedReset::PreparedReset() : impl_{std::make_unique<Impl>()} {}
PreparedReset::PreparedReset(PreparedReset&&) noexcept = default;
PreparedReset& PreparedReset::operator=(PreparedReset&&) noexcept = default;
PreparedReset::~PreparedReset() = default;

struct Engine::Impl {
    Impl(const NodeRegistry& registry_in, const EngineConfig& config_in)
        : registry{registry_in}, config{config_in}, exchange{config_in.sample_rate_hz, config_in.block_size} {}

    const NodeRegistry& registry;
    EngineConfig config;
    NodeBuilder builder{registry, config};
    AudioThreadGate gate;
    PlanExchange exchange;

    AudioGraph graph;
    std::uint64_t revision = 0;
    std::uint64_t next_id = 1;
    NodeInstances instances;  ///< of the graph's nodes
    SoundingGraph sounding;
    FadeSchedule fades;
    bool follow_up_due = false;
    LevelMeters levels{exchange.renderer().output_levels(), config.sample_rate_hz};

    float device_gain = 1.0F;  ///< where fade_device() sent it
    bool muted = false;
    std::optional<DeviceFade> device_fade;
    std::map<NodeId, std::uint64_t> faulted_nodes;  ///< waiting to be built anew: not before frame
    std::map<NodeId, std::uint64_t> rebuilt_nodes;  ///< at frame
    /// Of the latest reset: faults of processors that it replaced are no faults of their successors.
    std::uint64_t reset_serial = 0;
    std::uint64_t reset_frame = 0;
    Silence reset_silence;  ///< of the output, behind it

    [[nodiscard]] std::uint32_t frames_of(float ms) const {
        if (!config.ramps) return 0;
        return static_cast<std::uint32_t>(std::lround(static_cast<double>(ms) * config.sample_rate_hz / 1000.0));
    }

    [[nodiscard]] DraftOrigin origin() const { return {.graph = graph, .next_id = next_id, .instances = instances}; }

    // Sending.
    [[nodiscard]] CompileRequest request_for(const SoundingGraph& sound) const;
    [[nodiscard]] Silence left_of(const Silence& silence, std::uint64_t serial) const;
    std::uint64_t send_sounding(std::unique_ptr<CompiledGraph> plan, std::uint32_t fade_frames);
    std::uint64_t send_plan(const Draft& draft);
    void adopt(Draft draft);
    std::uint64_t send_device_fade(float length_ms);
    [[nodiscard]] std::unique_ptr<CompiledGraph> compile_afresh();

    [[nodiscard]] std::vector<ParameterTarget> targets_in(const SoundingGraph& sound,
                                                          std::span<const ParameterChange> changes) const;

    // Answers of the audio thread.
    void applied(const Event::Applied& answer);
    void end_fades(Observer& observer);
    void node_faulted(const Event::NodeFault& fault, Observer& observer);
    void rebuild_faulted_nodes();
};

Expected<PreparedTransaction> Engine::prepare(Transaction transaction) const {
    PreparedTransaction prepared;
    for (std::size_t i = 0; i < transaction.edits.size(); ++i) {
        auto nodes = impl_->builder.build_for(transaction.edits[i]);
        if (!nodes) return std::unexpected(at_edit(std::move(nodes.error()), i));
        prepared.impl_->nodes.push_back(std::move(*nodes));
    }
    prepared.impl_->transaction = std::move(transaction);
    return prepared;
}

// ---------------------------------------------------------------------------------------------------------------------
// Sending

std::vector<ParameterTarget> Engine::Impl::targets_in(const SoundingGraph& sound,
                                                      std::span<const ParameterChange> changes) const {
    std::vector<ParameterTarget> targets;
    targets.reserve(changes.size());
    for (const ParameterChange& change : changes) {
        // Not sounding yet: it will enter with the value that the graph has then. Not in the graph any more: nothing to
        // do.
        if (!sound.contains(change.node)) continue;
        const auto found = instances.find(change.node.value());
        if (found == instances.end()) continue;
        const ParameterSpec& spec = found->second->description().layout.parameters[change.parameter];
        const bool at_once = spec.law == RampLaw::own;
        targets.push_back({found->second.get(), change.parameter, processor_value(spec, change.value),
                           at_once ? 0 : frames_of(change.ramp_ms)});
    }
    return targets;
}

CompileRequest Engine::Impl::request_for(const SoundingGraph& sound) const {
    CompileRequest request =
        sound.request(exchange.next_serial(), fades.ended_serial(),
                      [this](const Silence& silence, std::uint64_t serial) { return left_of(silence, serial); });
    request.block_size = config.block_size;
    request.connection_fade_frames = frames_of(kConnectionFadeMs);
    request.device_fade_frames = frames_of(kDeviceFadeMs);
    return request;
}

/// Of a silence that the plan `serial` brought, now.
Silence Engine::Impl::left_of(const Silence& silence, std::uint64_t serial) const {
    return fades.left_of(silence, serial, exchange.renderer().frames());
}

/// Sends the plan of what `sounding` says, and remembers what of it begins later.
std::uint64_t Engine::Impl::send_sounding(std::unique_ptr<CompiledGraph> plan, std::uint32_t fade_frames) {
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

/// Compiles what shall sound from here on and sends it. There is room for a plan.
std::uint64_t Engine::Impl::send_plan(const Draft& draft) {
    const auto delays = compensating_delays(draft.graph, draft.latencies());
    assert(delays && "apply() has refused what cannot be compensated");
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
        // Old and new together close a loop: the old fades out first. What sounds now is free of loops.
        next = merge_departures(transition);
        plan = compile_sound(next);
        assert(plan);
    }
    for (const SoundingGraph::Node& node : next.nodes) {
        const NodeId id = node.instance->id();
        if (sounding.contains(id)) continue;
        node.instance->start_with(draft.graph.find(id)->parameters);
        levels.about_to_sound(*node.instance);
    }
    sounding = std::move(next);
    follow_up_due = false;
    return send_sounding(std::move(*plan), frames_of(sounding.device_fades ? kDeviceFadeMs : kConnectionFadeMs));
}

void Engine::Impl::adopt(Draft draft) {
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
    levels.keep_those_of(graph);
}

Expected<Ticket> Engine::commit(PreparedTransaction& prepared) {
    Impl& impl = *impl_;
    if (!impl.exchange.has_room_for_plan()) return fail(ErrorCode::resource_exhausted, kFull);
    auto draft = edited(impl.origin(), *prepared.impl_, impl.builder);
    if (!draft) return std::unexpected(std::move(draft.error()));
    draft->rename_instances();
    const std::uint64_t serial = impl.send_plan(*draft);
    impl.adopt(std::move(*draft));
    return Ticket{serial, ++impl.revision};
}

Expected<GraphSize> Engine::check(const PreparedTransaction& prepared) const {
    const auto draft = edited(impl_->origin(), *prepared.impl_, impl_->builder);
    if (!draft) return std::unexpected(draft.error());
    const SoundingGraph nothing;
    const SoundingTransition transition{.now = nothing,
                                        .target = draft->graph,
                                        .delays_frames = {},
                                        .serial = 1,
                                        .ended_serial = 0,
                                        .entering = [&](NodeId id) { return draft->instance(id); }};
    CompileRequest request = merge(transition).request(transition.serial, 0, {});
    request.block_size = impl_->config.block_size;
    const auto plan = compile(std::move(request));
    assert(plan && "an acyclic graph compiles");
    return GraphSize{draft->graph.node_count(), draft->graph.connection_count()};
}

Expected<Ticket> Engine::set_parameters(std::span<const SetParameter> edits) {
    Impl& impl = *impl_;
    const bool rides_on_plan = edits.size() > kMaximumBatch;
    if (!(rides_on_plan ? impl.exchange.has_room_for_plan() : impl.exchange.has_room_for_batch(edits.size()))) {
        return fail(ErrorCode::resource_exhausted, kFull);
    }
    std::vector<ParameterChange> changes;
    changes.reserve(edits.size());
    for (std::size_t i = 0; i < edits.size(); ++i) {
        const auto change = check_change(impl.graph, edits[i]);
        if (!change) return std::unexpected(at_edit(change.error(), i));
        changes.push_back(*change);
    }
    // Everything is good: from here on nothing fails.
    for (const SetParameter& edit : edits) {
        [[maybe_unused]] const auto set = impl.graph.set_parameter(edit.node, edit.parameter, edit.value);
        assert(set);
    }
    if (rides_on_plan) {
        Draft draft = impl.origin().draft();
        draft.changes = std::move(changes);
        return Ticket{impl.send_plan(draft), impl.revision};
    }
    auto targets = impl.targets_in(impl.sounding, changes);
    if (targets.empty()) return Ticket{impl.exchange.send_nothing(), impl.revision};
    if (targets.size() == 1) return Ticket{impl.exchange.send(targets.front()), impl.revision};
    return Ticket{impl.exchange.send(std::make_unique<ParameterBatch>(std::move(targets))), impl.revision};
}

Expected<Ticket> Engine::fade_device(float gain, float length_ms) {
    Impl& impl = *impl_;
    if (!impl.exchange.has_room_for_command()) return fail(ErrorCode::resource_exhausted, kFull);
    impl.device_gain = gain;
    return Ticket{impl.send_device_fade(length_ms), impl.revision};
}

std::uint64_t Engine::Impl::send_device_fade(float length_ms) {
    const std::uint32_t frames = frames_of(length_ms);
    const float gain = muted ? 0.0F : device_gain;
    // After a reset the output is silent until what looks ahead is filled: to fade in before would end in a step.
    const Silence wait = gain > 0.0F ? left_of(reset_silence, reset_serial) : Silence{};
    device_fade = DeviceFade{.serial = exchange.next_serial(), .wait = wait, .length_frames = frames};
    return exchange.send(Command::DeviceFade{gain, frames, wait});
}

Expected<Ticket> Engine::mute_output(bool muted) {
    Impl& impl = *impl_;
    if (!impl.exchange.has_room_for_command()) return fail(ErrorCode::resource_exhausted, kFull);
    if (impl.muted == muted) return Ticket{impl.exchange.send_nothing(), impl.revision};
    impl.muted = muted;
    return Ticket{impl.send_device_fade(kDeviceFadeMs), impl.revision};
}

bool Engine::output_muted() const { return impl_->muted; }
bool Engine::output_silent() const { return impl_->muted && !impl_->device_fade; }

// ---------------------------------------------------------------------------------------------------------------------
// Resetting

PreparedReset Engine::begin_reset() const {
    PreparedReset reset;
    reset.impl_->nodes.reserve(impl_->graph.node_count());
    static_cast<void>(extend_reset(reset));
    return reset;
}

bool Engine::extend_reset(PreparedReset& reset) const {
    reset.impl_->nodes.clear();
    for (const auto& node : impl_->graph.nodes()) {
        if (!reset.impl_->fresh.contains(node->id.value()))
            reset.impl_->nodes.emplace_back(node->id, node->description);
    }
    return !reset.impl_->nodes.empty();
}

Expected<void> Engine::build_reset(PreparedReset& reset) const {
    for (const auto& [id, description] : reset.impl_->nodes) {
        auto instance = impl_->builder.build(description);
        if (!instance) return std::unexpected(std::move(instance.error()));
        reset.impl_->fresh.insert_or_assign(id.value(), std::move(*instance));
    }
    return {};
}

Expected<Ticket> Engine::reset(PreparedReset& reset) {
    Impl& impl = *impl_;
    if (!impl.exchange.has_room_for_plan()) return fail(ErrorCode::resource_exhausted, kFull);
    const auto& fresh = reset.impl_->fresh;
    NodeInstances instances;
    for (const auto& node : impl.graph.nodes()) {
        const std::shared_ptr<NodeInstance>& instance = fresh.at(node->id.value());
        instance->assign_id(node->id);
        instance->rename(node->description);
        instance->start_with(node->parameters);
        instance->start_present();
        impl.levels.about_to_sound(*instance);
        instances.emplace(node->id.value(), instance);
    }
    impl.levels.replace_all(instances);
    // What played is kept alive by the plans that borrow it.
    impl.instances = std::move(instances);
    impl.faulted_nodes.clear();
    auto plan = impl.compile_afresh();
    impl.reset_silence = plan->fade_wait();
    const std::uint64_t serial = impl.send_sounding(std::move(plan), 0);
    impl.reset_serial = serial;
    impl.reset_frame = std::numeric_limits<std::uint64_t>::max();
    impl.follow_up_due = false;
    return Ticket{serial, impl.revision};
}

/// The graph as if it had never been another: nothing fades, in or out.
std::unique_ptr<CompiledGraph> Engine::Impl::compile_afresh() {
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

LatencyReport Engine::latency() const {
    const AudioGraph& graph = impl_->graph;
    std::vector<std::uint32_t> own;
    own.reserve(graph.node_count());
    for (const auto& node : graph.nodes()) own.push_back(impl_->instances.at(node->id.value())->latency_frames());
    LatencyReport latency;
    if (std::ranges::all_of(own, [](std::uint32_t frames) { return frames == 0; })) return latency;
    const GraphLatency found = find_latency(graph, own);
    latency.output_frames = found.output_frames;
    for (std::size_t i = 0; i < own.size(); ++i) {
        if (own[i] != 0) latency.nodes.push_back({graph.nodes()[i]->id, own[i], found.arrivals[i] + own[i]});
    }
    return latency;
}

// ---------------------------------------------------------------------------------------------------------------------
// Measuring

void Engine::watch_levels(bool watched) { impl_->levels.watch(watched); }

MeasuredLevels Engine::take_levels() { return impl_->levels.take(); }

Expected<std::uint64_t> Engine::restart_loudness(std::span<const std::string> names) {
    const std::uint64_t frame = renderer().frames();
    if (auto good = impl_->levels.restart(names, impl_->graph, frame); !good) return std::unexpected(good.error());
    return frame;
}

void Engine::watch_node_times(bool watched) { renderer().time_nodes(watched); }

std::vector<NodeTime> Engine::node_times() const {
    std::vector<NodeTime> times;
    times.reserve(impl_->instances.size());
    for (const auto& [id, instance] : impl_->instances) {
        const NodeInstance::Time time = instance->time();
        times.push_back({.node = NodeId{id}, .cycles = time.cycles, .block_count = time.block_count});
    }
    return times;
}

// ---------------------------------------------------------------------------------------------------------------------
// Answers of the audio thread

void Engine::Impl::applied(const Event::Applied& answer) {
    if (answer.serial >= reset_serial) reset_frame = std::min(reset_frame, answer.frame);
    fades.plans_adopted(answer.serial, answer.frame);
    if (device_fade && !device_fade->end_frame && device_fade->serial <= answer.serial) {
        device_fade->end_frame = device_fade->wait.end(answer.frame) + device_fade->length_frames;
    }
}

void Engine::Impl::end_fades(Observer& observer) {
    const std::uint64_t now = exchange.renderer().frames();
    if (fades.advance(now) && sounding.unsettled) follow_up_due = true;
    if (device_fade && device_fade->end_frame && *device_fade->end_frame <= now) {
        device_fade.reset();
        observer.device_faded(now);
    }
    if (follow_up_due && exchange.has_room_for_plan()) send_plan(origin().draft());
}

void Engine::Impl::rebuild_faulted_nodes() {
    const std::uint64_t now = exchange.renderer().frames();
    for (auto node = faulted_nodes.begin(); node != faulted_nodes.end();) {
        if (now < node->second) {
            ++node;
            continue;
        }
        if (!exchange.has_room_for_plan()) return;
        const GraphNode* faulted = graph.find(node->first);
        if (faulted == nullptr) {  // removed, or replaced, meanwhile
            node = faulted_nodes.erase(node);
            continue;
        }
        Draft rebuilt = origin().draft();
        const NodeId anew{rebuilt.next_id};
        // A factory that refuses now leaves the node silent, as it is; the fault itself has been reported.
        if (rebuilt.apply(ChangeSettings{faulted->name(), {}}, {}, builder)) {
            send_plan(rebuilt);
            adopt(std::move(rebuilt));
            rebuilt_nodes.insert_or_assign(anew, now);
        }
        node = faulted_nodes.erase(node);
    }
}

void Engine::Impl::node_faulted(const Event::NodeFault& fault, Observer& observer) {
    const GraphNode* node = graph.find(fault.node);
    if (node == nullptr || fault.frame < reset_frame) return;  // removed or replaced meanwhile
    const auto last = rebuilt_nodes.find(node->id);
    const auto pause = static_cast<std::uint64_t>(kFaultPauseS * config.sample_rate_hz);
    faulted_nodes.insert_or_assign(node->id, last == rebuilt_nodes.end() ? 0 : last->second + pause);
    observer.node_faulted(node->name(), fault.frame);
}

void Engine::poll(Observer& observer) {
    Impl& impl = *impl_;
    while (const auto event = impl.exchange.receive()) {
        if (event->kind == Event::Kind::applied) {
            impl.applied(event->applied);
            observer.applied(event->applied.serial, event->applied.frame);
        } else if (event->kind == Event::Kind::node_faulted) {
            impl.node_faulted(event->fault, observer);
        }
    }
    impl.rebuild_faulted_nodes();
    impl.end_fades(observer);
}

bool Engine::outstanding() const {
    const Impl& impl = *impl_;
    return !impl.exchange.all_applied() || impl.sounding.unsettled || impl.follow_up_due ||
           impl.device_fade.has_value() || !impl.faulted_nodes.empty();
}

// ---------------------------------------------------------------------------------------------------------------------

Engine::Engine(const NodeRegistry& registry, const EngineConfig& config)
    : impl_{std::make_unique<Impl>(registry, config)} {}
Engine::~Engine() = default;

const AudioGraph& Engine::graph() const { return impl_->graph; }
std::uint64_t Engine::revision() const { return impl_->revision; }
const EngineConfig& Engine::config() const { return impl_->config; }
const NodeRegistry& Engine::registry() const { return impl_->registry; }
Renderer& Engine::renderer() { return impl_->exchange.renderer(); }
const Renderer& Engine::renderer() const { return impl_->exchange.renderer(); }
AudioThreadGate& Engine::gate() { return impl_->gate; }

EngineStatistics Engine::statistics() const {
    const PlanExchange& exchange = impl_->exchange;
    return {exchange.plans_made(), exchange.plans_freed(), exchange.plans_alive(),
            exchange.renderer().telemetry_dropped()};
}

}  // namespace rta
