// SPDX-License-Identifier: MIT
#include "rta/token_file.h"

#include <cstddef>
#include <string_view>
#include <system_error>
#include <utility>

#include "os/file.h"
#include "text/access_token.h"
#include "text/quantity.h"
#include "text/quoting.h"

namespace rta::client {

namespace {

/// More than a token and blanks around it.
constexpr std::size_t kMostBytes = 4096;

std::unexpected<Error> refuse(std::string sentence) { return fail(Error::Kind::bad_token, std::move(sentence)); }

std::unexpected<Error> cannot_read(const std::string& path, std::error_code error) {
    return refuse("cannot read the token file " + quoted(path) + ": " + error.message());
}

/// Returns the only line of a text, without blanks around it; the whole text if it has several lines.
std::string_view only_line(std::string_view text) {
    while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
    return trimmed(text);
}

}  // namespace

Expected<std::string> read_token_file(const std::string& path) {
    const auto file = os::open_to_read(path);
    if (!file) return cannot_read(path, file.error());
    // The open file, not the path: another file could take its place in between.
    const auto exposed = os::others_may_access(file->get());
    if (!exposed) return cannot_read(path, exposed.error());
    if (*exposed) {
        return refuse("other users may access the token file " + quoted(path) + ": expected mode 0600; see chmod(1)");
    }
    const auto text = os::read_to_end(file->get(), kMostBytes);
    if (!text && text.error() != std::errc::file_too_large) return cannot_read(path, text.error());
    if (text) {
        const std::string_view token = only_line(*text);
        if (is_token(token)) return std::string{token};
    }
    return refuse("no access token in " + quoted(path) +
                  ": expected one line as `rtactl token new` prints it, rtad_ and 43 characters");
}

}  // namespace rta::client
