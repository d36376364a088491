// SPDX-License-Identifier: MIT
#include "graph/name_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

namespace rta {
namespace {

TEST(NameTable, FindsWhatAMapFindsAfterRandomChanges) {
    NameTable table;
    std::map<std::string, std::uint64_t> names;
    std::map<std::uint64_t, std::string> name_of;
    std::mt19937 random{1};
    const auto expect_found = [&](const std::string& name) {
        const std::uint64_t found = table.find(name, [&](std::uint64_t id) { return name_of.at(id) == name; });
        const auto expected = names.find(name);
        ASSERT_EQ(found, expected == names.end() ? 0 : expected->second) << name;
    };
    for (std::uint64_t id = 1; id <= 20'000; ++id) {
        const std::string name = "n" + std::to_string(random() % 1'000);
        if (const auto old = names.find(name); old != names.end()) {
            table.remove(name, old->second);
            name_of.erase(old->second);
            names.erase(old);
        } else {
            table.add(name, id);
            names.emplace(name, id);
            name_of.emplace(id, name);
        }
        expect_found(name);
        expect_found("n" + std::to_string(random() % 1'000));
    }
    for (int n = 0; n < 1'000; ++n) expect_found("n" + std::to_string(n));
}

}  // namespace
}  // namespace rta
