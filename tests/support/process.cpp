// SPDX-License-Identifier: MIT
#include "support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <system_error>

extern char** environ;

namespace rta::test {
namespace {

[[noreturn]] void fail_with_errno(const std::string& what) {
    throw std::runtime_error(what + ": " + std::generic_category().message(errno));
}

/// What a pipe of Linux holds: one read takes all that is in it.
constexpr std::size_t kPipeBytes = 65'536;

struct Pipe {
    os::UniqueFd read;
    os::UniqueFd write;
};

Pipe make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail_with_errno("cannot make a pipe");
    return {os::UniqueFd{ends[0]}, os::UniqueFd{ends[1]}};
}

/// Returns the full path of a program, because between fork and exec nothing may be looked up or allocated.
std::string find_program(const std::string& program) {
    if (program.find('/') != std::string::npos) return program;
    const char* path = std::getenv("PATH");
    std::string_view rest = path == nullptr ? "/usr/bin:/bin" : path;
    while (!rest.empty()) {
        const std::size_t colon = std::min(rest.find(':'), rest.size());
        const std::string candidate = std::string(rest.substr(0, colon)) + "/" + program;
        if (::access(candidate.c_str(), X_OK) == 0) return candidate;
        rest.remove_prefix(std::min(colon + 1, rest.size()));
    }
    throw std::runtime_error("cannot run " + program + ": it is not in PATH; is its package installed?");
}

std::vector<std::string> make_environment(const std::map<std::string, std::string>& changes) {
    std::vector<std::string> result;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        if (!changes.contains(std::string(text.substr(0, text.find('='))))) result.emplace_back(text);
    }
    for (const auto& [name, value] : changes) {
        if (!value.empty()) result.push_back(name + "=" + value);
    }
    return result;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

/// Runs in the child between fork and exec: only async-signal-safe calls.
[[noreturn]] void become(const char* program, char* const* arguments, char* const* environment, int input, int output,
                         int error, int failure, pid_t parent) {
    // The child must not outlive a killed test. The parent may have exited before prctl() took effect.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    if (::dup2(input, 0) == 0 && ::dup2(output, 1) == 1 && ::dup2(error, 2) == 2) {
        ::execve(program, arguments, environment);
    }
    const int reason = errno;
    static_cast<void>(!::write(failure, &reason, sizeof reason));
    ::_exit(127);
}

/// Returns true when a byte or the end of the stream can be read before the deadline.
bool wait_readable(int fd, const Deadline& deadline) {
    pollfd entry{fd, POLLIN, 0};
    for (;;) {
        const int ready = ::poll(&entry, 1, static_cast<int>(deadline.left().count()));
        if (ready > 0) return true;
        if (ready == 0 && deadline.passed()) return false;
        if (ready < 0 && errno != EINTR) return false;
    }
}

}  // namespace

std::string describe(const ExitStatus& status) {
    if (status.signal == 0) return "exit status " + std::to_string(status.code);
    return "killed by signal " + std::to_string(status.signal) + " (" + ::strsignal(status.signal) + ")";
}

Process::Process(const Command& command) : name_{std::filesystem::path(command.program).filename()} {
    const std::string program = find_program(command.program);
    std::vector<std::string> arguments{program};
    arguments.insert(arguments.end(), command.arguments.begin(), command.arguments.end());
    std::vector<std::string> environment = make_environment(command.environment);
    const std::vector<char*> argument_pointers = pointers_to(arguments);
    const std::vector<char*> environment_pointers = pointers_to(environment);

    Pipe input = make_pipe();
    Pipe output = make_pipe();
    Pipe error = make_pipe();
    Pipe failure = make_pipe();  // closed by a successful exec
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) fail_with_errno("cannot fork for " + program);
    if (pid_ == 0) {
        become(program.c_str(), argument_pointers.data(), environment_pointers.data(), input.read.get(),
               output.write.get(), error.write.get(), failure.write.get(), parent);
    }
    failure.write.reset();
    int reason = 0;
    if (::read(failure.read.get(), &reason, sizeof reason) == static_cast<ssize_t>(sizeof reason)) {
        ::waitpid(pid_, nullptr, 0);
        throw std::runtime_error("cannot run " + program + ": " + std::generic_category().message(reason));
    }
    pidfd_ = os::UniqueFd{static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0))};
    if (!pidfd_) fail_with_errno("cannot watch " + program);
    stop_ = os::UniqueFd{::eventfd(0, EFD_CLOEXEC)};
    input_ = std::move(input.write);
    output_.pipe = std::move(output.read);
    error_.pipe = std::move(error.read);
    // Not the ends of the process, which have flags of their own.
    for (const Captured* captured : {&output_, &error_}) ::fcntl(captured->pipe.get(), F_SETFL, O_NONBLOCK);
    // A process that exits without reading must not terminate the test.
    ::signal(SIGPIPE, SIG_IGN);
    collector_ = std::thread{[this] { collect(); }};
}

Process::~Process() { kill(); }

void Process::collect() {
    std::array<Captured*, 2> sources{&output_, &error_};
    std::array<pollfd, 3> polled{
        {{output_.pipe.get(), POLLIN, 0}, {error_.pipe.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
    while (polled[0].fd >= 0 || polled[1].fd >= 0) {
        if (::poll(polled.data(), polled.size(), -1) < 0) {
            if (errno == EINTR) continue;
            break;
        }
        bool something = false;
        for (std::size_t i = 0; i < sources.size(); ++i) {
            if (polled[i].fd < 0 || polled[i].revents == 0) continue;
            something = true;
            const std::lock_guard lock{mutex_};
            take_written(*sources[i]);
            if (sources[i]->ended) polled[i].fd = -1;
            arrived_.notify_all();
        }
        // Only when nothing is left to read, so that the last output of the process is not lost.
        if (!something && polled[2].revents != 0) break;
    }
    const std::lock_guard lock{mutex_};
    output_.ended = true;
    error_.ended = true;
    arrived_.notify_all();
}

void Process::take_written(Captured& to) {
    std::array<char, kPipeBytes> chunk{};
    ssize_t count = 0;
    do {
        count = ::read(to.pipe.get(), chunk.data(), chunk.size());
    } while (count < 0 && errno == EINTR);
    if (count > 0) {
        to.text.append(chunk.data(), static_cast<std::size_t>(count));
    } else if (count == 0) {
        to.ended = true;
    }
}

std::string Process::text(Stream stream) const {
    const std::lock_guard lock{mutex_};
    Captured& from = captured(stream);
    take_written(from);
    return from.text;
}

std::optional<std::string> Process::wait_for_line(Stream stream, std::string_view part,
                                                  std::chrono::milliseconds patience) {
    const Deadline deadline{patience};
    std::unique_lock lock{mutex_};
    Captured& from = captured(stream);
    for (;;) {
        for (std::size_t end = from.text.find('\n', from.searched); end != std::string::npos;
             end = from.text.find('\n', from.searched)) {
            std::string line = from.text.substr(from.searched, end - from.searched);
            from.searched = end + 1;
            if (line.find(part) != std::string::npos) return line;
        }
        if (from.ended || deadline.passed()) return std::nullopt;
        arrived_.wait_until(lock, deadline.end());
    }
}

bool Process::write(std::string_view text) {
    while (!text.empty()) {
        const ssize_t count = ::write(input_.get(), text.data(), text.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

void Process::close_input() { input_.reset(); }

void Process::signal(int number) const {
    if (!status_) ::kill(pid_, number);
}

bool Process::running() { return !reap(std::chrono::milliseconds{0}); }

bool Process::reap(std::chrono::milliseconds patience) {
    if (status_) return true;
    if (!wait_readable(pidfd_.get(), Deadline{patience})) return false;
    int raw = 0;
    while (::waitpid(pid_, &raw, 0) < 0 && errno == EINTR) {
    }
    status_ = WIFEXITED(raw) ? ExitStatus{WEXITSTATUS(raw), 0} : ExitStatus{-1, WTERMSIG(raw)};
    return true;
}

std::optional<ExitStatus> Process::wait(std::chrono::milliseconds patience) {
    if (!reap(patience)) return std::nullopt;
    if (collector_.joinable()) {
        const std::uint64_t one = 1;
        static_cast<void>(!::write(stop_.get(), &one, sizeof one));
        collector_.join();
    }
    return status_;
}

ExitStatus Process::kill() {
    signal(SIGKILL);
    // After SIGKILL, the process exits as soon as the kernel has processed the signal.
    return wait(std::chrono::hours{1}).value_or(ExitStatus{});
}

RunResult run(const Command& command, std::string_view input, std::chrono::milliseconds patience) {
    Process process{command};
    process.write(input);
    process.close_input();
    const std::optional<ExitStatus> status = process.wait(patience);
    if (!status) {
        throw std::runtime_error(process.name() + " has not ended; output: " + process.output() +
                                 "\nerror: " + process.error());
    }
    return {*status, process.output(), process.error()};
}

}  // namespace rta::test
