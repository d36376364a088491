// SPDX-License-Identifier: MIT
#include "net/byte_stream.h"

#include <algorithm>
#include <vector>

namespace rta::net {

asio::awaitable<void> discard_input(ByteStream& stream) {
    std::vector<char> discarded(kMostDiscardedBytes / 4);
    asio::error_code error;
    for (std::size_t left = kMostDiscardedBytes; !error && left > 0 && stream.is_open();) {
        const std::size_t count = co_await stream.read_some(discarded, error);
        left -= std::min(left, std::max<std::size_t>(count, 1));
    }
}

}  // namespace rta::net
