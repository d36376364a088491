// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/access.h"
#include "api/entry.h"
#include "api/failed_attempts.h"
#include "net/log.h"
#include "net/log_limiter.h"
#include "net/web/http_request.h"
#include "net/web/http_response.h"
#include "net/web/page_files.h"
#include "net/web/web_names.h"
#include "net/web/web_options.h"
#include "net/web/web_turns.h"

namespace rta::net {

/// Decides what each HTTP request gets. [control]
class WebSite {
 public:
    using TimePoint = std::chrono::steady_clock::time_point;

    /// How a browser has come in.
    struct Visitor {
        api::Entry entry;
        std::string local;  ///< the IP address at which it has connected
    };
    struct Answer {
        HttpResponse response{};
        bool upgrades = false;  ///< to a WebSocket, after the response
        bool delayed = false;   ///< the response must wait for api::FailedAttempts::kDelay
    };

    /// The metrics of two requests within this time are the same: rendering them takes longer than all else that a request
    /// can cause.
    static constexpr std::chrono::milliseconds kMetricsAge{100};

    /// Reads the page from the disk. `access` must outlive the site.
    WebSite(WebOptions options, WebNames names, const api::Access& access, LogSink log,
            std::shared_ptr<WebTurns> turns);

    [[nodiscard]] Answer answer(const HttpRequest& request, const Visitor& visitor, TimePoint now);
    [[nodiscard]] const WebNames& names() const { return names_; }
    /// Returns why the page cannot be served; empty if it can.
    [[nodiscard]] const std::string& page_missing() const { return page_missing_; }

    /// Returns the turns of all connections.
    [[nodiscard]] WebTurns& turns() const { return *turns_; }

 private:
    [[nodiscard]] std::optional<HttpRefusal> check_origin(const HttpRequest& request, const Visitor& visitor);
    [[nodiscard]] HttpResponse file(const HttpRequest& request) const;
    [[nodiscard]] Answer open_socket(const HttpRequest& request) const;
    [[nodiscard]] Answer metrics(const HttpRequest& request, const Visitor& visitor, TimePoint now);
    void log_refusal(const Visitor& visitor, const std::string& sentence);

    const WebOptions options_;
    const WebNames names_;
    const api::Access& access_;
    LogSink log_;
    PageFiles page_;
    std::string page_missing_;
    api::AttemptLimiter attempts_;
    LogLimiter refusals_{std::chrono::seconds{10}};
    const std::shared_ptr<WebTurns> turns_;
    std::shared_ptr<const std::string> metrics_{};  ///< the latest ones
    TimePoint metrics_expire_{};
};

/// The path at which browsers open the WebSocket.
inline constexpr std::string_view kSocketPath = "/socket";
inline constexpr std::string_view kMetricsPath = "/metrics";

}  // namespace rta::net
