// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "api/entry.h"
#include "net/limits.h"
#include "net/log.h"
#include "net/log_limiter.h"
#include "text/error.h"

namespace rta::net {

/// Why a connection was closed without an answer.
enum class ClosedFor : std::uint8_t {
    first_message,  ///< is not a Hello
    http,
    tls,
    hello_time,
    write_time,
};
inline constexpr std::size_t kClosedForReasons = 5;

/// Warns of connections that were refused or closed, at a limited rate for each reason. [control]
class ConnectionLog {
 public:
    ConnectionLog(LogSink log, const ServerLimits& limits) : log_{std::move(log)}, limits_{limits} {}

    /// `listener` is the address or path on which the client connected.
    void closed(ClosedFor reason, const api::Entry& entry, const std::string& listener);
    void refused(const Error& refusal, const api::Entry& entry, const std::string& listener);
    void stop() { log_ = nullptr; }

 private:
    static constexpr std::chrono::seconds kInterval{10};

    void warn(LogLimiter& limiter, const std::string& line);
    [[nodiscard]] std::string text_of(ClosedFor reason) const;

    LogSink log_;
    const ServerLimits limits_;
    LogLimiter refusals_{kInterval};
    std::array<LogLimiter, kClosedForReasons> closings_{LogLimiter{kInterval}, LogLimiter{kInterval},
                                                        LogLimiter{kInterval}, LogLimiter{kInterval},
                                                        LogLimiter{kInterval}};
};

}  // namespace rta::net
