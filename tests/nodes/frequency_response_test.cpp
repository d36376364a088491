// SPDX-License-Identifier: MIT
// Compares the frequency response that a type reports with the spectrum of the impulse response of its processor.
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <numbers>
#include <random>

#include "graph/frequency_response.h"
#include "plan/signal_path.h"
#include "support/graph_builder.h"
#include "support/node_bench.h"

namespace rta::test::frequency_response_test {
namespace {

constexpr double kRate = 48'000.0;

/// Returns a random valid value of the setting; few channels.
Settings random_settings(const NodeType& type, std::mt19937& random) {
    Settings settings;
    for (const SettingSpec& spec : type.settings) {
        if (spec.name == "channels") continue;
        if (!spec.choices.empty()) {
            const auto last = static_cast<int>(spec.choices.size()) - 1;
            const std::string chosen{
                spec.choices[static_cast<std::size_t>(std::uniform_int_distribution{0, last}(random))]};
            SettingValue& value = settings[numbered(spec.name, 1)];
            if (spec.kind == SettingSpec::Kind::integer)
                value = std::stod(chosen);
            else
                value = chosen;
        } else if (spec.kind == SettingSpec::Kind::integer) {
            const auto highest = static_cast<int>(std::min(spec.maximum, 8.0));
            const int value = std::uniform_int_distribution{static_cast<int>(spec.minimum), highest}(random);
            settings[std::string{spec.name}] = static_cast<double>(value);
        }
    }
    return settings;
}

/// Limits the impulse response to the length of the spectrum.
float random_value(const ParameterSpec& spec, std::mt19937& random) {
    const auto between = [&](float low, float high) { return std::uniform_real_distribution{low, high}(random); };
    if (spec.name == "bypass") return 0.0F;
    if (spec.name == "feedback") return between(-0.7F, 0.7F);
    if (spec.unit == Unit::none && spec.minimum < 0.0F) return between(-0.4F, 0.4F);  // stable coefficients
    if (spec.unit == Unit::hertz)
        return std::exp2(
            between(std::log2(std::max(spec.minimum, 60.0F)), std::log2(std::min(spec.maximum, 16'000.0F))));
    if (spec.unit == Unit::decibel) return between(std::max(spec.minimum, -30.0F), std::min(spec.maximum, 18.0F));
    if (spec.law == RampLaw::on_off) return static_cast<float>(std::uniform_int_distribution{0, 1}(random));
    return between(std::max(spec.minimum, 0.3F), std::min(spec.maximum, 6.0F));
}

std::complex<double> spectrum_at(std::span<const float> samples, double frequency_hz) {
    std::complex<double> sum = 0.0;
    const double step = -2.0 * std::numbers::pi * frequency_hz / kRate;
    for (std::size_t i = 0; i < samples.size(); ++i)
        sum += static_cast<double>(samples[i]) * std::polar(1.0, step * static_cast<double>(i));
    return sum;
}

TEST(FrequencyResponse, IsWhatTheProcessorDoes) {
    constexpr std::array kFrequencies{60.0F, 250.0F, 999.0F, 3'000.0F, 9'000.0F, 19'000.0F};
    std::mt19937 random{11};
    int types = 0;
    for (const NodeType* type : builtin_nodes().types()) {
        if (type->response == nullptr || !type->counts_as.empty()) continue;
        ++types;
        for (int round = 0; round < 12; ++round) {
            const Settings settings = random_settings(*type, random);
            NodeBench::Options options;
            const NodeLayout layout = NodeBench{*type, settings}.layout();
            float highest_crossing = 0.0F;
            for (const ParameterSpec& spec : layout.parameters) {
                float value = random_value(spec, random);
                // Crossover frequencies of a node should be in ascending order.
                if (std::string_view{type->name} == "crossover" && spec.unit == Unit::hertz)
                    value = highest_crossing = std::max(value, highest_crossing);
                options.parameters.emplace(spec.name, value);
            }
            options.signal = [](std::uint32_t port, std::uint32_t, std::uint64_t frame) {
                return port == 0 && frame == 0 ? 1.0F : 0.0F;
            };
            NodeBench bench{*type, settings, options};
            const NodeBench::Recording impulse_responses = bench.render(48'000);

            GraphBuilder builder;
            builder.add(type->name, "node", settings, options.parameters);
            const auto told = frequency_response(builder.graph, builtin_nodes(), "node", kFrequencies, kRate);
            ASSERT_TRUE(told) << told.error().sentence;
            ASSERT_EQ(told->size(), impulse_responses.size());
            for (std::size_t port = 0; port < told->size(); ++port) {
                EXPECT_EQ((*told)[port].port, layout.outputs[port].name);
                for (std::size_t i = 0; i < kFrequencies.size(); ++i) {
                    const auto measured = spectrum_at(impulse_responses[port], static_cast<double>(kFrequencies[i]));
                    const auto expected = (*told)[port].values[i];
                    EXPECT_LT(std::abs(measured - expected), 1e-3 * std::max(std::abs(expected), 0.1))
                        << type->name << " round " << round << ", " << (*told)[port].port << " at " << kFrequencies[i]
                        << " Hz: " << measured << " " << expected;
                }
            }
        }
    }
    EXPECT_GE(types, 6) << "filters, equalizers, crossovers, DC blockers, gains, delays";
}

/// Parameters with which a type that is not linear does nothing but what it counts as.
std::map<std::string, float, std::less<>> at_rest(std::string_view type) {
    if (type == "compressor") return {{"ratio", 1.0F}, {"makeup_db", 5.0F}};
    if (type == "gate") return {{"range_db", 0.0F}};
    if (type == "reverb") return {{"mix", 0.0F}};
    return {};
}

/// Returns settings with several inputs, outputs and channels, and a side chain.
Settings wide_settings(const NodeType& type) {
    Settings settings;
    for (const SettingSpec& spec : type.settings) {
        const bool counts_ports = spec.name == "channels" || spec.name == "inputs" || spec.name == "outputs";
        if (counts_ports) settings[std::string{spec.name}] = 2.0;
        if (spec.name == "side_chain") settings["side_chain"] = true;
    }
    return settings;
}

/// Renders an impulse at one channel of one input. Returns the recording of all channels of all outputs.
NodeBench::Recording render_impulse(const NodeType& type, const Settings& settings,
                                    std::map<std::string, float, std::less<>> parameters, PortChannel input) {
    NodeBench::Options options;
    options.parameters = std::move(parameters);
    options.signal = [input](std::uint32_t port, std::uint32_t channel, std::uint64_t frame) {
        return PortChannel{port, channel} == input && frame == 0 ? 0.01F : 0.0F;
    };
    NodeBench::Recording recording = NodeBench{type, settings, options}.render(9'600);
    for (std::vector<float>& channel : recording) {
        for (float& sample : channel) sample *= 100.0F;
    }
    return recording;
}

/// Compares the paths from one input to all outputs with the impulse response, within 0.01 dB and 0.1 degrees.
void expect_paths(const AudioGraph& graph, std::uint32_t latency_frames, PortChannel input,
                  const NodeBench::Recording& recorded) {
    constexpr std::array kFrequencies{60.0, 700.0, 3'000.0, 12'000.0};
    const NodeLayout& layout = graph.nodes()[0]->description->layout;
    const std::array latencies{latency_frames};
    const std::string from = "node:" + layout.inputs[input.port].name;
    std::size_t first = 0;
    for (const NodeLayout::Port& output : layout.outputs) {
        for (std::uint32_t channel = 0; channel < output.width; ++channel) {
            const std::string to = "node:" + output.name;
            const auto path =
                SignalPath::find(graph, latencies,
                                 {.from = from, .to = to, .from_channel = input.channel + 1, .to_channel = channel + 1},
                                 [] { return true; });
            ASSERT_TRUE(path) << path.error().sentence;
            const auto response = path->response(kFrequencies, kRate, [] { return true; });
            for (std::size_t i = 0; i < kFrequencies.size(); ++i) {
                const auto measured = spectrum_at(recorded[first + channel], kFrequencies[i]);
                const std::complex<double> computed = response->front().values[i];
                EXPECT_LT(std::abs(measured - computed), 1e-3 * std::max(std::abs(measured), 1e-3))
                    << graph.nodes()[0]->description->type->name << " " << from << " " << input.channel << " to " << to
                    << " " << channel << " at " << kFrequencies[i] << " Hz: " << measured << " " << computed;
            }
        }
        first += output.width;
    }
}

TEST(FrequencyResponse, EveryInputChannelOfEveryTypeContributesToAPathWhatItDoesToEveryOutputChannel) {
    std::mt19937 random{12};
    for (const NodeType* type : builtin_nodes().types()) {
        if (type->inputs.empty() || type->outputs.empty()) continue;
        const Settings settings = wide_settings(*type);
        for (const bool bypassed : {false, true}) {
            std::map<std::string, float, std::less<>> parameters = at_rest(type->name);
            const NodeLayout layout = NodeBench{*type, settings}.layout();
            for (const ParameterSpec& spec : layout.parameters) {
                const bool is_level = spec.law == RampLaw::amplitude && type->counts_as.empty();
                if (is_level || spec.name == "position")
                    parameters[std::string{spec.name}] = random_value(spec, random) / 30.0F;
                if (spec.name == "bypass" && bypassed) parameters["bypass"] = 1.0F;
            }
            GraphBuilder builder;
            builder.add(type->name, "node", settings, parameters);
            const auto processor = type->create({kRate, 64, builder.graph.nodes()[0]->description->settings});
            ASSERT_TRUE(processor);
            for (std::uint32_t port = 0; port < layout.inputs.size(); ++port) {
                for (std::uint32_t channel = 0; channel < layout.inputs[port].width; ++channel) {
                    const PortChannel input{port, channel};
                    expect_paths(builder.graph, (*processor)->latency_frames(), input,
                                 render_impulse(*type, settings, parameters, input));
                }
            }
        }
    }
}

}  // namespace
}  // namespace rta::test::frequency_response_test
