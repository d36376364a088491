// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <vector>

#include "status/status.h"

namespace rta::api {

/// Through this `api` reaches devices and the operating system; `app` implements it. [control]
class Host {
 public:
    virtual ~Host() = default;
    [[nodiscard]] virtual DeviceStatus device_status() const = 0;
    [[nodiscard]] virtual LoadStatus load_status() const = 0;
    [[nodiscard]] virtual RealtimeStatus realtime_status() const = 0;
    /// A host that remembers nothing overrides neither this nor graph_changed().
    [[nodiscard]] virtual StoreStatus store_status() const { return {}; }
    /// A transaction or a parameter change has been committed. Called for each of them: must cost next to nothing.
    virtual void graph_changed() {}
    /// Calls `done` later, on the control thread: the device thread may take seconds to look.
    virtual void list_devices(std::function<void(std::vector<DeviceInfo>)> done) = 0;
};

}  // namespace rta::api
