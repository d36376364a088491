// SPDX-License-Identifier: MIT
// layers: nodes
// gcc: fatal error: engine/renderer.h: No such file or directory
// clang: fatal error: 'engine/renderer.h' file not found
// Includes go only leftward: a node knows its block and nothing of who asks for it.
#ifdef RTA_FAULT
#include "engine/renderer.h"
#endif
#include "graph/processor.h"
