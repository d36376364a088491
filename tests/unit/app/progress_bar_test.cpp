// SPDX-License-Identifier: MIT
#include "app/progress_bar.h"

#include <gtest/gtest.h>

namespace rta::app {
namespace {

TEST(ProgressBar, ShowsProgressAndSpeed) {
    EXPECT_EQ(progress_line("tone.wav", 90.0, 300.0, 0.75, 100),
              "tone.wav  [#########                     ]  30 %  90 s of 300 s, 120 times real time");
    EXPECT_EQ(progress_line("a", 0.0, 2.0, 0.0, 100), "a  [                              ]   0 %  0 s of 2 s");
    EXPECT_EQ(progress_line("a", 2.0, 2.0, 0.8, 100),
              "a  [##############################] 100 %  2 s of 2 s, 2.5 times real time");
}

TEST(ProgressBar, AnEmptyRenderingIsComplete) {
    EXPECT_EQ(progress_line("a", 0.0, 0.0, 0.0, 100), "a  [##############################] 100 %  0 s of 0 s");
}

TEST(ProgressBar, ATailIsShownBeyondTheLength) {
    EXPECT_EQ(progress_line("a", 63.25, 60.0, 0.0, 100),
              "a  [##############################] 100 %  60 s of 60 s and a tail of 3.3 s");
}

TEST(ProgressBar, WithoutALengthOnlyTheTimeIsShown) {
    EXPECT_EQ(progress_line("a", 63.0, std::nullopt, 0.5, 100), "a  63 s, 126 times real time");
    EXPECT_EQ(progress_line("a", 63.0, std::nullopt, 0.0, 6), "63 s");
}

TEST(ProgressBar, FitsTheTerminal) {
    const auto line = [](const std::string& label, std::size_t columns) {
        return progress_line(label, 90.0, 300.0, 0.75, columns);
    };
    EXPECT_EQ(line("tone.wav", 80), "tone.wav  [#######                  ]  30 %  90 s of 300 s, 120 times real time");
    EXPECT_EQ(line("a/long/path/to/the/tone.wav", 80),
              "a/long/path/to/the/tone.wav  [#     ]  30 %  90 s of 300 s, 120 times real time");
    EXPECT_EQ(line("a/far/longer/path/to/the/tone.wav", 80),
              "a/far/longer/path/to/the/tone.wav   30 %  90 s of 300 s, 120 times real time");
    EXPECT_EQ(line("another/and/much/longer/path/to/the/tone.wav", 80),
              "another/and/much/longer/path/to/t...   30 %  90 s of 300 s, 120 times real time");
    EXPECT_EQ(line("tone.wav", 40), " 30 %  90 s of 300 s, 120 times real ti");
    EXPECT_EQ(line("tone.wav", 20), " 30 %  90 s of 300 ");
    EXPECT_EQ(line("tone.wav", 0), "");
    EXPECT_EQ(line("tone.wav", 1), "");
    EXPECT_EQ(progress_line("tone.wav", 90.0, 300.0, 0.0, 40), "tone.wav  [#     ]  30 %  90 s of 300 s");
    // A label is never cut within a character.
    EXPECT_EQ(progress_line("äöüäöüäöüäöü.wav", 90.0, 300.0, 0.0, 36), "äöüäöüäöüä...   30 %  90 s of 300 s");
}

}  // namespace
}  // namespace rta::app
