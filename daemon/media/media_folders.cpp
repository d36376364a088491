// SPDX-License-Identifier: MIT
#include "media/media_folders.h"

#include <fcntl.h>

#include <system_error>
#include <utility>

#include "os/beneath.h"
#include "os/file.h"
#include "text/quoting.h"

namespace rta::media {
namespace {

[[nodiscard]] Error bad_name(std::string_view name) {
    return {ErrorCode::invalid_argument,
            "invalid file name " + quoted(name) +
                ": expected a path relative to a media folder, such as \"music/a.wav\", of at most " +
                std::to_string(kLongestName) + " bytes, without .. and control characters",
            {}};
}

[[nodiscard]] Error open_error(std::string_view name, const std::error_code& error) {
    const std::string file = "the file " + quoted(name);
    if (error == std::errc::no_such_file_or_directory)
        return {ErrorCode::not_found, file + " was not found in the media folders", {}};
    if (error == std::errc::file_exists)
        return {ErrorCode::already_exists, file + " exists already: expected a new name", {}};
    if (error == std::errc::too_many_symbolic_link_levels || error == std::errc::not_a_directory)
        return {ErrorCode::invalid_argument,
                "cannot open " + file +
                    ": a part of its path is not a folder, or is a symbolic link, which is not followed",
                {}};
    if (error == std::errc::not_supported || error == std::errc::is_a_directory ||
        error == std::errc::no_such_device_or_address)
        return {ErrorCode::invalid_argument, "cannot open " + file + ": expected a regular file", {}};
    const bool denied = error == std::errc::permission_denied;
    return {denied ? ErrorCode::permission_denied : ErrorCode::unavailable,
            "cannot open " + file + ": " + error.message(),
            {}};
}

}  // namespace

Expected<void> check_media_name(std::string_view name) {
    const bool good =
        name.size() <= kLongestName && is_printable(name) && os::is_plain_relative_path(std::string{name});
    if (good) return {};
    return std::unexpected(bad_name(name));
}

Expected<MediaFolders> MediaFolders::open(const std::vector<std::string>& paths) {
    MediaFolders opened;
    for (const std::string& path : paths) {
        auto folder = os::open_folder(path);
        if (!folder) {
            const bool missing = folder.error() == std::errc::no_such_file_or_directory;
            return fail(missing ? ErrorCode::not_found : ErrorCode::unavailable,
                        "cannot open the media folder " + path + ": " + folder.error().message());
        }
        opened.folders_.push_back(std::move(*folder));
    }
    return opened;
}

Expected<void> MediaFolders::check(std::string_view name) const {
    if (auto good = check_media_name(name); !good) return good;
    if (!folders_.empty()) return {};
    return fail(ErrorCode::failed_precondition,
                "cannot open the file " + quoted(name) + ": rtad has no media folder (--media-dir)");
}

Expected<os::UniqueFd> MediaFolders::open_to_read(std::string_view name) const {
    if (auto good = check(name); !good) return std::unexpected(std::move(good.error()));
    const std::string path{name};
    std::error_code error;
    for (const os::UniqueFd& folder : folders_) {
        auto file = os::open_beneath(folder.get(), path, O_RDONLY);
        if (file) return std::move(*file);
        error = file.error();
        if (error != std::errc::no_such_file_or_directory) break;
    }
    return std::unexpected(open_error(name, error));
}

Expected<os::UniqueFd> MediaFolders::create(std::string_view name) const {
    if (auto good = check(name); !good) return std::unexpected(std::move(good.error()));
    constexpr mode_t kMode = 0666;
    auto file = os::open_beneath(folders_.front().get(), std::string{name}, O_RDWR | O_CREAT | O_EXCL, kMode);
    if (file) return std::move(*file);
    return std::unexpected(open_error(name, file.error()));
}

}  // namespace rta::media
