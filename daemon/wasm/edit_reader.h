// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "document/document.h"
#include "graph/edit.h"
#include "text/error.h"
#include "wasm/json_value.h"

/// Reads what the protocol has as JSON; see rta.v1. What it means is checked by `graph`.
namespace rta::wasm {

/// Reads EditList.edits. The error has the index of the edit.
[[nodiscard]] Expected<std::vector<Edit>> read_edits(const JsonValue::Array& list);
/// Reads SetParameters.changes. The error has the index of the change.
[[nodiscard]] Expected<std::vector<SetParameter>> read_changes(const JsonValue::Array& list);
/// Reads a Graph.
[[nodiscard]] Expected<GraphDocument> read_graph(const JsonValue& graph);

}  // namespace rta::wasm
