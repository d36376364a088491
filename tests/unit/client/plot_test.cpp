// SPDX-License-Identifier: MIT
#include "rtactl/drawing/plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "fake_rtad.h"
#include "support/temporary.h"

namespace rta::test {
namespace {

using rtactl::magnitude_axis;
using rtactl::plot_svg;
using rtactl::plot_text;
using testing::HasSubstr;
using testing::Not;

/// Returns a response with these magnitudes at 20 Hz and 20 kHz.
v1::FrequencyResponseResult between(float low_db, float high_db) {
    v1::FrequencyResponseResult response;
    response.add_frequencies_hz(20.0F);
    response.add_frequencies_hz(20'000.0F);
    v1::PortResponse& output = *response.add_outputs();
    output.add_magnitude_db(low_db);
    output.add_magnitude_db(high_db);
    output.add_phase_deg(0.0F);
    output.add_phase_deg(0.0F);
    return response;
}

TEST(Plot, AxisCoversTheCurveInRoundSteps) {
    const auto expect_axis = [](float low_db, float high_db, double lowest, double highest, double step) {
        const auto axis = magnitude_axis(between(low_db, high_db));
        EXPECT_EQ(axis.lowest, lowest) << low_db << " " << high_db;
        EXPECT_EQ(axis.highest, highest) << low_db << " " << high_db;
        EXPECT_EQ(axis.step, step) << low_db << " " << high_db;
    };
    expect_axis(0.0F, 0.0F, -24.0, 0.0, 6.0);
    expect_axis(0.0F, 9.0F, -12.0, 12.0, 6.0);
    expect_axis(-40.0F, 0.0F, -48.0, 0.0, 12.0);
    expect_axis(-300.0F, 3.0F, -90.0, 6.0, 24.0);
}

TEST(Plot, DrawsTheCurveWhereItBelongs) {
    const std::vector<std::string> lines = plot_text(fake_response(), 80);
    ASSERT_EQ(lines.size(), 24U) << "magnitude and phase, each with a line of frequencies";
    EXPECT_THAT(lines[0], HasSubstr("0 dB '''''"));
    EXPECT_THAT(lines[13], HasSubstr("1k"));
    EXPECT_THAT(lines[14], HasSubstr("180 deg"));
    for (const std::string& line : lines) EXPECT_LE(line.size(), 80U) << line;
    // At 1 kHz, -3.01 dB: in the nearest half row.
    const auto axis = magnitude_axis(fake_response());
    const double dot = 3.0103 / (axis.highest - axis.lowest) * 25.0;
    const std::size_t at_1k = lines[13].find("1k");
    const auto row = static_cast<std::size_t>(std::lround(dot)) / 2;
    EXPECT_TRUE(lines[row][at_1k] == '.' || lines[row][at_1k] == '\'' || lines[row][at_1k] == ':') << lines[row];
    for (const std::size_t columns : {0U, 1U, 20U, 40U, 500U}) {
        for (const std::string& line : plot_text(fake_response(), columns)) EXPECT_LE(line.size(), 136U);
    }
}

TEST(Plot, WrappedPhaseIsNotConnected) {
    v1::FrequencyResponseResult response = between(0.0F, 0.0F);
    response.mutable_outputs(0)->set_phase_deg(0, 179.0F);
    response.mutable_outputs(0)->set_phase_deg(1, -179.0F);
    const std::vector<std::string> lines = plot_text(response, 80);
    EXPECT_THAT(lines[18], Not(HasSubstr(":"))) << "nothing at 0 degrees";
    EXPECT_EQ(plot_svg(response, "x").find('L'), plot_svg(response, "x").rfind('L')) << "only the magnitude is joined";
}

TEST(Plot, OfSeveralOutputsTheTextHasTheMagnitudesAndTheSvgAll) {
    v1::FrequencyResponseResult response = fake_response();
    *response.add_outputs() = response.outputs(0);
    response.mutable_outputs(1)->set_port("out_2");
    EXPECT_EQ(plot_text(response, 80).size(), 14U);
    const std::string svg = plot_svg(response, "a<b&c");
    EXPECT_THAT(svg, HasSubstr("a&lt;b&amp;c"));
    EXPECT_THAT(svg, HasSubstr(">out_2</text>"));
    EXPECT_THAT(svg, testing::StartsWith("<svg "));
    std::size_t curves = 0;
    for (std::size_t at = svg.find("<path"); at != std::string::npos; at = svg.find("<path", at + 1)) ++curves;
    EXPECT_EQ(curves, 4U);
}

TEST(ResponseCommand, PrintsThePlotOrWritesTheDrawing) {
    const FakeRtad rtad;
    const Outcome plain = rtad.run({"response", "vol"});
    EXPECT_EQ(plain.exit, rtactl::Exit::done) << plain.err;
    EXPECT_THAT(plain.out, HasSubstr("0 dB '''"));
    const TemporaryDirectory directory;
    const std::string file = directory.path() / "vol.svg";
    const Outcome drawn = rtad.run({"response", "vol:out", "--svg", file});
    EXPECT_EQ(drawn.exit, rtactl::Exit::done) << drawn.err;
    EXPECT_EQ(drawn.out, "");
    std::ifstream in{file};
    const std::string svg{std::istreambuf_iterator<char>{in}, {}};
    EXPECT_THAT(svg, HasSubstr("vol:out</text>"));
    EXPECT_EQ(rtad.run({"response", "vol:out", "--svg", "-"}).out, svg);
    for (const std::vector<std::string>& command :
         {std::vector<std::string>{"response", "vol", "--svg"}, {"graph", "save"}}) {
        std::vector<std::string> words = command;
        words.push_back(directory.path() / "nowhere/file");
        const Outcome unwritten = rtad.run(words);
        EXPECT_EQ(unwritten.exit, rtactl::Exit::usage);
        EXPECT_THAT(unwritten.err, HasSubstr("cannot write"));
        words.back() = "";
        EXPECT_EQ(rtad.run(words).exit, rtactl::Exit::usage);
    }
    const Outcome wrong = rtad.run({"response", "vol:left"});
    EXPECT_EQ(wrong.exit, rtactl::Exit::refused);
    EXPECT_THAT(wrong.err, HasSubstr("unknown output \"left\"; expected out"));
    EXPECT_THAT(rtad.run({"--json", "response", "vol"}).out, HasSubstr("\"magnitude_db\":["));
}

TEST(ResponseCommand, AnAnswerThatMakesNoSenseIsNotDrawn) {
    using Result = v1::FrequencyResponseResult;
    constexpr void (*kSpoilers[])(Result&) = {
        [](Result& result) { result.clear_frequencies_hz(); },
        [](Result& result) { result.mutable_outputs(0)->clear_phase_deg(); },
        [](Result& result) { result.mutable_outputs(0)->mutable_magnitude_db()->RemoveLast(); },
        [](Result& result) { result.mutable_outputs(0)->set_magnitude_db(7, NAN); },
        [](Result& result) { result.set_frequencies_hz(300, INFINITY); },
        [](Result& result) { result.set_frequencies_hz(0, 0.0F); },
        [](Result& result) {
            result.mutable_frequencies_hz()->Truncate(1);
            result.mutable_outputs(0)->mutable_magnitude_db()->Truncate(1);
            result.mutable_outputs(0)->mutable_phase_deg()->Truncate(1);
        },
    };
    for (const auto& spoil : kSpoilers) {
        const FakeRtad rtad{[&](const v1::Request& request) -> std::optional<Reply> {
            if (!request.has_get_frequency_response()) return std::nullopt;
            v1::Response response = ok(request);
            *response.mutable_get_frequency_response() = fake_response();
            spoil(*response.mutable_get_frequency_response());
            return Reply{.bytes = frame(response)};
        }};
        const Outcome outcome = rtad.run({"response", "vol"});
        EXPECT_EQ(outcome.exit, rtactl::Exit::refused);
        EXPECT_THAT(outcome.err, HasSubstr("the daemon sent an invalid frequency response"));
        EXPECT_EQ(outcome.out, "");
    }
}

}  // namespace
}  // namespace rta::test
