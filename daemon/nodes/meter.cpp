// SPDX-License-Identifier: MIT
#include <array>
#include <cstdint>
#include <memory>

#include "dsp/gain.h"
#include "graph/level_tap.h"
#include "graph/node_type.h"

namespace rta::nodes::meter {

namespace {

constexpr std::array kSettings{channels_setting()};
constexpr std::array kInputs{PortSpec{"in"}};
constexpr std::array kOutputs{PortSpec{"out"}};

class MeterProcessor final : public Processor {
 public:
    explicit MeterProcessor(const BuildContext& context)
        : tap_{static_cast<std::uint32_t>(context.settings.integer("channels")), context.sample_rate_hz,
               context.block_size, LevelTap::Measures::programme} {}

    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        const AudioReadView& in = context.inputs[0];
        if (tap_.wanted()) tap_.add(context.frame, in);
        for (std::uint32_t channel = 0; channel < in.channel_count(); ++channel) {
            dsp::copy(in.channel(channel), context.outputs[0].channel(channel));
        }
    }

    [[nodiscard]] LevelTap* level_tap() override { return &tap_; }

 private:
    LevelTap tap_;
};

}  // namespace

extern constinit const NodeType kType{
    .name = "meter",
    .help =
        "Passes its input through and measures it. Clients that subscribe to levels receive peak, RMS and true peak of "
        "each channel, and the loudness of all channels together (EBU R 128). The channels are expected in the order L R "
        "C Ls Rs (5) or L R C LFE Ls Rs (6): surrounds count 1.41 times, the LFE does not count. With any other number, "
        "all channels count equally.",
    .settings = kSettings,
    .inputs = kInputs,
    .outputs = kOutputs,
    .in_place = true,
    .reports = Reports::levels,
    .create = [](const BuildContext& context) -> Expected<std::unique_ptr<Processor>> {
        return std::make_unique<MeterProcessor>(context);
    },
    .response = &flat_response,
    .memory_bytes = [](const BuildContext& context) -> std::uint64_t {
        constexpr std::uint64_t kBesideTheChannels = std::uint64_t{32} << 10U;
        constexpr std::uint64_t kChannelBytes = std::uint64_t{4} << 10U;
        return kBesideTheChannels +
               context.settings.integer("channels") * (kChannelBytes + std::uint64_t{8} * context.block_size);
    },
};

}  // namespace rta::nodes::meter
