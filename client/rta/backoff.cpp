// SPDX-License-Identifier: MIT
#include "rta/backoff.h"

#include <algorithm>

namespace rta::client {

Backoff::Backoff(Duration shortest, Duration longest, std::uint32_t seed)
    : shortest_{std::max(shortest, Duration{std::chrono::milliseconds{1}})},
      longest_{std::max(longest, shortest_)},
      limit_{shortest_},
      random_{seed} {}

Backoff::Duration Backoff::next() {
    const Duration limit = limit_;
    limit_ = limit > longest_ / 2 ? longest_ : limit * 2;
    return Duration{std::uniform_int_distribution<Duration::rep>{limit.count() / 2, limit.count()}(random_)};
}

bool is_transient(const Error& error) {
    switch (error.kind) {
        case Error::Kind::cannot_connect:
        case Error::Kind::lost:
        case Error::Kind::timeout:
        case Error::Kind::missed:
            return true;
        case Error::Kind::refused:  // the daemon has too many clients, or exits
            return error.code == v1::RESOURCE_EXHAUSTED || error.code == v1::UNAVAILABLE ||
                   error.code == v1::DEADLINE_EXCEEDED;
        case Error::Kind::untrusted:
        case Error::Kind::bad_address:
        case Error::Kind::bad_token:
        case Error::Kind::bad_certificate:
        case Error::Kind::protocol:
        case Error::Kind::too_large:
        case Error::Kind::interrupted:
        case Error::Kind::rejected:
            break;
    }
    return false;
}

}  // namespace rta::client
