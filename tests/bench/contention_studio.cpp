// SPDX-License-Identifier: MIT
// The part of contention_bench that loads a daemon as a large studio does: parameters that move, dashboards, and clients that
// are only connected.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "contention.h"
#include "daemon_load.h"
#include "edit_load.h"

namespace rta::bench {
namespace {

using test::Daemon;
using test::ProtocolClient;

constexpr std::size_t kChannels = 64;  ///< chains of a gain and a meter
constexpr std::size_t kIdleClients = 1'000;
constexpr std::size_t kChangesInBatch = 500;
constexpr std::chrono::milliseconds kBatchInterval{10};
constexpr double kWantedMb = 150.0;

std::string name(const char* what, std::size_t channel) { return what + std::to_string(channel); }

void build_studio(ProtocolClient client) {
    std::vector<v1::Edit> edits{test::add_node("output", "out")};
    for (std::size_t i = 0; i < kChannels; ++i) {
        edits.push_back(test::add_node("sine", name("source", i)));
        edits.push_back(test::add_node("gain", name("gain", i)));
        edits.push_back(test::add_node("meter", name("meter", i)));
        edits.push_back(test::connect(name("source", i), name("gain", i)));
        edits.push_back(test::connect(name("gain", i), name("meter", i)));
        edits.push_back(test::connect(name("meter", i), "out", -40.0F));
    }
    client.apply(test::transaction(std::move(edits)));
}

/// Half of the clients watch all meters, the others eight ports each, in lists of their own.
std::string watch_levels(std::size_t client) {
    v1::Request message;
    v1::Subscribe& subscribe = *message.mutable_subscribe();
    subscribe.set_telemetry_rate_hz(30.0F);
    if (client % 2 == 0) subscribe.add_topics(v1::TOPIC_LEVELS);
    for (std::size_t i = 0; i < 8 && client % 2 == 1; ++i)
        subscribe.add_watches()->set_port(name("gain", (client + 5 * i) % kChannels));
    return test::delimited(message);
}

/// Changes kChangesInBatch parameters every kBatchInterval, and catches up after delays.
class Faders {
 public:
    explicit Faders(const Daemon& daemon) : client_{daemon.client("faders")} {}

    void run(double seconds) {
        const auto begin = Clock::now();
        for (auto due = begin; ms_since(begin) < 1000.0 * seconds; due += kBatchInterval) {
            std::this_thread::sleep_until(due);
            while (unanswered_ >= 8) receive();
            client_.send(batch());
            ++unanswered_;
        }
        while (unanswered_ != 0) receive();
        seconds_ += ms_since(begin) / 1000.0;
    }
    /// Changes that were committed.
    [[nodiscard]] double per_second() const { return static_cast<double>(changes_) / seconds_; }

 private:
    v1::Request batch() {
        v1::Request request;
        for (std::size_t i = 0; i < kChangesInBatch; ++i) {
            v1::SetParameter& change = *request.mutable_set_parameters()->add_changes();
            change.set_node(name(i % 2 == 0 ? "gain" : "source", i / 2 % kChannels));
            change.set_parameter("gain_db");
            change.set_value(-20.0F - static_cast<float>(++count_ % 40));
        }
        return request;
    }
    void receive() {
        const v1::Response response = client_.receive_response();
        if (response.status().code() != v1::OK) throw std::runtime_error(response.status().message());
        changes_ += kChangesInBatch;
        --unanswered_;
    }

    ProtocolClient client_;
    std::size_t unanswered_ = 0;
    std::size_t count_ = 0;
    std::size_t changes_ = 0;
    double seconds_ = 0.0;
};

void allow_many_files() {
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
}

void wait_for_clients(ProtocolClient& client, std::size_t count) {
    const auto begin = Clock::now();
    while (client.status().client_count() != count) {
        if (ms_since(begin) > 60'000.0) throw std::runtime_error("the clients do not connect");
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
}

}  // namespace

void measure_studio(const LoadOptions& options) {
    const Attack watchers{.name = "watchers", .clients = 100, .once = &watch_levels};
    const Attack idle{.name = "idle", .clients = kIdleClients};
    print_title("A studio: " + std::to_string(kChangesInBatch * 1000 / kBatchInterval.count()) +
                " changes of parameters in a second, " + std::to_string(watchers.clients) +
                " clients that watch levels at 30 Hz, and " + std::to_string(kIdleClients) + " idle clients");
    allow_many_files();
    Daemon::Options with_places = null_device();
    with_places.arguments.insert(with_places.arguments.end(),
                                 {"--max-clients", "2000", "--max-clients-per-user", "2000"});
    Daemon daemon{with_places};
    build_studio(daemon.client());
    ProtocolClient client = daemon.client("measured");
    const pid_t pid = daemon.process().pid();
    const double before_mb = memory_mb(pid, "VmRSS");
    Faders faders{daemon};
    double loaded_mb = 0.0;
    std::uint64_t received = 0;
    const auto quiet = [&] {
        wait_for_clients(client, 2);
        options.sleep();
    };
    const auto loaded = [&] {
        const Attackers connected{daemon.socket(), idle};
        const Attackers watching{daemon.socket(), watchers};
        wait_for_clients(client, 2 + kIdleClients + watchers.clients);
        faders.run(options.seconds);
        loaded_mb = std::max(loaded_mb, memory_mb(pid, "VmRSS"));
        received += watching.received_bytes();
    };
    const LateBlocks late = LateBlocks::count(client, quiet, loaded);
    print_figure("changes of parameters in a second", decimal(faders.per_second(), 0), "wanted: 50000");
    print_figure("telemetry to the clients in a second",
                 decimal(static_cast<double>(received) / (5.0 * options.seconds) / 1024.0, 0) + " KiB");
    print_figure("VmRSS of rtad, before and under load", decimal(before_mb, 1) + ", " + decimal(loaded_mb, 1) + " MB",
                 "wanted < " + decimal(kWantedMb, 0) + " MB");
    print_figure("late blocks in 5 pairs, quiet and under load", late.text(), "wanted <= " + decimal(late.wanted(), 1));
}

}  // namespace rta::bench
