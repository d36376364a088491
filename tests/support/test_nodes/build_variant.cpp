// SPDX-License-Identifier: MIT
// The variant rtad_test_nodes: the built-in node types, and `burn`, which makes the audio late deliberately.
#include "app/build_variant.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "io/clocks.h"

namespace rta::app {
namespace {

enum Parameter : std::uint8_t { kShare, kOnceMs };
constexpr std::array kParameters{
    ParameterSpec{"share", Unit::ratio, 0.0F, 4.0F, 0.0F, "Share of each block's time that is burnt."},
    ParameterSpec{"once_ms", Unit::milliseconds, 0.0F, 1'000.0F, 0.0F, "Every new value burns so long, once.",
                  RampLaw::own},
};
static_assert(well_formed(kParameters));

class Burn final : public Processor {
 public:
    explicit Burn(const BuildContext& context)
        : block_ns_{static_cast<double>(context.block_size) * 1e9 / context.sample_rate_hz} {}

    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        const std::int64_t began_ns = io::monotonic_now_ns();
        double burn_ns = static_cast<double>(context.parameters[kShare].value) * block_ns_;
        const float once_ms = context.parameters[kOnceMs].value;
        if (once_ms != once_ms_) burn_ns += static_cast<double>(once_ms) * 1e6;
        once_ms_ = once_ms;
        while (static_cast<double>(io::monotonic_now_ns() - began_ns) < burn_ns) {
        }
    }

 private:
    double block_ns_;
    float once_ms_ = 0.0F;
};

constinit const NodeType kBurn{
    .name = "burn",
    .help = "Burns time on the audio thread.",
    .parameters = kParameters,
    .create = [](const BuildContext& context) -> Expected<std::unique_ptr<Processor>> {
        return std::make_unique<Burn>(context);
    },
};

}  // namespace

const NodeRegistry& node_types() {
    static const std::vector<const NodeType*> types = [] {
        const auto builtin = builtin_nodes().types();
        std::vector<const NodeType*> all{builtin.begin(), builtin.end()};
        all.push_back(&kBurn);
        std::ranges::sort(all, {}, &NodeType::name);
        return all;
    }();
    static const NodeRegistry registry{types};
    return registry;
}

bool ramps_enabled() { return true; }

}  // namespace rta::app
