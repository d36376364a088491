// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "dsp/gain.h"
#include "dsp/math.h"
#include "graph/node_type.h"

namespace rta::nodes::matrix {

namespace {

[[nodiscard]] constexpr SettingSpec ports_setting(std::string_view name, std::string_view help) {
    return {.name = name,
            .kind = SettingSpec::Kind::integer,
            .minimum = 1,
            .maximum = 32,
            .default_number = 2,
            .help = help};
}
constexpr std::array kSettings{
    ports_setting("inputs", "Number of mono inputs."),
    ports_setting("outputs", "Number of mono outputs."),
};

/// Row by row: all outputs of input 1, then all outputs of input 2, and so on.
constexpr ParameterSpec kCrossing = [] {
    ParameterSpec spec =
        repeated(level_db("gain_#_#_db", -120.0F,
                          "Gain from the input (first number) to the output (second number); -120 dB is silence."),
                 "inputs");
    spec.repeat_inner = {"outputs"};
    return spec;
}();
constexpr std::array kParameters{kCrossing};
static_assert(well_formed(kParameters));

constexpr std::array kInputs{PortSpec{"in_#", 1, {"inputs"}}};
constexpr std::array kOutputs{PortSpec{"out_#", 1, {"outputs"}}};

class MatrixProcessor final : public Processor {
 public:
    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        const std::size_t outputs = context.outputs.size();
        for (std::size_t output = 0; output < outputs; ++output) {
            const std::span<float> out = context.outputs[output].channel(0);
            std::ranges::fill(out, 0.0F);
            for (std::size_t input = 0; input < context.inputs.size(); ++input) {
                const ParameterView& gain = context.parameters[input * outputs + output];
                if (gain.at_rest() && gain.value == 0.0F) continue;
                dsp::add_scaled(context.inputs[input].channel(0), gain.value, gain.ramp, out);
            }
        }
    }
};

}  // namespace

extern constinit const NodeType kType{
    .name = "matrix",
    .help = "Mixes every input into every output, each with its own gain; all gains start at silence.",
    .settings = kSettings,
    .parameters = kParameters,
    .inputs = kInputs,
    .outputs = kOutputs,
    .create = [](const BuildContext&) -> Expected<std::unique_ptr<Processor>> {
        return std::make_unique<MatrixProcessor>();
    },
    .routing = [](const RoutingQuery& query) -> double {
        const std::size_t crossing = std::size_t{query.input.port} * query.output_count + query.output.port;
        return static_cast<double>(dsp::gain_from_db(query.parameters[crossing]));
    },
};

}  // namespace rta::nodes::matrix
