// SPDX-License-Identifier: MIT
#include "store/disk_error.h"

#include <cerrno>
#include <string>
#include <utility>

namespace rta::store {

std::unexpected<Error> cannot(std::string_view what, std::string_view path, std::error_code error) {
    const bool full = error == std::errc::no_space_on_device || error == std::errc::file_too_large ||
                      error == std::error_code{EDQUOT, std::generic_category()};
    std::string sentence = "cannot ";
    sentence.append(what).append(" ").append(path).append(": ").append(error.message());
    return fail(full ? ErrorCode::resource_exhausted : ErrorCode::unavailable, std::move(sentence));
}

}  // namespace rta::store
