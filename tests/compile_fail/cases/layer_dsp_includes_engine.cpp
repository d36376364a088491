// SPDX-License-Identifier: MIT
// layers: dsp
// gcc: fatal error: engine/engine.h: No such file or directory
// clang: fatal error: 'engine/engine.h' file not found
// Includes go only leftward: dsp knows no engine.
#ifdef RTA_FAULT
#include "engine/engine.h"
#endif
#include "dsp/math.h"
