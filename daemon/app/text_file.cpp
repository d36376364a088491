// SPDX-License-Identifier: MIT
#include "app/text_file.h"

#include <unistd.h>

#include <system_error>

#include "os/file.h"

namespace rta::app {

Expected<std::string> read_text_file(std::string_view what, const std::string& path, std::size_t longest) {
    const bool is_standard_input = path == "-";
    const std::string whole_name = std::string{what} + " " + (is_standard_input ? "on standard input" : path);
    const auto unreadable = [&](std::error_code error) {
        const bool is_missing = error == std::errc::no_such_file_or_directory;
        return fail(is_missing ? ErrorCode::not_found : ErrorCode::unavailable,
                    "cannot read " + whole_name + ": " + error.message());
    };
    os::Result<os::UniqueFd> file;
    if (!is_standard_input) {
        file = os::open_to_read(path);
        if (!file) return unreadable(file.error());
        if (!os::is_regular_file(file->get()))
            return fail(ErrorCode::invalid_argument, "cannot read " + whole_name + ": it is not a regular file");
    }
    auto text = os::read_to_end(is_standard_input ? STDIN_FILENO : file->get(), longest);
    if (text) return std::move(*text);
    if (text.error() != std::errc::file_too_large) return unreadable(text.error());
    return fail(ErrorCode::invalid_argument, whole_name + " is longer than " + std::to_string(longest >> 20U) + " MiB");
}

}  // namespace rta::app
