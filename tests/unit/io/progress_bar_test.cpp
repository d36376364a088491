// SPDX-License-Identifier: MIT
#include "app/progress_bar.h"

#include <gtest/gtest.h>

namespace rta::app {
namespace {

TEST(ProgressBar, TellsHowFarAndHowFast) {
    EXPECT_EQ(progress_line("tone.wav", 90.0, 300.0, 0.75),
              "tone.wav  [#########                     ]  30 %  90 s of 300 s, 120 times real time");
    EXPECT_EQ(progress_line("a", 0.0, 2.0, 0.0), "a  [                              ]   0 %  0 s of 2 s");
    EXPECT_EQ(progress_line("a", 2.0, 2.0, 0.8),
              "a  [##############################] 100 %  2 s of 2 s, 2.5 times real time");
}

TEST(ProgressBar, WhatTakesNoTimeIsDone) {
    EXPECT_EQ(progress_line("a", 0.0, 0.0, 0.0), "a  [##############################] 100 %  0 s of 0 s");
}

}  // namespace
}  // namespace rta::app
