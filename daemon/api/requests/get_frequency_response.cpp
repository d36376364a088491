// SPDX-License-Identifier: MIT
#include "graph/frequency_response.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <string>
#include <vector>

#include "api/call.h"
#include "api/services.h"

namespace rta::api::requests {
namespace {

/// Returns 961 frequencies from 20 Hz to 20 kHz with equal ratios.
std::vector<float> audible_frequencies(double sample_rate_hz) {
    constexpr int kCount = 961;
    constexpr double kLowest = 20.0;
    const double highest = std::min(20'000.0, 0.45 * sample_rate_hz);
    std::vector<float> frequencies_hz;
    for (int i = 0; i < kCount; ++i) {
        const double share = static_cast<double>(i) / (kCount - 1);
        frequencies_hz.push_back(static_cast<float>(kLowest * std::pow(highest / kLowest, share)));
    }
    return frequencies_hz;
}

void describe_output(const FrequencyResponse& response, v1::PortResponse& message) {
    constexpr double kFloorDb = -300.0;
    message.set_port(response.port);
    for (const std::complex<double>& value : response.values) {
        message.add_magnitude_db(static_cast<float>(std::max(20.0 * std::log10(std::abs(value)), kFloorDb)));
        message.add_phase_deg(static_cast<float>(std::arg(value) * 180.0 / std::numbers::pi));
    }
}

}  // namespace

void get_frequency_response(Call& call) {
    constexpr int kMostFrequencies = 2048;
    const v1::GetFrequencyResponse& wanted = call.request.message.get_frequency_response();
    if (wanted.frequencies_hz_size() > kMostFrequencies) {
        return call.request.refuse(Error{ErrorCode::invalid_argument,
                                         "frequencies_hz has " + std::to_string(wanted.frequencies_hz_size()) +
                                             " elements; at most " + std::to_string(kMostFrequencies) + " are allowed",
                                         {}});
    }
    const Engine& engine = call.services.engine;
    const double sample_rate_hz = engine.config().sample_rate_hz;
    std::vector<float> frequencies_hz{wanted.frequencies_hz().begin(), wanted.frequencies_hz().end()};
    if (frequencies_hz.empty()) frequencies_hz = audible_frequencies(sample_rate_hz);
    const auto responses =
        frequency_response(engine.graph(), engine.registry(), wanted.node(), frequencies_hz, sample_rate_hz);
    if (!responses) return call.request.refuse(responses.error());
    v1::FrequencyResponseResult& result = *call.request.answer().mutable_get_frequency_response();
    result.set_sample_rate_hz(sample_rate_hz);
    result.mutable_frequencies_hz()->Add(frequencies_hz.begin(), frequencies_hz.end());
    for (const FrequencyResponse& response : *responses) describe_output(response, *result.add_outputs());
}

}  // namespace rta::api::requests
