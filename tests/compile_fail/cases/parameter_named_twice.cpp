// SPDX-License-Identifier: MIT
// layers: graph
// gcc: static assertion failed
// clang: static assertion failed .*well_formed
#include <array>

#include "graph/parameter_spec.h"

#ifdef RTA_FAULT
constexpr const char* kSecond = "gain_1_db";
#else
constexpr const char* kSecond = "gain_2_db";
#endif
constexpr std::array kParameters{
    rta::level_db("gain_1_db", 0.0F, "Level of the first input."),
    rta::level_db(kSecond, 0.0F, "Level of the second input."),
};
static_assert(rta::well_formed(kParameters));
