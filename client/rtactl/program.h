// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>

#include "rtactl/context/context.h"
#include "rtactl/language/command.h"
#include "rtactl/language/failure.h"

namespace rta::rtactl {

/// The whole program: `words` are what follows its name. Errors go to `streams.err`, one sentence each.
[[nodiscard]] Exit run(std::span<const std::string> words, Streams streams);

/// What global options and the environment say about the conversation.
[[nodiscard]] Result<SessionOptions> session_options(const Arguments& globals);

/// Runs what was parsed, from the command line or from a line of the shell alike.
[[nodiscard]] Result<void> run(Session& session, const Invocation& invocation);

}  // namespace rta::rtactl
