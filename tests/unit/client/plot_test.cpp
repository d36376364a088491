// SPDX-License-Identifier: MIT
#include "rtactl/drawing/plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "fake_rtad.h"
#include "rtactl/drawing/plot_panels.h"
#include "support/temporary.h"

namespace rta::test {
namespace {

using rtactl::empty_plot_note;
using rtactl::magnitude_axis;
using rtactl::panels_of;
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

std::size_t count(std::string_view text, std::string_view part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++found;
    return found;
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
    ASSERT_EQ(lines.size(), 26U) << "magnitude and phase, each with a title and a line of frequencies";
    EXPECT_EQ(lines[0], "magnitude in dB");
    EXPECT_THAT(lines[1], HasSubstr("0 '''''"));
    EXPECT_THAT(lines[14], HasSubstr("1k"));
    EXPECT_EQ(lines[15], "phase in degrees");
    EXPECT_THAT(lines[16], HasSubstr("180 "));
    for (const std::string& line : lines) EXPECT_LE(line.size(), 80U) << line;
    // At 1 kHz, -3.01 dB: in the nearest half row.
    const auto axis = magnitude_axis(fake_response());
    const double dot = 3.0103 / (axis.highest - axis.lowest) * 25.0;
    const std::size_t at_1k = lines[14].find("1k");
    const auto row = 1 + static_cast<std::size_t>(std::lround(dot)) / 2;
    EXPECT_TRUE(lines[row][at_1k] == '.' || lines[row][at_1k] == '\'' || lines[row][at_1k] == ':') << lines[row];
    for (const std::size_t columns : {0U, 1U, 20U, 40U, 500U}) {
        for (const std::string& line : plot_text(fake_response(), columns)) EXPECT_LE(line.size(), 136U);
    }
}

TEST(Plot, SaysWhenEveryCurveIsBelowIt) {
    const std::string note = "everything is below the plot, under -96 dB";
    EXPECT_EQ(empty_plot_note(between(-96.1F, -300.0F)), note);
    EXPECT_EQ(empty_plot_note(between(-96.0F, -300.0F)), "") << "on the lowest line";
    EXPECT_EQ(empty_plot_note(between(-20.0F, -20.0F)), "");
    v1::FrequencyResponseResult two = between(-200.0F, -200.0F);
    *two.add_outputs() = two.outputs(0);
    EXPECT_EQ(empty_plot_note(two), note);
    two.mutable_outputs(1)->set_magnitude_db(0, -30.0F);
    EXPECT_EQ(empty_plot_note(two), "") << "one of the curves is drawn";
}

TEST(Plot, WrappedPhaseIsNotConnected) {
    v1::FrequencyResponseResult response = between(0.0F, 0.0F);
    response.mutable_outputs(0)->set_phase_deg(0, 179.0F);
    response.mutable_outputs(0)->set_phase_deg(1, -179.0F);
    const std::vector<std::string> lines = plot_text(response, 80);
    EXPECT_THAT(lines[20], Not(HasSubstr(":"))) << "nothing at 0 degrees";
    EXPECT_EQ(count(plot_svg(response, "x"), "L"), 1U) << "only the magnitude is joined";
}

TEST(Plot, ACurveEndsAtTheEdgeInsteadOfRunningAlongIt) {
    // Falls from 0 to -300 dB and returns: between the edges, nothing is drawn.
    v1::FrequencyResponseResult response;
    response.mutable_outputs()->Add();
    for (int i = 0; i <= 6; ++i) {
        response.add_frequencies_hz(static_cast<float>(20.0 * std::pow(10.0, i * 0.5)));
        response.mutable_outputs(0)->add_magnitude_db(static_cast<float>(-100 * (3 - std::abs(3 - i))));
        response.mutable_outputs(0)->add_phase_deg(90.0F);
    }
    const std::vector<rtactl::Panel> panels = panels_of(response);
    const std::vector<rtactl::Stroke> strokes = panels[0].strokes(0, rtactl::FrequencyAxis{response});
    ASSERT_EQ(strokes.size(), 2U);
    EXPECT_EQ(panels[0].axis.lowest, -96.0);
    EXPECT_DOUBLE_EQ(strokes[0].begin.depth, 0.0);
    EXPECT_DOUBLE_EQ(strokes[0].end.depth, 1.0);
    EXPECT_NEAR(strokes[0].end.place, 0.96 / 6.0, 1e-6);
    EXPECT_NEAR(strokes[1].begin.place, 1.0 - 0.96 / 6.0, 1e-6);
    EXPECT_FALSE(strokes[1].continues);
    EXPECT_EQ(panels[1].strokes(0, rtactl::FrequencyAxis{response}).size(), 0U) << "no phase without a level";

    const std::vector<std::string> lines = plot_text(response, 80);
    const auto dots = [](const std::string& line) { return count(line, ":") + count(line, ".") + count(line, "'"); };
    EXPECT_LE(dots(lines[13]), 4U) << lines[13];
    for (std::size_t row = 16; row < 25; ++row) EXPECT_EQ(dots(lines[row]), 0U) << lines[row];
    EXPECT_EQ(count(plot_svg(response, "x"), "L"), 2U);
}

TEST(Plot, GridLinesAreAtMultiplesOfTheStep) {
    const rtactl::Axis axis{.lowest = -84.0, .highest = 12.0, .step = 24.0};
    EXPECT_THAT(axis.marks(), testing::ElementsAre(0.0, -24.0, -48.0, -72.0));
}

/// Returns a response of -6 dB with a delay.
v1::FrequencyResponseResult delayed(double delay_ms) {
    v1::FrequencyResponseResult response = fake_response();
    v1::PortResponse& output = *response.mutable_outputs(0);
    output.set_port("in");
    for (int i = 0; i < response.frequencies_hz_size(); ++i) {
        const double degrees = -0.36 * delay_ms * static_cast<double>(response.frequencies_hz(i));
        output.set_magnitude_db(i, -6.0F);
        output.set_phase_deg(i, static_cast<float>(degrees - 360.0 * std::round(degrees / 360.0)));
        output.add_group_delay_ms(static_cast<float>(delay_ms));
    }
    response.add_notes("limiter \"lim\" counts as its latency, without gain reduction");
    return response;
}

TEST(Plot, ALongDelayIsRemovedFromThePhaseOnly) {
    const std::vector<rtactl::Panel> panels = panels_of(delayed(20.02));
    ASSERT_EQ(panels.size(), 3U);
    EXPECT_EQ(panels[1].title, "phase in degrees, without a delay of 20.02 ms");
    for (const double degrees : panels[1].curves[0]) EXPECT_NEAR(degrees, 0.0, 0.1);
    EXPECT_EQ(panels[2].title, "group delay in ms");
    for (const double delay_ms : panels[2].curves[0]) EXPECT_NEAR(delay_ms, 20.02, 1e-4);
    EXPECT_LT(panels[2].axis.lowest, 20.02);
    EXPECT_GT(panels[2].axis.highest, 20.02);
    EXPECT_LE(panels[2].axis.marks().size(), 8U);
    // A short delay is part of the curve.
    EXPECT_EQ(panels_of(delayed(0.02))[1].title, "phase in degrees");
    // Of several outputs, the shortest delay is removed: their difference remains.
    v1::FrequencyResponseResult two = delayed(20.0);
    *two.add_outputs() = delayed(20.01).outputs(0);
    const std::vector<rtactl::Panel> both = panels_of(two);
    EXPECT_EQ(both[1].title, "phase in degrees, without a delay of 20 ms");
    EXPECT_NEAR(both[1].curves[1].back(), -0.36 * 0.01 * 20'000.0, 0.2);
}

TEST(Plot, TheDelayOfANarrowNotchDoesNotSetTheAxis) {
    v1::FrequencyResponseResult response = delayed(1.0);
    response.mutable_outputs(0)->set_group_delay_ms(150, -400.0F);
    const rtactl::Panel delays = panels_of(response)[2];
    EXPECT_GT(delays.axis.lowest, 0.0);
    for (const rtactl::Stroke& stroke : delays.strokes(0, rtactl::FrequencyAxis{response}))
        EXPECT_LE(std::max(stroke.begin.depth, stroke.end.depth), 1.0 + 1e-9);
}

TEST(Plot, OfSeveralOutputsTheTextHasTheMagnitudesAndTheSvgAll) {
    v1::FrequencyResponseResult response = fake_response();
    *response.add_outputs() = response.outputs(0);
    response.mutable_outputs(1)->set_port("out_2");
    for (float& magnitude_db : *response.mutable_outputs(1)->mutable_magnitude_db()) magnitude_db -= 12.0F;
    const std::vector<std::string> lines = plot_text(response, 80);
    ASSERT_EQ(lines.size(), 16U);
    EXPECT_EQ(lines[0], "1 out   2 out_2");
    EXPECT_THAT(lines[2], HasSubstr("0 11111"));
    EXPECT_THAT(lines[5], HasSubstr("-12 22222"));
    EXPECT_EQ(plot_text(response, 10)[1], "2 out_2") << "a narrow terminal has one name in a line";
    const std::string svg = plot_svg(response, "a<b&c");
    EXPECT_THAT(svg, HasSubstr("a&lt;b&amp;c"));
    EXPECT_THAT(svg, HasSubstr(">out_2</text>"));
    EXPECT_THAT(svg, testing::StartsWith("<svg "));
    EXPECT_EQ(count(svg, "<path"), 6U) << "four curves, and two in the legend";
    EXPECT_THAT(svg, HasSubstr(">magnitude in dB</text>"));
    EXPECT_THAT(svg, HasSubstr(">frequency in Hz</text>"));
}

TEST(ResponseCommand, PrintsThePlotOrWritesTheDrawing) {
    const FakeRtad rtad;
    const Outcome plain = rtad.run({"response", "vol"});
    EXPECT_EQ(plain.exit, rtactl::Exit::done) << plain.err;
    EXPECT_THAT(plain.out, HasSubstr("magnitude in dB\n      0 '''"));
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

TEST(ResponseCommand, PlotsAPathWithItsNotes) {
    v1::GetFrequencyResponse asked;
    const FakeRtad rtad{[&](const v1::Request& request) -> std::optional<Reply> {
        if (!request.has_get_frequency_response()) return std::nullopt;
        asked = request.get_frequency_response();
        v1::Response response = ok(request);
        *response.mutable_get_frequency_response() = delayed(5.0);
        return Reply{.bytes = frame(response)};
    }};
    const Outcome plain = rtad.run({"response", "mic", "out:in", "--channels", "2:3"});
    EXPECT_EQ(plain.exit, rtactl::Exit::done) << plain.err;
    EXPECT_EQ(asked.node(), "");
    EXPECT_EQ(asked.from(), "mic");
    EXPECT_EQ(asked.to(), "out:in");
    EXPECT_EQ(asked.from_channel(), 2U);
    EXPECT_EQ(asked.to_channel(), 3U);
    EXPECT_THAT(plain.out, HasSubstr("phase in degrees, without a delay of 5 ms\n"));
    EXPECT_THAT(plain.out, HasSubstr("\ngroup delay in ms\n"));
    EXPECT_THAT(plain.out, testing::EndsWith("note: limiter \"lim\" counts as its latency, without gain reduction\n"));
    const std::string svg = rtad.run({"response", "mic", "out", "--svg", "-"}).out;
    EXPECT_THAT(svg, HasSubstr(">mic -> out</text>"));
    EXPECT_THAT(svg, HasSubstr(">limiter \"lim\" counts as its latency, without gain reduction</text>"));
    EXPECT_THAT(rtad.run({"--json", "response", "mic", "out"}).out, HasSubstr("\"group_delay_ms\":["));
    EXPECT_THAT(rtad.run({"response", "mic", "out", "--channels", "2:3", "--svg", "-"}).out,
                HasSubstr(">mic -> out, channels 2:3</text>"));
    for (const char* const channels : {"0:1", "1:0", "x", "1:", ":1", "1", "1.5:1", "1:2:3", "4294967296:1", ""}) {
        const Outcome wrong = rtad.run({"response", "mic", "out", "--channels", channels});
        EXPECT_EQ(wrong.exit, rtactl::Exit::usage) << channels;
        EXPECT_THAT(wrong.err, HasSubstr("expected a channel of A and a channel of B, from 1, such as 2:1"));
    }
    EXPECT_THAT(rtad.run({"response", "mic", "--channels", "1:2"}).err, HasSubstr("--channels needs two ports"));
}

TEST(ResponseCommand, AnAnswerThatMakesNoSenseIsNotDrawn) {
    using Result = v1::FrequencyResponseResult;
    constexpr void (*kSpoilers[])(Result&) = {
        [](Result& result) { result.clear_frequencies_hz(); },
        [](Result& result) { result.mutable_outputs(0)->clear_phase_deg(); },
        [](Result& result) { result.mutable_outputs(0)->mutable_magnitude_db()->RemoveLast(); },
        [](Result& result) { result.mutable_outputs(0)->set_magnitude_db(7, NAN); },
        [](Result& result) { result.set_frequencies_hz(300, INFINITY); },
        [](Result& result) { result.mutable_outputs(0)->add_group_delay_ms(1.0F); },
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
