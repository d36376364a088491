// SPDX-License-Identifier: MIT
#include <array>
#include <complex>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "dsp/butterworth.h"
#include "graph/node_type.h"

namespace rta::nodes::linkwitz_riley_filter {

namespace {

constexpr std::array<std::string_view, 2> kKinds{"lowpass", "highpass"};
constexpr std::array<std::string_view, 4> kOrders{"2", "4", "6", "8"};

constexpr std::array kSettings{
    SettingSpec{.name = "kind",
                .kind = SettingSpec::Kind::choice,
                .default_text = "lowpass",
                .choices = kKinds,
                .help = "Passes low or high frequencies."},
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

dsp::FixedSections sections_of(const ResolvedSettings& settings) {
    const dsp::Pass pass = settings.text("kind") == "lowpass" ? dsp::Pass::low : dsp::Pass::high;
    return dsp::linkwitz_riley_sections(pass, settings.integer("order"));
}

class LinkwitzRileyFilter final : public Processor {
 public:
    explicit LinkwitzRileyFilter(const BuildContext& context)
        : filter_{sections_of(context.settings), context.settings.integer("channels"), context.sample_rate_hz,
                  context.block_size} {}

    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        const ParameterView& frequency_hz = context.parameters[0];
        filter_.process({frequency_hz.value, frequency_hz.ramp}, context.inputs[0], context.outputs[0]);
    }

 private:
    dsp::CornerFilter filter_;
};

}  // namespace

extern constinit const NodeType kType{
    .name = "linkwitz_riley_filter",
    .help = "One side of a Linkwitz-Riley crossover; a crossover node has both.",
    .settings = kSettings,
    .parameters = kParameters,
    .inputs = kInputs,
    .outputs = kOutputs,
    .in_place = true,
    .create = [](const BuildContext& context) -> Expected<std::unique_ptr<Processor>> {
        return std::make_unique<LinkwitzRileyFilter>(context);
    },
    .response =
        [](const ResponseQuery& query, std::span<std::complex<double>> responses) {
            const auto sections =
                dsp::coefficients_of(sections_of(query.settings), query.parameters[0], query.sample_rate_hz);
            dsp::cascade_response(sections, query.sample_rate_hz, query.frequencies_hz, responses);
        },
};

}  // namespace rta::nodes::linkwitz_riley_filter
