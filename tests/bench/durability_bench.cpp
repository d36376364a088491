// SPDX-License-Identifier: MIT
// Measures what it costs that an acknowledged edit is on disk: the time from a request for a one-node edit to its response in
// a graph of 10,000 nodes, without a state directory, with --durability async and with sync, next to the time of fdatasync
// in the same folder; and the edits per second of eight clients.
//
//     build/release/bin/durability_bench [FOLDER]     default: a temporary folder; the disk of FOLDER is measured
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bench_main.h"
#include "support/daemon.h"
#include "support/temporary.h"

namespace rta::test {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int kNodes = 10'000;
constexpr int kEdits = 400;
constexpr int kClients = 8;
constexpr std::chrono::seconds kStorm{3};

double ms_since(Clock::time_point begin) {
    return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

double percentile(std::vector<double> values, double fraction) {
    std::ranges::sort(values);
    return values[static_cast<std::size_t>(std::ceil(fraction * static_cast<double>(values.size() - 1)))];
}

void print_row(const std::string& what, const std::vector<double>& ms) {
    std::printf("%-66s %8.2f %8.2f %8.2f\n", what.c_str(), percentile(ms, 0.5), percentile(ms, 0.99),
                percentile(ms, 1.0));
    std::fflush(stdout);
}

std::vector<double> sync_times(const fs::path& folder) {
    const fs::path path = folder / "synced";
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || ::posix_fallocate(fd, 0, 1 << 20) != 0) throw std::runtime_error("cannot write " + path.string());
    std::vector<double> times;
    const std::string record(200, 'x');
    for (int i = 0; i < kEdits; ++i) {
        const auto begin = Clock::now();
        const bool written = ::pwrite(fd, record.data(), record.size(), static_cast<off_t>(record.size()) * i) >= 0 &&
                             ::fdatasync(fd) == 0;
        if (!written) throw std::runtime_error("cannot write " + path.string());
        times.push_back(ms_since(begin));
    }
    ::close(fd);
    fs::remove(path);
    return times;
}

struct Mode {
    const char* name;
    std::vector<std::string> arguments;
};

Daemon::Options options(const Mode& mode, const fs::path& state) {
    Daemon::Options result{.arguments = {"--device", "null", "--block-size", "256", "--log-level", "warning"}};
    if (!mode.arguments.empty()) {
        fs::remove_all(state);
        result.arguments.insert(result.arguments.end(), {"--state-dir", state.string()});
    }
    result.arguments.insert(result.arguments.end(), mode.arguments.begin(), mode.arguments.end());
    return result;
}

void add_nodes(ProtocolClient& client, int count) {
    constexpr int kAtOnce = 1'000;
    for (int first = 0; first < count; first += kAtOnce) {
        std::vector<v1::Edit> edits;
        for (int i = first; i < std::min(first + kAtOnce, count); ++i)
            edits.push_back(add_node("gain", "n" + std::to_string(i)));
        v1::Request request = apply_request(transaction(edits));
        request.mutable_apply_transaction()->set_wait_for_start(true);
        request.set_timeout_ms(60'000);
        const v1::Response response = client.call(request);
        if (response.status().code() != v1::OK) throw std::runtime_error(response.status().message());
    }
}

std::vector<double> edit_times(const Mode& mode, const fs::path& state) {
    const Daemon daemon{options(mode, state)};
    ProtocolClient client = daemon.client();
    add_nodes(client, kNodes);
    std::vector<double> times;
    for (int i = 0; i < kEdits; ++i) {
        const v1::Edit edit = i % 2 == 0 ? add_node("sine", "one") : remove_node("one");
        const auto begin = Clock::now();
        client.apply(transaction({edit}));
        times.push_back(ms_since(begin));
        std::this_thread::sleep_for(std::chrono::milliseconds{5});  // an edit by hand meets an idle daemon
    }
    return times;
}

/// Returns the edits per second of all clients, which wait for each answer.
double edits_per_second(const Mode& mode, const fs::path& state, int nodes) {
    const Daemon daemon{options(mode, state)};
    ProtocolClient first = daemon.client();
    add_nodes(first, nodes);
    std::atomic<int> edits{0};
    std::vector<std::thread> threads;
    const auto end = Clock::now() + kStorm;
    for (int number = 0; number < kClients; ++number) {
        threads.emplace_back([&, number, client = daemon.client()]() mutable {
            for (int i = 0; Clock::now() < end; ++i) {
                const std::string name = "c" + std::to_string(number);
                client.apply(transaction({i % 2 == 0 ? add_node("sine", name) : remove_node(name)}));
                ++edits;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    return edits / std::chrono::duration<double>(kStorm).count();
}

}  // namespace
}  // namespace rta::test

namespace rta::bench {

void run(std::span<const std::string_view> arguments) {
    using namespace rta::test;
    const TemporaryDirectory directory;
    const std::filesystem::path folder = arguments.empty() ? directory.path() : std::filesystem::path{arguments[0]};
    const std::vector<Mode> modes{{"without a state directory", {}},
                                  {"--durability async", {"--durability", "async"}},
                                  {"--durability sync", {"--durability", "sync"}}};
    std::printf("%-66s %8s %8s %8s\n", "ms", "p50", "p99", "worst");
    print_row("fdatasync of 200 bytes in reserved space", sync_times(folder));
    for (const Mode& mode : modes)
        print_row(std::string{"one-node edit of 10,000 nodes, answered, "} + mode.name,
                  edit_times(mode, folder / "state"));
    print_row("fdatasync of 200 bytes in reserved space, again", sync_times(folder));
    std::printf("\n%-66s %8s\n", "edits per second of 8 clients", "");
    for (const int nodes : {10, 10'000}) {
        for (const Mode& mode : modes) {
            std::printf("%-66s %8.0f\n", (std::to_string(nodes) + " nodes, " + mode.name).c_str(),
                        edits_per_second(mode, folder / "state", nodes));
            std::fflush(stdout);
        }
    }
    std::filesystem::remove_all(folder / "state");
}

}  // namespace rta::bench
