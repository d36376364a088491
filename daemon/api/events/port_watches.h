// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/events/outbox.h"
#include "api/events/telemetry.h"
#include "api/limits.h"
#include "dsp/spectrum.h"
#include "engine/engine.h"
#include "engine/watched_port.h"
#include "text/error.h"

namespace rta::api {

/// Sends the levels and spectra of ports to the clients that watch them, to each at its rate. A watch belongs to a name: it
/// measures the port that has the name at that time, and nothing while none has it.
///
/// A **port** is measured once for all clients. For each rate, a **reading** adds up its measurements and encodes them once
/// for each event. Clients that watch the same ports at the same rate share a **view**, which gets one event for all of
/// them. So the cost of a client is that of queueing events, unless it is the only one with its list of ports.
///
/// Events are built and delivered in small steps, until the caller's slice is over; a rate that is not finished when its
/// next event is due skips that event. Has no timer, and nothing to do without clients. [control]
class PortWatches {
 public:
    static constexpr std::size_t kMaximumOfClient = 64;
    /// Clients that get an event in one step.
    static constexpr std::size_t kDeliveredInStep = 32;

    struct Watch {
        std::string port;  ///< as in PortWatch
        bool spectrum = false;
        [[nodiscard]] auto operator<=>(const Watch&) const = default;
    };

    PortWatches(Engine& engine, const ClientLimits& limits) : engine_{engine}, limits_{limits} {}

    /// Replaces what the client watches; nothing if `watches` is empty. A port that is listed twice is sent once.
    /// INVALID_ARGUMENT: invalid port; NOT_FOUND, FAILED_PRECONDITION: an existing node has no such output;
    /// RESOURCE_EXHAUSTED.
    [[nodiscard]] Expected<void> subscribe(Telemetry::Subscriber& subscriber, std::span<const Watch> watches,
                                           float rate_hz);
    /// No effect if it watches nothing.
    void unsubscribe(Telemetry::Subscriber& subscriber);

    /// Collects measurements, and sends the events that are due, at least one step and until `over` returns true.
    void poll(const std::function<bool()>& over);
    /// Returns how long the next poll() may be delayed; nothing without clients.
    [[nodiscard]] std::optional<std::chrono::microseconds> interval() const;

 private:
    struct Port {
        std::string_view name;             ///< its key
        std::size_t views = 0;             ///< that watch it
        std::size_t views_of_spectra = 0;  ///< of them
        WatchedPort measured{};
        ChannelLevels taken{};  ///< in the current poll()
    };
    using Ports = std::map<std::string, Port, std::less<>>;

    /// A port at one rate.
    struct Reading {
        Port* port;
        std::size_t views = 0;
        ChannelLevels sum{};              ///< since the previous event
        ChannelLevels reported{};         ///< in the event that is sent now; empty: the port is left out
        std::uint64_t spectra_frame = 0;  ///< of those sent last
        /// The element of PortLevels.ports in that event, without and with spectra; empty: not encoded yet.
        std::array<std::string, 2> encoded{};
    };
    struct Watched {
        Reading* reading;
        bool spectrum;
    };
    using Subscribers = std::vector<Telemetry::Subscriber*>;
    struct View {
        std::vector<Watched> watched;
        Subscribers subscribers;
    };
    using Views = std::map<std::vector<Watch>, View>;

    /// The event of a rate, while it is sent to one view after the other.
    struct Report {
        std::uint64_t frame = 0;
        std::uint64_t frame_count = 0;
        std::vector<View*> left{};      ///< the next last
        std::size_t encoded = 0;        ///< of its ports
        std::string ports{};            ///< those
        SharedTelemetry event{};        ///< once all are; null before
        Subscribers recipients_left{};  ///< of the event
    };
    struct Rate {
        double interval_frames;
        double due;  ///< in frames of the engine's clock
        std::uint64_t frame_count = 0;
        std::map<std::string_view, Reading> readings{};  ///< by the names of their ports
        Views views{};
        Report report{};
    };
    using Rates = std::map<float, Rate>;  ///< in Hz
    struct Member {
        Rates::iterator rate;
        Views::iterator view;
    };

    [[nodiscard]] Expected<void> check(const std::vector<Watch>& watches, const Member* member) const;
    void withdraw(Telemetry::Subscriber& subscriber);
    void enter(Telemetry::Subscriber& subscriber, std::vector<Watch> watches, float rate_hz);
    void fill(Rate& rate, const std::vector<Watch>& watches, View& view);
    void remove_unused();
    void forget(Rate& rate, const View& view);
    void resolve();
    void resolve_if_changed();
    [[nodiscard]] bool outdated() const;

    void collect();
    void begin_report(Rate& rate) const;
    [[nodiscard]] bool continue_report(Rate& rate);
    [[nodiscard]] bool encode(const Watched& watched);
    static void end_view(Report& report);

    Engine& engine_;
    const ClientLimits& limits_;
    Ports ports_;
    Rates rates_;
    std::unordered_map<Telemetry::Subscriber*, Member> members_;
    std::size_t watches_ = 0;                ///< of all members
    std::uint64_t frame_ = 0;                ///< up to which levels have been taken
    std::uint64_t resolved_revision_ = 0;    ///< of the graph in which the names were looked up last
    bool changed_ = false;                   ///< views have been added or removed since, or that failed
    std::optional<dsp::Spectrum> analyzer_;  ///< once it is needed
};

}  // namespace rta::api
