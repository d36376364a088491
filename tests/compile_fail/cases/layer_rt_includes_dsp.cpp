// SPDX-License-Identifier: MIT
// layers: rt
// gcc: fatal error: dsp/math.h: No such file or directory
// clang: fatal error: 'dsp/math.h' file not found
// Includes go only leftward: rt stands on nothing.
#ifdef RTA_FAULT
#include "dsp/math.h"
#endif
#include "rt/annotations.h"
