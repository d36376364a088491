// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "text/error.h"

namespace rta::store {

/// The folder `scenes` in a state directory, with a file NAME.json for each scene. Every change is atomic, and on the disk
/// when its function returns. The state directory must be locked; see StateFolder. All functions may block on the disk. Not
/// thread-safe.
class SceneFolder {
 public:
    explicit SceneFolder(const std::string& state_directory);

    struct File {
        std::string name;  ///< of the scene
        std::string text;
    };
    struct Contents {
        std::vector<File> files{};          ///< sorted by name
        std::vector<std::string> errors{};  ///< of files that cannot be read; they stay
    };
    /// Reads all scenes of at most `most_bytes` together, and removes what a crash has left of others. Returns nothing if
    /// the folder does not exist.
    [[nodiscard]] Contents read(std::size_t most_bytes) const;

    // UNAVAILABLE: the change was not made, or may be lost if the machine fails now.
    [[nodiscard]] Expected<void> write(const std::string& name, const std::string& text) const;
    [[nodiscard]] Expected<void> rename(const std::string& name, const std::string& new_name) const;
    [[nodiscard]] Expected<void> remove(const std::string& name) const;
    /// Renames the file of a scene that cannot be used to NAME.json.kept-N. Returns the new path.
    [[nodiscard]] Expected<std::string> keep(const std::string& name) const;

    [[nodiscard]] const std::string& path() const { return path_; }

 private:
    [[nodiscard]] std::string path_of(const std::string& name) const;

    std::string path_;
};

}  // namespace rta::store
