// SPDX-License-Identifier: MIT
// `null` and `null:FILE.wav`: no hardware; see NullDevice. The fallback of every other kind.
#include "io/device_kind.h"
#include "io/device_request.h"
#include "io/null_device.h"

namespace rta::io::devices {
namespace {

class NullDriver final : public DeviceDriver {
 public:
    [[nodiscard]] Expected<std::vector<DeviceInfo>> list() override { return std::vector<DeviceInfo>{}; }
    [[nodiscard]] Expected<std::vector<Candidate>> candidates(const DeviceRequest& request) override {
        const NullDevice::Config config{.sample_rate_hz = request.sample_rate_hz,
                                        .block_size = request.block_size,
                                        .channels_in = request.channels_in.value_or(0),
                                        .channels_out = request.channels_out.value_or(kDefaultChannels),
                                        .file = request.device.name,
                                        .existing_file = request.existing_file};
        return std::vector<Candidate>{{config.file, [config] { return NullDevice::open(config); }}};
    }
    void close() override {}
};

}  // namespace

extern constinit const DeviceKind kNull{
    .name = "null",
    .argument = "FILE.wav",
    .argument_use = ArgumentUse::output_file,
    .calls = DriverCalls::nonblocking,
    .auto_role = AutoRole::fallback,
    // NOLINTNEXTLINE(performance-unnecessary-value-param): the field has this type for drivers that keep the log.
    .make_driver = [](DriverLog) -> std::unique_ptr<DeviceDriver> { return std::make_unique<NullDriver>(); },
    .check = [](const DeviceRequest& request) -> Expected<void> {
        if (request.device.name.empty() || request.channels_out != 0U) return {};
        return fail(ErrorCode::invalid_argument,
                    "--device null:FILE.wav requires at least one output channel, but --channels-out is 0");
    },
};

}  // namespace rta::io::devices
