// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "text/error.h"

namespace rta::net {

/// The files of the page, in memory: a request opens no file, so no path can lead out of the folder, and no slow disk
/// delays a client.
class PageFiles {
 public:
    static constexpr std::size_t kMostFiles = 512;
    static constexpr std::size_t kMostBytes = std::size_t{32} << 20U;

    struct File {
        std::string_view type;                         ///< Content-Type
        std::string tag;                               ///< ETag, of the contents
        std::shared_ptr<const std::string> text;       ///< the contents
        std::shared_ptr<const std::string> gzip_text;  ///< those of NAME.gz, which must be the same; null: none
    };

    /// Reads a folder with everything below it, without hidden files and without links. Blocks on the disk. Errors:
    /// NOT_FOUND if it cannot be read or has no index.html; RESOURCE_EXHAUSTED if it is larger than the limits.
    [[nodiscard]] static Expected<PageFiles> load(const std::string& folder);

    /// Returns the file at a path that begins with '/'; for a path that ends in '/', its index.html. nullptr: none.
    [[nodiscard]] const File* find(std::string_view path) const;
    [[nodiscard]] std::size_t count() const { return files_.size(); }

 private:
    std::map<std::string, File, std::less<>> files_;  ///< by path
};

/// Returns the Content-Type of a file by its name.
[[nodiscard]] std::string_view content_type(std::string_view path);

}  // namespace rta::net
