// SPDX-License-Identifier: MIT
#include "net/web/web_site.h"

#include <algorithm>
#include <utility>

#include "api/identity.h"
#include "net/web/websocket_frames.h"
#include "text/quoting.h"

namespace rta::net {
namespace {

HttpRefusal refusal(int status, std::string sentence) { return {.status = status, .sentence = std::move(sentence)}; }

/// Whether the client accepts the contents as gzip: it says so without a weight of 0.
bool accepts_gzip(const HttpRequest& request) { return request.lists("accept-encoding", "gzip"); }

/// `tag` is an ETag in quotes.
bool has_current_version(const HttpRequest& request, std::string_view tag) {
    return request.lists("if-none-match", tag) || request.lists("if-none-match", "*") ||
           request.lists("if-none-match", "W/" + std::string{tag});
}

/// Whether a browser says that another site has caused the request, such as by an image, and not a person who has followed
/// a link. It would not show the answer to that site; but the site could send many. WebSockets have an Origin instead.
bool is_part_of_other_site(const HttpRequest& request) {
    const auto is = [&](std::string_view name, std::string_view value) {
        const std::string* const field = request.find(name);
        return field != nullptr && *field == value;
    };
    if (request.path == kSocketPath || request.find("sec-fetch-site") == nullptr) return false;
    if (is("sec-fetch-site", "same-origin") || is("sec-fetch-site", "none")) return false;
    return !is("sec-fetch-mode", "navigate") || !is("sec-fetch-dest", "document");
}

/// Returns the token of `Authorization: Bearer TOKEN`; empty without the field.
Expected<std::string> bearer_token(const HttpRequest& request) {
    const std::string* const field = request.find("authorization");
    if (field == nullptr) return std::string{};
    constexpr std::string_view kScheme = "bearer ";
    const std::string_view value = *field;
    const std::string_view token = without_blanks(value.substr(std::min(value.size(), kScheme.size())));
    if (!equal_ignoring_case(value.substr(0, kScheme.size()), kScheme) || token.empty())
        return fail(ErrorCode::unauthenticated, "invalid Authorization: expected Bearer and an access token");
    return std::string{token};
}

/// Who may read over HTTP.
Expected<api::Identity> identify(const HttpRequest& request, const api::Entry& entry, const api::Access& access) {
    const auto token = bearer_token(request);
    if (!token) return std::unexpected(token.error());
    if (token->empty() && access.has_tokens() && entry.certificate_name.empty()) {
        return fail(ErrorCode::unauthenticated,
                    "an access token is required: send \"Authorization: Bearer TOKEN\"; `rtactl token new --role read "
                    "NAME` creates a token");
    }
    return api::identify(entry, *token, access);
}

}  // namespace

WebSite::WebSite(WebOptions options, WebNames names, const api::Access& access, LogSink log,
                 std::shared_ptr<WebTurns> turns)
    : options_{std::move(options)},
      names_{std::move(names)},
      access_{access},
      log_{std::move(log)},
      turns_{std::move(turns)} {
    if (auto page = PageFiles::load(options_.page_folder)) {
        page_ = std::move(*page);
    } else {
        page_missing_ = "the page is not installed: " + page.error().sentence +
                        "; build it with `cmake --build build/release --target web_site`, or name its directory with "
                        "--web-root";
    }
}

void WebSite::log_refusal(const Visitor& visitor, const std::string& sentence) {
    const auto unlogged = refusals_.due(std::chrono::steady_clock::now());
    if (!unlogged) return;
    log_(LogLevel::warning, "refused an HTTP request from " + visitor.entry.address + ": " + sentence +
                                (*unlogged == 0 ? "" : " (and " + std::to_string(*unlogged) + " more before it)"));
}

std::optional<HttpRefusal> WebSite::check_origin(const HttpRequest& request, const Visitor& visitor) {
    const std::string& host = *request.find("host");
    if (!names_.has_host(host, visitor.local)) {
        const std::string sentence = "Host " + quoted(host.substr(0, 100)) + " is not a name of this daemon";
        log_refusal(visitor, sentence + "; --web-name NAME adds one");
        // Not 421: a browser would send the request again and not show the sentence.
        return refusal(403, sentence + ": expected one that its administrator has set (--web-name)");
    }
    const std::string* const origin = request.find("origin");
    if (origin != nullptr && !names_.has_origin(*origin, visitor.local)) {
        const std::string sentence = "Origin " + quoted(origin->substr(0, 100)) + " is not this daemon";
        log_refusal(visitor, sentence);
        return refusal(403, sentence + ": expected a page that the daemon itself has served");
    }
    if (is_part_of_other_site(request)) {
        log_refusal(visitor, "a page of another site has requested " + quoted(request.path.substr(0, 100)));
        return refusal(403,
                       "a page of another site sent this request: expected a page that the daemon itself has served");
    }
    return std::nullopt;
}

WebSite::Answer WebSite::answer(const HttpRequest& request, const Visitor& visitor, TimePoint now) {
    if (const auto refused = check_origin(request, visitor)) return {.response = refusal_response(*refused)};
    if (request.path == kSocketPath) return open_socket(request);
    if (request.path == kMetricsPath && options_.hooks.metrics) return metrics(request, visitor, now);
    return {.response = file(request)};
}

HttpResponse WebSite::file(const HttpRequest& request) const {
    const PageFiles::File* const found = page_.find(request.path);
    if (found == nullptr && !page_missing_.empty()) return refusal_response(refusal(404, page_missing_));
    if (found == nullptr) {
        return refusal_response(
            refusal(404, quoted(request.path.substr(0, 100)) + " is not a file of the page, which begins at /"));
    }
    const bool compressed = found->gzip_text != nullptr && accepts_gzip(request);
    const std::string tag = '"' + found->tag + (compressed ? "-gzip" : "") + '"';
    HttpResponse response;
    // The browser asks each time whether the file has changed, because a new version of the daemon has the same paths.
    response.fields = {{"Cache-Control", "no-cache"}, {"ETag", tag}};
    if (found->gzip_text != nullptr) response.fields.emplace_back("Vary", "Accept-Encoding");
    if (has_current_version(request, tag)) {
        response.status = 304;
        return response;
    }
    response.type = found->type;
    response.body = compressed ? found->gzip_text : found->text;
    if (compressed) response.fields.emplace_back("Content-Encoding", "gzip");
    return response;
}

/// The handshake of RFC 6455. Extensions and subprotocols are not accepted.
WebSite::Answer WebSite::open_socket(const HttpRequest& request) const {
    const std::string* const version = request.find("sec-websocket-version");
    const std::string* const key = request.find("sec-websocket-key");
    if (request.method != "GET" || !request.lists("upgrade", "websocket") || !request.lists("connection", "upgrade") ||
        version == nullptr || *version != "13") {
        return {.response = refusal_response(refusal(
                    426, std::string{kSocketPath} + " serves a WebSocket: expected the handshake of RFC 6455"))};
    }
    if (request.lists("connection", "close")) {
        return {.response = refusal_response(
                    refusal(400, "the field Connection has \"upgrade\" and \"close\": expected one of them"))};
    }
    // Browsers always send it. A program that does not could be a page in a browser whose request was altered.
    if (request.find("origin") == nullptr) {
        return {.response = refusal_response(refusal(
                    403, "the field Origin is missing: expected that of the page, such as " + names_.first_origin()))};
    }
    const auto accept = key == nullptr ? std::nullopt : accept_of_key(*key);
    if (!accept) {
        return {.response = refusal_response(refusal(400, "invalid Sec-WebSocket-Key: expected 16 bytes in base64"))};
    }
    HttpResponse response{.status = 101};
    response.fields = {{"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Accept", *accept}};
    return {.response = std::move(response), .upgrades = true};
}

WebSite::Answer WebSite::metrics(const HttpRequest& request, const Visitor& visitor, TimePoint now) {
    const auto identity = identify(request, visitor.entry, access_);
    if (!identity || identity->role < Role::read) {
        const std::string sentence = identity ? std::string{"the role read is required"} : identity.error().sentence;
        log_refusal(visitor, sentence);
        return {.response = refusal_response(refusal(401, sentence)),
                .delayed = attempts_.exceeds(api::network_of(visitor.entry), now)};
    }
    if (metrics_ == nullptr || now >= metrics_expire_) {
        metrics_ = std::make_shared<const std::string>(options_.hooks.metrics());
        metrics_expire_ = now + kMetricsAge;
    }
    HttpResponse response;
    response.fields.emplace_back("Cache-Control", "no-store");
    response.type = kMetricsType;
    response.body = metrics_;
    return {.response = std::move(response)};
}

}  // namespace rta::net
