// SPDX-License-Identifier: MIT
#include <array>
#include <complex>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "dsp/butterworth.h"
#include "graph/node_type.h"

namespace rta::nodes::butterworth_filter {

namespace {

constexpr std::array<std::string_view, 2> kKinds{"lowpass", "highpass"};

constexpr std::array kSettings{
    SettingSpec{.name = "kind",
                .kind = SettingSpec::Kind::choice,
                .default_text = "lowpass",
                .choices = kKinds,
                .help = "Passes low or high frequencies."},
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

dsp::FixedSections sections_of(const ResolvedSettings& settings) {
    const dsp::Pass pass = settings.text("kind") == "lowpass" ? dsp::Pass::low : dsp::Pass::high;
    return dsp::butterworth_sections(pass, settings.integer("order"));
}

class ButterworthFilter final : public Processor {
 public:
    explicit ButterworthFilter(const BuildContext& context)
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
    .name = "butterworth_filter",
    .help = "Low-pass or high-pass of order 1 to 8 that is maximally flat in its pass band.",
    .settings = kSettings,
    .parameters = kParameters,
    .inputs = kInputs,
    .outputs = kOutputs,
    .in_place = true,
    .create = [](const BuildContext& context) -> Expected<std::unique_ptr<Processor>> {
        return std::make_unique<ButterworthFilter>(context);
    },
    .response =
        [](const ResponseQuery& query, std::span<std::complex<double>> responses) {
            const auto sections =
                dsp::coefficients_of(sections_of(query.settings), query.parameters[0], query.sample_rate_hz);
            dsp::cascade_response(sections, query.sample_rate_hz, query.frequencies_hz, responses);
        },
};

}  // namespace rta::nodes::butterworth_filter
