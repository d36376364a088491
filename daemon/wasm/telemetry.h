// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dsp/spectrum.h"
#include "engine/engine.h"
#include "graph/port_tap.h"
#include "text/error.h"

namespace rta::wasm {

/// Measures levels, and the signals of watched ports, for the host, and writes them as events of the protocol. Magnitudes of
/// spectra are 32-bit floats, little endian, in base64.
class Telemetry {
 public:
    static constexpr std::size_t kMaximumWatches = 256;
    static constexpr std::size_t kMaximumChannels = 1'024;
    static constexpr std::size_t kMaximumSpectra = 64;  ///< channels
    static constexpr double kSpectrumRateHz = 25.0;

    struct Watch {
        std::string port;
        bool spectrum = false;
    };
    /// What the host wants.
    struct Wish {
        double levels_hz = 0.0;  ///< 0: no levels
        double ports_hz = 0.0;
        std::vector<Watch> watches{};  ///< each port once
    };

    explicit Telemetry(Engine& engine) : engine_{engine} {}

    /// Replaces what is measured; on an error, nothing changes. INVALID_ARGUMENT: invalid port; NOT_FOUND,
    /// FAILED_PRECONDITION: an existing node has no such output; RESOURCE_EXHAUSTED.
    [[nodiscard]] Expected<void> watch(Wish wish);

    /// Collects what was measured. Appends the event that is due, or nothing; a spectrum takes one call for each channel.
    void poll(std::string& event);

 private:
    using Channels = std::vector<MeasuredLevels::Channel>;
    struct Port {
        Watch watch;
        std::optional<PortRef> ref{};
        std::shared_ptr<PortTap> tap{};
        std::optional<LevelRecord> held{};
        Channels sum{};
        std::vector<std::vector<float>> spectra{};  ///< in dBFS, of the channels for which they have been computed
        std::uint64_t spectra_frame = 0;            ///< of the latest complete ones
        bool complete = false;                      ///< and not sent yet
    };
    struct Meter {
        Channels channels;
        dsp::GainRange gain;
    };

    [[nodiscard]] Expected<void> check(const Wish& wish) const;
    [[nodiscard]] std::uint32_t width_of(PortRef port) const;
    void resolve();
    [[nodiscard]] bool outdated() const;
    [[nodiscard]] bool poll_levels(std::string& event);
    void write_levels(const MeasuredLevels& taken, std::string& event);
    [[nodiscard]] bool poll_ports(std::string& event);
    void collect(Port& port) const;
    void write_ports(std::string& event);
    [[nodiscard]] bool compute_spectrum();
    [[nodiscard]] bool spectrum_is_due(const Port& port) const;

    Engine& engine_;
    Wish wish_{};

    double levels_due_ = 0.0;  ///< in frames of the engine's clock
    std::uint64_t levels_frames_ = 0;
    Channels outputs_;
    std::map<std::uint64_t, Meter> meters_;  ///< by the ids of the nodes

    std::vector<Port> ports_;
    std::uint64_t resolved_revision_ = 0;
    double ports_due_ = 0.0;
    std::uint64_t ports_frame_ = 0;  ///< up to which levels were taken
    std::uint64_t ports_frames_ = 0;
    std::optional<dsp::Spectrum> analyzer_;  ///< once it is needed
};

}  // namespace rta::wasm
