// SPDX-License-Identifier: MIT
#include "engine/node_cost.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "dsp/audio_buffer.h"
#include "dsp/gain.h"
#include "graph/processor.h"
#include "plan/node_instance.h"
#include "rt/denormal_guard.h"
#include "text/quoting.h"
#include "text/sort_range.h"

namespace rta {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kWarmUpBlocks = 16;
constexpr std::size_t kFewestBlocks = 16;
constexpr std::size_t kMostBlocks = 256;
/// From here on, only kFewestBlocks are measured.
constexpr std::chrono::milliseconds kLongest{10};

/// Returns the mean of all but the longest sixteenth: in those, the thread was interrupted.
double typical_ns(std::vector<double>& times) {
    sort_range(times);
    const auto kept = static_cast<std::ptrdiff_t>(times.size() - times.size() / 16);
    return std::accumulate(times.begin(), times.begin() + kept, 0.0) / static_cast<double>(kept);
}

double elapsed_ns(Clock::time_point from, Clock::time_point to) {
    return std::chrono::duration<double, std::nano>(to - from).count();
}

/// Returns the time between two readings of the clock.
double clock_ns() {
    std::vector<double> times;
    for (std::size_t i = 0; i < kMostBlocks; ++i) {
        const Clock::time_point begin = Clock::now();
        times.push_back(elapsed_ns(begin, Clock::now()));
    }
    return typical_ns(times);
}

std::int64_t picoseconds(double ns) { return std::llround(1'000.0 * std::max(ns, 0.0)); }

/// Deterministic white noise at about -25 dBFS.
class Noise {
 public:
    void fill(const AudioWriteView& view) {
        for (std::uint32_t channel = 0; channel < view.channel_count(); ++channel) fill(view.channel(channel));
    }

 private:
    void fill(std::span<float> samples) {
        for (float& sample : samples) {
            state_ = state_ * 1'664'525U + 1'013'904'223U;
            sample = static_cast<float>(static_cast<std::int32_t>(state_)) * (0.1F / 2'147'483'648.0F);
        }
    }

    std::uint32_t state_ = 1;
};

/// Reads more memory than the first-level cache holds.
class CacheSweep {
 public:
    void run() {
        constexpr std::size_t kLine = 64 / sizeof(std::uint64_t);
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < memory_.size(); i += kLine) sum += memory_[i];
        // The next sweep depends on this one, so that a compiler leaves out neither.
        memory_.front() = sum;
    }

 private:
    std::vector<std::uint64_t> memory_ = std::vector<std::uint64_t>(std::size_t{96} << 10U >> 3U, 1);
};

/// The value with which a parameter is measured. At 0 dB and at silence, processors need not multiply.
float measured_value(const ParameterSpec& spec) {
    constexpr float kLevelDb = -1.0F;
    const bool special = spec.default_value == 0.0F || spec.default_value == spec.minimum;
    if (spec.law != RampLaw::amplitude || !special) return processor_value(spec, spec.default_value);
    return processor_value(spec, std::clamp(kLevelDb, spec.minimum, spec.maximum));
}

/// A processor with buffers of its own.
class Bench {
 public:
    Bench(const NodeDescription& node, std::unique_ptr<Processor> processor)
        : processor_{std::move(processor)}, device_{1, node.block_size} {
        const NodeLayout& layout = node.layout;
        const std::size_t own = layout.parameters.size() - (layout.has_bypass ? 1 : 0);
        for (const ParameterSpec& spec : std::span{layout.parameters}.first(own))
            parameters_.push_back({measured_value(spec), nullptr});
        for (const NodeLayout::Port& port : layout.inputs) inputs_.emplace_back(port.width, node.block_size);
        for (const NodeLayout::Port& port : layout.outputs) outputs_.emplace_back(port.width, node.block_size);
        for (const AudioBuffer& input : inputs_) input_views_.push_back(input.read());
        for (AudioBuffer& output : outputs_) output_views_.push_back(output.write());
        const bool in_place = node.type->in_place && !inputs_.empty() && !outputs_.empty() &&
                              inputs_.front().channel_count() == outputs_.front().channel_count();
        if (in_place) output_views_.front() = inputs_.front().write();
        noise_.fill(device_.write());
        device_channels_.fill(device_.write().channel(0).data());
        context_.inputs = input_views_;
        context_.outputs = output_views_;
        context_.parameters = parameters_;
        context_.frame_count = node.block_size;
        constexpr auto kChannels = static_cast<std::uint32_t>(kDeviceChannels);
        context_.device = {.inputs = {device_channels_.data(), kChannels, node.block_size},
                           .outputs = {device_channels_.data(), kChannels, node.block_size}};
        context_.presence = {1.0F, nullptr};
    }

    /// Renders one block, with the inputs and outputs in the cache: other nodes have just used them.
    double block_ns() {
        sweep_.run();
        for (AudioBuffer& output : outputs_) output.clear();
        for (AudioBuffer& input : inputs_) noise_.fill(input.write());
        const Clock::time_point begin = Clock::now();
        processor_->process(context_);
        const double took_ns = elapsed_ns(begin, Clock::now());
        context_.frame += context_.frame_count;
        return took_ns;
    }

 private:
    /// Enough for every node whose first channel is 1. All of them are the same memory.
    static constexpr std::size_t kDeviceChannels = 64;

    std::unique_ptr<Processor> processor_;
    std::vector<ParameterView> parameters_;
    std::vector<AudioBuffer> inputs_;
    std::vector<AudioBuffer> outputs_;
    std::vector<AudioReadView> input_views_;
    std::vector<AudioWriteView> output_views_;
    AudioBuffer device_;
    std::array<float*, kDeviceChannels> device_channels_{};
    ProcessContext context_;
    Noise noise_;
    CacheSweep sweep_;
};

}  // namespace

Expected<std::int64_t> measure_node_ps(const NodeDescription& node) {
    if (node.memory_bytes > kMostMeasuredBytes) {
        return fail(ErrorCode::resource_exhausted, "node " + quoted(node.name) + " takes " +
                                                       std::to_string(node.memory_bytes >> 20U) +
                                                       " MiB of memory; its load is measured only up to " +
                                                       std::to_string(kMostMeasuredBytes >> 20U) + " MiB");
    }
    auto processor = node.type->create({node.sample_rate_hz, node.block_size, node.settings, silent_files()});
    if (!processor) return std::unexpected(std::move(processor.error()));
    const DenormalGuard denormals_are_zero;
    Bench bench{node, std::move(*processor)};
    const Clock::time_point begin = Clock::now();
    for (std::size_t i = 0; i < kWarmUpBlocks; ++i) bench.block_ns();
    std::vector<double> times;
    times.reserve(kMostBlocks);
    while (times.size() < kMostBlocks && (times.size() < kFewestBlocks || Clock::now() - begin < kLongest))
        times.push_back(bench.block_ns());
    return picoseconds(typical_ns(times) - clock_ns());
}

MixCost measure_mixes(std::uint32_t block_size) {
    constexpr std::size_t kFew = 2;
    constexpr std::size_t kMany = 10;
    constexpr int kRepeated = 16;
    const DenormalGuard denormals_are_zero;
    AudioBuffer sources{kMany, block_size};
    AudioBuffer destination{1, block_size};
    Noise{}.fill(sources.write());
    std::array<const float*, kMany> ins{};
    std::array<float, kMany> factors{};
    for (std::uint32_t i = 0; i < kMany; ++i) ins[i] = sources.read().channel(i).data();
    factors.fill(0.5F);
    const auto measure_ns = [&](std::size_t count) {
        std::vector<double> times;
        for (std::size_t i = 0; i < kMostBlocks; ++i) {
            const Clock::time_point begin = Clock::now();
            for (int k = 0; k < kRepeated; ++k)
                dsp::sum_scaled(std::span{ins}.first(count), std::span{factors}.first(count),
                                destination.write().channel(0));
            times.push_back(elapsed_ns(begin, Clock::now()) / kRepeated);
        }
        return typical_ns(times);
    };
    const double few_ns = measure_ns(kFew);
    const double input_ns = std::max(measure_ns(kMany) - few_ns, 0.0) / (kMany - kFew);
    return {.output_ps = picoseconds(few_ns - kFew * input_ns), .input_ps = picoseconds(input_ns)};
}

}  // namespace rta
