// SPDX-License-Identifier: MIT
#include "app/scene_keeper.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "api/scenes/scene_content.h"
#include "app/logging.h"

namespace rta::app {
namespace {

/// All scenes that may have been saved under other limits.
constexpr std::size_t kMostBytes = std::size_t{1} << 30U;

}  // namespace

SceneKeeper::SceneKeeper(const std::string& state_directory) {
    if (!state_directory.empty()) folder_.emplace(state_directory);
}

void SceneKeeper::restore(api::Scenes& scenes) const {
    if (!folder_) return;
    store::SceneFolder::Contents contents = folder_->read(kMostBytes);
    for (const std::string& error : contents.errors)
        log(net::LogLevel::warning, "a scene cannot be restored: " + error);
    std::ranges::sort(contents.files, {},
                      [](const store::SceneFolder::File& file) { return api::read_scene_header(file.text).utc_us; });
    for (store::SceneFolder::File& file : contents.files) {
        const auto restored = scenes.restore(file.name, std::move(file.text));
        if (restored) continue;
        const auto kept = folder_->keep(file.name);
        log(net::LogLevel::warning, "scene " + file.name + " cannot be restored: " + restored.error().sentence + "; " +
                                        (kept ? "renamed to " + *kept : kept.error().sentence));
    }
}

Expected<void> SceneKeeper::write(const std::string& name, const std::string& text) {
    return folder_->write(name, text);
}

Expected<void> SceneKeeper::rename(const std::string& name, const std::string& new_name) {
    return folder_->rename(name, new_name);
}

Expected<void> SceneKeeper::remove(const std::string& name) { return folder_->remove(name); }

}  // namespace rta::app
