// SPDX-License-Identifier: MIT
#pragma once

#include <complex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/audio_graph.h"

namespace rta {

/// Response of one output to sines at the first input of a node, one for each requested frequency.
struct FrequencyResponse {
    std::string port;                          ///< name of the output
    std::vector<std::complex<double>> values;  ///< gain and phase
};

/// Returns one response for each output of `node`, with its current parameters and settings. The phase does not include
/// the look-ahead of the node, which latency compensation removes. A bypassed node has the response 1.
///
/// Errors: NOT_FOUND; FAILED_PRECONDITION if the type has no frequency response; INVALID_ARGUMENT if a frequency is not
/// between 0 and half the sample rate. [control]
[[nodiscard]] Expected<std::vector<FrequencyResponse>> frequency_response(const AudioGraph& graph,
                                                                          const NodeRegistry& registry,
                                                                          std::string_view node,
                                                                          std::span<const float> frequencies_hz,
                                                                          double sample_rate_hz);

/// Checks the frequencies of a request. INVALID_ARGUMENT if one is not between 0 and half the sample rate. [any]
[[nodiscard]] Expected<void> check_frequencies(std::span<const float> frequencies_hz, double sample_rate_hz);

/// Returns whether the parameter `bypass` of the node is on. [any]
[[nodiscard]] bool is_bypassed(const GraphNode& node);

}  // namespace rta
