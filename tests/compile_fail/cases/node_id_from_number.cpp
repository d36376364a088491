// SPDX-License-Identifier: MIT
// layers: graph
// gcc: conversion from .* to non-scalar type .*NodeId.* requested
// clang: no viable conversion|no matching function
// A NodeId is not a number, so a port index cannot be passed as a node.
#include "graph/audio_graph.h"

const rta::GraphNode* look_up(const rta::AudioGraph& graph, std::uint32_t port) {
#ifdef RTA_FAULT
    const rta::NodeId node = port;
#else
    const rta::NodeId node{port};
#endif
    return graph.find(node);
}
