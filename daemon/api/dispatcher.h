// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/answers.h"
#include "api/client.h"
#include "api/event_hub.h"
#include "api/host.h"
#include "api/output_control.h"
#include "api/pending_commands.h"
#include "api/telemetry.h"
#include "api/workers.h"
#include "engine/engine.h"
#include "text/error.h"

namespace rta::api {

/// What all connections share: the engine, the events, and the turns of those that wait for room in the engine. Knows
/// no sockets and no clock of its own. [control]
class Dispatcher {
 public:
    using Clock = std::function<TimePoint()>;
    /// If no block has applied a change within this time, it is answered DEADLINE_EXCEEDED.
    static constexpr std::chrono::milliseconds kHeardDeadline{500};
    /// How long a device thread may look for devices.
    static constexpr std::chrono::seconds kDevicesDeadline{10};

    /// All outlive the dispatcher.
    Dispatcher(Engine& engine, Host& host, Workers& workers, Clock clock = &std::chrono::steady_clock::now);
    Dispatcher(const Dispatcher&) = delete;
    Dispatcher& operator=(const Dispatcher&) = delete;

    /// Outlived by the dispatcher, or closed before it ends.
    /// `address` is where the client connects from: HOST:PORT, or the path of the Unix socket.
    [[nodiscard]] std::shared_ptr<Client> connect(std::string address = {});

    /// Polls the engine, answers what was applied or is late, retries what found the engine full.
    void tick();
    /// How long the next tick() may be put off.
    [[nodiscard]] std::chrono::microseconds interval() const;
    /// `busy` is called when interval() has become shorter outside of tick().
    void on_busy(std::function<void()> busy) { busy_ = std::move(busy); }

    /// `faulted` is called with the name of every node that is silenced because it put out NaN or infinity.
    void on_node_fault(std::function<void(const std::string& node)> faulted) {
        link_.on_node_fault(std::move(faulted));
    }

    void device_changed(const DeviceStatus& device);
    void xruns(const XrunCounts& counts, std::uint64_t frame) { telemetry_.xruns(counts, frame); }
    void fade_out(float length_ms, std::function<void()> done);

    [[nodiscard]] const EventHub& hub() const { return hub_; }
    /// Those that were refused are not counted.
    [[nodiscard]] std::size_t client_count() const { return clients_.size(); }

 private:
    friend class Client;

    /// Those who found the engine full, first come, first served.
    struct RoomQueue {
        std::deque<std::weak_ptr<Client>> waiting;
        Client* in_turn = nullptr;  ///< may ask the engine although others wait
        bool full = false;          ///< the one in turn was refused
    };
    /// Those whose last request kept the control thread long. They take turns, with a rest after each that is as long:
    /// everybody else is served in between.
    struct HeavyQueue {
        std::deque<std::weak_ptr<Client>> waiting;
        Client* in_turn = nullptr;  ///< may go on although others wait
        TimePoint rest_until;
    };
    using DevicesListed = std::function<void(const Expected<std::vector<DeviceInfo>>&)>;
    struct DevicesWaiter {
        DevicesListed listed;
        TimePoint deadline;
    };

    [[nodiscard]] RoomQueue& room_queue(bool transaction) { return transaction ? plan_room_ : parameter_room_; }
    [[nodiscard]] bool may_ask(Client& client, bool transaction);
    void turn_used(Client& client, bool transaction);
    void wait_for_room(Client& client, bool transaction);
    void retry(RoomQueue& queue, TimePoint now);
    /// False: not now; the client is pumped when its turn has come.
    [[nodiscard]] bool heavy_turn(Client& client);
    /// A request took so long. Returns whether that is long.
    bool took(std::chrono::nanoseconds time);
    void resume_heavy(TimePoint now);
    void list_devices(DevicesListed listed);
    void devices_listed(const std::vector<DeviceInfo>& devices);
    void expire_devices(TimePoint now);
    void await(const Ticket& ticket, PendingCommands::Answered answered);

    Engine& engine_;
    Host& host_;
    Workers& workers_;
    Clock clock_;
    EventHub hub_;
    PendingCommands link_;
    OutputControl output_;
    Telemetry telemetry_;
    Answers answers_;
    RoomQueue plan_room_;
    RoomQueue parameter_room_;
    HeavyQueue heavy_;
    std::deque<DevicesWaiter> devices_waiters_;
    bool listing_devices_ = false;
    std::shared_ptr<Dispatcher*> self_;  ///< what a late answer of the host holds weakly
    std::vector<Client*> clients_;       ///< in the order in which they came
    std::function<void()> busy_;
};

}  // namespace rta::api
