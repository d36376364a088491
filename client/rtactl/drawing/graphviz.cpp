// SPDX-License-Identifier: MIT
#include "rtactl/drawing/graphviz.h"

#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <limits>
#include <system_error>

#include "os/file.h"

namespace rta::rtactl {

namespace {

/// File in memory. Unlike with pipes, neither process can block on the other.
class MemoryFile {
 public:
    MemoryFile() : file_{::memfd_create("rtactl", MFD_CLOEXEC)} {}

    [[nodiscard]] int descriptor() const { return file_.get(); }

    /// Writes the text and rewinds.
    [[nodiscard]] os::Result<void> write(std::string_view text) const {
        if (auto written = os::write_all(file_.get(), text); !written) return written;
        return rewind();
    }
    /// Returns the whole contents.
    [[nodiscard]] os::Result<std::string> read() const {
        if (const auto rewound = rewind(); !rewound) return std::unexpected(rewound.error());
        return os::read_to_end(file_.get(), std::numeric_limits<std::size_t>::max());
    }

 private:
    [[nodiscard]] os::Result<void> rewind() const {
        if (::lseek(file_.get(), 0, SEEK_SET) != 0) return os::fail_with_errno();
        return {};
    }

    os::UniqueFd file_;
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
    auto svg = out.read();
    if (!svg) return cannot(svg.error().value());
    return std::move(*svg);
}

}  // namespace rta::rtactl
