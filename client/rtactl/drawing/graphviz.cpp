// SPDX-License-Identifier: MIT
#include "rtactl/drawing/graphviz.h"

#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace rta::rtactl {

namespace {

/// File in memory. Unlike with pipes, neither process can block on the other.
class MemoryFile {
 public:
    MemoryFile() : descriptor_{::memfd_create("rtactl", MFD_CLOEXEC)} {}
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;
    ~MemoryFile() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }

    [[nodiscard]] int descriptor() const { return descriptor_; }

    /// Writes the text and rewinds. Returns false on failure.
    [[nodiscard]] bool write(std::string_view text) const {
        while (!text.empty()) {
            const ssize_t count = ::write(descriptor_, text.data(), text.size());
            if (count <= 0) return false;
            text.remove_prefix(static_cast<std::size_t>(count));
        }
        return ::lseek(descriptor_, 0, SEEK_SET) == 0;
    }

    /// Returns the whole contents.
    [[nodiscard]] std::string read() const {
        std::string text;
        std::array<char, 65'536> bytes{};
        for (;;) {
            const ssize_t count = ::pread(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(text.size()));
            if (count <= 0) return text;
            text.append(bytes.data(), static_cast<std::size_t>(count));
        }
    }

 private:
    int descriptor_;
};

std::unexpected<std::string> cannot(int error) {
    if (error == ENOENT) {
        return std::unexpected<std::string>(
            "cannot draw: the program dot of Graphviz is not installed (Debian package: graphviz); `rtactl graph dot` "
            "prints its input");
    }
    return std::unexpected("cannot run dot: " + std::generic_category().message(error));
}

/// Returns 0 or an errno value. `status` is that of waitpid(2).
int run_dot(int in, int out, int& status) {
    std::array<char, 4> name{"dot"};
    std::array<char, 6> format{"-Tsvg"};
    const std::array<char*, 3> arguments{name.data(), format.data(), nullptr};
    posix_spawn_file_actions_t actions{};
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    pid_t process = 0;
    const int error = ::posix_spawnp(&process, name.data(), &actions, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) return error;
    while (::waitpid(process, &status, 0) < 0) {
        if (errno != EINTR) return errno;
    }
    return 0;
}

}  // namespace

std::expected<std::string, std::string> draw_svg(std::string_view dot) {
    const MemoryFile in;
    const MemoryFile out;
    if (in.descriptor() < 0 || out.descriptor() < 0 || !in.write(dot)) return cannot(errno);
    int status = 0;
    if (const int error = run_dot(in.descriptor(), out.descriptor(), status); error != 0) return cannot(error);
    if (status != 0) return std::unexpected<std::string>("dot failed; `rtactl graph dot` prints its input");
    return out.read();
}

}  // namespace rta::rtactl
