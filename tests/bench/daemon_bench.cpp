// SPDX-License-Identifier: MIT
// Measures the daemon on the null device: the time from its start to the first block, its memory when idle, with idle
// clients and after edits, how many clients it can greet in a second, and the time and memory of clients over TLS.
//
//     build/release/bin/daemon_bench [starts] [clients] [memory] [tls]     default: all
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "bench_main.h"
#include "e2e/edit_storm.h"
#include "rta/daemon_client.h"
#include "support/daemon.h"
#include "support/test_token.h"

namespace rta::test {
namespace {

constexpr int kStarts = 20;
constexpr std::size_t kFirstEdits = 10'000;
constexpr std::size_t kAllEdits = 100'000;

Daemon::Options null_device() { return {.arguments = {"--device", "null", "--log-level", "warning"}}; }

void print_row(const std::string& what, const std::string& value, const std::string& wanted = "") {
    std::printf("%-58s %16s   %s\n", what.c_str(), value.c_str(), wanted.c_str());
    std::fflush(stdout);
}

std::string decimal(double value, const char* unit) {
    std::ostringstream text;
    text.precision(2);
    text << std::fixed << value << ' ' << unit;
    return text.str();
}

/// Measures the time from before the process is created until a client receives a response, which is after the first
/// block was rendered. Polls every 5 ms, so the result is up to 5 ms too long.
double start_ms() {
    const auto begin = std::chrono::steady_clock::now();
    const Daemon daemon{null_device()};
    ProtocolClient client = daemon.client();
    const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - begin;
    if (client.status().engine().frame() == 0) throw std::runtime_error("a client was served before the first block");
    return taken.count();
}

void measure_starts() {
    std::vector<double> times;
    for (int i = 0; i < kStarts; ++i) times.push_back(start_ms());
    std::ranges::sort(times);
    const auto percentile = [&](double fraction) {
        return decimal(times[static_cast<std::size_t>(std::ceil(fraction * static_cast<double>(times.size() - 1)))],
                       "ms");
    };
    print_row("start to the first block, p50 of " + std::to_string(kStarts), percentile(0.5), "< 300 ms");
    print_row("start to the first block, p99", percentile(0.99), "< 300 ms");
}

/// Returns a value of /proc/PID/status, in MB.
double memory_mb(pid_t pid, const std::string& key) {
    std::ifstream file{"/proc/" + std::to_string(pid) + "/status"};
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(key + ":")) return std::stod(line.substr(key.size() + 1)) / 1024.0;
    }
    throw std::runtime_error("not found in /proc/PID/status: " + key);
}

std::string megabytes(double value) { return decimal(value, "MB"); }

/// Makes `edits` edits of all kinds with four concurrent clients, then restores the graph.
void edit(const Daemon& daemon, std::size_t edits, std::uint32_t seed) {
    const StormPlan plan{.source_type = "sine", .retune_source = true, .edits = edits, .seed = seed};
    run_storm(daemon, plan);
    clear_storm_path(daemon, plan, 100.0F);
}

void print_plans(const v1::EngineState& engine) {
    const bool balanced = engine.plans_made() == engine.plans_freed() + engine.plans_alive();
    print_row("plans made", std::to_string(engine.plans_made()));
    print_row("plans freed + plans alive",
              std::to_string(engine.plans_freed()) + " + " + std::to_string(engine.plans_alive()),
              balanced ? "= made" : "NOT what was made");
}

void measure_memory() {
    Daemon daemon{null_device()};
    const pid_t pid = daemon.process().pid();
    ProtocolClient client = daemon.client();
    // Idle: memory that only the start needs has been released.
    std::this_thread::sleep_for(std::chrono::seconds{1});
    const v1::StatusResult status = client.status();
    print_row("memory locked", status.realtime().memory_locked() ? "yes" : "NO: " + status.realtime().memory_detail());
    print_row("audio thread", status.realtime().scheduling(), status.realtime().scheduling_detail());
    print_row("VmRSS at rest", megabytes(memory_mb(pid, "VmRSS")), "< 30 MB");
    print_row("VmLck at rest", megabytes(memory_mb(pid, "VmLck")));

    build_storm_path(daemon, {.source_type = "sine"});
    edit(daemon, kFirstEdits, 1);
    const double first = memory_mb(pid, "VmRSS");
    print_row("VmRSS after " + std::to_string(kFirstEdits) + " edits", megabytes(first));
    edit(daemon, kAllEdits - kFirstEdits, 2);
    const double last = memory_mb(pid, "VmRSS");
    print_row("VmRSS after " + std::to_string(kAllEdits) + " edits", megabytes(last));
    print_row("  difference", megabytes(last - first), "< 1 MB");
    print_row("VmHWM", megabytes(memory_mb(pid, "VmHWM")));
    print_plans(client.status().engine());
    if (daemon.stop() != ExitStatus{0, 0}) throw std::runtime_error("rtad did not exit cleanly");
}

void measure_clients() {
    constexpr int kSessions = 5'000;
    constexpr std::size_t kIdle = 400;
    Daemon::Options options = null_device();
    options.arguments.insert(options.arguments.end(),
                             {"--max-clients-per-user", "512", "--max-clients-per-address", "512"});
    for (const bool tcp : {false, true}) {
        Daemon daemon{options};
        ProtocolClient observer = daemon.client();
        const pid_t pid = daemon.process().pid();
        const std::string where = tcp ? "TCP" : "Unix socket";
        const auto connect = [&] { return tcp ? daemon.tcp_client() : daemon.client(); };
        const auto begin = std::chrono::steady_clock::now();
        for (int i = 0; i < kSessions; ++i) static_cast<void>(connect());
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
        print_row("connections with Hello, one after the other, " + where, decimal(kSessions / taken.count(), "/s"));
        const double before = memory_mb(pid, "VmRSS");
        std::vector<ProtocolClient> idle;
        for (std::size_t i = 0; i < kIdle; ++i) idle.push_back(connect());
        if (observer.status().client_count() < kIdle) throw std::runtime_error("not all clients stay connected");
        print_row("VmRSS of an idle client, " + where,
                  decimal((memory_mb(pid, "VmRSS") - before) * 1024.0 / kIdle, "kB"), "500 in < 100 MB: < 205 kB");
    }
}

constexpr int kTlsSessions = 300;
constexpr std::size_t kIdleClients = 500;

client::DaemonClient open_tls(std::uint16_t port, const std::string& fingerprint) {
    const client::Endpoint endpoint = client::TcpEndpoint{.host = "127.0.0.1", .port = port};
    client::ClientOptions options{.client_name = "bench", .token = test_token().secret()};
    options.tls.on_loopback = true;
    options.tls.fingerprint = fingerprint;
    auto client = client::DaemonClient::open(std::span{&endpoint, 1}, options);
    if (!client) throw std::runtime_error(client.error().sentence);
    return std::move(*client);
}

void measure_tls() {
    const TemporaryDirectory directory;
    Daemon daemon{{.arguments = {"--device", "null", "--listen", "tls://127.0.0.1:0", "--state-dir",
                                 (directory / "state").string(), "--tokens", test_token().tokens().string(),
                                 "--max-clients-per-address", "600", "--max-clients", "600"}}};
    const auto line = daemon.process().wait_for_line(Process::Stream::error, "with TLS; certificate ");
    if (!line) throw std::runtime_error("rtad does not listen with TLS");
    const std::string fingerprint = line->substr(line->find("SHA256:"));
    const auto port = static_cast<std::uint16_t>(std::stoi(line->substr(line->find("127.0.0.1:") + 10)));
    const pid_t pid = daemon.process().pid();

    std::vector<double> times;
    for (int i = 0; i < kTlsSessions; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        static_cast<void>(open_tls(port, fingerprint));
        times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
    }
    std::ranges::sort(times);
    print_row("TLS session (connect, handshake, Hello), p50 of " + std::to_string(kTlsSessions),
              decimal(times[times.size() / 2], "ms"), "< 10 ms");
    print_row("TLS session, p99", decimal(times[times.size() * 99 / 100], "ms"));

    const double before = memory_mb(pid, "VmRSS");
    std::vector<client::DaemonClient> clients;
    while (clients.size() < kIdleClients) clients.push_back(open_tls(port, fingerprint));
    const double after = memory_mb(pid, "VmRSS");
    print_row("VmRSS with " + std::to_string(kIdleClients) + " idle TLS clients", megabytes(after), "< 100 MB");
    print_row("  each", decimal((after - before) * 1024.0 / static_cast<double>(kIdleClients), "KiB"));
    clients.clear();
    if (daemon.stop() != ExitStatus{0, 0}) throw std::runtime_error("rtad did not exit cleanly");
}

}  // namespace
}  // namespace rta::test

void rta::bench::run(std::span<const std::string_view> arguments) {
    const auto wanted = [&](std::string_view part) {
        return arguments.empty() || std::ranges::find(arguments, part) != arguments.end();
    };
    if (wanted("starts")) rta::test::measure_starts();
    if (wanted("clients")) rta::test::measure_clients();
    if (wanted("memory")) rta::test::measure_memory();
    if (wanted("tls")) rta::test::measure_tls();
}
