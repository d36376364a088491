// SPDX-License-Identifier: MIT
#pragma once

#include <complex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/audio_graph.h"

namespace rta {

/// What becomes of sines that enter a node at its first input, each at one of the frequencies asked for.
struct FrequencyResponse {
    std::string port;                          ///< where they come out
    std::vector<std::complex<double>> values;  ///< gain and phase
};

/// One response for each output of `node`, with the parameters and settings of now. What a node's look-ahead adds to
/// the phase is left out, as compensation leaves it out. A node that is bypassed passes everything.
///
/// Errors: NOT_FOUND, FAILED_PRECONDITION for a type that has no response, INVALID_ARGUMENT for a frequency that is not
/// between 0 and half the sample rate. [control]
[[nodiscard]] Expected<std::vector<FrequencyResponse>> frequency_response(const AudioGraph& graph,
                                                                          const NodeRegistry& registry,
                                                                          std::string_view node,
                                                                          std::span<const float> frequencies_hz,
                                                                          double sample_rate_hz);

}  // namespace rta
