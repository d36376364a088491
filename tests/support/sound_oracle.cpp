// SPDX-License-Identifier: MIT
#include "support/sound_oracle.h"

#include <cmath>
#include <ranges>

#include "graph/topological_order.h"

namespace rta::test {
namespace {

/// Of sums of gains, in double precision.
constexpr double kTolerance = 1e-9;
/// Of the level of a gate, relative to the largest sum of absolute values at any port: more than ten times the largest
/// error that was measured.
constexpr double kLevelTolerance = 1e-5;

}  // namespace

bool SoundOracle::Node::is_sink() const { return instance->description().type->device_role == DeviceRole::sink; }

bool SoundOracle::Node::remembers() const {
    return instance->description().type->remembers_input || instance->latency_frames() != 0;
}

SoundOracle::SoundOracle(const EngineConfig& config, std::uint32_t channels_out)
    : config_{config},
      generation_{gate_.start_generation()},
      outputs_(channels_out, std::vector<double>(config.block_size)),
      device_{channels_out, config.block_size},
      mixed_(config.block_size),
      scales_(config.block_size) {}

std::uint32_t SoundOracle::frames_of(float ms) const {
    return static_cast<std::uint32_t>(std::lround(static_cast<double>(ms) * config_.sample_rate_hz / 1000.0));
}

void SoundOracle::fail(const std::string& what) {
    if (!failure_) failure_ = what;
}

// ---------------------------------------------------------------------------------------------------------------------
// Sending

void SoundOracle::send_plan(std::uint64_t serial, const CompileRequest& contents) {
    auto plan = std::make_shared<Plan>();
    plan->resets = contents.round_frames == 0 && contents.round != sent_round_;
    plan->round = sent_round_ = contents.round;
    reset_sent_ = reset_sent_ || plan->resets;
    plan->round_frames = contents.round_frames;
    plan->gain_fade_frames = contents.gain_fade_frames;
    plan_nodes(contents, *plan);
    plan_connections(contents, *plan);
    for (const ParameterTarget& target : contents.targets) {
        const auto node = nodes_.find(target.node);
        if (node == nodes_.end()) {
            fail("a plan sets a parameter of a node that it does not contain");
            continue;
        }
        plan->targets.push_back({node->second, target.parameter, target.value, target.ramp_frames});
    }
    commands_.emplace_back(serial, std::move(plan));
}

void SoundOracle::plan_nodes(const CompileRequest& contents, Plan& plan) {
    std::map<const NodeInstance*, std::shared_ptr<Node>> nodes;
    const std::size_t known_nodes = new_nodes_.size();
    for (const CompileRequest::Node& entry : contents.nodes) {
        const auto known = nodes_.find(entry.instance);
        const std::shared_ptr<Node> node = known != nodes_.end() ? known->second : make_node(*entry.instance);
        if (known == nodes_.end()) {
            new_nodes_.emplace_back(entry.id, node);
            if (plan.resets) node->presence = {1.0, 1.0};
        }
        nodes.emplace(entry.instance, node);
        plan.nodes.push_back({node, entry.present, std::vector<std::vector<std::size_t>>(node->inputs.size())});
    }
    entered_.clear();
    for (std::size_t i = known_nodes; i < new_nodes_.size(); ++i) entered_.insert(new_nodes_[i].second.get());
    nodes_ = std::move(nodes);
}

std::shared_ptr<SoundOracle::Node> SoundOracle::make_node(const NodeInstance& instance) const {
    const std::shared_ptr<const NodeDescription>& description = instance.shared_description();
    auto processor = description->type->create({config_.sample_rate_hz, config_.block_size, description->settings});
    auto node = std::make_shared<Node>(std::make_shared<NodeInstance>(description, std::move(processor.value())));
    node->instance->assign_id(instance.id());
    for (const NodeLayout::Port& port : description->layout.inputs) {
        node->inputs.emplace_back(port.width, config_.block_size);
        node->input_views.push_back(node->inputs.back().read());
    }
    for (const NodeLayout::Port& port : description->layout.outputs) {
        node->outputs.emplace_back(port.width, config_.block_size);
        node->output_views.push_back(node->outputs.back().write());
    }
    if (description->type->name == "gate") node->bounds = std::make_unique<GateBounds>(instance, config_);
    return node;
}

void SoundOracle::start_new_nodes(const AudioGraph& graph) {
    for (const auto& [id, node] : new_nodes_) {
        node->instance->start_with(graph.find(id)->parameters);
        if (node->bounds != nullptr) node->bounds->start_with(graph.find(id)->parameters);
        node->instance->start_present();  // the oracle fades it
    }
    new_nodes_.clear();
}

void SoundOracle::plan_connections(const CompileRequest& contents, Plan& plan) {
    Connections connections;
    std::vector<Arc> arcs;
    for (const CompileRequest::Connection& entry : contents.connections) {
        const Node& from = *plan.nodes[entry.from_node].node;
        const Node& to = *plan.nodes[entry.to_node].node;
        PlannedConnection planned{.connection = find_connection(entry.state, from, entry.from_port),
                                  .from_node = entry.from_node,
                                  .from_port = entry.from_port,
                                  .plays = true,
                                  .present = entry.present,
                                  .gain = static_cast<double>(entry.target_gain),
                                  .gain_fade_frames = entry.gain_fade_frames,
                                  .gain_wait_frames = entry.gain_wait_frames};
        if (!std::exchange(planned.connection->has_played, true)) start_to_play(planned, from, to);
        plan_glide(planned, entry.glide);
        connections.emplace(entry.state, planned.connection);
        plan.nodes[entry.to_node].inputs[entry.to_port].push_back(plan.connections.size());
        plan.connections.push_back(std::move(planned));
        arcs.push_back({entry.from_node, entry.to_node});
    }
    for (const CompileRequest::Filling& entry : contents.fillings) {
        const Node& from = *plan.nodes[entry.from_node].node;
        PlannedConnection planned{.connection = find_connection(entry.state, from, entry.from_port),
                                  .from_node = entry.from_node,
                                  .from_port = entry.from_port,
                                  .plays = false};
        plan_glide(planned, entry.glide);
        connections.emplace(entry.state, planned.connection);
        plan.connections.push_back(std::move(planned));
    }
    connections_ = std::move(connections);
    plan.order = topological_order(static_cast<std::uint32_t>(plan.nodes.size()), arcs).value();
}

/// A node that is new is not heard yet, so it has its inputs from the start. If one of the new nodes remembers its input,
/// the gains start at 0 where signals reach the new nodes.
void SoundOracle::start_to_play(const PlannedConnection& planned, const Node& from, const Node& to) const {
    Connection& connection = *planned.connection;
    connection.gain = LinearMotion{planned.gain};
    if (!entered_.contains(&to)) return;
    connection.presence = {1.0, 1.0};
    const bool reaches_new_nodes = !entered_.contains(&from) || from.is_source();
    const bool fades = std::ranges::any_of(entered_, [](const Node* node) { return node->remembers(); });
    if (fades && reaches_new_nodes) connection.gain = LinearMotion{0.0};
}

/// Returns the connection with this state, or a new one.
std::shared_ptr<SoundOracle::Connection> SoundOracle::find_connection(const ConnectionState* state, const Node& from,
                                                                      std::uint32_t from_port) const {
    if (const auto known = connections_.find(state); known != connections_.end()) return known->second;
    auto connection = std::make_shared<Connection>();
    const std::uint32_t width = from.outputs[from_port].channel_count();
    const std::uint32_t delay_frames = state->delay == nullptr ? 0 : state->delay->delay_frames();
    connection->delay_frames = delay_frames;
    connection->delay_line.assign(width, std::vector<float>(delay_frames));
    connection->signal = AudioBuffer{width, config_.block_size};
    connection->weights.resize(config_.block_size);
    return connection;
}

/// A delay that is new starts at 0 if the signal is heard without it, otherwise at its target.
void SoundOracle::plan_glide(PlannedConnection& planned, const CompileRequest::Glide& glide) const {
    Connection& connection = *planned.connection;
    if (connection.glide_key != glide.delay) {
        connection.glide_key = glide.delay;
        connection.glide.reset();
        if (glide.delay != nullptr) {
            connection.glide = std::make_shared<dsp::GlidingDelay>(connection.signal.channel_count(),
                                                                   config_.block_size, glide.delay->maximum_frames(),
                                                                   connection.present ? 0 : glide.frames);
        }
    }
    connection.present = planned.present;
    planned.glide = connection.glide;
    planned.glide_target = glide;
}

void SoundOracle::send_parameters(std::uint64_t serial, std::span<const ParameterTarget> targets) {
    for (const ParameterTarget& target : targets) {
        const auto node = nodes_.find(target.node);
        if (node == nodes_.end()) {
            fail("a transaction sets a parameter of a node that does not sound");
            continue;
        }
        commands_.emplace_back(serial, Target{node->second, target.parameter, target.value, target.ramp_frames});
    }
}

void SoundOracle::send_parameter(std::uint64_t serial, AudioGraph::ParameterPlace place, float value, float ramp_ms) {
    for (const auto& [key, node] : nodes_) {
        if (node->instance->id() != place.node) continue;
        const ParameterSpec& spec = node->instance->description().layout.parameters[place.index];
        const std::uint32_t ramp_frames = spec.law == RampLaw::own ? 0 : frames_of(ramp_ms);
        commands_.emplace_back(serial, Target{node, place.index, processor_value(spec, value), ramp_frames});
    }
}

void SoundOracle::send_device_fade(std::uint64_t serial, double gain, float length_ms) {
    commands_.emplace_back(serial,
                           DeviceFade{.gain = gain, .frames = frames_of(length_ms), .after_reset = reset_sent_});
}

// ---------------------------------------------------------------------------------------------------------------------
// Commands that take effect

void SoundOracle::apply(const AudioThreadKey& key, const Command& command) {
    if (const auto* const plan = std::get_if<std::shared_ptr<Plan>>(&command)) {
        adopt(*plan);
        for (const Target& target : plan_->targets) retarget(key, target);
    } else if (const auto* const target = std::get_if<Target>(&command)) {
        retarget(key, *target);
    } else {
        fade_device(std::get<DeviceFade>(command));
    }
}

/// Before the first block, nothing fades. While the engine does not know the frame of the reset, it counts the silence
/// from the fade.
void SoundOracle::fade_device(const DeviceFade& fade) {
    std::uint64_t begin = frame_;
    if (fade.gain > 0.0) begin = std::max(silent_until_, fade.after_reset ? frame_ + silent_frames_ : frame_);
    device_gain_.withdraw(frame_);
    device_gain_.move_to(fade.gain, begin, begin == 0 ? 0 : fade.frames);
}

void SoundOracle::retarget(const AudioThreadKey& key, const Target& target) const {
    const std::uint32_t ramp_frames = frame_ == 0 ? 0 : target.ramp_frames;
    target.node->instance->retarget(key, target.parameter, target.value, frame_, ramp_frames);
    if (target.node->bounds != nullptr)
        target.node->bounds->retarget(key, target.parameter, target.value, frame_, ramp_frames);
}

void SoundOracle::adopt(std::shared_ptr<Plan> plan) {
    if (plan->resets) {
        silent_frames_ = latency_of(*plan);
        silent_until_ = frame_ + silent_frames_;
        reset_sent_ = false;
    }
    if (plan_ != nullptr && frame_ != 0 && !plan->resets) check_what_leaves(*plan_, *plan);
    plan_ = std::move(plan);
}

/// Returns how long the device is silent until all look-ahead has filled. If a node remembers its input, the signals of
/// all sources fade in first.
std::uint64_t SoundOracle::latency_of(const Plan& plan) {
    std::vector<std::uint64_t> latencies(plan.nodes.size());
    std::uint64_t longest = 0;
    const bool fades = std::ranges::any_of(plan.nodes, [](const PlannedNode& node) { return node.node->remembers(); });
    const std::uint64_t fade_frames = fades ? plan.gain_fade_frames : 0;
    for (const std::uint32_t index : plan.order) {
        const PlannedNode& planned = plan.nodes[index];
        for (const std::size_t input : planned.inputs | std::views::join) {
            const PlannedConnection& from = plan.connections[input];
            const std::uint64_t fade = plan.nodes[from.from_node].node->is_source() ? fade_frames : 0;
            latencies[index] =
                std::max(latencies[index], latencies[from.from_node] + fade + from.connection->delay_frames);
        }
        latencies[index] += planned.node->instance->latency_frames();
        if (planned.node->is_sink()) longest = std::max(longest, latencies[index]);
    }
    return longest;
}

/// A signal may leave the plan when its presence is 0, or with the node that receives it.
void SoundOracle::check_what_leaves(const Plan& before, const Plan& after) {
    std::set<const Connection*> connections;
    std::set<const Node*> nodes;
    for (const PlannedConnection& planned : after.connections) connections.insert(planned.connection.get());
    for (const PlannedNode& planned : after.nodes) nodes.insert(planned.node.get());
    const double progress = progress_.at(frame_);
    for (const PlannedNode& planned : before.nodes) {
        const Node& node = *planned.node;
        const std::string& name = node.instance->description().name;
        if (!nodes.contains(&node)) {
            if (node.is_sink() && node.presence.at(progress) > kTolerance)
                fail("output " + name + " leaves without a fade");
            continue;
        }
        for (const std::size_t input : planned.inputs | std::views::join) {
            const Connection& connection = *before.connections[input].connection;
            if (!connections.contains(&connection) && connection.presence.at(progress) > kTolerance)
                fail("an input of " + name + " leaves without a fade");
        }
    }
}

/// Starts the round of the plan, unless it runs already, and what else starts with the plan.
void SoundOracle::start(Plan& plan) {
    const double progress = progress_.at(frame_);
    const bool new_round = plan.round != round_;
    if (new_round) {
        round_ = plan.round;
        progress_ = LinearMotion{0.0};
        progress_.move_to(1.0, frame_, frame_ == 0 ? 0 : plan.round_frames);
    }
    for (PlannedNode& planned : plan.nodes) {
        if (planned.node->is_sink())
            static_cast<void>(move(planned.node->presence, planned.present, progress, new_round));
    }
    for (PlannedConnection& planned : plan.connections) start_connection(plan, planned, progress, new_round);
    plan.started = true;
}

void SoundOracle::start_connection(const Plan& plan, PlannedConnection& planned, double progress, bool new_round) {
    if (planned.glide != nullptr) {
        const CompileRequest::Glide& to = planned.glide_target;
        planned.glide->move_to(to.frames, frame_, frame_ == 0 ? 0 : to.length_frames, to.order);
    }
    if (!planned.plays) return;
    Connection& connection = *planned.connection;
    const bool was_absent = move(connection.presence, planned.present, progress, new_round);
    if (connection.gain.target() == planned.gain) return;
    connection.gain.move_to(planned.gain, frame_ + planned.gain_wait_frames,
                            was_absent ? 0 : std::max(plan.gain_fade_frames, planned.gain_fade_frames));
}

/// Returns whether the signal was absent until now.
bool SoundOracle::move(Presence& presence, bool present, double progress, bool new_round) {
    const double target = present ? 1.0 : 0.0;
    if (!new_round) {
        if (presence.to != target) fail("a presence changes within a round");
        return false;
    }
    const double now = presence.at(progress);
    presence = {frame_ == 0 ? target : now, target};
    return now == 0.0 || frame_ == 0;
}

// ---------------------------------------------------------------------------------------------------------------------
// Rendering

void SoundOracle::render(std::uint64_t serial, const AudioReadView& device_inputs) {
    const auto claim = gate_.try_claim(generation_);
    while (!commands_.empty() && commands_.front().first <= serial) {
        apply(claim.key(), commands_.front().second);
        commands_.pop_front();
    }
    for (std::vector<double>& channel : outputs_) std::ranges::fill(channel, 0.0);
    if (plan_ != nullptr) {
        if (!plan_->started) start(*plan_);
        for (const std::uint32_t index : plan_->order) run(claim.key(), *plan_, plan_->nodes[index], device_inputs);
        for (const PlannedConnection& planned : plan_->connections) {
            if (!planned.plays) delay(*plan_, planned);
        }
    }
    for (std::vector<double>& channel : outputs_) {
        for (std::uint32_t i = 0; i < config_.block_size; ++i) channel[i] *= device_gain_.at(frame_ + i);
    }
    frame_ += config_.block_size;
}

void SoundOracle::run(const AudioThreadKey& key, const Plan& plan, const PlannedNode& planned,
                      const AudioReadView& device_inputs) {
    Node& node = *planned.node;
    for (std::uint32_t port = 0; port < node.inputs.size(); ++port) mix(plan, planned, port);
    if (node.bounds != nullptr) {
        const auto error = static_cast<float>(kLevelTolerance * std::max(1.0, peak_));
        if (!node.bounds->agree(key, node.input_views[0], frame_, error)) undecided_ = true;
    }
    device_.clear();
    ProcessContext context;
    context.inputs = node.input_views;
    context.outputs = node.output_views;
    context.frame = frame_;
    context.frame_count = config_.block_size;
    context.device = {device_inputs, device_.write()};
    scratch_.resize(std::max(scratch_.size(), node.instance->scratch_frames(config_.block_size)));
    node.instance->run(key, *node.instance->processor(), context, Crossfade{}, scratch_);
    if (!node.is_sink()) return;
    for (std::uint32_t channel = 0; channel < outputs_.size(); ++channel) {
        const std::span<const float> sent = device_.read().channel(channel);
        for (std::uint32_t i = 0; i < config_.block_size; ++i)
            outputs_[channel][i] += node.presence.at(progress_.at(frame_ + i)) * static_cast<double>(sent[i]);
    }
}

void SoundOracle::mix(const Plan& plan, const PlannedNode& planned, std::uint32_t port) {
    const std::vector<std::size_t>& inputs = planned.inputs[port];
    for (const std::size_t input : inputs) {
        delay(plan, plan.connections[input]);
        weigh(*plan.connections[input].connection);
    }
    check_convexity(plan, inputs);
    const AudioWriteView destination = planned.node->inputs[port].write();
    for (std::uint32_t channel = 0; channel < destination.channel_count(); ++channel) {
        std::ranges::fill(mixed_, 0.0);
        std::ranges::fill(scales_, 0.0);
        for (const std::size_t input : inputs) {
            const PlannedConnection& from = plan.connections[input];
            const AudioReadView source = from.is_delayed()
                                             ? from.connection->signal.read()
                                             : plan.nodes[from.from_node].node->outputs[from.from_port].read();
            // A mono signal feeds all channels.
            const std::span<const float> samples = source.channel(source.channel_count() == 1 ? 0 : channel);
            for (std::uint32_t i = 0; i < config_.block_size; ++i) {
                const double weighted = from.connection->weights[i] * static_cast<double>(samples[i]);
                mixed_[i] += weighted;
                scales_[i] += std::abs(weighted);
            }
        }
        std::ranges::transform(mixed_, destination.channel(channel).begin(),
                               [](double sample) { return static_cast<float>(sample); });
        peak_ = std::max(peak_, std::ranges::max(scales_));
    }
}

void SoundOracle::delay(const Plan& plan, const PlannedConnection& planned) const {
    Connection& connection = *planned.connection;
    if (!planned.is_delayed()) return;
    const AudioReadView source = plan.nodes[planned.from_node].node->outputs[planned.from_port].read();
    if (planned.glide != nullptr) planned.glide->start_block(frame_);
    for (std::uint32_t channel = 0; channel < source.channel_count(); ++channel) {
        const std::span<const float> in = source.channel(channel);
        const std::span<float> out = connection.signal.write().channel(channel);
        std::vector<float>& line = connection.delay_line[channel];
        line.insert(line.end(), in.begin(), in.end());
        std::copy_n(line.begin(), out.size(), out.begin());
        line.erase(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(out.size()));
        if (planned.glide != nullptr) planned.glide->process(channel, out, out);
    }
    if (planned.glide != nullptr) planned.glide->advance();
}

/// Computes gain x presence for each frame of the block.
void SoundOracle::weigh(Connection& connection) const {
    if (progress_.rests_from(frame_) && connection.gain.rests_from(frame_)) {
        std::ranges::fill(connection.weights, connection.presence.to * connection.gain.target());
        return;
    }
    for (std::uint32_t i = 0; i < config_.block_size; ++i) {
        const std::uint64_t frame = frame_ + i;
        connection.weights[i] = connection.presence.at(progress_.at(frame)) * connection.gain.at(frame);
    }
}

/// The sum of all gains at a port stays between what it is before and after the round.
void SoundOracle::check_convexity(const Plan& plan, std::span<const std::size_t> inputs) {
    if (progress_.rests_from(frame_)) return;
    for (const std::uint32_t i : {std::uint32_t{0}, config_.block_size - 1}) {
        double before = 0.0;
        double now = 0.0;
        double after = 0.0;
        for (const std::size_t input : inputs) {
            const Connection& connection = *plan.connections[input].connection;
            const double gain = connection.gain.at(frame_ + i);
            before += connection.presence.from * gain;
            now += connection.weights[i];
            after += connection.presence.to * gain;
        }
        if (now < std::min(before, after) - kTolerance || now > std::max(before, after) + kTolerance)
            fail("the sum of gains at a port leaves the range from " + std::to_string(before) + " to " +
                 std::to_string(after));
    }
}

}  // namespace rta::test
