// SPDX-License-Identifier: MIT
// Compares predicted with measured loads of random graphs on the null device: the prediction of a dry run before the graph
// plays, and the median of the daemon's own Load.mean over several seconds while it plays.
//
//     build/release/bin/load_prediction_bench [--quick] [SEED]
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "bench_main.h"
#include "rta/v1/control.pb.h"
#include "support/daemon.h"

namespace rta::test {
namespace {

using Random = std::mt19937;

std::size_t below(Random& random, std::size_t count) {
    return std::uniform_int_distribution<std::size_t>{0, count - 1}(random);
}

/// Chains of random nodes of random widths, each from a source to an output. A longer graph of the same seed begins with
/// the shorter ones.
class RandomGraph {
 public:
    explicit RandomGraph(Random::result_type seed) : random_{seed} {}

    /// Returns the graph of the first chains.
    v1::Graph first(std::size_t chains) {
        while (ends_.size() < chains) add_chain();
        v1::Graph graph;
        const Size size = chains == 0 ? Size{} : ends_[chains - 1];
        for (int i = 0; i < size.nodes; ++i) *graph.add_nodes() = all_.nodes(i);
        for (int i = 0; i < size.connections; ++i) *graph.add_connections() = all_.connections(i);
        return graph;
    }

 private:
    struct Size {
        int nodes = 0;
        int connections = 0;
    };

    v1::Node& add(const std::string& type, std::size_t channels) {
        v1::Node& node = *all_.add_nodes();
        node.set_name("n" + std::to_string(all_.nodes_size()));
        node.set_type(type);
        set(node, "channels", static_cast<double>(channels));
        return node;
    }
    static void set(v1::Node& node, const std::string& name, double value) {
        (*node.mutable_settings()->mutable_fields())[name].set_number_value(value);
    }
    void connect(const std::string& from, const std::string& to) {
        v1::Connection& connection = *all_.add_connections();
        connection.set_from(from);
        connection.set_to(to);
        if (below(random_, 4) == 0) connection.set_gain_db(-6.0F);
    }
    v1::Node& add_processor(std::size_t channels) {
        static const std::vector<std::string> types{"gain",
                                                    "biquad",
                                                    "biquad_filter",
                                                    "equalizer",
                                                    "delay_line",
                                                    "compressor",
                                                    "gate",
                                                    "limiter",
                                                    "meter",
                                                    "soft_clip",
                                                    "crossover",
                                                    "dc_blocker",
                                                    "butterworth_filter",
                                                    "linkwitz_riley_filter",
                                                    "reverb"};
        const std::string& type = types[below(random_, channels <= 2 ? types.size() : types.size() - 1)];
        v1::Node& node = add(type, channels);
        if (type == "gain") (*node.mutable_parameters())["gain_db"] = -1.0F - static_cast<float>(below(random_, 10));
        if (type == "equalizer") {
            const std::size_t bands = 1 + below(random_, 10);
            set(node, "bands", static_cast<double>(bands));
            for (std::size_t band = 1; band <= bands; ++band)
                (*node.mutable_parameters())["gain_" + std::to_string(band) + "_db"] = band % 2 == 0 ? 3.0F : -3.0F;
        }
        if (type == "butterworth_filter") set(node, "order", static_cast<double>(1 + below(random_, 8)));
        if (type == "delay_line") set(node, "max_time_ms", static_cast<double>(100 + below(random_, 900)));
        return node;
    }
    void add_chain() {
        static const std::vector<std::string> sources{"sine", "noise", "oscillator"};
        const std::size_t channels = std::size_t{1} << below(random_, 4);
        std::string last = add(sources[below(random_, sources.size())], channels).name();
        for (std::size_t i = 0, count = 1 + below(random_, 8); i < count; ++i) {
            const v1::Node& node = add_processor(channels);
            const std::string name = node.name();
            const std::string out = node.type() == "crossover" ? name + ":out_1" : name;
            connect(last, node.type() == "compressor" || node.type() == "gate" ? name + ":in" : name);
            last = out;
        }
        const std::string mixer = "mix" + std::to_string(channels);
        if (std::ranges::none_of(all_.nodes(), [&](const v1::Node& node) { return node.name() == mixer; })) {
            v1::Node& output = add("output", channels);
            output.set_name(mixer);
        }
        connect(last, mixer);
        ends_.push_back({all_.nodes_size(), all_.connections_size()});
    }

    Random random_;
    v1::Graph all_;
    std::vector<Size> ends_;
};

v1::Response call(ProtocolClient& client, v1::Request request) {
    v1::Response response = client.call(std::move(request));
    if (response.status().code() != v1::OK) throw std::runtime_error(response.status().message());
    return response;
}

double predicted(ProtocolClient& client, const v1::Graph& graph) {
    v1::Request request;
    *request.mutable_check_graph()->mutable_graph() = graph;
    const v1::CheckResult result = call(client, std::move(request)).check_graph();
    if (!result.has_predicted_load()) throw std::runtime_error("no prediction");
    return static_cast<double>(result.predicted_load());
}

/// Returns the smallest number of chains with at least this load.
std::size_t chains_for(ProtocolClient& client, RandomGraph& graph, double load) {
    std::size_t above = 1;
    while (predicted(client, graph.first(above)) < load) above *= 2;
    std::size_t under = above / 2;
    while (above - under > 1) {
        const std::size_t middle = (above + under) / 2;
        (predicted(client, graph.first(middle)) < load ? under : above) = middle;
    }
    return above;
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return (values[values.size() / 2] + values[(values.size() - 1) / 2]) / 2.0;
}

double measured(ProtocolClient& client, int readings) {
    std::this_thread::sleep_for(std::chrono::milliseconds{1'600});
    std::vector<double> means;
    for (int i = 0; i < readings; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds{500});
        means.push_back(static_cast<double>(client.status().load().mean()));
    }
    return median(means);
}

void compare(unsigned seed, int graphs, int readings) {
    Daemon daemon{{.arguments = {"--device", "null", "--log-level", "warning"}}};
    ProtocolClient client = daemon.client();
    std::printf("audio thread %s, seed %u\n\n%5s %7s %7s %12s %12s %12s %8s\n",
                client.status().realtime().scheduling().c_str(), seed, "graph", "nodes", "types", "wanted", "predicted",
                "measured", "ratio");
    Random random{seed};
    std::vector<double> ratios;
    for (int i = 0; i < graphs; ++i) {
        const double wanted = std::uniform_real_distribution<double>{0.05, 0.7}(random);
        RandomGraph source{static_cast<unsigned>(random())};
        const std::size_t chains = chains_for(client, source, wanted);
        v1::Request apply;
        *apply.mutable_apply_transaction()->mutable_graph() = source.first(chains);
        apply.mutable_apply_transaction()->set_wait_for_start(true);
        const double before = predicted(client, apply.apply_transaction().graph());
        std::vector<std::string> types;
        for (const v1::Node& node : apply.apply_transaction().graph().nodes()) types.push_back(node.type());
        std::ranges::sort(types);
        const auto count = std::ranges::distance(types.begin(), std::ranges::unique(types).begin());
        call(client, apply);
        const double load = measured(client, readings);
        ratios.push_back(before / load);
        std::printf("%5d %7d %7d %10.1f %% %10.1f %% %10.1f %% %8.2f\n", i + 1,
                    apply.apply_transaction().graph().nodes_size(), static_cast<int>(count), 100.0 * wanted,
                    100.0 * before, 100.0 * load, ratios.back());
        std::fflush(stdout);
    }
    const auto within = std::ranges::count_if(ratios, [](double ratio) { return ratio > 0.7 && ratio < 1.3; });
    std::printf("\nmedian ratio %.2f; %d of %d graphs within 30 %%; smallest %.2f, largest %.2f\n", median(ratios),
                static_cast<int>(within), graphs, std::ranges::min(ratios), std::ranges::max(ratios));
    if (daemon.stop() != ExitStatus{0, 0}) throw std::runtime_error("rtad did not exit cleanly");
}

}  // namespace
}  // namespace rta::test

void rta::bench::run(std::span<const std::string_view> arguments) {
    bool quick = false;
    unsigned seed = 1;
    for (const std::string_view argument : arguments) {
        if (argument == "--quick") {
            quick = true;
        } else {
            seed = static_cast<unsigned>(std::stoul(std::string{argument}));
        }
    }
    rta::test::compare(seed, quick ? 4 : 20, quick ? 3 : 7);
}
