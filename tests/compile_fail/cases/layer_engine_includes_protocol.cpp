// SPDX-License-Identifier: MIT
// layers: engine
// gcc: fatal error: rta/v1/graph.pb.h: No such file or directory
// clang: fatal error: 'rta/v1/graph.pb.h' file not found
// Includes go only leftward: Protocol Buffers stay in api and client.
#ifdef RTA_FAULT
#include "rta/v1/graph.pb.h"
#endif
#include "engine/engine.h"
