// SPDX-License-Identifier: MIT
// Random edits by several clients. The checks do not depend on how the engine schedules its fades:
// - a constant stays between the levels that have been committed and may still sound, and ends at the last one
// - no step is larger than the ramps of the edits allow
// - a region that no client edits is bit-identical to the same region without edits elsewhere
// - in the end the output equals that of a new engine with the same graph, and no removed nodes remain
// - every transaction takes effect within the time promised by its ticket, and replaced processors are freed soon after
//
// RTAD_STORM_SECONDS sets the duration, RTAD_STORM_SEED the first seed. A failure prints its seed and the shortest list
// of edits that was found to fail.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <map>
#include <numbers>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "support/live_processors.h"
#include "support/offline_engine.h"
#include "support/storm.h"

namespace rta::test::edit_invariants_test {
namespace {

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
    count,
};
constexpr std::array kNames{"insert", "insert delay", "remove", "exchange",   "swap",   "reverse", "shuffle",
                            "split",  "plug",         "unplug", "settings",   "rename", "neutral", "level",
                            "side",   "cut",          "fader",  "compensate", "mute",   "panic"};
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
        return count;
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

    [[nodiscard]] std::string name_of(const char* node) const { return node + std::to_string(index); }

    using Connections = std::map<std::pair<std::string, std::string>, float>;
    void add_connections(Connections& all) const {
        std::vector<std::string> before{name_of("source")};
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
    }
};

struct Description {
    std::string type;
    Settings settings{};
    std::map<std::string, float, std::less<>> parameters{};
};

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

float factor_of(float db) { return db <= kSilentDb ? 0.0F : std::pow(10.0F, db / 20.0F); }

/// A factor of the level of a region: the committed value, and previous values that may still sound.
class Factor {
 public:
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
    float value_;
    std::vector<std::pair<float, std::uint64_t>> previous_{};  ///< with the last frame at which it may sound
};

struct Level {
    Factor connection{1.0F};
    Factor side{0.0F};
    Factor source{1.0F};
    Factor fader{1.0F};

    [[nodiscard]] std::array<Factor*, 4> factors() { return {&connection, &side, &source, &fader}; }
    [[nodiscard]] float low() const { return kLevel * (connection.low() * source.low() * fader.low() + side.low()); }
    [[nodiscard]] float high() const {
        return kLevel * (connection.high() * source.high() * fader.high() + side.high());
    }
    [[nodiscard]] float committed() const {
        return kLevel * (connection.value() * source.value() * fader.value() + side.value());
    }
};

/// Whether the engine reports when a transaction takes effect, and promises that time.
template <class Observer>
constexpr bool reports_transactions_heard = requires { &Observer::transaction_heard; };

template <class AnyTicket>
std::optional<std::uint64_t> promised_ms(const AnyTicket& ticket) {
    if constexpr (reports_transactions_heard<Engine::Observer>) {
        return ticket.starts_within_ms;
    } else {
        return std::nullopt;
    }
}

template <class AnyEngine>
std::optional<std::span<const std::pair<std::uint64_t, std::uint64_t>>> transactions_heard(const AnyEngine& offline) {
    if constexpr (reports_transactions_heard<Engine::Observer>) {
        return std::span{offline.transactions_heard};
    } else {
        return std::nullopt;
    }
}

struct EditText {
    std::string operator()(const AddNode& edit) const {
        std::string text = "add " + edit.type + ' ' + edit.name;
        if (const auto found = edit.settings.find("look_ahead_ms"); found != edit.settings.end())
            text += " with look-ahead";
        return text;
    }
    std::string operator()(const RemoveNode& edit) const { return "remove " + edit.name; }
    std::string operator()(const RenameNode& edit) const { return "rename " + edit.name + " to " + edit.new_name; }
    std::string operator()(const Connect& edit) const {
        return "connect " + edit.from + ' ' + edit.to + " at " + std::to_string(edit.gain_db.value_or(0.0F)) + " dB";
    }
    std::string operator()(const Disconnect& edit) const { return "disconnect " + edit.from + ' ' + edit.to; }
    std::string operator()(const SetParameter& edit) const {
        return "set " + edit.node + ' ' + edit.parameter + " = " + std::to_string(edit.value);
    }
    std::string operator()(const ChangeSettings& edit) const { return "change look-ahead of " + edit.node; }
    std::string operator()(const SetLatencyCompensation& edit) const {
        return std::string{"compensation "} + (edit.enabled ? "on" : "off");
    }
    std::string operator()(const ReplaceGraph&) const { return "replace the graph"; }
};

class StormRun {
 public:
    explicit StormRun(const Storm& storm)
        : storm_{storm},
          live_before_{live_processors()},
          offline_{config_of(storm), counting_nodes(), kRegions},
          reference_{config_of(storm), builtin_nodes(), kRegions} {
        const double frequency_hz = storm.sample_rate_hz / 256.0;
        for (std::size_t i = 0; i < kRegions; ++i) {
            Region& region = model_.regions[i];
            region.index = i;
            model_.nodes[region.name_of("source")] =
                storm.tone ? Description{"sine",
                                         {},
                                         {{"frequency_hz", static_cast<float>(frequency_hz)}, {"gain_db", -6.0206F}}}
                           : Description{"constant", {}, {{"value", kLevel}}};
            model_.nodes[region.name_of("fader")] = {"gain", {}, {{"gain_db", 0.0F}}};
            model_.nodes[region.name_of("out")] = {"output", {{"first_channel", static_cast<double>(i + 1)}}};
            const std::string limiter = region.name_of("lim");
            model_.nodes[limiter] = {"limiter", {{"look_ahead_ms", 3.0 + static_cast<double>(i)}}};
            region.stages.push_back({limiter});
        }
        for (OfflineEngine* engine : {&offline_, &reference_}) {
            engine->edit({ReplaceGraph{model_.document()}});
            engine->render_blocks(start_blocks());
        }
        if constexpr (requires { offline_.with_snapshots; }) offline_.with_snapshots = storm.with_snapshots;
    }
    ~StormRun() = default;
    StormRun(const StormRun&) = delete;
    StormRun& operator=(const StormRun&) = delete;

    [[nodiscard]] std::optional<std::string> run() {
        for (const Request& request : storm_.requests) {
            if (!send(request)) return failure_;
            for (std::uint64_t end = frame() + request.wait_frames; frame() + block() <= end;) {
                if (!render()) return failure_;
            }
            offline_.poll();
        }
        if (muted_ && !unmute()) return failure_;
        for (double seconds = 0.0; offline_.engine.outstanding(); seconds += block() / storm_.sample_rate_hz) {
            if (seconds > 10.0) return fail("the engine does not settle"), failure_;
            if (!render()) return failure_;
        }
        for (std::uint32_t i = 0; i < start_blocks(); ++i) {
            if (!render()) return failure_;
        }
        check_end();
        return failure_;
    }
    /// Returns what was sent, with its frame.
    [[nodiscard]] const std::string& sent() const { return sent_; }

 private:
    static EngineConfig config_of(const Storm& storm) {
        EngineConfig config;
        config.sample_rate_hz = storm.sample_rate_hz;
        config.block_size = storm.block_size;
        return config;
    }
    [[nodiscard]] std::uint64_t frame() const { return offline_.frame(); }
    [[nodiscard]] std::uint32_t block() const { return storm_.block_size; }
    [[nodiscard]] std::uint64_t frames_of(double ms) const {
        return static_cast<std::uint64_t>(ms * storm_.sample_rate_hz / 1'000.0);
    }
    /// Longer than the total look-ahead of a region.
    [[nodiscard]] std::uint32_t start_blocks() const {
        return static_cast<std::uint32_t>(frames_of(600.0) / block() + 2);
    }
    bool fail(const std::string& what) {
        if (!failure_) failure_ = "frame " + std::to_string(frame()) + ": " + what;
        return false;
    }

    bool render() {
        offline_.render_block();
        return check_block();
    }

    // Edits.

    struct Plan {
        Model before;  ///< with the names of nodes after the transaction
        Model after;
        std::vector<Edit> first{};        ///< applied before connections change
        std::vector<Edit> last{};         ///< applied after connections change
        std::set<std::string> rebuilt{};  ///< nodes that lose their connections
        std::optional<float> parameter_ramp_ms{};
    };

    [[nodiscard]] std::string new_name() { return "n" + std::to_string(next_name_++); }
    [[nodiscard]] static std::string any_node(const Region& region, std::uint32_t random) {
        if (region.stages.empty()) return {};
        const auto& stage = region.stages[random % region.stages.size()];
        return stage[random / 16 % stage.size()];
    }
    [[nodiscard]] std::string add_node(Plan& plan, std::uint32_t random, bool delay = false) {
        const std::string name = new_name();
        Description node{"gain"};
        if (delay) {
            node = {"delay_line", {}, {{"time_ms", static_cast<float>(random % 40)}}};
        } else if (random % 5 == 0) {
            // All signals are below the ceiling and the threshold, so these nodes only delay.
            node = {"limiter", {{"look_ahead_ms", 1.0 + random / 5 % 20}}};
        } else if (random % 5 == 1) {
            node = {"compressor",
                    {{"look_ahead_ms", 1.0 + random / 5 % 50}},
                    {{"threshold_db", 0.0F}, {"ratio", 1.0F}, {"knee_db", 0.0F}}};
        }
        plan.first.emplace_back(AddNode{node.type, name, node.settings, node.parameters});
        plan.after.nodes[name] = std::move(node);
        return name;
    }

    /// Adds a change to a transaction. It has no effect if the graph has nothing to change.
    void add(Plan& plan, const Change& change) {
        Region& region = plan.after.regions[change.region];
        auto& stages = region.stages;
        const auto place = [&](std::size_t count) {
            return stages.begin() + static_cast<std::ptrdiff_t>(change.first % count);
        };
        constexpr std::array kLevelsDb{0.0F, -6.0F, -12.0F, kSilentDb};
        switch (change.kind) {
            case Kind::insert:
            case Kind::insert_delay:
                if (stages.size() >= 5) return;
                stages.insert(place(stages.size() + 1),
                              {add_node(plan, change.second, change.kind == Kind::insert_delay)});
                return;
            case Kind::split: {
                if (stages.size() >= 5) return;
                const std::vector<std::string> stage{add_node(plan, change.second), add_node(plan, change.second / 64)};
                stages.insert(place(stages.size() + 1), stage);
                return;
            }
            case Kind::remove:
            case Kind::unplug: {
                if (stages.empty()) return;
                const auto stage = place(stages.size());
                if (change.kind == Kind::unplug) {
                    region.spare.push_back(*stage);
                } else {
                    for (const std::string& name : *stage) {
                        plan.last.emplace_back(RemoveNode{name});
                        plan.after.nodes.erase(name);
                    }
                }
                stages.erase(stage);
                return;
            }
            case Kind::plug: {
                if (region.spare.empty() || stages.size() >= 5) return;
                const auto spare =
                    region.spare.begin() + static_cast<std::ptrdiff_t>(change.second % region.spare.size());
                stages.insert(place(stages.size() + 1), *spare);
                region.spare.erase(spare);
                return;
            }
            case Kind::exchange: {
                const std::string name = any_node(region, change.first);
                if (name.empty() || !plan.before.nodes.contains(name) || plan.rebuilt.contains(name)) return;
                const Description& node = plan.after.nodes.at(name);
                plan.first.emplace_back(RemoveNode{name});
                plan.first.emplace_back(AddNode{node.type, name, node.settings, node.parameters});
                plan.rebuilt.insert(name);
                return;
            }
            case Kind::swap:
                if (stages.empty()) return;
                std::swap(stages[change.first % stages.size()], stages[change.second % stages.size()]);
                return;
            case Kind::reverse:
                std::ranges::reverse(stages);
                return;
            case Kind::shuffle: {
                std::mt19937 random{change.first};
                std::ranges::shuffle(stages, random);
                return;
            }
            case Kind::settings: {
                const std::string name = any_node(region, change.first);
                if (name.empty() || !plan.after.nodes.at(name).settings.contains("look_ahead_ms")) return;
                const Settings settings{{"look_ahead_ms", 1.0 + change.second % 20}};
                plan.after.nodes.at(name).settings = settings;
                plan.first.emplace_back(ChangeSettings{name, settings});
                return;
            }
            case Kind::rename: {
                const std::string name = any_node(region, change.first);
                // Only a node that stays in place: the connections of other nodes are known by one name only.
                if (name.empty() || !plan.before.nodes.contains(name)) return;
                const std::string other = new_name();
                for (Model* model : {&plan.before, &plan.after}) {
                    auto node = model->nodes.extract(name);
                    node.key() = other;
                    model->nodes.insert(std::move(node));
                    Region& renamed = model->regions[change.region];
                    for (auto& stage : renamed.stages) std::ranges::replace(stage, name, other);
                    for (auto& stage : renamed.spare) std::ranges::replace(stage, name, other);
                }
                if (plan.rebuilt.erase(name) != 0) plan.rebuilt.insert(other);
                plan.first.emplace_back(RenameNode{name, other});
                return;
            }
            case Kind::neutral: {
                const std::string name = any_node(region, change.first);
                if (name.empty() || plan.after.nodes.at(name).type != "limiter") return;
                const float value = 50.0F + static_cast<float>(change.second % 100);
                plan.after.nodes.at(name).parameters["release_ms"] = value;
                plan.first.emplace_back(SetParameter{name, "release_ms", value, {}});
                return;
            }
            case Kind::level:
                region.level_db = kLevelsDb.at(change.first % kLevelsDb.size());
                return;
            case Kind::side:
                region.side_db = kLevelsDb.at(change.first % kLevelsDb.size());
                if (change.second % 4 == 0) region.side_db.reset();
                return;
            case Kind::cut:
                region.connected = !region.connected;
                return;
            case Kind::fader: {
                region.fader_db = kLevelsDb.at(change.first % kLevelsDb.size());
                const std::string fader = region.name_of("fader");
                const float ramp_ms = 10.0F + static_cast<float>(change.second % 40);
                plan.after.nodes.at(fader).parameters["gain_db"] = region.fader_db;
                plan.first.emplace_back(SetParameter{fader, "gain_db", region.fader_db, ramp_ms});
                plan.parameter_ramp_ms = std::max(plan.parameter_ramp_ms.value_or(0.0F), ramp_ms);
                return;
            }
            case Kind::compensate:
                plan.after.compensation = change.first % 2 == 0;
                plan.first.emplace_back(SetLatencyCompensation{plan.after.compensation});
                return;
            case Kind::mute:
            case Kind::panic:
            case Kind::count:
                return;
        }
    }

    [[nodiscard]] static std::vector<Edit> edits_of(const Plan& plan) {
        std::vector<Edit> edits = plan.first;
        const auto before = plan.before.connections();
        const auto after = plan.after.connections();
        const auto lost = [&](const auto& ends) {
            return plan.rebuilt.contains(ends.first) || plan.rebuilt.contains(ends.second);
        };
        for (const auto& [ends, gain_db] : before) {
            if (!after.contains(ends) && !lost(ends)) edits.emplace_back(Disconnect{ends.first, ends.second});
        }
        for (const auto& [ends, gain_db] : after) {
            const auto old = before.find(ends);
            if (old == before.end() || lost(ends) || old->second != gain_db)
                edits.emplace_back(Connect{ends.first, ends.second, gain_db});
        }
        edits.insert(edits.end(), plan.last.begin(), plan.last.end());
        return edits;
    }

    bool send(const Request& request) {
        for (const Change& change : request.changes) {
            if (change.kind == Kind::mute && !(muted_ ? unmute() : mute())) return false;
            if (change.kind == Kind::panic && !panic(change)) return false;
        }
        Plan plan{.before = model_, .after = model_};
        for (const Change& change : request.changes) add(plan, change);
        return commit(plan, request.whole_graph, true);
    }

    bool commit(const Plan& plan, bool whole_graph, bool promises) {
        std::vector<Edit> edits = edits_of(plan);
        if (edits.empty()) return true;
        if (whole_graph) edits = {ReplaceGraph{plan.after.document()}};
        std::ostringstream text;
        text << "  frame " << frame() << ": ";
        for (const Edit& edit : edits) text << std::visit(EditText{}, edit) << (&edit == &edits.back() ? "\n" : ", ");
        sent_ += text.str();
        std::set<NodeId> leaving;
        for (const auto& node : offline_.engine.graph().nodes()) leaving.insert(node->id);
        const std::uint64_t asked = frame();
        std::optional<Ticket> ticket;
        while (!ticket) {
            auto answer = offline_.apply(edits);
            if (answer) {
                ticket = *answer;
                break;
            }
            const bool full = answer.error().code == ErrorCode::resource_exhausted && !answer.error().edit_index;
            if (!full) return fail("refused: " + answer.error().sentence);
            if (frame() > asked + frames_of(2'000.0)) return fail("an edit has been refused for 2 s");
            if (!render()) return false;
            offline_.poll();
        }
        for (const auto& node : offline_.engine.graph().nodes()) leaving.erase(node->id);

        const std::optional<std::uint64_t> within_ms = promised_ms(*ticket);
        const std::uint64_t starts =
            frame() + frames_of(static_cast<double>(within_ms.value_or(2'000))) + kPlansInFlight * block();
        if (within_ms && promises) promises_[ticket->revision] = starts;
        committed_.insert(ticket->revision);
        // An earlier transaction may still wait that disconnects what this one removes, or connects what this one
        // changes.
        all_end_ = std::max(all_end_, starts + frames_of(kCrossfades * 10.0) + 40U * block());
        leaving_.emplace_back(all_end_, leaving.size());
        // A whole graph sets parameters with the default ramp.
        const std::uint64_t parameters_end =
            all_end_ + frames_of(static_cast<double>(std::max(plan.parameter_ramp_ms.value_or(0.0F), 20.0F)));
        for (std::size_t i = 0; i < kRegions; ++i) {
            const Region& region = plan.after.regions[i];
            Level& level = levels_[i];
            level.connection.set(factor_of(region.level_db), all_end_);
            level.side.set(factor_of(region.side_db.value_or(kSilentDb)), all_end_);
            level.source.set(region.connected ? 1.0F : 0.0F, all_end_ + latency_frames());
            level.fader.set(factor_of(region.fader_db), parameters_end);
        }
        model_ = plan.after;
        return true;
    }
    /// A plan with parameters needs a separate block, and so do the plans before it.
    static constexpr std::uint64_t kPlansInFlight = 16;
    /// Returns an upper bound of the latency of a region.
    [[nodiscard]] std::uint64_t latency_frames() const { return frames_of(600.0); }

    bool mute() {
        if (!offline_.engine.mute_output(true)) return fail("mute was refused");
        sent_ += "  frame " + std::to_string(frame()) + ": mute\n";
        muted_ = quiet_ = true;
        return true;
    }
    bool unmute() {
        if (!offline_.engine.mute_output(false)) return fail("unmute was refused");
        sent_ += "  frame " + std::to_string(frame()) + ": unmute\n";
        muted_ = false;
        return true;
    }
    bool panic(const Change& change) {
        if (!mute()) return false;
        const std::uint64_t asked = frame();
        while (!offline_.engine.output_silent()) {
            if (frame() > asked + frames_of(500.0) + 10U * block()) return fail("the output does not become silent");
            if (!render()) return false;
        }
        sent_ += "  frame " + std::to_string(frame()) + ": reset\n";
        EngineReset reset = offline_.engine.start_reset();
        // All processors are replaced.
        leaving_.emplace_back(frame() + frames_of(100.0) + 40U * block(), 2 * offline_.engine.graph().node_count());
        Plan plan{.before = model_, .after = model_};
        if (change.second % 2 == 0) {
            add(plan, {Kind::insert, change.region, change.first, change.second});
            if (!commit(plan, false, false)) return false;
        }
        for (;;) {
            const auto outcome = reset.try_complete();
            if (outcome && !*outcome) return fail("the reset failed: " + outcome->error().sentence);
            if (outcome) break;
            if (frame() > asked + frames_of(2'000.0)) return fail("the reset does not complete");
            if (!render()) return false;
        }
        return unmute();
    }

    // Checks.

    bool check_block() {
        const std::size_t first = offline_.recorded[0].size() - block();
        const bool settled = !offline_.engine.outstanding();
        bool all_at_level = true;
        for (std::size_t i = 0; i < kRegions; ++i) {
            const std::span heard = std::span{offline_.recorded[i]}.subspan(first - 1);
            if (!check_steps(i, heard)) return false;
            if (storm_.tone) continue;
            Level& level = levels_[i];
            const float low = quiet_ ? 0.0F : level.low();
            // A gliding delay interpolates: where a ramp starts or ends, it overshoots by at most 0.15 of the slope.
            const float ringing =
                kTolerance + 0.15F * storm_.level_ramps() * kLevel / static_cast<float>(0.010 * storm_.sample_rate_hz);
            for (const float sample : heard.subspan(1)) {
                if (sample >= low - ringing && sample <= level.high() + ringing) continue;
                std::ostringstream what;
                what << "channel " << i << " plays " << sample << ", expected " << low << " to " << level.high();
                return fail(what.str());
            }
            for (Factor* const factor : level.factors()) factor->expire(frame());
            const bool at_level = std::abs(heard.back() - level.committed()) <= kTolerance;
            all_at_level = all_at_level && at_level;
        }
        if (!muted_ && settled && all_at_level) quiet_ = false;
        return check_unedited(first) && check_resources() && check_promises();
    }

    bool check_steps(std::size_t channel, std::span<const float> heard) {
        const auto ramp_frames = static_cast<float>(0.010 * storm_.sample_rate_hz);
        float bound = storm_.level_ramps() * 2.0F * kLevel / ramp_frames + kTolerance;
        if (storm_.tone) {
            // The tone on two paths, and up to seven crossfades in series between signals of opposite polarity.
            bound += 2.0F * kLevel * 2.0F * std::numbers::pi_v<float> / 256.0F + 7.0F * 2.0F * kLevel / ramp_frames;
        }
        for (std::size_t i = 1; i < heard.size(); ++i) {
            const float step = std::abs(heard[i] - heard[i - 1]);
            if (step <= bound) continue;
            std::ostringstream what;
            what << "channel " << channel << " steps by " << step << ", expected " << bound << " at most";
            return fail(what.str());
        }
        return true;
    }

    bool check_unedited(std::size_t first) {
        if (storm_.affects_all()) return true;
        reference_.render_block();
        const auto heard = std::span{offline_.recorded[kUnedited]}.subspan(first);
        const auto expected = std::span{reference_.recorded[kUnedited]}.subspan(first);
        return std::ranges::equal(heard, expected) || fail("the region that no client edits has changed");
    }

    bool check_resources() {
        std::erase_if(leaving_, [&](const auto& entry) { return entry.first < frame(); });
        std::size_t most = offline_.engine.graph().node_count();
        for (const auto& entry : leaving_) most += entry.second;
        const std::ptrdiff_t live = live_processors() - live_before_;
        if (live > static_cast<std::ptrdiff_t>(most))
            return fail(std::to_string(live) + " processors exist, expected " + std::to_string(most) + " at most");
        return offline_.engine.statistics().plans_alive <= 16 || fail("more than 16 plans exist");
    }

    bool check_promises() {
        const auto heard = transactions_heard(offline_);
        if (!heard) return true;
        for (; heard_count_ < heard->size(); ++heard_count_) {
            const auto [revision, at_frame] = (*heard)[heard_count_];
            if (!heard_.insert(revision).second)
                return fail("transaction " + std::to_string(revision) + " was reported as heard twice");
            const auto promise = promises_.find(revision);
            if (promise == promises_.end()) continue;
            if (at_frame > promise->second) {
                return fail("transaction " + std::to_string(revision) + " was heard " +
                            std::to_string(at_frame - promise->second) + " frames later than promised");
            }
            promises_.erase(promise);
        }
        // The report of a block arrives with the next poll.
        for (const auto& [revision, until] : promises_) {
            if (frame() > until + 4U * block())
                return fail("transaction " + std::to_string(revision) + " is not heard in the promised time");
        }
        return true;
    }

    void check_end() {
        const std::size_t nodes = offline_.engine.graph().node_count();
        const std::ptrdiff_t live = live_processors() - live_before_;
        if (live != static_cast<std::ptrdiff_t>(nodes))
            fail(std::to_string(live) + " processors are left, but the graph has " + std::to_string(nodes));
        if (offline_.engine.statistics().plans_alive != 1) fail("more than one plan is left");
        if (!offline_.faults.empty()) fail("a node produced NaN or infinity");
        if (transactions_heard(offline_)) {
            for (const std::uint64_t revision : committed_) {
                if (!heard_.contains(revision))
                    fail("transaction " + std::to_string(revision) + " was never reported as heard");
            }
        }
        OfflineEngine fresh{config_of(storm_), builtin_nodes(), kRegions};
        fresh.edit({ReplaceGraph{offline_.engine.graph().document()}});
        // A whole number of periods of the tone.
        const std::size_t frames = 2'048;
        fresh.render_blocks(start_blocks() + static_cast<std::uint32_t>(frames / block()) + 2);
        for (std::uint32_t i = 0; i < frames / block() + 1; ++i) offline_.render_block();
        for (std::size_t i = 0; i < kRegions; ++i) {
            const auto lived_end = std::span{offline_.recorded[i]}.last(frames);
            const auto fresh_end = std::span{fresh.recorded[i]}.last(frames);
            if (storm_.tone) {
                const auto level_of = [](std::span<const float> samples) {
                    double sum = 0.0;
                    for (const float sample : samples) sum += static_cast<double>(sample) * static_cast<double>(sample);
                    return std::sqrt(sum / static_cast<double>(samples.size()));
                };
                if (std::abs(level_of(lived_end) - level_of(fresh_end)) > 2e-3)
                    fail("channel " + std::to_string(i) + " ends at " + std::to_string(level_of(lived_end)) +
                         " RMS, a fresh engine plays " + std::to_string(level_of(fresh_end)));
            } else if (!std::ranges::equal(lived_end, fresh_end)) {
                std::ostringstream what;
                what.precision(9);
                what << "channel " << i << " ends at " << lived_end.back() << ", a fresh engine plays "
                     << fresh_end.back();
                fail(what.str());
            } else if (std::abs(fresh_end.back() - levels_[i].committed()) > kTolerance) {
                fail("channel " + std::to_string(i) + " ends at another level than committed");
            }
        }
    }

    const Storm& storm_;
    std::ptrdiff_t live_before_;
    OfflineEngine offline_;
    OfflineEngine reference_;
    Model model_;
    std::array<Level, kRegions> levels_{};
    bool muted_ = false;
    bool quiet_ = false;  ///< the output may be below its level
    int next_name_ = 0;
    std::vector<std::pair<std::uint64_t, std::size_t>> leaving_;  ///< processors that exist until a frame
    std::uint64_t all_end_ = 0;                        ///< frame after which no committed change fades any more
    std::map<std::uint64_t, std::uint64_t> promises_;  ///< revision, frame
    std::set<std::uint64_t> committed_;
    std::set<std::uint64_t> heard_;
    std::size_t heard_count_ = 0;
    std::string sent_;
    std::optional<std::string> failure_;
};

Storm make_storm(std::uint32_t seed) {
    std::mt19937 random{seed};
    const auto below = [&](std::size_t count) {
        return std::uniform_int_distribution<std::uint32_t>{0, static_cast<std::uint32_t>(count) - 1}(random);
    };
    Storm storm{};
    storm.block_size = 16U << below(7);
    storm.sample_rate_hz =
        std::array{8'000.0, 22'050.0, 44'100.0, 48'000.0, 48'000.0, 96'000.0, 192'000.0}.at(below(7));
    storm.tone = below(3) == 0;
    storm.with_snapshots = seed % 2 == 0;
    // A storm without edits that affect all regions checks that the last region does not change. A storm without edits
    // of the level checks that the level is constant.
    std::vector<Kind> structure;
    for (auto kind = static_cast<std::uint32_t>(Kind::insert); kind <= static_cast<std::uint32_t>(Kind::neutral);
         ++kind)
        structure.push_back(static_cast<Kind>(kind));
    if (!storm.tone) std::erase(structure, Kind::insert_delay);
    std::vector<Kind> kinds = structure;
    for (const Kind kind : {Kind::level, Kind::side, Kind::cut, Kind::fader}) {
        if (below(5) == 0) kinds.push_back(kind);
    }
    if (below(2) == 0) {
        for (const Kind kind : {Kind::compensate, Kind::mute, Kind::panic}) {
            if (below(2) == 0) kinds.push_back(kind);
        }
    }
    storm.kinds.insert(kinds.begin(), kinds.end());
    const std::size_t edited_regions = 1 + below(kRegions - 1);
    const std::uint32_t longest_ms = std::array{3U, 15U, 40U, 100U}.at(below(4));
    const auto longest = static_cast<std::uint32_t>(storm.sample_rate_hz / 1'000.0 * longest_ms);
    const bool overlapping = below(2) == 0;
    for (std::uint32_t i = 0, count = 5 + below(56); i < count; ++i) {
        Request request{.changes = {}, .whole_graph = below(20) == 0, .wait_frames = below(longest + 1)};
        const std::size_t client_region = below(edited_regions);
        for (std::uint32_t k = 0, changes = below(3) == 0 ? 1 + below(4) : 1; k < changes; ++k) {
            request.changes.push_back({.kind = kinds.at(below(kinds.size())),
                                       .region = overlapping ? below(edited_regions) : client_region,
                                       .first = below(1U << 16U),
                                       .second = below(1U << 16U)});
        }
        storm.requests.push_back(std::move(request));
    }
    return storm;
}

std::optional<std::string> outcome(const Storm& storm) { return StormRun{storm}.run(); }

/// Removes requests and changes while the storm still fails in the same way, for `seconds` at most.
void shrink(Storm& storm, const std::string& failure, double seconds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>{seconds};
    const auto try_without = [&](Storm shorter) {
        if (std::chrono::steady_clock::now() > end) return false;
        const auto other = outcome(shorter);
        if (!other || without_numbers(*other) != without_numbers(failure)) return false;
        storm = std::move(shorter);
        return true;
    };
    for (std::size_t size = storm.requests.size() / 2; size > 0; size /= 2) {
        for (std::size_t i = storm.requests.size(); i >= size; --i) {
            Storm shorter = storm;
            const auto first = shorter.requests.begin() + static_cast<std::ptrdiff_t>(i - size);
            shorter.requests.erase(first, first + static_cast<std::ptrdiff_t>(size));
            if (try_without(std::move(shorter))) i = std::min(i, storm.requests.size() + 1);
        }
    }
    for (std::size_t i = storm.requests.size(); i-- > 0;) {
        for (std::size_t k = storm.requests[i].changes.size(); k-- > 0;) {
            Storm shorter = storm;
            shorter.requests[i].changes.erase(shorter.requests[i].changes.begin() + static_cast<std::ptrdiff_t>(k));
            if (!shorter.requests[i].changes.empty()) static_cast<void>(try_without(std::move(shorter)));
        }
        Storm as_edits = storm;
        as_edits.requests[i].whole_graph = false;
        if (storm.requests[i].whole_graph) static_cast<void>(try_without(std::move(as_edits)));
    }
}

std::string text_of(const Storm& storm) {
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

TEST(EditInvariants, HoldForRandomEditsOfSeveralClients) {
    const double seconds = number_from_environment("RTAD_STORM_SECONDS", 10.0);
    auto seed = static_cast<std::uint32_t>(number_from_environment("RTAD_STORM_SEED", 1.0));
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>{seconds};
    std::size_t storms = 0;
    std::size_t requests = 0;
    do {
        Storm storm = make_storm(seed);
        requests += storm.requests.size();
        ++storms;
        const auto failure = outcome(storm);
        if (failure) {
            shrink(storm, *failure, 30.0);
            StormRun shortest{storm};
            const auto again = shortest.run();
            FAIL() << "seed " << seed << ": " << *failure << "\nshortest: " << again.value_or("passes") << '\n'
                   << text_of(storm) << "which are\n"
                   << shortest.sent();
        }
        ++seed;
    } while (std::chrono::steady_clock::now() < end);
    std::cout << storms << " storms, " << requests << " requests\n";
}

}  // namespace
}  // namespace rta::test::edit_invariants_test
