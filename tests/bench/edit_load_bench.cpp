// SPDX-License-Identifier: MIT
// Measures the cost of edits while an engine is under an edit load, relative to an idle engine.
//
//     build/release/bin/edit_load_bench [--quick] [--seed N] [storm | ports | inserts | clients | panic | gains]...
//
// storm    100,000 edits of all kinds, 500 per second; then compares the engine with a new one of the same graph
// ports    branches that move from port to port over 4,096 ports, one edit every 2 ms
// inserts  nodes inserted into 30,000 nodes of a running daemon; counts late blocks
// clients  response and start times of one client of a daemon while others edit as fast as they can
// panic    a panic while four clients add nodes
// gains    the first block after an edit of 10,000 nodes, compared with the next block
//
// Without names, measures all. Times of the engine alone are in seconds of audio, because it renders as fast as it can.
// The output is verified before it is timed; times are not asserted.
#include <malloc.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <semaphore>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "bench.h"
#include "bench_main.h"
#include "edit_load.h"
#include "engine/engine.h"
#include "engine/renderer.h"
#include "rt/denormal_guard.h"

namespace rta::bench {
namespace {

constexpr double kBlockMs = 1000.0 * kBlock / kRateHz;
constexpr float kLevel = 0.5F;
constexpr float kTolerance = 2e-5F;
/// Time after which the daemon rejects an edit for which the engine has no room.
constexpr std::uint64_t kTimeoutFrames = 48'000;

/// Returns the memory of this process that is in RAM, and the part of it that the heap has handed out, in MB.
struct Memory {
    double resident_mb = 0.0;
    double heap_mb = 0.0;

    [[nodiscard]] static Memory now() {
        std::ifstream file{"/proc/self/statm"};
        double pages = 0.0;
        file >> pages >> pages;
        const struct mallinfo2 heap = ::mallinfo2();
        constexpr double kMb = 1024.0 * 1024.0;
        return {pages * static_cast<double>(::sysconf(_SC_PAGESIZE)) / kMb,
                static_cast<double>(heap.uordblks + heap.hblkhd) / kMb};
    }
    [[nodiscard]] std::string text() const {
        return decimal(resident_mb, 1) + " (" + decimal(heap_mb, 1) + " in use) MB";
    }
};

/// Returns the CPU time of this thread: unlike wall time, it does not grow when other programs need the CPU.
double cpu_us() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

/// An engine that receives edits at a fixed rate of audio time and retries those for which it has no room in every
/// block, in order, as the daemon does.
class LoadedEngine : private Engine::Observer {
 public:
    struct Counts {
        std::size_t edits = 0;    ///< committed
        std::size_t retried = 0;  ///< edits for which the queue had no room at first
        std::size_t retries = 0;
        std::size_t given_up = 0;
        std::uint64_t longest_wait_frames = 0;  ///< longest time that an edit waited for room
        std::uint64_t most_sounding = 0;
        double most_of_bound = 0.0;  ///< largest ratio of the number of nodes that are not in the graph to its bound
        std::uint64_t most_leaving = 0;
        std::uint64_t most_plans = 0;
        std::uint64_t heard = 0;  ///< transactions that have taken effect
        std::map<std::string, std::size_t> refusals = {};
    };

    explicit LoadedEngine(std::uint32_t channels) : engine_{builtin_nodes(), {}}, out_{channels, kBlock} {}

    /// Renders one block, and returns the time that it took in microseconds.
    double render() {
        double ns = 0.0;
        {
            const auto claim = engine_.gate().try_claim(generation_);
            ns = ns_of([&] { engine_.renderer().render(claim.key(), {AudioReadView{}, out_.write()}); });
        }
        engine_.poll(*this);
        return ns / 1000.0;
    }
    void render_ms(double ms) {
        for (double left = ms; left > 0.0; left -= kBlockMs) render();
    }
    void settle() {
        for (int i = 0; i < 20'000 && engine_.outstanding(); ++i) render();
        if (engine_.outstanding()) throw std::runtime_error("the engine does not settle");
        render();
    }

    /// Commits, and renders one block per retry. Returns false if the edit timed out. Calls `rendered` with the time of
    /// each of these blocks.
    bool edit(std::vector<Edit> edits, const std::function<void(double us)>& rendered) {
        auto prepared = engine_.prepare({std::move(edits)});
        if (!prepared) throw std::runtime_error(prepared.error().sentence);
        const std::size_t nodes_before = engine_.graph().node_count();
        const std::uint64_t begin = frame();
        for (bool first = true;; first = false) {
            Expected<Ticket> ticket = commit(*prepared);
            const std::uint64_t waited = frame() - begin;
            counts_.longest_wait_frames = std::max(counts_.longest_wait_frames, waited);
            if (ticket) {
                ++counts_.edits;
                count_leaving(nodes_before);
                return true;
            }
            if (first) {
                ++counts_.retried;
                ++counts_.refusals[ticket.error().sentence];
            }
            ++counts_.retries;
            if (waited > kTimeoutFrames) {
                ++counts_.given_up;
                return false;
            }
            rendered(render());
        }
    }
    void set_parameter(const SetParameter& change) {
        if (const auto ticket = engine_.set_parameters({&change, 1}); !ticket)
            throw std::runtime_error(ticket.error().sentence);
        ++counts_.edits;
    }

    [[nodiscard]] Engine& engine() { return engine_; }
    [[nodiscard]] std::uint64_t frame() const { return engine_.renderer().frames(); }
    [[nodiscard]] std::span<const float> channel(std::uint32_t index) const { return out_.read().channel(index); }
    [[nodiscard]] const Counts& counts() const { return counts_; }
    [[nodiscard]] Percentiles commits_us() const { return Percentiles{commits_us_}; }
    /// Touches the memory, so that its growth is not attributed to the engine.
    void reserve(std::size_t edits) {
        commits_us_.assign(edits, 0.0);
        commits_us_.clear();
    }
    void reset_counts() {
        counts_ = {};
        commits_us_.clear();
    }

 private:
    Expected<Ticket> commit(PreparedTransaction& prepared) {
        for (;;) {
            const double begin_us = cpu_us();
            Expected<Ticket> ticket = engine_.commit(prepared);
            if (ticket) commits_us_.push_back(cpu_us() - begin_us);
            if (ticket) return ticket;
            if (ticket.error().code == ErrorCode::aborted) {
                if (auto built = engine_.build(prepared); !built) throw std::runtime_error(built.error().sentence);
                continue;
            }
            const bool full = ticket.error().code == ErrorCode::resource_exhausted && !ticket.error().edit_index;
            if (!full) throw std::runtime_error(ticket.error().sentence);
            return ticket;
        }
    }
    void count_leaving(std::size_t nodes_before) {
        const EngineStatistics statistics = engine_.statistics();
        const std::uint64_t sounding = statistics.sounding_nodes;
        const std::uint64_t nodes = engine_.graph().node_count();
        const std::uint64_t leaving = sounding > nodes ? sounding - nodes : 0;
        const std::uint64_t bound = std::max<std::uint64_t>({1'024, nodes, nodes_before});
        counts_.most_plans = std::max(counts_.most_plans, statistics.plans_alive);
        counts_.most_sounding = std::max(counts_.most_sounding, sounding);
        counts_.most_leaving = std::max(counts_.most_leaving, leaving);
        counts_.most_of_bound =
            std::max(counts_.most_of_bound, static_cast<double>(leaving) / static_cast<double>(bound));
    }

    void applied(std::uint64_t, std::uint64_t) override {}
    void transaction_heard(std::uint64_t, std::uint64_t) override { ++counts_.heard; }
    void node_faulted(const std::string& node, std::uint64_t) override { throw std::runtime_error(node + " faulted"); }
    void device_faded(std::uint64_t) override {}

    Engine engine_;
    AudioBuffer out_;
    AudioThreadGate::Generation generation_ = engine_.gate().start_generation();
    Counts counts_;
    std::vector<double> commits_us_;
};

void print_counts(const LoadedEngine& loaded) {
    const LoadedEngine::Counts& counts = loaded.counts();
    print_figure("edits retried, of", std::to_string(counts.retried) + " of " + std::to_string(counts.edits),
                 std::to_string(counts.retries) + " retries, " + std::to_string(counts.given_up) + " given up");
    for (const auto& [sentence, count] : counts.refusals) std::printf("    %zu x %s\n", count, sentence.c_str());
    print_figure("longest wait of an edit for room",
                 decimal(1000.0 * static_cast<double>(counts.longest_wait_frames) / kRateHz, 0) + " ms");
    print_figure("plans alive, at most", std::to_string(counts.most_plans), "<= 16");
    print_figure("nodes that sound, at most", std::to_string(counts.most_sounding));
    print_figure("  of them not in the graph, at most", std::to_string(counts.most_leaving),
                 decimal(counts.most_of_bound) + " of max(1,024, graph); wanted <= 1");
    print_figure("commit, CPU time, p50 / p99 / max", text_of(loaded.commits_us(), "us", 0));
}

/// Calls `edit` `count` times, each `interval` of audio time after the previous call, and `rendered` after each block.
/// After edits that had to wait for room, catches up. Returns by how many frames the last edit was late.
std::uint64_t run_at_rate(LoadedEngine& loaded, std::size_t count, double interval_frames,
                          const std::function<void(std::size_t)>& edit,
                          const std::function<void(double us)>& rendered) {
    const auto begin = static_cast<double>(loaded.frame());
    std::uint64_t late = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const double due = begin + static_cast<double>(i) * interval_frames;
        while (static_cast<double>(loaded.frame()) < due) rendered(loaded.render());
        late = loaded.frame() - static_cast<std::uint64_t>(due);
        edit(i);
    }
    return late;
}

// ---------------------------------------------------------------------------------------------------------------------
// storm

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

// ---------------------------------------------------------------------------------------------------------------------
// ports

/// Branches of a constant and some nodes that move to another port with every edit. Their sum is the same constant at
/// every frame, because one branch fades in as the other fades out.
class Branches {
 public:
    static constexpr std::size_t kMixers = 64;
    static constexpr std::size_t kInputs = 64;

    Branches(LoadedEngine& loaded, std::size_t count, std::size_t length, bool looks_ahead, std::uint32_t seed)
        : loaded_{loaded}, length_{length}, looks_ahead_{looks_ahead}, ports_(count), random_{seed} {
        std::vector<Edit> edits{AddNode{"output", "out", {}, {}}};
        for (std::size_t i = 0; i < kMixers; ++i) {
            const std::string mixer = "mixer" + std::to_string(i);
            edits.emplace_back(AddNode{"mixer", mixer, {{"inputs", static_cast<double>(kInputs)}}, {}});
            edits.emplace_back(Connect{mixer, "out", {}});
        }
        add(edits);
        loaded_.edit(std::move(edits), [](double) {});
        loaded_.render_ms(100);
        check();
    }

    void move() {
        std::vector<Edit> edits;
        for (const std::string& node : nodes_) edits.emplace_back(RemoveNode{node});
        const auto before = std::exchange(nodes_, {});
        add(edits);
        if (!loaded_.edit(std::move(edits), [this](double) { check(); })) nodes_ = before;
    }

    void check() const {
        for (const float sample : loaded_.channel(0)) {
            bench::check("the sum of all branches", std::fabs(sample - kLevel), kTolerance);
        }
    }

 private:
    void add(std::vector<Edit>& edits) {
        for (std::size_t i = 0; i < ports_; ++i) {
            std::string last = "b" + std::to_string(next_name_++);
            nodes_.push_back(last);
            edits.emplace_back(AddNode{"constant", last, {}, {{"value", kLevel / static_cast<float>(ports_)}}});
            for (std::size_t n = 1; n < length_; ++n) {
                const std::string name = "b" + std::to_string(next_name_++);
                AddNode node{"gain", name, {}, {}};
                if (looks_ahead_ && n == 1) node = {"limiter", name, {{"look_ahead_ms", 20.0}}, {}};
                edits.emplace_back(node);
                edits.emplace_back(Connect{last, name, {}});
                nodes_.push_back(name);
                last = name;
            }
            const std::size_t port = std::uniform_int_distribution<std::size_t>{0, kMixers * kInputs - 1}(random_);
            edits.emplace_back(Connect{
                last, "mixer" + std::to_string(port / kInputs) + ":in_" + std::to_string(port % kInputs + 1), {}});
        }
    }

    LoadedEngine& loaded_;
    std::size_t length_;
    bool looks_ahead_;
    std::size_t ports_;
    std::mt19937 random_;
    std::vector<std::string> nodes_;
    std::size_t next_name_ = 0;
};

void measure_branches(const Load& load, std::size_t count, std::size_t length, bool looks_ahead) {
    const std::size_t edits = load.of(count == 1 ? 10'000 : 2'500);
    print_title(std::to_string(edits) + " edits, one every 2 ms, each moves " + std::to_string(count) +
                " branches of " + std::to_string(length) + " nodes" + (looks_ahead ? " with 20 ms of look-ahead" : "") +
                " over 4,096 ports");
    LoadedEngine loaded{1};
    loaded.reserve(edits);
    Branches branches{loaded, count, length, looks_ahead, load.seed};
    loaded.reset_counts();
    const Memory before = Memory::now();
    std::vector<double> blocks_us;
    const std::uint64_t late = run_at_rate(
        loaded, edits, kRateHz / 500.0, [&](std::size_t) { branches.move(); },
        [&](double us) {
            blocks_us.push_back(us);
            branches.check();
        });
    print_counts(loaded);
    print_figure("the last edit was late by", decimal(1000.0 * static_cast<double>(late) / kRateHz, 0) + " ms");
    print_figure("memory before, after", before.text() + ", " + Memory::now().text());
    loaded.settle();
    branches.check();
    print_figure("nodes of the graph, nodes that sound at rest",
                 std::to_string(loaded.engine().graph().node_count()) + ", " +
                     std::to_string(loaded.engine().statistics().sounding_nodes),
                 "equal");
}

void measure_ports(const Load& load) {
    measure_branches(load, 1, 2, false);
    measure_branches(load, 1, 8, true);
    measure_branches(load, 32, 8, false);
    measure_branches(load, 32, 8, true);
}

// ---------------------------------------------------------------------------------------------------------------------
// gains

void run_on_cpu(std::size_t cpu) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(cpu, &cpus);
    pthread_setaffinity_np(pthread_self(), sizeof cpus, &cpus);  // fails on a machine with only one CPU
}

/// Thread on its own CPU, like the audio thread. Runs one call at a time.
class OtherThread {
 public:
    OtherThread() : thread_{[this] { run(); }} {
        pthread_getaffinity_np(pthread_self(), sizeof cpus_, &cpus_);
        run_on_cpu(0);
    }
    ~OtherThread() {
        work_ = nullptr;
        begin_.release();
        thread_.join();
        pthread_setaffinity_np(pthread_self(), sizeof cpus_, &cpus_);
    }
    OtherThread(const OtherThread&) = delete;
    OtherThread& operator=(const OtherThread&) = delete;

    void call(const std::function<void()>& work) {
        work_ = &work;
        begin_.release();
        end_.acquire();
    }

 private:
    void run() {
        const DenormalGuard guard;
        run_on_cpu(1);
        for (;;) {
            begin_.acquire();
            if (work_ == nullptr) return;
            (*work_)();
            end_.release();
        }
    }

    cpu_set_t cpus_{};  ///< CPUs of the calling thread
    const std::function<void()>* work_ = nullptr;
    std::binary_semaphore begin_{0};
    std::binary_semaphore end_{0};
    std::thread thread_;
};

/// Chains of gains from a constant to an output.
std::vector<Edit> chains(std::size_t count) {
    constexpr std::size_t kLength = 100;
    std::vector<Edit> edits{AddNode{"output", "out", {}, {}}};
    const float part = kLevel / static_cast<float>(count / kLength);
    edits.emplace_back(AddNode{"constant", "in", {}, {{"value", part}}});
    for (std::size_t i = 0; i < count; ++i) {
        const std::string name = "n" + std::to_string(i);
        edits.emplace_back(AddNode{"gain", name, {}, {}});
        edits.emplace_back(Connect{i % kLength == 0 ? "in" : "n" + std::to_string(i - 1), name, {}});
        if (i % kLength == kLength - 1) edits.emplace_back(Connect{name, "out", {}});
    }
    return edits;
}

void measure_first_blocks(const Load& load, std::size_t count, bool other_cpu) {
    Rig rig{chains(count)};
    std::optional<OtherThread> other;
    if (other_cpu) other.emplace();
    const auto block_ns = [&] {
        double ns = 0.0;
        const std::function<void()> render = [&] { ns = ns_of([&] { rig.render(1); }); };
        if (other) {
            other->call(render);
        } else {
            render();
        }
        for (const float sample : rig.block()) check("gains in chains", std::fabs(sample - kLevel), 1e-4);
        rig.poll();
        return ns / 1000.0;
    };
    std::array<std::vector<double>, 4> us;
    bool inserted = false;
    const std::size_t edits = load.of(100);
    for (std::size_t i = 0; i < 20; ++i) block_ns();
    for (std::size_t i = 0; i < edits; ++i) {
        // An insert and its removal alternate, each after the fade of the previous one.
        for (int block = 0; block < 25; ++block) block_ns();
        us[0].push_back(block_ns());
        std::vector<Edit> transaction;
        if (inserted) {
            transaction = {RemoveNode{"x"}, Connect{"n50", "n51", {}}};
        } else {
            transaction = {AddNode{"gain", "x", {}, {}}, Disconnect{"n50", "n51"}, Connect{"n50", "x", {}},
                           Connect{"x", "n51", {}}};
        }
        inserted = !inserted;
        auto prepared = rig.engine().prepare({std::move(transaction)});
        if (!prepared || !rig.engine().commit(*prepared)) throw std::runtime_error("an edit was refused");
        for (std::size_t block = 1; block < us.size(); ++block) us[block].push_back(block_ns());
    }
    print_title(std::to_string(count) + " gains, an insert or a removal committed on " +
                (other_cpu ? "another CPU" : "the same CPU"));
    constexpr std::array kWhat{"at rest", "first block after an edit", "the next block", "the one after it"};
    const Percentiles rest{us[0]};
    const Percentiles next{us[2]};
    for (std::size_t i = 0; i < us.size(); ++i) {
        const Percentiles each{us[i]};
        std::string ratio = decimal(each.p50() / rest.p50()) + " of rest";
        if (i == 1) {
            ratio += ", " + decimal(each.at(0.0) / next.at(0.0)) + " (min) " + decimal(each.p50() / next.p50()) +
                     " (p50) of the next; wanted < 1.5";
        }
        print_figure(std::string{kWhat.at(i)} + ", min / p50 / p99",
                     decimal(each.at(0.0), 1) + " / " + decimal(each.p50(), 1) + " / " + decimal(each.p99(), 1) + " us",
                     ratio);
    }
}

void measure_gains(const Load& load) {
    for (const std::size_t count : {10'000UZ, 20'000UZ}) {
        for (const bool other_cpu : {false, true}) measure_first_blocks(load, count, other_cpu);
    }
}

// ---------------------------------------------------------------------------------------------------------------------

struct Mode {
    std::string_view name;
    void (*measure)(const Load&);
};
constexpr std::array kModes{Mode{"storm", measure_storm},     Mode{"ports", measure_ports},
                            Mode{"inserts", measure_inserts}, Mode{"clients", measure_clients},
                            Mode{"panic", measure_panic},     Mode{"gains", measure_gains}};

}  // namespace
}  // namespace rta::bench

void rta::bench::run(std::span<const std::string_view> arguments) {
    Load load;
    std::vector<Mode> modes;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string_view word = arguments[i];
        const auto mode = std::ranges::find(kModes, word, &Mode::name);
        if (word == "--quick") {
            load.quick = true;
        } else if (word == "--seed" && i + 1 < arguments.size()) {
            const std::string_view number = arguments[++i];
            std::from_chars(number.data(), number.data() + number.size(), load.seed);
        } else if (mode != kModes.end()) {
            modes.push_back(*mode);
        } else {
            throw std::runtime_error("invalid argument " + std::string{word} +
                                     ": expected --quick, --seed N, storm, ports, inserts, clients, panic or gains");
        }
    }
    if (modes.empty()) modes.assign(kModes.begin(), kModes.end());
    for (const Mode& mode : modes) mode.measure(load);
}
