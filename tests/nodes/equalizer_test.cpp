// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "nodes/filter_reference.h"

namespace rta::test::equalizer_test {
namespace {

using namespace test;

const NodeType& type() { return *builtin_nodes().find("equalizer"); }

struct Band {
    std::string kind;
    float frequency_hz;
    float q;
    float gain_db;
};

constexpr std::array kKinds{"lowpass",    "highpass",  "bandpass_skirt", "bandpass_peak", "notch",
                            "allpass",    "peaking",   "low_shelf",      "high_shelf",    "lowpass_1",
                            "highpass_1", "allpass_1", "low_shelf_1",    "high_shelf_1"};

/// Kinds of the first and the last band; those between are peaking.
std::vector<Band> random_bands(std::size_t count, const char* first, const char* last, Dice& dice) {
    std::vector<Band> bands;
    for (std::size_t i = 0; i < count; ++i) {
        bands.push_back({i == 0           ? first
                         : i + 1 == count ? last
                                          : "peaking",
                         static_cast<float>(dice.by_ratio(40.0, 16'000.0)), static_cast<float>(dice.by_ratio(0.3, 8.0)),
                         static_cast<float>(dice.between(-6.0, 6.0))});
    }
    return bands;
}

std::map<std::string, float, std::less<>> parameters_of(const std::vector<Band>& bands) {
    std::map<std::string, float, std::less<>> parameters;
    for (std::size_t i = 0; i < bands.size(); ++i) {
        const std::string number = std::to_string(i + 1);
        parameters["frequency_" + number + "_hz"] = bands[i].frequency_hz;
        parameters["q_" + number] = bands[i].q;
        parameters["gain_" + number + "_db"] = bands[i].gain_db;
    }
    return parameters;
}

Settings settings_of(std::size_t bands, const char* first, const char* last, double channels = 1.0) {
    return {{"bands", static_cast<double>(bands)},
            {"kind_" + std::to_string(bands), std::string{last}},
            {"kind_1", std::string{first}},
            {"channels", channels}};
}

Complex product_of(const std::vector<Band>& bands, double at_hz) {
    Complex product = 1.0;
    for (const Band& band : bands) {
        product *= cookbook_response(
            {band.kind, band.frequency_hz, alpha_of_q(band.frequency_hz, band.q), band.gain_db}, at_hz);
    }
    return product;
}

TEST(EqualizerNode, IsTheProductOfItsBands) {
    Dice dice{5};
    for (const auto& [first, last] :
         {std::pair{"peaking", "peaking"}, std::pair{"low_shelf", "high_shelf"}, std::pair{"highpass", "lowpass"}}) {
        for (const std::size_t count : {2U, 8U, 64U}) {
            const std::vector<Band> bands = random_bands(count, first, last, dice);
            NodeBench::Options options;
            options.parameters = parameters_of(bands);
            options.signal = impulse;
            NodeBench bench{type(), settings_of(count, first, last), options};
            const auto response = bench.render_channel(128'000);
            for (const double at_hz : frequencies(20.0, 23'000.0, 40)) {
                const Complex expected = product_of(bands, at_hz);
                if (db(std::abs(expected)) < -70.0) continue;  // rounding errors are at -140 dB
                const Complex ratio = transform(response, at_hz, 48'000.0) / expected;
                ASSERT_NEAR(db(std::abs(ratio)), 0.0, 0.01) << count << " bands at " << at_hz << " Hz";
                ASSERT_NEAR(degrees(std::arg(ratio)), 0.0, 0.1) << count << " bands at " << at_hz << " Hz";
            }
        }
    }
}

/// A band of any kind is a biquad_filter of that kind, whatever the number of bands.
TEST(EqualizerNode, HasAnyKindInAnyBand) {
    Dice dice{12};
    for (const std::size_t count : {1U, 5U, 64U}) {
        for (std::size_t first = 0; first < kKinds.size(); ++first) {
            Settings settings{{"bands", static_cast<double>(count)}};
            std::vector<Band> bands;
            for (std::size_t band = 0; band < count; ++band) {
                // Every third band is neutral or nearly so: 64 low-passes leave nothing to compare.
                const char* const kind = band == 0 ? kKinds[first] : band % 3 == 0 ? "allpass" : "peaking";
                settings["kind_" + std::to_string(band + 1)] = std::string{kind};
                bands.push_back({kind, static_cast<float>(dice.by_ratio(200.0, 8'000.0)),
                                 static_cast<float>(dice.by_ratio(0.5, 4.0)),
                                 static_cast<float>(dice.between(-3.0, 3.0))});
            }
            NodeBench::Options options;
            options.parameters = parameters_of(bands);
            options.signal = impulse;
            NodeBench bench{type(), settings, options};
            const auto response = bench.render_channel(16'384);
            for (const double at_hz : frequencies(100.0, 20'000.0, 20)) {
                const Complex expected = product_of(bands, at_hz);
                if (db(std::abs(expected)) < -60.0) continue;
                ASSERT_NEAR(db(std::abs(transform(response, at_hz, 48'000.0) / expected)), 0.0, 0.01)
                    << count << " bands, " << kKinds[first] << ", " << at_hz << " Hz";
            }
        }
    }
}

TEST(EqualizerNode, HasAsManyKindsAsBands) {
    const auto resolve = [](const Settings& settings) {
        return ResolvedSettings::resolve(type().settings, settings, "node \"eq\"");
    };
    const auto three = resolve({{"bands", 3.0}, {"kind_3", std::string{"high_shelf_1"}}});
    ASSERT_TRUE(three);
    EXPECT_EQ(three->text("kind_1"), "peaking");
    EXPECT_EQ(three->text("kind_3"), "high_shelf_1");
    const auto fourth = resolve({{"bands", 3.0}, {"kind_4", std::string{"notch"}}});
    ASSERT_FALSE(fourth);
    EXPECT_EQ(fourth.error().code, ErrorCode::not_found);
    EXPECT_EQ(fourth.error().sentence,
              "node \"eq\": unknown setting \"kind_4\": expected kind_1 to kind_3, because bands is 3");
    const auto unknown = resolve({{"kind_1", std::string{"peeking"}}});
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, ErrorCode::invalid_argument);
    EXPECT_NE(unknown.error().sentence.find("did you mean \"peaking\"?"), std::string::npos);
    for (const char* name : {"kind_0", "kind_01", "kind_", "kind_#", "kind_1x", "kinds"})
        EXPECT_FALSE(resolve({{name, std::string{"notch"}}})) << name;
}

TEST(EqualizerNode, TellsTheResponseThatItHas) {
    Dice dice{6};
    const std::vector<Band> bands = random_bands(5, "low_shelf", "lowpass", dice);
    const auto settings = ResolvedSettings::resolve(type().settings, settings_of(5, "low_shelf", "lowpass"), "test");
    ASSERT_TRUE(settings);
    std::vector<float> values;
    for (const Band& band : bands) values.push_back(band.frequency_hz);
    for (const Band& band : bands) values.push_back(band.q);
    for (const Band& band : bands) values.push_back(band.gain_db);
    for (const double at_hz : frequencies(10.0, 23'000.0, 30)) {
        const Complex expected = product_of(bands, at_hz);
        EXPECT_LT(std::abs(told_response(type(), *settings, values, at_hz) - expected), 2e-5) << at_hz;
    }
}

/// A moving band behaves like a separate moving filter.
TEST(EqualizerNode, MovesEachBandByItself) {
    Dice dice{7};
    const std::vector<Band> bands = random_bands(3, "peaking", "peaking", dice);
    NodeBench::Options options;
    options.parameters = parameters_of(bands);
    options.signal = white_noise;
    NodeBench equalizer{type(), settings_of(3, "peaking", "peaking", 2.0), options};

    std::vector<std::vector<float>> signal(2);  // input of the next filter
    for (std::uint32_t channel = 0; channel < 2; ++channel) {
        for (std::uint64_t n = 0; n < 8'192; ++n) signal[channel].push_back(white_noise(0, channel, n));
    }
    for (std::size_t i = 0; i < 3; ++i) {
        NodeBench::Options single;
        single.parameters = {{"frequency_hz", bands[i].frequency_hz}, {"q", bands[i].q}, {"gain_db", bands[i].gain_db}};
        single.signal = [&signal](std::uint32_t, std::uint32_t channel, std::uint64_t frame) {
            return signal[channel][frame];
        };
        NodeBench filter{
            *builtin_nodes().find("biquad_filter"), {{"kind", std::string{"peaking"}}, {"channels", 2.0}}, single};
        NodeBench::Recording out = filter.render(2'048);
        if (i == 1) filter.set("frequency_hz", 3'000.0F, 1'500);
        const NodeBench::Recording more = filter.render(6'144);
        for (std::size_t c = 0; c < 2; ++c) out[c].insert(out[c].end(), more[c].begin(), more[c].end());
        signal = out;
    }
    NodeBench::Recording recording = equalizer.render(2'048);
    equalizer.set("frequency_2_hz", 3'000.0F, 1'500);
    const NodeBench::Recording more = equalizer.render(6'144);
    for (std::size_t c = 0; c < 2; ++c) recording[c].insert(recording[c].end(), more[c].begin(), more[c].end());
    EXPECT_EQ(recording, signal);
}

TEST(EqualizerNode, IsNeverMuchLouderOnTheMoveThanAtRest) {
    for (const auto& [first, last] :
         {std::pair{"peaking", "peaking"}, std::pair{"low_shelf", "high_shelf"}, std::pair{"highpass", "lowpass"}}) {
        const std::array kinds{first, "peaking", last};
        for (std::size_t band = 0; band < kinds.size(); ++band) {
            const float hz = std::array{100.0F, 600.0F, 5'000.0F}[band];
            for (const float gain_db : {-24.0F, 24.0F}) {
                for (const auto& [from, to] :
                     {std::pair{FilterPoint{hz, 40.0F, gain_db}, FilterPoint{hz, 0.25F, gain_db}},
                      std::pair{FilterPoint{hz, 0.25F, gain_db}, FilterPoint{hz, 40.0F, gain_db}},
                      std::pair{FilterPoint{hz, 2.0F, -gain_db}, FilterPoint{hz, 2.0F, gain_db}}}) {
                    // The other bands are nearly flat there.
                    std::vector<Band> bands{{first, 10.0F, 0.707107F, 0.0F},
                                            {"peaking", 600.0F, 1.0F, 0.0F},
                                            {last, 20'000.0F, 0.707107F, 0.0F}};
                    bands[band] = {kinds[band], from.frequency_hz, from.q, from.gain_db};
                    NodeBench::Options options;
                    options.parameters = parameters_of(bands);
                    options.signal = sine_of(hz);
                    NodeBench bench{type(), settings_of(3, first, last), options};
                    bench.pass(48'000);
                    bands[band] = {kinds[band], to.frequency_hz, to.q, to.gain_db};
                    for (const auto& [name, value] : parameters_of(bands)) bench.set(name, value);
                    const bool gain_moves = from.gain_db != to.gain_db;
                    const double allowed = largest_response(kinds[band], from, to, hz, gain_moves);
                    EXPECT_LT(peak_of(bench.render_channel(9'600)), kToneLevel * (3.0 * allowed + 0.01))
                        << kinds[band] << ", Q " << from.q << " to " << to.q << ", " << gain_db << " dB";
                }
            }
        }
    }
}

/// With cuts at the ends, and with peaks or shelves of 0 dB.
TEST(EqualizerNode, IsFlatInTheMiddleUntilItIsSet) {
    for (const auto& [first, last] :
         {std::pair{"peaking", "peaking"}, std::pair{"low_shelf", "high_shelf"}, std::pair{"highpass", "lowpass"}}) {
        const auto description = NodeDescription::make(type(), "node", settings_of(4, first, last));
        ASSERT_TRUE(description);
        std::vector<float> values;
        for (const ParameterSpec& spec : (*description)->layout.parameters) values.push_back(spec.default_value);
        for (const double at_hz : frequencies(10.0, 20'000.0, 60)) {
            const double told = db(std::abs(told_response(type(), (*description)->settings, values, at_hz)));
            EXPECT_LT(told, 0.01) << first << ", " << at_hz << " Hz";
            if (at_hz > 160.0 && at_hz < 5'000.0) {
                EXPECT_GT(told, -0.5) << first << ", " << at_hz << " Hz";
            }
        }
    }
}

/// Each band may amplify by 80 dB. With 64 bands, that is far beyond the range of a float.
TEST(EqualizerNode, StaysFiniteWhateverItsParametersJumpTo) {
    for (const double rate : {8'000.0, 48'000.0, 192'000.0}) {
        for (const std::size_t count : {6U, 64U}) {
            Dice dice{8};
            NodeBench::Options options;
            options.sample_rate_hz = rate;
            options.block_size = 16;
            options.signal = white_noise;
            NodeBench bench{type(), settings_of(count, "low_shelf", "high_shelf"), options};
            const auto specs = bench.layout().parameters;
            for (int block = 0; block < (count == 6 ? 4'000 : 400); ++block) {
                for (const ParameterSpec& spec : specs) {
                    if (spec.name == "bypass") continue;
                    const double chance = dice.between(0.0, 3.0);
                    bench.set(spec.name, chance < 1.0 ? spec.minimum : spec.maximum, chance < 2.0 ? 0 : 8);
                }
                bench.render_block();
                for (const float sample : bench.output().channel(0)) ASSERT_TRUE(std::isfinite(sample)) << block;
            }
        }
    }
}

}  // namespace
}  // namespace rta::test::equalizer_test
