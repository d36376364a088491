// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

#include "api/call.h"
#include "api/fairness.h"
#include "engine/engine.h"
#include "text/error.h"

namespace rta::api::requests {

// What transactions and parameter changes share: waiting for room in the engine, and for the block that applies them.

/// If no block has applied a change within this time, it is answered DEADLINE_EXCEEDED.
inline constexpr std::chrono::milliseconds kHeardDeadline{500};

/// The engine has no room for the request: it is tried again in the client's turn, and refused with `error` once its
/// timeout_ms has passed.
void retry_later(Call& call, RoomQueue& room, Error error);

/// The engine has room and has committed the request.
void committed(Call& call, RoomQueue& room);

/// Defers the answer, which is complete except for the frame, until the change takes effect.
void await_frame(Call& call, const Ticket& ticket, void (*set_frame)(v1::Response& response, std::uint64_t frame));

}  // namespace rta::api::requests
