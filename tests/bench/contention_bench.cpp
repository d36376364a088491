// SPDX-License-Identifier: MIT
// Measures one client of a daemon while others send the worst that they may, as fast as the daemon reads.
//
//     build/release/bin/contention_bench [--nodes N] [--seconds S] [only=ATTACK]
//                                        [steps | clients | edits | memory | late | studio | web]...
//
// steps    processor time of each step of the control thread: a server in this process, without a device's clock
// clients  response times of SetParameters of another client of rtad, and the longest pause between two signals to the
//          watchdog, which rtad sends every millisecond here
// edits    response times of clients that change a parameter and apply transactions of 1 and of 1,000 edits, which share
//          the room in the engine; measured with the attacks of transactions, unless ATTACK is another one
// memory   resident memory of rtad before, during and after each attack
// late     late blocks in 5 pairs of a quiet interval and one with the attack
// studio   changes of parameters in a second, memory and late blocks of rtad with 100 clients that watch levels and 1,000
//          that are idle
// web      late blocks in 5 such pairs with 20 WebSockets of pages that watch levels and spectra at 30 Hz
//
// Without names, measures all. Times are not asserted.
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <random>
#include <stdexcept>

#include "api/daemon_access.h"
#include "bench_main.h"
#include "contention.h"
#include "daemon_load.h"
#include "dsp/audio_buffer.h"
#include "edit_load.h"
#include "engine/engine.h"
#include "engine/renderer.h"
#include "net/server.h"
#include "support/temporary.h"

namespace rta::bench {
namespace {

using std::chrono::milliseconds;
using test::Daemon;
using test::ProtocolClient;

/// A chain of gains to the output, with a meter at the end.
void build_graph(ProtocolClient client, std::size_t nodes) {
    constexpr std::size_t kPerTransaction = 5'000;
    std::vector<v1::Edit> edits{test::add_node("output", "out"), test::add_node("sine", "n0")};
    for (std::size_t i = 1; i < nodes; ++i) {
        const std::string name = "n" + std::to_string(i);
        edits.push_back(test::add_node(i % 100 == 0 ? "meter" : "gain", name));
        edits.push_back(test::connect("n" + std::to_string(i - 1), i % 100 == 0 ? "out" : name));
        if (edits.size() < kPerTransaction && i + 1 < nodes) continue;
        client.apply(test::transaction(std::exchange(edits, {})));
    }
}

/// Response times of single parameter changes, 50 or so per second.
struct Changes {
    Percentiles times_ms;
    /// Processor time that the control thread has used in the meantime: on a busy machine, other programs do not affect it.
    Percentiles control_ms;

    [[nodiscard]] std::string text() const {
        return text_of(times_ms, "ms") + ", control thread " + text_of(control_ms, "ms") + " (" +
               std::to_string(times_ms.count()) + ")";
    }
};

/// `control_ms` returns the processor time of the control thread.
Changes measure_changes(ProtocolClient& client, double seconds, const std::function<double()>& control_ms) {
    std::mt19937 random{1};
    std::vector<double> times_ms;
    std::vector<double> used_ms;
    for (const auto begin = Clock::now(); ms_since(begin) < 1000.0 * seconds;) {
        std::this_thread::sleep_for(
            std::chrono::microseconds{std::uniform_int_distribution<int>{5'000, 25'000}(random)});
        const double used = control_ms();
        const auto sent = Clock::now();
        client.set_parameter("n2", "gain_db", times_ms.size() % 2 == 0 ? -1.0F : -2.0F);
        times_ms.push_back(ms_since(sent));
        used_ms.push_back(control_ms() - used);
    }
    return {.times_ms = Percentiles{std::move(times_ms)}, .control_ms = Percentiles{std::move(used_ms)}};
}

// ---------------------------------------------------------------------------------------------------------------------
// steps

class QuietDaemon final : public api::DaemonAccess {
 public:
    [[nodiscard]] DeviceStatus device_status() const override { return {.running = true}; }
    [[nodiscard]] LoadStatus load_status() const override { return {}; }
    [[nodiscard]] RealtimeStatus realtime_status() const override { return {}; }
    void list_devices(std::function<void(std::vector<DeviceInfo>)> done) override { done({}); }
    void set_device(std::optional<std::string>, std::function<void(Expected<void>)> done) override { done({}); }
};

double thread_time_ms() { return processor_ms(CLOCK_THREAD_CPUTIME_ID); }

double thread_time_s() { return thread_time_ms() / 1e3; }

/// A server on its own thread, which measures each of its handlers, and an engine that renders on another one.
class MeasuredServer {
 public:
    explicit MeasuredServer(const std::string& socket) : server_{io_, engine_, daemon_, nullptr} {
        if (const auto bound = server_.listen_unix(socket); !bound) throw std::runtime_error(bound.error().sentence);
        control_ = std::thread{[this] {
            while (!stop_) {
                const double begin = thread_time_ms();
                if (io_.run_one_for(milliseconds{50}) != 0) steps_.push_back(thread_time_ms() - begin);
                if (take_) {
                    taken_ = std::exchange(steps_, {});
                    take_ = false;
                }
            }
        }};
        audio_ = std::thread{[this] {
            AudioBuffer out{2, kBlock};
            const auto generation = engine_.gate().start_generation();
            for (auto next = Clock::now(); !stop_; next += std::chrono::microseconds{1'333}) {
                std::this_thread::sleep_until(next);
                const auto claim = engine_.gate().try_claim(generation);
                engine_.renderer().render(claim.key(), {AudioReadView{}, out.write()});
            }
        }};
    }
    MeasuredServer(const MeasuredServer&) = delete;
    MeasuredServer& operator=(const MeasuredServer&) = delete;
    ~MeasuredServer() {
        stop_ = true;
        control_.join();
        audio_.join();
        server_.stop();
    }
    /// Returns the processor time of the control thread.
    [[nodiscard]] double control_ms() {
        clockid_t clock{};
        ::pthread_getcpuclockid(control_.native_handle(), &clock);
        return processor_ms(clock);
    }
    /// Returns the processor time of each handler since the previous call, in ms.
    [[nodiscard]] Percentiles take_steps() {
        take_ = true;
        while (take_) std::this_thread::sleep_for(milliseconds{1});
        return Percentiles{std::move(taken_)};
    }

 private:
    static constexpr std::uint32_t kBlock = 64;
    asio::io_context io_{1};
    QuietDaemon daemon_;
    Engine engine_{builtin_nodes(), {.block_size = kBlock, .thread_time_s = &thread_time_s}};
    net::Server server_;
    std::vector<double> steps_;
    std::vector<double> taken_;
    std::atomic<bool> take_{false};
    std::atomic<bool> stop_{false};
    std::thread control_;
    std::thread audio_;
};

void measure_steps(const LoadOptions& options) {
    print_title("Steps of the control thread, processor time (wanted: none over 5 ms)");
    const test::TemporaryDirectory folder;
    const std::string socket = folder.path() / "server" / "socket";
    MeasuredServer server{socket};
    const auto connect = [&] {
        ProtocolClient client = ProtocolClient::connect_unix(socket);
        client.hello();
        return client;
    };
    build_graph(connect(), options.nodes);
    ProtocolClient measured = connect();
    for (const Attack& attack : attacks(options.nodes)) {
        if (!attack.name.starts_with(options.only)) continue;
        std::this_thread::sleep_for(milliseconds{300});
        static_cast<void>(server.take_steps());
        std::string changes;
        {
            const Attackers attackers{socket, attack};
            changes = measure_changes(measured, options.seconds, [&] { return server.control_ms(); }).text();
        }
        const Percentiles steps = server.take_steps();
        print_figure(
            std::string{attack.name} + ": p50 / p99 / max",
            decimal(steps.p50(), 3) + " / " + decimal(steps.p99(), 3) + " / " + decimal(steps.maximum()) + " ms",
            "of " + std::to_string(steps.count()) + " steps; SetParameters " + changes);
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// clients

/// Receives the signals to the watchdog.
class Watchdog {
 public:
    explicit Watchdog(const std::filesystem::path& path) : socket_{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)} {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.string().copy(address.sun_path, sizeof address.sun_path - 1);
        if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
            throw std::runtime_error("cannot bind " + path.string());
        thread_ = std::thread{[this] { run(); }};
    }
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;
    ~Watchdog() {
        stop_ = true;
        thread_.join();
    }
    /// Returns the longest pause between two signals since the previous call.
    [[nodiscard]] double take_longest_ms() { return longest_ms_.exchange(0.0); }

 private:
    void run() {
        auto last = Clock::now();
        while (!stop_) {
            pollfd wait{.fd = socket_.get(), .events = POLLIN, .revents = 0};
            if (::poll(&wait, 1, 100) == 0) continue;
            char text[512];
            const ssize_t count = ::recv(socket_.get(), text, sizeof text, 0);
            if (count < 0 || !std::string_view(text, static_cast<std::size_t>(count)).contains("WATCHDOG=1")) continue;
            longest_ms_ = std::max(longest_ms_.load(), ms_since(last));
            last = Clock::now();
        }
    }

    os::UniqueFd socket_;
    std::atomic<double> longest_ms_{0.0};
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

void measure_clients(const LoadOptions& options) {
    print_title("SetParameters of another client of rtad (wanted: p50 < 2 ms, p99 < 20 ms)");
    const test::TemporaryDirectory folder;
    Watchdog watchdog{folder.path() / "notify"};
    Daemon::Options watched = null_device();
    watched.environment = {{"NOTIFY_SOCKET", (folder.path() / "notify").string()}, {"WATCHDOG_USEC", "4000"}};
    Daemon daemon{watched};
    build_graph(daemon.client(), options.nodes);
    ProtocolClient measured = daemon.client("measured");
    const auto control_ms = [path = "/proc/" + std::to_string(daemon.process().pid()) + "/task/" +
                                    std::to_string(daemon.process().pid()) + "/schedstat"] {
        double ran_ns = 0.0;
        std::ifstream{path} >> ran_ns;
        return ran_ns / 1e6;
    };
    const auto report = [&](std::string_view name) {
        static_cast<void>(watchdog.take_longest_ms());
        const std::string changes = measure_changes(measured, options.seconds, control_ms).text();
        print_figure(std::string{name}, "", changes + "; watchdog " + decimal(watchdog.take_longest_ms(), 0) + " ms");
    };
    report("quiet");
    for (const Attack& attack : attacks(options.nodes)) {
        if (!attack.name.starts_with(options.only)) continue;
        const Attackers attackers{daemon.socket(), attack};
        report(attack.name);
    }
    std::this_thread::sleep_for(milliseconds{500});
    report("quiet again");
}

// ---------------------------------------------------------------------------------------------------------------------
// edits

/// Response times of transactions of this many edits, and how many were refused.
std::string measure_transactions(ProtocolClient& client, int edits, double seconds, milliseconds rest) {
    std::vector<double> times_ms;
    int refused = 0;
    for (const auto begin = Clock::now(); ms_since(begin) < 1000.0 * seconds;) {
        std::this_thread::sleep_for(rest);
        std::vector<v1::Edit> list;
        for (int i = 0; i < edits; ++i)
            list.push_back(
                test::set_parameter("n" + std::to_string(201 + i % 90), "gain_db", -static_cast<float>(i % 60)));
        const auto sent = Clock::now();
        const v1::Response response = client.call(test::apply_request(test::transaction(std::move(list))));
        if (response.status().code() != v1::OK && ++refused == 1) std::puts(response.status().message().c_str());
        times_ms.push_back(ms_since(sent));
    }
    const Percentiles times{std::move(times_ms)};
    return text_of(times, "ms") + " (" + std::to_string(times.count()) + ", refused " + std::to_string(refused) + ")";
}

void measure_edits(const LoadOptions& options) {
    print_title("SetParameters, transactions of 1 edit and of 1,000 edits of other clients of rtad");
    Daemon daemon{null_device()};
    build_graph(daemon.client(), options.nodes);
    const auto report = [&](std::string_view name) {
        ProtocolClient changing = daemon.client("changing");
        ProtocolClient editing = daemon.client("editing");
        ProtocolClient loading = daemon.client("loading");
        std::string changes, edits, large;
        std::thread one{
            [&] { changes = text_of(measure_changes(changing, options.seconds, [] { return 0.0; }).times_ms, "ms"); }};
        std::thread two{[&] { edits = measure_transactions(editing, 1, options.seconds, milliseconds{15}); }};
        std::thread three{[&] { large = measure_transactions(loading, 1'000, options.seconds, milliseconds{150}); }};
        one.join();
        two.join();
        three.join();
        print_figure(std::string{name}, "", "");
        print_figure("  SetParameters", "", changes);
        print_figure("  1 edit", "", edits);
        print_figure("  1,000 edits", "", large);
    };
    report("quiet");
    for (const Attack& attack : attacks(options.nodes)) {
        if (!attack.name.starts_with(options.only.empty() ? "apply_transaction" : options.only)) continue;
        while (daemon.client().status().client_count() > 1) std::this_thread::sleep_for(milliseconds{1});
        const Attackers attackers{daemon.socket(), attack};
        report(attack.name);
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// memory

void measure_memory(const LoadOptions& options) {
    print_title("Resident memory of rtad: before, at most, and 3 s after the attack");
    for (const Attack& attack : attacks(1'000)) {
        if (!attack.name.starts_with(options.only)) continue;
        Daemon daemon{null_device()};
        build_graph(daemon.client(), 1'000);
        const pid_t pid = daemon.process().pid();
        const double before = memory_mb(pid, "VmRSS");
        {
            const Attackers attackers{daemon.socket(), attack};
            options.sleep();
        }
        const double peak = memory_mb(pid, "VmHWM");
        std::this_thread::sleep_for(milliseconds{3'000});
        print_figure(std::string{attack.name}, decimal(before, 1) + " / " + decimal(peak, 1) + " / " +
                                                   decimal(memory_mb(pid, "VmRSS"), 1) + " MB");
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// late

void measure_late(const LoadOptions& options) {
    print_title("Late blocks, quiet and under attack (wanted: at most 1.2 times as many, plus 3)");
    const Daemon daemon{null_device()};
    build_graph(daemon.client(), 1'000);
    ProtocolClient client = daemon.client("measured");
    for (const Attack& attack : attacks(1'000)) {
        if (!attack.name.starts_with(options.only)) continue;
        const auto loaded = [&] {
            const Attackers attackers{daemon.socket(), attack};
            options.sleep();
        };
        print_figure(std::string{attack.name}, LateBlocks::count(client, [&] { options.sleep(); }, loaded).text());
    }
}

}  // namespace

void run(std::span<const std::string_view> arguments) {
    LoadOptions options{.nodes = 10'000};
    options.read(arguments);
    if (options.wants("steps")) measure_steps(options);
    if (options.wants("clients")) measure_clients(options);
    if (options.wants("edits")) measure_edits(options);
    if (options.wants("memory")) measure_memory(options);
    if (options.wants("late")) measure_late(options);
    if (options.wants("studio")) measure_studio(options);
    if (options.wants("web")) measure_web(options);
}

}  // namespace rta::bench
