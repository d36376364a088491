// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "graph/edit.h"
#include "stress/invariants_model.h"

namespace rta::test::edit_invariants_test {

/// A transaction.
struct Plan {
    Model before;  ///< with the names of nodes after the transaction
    Model after;
    std::vector<Edit> first{};        ///< applied before connections change
    std::vector<Edit> last{};         ///< applied after connections change
    std::set<std::string> rebuilt{};  ///< nodes that lose their connections
    std::optional<float> parameter_ramp_ms{};
};

/// Translates changes into edits.
class Editor {
 public:
    explicit Editor(const Storm& storm) : long_look_ahead_{storm.one_sided} {}

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
                const double look_ahead_ms = long_look_ahead_ && plan.after.nodes.at(name).type == "compressor"
                                                 ? 49.0 + change.second % 2
                                                 : 1.0 + change.second % 20;
                change_settings(plan, name, {{"look_ahead_ms", look_ahead_ms}});
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
            case Kind::delay_time:
                set_delay_time(plan, region, change);
                return;
            case Kind::tap:
                edit_tap(plan, region, change);
                return;
            case Kind::echo:
                edit_echo(plan, region, change);
                return;
            case Kind::quiet:
                edit_quiet(plan, region);
                return;
            case Kind::chain:
                insert_chain(plan, region);
                return;
            case Kind::same: {
                const std::string line = region.name_of("line");
                change_settings(plan, line, plan.after.nodes.at(line).settings);
                return;
            }
            case Kind::refused:
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

 private:
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
            node = passing_compressor(1.0 + random / 5 % 50);
        } else if (random % 5 == 2) {
            // With one channel each, a view of its input.
            node = {random / 5 % 2 == 0 ? "split" : "merge"};
        }
        add_node(plan, name, std::move(node));
        return name;
    }
    static void add_node(Plan& plan, const std::string& name, Description node) {
        plan.first.emplace_back(AddNode{node.type, name, node.settings, node.parameters});
        plan.after.nodes[name] = std::move(node);
    }
    static void remove_node(Plan& plan, std::string& name) {
        plan.last.emplace_back(RemoveNode{name});
        plan.after.nodes.erase(name);
        name.clear();
    }
    static void change_settings(Plan& plan, const std::string& name, const Settings& settings) {
        plan.after.nodes.at(name).settings = settings;
        plan.first.emplace_back(ChangeSettings{name, settings});
    }
    static void set_delay_time(Plan& plan, const Region& region, const Change& change) {
        constexpr std::array kTimes{0.0F, 20.0F, 100.0F, 250.0F};
        for (const auto& stage : region.stages) {
            Description& node = plan.after.nodes.at(stage.front());
            if (node.type != "delay_line") continue;
            const float time_ms = kTimes.at(change.first % kTimes.size());
            node.parameters["time_ms"] = time_ms;
            plan.first.emplace_back(SetParameter{stage.front(), "time_ms", time_ms, {}});
            return;
        }
    }
    void edit_tap(Plan& plan, Region& region, const Change& change) {
        const double look_ahead_ms = 1.0 + change.first % 50;
        if (region.tap.empty()) {
            ++region.tap_count;
            region.tap = new_name();
            region.tap_output = new_name();
            add_node(plan, region.tap, passing_compressor(look_ahead_ms));
            add_node(plan, region.tap_output,
                     {"output", {{"first_channel", static_cast<double>(region.index + 1)}}, {}});
        } else if (change.second % 3 == 0) {
            remove_node(plan, region.tap);
            remove_node(plan, region.tap_output);
        } else if (plan.before.nodes.contains(region.tap)) {
            change_settings(plan, region.tap, {{"look_ahead_ms", look_ahead_ms}});
        }
    }
    void edit_echo(Plan& plan, Region& region, const Change& change) {
        if (region.echo.empty()) {
            region.echo = new_name();
            region.echo_cut = false;
            add_node(plan, region.echo, {"limiter", {{"look_ahead_ms", 1.0 + change.first % 20}}, {}});
        } else if (!region.echo_line.empty()) {
            remove_node(plan, region.echo);
            remove_node(plan, region.echo_line);
        } else if (!region.echo_cut && change.second % 2 == 0) {
            region.echo_cut = true;  // another transaction adds the delay line
        } else if (plan.before.nodes.contains(region.echo)) {
            region.echo_cut = true;
            region.echo_line = new_name();
            add_node(plan, region.echo_line, {"delay_line", {}, {{"time_ms", static_cast<float>(change.first % 100)}}});
        }
    }
    void edit_quiet(Plan& plan, Region& region) {
        region.quiet_longer = !region.quiet_longer;
        const double look_ahead_ms = region.quiet_longer ? 50.0 : 49.0;
        if (region.quiet.empty()) {
            region.quiet = new_name();
            add_node(plan, region.quiet, passing_compressor(look_ahead_ms));
            add_node(plan, region.name_of("unheard"), {"gain", {}, {}});
        } else if (plan.before.nodes.contains(region.quiet)) {
            change_settings(plan, region.quiet, {{"look_ahead_ms", look_ahead_ms}});
        }
    }
    void insert_chain(Plan& plan, Region& region) {
        if (region.stages.size() >= 5) return;
        for (int i = 0; i < 20; ++i) {
            region.stages.push_back({new_name()});
            add_node(plan, region.stages.back().front(), passing_compressor(50.0));
        }
    }

    bool long_look_ahead_;
    int next_name_ = 0;
};

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
    std::string operator()(const Describe& edit) const { return "describe " + edit.node; }
    std::string operator()(const ReplaceGraph&) const { return "replace the graph"; }
};

}  // namespace rta::test::edit_invariants_test
