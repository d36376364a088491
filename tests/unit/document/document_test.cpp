// SPDX-License-Identifier: MIT
#include "document/document.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rta/v1/graph.pb.h"
#include "support/effort.h"
#include "text/format_number.h"

namespace rta {
namespace {

using testing::HasSubstr;

constexpr std::string_view kChain = R"({
  "nodes": [
    {"name": "osc", "type": "sine", "parameters": {"frequency_hz": 440}},
    {"name": "out", "type": "output", "settings": {"channels": 2}},
    {"name": "vol", "type": "gain", "parameters": {"gain_db": -12}}
  ],
  "connections": [
    {"from": "osc", "to": "vol"},
    {"from": "vol", "to": "out", "gain_db": -0.5}
  ]
}
)";

GraphDocument read(std::string_view text) {
    auto document = read_document(text);
    if (document) return *document;
    ADD_FAILURE() << document.error().sentence << "\nin: " << text;
    return {};
}

void expect_same(const GraphDocument& expected, const GraphDocument& actual) {
    ASSERT_EQ(expected.nodes.size(), actual.nodes.size());
    for (std::size_t i = 0; i < expected.nodes.size(); ++i) {
        EXPECT_EQ(expected.nodes[i].name, actual.nodes[i].name);
        EXPECT_EQ(expected.nodes[i].type, actual.nodes[i].type);
        EXPECT_EQ(expected.nodes[i].settings, actual.nodes[i].settings);
        EXPECT_EQ(expected.nodes[i].parameters, actual.nodes[i].parameters);
        EXPECT_EQ(expected.nodes[i].annotation, actual.nodes[i].annotation);
    }
    EXPECT_EQ(expected.annotation, actual.annotation);
    ASSERT_EQ(expected.connections.size(), actual.connections.size());
    for (std::size_t i = 0; i < expected.connections.size(); ++i) {
        EXPECT_EQ(expected.connections[i].from, actual.connections[i].from);
        EXPECT_EQ(expected.connections[i].to, actual.connections[i].to);
        EXPECT_EQ(expected.connections[i].gain_db, actual.connections[i].gain_db);
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// Reading

TEST(ReadDocument, AChain) {
    const GraphDocument document = read(kChain);
    ASSERT_EQ(document.nodes.size(), 3U);
    EXPECT_EQ(document.nodes[0].name, "osc");
    EXPECT_EQ(document.nodes[0].type, "sine");
    EXPECT_TRUE(document.nodes[0].settings.empty());
    EXPECT_EQ(document.nodes[0].parameters.at("frequency_hz"), 440.0F);
    EXPECT_EQ(document.nodes[1].settings.at("channels"), SettingValue{2.0});
    ASSERT_EQ(document.connections.size(), 2U);
    EXPECT_EQ(document.connections[0].from, "osc");
    EXPECT_EQ(document.connections[0].to, "vol");
    EXPECT_EQ(document.connections[0].gain_db, std::nullopt);
    EXPECT_EQ(document.connections[1].gain_db, -0.5F);
}

TEST(ReadDocument, KnowsWhereEachItemStands) {
    const GraphDocument document = read(
        "{\"nodes\": [{\"name\":\"a\",\"type\":\"t\"}, {\"name\":\"b\",\"type\":\"t\"},\r\n\n"
        "  {\"name\":\"\xC3\xA9\",\"type\":\"t\"},{\"name\":\"c\",\"type\":\"t\"}\n],\n"
        "\t\"connections\":[{\"from\":\"a\",\"to\":\"b\"}]}");
    std::vector<std::pair<std::uint32_t, std::uint32_t>> places;
    for (const auto& node : document.nodes) places.emplace_back(node.position.line, node.position.column);
    places.emplace_back(document.connections.at(0).position.line, document.connections.at(0).position.column);
    // Column 6 of line 3 counts bytes: the name before it contains a letter of two bytes.
    EXPECT_THAT(places, testing::ElementsAre(std::pair(1U, 12U), std::pair(1U, 37U), std::pair(3U, 3U),
                                             std::pair(3U, 28U), std::pair(5U, 17U)));
    EXPECT_EQ(document.nodes[2].position.prefix(), "line 3, column 3: ");
    EXPECT_EQ(DocumentPosition{}.prefix(), "");
}

TEST(ReadDocument, EveryKindOfSetting) {
    const GraphDocument document = read(R"({"nodes": [{"name": "n", "type": "t", "settings":
        {"on": true, "off": false, "seed": 4294967295, "ratio": -0.25, "file": "a \"b\" \\ \u00e9\ud834\udd1e\n", "": ""}}]})");
    const Settings expected{{"on", true},
                            {"off", false},
                            {"seed", 4294967295.0},
                            {"ratio", -0.25},
                            {"file", std::string{"a \"b\" \\ \xC3\xA9\xF0\x9D\x84\x9E\n"}},
                            {"", std::string{}}};
    EXPECT_EQ(document.nodes.at(0).settings, expected);
}

TEST(ReadDocument, WhatTheJsonFormOfProtobufAllows) {
    for (const std::string_view text :
         {"{}", " \r\n\t{ } \n", R"({"nodes":[],"connections":[]})", R"({"nodes":null,"connections":null})"}) {
        expect_same({}, read(text));
    }
    // Keys in any order, keys with escapes, null instead of omitted fields.
    const GraphDocument document = read(R"({"connections": [{"gain_db": null, "to": "b", "fro\u006d": "a"}],
        "nodes": [{"parameters": null, "type": "t", "settings": null, "name": "a"}]})");
    ASSERT_EQ(document.nodes.size(), 1U);
    EXPECT_EQ(document.nodes[0].name, "a");
    ASSERT_EQ(document.connections.size(), 1U);
    EXPECT_EQ(document.connections[0].from, "a");
    EXPECT_EQ(document.connections[0].gain_db, std::nullopt);
}

TEST(ReadDocument, NamesAreTheGraphsBusiness) {
    EXPECT_EQ(read(R"({"nodes": [{"name":"a","type":"t"}, {"name":"a","type":"u"}, {"name":"1 \u0000","type":"t"}]})")
                  .nodes.size(),
              3U);
}

struct NumberCase {
    std::string literal;
    float as_float;
    double as_double;
};

TEST(ReadDocument, NumbersAreRoundedOnceAndCorrectly) {
    const std::vector<NumberCase> cases{
        {"0", 0.0F, 0.0},
        {"-0", -0.0F, -0.0},
        {"1E+2", 100.0F, 100.0},
        {"1.5e-3", 0.0015F, 0.0015},
        {"16777217", 16777216.0F, 16777217.0},
        // Above the midpoint of two floats by less than the precision of a double: via a double it would round to even.
        {"1.00000005960464477539062500000000000001", 1.00000011920928955F, 1.000000059604644775390625},
        {"3.4028235e38", std::numeric_limits<float>::max(), 3.4028235e38},
        {"1e-45", std::numeric_limits<float>::denorm_min(), 1e-45},
        {"1e-60", 0.0F, 1e-60},
        {"-1e-60", -0.0F, -1e-60},
        {"5e-324", 0.0F, std::numeric_limits<double>::denorm_min()},
        {"1e-400", 0.0F, 0.0},
        {"-1e-99999999999999999999", -0.0F, -0.0},
        {"0." + std::string(400, '0') + "1", 0.0F, 0.0},
        {"1" + std::string(30, '0') + "e-30", 1.0F, 1.0},
        {"0." + std::string(60, '0') + "1e61", 1.0F, 1.0},
    };
    for (const auto& [literal, as_float, as_double] : cases) {
        const GraphDocument document = read(R"({"nodes":[{"name":"n","type":"t","settings":{"s":)" + literal +
                                            R"(},"parameters":{"p":)" + literal + "}}]}");
        ASSERT_EQ(document.nodes.size(), 1U);
        const float value = document.nodes[0].parameters.at("p");
        const auto setting = std::get<double>(document.nodes[0].settings.at("s"));
        EXPECT_EQ(std::bit_cast<std::uint32_t>(value), std::bit_cast<std::uint32_t>(as_float)) << literal;
        EXPECT_EQ(std::bit_cast<std::uint64_t>(setting), std::bit_cast<std::uint64_t>(as_double)) << literal;
    }
}

TEST(ReadDocument, ALargeOne) {
    std::string text = "{\"nodes\": [";
    constexpr std::uint32_t kNodes = 100'000;
    for (std::uint32_t i = 0; i < kNodes; ++i) {
        text += (i == 0 ? "\n" : ",\n") + std::string{"{\"name\": \"n"} + std::to_string(i) + "\", \"type\": \"gain\"}";
    }
    const GraphDocument document = read(text + "]}");
    ASSERT_EQ(document.nodes.size(), kNodes);
    EXPECT_EQ(document.nodes.back().name, "n99999");
    EXPECT_EQ(document.nodes.back().position.line, kNodes + 1);
    EXPECT_EQ(document.nodes.back().position.column, 1U);
}

// ---------------------------------------------------------------------------------------------------------------------
// Errors

struct BadDocument {
    std::string text;
    std::uint32_t line;
    std::uint32_t column;
    std::vector<std::string> says;
};

std::string in_node(std::string_view members) {
    return R"({"nodes":[{"name":"osc","type":"sine",)" + std::string{members} + "}]}";
}

void expect_refused(const std::vector<BadDocument>& documents) {
    for (const auto& [text, line, column, says] : documents) {
        SCOPED_TRACE(text.substr(0, 120));
        const auto document = read_document(text);
        if (document) {
            ADD_FAILURE() << "was read";
            continue;
        }
        EXPECT_EQ(document.error().code, ErrorCode::invalid_argument);
        const std::string& sentence = document.error().sentence;
        EXPECT_THAT(sentence, testing::StartsWith(DocumentPosition{line, column}.prefix()));
        for (const std::string& part : says) EXPECT_THAT(sentence, HasSubstr(part));
    }
}

TEST(BadDocuments, Syntax) {
    expect_refused({
        {"", 1, 1, {"the document is empty"}},
        {" \n\t ", 2, 3, {"the document is empty"}},
        {"hello", 1, 1, {"expected a value", R"(found "h")"}},
        {"{", 1, 2, {"expected a key", "the end of the document"}},
        {"{} {}", 1, 4, {"expected the end of the document", R"(found "{")"}},
        {"{}\n\n  x", 3, 3, {"expected the end of the document", R"(found "x")"}},
        {"{\"nodes\"", 1, 9, {R"(expected ":")", "the end of the document"}},
        {"{\"nodes\" []}", 1, 10, {R"(expected ":")", R"(found "[")"}},
        {"{\"nodes\":", 1, 10, {"expected a value", "the end of the document"}},
        {"{\"nodes\":[}", 1, 11, {"expected a value", R"(found "}")"}},
        {"{\"nodes\":[]", 1, 12, {R"(expected "," or "}")", "the end of the document"}},
        {"{\"nodes\":[] \"connections\":[]}", 1, 13, {R"(expected "," or "}")", R"(found "\"")"}},
        {"{\"nodes\":[],}", 1, 13, {"expected a key", "no comma is allowed after the last item"}},
        {"{\"nodes\":[{\"name\":\"a\",\"type\":\"t\"},]}",
         1,
         35,
         {"expected a value", "no comma is allowed after the last item"}},
        {"{\"nodes\":[{\"name\":\"a\",\"type\":\"t\"}{", 1, 34, {R"(expected "," or "]")"}},
        {"{nodes:[]}", 1, 2, {"expected a key in double quotes", R"(found "n")"}},
        {"{'nodes':[]}", 1, 2, {"strings are written in double quotes"}},
        {"{\n  # nodes\n}", 2, 3, {"comments start with //"}},
        {"{\n  / nodes\n}", 2, 3, {"comments start with //"}},
        {"{\"nodes\":[]}\n/", 2, 1, {"comments start with //"}},
        {"{\"nodes\n", 1, 8, {"control character"}},
        {"{\"nodes", 1, 8, {"no closing quote"}},
        {"{\"nodes\":nul}", 1, 13, {"expected a value"}},
        {"{\"nodes\":NaN}", 1, 10, {"numbers must be finite"}},
        {"{\"\\q\":1}", 1, 3, {"unknown escape"}},
        {"{\"\\u12g4\":1}", 1, 3, {"four hexadecimal digits"}},
        {"{\"\\ud800\":1}", 1, 3, {"surrogate pair"}},
        {"{\"\\ud800\\u0041\":1}", 1, 3, {"surrogate pair"}},
        {"{\"a\\udc00\":1}", 1, 2, {"surrogate pair"}},
        {in_node("\"settings\":{\"file\":\"\\udfff\"}"), 1, 58, {"surrogate pair"}},
        {"{\"\xFF\":1}", 1, 3, {"not UTF-8", R"(\xff)"}},
        {"{\"\xC0\xAF\":1}", 1, 3, {"not UTF-8", R"(\xc0)"}},
        {"{\"\xED\xA0\x80\":1}", 1, 3, {"not UTF-8", R"(\xed)"}},
        {"{}\n\xF4\x90\x80\x80", 2, 1, {"not UTF-8", R"(\xf4)"}},
        {"{}\n\xE2\x82", 2, 1, {"not UTF-8", R"(\xe2)"}},
        {"\xEF\xBB\xBF{}", 1, 1, {"byte order mark"}},
        {std::string("{}\n\0{", 5), 2, 1, {"zero byte"}},
        {std::string("{\"\0\":1}", 7), 1, 3, {"zero byte"}},
        {std::string("\xFF\0", 2), 1, 1, {"not UTF-8"}},
        {in_node(R"("parameters":{"p":01})"), 1, 58, {R"(expected "," or "}")", R"(found "1")"}},
        {in_node(R"("parameters":{"p":+1})"), 1, 57, {"expected a value", R"(found "+")"}},
        {in_node(R"("parameters":{"p":.5})"), 1, 57, {"expected a value", R"(found ".")"}},
        {in_node(R"("parameters":{"p":5.})"), 1, 59, {"a digit after the decimal point"}},
        {in_node(R"("parameters":{"p":5e})"), 1, 59, {"a digit of the exponent"}},
        {in_node(R"("parameters":{"p":-})"), 1, 58, {"expected a value"}},
        {in_node(R"("parameters":{"p":0x10})"), 1, 58, {R"(found "x")"}},
        {in_node(R"("parameters":{"p":-Infinity})"), 1, 58, {"numbers must be finite"}},
    });
}

TEST(BadDocuments, Keys) {
    expect_refused({
        {"{\n  \"node\": []\n}",
         2,
         3,
         {R"(the document: unknown key "node")", R"(did you mean "nodes"?)", "nodes, connections"}},
        {R"({"a\"b": []})", 1, 2, {R"(unknown key "a\"b")", "nodes, connections"}},
        {R"({"a\\": []})", 1, 2, {R"(unknown key "a\\")"}},
        {R"({"nodes":[], "nodes":[]})", 1, 14, {R"(key "nodes" is given twice)"}},
        {R"({"nodes":[], "\u006eodes":[]})", 1, 14, {R"(key "nodes" is given twice)"}},
        {in_node("\n\"gain\":1"),
         2,
         1,
         {R"(node "osc": unknown key "gain")", "name, type, title, description, settings, parameters"}},
        {in_node("\n\"parameter\":{}"), 2, 1, {R"(did you mean "parameters"?)"}},
        {in_node("\n \"type\":\"gain\""), 2, 2, {R"(node "osc": key "type" is given twice)"}},
        {in_node("\n\"settings\":null,\"settings\":{}"), 2, 17, {R"(key "settings" is given twice)"}},
        {in_node(R"("parameters":{"p":1,"p":1})"), 1, 59, {R"(parameter "p" of node "osc" is given twice)"}},
        {in_node(R"("settings":{"s":1,"q":1,"s":true})"), 1, 63, {R"(setting "s" of node "osc" is given twice)"}},
        {R"({"connections":[{"from":"a","to":"b","gain":1}]})",
         1,
         38,
         {R"(the connection from "a": unknown key "gain")", "from, to, gain_db"}},
        {R"({"connections":[{"from":"a","from":"b"}]})", 1, 29, {R"(key "from" is given twice)"}},
        {R"({"nodes":[{"type":"sine"}]})", 1, 11, {R"(a node has no "name")"}},
        {R"({"nodes":[{"name":"","type":"sine"}]})", 1, 11, {R"(a node has no "name")"}},
        {R"({"nodes":[{"name":null,"type":"sine"}]})", 1, 11, {R"(a node has no "name")"}},
        {R"({"nodes":[{"name":"a","type":"sine"},{}]})", 1, 38, {R"(a node has no "name")"}},
        {R"({"nodes":[{"name":"osc"}]})", 1, 11, {R"(node "osc" has no "type")"}},
        {R"({"connections":[{"to":"b"}]})", 1, 17, {R"(the connection to "b" has no "from")"}},
        {R"({"connections":[{"from":"a"}]})", 1, 17, {R"(the connection from "a" has no "to")"}},
        {R"({"connections":[ {} ]})", 1, 18, {R"(a connection has no "from")"}},
    });
}

TEST(BadDocuments, Types) {
    expect_refused({
        {"[]", 1, 1, {"the document must be an object, not an array"}},
        {"\n null", 2, 2, {"the document must be an object, not null"}},
        {"true", 1, 1, {"the document must be an object, not true"}},
        {"12", 1, 1, {"the document must be an object, not a number"}},
        {"-1.5e3 ", 1, 1, {"the document must be an object, not a number"}},
        {"\"x\"", 1, 1, {"the document must be an object, not a string"}},
        {R"({"nodes":{}})", 1, 10, {R"("nodes" must be an array, not an object)"}},
        {R"({"nodes":false})", 1, 10, {R"("nodes" must be an array, not false)"}},
        {R"({"nodes":[[]]})", 1, 11, {R"(each of "nodes" must be an object, not an array)"}},
        {R"({"nodes":[null]})", 1, 11, {R"(each of "nodes" must be an object, not null)"}},
        {R"({"connections":"a"})", 1, 16, {R"("connections" must be an array, not a string)"}},
        {R"({"connections":[{"from":"a","to":"b"},"a -> b"]})",
         1,
         39,
         {R"(each of "connections" must be an object, not a string)"}},
        {R"({"nodes":[{"name":1}]})", 1, 19, {R"("name" of a node must be a string, not a number)"}},
        {R"({"nodes":[{"name":"a","type":{}}]})", 1, 30, {R"("type" of node "a" must be a string, not an object)"}},
        {in_node(R"("settings":[])"), 1, 50, {R"("settings" of node "osc" must be an object, not an array)"}},
        {in_node(R"("parameters":440)"), 1, 52, {R"("parameters" of node "osc" must be an object, not a number)"}},
        {in_node(R"("settings":{"channels":null})"),
         1,
         62,
         {R"(setting "channels" of node "osc" must be true, false, a number or a string, not null)"}},
        {in_node(R"("settings":{"channels":[2]})"), 1, 62, {R"(setting "channels")", "not an array"}},
        {in_node(R"("settings":{"channels":{"a":2}})"), 1, 62, {R"(setting "channels")", "not an object"}},
        {in_node(R"("parameters":{"gain_db":null})"),
         1,
         63,
         {R"(parameter "gain_db" of node "osc" must be a number, true, false or text, not null)"}},
        {in_node(R"("parameters":{"gain_db":[1]})"), 1, 63, {R"(parameter "gain_db")", "not an array"}},
        {R"({"connections":[{"from":["a"]}]})", 1, 25, {R"("from" of a connection must be a string, not an array)"}},
        {R"({"connections":[{"from":"a","to":"b","gain_db":true}]})",
         1,
         48,
         {R"("gain_db" of the connection from "a" must be a number, or text such as "-6 dB", not true)"}},
        {R"({"connections":[{"from":"a","to":"b","gain_db":"2 kHz"}]})",
         1,
         48,
         {R"("gain_db" of the connection from "a": "2 kHz" is a frequency; write a level (dB))"}},
        {R"({"connections":[{"from":"a","to":"b","gain_db":"loud"}]})", 1, 48, {R"("loud" is not a number)"}},
        {R"({"connections":[{"from":"a","to":"b","gain_db":"1e39"}]})", 1, 48, {R"("1e39" is out of range)"}},
        {R"({"title":1})", 1, 10, {R"("title" must be a string, not a number)"}},
        {in_node(R"("description":true)"), 1, 53, {R"("description" of node "osc" must be a string, not true)"}},
    });
}

TEST(BadDocuments, Numbers) {
    expect_refused({
        {in_node(R"("parameters":{"gain_db":1e999})"),
         1,
         63,
         {R"(parameter "gain_db" of node "osc" = 1e999 is out of range)"}},
        {in_node(R"("parameters":{"gain_db":-1e39})"),
         1,
         63,
         {R"(parameter "gain_db" of node "osc" = -1e39 is out of range: the greatest 32-bit float is 3.4028235e38)"}},
        {in_node(R"("parameters":{"gain_db":3.4028236e38})"), 1, 63, {"= 3.4028236e38 is out of range"}},
        {in_node("\"parameters\":{\"gain_db\":" + std::string(400, '9') + "}"), 1, 63, {"= 9999", "is out of range"}},
        {in_node("\"parameters\":{\"gain_db\":" + std::string(60, '9') + "}"),
         1,
         63,
         {"= 9999", "is out of range: the greatest 32-bit float"}},
        {in_node(R"("settings":{"seed":1e400})"),
         1,
         58,
         {R"(setting "seed" of node "osc" = 1e400 is out of range: the greatest 64-bit float is 1.7976931348623157e308)"}},
        {R"({"connections":[{"from":"a","to":"b","gain_db":1e50}]})",
         1,
         48,
         {R"("gain_db" of the connection from "a" = 1e50)"}},
    });
}

TEST(ReadDocument, NestedDeeperThanAnyStack) {
    for (const std::string_view before : {R"()", R"({"nodes":)", R"({"nodes":[{"settings":{"a":)"}) {
        for (const std::string_view step : {"[", "{\"nodes\":", "{\"a\":"}) {
            std::string text{before};
            for (int i = 0; i < 1'000'000; ++i) text += step;
            EXPECT_FALSE(read_document(text).has_value());
        }
    }
}

TEST(ReadDocument, LongerThanASaneDocument) {
    constexpr std::size_t kLimit = 16U << 20U;
    EXPECT_TRUE(read_document("{}" + std::string(kLimit - 2, ' ')).has_value());
    const auto document = read_document("{}\n" + std::string(kLimit - 2, ' '));
    ASSERT_FALSE(document.has_value());
    EXPECT_THAT(document.error().sentence,
                testing::AllOf(HasSubstr("line 2, column"), HasSubstr("16777217"), HasSubstr("16777216")));
}

TEST(ReadDocument, EveryBeginningOfADocumentIsRefused) {
    const std::string whole{kChain.substr(0, kChain.rfind('}'))};
    for (std::size_t length = 0; length <= whole.size(); ++length) {
        const auto document = read_document(std::string_view{whole}.substr(0, length));
        ASSERT_FALSE(document.has_value()) << length;
        EXPECT_THAT(document.error().sentence, testing::StartsWith("line "));
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// Writing

TEST(WriteDocument, OneItemALine) {
    EXPECT_EQ(write_document(read(kChain)), kChain);
    EXPECT_EQ(write_document({}), "{\n  \"nodes\": [],\n  \"connections\": []\n}\n");
}

TEST(WriteDocument, IsSortedAndEscaped) {
    GraphDocument document;
    document.nodes = {{.name = "b", .type = "t", .settings = {}, .parameters = {{"z", 0.1F}, {"a", 1e-9F}}},
                      {.name = "B", .type = "t", .settings = {}, .parameters = {}},
                      {.name = "a",
                       .type = "\"\\/\n\t\x01\x7F\xC3\xA9\xFF",
                       .settings = {{"y", 1e6}, {"x", true}, {"w", std::string{"\0", 1}}},
                       .parameters = {}}};
    document.connections = {{.from = "b", .to = "a", .gain_db = 0.0F},
                            {.from = "a", .to = "c", .gain_db = {}},
                            {.from = "a", .to = "b", .gain_db = std::numeric_limits<float>::quiet_NaN()},
                            {.from = "a", .to = "b", .gain_db = 1.0F}};
    EXPECT_EQ(write_document(document), R"({
  "nodes": [
    {"name": "B", "type": "t"},
    {"name": "a", "type": "\"\\/\n\t\u0001)"
                                        "\x7F\xC3\xA9\xEF\xBF\xBD"
                                        R"(", "settings": {"w": "\u0000", "x": true, "y": 1000000}},
    {"name": "b", "type": "t", "parameters": {"a": 1e-9, "z": 0.1}}
  ],
  "connections": [
    {"from": "a", "to": "b", "gain_db": "NaN"},
    {"from": "a", "to": "b", "gain_db": 1},
    {"from": "a", "to": "c"},
    {"from": "b", "to": "a", "gain_db": 0}
  ]
}
)");
}

TEST(FormatNumber, IsShortAndPlain) {
    const std::vector<std::pair<float, std::string>> floats{
        {440.0F, "440"},
        {-12.5F, "-12.5"},
        {0.1F, "0.1"},
        {0.0F, "0"},
        {-0.0F, "-0"},
        {1.0F, "1"},
        {24'000.0F, "24000"},
        {1'000'000.0F, "1000000"},
        {16'777'216.0F, "16777216"},
        {1e10F, "10000000000"},
        {123'456'789'012.0F, "123456790000"},
        {1.0F / 3.0F, "0.33333334"},
        {0.0001F, "0.0001"},
        {1e-7F, "0.0000001"},
        {1.5e-7F, "0.00000015"},
        {1e-8F, "1e-8"},
        {-2.5e-9F, "-2.5e-9"},
        {1e20F, "100000000000000000000"},
        {1e21F, "1e21"},
        {std::numeric_limits<float>::max(), "3.4028235e38"},
        {std::numeric_limits<float>::denorm_min(), "1e-45"},
        {std::numeric_limits<float>::quiet_NaN(), "NaN"},
        {std::numeric_limits<float>::infinity(), "Infinity"},
        {-std::numeric_limits<float>::infinity(), "-Infinity"},
    };
    for (const auto& [value, text] : floats) EXPECT_EQ(format_number(value), text);
    EXPECT_EQ(format_number(0.1), "0.1");
    EXPECT_EQ(format_number(static_cast<double>(0.1F)), "0.10000000149011612");
    EXPECT_EQ(format_number(9'007'199'254'740'993.0), "9007199254740992");
    EXPECT_EQ(format_number(std::numeric_limits<double>::max()), "1.7976931348623157e308");
    EXPECT_EQ(format_number(std::numeric_limits<double>::denorm_min()), "5e-324");
}

// ---------------------------------------------------------------------------------------------------------------------
// Random documents

class RandomDocuments {
 public:
    explicit RandomDocuments(std::uint32_t seed) : random_{seed} {}

    std::uint32_t below(std::uint32_t count) { return static_cast<std::uint32_t>(random_() % count); }

    float number() {
        switch (below(3)) {
            case 0:
                return static_cast<float>(below(20'000)) - 10'000.0F;
            case 1:
                return static_cast<float>(below(2'000'000)) / 1'000.0F - 1'000.0F;
            default:
                break;
        }
        const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random_()));
        return std::isfinite(value) ? value : number();
    }

    double wide_number() {
        if (below(2) == 0) return static_cast<double>(below(1'000'000));
        const auto value = std::bit_cast<double>(random_());
        return std::isfinite(value) ? value : wide_number();
    }

    std::string text() {
        static constexpr std::array<std::string_view, 20> kPieces{"a",
                                                                  "Z",
                                                                  "osc",
                                                                  "0",
                                                                  "_",
                                                                  "-",
                                                                  ":",
                                                                  " ",
                                                                  "\"",
                                                                  "\\",
                                                                  "/",
                                                                  "\n",
                                                                  "\t",
                                                                  "\x01",
                                                                  "\x1F",
                                                                  "\x7F",
                                                                  "\xC3\xA9",
                                                                  "\xE2\x82\xAC",
                                                                  "\xF0\x9D\x84\x9E",
                                                                  "{[,]}"};
        std::string out{kPieces[below(3)]};
        for (std::uint32_t i = below(6); i > 0; --i) out += kPieces[below(kPieces.size())];
        return out;
    }

    GraphDocument document() {
        GraphDocument out;
        out.annotation = annotation();
        for (std::uint32_t i = below(8); i > 0; --i) {
            auto& node = out.nodes.emplace_back();
            node.name = text();
            node.type = text();
            node.annotation = annotation();
            for (std::uint32_t j = below(4); j > 0; --j) node.settings.emplace(text(), setting());
            for (std::uint32_t j = below(4); j > 0; --j) node.parameters.emplace(text(), number());
        }
        for (std::uint32_t i = below(8); i > 0; --i) {
            auto& connection = out.connections.emplace_back();
            connection.from = text();
            connection.to = text();
            if (below(2) == 0) connection.gain_db = number();
        }
        return out;
    }

 private:
    Annotation annotation() { return below(2) == 0 ? Annotation{} : Annotation{printable(), printable() + "\n"}; }
    std::string printable() {
        std::string made = text();
        std::erase_if(made, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7F'; });
        return made;
    }

    SettingValue setting() {
        switch (below(3)) {
            case 0:
                return below(2) == 0;
            case 1:
                return wide_number();
            default:
                return text();
        }
    }

    std::mt19937_64 random_;
};

/// Sorts stably.
template <class Item>
std::vector<Item> in_order(const std::vector<Item>& items, auto place) {
    std::multimap<std::pair<std::string, std::string>, Item> ordered;
    for (const Item& item : items) ordered.emplace(place(item), item);
    std::vector<Item> out;
    for (auto& [key, item] : ordered) out.push_back(item);
    return out;
}

GraphDocument sorted(const GraphDocument& document) {
    return {
        .nodes = in_order(document.nodes, [](const auto& node) { return std::pair{node.name, std::string{}}; }),
        .connections = in_order(document.connections, [](const auto& item) { return std::pair{item.from, item.to}; }),
        .annotation = document.annotation};
}

GraphDocument from_message(const v1::Graph& graph) {
    GraphDocument out;
    out.annotation = {graph.title(), graph.description()};
    for (const auto& node : graph.nodes()) {
        auto& copy = out.nodes.emplace_back();
        copy.name = node.name();
        copy.type = node.type();
        copy.annotation = {node.title(), node.description()};
        for (const auto& [name, value] : node.settings().fields()) {
            if (value.has_bool_value()) copy.settings.emplace(name, value.bool_value());
            if (value.has_number_value()) copy.settings.emplace(name, value.number_value());
            if (value.has_string_value()) copy.settings.emplace(name, value.string_value());
        }
        for (const auto& [name, value] : node.parameters()) copy.parameters.emplace(name, value);
    }
    for (const auto& connection : graph.connections()) {
        auto& copy = out.connections.emplace_back();
        copy.from = connection.from();
        copy.to = connection.to();
        if (connection.has_gain_db()) copy.gain_db = connection.gain_db();
    }
    return out;
}

TEST(RandomDocument, SurvivesTheRoundTrip) {
    RandomDocuments random{1};
    for (int i = 0; i < 5'000; ++i) {
        const GraphDocument document = random.document();
        const std::string text = write_document(document);
        const GraphDocument again = read(text);
        expect_same(sorted(document), again);
        ASSERT_EQ(write_document(again), text);
    }
}

TEST(RandomDocument, IsWrittenTheSameInWhateverOrderItCame) {
    RandomDocuments random{2};
    std::mt19937 shuffler{3};
    for (int i = 0; i < 1'000; ++i) {
        GraphDocument document = random.document();
        // Nodes with equal names keep their order from the input, so make all names different.
        for (std::size_t j = 0; j < document.nodes.size(); ++j) document.nodes[j].name += std::to_string(j);
        for (std::size_t j = 0; j < document.connections.size(); ++j) document.connections[j].to += std::to_string(j);
        const std::string text = write_document(document);
        std::ranges::shuffle(document.nodes, shuffler);
        std::ranges::shuffle(document.connections, shuffler);
        ASSERT_EQ(write_document(document), text);
    }
}

TEST(RandomDocument, MeansTheSameToProtobuf) {
    RandomDocuments random{4};
    for (int i = 0; i < 2'000; ++i) {
        const std::string text = write_document(random.document());
        v1::Graph graph;
        const auto status = google::protobuf::util::JsonStringToMessage(text, &graph);
        ASSERT_TRUE(status.ok()) << status.ToString() << "\n" << text;
        expect_same(read(text), from_message(graph));
        ASSERT_FALSE(HasFailure()) << text;
    }
}

TEST(RandomDocument, IsReadAsProtobufWritesIt) {
    RandomDocuments random{5};
    for (int i = 0; i < 2'000; ++i) {
        v1::Graph graph;
        ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(write_document(random.document()), &graph).ok());
        google::protobuf::util::JsonPrintOptions options;
        options.preserve_proto_field_names = true;
        options.add_whitespace = random.below(2) == 0;
        options.always_print_primitive_fields = random.below(2) == 0;
        std::string text;
        ASSERT_TRUE(google::protobuf::util::MessageToJsonString(graph, &text, options).ok());
        expect_same(from_message(graph), read(text));
        ASSERT_FALSE(HasFailure()) << text;
    }
}

// Except for comments and text for parameters, the reader is stricter than protobuf, never more lenient: protobuf accepts
// everything that it accepts, with the same meaning.
TEST(RandomDocument, DamagedIsRefusedOrMeansTheSameToProtobuf) {
    RandomDocuments random{6};
    constexpr std::string_view kDamage = "{}[]\",:\\/ \n0123456789.eE+-truefalsn_\x01\x7F\xC3";
    // The target document_fuzz damages documents under AddressSanitizer.
    constexpr int documents = test::cases(50'000, 10'000);
    int taken = 0;
    int refused = 0;
    for (int i = 0; i < documents; ++i) {
        std::string text = write_document(random.document());
        for (std::uint32_t j = random.below(2); j < 2; ++j) {
            const std::size_t at = random.below(static_cast<std::uint32_t>(text.size()));
            switch (random.below(3)) {
                case 0:
                    text.erase(at, 1 + random.below(3));
                    break;
                case 1:
                    text.insert(at, 1, kDamage[random.below(kDamage.size())]);
                    break;
                default:
                    text[at] = kDamage[random.below(kDamage.size())];
                    break;
            }
        }
        const auto document = read_document(text);
        if (!document) {
            ++refused;
            ASSERT_TRUE(document.error().sentence.starts_with("line ")) << document.error().sentence;
            continue;
        }
        ++taken;
        const auto extends_json = [](const auto& node) { return !node.written_parameters.empty(); };
        if (document->comment_count != 0 || std::ranges::any_of(document->nodes, extends_json)) continue;
        v1::Graph graph;
        const auto status = google::protobuf::util::JsonStringToMessage(text, &graph);
        ASSERT_TRUE(status.ok()) << status.ToString() << "\n" << text;
        expect_same(*document, from_message(graph));
        ASSERT_FALSE(HasFailure()) << text;
    }
    EXPECT_GT(taken, documents / 50);
    EXPECT_GT(refused, documents / 50);
}

TEST(Document, LatencyCompensationIsOffUnlessItIsSwitchedOn) {
    for (const std::string_view off :
         {R"({"nodes": []})", R"({"latency_compensation": false})", R"({"latency_compensation": null, "nodes": []})"}) {
        EXPECT_FALSE(read(off).latency_compensation) << off;
        EXPECT_EQ(write_document(read(off)).find("latency"), std::string::npos);
    }
    const GraphDocument on = read(R"({"latency_compensation": true, "nodes": [{"name": "a", "type": "sine"}]})");
    EXPECT_TRUE(on.latency_compensation);
    EXPECT_TRUE(read(write_document(on)).latency_compensation);
    v1::Graph message;
    ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(write_document(on), &message).ok());
    EXPECT_TRUE(message.latency_compensation());
}

TEST(Document, LatencyCompensationIsNothingButASwitch) {
    const auto wrong = read_document(R"({"latency_compensation": 1})");
    ASSERT_FALSE(wrong);
    EXPECT_THAT(wrong.error().sentence,
                HasSubstr(R"("latency_compensation" must be true, false, "on" or "off", not a number)"));
    const auto twice = read_document(R"({"latency_compensation": true, "latency_compensation": true})");
    ASSERT_FALSE(twice);
    EXPECT_THAT(twice.error().sentence, HasSubstr("key \"latency_compensation\" is given twice"));
}

TEST(Document, LatencyCompensationIsOnOrOffInText) {
    EXPECT_TRUE(read(R"({"latency_compensation": "on"})").latency_compensation);
    EXPECT_FALSE(read(R"({"latency_compensation": "off"})").latency_compensation);
    for (const std::string_view wrong : {"maybe", "0.5", "", "3 dB"}) {
        const auto document = read_document(R"({"latency_compensation": ")" + std::string{wrong} + R"("})");
        ASSERT_FALSE(document) << wrong;
        EXPECT_THAT(document.error().sentence, testing::StartsWith("line 1, column 26: \"latency_compensation\": "));
        EXPECT_THAT(document.error().sentence, testing::EndsWith("write on or off"));
    }
}

TEST(Document, GainsOfConnectionsHaveUnits) {
    const auto gain_db = [](const std::string& text) {
        return read(R"({"connections": [{"from": "a", "to": "b", "gain_db": ")" + text + R"("}]})")
            .connections.at(0)
            .gain_db;
    };
    EXPECT_EQ(gain_db("-6 dB"), -6.0F);
    EXPECT_EQ(gain_db("0.1dB"), 0.1F);
    EXPECT_EQ(gain_db("24"), 24.0F);
    EXPECT_EQ(gain_db("-inf"), -120.0F);
}

TEST(Document, TextOfParametersAndSettingsIsKeptWithItsPosition) {
    const GraphDocument document = read(
        "{\"nodes\": [{\"name\": \"n\", \"type\": \"t\", \"settings\": {\"a\": 1, \"b\": \"2 s\"},\n"
        " \"parameters\": {\"x\": 1, \"y\": \"-6 dB\",\n  \"z\": true}}]}");
    const GraphDocument::Node& node = document.nodes.at(0);
    EXPECT_EQ(node.parameters.size(), 1U);
    ASSERT_EQ(node.written_parameters.size(), 2U);
    EXPECT_EQ(node.written_parameters.at("y").value, SettingValue{std::string{"-6 dB"}});
    EXPECT_EQ(node.written_parameters.at("y").position.prefix(), "line 2, column 30: ");
    EXPECT_EQ(node.written_parameters.at("z").value, SettingValue{true});
    EXPECT_EQ(node.written_parameters.at("z").position.prefix(), "line 3, column 8: ");
    ASSERT_EQ(node.text_settings.size(), 1U);
    EXPECT_EQ(node.text_settings.at("b").prefix(), "line 1, column 65: ");
}

TEST(Document, CommentsAreSkippedAndCounted) {
    const GraphDocument document = read(
        "// a\n{ // \"b\": {\n  \"nodes\": [ // c\n    {\"name\": \"a//b\", \"type\": \"t\\\"//\",\n"
        "     \"parameters\": {\"x\": 1.5//d\n, \"y\"://e\n-2}}//f\n  ]}\n// /* no block */");
    ASSERT_EQ(document.nodes.size(), 1U);
    EXPECT_EQ(document.nodes[0].name, "a//b");
    EXPECT_EQ(document.nodes[0].type, "t\"//");
    EXPECT_EQ(document.nodes[0].parameters.at("x"), 1.5F);
    EXPECT_EQ(document.nodes[0].parameters.at("y"), -2.0F);
    EXPECT_EQ(document.nodes[0].position.prefix(), "line 4, column 5: ");
    EXPECT_EQ(document.comment_count, 7U);
    EXPECT_THAT(comment_warning(document), testing::StartsWith("line 1, column 1: the document has 7 comments: "));
    EXPECT_EQ(write_document(document).find("//  "), std::string::npos);
    EXPECT_EQ(comment_warning(read(write_document(document))), "");
    EXPECT_EQ(comment_warning(read(R"({"title": "http://x"})")), "") << "text in a string is not a comment";
    EXPECT_THAT(comment_warning(read("{}\n  // end")),
                testing::StartsWith("line 2, column 3: the document has a comment"));
}

TEST(Document, ErrorsBehindCommentsHaveTheirLineAndColumn) {
    expect_refused({
        {"// a\n// b\n{\"nodes\": [ // c\n  {\"name\": 1}]}", 4, 12, {R"("name" of a node must be a string)"}},
        {"{\"nodes\": [] // a\n \"x\": 1}", 2, 2, {R"(expected "," or "}")", R"(found "\"")"}},
        {"{\"nodes\": // a", 1, 15, {"expected a value", "the end of the document"}},
        {"{\n \"nodes\": /* a */ []}", 2, 11, {"a /* comment", "comments that start with //"}},
        {"{\n /* a", 2, 2, {"a /* comment"}},
        {"{\"nodes\": 1, /* a */ }", 1, 11, {R"("nodes" must be an array)"}},
        {"{\"nodes\": []}\n/**/", 2, 1, {"a /* comment"}},
    });
}

TEST(Document, TitlesAndDescriptionsSurvive) {
    const std::string text =
        "{\n  \"title\": \"Foyer\",\n  \"description\": \"Two ways.\\nSince 2026.\",\n  \"nodes\": [\n"
        "    {\"name\": \"hp\", \"type\": \"biquad_filter\", \"title\": \"\u00dcberh\u00f6hung\", \"description\": "
        "\"Protects the \\\"driver\\\".\", \"settings\": {\"kind\": \"highpass\"}}\n  ],\n  \"connections\": []\n}\n";
    const GraphDocument document = read(text);
    EXPECT_EQ(document.annotation, (Annotation{"Foyer", "Two ways.\nSince 2026."}));
    EXPECT_EQ(document.nodes.at(0).annotation.description, "Protects the \"driver\".");
    EXPECT_EQ(write_document(document), text);
    EXPECT_EQ(write_document(read(R"({"title": "", "description": null, "nodes": []})")).find("title"),
              std::string::npos);
}

TEST(Document, ASavedDocumentHasItsRevisionAndInstance) {
    const std::string text =
        "{\n  \"title\": \"Foyer\",\n  \"revision\": 18446744073709551615,\n  \"instance\": "
        "\"0123abcd\",\n  \"nodes\": [],\n  \"connections\": []\n}\n";
    const GraphDocument document = read(text);
    EXPECT_EQ(document.origin.revision, 18'446'744'073'709'551'615U);
    EXPECT_EQ(document.origin.instance, "0123abcd");
    EXPECT_EQ(write_document(document), text);
    v1::Graph message;
    ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(text, &message).ok());
    EXPECT_EQ(message.revision(), *document.origin.revision);
    EXPECT_EQ(message.instance(), "0123abcd");
    std::string as_protobuf_writes_it;
    ASSERT_TRUE(google::protobuf::util::MessageToJsonString(message, &as_protobuf_writes_it).ok());
    EXPECT_EQ(write_document(read(as_protobuf_writes_it)), text);

    EXPECT_EQ(read(R"({"nodes": []})").origin.revision, std::nullopt);
    EXPECT_EQ(read(R"({"revision": null, "instance": null})").origin.revision, std::nullopt);
    EXPECT_EQ(read(R"({"revision": 0, "instance": ""})").origin.revision, 0U);
    const std::string whole = "expected a whole number, 0 or more";
    expect_refused({
        {R"({"revision": 1.5})", 1, 14, {R"("revision" = "1.5" is invalid)", whole}},
        {R"({"revision": -1})", 1, 14, {whole}},
        {R"({"revision": 1e3})", 1, 14, {whole}},
        {R"({"revision": 18446744073709551616})", 1, 14, {"18446744073709551615"}},
        {R"({"revision": "12 "})", 1, 14, {whole}},
        {R"({"revision": ""})", 1, 14, {whole}},
        {R"({"revision": true})", 1, 14, {R"("revision" must be a whole number, 0 or more, not true)"}},
        {R"({"revision": [1]})", 1, 14, {"not an array"}},
        {R"({"instance": 1})", 1, 14, {"must be a string"}},
        {"{\"instance\": \"" + std::string(65, 'x') + "\"}", 1, 14, {"65 bytes: expected at most 64"}},
        {R"({"revision": 1, "revision": 1})", 1, 17, {"given twice"}},
        {R"({"nodes": [{"name": "a", "type": "b", "revision": 1}]})", 1, 39, {"revision"}},
    });
}

TEST(Document, TitlesAndDescriptionsAreLimitedAndPrintable) {
    const auto document = [](const std::string& key, std::size_t bytes) {
        return "{\"" + key + "\": \"" + std::string(bytes, 'x') + "\"}";
    };
    EXPECT_TRUE(read_document(document("title", 256)));
    EXPECT_TRUE(read_document(document("description", 4096)));
    expect_refused({
        {document("title", 257), 1, 11, {"the document: title has 257 bytes: expected at most 256"}},
        {document("description", 4097), 1, 17, {"description has 4097 bytes: expected at most 4096"}},
        {R"({"title": "a\nb"})", 1, 11, {"title has characters that cannot be printed"}},
        {R"({"description": "a\u202eb"})", 1, 17, {"description has characters that cannot be printed"}},
        {R"({"description": "a\nb\u001b[2J"})", 1, 17, {"without control characters other than line feeds"}},
        {in_node("\"title\":\"" + std::string(300, 'x') + "\""), 1, 47, {R"(node "osc": title has 300 bytes)"}},
    });
}

template <class Number>
void expect_shortest(Number value) {
    const std::string text = format_number(value);
    Number again{};
    const auto read = std::from_chars(text.data(), text.data() + text.size(), again);
    ASSERT_TRUE(read.ec == std::errc{} && read.ptr == text.data() + text.size()) << text;
    ASSERT_EQ(std::memcmp(&value, &again, sizeof value), 0) << text;

    // With one digit less, it would be a different number.
    std::string digits;
    for (const char c : text.substr(0, text.find('e'))) {
        if (c >= '0' && c <= '9') digits += c;
    }
    digits.erase(0, digits.find_first_not_of('0'));
    digits.erase(digits.find_last_not_of('0') + 1);
    if (digits.size() < 2) return;
    std::array<char, 64> shorter{};
    std::snprintf(shorter.data(), shorter.size(), "%.*e", static_cast<int>(digits.size()) - 2,
                  static_cast<double>(value));
    const auto end = shorter.data() + std::strlen(shorter.data());
    Number other{};
    if (std::from_chars(shorter.data(), end, other).ec != std::errc{}) return;
    ASSERT_NE(std::memcmp(&value, &other, sizeof value), 0) << text << " " << shorter.data();
}

TEST(FormatNumber, GivesTheSameNumberBackInTheFewestDigits) {
    std::mt19937_64 random{7};
    for (int i = 0; i < 200'000; ++i) {
        const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
        if (std::isfinite(value)) expect_shortest(value);
        const auto wide = std::bit_cast<double>(random());
        if (std::isfinite(wide)) expect_shortest(wide);
        ASSERT_FALSE(HasFailure());
    }
}

}  // namespace
}  // namespace rta
