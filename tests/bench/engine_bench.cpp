// SPDX-License-Identifier: MIT
// Measures graphs: sines through gains, constants through gains, and nodes that do nothing. Compares the engine on one
// core with a single loop that computes the same without an engine. Results are verified before they are timed.
//
//     chrt -f 50 taskset -c 1 build/release/bin/engine_bench [TARGET | --ramps]
//
// With TARGET, measures this SIMD target only (for a profiler), otherwise all targets that the CPU supports. With
// --ramps, measures parameters on ramps only.
#include <algorithm>
#include <array>
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

#include "bench.h"
#include "bench_main.h"
#include "dsp/gain.h"
#include "dsp/math.h"
#include "dsp/simd.h"
#include "engine/engine.h"
#include "fused_pairs.h"
#include "graph/node_type.h"

namespace rta::bench {
namespace {

/// Node that does nothing: measures the overhead of the engine per node.
class Nothing final : public Processor {
 public:
    void process(const ProcessContext&) RTA_NONBLOCKING override {}
};

Expected<std::unique_ptr<Processor>> make_nothing(const BuildContext&) { return std::make_unique<Nothing>(); }

constexpr std::array kIn{PortSpec{"in", 1}};
constexpr std::array kOut{PortSpec{"out", 1}};
constexpr NodeType kNothing{.name = "nothing", .help = "Does nothing.", .create = make_nothing};
constexpr NodeType kPass{.name = "pass",
                         .help = "Leaves its input where it is.",
                         .inputs = kIn,
                         .outputs = kOut,
                         .in_place = true,
                         .create = make_nothing};

const NodeRegistry& registry() {
    static const std::vector<const NodeType*> types = [] {
        std::vector<const NodeType*> all{builtin_nodes().types().begin(), builtin_nodes().types().end()};
        all.insert(all.end(), {&kNothing, &kPass});
        std::ranges::sort(all, {}, &NodeType::name);
        return all;
    }();
    static const NodeRegistry with_nothing{types};
    return with_nothing;
}

float frequency_hz(std::size_t pair) { return 100.0F + 7.3F * static_cast<float>(pair); }
float level_db(std::size_t pair) { return -20.0F - static_cast<float>(pair % 13); }
float gain_db(std::size_t pair) { return -40.0F + static_cast<float>(pair % 11); }
float constant(std::size_t pair) { return static_cast<float>(pair % 17) / 100.0F - 0.05F; }

/// Returns `count` pairs of a source and a gain, all connected to one output.
std::vector<Edit> pairs(std::size_t count, const std::function<AddNode(std::size_t)>& source) {
    std::vector<Edit> edits{AddNode{"output", "out", {}, {}}};
    for (std::size_t i = 0; i < count; ++i) {
        AddNode node = source(i);
        node.name = "n" + std::to_string(i);
        const std::string vol = node.name + "_vol";
        edits.emplace_back(node);
        edits.emplace_back(AddNode{"gain", vol, {}, {{"gain_db", gain_db(i)}}});
        edits.emplace_back(Connect{node.name, vol, {}});
        edits.emplace_back(Connect{vol, "out", {}});
    }
    return edits;
}

AddNode sine(std::size_t pair) {
    return {"sine", {}, {}, {{"frequency_hz", frequency_hz(pair)}, {"gain_db", level_db(pair)}}};
}

AddNode constant_node(std::size_t pair) { return {"constant", {}, {}, {{"value", constant(pair)}}}; }

std::vector<Edit> nothings(std::size_t count) {
    std::vector<Edit> edits;
    for (std::size_t i = 0; i < count; ++i) edits.emplace_back(AddNode{"nothing", "n" + std::to_string(i), {}, {}});
    return edits;
}

std::vector<Edit> chain_of_passes(std::size_t count) {
    std::vector<Edit> edits{AddNode{"output", "out", {}, {}}, AddNode{"constant", "n0", {}, {{"value", 0.25F}}}};
    for (std::size_t i = 1; i < count; ++i) {
        edits.emplace_back(AddNode{"pass", "n" + std::to_string(i), {}, {}});
        edits.emplace_back(Connect{"n" + std::to_string(i - 1), "n" + std::to_string(i), {}});
    }
    edits.emplace_back(Connect{"n" + std::to_string(count - 1), "out", {}});
    return edits;
}

FusedPairs fused_pairs(std::size_t count) {
    FusedPairs fused;
    for (std::size_t i = 0; i < count; ++i) {
        fused.phases.push_back(0);
        fused.increments.push_back(static_cast<std::uint64_t>(static_cast<double>(frequency_hz(i)) / kRateHz * 0x1p64));
        fused.factors.push_back(dsp::gain_from_db(level_db(i)) * dsp::gain_from_db(gain_db(i)));
    }
    return fused;
}

/// Compares the engine and the loop with each other and with libm in double precision.
void check_pairs(Rig& rig, std::size_t count, std::string_view target) {
    std::array<FusedPairs, 2> loops{fused_pairs(count), fused_pairs(count)};
    double largest = 0.0;
    for (std::uint64_t block = 0; block < 4; ++block) {
        rig.render(1);
        std::array<std::array<float, kBlock>, 2> fused{};
        for (const bool with : {false, true}) loops[with].render(target, with, fused[with].data(), kBlock);
        for (std::uint32_t frame = 0; frame < kBlock; ++frame) {
            double exact = 0.0;
            for (std::size_t i = 0; i < count; ++i) {
                const double cycles =
                    static_cast<double>(frequency_hz(i)) * static_cast<double>(block * kBlock + frame) / kRateHz;
                exact += std::pow(10.0, static_cast<double>(level_db(i) + gain_db(i)) / 20.0) *
                         std::sin(2.0 * std::numbers::pi * (cycles - std::floor(cycles)));
            }
            for (const float sample : {rig.block()[frame], fused[0][frame], fused[1][frame]}) {
                const double difference = std::fabs(static_cast<double>(sample) - exact);
                if (!(difference <= largest)) largest = difference;  // also for NaN
            }
        }
    }
    check("sine -> gain, summed", largest, 1e-5);
}

/// Sums constants, each through a gain, without an engine.
class ConstantLoops {
 public:
    explicit ConstantLoops(std::size_t count) : samples_(count * kBlock) {
        for (std::size_t i = 0; i < count; ++i) {
            values_.push_back(constant(i));
            gains_.push_back(dsp::gain_from_db(gain_db(i)));
            signals_.push_back(samples_.data() + i * kBlock);
        }
        ones_.assign(count, 1.0F);
    }

    /// Uses the kernels of the engine: every signal is written, scaled in place and added.
    void render_signals(std::span<float> out) {
        for (std::size_t i = 0; i < signals_.size(); ++i) {
            const std::span<float> signal{samples_.data() + i * kBlock, kBlock};
            dsp::fill(values_[i], signal);
            dsp::scale(signal, gains_[i], nullptr, signal);
        }
        dsp::sum_scaled(signals_, ones_, out);
    }

    /// Uses registers: one product and one sum per pair and vector; only the sums are written.
    void render_fused(std::string_view target, std::span<float> out) const {
        sum_products(target, values_.data(), gains_.data(), values_.size(), out.data(), out.size());
    }

 private:
    std::vector<float> samples_;
    std::vector<float> values_;
    std::vector<float> gains_;
    std::vector<float> ones_;
    std::vector<const float*> signals_;
};

/// Compares the engine and the loops with double precision.
void check_constants(Rig& rig, ConstantLoops& loops, std::size_t count, std::string_view target) {
    double exact = 0.0;
    for (std::size_t i = 0; i < count; ++i) {
        exact += static_cast<double>(constant(i)) * std::pow(10.0, static_cast<double>(gain_db(i)) / 20.0);
    }
    rig.render(1);
    std::array<float, kBlock> signals{};
    std::array<float, kBlock> fused{};
    loops.render_signals(signals);
    loops.render_fused(target, fused);
    for (std::uint32_t frame = 0; frame < kBlock; ++frame) {
        for (const float sample : {rig.block()[frame], signals[frame], fused[frame]})
            check("constants", std::fabs(static_cast<double>(sample) - exact), 1e-5);
    }
}

void check_chain(Rig& rig) {
    rig.render(1);
    for (const float sample : rig.block()) check("a chain that passes 0.25 on", std::fabs(sample - 0.25F), 0.0);
}

constexpr double kMadeBlocks = 20;

Row engine_row(std::string what, std::string_view target, double things, std::string unit, std::shared_ptr<Rig> rig) {
    constexpr int kBlocks = static_cast<int>(kMadeBlocks);
    rig->poll();
    return {std::move(what), std::string{target}, things * kMadeBlocks, std::move(unit),
            [rig = std::move(rig)] { rig->render(kBlocks); }};
}

void add_pair_rows(std::vector<Row>& rows, std::string_view target) {
    constexpr std::size_t kPairs = 1'000;
    constexpr std::size_t kConstants = 256;
    const std::string per = "ns a pair and frame";
    for (const bool with : {false, true}) {
        rows.push_back({with ? "  the same as one loop, sum fused too" : "  the same as one loop", std::string{target},
                        kPairs * kBlock * kMadeBlocks, per,
                        [target, with, loop = std::make_shared<FusedPairs>(fused_pairs(kPairs))] {
                            std::array<float, kBlock> out{};
                            for (int i = 0; i < static_cast<int>(kMadeBlocks); ++i)
                                loop->render(target, with, out.data(), kBlock);
                        }});
    }
    auto sines = std::make_shared<Rig>(pairs(kPairs, sine));
    check_pairs(*sines, kPairs, target);
    rows.push_back(engine_row("1000 x sine -> gain, summed", target, kPairs * kBlock, per, std::move(sines)));
    auto constants = std::make_shared<Rig>(pairs(kConstants, constant_node));
    auto loops = std::make_shared<ConstantLoops>(kConstants);
    check_constants(*constants, *loops, kConstants, target);
    const double frames = kConstants * kBlock * kMadeBlocks;
    rows.push_back({"  the same kernels without an engine", std::string{target}, frames, per, [loops] {
                        std::array<float, kBlock> out;
                        for (int i = 0; i < static_cast<int>(kMadeBlocks); ++i) loops->render_signals(out);
                    }});
    rows.push_back({"  the same as one loop in registers", std::string{target}, frames, per, [loops, target] {
                        std::array<float, kBlock> out;
                        for (int i = 0; i < static_cast<int>(kMadeBlocks); ++i) loops->render_fused(target, out);
                    }});
    rows.push_back(
        engine_row("256 x constant -> gain, summed", target, kConstants * kBlock, per, std::move(constants)));
}

void add_step_rows(std::vector<Row>& rows, std::string_view target) {
    const std::string per = "ns a step and block";
    for (const std::size_t count : {1'000UZ, 10'000UZ}) {
        const std::string many = std::to_string(count) + " x ";
        rows.push_back(engine_row(many + "nothing", target, static_cast<double>(count), per,
                                  std::make_shared<Rig>(nothings(count), kRateHz, registry())));
        auto chain = std::make_shared<Rig>(chain_of_passes(count), kRateHz, registry());
        check_chain(*chain);
        rows.push_back(
            engine_row(many + "nothing in a chain", target, static_cast<double>(count), per, std::move(chain)));
    }
}

/// Returns the built-in types, with splits and merges that copy.
const NodeRegistry& copying_registry() {
    static std::vector<NodeType> types;
    static std::vector<const NodeType*> pointers;
    for (const NodeType* const type : builtin_nodes().types()) {
        types.push_back(*type);
        types.back().forwards_channels = false;
    }
    for (const NodeType& type : types) pointers.push_back(&type);
    static const NodeRegistry copying{pointers};
    return copying;
}

constexpr std::size_t kViewPairs = 20;

/// A constant through pairs of a split and a merge of many channels.
std::vector<Edit> splits_and_merges(std::uint32_t channels) {
    std::vector<Edit> edits{AddNode{"output", "out", {}, {}}, AddNode{"constant", "in", {}, {{"value", 0.5F}}}};
    const Settings settings{{"channels", static_cast<double>(channels)}};
    std::string last = "in";
    for (std::size_t i = 0; i < kViewPairs; ++i) {
        const std::string split = "s" + std::to_string(i);
        const std::string merge = "m" + std::to_string(i);
        edits.emplace_back(AddNode{"split", split, settings, {}});
        edits.emplace_back(AddNode{"merge", merge, settings, {}});
        edits.emplace_back(Connect{last, split, {}});
        for (std::uint32_t channel = 1; channel <= channels; ++channel) {
            const std::string number = std::to_string(channel);
            edits.emplace_back(Connect{split + ":out_" + number, merge + ":in_" + number, {}});
        }
        last = merge;
    }
    edits.emplace_back(AddNode{"split", "last", settings, {}});
    edits.emplace_back(Connect{last, "last", {}});
    edits.emplace_back(Connect{"last:out_1", "out", {}});
    return edits;
}

void add_view_rows(std::vector<Row>& rows, std::string_view target) {
    const NodeRegistry& copying = copying_registry();
    for (const std::uint32_t channels : {2U, 6U, 64U}) {
        for (const bool copies : {true, false}) {
            auto rig = std::make_shared<Rig>(splits_and_merges(channels), kRateHz, copies ? copying : builtin_nodes());
            rig->render(100);
            rig->poll();
            rig->render(10);
            check("splits and merges", std::fabs(static_cast<double>(rig->block()[0]) - 0.5), 0.0);
            rows.push_back(engine_row(
                "split -> merge, " + std::to_string(channels) + " channels" + (copies ? ", copied" : ", as views"),
                target, static_cast<double>(kViewPairs), "ns a pair and block", std::move(rig)));
            if (!copies) rows.back().compared = rows.size() - 2;
        }
    }
}

std::vector<Edit> gains(std::size_t count) {
    std::vector<Edit> edits;
    for (std::size_t i = 0; i < count; ++i) edits.emplace_back(AddNode{"gain", "n" + std::to_string(i), {}, {}});
    return edits;
}

constexpr std::size_t kEqualizers = 8;
constexpr std::size_t kChannels = 64;
constexpr std::size_t kBands = 16;

/// Noise into equalizers of many channels.
std::vector<Edit> equalizers() {
    std::vector<Edit> edits{AddNode{"noise", "in", {}, {}}};
    const Settings settings{{"bands", static_cast<double>(kBands)}, {"channels", static_cast<double>(kChannels)}};
    for (std::size_t i = 0; i < kEqualizers; ++i) {
        AddNode node{"equalizer", "n" + std::to_string(i), settings, {}};
        for (std::size_t band = 1; band <= kBands; ++band) {
            node.parameters["frequency_" + std::to_string(band) + "_hz"] = 100.0F * static_cast<float>(band);
        }
        edits.emplace_back(node);
        edits.emplace_back(Connect{"in", node.name, {}});
    }
    return edits;
}

constexpr float kLongRampMs = 600'000.0F;

std::vector<SetParameter> changes_of_gains(std::size_t count, float gain_db, float ramp_ms) {
    std::vector<SetParameter> changes;
    for (std::size_t i = 0; i < count; ++i) changes.push_back({"n" + std::to_string(i), "gain_db", gain_db, ramp_ms});
    return changes;
}

std::vector<SetParameter> changes_of_equalizers() {
    std::vector<SetParameter> changes;
    for (std::size_t i = 0; i < kEqualizers; ++i) {
        const std::string node = "n" + std::to_string(i);
        for (std::size_t band = 1; band <= kBands; ++band) {
            const std::string which = std::to_string(band);
            const float frequency_hz = 110.0F * static_cast<float>(band);
            changes.push_back({node, "frequency_" + which + "_hz", frequency_hz, kLongRampMs});
            changes.push_back({node, "q_" + which, 2.0F, kLongRampMs});
            changes.push_back({node, "gain_" + which + "_db", 6.0F, kLongRampMs});
        }
    }
    return changes;
}

/// Starts ramps that outlast the measurement, in the number of requests that the engine requires.
void start_ramps(Rig& rig, std::span<const SetParameter> changes) {
    constexpr std::size_t kRequest = 100;
    rig.render(1);
    for (std::size_t begin = 0; begin < changes.size(); begin += kRequest) {
        const auto part = changes.subspan(begin, std::min(kRequest, changes.size() - begin));
        if (const auto ticket = rig.engine().set_parameters(part); !ticket) {
            throw std::runtime_error(ticket.error().sentence);
        }
        rig.render(1);
        rig.poll();
    }
}

void add_ramp_rows(std::vector<Row>& rows, std::string_view target) {
    constexpr std::size_t kGains = 10'000;
    const auto add = [&](const std::string& what, double things, const char* unit, const std::vector<Edit>& edits,
                         std::span<const SetParameter> changes) {
        auto rest = std::make_shared<Rig>(edits);
        auto ramps = std::make_shared<Rig>(edits);
        start_ramps(*ramps, changes);
        rows.push_back(engine_row(what + ", at rest", target, things, unit, std::move(rest)));
        rows.push_back(engine_row("  on ramps", target, things, unit, std::move(ramps)));
        rows.back().compared = rows.size() - 2;
    };
    add("10000 x gain", static_cast<double>(kGains), "ns a gain and block", gains(kGains),
        changes_of_gains(kGains, -6.0F, kLongRampMs));
    add("8 x equalizer, 64 channels x 16 bands", 1'000.0, "us a block", equalizers(), changes_of_equalizers());
}

/// Measures the block in which the largest batch takes effect and the block after it, both in ratio to a block at rest.
void measure_batches(std::size_t count, std::uint32_t block_size, double sample_rate_hz) {
    Rig rig{gains(count), sample_rate_hz, registry(), block_size};
    const std::size_t size = std::min(count, rig.engine().maximum_changes());
    const auto block = [&] { return ns_of([&] { rig.render(1); }); };
    std::array<std::vector<double>, 3> ns;
    for (int i = 0; i < 200; ++i) {
        // 20 ms, plus some blocks.
        rig.render(static_cast<int>(0.02 * sample_rate_hz / block_size) + 5);
        rig.poll();
        ns[0].push_back(block());
        const auto changes = changes_of_gains(size, i % 2 == 0 ? -6.0F : -7.0F, 20.0F);
        if (const auto ticket = rig.engine().set_parameters(changes); !ticket) {
            throw std::runtime_error(ticket.error().sentence);
        }
        ns[1].push_back(block());
        ns[2].push_back(block());
    }
    const double duration_us = 1e6 * block_size / sample_rate_hz;
    std::printf("%zu gains, blocks of %u frames at %.0f Hz (%.0f us)\n", count, block_size, sample_rate_hz,
                duration_us);
    constexpr std::array<const char*, 3> kWhat{"at rest", "applies the largest batch", "the block after it"};
    std::array<double, 3> medians{};
    for (std::size_t i = 0; i < ns.size(); ++i) {
        std::ranges::sort(ns[i]);
        medians[i] = ns[i][ns[i].size() / 2];
        std::printf("  %-28s %8.1f %8.1f us   %6.2f %6.2f of a block at rest", kWhat[i], ns[i].front() / 1e3,
                    medians[i] / 1e3, ns[i].front() / ns[0].front(), medians[i] / medians[0]);
        if (i == 1) std::printf(", %zu targets", size);
        std::printf("\n");
    }
}

}  // namespace
}  // namespace rta::bench

void rta::bench::run(std::span<const std::string_view> arguments) {
    std::vector<Row> rows;
    const bool ramps_only = !arguments.empty() && arguments[0] == "--ramps";
    const bool views_only = !arguments.empty() && arguments[0] == "--views";
    if (views_only) {
        add_view_rows(rows, dsp::simd_targets().front());
    } else if (ramps_only) {
        for (const std::string_view target : dsp::simd_targets()) {
            use(target);
            add_ramp_rows(rows, target);
        }
    } else if (!arguments.empty()) {
        use(arguments[0]);
        add_pair_rows(rows, dsp::simd_target());
    } else {
        for (const std::string_view target : dsp::simd_targets()) {
            use(target);
            add_pair_rows(rows, target);
        }
        add_step_rows(rows, dsp::simd_targets().front());
        add_view_rows(rows, dsp::simd_targets().front());
        add_ramp_rows(rows, dsp::simd_targets().front());
    }
    measure(rows, ramps_only ? 100 : 300);
    print(rows);
    if (!ramps_only && !arguments.empty()) return;
    use(dsp::simd_targets().front());
    measure_batches(10'000, 64, 48'000.0);
    measure_batches(2'048, 16, 192'000.0);
}
