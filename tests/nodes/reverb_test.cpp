// SPDX-License-Identifier: MIT
// Measures impulse responses: decay by Schroeder integration (JASA 37(3), 1965), echo density after J. S. Abel and P.
// Huang, "A simple, robust measure of reverberation echo density" (AES 121st Convention, 2006).
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numbers>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "dsp/low_cut.h"
#include "support/analysis.h"
#include "support/node_bench.h"

namespace rta::test::reverb_test {
namespace {

using test::NodeBench;
using Parameters = std::map<std::string, float, std::less<>>;
using Spectrum = std::vector<std::complex<double>>;

constexpr double kRate = 48'000.0;

/// Renders the wet signal only, unless `parameters` set the mix.
NodeBench reverb(Parameters parameters, const NodeBench::Signal& signal, double channels = 2) {
    NodeBench::Options options;
    parameters.try_emplace("mix", 1.0F);
    options.parameters = std::move(parameters);
    options.signal = signal;
    return NodeBench{*builtin_nodes().find("reverb"), {{"channels", channels}}, options};
}

float impulse(std::uint32_t, std::uint32_t, std::uint64_t frame) { return frame == 0 ? 1.0F : 0.0F; }

/// Returns the impulse response. Its length is a power of two.
NodeBench::Recording response(const Parameters& parameters, double seconds, double channels = 2) {
    std::size_t frames = 1;
    while (static_cast<double>(frames) < seconds * kRate) frames *= 2;
    NodeBench bench = reverb(parameters, impulse, channels);
    return bench.render(frames);
}

Spectrum spectrum_of(const std::vector<float>& signal) {
    Spectrum lines(signal.begin(), signal.end());
    test::fft(lines);
    return lines;
}

/// Returns the envelope of a band: a band-pass of the given width in octaves around `center_hz`, with cosine edges.
std::vector<double> band_of(Spectrum lines, double center_hz, double octaves) {
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const double hz = kRate * static_cast<double>(i) / static_cast<double>(lines.size());
        const double away = hz == 0.0 ? 1.0 : std::fabs(std::log2(hz / center_hz)) / octaves;
        // The transform of the conjugate is the inverse transform, up to a scale. Half of the spectrum yields the
        // signal and its quadrature.
        lines[i] = away < 1.0 ? std::conj(lines[i]) * (0.5 + 0.5 * std::cos(std::numbers::pi * away)) : 0.0;
    }
    test::fft(lines);
    std::vector<double> band;
    band.reserve(lines.size());
    for (const std::complex<double>& value : lines) band.push_back(std::abs(value));
    return band;
}

/// Returns the decay time for 60 dB, measured from -5 to -35 dB of the remaining energy.
double decay_s(const std::vector<double>& signal) {
    std::vector<double> to_come(signal.size() + 1);
    for (std::size_t n = signal.size(); n-- > 0;) to_come[n] = to_come[n + 1] + signal[n] * signal[n];
    const auto frame_at = [&](double db) {
        const double energy = to_come[0] * std::pow(10.0, db / 10.0);
        return std::ranges::find_if(to_come, [&](double rest) { return rest < energy; }) - to_come.begin();
    };
    return 2.0 * static_cast<double>(frame_at(-35.0) - frame_at(-5.0)) / kRate;
}

TEST(ReverbNode, DecaysInTheTimeAskedFor) {
    for (const float decay : {0.4F, 2.0F, 8.0F}) {
        for (const float size : {0.1F, 0.5F, 1.0F}) {
            const NodeBench::Recording recording = response(
                {{"decay_s", decay}, {"size", size}, {"damping_hz", 20'000.0F}}, 1.1 * static_cast<double>(decay));
            double sum = 0.0;
            int count = 0;
            std::vector<Spectrum> spectra;
            for (const std::vector<float>& channel : recording) spectra.push_back(spectrum_of(channel));
            for (const double hz : {250.0, 500.0, 1'000.0, 2'000.0}) {
                // The measured decay time of noise within this bandwidth has a relative standard deviation of 0.87 /
                // sqrt(bandwidth * decay) (ISO 3382, annex A).
                const double deviation = 0.87 / std::sqrt(0.35 * hz * static_cast<double>(decay));
                for (const Spectrum& spectrum : spectra) {
                    const double ratio = decay_s(band_of(spectrum, hz, 0.5)) / static_cast<double>(decay);
                    EXPECT_NEAR(ratio, 1.0, 0.05 + 3.0 * deviation)
                        << decay << " s, size " << size << ", " << hz << " Hz";
                    sum += ratio;
                    ++count;
                }
            }
            RecordProperty("ratio_" + std::to_string(decay) + "_" + std::to_string(size), std::to_string(sum / count));
            EXPECT_NEAR(sum / count, 1.0, 0.1) << decay << " s, size " << size;
        }
    }
}

TEST(ReverbNode, DecaysTwiceAsFastAtTheDampingFrequency) {
    for (const double damping_hz : {1'000.0, 4'000.0, 10'000.0}) {
        const NodeBench::Recording recording =
            response({{"decay_s", 3.0F}, {"damping_hz", static_cast<float>(damping_hz)}}, 3.0);
        const Spectrum spectrum = spectrum_of(recording[0]);
        EXPECT_NEAR(decay_s(band_of(spectrum, damping_hz, 0.1)) / 1.5, 1.0, 0.1) << damping_hz;
        EXPECT_NEAR(decay_s(band_of(spectrum, damping_hz / 8.0, 0.25)) / 3.0, 1.0, 0.1) << damping_hz;
    }
}

/// Returns the fraction of samples within 20 ms beyond the standard deviation, relative to that of noise.
double echo_density(const std::vector<float>& signal, double at_s) {
    constexpr std::size_t kHalf = 480;
    const auto middle = static_cast<std::size_t>(at_s * kRate);
    const std::vector<float> window(signal.begin() + static_cast<std::ptrdiff_t>(middle - kHalf),
                                    signal.begin() + static_cast<std::ptrdiff_t>(middle + kHalf));
    const double deviation = test::rms(window);
    const auto beyond = std::ranges::count_if(window, [&](float x) { return std::fabs(x) > deviation; });
    return static_cast<double>(beyond) / (2.0 * kHalf) / std::erfc(1.0 / std::sqrt(2.0));
}

TEST(ReverbNode, IsAsDenseAsNoiseSoonAfterItsFirstEcho) {
    // Size 0.5: the first echo arrives after 13.5 ms, and the longest line is 45 ms.
    for (const auto& [size, dense_s] : {std::pair{0.1F, 0.04}, std::pair{0.5F, 0.1}, std::pair{1.0F, 0.16}}) {
        for (const std::vector<float>& channel :
             response({{"size", size}, {"pre_delay_ms", 0.0F}, {"damping_hz", 20'000.0F}}, 1.0)) {
            double sum = 0.0;
            int windows = 0;
            for (double at_s = dense_s; at_s < dense_s + 0.4; at_s += 0.01, ++windows) {
                const double density = echo_density(channel, at_s);
                EXPECT_GT(density, 0.8) << "size " << size << ", " << at_s << " s";
                sum += density;
            }
            EXPECT_NEAR(sum / windows, 1.0, 0.05) << size;
        }
    }
}

/// Returns the energy in third-octave bands from 100 Hz to 10 kHz.
std::vector<double> thirds_of(const std::vector<float>& signal) {
    const Spectrum lines = spectrum_of(signal);
    std::vector<double> thirds;
    for (double low_hz = 100.0; low_hz < 10'000.0; low_hz *= std::cbrt(2.0)) {
        const auto line_of = [&](double hz) {
            return static_cast<std::size_t>(hz / kRate * static_cast<double>(lines.size()));
        };
        double energy = 0.0;
        for (std::size_t i = line_of(low_hz); i < line_of(low_hz * std::cbrt(2.0)); ++i) energy += std::norm(lines[i]);
        thirds.push_back(energy / low_hz);
    }
    return thirds;
}

TEST(ReverbNode, MayBeAddedUpToMono) {
    for (const float size : {0.1F, 0.5F, 1.0F}) {
        const NodeBench::Recording recording = response({{"size", size}}, 2.5);
        std::vector<float> sum;
        for (std::size_t n = 0; n < recording[0].size(); ++n) sum.push_back(recording[0][n] + recording[1][n]);
        const std::vector<double> left = thirds_of(recording[0]);
        const std::vector<double> right = thirds_of(recording[1]);
        const std::vector<double> both = thirds_of(sum);
        double mono = 0.0;
        double stereo = 0.0;
        for (std::size_t third = 0; third < both.size(); ++third) {
            // The smallest room has few resonances in the narrowest bands.
            EXPECT_GT(10.0 * std::log10(both[third] / (left[third] + right[third])), size < 0.5F ? -5.0 : -3.0)
                << "size " << size << ", band " << third;
            mono += both[third];
            stereo += left[third] + right[third];
        }
        EXPECT_NEAR(10.0 * std::log10(mono / stereo), 0.0, 0.5) << size;
        EXPECT_NEAR(test::db_from_gain(test::rms(recording[0]) / test::rms(recording[1])), 0.0, 0.5)
            << "left and right differ";
    }
}

TEST(ReverbNode, ColorsLittle) {
    for (const double channels : {1.0, 2.0}) {
        for (const float size : {0.1F, 0.5F, 1.0F}) {
            const std::vector<float> left = response({{"size", size}, {"damping_hz", 20'000.0F}}, 2.5, channels)[0];
            const std::vector<double> thirds = thirds_of(left);
            const auto [least, most] = std::ranges::minmax(thirds);
            // A small room has few, audible resonances at 100 Hz.
            EXPECT_LT(10.0 * std::log10(most / least), size < 0.5F ? 12.0 : 6.0)
                << "size " << size << ", " << channels << " channels";
        }
    }
}

/// Highest gain of any channel below 20 Hz, and the gains in the bands above, in dB.
struct LowEnd {
    double below_20_hz = -400.0;
    double at_0_hz = -400.0;
};

/// Equal inputs on all channels. At the lowest sample rate, since the resonances depend on the lengths of the lines in
/// milliseconds only and the longest decay takes a minute.
LowEnd low_end_of(Parameters parameters, double channels) {
    constexpr double kLowRate = 8'000.0;
    NodeBench::Options options;
    parameters["mix"] = 1.0F;
    options.parameters = std::move(parameters);
    options.signal = impulse;
    options.sample_rate_hz = kLowRate;
    options.block_size = 1'024;
    NodeBench bench{*builtin_nodes().find("reverb"), {{"channels", channels}}, options};
    LowEnd found;
    for (const std::vector<float>& channel :
         bench.render(options.parameters["decay_s"] > 10.0F ? 1U << 19U : 1U << 15U)) {
        const Spectrum lines = spectrum_of(channel);
        found.at_0_hz = std::max(found.at_0_hz, test::db_from_gain(std::abs(lines[0]) + 1e-20));
        for (std::size_t i = 0; static_cast<double>(i) * kLowRate < 20.0 * static_cast<double>(lines.size()); ++i)
            found.below_20_hz = std::max(found.below_20_hz, test::db_from_gain(std::abs(lines[i]) + 1e-20));
    }
    return found;
}

TEST(ReverbNode, HasNoGainBelow20HzAtTheEndsOfItsRanges) {
    LowEnd highest;
    for (const double channels : {1.0, 2.0}) {
        for (const float decay : {0.1F, 2.0F, 60.0F}) {
            for (const float size : {0.1F, 0.13F, 0.17F, 0.21F, 0.27F, 0.35F, 0.5F, 0.7F, 1.0F}) {
                for (const float damping_hz : {200.0F, 3'920.0F}) {
                    // At these frequencies the damping does nothing; the longest decay takes long to render.
                    if (decay > 10.0F && (damping_hz < 1'000.0F || (channels > 1.0 && size > 0.15F))) continue;
                    const LowEnd found =
                        low_end_of({{"decay_s", decay}, {"size", size}, {"damping_hz", damping_hz}}, channels);
                    EXPECT_LT(found.below_20_hz, 0.0) << channels << " channels, " << decay << " s, size " << size
                                                      << ", damping " << damping_hz << " Hz";
                    EXPECT_LT(found.at_0_hz, -40.0) << channels << " channels, " << decay << " s, size " << size;
                    highest.below_20_hz = std::max(highest.below_20_hz, found.below_20_hz);
                    highest.at_0_hz = std::max(highest.at_0_hz, found.at_0_hz);
                }
            }
        }
    }
    RecordProperty("highest_gain_below_20_hz_db", std::to_string(highest.below_20_hz));
    RecordProperty("highest_gain_at_0_hz_db", std::to_string(highest.at_0_hz));
}

TEST(ReverbNode, KeepsWhatIsAudibleAbove40Hz) {
    // The high-pass alone, as part of a reverb whose gain at other frequencies is that of its resonances.
    for (const double rate_hz : {8'000.0, 48'000.0, 192'000.0}) {
        dsp::LowCut low_cut{rate_hz};
        std::vector<float> response(1U << 19U);
        response[0] = 1.0F;
        low_cut.process(response, response);
        const auto gain_db = [&](double frequency_hz) {
            std::complex<double> sum = 0.0;
            const std::complex<double> turn = std::polar(1.0, -2.0 * std::numbers::pi * frequency_hz / rate_hz);
            for (std::size_t n = response.size(); n-- > 0;) sum = sum * turn + static_cast<double>(response[n]);
            return test::db_from_gain(std::abs(sum) + 1e-12);
        };
        for (const double frequency_hz : {0.0, 1.0, 5.0, 12.0, 17.0, 20.0}) EXPECT_LT(gain_db(frequency_hz), -27.9);
        EXPECT_LT(gain_db(0.0), -100.0);
        EXPECT_NEAR(gain_db(26.6), -3.0, 0.3) << rate_hz;
        EXPECT_NEAR(gain_db(40.0), -0.02, 0.01) << rate_hz;
        for (const double frequency_hz : {50.0, 63.0, 100.0, 1'000.0, 3'500.0})
            EXPECT_NEAR(gain_db(frequency_hz), 0.0, 0.01) << frequency_hz << " Hz at " << rate_hz;
    }
}

TEST(ReverbNode, HearsEitherSideAlike) {
    for (const std::uint32_t side : {0U, 1U}) {
        NodeBench bench = reverb({}, [=](std::uint32_t, std::uint32_t channel, std::uint64_t frame) {
            return channel == side && frame == 0 ? 1.0F : 0.0F;
        });
        const NodeBench::Recording recording = bench.render(1U << 17U);
        EXPECT_NEAR(test::db_from_gain(test::rms(recording[0]) / test::rms(recording[1])), 0.0, 1.5) << side;
    }
}

TEST(ReverbNode, BeginsAfterItsPreDelayAndItsShortestLine) {
    for (const float pre_delay_ms : {0.0F, 10.0F, 250.0F}) {
        const std::vector<float> out = response({{"pre_delay_ms", pre_delay_ms}}, 1.0, 1)[0];
        const auto first = std::ranges::find_if(out, [](float sample) { return sample != 0.0F; }) - out.begin();
        EXPECT_EQ(first, 48 * static_cast<int>(pre_delay_ms) + 649);  // 1297 / 2, rounded
    }
}

TEST(ReverbNode, IsTheInputItselfAtMix0) {
    const auto signal = [](std::uint32_t, std::uint32_t channel, std::uint64_t frame) {
        return static_cast<float>((frame * 7'919 + channel * 31) % 1'009) / 1'009.0F - 0.5F;
    };
    NodeBench bench = reverb({{"mix", 0.0F}}, signal);
    const NodeBench::Recording recording = bench.render(4'096);
    for (std::uint32_t channel = 0; channel < 2; ++channel) {
        for (std::size_t n = 0; n < 4'096; ++n) ASSERT_EQ(recording[channel][n], signal(0, channel, n));
    }
}

TEST(ReverbNode, IsAsLoudForEveryDecayAndStableAtAllExtremes) {
    std::vector<float> white;  // of all runs
    std::mt19937 random{1};
    std::uniform_real_distribution<float> sample{-1.0F, 1.0F};
    while (white.size() < 1'200'000) white.push_back(sample(random));
    for (const float decay : {0.1F, 2.0F, 60.0F}) {
        for (const float size : {0.1F, 1.0F}) {
            for (const float damping_hz : {200.0F, 20'000.0F}) {
                std::size_t next = 0;
                bool on = true;
                NodeBench bench = reverb(
                    {{"decay_s", decay}, {"size", size}, {"damping_hz", damping_hz}},
                    [&](std::uint32_t, std::uint32_t, std::uint64_t) { return on ? white[next++] : 0.0F; }, 1);
                // Long enough to be steady: after T the power is 1 - 10^(-6 T / decay).
                bench.pass(static_cast<std::uint64_t>(kRate * std::min(20.0, 0.2 + static_cast<double>(decay))));
                const double level_db = test::db_from_gain(test::rms(bench.render_channel(96'000)) * std::sqrt(3.0));
                if (damping_hz > 10'000.0F && decay >= 2.0F) {
                    EXPECT_NEAR(level_db, -1.5, 3.0) << decay << " s, size " << size;
                }
                EXPECT_LT(level_db, 1.5) << decay << " s, size " << size << ", " << damping_hz << " Hz";
                on = false;
                bench.pass(48'000);
                EXPECT_LT(test::db_from_gain(test::rms(bench.render_channel(4'800)) * std::sqrt(3.0) + 1e-30),
                          std::max(level_db - 50.0 / static_cast<double>(decay) + 3.0, -280.0))
                    << decay << " s, size " << size << ", " << damping_hz << " Hz: no decay";
            }
        }
    }
}

/// Pink noise after Voss and McCartney: a sum of white noises held for 1, 2, 4, ... frames; about -14 dB.
class PinkNoise {
 public:
    float next() {
        for (std::size_t row = 0; row < rows_.size(); ++row) {
            if (frame_ % (std::uint64_t{1} << row) == 0) rows_[row] = white_(random_);
        }
        ++frame_;
        return std::accumulate(rows_.begin(), rows_.end(), 0.0F);
    }

 private:
    std::mt19937 random_{1};
    std::uniform_real_distribution<float> white_{-0.1F, 0.1F};
    std::array<float, 12> rows_{};
    std::uint64_t frame_ = 0;
};

/// Returns the highest level within 10 ms.
double loudest(const std::vector<float>& signal) {
    double most = 0.0;
    for (std::size_t first = 0; first + 480 <= signal.size(); first += 480)
        most = std::max(most, test::rms(std::span{signal}.subspan(first, 480)));
    return most;
}

TEST(ReverbNode, KeepsTheLevelOfWhatRingsWhenItsRoomChanges) {
    struct Move {
        const char* parameter;
        float from;
        float to;
        Parameters others;
    };
    const std::vector<Move> moves{{"decay_s", 60.0F, 0.1F, {}},
                                  {"decay_s", 0.1F, 60.0F, {}},
                                  {"decay_s", 10.0F, 0.3F, {}},
                                  {"decay_s", 0.1F, 60.0F, {{"size", 1.0F}}},
                                  {"size", 0.1F, 1.0F, {{"decay_s", 60.0F}}},
                                  {"size", 1.0F, 0.1F, {{"decay_s", 60.0F}}},
                                  {"size", 1.0F, 0.1F, {{"decay_s", 0.1F}}},
                                  {"size", 0.1F, 1.0F, {{"decay_s", 0.1F}}},
                                  {"damping_hz", 200.0F, 20'000.0F, {{"decay_s", 10.0F}}}};
    std::vector<float> pink;  // of all runs
    PinkNoise pink_noise;
    while (pink.size() < 1'200'000) pink.push_back(pink_noise.next());
    for (const Move& move : moves) {
        for (const std::uint64_t silent_before : {0U, 6'240U}) {  // 130 ms
            std::size_t next = 0;
            bool on = true;
            Parameters parameters = move.others;
            parameters[move.parameter] = move.from;
            NodeBench bench = reverb(
                parameters, [&](std::uint32_t, std::uint32_t, std::uint64_t) { return on ? pink[next++] : 0.0F; }, 1);
            bench.pass(480'000);
            const std::vector<float> steady = bench.render_channel(48'000);
            if (silent_before != 0) {
                on = false;
                bench.pass(silent_before);
            }
            bench.set(move.parameter, move.to);
            const std::vector<float> out = bench.render_channel(48'000);
            bench.pass(480'000);
            const std::vector<float> after = bench.render_channel(48'000);
            // The level does not change while a control moves: it is at most that of one of the two end points,
            // plus 3 dB for the randomness of noise.
            const std::string name = std::string{move.parameter} + "_" + std::to_string(move.from) + "_to_" +
                                     std::to_string(move.to) + "_" + std::to_string(silent_before) + "_" +
                                     std::to_string(&move - moves.data());
            const double peak_db =
                test::db_from_gain(test::peak(out) / std::max(test::peak(steady), test::peak(after)));
            const double level_db = test::db_from_gain(loudest(out) / std::max(loudest(steady), loudest(after)));
            RecordProperty(name, std::to_string(level_db) + ", peak " + std::to_string(peak_db));
            EXPECT_LT(peak_db, 3.0) << name;
            EXPECT_LT(level_db, 3.0) << name;
        }
    }
}

TEST(ReverbNode, EndsInSilenceWithoutDenormalsAndBeginsAnew) {
    // Without protection against denormals, as in WebAssembly.
    NodeBench bench = reverb({{"decay_s", 0.2F}}, impulse);
    const NodeBench::Recording first = bench.render(96'000);
    for (const std::vector<float>& channel : first) {
        for (const float sample : channel) ASSERT_NE(std::fpclassify(sample), FP_SUBNORMAL);
        EXPECT_NE(*std::max_element(channel.begin(), channel.end()), 0.0F);
        for (std::size_t n = channel.size() - 4'800; n < channel.size(); ++n) ASSERT_EQ(channel[n], 0.0F) << n;
    }
    const std::uint64_t again = bench.frame();
    bench.feed([=](std::uint32_t, std::uint32_t, std::uint64_t frame) { return frame == again ? 1.0F : 0.0F; });
    EXPECT_EQ(bench.render(96'000), first);
}

TEST(ReverbNode, ChangesWithoutAClick) {
    // A tone of 100 Hz at full scale has a curvature of (2 pi 100 / 48000)^2 per frame; the reverb does not make
    // it louder. A change of size moves every echo.
    const auto tone = [](std::uint32_t, std::uint32_t, std::uint64_t frame) {
        return static_cast<float>(std::sin(2.0 * std::numbers::pi * static_cast<double>(frame % 480) / 480.0));
    };
    for (const auto& [name, values] :
         {std::pair{"size", std::vector{0.1F, 1.0F, 0.3F}}, std::pair{"pre_delay_ms", std::vector{0.0F, 250.0F, 20.0F}},
          std::pair{"decay_s", std::vector{0.1F, 60.0F, 1.0F}},
          std::pair{"damping_hz", std::vector{200.0F, 20'000.0F, 900.0F}}}) {
        NodeBench bench = reverb({}, tone, 1);
        bench.pass(96'000);
        double largest = 0.0;
        double peak = test::peak(bench.render_channel(4'800));
        for (const float value : values) {
            bench.set(name, value);
            const std::vector<float> out = bench.render_channel(9'600);
            largest = std::max(largest, test::largest_second_difference(out).size);
            peak = std::max(peak, test::peak(out));
        }
        const double angle = 2.0 * std::numbers::pi * 100.0 / kRate;
        RecordProperty(std::string{name} + "_bend", std::to_string(largest / (angle * angle * peak)));
        // A ramp of 960 frames has a corner at each end and may be steeper in places; a step would have 240 times that
        // curvature.
        EXPECT_LT(largest, (2.0 * angle * angle + 4.0 / 960.0) * peak) << name;
    }
}

}  // namespace
}  // namespace rta::test::reverb_test
