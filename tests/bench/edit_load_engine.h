// SPDX-License-Identifier: MIT
// An engine under an edit load, for the source files of edit_load_bench.
#pragma once

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <functional>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bench.h"
#include "edit_load.h"
#include "engine/engine.h"
#include "engine/renderer.h"

namespace rta::bench {

inline constexpr double kBlockMs = 1000.0 * kBlock / kRateHz;
inline constexpr float kLevel = 0.5F;
inline constexpr float kTolerance = 2e-5F;
/// Time after which the daemon rejects an edit for which the engine has no room.
inline constexpr std::uint64_t kTimeoutFrames = 48'000;

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
inline double cpu_us() {
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
        std::size_t retried = 0;  ///< edits for which there was no room at first
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

inline void print_counts(const LoadedEngine& loaded) {
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
inline std::uint64_t run_at_rate(LoadedEngine& loaded, std::size_t count, double interval_frames,
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

}  // namespace rta::bench
