// SPDX-License-Identifier: MIT
#include "app/page_folder.h"

#include <filesystem>
#include <system_error>

namespace rta::app {

std::string page_folder(const std::string& program) {
    std::error_code error;
    const auto path = std::filesystem::read_symlink(program, error);
    if (error) return RTA_PAGE_FOLDER;
    return (path.parent_path().parent_path() / "share/rtad/web").native();
}

}  // namespace rta::app
