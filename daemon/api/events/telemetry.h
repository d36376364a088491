// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "api/daemon_access.h"
#include "api/events/node_loads.h"
#include "api/events/outbox.h"
#include "api/fairness.h"
#include "engine/engine.h"
#include "engine/level_sums.h"

namespace rta::v1 {
class Levels;
}

namespace rta::api {

/// Sends levels, load, xruns and node loads to the subscribers of each. Subscribers with the same rate get the same
/// events, serialised once. Has no timer, and nothing to do without subscribers. [control]
class Telemetry {
 public:
    static constexpr float kDefaultRateHz = 10.0F;
    static constexpr float kMinimumRateHz = 1.0F;
    static constexpr float kMaximumRateHz = 100.0F;
    /// Channels in one event of levels; meters beyond it, in the order of their names, are left out. A node with a gain
    /// reduction counts as one channel.
    static constexpr std::size_t kMaximumChannels = 16'384;
    /// Nodes in one event of node loads, heaviest first.
    static constexpr std::size_t kMaximumNodeLoads = 64;
    /// Interval of node load events; each node is timed three times in it.
    static constexpr std::chrono::milliseconds kNodeLoadsInterval{500};

    class Subscriber {
     public:
        virtual ~Subscriber() = default;
        /// `event` is a serialised v1::Event without its numbers. Must neither subscribe nor unsubscribe.
        virtual void deliver_telemetry(const SharedTelemetry& event) = 0;
    };
    struct Topics {
        bool levels = false;
        bool load = false;
        bool xruns = false;
        bool node_loads = false;
        float rate_hz = kDefaultRateHz;  ///< of levels and load
    };

    /// `maximum_rates` as in ClientLimits::telemetry_rates.
    Telemetry(Engine& engine, DaemonAccess& daemon, std::size_t maximum_rates)
        : engine_{engine}, daemon_{daemon}, maximum_rates_{maximum_rates} {}

    /// Replaces earlier topics of the subscriber.
    void subscribe(Subscriber& subscriber, const Topics& topics, TimePoint now);
    /// No effect if it has not subscribed.
    void unsubscribe(Subscriber& subscriber);

    /// Reports the xruns counted since the last call; `frame` is that of the latest one.
    void xruns(const XrunCounts& counts, std::uint64_t frame);

    /// Collects measurements, and sends the events that are due.
    void poll(TimePoint now);
    /// Returns how long the next poll() may be delayed; nothing without subscribers.
    [[nodiscard]] std::optional<std::chrono::microseconds> interval(TimePoint now) const;

 private:
    using Subscribers = std::vector<Subscriber*>;
    /// Subscribers of one rate.
    struct Group {
        Subscribers levels;
        Subscribers load;
        TimePoint load_due{};
        std::optional<double> levels_due;  ///< in frames of the engine's clock
        std::uint64_t frame = 0;           ///< end of what has been measured
        LevelSums sums;
    };

    void leave(Subscriber& subscriber);
    void update_watch();
    void poll_levels();
    void poll_load(TimePoint now);
    void begin_node_loads(TimePoint now);
    void poll_node_loads(TimePoint now);
    [[nodiscard]] double cycles_per_block() const;
    void send_levels(Group& group, const MeasuredLevels& taken) const;
    void write_levels(const Group& group, const MeasuredLevels& taken, v1::Levels& message) const;
    [[nodiscard]] double frames_of_interval(float rate_hz) const;

    Engine& engine_;
    DaemonAccess& daemon_;
    const std::size_t maximum_rates_;
    std::map<float, Group> groups_;  ///< by rate in Hz
    Subscribers xruns_;
    bool watching_ = false;
    TimePoint levels_polled_{};

    Subscribers node_loads_subscribers_;
    NodeLoads node_loads_;
    bool timing_ = false;
    TimePoint node_loads_due_{};
    std::chrono::steady_clock::time_point timing_began_;  ///< of the clock that cycle_count() is compared with
    std::uint64_t cycles_then_ = 0;                       ///< cycle_count() at that time
};

}  // namespace rta::api
