// SPDX-License-Identifier: MIT
// The part of edit_load_bench with random edits of all kinds.
#include <malloc.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "edit_load_engine.h"

namespace rta::bench {
namespace {

/// A path from a source to a channel of the device: nodes in a row, and nodes that are not connected.
struct Path {
    std::uint32_t channel;
    bool transparent;  ///< a constant that no edit may change; otherwise, a sine through nodes of all types
    std::vector<std::string> nodes = {};
    std::vector<std::string> spare = {};
    bool open = false;  ///< the last connection is missing
    float gain_db = 0.0F;

    [[nodiscard]] std::string source() const { return "source" + std::to_string(channel); }
    [[nodiscard]] std::string sink() const { return "sink" + std::to_string(channel); }

    using Connections = std::map<std::pair<std::string, std::string>, float>;
    [[nodiscard]] Connections connections() const {
        Connections all;
        std::string before = source();
        for (const std::string& node : nodes) {
            all[{before, node}] = 0.0F;
            before = node;
        }
        if (!open) all[{before, sink()}] = gain_db;
        return all;
    }
};

/// Random edits of all kinds.
class Storm {
 public:
    static constexpr std::uint32_t kPaths = 48;
    static constexpr std::uint32_t kChannels = kPaths;
    static constexpr std::uint32_t kTransparent = kPaths / 2;

    Storm(LoadedEngine& loaded, std::uint32_t seed, std::function<void(double us)> rendered)
        : loaded_{loaded}, random_{seed}, rendered_{std::move(rendered)} {
        std::vector<Edit> edits;
        for (std::uint32_t i = 0; i < kPaths; ++i) {
            const Path& path = paths_.emplace_back(Path{.channel = i, .transparent = i < kTransparent});
            if (path.transparent) {
                edits.emplace_back(AddNode{"constant", path.source(), {}, {{"value", kLevel}}});
            } else {
                edits.emplace_back(AddNode{"sine", path.source(), {}, {{"gain_db", -12.0F}}});
            }
            edits.emplace_back(AddNode{"output", path.sink(), {{"first_channel", static_cast<double>(i + 1)}}, {}});
            edits.emplace_back(Connect{path.source(), path.sink(), {}});
        }
        loaded_.edit(std::move(edits), rendered_);
        loaded_.settle();
    }

    /// Makes one edit of a random kind.
    void edit() {
        Path& path = paths_[below(kPaths)];
        using Kind = bool (Storm::*)(Path&);
        constexpr std::array<Kind, 15> kKinds{
            &Storm::insert,     &Storm::insert_look_ahead,
            &Storm::remove,     &Storm::add_spare,
            &Storm::remove_one, &Storm::plug,
            &Storm::unplug,     &Storm::swap,
            &Storm::reverse,    &Storm::change_settings,
            &Storm::rename,     &Storm::connect_or_disconnect,
            &Storm::set,        &Storm::replace_graph,
            &Storm::compensate,
        };
        // Some kinds do not apply to some states of the path.
        while (!(this->*kKinds[below(kKinds.size())])(path)) {
        }
    }

    /// Throws if, in the last rendered block, a transparent path is not constant or another path is out of bounds.
    void check() const {
        for (const Path& path : paths_) {
            for (const float sample : loaded_.channel(path.channel)) {
                const bool good =
                    path.transparent ? std::fabs(sample - kLevel) <= kTolerance : std::fabs(sample) <= 16.0F;
                if (good) continue;
                throw std::runtime_error("channel " + std::to_string(path.channel) + " before frame " +
                                         std::to_string(loaded_.frame()) + ": " + std::to_string(sample) + " after " +
                                         std::to_string(loaded_.counts().edits) + " edits");
            }
        }
    }

 private:
    [[nodiscard]] std::size_t below(std::size_t end) {
        return std::uniform_int_distribution<std::size_t>{0, end - 1}(random_);
    }
    [[nodiscard]] std::string new_name() { return "n" + std::to_string(next_name_++); }

    [[nodiscard]] AddNode new_node(const Path& path, bool looks_ahead) {
        AddNode node{"gain", new_name(), {}, {}};
        if (looks_ahead) {
            // The signals of a transparent path are below the ceiling of the limiter, so the limiter only delays them.
            node.type = path.transparent || below(2) == 0 ? "limiter" : "compressor";
            node.settings["look_ahead_ms"] = static_cast<double>(1 + below(20));
        } else if (!path.transparent) {
            constexpr std::array kTypes{"gain", "biquad_filter", "delay_line", "equalizer", "soft_clip", "dc_blocker"};
            node.type = kTypes.at(below(kTypes.size()));
            if (node.type == "delay_line") {
                node.settings["max_time_ms"] = 100.0;
                node.parameters["time_ms"] = 10.0F;
            }
        }
        types_[node.name] = node.type;
        return node;
    }

    bool insert_node(Path& path, bool looks_ahead) {
        if (path.nodes.size() >= 5) return false;
        Path next = path;
        const AddNode node = new_node(path, looks_ahead);
        next.nodes.insert(next.nodes.begin() + static_cast<std::ptrdiff_t>(below(next.nodes.size() + 1)), node.name);
        return commit(path, std::move(next), {node});
    }
    bool insert(Path& path) { return insert_node(path, false); }
    bool insert_look_ahead(Path& path) { return insert_node(path, true); }

    bool remove(Path& path) {
        if (path.nodes.empty()) return false;
        Path next = path;
        const auto node = next.nodes.begin() + static_cast<std::ptrdiff_t>(below(next.nodes.size()));
        const std::string name = *node;
        next.nodes.erase(node);
        return commit(path, std::move(next), {}, {RemoveNode{name}});
    }

    bool add_spare(Path& path) {
        if (path.spare.size() >= 2) return false;
        Path next = path;
        const AddNode node = new_node(path, false);
        next.spare.push_back(node.name);
        return commit(path, std::move(next), {node});
    }

    bool remove_one(Path& path) {
        if (path.spare.empty()) return false;
        Path next = path;
        next.spare.pop_back();
        return commit(path, std::move(next), {RemoveNode{path.spare.back()}});
    }

    bool plug(Path& path) {
        if (path.spare.empty() || path.nodes.size() >= 5) return false;
        Path next = path;
        next.nodes.insert(next.nodes.begin() + static_cast<std::ptrdiff_t>(below(next.nodes.size() + 1)),
                          next.spare.back());
        next.spare.pop_back();
        return commit(path, std::move(next), {});
    }

    bool unplug(Path& path) {
        if (path.nodes.empty() || path.spare.size() >= 2) return false;
        Path next = path;
        const auto node = next.nodes.begin() + static_cast<std::ptrdiff_t>(below(next.nodes.size()));
        next.spare.push_back(*node);
        next.nodes.erase(node);
        return commit(path, std::move(next), {});
    }

    bool swap(Path& path) {
        if (path.nodes.size() < 2) return false;
        Path next = path;
        const std::size_t first = below(next.nodes.size() - 1);
        std::swap(next.nodes[first], next.nodes[first + 1]);
        return commit(path, std::move(next), {});
    }

    bool reverse(Path& path) {
        if (path.nodes.size() < 2) return false;
        Path next = path;
        std::ranges::reverse(next.nodes);
        return commit(path, std::move(next), {});
    }

    bool change_settings(Path& path) {
        if (path.nodes.empty()) return false;
        const std::string& node = path.nodes[below(path.nodes.size())];
        const std::string& type = types_.at(node);
        Settings settings;
        if (type == "limiter" || type == "compressor") {
            settings["look_ahead_ms"] = static_cast<double>(1 + below(20));
        } else if (type == "biquad_filter") {
            constexpr std::array kKinds{"lowpass", "highpass", "notch", "peaking", "low_shelf"};
            settings["kind"] = std::string{kKinds.at(below(kKinds.size()))};
        } else if (type == "delay_line") {
            settings["max_time_ms"] = static_cast<double>(50 + below(100));
        } else if (type == "equalizer") {
            settings["bands"] = static_cast<double>(1 + below(4));
        } else {
            return false;
        }
        return commit(path, path, {ChangeSettings{node, settings}});
    }

    bool rename(Path& path) {
        if (path.nodes.empty()) return false;
        Path next = path;
        std::string& name = next.nodes[below(next.nodes.size())];
        const RenameNode edit{name, new_name()};
        types_[edit.new_name] = types_.at(name);
        name = edit.new_name;
        if (!loaded_.edit({edit}, rendered_)) return true;
        types_.erase(edit.name);
        path = std::move(next);
        return true;
    }

    bool connect_or_disconnect(Path& path) {
        if (path.transparent) return false;
        Path next = path;
        if (below(2) == 0) {
            next.open = !path.open;
        } else {
            next.gain_db = static_cast<float>(below(4)) * -6.0F;
            if (path.open || next.gain_db == path.gain_db) return false;
        }
        return commit(path, std::move(next), {});
    }

    /// Changes a parameter: half of the times by a parameter change, otherwise in a transaction.
    bool set(Path& path) {
        SetParameter change{path.source(), "frequency_hz", static_cast<float>(100 + below(1'000)), {}};
        if (path.transparent) {
            const auto limiter =
                std::ranges::find_if(path.nodes, [&](const auto& node) { return types_.at(node) == "limiter"; });
            if (limiter == path.nodes.end()) return false;
            change = {*limiter, "release_ms", static_cast<float>(50 + below(100)), {}};
        }
        if (below(2) == 0) {
            loaded_.set_parameter(change);
        } else {
            loaded_.edit({change}, rendered_);
        }
        return true;
    }

    /// Replaces the nodes of one path; all other nodes stay.
    bool replace_graph(Path& path) {
        GraphDocument document = loaded_.engine().graph().document();
        Path next = path;
        std::map<std::string, std::string> names;
        for (std::string& node : next.nodes) {
            const std::string name = new_name();
            types_[name] = types_.at(node);
            names[node] = name;
            node = name;
        }
        const auto exchange = [&](std::string& place) {
            const auto found = names.find(place.substr(0, place.find(':')));
            if (found != names.end()) place.replace(0, found->first.size(), found->second);
        };
        for (GraphDocument::Node& node : document.nodes) exchange(node.name);
        for (GraphDocument::Connection& connection : document.connections) {
            exchange(connection.from);
            exchange(connection.to);
        }
        if (!loaded_.edit({ReplaceGraph{std::move(document)}}, rendered_)) return true;
        for (const auto& [before, after] : names) types_.erase(before);
        path = std::move(next);
        return true;
    }

    bool compensate(Path&) {
        loaded_.edit({SetLatencyCompensation{!loaded_.engine().graph().latency_compensation()}}, rendered_);
        return true;
    }

    bool commit(Path& path, Path next, std::vector<Edit> edits, std::vector<Edit> after = {}) {
        const auto before = path.connections();
        const auto wanted = next.connections();
        for (const auto& [ends, gain] : before) {
            if (!wanted.contains(ends)) edits.emplace_back(Disconnect{ends.first, ends.second});
        }
        for (const auto& [ends, gain] : wanted) {
            const auto old = before.find(ends);
            if (old == before.end() || old->second != gain) edits.emplace_back(Connect{ends.first, ends.second, gain});
        }
        edits.insert(edits.end(), after.begin(), after.end());
        if (loaded_.edit(std::move(edits), rendered_)) path = std::move(next);
        return true;
    }

    LoadedEngine& loaded_;
    std::mt19937 random_;
    std::function<void(double us)> rendered_;
    std::vector<Path> paths_;
    std::map<std::string, std::string> types_;
    std::size_t next_name_ = 0;
};

}  // namespace

void measure_storm(const Load& load) {
    const std::size_t edits = load.of(100'000);
    constexpr double kIntervalFrames = kRateHz / 500.0;
    print_title(std::to_string(edits) + " edits of all kinds, 500 a second, " + std::to_string(Storm::kPaths) +
                " paths, block " + std::to_string(kBlock));

    auto loaded = std::make_unique<LoadedEngine>(Storm::kChannels);
    std::vector<double> blocks_us(edits * 4);  // touched, so that its growth is not counted
    blocks_us.clear();
    loaded->reserve(edits * 2);
    Storm* checked = nullptr;
    Storm storm{*loaded, load.seed, [&](double us) {
                    blocks_us.push_back(us);
                    if (checked != nullptr) checked->check();
                }};
    checked = &storm;
    // The graph grows to its mean size first.
    const auto rendered = [&](double us) {
        blocks_us.push_back(us);
        storm.check();
    };
    run_at_rate(
        *loaded, std::max<std::size_t>(edits / 20, 1'000), kIntervalFrames, [&](std::size_t) { storm.edit(); },
        rendered);
    loaded->reset_counts();
    blocks_us.clear();

    std::vector<Memory> memory{Memory::now()};
    std::uint64_t late = 0;
    std::uint64_t nodes = 0;
    for (int part = 0; part < 4; ++part) {
        late = run_at_rate(*loaded, edits / 4, kIntervalFrames, [&](std::size_t) { storm.edit(); }, rendered);
        memory.push_back(Memory::now());
        nodes = loaded->engine().graph().node_count();
    }
    const LoadedEngine::Counts counts = loaded->counts();
    print_figure("audio rendered", decimal(static_cast<double>(blocks_us.size()) * kBlockMs / 1000.0, 1) + " s");
    print_figure("the last edit was late by", decimal(1000.0 * static_cast<double>(late) / kRateHz, 0) + " ms");
    print_counts(*loaded);
    constexpr std::array kWhen{"at the start", "after 25 %", "after 50 %", "after 75 %", "at the end"};
    for (std::size_t i = 0; i < memory.size(); ++i)
        print_figure(std::string{"memory "} + kWhen.at(i), memory[i].text(), i == 0 ? "flat" : "");
    const std::size_t part = blocks_us.size() / 10;
    const Percentiles first{{blocks_us.begin(), blocks_us.begin() + static_cast<std::ptrdiff_t>(part)}};
    const Percentiles last{{blocks_us.end() - static_cast<std::ptrdiff_t>(part), blocks_us.end()}};
    print_figure("block during the first tenth, p50 / p99 / max", text_of(first, "us", 1));
    print_figure("block during the last tenth, p50 / p99 / max", text_of(last, "us", 1),
                 decimal(last.p50() / first.p50()) + " times the first");

    loaded->settle();
    const EngineStatistics statistics = loaded->engine().statistics();
    print_figure("at rest: plans alive, nodes that sound but are not in the graph",
                 std::to_string(statistics.plans_alive) + ", " +
                     std::to_string(statistics.sounding_nodes - loaded->engine().graph().node_count()),
                 "1, 0");
    print_figure("memory at rest", Memory::now().text());
    ::malloc_trim(0);
    print_figure("  without what the heap keeps for later", Memory::now().text());

    auto fresh = std::make_unique<LoadedEngine>(Storm::kChannels);
    fresh->edit({ReplaceGraph{loaded->engine().graph().document()}}, [](double) {});
    fresh->render_ms(2'000);
    for (std::uint32_t c = 0; c < Storm::kTransparent; ++c)
        check("the fresh engine", std::fabs(fresh->channel(c).back() - loaded->channel(c).back()), kTolerance);
    const auto row = [&](const char* what, LoadedEngine& engine) {
        return Row{what, std::string{dsp::simd_target()}, 50.0, "us a block", [&engine] {
                       for (int i = 0; i < 50; ++i) engine.render();
                   }};
    };
    std::vector<Row> rows{row("  a fresh engine with the same graph, at rest", *fresh),
                          row("  the engine after the storm, at rest", *loaded)};
    for (Row& each : rows) each.units *= 1000.0;
    rows[1].compared = 0;
    measure(rows, load.quick ? 50 : 400);
    print(rows);
    std::printf("    wanted: at most 1.10 times; %llu nodes\n", static_cast<unsigned long long>(nodes));
    if (counts.heard == 0) throw std::runtime_error("nothing was heard");
}

}  // namespace rta::bench
