// SPDX-License-Identifier: MIT
// The equalizer lists in tests/support/eq_lists, in the forms that AutoEQ, Equalizer APO and Room EQ Wizard write, as
// gain and equalizer nodes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "nodes/filter_reference.h"

namespace rta::test::eq_lists_test {
namespace {

using namespace test;

constexpr double kRate = 48'000.0;

struct Band {
    std::string kind;
    double frequency_hz;
    double q;
    double gain_db;
};

struct List {
    double preamp_db = 0.0;
    std::vector<Band> bands;
};

/// Value after a key, such as "Fc": without the commas between thousands. Returns 0 if none exists.
double value_after(const std::vector<std::string>& words, const std::string& key) {
    const auto found = std::ranges::find(words, key);
    if (found == words.end() || found + 1 == words.end()) return 0.0;
    std::string number = *(found + 1);
    std::erase(number, ',');
    return number == "Oct" ? value_after(words, "Oct") : std::stod(number);
}

/// Slope of a shelf in dB per octave: "LS 6dB", "LSC 9 dB". Returns 0 if none exists.
double slope_of(const std::vector<std::string>& words, std::size_t type) {
    const std::string& next = words.at(type + 1);
    return next == "Fc" ? 0.0 : std::stod(next);
}

double q_of_slope(double slope, double gain_db) {
    const double a = std::pow(10.0, gain_db / 40.0);
    return 1.0 / std::sqrt((a + 1.0 / a) * (1.0 / slope - 1.0) + 2.0);
}

Band shelf(const std::vector<std::string>& words, std::size_t type, Band band) {
    const bool low = words[type][0] == 'L';
    band.kind = low ? "low_shelf" : "high_shelf";
    if (band.q != 0.0) return band;
    // Equalizer APO: 0.9 without a slope. LS and HS with a slope state the corner frequency.
    const double slope = slope_of(words, type) / 12.0;
    band.q = q_of_slope(slope == 0.0 ? 0.9 : slope, band.gain_db);
    if (slope == 0.0 || words[type].size() == 3) return band;
    const double to_centre = std::pow(10.0, std::fabs(band.gain_db) / 80.0 / slope);
    band.frequency_hz *= low ? to_centre : 1.0 / to_centre;
    return band;
}

Band band_of(const std::vector<std::string>& words, std::size_t type) {
    static const std::map<std::string, std::string> kKinds{{"PK", "peaking"},  {"PEQ", "peaking"}, {"LP", "lowpass"},
                                                           {"LPQ", "lowpass"}, {"HP", "highpass"}, {"HPQ", "highpass"},
                                                           {"NO", "notch"},    {"AP", "allpass"}};
    Band band{.kind = {},
              .frequency_hz = value_after(words, "Fc"),
              .q = value_after(words, "Q"),
              .gain_db = value_after(words, "Gain")};
    if (const auto kind = kKinds.find(words[type]); kind == kKinds.end()) return shelf(words, type, band);
    band.kind = kKinds.at(words[type]);
    if (const double octaves = value_after(words, "BW"); octaves != 0.0) {
        const double angle = angle_of(band.frequency_hz, kRate);
        band.q = 0.5 / std::sinh(std::log(2.0) / 2.0 * octaves * angle / std::sin(angle));
    }
    if (band.q == 0.0) band.q = std::sqrt(0.5);
    return band;
}

List read_list(const std::filesystem::path& path) {
    std::ifstream file{path};
    if (!file) throw std::runtime_error("cannot read " + path.string());
    List list;
    for (std::string line; std::getline(file, line);) {
        std::istringstream stream{line};
        std::vector<std::string> words;
        for (std::string word; stream >> word;) words.push_back(word);
        if (words.empty()) continue;
        if (words[0] == "Preamp:") list.preamp_db = std::stod(words.at(1));
        if (!words[0].starts_with("Filter")) continue;
        const auto on = std::ranges::find(words, "ON");
        if (on == words.end() || *(on + 1) == "None") continue;
        list.bands.push_back(band_of(words, static_cast<std::size_t>(on - words.begin()) + 1));
    }
    return list;
}

std::vector<float> impulse_response(const List& list, std::uint64_t frames) {
    NodeBench::Options gain_options;
    gain_options.parameters = {{"gain_db", static_cast<float>(list.preamp_db)}};
    gain_options.signal = impulse;
    NodeBench gain{*builtin_nodes().find("gain"), {}, gain_options};
    const float first = gain.render_channel(64)[0];

    Settings settings{{"bands", static_cast<double>(list.bands.size())}};
    NodeBench::Options options;
    options.signal = [first](std::uint64_t frame) { return frame == 0 ? first : 0.0F; };
    for (std::size_t i = 0; i < list.bands.size(); ++i) {
        const std::string number = std::to_string(i + 1);
        settings["kind_" + number] = list.bands[i].kind;
        options.parameters["frequency_" + number + "_hz"] = static_cast<float>(list.bands[i].frequency_hz);
        options.parameters["q_" + number] = static_cast<float>(list.bands[i].q);
        options.parameters["gain_" + number + "_db"] = static_cast<float>(list.bands[i].gain_db);
    }
    return NodeBench{*builtin_nodes().find("equalizer"), settings, options}.render_channel(frames);
}

TEST(EqLists, MatchTheirFormulaWithinAHundredthOfADecibel) {
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator{RTA_TEST_EQ_LISTS}) paths.push_back(entry.path());
    EXPECT_EQ(paths.size(), 8U);
    for (const auto& path : paths) {
        const List list = read_list(path);
        ASSERT_GE(list.bands.size(), 6U) << path;
        std::vector<double> all_hz = frequencies(5.0, 23'500.0, 60);
        std::uint64_t frames = 0;
        std::vector<CookbookSection> sections;
        for (const Band& band : list.bands) {
            all_hz.push_back(band.frequency_hz);
            sections.push_back({band.kind, band.frequency_hz, alpha_of_q(band.frequency_hz, band.q), band.gain_db});
            frames = std::max(frames, ringing_frames(cookbook_form(sections.back())));
        }
        const auto response = impulse_response(list, frames);
        int compared = 0;
        for (const double at_hz : all_hz) {
            Complex expected = std::pow(10.0, list.preamp_db / 20.0);
            for (const CookbookSection& section : sections) expected *= cookbook_response(section, at_hz);
            if (db(std::abs(expected)) < -80.0) continue;
            ASSERT_NEAR(db(std::abs(transform(response, at_hz, kRate) / expected)), 0.0, 0.01)
                << path.filename() << " at " << at_hz << " Hz";
            ++compared;
        }
        EXPECT_GE(compared, 50) << path;
    }
}

}  // namespace
}  // namespace rta::test::eq_lists_test
