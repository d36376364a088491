// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "graph/audio_graph.h"
#include "graph/edit.h"

namespace rta {

/// Returns edits that turn `from` into `to`: applied in order, as one transaction, they give a graph with the same
/// document. A node with the same id in both graphs is the same node, whatever its name; other nodes are the same if they
/// have the same name and type, unless `by` is Pairs::by_id. With Pairs::by_identity, those with the same identity are the same
/// node, and no others. If the graphs are parts of `whole`, its names are not used for other nodes. Nodes that both graphs share (one is an edited copy of the other) cost a comparison of
/// two pointers each, so the time depends on the number of edited nodes. [any]
enum class Pairs : std::uint8_t { by_id_or_name, by_id, by_identity };
[[nodiscard]] std::vector<Edit> difference(const AudioGraph& from, const AudioGraph& to,
                                           Pairs by = Pairs::by_id_or_name, const AudioGraph* whole = nullptr);

/// Returns how many nodes, connections and parameters difference() has to compare, which is cheaper: its time is
/// proportional to this number. [any]
[[nodiscard]] std::size_t difference_size(const AudioGraph& from, const AudioGraph& to);

}  // namespace rta
