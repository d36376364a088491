// SPDX-License-Identifier: MIT
#include "rtactl/language/bridge.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "fake_rtad.h"
#include "rta/edits.h"

namespace rta::rtactl {
namespace {

/// gain nodes a, b, n, c, d of one channel, and w of two.
GraphMirror nodes() {
    v1::Graph graph;
    for (const char* const name : {"a", "b", "n", "c", "d", "w"}) {
        graph.add_nodes()->set_name(name);
        graph.mutable_nodes(graph.nodes_size() - 1)->set_type("gain");
    }
    (*graph.mutable_nodes(5)->mutable_settings()->mutable_fields())["channels"].set_number_value(2);
    return GraphMirror{graph, test::fake_types()};
}

GraphMirror connected(const std::vector<v1::Edit>& edits) {
    GraphMirror graph = nodes();
    for (const v1::Edit& edit : edits) graph.apply(edit);
    return graph;
}

std::string refusal(const std::vector<v1::Edit>& edits) {
    const auto bridged = bridge_edits(connected(edits), "n");
    EXPECT_FALSE(bridged);
    return bridged ? "" : bridged.error();
}

TEST(Bridge, ConnectsEverySourceToEveryDestination) {
    const auto edits = bridge_edits(connected({connect_edit("a", "n", -3.0F), connect_edit("b", "n"),
                                               connect_edit("n", "c", -0.1F), connect_edit("n", "d")}),
                                    "n");
    ASSERT_TRUE(edits) << edits.error();
    ASSERT_EQ(edits->size(), 5U);
    EXPECT_EQ(edits->front().remove_node().name(), "n");
    const auto gain = [&](const std::string& from, const std::string& to) -> std::optional<float> {
        for (const v1::Edit& edit : *edits) {
            if (edit.connect().from() == from && edit.connect().to() == to)
                return edit.connect().has_gain_db() ? std::optional{edit.connect().gain_db()} : std::nullopt;
        }
        ADD_FAILURE() << from << to;
        return std::nullopt;
    };
    EXPECT_EQ(gain("a:out", "c:in"), -3.1F) << "gains in series add up";
    EXPECT_EQ(gain("a:out", "d:in"), -3.0F);
    EXPECT_EQ(gain("b:out", "c:in"), -0.1F);
    EXPECT_EQ(gain("b:out", "d:in"), std::nullopt);
}

TEST(Bridge, SilenceStaysSilence) {
    for (const auto& [first, second] : {std::pair{-120.0F, 24.0F}, {24.0F, -120.0F}, {-100.0F, -100.0F}}) {
        const auto edits =
            bridge_edits(connected({connect_edit("a", "n", first), connect_edit("n", "c", second)}), "n");
        ASSERT_TRUE(edits);
        EXPECT_EQ(edits->back().connect().gain_db(), -120.0F);
    }
}

TEST(Bridge, RefusesWhatItCannotReplace) {
    EXPECT_NE(refusal({connect_edit("n", "c")}).find("no input of it is connected"), std::string::npos);
    EXPECT_NE(refusal({connect_edit("a", "n")}).find("no output of it is connected"), std::string::npos);
    EXPECT_NE(refusal({connect_edit("a", "n"), connect_edit("n", "c"), connect_edit("a", "c")})
                  .find("a:out -> c:in are connected already"),
              std::string::npos);
    EXPECT_NE(refusal({connect_edit("a", "n"), connect_edit("n", "n")}).find("connected to itself"), std::string::npos);
    EXPECT_NE(
        refusal({connect_edit("w", "n"), connect_edit("n", "c")}).find("w:out has 2 channels and c:in has 1 channel"),
        std::string::npos);
    EXPECT_NE(refusal({connect_edit("a", "n:in_1"), connect_edit("b", "n:in_2"), connect_edit("n", "c")})
                  .find("several of its inputs are connected: n:in_1, n:in_2"),
              std::string::npos);
    EXPECT_NE(refusal({connect_edit("a", "n"), connect_edit("n:out_1", "c"), connect_edit("n:out_2", "d")})
                  .find("several of its outputs are connected: n:out_1, n:out_2"),
              std::string::npos);
}

TEST(Bridge, AMonoSourceFitsAWiderDestination) {
    EXPECT_TRUE(bridge_edits(connected({connect_edit("a", "n"), connect_edit("n", "w")}), "n"));
}

}  // namespace
}  // namespace rta::rtactl
