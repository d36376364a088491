// SPDX-License-Identifier: MIT
// Tests that every node type must pass. A new file in daemon/nodes is tested here without additional code.
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/audio_graph.h"
#include "graph/level_tap.h"
#include "graph/node_type.h"
#include "support/allocation_trap.h"
#include "support/fake_files.h"
#include "support/node_bench.h"

namespace rta::test::conformance_test {
namespace {

using test::AllocationTrap;
using test::FakeFiles;
using test::NodeBench;

constexpr std::uint32_t kDeviceChannels = 4;
constexpr std::uint32_t kRampFrames = 960;

/// A node type with one choice of settings.
struct Variant {
    const NodeType* type;
    Settings settings;
    std::string name;
};

void PrintTo(const Variant& variant, std::ostream* stream) { *stream << variant.name; }

void add_variant(std::vector<Variant>& variants, const NodeType& type, const SettingSpec& spec, SettingValue value,
                 const std::string& label) {
    const std::string setting = numbered(spec.name, 1);
    variants.push_back({&type, {{setting, std::move(value)}}, std::string{type.name} + "_" + setting + "_" + label});
}

/// Choices can change the meaning of other settings, so all pairs of their values are tested.
void add_pairs_of_choices(std::vector<Variant>& variants, const NodeType& type) {
    for (const SettingSpec& first : type.settings) {
        for (const SettingSpec& second : type.settings) {
            if (first.kind != SettingSpec::Kind::choice || second.kind != SettingSpec::Kind::choice) continue;
            if (!(first.name < second.name)) continue;
            for (const std::string_view one : first.choices) {
                for (const std::string_view other : second.choices) {
                    if (one == first.default_text || other == second.default_text) continue;  // already a variant
                    variants.push_back(
                        {&type,
                         {{numbered(first.name, 1), std::string{one}}, {numbered(second.name, 1), std::string{other}}},
                         std::string{type.name} + "_" + std::string{one} + "_" + std::string{other}});
                }
            }
        }
    }
}

/// Returns every type with its defaults, and with each setting at its minimum and maximum.
std::vector<Variant> all_variants() {
    std::vector<Variant> variants;
    for (const NodeType* type : builtin_nodes().types()) {
        variants.push_back({type, {}, std::string{type->name}});
        for (const SettingSpec& spec : type->settings) {
            switch (spec.kind) {
                case SettingSpec::Kind::integer:
                case SettingSpec::Kind::number:
                    add_variant(variants, *type, spec, spec.minimum, "minimum");
                    add_variant(variants, *type, spec, spec.maximum, "maximum");
                    break;
                case SettingSpec::Kind::on_off:
                    add_variant(variants, *type, spec, spec.default_number == 0, "changed");
                    break;
                case SettingSpec::Kind::choice:
                    for (const std::string_view choice : spec.choices) {
                        add_variant(variants, *type, spec, std::string{choice}, std::string{choice});
                    }
                    break;
                case SettingSpec::Kind::text:
                    if (spec.name == "file") add_variant(variants, *type, spec, std::string{"a.wav"}, "given");
                    break;
            }
        }
        add_pairs_of_choices(variants, *type);
    }
    return variants;
}

/// One sample of noise(): a hash of port, channel and frame.
float noise_at(std::uint32_t port, std::uint32_t channel, std::uint64_t frame) {
    std::uint64_t hash = frame * 0x9E37'79B9'7F4A'7C15ULL + port * 1'000'003ULL + channel * 7'919ULL + 1;
    hash ^= hash >> 29U;
    hash *= 0xBF58'476D'1CE4'E5B9ULL;
    hash ^= hash >> 32U;
    return static_cast<float>(static_cast<std::int32_t>(hash & 0xFFFF'FFFFU)) / 0x1p31F;
}

/// Full-scale white noise, equal in every run. Computed samples are cached: some nodes have 128 inputs and run hundreds
/// of times.
void noise(std::uint32_t port, std::uint32_t channel, std::uint64_t first_frame, std::span<float> samples) {
    static std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<float>> all;
    std::vector<float>& kept = all[{port, channel}];
    const std::size_t end = first_frame + samples.size();
    if (kept.size() < end) {
        const std::size_t begin = kept.size();
        kept.resize(std::max<std::size_t>(end, 2 * begin));
        float* const to = kept.data();
        for (std::size_t frame = begin; frame < kept.size(); ++frame) to[frame] = noise_at(port, channel, frame);
    }
    std::memcpy(samples.data(), kept.data() + first_frame, samples.size_bytes());
}

/// Tone of 100 Hz at a quarter of full scale, in which steps are detectable.
float tone(std::uint64_t frame) {
    constexpr std::size_t kPeriod = 480;  // frames at 48 kHz
    static const std::array<float, kPeriod> kTone = [] {
        std::array<float, kPeriod> samples{};
        for (std::size_t n = 0; n < kPeriod; ++n) {
            samples[n] = static_cast<float>(0.25 * std::sin(2.0 * 3.14159265358979 * static_cast<double>(n) / kPeriod));
        }
        return samples;
    }();
    return kTone[frame % kPeriod];
}

/// Returns files of two seconds of tone(), which arrive before they are played. A seek is never followed.
Resources& files() {
    constexpr std::uint32_t kFrames = 96'000;
    static FakeFiles all{[] {
                             std::vector<float> samples(kFrames);
                             for (std::uint32_t n = 0; n < kFrames; ++n) samples[n] = tone(n);
                             return samples;
                         }(),
                         1, kFrames};
    return all;
}

class NodeConformanceTest : public testing::TestWithParam<Variant> {
 protected:
    static NodeBench::Options options() {
        NodeBench::Options options;
        options.device_inputs = kDeviceChannels;
        options.device_outputs = kDeviceChannels;
        options.resources = &files();
        return options;
    }
    static NodeBench bench_with(NodeBench::Options options, const NodeBench::Signal& signal = noise) {
        options.signal = options.device_signal = signal;
        return NodeBench{*GetParam().type, GetParam().settings, options};
    }
    /// Owns the names of the parameters.
    static NodeLayout layout() { return bench_with(options()).layout(); }

    /// Returns whether the type accepts these values together.
    static bool accepts(const std::map<std::string, float, std::less<>>& values) {
        return NodeDescription::make(*GetParam().type, "node", GetParam().settings)
            .value()
            ->parameter_values(values)
            .has_value();
    }

    static void expect_finite(const NodeBench::Recording& recording, const std::string& when) {
        for (std::size_t channel = 0; channel < recording.size(); ++channel) {
            const auto& samples = recording[channel];
            const float* const first = samples.data();
            std::size_t frame = 0;
            while (frame < samples.size() && std::isfinite(first[frame])) ++frame;
            ASSERT_EQ(frame, samples.size())
                << when << ": channel " << channel << ", frame " << frame << ": " << samples[frame];
        }
    }
};

TEST_P(NodeConformanceTest, IsFoundByItsNameAndDescribesItself) {
    const NodeType& type = *GetParam().type;
    EXPECT_EQ(builtin_nodes().find(type.name), &type);
    EXPECT_FALSE(type.help.empty());
    EXPECT_EQ(type.help.back(), '.');
    EXPECT_FALSE(type.inputs.empty() && type.outputs.empty());
    for (const SettingSpec& spec : type.settings) {
        EXPECT_FALSE(spec.help.empty()) << spec.name;
        EXPECT_EQ(spec.help.back(), '.') << spec.name;
    }
    if (type.in_place) {
        const NodeBench bench = bench_with(options());
        ASSERT_FALSE(bench.layout().inputs.empty());
        ASSERT_FALSE(bench.layout().outputs.empty());
        EXPECT_EQ(bench.layout().inputs[0].width, bench.layout().outputs[0].width);
    }
}

TEST_P(NodeConformanceTest, ReportsWhatItSays) {
    const NodeType& type = *GetParam().type;
    const auto processor = type.create({48'000.0, 64, bench_with(options()).settings(), files()});
    ASSERT_TRUE(processor) << processor.error().sentence;
    const LevelTap* const tap = (*processor)->level_tap();
    ASSERT_EQ(tap != nullptr, type.reports != Reports::nothing);
    if (tap == nullptr) return;
    EXPECT_EQ(tap->measures(),
              type.reports == Reports::levels ? LevelTap::Measures::programme : LevelTap::Measures::gain_reduction);
}

TEST_P(NodeConformanceTest, OverwritesEverySampleOfEveryOutput) {
    NodeBench bench = bench_with(options());
    expect_finite(bench.render(4 * 64), "at rest");
    const NodeLayout own = layout();
    for (const ParameterSpec& spec : own.parameters) bench.set(spec.name, spec.maximum, kRampFrames);
    expect_finite(bench.render(2 * kRampFrames), "on ramps");
}

TEST_P(NodeConformanceTest, IsFiniteAtEveryParameterExtreme) {
    for (const double sample_rate_hz : {8'000.0, 48'000.0, 192'000.0}) {
        NodeBench::Options at_rate = options();
        at_rate.sample_rate_hz = sample_rate_hz;
        const NodeLayout own = bench_with(at_rate).layout();  // some maxima follow the rate
        const std::vector<ParameterSpec>& specs = own.parameters;
        const auto check = [&](const std::map<std::string, float, std::less<>>& values, const std::string& what) {
            if (!accepts(values)) return;
            at_rate.parameters = values;
            NodeBench bench = bench_with(at_rate);
            const std::string when = what + " at " + std::to_string(sample_rate_hz) + " Hz";
            expect_finite(bench.render(2'048), when);
            for (const ParameterSpec& spec : specs) bench.set(spec.name, spec.minimum, kRampFrames);
            expect_finite(bench.render(2'048), when + ", then down to the minima");
            for (const ParameterSpec& spec : specs) bench.set(spec.name, spec.maximum, 0);
            expect_finite(bench.render(2'048), when + ", then immediately to the maxima");
        };
        std::map<std::string, float, std::less<>> all_minimum;
        std::map<std::string, float, std::less<>> all_maximum;
        for (const ParameterSpec& spec : specs) {
            all_minimum[std::string{spec.name}] = spec.minimum;
            all_maximum[std::string{spec.name}] = spec.maximum;
            check({{std::string{spec.name}, spec.minimum}}, std::string{spec.name} + " at its minimum");
            check({{std::string{spec.name}, spec.maximum}}, std::string{spec.name} + " at its maximum");
        }
        check(all_minimum, "all at their minima");
        check(all_maximum, "all at their maxima");
    }
}

void append(NodeBench::Recording& recording, const NodeBench::Recording& more) {
    for (std::size_t channel = 0; channel < recording.size(); ++channel) {
        recording[channel].insert(recording[channel].end(), more[channel].begin(), more[channel].end());
    }
}

/// Renders while every parameter moves: from its default towards its maximum, then from half-way to its minimum.
NodeBench::Recording run_with_ramps(NodeBench& bench, const std::vector<ParameterSpec>& specs) {
    NodeBench::Recording recording = bench.render(1'024);
    for (const ParameterSpec& spec : specs) bench.set(spec.name, spec.maximum, 2'000);
    append(recording, bench.render(1'024));
    for (const ParameterSpec& spec : specs) bench.set(spec.name, spec.minimum, 1'500);
    append(recording, bench.render(4'096));
    return recording;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

TEST_P(NodeConformanceTest, SoundsTheSameWhateverTheBlockSize) {
    const NodeLayout own = layout();
    const std::vector<ParameterSpec>& specs = own.parameters;
    NodeBench::Options cut = options();
    cut.block_size = 64;
    NodeBench reference_bench = bench_with(cut, tone);
    const NodeBench::Recording reference = run_with_ramps(reference_bench, specs);
    expect_finite(reference, "blocks of 64");
    for (const std::uint32_t block_size : {16U, 256U, 1'024U}) {
        cut.block_size = block_size;
        NodeBench bench = bench_with(cut, tone);
        const NodeBench::Recording recording = run_with_ramps(bench, specs);
        ASSERT_EQ(recording.size(), reference.size());
        for (std::size_t channel = 0; channel < reference.size(); ++channel) {
            ASSERT_EQ(recording[channel].size(), reference[channel].size());
            if (same_bits(recording[channel], reference[channel])) continue;
            // Of full scale; of the largest sample if that is above.
            double largest = 1.0;
            for (const float sample : reference[channel])
                largest = std::max(largest, std::fabs(static_cast<double>(sample)));
            for (std::size_t frame = 0; frame < reference[channel].size(); ++frame) {
                ASSERT_NEAR(recording[channel][frame], reference[channel][frame], 1e-5 * largest)
                    << "blocks of " << block_size << ", channel " << channel << ", frame " << frame;
            }
        }
    }
}

TEST_P(NodeConformanceTest, NeverAllocatesOnTheAudioThread) {
    NodeBench bench = bench_with(options());
    const auto count_block = [&] {
        bench.render_block();  // fills the inputs
        const auto claim = bench.claim();
        const AllocationTrap trap;
        bench.process(claim.key());
        return trap.count();
    };
    EXPECT_EQ(count_block(), 0U) << "at rest";
    const NodeLayout own = layout();
    for (const ParameterSpec& spec : own.parameters) bench.set(spec.name, spec.maximum, kRampFrames);
    EXPECT_EQ(count_block(), 0U) << "on ramps";
}

TEST_P(NodeConformanceTest, WorksInPlaceIfItSaysSo) {
    if (!GetParam().type->in_place) return;  // in-place processing is not supported and not used by the plan compiler
    const NodeLayout own = layout();
    const std::vector<ParameterSpec>& specs = own.parameters;
    NodeBench::Options elsewhere = options();
    NodeBench::Options in_place = options();
    in_place.in_place = true;
    NodeBench bench_elsewhere = bench_with(elsewhere);
    NodeBench bench_in_place = bench_with(in_place);
    EXPECT_EQ(run_with_ramps(bench_in_place, specs), run_with_ramps(bench_elsewhere, specs));
}

/// The plan replaces such a node by views of its inputs, so it must do nothing else.
TEST_P(NodeConformanceTest, ForwardsChannelsIfItSaysSo) {
    if (!GetParam().type->forwards_channels) return;
    NodeBench bench = bench_with(options());
    EXPECT_TRUE(bench.layout().parameters.empty());
    EXPECT_EQ(GetParam().type->device_role, DeviceRole::none);
    const auto processor = GetParam().type->create({48'000.0, 64, bench.settings(), files()});
    ASSERT_TRUE(processor);
    EXPECT_EQ((*processor)->latency_frames(), 0U);
    EXPECT_EQ((*processor)->level_tap(), nullptr);
    NodeBench::Recording expected;
    for (std::uint32_t port = 0; port < bench.layout().inputs.size(); ++port) {
        for (std::uint32_t channel = 0; channel < bench.layout().inputs[port].width; ++channel)
            noise(port, channel, 0, expected.emplace_back(256));
    }
    EXPECT_EQ(bench.render(256), expected);
}

double largest_second_difference(const std::vector<float>& samples) {
    double largest = 0.0;
    const float* const x = samples.data();  // with sanitizers, operator[] takes longer than the sums
    for (std::size_t n = 1; n + 1 < samples.size(); ++n) {
        const double bend = static_cast<double>(x[n - 1]) - 2.0 * x[n] + x[n + 1];
        largest = std::max(largest, std::fabs(bend));
    }
    return largest;
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
    double largest = 0.0;
    const float* const x = a.data();
    const float* const y = b.data();
    const std::size_t size = std::min(a.size(), b.size());
    for (std::size_t n = 0; n < size; ++n) {
        largest = std::max(largest, std::fabs(static_cast<double>(x[n]) - y[n]));
    }
    return largest;
}

/// Returns values of a parameter from its minimum to its maximum, spaced by its ramp law.
std::vector<float> values_of(const ParameterSpec& spec) {
    if (spec.law == RampLaw::on_off) return {spec.minimum, spec.maximum};
    constexpr int kSteps = 64;
    std::vector<float> values;
    for (int step = 0; step <= kSteps; ++step) {
        const float part = static_cast<float>(step) / kSteps;
        values.push_back(spec.law == RampLaw::logarithmic ? spec.minimum * std::pow(spec.maximum / spec.minimum, part)
                                                          : spec.minimum + (spec.maximum - spec.minimum) * part);
    }
    values.back() = spec.maximum;
    return values;
}

/// Returns how much steeper than average a ramp may be at its ends: 4 suffices for most. The slope of a ramp in equal
/// dB steps is proportional to its value, and at its loud end this multiple of the mean.
double steepness(const ParameterSpec& spec) {
    constexpr double kNepersPerDb = 0.115'129'254'649'702'28;  // ln(10) / 20
    if (spec.unit != Unit::decibel || spec.law != RampLaw::linear) return 4.0;
    return std::max(4.0, 1.5 * kNepersPerDb * static_cast<double>(spec.maximum - spec.minimum));
}

/// Returns for each channel whether its samples differ from those of the channel before it. All channels are fed with
/// the same tone, so in most nodes they do not, and measuring one of them is sufficient.
std::vector<bool> differs_from_previous(const NodeBench::Recording& recording) {
    std::vector<bool> differs;
    for (std::size_t channel = 0; channel < recording.size(); ++channel) {
        differs.push_back(channel == 0 || !same_bits(recording[channel], recording[channel - 1]));
    }
    return differs;
}

TEST_P(NodeConformanceTest, AParameterJumpLeavesNoStep) {
    constexpr std::uint64_t kSettleFrames = 1'024;
    constexpr std::uint64_t kFrames = 2'048;
    // Testing the first and the last of 128 equal rows is sufficient.
    constexpr std::size_t kEnds = 8;
    const NodeLayout own = layout();
    for (std::size_t index = 0; index < own.parameters.size(); ++index) {
        if (index >= kEnds && index + kEnds < own.parameters.size()) continue;
        const ParameterSpec& spec = own.parameters[index];
        const auto bench_at = [&](float value) {
            NodeBench::Options at_rest = options();
            at_rest.parameters = {{std::string{spec.name}, value}};
            return bench_with(at_rest, tone);
        };
        std::vector<float> values = values_of(spec);
        std::erase_if(values, [&](float value) { return !accepts({{std::string{spec.name}, value}}); });
        std::vector<NodeBench::Recording> settled;
        std::vector<std::vector<bool>> settled_differs;
        std::vector<double> bends;  // maximum of each settled recording
        for (const float value : values) {
            NodeBench bench = bench_at(value);
            bench.pass(kSettleFrames);
            settled.push_back(bench.render(kFrames));
            settled_differs.push_back(differs_from_previous(settled.back()));
            double bend = 0.0;
            for (std::size_t channel = 0; channel < settled.back().size(); ++channel) {
                if (!settled_differs.back()[channel]) continue;
                bend = std::max(bend, largest_second_difference(settled.back()[channel]));
            }
            bends.push_back(bend);
        }
        // `bend_at_rest`: curvature of the signal at the values on the ramp, without a change. `loudness`: of the signal
        // during the ramp, compared with the values at rest.
        const auto expect_no_step = [&](std::size_t from, std::size_t to, double bend_at_rest, double loudness) {
            NodeBench bench = bench_at(values[from]);
            bench.pass(kSettleFrames);
            NodeBench::Recording moving = bench.render(64);  // also the previous block: a step may be between
            bench.set(spec.name, values[to], kRampFrames);
            append(moving, bench.render(kFrames));
            const std::vector<bool> moving_differs = differs_from_previous(moving);
            for (std::size_t channel = 0; channel < moving.size(); ++channel) {
                if (!moving_differs[channel] && !settled_differs[from][channel] && !settled_differs[to][channel]) {
                    continue;
                }
                // A ramp distributes the change over its frames, with a corner at each end. A change within one
                // frame has about a hundred times that curvature.
                const double change = largest_difference(settled[from][channel], settled[to][channel]);
                ASSERT_LE(largest_second_difference(moving[channel]),
                          1.5 * bend_at_rest + loudness * steepness(spec) * change / kRampFrames + 1e-6)
                    << spec.name << " from " << values[from] << " to " << values[to] << ", channel " << channel;
            }
        };
        const std::size_t last = values.size() - 1;
        for (std::size_t i = 0; i < last; ++i) {
            const double bend_at_rest = std::max(bends[i], bends[i + 1]);
            expect_no_step(i, i + 1, bend_at_rest, 1.0);
            expect_no_step(i + 1, i, bend_at_rest, 1.0);
        }
        // The whole range: a filter narrower than an octave sweeps over the tone in 2 ms and bends it, and may be up to
        // three times as loud as at rest.
        expect_no_step(0, last, 4.0 * std::ranges::max(bends), 3.0);
        expect_no_step(last, 0, 4.0 * std::ranges::max(bends), 3.0);
    }
}

/// Returns the number of bytes that the process has allocated.
std::size_t bytes_in_use() {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

TEST_P(NodeConformanceTest, TakesNoMoreMemoryThanItSays) {
    if (!test::allocation_trap_active()) return;       // not supported by the allocator of a sanitizer
    if (GetParam().settings.contains("file")) return;  // the memory of these files is not that of real ones
    const NodeType& type = *GetParam().type;
    const auto description = NodeDescription::make(type, "node", GetParam().settings);
    ASSERT_TRUE(description) << description.error().sentence;
    const BuildContext context{.sample_rate_hz = 384'000.0, .block_size = 1024, .settings = (*description)->settings};
    const std::size_t before = bytes_in_use();
    const auto processor = type.create(context);
    const std::size_t taken = bytes_in_use() - before;
    ASSERT_TRUE(processor) << processor.error().sentence;
    const std::uint64_t said = estimated_memory_bytes(type, context, (*description)->layout);
    EXPECT_LE(taken, said);
    // Overestimating memory would refuse nodes without need.
    EXPECT_LT(said, 2 * taken + (std::uint64_t{640} << 10U));
}

INSTANTIATE_TEST_SUITE_P(Nodes, NodeConformanceTest, testing::ValuesIn(all_variants()),
                         [](const auto& test) { return test.param.name; });

TEST(BuiltinNodes, AreSortedByNameAndOfOneName) {
    const auto types = builtin_nodes().types();
    ASSERT_FALSE(types.empty());
    for (std::size_t i = 1; i < types.size(); ++i) EXPECT_LT(types[i - 1]->name, types[i]->name);
    EXPECT_EQ(builtin_nodes().find("no_such_node"), nullptr);
    EXPECT_EQ(builtin_nodes().find(""), nullptr);
}

TEST(NodeBench, SeesASampleThatWasNotWritten) {
    class Forgetful final : public Processor {
     public:
        void process(const ProcessContext& context) RTA_NONBLOCKING override {
            const std::span<float> out = context.outputs[0].channel(0);
            for (std::size_t frame = 0; frame + 1 < out.size(); ++frame) out[frame] = 0.0F;
        }
    };
    static constexpr PortSpec kOutputs[] = {{"out", 1}};
    static constexpr NodeType kForgetful{.name = "forgetful",
                                         .help = "Leaves the last sample of each block as it was.",
                                         .outputs = kOutputs,
                                         .create = [](const BuildContext&) -> Expected<std::unique_ptr<Processor>> {
                                             return std::make_unique<Forgetful>();
                                         }};
    NodeBench bench{kForgetful};
    const NodeBench::Recording recording = bench.render(64);
    EXPECT_EQ(recording[0][62], 0.0F);
    EXPECT_TRUE(std::isnan(recording[0][63]));
}

}  // namespace
}  // namespace rta::test::conformance_test
