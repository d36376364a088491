// SPDX-License-Identifier: MIT
#include "engine/engine.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <unordered_map>
#include <utility>

#include "engine/plan_exchange.h"
#include "engine/renderer.h"
#include "engine/sounding_graph.h"
#include "graph/compiler.h"
#include "graph/latency.h"
#include "graph/level_tap.h"
#include "graph/names.h"
#include "graph/node_instance.h"

namespace rta {
namespace {

/// A node ready to enter a graph, built before it is known whether the graph will have it.
struct PreparedNode {
    std::shared_ptr<NodeInstance> instance;
    std::vector<float> parameters;
};

/// A parameter change of a node of the graph, in the parameter's own unit.
struct ParameterChange {
    NodeId node;
    std::uint32_t parameter;
    float value;
    float ramp_ms;
};

/// Fades that a plan began. They end in the order in which they began.
struct Fade {
    std::uint64_t serial;
    Silence wait;  ///< before they begin
    std::uint32_t length_frames;
    // Known when the plan has been adopted:
    std::uint64_t begin_frame = 0;
    std::optional<std::uint64_t> end_frame{};
};

/// A plan that brought something which is silent at first.
struct SilentPlan {
    std::uint64_t serial;
    Silence longest;
    std::optional<std::uint64_t> adopted_at{};  ///< frame
};

constexpr const char* kFull =
    "the audio thread has not yet handed back enough of what it was sent; nothing was changed, try again";

/// More changes than this are not walked at the top of a block: they travel on a plan, each applied where its node
/// runs.
/// 1,024 unanswered commands of this size are walked in well under a millisecond, should they all wait for one block.
constexpr std::size_t kMaximumBatch = 64;

/// A node that fails again at once is left silent this long.
constexpr double kFaultPauseS = 1.0;

Expected<void> check_ramp(const std::optional<float>& ramp_ms, std::string_view node, std::string_view parameter) {
    if (!ramp_ms || (*ramp_ms >= 0.0F && *ramp_ms <= kMaximumRampMs)) return {};
    return fail(ErrorCode::invalid_argument, "node " + quoted(node) + ": a ramp of " + format_number(*ramp_ms) +
                                                 " ms for " + std::string{parameter} + " is out of range: 0 to " +
                                                 format_number(kMaximumRampMs) + " ms");
}

Error at_edit(Error error, std::size_t index) {
    error.edit_index = static_cast<std::uint32_t>(index);
    return error;
}

Error at_position(Error error, const DocumentPosition& position) {
    error.sentence = position.prefix() + error.sentence;
    return error;
}

std::vector<std::string_view> type_names(const NodeRegistry& registry) {
    std::vector<std::string_view> names;
    for (const NodeType* type : registry.types()) names.push_back(type->name);
    return names;
}

}  // namespace

struct PreparedTransaction::Impl {
    Transaction transaction;
    std::vector<std::vector<PreparedNode>> nodes;  ///< of each edit: one of AddNode, all of ReplaceGraph
};

PreparedTransaction::PreparedTransaction() : impl_{std::make_unique<Impl>()} {}
PreparedTransaction::PreparedTransaction(PreparedTransaction&&) noexcept = default;
PreparedTransaction& PreparedTransaction::operator=(PreparedTransaction&&) noexcept = default;
PreparedTransaction::~PreparedTransaction() = default;

const Transaction& PreparedTransaction::transaction() const { return impl_->transaction; }

struct PreparedReset::Impl {
    std::vector<std::pair<NodeId, std::shared_ptr<const NodeDescription>>> nodes;
    std::unordered_map<std::uint64_t, std::shared_ptr<NodeInstance>> fresh;  ///< by id
};

PreparedReset::PreparedReset() : impl_{std::make_unique<Impl>()} {}
PreparedReset::PreparedReset(PreparedReset&&) noexcept = default;
PreparedReset& PreparedReset::operator=(PreparedReset&&) noexcept = default;
PreparedReset::~PreparedReset() = default;

struct Engine::Impl {
    /// A graph being edited, and what the edits bring along.
    struct Draft {
        AudioGraph graph;
        std::vector<std::shared_ptr<NodeInstance>> added;  ///< by id
        std::vector<ParameterChange> changes;              ///< of nodes that were there before
        std::vector<NodeId> renamed;
        std::uint64_t next_id;
    };

    Impl(const NodeRegistry& registry_in, const EngineConfig& config_in)
        : registry{registry_in}, config{config_in}, exchange{config_in.sample_rate_hz, config_in.block_size} {}

    const NodeRegistry& registry;
    EngineConfig config;
    AudioThreadGate gate;
    PlanExchange exchange;

    AudioGraph graph;
    std::uint64_t revision = 0;
    std::uint64_t next_id = 1;
    std::unordered_map<std::uint64_t, std::shared_ptr<NodeInstance>> instances;  ///< of the graph's nodes, by id
    SoundingGraph sounding;
    std::deque<Fade> fades;
    std::deque<SilentPlan> silent_plans;  ///< by serial; those that are not over
    std::uint64_t last_fade_end = 0;      ///< frame
    std::uint64_t ended_serial = 0;       ///< the last plan whose fades have ended
    bool follow_up_due = false;

    float device_gain = 1.0F;  ///< where fade_device() sent it
    bool muted = false;
    std::optional<Fade> device_fade;
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

    /// A node that measures.
    struct Meter {
        std::shared_ptr<NodeInstance> instance;
        std::optional<LevelRecord> held = {};  ///< of frames that the outputs have not told of yet
        dsp::LoudnessMeter loudness = {};
        std::uint64_t restart_frame = 0;  ///< from which true peaks count
        float maximum_true_peak = 0.0F;   ///< since then
    };
    std::vector<Meter> meters;  ///< of the graph, by id
    bool levels_watched = false;
    std::optional<std::uint64_t> levels_begin;  ///< frame: what was measured before it does not count
    std::uint64_t levels_end = 0;               ///< frame up to which levels were taken

    // Preparing: no graph is looked at, so that any thread may do it.
    [[nodiscard]] Expected<PreparedNode> prepare_node(
        const std::string& type_name, const std::string& name, const Settings& settings,
        const std::map<std::string, float, std::less<>>& parameters) const;
    [[nodiscard]] Expected<std::shared_ptr<NodeInstance>> build(
        std::shared_ptr<const NodeDescription> description) const;
    [[nodiscard]] Expected<std::vector<PreparedNode>> prepare_edit(const Edit& edit) const;

    // Editing a draft.
    [[nodiscard]] Draft draft() const { return {graph, {}, {}, {}, next_id}; }
    [[nodiscard]] Expected<Draft> apply(const PreparedTransaction::Impl& prepared, std::size_t edit_count) const;
    [[nodiscard]] Expected<Draft> apply(const PreparedTransaction::Impl& prepared) const;
    Expected<void> apply(Draft& draft, const AddNode& edit, std::span<const PreparedNode> nodes) const;
    Expected<void> apply(Draft& draft, const RemoveNode& edit, std::span<const PreparedNode> nodes) const;
    Expected<void> apply(Draft& draft, const RenameNode& edit, std::span<const PreparedNode> nodes) const;
    Expected<void> apply(Draft& draft, const Connect& edit, std::span<const PreparedNode> nodes) const;
    Expected<void> apply(Draft& draft, const Disconnect& edit, std::span<const PreparedNode> nodes) const;
    Expected<void> apply(Draft& draft, const SetParameter& edit, std::span<const PreparedNode> nodes) const;
    Expected<void> apply(Draft& draft, const ChangeSettings& edit, std::span<const PreparedNode> nodes) const;
    Expected<void> apply(Draft& draft, const SetLatencyCompensation& edit, std::span<const PreparedNode> nodes) const;
    Expected<void> apply(Draft& draft, const ReplaceGraph& edit, std::span<const PreparedNode> nodes) const;
    static NodeId add(Draft& draft, std::shared_ptr<NodeInstance> instance);
    [[nodiscard]] std::size_t first_edit_against(const std::function<bool(const Draft&)>& is_good,
                                                 const PreparedTransaction::Impl& prepared) const;

    // Sending.
    [[nodiscard]] std::shared_ptr<NodeInstance> instance_of(const Draft& draft, NodeId id) const;
    [[nodiscard]] std::vector<std::uint32_t> latencies_of(const Draft& draft) const;
    void rename_instances(const Draft& draft) const;
    [[nodiscard]] CompileRequest request_for(const SoundingGraph& sound) const;
    [[nodiscard]] Silence left_of(const Silence& silence, std::uint64_t serial) const;
    std::uint64_t send_sounding(std::unique_ptr<CompiledGraph> plan, std::uint32_t fade_frames);
    std::uint64_t send_plan(const Draft& draft);
    void adopt(Draft draft);
    std::uint64_t send_device_fade(float length_ms);
    [[nodiscard]] std::unique_ptr<CompiledGraph> compile_afresh();

    // Measuring.
    void take_output_levels(MeasuredLevels& levels);
    [[nodiscard]] MeasuredLevels::Source take_levels_of(Meter& meter) const;
    void take_records(Meter& meter, MeasuredLevels::Source& source) const;
    [[nodiscard]] std::vector<ParameterTarget> targets_in(const SoundingGraph& sound,
                                                          std::span<const ParameterChange> changes) const;

    // Answers of the audio thread.
    void applied(const Event::Applied& answer);
    void begin_fades(const Event::Applied& answer);
    void end_fades(Observer& observer);
    void node_faulted(const Event::NodeFault& fault, Observer& observer);
    void rebuild_faulted_nodes();
};

// ---------------------------------------------------------------------------------------------------------------------
// Preparing

Expected<std::shared_ptr<NodeInstance>> Engine::Impl::build(std::shared_ptr<const NodeDescription> description) const {
    auto processor = description->type->create({config.sample_rate_hz, config.block_size, description->settings});
    if (!processor) {
        Error error = std::move(processor.error());
        error.sentence = "node " + quoted(description->name) + ": " + error.sentence;
        return std::unexpected(std::move(error));
    }
    return std::make_shared<NodeInstance>(std::move(description), std::move(*processor));
}

Expected<PreparedNode> Engine::Impl::prepare_node(const std::string& type_name, const std::string& name,
                                                  const Settings& settings,
                                                  const std::map<std::string, float, std::less<>>& parameters) const {
    const NodeType* type = registry.find(type_name);
    if (type == nullptr) {
        return fail(ErrorCode::not_found,
                    "node " + quoted(name) + ": " + no_such("node type", type_name, type_names(registry)));
    }
    auto description = NodeDescription::make(*type, name, settings);
    if (!description) return std::unexpected(std::move(description.error()));
    auto values = (*description)->parameter_values(parameters);
    if (!values) return std::unexpected(std::move(values.error()));
    auto instance = build(std::move(*description));
    if (!instance) return std::unexpected(std::move(instance.error()));
    return PreparedNode{std::move(*instance), std::move(*values)};
}

Expected<std::vector<PreparedNode>> Engine::Impl::prepare_edit(const Edit& edit) const {
    std::vector<PreparedNode> nodes;
    if (const auto* add = std::get_if<AddNode>(&edit)) {
        auto node = prepare_node(add->type, add->name, add->settings, add->parameters);
        if (!node) return std::unexpected(std::move(node.error()));
        nodes.push_back(std::move(*node));
    } else if (const auto* replace = std::get_if<ReplaceGraph>(&edit)) {
        for (const GraphDocument::Node& entry : replace->document.nodes) {
            auto node = prepare_node(entry.type, entry.name, entry.settings, entry.parameters);
            if (!node) return std::unexpected(at_position(std::move(node.error()), entry.position));
            nodes.push_back(std::move(*node));
        }
    }
    return nodes;
}

Expected<PreparedTransaction> Engine::prepare(Transaction transaction) const {
    PreparedTransaction prepared;
    for (std::size_t i = 0; i < transaction.edits.size(); ++i) {
        auto nodes = impl_->prepare_edit(transaction.edits[i]);
        if (!nodes) return std::unexpected(at_edit(std::move(nodes.error()), i));
        prepared.impl_->nodes.push_back(std::move(*nodes));
    }
    prepared.impl_->transaction = std::move(transaction);
    return prepared;
}

// ---------------------------------------------------------------------------------------------------------------------
// Editing a draft

NodeId Engine::Impl::add(Draft& draft, std::shared_ptr<NodeInstance> instance) {
    const NodeId id{draft.next_id++};
    instance->assign_id(id);
    draft.added.push_back(std::move(instance));
    return id;
}

Expected<void> Engine::Impl::apply(Draft& draft, const AddNode&, std::span<const PreparedNode> nodes) const {
    const PreparedNode& node = nodes.front();
    return draft.graph.add_node(add(draft, node.instance), node.instance->shared_description(), node.parameters);
}

Expected<void> Engine::Impl::apply(Draft& draft, const RemoveNode& edit, std::span<const PreparedNode>) const {
    return draft.graph.remove_node(edit.name);
}

Expected<void> Engine::Impl::apply(Draft& draft, const RenameNode& edit, std::span<const PreparedNode>) const {
    const auto node = draft.graph.require(edit.name);
    if (!node) return std::unexpected(node.error());
    const NodeDescription& old = *(*node)->description;
    draft.renamed.push_back((*node)->id);
    auto description = NodeDescription::make(*old.type, edit.new_name, old.given_settings);
    if (!description) return std::unexpected(std::move(description.error()));
    return draft.graph.rename_node(edit.name, std::move(*description));
}

Expected<void> Engine::Impl::apply(Draft& draft, const Connect& edit, std::span<const PreparedNode>) const {
    return draft.graph.connect(edit.from, edit.to, edit.gain_db);
}

Expected<void> Engine::Impl::apply(Draft& draft, const Disconnect& edit, std::span<const PreparedNode>) const {
    return draft.graph.disconnect(edit.from, edit.to);
}

Expected<void> Engine::Impl::apply(Draft& draft, const SetParameter& edit, std::span<const PreparedNode>) const {
    if (auto good = check_ramp(edit.ramp_ms, edit.node, edit.parameter); !good) return good;
    const auto place = draft.graph.check_parameter(edit.node, edit.parameter, edit.value);
    if (!place) return std::unexpected(place.error());
    draft.changes.push_back({place->node, place->index, edit.value, edit.ramp_ms.value_or(kDefaultParameterRampMs)});
    return draft.graph.set_parameter(edit.node, edit.parameter, edit.value);
}

Expected<void> Engine::Impl::apply(Draft& draft, const ChangeSettings& edit, std::span<const PreparedNode>) const {
    const auto node = draft.graph.require(edit.node);
    if (!node) return std::unexpected(node.error());
    Settings settings = (*node)->description->given_settings;
    for (const auto& [name, value] : edit.settings) settings.insert_or_assign(name, value);
    auto description = NodeDescription::make(*(*node)->description->type, edit.node, std::move(settings));
    if (!description) return std::unexpected(std::move(description.error()));
    auto instance = build(std::move(*description));
    if (!instance) return std::unexpected(std::move(instance.error()));
    auto shared = (*instance)->shared_description();
    return draft.graph.replace_node(add(draft, std::move(*instance)), std::move(shared));
}

Expected<void> Engine::Impl::apply(Draft& draft, const SetLatencyCompensation& edit,
                                   std::span<const PreparedNode>) const {
    draft.graph.set_latency_compensation(edit.enabled);
    return {};
}

Expected<void> Engine::Impl::apply(Draft& draft, const ReplaceGraph& edit, std::span<const PreparedNode> nodes) const {
    const auto& entries = edit.document.nodes;
    const auto stays = [&](const PreparedNode& node) -> const GraphNode* {
        const NodeDescription& description = node.instance->description();
        const GraphNode* old = draft.graph.find(description.name);
        const bool same = old != nullptr && old->description->type == description.type &&
                          old->description->settings == description.settings;
        return same ? old : nullptr;
    };

    // Ids grow in a graph: first come the nodes that stay, oldest first, then the new ones.
    std::vector<std::pair<const GraphNode*, std::size_t>> order;
    order.reserve(nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i) order.emplace_back(stays(nodes[i]), i);
    std::ranges::sort(order, {}, [](const auto& entry) {
        return std::pair{entry.first == nullptr ? NodeId{static_cast<std::uint64_t>(-1)} : entry.first->id,
                         entry.second};
    });

    AudioGraph replaced;
    std::vector<ParameterChange> changes;
    const GraphNode* before = nullptr;
    for (const auto& [old, index] : order) {
        const PreparedNode& node = nodes[index];
        const auto& description = node.instance->shared_description();
        if (old != nullptr && old == before) {  // the same name again: let the graph say so
            return std::unexpected(
                at_position({ErrorCode::already_exists, "there is already a node " + quoted(description->name), {}},
                            entries[index].position));
        }
        before = old;
        if (old != nullptr) {
            for (std::uint32_t p = 0; p < node.parameters.size(); ++p) {
                if (node.parameters[p] != old->parameters[p]) {
                    changes.push_back({old->id, p, node.parameters[p], kDefaultParameterRampMs});
                }
            }
        }
        const NodeId id = old != nullptr ? old->id : add(draft, node.instance);
        if (auto good = replaced.add_node(id, description, node.parameters); !good) {
            return std::unexpected(at_position(std::move(good.error()), entries[index].position));
        }
    }
    for (const GraphDocument::Connection& connection : edit.document.connections) {
        const std::size_t count = replaced.connection_count();
        auto good = replaced.connect(connection.from, connection.to, connection.gain_db);
        if (!good) return std::unexpected(at_position(std::move(good.error()), connection.position));
        if (replaced.connection_count() == count) {
            return std::unexpected(
                at_position({ErrorCode::already_exists,
                             "connection " + connection.from + " -> " + connection.to + " is there twice",
                             {}},
                            connection.position));
        }
    }
    replaced.set_latency_compensation(edit.document.latency_compensation);
    draft.graph = std::move(replaced);
    draft.changes.insert(draft.changes.end(), changes.begin(), changes.end());
    return {};
}

/// The first `edit_count` edits.
Expected<Engine::Impl::Draft> Engine::Impl::apply(const PreparedTransaction::Impl& prepared,
                                                  std::size_t edit_count) const {
    Draft result = draft();
    for (std::size_t i = 0; i < edit_count; ++i) {
        auto good = std::visit([&](const auto& edit) { return apply(result, edit, prepared.nodes[i]); },
                               prepared.transaction.edits[i]);
        if (!good) return std::unexpected(at_edit(std::move(good.error()), i));
    }
    return result;
}

Expected<Engine::Impl::Draft> Engine::Impl::apply(const PreparedTransaction::Impl& prepared) const {
    auto result = apply(prepared, prepared.transaction.edits.size());
    if (!result) return result;
    if (auto acyclic = result->graph.check_acyclic(); !acyclic) {
        const auto is_acyclic = [](const Draft& draft) { return draft.graph.check_acyclic().has_value(); };
        return std::unexpected(at_edit(std::move(acyclic.error()), first_edit_against(is_acyclic, prepared)));
    }
    if (auto delays = compensating_delays(result->graph, latencies_of(*result)); !delays) {
        const auto can_be_compensated = [this](const Draft& draft) {
            return draft.graph.check_acyclic() && compensating_delays(draft.graph, latencies_of(draft));
        };
        return std::unexpected(at_edit(std::move(delays.error()), first_edit_against(can_be_compensated, prepared)));
    }
    return result;
}

/// Only for the error: by bisection, an edit before which the draft is `good` and after which it is not.
std::size_t Engine::Impl::first_edit_against(const std::function<bool(const Draft&)>& is_good,
                                             const PreparedTransaction::Impl& prepared) const {
    std::size_t good = 0;
    std::size_t bad = prepared.transaction.edits.size();
    while (bad - good > 1) {
        const std::size_t middle = good + (bad - good) / 2;
        const auto result = apply(prepared, middle);
        (result && is_good(*result) ? good : bad) = middle;
    }
    return good;
}

// ---------------------------------------------------------------------------------------------------------------------
// Sending

std::shared_ptr<NodeInstance> Engine::Impl::instance_of(const Draft& draft, NodeId id) const {
    const auto added =
        std::ranges::lower_bound(draft.added, id, {}, [](const auto& instance) { return instance->id(); });
    if (added != draft.added.end() && (*added)->id() == id) return *added;
    return instances.at(id.value());
}

/// Empty where nobody compensates them.
std::vector<std::uint32_t> Engine::Impl::latencies_of(const Draft& draft) const {
    std::vector<std::uint32_t> latencies;
    if (!draft.graph.latency_compensation()) return latencies;
    latencies.reserve(draft.graph.node_count());
    for (const auto& node : draft.graph.nodes()) latencies.push_back(instance_of(draft, node->id)->latency_frames());
    return latencies;
}

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

/// Before compiling: signals are summed in the order of their sources' names.
void Engine::Impl::rename_instances(const Draft& draft) const {
    for (const NodeId id : draft.renamed) {
        const GraphNode* node = draft.graph.find(id);
        if (node != nullptr) instance_of(draft, id)->rename(node->description);
    }
}

CompileRequest Engine::Impl::request_for(const SoundingGraph& sound) const {
    CompileRequest request =
        sound.request(exchange.next_serial(), ended_serial,
                      [this](const Silence& silence, std::uint64_t serial) { return left_of(silence, serial); });
    request.block_size = config.block_size;
    request.connection_fade_frames = frames_of(kConnectionFadeMs);
    request.device_fade_frames = frames_of(kDeviceFadeMs);
    return request;
}

/// Of a silence that the plan `serial` brought.
Silence Engine::Impl::left_of(const Silence& silence, std::uint64_t serial) const {
    const auto plan = std::ranges::find(silent_plans, serial, &SilentPlan::serial);
    if (plan == silent_plans.end()) return {};
    // Not adopted yet, so at the earliest with the plan that is being made.
    if (!plan->adopted_at) return silence;
    const std::uint64_t end = silence.end(*plan->adopted_at);
    return end > exchange.renderer().frames() ? Silence{0, end} : Silence{};
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
    fades.push_back({.serial = exchange.next_serial(), .wait = plan->fade_wait(), .length_frames = fade_frames});
    if (!longest.none()) silent_plans.push_back({.serial = exchange.next_serial(), .longest = longest});
    return exchange.send(std::move(plan));
}

/// Compiles what shall sound from here on and sends it. There is room for a plan.
std::uint64_t Engine::Impl::send_plan(const Draft& draft) {
    const auto delays = compensating_delays(draft.graph, latencies_of(draft));
    assert(delays && "apply() has refused what cannot be compensated");
    const SoundingTransition transition{.now = sounding,
                                        .target = draft.graph,
                                        .delays_frames = *delays,
                                        .serial = exchange.next_serial(),
                                        .ended_serial = ended_serial,
                                        .entering = [&](NodeId id) { return instance_of(draft, id); }};
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
        if (LevelTap* const tap = node.instance->level_tap()) tap->enable(levels_watched);
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
        if (instance->level_tap() != nullptr) meters.push_back({instance});  // ids grow
        instances.emplace(id, std::move(instance));
    }
    if (instances.size() == graph.node_count()) return;
    std::erase_if(instances, [&](const auto& entry) { return graph.find(NodeId{entry.first}) == nullptr; });
    std::erase_if(rebuilt_nodes, [&](const auto& entry) { return graph.find(entry.first) == nullptr; });
    std::erase_if(meters, [&](const Meter& meter) { return graph.find(meter.instance->id()) == nullptr; });
}

Expected<Ticket> Engine::commit(PreparedTransaction& prepared) {
    Impl& impl = *impl_;
    if (!impl.exchange.has_room_for_plan()) return fail(ErrorCode::resource_exhausted, kFull);
    auto draft = impl.apply(*prepared.impl_);
    if (!draft) return std::unexpected(std::move(draft.error()));
    impl.rename_instances(*draft);
    const std::uint64_t serial = impl.send_plan(*draft);
    impl.adopt(std::move(*draft));
    return Ticket{serial, ++impl.revision};
}

Expected<GraphSize> Engine::check(const PreparedTransaction& prepared) const {
    const auto draft = impl_->apply(*prepared.impl_);
    if (!draft) return std::unexpected(draft.error());
    const SoundingGraph nothing;
    const SoundingTransition transition{.now = nothing,
                                        .target = draft->graph,
                                        .delays_frames = {},
                                        .serial = 1,
                                        .ended_serial = 0,
                                        .entering = [&](NodeId id) { return impl_->instance_of(*draft, id); }};
    CompileRequest request = merge(transition).request(transition.serial, 0, {});
    request.block_size = impl_->config.block_size;
    const auto plan = compile(std::move(request));
    assert(plan && "an acyclic graph compiles");
    return GraphSize{draft->graph.node_count(), draft->graph.connection_count()};
}

Expected<Ticket> Engine::set_parameters(std::span<const SetParameter> edits) {
    Impl& impl = *impl_;
    const bool rides_on_plan = edits.size() > kMaximumBatch;
    if (!(rides_on_plan ? impl.exchange.has_room_for_plan() : impl.exchange.has_room_for_command())) {
        return fail(ErrorCode::resource_exhausted, kFull);
    }
    std::vector<ParameterChange> changes;
    changes.reserve(edits.size());
    for (std::size_t i = 0; i < edits.size(); ++i) {
        const SetParameter& edit = edits[i];
        auto place = impl.graph.check_parameter(edit.node, edit.parameter, edit.value);
        if (!place) return std::unexpected(at_edit(std::move(place.error()), i));
        if (auto good = check_ramp(edit.ramp_ms, edit.node, edit.parameter); !good) {
            return std::unexpected(at_edit(std::move(good.error()), i));
        }
        changes.push_back({place->node, place->index, edit.value, edit.ramp_ms.value_or(kDefaultParameterRampMs)});
    }
    // Everything is good: from here on nothing fails.
    for (const SetParameter& edit : edits) {
        [[maybe_unused]] const auto set = impl.graph.set_parameter(edit.node, edit.parameter, edit.value);
        assert(set);
    }
    if (rides_on_plan) {
        Impl::Draft draft = impl.draft();
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
    device_fade = Fade{.serial = exchange.next_serial(), .wait = wait, .length_frames = frames};
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
        auto instance = impl_->build(description);
        if (!instance) return std::unexpected(std::move(instance.error()));
        reset.impl_->fresh.insert_or_assign(id.value(), std::move(*instance));
    }
    return {};
}

Expected<Ticket> Engine::reset(PreparedReset& reset) {
    Impl& impl = *impl_;
    if (!impl.exchange.has_room_for_plan()) return fail(ErrorCode::resource_exhausted, kFull);
    const auto& fresh = reset.impl_->fresh;
    std::unordered_map<std::uint64_t, std::shared_ptr<NodeInstance>> instances;
    for (const auto& node : impl.graph.nodes()) {
        const std::shared_ptr<NodeInstance>& instance = fresh.at(node->id.value());
        instance->assign_id(node->id);
        instance->rename(node->description);
        instance->start_with(node->parameters);
        instance->start_present();
        if (LevelTap* const tap = instance->level_tap()) tap->enable(impl.levels_watched);
        instances.emplace(node->id.value(), instance);
    }
    for (Impl::Meter& meter : impl.meters) meter = {instances.at(meter.instance->id().value())};
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
    const auto delays = compensating_delays(graph, latencies_of(draft()));
    assert(delays && "the graph was compensated before");
    sounding = merge({.now = nothing,
                      .target = graph,
                      .delays_frames = *delays,
                      .serial = exchange.next_serial(),
                      .ended_serial = ended_serial,
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
// Levels

namespace {

void add_record(const LevelRecord& record, MeasuredLevels::Source& source) {
    if (record.channel == 0) {
        source.frame_count += record.frame_count;
        source.channels.resize(record.channel_count);
    }
    if (record.channel_count == 0) return;
    MeasuredLevels::Channel& channel = source.channels[record.channel];
    channel.peak = std::max(channel.peak, record.peak);
    channel.true_peak = std::max(channel.true_peak, record.true_peak);
    channel.sum_of_squares += record.sum_of_squares;
    channel.frame_count += record.channel_frame_count;
}

void forget_levels(LevelTap& tap) {
    while (tap.take()) {
    }
    while (tap.take_loudness()) {
    }
}

}  // namespace

void Engine::watch_levels(bool watched) {
    Impl& impl = *impl_;
    LevelTap& outputs = renderer().output_levels();
    impl.levels_watched = watched;
    impl.levels_begin.reset();
    forget_levels(outputs);
    for (Impl::Meter& meter : impl.meters) {
        meter.held.reset();
        meter.loudness.pause();
        forget_levels(*meter.instance->level_tap());
        meter.instance->level_tap()->enable(watched);
    }
    // Last: when it measures a block, so do all the others.
    outputs.enable(watched);
}

MeasuredLevels Engine::take_levels() {
    MeasuredLevels levels;
    impl_->take_output_levels(levels);
    levels.meters.reserve(impl_->meters.size());
    for (Impl::Meter& meter : impl_->meters) levels.meters.push_back(impl_->take_levels_of(meter));
    return levels;
}

Expected<std::uint64_t> Engine::restart_loudness(std::span<const std::string> names) {
    std::vector<Impl::Meter*> restarted;
    for (const std::string& name : names) {
        const auto node = impl_->graph.require(name);
        if (!node) return std::unexpected(node.error());
        const auto meter = std::ranges::find_if(
            impl_->meters, [&](const Impl::Meter& other) { return other.instance->id() == (*node)->id; });
        if (meter == impl_->meters.end()) {
            return fail(ErrorCode::failed_precondition, "node " + quoted(name) + " is of type " +
                                                            std::string{(*node)->description->type->name} +
                                                            ", which measures nothing; name a meter");
        }
        restarted.push_back(&*meter);
    }
    if (names.empty()) {
        for (Impl::Meter& meter : impl_->meters) restarted.push_back(&meter);
    }
    const std::uint64_t frame = renderer().frames();
    const double steps = static_cast<double>(frame) * dsp::kLoudnessStepsPerSecond / impl_->config.sample_rate_hz;
    for (Impl::Meter* const meter : restarted) {
        meter->loudness.restart(static_cast<std::uint64_t>(std::ceil(steps)));
        meter->restart_frame = frame;
        meter->maximum_true_peak = 0.0F;
    }
    return frame;
}

/// What goes to the device tells the time: of a meter, no later frames are taken.
void Engine::Impl::take_output_levels(MeasuredLevels& levels) {
    LevelTap& outputs = exchange.renderer().output_levels();
    while (const auto record = outputs.take()) {
        // The first quantum was under way when measuring began, and not for every meter from the same frame on.
        if (!levels_begin) levels_end = *(levels_begin = record->end_frame);
        if (record->end_frame <= *levels_begin) continue;
        if (record->channel == 0) levels.frame_count += record->frame_count;
        levels_end = record->end_frame;
        add_record(*record, levels.outputs);
    }
    levels.frame = levels_end;
}

MeasuredLevels::Source Engine::Impl::take_levels_of(Meter& meter) const {
    MeasuredLevels::Source source{.node = meter.instance->id(), .frame_count = 0, .channels = {}};
    LevelTap& tap = *meter.instance->level_tap();
    source.channels.resize(tap.maximum_channels());
    take_records(meter, source);
    while (const auto step = tap.take_loudness()) meter.loudness.add(*step);
    source.loudness = meter.loudness.loudness();
    source.maximum_true_peak = meter.maximum_true_peak;
    return source;
}

void Engine::Impl::take_records(Meter& meter, MeasuredLevels::Source& source) const {
    while (true) {
        const auto record = meter.held ? std::exchange(meter.held, {}) : meter.instance->level_tap()->take();
        if (!record) return;
        if (!levels_begin || record->end_frame > levels_end) {
            meter.held = record;
            return;
        }
        const std::uint64_t begin_frame = record->end_frame - record->frame_count;
        if (begin_frame >= *levels_begin) add_record(*record, source);
        if (begin_frame >= meter.restart_frame) {
            meter.maximum_true_peak = std::max(meter.maximum_true_peak, record->true_peak);
        }
    }
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
    for (SilentPlan& plan : silent_plans) {
        if (!plan.adopted_at && plan.serial <= answer.serial) plan.adopted_at = answer.frame;
    }
    begin_fades(answer);
    if (device_fade && !device_fade->end_frame && device_fade->serial <= answer.serial) {
        device_fade->end_frame = device_fade->wait.end(answer.frame) + device_fade->length_frames;
    }
}

/// Of several plans in one block only the last is rendered, and all that they change fades with it. So does what was to
/// begin later.
void Engine::Impl::begin_fades(const Event::Applied& answer) {
    const auto begins = [&](const Fade& fade) { return !fade.end_frame && fade.serial <= answer.serial; };
    if (std::ranges::none_of(fades, begins)) return;
    Silence wait;
    std::uint32_t length_frames = 0;
    for (const Fade& fade : fades) {
        if (fade.serial > answer.serial) continue;
        if (begins(fade)) wait = longer(wait, fade.wait);
        length_frames = std::max(length_frames, fade.length_frames);
    }
    const std::uint64_t begin = wait.end(answer.frame);
    // Never before an earlier one: what fades into something that leaves must not be pruned before it.
    last_fade_end = std::max(last_fade_end, begin + length_frames);
    for (Fade& fade : fades) {
        if (fade.serial > answer.serial || (!begins(fade) && fade.begin_frame <= answer.frame)) continue;
        fade.begin_frame = begin;
        fade.end_frame = last_fade_end;
    }
}

void Engine::Impl::end_fades(Observer& observer) {
    const std::uint64_t now = exchange.renderer().frames();
    while (!silent_plans.empty() && silent_plans.front().adopted_at &&
           silent_plans.front().longest.end(*silent_plans.front().adopted_at) <= now) {
        silent_plans.pop_front();
    }
    while (!fades.empty() && fades.front().end_frame && *fades.front().end_frame <= now) {
        ended_serial = fades.front().serial;
        fades.pop_front();
        if (sounding.unsettled) follow_up_due = true;
    }
    if (device_fade && device_fade->end_frame && *device_fade->end_frame <= now) {
        device_fade.reset();
        observer.device_faded(now);
    }
    if (follow_up_due && exchange.has_room_for_plan()) send_plan(draft());
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
        Draft rebuilt = draft();
        const NodeId anew{rebuilt.next_id};
        // A factory that refuses now leaves the node silent, as it is; the fault itself has been reported.
        if (apply(rebuilt, ChangeSettings{faulted->name(), {}}, {})) {
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
