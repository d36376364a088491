// SPDX-License-Identifier: MIT
#include "io/device_kind.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <optional>

namespace rta::io {

const DeviceKind* find_kind(DeviceKinds kinds, std::string_view name) noexcept {
    const auto found = std::ranges::find(kinds, name, &DeviceKind::name);
    return found == kinds.end() ? nullptr : *found;
}

const DeviceKind& fallback_kind(DeviceKinds kinds) noexcept {
    const auto found = std::ranges::find(kinds, AutoRole::fallback, &DeviceKind::auto_role);
    assert(found != kinds.end());
    return **found;
}

DeviceDrivers::DeviceDrivers(DeviceKinds kinds, const DriverLog& log) : kinds_{kinds} {
    for (const DeviceKind* const kind : kinds) drivers_.push_back(kind->make_driver(log));
}

DeviceDriver& DeviceDrivers::of(const DeviceKind& kind) const noexcept {
    const auto found = std::ranges::find(kinds_, &kind);
    assert(found != kinds_.end());
    return *drivers_[static_cast<std::size_t>(found - kinds_.begin())];
}

Expected<std::vector<DeviceInfo>> DeviceDrivers::list() const {
    std::vector<DeviceInfo> devices;
    std::optional<Error> error;
    for (const auto& driver : drivers_) {
        auto listed = driver->list();
        if (listed) {
            std::ranges::move(*listed, std::back_inserter(devices));
        } else if (!error) {
            error = std::move(listed.error());
        }
    }
    if (devices.empty() && error) return std::unexpected(std::move(*error));
    return devices;
}

}  // namespace rta::io
