// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>

#include "dsp/gain.h"
#include "graph/node_type.h"

namespace rta::nodes::constant {

namespace {

enum Parameter : std::uint8_t { kValue };
constexpr std::array kParameters{
    ParameterSpec{.name = "value",
                  .unit = Unit::none,
                  .minimum = -1.0F,
                  .maximum = 1.0F,
                  .default_value = 0.0F,
                  .help = "Value of every sample."},
};
static_assert(well_formed(kParameters));

constexpr std::array kOutputs{PortSpec{"out", 1}};

class ConstantGenerator final : public Processor {
 public:
    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        const ParameterView& value = context.parameters[kValue];
        const std::span<float> out = context.outputs[0].channel(0);
        if (value.at_rest()) {
            dsp::fill(value.value, out);
        } else {
            std::copy_n(value.ramp, out.size(), out.begin());
        }
    }
};

}  // namespace

extern constinit const NodeType kType{
    .name = "constant",
    .help = "Constant signal.",
    .parameters = kParameters,
    .outputs = kOutputs,
    .create = [](const BuildContext&) -> Expected<std::unique_ptr<Processor>> {
        return std::make_unique<ConstantGenerator>();
    },
};

}  // namespace rta::nodes::constant
