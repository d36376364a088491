// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <complex>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dsp/designed_section.h"
#include "graph/node_type.h"

/// (s^2 + s w0 / Q0 + w0^2) / (s^2 + s wp / Qp + wp^2): cancels the poles of a closed box and replaces them (Siegfried
/// Linkwitz, "Loudspeaker system design", Wireless World, May and June 1978; also www.linkwitzlab.com/filters.htm, "12 dB/oct
/// highpass equalization"). By the bilinear transform, w0 and wp are each exact.
namespace rta::nodes::linkwitz_transform {

namespace {

constexpr float kLeastBoxQ = 0.1F;
constexpr float kGreatestBoxQ = 10.0F;

enum Parameter : std::uint8_t { kSourceFrequency, kSourceQ, kTargetFrequency, kTargetQ, kParameterCount };
constexpr std::array kParameters{
    ParameterSpec{"source_frequency_hz", Unit::hertz, 5.0F, 500.0F, 50.0F,
                  "Resonance frequency of the driver in its closed box.", RampLaw::logarithmic},
    ParameterSpec{"source_q", Unit::ratio, kLeastBoxQ, kGreatestBoxQ, 0.707107F,
                  "Q of the driver in its closed box (Qtc).", RampLaw::logarithmic},
    ParameterSpec{"target_frequency_hz", Unit::hertz, 5.0F, 500.0F, 50.0F,
                  "Corner frequency of the result. The gain at low frequencies is 40 log10(source_frequency_hz / "
                  "target_frequency_hz) dB: 12 dB an octave.",
                  RampLaw::logarithmic},
    ParameterSpec{"target_q", Unit::ratio, kLeastBoxQ, kGreatestBoxQ, 0.707107F,
                  "Q of the result; 0.7071 is maximally flat (Butterworth), 0.5 is critically damped.",
                  RampLaw::logarithmic},
};
static_assert(well_formed(kParameters));

constexpr std::array kSettings{channels_setting()};
constexpr std::array kInputs{PortSpec{"in"}};
constexpr std::array kOutputs{PortSpec{"out"}};

using Values = std::array<float, kParameterCount>;

dsp::StateSpace system_of(const Values& values, double sample_rate_hz) RTA_NONBLOCKING {
    const auto value = [&](Parameter parameter) { return static_cast<double>(values[parameter]); };
    const double k = 1.0 / value(kTargetQ);
    dsp::SectionDesign design = dsp::section_at(value(kTargetFrequency), sample_rate_hz, k);
    const dsp::SectionDesign source = dsp::section_at(value(kSourceFrequency), sample_rate_hz, k);
    // Ratio of the frequencies after the bilinear transform: g is a2 / a1.
    const double ratio = (source.a2 * design.a1) / (source.a1 * design.a2);
    design.m1 = ratio / value(kSourceQ) - k;
    design.m2 = ratio * ratio - 1.0;
    return dsp::mixed_before(design);
}

class LinkwitzTransform final : public Processor {
 public:
    explicit LinkwitzTransform(const BuildContext& context)
        : sample_rate_hz_{context.sample_rate_hz},
          section_{context.settings.integer("channels")},
          systems_(context.block_size) {}

    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        const auto parameters = context.parameters.first(kParameterCount);
        const bool rests = std::ranges::all_of(parameters, [](const ParameterView& view) { return view.at_rest(); });
        if (rests) {
            const Values values = values_at(parameters, 0);
            if (values != values_) section_.set(system_of(values, sample_rate_hz_));
            values_ = values;
            return section_.process(context.inputs[0], context.outputs[0]);
        }
        for (std::uint32_t frame = 0; frame < context.frame_count; ++frame) {
            systems_[frame] = system_of(values_at(parameters, frame), sample_rate_hz_);
        }
        section_.process(systems_, context.inputs[0], context.outputs[0]);
    }

 private:
    static Values values_at(std::span<const ParameterView> parameters, std::uint32_t frame) RTA_NONBLOCKING {
        return {parameters[kSourceFrequency][frame], parameters[kSourceQ][frame], parameters[kTargetFrequency][frame],
                parameters[kTargetQ][frame]};
    }

    double sample_rate_hz_;
    Values values_{};  ///< of the system at rest; 0: none yet
    dsp::DesignedSection section_;
    std::vector<dsp::StateSpace> systems_;  ///< one for each frame of a block with moving parameters
};

}  // namespace

extern constinit const NodeType kType{
    .name = "linkwitz_transform",
    .help = "Replaces the low-frequency roll-off of a driver in a closed box by another one (Linkwitz transform).",
    .settings = kSettings,
    .parameters = kParameters,
    .inputs = kInputs,
    .outputs = kOutputs,
    .in_place = true,
    .create = [](const BuildContext& context) -> Expected<std::unique_ptr<Processor>> {
        return std::make_unique<LinkwitzTransform>(context);
    },
    .response =
        [](const ResponseQuery& query, std::span<std::complex<double>> responses) {
            Values values;
            std::ranges::copy(query.parameters.first(kParameterCount), values.begin());
            const std::array sections{dsp::section_coefficients(system_of(values, query.sample_rate_hz))};
            dsp::cascade_response(sections, query.sample_rate_hz, query.frequencies_hz, responses);
        },
};

}  // namespace rta::nodes::linkwitz_transform
