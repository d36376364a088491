// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "os/unique_fd.h"
#include "support/deadline.h"

namespace rta::test {

/// Exit status of a process.
struct ExitStatus {
    int code = -1;   ///< exit status; -1 if it was killed by a signal
    int signal = 0;  ///< signal that killed it; 0 if it exited

    [[nodiscard]] bool operator==(const ExitStatus&) const = default;
};

/// Returns text such as "exit status 2" or "killed by signal 9 (Killed)".
[[nodiscard]] std::string describe(const ExitStatus& status);

/// A program to run, with its arguments and environment.
struct Command {
    std::string program;  ///< path, or a name to look up in PATH
    std::vector<std::string> arguments{};
    /// Added to the environment of the test; an empty value removes the variable.
    std::map<std::string, std::string> environment{};
};

/// A child process whose output is collected while it runs. It is killed with the test, however the test ends.
class Process {
 public:
    enum class Stream { output, error };

    /// Throws std::runtime_error with the name of the program if it cannot be started.
    explicit Process(const Command& command);
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    /// Kills the process if it is still running, and waits for it.
    ~Process();

    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] const std::string& name() const { return name_; }

    /// Returns the output of the process so far: all that it wrote before the call.
    [[nodiscard]] std::string text(Stream stream) const;
    [[nodiscard]] std::string output() const { return text(Stream::output); }
    [[nodiscard]] std::string error() const { return text(Stream::error); }

    /// Waits until the process has written a whole line that contains `part`, and returns the line. Returns nullopt if
    /// the stream ends or the timeout expires first. The next search starts after the returned line.
    [[nodiscard]] std::optional<std::string> wait_for_line(Stream stream, std::string_view part,
                                                           std::chrono::milliseconds patience = kPatience);

    /// Writes to the standard input. Returns false if the process no longer reads.
    bool write(std::string_view text);
    void close_input();

    void signal(int number) const;
    [[nodiscard]] bool running();
    /// Waits for the exit and for the rest of the output. Returns nullopt on timeout.
    [[nodiscard]] std::optional<ExitStatus> wait(std::chrono::milliseconds patience = kPatience);
    /// Sends SIGKILL, and waits for the exit.
    ExitStatus kill();

 private:
    struct Captured {
        os::UniqueFd pipe;
        std::string text;
        std::size_t searched = 0;  ///< position at which wait_for_line() continues
        bool ended = false;
    };

    void collect();
    /// Takes what is in the pipe now. The caller holds mutex_.
    static void take_written(Captured& to);
    bool reap(std::chrono::milliseconds patience);
    [[nodiscard]] Captured& captured(Stream stream) const { return stream == Stream::output ? output_ : error_; }

    std::string name_;
    pid_t pid_ = -1;
    os::UniqueFd pidfd_;  ///< readable when the process has exited
    os::UniqueFd input_;
    os::UniqueFd stop_;  ///< stops the collector: a grandchild may keep the pipes open
    std::optional<ExitStatus> status_;

    mutable std::mutex mutex_;  ///< guards output_ and error_
    std::condition_variable arrived_;
    mutable Captured output_;
    mutable Captured error_;
    std::thread collector_;
};

/// Exit status and output of a process that has exited.
struct RunResult {
    ExitStatus status;
    std::string output;
    std::string error;
};

/// Runs a program to its exit, with `input` as standard input. Throws std::runtime_error if it exceeds `patience`.
[[nodiscard]] RunResult run(const Command& command, std::string_view input = {},
                            std::chrono::milliseconds patience = kPatience);

}  // namespace rta::test
