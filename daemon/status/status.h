// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

namespace rta {

// The status model. `io`, `store` and `app` fill these structs, and `api` sends them unchanged.
//
// visit_fields() lists the fields of a struct by the names that they have in control.proto; the conversion to the wire
// is made from that list (api/status_wire.h). A new field therefore touches the proto, its struct with this list, and
// the code that fills it.

/// Properties of a device that are fixed once it is open.
struct DeviceDescription {
    std::string kind{};  ///< name of its DeviceKind, such as `portaudio` or `null`; `offline` when rendering a file
    std::string name{};  ///< `HOSTAPI/NAME`, or the WAV file that a null or offline device writes
    std::uint32_t sample_rate_hz = 0;
    std::uint32_t channels_in = 0;
    std::uint32_t channels_out = 0;

    void visit_fields(auto&& field) const {
        field("kind", kind);
        field("name", name);
        field("sample_rate_hz", sample_rate_hz);
        field("channels_in", channels_in);
        field("channels_out", channels_out);
    }
};

/// Latency of the device's own buffers, as reported by its driver.
struct DeviceLatency {
    double input_s = 0;
    double output_s = 0;

    void visit_fields(auto&& field) const {
        field("input_latency_s", input_s);
        field("output_latency_s", output_s);
    }
};

/// Dropouts by kind. Kinds are counted independently: one callback may count in several.
struct XrunCounts {
    std::uint64_t input_underflows = 0;
    std::uint64_t input_overflows = 0;
    std::uint64_t output_underflows = 0;
    std::uint64_t output_overflows = 0;
    std::uint64_t late_callbacks = 0;  ///< started late by the daemon's own clock; see io::LatenessClock
    std::uint64_t overruns = 0;        ///< took longer than the audio that they rendered lasts

    void visit_fields(auto&& field) const {
        field("input_underflows", input_underflows);
        field("input_overflows", input_overflows);
        field("output_underflows", output_underflows);
        field("output_overflows", output_overflows);
        field("late_callbacks", late_callbacks);
        field("overruns", overruns);
    }

    [[nodiscard]] bool operator==(const XrunCounts&) const = default;
    /// Returns the counts added after `before` was read.
    [[nodiscard]] XrunCounts since(const XrunCounts& before) const noexcept {
        return {.input_underflows = input_underflows - before.input_underflows,
                .input_overflows = input_overflows - before.input_overflows,
                .output_underflows = output_underflows - before.output_underflows,
                .output_overflows = output_overflows - before.output_overflows,
                .late_callbacks = late_callbacks - before.late_callbacks,
                .overruns = overruns - before.overruns};
    }
};

/// State of the device that currently drives the engine.
struct DeviceStatus {
    DeviceDescription description{};
    DeviceLatency latency{};
    bool running = false;
    std::string state{};                      ///< of the requested device: see io::DeviceSupervisor::State
    std::string fallback_reason{};            ///< why the fallback device runs instead of the requested one; else empty
    std::uint32_t callback_frames = 0;        ///< frames of the latest callback
    std::uint32_t adapter_frames = 0;         ///< latency added because callbacks are not multiples of the block size
    std::uint64_t xruns = 0;                  ///< callbacks for which the driver reported an underflow or overflow
    XrunCounts xrun_counts{};                 ///< since the device was opened
    std::uint64_t recording_lost_frames = 0;  ///< of a recording, replaced by silence: the disk could not keep up

    void visit_fields(auto&& field) const {
        description.visit_fields(field);
        latency.visit_fields(field);
        field("running", running);
        field("state", state);
        field("fallback_reason", fallback_reason);
        field("callback_frames", callback_frames);
        field("adapter_frames", adapter_frames);
        field("xruns", xruns);
        field("xrun_counts", xrun_counts);
        field("recording_lost_frames", recording_lost_frames);
        field("late_blocks", xrun_counts.late_callbacks + xrun_counts.overruns);
    }
};

/// Time that the device's callbacks took in the last second, as a share of the time available: 1 is all of it.
struct LoadStatus {
    std::uint64_t callback_count = 0;
    double mean = 0;
    double p99 = 0;    ///< 99 % of the callbacks took at most this share; accurate to 2 %
    double worst = 0;  ///< exact

    void visit_fields(auto&& field) const {
        field("callback_count", callback_count);
        field("mean", mean);
        field("p99", p99);
        field("worst", worst);
    }
};

/// State of the engine and its graph.
struct EngineStatus {
    std::uint32_t block_size_frames = 0;
    std::uint64_t frame = 0;     ///< the sample clock
    std::uint64_t revision = 0;  ///< of the graph
    std::uint64_t change_number = 0;
    std::uint32_t node_count = 0;
    std::uint32_t connection_count = 0;
    std::uint64_t plans_made = 0;
    std::uint64_t plans_freed = 0;
    std::uint64_t plans_alive = 0;
    std::uint64_t telemetry_dropped = 0;  ///< events lost because the engine's telemetry ring was full
    bool output_muted = false;
    std::string simd_target{};
    std::uint64_t latency_frames = 0;  ///< of look-ahead, on the longest path
    bool latency_compensation = false;
    float output_volume_db = 0;
    std::uint64_t heard_revision = 0;

    void visit_fields(auto&& field) const {
        field("block_size_frames", block_size_frames);
        field("frame", frame);
        field("revision", revision);
        field("change_number", change_number);
        field("node_count", node_count);
        field("connection_count", connection_count);
        field("plans_made", plans_made);
        field("plans_freed", plans_freed);
        field("plans_alive", plans_alive);
        field("telemetry_dropped", telemetry_dropped);
        field("output_muted", output_muted);
        field("simd_target", simd_target);
        field("latency_frames", latency_frames);
        field("latency_compensation", latency_compensation);
        field("output_volume_db", output_volume_db);
        field("heard_revision", heard_revision);
    }
};

/// What the process takes of the machine. Not in the protocol.
struct ProcessStatus {
    std::uint64_t resident_bytes = 0;   ///< in RAM
    std::uint64_t available_bytes = 0;  ///< that it could still take: of the machine, its control group and its limits
    double cpu_s = 0;                   ///< processor time of all threads

    void visit_fields(auto&& field) const {
        field("resident_bytes", resident_bytes);
        field("available_bytes", available_bytes);
        field("cpu_s", cpu_s);
    }
};

/// Whether all memory of the process is locked in RAM.
struct MemoryLock {
    bool locked = false;
    std::string detail{};  ///< why not; empty if locked

    void visit_fields(auto&& field) const {
        field("memory_locked", locked);
        field("memory_detail", detail);
    }
};

/// Scheduling of the audio thread, as read back from the kernel.
struct SchedulingStatus {
    std::string policy{};  ///< "SCHED_FIFO 70", "SCHED_OTHER"; empty before the first callback
    std::string detail{};  ///< why the thread has no real-time priority; empty if it has

    void visit_fields(auto&& field) const {
        field("scheduling", policy);
        field("scheduling_detail", detail);
    }
};

/// The privileges that the operating system granted to the audio thread.
struct RealtimeStatus {
    MemoryLock memory{};
    SchedulingStatus scheduling{};

    void visit_fields(auto&& field) const {
        memory.visit_fields(field);
        scheduling.visit_fields(field);
    }
};

/// A device that can be opened.
struct DeviceInfo {
    std::string name{};  ///< `HOSTAPI/NAME`
    std::string flag{};  ///< the value of --device that selects it
    std::uint32_t channels_in = 0;
    std::uint32_t channels_out = 0;
    double default_sample_rate_hz = 0;
    bool default_input = false;
    bool default_output = false;

    void visit_fields(auto&& field) const {
        field("name", name);
        field("flag", flag);
        field("channels_in", channels_in);
        field("channels_out", channels_out);
        field("default_sample_rate_hz", default_sample_rate_hz);
        field("default_input", default_input);
        field("default_output", default_output);
    }
};

/// State of what is saved: the graph, and whether the output is muted.
struct StoreStatus {
    std::string directory{};           ///< of --state-dir; empty if nothing is saved
    std::uint64_t saved_revision = 0;  ///< newest revision on disk
    bool up_to_date = false;           ///< everything that clients have set is on disk
    std::string error{};               ///< why nothing can currently be saved; else empty
    std::string durability{};          ///< "sync" or "async"; empty if nothing is saved

    void visit_fields(auto&& field) const {
        field("directory", directory);
        field("saved_revision", saved_revision);
        field("up_to_date", up_to_date);
        field("error", error);
        field("durability", durability);
    }
};

}  // namespace rta
