// SPDX-License-Identifier: MIT
#include "graph/shared_vector.h"

#include <gtest/gtest.h>

#include <vector>

#include "graph/name_table.h"

namespace rta {
namespace {

std::vector<int> contents(const SharedVector<int>& items) { return {items.begin(), items.end()}; }

TEST(SharedVector, CopiesShareTheElementsUntilOneChanges) {
    SharedVector<int> original{std::vector<int>{1, 2, 3}};
    SharedVector<int> copy = original;
    EXPECT_EQ(&original[0], &copy[0]);

    copy.own()[1] = 5;
    EXPECT_NE(&original[0], &copy[0]);
    EXPECT_EQ(contents(original), (std::vector<int>{1, 2, 3}));
    EXPECT_EQ(contents(copy), (std::vector<int>{1, 5, 3}));
}

TEST(SharedVector, AVectorThatIsNotSharedIsChangedInPlace) {
    SharedVector<int> items{std::vector<int>{1, 2, 3}};
    const int* const first = &items[0];
    {
        const SharedVector<int> copy = items;
    }
    items.own()[0] = 7;
    EXPECT_EQ(first, &items[0]);
    EXPECT_EQ(contents(items), (std::vector<int>{7, 2, 3}));
}

TEST(SharedVector, TheOriginalOfACopyMayChange) {
    SharedVector<int> original{std::vector<int>{1}};
    const SharedVector<int> copy = original;
    original.own().push_back(2);
    EXPECT_EQ(contents(copy), (std::vector<int>{1}));
    EXPECT_EQ(contents(original), (std::vector<int>{1, 2}));
}

TEST(SharedVector, ACopyOfATableOfNamesIsIndependent) {
    const auto any = [](std::uint64_t) { return true; };
    NameTable original;
    original.add("one", 1);
    NameTable copy = original;
    copy.remove("one", 1);
    copy.add("two", 2);
    EXPECT_EQ(original.find("one", any), 1U);
    EXPECT_EQ(original.find("two", any), 0U);
    EXPECT_EQ(copy.find("one", any), 0U);
    EXPECT_EQ(copy.find("two", any), 2U);
}

}  // namespace
}  // namespace rta
