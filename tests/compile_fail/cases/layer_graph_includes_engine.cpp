// SPDX-License-Identifier: MIT
// layers: graph
// gcc: fatal error: engine/engine.h: No such file or directory
// clang: fatal error: 'engine/engine.h' file not found
// Includes go only leftward: the engine stands on the graph.
#ifdef RTA_FAULT
#include "engine/engine.h"
#endif
#include "graph/audio_graph.h"
