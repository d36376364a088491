// SPDX-License-Identifier: MIT
#include "net/web/http_request.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "text/quoting.h"

namespace rta::net {
namespace {

constexpr std::size_t kLongestMethod = 32;
/// Fields of which two would leave open which one counts.
constexpr std::array<std::string_view, 9> kSingleFields{"host",
                                                        "origin",
                                                        "content-length",
                                                        "transfer-encoding",
                                                        "authorization",
                                                        "sec-websocket-key",
                                                        "sec-websocket-version",
                                                        "if-none-match",
                                                        "upgrade"};

/// Quotes the beginning of what a client has sent.
std::string shown(std::string_view text) {
    constexpr std::size_t kShown = 100;
    return quoted(text.substr(0, kShown)) + (text.size() > kShown ? "..." : "");
}

std::unexpected<HttpRefusal> refuse(int status, std::string sentence) {
    return std::unexpected(HttpRefusal{.status = status, .sentence = std::move(sentence)});
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_letter_or_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Whether the text is a token as RFC 9110 defines it: a method, or the name of a field.
bool is_token(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return is_letter_or_digit(c) || std::string_view{"!#$%&'*+-.^_`|~"}.contains(c);
    });
}

bool is_field_value(std::string_view text) {
    return std::ranges::all_of(text, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte == '\t' || (byte >= 0x20 && byte != 0x7F);
    });
}

bool is_visible(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F; });
}

int hexadecimal_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char small = lower(c);
    return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

/// Decodes `%XX`. Returns nothing if that is malformed, or encodes a control character.
std::optional<std::string> decoded(std::string_view path) {
    std::string text;
    text.reserve(path.size());
    for (std::size_t i = 0; i < path.size(); ++i) {
        if (path[i] != '%') {
            text += path[i];
            continue;
        }
        const int high = i + 2 < path.size() ? hexadecimal_digit(path[i + 1]) : -1;
        const int low = i + 2 < path.size() ? hexadecimal_digit(path[i + 2]) : -1;
        const int byte = high * 16 + low;
        if (high < 0 || low < 0 || byte < 0x20 || byte == 0x7F) return std::nullopt;
        text += static_cast<char>(byte);
        i += 2;
    }
    return text;
}

std::expected<void, HttpRefusal> read_target(std::string_view target, HttpRequest& request) {
    request.target = target;
    const std::string_view path = target.substr(0, target.find('?'));
    if (!target.starts_with('/') || target.contains('#'))
        return refuse(400, "invalid target " + shown(target) + ": expected a path that begins with /");
    auto text = decoded(path);
    if (!text) return refuse(400, "invalid target " + shown(target) + ": expected % and two hexadecimal digits");
    request.path = std::move(*text);
    return {};
}

std::expected<HttpRequest, HttpRefusal> read_request_line(std::string_view line) {
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    const auto malformed = [] {
        return refuse(400, "this is not an HTTP request: expected a first line such as \"GET / HTTP/1.1\"");
    };
    if (first == std::string_view::npos || first == last) return malformed();
    const std::string_view method = line.substr(0, first);
    const std::string_view target = line.substr(first + 1, last - first - 1);
    const std::string_view version = line.substr(last + 1);
    if (!is_token(method) || method.size() > kLongestMethod || target.empty() || !is_visible(target) ||
        !version.starts_with("HTTP/"))
        return malformed();
    if (version != "HTTP/1.1") return refuse(505, "unsupported version " + shown(version) + ": expected HTTP/1.1");
    HttpRequest request;
    request.method = method;
    if (method != "GET" && method != "HEAD")
        return refuse(405, "unsupported method " + shown(method) + ": expected GET or HEAD");
    if (auto read = read_target(target, request); !read) return std::unexpected(std::move(read.error()));
    return request;
}

std::expected<void, HttpRefusal> read_field(std::string_view line, HttpRequest& request) {
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    if (colon == std::string_view::npos || !is_token(name) || !is_field_value(line.substr(colon + 1)))
        return refuse(400, "invalid field " + shown(line) + ": expected NAME: VALUE");
    if (request.fields.size() == HttpReader::kMostFields)
        return refuse(431, "more than " + std::to_string(HttpReader::kMostFields) + " fields: expected fewer");
    request.fields.push_back({lower_case(name), std::string{without_blanks(line.substr(colon + 1))}});
    return {};
}

std::expected<void, HttpRefusal> check_fields(const HttpRequest& request) {
    for (const std::string_view name : kSingleFields) {
        if (std::ranges::count(request.fields, name, &HttpRequest::Field::name) > 1)
            return refuse(400, "several fields " + std::string{name} + ": expected one");
    }
    const std::string* const length = request.find("content-length");
    if (request.find("transfer-encoding") != nullptr || (length != nullptr && *length != "0"))
        return refuse(413, "the request has a body: expected none");
    if (request.find("host") == nullptr) return refuse(400, "the field Host is missing: expected one");
    return {};
}

/// `head` ends behind the last field.
std::expected<HttpRequest, HttpRefusal> read_head(std::string_view head) {
    const auto take_line = [&head] {
        const std::size_t end = head.find("\r\n");
        const std::string_view line = head.substr(0, end);
        head.remove_prefix(std::min(head.size(), line.size() + 2));
        return line;
    };
    auto request = read_request_line(take_line());
    while (request && !head.empty()) {
        if (auto read = read_field(take_line(), *request); !read) return std::unexpected(std::move(read.error()));
    }
    if (!request) return request;
    if (auto checked = check_fields(*request); !checked) return std::unexpected(std::move(checked.error()));
    return request;
}

}  // namespace

std::string lower_case(std::string_view text) {
    std::string small{text};
    std::ranges::transform(small, small.begin(), &lower);
    return small;
}

std::string_view without_blanks(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, {}, &lower, &lower);
}

const std::string* HttpRequest::find(std::string_view name) const {
    const auto found = std::ranges::find(fields, name, &Field::name);
    return found == fields.end() ? nullptr : &found->value;
}

bool HttpRequest::lists(std::string_view name, std::string_view element) const {
    return std::ranges::any_of(fields, [&](const Field& field) {
        if (field.name != name) return false;
        for (std::string_view rest = field.value;;) {
            const std::size_t comma = rest.find(',');
            if (equal_ignoring_case(without_blanks(rest.substr(0, comma)), element)) return true;
            if (comma == std::string_view::npos) return false;
            rest.remove_prefix(comma + 1);
        }
    });
}

/// Returns the length of the head with the empty line behind it; 0 if it is incomplete.
std::expected<std::size_t, HttpRefusal> HttpReader::find_end() {
    for (; scanned_ < buffer_.size() && scanned_ < kLongestHead; ++scanned_) {
        if (buffer_[scanned_] != '\n') continue;
        if (scanned_ == line_ || buffer_[scanned_ - 1] != '\r')
            return refuse(400, "this is not an HTTP request: expected lines that end in CR LF");
        const bool empty = scanned_ - 1 == line_;
        line_ = scanned_ + 1;
        if (empty) return line_;
    }
    if (scanned_ < kLongestHead) return 0;
    return refuse(line_ == 0 ? 414 : 431,
                  "the head of the request is longer than " + std::to_string(kLongestHead) + " bytes: expected less");
}

HttpReader::Next HttpReader::next() {
    const auto end = find_end();
    if (!end) return std::unexpected(end.error());
    if (*end == 0) return std::nullopt;
    auto request = read_head(std::string_view{buffer_}.substr(0, *end - 2));
    if (!request) return std::unexpected(std::move(request.error()));
    buffer_.erase(0, *end);
    scanned_ = 0;
    line_ = 0;
    return std::move(*request);
}

}  // namespace rta::net
