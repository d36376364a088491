// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "dsp/audio_buffer.h"
#include "dsp/gliding_delay.h"
#include "engine/config.h"
#include "graph/audio_graph.h"
#include "plan/compiler.h"
#include "plan/node_instance.h"
#include "rt/audio_thread.h"
#include "support/gate_bounds.h"
#include "support/linear_motion.h"

namespace rta::test {

/// Predicts every sample that an engine plays, from the contents of its plans (Engine::watch_plans()) and the frames at
/// which it adopts them (Engine::Observer::applied()).
///
/// The oracle has its own code, in double precision, for what fades and mixes: presences, gains of connections, sums,
/// compensating delays, the gain of the device, and the state in which new nodes and connections start. It uses
/// production code, in separate instances, for processors, parameter ramps and bypass (NodeInstance), and for delays that
/// glide (dsp::GlidingDelay). The inputs and outputs of nodes are rounded to float, as in the engine.
///
/// It does not use what a plan says about gains at rest, and checks that nothing leaves a plan that is still present.
class SoundOracle {
 public:
    SoundOracle(const EngineConfig& config, std::uint32_t channels_out);

    // Commands, in the order in which they are sent.
    void send_plan(std::uint64_t serial, const CompileRequest& contents);
    void send_parameters(std::uint64_t serial, std::span<const ParameterTarget> targets);
    void send_parameter(std::uint64_t serial, AudioGraph::ParameterPlace place, float value, float ramp_ms);
    void send_device_fade(std::uint64_t serial, double gain, float length_ms);
    /// Takes the parameters of the nodes that have entered with a plan. Call it after each call that may send plans.
    void start_new_nodes(const AudioGraph& graph);

    /// Renders the next block, in which all commands up to `serial` take effect.
    void render(std::uint64_t serial, const AudioReadView& device_inputs);
    /// Returns the samples of the last block.
    [[nodiscard]] std::span<const double> output(std::uint32_t channel) const { return outputs_[channel]; }
    [[nodiscard]] std::uint64_t frame() const { return frame_; }
    /// Returns the largest sum of absolute values that any port has received so far.
    [[nodiscard]] double peak() const { return peak_; }
    /// Returns the first rule that the plans have broken.
    [[nodiscard]] const std::optional<std::string>& failure() const { return failure_; }
    /// Returns whether the level of a gate has come so close to a threshold that rounding errors decide whether it
    /// opens. From the last block on, nothing can be predicted.
    [[nodiscard]] bool undecided() const { return undecided_; }

 private:
    /// A presence, which moves with the round.
    struct Presence {
        double from = 0.0;
        double to = 0.0;
        [[nodiscard]] double at(double progress) const { return from + (to - from) * progress; }
    };
    struct Node {
        std::shared_ptr<NodeInstance> instance;
        Presence presence{};  ///< device sinks
        std::vector<AudioBuffer> inputs{};
        std::vector<AudioBuffer> outputs{};
        std::vector<AudioReadView> input_views{};
        std::vector<AudioWriteView> output_views{};
        std::unique_ptr<GateBounds> bounds{};  ///< gates

        [[nodiscard]] bool is_sink() const;
        [[nodiscard]] bool is_source() const { return inputs.empty(); }
        [[nodiscard]] bool remembers() const;
    };
    struct Connection {
        Presence presence{};
        LinearMotion gain{1.0};
        std::uint32_t delay_frames = 0;
        std::vector<std::vector<float>> delay_line{};  ///< of each channel, the last samples before the block
        AudioBuffer signal{};                          ///< delayed
        std::vector<double> weights{};                 ///< gain x presence
        const void* glide_key = nullptr;
        std::shared_ptr<dsp::GlidingDelay> glide{};
        bool has_played = false;
        bool present = false;  ///< in the target of the plan sent last
    };
    using Connections = std::map<const ConnectionState*, std::shared_ptr<Connection>>;  ///< by those of the engine
    struct PlannedConnection {
        std::shared_ptr<Connection> connection;
        std::size_t from_node;
        std::uint32_t from_port;
        bool plays;  ///< false: its delay is filled
        bool present = false;
        double gain = 0.0;
        std::uint32_t gain_fade_frames = 0;
        std::uint32_t gain_wait_frames = 0;
        std::shared_ptr<dsp::GlidingDelay> glide{};
        CompileRequest::Glide glide_target{};

        [[nodiscard]] bool is_delayed() const { return connection->delay_frames != 0 || glide != nullptr; }
    };
    struct PlannedNode {
        std::shared_ptr<Node> node;
        bool present;
        std::vector<std::vector<std::size_t>> inputs;  ///< for each port, indices of connections that play
    };
    struct Target {
        std::shared_ptr<Node> node;
        std::uint32_t parameter;
        float value;
        std::uint32_t ramp_frames;
    };
    struct Plan {
        bool resets = false;  ///< everything in it is new, and nothing fades
        std::uint64_t round = 0;
        std::uint32_t round_frames = 0;
        std::uint32_t gain_fade_frames = 0;
        std::vector<PlannedNode> nodes{};
        std::vector<std::uint32_t> order{};
        std::vector<PlannedConnection> connections{};
        std::vector<Target> targets{};
        bool started = false;
    };
    struct DeviceFade {
        double gain;
        std::uint32_t frames;
        bool after_reset;  ///< sent while a reset was on its way
    };
    using Command = std::variant<std::shared_ptr<Plan>, Target, DeviceFade>;

    [[nodiscard]] std::uint32_t frames_of(float ms) const;
    [[nodiscard]] std::shared_ptr<Node> make_node(const NodeInstance& instance) const;
    void plan_nodes(const CompileRequest& contents, Plan& plan);
    void plan_connections(const CompileRequest& contents, Plan& plan);
    void start_to_play(const PlannedConnection& planned, const Node& from, const Node& to) const;
    [[nodiscard]] std::shared_ptr<Connection> find_connection(const ConnectionState* state, const Node& from,
                                                              std::uint32_t from_port) const;
    void plan_glide(PlannedConnection& planned, const CompileRequest::Glide& glide) const;

    void apply(const AudioThreadKey& key, const Command& command);
    void fade_device(const DeviceFade& fade);
    void retarget(const AudioThreadKey& key, const Target& target) const;
    void adopt(std::shared_ptr<Plan> plan);
    [[nodiscard]] static std::uint64_t latency_of(const Plan& plan);
    void start(Plan& plan);
    void start_connection(const Plan& plan, PlannedConnection& planned, double progress, bool new_round);
    [[nodiscard]] bool move(Presence& presence, bool present, double progress, bool new_round);
    void check_what_leaves(const Plan& before, const Plan& after);
    void run(const AudioThreadKey& key, const Plan& plan, const PlannedNode& planned,
             const AudioReadView& device_inputs);
    void mix(const Plan& plan, const PlannedNode& planned, std::uint32_t port);
    void delay(const Plan& plan, const PlannedConnection& planned) const;
    void weigh(Connection& connection) const;
    void check_convexity(const Plan& plan, std::span<const std::size_t> inputs);
    void fail(const std::string& what);

    EngineConfig config_;
    AudioThreadGate gate_;
    AudioThreadGate::Generation generation_;
    std::uint64_t frame_ = 0;
    std::vector<std::vector<double>> outputs_;
    AudioBuffer device_;          ///< what one sink sends
    std::vector<double> mixed_;   ///< one channel of a port
    std::vector<double> scales_;  ///< the sum of absolute values
    std::vector<float> scratch_;
    double peak_ = 0.0;
    std::optional<std::string> failure_{};
    bool undecided_ = false;

    std::deque<std::pair<std::uint64_t, Command>> commands_{};  ///< by serial
    // Of the plan sent last, by their counterparts in the engine.
    std::map<const NodeInstance*, std::shared_ptr<Node>> nodes_{};
    Connections connections_{};
    std::set<const Node*> entered_{};                                    ///< with the plan sent last
    std::vector<std::pair<NodeId, std::shared_ptr<Node>>> new_nodes_{};  ///< without parameters
    std::uint64_t sent_round_ = 0;
    std::shared_ptr<Plan> plan_{};  ///< adopted
    std::uint64_t round_ = 0;
    LinearMotion progress_{1.0};
    LinearMotion device_gain_{1.0};
    // After a reset the look-ahead fills.
    std::uint64_t silent_frames_ = 0;
    std::uint64_t silent_until_ = 0;
    bool reset_sent_ = false;  ///< and not adopted yet
};

}  // namespace rta::test
