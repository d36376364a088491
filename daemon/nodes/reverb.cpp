// SPDX-License-Identifier: MIT
#include "dsp/reverb.h"

#include <algorithm>
#include <array>
#include <complex>
#include <cstdint>
#include <memory>
#include <span>

#include "dsp/kernels.h"
#include "graph/node_type.h"

namespace rta::nodes::reverb {

namespace {

constexpr std::array kSettings{
    SettingSpec{.name = "channels",
                .kind = SettingSpec::Kind::integer,
                .minimum = 1,
                .maximum = 2,
                .default_number = 1,
                .help = "Number of channels of every port: 1 (mono) or 2 (stereo)."},
};

enum Parameter : std::uint8_t { kDecayS, kDampingHz, kSize, kPreDelayMs, kMix };
constexpr std::array kParameters{
    ParameterSpec{"decay_s", Unit::seconds, 0.1F, 60.0F, 2.0F,
                  "Time in which the reverberation decays by 60 dB (RT60).", RampLaw::logarithmic},
    corner_hz("damping_hz", 200.0F, 6'000.0F,
              "Frequency at which the decay is twice as fast; higher frequencies decay faster."),
    ParameterSpec{"size", Unit::ratio, static_cast<float>(dsp::Reverb::kSmallestSize), 1.0F, 0.5F,
                  "Size of the room: scales the time between echoes.", RampLaw::own},
    ParameterSpec{"pre_delay_ms", Unit::milliseconds, 0.0F, static_cast<float>(dsp::Reverb::kLongestPreDelayMs), 10.0F,
                  "Delay before the first echo, in addition to the delay that results from size.", RampLaw::own},
    ParameterSpec{"mix", Unit::ratio, 0.0F, 1.0F, 0.3F,
                  "Mix of input and reverberation: 0 is the input only, 1 the reverberation only."},
};
static_assert(well_formed(kParameters));

constexpr std::array kInputs{PortSpec{"in"}};
constexpr std::array kOutputs{PortSpec{"out"}};

class ReverbProcessor final : public Processor {
 public:
    explicit ReverbProcessor(const BuildContext& context)
        : channels_{context.settings.integer("channels")}, reverb_{context.sample_rate_hz, channels_} {}

    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        for (std::uint32_t first = 0; first < context.frame_count; first += kFrames) chunk(context, first);
    }

 private:
    static constexpr std::uint32_t kFrames = dsp::kKernelFrames;

    void chunk(const ProcessContext& context, std::uint32_t first) RTA_NONBLOCKING {
        const std::uint32_t last = first + kFrames - 1;
        const auto& parameters = context.parameters;
        std::array<std::array<float, kFrames>, 2> wet;
        std::array<const float*, 2> in{};
        const std::array<float*, 2> out{wet[0].data(), wet[1].data()};
        for (std::uint32_t channel = 0; channel < channels_; ++channel)
            in[channel] = context.inputs[0].channel(channel).data() + first;
        reverb_.process({.decay_s = parameters[kDecayS][last],
                         .damping_hz = parameters[kDampingHz][last],
                         .size = parameters[kSize][last],
                         .pre_delay_ms = parameters[kPreDelayMs][last]},
                        in.data(), out.data());
        const ParameterView& mix = parameters[kMix];
        for (std::uint32_t channel = 0; channel < channels_; ++channel) {
            const float* const dry = context.inputs[0].channel(channel).data() + first;
            float* const mixed = context.outputs[0].channel(channel).data() + first;
            for (std::uint32_t frame = 0; frame < kFrames; ++frame) {
                const float part = mix.at_rest() ? mix.value : mix.ramp[first + frame];
                // Bit-exact at both ends: 0 is the input, 1 the reverberation.
                mixed[frame] = (1.0F - part) * dry[frame] + part * wet[channel][frame];
            }
        }
    }

    std::uint32_t channels_;
    dsp::Reverb reverb_;
};

}  // namespace

extern constinit const NodeType kType{
    .name = "reverb",
    .help = "Room reverberation, mono or stereo. Amplifies nothing below 20 Hz.",
    .settings = kSettings,
    .parameters = kParameters,
    .inputs = kInputs,
    .outputs = kOutputs,
    .in_place = true,
    .remembers_input = true,
    .create = [](const BuildContext& context) -> Expected<std::unique_ptr<Processor>> {
        return std::make_unique<ReverbProcessor>(context);
    },
    .response =
        [](const ResponseQuery& query, std::span<std::complex<double>> values) {
            std::ranges::fill(values, static_cast<double>(1.0F - query.parameters[kMix]));
        },
    .counts_as = "its direct signal, without reverberation",
    .memory_bytes = [](const BuildContext& context) -> std::uint64_t {
        constexpr std::uint64_t kBesideTheDelays = std::uint64_t{64} << 10U;
        constexpr double kDelaysS = 1.5;  // of all lines together
        return kBesideTheDelays + static_cast<std::uint64_t>(kDelaysS * context.sample_rate_hz) * sizeof(float);
    },
};

}  // namespace rta::nodes::reverb
