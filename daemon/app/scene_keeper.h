// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "api/scenes/scene_files.h"
#include "api/scenes/scenes.h"
#include "store/scene_folder.h"
#include "text/error.h"

namespace rta::app {

/// Keeps the scenes in the state directory.
class SceneKeeper final : private api::SceneFiles {
 public:
    /// Without a state directory, nothing is kept.
    explicit SceneKeeper(const std::string& state_directory);

    /// Restores the scenes, those saved last first in use. What cannot be read is logged. [control]
    void restore(api::Scenes& scenes) const;
    /// Returns null if nothing is kept.
    [[nodiscard]] api::SceneFiles* files() { return folder_ ? this : nullptr; }

 private:
    [[nodiscard]] Expected<void> write(const std::string& name, const std::string& text) override;
    [[nodiscard]] Expected<void> rename(const std::string& name, const std::string& new_name) override;
    [[nodiscard]] Expected<void> remove(const std::string& name) override;

    std::optional<store::SceneFolder> folder_;
};

}  // namespace rta::app
