// SPDX-License-Identifier: MIT
#include "rtactl/terminal/file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "os/file.h"
#include "os/file_replacement.h"
#include "text/quoting.h"

namespace rta::rtactl {

namespace {

std::unexpected<std::string> cannot(std::string_view verb, std::string_view path, std::error_code error) {
    return std::unexpected("cannot " + std::string{verb} + " " + quoted(path) + ": " + error.message());
}

std::unexpected<std::string> too_long(std::string_view name, std::size_t most_bytes) {
    return std::unexpected(quoted(name) + " has more than " + std::to_string(most_bytes) +
                           " bytes, the most that can be sent");
}

os::Result<void> write_in_place(const std::string& path, std::string_view text) {
    os::UniqueFd file{::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY)};
    if (!file) return os::fail_with_errno();
    if (auto written = os::write_all(file.get(), text); !written) return written;
    return os::close(std::move(file));
}

os::Result<void> write_replacement(const std::string& path, std::string_view text) {
    auto replacement = os::FileReplacement::create(os::real_path(path), ".");
    if (!replacement) return std::unexpected(replacement.error());
    auto written = os::write_all(replacement->fd(), text);
    if (written) written = replacement->take_mode_of_target();
    if (written) written = replacement->flush();
    if (written) written = replacement->rename();
    // Not an error of the write: some file systems cannot sync a folder.
    if (written) static_cast<void>(replacement->sync_folder());
    return written;
}

}  // namespace

std::expected<std::string, std::string> read_stream(std::istream& in, std::string_view name, std::size_t most_bytes) {
    std::string text;
    std::array<char, 65'536> bytes{};
    while (in) {
        in.read(bytes.data(), bytes.size());
        text.append(bytes.data(), static_cast<std::size_t>(in.gcount()));
        if (text.size() > most_bytes) return too_long(name, most_bytes);
    }
    if (in.bad()) return std::unexpected("cannot read " + quoted(name));
    return text;
}

std::expected<std::string, std::string> read_file(const std::string& path, std::size_t most_bytes) {
    // Waits for the writer of a pipe, unlike os::open_to_read().
    const os::UniqueFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY)};
    if (!file) return cannot("read", path, os::last_error());
    auto text = os::read_to_end(file.get(), most_bytes);
    if (text) return std::move(*text);
    if (text.error() == std::errc::file_too_large) return too_long(path, most_bytes);
    return cannot("read", path, text.error());
}

std::expected<void, std::string> replace_file(const std::string& path, std::string_view text) {
    struct stat info{};
    const bool exists = ::stat(path.c_str(), &info) == 0;
    if (!exists && errno != ENOENT) return cannot("write", path, os::last_error());
    if (exists && S_ISDIR(info.st_mode)) return cannot("write", path, make_error_code(std::errc::is_a_directory));
    const bool in_place = exists && !S_ISREG(info.st_mode);
    const auto written = in_place ? write_in_place(path, text) : write_replacement(path, text);
    if (!written) return cannot("write", path, written.error());
    return {};
}

}  // namespace rta::rtactl
