// SPDX-License-Identifier: MIT
#include "dsp/dc_blocker.h"

#include <array>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numbers>
#include <span>
#include <vector>

#include "graph/node_type.h"

namespace rta::nodes::dc_blocker {

namespace {

constexpr std::array kSettings{channels_setting()};

enum Parameter : std::uint8_t { kFrequencyHz };
constexpr std::array kParameters{
    ParameterSpec{"frequency_hz", Unit::hertz, 0.1F, 200.0F, 5.0F,
                  "Corner frequency (-3 dB); the slope is 6 dB per octave.", RampLaw::logarithmic},
};
static_assert(well_formed(kParameters));

constexpr std::array kInputs{PortSpec{"in"}};
constexpr std::array kOutputs{PortSpec{"out"}};

class DcBlockerProcessor final : public Processor {
 public:
    explicit DcBlockerProcessor(const BuildContext& context)
        : sample_rate_hz_{context.sample_rate_hz},
          moving_(context.block_size),
          filters_(context.settings.integer("channels")) {}

    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        const ParameterView& frequency = context.parameters[kFrequencyHz];
        if (!frequency.at_rest()) {
            for (std::uint32_t frame = 0; frame < context.frame_count; ++frame) {
                moving_[frame] = coefficients_at(frequency[frame]);
            }
        } else if (frequency.value != frequency_hz_) {
            frequency_hz_ = frequency.value;
            coefficients_ = coefficients_at(frequency_hz_);
        }
        for (std::uint32_t channel = 0; channel < filters_.size(); ++channel) {
            const std::span<const float> in = context.inputs[0].channel(channel);
            const std::span<float> out = context.outputs[0].channel(channel);
            if (frequency.at_rest()) {
                filters_[channel].process(coefficients_, in, out);
            } else {
                filters_[channel].process(moving_, in, out);
            }
        }
    }

 private:
    [[nodiscard]] dsp::DcBlocker::Coefficients coefficients_at(float frequency_hz) const RTA_NONBLOCKING {
        return dsp::DcBlocker::coefficients(static_cast<double>(frequency_hz), sample_rate_hz_);
    }

    double sample_rate_hz_;
    float frequency_hz_ = 0.0F;  ///< for which coefficients_ was computed; 0: none yet
    dsp::DcBlocker::Coefficients coefficients_{};
    std::vector<dsp::DcBlocker::Coefficients> moving_;  ///< one per frame while the frequency is ramping
    std::vector<dsp::DcBlocker> filters_;               ///< one per channel
};

}  // namespace

extern constinit const NodeType kType{
    .name = "dc_blocker",
    .help = "Removes DC with a first-order high-pass filter.",
    .settings = kSettings,
    .parameters = kParameters,
    .inputs = kInputs,
    .outputs = kOutputs,
    .in_place = true,
    .create = [](const BuildContext& context) -> Expected<std::unique_ptr<Processor>> {
        return std::make_unique<DcBlockerProcessor>(context);
    },
    .response =
        [](const ResponseQuery& query, std::span<std::complex<double>> values) {
            const auto [pole, gain] =
                dsp::DcBlocker::coefficients(static_cast<double>(query.parameters[kFrequencyHz]), query.sample_rate_hz);
            for (std::size_t i = 0; i < values.size(); ++i) {
                const auto delay =
                    std::polar(1.0, -2.0 * std::numbers::pi * query.frequencies_hz[i] / query.sample_rate_hz);
                values[i] = gain * (1.0 - delay) / (1.0 - pole * delay);
            }
        },
};

}  // namespace rta::nodes::dc_blocker
