// SPDX-License-Identifier: MIT
#include "store/token_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <string>
#include <system_error>

#include "os/file.h"
#include "os/file_lock.h"
#include "os/file_replacement.h"

namespace rta::store {
namespace {

constexpr mode_t kTokenFileMode = 0600;
constexpr mode_t kOthersMayWrite = 0022;

std::unexpected<Error> failed_to(std::string_view what, const std::string& path, std::error_code error) {
    return fail(ErrorCode::unavailable, "cannot " + std::string{what} + " " + path + ": " + error.message());
}

/// Whether the path names nothing, not even a symbolic link to a missing file.
bool is_missing(const std::string& path) {
    struct stat status{};
    return ::lstat(path.c_str(), &status) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

Expected<TokenList> damaged(const std::string& path, const std::string& why) {
    return fail(ErrorCode::invalid_argument,
                "the token file " + path + " is damaged: " + why +
                    "; restore it, or remove it and create new tokens with `rtad token new`");
}

}  // namespace

std::string token_file_in(const std::string& state_directory) { return state_directory + "/tokens"; }

Expected<TokenList> read_token_file(const std::string& path) {
    const auto file = os::open_to_read(path);
    if (!file) {
        if (is_missing(path)) return TokenList{};
        return failed_to("read the token file", path, file.error());
    }
    struct stat status{};
    if (::fstat(file->get(), &status) != 0) return failed_to("read the token file", path, os::last_error());
    if (!S_ISREG(status.st_mode)) return fail(ErrorCode::invalid_argument, path + " is not a regular file");
    if ((status.st_mode & kOthersMayWrite) != 0) {
        return fail(ErrorCode::permission_denied,
                    "other users may change the token file " + path + ": expected mode 0600; see chmod(1)");
    }
    const auto text = os::read_to_end(file->get(), TokenList::kLongestBytes);
    if (!text) {
        if (text.error() == std::errc::file_too_large) return damaged(path, "longer than 64 KiB");
        return failed_to("read the token file", path, text.error());
    }
    auto list = TokenList::read(*text);
    if (!list) return damaged(path, list.error().sentence);
    return list;
}

Expected<void> write_token_file(const std::string& path, const TokenList& list) {
    const std::string target = os::real_path(path);
    auto replacement = os::FileReplacement::create(target, ".new-");
    if (!replacement) return failed_to("write", path, replacement.error());
    if (::fchmod(replacement->fd(), kTokenFileMode) != 0) return failed_to("write", path, os::last_error());
    os::give_to_owner_of(replacement->fd(), target);
    auto written = os::write_all(replacement->fd(), list.write());
    if (written) written = replacement->flush();
    if (written) written = replacement->rename();
    if (written) written = replacement->sync_folder();
    if (!written) return failed_to("write", path, written.error());
    return {};
}

Expected<os::UniqueFd> lock_token_file(const std::string& path) {
    const std::string name = path + ".lock";
    os::UniqueFd file{::open(name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, kTokenFileMode)};
    if (!file) return failed_to("open the lock", name, os::last_error());
    os::give_to_owner_of(file.get(), path);
    if (const auto locked = os::lock(file.get()); !locked) {
        if (locked.error() != std::errc::operation_would_block) return failed_to("lock", name, locked.error());
        return fail(ErrorCode::already_exists, "the token file " + path + " is in use by a running rtad");
    }
    return file;
}

}  // namespace rta::store
