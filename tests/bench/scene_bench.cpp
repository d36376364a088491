// SPDX-License-Identifier: MIT
// Measures recalls of scenes on a daemon with the null device.
//
//     build/release/bin/scene_bench [--nodes N] [--seconds S] [plan | start | cold | late | memory]...
//
// plan     processor time of the steps of a prepared recall, in this process: what a busy machine does not change
// start    from the request to the start of the recall, for scenes that are prepared: at most one round (10 ms) and two
//          blocks are wanted, and as much again for nodes that remember their input, which fades in first
// cold     prepare_ms of recalls whose processors must be built
// late     late blocks in 5 pairs of a quiet interval and one with recalls among 20 scenes
// memory   of the process, before and after 20 scenes are prepared
//
// Without names, measures all. Times are not asserted.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <fstream>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "api/requests/recall.h"
#include "api/requests/transaction.h"
#include "api/scenes/processor_pool.h"
#include "api/scenes/recall_plan.h"
#include "api/scenes/scene_content.h"
#include "bench.h"
#include "bench_main.h"
#include "daemon_load.h"
#include "edit_load.h"

namespace rta::bench {
namespace {

using std::chrono::milliseconds;
using test::Daemon;
using test::ProtocolClient;

constexpr std::size_t kScenes = 20;
constexpr double kWantedMs = 10.0 + 2 * 64 / 48.0;

void check_ok(const v1::Response& response) {
    if (response.status().code() != v1::OK) throw std::runtime_error(response.status().message());
}

/// A chain from a sine to the output. No node of one scene stays in another one, except the output.
void save_scene(ProtocolClient& client, std::size_t number, std::size_t nodes, bool remembers) {
    const std::string prefix = "s" + std::to_string(number) + "_";
    v1::Request load;
    v1::Graph& graph = *load.mutable_apply_transaction()->mutable_graph();
    std::string last;
    for (std::size_t i = 0; i + 1 < nodes; ++i) {
        v1::Node& node = *graph.add_nodes();
        node.set_name(prefix + std::to_string(i));
        node.set_type(i == 0 ? "sine" : i % 5 == 4 ? (remembers ? "delay_line" : "biquad_filter") : "gain");
        if (node.type() == "delay_line")
            (*node.mutable_settings()->mutable_fields())["max_time_ms"].set_number_value(100);
        if (node.type() == "gain") (*node.mutable_parameters())["gain_db"] = -0.01F;
        if (!last.empty()) {
            v1::Connection& connection = *graph.add_connections();
            connection.set_from(last);
            connection.set_to(node.name());
        }
        last = node.name();
    }
    graph.add_nodes()->set_name("out");
    graph.mutable_nodes(graph.nodes_size() - 1)->set_type("output");
    graph.add_connections()->set_from(last);
    graph.mutable_connections(graph.connections_size() - 1)->set_to("out");
    check_ok(client.call(load));
    v1::Request save;
    save.mutable_save_scene()->set_name("s" + std::to_string(number));
    check_ok(client.call(save));
}

[[nodiscard]] v1::SceneInfo info_of(ProtocolClient& client, const std::string& name) {
    v1::Request list;
    list.mutable_list_scenes();
    const v1::Response response = client.call(list);
    check_ok(response);
    for (const v1::SceneInfo& scene : response.list_scenes().scenes()) {
        if (scene.name() == name) return scene;
    }
    throw std::runtime_error("no scene " + name);
}

void wait_until_prepared(ProtocolClient& client, const std::string& name) {
    const auto end = Clock::now() + std::chrono::seconds{60};
    while (!info_of(client, name).prepared()) {
        if (Clock::now() > end) throw std::runtime_error(name + " is not prepared");
        std::this_thread::sleep_for(milliseconds{10});
    }
}

[[nodiscard]] v1::RecallSceneResult recall(ProtocolClient& client, const std::string& name) {
    v1::Request request;
    request.mutable_recall_scene()->set_name(name);
    request.mutable_recall_scene()->set_wait_for_start(true);
    const v1::Response response = client.call(request);
    check_ok(response);
    return response.recall_scene();
}

/// The frame of the sample clock now, as the daemon relates it to CLOCK_MONOTONIC.
[[nodiscard]] double frame_now(ProtocolClient& client) {
    v1::Request request;
    request.mutable_get_time();
    const v1::Response response = client.call(request);
    check_ok(response);
    const v1::TimeResult& time = response.get_time();
    std::timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const double now_ns = 1e9 * static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec);
    return static_cast<double>(time.frame()) +
           (now_ns - static_cast<double>(time.monotonic_ns())) * time.sample_rate_hz() / 1e9;
}

[[nodiscard]] double thread_ms() { return processor_ms(CLOCK_THREAD_CPUTIME_ID); }

/// As save_scene(), as a document.
[[nodiscard]] std::string document_of(std::size_t number, std::size_t nodes) {
    const std::string prefix = "s" + std::to_string(number) + "_";
    GraphDocument document;
    std::string last;
    for (std::size_t i = 0; i + 1 < nodes; ++i) {
        const std::string name = prefix + std::to_string(i);
        document.nodes.push_back({name, i == 0 ? "sine" : i % 5 == 4 ? "biquad_filter" : "gain", {}, {}});
        if (!last.empty()) document.connections.push_back({last, name, {}});
        last = name;
    }
    document.nodes.push_back({"out", "output", {}, {}});
    document.connections.push_back({last, "out", {}});
    return api::write_scene({}, document);
}

void measure_plan(const LoadOptions& options) {
    print_title("Prepared recall of " + std::to_string(options.nodes) + " nodes: processor time");
    Rig rig{{}};
    const auto pool = std::make_shared<api::ProcessorPool>();
    std::vector<api::requests::Recall> recalls;
    for (std::size_t number = 0; number < 2; ++number) {
        auto content = api::read_scene(document_of(number, options.nodes), rig.engine());
        if (!content) throw std::runtime_error(content.error().sentence);
        api::requests::Recall recall{.scene = {}, .spares = pool};
        recall.scene.info.set_name("s");
        recall.scene.content = std::make_shared<const api::SceneContent>(std::move(*content));
        recalls.push_back(std::move(recall));
    }
    std::vector<double> plans_ms;
    std::vector<double> commits_ms;
    for (std::size_t i = 0; i < 40; ++i) {
        const api::requests::Recall& recall = recalls[i % 2];
        for (const auto& [node, count] : nodes_to_add(rig.engine().graph(), *recall.scene.content)) {
            for (std::size_t there = pool->count(*node); there < count; ++there) {
                if (!rig.engine().build_spare(node, *pool)) throw std::runtime_error("cannot build a processor");
            }
        }
        const SharedGraphSnapshot snapshot = rig.engine().snapshot();
        double begin = thread_ms();
        auto state = recall.plan(rig.engine(), snapshot, 0);
        plans_ms.push_back(thread_ms() - begin);
        if (!state) throw std::runtime_error(state.error().sentence);
        auto& transaction = static_cast<api::requests::TransactionState&>(**state);
        if (transaction.prepared.built_count() != 0) throw std::runtime_error("the scene is not prepared");
        begin = thread_ms();
        AudioGraph before;
        const auto ticket = rig.engine().commit(transaction.prepared, &before);
        commits_ms.push_back(thread_ms() - begin);
        if (!ticket) throw std::runtime_error(ticket.error().sentence);
        for (int block = 0; block < 50; ++block) {
            rig.render(1);
            rig.poll();
        }
    }
    print_figure("plan, on a worker", text_of(Percentiles{plans_ms}, "ms"), "p50 / p99 / maximum");
    print_figure("commit, on the control thread", text_of(Percentiles{commits_ms}, "ms"));
}

void measure_start(const LoadOptions& options) {
    print_title("Prepared recalls of " + std::to_string(options.nodes) + " nodes: from the request to the start");
    for (const bool remembers : {false, true}) {
        const Daemon daemon{null_device()};
        ProtocolClient client = daemon.client("recalls");
        for (std::size_t scene = 0; scene < 2; ++scene) save_scene(client, scene, options.nodes, remembers);
        std::vector<double> times_ms;
        std::size_t unprepared = 0;
        for (std::size_t i = 0; i < 40; ++i) {
            const std::string name = "s" + std::to_string(i % 2);
            wait_until_prepared(client, name);
            const double sent = frame_now(client);
            const v1::RecallSceneResult result = recall(client, name);
            unprepared += result.was_prepared() ? 0U : 1U;
            times_ms.push_back((static_cast<double>(result.transaction().frame()) - sent) / 48.0);
        }
        const Percentiles times{std::move(times_ms)};
        print_figure(remembers ? "delay lines, biquads, gains" : "biquads, gains", text_of(times, "ms"),
                     "p50 / p99 / maximum; wanted: " + decimal(remembers ? kWantedMs + 10.0 : kWantedMs) + " ms; " +
                         std::to_string(unprepared) + " not prepared");
    }
}

void measure_cold(const LoadOptions& options) {
    print_title("Cold recalls of " + std::to_string(options.nodes) + " nodes: prepare_ms");
    Daemon::Options cold = null_device();
    cold.arguments.insert(cold.arguments.end(), {"--max-prepared-memory", "0"});
    const Daemon daemon{cold};
    ProtocolClient client = daemon.client("recalls");
    for (std::size_t scene = 0; scene < 2; ++scene) save_scene(client, scene, options.nodes, true);
    std::vector<double> times_ms;
    for (std::size_t i = 0; i < 20; ++i)
        times_ms.push_back(static_cast<double>(recall(client, "s" + std::to_string(i % 2)).prepare_ms()));
    const Percentiles times{std::move(times_ms)};
    print_figure("delay lines, biquads, gains", text_of(times, "ms"), "p50 / p99 / maximum");
}

void measure_late(const LoadOptions& options) {
    print_title("Late blocks, quiet and under recalls among 20 scenes (wanted: at most 1.2 times as many, plus 3)");
    const Daemon daemon{null_device()};
    ProtocolClient client = daemon.client("recalls");
    for (std::size_t scene = 0; scene < kScenes; ++scene) save_scene(client, scene, options.nodes / 5, true);
    std::mt19937 random{14};
    std::size_t recalls = 0;
    const auto recall_scenes = [&] {
        for (const auto begin = Clock::now(); ms_since(begin) < 1000.0 * options.seconds; ++recalls) {
            static_cast<void>(recall(client, "s" + std::to_string(random() % kScenes)));
            std::this_thread::sleep_for(milliseconds{100});
        }
    };
    const LateBlocks late = LateBlocks::count(client, [&] { options.sleep(); }, recall_scenes);
    print_figure("quiet, recalls", late.text(),
                 std::to_string(recalls) + " recalls of " + std::to_string(options.nodes / 5) + " nodes");
}

void measure_memory(const LoadOptions& options) {
    print_title("Memory of " + std::to_string(kScenes) + " scenes of " + std::to_string(options.nodes) + " nodes");
    Daemon daemon{null_device()};
    ProtocolClient client = daemon.client("recalls");
    const pid_t pid = daemon.process().pid();
    const double before = memory_mb(pid, "VmRSS");
    for (std::size_t scene = 0; scene < kScenes; ++scene) save_scene(client, scene, options.nodes, true);
    wait_until_prepared(client, "s0");
    std::uint64_t prepared = 0;
    for (std::size_t scene = 0; scene < kScenes; ++scene)
        prepared = std::max<std::uint64_t>(prepared, info_of(client, "s" + std::to_string(scene)).prepared_bytes());
    print_figure("before / after", decimal(before, 1) + " / " + decimal(memory_mb(pid, "VmRSS"), 1) + " MB",
                 "processors of one scene, estimated: " + std::to_string(prepared >> 20U) + " MiB");
}

}  // namespace

void run(std::span<const std::string_view> arguments) {
    LoadOptions options{.nodes = 500};
    options.read(arguments);
    if (options.wants("plan")) measure_plan(options);
    if (options.wants("start")) measure_start(options);
    if (options.wants("cold")) measure_cold(options);
    if (options.wants("late")) measure_late(options);
    if (options.wants("memory")) measure_memory(options);
}

}  // namespace rta::bench
