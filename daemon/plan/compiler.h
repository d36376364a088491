// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <memory>

#include "graph/topological_order.h"
#include "plan/compile_request.h"
#include "plan/compiled_graph.h"

namespace rta {

/// Sorts the nodes, divides them into segments, assigns buffers to signals, and writes the lists of steps. Buffers are
/// reused as soon as their last reader has run, and in-place nodes share the buffers of their input, so a chain needs two
/// or three in each segment, and one from each segment to the next. A node that forwards channels (see NodeType) has no
/// step unless it has something to mix, to fill or to measure.
///
/// Segments of `previous` are shared if nothing in them has changed, except names: a caller that has renamed nodes passes
/// nullptr. `previous` must be the latest plan that was sent, so that what it borrows is still alive: an object at the same
/// address is the same. O(nodes + connections), plus sorting the sources of each mix in segments that are not shared.
/// [control]
[[nodiscard]] std::expected<std::unique_ptr<CompiledGraph>, Cycle> compile(CompileRequest request,
                                                                           const CompiledGraph* previous = nullptr);

}  // namespace rta
