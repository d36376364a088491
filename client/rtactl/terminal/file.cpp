// SPDX-License-Identifier: MIT
#include "rtactl/terminal/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <system_error>
#include <utility>

#include "text/names.h"

namespace rta::rtactl {

namespace {

std::string why(int error) { return std::generic_category().message(error); }

std::unexpected<std::string> cannot(std::string_view verb, std::string_view path, int error) {
    return std::unexpected("cannot " + std::string{verb} + " " + quoted(path) + ": " + why(error));
}

/// Owns a descriptor, and a temporary file that is removed if the replacement fails.
class Output {
 public:
    explicit Output(int descriptor, std::string unfinished = {})
        : descriptor_{descriptor}, unfinished_{std::move(unfinished)} {}
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;
    ~Output() {
        if (descriptor_ >= 0) ::close(descriptor_);
        if (!unfinished_.empty()) ::unlink(unfinished_.c_str());
    }

    [[nodiscard]] int descriptor() const { return descriptor_; }
    /// Returns 0 or an errno value: some file systems report a full disk only here.
    int close() { return ::close(std::exchange(descriptor_, -1)) == 0 ? 0 : errno; }
    void finished() { unfinished_.clear(); }

    int write(std::string_view text) const {
        while (!text.empty()) {
            const ssize_t count = ::write(descriptor_, text.data(), text.size());
            if (count < 0 && errno != EINTR) return errno;
            if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
        }
        return 0;
    }

 private:
    int descriptor_;
    std::string unfinished_;
};

std::expected<void, std::string> write_in_place(const std::string& path, std::string_view text) {
    Output output{::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY)};
    if (output.descriptor() < 0) return cannot("write", path, errno);
    if (const int error = output.write(text); error != 0) return cannot("write", path, error);
    if (const int error = output.close(); error != 0) return cannot("write", path, error);
    return {};
}

/// Resolves symbolic links of an existing file, so that the rename replaces its target.
std::string real_path(const std::string& path) {
    const std::unique_ptr<char, decltype(&std::free)> resolved{::realpath(path.c_str(), nullptr), &std::free};
    return resolved ? std::string{resolved.get()} : path;
}

mode_t mode_of_new_file() {
    const mode_t mask = ::umask(0);  // the only way to read it; rtactl is single-threaded
    ::umask(mask);
    return 0666 & ~mask;
}

/// Flushes the renamed entry to disk. Errors are ignored: some file systems do not support it.
void sync_folder(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return;
    ::fsync(descriptor);
    ::close(descriptor);
}

}  // namespace

std::expected<std::string, std::string> read_stream(std::istream& in, std::string_view name, std::size_t most_bytes) {
    std::string text;
    std::array<char, 65'536> bytes{};
    while (in) {
        in.read(bytes.data(), bytes.size());
        text.append(bytes.data(), static_cast<std::size_t>(in.gcount()));
        if (text.size() > most_bytes) {
            return std::unexpected(quoted(name) + " has more than " + std::to_string(most_bytes) +
                                   " bytes, the most that can be sent");
        }
    }
    if (in.bad()) return std::unexpected("cannot read " + quoted(name));
    return text;
}

std::expected<std::string, std::string> read_file(const std::string& path, std::size_t most_bytes) {
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0) return cannot("read", path, errno);
    if (S_ISDIR(info.st_mode)) return cannot("read", path, EISDIR);
    errno = 0;
    std::ifstream in{path, std::ios::binary};
    if (!in) return cannot("read", path, errno == 0 ? EIO : errno);
    return read_stream(in, path, most_bytes);
}

std::expected<void, std::string> replace_file(const std::string& path, std::string_view text) {
    struct stat info{};
    const bool exists = ::stat(path.c_str(), &info) == 0;
    if (!exists && errno != ENOENT) return cannot("write", path, errno);
    if (exists && S_ISDIR(info.st_mode)) return cannot("write", path, EISDIR);
    if (exists && !S_ISREG(info.st_mode)) return write_in_place(path, text);

    const std::string target = exists ? real_path(path) : path;
    std::string temporary = target + ".XXXXXX";
    const int descriptor = ::mkostemp(temporary.data(), O_CLOEXEC);
    if (descriptor < 0) return cannot("write", path, errno);
    Output output{descriptor, temporary};
    if (const int error = output.write(text); error != 0) return cannot("write", path, error);
    if (::fchmod(descriptor, exists ? info.st_mode & 07777 : mode_of_new_file()) != 0)
        return cannot("write", path, errno);
    if (::fsync(descriptor) != 0) return cannot("write", path, errno);
    if (const int error = output.close(); error != 0) return cannot("write", path, error);
    if (::rename(temporary.c_str(), target.c_str()) != 0) return cannot("write", path, errno);
    output.finished();
    sync_folder(target);
    return {};
}

}  // namespace rta::rtactl
