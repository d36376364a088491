// SPDX-License-Identifier: MIT
// Measures one node of a type per frame within the engine, including its share of the mixing: several nodes connected
// to one output. Nodes with an input share one noise source.
//
//     chrt -f 50 taskset -c 1 build/release/bin/source_bench [TYPE...]
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "bench_main.h"
#include "dsp/audio_buffer.h"
#include "dsp/simd.h"
#include "engine/engine.h"
#include "engine/renderer.h"
#include "graph/node_type.h"
#include "rt/audio_thread.h"

namespace rta::bench {
namespace {

constexpr std::uint32_t kBlock = 64;
constexpr double kRateHz = 48'000.0;
constexpr std::size_t kNodes = 8;  // few enough for their memory to fit into the L2 cache
constexpr int kBlocks = 40;

using Parameters = std::map<std::string, float, std::less<>>;

/// One case to measure.
struct Case {
    std::string what;
    std::string type;
    Settings settings = {};
    Parameters parameters = {};
    std::string moving = {};  ///< parameter that moves during the whole measurement
};

std::vector<Case> cases() {
    const Settings stereo{{"channels", 2.0}};
    const auto shaped = [](const char* shape) { return Settings{{"shape", std::string{shape}}}; };
    return {
        {"sine", "sine"},
        {"oscillator saw 440 Hz", "oscillator", shaped("saw"), {{"frequency_hz", 440.0F}}},
        {"oscillator saw 5 kHz", "oscillator", shaped("saw"), {{"frequency_hz", 5'000.0F}}},
        {"oscillator square 440 Hz", "oscillator", shaped("square"), {{"frequency_hz", 440.0F}}},
        {"oscillator square 24 kHz", "oscillator", shaped("square"), {{"frequency_hz", 24'000.0F}}},
        {"oscillator triangle 440 Hz", "oscillator", shaped("triangle"), {{"frequency_hz", 440.0F}}},
        {"oscillator saw, gliding", "oscillator", shaped("saw"), {{"frequency_hz", 440.0F}}, "frequency_hz"},
        {"noise white", "noise"},
        {"noise pink", "noise", {{"color", std::string{"pink"}}}},
        {"pan mono", "pan"},
        {"pan stereo", "pan", stereo},
        {"pan mono, moving", "pan", {}, {}, "position"},
        {"dc_blocker", "dc_blocker"},
        {"dc_blocker, moving", "dc_blocker", {}, {}, "frequency_hz"},
        {"soft_clip", "soft_clip", {}, {{"drive_db", 12.0F}}},
        {"reverb mono", "reverb"},
        {"reverb stereo", "reverb", stereo},
        {"reverb stereo, moving", "reverb", stereo, {}, "decay_s"},
    };
}

struct Ignore : Engine::Observer {
    void applied(std::uint64_t, std::uint64_t) override {}
    void node_faulted(const std::string& node, std::uint64_t) override { throw std::runtime_error(node + " faulted"); }
    void transaction_heard(std::uint64_t, std::uint64_t) override {}
    void device_faded(std::uint64_t) override {}
};

/// Engine that renders kNodes nodes of one case.
class Rig {
 public:
    explicit Rig(const Case& what) : case_{what}, out_{2, kBlock} {
        const NodeType& type = *builtin_nodes().find(what.type);
        const auto width = [&](std::span<const PortSpec> ports) {
            const auto channels = what.settings.find("channels");
            const double given = channels == what.settings.end() ? 1.0 : std::get<double>(channels->second);
            return ports[0].width == 0 ? given : ports[0].width;
        };
        std::vector<Edit> edits{AddNode{"output", "out", {{"channels", width(type.outputs)}}, {}}};
        if (!type.inputs.empty()) {
            edits.emplace_back(AddNode{"noise", "source", {{"channels", width(type.inputs)}}, {{"gain_db", 0.0F}}});
        }
        for (std::size_t i = 0; i < kNodes; ++i) {
            const std::string name = "n" + std::to_string(i);
            edits.emplace_back(AddNode{what.type, name, what.settings, what.parameters});
            if (!type.inputs.empty()) edits.emplace_back(Connect{"source", name, {}});
            edits.emplace_back(Connect{name, "out", {}});
        }
        auto prepared = engine_.prepare({std::move(edits)});
        if (!prepared) throw std::runtime_error(prepared.error().sentence);
        if (const auto ticket = engine_.commit(*prepared); !ticket) throw std::runtime_error(ticket.error().sentence);
        render();
        engine_.poll(ignore_);
    }

    void render() {
        const auto claim = engine_.gate().try_claim(generation_);
        for (int i = 0; i < kBlocks; ++i) engine_.renderer().render(claim.key(), {AudioReadView{}, out_.write()});
    }

    /// Starts a ramp of the moving parameter of every node. The ramp is longer than a run.
    void set_off() {
        if (case_.moving.empty()) return;
        engine_.poll(ignore_);
        const NodeType& type = *builtin_nodes().find(case_.type);
        const auto spec = std::ranges::find(type.parameters, case_.moving, &ParameterSpec::name);
        there_ = !there_;
        const float far = spec->default_value + 0.1F * (spec->maximum - spec->default_value);
        std::vector<SetParameter> changes;
        for (std::size_t i = 0; i < kNodes; ++i) {
            changes.push_back({"n" + std::to_string(i), case_.moving, there_ ? far : spec->default_value, 1'000.0F});
        }
        if (const auto done = engine_.set_parameters(changes); !done) throw std::runtime_error(done.error().sentence);
    }

 private:
    Case case_;
    Engine engine_{builtin_nodes(), {.sample_rate_hz = kRateHz, .block_size = kBlock}};
    AudioBuffer out_;
    AudioThreadGate::Generation generation_ = engine_.gate().start_generation();
    Ignore ignore_;
    bool there_ = false;
};

double ns_of(Rig& rig) {
    const auto begin = std::chrono::steady_clock::now();
    rig.render();
    return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count();
}

/// Prints minimum and median of many runs, in nanoseconds per node and frame.
void measure(const Case& what) {
    constexpr int kRuns = 100;
    Rig rig{what};
    std::vector<double> ns;
    for (int i = 0; i < kRuns; ++i) {
        if (i % 9 == 0) rig.set_off();  // the next runs take less than the second of the ramp
        rig.render();
        ns.push_back(ns_of(rig) / (kBlocks * kBlock * static_cast<double>(kNodes)));
    }
    std::ranges::sort(ns);
    std::printf("%-32s %9.2f %9.2f\n", what.what.c_str(), ns.front(), ns[ns.size() / 2]);
}

}  // namespace
}  // namespace rta::bench

void rta::bench::run(std::span<const std::string_view> arguments) {
    for (const std::string_view target : dsp::simd_targets()) {
        if (!dsp::use_simd_target(target)) throw std::runtime_error("no such SIMD target");
        std::printf("%-32s %9s %9s ns a node and frame\n", std::string{target}.c_str(), "minimum", "median");
        for (const Case& what : cases()) {
            if (builtin_nodes().find(what.type) == nullptr) continue;
            if (arguments.empty() || std::ranges::find(arguments, what.type) != arguments.end()) measure(what);
        }
    }
}
