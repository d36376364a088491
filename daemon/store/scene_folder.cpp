// SPDX-License-Identifier: MIT
#include "store/scene_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "document/document_size.h"
#include "os/file.h"
#include "os/file_replacement.h"

namespace rta::store {
namespace {

constexpr std::string_view kEnding = ".json";
constexpr std::string_view kTemporary = ".new-";
constexpr mode_t kSceneFolderMode = 0700;
/// More than the comments before a document.
constexpr std::size_t kLongestHeader = 4'096;

std::unexpected<Error> scene_error(std::string_view what, const std::string& path, std::error_code error) {
    return fail(ErrorCode::unavailable, "cannot " + std::string{what} + " " + path + ": " + error.message());
}

/// Waits until the names in a folder are on the disk.
Expected<void> sync_names(const std::string& path) {
    const auto folder = os::open_folder(path);
    if (!folder) return scene_error("open", path, folder.error());
    if (const auto synced = os::sync(folder->get()); !synced) return scene_error("write", path, synced.error());
    return {};
}

Expected<void> create_scene_folder(const std::string& path) {
    if (::mkdir(path.c_str(), kSceneFolderMode) == 0) return sync_names(os::folder_of(path));
    if (errno != EEXIST) return scene_error("create", path, os::last_error());
    return {};
}

Expected<std::string> read_scene_file(const std::string& path, std::size_t most_bytes) {
    const auto file = os::open_to_read(path);
    if (!file) return scene_error("read", path, file.error());
    if (!os::is_regular_file(file->get())) return fail(ErrorCode::invalid_argument, path + " is not a regular file");
    auto text = os::read_to_end(file->get(), most_bytes);
    if (!text) return scene_error("read", path, text.error());
    return std::move(*text);
}

}  // namespace

SceneFolder::SceneFolder(const std::string& state_directory) : path_{state_directory + "/scenes"} {}

std::string SceneFolder::path_of(const std::string& name) const { return path_ + "/" + name + std::string{kEnding}; }

SceneFolder::Contents SceneFolder::read(std::size_t most_bytes) const {
    Contents contents;
    std::error_code error;
    std::vector<std::string> names;
    for (auto entry = std::filesystem::directory_iterator{path_, error};
         !error && entry != std::filesystem::directory_iterator{}; entry.increment(error)) {
        std::string name = entry->path().filename().string();
        if (name.find(std::string{kEnding} + std::string{kTemporary}) != std::string::npos) {
            ::unlink(entry->path().c_str());
        } else if (name.ends_with(kEnding)) {
            name.resize(name.size() - kEnding.size());
            names.push_back(std::move(name));
        }
    }
    if (error && error != std::errc::no_such_file_or_directory)
        contents.errors.push_back("cannot read " + path_ + ": " + error.message());
    std::ranges::sort(names);
    for (const std::string& name : names) {
        auto text = read_scene_file(path_of(name), std::min(most_bytes, kLongestDocument + kLongestHeader));
        if (!text) {
            contents.errors.push_back(text.error().sentence);
            continue;
        }
        most_bytes -= text->size();
        contents.files.push_back({name, std::move(*text)});
    }
    return contents;
}

Expected<void> SceneFolder::write(const std::string& name, const std::string& text) const {
    if (auto created = create_scene_folder(path_); !created) return created;
    const std::string path = path_of(name);
    auto replacement = os::FileReplacement::create(path, kTemporary);
    if (!replacement) return scene_error("write", path, replacement.error());
    auto written = os::write_all(replacement->fd(), text);
    if (written) written = replacement->flush();
    if (written) written = replacement->rename();
    if (written) written = replacement->sync_folder();
    if (!written) return scene_error("write", path, written.error());
    return {};
}

Expected<void> SceneFolder::rename(const std::string& name, const std::string& new_name) const {
    if (::rename(path_of(name).c_str(), path_of(new_name).c_str()) != 0)
        return scene_error("rename", path_of(name), os::last_error());
    return sync_names(path_);
}

Expected<void> SceneFolder::remove(const std::string& name) const {
    // It may have been removed by hand.
    if (::unlink(path_of(name).c_str()) != 0 && errno != ENOENT)
        return scene_error("remove", path_of(name), os::last_error());
    return sync_names(path_);
}

Expected<std::string> SceneFolder::keep(const std::string& name) const {
    auto renamed = os::rename_to_free_name(AT_FDCWD, path_of(name), ".kept-");
    if (!renamed) return scene_error("rename", path_of(name), renamed.error());
    return std::move(*renamed);
}

}  // namespace rta::store
