// SPDX-License-Identifier: MIT
// `rtactl import eq` against a reading of the same lists that shares no code with it.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <numbers>
#include <optional>
#include <regex>
#include <sstream>

#include "support/daemon.h"

namespace rta::test {
namespace {

constexpr double kRateHz = 48'000.0;
constexpr double kToleranceDb = 0.01;
/// In the middle of a notch, the level depends on the last digits of the frequency.
constexpr double kNotchDb = -90.0;

/// The numerator and denominator of a biquad, in powers of z^-1 from 0 to 2.
struct Biquad {
    std::array<double, 3> b;
    std::array<double, 3> a;

    [[nodiscard]] double magnitude_db(double frequency_hz) const {
        const std::complex<double> z = std::polar(1.0, -2.0 * std::numbers::pi * frequency_hz / kRateHz);
        return 20.0 * std::log10(std::abs((b[0] + b[1] * z + b[2] * z * z) / (a[0] + a[1] * z + a[2] * z * z)));
    }
};

/// The Audio EQ Cookbook by R. Bristow-Johnson.
Biquad cookbook(const std::string& kind, double w, double alpha, double gain_db) {
    const double a = std::pow(10.0, gain_db / 40.0);
    const double c = std::cos(w);
    if (kind == "peaking") return {{1 + alpha * a, -2 * c, 1 - alpha * a}, {1 + alpha / a, -2 * c, 1 - alpha / a}};
    if (kind == "lowpass") return {{(1 - c) / 2, 1 - c, (1 - c) / 2}, {1 + alpha, -2 * c, 1 - alpha}};
    if (kind == "highpass") return {{(1 + c) / 2, -1 - c, (1 + c) / 2}, {1 + alpha, -2 * c, 1 - alpha}};
    if (kind == "notch") return {{1, -2 * c, 1}, {1 + alpha, -2 * c, 1 - alpha}};
    if (kind == "allpass") return {{1 - alpha, -2 * c, 1 + alpha}, {1 + alpha, -2 * c, 1 - alpha}};
    const double root = 2 * std::sqrt(a) * alpha;
    if (kind == "low_shelf")
        return {{a * (a + 1 - (a - 1) * c + root), 2 * a * (a - 1 - (a + 1) * c), a * (a + 1 - (a - 1) * c - root)},
                {a + 1 + (a - 1) * c + root, -2 * (a - 1 + (a + 1) * c), a + 1 + (a - 1) * c - root}};
    return {{a * (a + 1 + (a - 1) * c + root), -2 * a * (a - 1 + (a + 1) * c), a * (a + 1 + (a - 1) * c - root)},
            {a + 1 - (a - 1) * c + root, 2 * (a - 1 - (a + 1) * c), a + 1 - (a - 1) * c - root}};
}

/// One line as Equalizer APO reads it: by patterns, with the alpha of a Q, a bandwidth or a slope.
std::optional<Biquad> reference_filter(std::string line) {
    line = std::regex_replace(line, std::regex{"(\\d),(\\d{3} Hz)"}, "$1$2");
    std::smatch found;
    if (!std::regex_search(line, found, std::regex{"Filter *\\d*: *ON +([A-Z]+)(?: +([0-9.]+) ?dB)?"})) return {};
    const std::string type = found[1];
    std::optional<double> slope;
    if (found[2].matched) slope = std::stod(found[2]) / 12.0;
    if (type == "N") return {};  // None
    const auto number = [&](const char* pattern) -> std::optional<double> {
        std::smatch match;
        if (!std::regex_search(line, match, std::regex{pattern})) return {};
        return std::stod(match[1]);
    };
    double frequency_hz = number("Fc +([0-9.]+) *Hz").value();
    const double gain_db = number("Gain +(-?[0-9.]+) *dB").value_or(0.0);
    const auto q = number("\\bQ +([0-9.]+)");
    const auto octaves = number("BW Oct +([0-9.]+)");
    const std::map<std::string, std::string> kinds{
        {"PK", "peaking"},    {"PEQ", "peaking"},   {"LP", "lowpass"},     {"LPQ", "lowpass"},   {"HP", "highpass"},
        {"HPQ", "highpass"},  {"NO", "notch"},      {"AP", "allpass"},     {"LS", "low_shelf"},  {"LSC", "low_shelf"},
        {"LSQ", "low_shelf"}, {"HS", "high_shelf"}, {"HSC", "high_shelf"}, {"HSQ", "high_shelf"}};
    const std::string kind = kinds.at(type);
    const bool shelf = kind.ends_with("shelf");
    if (shelf && slope && !type.ends_with('C')) {
        const double factor = std::pow(10.0, std::abs(gain_db) / 80.0 / *slope);
        frequency_hz = kind == "low_shelf" ? frequency_hz * factor : frequency_hz / factor;
    }
    const double w = 2.0 * std::numbers::pi * frequency_hz / kRateHz;
    double alpha = std::sin(w) / 2.0 / q.value_or(std::sqrt(0.5));
    if (octaves) alpha = std::sin(w) * std::sinh(std::log(2.0) / 2.0 * *octaves * w / std::sin(w));
    if (shelf && !q) {
        const double a = std::pow(10.0, gain_db / 40.0);
        alpha = std::sin(w) / 2.0 * std::sqrt((a + 1.0 / a) * (1.0 / slope.value_or(0.9) - 1.0) + 2.0);
    }
    return cookbook(kind, w, alpha, gain_db);
}

struct Reference {
    double preamp_db = 0.0;
    std::vector<Biquad> filters;
};

Reference read_reference(const std::filesystem::path& file) {
    Reference reference;
    std::ifstream stream{file};
    for (std::string line; std::getline(stream, line);) {
        std::smatch preamp;
        if (std::regex_search(line, preamp, std::regex{"^Preamp: (-?[0-9.]+) dB"}))
            reference.preamp_db = std::stod(preamp[1]);
        if (const auto filter = reference_filter(line)) reference.filters.push_back(*filter);
    }
    return reference;
}

std::vector<std::filesystem::path> lists() {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator{RTA_TEST_EQ_LISTS}) files.push_back(entry.path());
    return files;
}

class ImportEq : public testing::Test {
 protected:
    RunResult import(std::vector<std::string> words) {
        words.insert(words.begin(), {"import", "eq"});
        return daemon_.ctl(std::move(words));
    }

    Daemon daemon_{{.arguments = {"--device", "null"}}};
    ProtocolClient client_ = daemon_.client("checker");
};

v1::FrequencyResponseResult response_of(ProtocolClient& client, const std::string& node) {
    v1::Request request;
    request.mutable_get_frequency_response()->set_node(node);
    for (double frequency_hz = 5.0; frequency_hz < 23'900.0; frequency_hz *= 1.006)
        request.mutable_get_frequency_response()->add_frequencies_hz(static_cast<float>(frequency_hz));
    return client.call(request).get_frequency_response();
}

TEST_F(ImportEq, EveryListMatchesItsFormula) {
    std::size_t count = 0;
    for (const std::filesystem::path& file : lists()) {
        const std::string name = file.stem().string();
        const RunResult imported = import({file.string(), name, "--channels", "2"});
        ASSERT_EQ(imported.status, (ExitStatus{0, 0})) << name << ": " << imported.error;
        EXPECT_EQ(imported.error, "") << name;
        const Reference reference = read_reference(file);
        ASSERT_GE(reference.filters.size(), 5U) << name;
        EXPECT_NE(imported.output.find(std::to_string(reference.filters.size()) + " filters"), std::string::npos)
            << imported.output;
        const v1::FrequencyResponseResult response = response_of(client_, name);
        ASSERT_EQ(response.outputs_size(), 1) << name;
        double worst_db = 0.0;
        for (int i = 0; i < response.frequencies_hz_size(); ++i) {
            double expected_db = 0.0;
            for (const Biquad& filter : reference.filters)
                expected_db += filter.magnitude_db(static_cast<double>(response.frequencies_hz(i)));
            if (expected_db < kNotchDb) continue;
            const double error_db = std::abs(static_cast<double>(response.outputs(0).magnitude_db(i)) - expected_db);
            worst_db = std::max(worst_db, error_db);
            ASSERT_LT(error_db, kToleranceDb) << name << " at " << response.frequencies_hz(i) << " Hz";
        }
        RecordProperty(name, std::to_string(worst_db));
        std::cout << name << ": " << worst_db << " dB\n";
        const v1::Graph graph = client_.graph().graph();
        const auto preamp =
            std::ranges::find(graph.nodes(), name + "_preamp", [](const v1::Node& node) { return node.name(); });
        EXPECT_EQ(preamp != graph.nodes().end(), reference.preamp_db != 0.0) << name;
        if (preamp != graph.nodes().end()) {
            EXPECT_EQ(preamp->parameters().at("gain_db"), static_cast<float>(reference.preamp_db)) << name;
        }
        ++count;
    }
    EXPECT_EQ(count, 8U);
}

TEST_F(ImportEq, InsertsIntoAConnection) {
    client_.apply_document(R"({"nodes": [{"name": "osc", "type": "sine", "settings": {"channels": 2}},
                                         {"name": "out", "type": "output", "settings": {"channels": 2}}],
                               "connections": [{"from": "osc", "to": "out", "gain_db": -3}]})");
    const std::string file = std::string{RTA_TEST_EQ_LISTS} + "/autoeq_over_ear.txt";
    const RunResult imported = import({file, "eq", "osc", "out"});
    ASSERT_EQ(imported.status, (ExitStatus{0, 0})) << imported.error;
    EXPECT_TRUE(
        imported.output.starts_with("inserted osc -> eq_preamp -> eq -> out (10 filters, preamp -6.2 dB): revision 2"))
        << imported.output;
    const v1::Graph graph = client_.graph().graph();
    ASSERT_EQ(graph.connections_size(), 3);
    for (const v1::Connection& connection : graph.connections())
        EXPECT_EQ(connection.gain_db(), connection.to() == "out" ? -3.0F : 0.0F) << "the gain stays in front of B";
    EXPECT_EQ(daemon_.ctl({"get", "eq.channels"}).output, "eq.channels = 2\n");
    EXPECT_EQ(daemon_.ctl({"get", "eq.kind_1"}).output, "eq.kind_1 = low_shelf\n");
}

TEST_F(ImportEq, RefusesAListAsAWhole) {
    TemporaryDirectory directory;
    const std::string path = (directory / "list.txt").string();
    std::ofstream{path} << "Filter 1: ON PK Fc 105 Hz Gain -2.6 dB Q 0.70\nFilter 2: ON PK Fc 50 Hz Gain 1 dB Q 500\n";
    const RunResult range = import({path, "eq"});
    EXPECT_EQ(range.status, (ExitStatus{1, 0}));
    EXPECT_EQ(range.error, "rtactl: " + path + ": line 2: Q = 500 is out of range; expected 0.05 to 100\n");
    std::ofstream{path} << "Filter 1: ON PK Fc 105 Hz Gain -2.6 dB Q 0.70\nDelay: 5 ms\n";
    EXPECT_NE(import({path, "eq"}).error.find("line 2: cannot import \"Delay: 5 ms\""), std::string::npos);
    {
        std::ofstream stream{path};
        for (int i = 0; i < 65; ++i) stream << "Filter: ON PK Fc 105 Hz Gain -2.6 dB Q 0.70\n";
    }
    EXPECT_EQ(import({path, "eq"}).error, "rtactl: " + path + ": 65 filters; expected at most 64\n");
    EXPECT_EQ(client_.graph().graph().nodes_size(), 0);
}

TEST_F(ImportEq, WarnsOfWhatItSkipsAndTakesAPreampAlone) {
    TemporaryDirectory directory;
    const std::string path = (directory / "list.txt").string();
    std::ofstream{path} << "Device: Speakers\nPreamp: -6,5 dB\n";
    const RunResult imported = import({path, "eq"});
    EXPECT_EQ(imported.status, (ExitStatus{0, 0})) << imported.error;
    EXPECT_TRUE(imported.error.starts_with("rtactl: warning: " + path + ": line 1: skipped \"Device: Speakers\""))
        << imported.error;
    EXPECT_EQ(daemon_.ctl({"get", "eq.gain_db"}).output, "eq.gain_db = -6.5 dB\n");
}

}  // namespace
}  // namespace rta::test
