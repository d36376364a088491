// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "plan/compile_request.h"
#include "plan/plan_buffers.h"
#include "plan/plan_layout.h"
#include "plan/plan_segment.h"

namespace rta {

/// Returns whether a port can read the buffers of its source.
[[nodiscard]] inline bool reads_directly(const CompileRequest::Connection& source) {
    return source.at_rest && source.target_gain == 1.0F && !source.is_delayed;
}

/// Compiles a segment of the layout, which has the given source. `first_connection`: see PlanLayout::of(). Sorts the
/// connections of mixes in `request`; its fillings and taps are sorted by node. [control]
[[nodiscard]] std::shared_ptr<PlanSegment> compile_segment(std::size_t number, SegmentSource source,
                                                           CompileRequest& request,
                                                           std::span<const std::uint32_t> first_connection,
                                                           const PlanLayout& layout, PlanBuffers& buffers);

}  // namespace rta
