// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>

#include "graph/node_type.h"

namespace rta::nodes::impulse {

namespace {

enum Parameter : std::uint8_t { kGainDb };
constexpr std::array kParameters{level_db("gain_db", 0.0F, "Peak level of the impulse.")};
static_assert(well_formed(kParameters));

constexpr std::array kOutputs{PortSpec{"out", 1}};

class ImpulseGenerator final : public Processor {
 public:
    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        const std::span<float> out = context.outputs[0].channel(0);
        std::ranges::fill(out, 0.0F);
        if (!fired_) out[0] = context.parameters[kGainDb][0];
        fired_ = true;
    }

 private:
    bool fired_ = false;
};

}  // namespace

extern constinit const NodeType kType{
    .name = "impulse",
    .help =
        "One sample of 1 in the first frame, then silence. For graphs rendered from frame 0 (\"rtad render\"): in a "
        "running graph the impulse is over before the connections of the new node have faded in.",
    .parameters = kParameters,
    .outputs = kOutputs,
    .create = [](const BuildContext&) -> Expected<std::unique_ptr<Processor>> {
        return std::make_unique<ImpulseGenerator>();
    },
};

}  // namespace rta::nodes::impulse
