// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rta::net {

/// Why a request was refused: a status of HTTP, and a sentence for people.
struct HttpRefusal {
    int status = 400;
    std::string sentence{};
};

/// A request without a body.
struct HttpRequest {
    struct Field {
        std::string name;  ///< in lower case
        std::string value;
    };
    std::string method{};
    std::string target{};  ///< as the client has sent it
    std::string path{};    ///< without the query, and with `%2F` and the like decoded; begins with '/'
    std::vector<Field> fields{};

    /// Returns the value of the first field with this name, in lower case; nullptr: none.
    [[nodiscard]] const std::string* find(std::string_view name) const;
    /// Whether the fields with this name, which are lists, have this element. Ignores case.
    [[nodiscard]] bool lists(std::string_view name, std::string_view element) const;
};

[[nodiscard]] std::string lower_case(std::string_view text);
/// Returns the text without spaces and tabs at its ends.
[[nodiscard]] std::string_view without_blanks(std::string_view text);
/// Whether the texts are equal apart from the case of ASCII letters.
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b);

/// Reads the requests of one HTTP/1.1 connection, one after the other.
///
/// Accepts what RFC 9112 requires of a client, and nothing more lenient: two servers that read a lenient request
/// differently can be made to disagree about where the next one begins. Requests must not have a body.
/// After a refusal, the connection must be closed. Not thread-safe.
class HttpReader {
 public:
    static constexpr std::size_t kLongestHead = std::size_t{16} << 10U;
    static constexpr std::size_t kMostFields = 64;

    using Next = std::expected<std::optional<HttpRequest>, HttpRefusal>;

    void feed(std::string_view bytes) { buffer_ += bytes; }
    /// Returns the next request; nothing if it is incomplete. Call it before further bytes are fed.
    [[nodiscard]] Next next();
    /// Returns whether a part of a request has arrived.
    [[nodiscard]] bool begun() const { return !buffer_.empty(); }
    /// Returns the bytes that follow the last request.
    [[nodiscard]] std::string take_rest() { return std::move(buffer_); }

 private:
    [[nodiscard]] std::expected<std::size_t, HttpRefusal> find_end();

    std::string buffer_;
    std::size_t scanned_ = 0;  ///< up to here, the lines end as they must
    std::size_t line_ = 0;     ///< where the current line begins
};

}  // namespace rta::net
