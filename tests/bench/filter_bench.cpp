// SPDX-License-Identifier: MIT
// Measures filters: biquad_filter nodes in series, equalizers and a crossover. Compares the engine on one core with a
// single loop that computes the same without an engine, and with a loop that processes frame by frame. Results are
// verified before they are timed.
//
//     chrt -f 50 taskset -c 1 build/release/bin/filter_bench [--quick]
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <memory>
#include <numbers>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench_main.h"
#include "dsp/audio_buffer.h"
#include "dsp/biquad.h"
#include "dsp/simd.h"
#include "engine/engine.h"
#include "engine/renderer.h"
#include "fused_filters.h"
#include "rt/audio_thread.h"

namespace rta::bench {
namespace {

constexpr std::uint32_t kBlock = 64;
constexpr double kRateHz = 48'000.0;
constexpr std::size_t kFilters = 512;
constexpr std::uint32_t kChannels = 64;
constexpr std::size_t kBands = 8;
constexpr std::size_t kManyBands = 64;  ///< in one equalizer

/// Input of the first block: white noise. Timed blocks repeat it.
float noise(std::uint32_t channel, std::uint32_t frame) {
    std::uint64_t hash = frame * 0x9E37'79B9'7F4A'7C15ULL + channel * 7'919ULL + 1;
    hash ^= hash >> 29U;
    hash *= 0xBF58'476D'1CE4'E5B9ULL;
    hash ^= hash >> 32U;
    return 0.1F * static_cast<float>(static_cast<std::int32_t>(hash & 0xFFFF'FFFFU)) / 0x1p31F;
}

struct Ignore : Engine::Observer {
    void applied(std::uint64_t, std::uint64_t) override {}
    void node_faulted(const std::string& node, std::uint64_t) override { throw std::runtime_error(node + " faulted"); }
    void transaction_heard(std::uint64_t, std::uint64_t) override {}
    void device_faded(std::uint64_t) override {}
};

/// Engine that renders the graph built by `edits`, with equal numbers of inputs and outputs.
class Rig {
 public:
    Rig(std::vector<Edit> edits, std::uint32_t channels)
        : engine_{builtin_nodes(), {.sample_rate_hz = kRateHz, .block_size = kBlock}},
          in_{channels, kBlock},
          out_{channels, kBlock} {
        for (std::uint32_t channel = 0; channel < channels; ++channel) {
            for (std::uint32_t frame = 0; frame < kBlock; ++frame) {
                in_.write().channel(channel)[frame] = noise(channel, frame);
            }
        }
        auto prepared = engine_.prepare({std::move(edits)});
        if (!prepared) throw std::runtime_error(prepared.error().sentence);
        if (const auto ticket = engine_.commit(*prepared); !ticket) throw std::runtime_error(ticket.error().sentence);
    }

    void render(int blocks) {
        const auto claim = engine_.gate().try_claim(generation_);
        for (int i = 0; i < blocks; ++i) engine_.renderer().render(claim.key(), {in_.read(), out_.write()});
    }
    void set(std::span<const SetParameter> changes) {
        if (const auto ticket = engine_.set_parameters(changes); !ticket) {
            throw std::runtime_error(ticket.error().sentence);
        }
    }
    /// Renders a minute of silence.
    void fall_silent() {
        in_.clear();
        render(60 * static_cast<int>(kRateHz) / static_cast<int>(kBlock));
    }
    void poll() { engine_.poll(ignore_); }
    [[nodiscard]] std::span<const float> block(std::uint32_t channel) const { return out_.read().channel(channel); }

 private:
    Engine engine_;
    AudioBuffer in_;
    AudioBuffer out_;
    AudioThreadGate::Generation generation_ = engine_.gate().start_generation();
    Ignore ignore_;
};

/// Returns peaks and dips over the whole spectrum, whose total gain is close to 1.
dsp::FilterValues filter_values(std::size_t i) {
    return {50.0F * std::pow(1.0105F, static_cast<float>(i % 512)), 0.7F + 0.1F * static_cast<float>(i % 9),
            i % 2 == 0 ? 3.0F : -3.0F};
}
dsp::FilterValues band_values(std::size_t band) {
    return {60.0F * std::pow(2.0F, static_cast<float>(band % kBands)), 1.4F, band % 2 == 0 ? 4.0F : -5.0F};
}

std::string number(std::size_t i) { return std::to_string(i + 1); }

std::vector<Edit> chain() {
    std::vector<Edit> edits{AddNode{"input", "f0", {}, {}}, AddNode{"output", "out", {}, {}}};
    for (std::size_t i = 0; i < kFilters; ++i) {
        const dsp::FilterValues v = filter_values(i);
        edits.emplace_back(AddNode{"biquad_filter",
                                   "f" + number(i),
                                   {{"kind", std::string{"peaking"}}},
                                   {{"frequency_hz", v.frequency_hz}, {"q", v.width}, {"gain_db", v.gain_db}}});
        edits.emplace_back(Connect{"f" + std::to_string(i), "f" + number(i), {}});
    }
    edits.emplace_back(Connect{"f" + std::to_string(kFilters), "out", {}});
    return edits;
}

AddNode equalizer(const std::string& name, double channels, std::size_t bands) {
    AddNode node{"equalizer", name, {{"bands", static_cast<double>(bands)}, {"channels", channels}}, {}};
    for (std::size_t band = 0; band < bands; ++band) {
        const dsp::FilterValues v = band_values(band);
        node.parameters["frequency_" + number(band) + "_hz"] = v.frequency_hz;
        node.parameters["q_" + number(band)] = v.width;
        node.parameters["gain_" + number(band) + "_db"] = v.gain_db;
    }
    return node;
}

/// One node of 64 channels.
std::vector<Edit> wide_equalizer(std::size_t bands) {
    const Settings channels{{"channels", static_cast<double>(kChannels)}};
    return {AddNode{"input", "in", channels, {}}, equalizer("eq", kChannels, bands),
            AddNode{"output", "out", channels, {}}, Connect{"in", "eq", {}}, Connect{"eq", "out", {}}};
}

/// 64 nodes of one channel, each between its own input and output.
std::vector<Edit> mono_equalizers() {
    std::vector<Edit> edits;
    for (std::uint32_t channel = 0; channel < kChannels; ++channel) {
        const std::string at = number(channel);
        const Settings first{{"first_channel", static_cast<double>(channel + 1)}};
        edits.emplace_back(AddNode{"input", "in" + at, first, {}});
        edits.emplace_back(equalizer("eq" + at, 1.0, kBands));
        edits.emplace_back(AddNode{"output", "out" + at, first, {}});
        edits.emplace_back(Connect{"in" + at, "eq" + at, {}});
        edits.emplace_back(Connect{"eq" + at, "out" + at, {}});
    }
    return edits;
}

/// Device input connected to device output: the cost of a graph without filters.
std::vector<Edit> wires() {
    const Settings channels{{"channels", static_cast<double>(kChannels)}};
    return {AddNode{"input", "in", channels, {}}, AddNode{"output", "out", channels, {}}, Connect{"in", "out", {}}};
}

std::vector<Edit> crossover() {
    const Settings channels{{"channels", static_cast<double>(kChannels)}, {"ways", 4.0}};
    std::vector<Edit> edits{AddNode{"input", "in", {{"channels", static_cast<double>(kChannels)}}, {}},
                            AddNode{"output", "out", {{"channels", static_cast<double>(kChannels)}}, {}},
                            AddNode{"crossover", "ways", channels, {}}, Connect{"in", "ways", {}}};
    for (int way = 1; way <= 4; ++way) edits.emplace_back(Connect{"ways:out_" + std::to_string(way), "out", {}});
    return edits;
}

FusedFilters fused(std::size_t count, std::size_t channels, dsp::FilterValues (*values)(std::size_t)) {
    FusedFilters filters;
    for (std::size_t i = 0; i < count; ++i) {
        filters.sections.push_back(dsp::biquad_coefficients({.kind = dsp::FilterKind::peaking}, values(i), kRateHz));
    }
    filters.states.resize(count * channels);
    return filters;
}

/// Peaking filter of the cookbook in double, frame by frame.
class Reference {
 public:
    Reference(std::size_t count, dsp::FilterValues (*values)(std::size_t)) {
        for (std::size_t i = 0; i < count; ++i) {
            const dsp::FilterValues v = values(i);
            const double angle = 2.0 * std::numbers::pi * static_cast<double>(v.frequency_hz) / kRateHz;
            const double a = std::pow(10.0, static_cast<double>(v.gain_db) / 40.0);
            const double alpha = std::sin(angle) / (2.0 * static_cast<double>(v.width));
            const double a0 = 1.0 + alpha / a;
            sections_.push_back(
                {(1.0 + alpha * a) / a0, -2.0 * std::cos(angle) / a0, (1.0 - alpha * a) / a0, (1.0 - alpha / a) / a0});
        }
    }
    double next(double x) {
        for (Section& s : sections_) {
            const double y = s.b0 * x + s.z1;
            s.z1 = s.b1 * (x - y) + s.z2;
            s.z2 = s.b2 * x - s.a2 * y;
            x = y;
        }
        return x;
    }

 private:
    struct Section {
        double b0, b1, b2, a2;  // a1 is b1
        double z1 = 0.0, z2 = 0.0;
    };
    std::vector<Section> sections_;
};

/// Simper's filter frame by frame in float, one filter after the other: limited by the latency of the recursion.
struct ScalarFilters {
    struct Section {
        float a1, a2, a3, m1, s1 = 0.0F, s2 = 0.0F;
    };
    std::vector<Section> sections;

    explicit ScalarFilters(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            const dsp::FilterValues v = filter_values(i);
            const double a = std::pow(10.0, static_cast<double>(v.gain_db) / 40.0);
            const double g = std::tan(std::numbers::pi * static_cast<double>(v.frequency_hz) / kRateHz);
            const double k = 1.0 / (static_cast<double>(v.width) * a);
            const double a1 = 1.0 / (1.0 + g * (g + k));
            sections.push_back({static_cast<float>(a1), static_cast<float>(g * a1), static_cast<float>(g * g * a1),
                                static_cast<float>(k * (a * a - 1.0))});
        }
    }
    void render(float* samples) {
        for (Section& s : sections) {
            for (std::uint32_t frame = 0; frame < kBlock; ++frame) {
                const float v3 = samples[frame] - s.s2;
                const float v1 = s.a1 * s.s1 + s.a2 * v3;
                const float v2 = s.s2 + s.a2 * s.s1 + s.a3 * v3;
                s.s1 = 2.0F * v1 - s.s1;
                s.s2 = 2.0F * v2 - s.s2;
                samples[frame] += s.m1 * v1;
            }
        }
    }
};

void check(std::string_view what, double difference, double tolerance) {
    if (difference <= tolerance) return;
    throw std::runtime_error(std::string{what} + " is off by " + std::to_string(difference) +
                             ": no times were measured");
}

/// Compares blocks of the engine and of the loop with double precision.
void check_filters(std::string_view what, Rig& rig, FusedFilters loop, std::string_view target, Reference reference,
                   std::uint32_t channel) {
    double largest = 0.0;
    double peak = 0.0;
    for (int block = 0; block < 20; ++block) {
        rig.render(1);
        std::array<float, kBlock> samples{};
        for (std::uint32_t frame = 0; frame < kBlock; ++frame) samples[frame] = noise(channel, frame);
        const std::array<float, kBlock> in = samples;
        loop.render(target, channel, samples.data());
        for (std::uint32_t frame = 0; frame < kBlock; ++frame) {
            const double exact = reference.next(static_cast<double>(in[frame]));
            peak = std::max(peak, std::fabs(exact));
            for (const float sample : {rig.block(channel)[frame], samples[frame]}) {
                const double difference = std::fabs(static_cast<double>(sample) - exact);
                if (!(difference <= largest)) largest = difference;  // also for NaN
            }
        }
    }
    check(what, largest / peak, 1e-4);
}

/// Row of the table: a function that runs repeatedly, and the unit of its time.
struct Row {
    std::string what;
    std::string target;
    double units;  ///< number of units per run; the time is printed per unit
    std::string unit;
    std::function<void()> run;
    std::vector<double> ns = {};

    [[nodiscard]] double minimum() const { return std::ranges::min(ns) / units; }
    [[nodiscard]] double median() const {
        std::vector<double> sorted = ns;
        std::ranges::sort(sorted);
        return sorted[sorted.size() / 2] / units;
    }
};

double ns_of(const std::function<void()>& run) {
    const auto begin = std::chrono::steady_clock::now();
    run();
    return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count();
}

constexpr double kMadeBlocks = 20;
constexpr int kBlocks = static_cast<int>(kMadeBlocks);
constexpr double kChainUnits = static_cast<double>(kFilters) * kBlock * kMadeBlocks;
constexpr double kBandUnits = static_cast<double>(kBands) * kChannels * kBlock * kMadeBlocks;
constexpr const char* kPerNode = "ns a node and frame";
constexpr const char* kPerBand = "ns a band, channel and frame";

Row engine_row(std::string what, std::string_view target, double units, std::string unit, std::shared_ptr<Rig> rig) {
    rig->poll();
    return {std::move(what), std::string{target}, units, std::move(unit),
            [rig = std::move(rig)] { rig->render(kBlocks); }};
}

void add_chain_rows(std::vector<Row>& rows, std::string_view target, bool scalar) {
    if (scalar) {
        rows.push_back({"512 filters frame by frame, one loop", "", kChainUnits, kPerNode,
                        [loop = std::make_shared<ScalarFilters>(kFilters)] {
                            std::array<float, kBlock> samples{};
                            for (int i = 0; i < kBlocks; ++i) {
                                for (std::uint32_t frame = 0; frame < kBlock; ++frame) samples[frame] = noise(0, frame);
                                loop->render(samples.data());
                            }
                        }});
    }
    auto loop = std::make_shared<FusedFilters>(fused(kFilters, 1, filter_values));
    auto filters = std::make_shared<Rig>(chain(), 1);
    check_filters("512 x biquad_filter", *filters, *loop, target, Reference{kFilters, filter_values}, 0);
    rows.push_back({"  the same as one loop", std::string{target}, kChainUnits, kPerNode, [target, loop] {
                        std::array<float, kBlock> samples{};
                        for (int i = 0; i < kBlocks; ++i) {
                            for (std::uint32_t frame = 0; frame < kBlock; ++frame) samples[frame] = noise(0, frame);
                            loop->render(target, 0, samples.data());
                        }
                    }});
    rows.push_back(engine_row("512 x biquad_filter in series", target, kChainUnits, kPerNode, std::move(filters)));
    auto silent = std::make_shared<Rig>(chain(), 1);
    silent->render(100);
    silent->fall_silent();
    rows.push_back(engine_row("  after a minute of silence", target, kChainUnits, kPerNode, std::move(silent)));

    auto moving = std::make_shared<Rig>(chain(), 1);
    moving->render(1);
    std::vector<SetParameter> changes;
    for (std::size_t i = 0; i < kFilters; ++i) {
        changes.push_back({"f" + number(i), "frequency_hz", filter_values(i).frequency_hz * 1.9F, 600'000.0F});
        changes.push_back({"f" + number(i), "gain_db", 0.0F, 600'000.0F});
    }
    moving->set(changes);
    rows.push_back(engine_row("  with frequency and gain on ramps", target, kChainUnits, kPerNode, std::move(moving)));
}

void add_equalizer_rows(std::vector<Row>& rows, std::string_view target) {
    auto loop = std::make_shared<FusedFilters>(fused(kBands, kChannels, band_values));
    auto wide = std::make_shared<Rig>(wide_equalizer(kBands), kChannels);
    auto monos = std::make_shared<Rig>(mono_equalizers(), kChannels);
    for (const std::uint32_t channel : {0U, 63U}) {
        Rig fresh{wide_equalizer(kBands), kChannels};
        Rig fresh_monos{mono_equalizers(), kChannels};
        check_filters("an equalizer", fresh, *loop, target, Reference{kBands, band_values}, channel);
        check_filters("64 equalizers", fresh_monos, *loop, target, Reference{kBands, band_values}, channel);
    }
    rows.push_back({"  the same as one loop", std::string{target}, kBandUnits, kPerBand, [target, loop] {
                        std::array<float, kBlock> samples{};
                        for (int i = 0; i < kBlocks; ++i) {
                            for (std::uint32_t channel = 0; channel < kChannels; ++channel) {
                                for (std::uint32_t frame = 0; frame < kBlock; ++frame) {
                                    samples[frame] = 1e-3F * static_cast<float>(frame + channel);
                                }
                                loop->render(target, channel, samples.data());
                            }
                        }
                    }});
    rows.push_back(engine_row("1 x equalizer, 64 channels x 8 bands", target, kBandUnits, kPerBand, std::move(wide)));
    const auto many_loop = std::make_shared<FusedFilters>(fused(kManyBands, kChannels, band_values));
    Rig fresh_many{wide_equalizer(kManyBands), kChannels};
    check_filters("64 bands", fresh_many, *many_loop, target, Reference{kManyBands, band_values}, 0);
    rows.push_back(engine_row("1 x equalizer, 64 channels x 64 bands", target,
                              kBandUnits * static_cast<double>(kManyBands) / static_cast<double>(kBands), kPerBand,
                              std::make_shared<Rig>(wide_equalizer(kManyBands), kChannels)));
    rows.push_back(engine_row("64 x equalizer, 1 channel x 8 bands", target, kBandUnits, kPerBand, std::move(monos)));
    constexpr double kChannelUnits = static_cast<double>(kChannels) * kBlock * kMadeBlocks;
    rows.push_back(engine_row("1 x crossover, 64 channels x 4 ways of order 4", target, kChannelUnits,
                              "ns a channel and frame", std::make_shared<Rig>(crossover(), kChannels)));
    rows.push_back(engine_row("  64 channels of input -> output", target, kChannelUnits, "ns a channel and frame",
                              std::make_shared<Rig>(wires(), kChannels)));
}

void use(std::string_view target) {
    if (target.empty() || dsp::simd_target() == target) return;
    // This is the only audio thread, and it is between two blocks.
    if (!dsp::use_simd_target(target)) throw std::runtime_error("no such SIMD target");
}

/// Runs all rows alternately, so that temporary load on the machine affects them equally.
void measure(std::vector<Row>& rows, int repetitions) {
    for (int i = -3; i < repetitions; ++i) {
        for (Row& row : rows) {
            use(row.target);
            row.run();  // warm the caches, which hold the data of the previous row
            const double ns = ns_of(row.run);
            if (i >= 0) row.ns.push_back(ns);
        }
    }
}

void print(const std::vector<Row>& rows) {
    std::printf("%-46s %-6s %9s %9s\n", "", "target", "minimum", "median");
    for (const Row& row : rows) {
        std::printf("%-46s %-6s %9.3f %9.3f %s\n", row.what.c_str(), row.target.c_str(), row.minimum(), row.median(),
                    row.unit.c_str());
    }
}

}  // namespace
}  // namespace rta::bench

void rta::bench::run(std::span<const std::string_view> arguments) {
    const bool quick = !arguments.empty() && arguments[0] == "--quick";
    std::vector<Row> rows;
    for (const std::string_view target : dsp::simd_targets()) {
        use(target);
        add_chain_rows(rows, target, rows.empty());
        add_equalizer_rows(rows, target);
    }
    measure(rows, quick ? 20 : 200);
    print(rows);
}
