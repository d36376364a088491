// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "api/host.h"
#include "api/node_loads.h"
#include "api/outbox.h"
#include "api/pending_commands.h"
#include "engine/engine.h"

namespace rta::v1 {
class Levels;
}

namespace rta::api {

/// Levels, load, xruns and the loads of nodes for whoever has subscribed to them. Subscribers of one rate get the same
/// events, made and serialised once. Owns no timer; while nobody subscribes there is nothing to do. [control]
class Telemetry {
 public:
    static constexpr float kDefaultRateHz = 10.0F;
    static constexpr float kMinimumRateHz = 1.0F;
    static constexpr float kMaximumRateHz = 100.0F;
    /// In one event of levels; meters beyond it, in the order of their names, are left out.
    static constexpr std::size_t kMaximumChannels = 16'384;
    /// What stands for everything below it.
    static constexpr float kFloorDb = -150.0F;
    /// In one event of node loads: the heaviest.
    static constexpr std::size_t kMaximumNodeLoads = 64;
    /// From one event of node loads to the next; each node is timed three times in between.
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

    Telemetry(Engine& engine, Host& host) : engine_{engine}, host_{host} {}

    /// Replaces what it had subscribed to.
    void subscribe(Subscriber& subscriber, const Topics& topics, TimePoint now);
    /// No effect if it has not subscribed.
    void unsubscribe(Subscriber& subscriber);

    /// Something went wrong: since the last call, the latest at `frame`.
    void xruns(const XrunCounts& counts, std::uint64_t frame);

    /// Takes what was measured, and tells what is due.
    void poll(TimePoint now);
    /// How long the next poll() may be put off; nothing where nobody has subscribed.
    [[nodiscard]] std::optional<std::chrono::microseconds> interval(TimePoint now) const;

 private:
    using Subscribers = std::vector<Subscriber*>;
    using Channels = std::vector<MeasuredLevels::Channel>;
    /// Those of one rate.
    struct Group {
        Subscribers levels;
        Subscribers load;
        TimePoint load_due{};
        std::optional<double> levels_due;  ///< the engine's clock, in frames
        std::uint64_t frame = 0;           ///< behind what has been measured
        std::uint64_t frame_count = 0;     ///< since the event before
        Channels outputs;
        std::map<std::uint64_t, Channels> meters;  ///< by the node's id
    };

    void leave(Subscriber& subscriber);
    void update_watch();
    void poll_levels();
    void poll_load(TimePoint now);
    void begin_node_loads(TimePoint now);
    void poll_node_loads(TimePoint now);
    [[nodiscard]] double cycles_per_block() const;
    static void add(const MeasuredLevels& taken, Group& group);
    void tell_levels(Group& group, const MeasuredLevels& taken) const;
    void write_levels(const Group& group, const MeasuredLevels& taken, v1::Levels& message) const;
    [[nodiscard]] double frames_of_interval(float rate_hz) const;

    Engine& engine_;
    Host& host_;
    std::map<float, Group> groups_;  ///< by rate in Hz
    Subscribers xruns_;
    bool watching_ = false;

    Subscribers node_loads_subscribers_;
    NodeLoads node_loads_;
    bool timing_ = false;
    TimePoint node_loads_due_{};
    std::chrono::steady_clock::time_point timing_began_;  ///< by the clock that tells the rate of cycle_count()
    std::uint64_t cycles_then_ = 0;                       ///< cycle_count() at that time
};

}  // namespace rta::api
