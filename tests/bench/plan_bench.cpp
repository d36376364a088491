// SPDX-License-Identifier: MIT
// Measures edits: adopting a plan on the audio thread, compiling it, and the whole commit on the control thread.
//
//     build/release/bin/plan_bench [--edits | --stream]
//
// With --edits, measures edits of 10,000 nodes only, with --stream those that follow each other (for a profiler).
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench_main.h"
#include "dsp/audio_buffer.h"
#include "engine/engine.h"
#include "engine/renderer.h"
#include "plan/compiler.h"
#include "rt/audio_thread.h"

namespace rta {
namespace {

using Clock = std::chrono::steady_clock;

double microseconds_since(Clock::time_point begin) {
    return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
}

struct Percentiles {
    explicit Percentiles(std::vector<double> samples) : samples_{std::move(samples)} { std::ranges::sort(samples_); }
    [[nodiscard]] double at(double fraction) const {
        return samples_[static_cast<std::size_t>(fraction * static_cast<double>(samples_.size() - 1))];
    }

 private:
    std::vector<double> samples_;
};

void print_row(const std::string& what, std::size_t nodes, const Percentiles& p) {
    std::printf("%-44s %7zu %12.3f %12.3f %12.3f %12.3f\n", what.c_str(), nodes, p.at(0.0), p.at(0.5), p.at(0.99),
                p.at(1.0));
}

/// Returns a graph of `nodes` nodes: sines, each through a gain, all summed in one output; or one long chain.
std::vector<Edit> graph_edits(std::size_t nodes, bool one_chain) {
    std::vector<Edit> edits{AddNode{"output", "out", {}, {}}};
    std::string last;
    for (std::size_t i = 1; i + (one_chain ? 0 : 1) < nodes; i += one_chain ? 1 : 2) {
        const std::string name = "n" + std::to_string(i);
        if (one_chain) {
            edits.emplace_back(AddNode{last.empty() ? "sine" : "gain", name, {}, {}});
            if (!last.empty()) edits.emplace_back(Connect{last, name, {}});
            last = name;
            continue;
        }
        edits.emplace_back(AddNode{"sine", name, {}, {}});
        edits.emplace_back(AddNode{"gain", name + "_vol", {}, {}});
        edits.emplace_back(Connect{name, name + "_vol", {}});
        edits.emplace_back(Connect{name + "_vol", "out", {}});
    }
    if (one_chain) edits.emplace_back(Connect{last, "out", {}});
    return edits;
}

struct Ignore : Engine::Observer {
    void applied(std::uint64_t, std::uint64_t) override {}
    void node_faulted(const std::string&, std::uint64_t) override {}
    void transaction_heard(std::uint64_t, std::uint64_t) override {}
    void device_faded(std::uint64_t) override {}
};

class Rig {
 public:
    Rig(std::size_t nodes, bool one_chain)
        : engine_{builtin_nodes(), {}}, out_{2, 64}, generation_{engine_.gate().start_generation()} {
        commit(graph_edits(nodes, one_chain));
        settle();
    }

    /// Returns the time of the commit in microseconds; processors are built before it.
    double commit(std::vector<Edit> edits) {
        auto prepared = engine_.prepare({std::move(edits)});
        if (!prepared) refuse(prepared.error());
        auto begin = Clock::now();
        auto ticket = engine_.commit(*prepared);
        if (!ticket && ticket.error().code == ErrorCode::aborted) {
            if (const auto built = engine_.build(*prepared); !built) refuse(built.error());
            begin = Clock::now();
            ticket = engine_.commit(*prepared);
        }
        const double us = microseconds_since(begin);
        if (!ticket) refuse(ticket.error());
        return us;
    }
    /// Returns the time of one block in microseconds.
    double block() {
        const auto claim = engine_.gate().try_claim(generation_);
        const auto begin = Clock::now();
        engine_.renderer().render(claim.key(), {AudioReadView{}, out_.write()});
        return microseconds_since(begin);
    }
    /// Renders until nothing is outstanding. Returns the time of the longest poll in microseconds.
    double settle() {
        double longest = 0.0;
        while (engine_.outstanding()) longest = std::max(longest, poll_after_block());
        return longest;
    }
    /// Renders a block. Returns the time of the poll after it in microseconds.
    double poll_after_block() {
        block();
        const auto begin = Clock::now();
        engine_.poll(ignore_);
        return microseconds_since(begin);
    }
    [[nodiscard]] static long minor_faults() {
        rusage usage{};
        getrusage(RUSAGE_SELF, &usage);
        return usage.ru_minflt;
    }
    /// Adopts the pending plan and renders. Returns the time of the adoption in microseconds.
    double render() {
        const auto claim = engine_.gate().try_claim(generation_);
        const auto begin = Clock::now();
        engine_.renderer().apply_commands(claim.key());
        const double adoption = microseconds_since(begin);
        engine_.renderer().render(claim.key(), {AudioReadView{}, out_.write()});
        engine_.poll(ignore_);
        return adoption;
    }
    [[nodiscard]] Engine& engine() { return engine_; }

 private:
    [[noreturn]] static void refuse(const Error& error) {
        std::fprintf(stderr, "plan_bench: a commit was refused: %s\n", error.sentence.c_str());
        std::exit(1);
    }

    Engine engine_;
    AudioBuffer out_;
    AudioThreadGate::Generation generation_;
    Ignore ignore_;
};

void measure_adoptions(std::size_t nodes) {
    Rig rig{nodes, false};
    std::vector<double> adoptions;
    std::vector<double> empty;
    for (int i = 0; i < 500; ++i) {
        // A round without a fade: only the output changes its gain.
        rig.commit({Connect{"n1_vol", "out", i % 2 == 0 ? -1.0F : 0.0F}});
        adoptions.push_back(rig.render());
        empty.push_back(rig.render());
        rig.settle();
    }
    print_row("adopting a plan, us", nodes, Percentiles{std::move(adoptions)});
    print_row("  of it the clock and an empty ring, us", nodes, Percentiles{std::move(empty)});
}

/// An edit and its reverse.
struct EditKind {
    std::string what;
    std::vector<Edit> edits;
    std::vector<Edit> reverse;
};

std::vector<EditKind> edit_kinds() {
    return {
        {"connect, disconnect", {Connect{"n1", "n3_vol", {}}}, {Disconnect{"n1", "n3_vol"}}},
        {"a gain of a connection", {Connect{"n1_vol", "out", -1.0F}}, {Connect{"n1_vol", "out", 0.0F}}},
        {"insert a gain, remove it",
         {AddNode{"gain", "new", {}, {}}, Connect{"n1_vol", "new", {}}, Connect{"new", "out", {}},
          Disconnect{"n1_vol", "out"}},
         {RemoveNode{"new"}, Connect{"n1_vol", "out", {}}}},
        {"a setting",
         {ChangeSettings{"delay", {{"max_time_ms", 20.0}}}},
         {ChangeSettings{"delay", {{"max_time_ms", 10.0}}}}},
    };
}

void measure_edits(std::size_t nodes) {
    for (const EditKind& kind : edit_kinds()) {
        Rig rig{nodes, false};
        rig.commit({AddNode{"delay_line", "delay", {{"max_time_ms", 10.0}}, {{"time_ms", 1.0F}}},
                    Connect{"n1", "delay", {}}, Connect{"delay", "out", {}}});
        rig.settle();
        std::vector<double> commits;
        std::vector<double> polls;
        std::vector<double> first_blocks;
        std::vector<double> next_blocks;
        const long faults = Rig::minor_faults();
        const int rounds = nodes >= 10'000 ? 60 : 200;
        for (int i = 0; i < rounds; ++i) {
            for (const std::vector<Edit>& edits : {kind.edits, kind.reverse}) {
                commits.push_back(rig.commit(edits));
                first_blocks.push_back(rig.block());
                next_blocks.push_back(rig.block());
                polls.push_back(rig.settle());
            }
        }
        const double faults_per_edit =
            static_cast<double>(Rig::minor_faults() - faults) / static_cast<double>(commits.size());
        print_row(kind.what + ": commit, us", nodes, Percentiles{std::move(commits)});
        print_row("  the longest poll after it, us", nodes, Percentiles{std::move(polls)});
        print_row("  first block, us", nodes, Percentiles{std::move(first_blocks)});
        print_row("  next block, us", nodes, Percentiles{std::move(next_blocks)});
        std::printf("%-44s %7zu %12.3f\n", "  minor page faults, all threads", nodes, faults_per_edit);
    }
}

/// Commits that follow each other as those of many clients do, without waiting for rounds and ramps to end: each
/// changes one connection in the middle of a chain.
void measure_stream(std::size_t nodes) {
    Rig rig{nodes, true};
    const std::string from = "n" + std::to_string(nodes / 2);
    const std::string to = "n" + std::to_string(nodes / 2 + 1);
    std::vector<double> commits;
    std::vector<double> polls;
    for (int i = 0; i < 1'000; ++i) {
        commits.push_back(rig.commit({Connect{from, to, i % 2 == 0 ? -6.0F : 0.0F}}));
        polls.push_back(rig.poll_after_block() + rig.poll_after_block());
    }
    print_row("one gain after another: commit, us", nodes, Percentiles{std::move(commits)});
    print_row("  polls until the next commit, us", nodes, Percentiles{std::move(polls)});
}

/// Returns a request to compile the graph. Adds the owners of the objects that it borrows to `borrowed`.
CompileRequest request_of(const AudioGraph& graph, std::vector<std::shared_ptr<const void>>& borrowed) {
    CompileRequest request{};
    request.block_size = 64;
    std::map<NodeId, std::uint32_t> numbers;
    for (const auto& node : graph.nodes()) {
        numbers[node->id] = static_cast<std::uint32_t>(numbers.size());
        auto instance = std::make_shared<NodeInstance>(
            node->description, *node->description->type->create({48'000.0, 64, node->description->settings}));
        instance->assign_id(node->id);
        request.nodes.push_back(CompileRequest::Node::of(*instance));
        borrowed.push_back(std::move(instance));
    }
    for (const auto& node : graph.nodes()) {
        for (const IncomingConnection& incoming : node->incoming) {
            auto state = std::make_shared<ConnectionState>(dsp::Ramp{1.0F});
            request.connections.push_back({numbers.at(incoming.from.node), incoming.from.port, numbers.at(node->id),
                                           incoming.to_port, state.get(), 1.0F, true});
            borrowed.push_back(std::move(state));
        }
    }
    return request;
}

void measure_compiling(std::size_t nodes, bool one_chain) {
    Rig rig{nodes, one_chain};
    std::vector<std::shared_ptr<const void>> borrowed;
    const CompileRequest request = request_of(rig.engine().graph(), borrowed);
    std::vector<double> times;
    std::size_t buffers = 0;
    for (int i = 0; i < 200; ++i) {
        CompileRequest copy = request;
        const auto begin = Clock::now();
        const auto plan = compile(std::move(copy));
        times.push_back(microseconds_since(begin));
        buffers = (*plan)->buffer_count();
    }
    print_row(std::string{"compiling "} + (one_chain ? "a chain" : "pairs, summed") + " (" + std::to_string(buffers) +
                  " buffers), us",
              nodes, Percentiles{std::move(times)});
}

}  // namespace
}  // namespace rta

void rta::bench::run(std::span<const std::string_view> arguments) {
    const bool edits_only = !arguments.empty() && arguments[0] == "--edits";
    std::printf("%-44s %7s %12s %12s %12s %12s\n", "", "nodes", "min", "p50", "p99", "max");
    if (!arguments.empty() && arguments[0] == "--stream") return rta::measure_stream(10'000);
    for (const std::size_t nodes : {10UZ, 1'000UZ, 10'000UZ}) {
        if (!edits_only) rta::measure_adoptions(nodes);
        if (!edits_only || nodes == 10'000) rta::measure_edits(nodes);
    }
    rta::measure_stream(10'000);
    if (edits_only) return;
    for (const std::size_t nodes : {10UZ, 1'000UZ, 10'000UZ}) {
        rta::measure_compiling(nodes, false);
        rta::measure_compiling(nodes, true);
    }
}
