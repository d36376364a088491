// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/audio_device.h"
#include "status/status.h"
#include "text/error.h"

namespace rta::io {

struct DeviceRequest;

/// Lists and opens the devices of one kind, usually through a library. A library may block for any length of time, so
/// each driver has a thread for all calls, unless the kind's DriverCalls say otherwise. [device thread]
class DeviceDriver {
 public:
    /// A device that may satisfy a request. `open` tries to open it.
    struct Candidate {
        std::string name;
        std::function<Expected<std::unique_ptr<AudioDevice>>()> open;
    };

    DeviceDriver() = default;
    DeviceDriver(const DeviceDriver&) = delete;
    DeviceDriver& operator=(const DeviceDriver&) = delete;
    virtual ~DeviceDriver() = default;

    /// Lists all devices. UNAVAILABLE if the library fails.
    [[nodiscard]] virtual Expected<std::vector<DeviceInfo>> list() = 0;
    /// Returns the devices to try, best first: the named device, otherwise the defaults. Never empty: an error gives
    /// the reason.
    [[nodiscard]] virtual Expected<std::vector<Candidate>> candidates(const DeviceRequest& request) = 0;
    /// Shuts the library down after every device has been destroyed, so that a sound server sees the client leave, and
    /// that the next call finds the devices of that time.
    virtual void close() = 0;
};

/// Receives what a library prints, one line at a time. Called on the device thread.
using DriverLog = std::function<void(const std::string& line)>;

/// How the calls of a driver and its devices behave.
enum class DriverCalls : std::uint8_t {
    may_block,  ///< made on the driver's thread; people may hear the device; it is probed before, and may be lost
    /// Made on any thread, so the driver has no state; the device runs on the daemon's own thread and is never lost.
    nonblocking,
};

/// How `auto` uses a kind.
enum class AutoRole : std::uint8_t {
    none,       ///< only when it is requested by name
    candidate,  ///< tried at startup
    fallback,   ///< runs when no candidate opens, and when any device is lost; exactly one kind of a list has this role
};

/// What may follow the colon in --device KIND:ARGUMENT.
enum class ArgumentUse : std::uint8_t {
    none,
    device_name,
    output_file,  ///< a file that the device overwrites
};

/// A kind of audio device, such as `portaudio`. A constant table; see device_kinds().
struct DeviceKind {
    std::string_view name;           ///< the part before the colon of --device
    std::string_view argument = "";  ///< placeholder for the part after the colon in help texts, such as "NAME"
    ArgumentUse argument_use = ArgumentUse::none;
    DriverCalls calls = DriverCalls::may_block;
    AutoRole auto_role = AutoRole::none;
    /// --input-device may select another device of this kind to capture from.
    bool separate_input = false;
    /// Longest time between two attempts to open a device that was lost. Attempts should cost little of it.
    std::chrono::milliseconds longest_retry_pause{5'000};
    std::unique_ptr<DeviceDriver> (*make_driver)(DriverLog log) = nullptr;
    /// Refuses a request that contradicts itself: INVALID_ARGUMENT naming the flags. nullptr: accepts every request.
    /// [any]
    Expected<void> (*check)(const DeviceRequest& request) = nullptr;
};

/// Several kinds, sorted by name.
using DeviceKinds = std::span<const DeviceKind* const>;

/// Returns all kinds of daemon/io/devices. Generated from the files in that folder.
[[nodiscard]] DeviceKinds device_kinds();

/// Returns the kind of that name, or nullptr.
[[nodiscard]] const DeviceKind* find_kind(DeviceKinds kinds, std::string_view name) noexcept;
/// Returns the kind with AutoRole::fallback.
[[nodiscard]] const DeviceKind& fallback_kind(DeviceKinds kinds) noexcept;

/// The devices of several drivers.
class DeviceList {
 public:
    void add(Expected<std::vector<DeviceInfo>> listed);
    /// Fails only without devices, with the first error.
    [[nodiscard]] Expected<std::vector<DeviceInfo>> result() &&;

 private:
    std::vector<DeviceInfo> devices_;
    std::optional<Error> error_;
};

/// Lists the devices of all kinds. Fails only if none exist, with the first error. May take seconds. [any]
[[nodiscard]] Expected<std::vector<DeviceInfo>> list_devices(DeviceKinds kinds);

}  // namespace rta::io
