// SPDX-License-Identifier: MIT
#include "store/confirmation_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "document/document_size.h"
#include "os/file.h"
#include "os/file_replacement.h"
#include "store/digest.h"
#include "store/state_file.h"
#include "store/take_line.h"

namespace rta::store {
namespace {

constexpr std::string_view kConfirmationHeader = "rtad confirmation 1 ";
/// More than any version of rtad writes: a document, and a few bytes for each step of the history.
constexpr std::size_t kLongestConfirmation = kLongestDocument + (std::size_t{4} << 20U);
constexpr mode_t kConfirmationMode = 0600;

std::unexpected<Error> failed_with(std::string_view what, const std::string& path, std::error_code error) {
    return fail(ErrorCode::unavailable, "cannot " + std::string{what} + " " + path + ": " + error.message());
}

}  // namespace

std::string ConfirmationFile::path() const { return directory_ + "/" + kName; }

Expected<std::optional<std::string>> ConfirmationFile::read() const {
    const auto folder = os::open_folder(directory_);
    if (!folder && folder.error() == std::errc::no_such_file_or_directory) return std::nullopt;
    if (!folder) return failed_with("read", path(), folder.error());
    const auto contents = read_state_file(folder->get(), kName, path(), kLongestConfirmation);
    if (!contents) return std::unexpected(contents.error());
    if (!*contents) return std::nullopt;
    std::string_view text = (*contents)->text;
    const std::string_view header = take_line(text);
    if (!header.starts_with(kConfirmationHeader)) {
        return fail(ErrorCode::invalid_argument,
                    path() + " has an unknown format: expected \"" + std::string{kConfirmationHeader} + "\"");
    }
    const auto hash = sha256_digits(text);
    if (!hash) return std::unexpected(hash.error());
    if (header.substr(kConfirmationHeader.size()) != *hash)
        return fail(ErrorCode::invalid_argument, path() + " is damaged: the checksum is wrong");
    return std::string{text};
}

Expected<void> ConfirmationFile::write(std::string_view text) const {
    const auto hash = sha256_digits(text);
    if (!hash) return std::unexpected(hash.error());
    const auto folder = os::open_folder(directory_);
    if (!folder) return failed_with("open", directory_, folder.error());
    auto replacement = os::FileReplacement::create_in(folder->get(), kNewName, kName, kConfirmationMode);
    if (!replacement) return failed_with("write", path(), replacement.error());
    auto written = os::write_all(replacement->fd(), std::string{kConfirmationHeader} + *hash + "\n");
    if (written) written = os::write_all(replacement->fd(), text);
    if (written) written = replacement->flush();
    if (written) written = replacement->rename();
    if (written) written = replacement->sync_folder();
    if (!written) return failed_with("write", path(), written.error());
    return {};
}

Expected<void> ConfirmationFile::remove() const {
    const auto folder = os::open_folder(directory_);
    if (!folder && folder.error() == std::errc::no_such_file_or_directory) return {};
    if (!folder) return failed_with("open", directory_, folder.error());
    if (::unlinkat(folder->get(), kName, 0) != 0) {
        if (errno == ENOENT) return {};
        return failed_with("remove", path(), os::last_error());
    }
    if (const auto synced = os::sync(folder->get()); !synced) return failed_with("remove", path(), synced.error());
    return {};
}

Expected<std::string> ConfirmationFile::rename() const {
    const auto folder = os::open_folder(directory_);
    if (!folder) return failed_with("open", directory_, folder.error());
    const auto renamed = os::rename_to_free_name(folder->get(), kName, ".kept-");
    if (!renamed) return failed_with("rename", path(), renamed.error());
    return directory_ + "/" + *renamed;
}

}  // namespace rta::store
