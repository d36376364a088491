// SPDX-License-Identifier: MIT
#include <array>

#include "dsp/butterworth.h"
#include "graph/corner_filter_node.h"
#include "graph/node_type.h"

namespace rta::nodes::butterworth_filter {

namespace {

constexpr std::array kSettings{
    pass_kind_setting(),
    SettingSpec{.name = "order",
                .kind = SettingSpec::Kind::integer,
                .minimum = 1,
                .maximum = 8,
                .default_number = 2,
                .help = "Order: 6 dB per octave each."},
    channels_setting(),
};

constexpr std::array kParameters{
    corner_hz("frequency_hz", 5.0F, 1'000.0F, "Corner frequency, at which the gain is -3 dB.")};
static_assert(well_formed(kParameters));

constexpr std::array kInputs{PortSpec{"in"}};
constexpr std::array kOutputs{PortSpec{"out"}};

}  // namespace

extern constinit const NodeType kType{
    .name = "butterworth_filter",
    .help = "Low-pass or high-pass of order 1 to 8 that is maximally flat in its pass band.",
    .settings = kSettings,
    .parameters = kParameters,
    .inputs = kInputs,
    .outputs = kOutputs,
    .in_place = true,
    .create = CornerFilterNode::create<dsp::butterworth_sections>,
    .response = CornerFilterNode::response<dsp::butterworth_sections>,
};

}  // namespace rta::nodes::butterworth_filter
