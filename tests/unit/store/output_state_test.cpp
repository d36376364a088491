// SPDX-License-Identifier: MIT
#include "store/output_state.h"

#include <gtest/gtest.h>

#include <string>

namespace rta::store {
namespace {

TEST(OutputState, IsReadAsItWasWritten) {
    for (const std::string& name : {std::string{""}, std::string{"jack"}, std::string{"portaudio:ALSA/\"a\\b\""},
                                    std::string{"jack:Bühne\n\x1f"}, std::string(4'096, '"')}) {
        for (const bool muted : {false, true}) {
            for (const float volume_db : {-120.0F, -119.99999F, -6.1F, -1e-7F, 0.0F, 0.3F, 11.999999F, 12.0F}) {
                const OutputState state{.muted = muted,
                                        .volume_db = volume_db,
                                        .device = name,
                                        .configured_device = name.empty() ? "" : "auto " + name};
                const auto read = read_output_state(write_output_state(state));
                ASSERT_TRUE(read) << write_output_state(state);
                EXPECT_EQ(*read, state);
            }
        }
    }
    EXPECT_EQ(write_output_state({.muted = true}), "{\"muted\": true}\n");
    EXPECT_EQ(write_output_state({.volume_db = -6.1F}), "{\"muted\": false, \"volume_db\": -6.1}\n");
    EXPECT_EQ(write_output_state({.device = "jack", .configured_device = "auto"}),
              "{\"muted\": false, \"device\": \"jack\", \"configured_device\": \"auto\"}\n");
}

TEST(OutputState, RefusesWhatIsNotOne) {
    for (const std::string& text : {std::string{R"({"device": "jack"})"},
                                    std::string{R"({"muted": true, "muted": false})"},
                                    std::string{R"({"muted": true, "device": "a", "device": "b"})"},
                                    std::string{R"({"muted": "true"})"},
                                    std::string{R"({"muted": true, "device": true})"},
                                    std::string{R"({"muted": true, "device": ["jack"]})"},
                                    std::string{R"({"muted": true, "device": "jack)"},
                                    std::string{R"({"muted": true, "other": "jack"})"},
                                    std::string{R"({"muted": true, "configured_device": "auto"})"},
                                    std::string{R"({"muted": true, "device": "", "configured_device": "auto"})"},
                                    std::string{"{\"muted\": true, \"device\": \"a\xF7\"}"},
                                    std::string{R"({"muted": true, "volume_db": 12.01})"},
                                    std::string{R"({"muted": true, "volume_db": -121})"},
                                    std::string{R"({"muted": true, "volume_db": "-6"})"},
                                    std::string{R"({"muted": true, "volume_db": -6, "volume_db": -6})"},
                                    std::string{R"({"volume_db": -6})"},
                                    std::string{R"({"muted": true, "volume_db": 99999999999})"},
                                    std::string{R"({"muted": 1})"},
                                    std::string{R"({"muted": true)"} + '\0' + "}",
                                    std::string{R"({"device": "jack", "muted": })"}}) {
        const auto read = read_output_state(text);
        ASSERT_FALSE(read) << text;
        EXPECT_EQ(read.error().code, ErrorCode::invalid_argument);
    }
}

}  // namespace
}  // namespace rta::store
