// SPDX-License-Identifier: MIT
#include "net/web/http_response.h"

#include <array>

namespace rta::net {
namespace {

struct Reason {
    int status;
    std::string_view text;
};
constexpr std::array<Reason, 16> kReasons{{{101, "Switching Protocols"},
                                           {200, "OK"},
                                           {304, "Not Modified"},
                                           {400, "Bad Request"},
                                           {401, "Unauthorized"},
                                           {403, "Forbidden"},
                                           {404, "Not Found"},
                                           {405, "Method Not Allowed"},
                                           {413, "Content Too Large"},
                                           {414, "URI Too Long"},
                                           {426, "Upgrade Required"},
                                           {431, "Request Header Fields Too Large"},
                                           {500, "Internal Server Error"},
                                           {503, "Service Unavailable"},
                                           {505, "HTTP Version Not Supported"},
                                           {0, "Unknown"}}};

std::string_view reason_of(int status) {
    for (const Reason& reason : kReasons) {
        if (reason.status == status) return reason.text;
    }
    return kReasons.back().text;
}

void add(std::string& head, std::string_view name, std::string_view value) {
    head.append(name).append(": ").append(value).append("\r\n");
}

/// 'self' covers a WebSocket to the same host only in recent browsers.
std::string policy(std::string_view host, bool tls) {
    if (host.empty()) return "default-src 'none'; frame-ancestors 'none'";
    return "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; "
           "media-src 'self' blob:; font-src 'self'; manifest-src 'self'; worker-src 'self'; connect-src 'self' " +
           std::string{tls ? "wss://" : "ws://"} + std::string{host} +
           "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}

}  // namespace

HttpResponse refusal_response(const HttpRefusal& refusal) {
    HttpResponse response{.status = refusal.status,
                          .type = "text/plain; charset=utf-8",
                          .body = std::make_shared<const std::string>(refusal.sentence + "\n"),
                          .closes = true};
    if (refusal.status == 401) response.fields.emplace_back("WWW-Authenticate", "Bearer");
    if (refusal.status == 405) response.fields.emplace_back("Allow", "GET, HEAD");
    if (refusal.status == 426) {
        response.fields.emplace_back("Upgrade", "websocket");
        response.fields.emplace_back("Sec-WebSocket-Version", "13");
    }
    return response;
}

std::string head_of(const HttpResponse& response, std::string_view host, bool tls) {
    std::string head =
        "HTTP/1.1 " + std::to_string(response.status) + " " + std::string{reason_of(response.status)} + "\r\n";
    if (!response.type.empty()) add(head, "Content-Type", response.type);
    if (response.body) add(head, "Content-Length", std::to_string(response.body->size()));
    for (const auto& [name, value] : response.fields) add(head, name, value);
    add(head, "Content-Security-Policy", policy(host, tls));
    add(head, "Cross-Origin-Opener-Policy", "same-origin");
    add(head, "Cross-Origin-Embedder-Policy", "require-corp");
    add(head, "Cross-Origin-Resource-Policy", "same-origin");
    add(head, "Referrer-Policy", "no-referrer");
    add(head, "X-Content-Type-Options", "nosniff");
    if (response.closes) add(head, "Connection", response.status == 426 ? "Upgrade, close" : "close");
    return head + "\r\n";
}

}  // namespace rta::net
