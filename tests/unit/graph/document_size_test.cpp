// SPDX-License-Identifier: MIT
// AudioGraph::document_bytes() against the length of the written document.
#include "document/document_size.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "graph/audio_graph.h"
#include "support/effort.h"
#include "support/graph_builder.h"
#include "text/format_number.h"

namespace rta {
namespace {

using test::cases;

Expected<std::unique_ptr<Processor>> no_processor(const BuildContext&) {
    return fail(ErrorCode::internal, "builds nothing");
}

constexpr std::array kFileSettings{
    channels_setting(),
    SettingSpec{.name = "file", .kind = SettingSpec::Kind::text, .help = "Any text."},
    SettingSpec{.name = "ratio", .kind = SettingSpec::Kind::number, .minimum = -1e300, .maximum = 1e300, .help = "N."},
    SettingSpec{.name = "loop", .kind = SettingSpec::Kind::on_off, .help = "A switch."},
};
constexpr std::array kFileParameters{
    level_db("gain_db", 0.0F, "A level."),
    on_off("playing", true, "A switch."),
    ParameterSpec{"any", Unit::none, std::numeric_limits<float>::lowest(), std::numeric_limits<float>::max(), 0.0F,
                  "Any finite number."},
};
static_assert(well_formed(kFileParameters));
constexpr std::array kPorts{PortSpec{"in"}};
constexpr std::array kTwoPorts{PortSpec{"out"}, PortSpec{"other_out"}};
constexpr NodeType kFile{.name = "file",
                         .help = "A node with a setting that is a text.",
                         .settings = kFileSettings,
                         .parameters = kFileParameters,
                         .inputs = kPorts,
                         .outputs = kTwoPorts,
                         .create = no_processor};

/// Edits a graph at random, also by edits that are refused.
class Client {
 public:
    explicit Client(std::uint32_t seed) : random_{seed} {}

    AudioGraph graph;
    std::uint64_t next_id = 1;

    void edit() {
        switch (below(14)) {
            case 0:
            case 1:
                return add();
            case 2:
                if (graph.node_count() > 0 && below(2) == 0) static_cast<void>(graph.remove_node(node().name()));
                return;
            case 3:
                return rename();
            case 4:
                return change_settings();
            case 5:
                return set_parameter();
            case 6:
                if (graph.node_count() > 0) static_cast<void>(graph.disconnect(output(), input()));
                return;
            case 7:
                return annotate();
            default:
                return connect();
        }
    }
    void rename() {
        if (graph.node_count() == 0) return;
        auto description = std::make_shared<NodeDescription>(*node().description);
        const std::string old = description->name;
        description->name = below(8) == 0 ? node().name() : new_name();
        static_cast<void>(graph.rename_node(old, std::move(description)));
    }
    /// Is refused if the title is too long.
    void annotate() {
        if (graph.node_count() == 0 || below(3) == 0) {
            static_cast<void>(graph.set_annotation({text(), text()}));
            return;
        }
        const std::string name = node().name();
        auto description = graph.find(name)->description->with_annotation({text(), text()});
        if (description) static_cast<void>(graph.rename_node(name, *description));
    }
    void connect() {
        if (graph.node_count() == 0) return;
        const std::optional<float> gain_db = below(2) == 0 ? std::optional{number(-120.0F, 24.0F)} : std::nullopt;
        static_cast<void>(graph.connect(output(), input(), below(9) == 0 ? 0.0F : gain_db));
    }

 private:
    [[nodiscard]] std::size_t below(std::size_t count) { return random_() % count; }
    [[nodiscard]] const GraphNode& node() {
        while (true) {  // removed nodes are null until compact()
            if (const auto& found = graph.nodes()[below(graph.nodes().size())]) return *found;
        }
    }

    [[nodiscard]] std::string new_name() {
        constexpr std::string_view kCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
        std::string name{kCharacters[below(52)]};
        const std::size_t length = below(3) == 0 ? below(64) : below(6);
        while (name.size() <= length) name += kCharacters[below(kCharacters.size())];
        return name;
    }
    /// Any bytes, most of them such that JSON escapes.
    [[nodiscard]] std::string text() {
        std::string text;
        const std::size_t length = below(20) == 0 ? below(3'000) : below(20);
        while (text.size() < length) text += static_cast<char>(below(2) == 0 ? below(0x23) : below(256));
        return text;
    }
    [[nodiscard]] float number(float minimum, float maximum) {
        const std::array candidates{minimum,
                                    maximum,
                                    0.0F,
                                    -0.0F,
                                    1.2345679e-7F,
                                    -1.2345679e-7F,
                                    1.2345679e-8F,
                                    -1.17549435e-38F,
                                    1e20F,
                                    1e-45F,
                                    std::bit_cast<float>(static_cast<std::uint32_t>(random_()))};
        const float chosen = candidates[below(candidates.size())];
        if (chosen >= minimum && chosen <= maximum) return chosen;
        return std::uniform_real_distribution<float>{0.0F, 1.0F}(random_)*std::min(maximum - minimum, 1e30F) + minimum;
    }
    [[nodiscard]] Settings settings_for(const NodeType& type) {
        Settings settings;
        for (const SettingSpec& spec : type.settings) {
            if (below(2) == 0) continue;
            SettingValue& value = settings[std::string{spec.name}];
            switch (spec.kind) {
                case SettingSpec::Kind::integer:
                    value = spec.choices.empty() ? spec.minimum + static_cast<double>(below(3))
                                                 : std::stod(std::string{spec.choices.back()});
                    break;
                case SettingSpec::Kind::number:
                    value = spec.minimum + (spec.maximum - spec.minimum) / static_cast<double>(1 + below(1000));
                    break;
                case SettingSpec::Kind::on_off:
                    value = below(2) == 0;
                    break;
                case SettingSpec::Kind::choice:
                    value = std::string{spec.choices[below(spec.choices.size())]};
                    break;
                case SettingSpec::Kind::text:
                    value = text();
                    break;
            }
        }
        return settings;
    }

    void add() {
        const auto types = builtin_nodes().types();
        const NodeType& type = below(3) == 0 ? kFile : *types[below(types.size())];
        const std::string name = graph.node_count() > 0 && below(10) == 0 ? node().name() : new_name();
        auto description = NodeDescription::make(type, name, settings_for(type), below(2) == 0 ? 8'000.0 : 768'000.0,
                                                 below(2) == 0 ? Annotation{} : Annotation{text(), text()});
        if (!description) return;
        auto values = (*description)->parameter_values({});
        static_cast<void>(graph.add_node(NodeId{next_id++}, *description, *values));
    }
    /// Rebuilds the node, or changes only the text of its settings. Is refused where connections no longer fit.
    void change_settings() {
        if (graph.node_count() == 0) return;
        const NodeDescription& old = *node().description;
        auto description =
            NodeDescription::make(*old.type, old.name, settings_for(*old.type), old.sample_rate_hz, old.annotation);
        if (!description) return;
        if ((*description)->settings == old.settings) {
            static_cast<void>(graph.rename_node(old.name, *description));
        } else {
            static_cast<void>(graph.replace_node(NodeId{next_id++}, *description));
        }
    }
    void set_parameter() {
        if (graph.node_count() == 0) return;
        const NodeDescription& edited = *node().description;
        if (edited.layout.parameters.empty()) return;
        const ParameterSpec& spec = edited.layout.parameters[below(edited.layout.parameters.size())];
        const std::size_t before = graph.document_bytes();
        const bool is_switch = spec.unit == Unit::on_off;
        const float value =
            is_switch ? (below(2) == 0 ? spec.minimum : spec.maximum) : number(spec.minimum, spec.maximum);
        graph.set_parameter(*graph.find_parameter(edited.name, spec.name), value);
        EXPECT_EQ(graph.document_bytes(), before);
    }

    [[nodiscard]] std::string output() {
        const GraphNode& from = node();
        const auto& ports = from.description->layout.outputs;
        return ports.empty() ? from.name()
                             : graph.output_name({from.id, static_cast<std::uint32_t>(below(ports.size()))});
    }
    [[nodiscard]] std::string input() {
        const GraphNode& to = node();
        const auto& ports = to.description->layout.inputs;
        return ports.empty() ? to.name() : graph.input_name({to.id, static_cast<std::uint32_t>(below(ports.size()))});
    }

    std::mt19937 random_;
};

/// Returns the bound of a graph of the same nodes and connections that has never been edited otherwise.
std::size_t bytes_of_copy(const AudioGraph& graph) {
    AudioGraph copy;
    EXPECT_TRUE(copy.set_annotation(graph.annotation()));
    for (const auto& node : graph.nodes())
        EXPECT_TRUE(copy.add_node(node->id, node->description, node->parameters)) << node->name();
    for (const GraphDocument::Connection& connection : graph.document().connections)
        EXPECT_TRUE(copy.connect(connection.from, connection.to, connection.gain_db)) << connection.from;
    return copy.document_bytes();
}

/// Returns the length of the document if every number were the longest one of its range, and followed by a comma.
std::size_t longest_document(const AudioGraph& graph) {
    std::size_t bytes = write_document(graph.document()).size();
    for (const auto& node : graph.nodes()) {
        if (!node->parameters.empty()) bytes += 2;  // the last one has no comma
        for (std::size_t i = 0; i < node->parameters.size(); ++i) {
            const ParameterSpec& spec = node->description->layout.parameters[i];
            const std::size_t longest = spec.unit == Unit::on_off ? 1 : longest_number(spec.minimum, spec.maximum);
            bytes += longest - format_number(node->parameters[i]).size();
        }
        for (const IncomingConnection& connection : node->incoming) {
            if (connection.gain_db != 0.0F)
                bytes += longest_number(-120.0F, 24.0F) - format_number(connection.gain_db).size();
        }
    }
    return bytes;
}

void expect_bounded(const AudioGraph& graph, const std::string& where) {
    EXPECT_GE(graph.document_bytes(), write_document(graph.document()).size()) << where;
    // The first item of a list has no comma; an empty list is written as [].
    const std::size_t unused = (graph.node_count() == 0 ? 3U : 1U) + (graph.connection_count() == 0 ? 3U : 1U) +
                               (graph.latency_compensation() ? 0 : sizeof(",\n  \"latency_compensation\": true") - 1);
    EXPECT_EQ(graph.document_bytes(), longest_document(graph) + unused) << where;
    EXPECT_EQ(graph.document_bytes(), bytes_of_copy(graph)) << where;
    std::uint64_t memory = 0;
    for (const auto& node : graph.nodes()) memory += node->description->memory_bytes;
    EXPECT_EQ(graph.size().memory_bytes, memory) << where;
}

TEST(DocumentBytes, BoundTheDocumentAfterRandomEditsAndDoNotDrift) {
    const std::size_t empty = AudioGraph{}.document_bytes();
    for (std::uint32_t seed = 1; seed <= cases(60U, 6U); ++seed) {
        Client client{seed};
        for (int step = 0; step < 120; ++step) {
            const bool is_deferred = step % 8 == 0;
            const AudioGraph before = client.graph;  // shares the nodes
            const std::size_t bytes = before.document_bytes();
            if (is_deferred) client.graph.defer_compaction();
            for (int edit = 0; edit < (is_deferred ? 12 : 1); ++edit) client.edit();
            if (is_deferred) client.graph.compact();
            if (seed % 3 == 0) client.graph.set_latency_compensation(step % 2 == 0);
            const std::string where = "seed " + std::to_string(seed) + ", step " + std::to_string(step);
            expect_bounded(client.graph, where);
            EXPECT_EQ(before.document_bytes(), bytes) << where;
            if (testing::Test::HasFailure()) return;
        }
        while (client.graph.node_count() > 0)
            ASSERT_TRUE(client.graph.remove_node(client.graph.nodes()[client.graph.node_count() / 2]->name()));
        ASSERT_TRUE(client.graph.set_annotation({}));
        ASSERT_EQ(client.graph.document_bytes(), empty) << "seed " << seed;
    }
}

TEST(DocumentBytes, BoundTheDocumentAfterMerges) {
    int merged = 0;
    int renamed_and_connected = 0;
    for (std::uint32_t seed = 1; seed <= cases(1'500U, 150U); ++seed) {
        Client base{seed};
        for (int step = 0; step < 40; ++step) base.edit();
        Client edited{seed + 1'000'000};
        Client current{seed + 2'000'000};
        for (Client* client : {&edited, &current}) {
            client->graph = base.graph;
            client->next_id = base.next_id;
            const int edits = static_cast<int>(seed % 4);
            for (int step = 0; step < edits; ++step) client->edit();
        }
        (seed % 2 == 0 ? edited : current).rename();
        for (int step = 0; step < 3; ++step) (seed % 2 == 0 ? current : edited).connect();
        const std::size_t apart =
            base.graph.document_bytes() - edited.graph.document_bytes() - current.graph.document_bytes();
        if (!current.graph.merge(base.graph, edited.graph, {NodeId{base.next_id}, current.next_id - base.next_id}))
            continue;
        ++merged;
        if (current.graph.document_bytes() + apart != 0) ++renamed_and_connected;
        expect_bounded(current.graph, "seed " + std::to_string(seed));
        if (testing::Test::HasFailure()) return;
    }
    // Otherwise the test proves nothing.
    EXPECT_GT(merged, static_cast<int>(cases(400, 40)));
    EXPECT_GT(renamed_and_connected, static_cast<int>(cases(40, 4)));
}

TEST(DocumentBytes, ARenameCountsForEachConnection) {
    test::GraphBuilder builder;
    builder.add("mixer", "m", {{"inputs", 64.0}}).add("constant", "a").add("gain", "b");
    for (int input = 1; input <= 64; ++input) builder.connect("a", "m:in_" + std::to_string(input));
    builder.connect("m", "b");
    const std::size_t before = builder.graph.document_bytes();
    builder.rename("m", "mm");
    EXPECT_EQ(builder.graph.document_bytes(), before + 66);
    builder.rename("a", "aaa");
    EXPECT_EQ(builder.graph.document_bytes(), before + 66 + 2 * 65);
}

/// 64 channel strips into a mixer for each 16 of them, with values such as users set.
test::GraphBuilder mixing_desk() {
    std::mt19937 random{1};
    const auto level = [&] { return -0.5F * static_cast<float>(random() % 40); };
    test::GraphBuilder builder;
    builder.add("mixer", "main", {{"inputs", 4.0}}).add("output", "out", {{"channels", 2.0}}).connect("main", "out");
    for (int group = 0; group < 4; ++group) {
        const std::string bus = "bus_" + std::to_string(group + 1);
        builder.add("mixer", bus, {{"inputs", 16.0}}).connect(bus, "main:in_" + std::to_string(group + 1));
        for (int i = 1; i <= 16; ++i) {
            const std::string strip = "ch_" + std::to_string(16 * group + i);
            builder.add("input", strip, {{"first_channel", 16.0 * group + i}});
            builder.add("biquad_filter", strip + "_low_cut", {{"kind", std::string{"highpass"}}},
                        {{"frequency_hz", 80.0F + static_cast<float>(random() % 100)}});
            builder.add("equalizer", strip + "_eq", {}, {{"gain_1_db", level()}, {"frequency_1_hz", 440.0F}});
            builder.add("compressor", strip + "_comp", {}, {{"threshold_db", level()}});
            builder.add("gain", strip + "_fader", {}, {{"gain_db", level()}});
            builder.connect(strip, strip + "_low_cut").connect(strip + "_low_cut", strip + "_eq");
            builder.connect(strip + "_eq", strip + "_comp").connect(strip + "_comp", strip + "_fader");
            EXPECT_TRUE(builder.graph.connect(strip + "_fader", bus + ":in_" + std::to_string(i), level()));
        }
    }
    return builder;
}

TEST(DocumentBytes, AreLessThanOneAndAHalfTimesATypicalDocument) {
    const AudioGraph graph = mixing_desk().graph;
    const double ratio =
        static_cast<double>(graph.document_bytes()) / static_cast<double>(write_document(graph.document()).size());
    RecordProperty("ratio", std::to_string(ratio));
    EXPECT_LT(ratio, 1.5);
}

TEST(LongestNumber, BoundsTheNumbersOfItsRange) {
    constexpr float kMax = std::numeric_limits<float>::max();
    const std::vector<std::pair<float, float>> ranges{{0.0F, 1.0F},    {-120.0F, 24.0F}, {1.0F, 20'000.0F},
                                                      {0.01F, 1e9F},   {2.0F, 1e8F},     {1.0F, 1e18F},
                                                      {-1e16F, 1e-3F}, {-kMax, kMax},    {-5.0F, -2.0F}};
    std::mt19937 random{1};
    for (const auto& [minimum, maximum] : ranges) {
        const std::size_t longest = longest_number(minimum, maximum);
        for (int i = 0; i < cases(200'000, 20'000); ++i) {
            // Half of the numbers are from the decades that are written without an exponent.
            const auto bits = static_cast<std::uint32_t>(random());
            const double decade = static_cast<double>(bits % 2'800) / 100.0 - 7.0;
            const float value = i % 2 == 0 ? std::bit_cast<float>(bits)
                                           : static_cast<float>((i % 4 == 1 ? 1.0 : -1.0) * std::pow(10.0, decade));
            if (!(value >= minimum && value <= maximum)) continue;
            ASSERT_LE(format_number(value).size(), longest) << value;
        }
        EXPECT_LE(format_number(minimum).size(), longest);
        EXPECT_LE(format_number(maximum).size(), longest);
    }
}

}  // namespace
}  // namespace rta
