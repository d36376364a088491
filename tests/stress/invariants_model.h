// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "graph/edit.h"

namespace rta::test::edit_invariants_test {

constexpr std::size_t kRegions = 4;  ///< one for each device channel
constexpr std::size_t kUnedited = kRegions - 1;
constexpr float kLevel = 0.5F;
constexpr float kTolerance = 1e-4F * kLevel;
constexpr float kSilentDb = -120.0F;
/// Maximum number of crossfades that a change may need after it has started: some edits are applied in steps.
constexpr double kCrossfades = 12.0;

enum class Kind : std::uint8_t {
    insert,
    insert_delay,  ///< tones only: a delay line
    remove,
    exchange,  ///< replaces a node by a new one with the same name
    swap,
    reverse,
    shuffle,
    split,  ///< inserts two nodes side by side
    plug,   ///< inserts an unconnected stage into the graph
    unplug,
    settings,
    rename,
    neutral,     ///< a parameter without effect
    level,       ///< gain of the last connection
    side,        ///< gain of a connection from the source to the output, or its removal
    cut,         ///< disconnects the source, or connects it
    fader,       ///< a parameter
    compensate,  ///< affects all regions from here on
    mute,
    panic,
    delay_time,  ///< tones only: the time of a delay line
    tap,         ///< adds an output behind new look-ahead, changes its look-ahead, or removes both
    echo,     ///< adds look-ahead that is not heard; then disconnects it and adds a delay line behind it; removes both
    quiet,    ///< look-ahead of a node that is not heard
    chain,    ///< inserts 20 nodes with look-ahead
    refused,  ///< many changes of settings, then a cycle
    same,     ///< assigns a setting its current value
    count,
};
constexpr std::array kNames{"insert", "insert delay", "remove", "exchange",   "swap",    "reverse", "shuffle",
                            "split",  "plug",         "unplug", "settings",   "rename",  "neutral", "level",
                            "side",   "cut",          "fader",  "compensate", "mute",    "panic",   "delay time",
                            "tap",    "echo",         "quiet",  "chain",      "refused", "same"};
static_assert(kNames.size() == static_cast<std::size_t>(Kind::count));

struct Change {
    Kind kind;
    std::size_t region;
    std::uint32_t first;  ///< random; selects the node and the value
    std::uint32_t second;
};

/// One request. The effect of a change depends on the graph, so any changes may be left out.
struct Request {
    std::vector<Change> changes;  ///< in one transaction
    bool whole_graph;             ///< sent as the document of the resulting graph
    std::uint32_t wait_frames;    ///< before the next request
};

struct Storm {
    double sample_rate_hz;
    std::uint32_t block_size;
    bool tone;
    bool with_snapshots;  ///< transactions are prepared like large ones
    bool one_sided;       ///< one client sends almost all requests, another one changes a level from time to time
    std::set<Kind> kinds;
    std::vector<Request> requests;

    [[nodiscard]] bool affects_all() const {
        return kinds.contains(Kind::compensate) || kinds.contains(Kind::mute) || kinds.contains(Kind::panic);
    }
    /// Returns the number of ramps that may change the level of a region at the same time.
    [[nodiscard]] float level_ramps() const {
        float count = 0.0F;
        for (const Kind kind : {Kind::level, Kind::side, Kind::fader}) {
            if (kinds.contains(kind)) count += 1.0F;
        }
        // The cut reaches the output at several times where paths of different look-ahead meet.
        if (kinds.contains(Kind::cut)) count += 4.0F;
        if (kinds.contains(Kind::mute) || kinds.contains(Kind::panic)) count += 1.0F;
        if (kinds.contains(Kind::tap)) count += 1.0F;
        // The fades of the input of the limiter, of the input of the delay line and of its output may meet. The echo
        // before may still fade out.
        if (kinds.contains(Kind::echo)) count += 2.0F;
        return count;
    }
    /// Returns the number of paths on which a tone may reach an output at the same time: the region's own, the side, and
    /// those of the kinds that add one.
    [[nodiscard]] float tone_paths() const {
        return 2.0F + static_cast<float>(kinds.count(Kind::tap) + kinds.count(Kind::echo));
    }
    /// Returns whether a tone never becomes softer, except by comb filtering that the engine reports.
    [[nodiscard]] bool keeps_tone_level() const {
        static const std::set<Kind> keeping{Kind::insert,  Kind::remove,  Kind::exchange, Kind::settings, Kind::rename,
                                            Kind::neutral, Kind::refused, Kind::quiet,    Kind::same};
        return tone && std::ranges::includes(keeping, kinds);
    }
    /// Returns an upper bound of the latency of a region, with delay lines.
    [[nodiscard]] double latency_ms() const {
        return 600.0 + (kinds.contains(Kind::chain) ? 1'000.0 : 0.0) +
               (kinds.contains(Kind::delay_time) ? 1'000.0 : 0.0);
    }
};

/// A source, stages of one node or of two in parallel, a fader, an output; and a connection from the source to the
/// output.
///
/// A node receives the same level in every stage in which it may be. So the level must not change in whatever order the
/// engine changes the ports, even while nodes are swapped.
struct Region {
    std::size_t index = 0;
    std::vector<std::vector<std::string>> stages{};
    std::vector<std::vector<std::string>> spare{};  ///< stages that are not connected
    float level_db = 0.0F;
    std::optional<float> side_db{};
    bool connected = true;
    float fader_db = 0.0F;
    bool has_line = false;  ///< a delay line behind the source
    std::string tap{};      ///< a node with look-ahead before an output of its own
    std::string tap_output{};
    std::size_t tap_count = 0;  ///< that have been added so far
    std::string quiet{};        ///< a node with look-ahead that is not heard
    bool quiet_longer = false;
    std::string echo{};       ///< a node with look-ahead that is not heard while it is connected to the source
    std::string echo_line{};  ///< makes it heard
    bool echo_cut = false;

    [[nodiscard]] std::string name_of(const char* node) const { return node + std::to_string(index); }

    using Connections = std::map<std::pair<std::string, std::string>, float>;
    void add_connections(Connections& all) const {
        if (has_line) all[{name_of("source"), name_of("line")}] = 0.0F;
        std::vector<std::string> before{name_of(has_line ? "line" : "source")};
        bool first = true;
        const auto join = [&](const std::vector<std::string>& after) {
            const float half_db = after.size() == 2 && before.size() == 1 ? -6.0205999F : 0.0F;
            for (std::size_t i = 0; i < after.size(); ++i) {
                for (std::size_t k = 0; k < before.size(); ++k) {
                    const bool apart = before.size() == 2 && after.size() == 2 && i != k;
                    if (!apart && (connected || !first)) all[{before[k], after[i]}] = half_db;
                }
            }
            before = after;
            first = false;
        };
        for (const auto& stage : stages) join(stage);
        join({name_of("fader")});
        all[{name_of("fader"), name_of("out")}] = level_db;
        if (side_db) all[{name_of("source"), name_of("out")}] = *side_db;
        add_branches(all);
    }

 private:
    void add_branches(Connections& all) const {
        const std::string source = name_of("source");
        if (!tap.empty()) all[{source, tap}] = all[{tap, tap_output}] = 0.0F;
        if (!quiet.empty()) all[{source, quiet}] = all[{quiet, name_of("unheard")}] = 0.0F;
        if (!echo.empty() && !echo_cut) all[{source, echo}] = 0.0F;
        if (!echo_line.empty()) all[{echo, echo_line}] = all[{echo_line, name_of("out")}] = 0.0F;
    }
};

struct Description {
    std::string type;
    Settings settings{};
    std::map<std::string, float, std::less<>> parameters{};
};

/// Returns a compressor that only delays: all signals are below its threshold.
inline Description passing_compressor(double look_ahead_ms) {
    return {
        "compressor", {{"look_ahead_ms", look_ahead_ms}}, {{"threshold_db", 0.0F}, {"ratio", 1.0F}, {"knee_db", 0.0F}}};
}

/// The committed graph.
struct Model {
    std::array<Region, kRegions> regions{};
    std::map<std::string, Description> nodes{};
    bool compensation = false;

    [[nodiscard]] Region::Connections connections() const {
        Region::Connections all;
        for (const Region& region : regions) region.add_connections(all);
        return all;
    }
    [[nodiscard]] GraphDocument document() const {
        GraphDocument document;
        document.latency_compensation = compensation;
        for (const auto& [name, node] : nodes) {
            document.nodes.push_back(
                {.name = name, .type = node.type, .settings = node.settings, .parameters = node.parameters});
        }
        for (const auto& [ends, gain_db] : connections()) {
            document.connections.push_back({.from = ends.first, .to = ends.second, .gain_db = gain_db});
        }
        return document;
    }
};

inline float factor_of(float db) { return db <= kSilentDb ? 0.0F : std::pow(10.0F, db / 20.0F); }

/// A factor of the level of a region: the committed value, and previous values that may still sound.
class Factor {
 public:
    Factor() = default;
    explicit Factor(float value) : value_{value} {}

    void set(float value, std::uint64_t previous_until) {
        if (value == value_) return;
        previous_.emplace_back(value_, previous_until);
        value_ = value;
    }
    void expire(std::uint64_t frame) {
        std::erase_if(previous_, [&](const auto& entry) { return entry.second < frame; });
    }
    [[nodiscard]] float value() const { return value_; }
    [[nodiscard]] float low() const {
        float low = value_;
        for (const auto& entry : previous_) low = std::min(low, entry.first);
        return low;
    }
    [[nodiscard]] float high() const {
        float high = value_;
        for (const auto& entry : previous_) high = std::max(high, entry.first);
        return high;
    }

 private:
    float value_ = 0.0F;
    std::vector<std::pair<float, std::uint64_t>> previous_{};  ///< with the last frame at which it may sound
};

struct Level {
    Factor connection{1.0F};
    Factor side{0.0F};
    Factor source{1.0F};
    Factor fader{1.0F};
    std::array<Factor, 8> taps{};  ///< a new one may sound before the one that it follows has ended
    Factor echo{0.0F};

    void expire(std::uint64_t frame) {
        for (Factor* const factor : {&connection, &side, &source, &fader, &echo}) factor->expire(frame);
        for (Factor& tap : taps) tap.expire(frame);
    }
    [[nodiscard]] float low() const { return sum(&Factor::low); }
    [[nodiscard]] float high() const { return sum(&Factor::high); }
    [[nodiscard]] float committed() const { return sum(&Factor::value); }

 private:
    [[nodiscard]] float sum(float (Factor::*of)() const) const {
        const float path = (connection.*of)() * (source.*of)() * (fader.*of)();
        float taps_sum = 0.0F;
        for (const Factor& tap : taps) taps_sum += (tap.*of)();
        return kLevel * (path + (side.*of)() + taps_sum + (echo.*of)());
    }
};

}  // namespace rta::test::edit_invariants_test
