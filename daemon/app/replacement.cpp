// SPDX-License-Identifier: MIT
#include "app/replacement.h"

#include <fcntl.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "os/file_lock.h"

namespace rta::app {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> cannot_write(const std::string& path, const std::string& why) {
    return fail(ErrorCode::unavailable, "cannot write the file " + path + ": " + why);
}

}  // namespace

Expected<Replacement> Replacement::of(const std::string& path) {
    Replacement replacement;
    replacement.target_ = path;
    std::error_code error;
    const bool is_link = fs::is_symlink(fs::symlink_status(path, error));
    const fs::file_status status = fs::status(path, error);
    if (fs::exists(status) ? !fs::is_regular_file(status) : is_link) return replacement;
    if (fs::exists(status)) {
        replacement.lock_ = os::UniqueFd{::open(path.c_str(), O_WRONLY | O_CLOEXEC)};
        if (!replacement.lock_) return cannot_write(path, os::last_error().message());
        // The lock that WavWriter takes. A file system without locks is no reason to refuse.
        const auto locked = os::try_lock(replacement.lock_.get());
        if (!locked && locked.error() == std::errc::operation_would_block)
            return cannot_write(path, "another rtad is writing it");
        replacement.target_ = os::real_path(path);
    }
    replacement.beside_ = true;
    return replacement;
}

Expected<void> Replacement::begin() {
    if (!beside_) return {};
    auto partial = os::FileReplacement::create(target_, ".partial-");
    if (!partial) return cannot_write(target_, partial.error().message());
    partial_.emplace(std::move(*partial));
    partial_->close();  // the writer opens it again, by its path
    return {};
}

Expected<void> Replacement::finish() {
    if (!beside_) return {};
    static_cast<void>(partial_->take_mode_of_target());  // not every file system has modes
    if (const auto renamed = partial_->rename(); !renamed) return cannot_write(target_, renamed.error().message());
    partial_.reset();
    return {};
}

}  // namespace rta::app
