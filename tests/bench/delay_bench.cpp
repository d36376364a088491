// SPDX-License-Identifier: MIT
// Measures delays: one tone through 256 delays, each followed by a gain, all summed. Compares the engine on one core
// with a single loop that computes the same without an engine. Results are verified before they are timed.
//
//     chrt -f 50 taskset -c 1 build/release/bin/delay_bench [--quick]
#include <array>
#include <cmath>
#include <cstdio>
#include <memory>
#include <numbers>

#include "bench.h"
#include "bench_main.h"
#include "dsp/delay_line.h"
#include "dsp/math.h"
#include "fused_delays.h"

namespace rta::bench {
namespace {

constexpr std::size_t kDelays = 256;
constexpr double kFrequencyHz = 440.0;

/// One kind of delay to measure.
struct Kind {
    const char* what;
    double fraction;  ///< of a frame, added to whole frames
    float feedback;
    float mix;
    bool few_frames;  ///< 1 to 11 frames instead of 10 ms to half a second
};
constexpr std::array kKinds{
    Kind{"whole frames", 0.0, 0.0F, 1.0F, false},
    Kind{"whole frames, feedback 0.5, mix 0.5", 0.0, 0.5F, 0.5F, false},
    Kind{"fractions of frames", 0.3, 0.0F, 1.0F, false},
    Kind{"few frames and a fraction", 0.3, 0.0F, 1.0F, true},
    Kind{"few frames and a fraction, feedback 0.5, mix 0.5", 0.3, 0.5F, 0.5F, true},
};

std::uint32_t whole_frames(const Kind& kind, std::size_t delay) {
    return kind.few_frames ? 1 + static_cast<std::uint32_t>(delay) % 11 : 480 + static_cast<std::uint32_t>(delay) * 93;
}
float time_ms(const Kind& kind, std::size_t delay) {
    return static_cast<float>((whole_frames(kind, delay) + kind.fraction) / kRateHz * 1'000.0);
}
float gain_db(std::size_t delay) { return -40.0F + static_cast<float>(delay % 11); }

std::vector<Edit> graph(const Kind& kind) {
    std::vector<Edit> edits{AddNode{"output", "out", {}, {}},
                            AddNode{"sine", "tone", {}, {{"frequency_hz", static_cast<float>(kFrequencyHz)}}}};
    for (std::size_t i = 0; i < kDelays; ++i) {
        const std::string name = "n" + std::to_string(i);
        const std::string vol = name + "_vol";
        edits.emplace_back(AddNode{
            "delay_line", name, {}, {{"time_ms", time_ms(kind, i)}, {"feedback", kind.feedback}, {"mix", kind.mix}}});
        edits.emplace_back(AddNode{"gain", vol, {}, {{"gain_db", gain_db(i)}}});
        edits.emplace_back(Connect{"tone", name, {}});
        edits.emplace_back(Connect{name, vol, {}});
        edits.emplace_back(Connect{vol, "out", {}});
    }
    return edits;
}

/// Line of one second, the default of delay_line.
FusedDelays fused(const Kind& kind) {
    std::vector<FusedDelays::Delay> delays;
    for (std::size_t i = 0; i < kDelays; ++i) {
        const double frames = static_cast<double>(time_ms(kind, i)) * kRateHz / 1'000.0;
        FusedDelays::Delay delay{whole_frames(kind, i), dsp::gain_from_db(gain_db(i)), {}};
        if (kind.fraction != 0.0) {
            const dsp::DelayTap tap = dsp::DelayTap::at(frames);
            delay.taps.assign(tap.factors.begin(), tap.factors.begin() + tap.count);
        }
        delays.push_back(std::move(delay));
    }
    return FusedDelays{std::move(delays), 48'000 + 192, kind.feedback, kind.mix};
}

double tone(double frame) {
    return frame < 0.0 ? 0.0 : 0.1 * std::sin(2.0 * std::numbers::pi * kFrequencyHz * frame / kRateHz);
}

/// Computes the definition in double precision. A delay is silent until its signal arrives.
double exact(const Kind& kind, std::size_t delay, double frame) {
    const double frames = static_cast<double>(time_ms(kind, delay)) * kRateHz / 1'000.0;
    double wet = 0.0;
    double factor = 1.0;
    for (double then = frame - frames; then >= 0.0 && factor > 1e-9; then -= frames) {
        wet += factor * tone(then);
        factor *= static_cast<double>(kind.feedback);
    }
    const auto mix = static_cast<double>(kind.mix);
    return std::pow(10.0, static_cast<double>(gain_db(delay)) / 20.0) * ((1.0 - mix) * tone(frame) + mix * wet);
}

/// `loop`: null if the kind has none.
void check(const Kind& kind, Rig& rig, FusedDelays* loop, std::string_view target) {
    // Longer than the longest delay, and includes the end of the line.
    constexpr std::uint32_t kBlocks = 48'000 / kBlock + 30;
    double largest = 0.0;
    std::array<float, kBlock> in{};
    std::array<float, kBlock> out{};
    for (std::uint32_t block = 0; block < kBlocks; ++block) {
        for (std::uint32_t i = 0; i < kBlock; ++i) in[i] = static_cast<float>(tone(block * kBlock + i));
        if (loop != nullptr) loop->render(target, in.data(), out.data());
        rig.render(1);
        // Not compared before the start of the tone, where interpolation rings.
        const bool compared = block % 10 == 0 && (kind.fraction == 0.0 || block * kBlock > 24'300);
        for (std::uint32_t i = 0; compared && i < kBlock; ++i) {
            double sum = 0.0;
            for (std::size_t d = 0; d < kDelays; ++d) sum += exact(kind, d, block * kBlock + i);
            for (const float sample : {rig.block()[i], loop != nullptr ? out[i] : rig.block()[i]}) {
                const double difference = std::fabs(static_cast<double>(sample) - sum);
                if (!(difference <= largest)) largest = difference;  // also for NaN
            }
        }
    }
    if (!(largest <= 1e-5)) {
        throw std::runtime_error(std::string{kind.what} + " is off by " + std::to_string(largest) +
                                 ": no times were measured");
    }
}

void add_rows(std::vector<Row>& rows, const Kind& kind, std::string_view target) {
    constexpr int kMadeBlocks = 20;
    const double units = static_cast<double>(kDelays) * kBlock * kMadeBlocks;
    use(target);
    auto rig = std::make_shared<Rig>(graph(kind));
    // The loop reads as many samples before the position as after it, which a short delay does not have.
    auto loop = kind.few_frames ? nullptr : std::make_shared<FusedDelays>(fused(kind));
    check(kind, *rig, loop.get(), target);
    rig->poll();
    rows.push_back({std::string{"256 x delay_line -> gain: "} + kind.what, std::string{target}, units,
                    "ns a pair and frame", [rig] { rig->render(kMadeBlocks); }});
    if (loop == nullptr) return;
    rows.push_back({"  the same as one loop", std::string{target}, units, "ns a pair and frame", [loop, target] {
                        std::array<float, kBlock> in{};
                        in.fill(0.25F);
                        std::array<float, kBlock> out{};
                        for (int i = 0; i < kMadeBlocks; ++i) loop->render(target, in.data(), out.data());
                    }});
}

}  // namespace
}  // namespace rta::bench

void rta::bench::run(std::span<const std::string_view> arguments) {
    const bool quick = !arguments.empty() && arguments[0] == "--quick";
    std::vector<Row> rows;
    for (const std::string_view target : dsp::simd_targets()) {
        for (const Kind& kind : kKinds) add_rows(rows, kind, target);
    }
    measure(rows, quick ? 20 : 300);
    print(rows);
}
