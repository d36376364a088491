// SPDX-License-Identifier: MIT
#include "model/sound.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <set>
#include <span>
#include <utility>

namespace rta::test::model {
namespace {

/// An edit may wait for the round before it, and for signals that fill; its ramps follow.
constexpr std::size_t kBlocksOfAnEdit = 400;
/// Of a ramp, per frame and in units of its range: 10 ms, the shortest that the tests ask for.
constexpr double kSlope = 1.0 / 480.0;
/// Rounding, and glides of compensated signals.
constexpr double kTolerance = 1.3;
constexpr double kFloor = 1e-4;
constexpr double kUnbounded = 1e9;

double factor(float db) { return db <= -120.0F ? 0.0 : std::pow(10.0, static_cast<double>(db) / 20.0); }

/// The largest magnitude of a signal, and of its change in one frame.
struct Bound {
    double level = 0.0;
    double step = 0.0;

    void add(const Bound& other) {
        level += other.level;
        step += other.step;
    }
    /// Returns the bound after a gain of up to `gain`, `ramps` of which may run at the same time.
    [[nodiscard]] Bound through(double gain, double ramps) const {
        return {gain * level, gain * step + ramps * kSlope * gain * level};
    }
};

/// All that has sounded during some changes.
class Union {
 public:
    explicit Union(std::span<const State> states, double sample_rate_hz) : sample_rate_hz_{sample_rate_hz} {
        const Graph* last = nullptr;
        for (const State& state : states) {
            volume_ = std::max(volume_, factor(state.volume_db));
            if (state.graph.get() == last) continue;
            last = state.graph.get();
            for (const auto& [identity, node] : last->nodes) add(identity, node);
            for (const auto& [ends, gain_db] : last->connections) {
                double& gain = connections_[{ends.second.node, ends.second.port}][ends.first.node];
                gain = std::max(gain, factor(gain_db));
            }
        }
    }

    /// Returns nothing if the connections form a loop.
    [[nodiscard]] std::optional<Bound> output(int channel) {
        Bound sum;
        for (const auto& [identity, node] : nodes_) {
            if (!node.channels.contains(channel)) continue;
            const auto bound = at(identity);
            if (!bound) return std::nullopt;
            sum.add(*bound);
        }
        return sum.through(volume_, 2);
    }

 private:
    /// The largest values of a node.
    struct Largest {
        Bound source{};
        double gain = 0.0;   ///< of all inputs, or of those without their own
        double ramps = 0.0;  ///< that may run at the same time
        std::map<std::string, double> port_gains{};
        std::set<int> channels{};  ///< of the device
    };

    void add(Identity identity, const Node& node) {
        Largest& all = nodes_[identity];
        const auto value = [&](const std::string& name) { return node.parameters.at(name); };
        const auto raise = [](double& known, double other) { known = std::max(known, other); };
        if (node.type == "sine") {
            raise(all.source.level, factor(value("gain_db")));
            const double turn = 2.0 * std::numbers::pi * static_cast<double>(value("frequency_hz")) / sample_rate_hz_;
            raise(all.source.step, all.source.level * (turn + 2.0 * kSlope));
        } else if (node.type == "constant") {
            raise(all.source.level, std::abs(static_cast<double>(value("value"))));
            raise(all.source.step, 2.0 * kSlope * all.source.level);
        } else if (node.type == "gain") {
            raise(all.gain, factor(value("gain_db")));
            all.ramps = 6.0;
        } else if (node.type == "mixer") {
            for (const auto& [name, db] : node.parameters) {
                if (name.starts_with("gain_"))
                    raise(all.port_gains["in_" + name.substr(5, name.size() - 8)], factor(db));
            }
            all.ramps = 2.0;
        } else if (node.type == "delay_line") {
            raise(all.gain, 1.0 + 1.0 / (1.0 - std::abs(static_cast<double>(value("feedback")))));
            all.ramps = 6.0;
        } else if (node.type == "limiter") {
            raise(all.gain, 1.0);
            all.ramps = 3.0;
        } else if (node.type == "biquad") {
            const double poles = std::abs(value("a1")) + std::abs(value("a2"));
            raise(all.gain, poles < 0.9 ? 1.0 / (1.0 - poles) : kUnbounded);
            all.ramps = 4.0;
        } else if (node.type == "output") {
            raise(all.gain, factor(value("gain_db")));
            all.ramps = 3.0;
            const auto settings = resolved(node.type, node.settings);
            for (int i = 0; i < static_cast<int>(settings.at("channels")); ++i)
                all.channels.insert(static_cast<int>(settings.at("first_channel")) - 1 + i);
        }
        const auto bypass = node.parameters.find("bypass");
        if (bypass != node.parameters.end() && bypass->second != 0.0F) raise(all.gain, 1.0);
    }

    [[nodiscard]] std::optional<Bound> at(Identity identity) {
        const auto known = bounds_.find(identity);
        if (known != bounds_.end()) return known->second;
        if (!entered_.insert(identity).second) return std::nullopt;  // a loop
        const Largest& node = nodes_.at(identity);
        Bound bound = node.source;
        for (auto port = connections_.lower_bound({identity, ""});
             port != connections_.end() && port->first.first == identity; ++port) {
            const auto own = node.port_gains.find(port->first.second);
            const double gain = own == node.port_gains.end() ? node.gain : own->second;
            for (const auto& [source, connection_gain] : port->second) {
                const auto from = at(source);
                if (!from) return std::nullopt;
                bound.add(from->through(connection_gain, 2).through(gain, node.ramps));
            }
        }
        bounds_[identity] = bound;
        return bound;
    }

    double sample_rate_hz_;
    double volume_ = 0.0;
    std::map<Identity, Largest> nodes_;
    std::map<std::pair<Identity, std::string>, std::map<Identity, double>> connections_;  ///< by destination, source
    std::map<Identity, Bound> bounds_;
    std::set<Identity> entered_;
};

}  // namespace

std::optional<std::string> find_step(const Sound& sound, const std::vector<State>& states) {
    constexpr double kWorthABound = 1e-3;
    for (std::size_t c = 0; c < sound.channels.size(); ++c) {
        const std::vector<float>& samples = sound.channels[c];
        for (std::size_t block = 0; block < sound.numbers.size(); ++block) {
            const std::size_t first = std::max<std::size_t>(block * sound.block_frames, 1);
            Bound found;
            std::size_t frame = first;
            for (std::size_t i = first; i < (block + 1) * sound.block_frames; ++i) {
                const double step = std::abs(static_cast<double>(samples[i]) - static_cast<double>(samples[i - 1]));
                if (step > found.step) frame = i;
                found.step = std::max(found.step, step);
            }
            if (found.step < kWorthABound) continue;
            const std::uint64_t from = block > kBlocksOfAnEdit ? sound.numbers[block - kBlocksOfAnEdit] : 0;
            const std::uint64_t to = sound.numbers[block];
            Union all{std::span{states}.subspan(from, to - from + 1), sound.sample_rate_hz};
            const auto bound = all.output(static_cast<int>(c));
            if (!bound || found.step <= kTolerance * bound->step + kFloor) continue;
            return "channel " + std::to_string(c + 1) + " has a step of " + std::to_string(found.step) + " at frame " +
                   std::to_string(frame) + ", after change " + std::to_string(to) + ": the ramps allow " +
                   std::to_string(bound->step) + " of a level of " + std::to_string(bound->level);
        }
    }
    return std::nullopt;
}

}  // namespace rta::test::model
