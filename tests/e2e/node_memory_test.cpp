// SPDX-License-Identifier: MIT
// Large nodes that come and go do not make the heap grow.
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "support/daemon.h"
#include "support/effort.h"

namespace rta::test {
namespace {

constexpr int kRounds = 200;

/// Returns the most resident memory that the process has had.
long peak_kib(pid_t pid) {
    std::ifstream status{"/proc/" + std::to_string(pid) + "/status"};
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmHWM:")) return std::stol(line.substr(6));
    }
    return 0;
}

/// A delay of this length takes 188 KiB for each second.
class NodeMemory : public ::testing::TestWithParam<float> {};

TEST_P(NodeMemory, OfDelaysThatAreAddedAndRemovedIsUsedAgain) {
    // Processors of removed nodes are kept for an undo, so few that the others would be noticed.
    Daemon daemon{{.arguments = {"--device", "null", "--max-kept-memory", "1MiB", "--log-level", "error"}}};
    ProtocolClient client = daemon.client();
    const pid_t pid = daemon.process().pid();
    const auto come_and_go = [&](int rounds) {
        for (int i = 0; i < rounds; ++i) {
            client.apply(transaction({add_node("delay_line", "echo", {}, {{"max_time_ms", GetParam()}})}));
            client.apply(transaction({remove_node("echo")}));
        }
    };
    come_and_go(20);  // what the first use of each part needs is not counted
    const long before = peak_kib(pid);
    come_and_go(kRounds);
    constexpr long kGrowthKib = 8 * 1'024;
    static_assert(kRounds * 188 > 4 * kGrowthKib, "even the smallest of the nodes take more than that together");
    const long after = peak_kib(pid);
    RecordProperty("growth_kib", static_cast<int>(after - before));
    // Sanitizers keep freed memory.
    EXPECT_TRUE(kSanitized || after <= before + kGrowthKib) << before << " KiB, then " << after;
    EXPECT_EQ(client.status().engine().node_count(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Sizes, NodeMemory, ::testing::Values(1'100.0F, 2'000.0F, 5'000.0F, 10'000.0F));

}  // namespace
}  // namespace rta::test
