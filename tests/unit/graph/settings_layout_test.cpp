// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "graph/layout.h"
#include "graph/node_type.h"
#include "graph/settings.h"

namespace rta {
namespace {

using namespace std::string_view_literals;

constexpr std::array kKinds{"lowpass"sv, "highpass"sv, "notch"sv};
constexpr std::array kOrders{"2"sv, "4"sv, "10"sv};
constexpr std::array kSettings{
    channels_setting(),
    SettingSpec{.name = "order",
                .kind = SettingSpec::Kind::integer,
                .minimum = 2,
                .maximum = 10,
                .default_number = 4,
                .choices = kOrders,
                .help = "An order."},
    SettingSpec{.name = "ratio",
                .kind = SettingSpec::Kind::number,
                .minimum = -0.5,
                .maximum = 2,
                .default_number = 0.25,
                .help = "A ratio."},
    SettingSpec{.name = "loop", .kind = SettingSpec::Kind::on_off, .default_number = 1, .help = "Again and again."},
    SettingSpec{.name = "kind",
                .kind = SettingSpec::Kind::choice,
                .default_text = "lowpass",
                .choices = kKinds,
                .help = "Its kind."},
    SettingSpec{.name = "file", .kind = SettingSpec::Kind::text, .default_text = "a.wav", .help = "A file."},
};
constexpr std::string_view kWhere = "node \"f\"";

Expected<ResolvedSettings> resolve(const Settings& given) {
    return ResolvedSettings::resolve(kSettings, given, kWhere);
}

constexpr std::array kRepeatedSettings{
    repeated(SettingSpec{.name = "kind_#",
                         .kind = SettingSpec::Kind::choice,
                         .default_text = "lowpass",
                         .choices = kKinds,
                         .help = "Kind of band #."},
             "bands"),
    SettingSpec{.name = "bands",
                .kind = SettingSpec::Kind::integer,
                .minimum = 1,
                .maximum = 12,
                .default_number = 2,
                .help = "Bands."},
};

TEST(RepeatedSettings, AreAsManyAsTheirCount) {
    const auto names = [](const Settings& given) {
        const auto settings = ResolvedSettings::resolve(kRepeatedSettings, given, kWhere);
        std::vector<std::string> all;
        if (settings) {
            for (const auto& [name, value] : settings->values()) all.push_back(name);
        }
        return all;
    };
    EXPECT_EQ(names({}), (std::vector<std::string>{"bands", "kind_1", "kind_2"}));
    EXPECT_EQ(names({{"bands", 1.0}}), (std::vector<std::string>{"bands", "kind_1"}));
    EXPECT_EQ(names({{"bands", 12.0}}).size(), 13U);
    const auto given =
        ResolvedSettings::resolve(kRepeatedSettings, {{"bands", 11.0}, {"kind_11", std::string{"notch"}}}, kWhere);
    ASSERT_TRUE(given);
    EXPECT_EQ(given->text("kind_10"), "lowpass");
    EXPECT_EQ(given->text("kind_11"), "notch");
}

TEST(RepeatedSettings, AreRefusedBeyondTheirCountAndByTheirValue) {
    const auto sentence = [](const Settings& given) {
        const auto settings = ResolvedSettings::resolve(kRepeatedSettings, given, kWhere);
        return settings ? std::string{} : settings.error().sentence;
    };
    EXPECT_EQ(sentence({{"kind_3", std::string{"notch"}}}),
              R"(node "f": unknown setting "kind_3": expected kind_1 to kind_2, because bands is 2)");
    EXPECT_EQ(sentence({{"kind_2", std::string{"comb"}}}),
              R"(node "f": setting kind_2 = "comb" must be one of "lowpass", "highpass", "notch")");
    EXPECT_EQ(sentence({{"kind", std::string{"notch"}}}),
              R"(node "f": unknown setting "kind"; expected one of: kind_1, kind_2, bands)");
    // The count itself is wrong.
    EXPECT_NE(sentence({{"bands", 13.0}, {"kind_13", std::string{"notch"}}}).find("bands = 13 is out of range"),
              std::string::npos);
    for (const char* name : {"kind_0", "kind_01", "kind_+1", "kind_ 1", "kind_1 ", "kind_#", "kind_99999999999"})
        EXPECT_NE(sentence({{name, std::string{"notch"}}}), "") << name;
}

TEST(RepeatedSettings, AreDroppedWithTheirCount) {
    const Settings given{{"bands", 3.0}, {"kind_1", std::string{"notch"}}, {"kind_3", std::string{"notch"}}};
    EXPECT_EQ(changed_settings(kRepeatedSettings, given, {{"bands", 2.0}}),
              (Settings{{"bands", 2.0}, {"kind_1", std::string{"notch"}}}));
    EXPECT_EQ(changed_settings(kRepeatedSettings, given, {{"bands", 4.0}}).size(), 3U);
    const Settings named =
        changed_settings(kRepeatedSettings, given, {{"bands", 1.0}, {"kind_3", std::string{"lowpass"}}});
    EXPECT_EQ(named.size(), 3U) << "what the client names is not dropped, but refused";
}

TEST(ResolvedSettings, FillsInTheDefaults) {
    const auto settings = resolve({});
    ASSERT_TRUE(settings.has_value());
    EXPECT_EQ(settings->integer("channels"), 1U);
    EXPECT_EQ(settings->integer("order"), 4U);
    EXPECT_EQ(settings->number("ratio"), 0.25);
    EXPECT_TRUE(settings->on("loop"));
    EXPECT_EQ(settings->text("kind"), "lowpass");
    EXPECT_EQ(settings->text("file"), "a.wav");
    EXPECT_EQ(settings->values().size(), kSettings.size());
}

TEST(ResolvedSettings, TakesWhatIsGiven) {
    const auto settings = resolve({{"channels", 64.0},
                                   {"order", 10.0},
                                   {"ratio", -0.5},
                                   {"loop", false},
                                   {"kind", std::string{"notch"}},
                                   {"file", std::string{}}});
    ASSERT_TRUE(settings.has_value());
    EXPECT_EQ(settings->integer("channels"), 64U);
    EXPECT_EQ(settings->integer("order"), 10U);
    EXPECT_EQ(settings->number("ratio"), -0.5);
    EXPECT_FALSE(settings->on("loop"));
    EXPECT_EQ(settings->text("kind"), "notch");
    EXPECT_EQ(settings->text("file"), "");
}

TEST(ResolvedSettings, AreTheSameWhereTheValuesAre) {
    EXPECT_EQ(*resolve({}), *resolve({{"channels", 1.0}, {"loop", true}}));
    EXPECT_NE(*resolve({}), *resolve({{"channels", 2.0}}));
    // The sign of zero is ignored, and does not reach the node.
    EXPECT_FALSE(std::signbit(resolve({{"ratio", -0.0}})->number("ratio")));
}

TEST(ResolvedSettings, AnUnknownNameIsNotFound) {
    const auto settings = resolve({{"chanels", 2.0}});
    ASSERT_FALSE(settings.has_value());
    EXPECT_EQ(settings.error().code, ErrorCode::not_found);
    EXPECT_EQ(
        settings.error().sentence,
        R"(node "f": unknown setting "chanels" (did you mean "channels"?); expected one of: channels, order, ratio, loop, kind, file)");
    const auto none = ResolvedSettings::resolve({}, {{"channels", 2.0}}, "node \"i\"");
    ASSERT_FALSE(none.has_value());
    EXPECT_EQ(none.error().sentence, R"(node "i": unknown setting "channels"; none exist)");
}

TEST(ResolvedSettings, ABadValueIsAnInvalidArgument) {
    constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    struct Case {
        std::string name;
        SettingValue value;
        std::string sentence;
    };
    const std::vector<Case> cases{
        {"channels", 0.0, R"(node "f": setting channels = 0 is out of range: 1 to 64)"},
        {"channels", 65.0, R"(node "f": setting channels = 65 is out of range: 1 to 64)"},
        {"channels", -1e300, R"(node "f": setting channels = -1e300 is out of range: 1 to 64)"},
        {"channels", 1.5, R"(node "f": setting channels = 1.5 must be a whole number from 1 to 64)"},
        {"channels", kNan, R"(node "f": setting channels = NaN must be a whole number from 1 to 64)"},
        {"channels", kInfinity, R"(node "f": setting channels = Infinity is out of range: 1 to 64)"},
        {"channels", true, R"(node "f": setting channels = true must be a whole number from 1 to 64)"},
        {"channels", std::string{"2"}, R"(node "f": setting channels = "2" must be a whole number from 1 to 64)"},
        {"order", 3.0, R"(node "f": setting order = 3 must be one of 2, 4, 10)"},
        {"order", 11.0, R"(node "f": setting order = 11 must be one of 2, 4, 10)"},
        {"order", 4.5, R"(node "f": setting order = 4.5 must be one of 2, 4, 10)"},
        {"order", kNan, R"(node "f": setting order = NaN must be one of 2, 4, 10)"},
        {"order", std::string{"4"}, R"(node "f": setting order = "4" must be one of 2, 4, 10)"},
        {"ratio", 2.0000001, R"(node "f": setting ratio = 2.0000001 is out of range: -0.5 to 2)"},
        {"ratio", kNan, R"(node "f": setting ratio = NaN must be a number from -0.5 to 2)"},
        {"ratio", false, R"(node "f": setting ratio = false must be a number from -0.5 to 2)"},
        {"loop", 1.0, R"(node "f": setting loop = 1 must be true or false)"},
        {"loop", std::string{"true"}, R"(node "f": setting loop = "true" must be true or false)"},
        {"kind", std::string{"lowpas"},
         R"(node "f": setting kind = "lowpas" must be one of "lowpass", "highpass", "notch" (did you mean "lowpass"?))"},
        {"kind", std::string{"comb"},
         R"(node "f": setting kind = "comb" must be one of "lowpass", "highpass", "notch")"},
        {"kind", 3.0, R"(node "f": setting kind = 3 must be one of "lowpass", "highpass", "notch")"},
        {"file", 3.0, R"(node "f": setting file = 3 must be a string)"},
    };
    for (const auto& [name, value, sentence] : cases) {
        const auto settings = resolve({{name, value}});
        ASSERT_FALSE(settings.has_value()) << sentence;
        EXPECT_EQ(settings.error().code, ErrorCode::invalid_argument);
        EXPECT_EQ(settings.error().sentence, sentence);
    }
}

TEST(ResolvedSettings, ReadingAnUnknownSettingOrWrongKindAborts) {
    const auto settings = *resolve({});
    EXPECT_DEATH((void)settings.integer("bands"), "");
    EXPECT_DEATH((void)settings.on("channels"), "");
}

// ---------------------------------------------------------------------------------------------------------------------

constexpr std::array kParameters{
    ParameterSpec{"frequency_hz", Unit::hertz, 0.01F, 24'000.0F, 440.0F, "A frequency.", RampLaw::logarithmic},
    level_db("gain_db", 0.0F, "A level."),
    on_off("mute", false, "Silence."),
    ParameterSpec{"q", Unit::ratio, 0.1F, 24.0F, 0.7071F, "A resonance."},
};
static_assert(well_formed(kParameters));
constexpr std::array kInputs{PortSpec{"in"}, PortSpec{"side", 1}};
constexpr std::array kOutputs{PortSpec{"out"}};

Expected<std::unique_ptr<Processor>> build_none(const BuildContext&) {
    return fail(ErrorCode::internal, "builds nothing");
}

constexpr NodeType kType{.name = "filter",
                         .help = "A filter.",
                         .settings = kSettings,
                         .parameters = kParameters,
                         .inputs = kInputs,
                         .outputs = kOutputs,
                         .create = build_none};

TEST(NodeLayout, PortsAreAsWideAsTheSettingOrThePortSays) {
    const NodeLayout layout = NodeLayout::of(kType, *resolve({{"channels", 6.0}}));
    ASSERT_EQ(layout.inputs.size(), 2U);
    EXPECT_EQ(layout.inputs[0].name, "in");
    EXPECT_EQ(layout.inputs[0].width, 6U);
    EXPECT_EQ(layout.inputs[1].name, "side");
    EXPECT_EQ(layout.inputs[1].width, 1U);
    ASSERT_EQ(layout.outputs.size(), 1U);
    EXPECT_EQ(layout.outputs[0].width, 6U);
    EXPECT_EQ(NodeLayout::of(kType, {}).outputs[0].width, 1U);
}

TEST(NodeLayout, FindsPortsAndParameters) {
    const NodeLayout layout = NodeLayout::of(kType, *resolve({}));
    EXPECT_EQ(layout.find_parameter("frequency_hz"), 0U);
    EXPECT_EQ(layout.find_parameter("q"), 3U);
    EXPECT_EQ(layout.find_parameter("frequency"), std::nullopt);
    EXPECT_EQ(NodeLayout::find_port(layout.inputs, "side"), 1U);
    EXPECT_EQ(NodeLayout::find_port(layout.outputs, "side"), std::nullopt);
}

constexpr std::array kMatrixSettings{SettingSpec{.name = "inputs",
                                                 .kind = SettingSpec::Kind::integer,
                                                 .minimum = 1,
                                                 .maximum = 32,
                                                 .default_number = 2,
                                                 .help = "In."},
                                     SettingSpec{.name = "outputs",
                                                 .kind = SettingSpec::Kind::integer,
                                                 .minimum = 1,
                                                 .maximum = 32,
                                                 .default_number = 3,
                                                 .help = "Out."}};
constexpr ParameterSpec kCross = [] {
    ParameterSpec spec = repeated(level_db("gain_#_#_db", 0.0F, "From to."), "inputs");
    spec.repeat_inner = {"outputs"};
    return spec;
}();
constexpr ParameterSpec kCorner = [] {
    ParameterSpec spec = repeated(
        {"frequency_#_hz", Unit::hertz, 20.0F, 5'000.0F, 200.0F, "Corner.", RampLaw::logarithmic}, "outputs", 1);
    spec.default_factor = 10.0F;
    return spec;
}();
constexpr std::array kMatrixParameters{on_off("mute", false, "Mutes."), kCross, kCorner};
static_assert(well_formed(kMatrixParameters));
constexpr std::array kMatrixInputs{PortSpec{"in_#", 1, {"inputs"}}, PortSpec{"side", 2}};
constexpr std::array kMatrixOutputs{PortSpec{"out_#", 0, {"outputs"}}};
constexpr NodeType kMatrixType{.name = "crossing",
                               .help = "",
                               .settings = kMatrixSettings,
                               .parameters = kMatrixParameters,
                               .inputs = kMatrixInputs,
                               .outputs = kMatrixOutputs,
                               .create = build_none};

std::vector<std::string> names_of(const NodeLayout& layout) {
    std::vector<std::string> names;
    for (const ParameterSpec& spec : layout.parameters) names.emplace_back(spec.name);
    return names;
}

TEST(NodeLayout, WritesRepeatedRowsOut) {
    const auto settings = ResolvedSettings::resolve(kMatrixSettings, {}, "node");
    const NodeLayout layout = NodeLayout::of(kMatrixType, *settings);
    EXPECT_EQ(names_of(layout),
              (std::vector<std::string>{"mute", "gain_1_1_db", "gain_1_2_db", "gain_1_3_db", "gain_2_1_db",
                                        "gain_2_2_db", "gain_2_3_db", "frequency_1_hz", "frequency_2_hz"}));
    EXPECT_EQ(layout.parameters[7].default_value, 200.0F);
    EXPECT_EQ(layout.parameters[8].default_value, 2'000.0F);
    ASSERT_EQ(layout.inputs.size(), 3U);
    EXPECT_EQ(layout.inputs[1].name, "in_2");
    EXPECT_EQ(layout.inputs[1].width, 1U);
    EXPECT_EQ(layout.inputs[2].name, "side");
    ASSERT_EQ(layout.outputs.size(), 3U);
    EXPECT_EQ(layout.outputs[2].name, "out_3");
}

TEST(NodeLayout, DefaultsOfRepeatedRowsStayWithinTheirRange) {
    const auto settings = ResolvedSettings::resolve(kMatrixSettings, {{"outputs", 5.0}}, "node");
    const NodeLayout layout = NodeLayout::of(kMatrixType, *settings);
    EXPECT_EQ(layout.parameters.back().name, "frequency_4_hz");
    EXPECT_EQ(layout.parameters.back().default_value, 5'000.0F);
}

constexpr std::array kLimitSettings{
    SettingSpec{.name = "max_time_ms",
                .kind = SettingSpec::Kind::number,
                .minimum = 1,
                .maximum = 500,
                .default_number = 200,
                .help = "Longest."},
    SettingSpec{.name = "side_chain", .kind = SettingSpec::Kind::on_off, .help = "Another input."},
};
constexpr std::array kLimitParameters{ParameterSpec{.name = "time_ms",
                                                    .unit = Unit::milliseconds,
                                                    .minimum = 0.0F,
                                                    .maximum = 300.0F,
                                                    .default_value = 100.0F,
                                                    .help = "A time.",
                                                    .maximum_setting = "max_time_ms"}};
static_assert(well_formed(kLimitParameters));
constexpr std::array kLimitInputs{PortSpec{"in"}, PortSpec{.name = "side_chain", .repeat = {"side_chain"}}};
constexpr NodeType kLimitType{.name = "limited",
                              .help = "",
                              .settings = kLimitSettings,
                              .parameters = kLimitParameters,
                              .inputs = kLimitInputs,
                              .create = build_none};

NodeLayout limited_layout(const Settings& given) {
    return NodeLayout::of(kLimitType, ResolvedSettings::resolve(kLimitSettings, given, "node").value());
}

TEST(NodeLayout, ASettingMayLowerTheMaximumOfAParameter) {
    const ParameterSpec of_default = limited_layout({}).parameters[0];
    EXPECT_EQ(of_default.maximum, 200.0F);
    EXPECT_EQ(of_default.default_value, 100.0F);
    const ParameterSpec lower = limited_layout({{"max_time_ms", 62.5}}).parameters[0];
    EXPECT_EQ(lower.maximum, 62.5F);
    EXPECT_EQ(lower.default_value, 62.5F);
    EXPECT_EQ(limited_layout({{"max_time_ms", 500.0}}).parameters[0].maximum, 300.0F)
        << "never more than the row's own";

    const auto good = check_parameter(lower, 63.0F, "echo");
    ASSERT_FALSE(good.has_value());
    EXPECT_EQ(good.error().sentence, R"(node "echo": parameter time_ms = 63 is out of range: 0 to 62.5 ms)");
}

TEST(NodeLayout, ASwitchMayAddAPort) {
    EXPECT_EQ(limited_layout({}).inputs.size(), 1U);
    const NodeLayout layout = limited_layout({{"side_chain", true}});
    ASSERT_EQ(layout.inputs.size(), 2U);
    EXPECT_EQ(layout.inputs[1].name, "side_chain");
}

TEST(NodeLayout, FindsEachOfManyParametersAndItsCopiesDoToo) {
    const auto settings = ResolvedSettings::resolve(kMatrixSettings, {{"inputs", 32.0}, {"outputs", 32.0}}, "node");
    NodeLayout copy;
    {
        const NodeLayout layout = NodeLayout::of(kMatrixType, *settings);
        copy = layout;
    }
    ASSERT_EQ(copy.parameters.size(), 1U + 32U * 32U + 31U);
    for (std::uint32_t index = 0; index < copy.parameters.size(); ++index) {
        EXPECT_EQ(copy.find_parameter(copy.parameters[index].name), index);
    }
    EXPECT_EQ(copy.find_parameter("gain_33_1_db"), std::nullopt);
    EXPECT_EQ(copy.find_parameter("gain_#_#_db"), std::nullopt);
    EXPECT_EQ(copy.find_parameter("gain_01_1_db"), std::nullopt);
}

TEST(CheckParameter, TakesTheWholeRange) {
    for (const ParameterSpec& spec : kParameters) {
        for (const float value : {spec.minimum, spec.default_value, spec.maximum}) {
            EXPECT_TRUE(check_parameter(spec, value, "osc").has_value()) << spec.name << " " << value;
        }
    }
}

TEST(CheckParameter, NamesNodeParameterValueAndRange) {
    constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    struct Case {
        std::size_t parameter;
        float value;
        std::string sentence;
    };
    const std::vector<Case> cases{
        {0, 99'999.0F, R"(node "osc": parameter frequency_hz = 99999 is out of range: 0.01 to 24000 Hz)"},
        {0, 0.0F, R"(node "osc": parameter frequency_hz = 0 is out of range: 0.01 to 24000 Hz)"},
        {0, std::nextafter(24'000.0F, kInfinity),
         R"(node "osc": parameter frequency_hz = 24000.002 is out of range: 0.01 to 24000 Hz)"},
        {0, kNan, R"(node "osc": parameter frequency_hz = NaN must be a finite number from 0.01 to 24000 Hz)"},
        {1, -kInfinity, R"(node "osc": parameter gain_db = -Infinity must be a finite number from -120 to 24 dB)"},
        {1, -120.5F, R"(node "osc": parameter gain_db = -120.5 is out of range: -120 to 24 dB)"},
        {2, 0.5F, R"(node "osc": parameter mute = 0.5 must be 0 (off) or 1 (on))"},
        {2, 2.0F, R"(node "osc": parameter mute = 2 must be 0 (off) or 1 (on))"},
        {2, kNan, R"(node "osc": parameter mute = NaN must be 0 (off) or 1 (on))"},
        {3, 25.0F, R"(node "osc": parameter q = 25 is out of range: 0.1 to 24)"},
    };
    for (const auto& [parameter, value, sentence] : cases) {
        const auto good = check_parameter(kParameters[parameter], value, "osc");
        ASSERT_FALSE(good.has_value()) << sentence;
        EXPECT_EQ(good.error().code, ErrorCode::invalid_argument);
        EXPECT_EQ(good.error().sentence, sentence);
    }
}

TEST(IsNodeName, AcceptsOnlyTheDocumentedPattern) {
    for (const std::string& name :
         {std::string{"a"}, std::string{"Z9"}, std::string{"low-pass_2"}, "x" + std::string(63, '-')}) {
        EXPECT_TRUE(is_node_name(name)) << name;
    }
    for (const std::string& name :
         {std::string{}, std::string{"1"}, std::string{"_a"}, std::string{"-a"}, std::string{"a:b"}, std::string{"a b"},
          std::string{"a."}, std::string{"\xC3\xA9"}, std::string{"a\xC3\xA9"}, std::string{"a\0", 2},
          std::string{"a\n"}, "x" + std::string(64, 'y')}) {
        EXPECT_FALSE(is_node_name(name)) << name;
    }
}

TEST(NodeRegistry, FindsByTheWholeName) {
    static constexpr NodeType kFirst{.name = "a", .help = "", .create = build_none};
    static constexpr NodeType kSecond{.name = "b", .help = "", .create = build_none};
    static constexpr std::array kTypes{&kFirst, &kSecond, &kType};
    const NodeRegistry registry{kTypes};
    for (const NodeType* type : kTypes) EXPECT_EQ(registry.find(type->name), type);
    for (const std::string_view name : {""sv, "A"sv, "aa"sv, "filte"sv, "filters"sv, "z"sv}) {
        EXPECT_EQ(registry.find(name), nullptr) << name;
    }
    EXPECT_EQ(NodeRegistry{{}}.find("a"), nullptr);
}

TEST(ParameterSpec, UnitsAndLawsHaveNames) {
    EXPECT_EQ(unit_symbol(Unit::none), "");
    EXPECT_EQ(unit_symbol(Unit::ratio), "");
    EXPECT_EQ(unit_symbol(Unit::hertz), "Hz");
    EXPECT_EQ(unit_symbol(Unit::decibel), "dB");
    EXPECT_EQ(unit_symbol(Unit::milliseconds), "ms");
    EXPECT_EQ(unit_symbol(Unit::seconds), "s");
    EXPECT_EQ(unit_symbol(Unit::on_off), "on/off");
    EXPECT_EQ(ramp_law_name(RampLaw::linear), "linear");
    EXPECT_EQ(ramp_law_name(RampLaw::logarithmic), "logarithmic");
    EXPECT_EQ(ramp_law_name(RampLaw::amplitude), "amplitude");
    EXPECT_EQ(ramp_law_name(RampLaw::on_off), "on_off");
    EXPECT_EQ(ramp_law_name(RampLaw::own), "own");
}

}  // namespace
}  // namespace rta
