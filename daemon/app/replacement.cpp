// SPDX-License-Identifier: MIT
#include "app/replacement.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

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
        replacement.lock_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
        if (replacement.lock_ < 0) return cannot_write(path, std::generic_category().message(errno));
        // As WavWriter locks what it writes.
        if (::flock(replacement.lock_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
            return cannot_write(path, "another rtad is writing it");
        // A symbolic link stays one.
        replacement.target_ = fs::canonical(path, error).string();
        if (error) return cannot_write(path, error.message());
    }
    replacement.partial_ = replacement.target_ + ".partial";
    return replacement;
}

Replacement::Replacement(Replacement&& other) noexcept
    : target_{std::move(other.target_)},
      partial_{std::move(other.partial_)},
      begun_{std::exchange(other.begun_, false)},
      lock_{std::exchange(other.lock_, -1)} {}

Replacement::~Replacement() {
    if (begun_ && !partial_.empty()) ::unlink(partial_.c_str());
    if (lock_ >= 0) ::close(lock_);
}

Expected<void> Replacement::finish() {
    begun_ = false;
    if (partial_.empty()) return {};
    std::error_code error;
    if (lock_ >= 0) fs::permissions(partial_, fs::status(target_, error).permissions(), error);
    fs::rename(partial_, target_, error);
    if (!error) return {};
    begun_ = true;
    return cannot_write(target_, error.message());
}

}  // namespace rta::app
