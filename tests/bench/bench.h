// SPDX-License-Identifier: MIT
// Shared by the benchmark programs: an offline engine, and rows that are timed alternately.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dsp/audio_buffer.h"
#include "dsp/simd.h"
#include "engine/engine.h"
#include "engine/renderer.h"
#include "rt/audio_thread.h"

namespace rta::bench {

inline constexpr std::uint32_t kBlock = 64;
inline constexpr double kRateHz = 48'000.0;

/// Engine with one mono output that renders the graph built by `edits`.
class Rig {
 public:
    explicit Rig(std::vector<Edit> edits, double sample_rate_hz = kRateHz,
                 const NodeRegistry& registry = builtin_nodes(), std::uint32_t block_size = kBlock)
        : engine_{registry, {.sample_rate_hz = sample_rate_hz, .block_size = block_size}}, out_{1, block_size} {
        auto prepared = engine_.prepare({std::move(edits)});
        if (!prepared) throw std::runtime_error(prepared.error().sentence);
        if (const auto ticket = engine_.commit(*prepared); !ticket) throw std::runtime_error(ticket.error().sentence);
    }

    void render(int blocks) {
        const auto claim = engine_.gate().try_claim(generation_);
        for (int i = 0; i < blocks; ++i) engine_.renderer().render(claim.key(), {AudioReadView{}, out_.write()});
    }
    /// Renders until all fades have ended.
    void poll() { engine_.poll(ignore_); }
    [[nodiscard]] Engine& engine() { return engine_; }
    [[nodiscard]] std::span<const float> block() const { return out_.read().channel(0); }

 private:
    struct Ignore : Engine::Observer {
        void applied(std::uint64_t, std::uint64_t) override {}
        void node_faulted(const std::string& node, std::uint64_t) override {
            throw std::runtime_error(node + " faulted");
        }
        void transaction_heard(std::uint64_t, std::uint64_t) override {}
        void device_faded(std::uint64_t) override {}
    };

    Engine engine_;
    AudioBuffer out_;
    AudioThreadGate::Generation generation_ = engine_.gate().start_generation();
    Ignore ignore_;
};

/// Row of the table: a function that runs repeatedly, and the unit of its time.
struct Row {
    std::string what;
    std::string target;
    double units;  ///< number of units per run; the time is printed per unit
    std::string unit;
    std::function<void()> run;
    std::vector<double> ns = {};
    std::optional<std::size_t> compared = {};  ///< index of a row; the times are also printed in ratio to it

    [[nodiscard]] double minimum() const { return std::ranges::min(ns) / units; }
    [[nodiscard]] double median() const {
        std::vector<double> sorted = ns;
        std::ranges::sort(sorted);
        return sorted[sorted.size() / 2] / units;
    }
};

/// Throws if the error `difference` of `what` exceeds `tolerance`.
inline void check(std::string_view what, double difference, double tolerance) {
    if (difference <= tolerance) return;
    throw std::runtime_error(std::string{what} + " is off by " + std::to_string(difference) +
                             ": no times were measured");
}

inline double ns_of(const std::function<void()>& run) {
    const auto begin = std::chrono::steady_clock::now();
    run();
    return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count();
}

inline void use(std::string_view target) {
    if (dsp::simd_target() == target) return;
    // This is the only audio thread, and it is between two blocks.
    if (!dsp::use_simd_target(target)) throw std::runtime_error("no such SIMD target");
}

/// Runs all rows alternately, so that temporary load on the machine affects them equally.
inline void measure(std::vector<Row>& rows, int repetitions) {
    for (int i = -3; i < repetitions; ++i) {
        for (Row& row : rows) {
            use(row.target);
            row.run();  // warm the caches, which hold the data of the previous row
            const double ns = ns_of(row.run);
            if (i >= 0) row.ns.push_back(ns);
        }
    }
}

inline void print(const std::vector<Row>& rows) {
    std::printf("%-52s %-6s %9s %9s\n", "", "target", "minimum", "median");
    for (const Row& row : rows) {
        std::printf("%-52s %-6s %9.3f %9.3f %s", row.what.c_str(), row.target.c_str(), row.minimum(), row.median(),
                    row.unit.c_str());
        if (row.compared.has_value()) {
            const Row& other = rows[*row.compared];
            std::printf(", %.2f and %.2f times", row.minimum() / other.minimum(), row.median() / other.median());
        }
        std::printf("\n");
    }
}

}  // namespace rta::bench
