// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace rta::test {

[[nodiscard]] inline double number_from_environment(const char* name, double otherwise) {
    const char* const text = std::getenv(name);
    return text == nullptr ? otherwise : std::atof(text);
}

/// Returns a failure without its numbers. A shorter storm must fail in the same way.
[[nodiscard]] inline std::string without_numbers(std::string failure) {
    std::erase_if(failure,
                  [](char c) { return (c >= '0' && c <= '9') || c == '.' || c == '-' || c == 'e' || c == '+'; });
    return failure;
}

/// Leaves out items while `fails` returns true for what is left: first half of them at a time, then fewer.
template <class Item, class Fails>
void shrink(std::vector<Item>& items, Fails fails) {
    for (std::size_t size = items.size(); size > 0; size /= 2) {
        for (std::size_t end = items.size(); end >= size; end -= size) {
            std::vector<Item> fewer = items;
            const auto last = fewer.begin() + static_cast<std::ptrdiff_t>(end);
            fewer.erase(last - static_cast<std::ptrdiff_t>(size), last);
            if (fails(fewer)) items = std::move(fewer);
        }
    }
}

}  // namespace rta::test
