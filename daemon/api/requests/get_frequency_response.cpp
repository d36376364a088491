// SPDX-License-Identifier: MIT
#include "graph/frequency_response.h"

#include <complex>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "api/call.h"
#include "api/services.h"
#include "api/workers.h"
#include "graph/response_values.h"
#include "plan/signal_path.h"

namespace rta::api::requests {
namespace {

void describe_values(std::span<const std::complex<double>> values, v1::PortResponse& message) {
    for (const std::complex<double>& value : values) {
        message.add_magnitude_db(magnitude_db(value));
        message.add_phase_deg(phase_deg(value));
    }
}

void describe_frequencies(double sample_rate_hz, std::span<const float> frequencies_hz,
                          v1::FrequencyResponseResult& result) {
    result.set_sample_rate_hz(sample_rate_hz);
    result.mutable_frequencies_hz()->Add(frequencies_hz.begin(), frequencies_hz.end());
}

Expected<void> check(const v1::GetFrequencyResponse& wanted) {
    return check_response(static_cast<std::size_t>(wanted.frequencies_hz_size()),
                          {.node = !wanted.node().empty(),
                           .from = !wanted.from().empty(),
                           .to = !wanted.to().empty(),
                           .channel = wanted.from_channel() != 0 || wanted.to_channel() != 0});
}

/// Everything that the worker needs, and its result.
struct ResponseJob {
    v1::GetFrequencyResponse wanted;
    SharedGraphSnapshot snapshot;
    const NodeRegistry& registry;
    EngineConfig config;
    CallHandle call;
    std::uint64_t id;  ///< of the request
    Expected<EncodedAnswer> answer{};

    [[nodiscard]] bool is_path() const { return !wanted.from().empty(); }
    [[nodiscard]] std::vector<float> frequencies_hz() const {
        return {wanted.frequencies_hz().begin(), wanted.frequencies_hz().end()};
    }
};

Expected<v1::FrequencyResponseResult> node_response(const ResponseJob& job) {
    const double sample_rate_hz = job.config.sample_rate_hz;
    std::vector<float> frequencies_hz = job.frequencies_hz();
    if (frequencies_hz.empty()) frequencies_hz = audible_frequencies(sample_rate_hz, kAudibleCount);
    const auto responses =
        frequency_response(job.snapshot->graph, job.registry, job.wanted.node(), frequencies_hz, sample_rate_hz);
    if (!responses) return std::unexpected(responses.error());
    v1::FrequencyResponseResult result;
    describe_frequencies(sample_rate_hz, frequencies_hz, result);
    for (const FrequencyResponse& response : *responses) {
        v1::PortResponse& output = *result.add_outputs();
        output.set_port(response.port);
        describe_values(response.values, output);
    }
    return result;
}

/// Returns a function that returns false after kMaximumResponseS of processor time, and when the client has gone.
SignalPath::Continues limit_of(const ResponseJob& job) {
    constexpr double kMaximumResponseS = 2.0;
    double (*const thread_time_s)() = job.config.thread_time_s;
    if (thread_time_s == nullptr) return [&job] { return !job.call.client_has_gone(); };
    return [&job, thread_time_s, end_s = thread_time_s() + kMaximumResponseS] {
        return thread_time_s() < end_s && !job.call.client_has_gone();
    };
}

Expected<v1::FrequencyResponseResult> path_response(const ResponseJob& job) {
    const v1::GetFrequencyResponse& wanted = job.wanted;
    const double sample_rate_hz = job.config.sample_rate_hz;
    std::vector<float> frequencies_hz = job.frequencies_hz();
    if (auto good = check_frequencies(frequencies_hz, sample_rate_hz); !good)
        return std::unexpected(std::move(good.error()));
    const auto continues = limit_of(job);
    const auto path = SignalPath::find(job.snapshot->graph, *job.snapshot->own_latencies,
                                       {.from = wanted.from(),
                                        .to = wanted.to(),
                                        .from_channel = wanted.from_channel() == 0 ? 1 : wanted.from_channel(),
                                        .to_channel = wanted.to_channel() == 0 ? 1 : wanted.to_channel()},
                                       continues);
    if (!path) return std::unexpected(path.error());
    if (frequencies_hz.empty()) frequencies_hz = audible_frequencies(sample_rate_hz, frequency_count(path->cost()));
    const std::vector<double> all_hz{frequencies_hz.begin(), frequencies_hz.end()};
    auto outputs = path->response(all_hz, sample_rate_hz, continues);
    if (!outputs) {
        // The client did not choose the default frequencies.
        const bool chosen = wanted.frequencies_hz_size() != 0;
        outputs.error().sentence +=
            chosen ? "; request fewer frequencies" : "; choose ends that are closer to each other";
        return std::unexpected(std::move(outputs.error()));
    }

    v1::FrequencyResponseResult result;
    describe_frequencies(sample_rate_hz, frequencies_hz, result);
    for (const SignalPath::Output& found : *outputs) {
        v1::PortResponse& output = *result.add_outputs();
        output.set_port(found.port);
        describe_values(found.values, output);
        for (const double delay_s : found.group_delays_s) output.add_group_delay_ms(static_cast<float>(1e3 * delay_s));
    }
    for (const std::string& note : path->notes()) result.add_notes(note);
    return result;
}

}  // namespace

/// A node may be slow to compute, and a graph large: the response is computed on a worker, for a snapshot.
void get_frequency_response(Call& call) {
    const v1::GetFrequencyResponse& wanted = call.request.message.get_frequency_response();
    if (const auto valid = check(wanted); !valid) return call.request.refuse(valid.error());
    Engine& engine = call.services.engine;
    const auto job = std::make_shared<ResponseJob>(ResponseJob{.wanted = wanted,
                                                               .snapshot = call.services.snapshot(),
                                                               .registry = engine.registry(),
                                                               .config = engine.config(),
                                                               .call = call.handle(),
                                                               .id = call.request.message.id()});
    call.request.stage = PendingRequest::Stage::executed;
    call.services.workers.run(
        "computing the frequency response",
        [job] {
            if (job->call.client_has_gone()) return;
            auto result = job->is_path() ? path_response(*job) : node_response(*job);
            if (!result) {
                job->answer = std::unexpected(std::move(result.error()));
                return;
            }
            job->answer = EncodedAnswer::of(
                job->id, [&](v1::Response& response) { response.mutable_get_frequency_response()->Swap(&*result); });
        },
        [job](const Expected<void>& ran) {
            job->call.resume([&](Call& later) {
                if (!ran) return later.request.refuse(ran.error());
                if (!job->answer) return later.request.refuse(job->answer.error());
                later.request.answer(std::move(*job->answer));
            });
        },
        Workers::Lane::responses);
}

}  // namespace rta::api::requests
