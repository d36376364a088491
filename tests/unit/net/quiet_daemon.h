// SPDX-License-Identifier: MIT
#pragma once

#include "../api/fake_access.h"
#include "api/daemon_access.h"

namespace rta::net {

/// A daemon with a null device that never reports anything, and with the tokens that a test adds.
class QuietDaemon final : public api::DaemonAccess {
 public:
    [[nodiscard]] DeviceStatus device_status() const override {
        return {.description = {.kind = "null"}, .running = true};
    }
    [[nodiscard]] LoadStatus load_status() const override { return {}; }
    [[nodiscard]] RealtimeStatus realtime_status() const override { return {}; }
    void list_devices(std::function<void(std::vector<DeviceInfo>)> done) override { done({{.name = "ALSA/default"}}); }
    void set_device(std::optional<std::string>, std::function<void(Expected<void>)> done) override { done({}); }
    [[nodiscard]] api::Access& access() override { return tokens; }

    api::test::FakeAccess tokens;
};

}  // namespace rta::net
