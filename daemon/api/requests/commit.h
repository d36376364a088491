// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

#include "api/call.h"
#include "api/fairness.h"
#include "api/pending_commands.h"
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

/// Sets the frame in a response.
using SetFrame = void (*)(v1::Response& response, std::uint64_t frame);
/// Returns what completes an answer that lacks the frame only.
[[nodiscard]] PendingCommands::Answered answer_with_frame(Call& call, SetFrame set_frame);
/// Defers the answer, which is complete except for the frame, until the change takes effect.
void await_frame(Call& call, const Ticket& ticket, SetFrame set_frame);

}  // namespace rta::api::requests
