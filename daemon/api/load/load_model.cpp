// SPDX-License-Identifier: MIT
#include "api/load/load_model.h"

#include <algorithm>
#include <cmath>

namespace rta::api {
namespace {

// Weights of the assumptions, compared with one observation: the constant differs more between machines.
constexpr double kConstantWeight = 0.01;
constexpr double kFactorWeight = 0.1;
/// Errors count in proportion to the load, but those of smaller loads as if they had this one.
constexpr double kLeastLoad = 0.002;
// Beyond these, the cause is not the graph.
constexpr double kLeastFactor = 0.5;
constexpr double kMostFactor = 4.0;
constexpr double kMostConstant = 0.5;

}  // namespace

void LoadModel::observe(double costs, double load) {
    const auto same = std::ranges::find_if(observations_, [&](const Observation& known) {
        return std::abs(known.costs - costs) <= 0.001 * std::max(known.costs, costs);
    });
    if (same != observations_.end()) {
        load = (load + same->load) / 2.0;
        observations_.erase(same);
    } else if (observations_.size() == kMaximumObservations) {
        observations_.erase(observations_.begin());
    }
    observations_.push_back({costs, load});
    fit();
}

/// Least squares of the relative errors. The assumptions count as further observations, so that one graph alone, or
/// several with the same costs, have a solution.
void LoadModel::fit() {
    double ones = kConstantWeight / (assumed_constant_ * assumed_constant_);
    double mixed = 0.0;
    double squares = kFactorWeight;
    double right_constant = kConstantWeight / assumed_constant_;
    double right_factor = kFactorWeight;
    for (const Observation& seen : observations_) {
        const double load = std::max(seen.load, kLeastLoad);
        const double weight = 1.0 / (load * load);
        ones += weight;
        mixed += weight * seen.costs;
        squares += weight * seen.costs * seen.costs;
        right_constant += weight * seen.load;
        right_factor += weight * seen.costs * seen.load;
    }
    const double determinant = ones * squares - mixed * mixed;  // positive, because of the assumptions
    factor_ = std::clamp((ones * right_factor - mixed * right_constant) / determinant, kLeastFactor, kMostFactor);
    constant_ = std::clamp((right_constant - mixed * factor_) / ones, 0.0, kMostConstant);
}

}  // namespace rta::api
