// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string_view>

#include "document/document.h"
#include "graph/edit.h"
#include "wasm/json_writer.h"

/// Writes what the protocol has as JSON; see rta.v1.
namespace rta::wasm {

/// Writes a Graph.
void write_graph(JsonWriter& out, const GraphDocument& document);
/// Writes a member with a list of Edit.
void write_edits(JsonWriter& out, std::string_view name, std::span<const Edit> edits);
/// Writes a SetParameter.
void write_change(JsonWriter& out, const SetParameter& change);
/// Writes a member with a list of texts, unless it is empty.
void write_texts(JsonWriter& out, std::string_view name, const auto& texts) {
    if (texts.empty()) return;
    out.key(name).array([&] {
        for (const auto& text : texts) out.value(std::string_view{text});
    });
}

}  // namespace rta::wasm
