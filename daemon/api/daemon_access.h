// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "api/access.h"
#include "api/scenes/scene_files.h"
#include "api/workers.h"
#include "status/status.h"
#include "text/error.h"

namespace rta::api {

/// Access to devices, the operating system and the store, implemented by `app`. [control]
class DaemonAccess {
 public:
    virtual ~DaemonAccess() = default;
    [[nodiscard]] virtual DeviceStatus device_status() const = 0;
    [[nodiscard]] virtual LoadStatus load_status() const = 0;
    [[nodiscard]] virtual RealtimeStatus realtime_status() const = 0;
    /// Returns the fingerprint of the TLS certificate, "SHA256:..."; empty if the daemon does not use TLS.
    [[nodiscard]] virtual std::string tls_fingerprint() const { return {}; }
    /// Returns the addresses of the page that controls the daemon, the preferred one first; empty: it serves none.
    [[nodiscard]] virtual std::vector<std::string> web_urls() const { return {}; }
    [[nodiscard]] virtual ProcessStatus process_status() const { return {}; }
    /// Override this together with graph_changed() and output_changed() if the state is saved.
    [[nodiscard]] virtual StoreStatus store_status() const { return {}; }
    [[nodiscard]] virtual Access& access() { return no_access(); }
    /// Called when a one-time code is created, or a session begins or is ended. For the log; contains no secret.
    virtual void access_changed(const std::string& /*sentence*/) {}
    /// Returns the files of the scenes; null: scenes are kept in memory only.
    [[nodiscard]] virtual SceneFiles* scene_files() { return nullptr; }
    /// Returns UTC in microseconds since 1970-01-01.
    [[nodiscard]] virtual std::int64_t utc_us() const {
        return std::chrono::duration_cast<std::chrono::microseconds>(
                   std::chrono::system_clock::now().time_since_epoch())
            .count();
    }
    /// Called after every commit of a transaction or parameter change. Must be fast.
    virtual void graph_changed() {}

    /// A change that is to be recorded on disk.
    struct Record {
        std::uint64_t revision = 0;
        std::string content{};
        std::function<std::string()> history{};    ///< called on any thread, destroyed on the control thread
        std::function<void(bool durable)> done{};  ///< called once, later; in the order of the records
    };
    /// Returns whether changes must be recorded.
    [[nodiscard]] virtual bool records_changes() const { return false; }
    /// Returns whether a change may be made whose record takes up to this many bytes. False: not yet; ask again after
    /// ChangeLog::room_changed(). RESOURCE_EXHAUSTED: the disk is full.
    [[nodiscard]] virtual Expected<bool> reserve_record(std::size_t /*bytes*/) { return true; }
    virtual void record(Record /*record*/) {}
    /// Memory ran out for a record: the graph must be saved as a whole.
    virtual void record_lost() {}

    /// Called after the output was muted or unmuted. Must be fast.
    virtual void output_changed() {}
    /// Saves what `writer` writes, on a worker, as what a restart needs of the edit that waits for its confirmation;
    /// nullptr: none does. Calls `done` when that is on the disk, on the control thread: later, or before this function
    /// returns. `writer` is destroyed on the control thread.
    virtual void save_confirmation(std::function<std::string()> writer, Workers& workers,
                                   std::function<void(const Expected<void>&)> done) {
        static_cast<void>(writer);
        static_cast<void>(workers);
        done({});
    }
    /// Called when an edit is reverted because it was not confirmed, or cannot be.
    virtual void confirmation_warning(const std::string& /*sentence*/) {}
    /// Calls `done` later, on the control thread: searching for devices may take seconds.
    virtual void list_devices(std::function<void(std::vector<DeviceInfo>)> done) = 0;
    /// Changes the device to a value of --device, or opens the requested one again (nullopt). Calls `done` once and
    /// later, on the control thread.
    virtual void set_device(std::optional<std::string> device, std::function<void(Expected<void>)> done) = 0;
};

}  // namespace rta::api
