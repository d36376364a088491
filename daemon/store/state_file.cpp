// SPDX-License-Identifier: MIT
#include "store/state_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "os/file.h"
#include "store/disk_error.h"

namespace rta::store {
namespace {

/// `bytes`: whole KiB or MiB.
std::string in_words(std::size_t bytes) {
    const bool mebibytes = bytes % (std::size_t{1} << 20U) == 0;
    return std::to_string(bytes >> (mebibytes ? 20U : 10U)) + (mebibytes ? " MiB" : " KiB");
}

}  // namespace

bool is_odd_file(int folder, const char* name) {
    struct stat status{};
    if (::fstatat(folder, name, &status, 0) == 0) return !S_ISREG(status.st_mode);
    return errno == ELOOP;
}

Expected<std::optional<StateFile>> read_state_file(int folder, const char* name, const std::string& path,
                                                   std::size_t longest_bytes) {
    const auto not_regular = [&] { return fail(ErrorCode::invalid_argument, path + " is not a regular file"); };
    // To open a device may have effects, and a socket cannot be opened.
    if (is_odd_file(folder, name)) return not_regular();
    const auto file = os::open_to_read(folder, name);
    struct stat status{};
    if (!file) {
        // A symbolic link to a missing file must not be overwritten either.
        const bool is_missing = file.error() == std::errc::no_such_file_or_directory &&
                                ::fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0;
        if (is_missing) return std::nullopt;
        return cannot("read", path, file.error());
    }
    if (::fstat(file->get(), &status) != 0) return cannot("read", path, os::last_error());
    if (!S_ISREG(status.st_mode)) return not_regular();
    auto text = os::read_to_end(file->get(), longest_bytes);
    if (!text) {
        if (text.error() != std::errc::file_too_large) return cannot("read", path, text.error());
        return fail(ErrorCode::invalid_argument, path + " is longer than " + in_words(longest_bytes));
    }
    return StateFile{std::move(*text), os::FileVersion::of(status)};
}

}  // namespace rta::store
