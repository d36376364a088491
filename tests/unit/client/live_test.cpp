// SPDX-License-Identifier: MIT
// meter, top and watch: their requests, their output, and their use of a terminal.
#include <gtest/gtest.h>
#include <pty.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): pthread_kill is POSIX
#include <sys/ioctl.h>

#include <future>
#include <sstream>
#include <thread>

#include "fake_rtad.h"
#include "os/unique_fd.h"
#include "rtactl/drawing/meter_picture.h"
#include "rtactl/drawing/picture.h"

namespace rta::test {
namespace {

using rtactl::Exit;
using rtactl::Style;

v1::Event levels(std::uint64_t number, float peak_db, const char* meter = nullptr) {
    v1::Event event;
    event.set_telemetry_number(number);
    event.mutable_levels()->set_frame(number * 4'800);
    v1::ChannelLevel level;
    level.set_peak_db(peak_db);
    level.set_rms_db(peak_db - 3.0F);
    *event.mutable_levels()->add_outputs() = level;
    if (meter != nullptr) {
        event.mutable_levels()->add_meters()->set_node(meter);
        *event.mutable_levels()->mutable_meters(0)->add_channels() = level;
    }
    return event;
}

/// Answers Subscribe, followed by these events.
FakeRtad::Override with_events(std::vector<v1::Event> events, bool close = true) {
    return [events = std::move(events), close](const v1::Request& request) -> std::optional<Reply> {
        if (request.has_get_graph()) {
            v1::Response response = ok(request);
            v1::Graph& graph = *response.mutable_get_graph()->mutable_graph();
            graph = fake_graph();
            graph.add_nodes()->set_name("vu");
            graph.mutable_nodes(3)->set_type("meter");
            graph.add_nodes()->set_name("comp");
            graph.mutable_nodes(4)->set_type("compressor");
            return Reply{.bytes = frame(response)};
        }
        if (request.has_list_node_types()) {
            v1::Response response = ok(request);
            v1::NodeTypesResult& types = *response.mutable_list_node_types();
            types = fake_types();
            for (const auto& [type, reports] : {std::pair{"meter", "levels"}, {"compressor", "gain_reduction"}}) {
                types.add_types()->set_name(type);
                types.mutable_types(types.types_size() - 1)->set_reports(reports);
            }
            return Reply{.bytes = frame(response)};
        }
        if (!request.has_subscribe()) return std::nullopt;
        v1::Response response = ok(request);
        response.mutable_subscribe()->set_change_number(2);
        std::string bytes = frame(response);
        for (const v1::Event& event : events) bytes += frame(event);
        return Reply{.bytes = std::move(bytes), .close = close};
    };
}

/// A pseudo-terminal of this size whose output is not read.
class Terminal {
 public:
    Terminal(unsigned short columns, unsigned short rows) {
        int master = -1;
        int slave = -1;
        winsize size{};
        size.ws_col = columns;
        size.ws_row = rows;
        EXPECT_EQ(::openpty(&master, &slave, nullptr, nullptr, &size), 0);
        master_ = os::UniqueFd{master};
        slave_ = os::UniqueFd{slave};
    }
    [[nodiscard]] int descriptor() const { return slave_.get(); }
    void resize(unsigned short columns, unsigned short rows) const {
        winsize size{};
        size.ws_col = columns;
        size.ws_row = rows;
        EXPECT_EQ(::ioctl(slave_.get(), TIOCSWINSZ, &size), 0);
    }

 private:
    os::UniqueFd master_;
    os::UniqueFd slave_;
};

v1::Subscribe subscribed(FakeRtad& rtad) {
    for (const v1::Request& request : rtad.daemon().requests()) {
        if (request.has_subscribe()) return request.subscribe();
    }
    ADD_FAILURE() << "nothing was subscribed to";
    return {};
}

TEST(Watch, TakesTopicsRateAndCount) {
    FakeRtad rtad{with_events({levels(1, -6), heard(3), heard(4)}, false)};
    const Outcome outcome = rtad.run({"watch", "changes", "levels", "--rate", "25", "--count", "2"});
    EXPECT_EQ(outcome.exit, Exit::done) << outcome.err;
    EXPECT_EQ(outcome.out,
              "levels up to frame 4800: (device) peak -6.0, rms -9.0 dB\n3: revision 3 takes effect at frame 192\n");
    const v1::Subscribe wanted = subscribed(rtad);
    ASSERT_EQ(wanted.topics_size(), 2);
    EXPECT_EQ(wanted.topics(0), v1::TOPIC_CHANGES);
    EXPECT_EQ(wanted.topics(1), v1::TOPIC_LEVELS);
    EXPECT_EQ(wanted.telemetry_rate_hz(), 25.0F);
}

TEST(Watch, WatchesChangesUnlessToldOtherwise) {
    FakeRtad rtad{with_events({heard(3)}, false)};
    EXPECT_EQ(rtad.run({"watch", "--count", "1"}).exit, Exit::done);
    const v1::Subscribe wanted = subscribed(rtad);
    ASSERT_EQ(wanted.topics_size(), 1);
    EXPECT_EQ(wanted.topics(0), v1::TOPIC_CHANGES);
    EXPECT_FALSE(wanted.has_telemetry_rate_hz());
}

TEST(Watch, RefusesWhatItDoesNotKnow) {
    FakeRtad rtad;
    EXPECT_EQ(rtad.run({"watch", "--spectrum"}).exit, Exit::usage);
    for (const char* rate : {"0", "101", "fast", "-1"})
        EXPECT_EQ(rtad.run({"watch", "--rate", rate}).exit, Exit::usage) << rate;
    for (const char* count : {"0", "-1", "many", "1.5"})
        EXPECT_EQ(rtad.run({"watch", "--count", count}).exit, Exit::usage) << count;
    EXPECT_EQ(rtad.daemon().connections(), 0U);
    const Outcome misspelled = rtad.run({"watch", "levles"});
    EXPECT_EQ(misspelled.exit, Exit::refused);
    EXPECT_TRUE(has(misspelled.err, "did you mean \"levels\"?")) << misspelled.err;
}

v1::Event port_levels(bool with_spectrum) {
    v1::Event event;
    v1::PortLevels& levels = *event.mutable_port_levels();
    levels.set_frame(9'600);
    for (const char* const name : {"osc", "vol:out"}) {
        v1::PortLevel& port = *levels.add_ports();
        port.set_port(name);
        port.add_channels()->set_peak_db(-6.0F);
        port.mutable_channels(0)->set_rms_db(-9.0F);
    }
    if (!with_spectrum) return event;
    v1::Spectrum& spectrum = *levels.mutable_ports(1)->add_spectra();
    for (const float magnitude : {-90.0F, -20.5F, -60.0F}) spectrum.add_magnitudes_db(magnitude);
    spectrum.set_band_hz(23.4375F);
    return event;
}

TEST(Watch, WordsThatAreNotTopicsArePorts) {
    FakeRtad rtad{with_events({port_levels(false), port_levels(true)}, false)};
    const Outcome outcome = rtad.run({"watch", "osc", "xruns", "vol:out", "--spectrum", "--count", "2"});
    EXPECT_EQ(outcome.exit, Exit::done) << outcome.err;
    EXPECT_EQ(
        outcome.out,
        "ports up to frame 9600: osc peak -6.0, rms -9.0 dB; vol:out peak -6.0, rms -9.0 dB\n"
        "ports up to frame 9600: osc peak -6.0, rms -9.0 dB; vol:out peak -6.0, rms -9.0 dB, strongest 23.4375 Hz "
        "-20.5 dB\n");
    const v1::Subscribe wanted = subscribed(rtad);
    ASSERT_EQ(wanted.topics_size(), 1);
    EXPECT_EQ(wanted.topics(0), v1::TOPIC_XRUNS);
    ASSERT_EQ(wanted.watches_size(), 2);
    EXPECT_EQ(wanted.watches(0).port(), "osc");
    EXPECT_EQ(wanted.watches(1).port(), "vol:out");
    EXPECT_TRUE(wanted.watches(1).spectrum());
}

TEST(Meter, PrintsALineAnEventWhereThereIsNoTerminal) {
    FakeRtad rtad{with_events({levels(1, -6, "vu"), levels(2, -12, "vu"), levels(3, 0, "vu")}, false)};
    const Outcome outcome = rtad.run({"meter", "--count", "2"});
    EXPECT_EQ(outcome.exit, Exit::done) << outcome.err;
    EXPECT_EQ(outcome.out,
              "levels up to frame 4800: (device) peak -6.0, rms -9.0 dB; vu peak -6.0, rms -9.0 dB\n"
              "levels up to frame 9600: (device) peak -12.0, rms -15.0 dB; vu peak -12.0, rms -15.0 dB\n");
    const v1::Subscribe wanted = subscribed(rtad);
    ASSERT_EQ(wanted.topics_size(), 1);
    EXPECT_EQ(wanted.topics(0), v1::TOPIC_LEVELS);
    EXPECT_EQ(wanted.telemetry_rate_hz(), 10.0F);
}

TEST(Meter, ShowsTheMetersThatAreAskedFor) {
    FakeRtad rtad{with_events({levels(1, -6, "vu")}, false)};
    EXPECT_EQ(rtad.run({"meter", "vu", "--count", "1"}).out, "levels up to frame 4800: vu peak -6.0, rms -9.0 dB\n");
    EXPECT_TRUE(has(rtad.run({"meter", "vv"}).err, "unknown meter \"vv\" (did you mean \"vu\"?)"));
    EXPECT_TRUE(has(rtad.run({"meter", "osc"}).err,
                    "node osc is of the type sine, which reports no levels: expected a meter, compressor"));
    EXPECT_EQ(rtad.run({"meter", "osc"}).exit, Exit::refused);
}

TEST(Meter, PrintsJsonLinesAndNothingElse) {
    FakeRtad rtad{with_events({levels(1, -6), levels(2, -6)}, false)};
    const Outcome outcome = rtad.run({"--json", "meter", "--count", "2"});
    EXPECT_EQ(std::ranges::count(outcome.out, '\n'), 2) << outcome.out;
    EXPECT_TRUE(outcome.out.starts_with(
        "{\"number\":\"0\",\"telemetry_number\":\"1\",\"telemetry_dropped\":\"0\",\"levels\":{\"frame\":\"4800\""))
        << outcome.out;
}

TEST(Meter, DrawsBarsAndGivesTheTerminalBack) {
    const Terminal terminal{80, 24};
    FakeRtad rtad{with_events({levels(1, -6, "vu"), levels(2, -30, "vu")}, true)};
    const Outcome outcome = rtad.run({"meter"}, "", false, terminal.descriptor());
    EXPECT_EQ(outcome.exit, Exit::cannot_connect) << "the daemon goes away in the middle of it";
    EXPECT_TRUE(outcome.out.starts_with("\x1b[?1049h\x1b[?25l\x1b[H")) << outcome.out;
    const std::size_t restored = outcome.out.find("\x1b[?1049l\x1b[?25h");
    ASSERT_NE(restored, std::string::npos);
    const std::string rest = outcome.out.substr(restored);
    // 80 columns: the bar has 28 cells for 60 dB. -33 dB is 13 cells, -30 dB is 14, -6 dB is 25.
    EXPECT_TRUE(has(rest, "(device) [=============-          |   ]  -30.0  rms  -33.0  peak   -6.0 dB\n")) << rest;
    EXPECT_FALSE(has(rest.substr(1 + rest.find("25h")), "\x1b")) << "only text stays behind";
}

v1::Event loud_levels() {
    v1::Event event = levels(1, -6, "vu");
    v1::MeterLevels& meter = *event.mutable_levels()->mutable_meters(0);
    meter.mutable_channels(0)->set_true_peak_db(-5.5F);
    meter.mutable_loudness()->set_momentary_lufs(-22.96F);
    meter.mutable_loudness()->set_integrated_lufs(-23.4F);
    meter.mutable_loudness()->set_maximum_true_peak_db(-1.0F);
    return event;
}

TEST(Meter, ShowsLoudnessBelowTheBarsAndOnTheLineOfTheEvent) {
    constexpr std::string_view kText = "M -23.0, S --, I -23.4 LUFS, range -- LU, true peak -5.5, highest -1.0 dBTP";
    FakeRtad rtad{with_events({loud_levels()}, false)};
    const Outcome line = rtad.run({"meter", "vu", "--count", "1"});
    EXPECT_EQ(line.out, "levels up to frame 4800: vu peak -6.0, rms -9.0 dB, " + std::string{kText} + "\n");
    const Terminal terminal{100, 24};
    const Outcome drawn = rtad.run({"meter", "vu", "--count", "1"}, "", false, terminal.descriptor());
    EXPECT_TRUE(has(drawn.out, "   " + std::string{kText})) << drawn.out;
    EXPECT_TRUE(has(rtad.run({"--json", "meter", "--count", "1"}).out, "\"momentary_lufs\":-22.96"));
}

v1::Event reduced_levels(float largest_db, float current_db) {
    v1::Event event = levels(1, -6);
    v1::MeterLevels& meter = *event.mutable_levels()->add_meters();
    meter.set_node("comp");
    meter.mutable_gain_reduction()->set_largest_db(largest_db);
    meter.mutable_gain_reduction()->set_current_db(current_db);
    return event;
}

TEST(Meter, ShowsTheGainReductionAsABarFromTheRight) {
    FakeRtad rtad{with_events({reduced_levels(6.04F, 3.0F)}, false)};
    EXPECT_EQ(rtad.run({"meter", "comp", "--count", "1"}).out,
              "levels up to frame 4800: comp gain reduction 3.0, largest 6.0 dB\n");
    const Terminal terminal{79, 24};
    const Outcome drawn = rtad.run({"meter", "comp", "--count", "1"}, "", false, terminal.descriptor());
    // 79 columns: the bar has 31 cells for 30 dB.
    EXPECT_TRUE(has(drawn.out, "comp [                         |  <<<]    3.0  max    6.0  held    6.0 dB\n"))
        << drawn.out;
    const Outcome json = rtad.run({"--json", "meter", "comp", "--count", "1"});
    EXPECT_TRUE(has(json.out, "\"gain_reduction\":{\"largest_db\":6.04,\"current_db\":3}")) << json.out;
    const Outcome all = rtad.run({"meter", "--count", "1"});
    EXPECT_TRUE(has(all.out, "(device) peak -6.0, rms -9.0 dB; comp gain reduction 3.0")) << all.out;
}

TEST(Meter, ResetsTheMetersThatAreNamed) {
    FakeRtad rtad;
    EXPECT_EQ(rtad.run({"meter", "--reset", "vu", "left"}).out, "vu, left: programme restarts at frame 4096\n");
    const v1::ResetMeters asked = rtad.daemon().requests().back().reset_meters();
    ASSERT_EQ(asked.nodes_size(), 2);
    EXPECT_EQ(asked.nodes(0), "vu");
    EXPECT_EQ(rtad.run({"meter", "--reset"}).out, "all meters: programme restarts at frame 4096\n");
    EXPECT_EQ(rtad.daemon().requests().back().reset_meters().nodes_size(), 0);
    EXPECT_EQ(rtad.run({"meter", "--reset", "--count", "2"}).exit, Exit::usage);
}

TEST(Meter, GivesTheTerminalBackWhenInterrupted) {
    const Terminal terminal{80, 24};
    FakeRtad rtad{with_events({levels(1, -6)}, false)};
    std::promise<Outcome> promise;
    auto outcome = promise.get_future();
    std::thread metering{[&] { promise.set_value(rtad.run({"meter"}, "", false, terminal.descriptor())); }};
    rtad.daemon().wait_for(v1::Request::kSubscribe);
    ASSERT_EQ(::pthread_kill(metering.native_handle(), SIGWINCH), 0);
    ASSERT_EQ(::pthread_kill(metering.native_handle(), SIGINT), 0);
    const Outcome ended = outcome.get();
    metering.join();
    EXPECT_EQ(ended.exit, Exit::done) << ended.err;
    EXPECT_TRUE(has(ended.out, "\x1b[?1049l\x1b[?25h")) << ended.out;
}

TEST(Live, EndsWellWhenInterruptedBeforeTheDaemonAnswers) {
    using Kind = v1::Request::RequestCase;
    struct Case {
        const char* command;
        Kind unanswered;
    };
    for (const Case& tried :
         {Case{"top", Kind::kListNodeTypes}, Case{"top", Kind::kGetStatus}, Case{"top", Kind::kGetGraph},
          Case{"meter", Kind::kGetStatus}, Case{"meter", Kind::kSubscribe}, Case{"watch", Kind::kSubscribe}}) {
        for (const int signal : {SIGINT, SIGTERM}) {
            FakeRtad rtad{[&, client = ::pthread_self()](const v1::Request& request) -> std::optional<Reply> {
                if (request.request_case() != tried.unanswered) return std::nullopt;
                EXPECT_EQ(::pthread_kill(client, signal), 0);
                return Reply{};
            }};
            const Outcome outcome = rtad.run({tried.command});
            EXPECT_EQ(outcome.exit, Exit::done) << tried.command << ", signal " << signal << ": " << outcome.err;
            EXPECT_EQ(outcome.err, "") << tried.command;
        }
    }
}

TEST(Live, AChangeOfTheTerminalsSizeLeavesTheAnswerAwaited) {
    const Terminal terminal{100, 40};
    FakeRtad rtad{[client = ::pthread_self()](const v1::Request& request) -> std::optional<Reply> {
        if (request.has_get_status()) {
            EXPECT_EQ(::pthread_kill(client, SIGWINCH), 0);
        }
        return std::nullopt;
    }};
    const Outcome outcome = rtad.run({"top", "--count", "2", "--rate", "10"}, "", false, terminal.descriptor());
    EXPECT_EQ(outcome.exit, Exit::done) << outcome.err;
    EXPECT_TRUE(has(outcome.out, "\x1b[?1049l\x1b[?25hdevice")) << outcome.out;
}

TEST(Picture, TextIsCutToTheCurrentTerminalSize) {
    const Terminal terminal{10, 3};
    std::ostringstream out;
    {
        rtactl::Picture picture{out, terminal.descriptor(), false};
        out.str("");
        picture.draw({{{"\u00fc1234"}, {"56789abc", Style::error}}, {{"two"}}, {{"three"}}, {{"four"}}});
        EXPECT_EQ(out.str(), "\x1b[H\u00fc123456789\x1b[K\r\ntwo\x1b[K\r\n... and 2 \x1b[K\x1b[J");
        terminal.resize(40, 10);
        out.str("");
        picture.redraw();
        EXPECT_EQ(out.str(), "\x1b[H\u00fc123456789abc\x1b[K\r\ntwo\x1b[K\r\nthree\x1b[K\r\nfour\x1b[K\x1b[J");
        EXPECT_EQ(picture.columns(), 40U);
        out.str("");
    }
    EXPECT_EQ(out.str(), "\x1b[?1049l\x1b[?25h\u00fc123456789abc\ntwo\nthree\nfour\n");
}

TEST(Picture, StylesTakeNoColumns) {
    const Terminal terminal{10, 3};
    std::ostringstream out;
    {
        rtactl::Picture picture{out, terminal.descriptor(), true};
        out.str("");
        picture.draw(
            {{{"1234"}, {"5678", Style::warning}, {"9abc", Style::error}, {"d"}}, {{"\x1b[1mx", Style::good}}});
        EXPECT_EQ(out.str(),
                  "\x1b[H1234\x1b[33m5678\x1b[0m\x1b[31m9a\x1b[0m\x1b[K\r\n\x1b[32m\\x1b[1mx\x1b[0m\x1b[K\x1b[J")
            << "text of the daemon sets no style";
    }
}

TEST(MeterPicture, BarsAreColouredByLevel) {
    v1::Levels levels;
    v1::ChannelLevel& level = *levels.add_outputs();
    level.set_rms_db(-6.0F);
    level.set_peak_db(1.0F);
    const auto lines = rtactl::MeterPicture{48'000}.lines(levels, 8 + 44 + 60);
    ASSERT_EQ(lines.size(), 1U);
    std::string text;
    std::string coloured;
    for (const rtactl::StyledPiece& piece : lines[0]) {
        text += piece.text;
        for (std::size_t i = 0; i < piece.text.size(); ++i) coloured += "phsgwe"[static_cast<std::size_t>(piece.style)];
    }
    EXPECT_TRUE(text.starts_with("(device) [" + std::string(54, '=') + std::string(5, '-') + "|]")) << text;
    EXPECT_TRUE(text.ends_with(" dB  over")) << text;
    EXPECT_TRUE(coloured.starts_with("pppppppppp" + std::string(48, 'g') + std::string(9, 'w') + "eeep")) << coloured;
    EXPECT_TRUE(coloured.ends_with("peeeeee")) << coloured;
}

TEST(MeterPicture, BarsShowRmsPeakAndHold) {
    EXPECT_EQ(rtactl::level_bar(-30, -15, -6, 20), "[==========-----  |  ]");
    EXPECT_EQ(rtactl::level_bar(-150, -150, -150, 6), "[      ]");
    EXPECT_EQ(rtactl::level_bar(12, 12, 12, 6), "[=====|]") << "above full scale there is no more room";
}

TEST(MeterPicture, BarsOfGainReductionGrowFromTheRight) {
    EXPECT_EQ(rtactl::reduction_bar(0, 0, 10), "[          ]");
    EXPECT_EQ(rtactl::reduction_bar(3, 9, 10), "[       | <]");
    EXPECT_EQ(rtactl::reduction_bar(6, 6, 10), "[        |<]");
    EXPECT_EQ(rtactl::reduction_bar(120, 120, 10), "[|<<<<<<<<<]");
}

TEST(MeterPicture, HeldPeakLasts1500MsThenFalls20DbPerSecond) {
    constexpr double kRateHz = 48'000;
    rtactl::PeakHold hold;
    EXPECT_EQ(hold.update(-6, 0, kRateHz), -6.0F);
    EXPECT_EQ(hold.update(-40, 48'000, kRateHz), -6.0F);
    EXPECT_EQ(hold.update(-40, 72'000, kRateHz), -6.0F) << "1.5 s";
    EXPECT_FLOAT_EQ(hold.update(-40, 96'000, kRateHz), -16.0F) << "half a second later";
    EXPECT_FLOAT_EQ(hold.update(-40, 120'000, kRateHz), -26.0F);
    EXPECT_EQ(hold.update(-20, 121'000, kRateHz), -20.0F) << "a new peak";
    EXPECT_EQ(hold.update(-40, 168'000, kRateHz), -20.0F);
}

TEST(Top, PrintsPagesWhereThereIsNoTerminal) {
    FakeRtad rtad;
    const Outcome outcome = rtad.run({"top", "--count", "2", "--rate", "10"});
    EXPECT_EQ(outcome.exit, Exit::done) << outcome.err;
    for (const std::string_view part : {"null tone.wav, running", "p99   [##                            ] 5.1 %",
                                        "worst [###############               ] 50 %", "2 late callbacks, 1 overrun",
                                        "\"console\"  192.0.2.1:50000  1 min 1 s  9",
                                        "vol   gain    1.23 %   1 %      gain_db = -12.5 dB, mute = on\nosc   sine    "
                                        "0.004 %  0.005 %  frequency_hz = 440 Hz\n"
                                        "out   output  -        -",
                                        "muted; `rtactl unmute` unmutes it"}) {
        EXPECT_TRUE(has(outcome.out, part)) << part << " is not in\n" << outcome.out;
    }
    EXPECT_EQ(outcome.out.find('\x1b'), std::string::npos);
    std::size_t statuses = 0;
    std::size_t graphs = 0;
    for (const v1::Request& request : rtad.daemon().requests()) {
        statuses += request.has_get_status() ? 1U : 0U;
        graphs += request.has_get_graph() ? 1U : 0U;
    }
    EXPECT_EQ(statuses, 2U);
    EXPECT_EQ(graphs, 2U) << "the graph has change number 0, the status 11: it may have changed since";
}

TEST(Top, AsksForTheGraphOnlyWhenItHasChanged) {
    FakeRtad rtad{[](const v1::Request& request) -> std::optional<Reply> {
        if (!request.has_get_graph()) return std::nullopt;
        v1::Response response = ok(request);
        *response.mutable_get_graph()->mutable_graph() = fake_graph();
        response.mutable_get_graph()->set_change_number(fake_status().engine().change_number());
        return Reply{.bytes = frame(response)};
    }};
    EXPECT_EQ(rtad.run({"top", "--count", "3", "--rate", "10"}).exit, Exit::done);
    EXPECT_EQ(std::ranges::count_if(rtad.daemon().requests(),
                                    [](const v1::Request& request) { return request.has_get_graph(); }),
              1);
}

TEST(Top, DrawsOnATerminalAndPrintsJsonLines) {
    const Terminal terminal{100, 40};
    FakeRtad rtad;
    const Outcome drawn = rtad.run({"top", "--count", "2", "--rate", "10"}, "", false, terminal.descriptor());
    EXPECT_EQ(drawn.exit, Exit::done);
    EXPECT_TRUE(drawn.out.starts_with("\x1b[?1049h\x1b[?25l\x1b[Hdevice")) << drawn.out;
    EXPECT_TRUE(has(drawn.out, "\x1b[?1049l\x1b[?25hdevice"));
    const Outcome json = rtad.run({"--json", "top", "--count", "2", "--rate", "10"}, "", false, terminal.descriptor());
    EXPECT_EQ(std::ranges::count(json.out, '\n'), 3) << json.out;
    EXPECT_TRUE(has(json.out, "\"get_status\":{")) << json.out;
    EXPECT_TRUE(has(json.out, "\"node_loads\":{")) << json.out;
}

TEST(Top, EndsWithTheDaemon) {
    FakeRtad rtad{[](const v1::Request& request) -> std::optional<Reply> {
        if (!request.has_get_graph()) return std::nullopt;
        return Reply{.bytes = frame(ok(request)), .close = true};
    }};
    EXPECT_EQ(rtad.run({"top"}).exit, Exit::cannot_connect);
}

}  // namespace
}  // namespace rta::test
