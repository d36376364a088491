// SPDX-License-Identifier: MIT
#include "text/suggestion.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "text/quoting.h"

namespace rta {

namespace {

constexpr std::size_t kLongestList = 24;      // names
constexpr std::size_t kLongestCompared = 64;  // bytes: no name is longer
/// Bytes that one search compares, in a few milliseconds: a graph may have tens of thousands of nodes, whose names differ
/// in their last bytes only.
constexpr std::size_t kMostCompared = 1'000'000;
/// What the comparison of two names costs besides, in bytes.
constexpr std::size_t kOverhead = 64;

/// Optimal string alignment distance: the insertions, deletions, replacements and exchanges of neighbours that turn `a`
/// into `b`. Returns `limit + 1` if it is greater than `limit`. Subtracts the bytes that were compared from `left`.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit, std::size_t& left) {
    const auto count = [&left](std::size_t bytes) { left -= std::min(left, bytes); };
    count(1);
    if (a.size() > kLongestCompared || b.size() > kLongestCompared) return limit + 1;
    if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) > limit) return limit + 1;
    // What both begin with does not matter.
    const std::size_t same = static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
    count(same + kOverhead);
    a.remove_prefix(same);
    b.remove_prefix(same);
    using Row = std::array<std::size_t, kLongestCompared + 1>;
    Row before_last{};
    Row last{};
    Row row{};
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        count(b.size());
        row[0] = i;
        std::size_t least = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], before_last[j - 2] + 1);
            }
            least = std::min(least, row[j]);
        }
        if (least > limit) return limit + 1;
        before_last = last;
        last = row;
    }
    return last[b.size()];
}

/// Returns the only known name that begins with `name`; empty if there are several, or if `name` is too short.
std::string_view only_completion(std::string_view name, std::span<const std::string_view> known) {
    constexpr std::size_t kShortest = 3;
    if (name.size() < kShortest) return {};
    const auto completes = [&](std::string_view candidate) { return candidate.starts_with(name); };
    const auto first = std::ranges::find_if(known, completes);
    if (first == known.end() || std::find_if(first + 1, known.end(), completes) != known.end()) return {};
    return *first;
}

}  // namespace

std::string_view closest_name(std::string_view name, std::span<const std::string_view> known) {
    // One mistake in a short name, three in a long one.
    std::size_t limit = std::clamp<std::size_t>(name.size() / 3, 1, 3);
    std::string_view closest;
    std::size_t left = kMostCompared;
    for (const std::string_view candidate : known) {
        if (left == 0) break;
        const std::size_t distance = edit_distance(name, candidate, limit, left);
        // Every name of one letter is one replacement away from every other.
        if (distance > limit || distance >= std::max(name.size(), candidate.size())) continue;
        closest = candidate;
        if (distance == 0) break;
        limit = distance - 1;
    }
    return closest.empty() ? only_completion(name, known) : closest;
}

std::string unknown_name(std::string_view kind, std::string_view name, std::span<const std::string_view> known) {
    std::string sentence = "unknown ";
    sentence.append(kind).append(" ").append(quoted(name));
    if (known.empty()) return sentence += "; none exist";
    if (const std::string_view closest = closest_name(name, known); !closest.empty()) {
        sentence.append(" (did you mean ").append(quoted(closest)).append("?)");
    }
    sentence += known.size() == 1 ? "; expected " : "; expected one of: ";
    const std::size_t shown = std::min(known.size(), kLongestList);
    for (std::size_t i = 0; i < shown; ++i) {
        if (i != 0) sentence += ", ";
        sentence += known[i];
    }
    if (shown < known.size()) sentence.append(" and ").append(std::to_string(known.size() - shown)).append(" more");
    return sentence;
}

}  // namespace rta
