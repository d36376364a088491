// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dsp/spectrum.h"
#include "engine/engine.h"
#include "engine/level_sums.h"
#include "engine/watched_port.h"
#include "text/error.h"

namespace rta::wasm {

/// Measures levels, and the signals of watched ports, for the host, and writes them as events of the protocol. Magnitudes of
/// spectra are 32-bit floats, little endian, in base64.
class Telemetry {
 public:
    static constexpr std::size_t kMaximumWatches = 256;
    static constexpr std::size_t kMaximumChannels = 1'024;

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
    struct Port {
        Watch watch;
        WatchedPort measured{};
        ChannelLevels sum{};              ///< since the previous event
        std::uint64_t spectra_frame = 0;  ///< of those sent last

        [[nodiscard]] bool has_unsent_spectra() const {
            return !measured.spectra().empty() && measured.spectra_frame() != spectra_frame;
        }
    };

    [[nodiscard]] Expected<void> check(const Wish& wish) const;
    void resolve();
    [[nodiscard]] bool outdated() const;
    [[nodiscard]] bool poll_levels(std::string& event);
    void write_levels(const MeasuredLevels& taken, std::string& event);
    [[nodiscard]] bool poll_ports(std::string& event);
    void write_ports(std::string& event);
    void compute_spectrum();

    Engine& engine_;
    Wish wish_{};

    double levels_due_ = 0.0;  ///< in frames of the engine's clock
    LevelSums sums_;

    std::vector<Port> ports_;
    std::uint64_t resolved_revision_ = 0;
    double ports_due_ = 0.0;
    std::uint64_t ports_frame_ = 0;  ///< up to which levels were taken
    std::uint64_t ports_frames_ = 0;
    std::optional<dsp::Spectrum> analyzer_;  ///< once it is needed
};

}  // namespace rta::wasm
