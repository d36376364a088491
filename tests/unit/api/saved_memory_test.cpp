// SPDX-License-Identifier: MIT
// What is saved is written while memory runs out, at each of its allocations in turn: the writer reports it, and the process goes on.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "api/confirmation/saved_confirmation.h"
#include "api/history/saved_history.h"
#include "support/failing_allocations.h"

namespace rta::api::test {
namespace {

using rta::test::allocations_left;
using rta::test::kNeverFails;

template <typename Saved>
void write_with_few_allocations(const Saved& saved) {
    const std::string whole = saved.write();
    std::string written;
    std::size_t failures = 0;
    while (written.empty()) {
        allocations_left = failures;
        try {
            written = saved.write();
        } catch (const std::bad_alloc&) {
            ++failures;
        }
        allocations_left = kNeverFails;
    }
    EXPECT_EQ(written, whole);
    EXPECT_GT(failures, 5U);
}

TEST(SavedMemory, AHistoryThatCannotBeWrittenIsReported) {
    SavedHistory saved;
    for (int i = 0; i < 100; ++i) {
        saved.identities.emplace("node_with_a_name_of_some_length_" + std::to_string(i),
                                 NodeIdentity{saved.next_identity++});
        HistoryStep step;
        step.number = saved.next_number++;
        step.author = "ann";
        step.label = "describe";
        StepContent content;
        content.changes.graph.emplace().after.annotation.description = std::string(1000, 'd');
        step.content = std::make_shared<StepContent>(std::move(content));
        saved.steps.push_back(std::move(step));
    }
    write_with_few_allocations(saved);
}

TEST(SavedMemory, AConfirmationThatCannotBeWrittenIsReported) {
    SavedConfirmation saved;
    saved.author = std::string(1000, 'a');
    saved.summary = std::string(5000, 's');
    for (std::uint64_t i = 1; i < 100; ++i) saved.mark.undone.push_back({i, "an author with a long name", true});
    saved.document = "{}\n";
    write_with_few_allocations(saved);
}

}  // namespace
}  // namespace rta::api::test
