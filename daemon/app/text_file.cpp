// SPDX-License-Identifier: MIT
#include "app/text_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace rta::app {
namespace {

/// Closes what was opened; standard input stays.
class InputFile {
 public:
    explicit InputFile(const std::string& path)
        : standard_{path == "-"},
          // Not blocking: that a FIFO has no writer must not keep us from seeing that it is one.
          descriptor_{standard_ ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)} {}
    InputFile(const InputFile&) = delete;
    InputFile& operator=(const InputFile&) = delete;
    ~InputFile() {
        if (!standard_ && descriptor_ >= 0) ::close(descriptor_);
    }
    [[nodiscard]] int get() const { return descriptor_; }
    [[nodiscard]] bool fit_to_read() const {
        struct stat status{};
        return standard_ || (::fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode));
    }

 private:
    bool standard_;
    int descriptor_;
};

}  // namespace

Expected<std::string> read_text_file(std::string_view what, const std::string& path, std::size_t longest) {
    const std::string whole_name = std::string{what} + " " + (path == "-" ? "on standard input" : path);
    const auto unreadable = [&](int error) {
        return fail(error == ENOENT ? ErrorCode::not_found : ErrorCode::unavailable,
                    "cannot read " + whole_name + ": " + std::generic_category().message(error));
    };
    const InputFile file{path};
    if (file.get() < 0) return unreadable(errno);
    if (!file.fit_to_read()) {
        return fail(ErrorCode::invalid_argument, "cannot read " + whole_name + ": it is no regular file");
    }
    std::string text;
    char part[std::size_t{16} * 1024];
    while (true) {
        const ssize_t got = ::read(file.get(), part, sizeof part);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return unreadable(errno);
        if (got == 0) return text;
        text.append(part, static_cast<std::size_t>(got));
        if (text.size() > longest) {
            return fail(ErrorCode::invalid_argument,
                        whole_name + " has more than " + std::to_string(longest >> 20U) + " MiB");
        }
    }
}

}  // namespace rta::app
