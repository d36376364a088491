// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace rta::net {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

/// Receives one line, without a newline at its end. [control]
using LogSink = std::function<void(LogLevel, std::string_view)>;

}  // namespace rta::net
