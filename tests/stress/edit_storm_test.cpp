// SPDX-License-Identifier: MIT
// Random edits by several clients, at random times. Every path is transparent for all edits: a constant must stay
// exactly the same. Only a committed change of level may change it, up to that level.
//
// RTAD_STORM_SECONDS sets the duration of the storm. A failure prints its seed and the shortest failing list of edits.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "support/offline_engine.h"

namespace rta::test::edit_storm_test {
namespace {

constexpr std::size_t kPaths = 4;  ///< one for each client and device channel; the last one is never edited
constexpr float kTolerance = 2e-5F;

enum class Kind : std::uint8_t {
    insert,
    remove,
    swap,
    reverse,
    rebuild,
    plug,
    unplug,
    split,
    level,
    rename,
    compensate,
    replace,
    parameter,
    count,
};

/// One edit of a client. Its effect depends on the state of the path, so any edits may be left out of a list.
struct Op {
    Kind kind;
    std::size_t path;
    std::uint32_t first;
    std::uint32_t second;
    std::uint32_t wait_frames;  ///< before the next edit
};

std::string name_of(Kind kind) {
    constexpr std::array names{"insert", "remove", "swap",   "reverse",    "rebuild", "plug",     "unplug",
                               "split",  "level",  "rename", "compensate", "replace", "parameter"};
    return names.at(static_cast<std::size_t>(kind));
}

struct Storm {
    EngineConfig config;
    std::vector<Op> ops;
};

/// A path from a constant to an output: stages in series. A stage is one node, or two parallel nodes that receive half
/// of the signal each.
struct Path {
    std::size_t channel;
    std::vector<std::vector<std::string>> stages{};
    /// Unconnected stages. They are reused unchanged, because a node has the same level in every position.
    std::vector<std::vector<std::string>> spare{};
    float level = 1.0F;  ///< gain of the last connection

    [[nodiscard]] std::string source() const { return "dc" + std::to_string(channel); }
    [[nodiscard]] std::string sink() const { return "out" + std::to_string(channel); }

    using Connections = std::map<std::pair<std::string, std::string>, float>;
    [[nodiscard]] Connections connections() const {
        Connections all;
        std::vector<std::string> before{source()};
        const auto join = [&](const std::vector<std::string>& after, float level_db) {
            const float half_db = after.size() == 2 && before.size() == 1 ? -6.0205999F : 0.0F;
            for (std::size_t i = 0; i < after.size(); ++i) {
                if (before.size() == 2 && after.size() == 2) {
                    all[{before[i], after[i]}] = 0.0F;
                    continue;
                }
                for (const std::string& from : before) all[{from, after[i]}] = half_db + level_db;
            }
            before = after;
        };
        for (const auto& stage : stages) join(stage, 0.0F);
        join({sink()}, 20.0F * std::log10(level));
        return all;
    }
};

class Run {
 public:
    explicit Run(const EngineConfig& config) : offline_{config, builtin_nodes(), kPaths} {
        std::vector<Edit> edits;
        for (std::size_t i = 0; i < kPaths; ++i) {
            Path& path = paths_[i];
            path.channel = i;
            edits.emplace_back(AddNode{"constant", path.source(), {}, {{"value", 0.5F}}});
            edits.emplace_back(AddNode{"output", path.sink(), {{"first_channel", static_cast<double>(i + 1)}}, {}});
            edits.emplace_back(Connect{path.source(), path.sink(), {}});
            limits_[i] = {0.5F, 0.5F};
        }
        offline_.edit(std::move(edits));
        offline_.render_blocks(4);
    }

    [[nodiscard]] std::optional<std::string> run(std::span<const Op> ops) {
        for (const Op& op : ops) {
            edit(op);
            for (std::uint32_t frames = 0; frames + block() <= op.wait_frames; frames += block()) {
                offline_.render_block();
                if (auto failure = check()) return failure;
            }
            offline_.poll();
        }
        for (int i = 0; i < 100'000 && offline_.engine.outstanding(); ++i) {
            offline_.render_block();
            if (auto failure = check()) return failure;
        }
        if (offline_.engine.outstanding()) return "the engine does not settle";
        return check_end();
    }

 private:
    [[nodiscard]] std::uint32_t block() const { return offline_.engine.config().block_size; }

    void edit(const Op& op) {
        Path& path = paths_[op.path];
        const auto pick = [](std::uint32_t random, std::size_t count) { return random % count; };
        std::vector<Edit> before;
        std::vector<Edit> after;
        Path next = path;
        switch (op.kind) {
            case Kind::insert: {
                if (path.stages.size() >= 5) return;
                const std::string name = new_name();
                before.push_back(new_node(name, op.second));
                next.stages.insert(
                    next.stages.begin() + static_cast<std::ptrdiff_t>(pick(op.first, next.stages.size() + 1)), {name});
                break;
            }
            case Kind::split: {
                if (path.stages.size() >= 5) return;
                const std::array names{new_name(), new_name()};
                before.push_back(new_node(names[0], op.second));
                before.push_back(new_node(names[1], op.second / 7));
                next.stages.insert(
                    next.stages.begin() + static_cast<std::ptrdiff_t>(pick(op.first, next.stages.size() + 1)),
                    {names[0], names[1]});
                break;
            }
            case Kind::remove:
            case Kind::unplug: {
                if (path.stages.empty()) return;
                const auto stage =
                    next.stages.begin() + static_cast<std::ptrdiff_t>(pick(op.first, next.stages.size()));
                if (op.kind == Kind::remove) {
                    for (const std::string& name : *stage) after.emplace_back(RemoveNode{name});
                } else {
                    next.spare.push_back(*stage);
                }
                next.stages.erase(stage);
                break;
            }
            case Kind::plug: {
                if (path.spare.empty()) return;
                const std::size_t index = pick(op.second, path.spare.size());
                next.stages.insert(
                    next.stages.begin() + static_cast<std::ptrdiff_t>(pick(op.first, next.stages.size() + 1)),
                    path.spare[index]);
                next.spare.erase(next.spare.begin() + static_cast<std::ptrdiff_t>(index));
                break;
            }
            case Kind::swap:
                if (path.stages.size() < 2) return;
                std::swap(next.stages[pick(op.first, next.stages.size())],
                          next.stages[pick(op.second, next.stages.size())]);
                break;
            case Kind::reverse:
                std::ranges::reverse(next.stages);
                break;
            case Kind::rebuild: {
                const auto node = any_node(path, op.first);
                if (node.empty()) return;
                if (types_.at(node) == "limiter") {
                    before.emplace_back(ChangeSettings{node, {{"look_ahead_ms", 1.0 + op.second % 20}}});
                } else {
                    before.emplace_back(RemoveNode{node});
                    before.emplace_back(AddNode{types_.at(node), node, {}, {}});
                    replaced_ = node;
                }
                break;
            }
            case Kind::level:
                next.level = std::array{1.0F, 0.5F, 0.25F, 0.75F}.at(op.first % 4);
                break;
            case Kind::rename: {
                const auto node = any_node(path, op.first);
                if (node.empty()) return;
                const std::string name = new_name();
                types_.emplace(name, types_.at(node));
                for (auto& stage : next.stages) std::ranges::replace(stage, node, name);
                renamed_ = {node, name};
                for (auto& stage : next.spare) std::ranges::replace(stage, node, name);
                before.emplace_back(RenameNode{node, name});
                break;
            }
            case Kind::compensate:
                before.emplace_back(SetLatencyCompensation{op.first % 2 == 0});
                break;
            case Kind::replace:
                before.emplace_back(ReplaceGraph{offline_.engine.graph().document()});
                break;
            case Kind::parameter: {
                // Has no audible effect, but is sent with a plan or alone.
                const auto node = any_node(path, op.first);
                if (node.empty() || types_.at(node) != "limiter") return;
                const SetParameter set{node, "release_ms", 50.0F + static_cast<float>(op.second % 100), {}};
                static_cast<void>(offline_.engine.set_parameters({&set, 1}));
                return;
            }
            case Kind::count:
                return;
        }
        commit(path, std::move(next), std::move(before), std::move(after));
    }

    void commit(Path& path, Path next, std::vector<Edit> edits, std::vector<Edit> after) {
        Path renamed = path;
        for (auto& stage : renamed.stages) std::ranges::replace(stage, renamed_.first, renamed_.second);
        renamed_ = {};
        const auto old_connections = renamed.connections();
        const auto new_connections = next.connections();
        const auto lost = [&](const auto& ends) { return ends.first == replaced_ || ends.second == replaced_; };
        for (const auto& [ends, gain] : old_connections) {
            if (!new_connections.contains(ends) && !lost(ends)) edits.emplace_back(Disconnect{ends.first, ends.second});
        }
        for (const auto& [ends, gain] : new_connections) {
            const auto old = old_connections.find(ends);
            if (old == old_connections.end() || old->second != gain || lost(ends))
                edits.emplace_back(Connect{ends.first, ends.second, gain});
        }
        replaced_.clear();
        edits.insert(edits.end(), after.begin(), after.end());
        const auto ticket = offline_.apply(edits);
        if (!ticket) {
            const bool full = ticket.error().code == ErrorCode::resource_exhausted && !ticket.error().edit_index;
            if (!full) ADD_FAILURE() << ticket.error().sentence;
            return;
        }
        // Until the path has settled, the output lies between the committed levels.
        limits_[path.channel].first = std::min(limits_[path.channel].first, 0.5F * next.level);
        limits_[path.channel].second = std::max(limits_[path.channel].second, 0.5F * next.level);
        path = std::move(next);
    }

    [[nodiscard]] Edit new_node(const std::string& name, std::uint32_t random) {
        // All signals are below the ceiling of the limiter, so it only delays.
        const bool looks_ahead = random % 3 == 0;
        // With one channel, a split or merge is a view of its input.
        const char* const plain = std::array{"gain", "split", "gain", "merge"}.at(random / 64 % 4);
        types_[name] = looks_ahead ? "limiter" : plain;
        AddNode node{types_[name], name, {}, {}};
        if (looks_ahead) node.settings["look_ahead_ms"] = static_cast<double>(1 + random / 3 % 20);
        return node;
    }
    [[nodiscard]] std::string new_name() { return "n" + std::to_string(next_name_++); }
    [[nodiscard]] static std::string any_node(const Path& path, std::uint32_t random) {
        if (path.stages.empty()) return {};
        const auto& stage = path.stages[random % path.stages.size()];
        return stage[random / 16 % stage.size()];
    }

    /// Checks the last rendered block.
    [[nodiscard]] std::optional<std::string> check() {
        const bool settled = !offline_.engine.outstanding();
        const std::size_t first = offline_.recorded[0].size() - block();
        for (Path& path : paths_) {
            auto& [low, high] = limits_[path.channel];
            for (std::size_t frame = first; frame < first + block(); ++frame) {
                const float sample = offline_.recorded[path.channel][frame];
                if (sample >= low - kTolerance && sample <= high + kTolerance) continue;
                std::ostringstream what;
                what << "channel " << path.channel << ", frame " << frame << ": " << sample << " is not from " << low
                     << " to " << high;
                return what.str();
            }
            if (settled && offline_.recorded[path.channel].back() == 0.5F * path.level) low = high = 0.5F * path.level;
        }
        const std::size_t nodes = offline_.engine.graph().node_count();
        if (offline_.engine.statistics().sounding_nodes > nodes + 1024) return "too many nodes sound";
        if (offline_.engine.statistics().plans_alive > 16) return "too many plans";
        return std::nullopt;
    }

    [[nodiscard]] std::optional<std::string> check_end() {
        offline_.render_block();
        for (const Path& path : paths_) {
            if (std::abs(offline_.recorded[path.channel].back() - 0.5F * path.level) > kTolerance)
                return "channel " + std::to_string(path.channel) + " ends at another level";
        }
        if (offline_.engine.statistics().sounding_nodes != offline_.engine.graph().node_count())
            return "something is left of removed nodes";
        if (offline_.engine.statistics().plans_alive != 1) return "more than one plan is left";
        std::set<std::uint64_t> revisions;
        for (const auto& [revision, frame] : offline_.transactions_heard) revisions.insert(revision);
        if (revisions.size() != offline_.engine.revision()) return "not every transaction was heard";
        return std::nullopt;
    }

    OfflineEngine offline_;
    std::array<Path, kPaths> paths_{};
    std::array<std::pair<float, float>, kPaths> limits_{};
    std::map<std::string, std::string> types_;
    std::string replaced_;                         ///< by the current edit
    std::pair<std::string, std::string> renamed_;  ///< by the current edit
    int next_name_ = 0;
};

Storm make_storm(std::uint32_t seed) {
    std::mt19937 random{seed};
    const auto below = [&](std::uint32_t count) {
        return std::uniform_int_distribution<std::uint32_t>{0, count - 1}(random);
    };
    Storm storm;
    storm.config.block_size = 16U << below(7);
    storm.config.sample_rate_hz = std::array{8'000.0, 44'100.0, 48'000.0, 96'000.0, 192'000.0}.at(below(5));
    const std::uint32_t clients = 1 + below(kPaths - 1);
    const std::uint32_t longest_ms = std::array{3U, 15U, 40U, 100U}.at(below(4));
    const auto longest = static_cast<std::uint32_t>(storm.config.sample_rate_hz / 1000.0 * longest_ms);
    for (std::uint32_t i = 0, count = 5 + below(60); i < count; ++i) {
        storm.ops.push_back({.kind = static_cast<Kind>(below(static_cast<std::uint32_t>(Kind::count))),
                             .path = below(clients),
                             .first = below(1U << 16U),
                             .second = below(1U << 16U),
                             .wait_frames = below(longest)});
    }
    return storm;
}

std::optional<std::string> outcome(const Storm& storm) { return Run{storm.config}.run(storm.ops); }

/// Removes edits that are not needed for the failure.
void shrink(Storm& storm) {
    for (bool shorter = true; shorter;) {
        shorter = false;
        for (std::size_t i = storm.ops.size(); i-- > 0;) {
            Storm without = storm;
            without.ops.erase(without.ops.begin() + static_cast<std::ptrdiff_t>(i));
            if (!outcome(without)) continue;
            storm = std::move(without);
            shorter = true;
        }
    }
}

std::string text_of(const Storm& storm) {
    std::ostringstream text;
    text << storm.config.sample_rate_hz << " Hz, blocks of " << storm.config.block_size << '\n';
    for (const Op& op : storm.ops) {
        text << "  path " << op.path << ": " << name_of(op.kind) << ' ' << op.first << ' ' << op.second << ", then "
             << op.wait_frames << " frames\n";
    }
    return text.str();
}

TEST(EditStorm, EveryPathRemainsWhatItIs) {
    const char* const given = std::getenv("RTAD_STORM_SECONDS");
    const double seconds = given == nullptr ? 10.0 : std::atof(given);
    const char* const first = std::getenv("RTAD_STORM_SEED");
    std::uint32_t seed = first == nullptr ? 1 : static_cast<std::uint32_t>(std::atoi(first));
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>{seconds};
    std::size_t edits = 0;
    for (; std::chrono::steady_clock::now() < end; ++seed) {
        Storm storm = make_storm(seed);
        edits += storm.ops.size();
        if (!outcome(storm)) continue;
        shrink(storm);
        FAIL() << "seed " << seed << ": " << outcome(storm).value_or("passes after all") << '\n' << text_of(storm);
    }
    RecordProperty("edits", std::to_string(edits));
    std::cout << seed << " storms, " << edits << " edits\n";
}

}  // namespace
}  // namespace rta::test::edit_storm_test
