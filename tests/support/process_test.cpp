// SPDX-License-Identifier: MIT
#include "support/process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>

#include "support/temporary.h"

namespace rta::test {
namespace {

Command shell(const std::string& script) { return {"sh", {"-c", script}}; }

TEST(Process, CollectsBothStreamsAndTheStatus) {
    const RunResult result = run(shell("read line; echo \"got $line\"; echo trouble >&2; exit 3"), "hello\n");
    EXPECT_EQ(result.status, (ExitStatus{3, 0}));
    EXPECT_EQ(result.output, "got hello\n");
    EXPECT_EQ(result.error, "trouble\n");
}

TEST(Process, CollectsWhatIsWrittenRightBeforeTheEnd) {
    const RunResult result = run(shell("i=0; while [ $i -lt 20000 ]; do echo 0123456789; i=$((i+1)); done"));
    EXPECT_EQ(result.output.size(), 20'000U * 11U);
}

TEST(Process, WaitsForALineAndGoesOnBehindIt) {
    Process process{shell("echo one; echo two; read line; echo two again; read line")};
    EXPECT_EQ(process.wait_for_line(Process::Stream::output, "two"), "two");
    process.write("go\n");
    EXPECT_EQ(process.wait_for_line(Process::Stream::output, "two"), "two again");
    EXPECT_TRUE(process.running());
    process.close_input();
    EXPECT_EQ(process.wait(), (ExitStatus{1, 0}));
    EXPECT_EQ(process.wait_for_line(Process::Stream::output, "three"), std::nullopt) << "the stream has ended";
}

TEST(Process, WhatWasWrittenBeforeALineIsThereWhenTheLineIs) {
    Process process{shell("while read line; do echo reason >&2; echo ready; done")};
    std::string expected;
    for (int round = 0; round < 1'000; ++round) {
        process.write("go\n");
        ASSERT_TRUE(process.wait_for_line(Process::Stream::output, "ready"));
        expected += "reason\n";
        ASSERT_EQ(process.error().size(), expected.size()) << "in round " << round;
    }
    EXPECT_EQ(process.error(), expected);
}

TEST(Process, TellsTheSignalThatEndedIt) {
    Process process{shell("echo ready; read line")};
    ASSERT_TRUE(process.wait_for_line(Process::Stream::output, "ready"));
    process.signal(SIGTERM);
    EXPECT_EQ(process.wait(), (ExitStatus{-1, SIGTERM}));
}

TEST(Process, PassesTheEnvironment) {
    Command command = shell("echo \"$RTA_A$HOME\"");
    command.environment = {{"RTA_A", "a"}, {"HOME", ""}};
    EXPECT_EQ(run(command).output, "a\n");
}

TEST(Process, NamesAProgramThatIsNotThere) {
    try {
        const Process process{{"rta-no-such-program"}};
        FAIL() << "it was started";
    } catch (const std::runtime_error& error) {
        EXPECT_NE(std::string{error.what()}.find("rta-no-such-program"), std::string::npos) << error.what();
    }
    EXPECT_THROW(Process({"/etc/passwd"}), std::runtime_error) << "no program at all";
}

TEST(Process, IsKilledWithItsOwner) {
    pid_t pid = 0;
    {
        Process process{shell("trap '' TERM; echo ready; read line")};
        ASSERT_TRUE(process.wait_for_line(Process::Stream::output, "ready"));
        pid = process.pid();
    }
    EXPECT_EQ(::kill(pid, 0), -1);
}

TEST(Process, DiesWithAParentThatIsKilled) {
    // All descendants inherit the pipe: it is closed when the last of them has exited.
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    const pid_t parent = ::fork();
    if (parent == 0) {
        const Process child{shell("read line")};
        ::kill(::getpid(), SIGKILL);  // no destructor runs
    }
    ::close(ends[1]);
    char byte = 0;
    EXPECT_EQ(::read(ends[0], &byte, 1), 0);
    ::close(ends[0]);
    ::waitpid(parent, nullptr, 0);
}

TEST(Process, AGrandchildThatKeepsThePipeDoesNotHoldTheTest) {
    const RunResult result = run(shell("sleep 1000 & echo $!"));
    EXPECT_EQ(result.status, (ExitStatus{0, 0}));
    ::kill(static_cast<pid_t>(std::stoi(result.output)), SIGKILL);
}

TEST(Temporary, DirectoriesDifferAndGoAway) {
    std::filesystem::path path;
    {
        const TemporaryDirectory a;
        const TemporaryDirectory b;
        EXPECT_NE(a.path(), b.path());
        path = a.path();
        write_text(a / "file", "text");
        EXPECT_EQ(read_text(a / "file"), "text");
    }
    EXPECT_FALSE(std::filesystem::exists(path));
    EXPECT_THROW(static_cast<void>(read_text(path / "file")), std::runtime_error);
}

TEST(Temporary, PortsAreFree) { EXPECT_NE(free_tcp_port(), 0); }

}  // namespace
}  // namespace rta::test
