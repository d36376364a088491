// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

namespace rta::io {

/// The channels of a view as BlockAdapter::process() takes them: one pointer each. [control]
template <class View>
[[nodiscard]] auto channel_pointers(const View& view) {
    std::vector<decltype(view.channel(0).data())> pointers;
    for (std::uint32_t channel = 0; channel < view.channel_count(); ++channel) {
        pointers.push_back(view.channel(channel).data());
    }
    return pointers;
}

}  // namespace rta::io
