// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>

#include "rta/v1/control.pb.h"
#include "text/error.h"

namespace rta::api {

// What is the same for every request. [any]

/// How long it may wait for room in the engine.
[[nodiscard]] std::uint32_t timeout_ms(const v1::Request& request);

/// What is wrong with a request before anybody looks at what it asks for.
[[nodiscard]] std::optional<Error> fault_of(const v1::Request& request);

/// A request of no kind that this daemon knows: UNIMPLEMENTED, with those it does.
[[nodiscard]] Error unknown_request(const v1::Request& request);

}  // namespace rta::api
