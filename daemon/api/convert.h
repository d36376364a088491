// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "document/document.h"
#include "engine/engine.h"
#include "graph/edit.h"
#include "graph/frequency_response.h"
#include "graph/node_type.h"
#include "rta/v1/control.pb.h"
#include "text/error.h"

namespace rta::api {

/// Edits of one transaction, changes of one SetParameters, nodes or connections of one graph.
inline constexpr int kMaximumItems = 65'536;

/// A transaction as the engine takes it, and as the events about it will tell it.
struct TransactionContent {
    Transaction transaction;
    v1::EditList edits;
    bool whole_graph = false;  ///< edits.edits(0) is its replace_graph, which the client did not number
};

// From the wire. Errors name the thing at fault; none of these looks at the graph. [any]

/// Takes `content` apart. INVALID_ARGUMENT: no content, an edit without its kind, replace_graph among others, too many
/// edits, a document that cannot be read, a transaction that an event could not carry.
[[nodiscard]] Expected<TransactionContent> take_content(v1::ApplyTransaction& content);
[[nodiscard]] Expected<TransactionContent> take_content(v1::CheckGraph& content);
[[nodiscard]] Expected<std::vector<SetParameter>> to_changes(const v1::SetParameters& message);
[[nodiscard]] Expected<Settings> to_settings(const google::protobuf::Struct& message, std::string_view node);
[[nodiscard]] Expected<GraphDocument> to_document(const v1::Graph& message);
[[nodiscard]] Expected<Edit> to_edit(const v1::Edit& message);

// To the wire. [control]

[[nodiscard]] v1::Code to_wire(ErrorCode code) noexcept;
void to_wire(const Error& error, v1::Status& message);
void to_wire(const GraphDocument& document, v1::Graph& message);
void to_wire(const NodeType& type, v1::NodeType& message);
void to_wire(const FrequencyResponse& response, v1::PortResponse& message);
/// `graph` is the one that is so late.
void to_wire(const LatencyReport& latency, const AudioGraph& graph, v1::EngineState& message);

}  // namespace rta::api
