// SPDX-License-Identifier: MIT
#include "app/output_file.h"

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

Expected<OutputFile> OutputFile::of(const std::string& path) {
    OutputFile file;
    file.target_ = path;
    std::error_code error;
    const bool is_link = fs::is_symlink(fs::symlink_status(path, error));
    const fs::file_status status = fs::status(path, error);
    if (fs::exists(status) ? !fs::is_regular_file(status) : is_link) return file;
    if (fs::exists(status)) {
        file.lock_ = os::UniqueFd{::open(path.c_str(), O_WRONLY | O_CLOEXEC)};
        if (!file.lock_) return cannot_write(path, os::last_error().message());
        // The lock that WavWriter takes. A file system without locks is no reason to refuse.
        const auto locked = os::try_lock(file.lock_.get());
        if (!locked && locked.error() == std::errc::operation_would_block)
            return cannot_write(path, "another rtad is writing to it");
        file.target_ = os::real_path(path);
    }
    file.has_partial_file_ = true;
    return file;
}

Expected<void> OutputFile::begin() {
    if (!has_partial_file_) return {};
    auto partial = os::FileReplacement::create(target_, ".partial-");
    if (!partial) return cannot_write(target_, partial.error().message());
    partial_.emplace(std::move(*partial));
    partial_->close();  // the writer opens it again, by its path
    return {};
}

Expected<void> OutputFile::finish() {
    if (!has_partial_file_) return {};
    static_cast<void>(partial_->take_mode_of_target());  // not every file system has modes
    if (const auto renamed = partial_->rename(); !renamed) return cannot_write(target_, renamed.error().message());
    partial_.reset();
    return {};
}

}  // namespace rta::app
