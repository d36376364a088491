// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>

namespace rta::net {

/// What the program adds to the web server. [control]
struct WebHooks {
    /// Returns the body of `GET /metrics`, in the OpenMetrics format; empty: the server has no /metrics.
    ///
    /// Called on the control thread, for requests that may read only: with `Authorization: Bearer TOKEN` of any role, or
    /// without a token on a loopback address, as long as the daemon has no token. The caller compares Host and Origin. It
    /// must take less than a millisecond, and may throw.
    std::function<std::string()> metrics{};
};

/// The Content-Type of `metrics`.
inline constexpr const char* kMetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8";

}  // namespace rta::net
