// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <vector>

namespace rta::api {

/// Relates the costs of a graph, measured node by node on a worker, to the load of the audio thread: load = constant +
/// factor * costs, all as shares of the time available. The constant is what a block takes without nodes. The factor
/// includes what differs on the audio thread: caches, clock frequency, interruptions. Both are fitted to the latest graphs
/// that have run.
class LoadModel {
 public:
    /// `constant` is assumed until loads have been measured.
    explicit LoadModel(double constant) : assumed_constant_{constant}, constant_{constant} {}

    /// Adds the load measured while a graph with these costs ran. The same costs again update their measurement.
    void observe(double costs, double load);
    [[nodiscard]] double predict(double costs) const { return constant_ + factor_ * costs; }
    [[nodiscard]] double constant() const { return constant_; }
    [[nodiscard]] double factor() const { return factor_; }

    static constexpr std::size_t kMaximumObservations = 8;

 private:
    struct Observation {
        double costs;
        double load;
    };
    void fit();

    double assumed_constant_;
    double constant_;
    double factor_ = 1.0;
    std::vector<Observation> observations_{};  ///< the oldest first
};

}  // namespace rta::api
