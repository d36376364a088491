// SPDX-License-Identifier: MIT
// Measures clients of the daemon on the null device: the round trip of a parameter change, the CPU time of an idle
// daemon, and late blocks under 20,000 parameter changes per second.
//
//     build/release/bin/api_bench
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "bench_main.h"
#include "support/daemon.h"

namespace rta::test {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr double kSampleRateHz = 48'000.0;
constexpr double kBlockUs = 64.0 / kSampleRateHz * 1e6;
constexpr int kPairs = 5;

Daemon::Options null_device() { return {.arguments = {"--device", "null", "--log-level", "warning"}}; }

void play_tone(ProtocolClient& client) {
    client.apply(transaction({add_node("sine", "osc"), add_node("gain", "vol"), add_node("output", "out"),
                              connect("osc", "vol"), connect("vol", "out")}));
}

double at(std::vector<double> samples, double fraction) {
    std::ranges::sort(samples);
    return samples[static_cast<std::size_t>(fraction * static_cast<double>(samples.size() - 1))];
}

// ---------------------------------------------------------------------------------------------------------------------
// Round trip

struct RoundTrip {
    double sent_us;
    double answered_us;
    double frame_us;  ///< start of the change on the clock of the engine
};

/// One change at a time, at times that are independent of the blocks.
std::vector<RoundTrip> make_round_trips(ProtocolClient& client, int count) {
    std::mt19937 random{1};
    std::uniform_int_distribution<int> pause_us{200, 3'000};
    std::vector<RoundTrip> trips;
    const auto begin = Clock::now();
    const auto now_us = [&] { return std::chrono::duration<double, std::micro>(Clock::now() - begin).count(); };
    for (int i = 0; i < count; ++i) {
        std::this_thread::sleep_for(std::chrono::microseconds{pause_us(random)});
        const double sent = now_us();
        const auto result = client.set_parameter("vol", "gain_db", -6.0F - static_cast<float>(i % 12));
        trips.push_back({sent, now_us(), static_cast<double>(result.frame()) / kSampleRateHz * 1e6});
    }
    return trips;
}

/// Returns the time from the first block after a change was sent to its response. The null device starts block n at an
/// anchor plus n blocks. Among hundreds of changes some are sent just before the block that applies them, and none
/// after it, so the maximum of (sent - frame) is the anchor or slightly earlier: the result is slightly too large. A
/// stall of the machine moves the anchor, so it is determined for short intervals, most of which contain no stall.
std::vector<double> beyond_the_wait(const std::vector<RoundTrip>& trips) {
    constexpr std::size_t kStretch = 200;
    std::vector<double> waits;
    for (std::size_t first = 0; first + kStretch <= trips.size(); first += kStretch) {
        double anchor = -1e18;
        for (std::size_t i = first; i < first + kStretch; ++i) {
            anchor = std::max(anchor, trips[i].sent_us - trips[i].frame_us);
        }
        for (std::size_t i = first; i < first + kStretch; ++i) {
            const double block = std::ceil((trips[i].sent_us - anchor) / kBlockUs) * kBlockUs + anchor;
            waits.push_back(trips[i].answered_us - block);
        }
    }
    return waits;
}

void measure_round_trip(const std::string& name, ProtocolClient client) {
    static_cast<void>(make_round_trips(client, 100));  // warm
    const auto trips = make_round_trips(client, 2'000);
    std::vector<double> whole;
    for (const RoundTrip& trip : trips) whole.push_back(trip.answered_us - trip.sent_us);
    const auto beyond = beyond_the_wait(trips);
    std::printf("%-12s %10.0f %10.0f %16.0f %16.0f %16.0f\n", name.c_str(), at(whole, 0.5), at(whole, 0.99),
                at(whole, 0.5) - kBlockUs / 2, at(beyond, 0.5), at(beyond, 0.99));
    std::fflush(stdout);
}

void measure_round_trips() {
    std::printf("Round trip of SetParameters, us (a block lasts %.0f us; wanted: median beyond the wait < 150 us)\n",
                kBlockUs);
    std::printf("%-12s %10s %10s %16s %16s %16s\n", "", "p50", "p99", "p50 - block/2", "beyond wait p50",
                "beyond wait p99");
    const Daemon daemon{null_device()};
    ProtocolClient builder = daemon.client();
    play_tone(builder);
    measure_round_trip("TCP", daemon.tcp_client());
    measure_round_trip("Unix socket", daemon.client());
}

// ---------------------------------------------------------------------------------------------------------------------
// Idle daemon

/// Returns the CPU time of all threads of a process, in nanoseconds, as counted by the scheduler.
std::uint64_t cpu_ns(pid_t pid) {
    std::uint64_t sum = 0;
    for (const auto& task : std::filesystem::directory_iterator{"/proc/" + std::to_string(pid) + "/task"}) {
        std::ifstream file{task.path() / "schedstat"};
        std::uint64_t ran = 0;
        if (file >> ran) sum += ran;
    }
    return sum;
}

/// Thread that sleeps block by block, with the clock and the priority of the null device, and does nothing else.
class BareLoop {
 public:
    BareLoop() : thread_{[this] { run(); }} {}
    ~BareLoop() {
        stop_ = true;
        thread_.join();
    }
    BareLoop(const BareLoop&) = delete;
    BareLoop& operator=(const BareLoop&) = delete;
    [[nodiscard]] std::uint64_t cpu_ns() const { return cpu_ns_; }

 private:
    void run() {
        const sched_param priority{.sched_priority = 70};
        pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority);
        timespec due{};
        clock_gettime(CLOCK_MONOTONIC, &due);
        for (std::uint64_t block = 0; !stop_; ++block) {
            due.tv_nsec += static_cast<long>(kBlockUs * 1000.0);
            if (due.tv_nsec >= 1'000'000'000) {
                due.tv_nsec -= 1'000'000'000;
                ++due.tv_sec;
            }
            while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, nullptr) != 0) {
            }
            if (block % 64 != 0) continue;
            timespec ran{};
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ran);
            cpu_ns_ = static_cast<std::uint64_t>(ran.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(ran.tv_nsec);
        }
    }

    std::atomic<bool> stop_{false};
    std::atomic<std::uint64_t> cpu_ns_{0};
    std::thread thread_;
};

void measure_rest(const std::string& what, const std::function<void(ProtocolClient&)>& prepare) {
    Daemon daemon{null_device()};
    ProtocolClient client = daemon.client();
    prepare(client);
    const BareLoop loop;
    std::this_thread::sleep_for(seconds{1});
    std::vector<double> ratios;
    std::printf("%-36s", what.c_str());
    for (int i = 0; i < kPairs; ++i) {
        const std::uint64_t daemon_before = cpu_ns(daemon.process().pid());
        const std::uint64_t loop_before = loop.cpu_ns();
        std::this_thread::sleep_for(seconds{4});
        const auto daemon_ran = static_cast<double>(cpu_ns(daemon.process().pid()) - daemon_before);
        const auto loop_ran = static_cast<double>(loop.cpu_ns() - loop_before);
        ratios.push_back(daemon_ran / loop_ran);
        std::printf("  %.2f/%.2f=%.2f", daemon_ran / 4e7, loop_ran / 4e7, ratios.back());
        std::fflush(stdout);
    }
    std::printf("   median %.2f\n", at(ratios, 0.5));
}

void measure_rests() {
    std::printf("\nProcessor time at rest, %% of a core: daemon / bare loop = ratio (wanted when idle: at most 1.5)\n");
    measure_rest("idle: an empty graph, a client", [](ProtocolClient&) {});
    measure_rest("sine -> gain -> output", [](ProtocolClient& client) { play_tone(client); });
}

// ---------------------------------------------------------------------------------------------------------------------
// Many parameter changes

constexpr int kClients = 4;
constexpr int kChangesPerSecond = 20'000;
constexpr seconds kWindow{5};

/// Sends single changes at a constant rate and reads the responses. Returns the number of responses.
int change_parameters(ProtocolClient client, Clock::time_point end, std::atomic<int>& refused) {
    constexpr int kAtOnce = kChangesPerSecond / kClients / 1'000;  // every millisecond
    int sent = 0;
    int answered = 0;
    auto next = Clock::now();
    const auto receive = [&] {
        if (client.receive_response(seconds{10}).status().code() != v1::OK) ++refused;
        ++answered;
    };
    while (next < end) {
        for (int i = 0; i < kAtOnce; ++i, ++sent) {
            v1::Request request;
            request.set_id(static_cast<std::uint64_t>(sent) + 1'000);
            v1::SetParameter& change = *request.mutable_set_parameters()->add_changes();
            change.set_node("vol");
            change.set_parameter("gain_db");
            change.set_value(static_cast<float>(-(sent % 60)));
            client.send(request);
        }
        // Allow the pending requests of slightly more than two blocks; then wait for responses.
        while (sent - answered > 20 * kAtOnce) receive();
        next += milliseconds{1};
        std::this_thread::sleep_until(next);
    }
    while (answered < sent) receive();
    return answered;
}

std::uint64_t late_blocks(ProtocolClient& client) { return client.status().device().late_blocks(); }

void measure_storm() {
    std::printf("\nLate blocks in %d s: quiet, and with %d parameter changes a second from %d clients\n",
                static_cast<int>(kWindow.count()), kChangesPerSecond, kClients);
    const Daemon daemon{null_device()};
    ProtocolClient client = daemon.client();
    play_tone(client);
    for (int pair = 0; pair < kPairs; ++pair) {
        const std::uint64_t before = late_blocks(client);
        std::this_thread::sleep_for(kWindow);
        const std::uint64_t quiet = late_blocks(client);
        std::atomic<int> made{0};
        std::atomic<int> refused{0};
        const auto begin = Clock::now();
        std::vector<std::thread> threads;
        for (int i = 0; i < kClients; ++i) {
            threads.emplace_back([&, own = i % 2 == 0 ? daemon.client() : daemon.tcp_client()]() mutable {
                made += change_parameters(std::move(own), begin + kWindow, refused);
            });
        }
        for (std::thread& thread : threads) thread.join();
        const double taken_s = std::chrono::duration<double>(Clock::now() - begin).count();
        const std::uint64_t storm = late_blocks(client);
        std::printf("  pair %d: quiet %llu, storm %llu   (%.0f changes a second, %d refused)\n", pair + 1,
                    static_cast<unsigned long long>(quiet - before), static_cast<unsigned long long>(storm - quiet),
                    made / taken_s, refused.load());
        std::fflush(stdout);
    }
}

}  // namespace
}  // namespace rta::test

void rta::bench::run(std::span<const std::string_view>) {
    rta::test::measure_round_trips();
    rta::test::measure_rests();
    rta::test::measure_storm();
}
