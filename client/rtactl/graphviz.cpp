// SPDX-License-Identifier: MIT
#include "rtactl/graphviz.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

namespace rta::rtactl {

namespace {

struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
/// Files rather than pipes: neither side can wait for the other.
using TemporaryFile = std::unique_ptr<std::FILE, Close>;

std::unexpected<std::string> cannot(int error) {
    if (error == ENOENT) {
        return std::unexpected<std::string>(
            "drawing needs Graphviz's program dot, which is not installed here (Debian: the package graphviz); `rtactl "
            "graph dot` prints what it draws");
    }
    return std::unexpected("dot cannot be run: " + std::generic_category().message(error));
}

/// 0, or an errno; `status` is what waitpid(2) tells.
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
    const TemporaryFile in{std::tmpfile()};
    const TemporaryFile out{std::tmpfile()};
    if (!in || !out) return cannot(errno);
    if (std::fwrite(dot.data(), 1, dot.size(), in.get()) != dot.size() || std::fflush(in.get()) != 0)
        return cannot(errno);
    std::rewind(in.get());
    int status = 0;
    if (const int error = run_dot(::fileno(in.get()), ::fileno(out.get()), status); error != 0) return cannot(error);
    if (status != 0) return std::unexpected<std::string>("dot failed; `rtactl graph dot` prints what it was to draw");

    std::string svg;
    std::rewind(out.get());
    std::array<char, 65'536> bytes{};
    for (std::size_t count = bytes.size(); count == bytes.size();) {
        count = std::fread(bytes.data(), 1, bytes.size(), out.get());
        svg.append(bytes.data(), count);
    }
    return svg;
}

}  // namespace rta::rtactl
