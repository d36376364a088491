// SPDX-License-Identifier: MIT
#include "io/device_kind.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

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

void DeviceList::add(Expected<std::vector<DeviceInfo>> listed) {
    if (listed) {
        std::ranges::move(*listed, std::back_inserter(devices_));
    } else if (!error_) {
        error_ = std::move(listed.error());
    }
}

Expected<std::vector<DeviceInfo>> DeviceList::result() && {
    if (devices_.empty() && error_) return std::unexpected(std::move(*error_));
    return std::move(devices_);
}

Expected<std::vector<DeviceInfo>> list_devices(DeviceKinds kinds) {
    DeviceList list;
    for (const DeviceKind* const kind : kinds) list.add(kind->make_driver({})->list());
    return std::move(list).result();
}

}  // namespace rta::io
