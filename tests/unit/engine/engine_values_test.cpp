// SPDX-License-Identifier: MIT
// Types that check the values of their parameters together, and repeated settings.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "support/offline_engine.h"

namespace rta::test::engine_values_test {
namespace {

/// a1 = 1.5 needs a2 above 0.5.
constexpr float kA1 = 1.5F;
constexpr float kA2 = 0.9F;

struct EngineValues : testing::Test {
    void SetUp() override { offline.edit({AddNode{"biquad", "f", {}, {}}, AddNode{"gain", "vol", {}, {}}}); }

    float value(std::string_view name) {
        const GraphNode& node = *offline.engine.graph().find("f");
        return node.parameters[*node.description->layout.find_parameter(name)];
    }
    static void expect_unstable(const Error& error, std::optional<std::uint32_t> edit_index) {
        EXPECT_EQ(error.code, ErrorCode::invalid_argument);
        EXPECT_EQ(error.edit_index, edit_index);
        for (const char* const part : {"node \"f\"", "a1 = 1.5", "unstable", "expected |a2| < 1 and |a1| < 1 + a2"})
            EXPECT_NE(error.sentence.find(part), std::string::npos) << error.sentence;
    }

    OfflineEngine offline;
};

TEST_F(EngineValues, OfOneRequestAreCheckedTogether) {
    const std::vector<SetParameter> alone{
        {"vol", "gain_db", -3.0F, {}}, {"f", "a1", kA1, {}}, {"vol", "gain_db", -6.0F, {}}};
    const auto refused = offline.engine.set_parameters(alone);
    ASSERT_FALSE(refused);
    expect_unstable(refused.error(), 1U);
    EXPECT_EQ(value("a1"), 0.0F);

    const std::vector<SetParameter> together{{"f", "a1", kA1, {}}, {"f", "a2", kA2, {}}};
    ASSERT_TRUE(offline.engine.set_parameters(together));
    EXPECT_EQ(value("a1"), kA1);
    // From here on, one of them alone may be stable or not.
    const std::vector<SetParameter> lower{{"f", "a2", 0.6F, {}}};
    EXPECT_TRUE(offline.engine.set_parameters(lower));
    const std::vector<SetParameter> too_low{{"f", "a2", 0.4F, {}}};
    EXPECT_FALSE(offline.engine.set_parameters(too_low));
    // The last value counts.
    const std::vector<SetParameter> back{{"f", "a2", 0.4F, {}}, {"f", "a2", 0.7F, {}}};
    EXPECT_TRUE(offline.engine.set_parameters(back));
}

TEST_F(EngineValues, OfOneTransactionAreCheckedAfterItsLastEdit) {
    const auto refused = offline.apply({SetParameter{"f", "a1", kA1, {}}, SetParameter{"vol", "gain_db", -6.0F, {}}});
    ASSERT_FALSE(refused);
    expect_unstable(refused.error(), 0U);
    const auto undone = offline.apply({SetParameter{"f", "a2", kA2, {}}, SetParameter{"f", "a1", kA1, {}},
                                       SetParameter{"f", "a2", 0.0F, {}}, AddNode{"gain", "g", {}, {}}});
    ASSERT_FALSE(undone);
    expect_unstable(undone.error(), 2U);
    offline.edit({SetParameter{"f", "a1", kA1, {}}, RenameNode{"f", "g"}, AddNode{"gain", "f", {}, {}},
                  SetParameter{"g", "a2", kA2, {}}, RemoveNode{"f"}, RenameNode{"g", "f"}});
    EXPECT_EQ(value("a1"), kA1);
    // A change of settings between them keeps the values, and one after them is checked, too.
    offline.edit({SetParameter{"f", "a2", 0.4F, {}}, ChangeSettings{"f", {{"channels", 2.0}}},
                  SetParameter{"f", "a1", 0.0F, {}}});
    const auto changed = offline.apply({SetParameter{"f", "a1", kA1, {}}, ChangeSettings{"f", {{"channels", 1.0}}}});
    ASSERT_FALSE(changed);
    expect_unstable(changed.error(), 1U);
}

TEST_F(EngineValues, OfANewNodeAreChecked) {
    offline.edit({RemoveNode{"f"}});
    const auto refused = offline.apply({AddNode{"gain", "g", {}, {}}, AddNode{"biquad", "f", {}, {{"a1", kA1}}}});
    ASSERT_FALSE(refused);
    expect_unstable(refused.error(), 1U);
    offline.edit({AddNode{"biquad", "f", {}, {{"a1", kA1}, {"a2", kA2}}}});
}

TEST_F(EngineValues, OfADocumentAreChecked) {
    auto document =
        read_document("{\"nodes\": [\n  {\"name\": \"f\", \"type\": \"biquad\", \"parameters\": {\"a1\": 1.5}} ]}");
    ASSERT_TRUE(document);
    const auto refused = offline.apply({ReplaceGraph{std::move(*document)}});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().sentence.find("line 2"), std::string::npos) << refused.error().sentence;
    EXPECT_NE(refused.error().sentence.find("unstable"), std::string::npos) << refused.error().sentence;
}

/// Each transaction is stable with the values of its snapshot, but not together with what another client has set.
TEST_F(EngineValues, AreCheckedAgainWhenATransactionIsCarriedOver) {
    offline.edit({SetParameter{"f", "a1", 1.2F, {}}, SetParameter{"f", "a2", kA2, {}}});
    auto prepared = offline.engine.prepare({{SetParameter{"f", "a1", kA1, {}}}}, offline.engine.snapshot());
    ASSERT_TRUE(prepared);
    offline.edit({SetParameter{"f", "a2", 0.3F, {}}});
    const auto conflict = offline.engine.commit(*prepared);
    ASSERT_FALSE(conflict);
    EXPECT_EQ(conflict.error().code, ErrorCode::aborted);
    const auto refused = offline.engine.build(*prepared);
    ASSERT_FALSE(refused);
    expect_unstable(refused.error(), 0U);
    EXPECT_EQ(value("a1"), 1.2F);
}

/// All five change together, immediately: what is heard is never unstable, and settles to the new set.
TEST_F(EngineValues, OfABiquadAreHeardTogether) {
    offline.edit({AddNode{"sine", "osc", {}, {}}, AddNode{"output", "out", {}, {}}, Connect{"osc", "f", {}},
                  Connect{"f", "out", {}}});
    offline.settle();
    float largest = 0.0F;
    for (int i = 0; i < 200; ++i) {
        const bool high = i % 2 == 0;
        const std::vector<SetParameter> set{
            {"f", "a1", high ? 1.99F : -1.99F, {}}, {"f", "a2", 0.995F, {}}, {"f", "b0", high ? 0.1F : 0.01F, {}}};
        ASSERT_TRUE(offline.engine.set_parameters(set));
        offline.recorded[0].clear();
        offline.render_blocks(static_cast<std::uint32_t>(i % 7 + 1));
        for (const float sample : offline.recorded[0]) largest = std::max(largest, std::fabs(sample));
    }
    EXPECT_GT(largest, 0.0F);
    EXPECT_LT(largest, 10.0F);
}

TEST_F(EngineValues, FewerBandsDropTheKindsOfTheOthers) {
    offline.edit({AddNode{"equalizer",
                          "eq",
                          {{"bands", 5.0}, {"kind_2", std::string{"notch"}}, {"kind_5", std::string{"high_shelf"}}},
                          {{"gain_5_db", 3.0F}}}});
    const auto given = [&] { return offline.engine.graph().find("eq")->description->given_settings; };
    offline.edit({ChangeSettings{"eq", {{"bands", 3.0}}}});
    EXPECT_EQ(given(), (Settings{{"bands", 3.0}, {"kind_2", std::string{"notch"}}}));
    // One that the edit names itself is refused.
    const auto refused = offline.apply({ChangeSettings{"eq", {{"bands", 2.0}, {"kind_3", std::string{"notch"}}}}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::not_found);
    EXPECT_NE(refused.error().sentence.find("expected kind_1 to kind_2, because bands is 2"), std::string::npos);
    offline.edit({ChangeSettings{"eq", {{"bands", 64.0}, {"kind_64", std::string{"lowpass_1"}}}}});
    EXPECT_EQ(offline.engine.graph().find("eq")->description->layout.parameters.size(), 3U * 64U + 1U);
}

}  // namespace
}  // namespace rta::test::engine_values_test
