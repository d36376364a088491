// SPDX-License-Identifier: MIT
// Compares with the Fourier series of each waveform. Most tones have an integer number of periods in the analysed
// signal: every harmonic and every alias has its own spectral line, and no window is needed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include "support/analysis.h"
#include "support/node_bench.h"

namespace rta::test::oscillator_test {
namespace {

using test::NodeBench;
using Spectrum = std::vector<std::complex<double>>;

constexpr double kRate = 48'000.0;
constexpr double kAliasDb = -90.0;

NodeBench oscillator(const std::string& shape, float frequency_hz, float pulse_width = 0.5F, double channels = 1) {
    NodeBench::Options options;
    options.block_size = 256;
    options.parameters = {{"frequency_hz", frequency_hz}, {"gain_db", 0.0F}, {"pulse_width", pulse_width}};
    return NodeBench{*builtin_nodes().find("oscillator"), {{"shape", shape}, {"channels", channels}}, options};
}

/// Returns harmonic k of the waveform of amplitude 1: the coefficient of e^(2 pi i k phase) / 2.
std::complex<double> harmonic(const std::string& shape, int k, double pulse_width = 0.5) {
    const std::complex<double> sine{0.0, -1.0};
    const double pi_k = std::numbers::pi * k;
    if (shape == "saw") return sine * (k % 2 == 1 ? 2.0 : -2.0) / pi_k;
    if (shape == "square") return sine * 2.0 / pi_k * (1.0 - std::polar(1.0, -2.0 * pi_k * pulse_width));
    return k % 2 == 0 ? 0.0 : sine * (k % 4 == 1 ? 8.0 : -8.0) / (pi_k * pi_k);
}

Spectrum spectrum_of(const std::vector<float>& signal) {
    Spectrum lines(signal.begin(), signal.end());
    test::fft(lines);
    for (std::complex<double>& line : lines) line *= 2.0 / static_cast<double>(signal.size());
    lines.resize(signal.size() / 2);
    return lines;
}

constexpr std::size_t kCount = 1U << 15U;
float frequency_of_line(std::size_t line) { return static_cast<float>(static_cast<double>(line) * kRate / kCount); }

/// Returns the strongest component that is not a harmonic of `line`, relative to the fundamental.
double worst_alias_db(const Spectrum& lines, std::size_t line) {
    double worst = 0.0;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (i % line != 0 || i == 0) worst = std::max(worst, std::abs(lines[i]));
    }
    return test::db_from_gain(worst / std::abs(lines[line]));
}

TEST(OscillatorNode, HasNoAliases) {
    std::mt19937 random{1};
    // Odd, so that aliases never coincide with harmonics. Equal ratios from 20 Hz to 20 kHz.
    std::vector<std::size_t> fundamentals;
    for (int i = 0; i < 100; ++i) {
        const double hz = 20.0 * std::pow(1'000.0, std::uniform_real_distribution{0.0, 1.0}(random));
        fundamentals.push_back(static_cast<std::size_t>(hz / kRate * kCount) | 1U);
    }
    for (const std::string shape : {"saw", "square", "triangle"}) {
        double worst = -300.0;
        for (const std::size_t line : fundamentals) {
            NodeBench bench = oscillator(shape, frequency_of_line(line));
            const double alias = worst_alias_db(spectrum_of(bench.render_channel(kCount)), line);
            EXPECT_LT(alias, kAliasDb) << shape << ", " << frequency_of_line(line) << " Hz";
            worst = std::max(worst, alias);
        }
        RecordProperty(shape + "_alias_db", std::to_string(worst));
    }
}

TEST(OscillatorNode, HasNoAliasesAtPulseWidthsOfAllKinds) {
    for (const std::size_t line : {301UZ, 999UZ, 3'333UZ}) {
        for (const float width : {0.01F, 0.1F, 0.37F, 0.75F, 0.99F}) {
            NodeBench bench = oscillator("square", frequency_of_line(line), width);
            const Spectrum lines = spectrum_of(bench.render_channel(kCount));
            // Relative to the fundamental of a square, because that of a narrow pulse is weak.
            const double alias = worst_alias_db(lines, line) +
                                 test::db_from_gain(std::abs(lines[line]) / std::abs(harmonic("square", 1)));
            EXPECT_LT(alias, kAliasDb) << width << ", " << frequency_of_line(line) << " Hz";
        }
    }
}

TEST(OscillatorNode, HasNoAliasesAtFrequenciesThatFitNothing) {
    // Kaiser window with side lobes at -150 dB; its main lobe is 10 lines wide on each side.
    constexpr double kBeta = 16.0;
    constexpr std::size_t kLobe = 10;
    const double peak = std::cyl_bessel_i(0.0, kBeta);
    std::mt19937 random{2};
    for (int i = 0; i < 20; ++i) {
        const float frequency_hz = std::uniform_real_distribution{100.0F, 5'000.0F}(random);
        for (const std::string shape : {"saw", "square", "triangle"}) {
            NodeBench bench = oscillator(shape, frequency_hz);
            std::vector<float> signal = bench.render_channel(kCount);
            Spectrum lines(signal.begin(), signal.end());
            for (std::size_t n = 0; n < kCount; ++n) {
                const double x = 2.0 * static_cast<double>(n) / kCount - 1.0;
                lines[n] *= std::cyl_bessel_i(0.0, kBeta * std::sqrt(1.0 - x * x)) / peak;
            }
            test::fft(lines);
            const double spacing = static_cast<double>(frequency_hz) / kRate * kCount;
            double alias = 0.0;
            double fundamental = 0.0;
            for (std::size_t line = 0; line < kCount / 2; ++line) {
                const double at = static_cast<double>(line) / spacing;
                const double from_harmonic = std::fabs(at - std::round(at)) * spacing;
                const bool of_wave = from_harmonic < kLobe && at > 0.5;
                (of_wave ? fundamental : alias) = std::max(of_wave ? fundamental : alias, std::abs(lines[line]));
            }
            EXPECT_LT(test::db_from_gain(alias / fundamental), kAliasDb) << shape << ", " << frequency_hz << " Hz";
        }
    }
}

TEST(OscillatorNode, HasTheHarmonicsOfItsFourierSeriesFromTheFirstFrame) {
    for (const std::size_t line : {37UZ, 301UZ, 1'365UZ, 3'413UZ}) {  // 54 Hz to 5 kHz
        for (const std::string shape : {"saw", "square", "triangle"}) {
            for (const float width : shape == "square" ? std::vector{0.5F, 0.2F} : std::vector{0.5F}) {
                NodeBench bench = oscillator(shape, frequency_of_line(line), width);
                const Spectrum lines = spectrum_of(bench.render_channel(kCount));
                EXPECT_LT(std::abs(lines[0]), 1e-6) << "DC";
                for (int k = 1; static_cast<double>(k) * frequency_of_line(line) < 18'500.0; ++k) {
                    const std::complex<double> expected = harmonic(shape, k, static_cast<double>(width));
                    // 0.01 dB, also of the phase, plus the error of interpolating between positions of the table.
                    EXPECT_LT(std::abs(lines[static_cast<std::size_t>(k) * line] - expected),
                              0.00115 * std::abs(expected) + 1e-5)
                        << shape << ", harmonic " << k << " of " << frequency_of_line(line) << " Hz";
                }
            }
        }
    }
}

TEST(OscillatorNode, RollsOffAsItSays) {
    // A saw with closely spaced harmonics shows the response of the filter.
    constexpr std::size_t kLine = 33;
    NodeBench bench = oscillator("saw", frequency_of_line(kLine));
    const Spectrum lines = spectrum_of(bench.render_channel(kCount));
    for (std::size_t k = 1; k * kLine < kCount / 2; ++k) {
        const double cycles_per_frame = static_cast<double>(k * kLine) / kCount;
        const double gain_db =
            test::db_from_gain(std::abs(lines[k * kLine]) / std::abs(harmonic("saw", static_cast<int>(k))));
        if (cycles_per_frame < 0.4) {
            EXPECT_NEAR(gain_db, 0.0, cycles_per_frame < 0.385 ? 0.01 : 0.1) << cycles_per_frame;
        }
        if (std::fabs(cycles_per_frame - 0.443) < 0.0005) {
            EXPECT_NEAR(gain_db, -6.0, 0.3) << cycles_per_frame;
        }
    }
}

TEST(OscillatorNode, HasNoAliasesWhileItGlides) {
    // Harmonic k of a glide from 3000 to 3100 Hz stays between k * 3000 and k * 3100 Hz; its aliases do not.
    for (const std::string shape : {"saw", "square", "triangle"}) {
        NodeBench bench = oscillator(shape, 3'000.0F);
        bench.pass(256);
        bench.set("frequency_hz", 3'100.0F, kCount);
        std::vector<float> signal = bench.render_channel(kCount);
        Spectrum lines(signal.begin(), signal.end());
        for (std::size_t n = 0; n < kCount; ++n) {
            const double x = 2.0 * static_cast<double>(n) / kCount - 1.0;
            lines[n] *= std::cyl_bessel_i(0.0, 16.0 * std::sqrt(1.0 - x * x));
        }
        test::fft(lines);
        double tone = 0.0;
        double rest = 0.0;
        for (std::size_t line = 0; line < kCount / 2; ++line) {
            const double hz = static_cast<double>(line) * kRate / kCount;
            const double k = std::floor(hz / 2'975.0);
            const bool of_tone = k >= 1.0 && hz < k * 3'100.0 + 25.0;
            (of_tone ? tone : rest) += std::norm(lines[line]);
        }
        EXPECT_LT(10.0 * std::log10(rest / tone), kAliasDb) << shape;
    }
}

TEST(OscillatorNode, GlidesWithoutAClick) {
    // Six octaves in 20 ms and back. No curvature exceeds that of the steepest waveform on the way.
    for (const std::string shape : {"saw", "square", "triangle"}) {
        double bend = 0.0;
        for (float frequency_hz = 50.0F; frequency_hz < 3'200.0F; frequency_hz *= 1.01F) {
            NodeBench steady = oscillator(shape, frequency_hz);
            bend = std::max(bend, test::largest_second_difference(steady.render_channel(1'024)).size);
        }
        NodeBench bench = oscillator(shape, 50.0F);
        std::vector<float> out = bench.render_channel(1'024);
        for (const float target_hz : {3'200.0F, 50.0F}) {
            bench.set("frequency_hz", target_hz);
            const std::vector<float> more = bench.render_channel(2'048);
            out.insert(out.end(), more.begin(), more.end());
        }
        EXPECT_LT(test::largest_second_difference(out).size, 1.1 * bend) << shape;
        EXPECT_LT(test::peak(out), 1.2) << shape;
    }
}

TEST(OscillatorNode, KeepsItsStepsCleanWhenThePulseOutgrowsThePhase) {
    // At 1 Hz, half-way through the cycle, the pulse width grows beyond the phase and shrinks again: the waveform steps
    // up and down with the usual slope.
    NodeBench bench = oscillator("square", 1.0F, 0.1F);
    std::vector<float> begin = bench.render_channel(23'808);
    const double bend = test::largest_second_difference(begin).size;
    bench.set("pulse_width", 0.9F);
    std::vector<float> out = bench.render_channel(2'048);
    EXPECT_NEAR(out.back(), 0.2, 1e-4) << "high, less the mean";
    bench.set("pulse_width", 0.1F);
    const std::vector<float> more = bench.render_channel(2'048);
    EXPECT_NEAR(more.back(), -0.2, 1e-4) << "low, less the mean";
    out.insert(out.end(), more.begin(), more.end());
    EXPECT_LT(test::largest_second_difference(out).size, 1.1 * bend);
}

TEST(OscillatorNode, HasNoDcAtAnyPulseWidth) {
    for (const float width : {0.01F, 0.3F, 0.8F, 0.99F}) {
        NodeBench bench = oscillator("square", 375.0F, width);  // 128 frames
        double sum = 0.0;
        for (const float sample : bench.render_channel(12'800)) sum += static_cast<double>(sample);
        EXPECT_LT(std::fabs(sum / 12'800.0), 1e-6) << width;
    }
}

TEST(OscillatorNode, HasThePeakOfANarrowPulseThatItsHelpStates) {
    // Low enough that the pulse is wider than the filter. Each of its two steps of height 2 overshoots by up to 9%.
    for (const float width : {0.01F, 0.05F, 0.5F, 0.95F, 0.99F}) {
        NodeBench bench = oscillator("square", 3.0F, width);
        const std::vector<float> out = bench.render_channel(48'000);
        const double high = 2.0 * std::max(1.0 - static_cast<double>(width), static_cast<double>(width));
        EXPECT_GT(test::peak(out), high) << width;
        EXPECT_LT(test::peak(out), high + 0.18) << width;
    }
}

TEST(OscillatorNode, IsASawOf440HzAtMinus20DbByDefault) {
    NodeBench bench{*builtin_nodes().find("oscillator")};
    const std::vector<float> out = bench.render_channel(48'000);
    EXPECT_NEAR(test::amplitude_at(out, kRate, 440.0), 0.1 * 2.0 / std::numbers::pi, 1e-6);
    EXPECT_NEAR(test::amplitude_at(out, kRate, 880.0), 0.1 * 1.0 / std::numbers::pi, 1e-6);
}

TEST(OscillatorNode, FollowsARampOfItsLevelAndIsSilentAtMinus120Db) {
    NodeBench still = oscillator("saw", 500.0F);
    NodeBench moving = oscillator("saw", 500.0F);
    moving.set("gain_db", -120.0F, 960);
    const std::vector<float> full = still.render_channel(1'280);
    const std::vector<float> fading = moving.render_channel(1'280);
    for (std::size_t n = 0; n < full.size(); ++n) {
        const double gain = 1.0 - std::min(1.0, static_cast<double>(n) / 960.0);
        ASSERT_NEAR(fading[n], full[n] * gain, 2e-7) << n;
    }
    for (const float sample : moving.render_channel(256)) ASSERT_EQ(sample, 0.0F);
}

TEST(OscillatorNode, CarriesTheSameToneOnEveryChannel) {
    NodeBench bench = oscillator("square", 440.0F, 0.3F, 3);
    const NodeBench::Recording recording = bench.render(2'048);
    ASSERT_EQ(recording.size(), 3U);
    for (const std::vector<float>& channel : recording) EXPECT_EQ(channel, recording[0]);
}

TEST(OscillatorNode, StaysWithinBoundsUpToHalfTheSampleRate) {
    for (const std::string shape : {"saw", "square", "triangle"}) {
        for (const float frequency_hz : {18'000.0F, 22'000.0F, 23'999.0F, 24'000.0F}) {
            NodeBench bench = oscillator(shape, frequency_hz);
            EXPECT_LT(test::peak(bench.render_channel(8'192)), 1.4) << shape << ", " << frequency_hz;
        }
    }
}

}  // namespace
}  // namespace rta::test::oscillator_test
