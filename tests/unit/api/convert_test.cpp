// SPDX-License-Identifier: MIT
#include "api/convert.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "api/requests/list_node_types.h"
#include "api/requests/set_parameters.h"
#include "api/requests/transaction.h"
#include "frame/frame_codec.h"
#include "text/utf8.h"

namespace rta::api {
namespace {

using google::protobuf::TextFormat;

template <class Message>
Message parse(std::string_view text) {
    Message message;
    EXPECT_TRUE(TextFormat::ParseFromString(std::string{text}, &message)) << text;
    return message;
}

const Engine& engine() {
    static const Engine built{builtin_nodes(), {}};
    return built;
}

Expected<TransactionContent> take(std::string_view text) {
    auto message = parse<v1::ApplyTransaction>(text);
    return take_content(message, engine());
}

Expected<TransactionContent> take_document(std::string_view text) {
    v1::ApplyTransaction message;
    message.set_document(std::string{text});
    return take_content(message, engine());
}

/// Returns the error of a transaction, which must be refused.
Error refused(std::string_view text) {
    auto content = take(text);
    EXPECT_FALSE(content) << text;
    return content ? Error{} : content.error();
}

bool mentions(const Error& error, std::string_view word) { return error.sentence.find(word) != std::string::npos; }

TEST(Convert, EveryEditBecomesWhatItSays) {
    const auto content = take(R"(edits {
        edits { add_node { name: "osc" type: "sine"
                           settings { fields { key: "channels" value { number_value: 2 } }
                                      fields { key: "file" value { string_value: "x" } }
                                      fields { key: "loop" value { bool_value: true } } }
                           parameters { key: "frequency_hz" value: 220 } } }
        edits { remove_node { name: "old" } }
        edits { connect { from: "osc" to: "vol:in" gain_db: -6 } }
        edits { connect { from: "a" to: "b" } }
        edits { disconnect { from: "a" to: "b" } }
        edits { set_parameter { node: "vol" parameter: "gain_db" value: -3 ramp_ms: 0 } }
        edits { set_parameter { node: "vol" parameter: "gain_db" value: -4 } }
        edits { change_settings { node: "osc" settings { fields { key: "channels" value { number_value: 1 } } } } }
    })");
    ASSERT_TRUE(content) << content.error().sentence;
    EXPECT_FALSE(content->whole_graph);
    EXPECT_EQ(content->edits.edits_size(), 8);
    const auto& edits = content->transaction.edits;
    ASSERT_EQ(edits.size(), 8U);

    const auto& add = std::get<AddNode>(edits[0]);
    EXPECT_EQ(add.name, "osc");
    EXPECT_EQ(add.type, "sine");
    EXPECT_EQ(add.settings, (Settings{{"channels", 2.0}, {"file", std::string{"x"}}, {"loop", true}}));
    EXPECT_EQ(add.parameters.at("frequency_hz"), 220.0F);
    EXPECT_EQ(std::get<RemoveNode>(edits[1]).name, "old");
    EXPECT_EQ(std::get<Connect>(edits[2]).from, "osc");
    EXPECT_EQ(std::get<Connect>(edits[2]).to, "vol:in");
    EXPECT_EQ(std::get<Connect>(edits[2]).gain_db, -6.0F);
    EXPECT_EQ(std::get<Connect>(edits[3]).gain_db, std::nullopt);
    EXPECT_EQ(std::get<Disconnect>(edits[4]).from, "a");
    EXPECT_EQ(std::get<Disconnect>(edits[4]).to, "b");
    const auto& set = std::get<SetParameter>(edits[5]);
    EXPECT_EQ(set.node, "vol");
    EXPECT_EQ(set.parameter, "gain_db");
    EXPECT_EQ(set.value, -3.0F);
    EXPECT_EQ(set.ramp_ms, 0.0F);
    EXPECT_EQ(std::get<SetParameter>(edits[6]).ramp_ms, std::nullopt);
    EXPECT_EQ(std::get<ChangeSettings>(edits[7]).node, "osc");
    EXPECT_EQ(std::get<ChangeSettings>(edits[7]).settings, (Settings{{"channels", 1.0}}));
}

TEST(Convert, AGraphAndItsDocumentAreTheSameTransaction) {
    const auto message = take(R"(graph {
        nodes { name: "osc" type: "sine" parameters { key: "gain_db" value: -12 } }
        nodes { name: "out" type: "output" settings { fields { key: "channels" value { number_value: 2 } } } }
        connections { from: "osc" to: "out" gain_db: -1.5 }
        latency_compensation: true })");
    const auto text = take_document(R"({"nodes": [
        {"name": "osc", "type": "sine", "parameters": {"gain_db": -12}},
        {"name": "out", "type": "output", "settings": {"channels": 2}}],
        "connections": [{"from": "osc", "to": "out", "gain_db": -1.5}], "latency_compensation": true})");
    ASSERT_TRUE(message);
    ASSERT_TRUE(text) << text.error().sentence;
    EXPECT_TRUE(message->whole_graph);
    EXPECT_TRUE(text->whole_graph);
    EXPECT_EQ(message->edits.DebugString(), text->edits.DebugString());
    const auto written = [](const TransactionContent& content) {
        return write_document(std::get<ReplaceGraph>(content.transaction.edits.at(0)).document);
    };
    EXPECT_EQ(written(*message), written(*text));
    EXPECT_NE(written(*message).find("-1.5"), std::string::npos);
    EXPECT_NE(written(*message).find("\"latency_compensation\": true"), std::string::npos);
}

TEST(Convert, ADocumentThatCannotBeReadTellsWhere) {
    const auto content = take_document("{\"nodes\":\n  [}");
    ASSERT_FALSE(content);
    EXPECT_EQ(content.error().code, ErrorCode::invalid_argument);
    EXPECT_TRUE(mentions(content.error(), "line 2")) << content.error().sentence;
}

TEST(Convert, SettingsOfTheWrongKindAreNamed) {
    const std::array<std::pair<const char*, const char*>, 6> kinds{{{"null_value: NULL_VALUE", "null"},
                                                                    {"list_value {}", "a list"},
                                                                    {"struct_value {}", "an object"},
                                                                    {"number_value: nan", "not a finite number"},
                                                                    {"number_value: inf", "not a finite number"},
                                                                    {"", "not set"}}};
    for (const auto& [value, word] : kinds) {
        const std::string settings = std::string{"settings { fields { key: \"channels\" value { "} + value + " } }";
        for (const std::string& text :
             {"edits { edits { add_node { name: \"n1\" type: \"gain\" " + settings + " } } } }",
              "edits { edits { change_settings { node: \"n1\" " + settings + " } } } }",
              "graph { nodes { name: \"n1\" type: \"gain\" " + settings + " } } }",
              "edits { edits { replace_graph { nodes { name: \"n1\" type: \"gain\" " + settings + " } } } } }"}) {
            const Error error = refused(text);
            EXPECT_EQ(error.code, ErrorCode::invalid_argument);
            EXPECT_TRUE(mentions(error, "\"channels\"")) << error.sentence;
            EXPECT_TRUE(mentions(error, "\"n1\"")) << error.sentence;
            EXPECT_TRUE(mentions(error, word)) << error.sentence;
        }
    }
}

TEST(Convert, AnEditWithoutItsKindIsRefusedByIndex) {
    const Error error = refused("edits { edits { remove_node { name: \"a\" } } edits {} }");
    EXPECT_EQ(error.code, ErrorCode::invalid_argument);
    EXPECT_EQ(error.edit_index, 1U);
}

// Events report the graph as it was loaded: a mirror does not know the rules for documents.
TEST(Convert, TheTextOfADocumentBecomesTheValuesThatAreLoaded) {
    const auto content = take_document(
        "// Foyer\n{\"title\": \"T\", \"nodes\": [{\"name\": \"f\", \"type\": "
        "\"biquad_filter\", \"description\": \"D\", \"settings\": {\"channels\": \"2\"},\n"
        "\"parameters\": {\"frequency_hz\": \"30 kHz\", \"gain_db\": \"-6 dB\", \"bypass\": true}}]}");
    ASSERT_TRUE(content) << content.error().sentence;
    const v1::Graph& graph = content->edits.edits(0).replace_graph();
    EXPECT_EQ(graph.title(), "T");
    const v1::Node& node = graph.nodes(0);
    EXPECT_EQ(node.description(), "D");
    EXPECT_EQ(node.settings().fields().at("channels").number_value(), 2.0);
    EXPECT_EQ(node.parameters().at("frequency_hz"), 23'520.0F);
    EXPECT_EQ(node.parameters().at("gain_db"), -6.0F);
    EXPECT_EQ(node.parameters().at("bypass"), 1.0F);
    ASSERT_EQ(content->warnings.size(), 2U);
    EXPECT_TRUE(content->warnings[0].starts_with("line 3, column 32: node \"f\": frequency_hz = 30000 Hz is above"))
        << content->warnings[0];
    EXPECT_TRUE(content->warnings[1].starts_with("line 1, column 1: the document has a comment"))
        << content->warnings[1];
    const auto wrong = take_document(R"({"nodes": [{"name": "g", "type": "gain", "parameters": {"gain_db": "2 s"}}]})");
    ASSERT_FALSE(wrong);
    EXPECT_TRUE(mentions(wrong.error(), R"(line 1, column 68: parameter "gain_db" of node "g": "2 s" is a time)"));
}

// Only documents may contain text: a message has numbers.
TEST(Convert, AMessageIsNotInterpreted) {
    const auto content = take(R"(graph { nodes { name: "f" type: "biquad_filter"
        settings { fields { key: "channels" value { string_value: "2" } } } parameters { key: "frequency_hz" value: 30000 } } })");
    ASSERT_TRUE(content);
    EXPECT_TRUE(content->warnings.empty());
    const auto& node = std::get<ReplaceGraph>(content->transaction.edits.at(0)).document.nodes.at(0);
    EXPECT_EQ(node.settings.at("channels"), SettingValue{std::string{"2"}});
    EXPECT_EQ(node.parameters.at("frequency_hz"), 30'000.0F);
}

TEST(Convert, DescribeSetsWhatItNames) {
    const auto content = take(R"(edits { edits { describe { node: "a" title: "T" } }
                                         edits { describe { description: "" } } })");
    ASSERT_TRUE(content);
    const auto& first = std::get<Describe>(content->transaction.edits.at(0));
    EXPECT_EQ(first.node, "a");
    EXPECT_EQ(first.title, "T");
    EXPECT_EQ(first.description, std::nullopt);
    const auto& second = std::get<Describe>(content->transaction.edits.at(1));
    EXPECT_EQ(second.node, "");
    EXPECT_EQ(second.description, "");
    EXPECT_TRUE(
        mentions(refused(R"(edits { edits { describe { node: "a" } } })"), "expected title, description or both"));
}

TEST(Convert, ReplaceGraphStandsAlone) {
    EXPECT_TRUE(take("edits { edits { replace_graph {} } }"));
    const Error error = refused("edits { edits { remove_node { name: \"a\" } } edits { replace_graph {} } }");
    EXPECT_EQ(error.code, ErrorCode::invalid_argument);
    EXPECT_EQ(error.edit_index, 1U);
    EXPECT_TRUE(mentions(error, "replace_graph"));
}

TEST(Convert, ATransactionWithoutContentIsRefused) {
    EXPECT_TRUE(mentions(refused(""), "empty"));
    EXPECT_TRUE(take("edits {}")) << "no edits are edits, too: the next revision of the same graph";
}

TEST(Convert, TooManyItemsAreRefused) {
    v1::ApplyTransaction edits;
    v1::ApplyTransaction nodes;
    v1::ApplyTransaction connections;
    v1::SetParameters changes;
    for (int i = 0; i <= kMaximumItems; ++i) {
        edits.mutable_edits()->add_edits()->mutable_remove_node();
        nodes.mutable_graph()->add_nodes();
        connections.mutable_graph()->add_connections();
        changes.add_changes();
    }
    for (v1::ApplyTransaction* message : {&edits, &nodes, &connections}) {
        const auto content = take_content(*message, engine());
        ASSERT_FALSE(content);
        EXPECT_TRUE(mentions(content.error(), "65536")) << content.error().sentence;
    }
    ASSERT_FALSE(to_changes(changes));
    changes.mutable_changes()->RemoveLast();
    EXPECT_TRUE(to_changes(changes));
    EXPECT_FALSE(to_changes({})) << "a change of nothing";
}

TEST(Convert, AChangeThatNoEventCouldTellIsRefused) {
    v1::ApplyTransaction message;
    message.mutable_edits()->add_edits()->mutable_remove_node()->set_name(std::string(kMaximumFrameBytes - 100, 'n'));
    const auto content = take_content(message, engine());
    ASSERT_FALSE(content);
    EXPECT_EQ(content.error().code, ErrorCode::invalid_argument);
    v1::SetParameters changes;
    changes.add_changes()->set_node(std::string(kMaximumFrameBytes - 100, 'n'));
    EXPECT_FALSE(to_changes(changes));
}

TEST(Convert, EveryCodeHasItsNumber) {
    for (const ErrorCode code : {ErrorCode::invalid_argument, ErrorCode::deadline_exceeded, ErrorCode::not_found,
                                 ErrorCode::already_exists, ErrorCode::permission_denied, ErrorCode::resource_exhausted,
                                 ErrorCode::failed_precondition, ErrorCode::aborted, ErrorCode::unimplemented,
                                 ErrorCode::internal, ErrorCode::unavailable, ErrorCode::unauthenticated}) {
        EXPECT_EQ(static_cast<int>(to_wire(code)), static_cast<int>(code));
        EXPECT_EQ(v1::Code_Name(to_wire(code)), error_code_name(code));
    }
}

TEST(Convert, ASentenceIsUtf8AndShortEnoughWhateverWentIn) {
    v1::Status status;
    to_wire(Error{ErrorCode::not_found, "no \xFF\xC3 file " + std::string(100'000, 'x'), 3}, status);
    EXPECT_EQ(status.code(), v1::NOT_FOUND);
    EXPECT_EQ(status.edit_index(), 3U);
    EXPECT_LT(status.message().size(), 10'000U);
    EXPECT_EQ(first_invalid_utf8(status.message()), status.message().size());
    EXPECT_TRUE(status.message().starts_with("no \xEF\xBF\xBD\xEF\xBF\xBD file x"));
}

TEST(Convert, ANodeTypeIsToldWhole) {
    constexpr static std::string_view kShapes[] = {"saw", "square"};
    constexpr static std::string_view kOrders[] = {"2", "4"};
    constexpr static SettingSpec kSettings[] = {
        channels_setting(),
        {.name = "order",
         .kind = SettingSpec::Kind::integer,
         .minimum = 2,
         .maximum = 4,
         .default_number = 4,
         .choices = kOrders,
         .help = "Order."},
        {.name = "shape",
         .kind = SettingSpec::Kind::choice,
         .default_text = "saw",
         .choices = kShapes,
         .help = "Shape."},
        {.name = "loop", .kind = SettingSpec::Kind::on_off, .default_number = 1, .help = "Again."},
        {.name = "file", .kind = SettingSpec::Kind::text, .help = "File."}};
    constexpr static ParameterSpec kParameters[] = {
        {"frequency_hz", Unit::hertz, 1.0F, 20'000.0F, 440.0F, "Frequency.", RampLaw::logarithmic},
        corner_hz("corner_hz", 5.0F, 1'000.0F, "Corner."),
        {.name = "drive_db",
         .unit = Unit::decibel,
         .minimum = 0.0F,
         .maximum = 24.0F,
         .default_value = 0.0F,
         .help = "Drive.",
         .older_maximum = 48.0F}};
    constexpr static PortSpec kInputs[] = {{"in", 0}};
    constexpr static PortSpec kOutputs[] = {{"left", 1}, {"right", 1}};
    const NodeType type{.name = "thing",
                        .help = "A thing.",
                        .settings = kSettings,
                        .parameters = kParameters,
                        .inputs = kInputs,
                        .outputs = kOutputs,
                        .create = nullptr};
    v1::NodeType message;
    to_wire(type, 96'000.0, message);
    EXPECT_EQ(message.DebugString(), parse<v1::NodeType>(R"(
        name: "thing" help: "A thing."
        settings { name: "channels" kind: "integer" help: "Width of every port of the node." minimum: 1 maximum: 64
                   default { number_value: 1 } }
        settings { name: "order" kind: "integer" help: "Order." minimum: 2 maximum: 4 default { number_value: 4 }
                   choices: "2" choices: "4" }
        settings { name: "shape" kind: "choice" help: "Shape." default { string_value: "saw" }
                   choices: "saw" choices: "square" }
        settings { name: "loop" kind: "on_off" help: "Again." default { bool_value: true } }
        settings { name: "file" kind: "text" help: "File." default { string_value: "" } }
        parameters { name: "frequency_hz" unit: "Hz" minimum: 1 maximum: 20000 default: 440 ramp_law: "logarithmic"
                     help: "Frequency." }
        parameters { name: "corner_hz" unit: "Hz" minimum: 5 maximum: 47040 default: 1000 ramp_law: "logarithmic"
                     help: "Corner." maximum_rate_fraction: 0.49 }
        parameters { name: "drive_db" unit: "dB" maximum: 24 ramp_law: "linear" help: "Drive." older_maximum: 48 }
        inputs { name: "in" } outputs { name: "left" width: 1 } outputs { name: "right" width: 1 })")
                                         .DebugString());
}

}  // namespace
}  // namespace rta::api
