// SPDX-License-Identifier: MIT
// Shared by the source files of contention_bench.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "os/unique_fd.h"

namespace rta::bench {

/// One kind of load: what each of its clients sends, over and over.
struct Attack {
    std::string_view name;
    std::size_t clients;
    /// Returns the bytes that client number `client` sends first, after Hello; null: none.
    std::function<std::string(std::size_t client)> once{};
    std::string bytes{};      ///< sent repeatedly; may be empty
    bool reads = true;        ///< whether the clients read what the daemon sends
    bool reconnects = false;  ///< whether they connect again after each answer
};

/// Returns all attacks on a graph of `nodes` gains named n0, n1, ...
[[nodiscard]] std::vector<Attack> attacks(std::size_t nodes);

/// Clients that send as fast as the daemon reads, on four threads with the lowest priority, from construction to the end
/// of the scope.
class Attackers {
 public:
    Attackers(const std::filesystem::path& socket, const Attack& attack);
    Attackers(const Attackers&) = delete;
    Attackers& operator=(const Attackers&) = delete;
    ~Attackers();
    [[nodiscard]] std::uint64_t received_bytes() const { return received_; }

 private:
    struct Connection;
    [[nodiscard]] Connection connect(std::size_t client) const;
    void run(std::vector<Connection>& connections);

    const std::filesystem::path socket_;
    const Attack& attack_;
    std::atomic<bool> stop_{false};
    std::atomic<std::uint64_t> received_{0};
    std::vector<std::vector<Connection>> connections_;
    std::vector<std::thread> threads_;
};

struct LoadOptions;
/// See contention_bench.cpp.
void measure_studio(const LoadOptions& options);
void measure_web(const LoadOptions& options);

}  // namespace rta::bench
