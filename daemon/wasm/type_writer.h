// SPDX-License-Identifier: MIT
#pragma once

#include "graph/node_type.h"
#include "wasm/json_writer.h"

namespace rta::wasm {

/// Writes a NodeType of the protocol, with the ranges at this sample rate.
void write_type(JsonWriter& out, const NodeType& type, double sample_rate_hz);

}  // namespace rta::wasm
