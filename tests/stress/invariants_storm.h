// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "stress/invariants_model.h"

namespace rta::test::edit_invariants_test {

/// Draws a storm from a seed.
class StormMaker {
 public:
    explicit StormMaker(std::uint32_t seed) : seed_{seed}, random_{seed} {}

    [[nodiscard]] Storm make() {
        storm_.block_size = 16U << below(7);
        storm_.sample_rate_hz =
            std::array{8'000.0, 22'050.0, 44'100.0, 48'000.0, 48'000.0, 96'000.0, 192'000.0}.at(below(7));
        storm_.tone = below(3) == 0;
        storm_.with_snapshots = seed_ / 16 % 2 == 0;  // of every kind of storm, half
        if (seed_ % 16 == 7) {
            make_one_sided();
        } else {
            const std::vector<Kind> kinds = seed_ % 4 == 1 ? one_family() : many_kinds();
            storm_.kinds.insert(kinds.begin(), kinds.end());
            add_requests(kinds);
        }
        return std::move(storm_);
    }

 private:
    std::uint32_t below(std::size_t count) {
        return std::uniform_int_distribution<std::uint32_t>{0, static_cast<std::uint32_t>(count) - 1}(random_);
    }
    [[nodiscard]] std::uint32_t longest_wait() {
        const std::uint32_t longest_ms = std::array{3U, 15U, 40U, 100U}.at(below(4));
        return static_cast<std::uint32_t>(storm_.sample_rate_hz / 1'000.0 * longest_ms);
    }
    [[nodiscard]] Change change(const std::vector<Kind>& kinds, std::size_t region) {
        return {.kind = kinds.at(below(kinds.size())),
                .region = region,
                .first = below(1U << 16U),
                .second = below(1U << 16U)};
    }

    /// A storm without edits that affect all regions checks that the last region does not change. A storm without edits
    /// of the level checks that the level is constant.
    std::vector<Kind> many_kinds() {
        std::vector<Kind> kinds;
        for (auto kind = static_cast<std::uint32_t>(Kind::insert); kind <= static_cast<std::uint32_t>(Kind::neutral);
             ++kind)
            kinds.push_back(static_cast<Kind>(kind));
        if (!storm_.tone) std::erase(kinds, Kind::insert_delay);
        for (const Kind kind : {Kind::level, Kind::side, Kind::cut, Kind::fader, Kind::tap, Kind::echo, Kind::quiet}) {
            if (below(5) == 0) kinds.push_back(kind);
        }
        if (storm_.tone && below(3) == 0) kinds.push_back(Kind::delay_time);
        if (below(10) == 0) kinds.push_back(Kind::refused);
        if (below(2) == 0) {
            for (const Kind kind : {Kind::compensate, Kind::mute, Kind::panic}) {
                if (below(2) == 0) kinds.push_back(kind);
            }
        } else if (below(5) == 0) {
            kinds.push_back(Kind::same);  // without a panic, which empties the delay line
        }
        return kinds;
    }

    /// Few kinds of edits, so that one fault does not hide another one.
    std::vector<Kind> one_family() {
        using enum Kind;
        static const std::vector<std::vector<Kind>> families{{insert, remove},
                                                             {insert, settings},
                                                             {insert, exchange},
                                                             {insert, swap, reverse, shuffle},
                                                             {split, remove},
                                                             {plug, unplug},
                                                             {insert, plug, unplug},
                                                             {insert_delay, delay_time, remove},
                                                             {tap},
                                                             {tap, insert},
                                                             {echo},
                                                             {echo, level},
                                                             {quiet, level},
                                                             {refused, insert},
                                                             {same},
                                                             {same, fader, insert},
                                                             {compensate, side},
                                                             {level, side},
                                                             {cut, insert},
                                                             {mute, insert},
                                                             {panic, insert}};
        const auto& kinds = families.at(seed_ / 4 % families.size());
        if (std::ranges::find(kinds, insert_delay) != kinds.end()) storm_.tone = true;
        return kinds;
    }

    void add_requests(const std::vector<Kind>& kinds) {
        const std::size_t edited_regions = 1 + below(kRegions - 1);
        const std::uint32_t longest = longest_wait();
        const bool overlapping = below(2) == 0;
        for (std::uint32_t i = 0, count = 5 + below(56); i < count; ++i) {
            Request request{.changes = {}, .whole_graph = below(20) == 0, .wait_frames = below(longest + 1)};
            const std::size_t client_region = below(edited_regions);
            for (std::uint32_t k = 0, changes = below(3) == 0 ? 1 + below(4) : 1; k < changes; ++k)
                request.changes.push_back(change(kinds, overlapping ? below(edited_regions) : client_region));
            storm_.requests.push_back(std::move(request));
        }
    }

    /// Hundreds of requests for one region, and a few for another one, which must not wait for them.
    void make_one_sided() {
        using enum Kind;
        static const std::vector<std::vector<Kind>> families{{settings}, {quiet}, {chain, remove},
                                                             {tap},      {echo},  {insert, remove, settings}};
        const auto& kinds = families.at(seed_ / 16 % families.size());
        storm_.one_sided = true;
        storm_.tone = false;
        storm_.kinds.insert(kinds.begin(), kinds.end());
        storm_.kinds.insert(level);
        const auto longest = static_cast<std::uint32_t>(storm_.sample_rate_hz / 1'000.0 * (below(2) == 0 ? 3 : 20));
        for (std::uint32_t i = 0, count = 200 + below(401); i < count; ++i) {
            const bool rare = below(20) == 0;
            storm_.requests.push_back({.changes = {rare ? change({level}, 1) : change(kinds, 0)},
                                       .whole_graph = false,
                                       .wait_frames = below(longest + 1)});
        }
    }

    std::uint32_t seed_;
    std::mt19937 random_;
    Storm storm_{};
};

inline Storm make_storm(std::uint32_t seed) { return StormMaker{seed}.make(); }

inline std::string text_of(const Storm& storm) {
    std::ostringstream text;
    text << storm.sample_rate_hz << " Hz, blocks of " << storm.block_size << ", " << (storm.tone ? "tone" : "constant")
         << '\n';
    for (const Request& request : storm.requests) {
        text << "  " << (request.whole_graph ? "whole graph" : "transaction") << ":";
        for (const Change& change : request.changes) {
            text << " [" << kNames.at(static_cast<std::size_t>(change.kind)) << ", region " << change.region << ", "
                 << change.first << ", " << change.second << ']';
        }
        text << ", then " << request.wait_frames << " frames\n";
    }
    return text.str();
}

}  // namespace rta::test::edit_invariants_test
