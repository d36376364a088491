// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace rta::api {

/// What went wrong with the device's time since it was opened; see v1::XrunCounts.
struct XrunCounts {
    std::uint64_t input_underflows = 0;
    std::uint64_t input_overflows = 0;
    std::uint64_t output_underflows = 0;
    std::uint64_t output_overflows = 0;
    std::uint64_t late_callbacks = 0;
    std::uint64_t overruns = 0;
};

/// Of the last second: the time that callbacks of the device took, as a share of the time that they had.
struct LoadStatus {
    std::uint64_t callback_count = 0;
    double mean = 0;
    double p99 = 0;
    double worst = 0;
};

/// The device that drives the engine at this moment.
struct DeviceStatus {
    std::string kind{};  ///< `portaudio`, `null`, `offline`
    std::string name{};  ///< `HOSTAPI/NAME`, or the WAV file of a null device
    bool running = false;
    std::string fallback_reason{};  ///< why the null device stands in; empty otherwise
    double sample_rate_hz = 0;
    std::uint32_t channels_in = 0;
    std::uint32_t channels_out = 0;
    std::uint32_t callback_frames = 0;  ///< of the latest callback
    std::uint32_t adapter_frames = 0;   ///< latency added because callbacks are no multiples of the block
    double output_latency_s = 0;
    double input_latency_s = 0;
    std::uint64_t xruns = 0;  ///< callbacks for which the host reported an underflow or overflow
    XrunCounts xrun_counts{};
};

/// What was asked of the operating system for the audio thread, and what was granted.
struct RealtimeStatus {
    bool memory_locked = false;
    std::string memory_detail{};  ///< why not, where it is not
    std::string scheduling{};     ///< of the audio thread, as read back from it: "SCHED_FIFO 70", "SCHED_OTHER"
    std::string scheduling_detail{};
};

/// A device that could be opened.
struct DeviceInfo {
    std::string name{};  ///< `HOSTAPI/NAME`, as --device portaudio:NAME takes it
    std::uint32_t channels_in = 0;
    std::uint32_t channels_out = 0;
    double default_sample_rate_hz = 0;
    bool default_input = false;
    bool default_output = false;
};

/// Where the graph is remembered.
struct StoreStatus {
    std::string directory{};           ///< of --state-dir; empty: nothing is remembered
    std::uint64_t saved_revision = 0;  ///< the newest on disk
    bool up_to_date = false;           ///< everything committed is on disk
    std::string error{};               ///< why the graph cannot be saved at the moment
};

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
