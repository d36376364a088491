// SPDX-License-Identifier: MIT
// Shared by the source files of edit_load_bench.
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace rta::bench {

/// Amount of work to measure.
struct Load {
    bool quick = false;      ///< run a twentieth of the measurement, as a check that it works
    std::uint32_t seed = 1;  ///< seed of the random edits

    [[nodiscard]] std::size_t of(std::size_t count) const {
        return quick ? std::max<std::size_t>(count / 20, 1) : count;
    }
};

/// Samples in ascending order.
class Percentiles {
 public:
    explicit Percentiles(std::vector<double> samples) : samples_{std::move(samples)} { std::ranges::sort(samples_); }
    [[nodiscard]] double at(double fraction) const {
        if (samples_.empty()) return 0.0;
        return samples_[static_cast<std::size_t>(fraction * static_cast<double>(samples_.size() - 1))];
    }
    [[nodiscard]] double p50() const { return at(0.5); }
    [[nodiscard]] double p99() const { return at(0.99); }
    [[nodiscard]] double maximum() const { return at(1.0); }
    [[nodiscard]] std::size_t count() const { return samples_.size(); }

 private:
    std::vector<double> samples_;
};

inline void print_title(const std::string& title) {
    std::printf("\n%s\n", title.c_str());
    std::fflush(stdout);
}

/// Prints a figure and its expected value.
inline void print_figure(const std::string& what, const std::string& value, const std::string& wanted = "") {
    std::printf("  %-56s %28s   %s\n", what.c_str(), value.c_str(), wanted.c_str());
    std::fflush(stdout);
}

inline std::string decimal(double value, int digits = 2) {
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", digits, value);
    return text;
}

/// "1.00 / 2.00 / 3.00 ms"
inline std::string text_of(const Percentiles& samples, const char* unit, int digits = 2) {
    return decimal(samples.p50(), digits) + " / " + decimal(samples.p99(), digits) + " / " +
           decimal(samples.maximum(), digits) + " " + unit;
}

/// Returns a field of /proc/PID/status, such as VmRSS, in MB.
inline double memory_mb(pid_t pid, const std::string& key) {
    std::ifstream file{"/proc/" + std::to_string(pid) + "/status"};
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(key + ":")) return std::stod(line.substr(key.size() + 1)) / 1024.0;
    }
    throw std::runtime_error("not found in /proc/PID/status: " + key);
}

// Measurements of an engine in this process.
void measure_storm(const Load& load);
void measure_ports(const Load& load);
void measure_gains(const Load& load);
// Measurements through the socket of a daemon.
void measure_inserts(const Load& load);
void measure_clients(const Load& load);
void measure_panic(const Load& load);

}  // namespace rta::bench
