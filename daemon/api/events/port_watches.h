// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "api/events/telemetry.h"
#include "dsp/spectrum.h"
#include "engine/engine.h"
#include "graph/port_tap.h"
#include "rta/v1/control.pb.h"
#include "text/error.h"

namespace rta::api {

/// Sends the levels and spectra of ports to the clients that watch them, to each at its rate. Clients share the measurement of
/// a port. A watch belongs to a name: it measures the port that has the name at that time, and nothing while none has it.
/// Has no timer, and nothing to do without clients. [control]
class PortWatches {
 public:
    static constexpr std::size_t kMaximumOfClient = 64;
    /// Channels of spectra, of all clients together.
    static constexpr std::size_t kMaximumSpectra = 64;
    /// Spectra in a second.
    static constexpr double kSpectrumRateHz = 25.0;

    struct Watch {
        std::string port;  ///< as in PortWatch
        bool spectrum = false;
    };

    /// `maximum_ports` as in ClientLimits::watched_ports.
    PortWatches(Engine& engine, std::size_t maximum_ports) : engine_{engine}, maximum_ports_{maximum_ports} {}

    /// Replaces what the client watches; nothing if `watches` is empty. INVALID_ARGUMENT: invalid port; NOT_FOUND,
    /// FAILED_PRECONDITION: an existing node has no such output; RESOURCE_EXHAUSTED.
    [[nodiscard]] Expected<void> subscribe(Telemetry::Subscriber& subscriber, std::span<const Watch> watches,
                                           float rate_hz);
    /// No effect if it watches nothing.
    void unsubscribe(Telemetry::Subscriber& subscriber);

    /// Collects measurements, and sends the events that are due.
    void poll();
    /// Returns how long the next poll() may be delayed; nothing without clients.
    [[nodiscard]] std::optional<std::chrono::microseconds> interval() const;

 private:
    using Channels = std::vector<MeasuredLevels::Channel>;
    /// A port, for all clients that watch it.
    struct Port {
        std::string name;
        std::optional<PortRef> ref{};    ///< nullopt: no port has this name now
        std::shared_ptr<PortTap> tap{};  ///< null: the same
        std::optional<LevelRecord> held{};
        Channels taken{};                           ///< in the current poll()
        std::vector<std::vector<float>> spectra{};  ///< of each channel, in dBFS
        std::uint64_t spectra_frame = 0;            ///< at which they were computed
    };
    struct Watched {
        std::shared_ptr<Port> port;
        bool spectrum;
        Channels sum{};                   ///< since the previous event
        std::uint64_t spectra_frame = 0;  ///< of those sent last
    };
    struct Client {
        Telemetry::Subscriber* subscriber;
        double interval_frames;
        double due;  ///< in frames of the engine's clock
        std::uint64_t frame_count = 0;
        std::vector<Watched> watched{};
    };

    [[nodiscard]] Expected<void> check(std::span<const Watch> watches, const Telemetry::Subscriber& subscriber) const;
    [[nodiscard]] Expected<void> check_port(const std::string& port) const;
    [[nodiscard]] std::shared_ptr<Port> port_of(const std::string& name);
    [[nodiscard]] std::vector<std::shared_ptr<Port>> ports() const;
    [[nodiscard]] bool wants_spectrum(const Port& port) const;
    [[nodiscard]] std::uint32_t width_of(PortRef port) const;
    void resolve();
    [[nodiscard]] bool outdated() const;
    void take_levels(Port& port) const;
    void send(Client& client);
    void write_spectra(Watched& watched, v1::PortLevel& message);
    void compute_spectra(Port& port);
    [[nodiscard]] std::uint64_t measured_frame() const;

    Engine& engine_;
    const std::size_t maximum_ports_;
    std::vector<Client> clients_;
    std::uint64_t frame_ = 0;                ///< up to which levels have been taken
    std::uint64_t resolved_revision_ = 0;    ///< of the graph in which the names were looked up last
    std::optional<dsp::Spectrum> analyzer_;  ///< once it is needed
};

}  // namespace rta::api
