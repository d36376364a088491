// SPDX-License-Identifier: MIT
#include <array>
#include <string_view>

#include "dsp/butterworth.h"
#include "graph/corner_filter_node.h"
#include "graph/node_type.h"

namespace rta::nodes::linkwitz_riley_filter {

namespace {

constexpr std::array<std::string_view, 4> kOrders{"2", "4", "6", "8"};

constexpr std::array kSettings{
    pass_kind_setting(),
    SettingSpec{.name = "order",
                .kind = SettingSpec::Kind::integer,
                .minimum = 2,
                .maximum = 8,
                .default_number = 4,
                .choices = kOrders,
                .help =
                    "Order: 2, 4, 6 and 8 are 12, 24, 36 and 48 dB per octave. The low-pass and the high-pass of one "
                    "frequency sum flat at order 4 and 8. At order 2 and 6 they have opposite phase, and sum flat if "
                    "one of them is inverted."},
    channels_setting(),
};

constexpr std::array kParameters{
    corner_hz("frequency_hz", 5.0F, 1'000.0F, "Corner frequency, at which the gain is -6 dB.")};
static_assert(well_formed(kParameters));

constexpr std::array kInputs{PortSpec{"in"}};
constexpr std::array kOutputs{PortSpec{"out"}};

}  // namespace

extern constinit const NodeType kType{
    .name = "linkwitz_riley_filter",
    .help = "One side of a Linkwitz-Riley crossover; a crossover node has both.",
    .settings = kSettings,
    .parameters = kParameters,
    .inputs = kInputs,
    .outputs = kOutputs,
    .in_place = true,
    .create = CornerFilterNode::create<dsp::linkwitz_riley_sections>,
    .response = CornerFilterNode::response<dsp::linkwitz_riley_sections>,
};

}  // namespace rta::nodes::linkwitz_riley_filter
