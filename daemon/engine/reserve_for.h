// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace rta {

/// Allocates the buckets for this many more elements of an unordered container, so that merge() with as many does not allocate.
/// reserve() alone may take buckets away.
template <class Container>
void reserve_for(Container& container, std::size_t more) {
    const std::size_t count = container.size() + more;
    if (static_cast<float>(count) > static_cast<float>(container.bucket_count()) * container.max_load_factor())
        container.reserve(2 * count);
}

}  // namespace rta
