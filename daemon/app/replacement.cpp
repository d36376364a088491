// SPDX-License-Identifier: MIT
#include "app/replacement.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

namespace rta::app {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> cannot_write(const std::string& path, const std::string& why) {
    return fail(ErrorCode::unavailable, "cannot write the file " + path + ": " + why);
}

fs::perms mode_of_new_file() {
    const mode_t mask = ::umask(0);  // there is no other way to read it; `rtad render` is one thread here
    ::umask(mask);
    return static_cast<fs::perms>(0666U & ~mask);
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
    replacement.beside_ = true;
    return replacement;
}

Expected<void> Replacement::begin() {
    if (!beside_) return {};
    std::string name = target_ + ".partial-XXXXXX";
    const int descriptor = ::mkostemp(name.data(), O_CLOEXEC);
    if (descriptor < 0) return cannot_write(target_, std::generic_category().message(errno));
    ::close(descriptor);
    partial_ = std::move(name);
    return {};
}

Replacement::Replacement(Replacement&& other) noexcept
    : target_{std::move(other.target_)},
      beside_{other.beside_},
      partial_{std::exchange(other.partial_, {})},
      lock_{std::exchange(other.lock_, -1)} {}

Replacement::~Replacement() {
    if (!partial_.empty()) ::unlink(partial_.c_str());
    if (lock_ >= 0) ::close(lock_);
}

Expected<void> Replacement::finish() {
    if (!beside_) return {};
    std::error_code error;
    fs::permissions(partial_, lock_ >= 0 ? fs::status(target_, error).permissions() : mode_of_new_file(), error);
    fs::rename(partial_, target_, error);
    if (error) return cannot_write(target_, error.message());
    partial_.clear();
    return {};
}

}  // namespace rta::app
