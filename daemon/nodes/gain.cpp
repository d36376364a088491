// SPDX-License-Identifier: MIT
#include "dsp/gain.h"

#include <algorithm>
#include <array>
#include <complex>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dsp/math.h"
#include "graph/node_type.h"

namespace rta::nodes::gain {

namespace {

constexpr std::array kSettings{channels_setting()};

enum Parameter : std::uint8_t { kGainDb, kMute, kInvert };
constexpr std::array kParameters{
    level_db("gain_db", 0.0F, "Gain; -120 dB is silence."),
    on_off("mute", false, "Silences the output."),
    on_off("invert", false, "Inverts the polarity."),
};
static_assert(well_formed(kParameters));

constexpr std::array kInputs{PortSpec{"in"}};
constexpr std::array kOutputs{PortSpec{"out"}};

/// Combines the three parameters into one factor. Switches are ramps between 0 and 1: mute fades to 0 and invert passes
/// through 0, so neither clicks.
constexpr float combined(float gain, float mute, float invert) { return gain * (1.0F - mute) * (1.0F - 2.0F * invert); }

bool is_off(const ParameterView& parameter) RTA_NONBLOCKING { return parameter.at_rest() && parameter.value == 0.0F; }

class GainProcessor final : public Processor {
 public:
    explicit GainProcessor(const BuildContext& context) : factors_(context.block_size) {}

    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        const ParameterView& gain = context.parameters[kGainDb];
        const ParameterView& mute = context.parameters[kMute];
        const ParameterView& invert = context.parameters[kInvert];
        const bool at_rest = gain.at_rest() && mute.at_rest() && invert.at_rest();
        const AudioWriteView& out = context.outputs[0];
        if (!at_rest || out.channel_count() != 1) return process_any(context);
        // The most common path; it ends with a tail call.
        const float factor = combined(gain.value, mute.value, invert.value);
        dsp::scale(context.inputs[0].channel(0), factor, nullptr, out.channel(0));
    }

 private:
    // A separate function, so that the path above has no registers to save.
    [[gnu::noinline]] void process_any(const ProcessContext& context) RTA_NONBLOCKING {
        const ParameterView gain = context.parameters[kGainDb];
        const ParameterView mute = context.parameters[kMute];
        const ParameterView invert = context.parameters[kInvert];
        const bool at_rest = gain.at_rest() && mute.at_rest() && invert.at_rest();
        const float factor = combined(gain.value, mute.value, invert.value);
        const float* ramp = nullptr;
        if (!at_rest) ramp = is_off(mute) && is_off(invert) ? gain.ramp : combine(gain, mute, invert);
        const AudioReadView& in = context.inputs[0];
        const AudioWriteView& out = context.outputs[0];
        for (std::uint32_t channel = 0; channel < out.channel_count(); ++channel) {
            dsp::scale(in.channel(channel), factor, ramp, out.channel(channel));
        }
    }

    /// Computes combined() for each frame, in loops that compilers vectorise: a product with 1 is exact.
    const float* combine(const ParameterView& gain, const ParameterView& mute,
                         const ParameterView& invert) RTA_NONBLOCKING {
        if (gain.at_rest()) {
            std::ranges::fill(factors_, gain.value);
        } else {
            std::copy_n(gain.ramp, factors_.size(), factors_.begin());
        }
        multiply(mute, [](float value) { return 1.0F - value; });
        multiply(invert, [](float value) { return 1.0F - 2.0F * value; });
        return factors_.data();
    }

    template <class FactorOf>
    void multiply(const ParameterView& parameter, FactorOf factor_of) RTA_NONBLOCKING {
        if (parameter.at_rest()) {
            const float factor = factor_of(parameter.value);
            for (float& product : factors_) product *= factor;
        } else {
            for (std::size_t frame = 0; frame < factors_.size(); ++frame) {
                factors_[frame] *= factor_of(parameter.ramp[frame]);
            }
        }
    }

    std::vector<float> factors_;  ///< one per frame of the block, while a switch is ramping
};

}  // namespace

extern constinit const NodeType kType{
    .name = "gain",
    .help = "Changes the level or polarity, or mutes the signal.",
    .settings = kSettings,
    .parameters = kParameters,
    .inputs = kInputs,
    .outputs = kOutputs,
    .in_place = true,
    .create = [](const BuildContext& context) -> Expected<std::unique_ptr<Processor>> {
        return std::make_unique<GainProcessor>(context);
    },
    .response =
        [](const ResponseQuery& query, std::span<std::complex<double>> values) {
            const std::span<const float> at = query.parameters;
            std::ranges::fill(values, combined(dsp::gain_from_db(at[kGainDb]), at[kMute], at[kInvert]));
        },
};

}  // namespace rta::nodes::gain
