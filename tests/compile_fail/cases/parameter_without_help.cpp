// SPDX-License-Identifier: MIT
// layers: graph
// gcc: static assertion failed
// clang: static assertion failed .*well_formed
#include <array>

#include "graph/parameter_spec.h"

using rta::ParameterSpec;
using rta::Unit;

#ifdef RTA_FAULT
constexpr const char* kHelp = "";
#else
constexpr const char* kHelp = "Corner frequency (-3 dB).";
#endif
constexpr std::array kParameters{
    ParameterSpec{"frequency_hz", Unit::hertz, 20.0F, 20'000.0F, 1'000.0F, kHelp},
};
static_assert(rta::well_formed(kParameters));
