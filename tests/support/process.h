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

/// How a process ended.
struct ExitStatus {
    int code = -1;   ///< what it returned; -1 if a signal ended it
    int signal = 0;  ///< the signal that ended it; 0 if it returned

    [[nodiscard]] bool operator==(const ExitStatus&) const = default;
};

/// "exit status 2", "killed by signal 9 (Killed)".
[[nodiscard]] std::string describe(const ExitStatus& status);

/// What to run and how.
struct Command {
    std::string program;  ///< a path, or a name to be looked for in PATH
    std::vector<std::string> arguments{};
    /// Added to the environment of the test; an empty value removes the variable.
    std::map<std::string, std::string> environment{};
};

/// A child process whose output is collected while it runs. It dies with the test, whatever ends the test.
class Process {
 public:
    enum class Stream { output, error };

    /// Throws std::runtime_error, naming the program, if it cannot be started.
    explicit Process(const Command& command);
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    /// Kills the process if it still runs, and waits for it.
    ~Process();

    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] const std::string& name() const { return name_; }

    /// What the process has written so far.
    [[nodiscard]] std::string text(Stream stream) const;
    [[nodiscard]] std::string output() const { return text(Stream::output); }
    [[nodiscard]] std::string error() const { return text(Stream::error); }

    /// Waits until the process has written a whole line that contains `part` and returns the line; nullopt if the
    /// stream ended, or `patience` did, without one. A line that was found once is not found again: the search goes on
    /// behind it.
    [[nodiscard]] std::optional<std::string> wait_for_line(Stream stream, std::string_view part,
                                                           std::chrono::milliseconds patience = kPatience);

    /// Writes to the standard input. False if the process does not read any more.
    bool write(std::string_view text);
    void close_input();

    void signal(int number) const;
    [[nodiscard]] bool running();
    /// Waits for the end and for the rest of the output. nullopt if the process still runs when `patience` is over.
    [[nodiscard]] std::optional<ExitStatus> wait(std::chrono::milliseconds patience = kPatience);
    /// SIGKILL, and waits.
    ExitStatus kill();

 private:
    struct Captured {
        std::string text;
        std::size_t searched = 0;  ///< where wait_for_line() goes on
        bool ended = false;
    };

    void collect();
    bool reap(std::chrono::milliseconds patience);
    [[nodiscard]] Captured& captured(Stream stream) { return stream == Stream::output ? output_ : error_; }
    [[nodiscard]] const Captured& captured(Stream stream) const { return stream == Stream::output ? output_ : error_; }

    std::string name_;
    pid_t pid_ = -1;
    os::UniqueFd pidfd_;  ///< readable once the process has ended
    os::UniqueFd input_;
    os::UniqueFd output_pipe_;
    os::UniqueFd error_pipe_;
    os::UniqueFd stop_;  ///< tells the collector to give up: a grandchild may hold the pipes for ever
    std::optional<ExitStatus> status_;

    mutable std::mutex mutex_;  ///< guards output_ and error_
    std::condition_variable arrived_;
    Captured output_;
    Captured error_;
    std::thread collector_;
};

/// How a process that was run to its end ended, and all it wrote.
struct RunResult {
    ExitStatus status;
    std::string output;
    std::string error;
};

/// Runs to the end with `input` as standard input. Throws std::runtime_error if that takes longer than `patience`.
[[nodiscard]] RunResult run(const Command& command, std::string_view input = {},
                            std::chrono::milliseconds patience = kPatience);

}  // namespace rta::test
