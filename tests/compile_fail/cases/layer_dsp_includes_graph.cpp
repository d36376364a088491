// SPDX-License-Identifier: MIT
// layers: dsp
// gcc: fatal error: graph/audio_graph.h: No such file or directory
// clang: fatal error: 'graph/audio_graph.h' file not found
// Includes go only leftward: a kernel knows no graph.
#ifdef RTA_FAULT
#include "graph/audio_graph.h"
#endif
#include "dsp/math.h"
