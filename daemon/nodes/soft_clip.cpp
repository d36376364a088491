// SPDX-License-Identifier: MIT
#include "dsp/soft_clip.h"

#include <algorithm>
#include <array>
#include <complex>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dsp/gain.h"
#include "dsp/math.h"
#include "dsp/oversampling.h"
#include "graph/node_type.h"

namespace rta::nodes::soft_clip {

namespace {

constexpr std::array kSettings{
    SettingSpec{.name = "knee_db",
                .kind = SettingSpec::Kind::number,
                .minimum = -24.0,
                .maximum = -1.0,
                .default_number = -6.0,
                .help = "Level in dBFS up to which the signal is unchanged."},
    channels_setting(),
};

enum Parameter : std::uint8_t { kDriveDb, kGainDb };
constexpr std::array kParameters{
    [] {
        ParameterSpec spec{"drive_db", Unit::decibel, -24.0F, 24.0F, 0.0F, "Gain before clipping.", RampLaw::amplitude};
        spec.older_maximum = 48.0F;
        return spec;
    }(),
    level_db("gain_db", 0.0F, "Gain after the clipping curve, which approaches full scale."),
};
static_assert(well_formed(kParameters));

constexpr std::array kInputs{PortSpec{"in"}};
constexpr std::array kOutputs{PortSpec{"out"}};

class SoftClipProcessor final : public Processor {
 public:
    explicit SoftClipProcessor(const BuildContext& context)
        : knee_{dsp::gain_from_db(static_cast<float>(context.settings.number("knee_db")))} {
        const std::uint32_t channels = context.settings.integer("channels");
        for (std::uint32_t channel = 0; channel < channels; ++channel) oversamplers_.emplace_back(context.block_size);
    }

    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        const ParameterView& drive = context.parameters[kDriveDb];
        const ParameterView& gain = context.parameters[kGainDb];
        for (std::uint32_t channel = 0; channel < oversamplers_.size(); ++channel) {
            dsp::Oversampler8& oversampler = oversamplers_[channel];
            const std::span<float> out = context.outputs[0].channel(channel);
            dsp::scale(context.inputs[0].channel(channel), drive.value, drive.ramp,
                       {oversampler.input(), context.frame_count});
            dsp::soft_clip(oversampler.up(context.frame_count), knee_, oversampler.processed(context.frame_count));
            oversampler.down(out);
            dsp::scale(out, gain.value, gain.ramp, out);
        }
    }

    [[nodiscard]] std::uint32_t latency_frames() const override { return dsp::Oversampler8::kLatencyFrames; }

 private:
    float knee_;
    std::vector<dsp::Oversampler8> oversamplers_;  ///< one per channel
};

}  // namespace

extern constinit const NodeType kType{
    .name = "soft_clip",
    .help =
        "Soft-clips peaks at eight times the sample rate, with antiderivative antialiasing. Aliases of a tone at full "
        "scale up to 9 kHz stay below -80 dB with a drive of 12 dB, and below -70 dB with 24 dB. Latency: 44 frames.",
    .settings = kSettings,
    .parameters = kParameters,
    .inputs = kInputs,
    .outputs = kOutputs,
    .in_place = true,
    .create = [](const BuildContext& context) -> Expected<std::unique_ptr<Processor>> {
        return std::make_unique<SoftClipProcessor>(context);
    },
    .response =
        [](const ResponseQuery& query, std::span<std::complex<double>> values) {
            const std::span<const float> at = query.parameters;
            std::ranges::fill(values, static_cast<double>(dsp::gain_from_db(at[kDriveDb])) *
                                          static_cast<double>(dsp::gain_from_db(at[kGainDb])));
        },
    .counts_as = "its gain for quiet signals, without clipping",
    .memory_bytes = [](const BuildContext& context) -> std::uint64_t {
        // Oversampled blocks of each channel.
        constexpr std::uint64_t kBesideTheChannels = std::uint64_t{16} << 10U;
        constexpr std::uint64_t kChannelBytes = std::uint64_t{3} << 10U;
        return kBesideTheChannels +
               context.settings.integer("channels") * (kChannelBytes + std::uint64_t{240} * context.block_size);
    },
};

}  // namespace rta::nodes::soft_clip
