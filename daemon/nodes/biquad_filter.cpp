// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <complex>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "dsp/biquad.h"
#include "dsp/filter_names.h"
#include "graph/filter_rows.h"
#include "graph/node_type.h"

namespace rta::nodes::biquad_filter {

namespace {

/// In the order of dsp::FilterWidth.
constexpr std::array<std::string_view, 3> kWidths{"q", "bandwidth", "slope"};

constexpr std::array kSettings{
    SettingSpec{
        .name = "kind",
        .kind = SettingSpec::Kind::choice,
        .default_text = "lowpass",
        .choices = dsp::kFilterKindNames,
        .help = "Response, as in the Audio EQ Cookbook. The peak gain of bandpass_skirt is q, that of bandpass_peak 0 "
                "dB. The kinds ending in _1 have first order (6 dB per octave) and ignore the width."},
    SettingSpec{.name = "width",
                .kind = SettingSpec::Kind::choice,
                .default_text = "q",
                .choices = kWidths,
                .help = "Parameter that sets the width: q, bandwidth_octaves or slope. The other two are ignored."},
    channels_setting(),
};

enum Parameter : std::uint8_t { kFrequency, kQ, kGain, kBandwidth, kSlope };
constexpr std::array kParameters{
    corner_hz("frequency_hz", 5.0F, 1'000.0F, "Corner or centre frequency, or midpoint of a shelf."),
    q_ratio("q", "Resonance; 0.7071 is maximally flat (Butterworth)."),
    filter_gain_db("gain_db", "Gain of a peak or shelf; ignored by the other kinds."),
    ParameterSpec{
        "bandwidth_octaves", Unit::none, 0.05F, 6.0F, 1.0F,
        "With width = bandwidth: bandwidth in octaves between the -3 dB points, or between the half-gain points of a "
        "peak. The resulting q is at least 0.05, a limit that only several octaves near half the sample rate reach.",
        RampLaw::logarithmic},
    ParameterSpec{
        "slope", Unit::ratio, 0.1F, 1.0F, 1.0F,
        "With width = slope: slope of a shelf; 1 is the steepest without overshoot. The q of a peak is that of a "
        "shelf of the same slope and gain: 0.7071 with slope 1, and with a lower slope, more gain makes the peak "
        "wider. For the other kinds, q = sqrt(slope / 2). The resulting q is at least 0.05.",
        RampLaw::logarithmic},
};
static_assert(well_formed(kParameters));

constexpr std::array kInputs{PortSpec{"in"}};
constexpr std::array kOutputs{PortSpec{"out"}};

dsp::FilterShape shape_of(const ResolvedSettings& settings) {
    const auto width = std::ranges::find(kWidths, settings.text("width")) - kWidths.begin();
    return {dsp::filter_kind(settings.text("kind")), static_cast<dsp::FilterWidth>(width)};
}

constexpr Parameter width_parameter(dsp::FilterWidth width) {
    switch (width) {
        case dsp::FilterWidth::q:
            return kQ;
        case dsp::FilterWidth::bandwidth:
            return kBandwidth;
        case dsp::FilterWidth::slope:
            return kSlope;
    }
    return kQ;
}

class BiquadFilter final : public Processor {
 public:
    BiquadFilter(const BuildContext& context, const dsp::FilterShape& shape)
        : width_{width_parameter(shape.width)},
          section_{{&shape, 1}, context.settings.integer("channels"), context.sample_rate_hz, context.block_size} {}

    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        const auto course = [&context](Parameter parameter) -> dsp::FilterCourse {
            return {context.parameters[parameter].value, context.parameters[parameter].ramp};
        };
        const dsp::FilterMotion motion{course(kFrequency), course(width_), course(kGain)};
        section_.process({&motion, 1}, context.inputs[0], context.outputs[0]);
    }

 private:
    Parameter width_;
    dsp::BiquadCascade section_;
};

}  // namespace

extern constinit const NodeType kType{
    .name = "biquad_filter",
    .help = "Filter of second or first order with the responses of the Audio EQ Cookbook, stable under any modulation.",
    .settings = kSettings,
    .parameters = kParameters,
    .inputs = kInputs,
    .outputs = kOutputs,
    .in_place = true,
    .create = [](const BuildContext& context) -> Expected<std::unique_ptr<Processor>> {
        return std::make_unique<BiquadFilter>(context, shape_of(context.settings));
    },
    .response =
        [](const ResponseQuery& query, std::span<std::complex<double>> responses) {
            const dsp::FilterShape shape = shape_of(query.settings);
            const dsp::FilterValues values{query.parameters[kFrequency], query.parameters[width_parameter(shape.width)],
                                           query.parameters[kGain]};
            const std::array sections{dsp::biquad_coefficients(shape, values, query.sample_rate_hz)};
            dsp::cascade_response(sections, query.sample_rate_hz, query.frequencies_hz, responses);
        },
};

}  // namespace rta::nodes::biquad_filter
