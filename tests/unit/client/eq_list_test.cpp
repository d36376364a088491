// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <cstdint>
#include <numbers>
#include <random>

#include "rtactl/language/eq_list.h"

namespace rta::test {
namespace {

using rtactl::EqFilter;
using rtactl::EqList;

constexpr double kRateHz = 48'000.0;

EqList parse(const std::string& text) {
    auto list = rtactl::parse_eq_list(text, kRateHz);
    if (!list) ADD_FAILURE() << text << ": " << list.error();
    return list ? std::move(*list) : EqList{};
}

EqFilter parse_one(const std::string& line) {
    const EqList list = parse(line);
    if (list.filters.size() != 1) ADD_FAILURE() << line << ": " << list.filters.size() << " filters";
    return list.filters.empty() ? EqFilter{} : list.filters.front();
}

std::string error_of(const std::string& text) {
    const auto list = rtactl::parse_eq_list(text, kRateHz);
    return list ? "no error" : list.error();
}

TEST(EqList, ReadsAutoEq) {
    const EqList list = parse(
        "Preamp: -6.2 dB\n"
        "Filter 1: ON LSC Fc 105 Hz Gain 5.9 dB Q 0.70\n"
        "Filter 2: ON PK Fc 186 Hz Gain -2.6 dB Q 0.58\n"
        "Filter 3: ON HSC Fc 10000 Hz Gain -4.4 dB Q 0.70\n");
    EXPECT_EQ(list.preamp_db, -6.2);
    ASSERT_EQ(list.filters.size(), 3U);
    EXPECT_EQ(list.filters[0].kind, "low_shelf");
    EXPECT_EQ(list.filters[0].frequency_hz, 105.0);
    EXPECT_EQ(list.filters[0].gain_db, 5.9);
    EXPECT_EQ(list.filters[0].q, 0.70);
    EXPECT_EQ(list.filters[1].kind, "peaking");
    EXPECT_EQ(list.filters[1].gain_db, -2.6);
    EXPECT_EQ(list.filters[1].line, 3U);
    EXPECT_EQ(list.filters[2].kind, "high_shelf");
    EXPECT_TRUE(list.warnings.empty());
}

TEST(EqList, ReadsEveryKind) {
    for (const auto& [line, kind, q] : std::initializer_list<std::tuple<const char*, const char*, double>>{
             {"PK Fc 1000 Hz Gain 1 dB Q 2", "peaking", 2.0},
             {"PEQ Fc 1000 Hz Gain 1 dB Q 2", "peaking", 2.0},
             {"Modal Fc 1000 Hz Gain 1 dB Q 5.41 T60 target 100 ms", "peaking", 5.41},
             {"LP Fc 1000 Hz", "lowpass", std::sqrt(0.5)},
             {"LPQ Fc 1000 Hz Q 0.4", "lowpass", 0.4},
             {"LP1 Fc 1000 Hz", "lowpass_1", std::sqrt(0.5)},
             {"HP1 Fc 1000 Hz", "highpass_1", std::sqrt(0.5)},
             {"LP Q Fc 1000 Hz Q 0.4", "lowpass", 0.4},
             {"HP Fc 1000 Hz", "highpass", std::sqrt(0.5)},
             {"HPQ Fc 1000 Hz Q 0.5", "highpass", 0.5},
             {"HP Q Fc 1000 Hz Q 0.5", "highpass", 0.5},
             {"BP Fc 1000 Hz", "bandpass_peak", std::sqrt(0.5)},
             {"BP Fc 1000 Hz Q 3", "bandpass_peak", 3.0},
             {"NO Fc 1000 Hz", "notch", 30.0},
             {"NO Fc 1000 Hz Q 7", "notch", 7.0},
             {"Notch Fc 1000 Hz", "notch", 30.0},
             {"Notch Q Fc 1000 Hz Q 5", "notch", 5.0},
             {"AP Fc 900 Hz Q 0.707", "allpass", 0.707},
             {"All pass Fc 900 Hz Q 0.707", "allpass", 0.707},
             {"LSC Fc 1000 Hz Gain 1 dB Q 0.6", "low_shelf", 0.6},
             {"LSQ Fc 1000 Hz Gain 1 dB Q 0.6", "low_shelf", 0.6},
             {"HS Q Fc 1000 Hz Gain 1 dB Q 0.6", "high_shelf", 0.6},
             {"pk q 2 gain +1 dB fc 1 khz", "peaking", 2.0},
         }) {
        const EqFilter filter = parse_one(std::string{"Filter: ON "} + line);
        EXPECT_EQ(filter.kind, kind) << line;
        EXPECT_DOUBLE_EQ(filter.q, q) << line;
        EXPECT_GE(filter.frequency_hz, 900.0) << line;
    }
}

TEST(EqList, LeavesOutFiltersThatAreOff) {
    const EqList list = parse(
        "Filter 1: OFF PK Fc 2000 Hz Gain -15 dB Q 2\nFilter 2: ON None\nFilter 3: OFF None\n"
        "Filter 4:ON PK Fc 100 Hz Gain 1 dB Q 1");
    ASSERT_EQ(list.filters.size(), 1U);
    EXPECT_EQ(list.filters[0].line, 4U);
}

/// Magnitude of a shelf of slope S as the cookbook writes it, with its own alpha: independent of the conversion to Q.
double shelf_db(bool low, double slope, double gain_db, double corner_hz, double frequency_hz) {
    const double a = std::pow(10.0, gain_db / 40.0);
    const double w = 2.0 * std::numbers::pi * corner_hz / kRateHz;
    const double alpha = std::sin(w) / 2.0 * std::sqrt((a + 1.0 / a) * (1.0 / slope - 1.0) + 2.0);
    const double s = low ? 1.0 : -1.0;
    const double root = 2.0 * std::sqrt(a) * alpha;
    const double cosine = std::cos(w);
    const std::complex<double> z = std::polar(1.0, -2.0 * std::numbers::pi * frequency_hz / kRateHz);
    const auto numerator =
        a * ((a + 1.0 - s * (a - 1.0) * cosine + root) + s * 2.0 * (a - 1.0 - s * (a + 1.0) * cosine) * z +
             (a + 1.0 - s * (a - 1.0) * cosine - root) * z * z);
    const auto denominator = (a + 1.0 + s * (a - 1.0) * cosine + root) -
                             s * 2.0 * (a - 1.0 + s * (a + 1.0) * cosine) * z +
                             (a + 1.0 + s * (a - 1.0) * cosine - root) * z * z;
    return 20.0 * std::log10(std::abs(numerator / denominator));
}

/// The same with Q, as the daemon computes it.
double shelf_with_q_db(bool low, const EqFilter& filter, double frequency_hz) {
    const double a = std::pow(10.0, filter.gain_db / 40.0);
    const double inverse = 1.0 / (filter.q * filter.q);
    const double slope = 1.0 / ((inverse - 2.0) / (a + 1.0 / a) + 1.0);
    return shelf_db(low, slope, filter.gain_db, filter.frequency_hz, frequency_hz);
}

TEST(EqList, ConvertsTheSlopeOfAShelfToQ) {
    for (const double gain_db : {-20.0, -6.0, 0.5, 6.0, 20.0}) {
        for (const double slope_db : {1.0, 6.0, 10.8, 12.0}) {
            for (const bool low : {true, false}) {
                const std::string line = std::string{"Filter: ON "} + (low ? "LSC " : "HSC ") +
                                         std::to_string(slope_db) + " dB Fc 300 Hz Gain " + std::to_string(gain_db) +
                                         " dB";
                const EqFilter filter = parse_one(line);
                EXPECT_EQ(filter.frequency_hz, 300.0);
                for (const double frequency_hz : {20.0, 150.0, 300.0, 900.0, 20'000.0}) {
                    EXPECT_NEAR(shelf_with_q_db(low, filter, frequency_hz),
                                shelf_db(low, slope_db / 12.0, gain_db, 300.0, frequency_hz), 1e-9)
                        << line;
                }
            }
        }
    }
}

TEST(EqList, AShelfOf6DbPerOctaveIsOfFirstOrder) {
    // (s + A^2) / (s + 1) around the corner, which is the pole of a boost, and the zero of a cut.
    const EqFilter boost = parse_one("Filter: ON LS 6dB Fc 10 Hz Gain 12 dB");
    const double ratio = std::pow(10.0, 12.0 / 20.0);
    for (const double frequency_hz : {1.0, 10.0, 40.0, 200.0}) {  // far below the sample rate: as an analog filter
        const std::complex<double> s{0.0, frequency_hz / 10.0};
        EXPECT_NEAR(shelf_with_q_db(true, boost, frequency_hz), 20.0 * std::log10(std::abs((s + ratio) / (s + 1.0))),
                    2e-3)
            << frequency_hz;
    }
    const EqFilter cut = parse_one("Filter: ON LS 6dB Fc 10 Hz Gain -12 dB");
    EXPECT_DOUBLE_EQ(cut.frequency_hz, boost.frequency_hz);
    EXPECT_DOUBLE_EQ(cut.q, boost.q);
    EXPECT_LT(parse_one("Filter: ON HS 6dB Fc 9000 Hz Gain -12 dB").frequency_hz, 9000.0);
}

TEST(EqList, ShelvesWithoutAWidthHaveTheDefaultOfEqualizerApo) {
    const EqFilter filter = parse_one("Filter: ON LS Fc 300 Hz Gain 5 dB");
    EXPECT_EQ(filter.frequency_hz, 300.0);
    EXPECT_EQ(filter.q, parse_one("Filter: ON LSC 10.8 dB Fc 300 Hz Gain 5 dB").q);
    // A width makes the frequency a corner: with S = 1, the centre is |gain| / 80 decades away.
    EXPECT_NEAR(parse_one("Filter: ON LS 12dB Fc 100 Hz Gain 8 dB").frequency_hz, 100.0 * std::pow(10.0, 0.1), 1e-9);
    EXPECT_NEAR(parse_one("Filter: ON HS 12dB Fc 100 Hz Gain -8 dB").frequency_hz, 100.0 / std::pow(10.0, 0.1), 1e-9);
    EXPECT_NEAR(parse_one("Filter: ON HS Fc 100 Hz Gain 8 dB Q 0.70710678118654752").frequency_hz,
                100.0 / std::pow(10.0, 0.1), 1e-9)
        << "this Q is S = 1";
}

TEST(EqList, ConvertsABandwidthToQ) {
    for (const double octaves : {0.05, 0.5, 2.5, 5.0}) {
        for (const double frequency_hz : {20.0, 1'000.0, 20'000.0}) {
            const EqFilter filter = parse_one("Filter: ON PK Fc " + std::to_string(frequency_hz) +
                                              " Hz Gain 6 dB BW Oct " + std::to_string(octaves));
            const double w = 2.0 * std::numbers::pi * frequency_hz / kRateHz;
            const double alpha = std::sin(w) * std::sinh(std::log(2.0) / 2.0 * octaves * w / std::sin(w));
            EXPECT_NEAR(std::sin(w) / (2.0 * filter.q), alpha, 1e-12 * alpha + 1e-15) << octaves;
        }
    }
}

TEST(EqList, ReadsTheFilesOfRoomEqWizard) {
    const EqList list = parse(
        "Filter Settings file\r\n\r\nRoom EQ V5.20.13\r\nDated: 12-Mar-2024 19:58:30\r\n\r\nNotes:Full range\r\n\r\n"
        "Equaliser: Generic\r\nAverage\r\n"
        "Filter  1: ON  PK       Fc    63.8 Hz  Gain  -5.0 dB  Q 27.585\r\n"
        "Filter  2: ON  PK       Fc   2,011 Hz  Gain  -2.1 dB  Q  1.000\r\n"
        "Filter  3: ON  None\r\n");
    ASSERT_EQ(list.filters.size(), 2U);
    EXPECT_EQ(list.filters[0].q, 27.585);
    EXPECT_EQ(list.filters[0].line, 10U);
    EXPECT_EQ(list.filters[1].frequency_hz, 2011.0);
    EXPECT_EQ(list.filters[1].q, 1.0);
}

TEST(EqList, ReadsDecimalCommas) {
    const EqList list = parse(
        "Preamp: -6,25 dB\n"
        "Filter  1: ON  PK  Fc    50,0 Hz  Gain -10,0 dB  Q  2,500\n"
        "Filter  2: ON  LP  Fc   8.000 Hz\n"
        "Filter  3: ON  LP  Fc  1.234,5 Hz\n"
        "Filter  4: ON  PK  Q 2 Gain 1,5 dB Fc 1\xc2\xa0"
        "000 Hz\n"
        "Filter  5: ON  PK  Fc 63,125 Hz Gain \xe2\x88\x92"
        "1,5 dB Q 0,707\n");
    EXPECT_EQ(list.preamp_db, -6.25);
    ASSERT_EQ(list.filters.size(), 5U);
    EXPECT_EQ(list.filters[0].frequency_hz, 50.0);
    EXPECT_EQ(list.filters[0].gain_db, -10.0);
    EXPECT_EQ(list.filters[0].q, 2.5);
    EXPECT_EQ(list.filters[1].frequency_hz, 8000.0);
    EXPECT_EQ(list.filters[2].frequency_hz, 1234.5);
    EXPECT_EQ(list.filters[3].frequency_hz, 1000.0);
    EXPECT_EQ(list.filters[4].frequency_hz, 63.125);
    EXPECT_EQ(list.filters[4].gain_db, -1.5);
    EXPECT_EQ(list.filters[4].q, 0.707);
}

TEST(EqList, ReadsPointsAsTheRestOfTheFile) {
    const EqList list = parse("Filter: ON PK Fc 63.125 Hz Gain -5.5 dB Q 1\nFilter: ON LP Fc 12,000 Hz");
    EXPECT_EQ(list.filters[0].frequency_hz, 63.125);
    EXPECT_EQ(list.filters[1].frequency_hz, 12'000.0);
    EXPECT_EQ(error_of("Filter: ON LP Fc 8.000 Hz"),
              "line 1: Fc 8.000 is ambiguous: expected a frequency without a mark between thousands");
    EXPECT_EQ(parse_one("Filter: ON LP Fc 0.125 kHz").frequency_hz, 125.0) << "no group starts with 0";
}

TEST(EqList, AddsPreampsUpAndSkipsWhatChangesNoSound) {
    const EqList list = parse(
        "\xef\xbb\xbf# made by hand\n\nDevice: Headphones\nStage: post-mix\nChannel: all\n"
        "Preamp: -6dB  # head room\nPreamp: 1.5\n");
    EXPECT_EQ(list.preamp_db, -4.5);
    ASSERT_EQ(list.warnings.size(), 2U);
    EXPECT_EQ(list.warnings[0],
              "line 3: skipped \"Device: Headphones\": it selects where Equalizer APO applies the filters");
}

TEST(EqList, RefusesWhatItCannotHonour) {
    const std::string good = "Filter 1: ON PK Fc 105 Hz Gain -2.6 dB Q 0.70\n";
    for (const auto& [line, expected] : std::initializer_list<std::pair<const char*, const char*>>{
             {"Channel: L", "one file for each channel"},
             {"Include: more.txt", "cannot import \"Include: more.txt\""},
             {"Copy: L=R", "cannot import"},
             {"Delay: 5 ms", "cannot import"},
             {"GraphicEQ: 20 -1; 30 2", "parametric form"},
             {"Convolution: room.wav", "cannot import"},
             {"nonsense", "cannot import \"nonsense\""},
             {"Filter 2: ON IIR Order 2 Coefficients 1 0 0 1 0 0", "unsupported filter type \"IIR\""},
             {"Filter 2: ON L-T Fc 50 Hz Q 1.2 Fp 30 Qp 0.5", "unsupported filter type \"L\""},
             {"Filter 2: PK Fc 100 Hz Gain 1 dB Q 1", "expected ON or OFF instead of \"PK Fc"},
             {"Filter 2: ON PK Gain 1 dB Q 1", "Fc is missing"},
             {"Filter 2: ON PK Fc 100 Hz Q 1", "Gain is missing"},
             {"Filter 2: ON PK Fc 100 Hz Gain 1 dB", "expected Q or BW Oct"},
             {"Filter 2: ON AP Fc 100 Hz", "expected Q or BW Oct"},
             {"Filter 2: ON PK Fc 100 Hz Gain 1 dB Q 1 BW Oct 1", "not both"},
             {"Filter 2: ON PK Fc 100 Hz Fc 200 Hz Gain 1 dB Q 1", "given twice"},
             {"Filter 2: ON PK Fc 100 Hz Gain 1 dB Q 0", "greater than 0"},
             {"Filter 2: ON PK Fc 100 Hz Gain 1 dB Q -1", "greater than 0"},
             {"Filter 2: ON PK Fc x Hz Gain 1 dB Q 1", "Fc: expected a number instead of \"x Hz"},
             {"Filter 2: ON PK Fc 100 Hz Gain nan dB Q 1", "Gain: expected a number instead of \"nan"},
             {"Filter 2: ON PK Fc 100 Hz Gain 1 dB Q 1 loud", "unexpected \"loud\""},
             {"Filter 2: ON PK Fc 30000 Hz Gain 1 dB Q 1", "out of range; expected a frequency below half"},
             {"Filter 2: ON PK Fc 0 Hz Gain 1 dB Q 1", "out of range"},
             {"Filter 2: ON LSC Fc 100 Hz Gain 1 dB BW Oct 1", "a shelf has no bandwidth"},
             {"Filter 2: ON LSC 6 dB Fc 100 Hz Gain 1 dB Q 1", "not both"},
             {"Filter 2: ON LSC 0 dB Fc 100 Hz Gain 1 dB", "greater than 0 dB per octave"},
             {"Filter 2: ON LSC 48 dB Fc 100 Hz Gain 30 dB", "too steep"},
             {"Filter 2: ON PK Fc 100 Hz Gain 1 dB BW Oct 1e9", "width or the gain is out of range"},
             {"Filter 2: ON LS 1dB Fc 100 Hz Gain 60 dB", "centre of the shelf is out of range"},
             {"Preamp: loud", "Preamp: expected a number"},
             {"Preamp: -6 dB and more", "unexpected \"and more\""},
         }) {
        const std::string error = error_of(good + line + "\n");
        EXPECT_TRUE(error.starts_with("line 2: ")) << line << ": " << error;
        EXPECT_NE(error.find(expected), std::string::npos) << line << ": " << error;
    }
    EXPECT_NE(error_of("").find("no filter found"), std::string::npos);
    EXPECT_NE(error_of("Filter 1: ON None\n").find("no filter found"), std::string::npos);
    EXPECT_NE(error_of(std::string{"F\0i", 3}).find("UTF-8"), std::string::npos);
    EXPECT_NE(error_of("\xff\xfe").find("UTF-8"), std::string::npos);
}

/// Whatever a file holds, the result is an error in one line or a list of finite numbers.
TEST(EqList, SurvivesDamagedFiles) {
    const std::string text =
        "Preamp: -6,2 dB\nFilter 1: ON LSC 10.8 dB Fc 1.234,5 Hz Gain 5e-1 dB\n"
        "Filter 2: ON PK Fc 186 Hz Gain -2.6 dB BW Oct 0.58\nFilter 3: ON LS Fc 1\xc2\xa0"
        "000 Hz Gain 3 dB Q 1\n"
        "Filter 4: ON Modal Fc 20 Hz Gain 1 dB Q 2 T60 target 300 ms\n";
    const std::string pieces[] = {"-",        ".",      ",",
                                  "e9",       "1e99",   "999999999999999999999999999999999999",
                                  "\xc2\xa0", "\n",     "Q",
                                  "dB",       ":",      "#",
                                  "ON",       "Fc ",    "\xe2\x88\x92",
                                  "\r",       "0",      " ",
                                  "Hz",       "LS 6dB "};
    std::minstd_rand random{7};
    std::size_t read = 0;
    for (int round = 0; round < 40'000; ++round) {
        std::string damaged = text;
        for (std::uint32_t change = random() % 4 + 1; change > 0; --change) {
            const std::size_t at = random() % (damaged.size() + 1);
            switch (random() % 3) {
                case 0:
                    damaged.insert(at, pieces[random() % std::size(pieces)]);
                    break;
                case 1:
                    damaged.erase(at, random() % 6 + 1);
                    break;
                default:
                    damaged.replace(at, 1, 1, static_cast<char>(random() % 256));
            }
        }
        const auto list = rtactl::parse_eq_list(damaged, kRateHz);
        if (!list) {
            EXPECT_FALSE(list.error().empty());
            EXPECT_EQ(list.error().find('\n'), std::string::npos) << list.error();
            EXPECT_LT(list.error().size(), 400U);
            continue;
        }
        ++read;
        for (const EqFilter& filter : list->filters) {
            ASSERT_TRUE(std::isfinite(filter.frequency_hz) && filter.frequency_hz > 0.0) << damaged;
            ASSERT_TRUE(std::isfinite(filter.q) && filter.q > 0.0) << damaged;
            ASSERT_TRUE(std::isfinite(filter.gain_db)) << damaged;
        }
    }
    EXPECT_GT(read, 1'000U) << "the damage leaves nothing to read";
}

}  // namespace
}  // namespace rta::test
