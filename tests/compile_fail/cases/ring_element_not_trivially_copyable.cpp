// SPDX-License-Identifier: MIT
// layers: rt
// gcc: spsc_ring.h:[0-9]+:[0-9]+: error: static assertion failed
// clang: static assertion failed .*is_trivially_copyable_v<std::.*string
// Elements are copied like bytes and overwritten without a destructor call.
#include <string>

#include "rt/spsc_ring.h"

std::size_t capacity() {
#ifdef RTA_FAULT
    const rta::SpscRing<std::string> names{16};
#endif
    const rta::SpscRing<int> numbers{16};
    return numbers.capacity();
}
