// SPDX-License-Identifier: MIT
#include "graph/document_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "graph/layout.h"

namespace rta::document_values_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::array<std::string_view, 2> kKinds{"on", "2"};
constexpr std::array kSettings{
    SettingSpec{.name = "bands",
                .kind = SettingSpec::Kind::integer,
                .minimum = 1,
                .maximum = 4,
                .default_number = 2,
                .help = "Bands."},
    SettingSpec{.name = "loop", .kind = SettingSpec::Kind::on_off, .help = "Loop."},
    SettingSpec{
        .name = "kind", .kind = SettingSpec::Kind::choice, .default_text = "on", .choices = kKinds, .help = "Kind."},
    SettingSpec{.name = "file", .kind = SettingSpec::Kind::text, .default_text = "", .help = "File."},
    SettingSpec{.name = "max_time_ms",
                .kind = SettingSpec::Kind::number,
                .minimum = 1,
                .maximum = 10'000,
                .default_number = 1'000,
                .help = "Time."},
};
constexpr std::array kParameters{
    corner_hz("frequency_hz", 5.0F, 1'000.0F, "Corner."),
    repeated(corner_hz("corner_#_hz", 5.0F, 15'000.0F, "Corner #."), "bands"),
    repeated(level_db("gain_#_db", 0.0F, "Gain #."), "bands"),
    on_off("mute", false, "Mutes."),
    ParameterSpec{"q", Unit::ratio, 0.05F, 100.0F, 0.7071F, "Q."},
    ParameterSpec{"time_ms", Unit::milliseconds, 0.0F, 10'000.0F, 100.0F, "Time."},
    ParameterSpec{"position_s", Unit::seconds, 0.0F, 10'000.0F, 0.0F, "Position."},
    [] {
        ParameterSpec spec{"drive_db", Unit::decibel, 0.0F, 24.0F, 0.0F, "Drive."};
        spec.older_maximum = 48.0F;
        return spec;
    }(),
};
static_assert(well_formed(kParameters));

consteval bool accepted(float maximum, double fraction, float minimum, std::optional<float> older_maximum) {
    ParameterSpec spec = corner_hz("frequency_hz", minimum, 1'000.0F, "Corner.");
    spec.maximum = maximum;
    spec.maximum_rate_fraction = fraction;
    spec.older_maximum = older_maximum;
    return well_formed(std::array{spec});
}
static_assert(accepted(23'520.0F, 0.49, 5.0F, {}));
static_assert(!accepted(20'000.0F, 0.49, 5.0F, {}), "not the maximum at 48 kHz");
static_assert(!accepted(24'000.0F, 0.5, 5.0F, {}), "not below half the sample rate");
static_assert(!accepted(4'800.0F, 0.1, 900.0F, {}), "below the minimum at the lowest rate");
static_assert(!accepted(20'000.0F, 0.0, 5.0F, 20'000.0F), "the older maximum is not higher");
constexpr std::array kPorts{PortSpec{"in", 1}};
constexpr std::array kOutputs{PortSpec{"out", 1}};
constinit const NodeType kType{.name = "unit",
                               .help = "A type.",
                               .settings = kSettings,
                               .parameters = kParameters,
                               .inputs = kPorts,
                               .outputs = kOutputs,
                               .create = nullptr};
constexpr std::array<const NodeType*, 1> kTypes{&kType};
constexpr NodeRegistry kRegistry{kTypes};

Expected<LoadedDocument> load(const std::string& members, double sample_rate_hz = 48'000.0) {
    return load_document("{\"nodes\": [{\"name\": \"n\", \"type\": \"unit\",\n" + members + "}]}", kRegistry,
                         sample_rate_hz);
}

LoadedDocument loaded(const std::string& members, double sample_rate_hz = 48'000.0) {
    auto document = load(members, sample_rate_hz);
    if (document) return std::move(*document);
    ADD_FAILURE() << document.error().sentence << "\nin: " << members;
    LoadedDocument none;
    none.document.nodes.emplace_back();
    return none;
}

float parameter(const std::string& name, const std::string& value) {
    const LoadedDocument document = loaded(R"("parameters": {")" + name + "\": " + value + "}");
    EXPECT_THAT(document.warnings, ElementsAre());
    const GraphDocument::Node& node = document.document.nodes.at(0);
    EXPECT_TRUE(node.written_parameters.empty());
    const auto found = node.parameters.find(name);
    return found == node.parameters.end() ? std::nanf("") : found->second;
}

SettingValue setting(const std::string& name, const std::string& value) {
    const LoadedDocument document = loaded(R"("settings": {")" + name + "\": " + value + "}");
    return document.document.nodes.at(0).settings.at(name);
}

std::string refusal(const std::string& members) {
    const auto document = load(members);
    if (document) return "was loaded";
    EXPECT_EQ(document.error().code, ErrorCode::invalid_argument);
    return document.error().sentence;
}

TEST(DocumentValues, NumbersMayHaveTheUnitsOfTheirParameter) {
    EXPECT_EQ(parameter("gain_1_db", R"("-6 dB")"), -6.0F);
    EXPECT_EQ(parameter("gain_2_db", R"("-inf dB")"), -120.0F);
    EXPECT_EQ(parameter("frequency_hz", R"("2 kHz")"), 2'000.0F);
    EXPECT_EQ(parameter("corner_2_hz", R"("440Hz")"), 440.0F);
    EXPECT_EQ(parameter("time_ms", R"("0.25 s")"), 250.0F);
    EXPECT_EQ(parameter("time_ms", R"("250 us")"), 0.25F);
    EXPECT_EQ(parameter("position_s", R"("250 ms")"), 0.25F);
    EXPECT_EQ(parameter("q", R"("50%")"), 0.5F);
    EXPECT_EQ(parameter("q", R"("0.7071")"), 0.7071F);
    EXPECT_EQ(parameter("q", "0.7071"), 0.7071F);
}

TEST(DocumentValues, SwitchesAreTrueFalseOnOrOff) {
    for (const std::string_view on : {"true", R"("on")", R"("ON")", "1"})
        EXPECT_EQ(parameter("mute", std::string{on}), 1.0F);
    for (const std::string_view off : {"false", R"("off")", "0"}) EXPECT_EQ(parameter("mute", std::string{off}), 0.0F);
    EXPECT_EQ(parameter("bypass", "true"), 1.0F) << "the bypass is in no table";
    EXPECT_EQ(parameter("bypass", R"("off")"), 0.0F);
    EXPECT_EQ(setting("loop", R"("on")"), SettingValue{true});
    EXPECT_EQ(setting("loop", R"("off")"), SettingValue{false});
    EXPECT_EQ(setting("loop", "true"), SettingValue{true});
}

TEST(DocumentValues, SettingsThatAreNumbersMayHaveUnits) {
    EXPECT_EQ(setting("max_time_ms", R"("2 s")"), SettingValue{2'000.0});
    EXPECT_EQ(setting("bands", R"("3")"), SettingValue{3.0});
    EXPECT_EQ(setting("kind", R"("2")"), SettingValue{std::string{"2"}}) << "a choice is text";
    EXPECT_EQ(setting("kind", R"("on")"), SettingValue{std::string{"on"}});
    EXPECT_EQ(setting("file", R"("20 ms")"), SettingValue{std::string{"20 ms"}});
}

TEST(DocumentValues, TheUnitMustFit) {
    EXPECT_EQ(refusal(R"("parameters": {"gain_1_db": "250 ms"})"),
              R"(line 2, column 29: parameter "gain_1_db" of node "n": "250 ms" is a time; write a level (dB))");
    EXPECT_EQ(
        refusal(R"("parameters": {"frequency_hz": "-6 dB"})"),
        R"(line 2, column 32: parameter "frequency_hz" of node "n": "-6 dB" is a level; write a frequency (Hz, kHz))");
    EXPECT_THAT(refusal(R"("parameters": {"q": "1 kHz"})"),
                HasSubstr(R"("1 kHz" is a frequency; write a plain number)"));
    EXPECT_THAT(refusal(R"("parameters": {"q": "on"})"), HasSubstr(R"("on" is not a number; write a plain number)"));
    EXPECT_THAT(refusal(R"("parameters": {"gain_1_db": "loud"})"), HasSubstr(R"("loud" is not a number)"));
    EXPECT_THAT(refusal(R"("parameters": {"gain_1_db": "-6 furlongs"})"), HasSubstr("a number with an unknown unit"));
    EXPECT_THAT(refusal(R"("parameters": {"mute": "maybe"})"),
                HasSubstr(R"("maybe" is neither on nor off; write on or off)"));
    EXPECT_EQ(
        refusal(R"("parameters": {"gain_1_db": true})"),
        R"(line 2, column 29: parameter "gain_1_db" of node "n" must be a number or text such as "0 dB", not true)");
    EXPECT_EQ(
        refusal("\n\n \"settings\": {\"max_time_ms\": \"3 dB\"}"),
        R"(line 4, column 30: setting "max_time_ms" of node "n": "3 dB" is a level; write a time (us, ms, s, min, h))");
}

// The NodeBuilder refuses them, with a suggestion.
TEST(DocumentValues, UnknownNamesAreNotLost) {
    const LoadedDocument document =
        loaded(R"("settings": {"bnds": "3"}, "parameters": {"gian_db": "-6 dB", "gain_x_db": true})");
    EXPECT_EQ(document.document.nodes.at(0).parameters.size(), 2U);
    EXPECT_EQ(document.document.nodes.at(0).settings.size(), 1U);
    const auto other =
        load_document(R"({"nodes": [{"name": "n", "type": "x", "parameters": {"mute": "on"}}]})", kRegistry, 48'000.0);
    ASSERT_TRUE(other);
    EXPECT_EQ(other->document.nodes.at(0).parameters.size(), 1U);
}

// ---------------------------------------------------------------------------------------------------------------------
// Ranges

ParameterSpec row_at(double sample_rate_hz, std::string_view name) {
    const NodeLayout layout =
        NodeLayout::of(kType, ResolvedSettings::resolve(kSettings, {}, "node").value(), sample_rate_hz);
    return layout.parameters.at(layout.find_parameter(name).value());
}

TEST(ParameterRange, CornersGoUpTo49HundredthsOfTheSampleRate) {
    for (const double rate : {8'000.0, 44'100.0, 48'000.0, 88'200.0, 96'000.0, 192'000.0, 768'000.0}) {
        const ParameterSpec spec = row_at(rate, "frequency_hz");
        EXPECT_EQ(spec.maximum, static_cast<float>(0.49 * rate)) << rate;
        EXPECT_LT(static_cast<double>(spec.maximum), 0.5 * rate);
        EXPECT_TRUE(check_parameter(spec, spec.maximum, "n")) << rate;
        EXPECT_TRUE(check_parameter(spec, spec.minimum, "n")) << rate;
        const float above = std::nextafter(spec.maximum, std::numeric_limits<float>::infinity());
        EXPECT_FALSE(check_parameter(spec, above, "n")) << "a client's value is refused";
    }
    EXPECT_EQ(row_at(48'000.0, "frequency_hz").maximum, 23'520.0F);
    EXPECT_EQ(row_at(44'100.0, "corner_2_hz").maximum, 21'609.0F);
    EXPECT_EQ(row_at(8'000.0, "drive_db").maximum, 24.0F) << "does not follow the rate";
}

TEST(ParameterRange, TheMaximumLimitsTheDefault) {
    EXPECT_EQ(row_at(48'000.0, "corner_1_hz").default_value, 15'000.0F);
    EXPECT_EQ(row_at(8'000.0, "corner_1_hz").default_value, 3'920.0F);
}

TEST(ParameterRange, ADocumentForAHigherRateIsLoadedWithTheMaximum) {
    const std::string members = R"("parameters": {"frequency_hz": 40000, "corner_1_hz": "22 kHz", "q": 2})";
    EXPECT_THAT(loaded(members, 96'000.0).warnings, ElementsAre());
    const LoadedDocument at_44k = loaded(members, 44'100.0);
    EXPECT_EQ(at_44k.document.nodes.at(0).parameters.at("frequency_hz"), 21'609.0F);
    EXPECT_EQ(at_44k.document.nodes.at(0).parameters.at("corner_1_hz"), 21'609.0F);
    EXPECT_EQ(at_44k.document.nodes.at(0).parameters.at("q"), 2.0F);
    EXPECT_THAT(
        at_44k.warnings,
        ElementsAre(
            R"(line 2, column 54: node "n": corner_1_hz = 22000 Hz is above the maximum, 21609 Hz at a sample )"
            R"(rate of 44100 Hz; loaded as 21609 Hz)",
            R"(line 1, column 12: node "n": frequency_hz = 40000 Hz is above the maximum, 21609 Hz at a sample )"
            R"(rate of 44100 Hz; loaded as 21609 Hz)"));
    for (const double rate : {8'000.0, 48'000.0, 768'000.0}) {
        const std::string highest = std::to_string(static_cast<double>(static_cast<float>(0.49 * rate)));
        EXPECT_THAT(loaded(R"("parameters": {"frequency_hz": )" + highest + "}", rate).warnings, ElementsAre()) << rate;
    }
}

TEST(ParameterRange, ADocumentOfAnEarlierVersionIsLoadedWithTheMaximum) {
    for (const std::string_view value : {"48", "24.001", R"("48 dB")"}) {
        const LoadedDocument document = loaded(R"("parameters": {"drive_db": )" + std::string{value} + "}");
        EXPECT_EQ(document.document.nodes.at(0).parameters.at("drive_db"), 24.0F) << value;
        ASSERT_EQ(document.warnings.size(), 1U) << value;
        EXPECT_THAT(document.warnings[0],
                    HasSubstr("is above the maximum, 24 dB, which was 48 dB in earlier versions; loaded as 24 dB"));
    }
    EXPECT_THAT(loaded(R"("parameters": {"drive_db": 24})").warnings, ElementsAre());
}

// The NodeBuilder refuses it.
TEST(ParameterRange, AnyOtherValueOutOfRangeStaysAsItIs) {
    const LoadedDocument document =
        loaded(R"("parameters": {"drive_db": 48.5, "frequency_hz": 1, "q": 1000, "time_ms": "20 s", "gain_1_db": 30})");
    EXPECT_THAT(document.warnings, ElementsAre());
    EXPECT_EQ(document.document.nodes.at(0).parameters.at("drive_db"), 48.5F);
    EXPECT_EQ(document.document.nodes.at(0).parameters.at("frequency_hz"), 1.0F);
    EXPECT_EQ(document.document.nodes.at(0).parameters.at("time_ms"), 20'000.0F);
}

TEST(ParameterRange, WarningsAreLimitedAndCounted) {
    std::string text = R"({"nodes": [)";
    constexpr std::size_t kNodes = 250;
    for (std::size_t i = 0; i < kNodes; ++i) {
        text += (i == 0 ? "" : ",") + std::string{R"({"name": "n)"} + std::to_string(i) +
                R"(", "type": "unit", "parameters": {"frequency_hz": 90000}})";
    }
    const auto document = load_document(text + "]}", kRegistry, 48'000.0);
    ASSERT_TRUE(document);
    EXPECT_EQ(document->warnings.size(), kMostWarnings + 1);
    EXPECT_EQ(document->warnings.back(), "and 150 more warnings");
    EXPECT_EQ(document->document.nodes.back().parameters.at("frequency_hz"), 23'520.0F);
}

}  // namespace
}  // namespace rta::document_values_test
