// SPDX-License-Identifier: MIT
// How the supervisor lists the devices of all kinds.
#include <memory>
#include <utility>
#include <vector>

#include "io/device_supervisor.h"

namespace rta::io {

/// A search for devices: one driver after the other.
struct DeviceSupervisor::Listing {
    std::function<void(Expected<std::vector<DeviceInfo>>)> done;
    std::size_t next = 0;
    DeviceList list{};
};

void DeviceSupervisor::list(std::function<void(Expected<std::vector<DeviceInfo>>)> done) {
    list_next(std::make_shared<Listing>(std::move(done)));
}

void DeviceSupervisor::list_next(const std::shared_ptr<Listing>& listing) {
    if (listing->next == hosts_.size()) return listing->done(std::move(listing->list).result());
    Host& host = *hosts_[listing->next++];
    if (host.kind->calls == DriverCalls::nonblocking) {
        listing->list.add(host.driver->list());
        return list_next(listing);
    }
    host.used = true;
    host.thread.post([this, &host, listing] {
        listing->list.add(host.driver->list());
        post_([this, listing] { list_next(listing); });
    });
}

}  // namespace rta::io
