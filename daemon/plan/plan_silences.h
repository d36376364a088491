// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "plan/compiler.h"
#include "plan/silence.h"

namespace rta {

/// How long the parts of a plan stay silent. Vectors are empty if nothing in the plan delays its signal.
struct PlanSilences {
    std::vector<Silence> outputs;   ///< at the outputs of each node, in the order of the request
    std::vector<Silence> arrivals;  ///< at the inputs of each node, in the order of the steps
    Silence fade_wait;              ///< the fades of the plan start after it
};

/// A new signal is silent until the look-ahead and the delays on its path are filled, and the signal that it replaces
/// must not fade out before that. Inaudible connections do not delay fades. `order` lists the nodes, sources first;
/// `first_connection` holds the index of the first connection into each node, with one more entry at the end. Also
/// stores the silence of entering connections in their state. [control]
[[nodiscard]] PlanSilences find_silences(const CompileRequest& request, std::span<const std::uint32_t> order,
                                         std::span<const std::uint32_t> first_connection);

}  // namespace rta
