// SPDX-License-Identifier: MIT
#include "rtactl/language/assignment.h"
#include "rtactl/language/pattern.h"

#include <gtest/gtest.h>

namespace rta::rtactl {
namespace {

v1::NodeType delay_line() {
    v1::NodeType type;
    type.set_name("delay_line");
    const auto parameter = [&](const char* name, const char* unit) {
        v1::ParameterInfo& info = *type.add_parameters();
        info.set_name(name);
        info.set_unit(unit);
    };
    parameter("time_ms", "ms");
    parameter("position_s", "s");
    parameter("gain_db", "dB");
    parameter("frequency_hz", "Hz");
    parameter("mix", "");
    parameter("bypass", "on/off");
    const auto setting = [&](const char* name, const char* kind) {
        v1::SettingInfo& info = *type.add_settings();
        info.set_name(name);
        info.set_kind(kind);
    };
    setting("max_time_ms", "number");
    setting("channels", "integer");
    setting("loop", "on_off");
    setting("shape", "choice");
    setting("file", "text");
    return type;
}

float parameter_of(const ResolvedValue& value) {
    const float* number = std::get_if<float>(&value);
    return number == nullptr ? -1e30F : *number;
}

TEST(Assignment, SplitsAtTheFirstEqualsSign) {
    const auto plain = parse_assignment("gain_db=-6dB");
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->name, "gain_db");
    EXPECT_EQ(plain->value, "-6dB");
    EXPECT_EQ(parse_assignment("file=a=b")->value, "a=b");
    EXPECT_EQ(parse_assignment("file=")->value, "");
    EXPECT_EQ(parse_assignment(R"(file="a b")")->value, "a b");
    EXPECT_EQ(parse_assignment(R"(file='a"b')")->value, "a\"b");
    EXPECT_EQ(parse_assignment("file=it's.wav")->value, "it's.wav") << "a quote in the middle is a character";
}

TEST(Assignment, RejectsInvalidText) {
    EXPECT_NE(parse_assignment("gain_db").error().find("= is missing"), std::string::npos);
    EXPECT_NE(parse_assignment("").error().find("= is missing"), std::string::npos);
    EXPECT_NE(parse_assignment("=3").error().find("the name is missing"), std::string::npos);
    EXPECT_NE(parse_assignment("file=\"a").error().find("closing"), std::string::npos);
    EXPECT_NE(parse_assignment("file=\"a\"b").error().find("closing quote"), std::string::npos);
    EXPECT_LT(parse_assignment(std::string(1'000'000, 'x')).error().size(), 300U);
}

TEST(Assignment, ReadsNodeAndParameter) {
    const auto good = parse_node_assignment("osc.frequency_hz=2kHz");
    ASSERT_TRUE(good);
    EXPECT_EQ(good->node, "osc");
    EXPECT_EQ(good->assignment.name, "frequency_hz");
    EXPECT_EQ(good->assignment.value, "2kHz");
    EXPECT_EQ(parse_node_assignment("p.file=a.b=c.wav")->assignment.value, "a.b=c.wav");
    for (const std::string_view text :
         {"", "osc", "osc.frequency_hz", "frequency_hz=3", ".x=3", "osc.=3", "=3", "osc=x.y", "."}) {
        const auto bad = parse_node_assignment(text);
        ASSERT_FALSE(bad) << text;
        EXPECT_NE(bad.error().find("NODE.PARAM=VALUE"), std::string::npos) << bad.error();
    }
}

TEST(Assignment, ReadsOperators) {
    for (const auto& [text, op] : {std::pair{"vol.gain_db=-1", Operator::set},
                                   {"vol.gain_db+=-1", Operator::add},
                                   {"vol.gain_db -= -1", Operator::subtract},
                                   {"vol.gain_db+ =-1", Operator::add}}) {
        const auto good = parse_node_assignment(text);
        ASSERT_TRUE(good) << text;
        EXPECT_EQ(good->node, "vol");
        EXPECT_EQ(good->assignment.name, "gain_db");
        EXPECT_EQ(good->assignment.value, "-1");
        EXPECT_EQ(good->op, op) << text;
    }
    for (const std::string_view text : {"vol.+=1", "+=1", "vol+=1", ".x-=3"})
        EXPECT_FALSE(parse_node_assignment(text)) << text;
}

TEST(Pattern, TheStarStandsForAnyText) {
    for (const auto& [pattern, text] : {std::pair{"*", ""},
                                        {"*", "vol"},
                                        {"gain_*_db", "gain_1_db"},
                                        {"gain_*_db", "gain_12_3_db"},
                                        {"*_db", "a_db_db"},
                                        {"a*b*c", "abbcbc"},
                                        {"**", "x"},
                                        {"vol", "vol"},
                                        {"a*", "a"}}) {
        EXPECT_TRUE(matches_pattern(pattern, text)) << pattern << " " << text;
    }
    for (const auto& [pattern, text] : {std::pair{"gain_*_db", "gain_db"},
                                        {"gain_*_db", "gain_1_hz"},
                                        {"vol", "vol2"},
                                        {"*x", "xy"},
                                        {"a*b*c", "acb"},
                                        {"", "a"},
                                        {"a*a", "a"}}) {
        EXPECT_FALSE(matches_pattern(pattern, text)) << pattern << " " << text;
    }
}

TEST(ChainLink, ReadsATypeAndItsValues) {
    const auto bare = parse_chain_link("sine");
    ASSERT_TRUE(bare);
    EXPECT_EQ(bare->type, "sine");
    EXPECT_TRUE(bare->assignments.empty());

    const auto link = parse_chain_link(R"(file_player:file="a:b,c\".wav",loop=on,gain_db=-6dB,x='1,2')");
    ASSERT_TRUE(link) << link.error();
    EXPECT_EQ(link->type, "file_player");
    ASSERT_EQ(link->assignments.size(), 4U);
    EXPECT_EQ(link->assignments[0].name, "file");
    EXPECT_EQ(link->assignments[0].value, "a:b,c\".wav");
    EXPECT_EQ(link->assignments[1].value, "on");
    EXPECT_EQ(link->assignments[2].value, "-6dB");
    EXPECT_EQ(link->assignments[3].value, "1,2");
    EXPECT_EQ(parse_chain_link("a:file=,b=1")->assignments[0].value, "");
}

TEST(ChainLink, RejectsInvalidText) {
    struct Case {
        std::string_view text;
        std::string_view says;
    };
    for (const auto& [text, says] : {
             Case{"", "missing node type"},
             Case{":gain_db=3", "missing node type"},
             Case{"frequency_hz=440", "without a blank"},
             Case{"sine:", "missing p=v after : or ,"},
             Case{"sine:a=1,", "missing p=v after : or ,"},
             Case{"sine:a=1,,b=2", "= is missing"},
             Case{"sine:440", "= is missing"},
             Case{"sine:a=1,440,b=2", "= is missing"},
             Case{"sine:=3", "the name is missing"},
             Case{"sine:a=440:b=3", "must be quoted"},
             Case{"sine:a=\"440", "missing closing \""},
             Case{"sine:a=\"440\"b=3", "expected a comma"},
         }) {
        const auto link = parse_chain_link(text);
        ASSERT_FALSE(link) << text;
        EXPECT_NE(link.error().find(says), std::string::npos) << text << ": " << link.error();
    }
    EXPECT_LT(parse_chain_link("sine:" + std::string(1'000'000, ',')).error().size(), 300U);
}

TEST(Resolve, ConvertsToTheParametersUnit) {
    const v1::NodeType type = delay_line();
    EXPECT_EQ(parameter_of(*resolve(&type, {"position_s", "250ms"})), 0.25F);
    EXPECT_EQ(parameter_of(*resolve(&type, {"time_ms", "0.25s"})), 250.0F);
    EXPECT_EQ(parameter_of(*resolve(&type, {"gain_db", "-inf"})), -120.0F);
    EXPECT_EQ(parameter_of(*resolve(&type, {"frequency_hz", "2kHz"})), 2000.0F);
    EXPECT_EQ(parameter_of(*resolve(&type, {"bypass", "on"})), 1.0F);
    EXPECT_EQ(parameter_of(*resolve(&type, {"mix", "50%"})), 0.5F);
    const auto wrong = resolve(&type, {"frequency_hz", "250ms"});
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error(), "frequency_hz cannot be set: \"250ms\" is a time; write a frequency (Hz, kHz)");
}

TEST(Resolve, TellsSettingsFromParameters) {
    const v1::NodeType type = delay_line();
    const auto setting = [&](const char* name, const char* value) {
        return std::get<google::protobuf::Value>(*resolve(&type, {name, value}));
    };
    EXPECT_EQ(setting("max_time_ms", "2s").number_value(), 2000.0);
    EXPECT_EQ(setting("channels", "2").number_value(), 2.0);
    EXPECT_EQ(setting("loop", "yes").bool_value(), true);
    EXPECT_EQ(setting("loop", "0").bool_value(), false);
    EXPECT_EQ(setting("loop", "0").kind_case(), google::protobuf::Value::kBoolValue);
    EXPECT_EQ(setting("shape", "saw").string_value(), "saw");
    EXPECT_EQ(setting("file", "1").string_value(), "1") << "a text stays one, whatever it looks like";
    EXPECT_EQ(setting("file", "").string_value(), "");
    EXPECT_FALSE(resolve(&type, {"channels", "two"}));
    EXPECT_FALSE(resolve(&type, {"channels", "2Hz"}));
    EXPECT_FALSE(resolve(&type, {"loop", "perhaps"}));
}

TEST(Resolve, PassesOnWhatTheTableDoesNotKnow) {
    const v1::NodeType type = delay_line();
    for (const v1::NodeType* of : {&type, static_cast<const v1::NodeType*>(nullptr)}) {
        EXPECT_EQ(parameter_of(*resolve(of, {"gain_7_db", "-inf"})), -120.0F) << "the end of the name tells its unit";
        EXPECT_EQ(parameter_of(*resolve(of, {"frequency", "440Hz"})), 440.0F);
        EXPECT_EQ(std::get<google::protobuf::Value>(*resolve(of, {"color", "pink"})).string_value(), "pink");
    }
}

TEST(Resolve, MisspelledNamesAreSentAsTheResemblingKind) {
    const v1::NodeType type = delay_line();
    // The value is sent as it is, so that the daemon reports: unknown setting "chanels" (did you mean "channels"?).
    EXPECT_EQ(std::get<google::protobuf::Value>(*resolve(&type, {"chanels", "2"})).number_value(), 2.0);
    EXPECT_EQ(parameter_of(*resolve(&type, {"gian_db", "2"})), 2.0F);
}

TEST(Assign, SortsIntoParametersAndSettings) {
    const v1::NodeType type = delay_line();
    v1::Node node;
    ASSERT_TRUE(assign(&type, {{"gain_db", "-6dB"}, {"channels", "2"}}, node));
    EXPECT_EQ(node.parameters().at("gain_db"), -6.0F);
    EXPECT_EQ(node.settings().fields().at("channels").number_value(), 2.0);
    EXPECT_FALSE(assign(&type, {{"gain_db", "-6dB"}, {"gain_db", "-7dB"}}, node)) << "which of the two is meant?";
    v1::Node bare;
    ASSERT_TRUE(assign(&type, {}, bare));
    EXPECT_FALSE(bare.has_settings());
}

TEST(Assignment, AllowsBlanksAroundTheEqualsSign) {
    const auto assignment = parse_node_assignment(" osc.frequency_hz =  440 Hz ");
    ASSERT_TRUE(assignment) << assignment.error();
    EXPECT_EQ(assignment->node, "osc");
    EXPECT_EQ(assignment->assignment.name, "frequency_hz");
    EXPECT_EQ(assignment->assignment.value, "440 Hz");
    EXPECT_EQ(parse_assignment("file = ' a b '")->value, " a b ") << "quotes keep their blanks";
    EXPECT_FALSE(parse_assignment(" = 3"));
    EXPECT_FALSE(parse_node_assignment("osc. = 3"));
}

}  // namespace
}  // namespace rta::rtactl
