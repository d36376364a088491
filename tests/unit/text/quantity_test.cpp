// SPDX-License-Identifier: MIT
#include "text/quantity.h"

#include <gtest/gtest.h>

namespace rta {
namespace {

struct Good {
    std::string_view text;
    ValueUnit unit;
    double value;
};

TEST(Quantity, ReadsUnitsAsPeopleWriteThem) {
    for (const auto& [text, unit, value] : {
             Good{"440", ValueUnit::hertz, 440},
             Good{"440Hz", ValueUnit::hertz, 440},
             Good{"440 Hz", ValueUnit::hertz, 440},
             Good{"2kHz", ValueUnit::hertz, 2000},
             Good{"2.5KHZ", ValueUnit::hertz, 2500},
             Good{"1e3", ValueUnit::hertz, 1000},
             Good{"1e3hz", ValueUnit::hertz, 1000},
             Good{"-6", ValueUnit::decibel, -6},
             Good{"-6dB", ValueUnit::decibel, -6},
             Good{"+3 dB", ValueUnit::decibel, 3},
             Good{"-inf", ValueUnit::decibel, -120},
             Good{"-infdB", ValueUnit::decibel, -120},
             Good{"-INF dB", ValueUnit::decibel, -120},
             Good{"250ms", ValueUnit::seconds, 0.25},
             Good{"0.25s", ValueUnit::seconds, 0.25},
             Good{"0.25", ValueUnit::seconds, 0.25},
             Good{"100us", ValueUnit::seconds, 1e-4},
             Good{"1h", ValueUnit::seconds, 3'600},
             Good{"5min", ValueUnit::seconds, 300},
             Good{"0.5 H", ValueUnit::milliseconds, 1'800'000},
             Good{"2s", ValueUnit::milliseconds, 2000},
             Good{"250", ValueUnit::milliseconds, 250},
             Good{"1.5ms", ValueUnit::milliseconds, 1.5},
             Good{"20us", ValueUnit::milliseconds, 0.02},
             Good{"20\u00b5s", ValueUnit::milliseconds, 0.02},
             Good{"0.7", ValueUnit::none, 0.7},
             Good{"50%", ValueUnit::none, 0.5},
             Good{".5", ValueUnit::none, 0.5},
             Good{"-.5", ValueUnit::none, -0.5},
             Good{"5.", ValueUnit::none, 5},
             Good{" 7 ", ValueUnit::none, 7},
             Good{"0", ValueUnit::none, 0},
             Good{"64", ValueUnit::frames, 64},
             Good{"on", ValueUnit::on_off, 1},
             Good{"Off", ValueUnit::on_off, 0},
             Good{"true", ValueUnit::on_off, 1},
             Good{"FALSE", ValueUnit::on_off, 0},
             Good{"yes", ValueUnit::on_off, 1},
             Good{"no", ValueUnit::on_off, 0},
             Good{"1", ValueUnit::on_off, 1},
             Good{"0", ValueUnit::on_off, 0},
             Good{"3kHz", ValueUnit::any, 3},
             Good{"on", ValueUnit::any, 1},
         }) {
        const auto parsed = parse_value(text, unit);
        ASSERT_TRUE(parsed) << text << ": " << parsed.error();
        EXPECT_DOUBLE_EQ(*parsed, value) << text;
    }
}

struct Bad {
    std::string_view text;
    ValueUnit unit;
    std::string_view says;
};

TEST(Quantity, RefusesNonsenseAndSaysWhatWouldBeRight) {
    using namespace std::literals;
    for (const auto& [text, unit, says] : {
             Bad{"250ms", ValueUnit::hertz, "\"250ms\" is a time; write a frequency (Hz, kHz)"},
             Bad{"440Hz", ValueUnit::decibel, "is a frequency; write a level (dB)"},
             Bad{"-6dB", ValueUnit::seconds, "is a level; write a time (us, ms, s, min, h)"},
             Bad{"50%", ValueUnit::seconds, "is a plain number; write a time"},
             Bad{"1s", ValueUnit::none, "is a time; write a plain number"},
             Bad{"1ms", ValueUnit::frames, "is a time; write a number of frames"},
             Bad{"1s", ValueUnit::on_off, "is a time; write on or off"},
             Bad{"50%", ValueUnit::on_off, "write on or off"},
             Bad{"maybe", ValueUnit::on_off, "is neither on nor off"},
             Bad{"", ValueUnit::hertz, "is empty"},
             Bad{"  ", ValueUnit::hertz, "is empty"},
             Bad{"", ValueUnit::on_off, "is empty"},
             Bad{"nan", ValueUnit::hertz, "is not a number"},
             Bad{"NaN", ValueUnit::decibel, "is not a number"},
             Bad{"-nan", ValueUnit::decibel, "is not a number"},
             Bad{"-", ValueUnit::decibel, "is not a number"},
             Bad{"+-3", ValueUnit::decibel, "is not a number"},
             Bad{"--3", ValueUnit::decibel, "is not a number"},
             Bad{"Hz", ValueUnit::hertz, "is not a number"},
             Bad{"on", ValueUnit::hertz, "is not a number"},
             Bad{"12furlongs", ValueUnit::hertz, "unknown unit"},
             Bad{"0x10", ValueUnit::hertz, "unknown unit"},
             Bad{"1,5", ValueUnit::hertz, "unknown unit"},
             Bad{"infinity", ValueUnit::hertz, "unknown unit"},
             Bad{"440 Hz Hz", ValueUnit::hertz, "unknown unit"},
             Bad{"1\0"sv, ValueUnit::hertz, "unknown unit"},
             Bad{"inf", ValueUnit::decibel, "out of range"},
             Bad{"-inf", ValueUnit::hertz, "out of range"},
             Bad{"1e39", ValueUnit::hertz, "out of range"},
             Bad{"-1e999", ValueUnit::none, "out of range"},
             Bad{"nan", ValueUnit::any, "is not a number"},
             Bad{"saw", ValueUnit::any, "is not a number"},
         }) {
        const auto parsed = parse_value(text, unit);
        ASSERT_FALSE(parsed) << text << " gave " << *parsed;
        EXPECT_NE(parsed.error().find(says), std::string::npos) << text << ": " << parsed.error();
    }
}

TEST(Quantity, CutsAMegabyteShortInItsError) {
    for (const std::string& text :
         {std::string(1'000'000, '9'), std::string(1'000'000, 'x'), "1" + std::string(1'000'000, ' ') + "m"}) {
        const auto parsed = parse_value(text, ValueUnit::hertz);
        ASSERT_FALSE(parsed);
        EXPECT_LT(parsed.error().size(), 300U);
    }
}

TEST(Quantity, KnowsTheUnitOfANameByItsEnd) {
    EXPECT_EQ(unit_of_name("frequency_1_hz"), ValueUnit::hertz);
    EXPECT_EQ(unit_of_name("gain_db"), ValueUnit::decibel);
    EXPECT_EQ(unit_of_name("max_time_ms"), ValueUnit::milliseconds);
    EXPECT_EQ(unit_of_name("position_s"), ValueUnit::seconds);
    EXPECT_EQ(unit_of_name("latency_frames"), ValueUnit::frames);
    EXPECT_EQ(unit_of_name("channels"), ValueUnit::any);
    EXPECT_EQ(unit_of_name(""), ValueUnit::any);
}

TEST(Quantity, KnowsTheProtocolsSymbols) {
    EXPECT_EQ(unit_of_symbol("Hz"), ValueUnit::hertz);
    EXPECT_EQ(unit_of_symbol("dB"), ValueUnit::decibel);
    EXPECT_EQ(unit_of_symbol("ms"), ValueUnit::milliseconds);
    EXPECT_EQ(unit_of_symbol("s"), ValueUnit::seconds);
    EXPECT_EQ(unit_of_symbol("on/off"), ValueUnit::on_off);
    EXPECT_EQ(unit_of_symbol(""), ValueUnit::none);
    EXPECT_EQ(unit_of_symbol("semitones"), ValueUnit::any) << "of a later daemon";
}

TEST(Quantity, PrintsWithUnit) {
    EXPECT_EQ(format_value(440.0F, "Hz"), "440 Hz");
    EXPECT_EQ(format_value(-12.5F, "dB"), "-12.5 dB");
    EXPECT_EQ(format_value(0.1F, ""), "0.1");
    EXPECT_EQ(format_value(1.0F, "on/off"), "on");
    EXPECT_EQ(format_value(0.0F, "on/off"), "off");
    EXPECT_EQ(format_value(0.5F, "on/off"), "0.5");
}

}  // namespace
}  // namespace rta
