// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/convert.h"
#include "api/engine_link.h"
#include "api/event_hub.h"
#include "api/host.h"
#include "api/outbox.h"
#include "api/output_control.h"
#include "api/telemetry.h"
#include "engine/engine.h"
#include "graph/error.h"
#include "rta/v1/control.pb.h"

namespace rta::api {

class Dispatcher;

/// Runs slow work elsewhere. [control]
class Workers {
 public:
    virtual ~Workers() = default;
    /// Calls `work` on some thread, and then `done` on the control thread: later, or before run() returns.
    virtual void run(std::function<void()> work, std::function<void()> done) = 0;
};

/// One client, without its socket: payloads of frames go in, frames come out of the outbox.
///
/// Requests take effect in their order. Transactions are prepared ahead, several at once, and committed one after the
/// other; neither a transaction nor a parameter change waits until the one before it is heard. What looks at the graph
/// or gives a large answer waits until everything before it is answered, and until the outbox has room. [control]
class Connection final : public std::enable_shared_from_this<Connection>,
                         private EventHub::Subscriber,
                         private Telemetry::Subscriber {
 public:
    /// Requests taken in and not yet answered, and their bytes, at which no more are taken in.
    static constexpr std::size_t kMaximumPending = 1024;
    static constexpr std::size_t kMaximumPendingBytes = std::size_t{8} << 20U;

    /// Use Dispatcher::connect().
    Connection(Dispatcher& dispatcher, std::string address);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() override { close(); }

    /// Called when there may be something new in the outbox, or any of the questions below may have a new answer. Must
    /// not call back into the connection.
    void on_change(std::function<void()> changed) { changed_ = std::move(changed); }

    /// Takes one request in. Bytes that are none are answered INVALID_ARGUMENT with id 0, and are the last.
    void receive(std::string_view payload);
    /// The stream is of no use, or the client is not welcome: answers `error` with id 0, as the last answer.
    void refuse_stream(const Error& error);
    /// To be asked before every receive(): false asks the peer to wait.
    [[nodiscard]] bool wants_more() const;

    [[nodiscard]] Outbox& outbox() { return outbox_; }
    /// Bytes have left the outbox: goes on with what waited for room.
    void output_drained() { pump(); }

    /// Every request taken in has been answered.
    [[nodiscard]] bool idle() const { return queue_.empty(); }
    /// The client has said who it is.
    [[nodiscard]] bool greeted() const { return hello_done_; }
    /// An answer said that the stream is of no use: nothing more is read, and the connection ends once it is idle().
    [[nodiscard]] bool refused() const { return refused_; }
    /// The client did not read its events: the connection must be closed.
    [[nodiscard]] bool overflowed() const { return overflowed_; }
    /// As the client said; empty before Hello.
    [[nodiscard]] const std::string& client_name() const { return client_name_; }

    /// Drops everything not yet committed. Nothing is called back any more.
    void close();

 private:
    friend class Dispatcher;

    /// A request on its way to its answer.
    struct Work {
        enum class Stage : std::uint8_t {
            waiting,    ///< for its turn
            preparing,  ///< on a worker
            ready,      ///< transactions: prepared
            queued,     ///< mutes and panics: behind those of other clients
            executed,   ///< committed or asked for; the answer comes
            answered,   ///< `answer` holds it
        };
        v1::Request request;
        std::size_t bytes = 0;  ///< of the request
        Stage stage = Stage::waiting;
        std::optional<PreparedTransaction> prepared{};
        TransactionContent content{};  ///< its transaction is in `prepared`
        std::vector<SetParameter> changes{};
        std::optional<TimePoint> give_up{};  ///< the engine was full, and is asked again until then
        v1::ServerMessage answer{};
    };
    struct Preparation;

    void deliver(const SharedFrame& event) override;
    void deliver_telemetry(const SharedFrame& event) override;

    void pump();
    [[nodiscard]] bool step();
    void prepare_ahead();
    void start_preparing(Work& work, std::uint64_t number);
    void prepared(std::uint64_t number, Preparation& preparation);

    // Each of these returns whether the next request may be looked at.
    [[nodiscard]] bool execute(Work& work, std::uint64_t number);
    [[nodiscard]] bool execute_transaction(Work& work, std::uint64_t number);
    [[nodiscard]] bool execute_parameters(Work& work, std::uint64_t number);
    [[nodiscard]] bool execute_in_turn(Work& work);
    [[nodiscard]] bool engine_full(Work& work, Error error, bool transaction);
    void execute_check(Work& work);
    void execute_list_devices(Work& work, std::uint64_t number);
    [[nodiscard]] bool execute_output(Work& work, std::uint64_t number);
    void answer_output(Work& work, const Expected<std::optional<std::uint64_t>>& outcome);
    void commit_done(Work& work, std::uint64_t number, const Ticket& ticket);

    void answer_hello(const v1::Hello& hello, v1::Response& response);
    void answer_status(v1::StatusResult& result) const;
    void list_clients(v1::StatusResult& result) const;
    void answer_graph(v1::GraphResult& result) const;
    [[nodiscard]] Expected<void> answer_node_types(const v1::ListNodeTypes& request, v1::NodeTypesResult& result) const;
    [[nodiscard]] Expected<void> answer_frequency_response(const v1::GetFrequencyResponse& request,
                                                           v1::FrequencyResponseResult& result) const;
    [[nodiscard]] Expected<void> answer_subscribe(const v1::Subscribe& request, v1::SubscribeResult& result);
    [[nodiscard]] Expected<void> answer_reset_meters(const v1::ResetMeters& request, v1::ResetMetersResult& result);

    [[nodiscard]] Work* find(std::uint64_t number);
    v1::Response& answer(Work& work);
    void refuse(Work& work, const Error& error);
    void emit(Work& work);
    void expire(TimePoint now);
    void leave();

    Dispatcher& dispatcher_;
    std::function<void()> changed_;
    Outbox outbox_;
    std::deque<Work> queue_;
    std::uint64_t first_number_ = 0;  ///< of queue_.front(); requests are numbered as they come
    std::size_t executed_ = 0;        ///< as many at the front of queue_ have had their turn
    std::size_t pending_bytes_ = 0;
    const std::string address_;
    const TimePoint connected_;
    std::string client_name_;
    bool hello_done_ = false;
    bool refused_ = false;
    bool overflowed_ = false;
    bool closed_ = false;
    bool counted_ = true;  ///< among the dispatcher's connections
    bool pumping_ = false;
};

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
    [[nodiscard]] std::shared_ptr<Connection> connect(std::string address = {});

    /// Polls the engine, answers what was applied or is late, retries what found the engine full.
    void tick();
    /// How long the next tick() may be put off.
    [[nodiscard]] std::chrono::microseconds interval() const;
    /// `busy` is called when interval() has become shorter outside of tick().
    void on_busy(std::function<void()> busy) { busy_ = std::move(busy); }

    void device_changed(const DeviceStatus& device);
    void xruns(const XrunCounts& counts, std::uint64_t frame) { telemetry_.xruns(counts, frame); }
    void fade_out(float length_ms, std::function<void()> done);

    [[nodiscard]] const EventHub& hub() const { return hub_; }
    /// Those that were refused are not counted.
    [[nodiscard]] std::size_t connection_count() const { return connections_.size(); }

 private:
    friend class Connection;

    /// Those who found the engine full, first come, first served.
    struct RoomQueue {
        std::deque<std::weak_ptr<Connection>> waiting;
        Connection* in_turn = nullptr;  ///< may ask the engine although others wait
        bool full = false;              ///< the one in turn was refused
    };
    struct DevicesWaiter {
        std::weak_ptr<Connection> connection;
        std::uint64_t number;
        TimePoint deadline;
    };

    [[nodiscard]] RoomQueue& room_queue(bool transaction) { return transaction ? plan_room_ : parameter_room_; }
    [[nodiscard]] bool may_ask(Connection& connection, bool transaction);
    void turn_used(Connection& connection, bool transaction);
    void wait_for_room(Connection& connection, bool transaction);
    void retry(RoomQueue& queue, TimePoint now);
    void list_devices(Connection& connection, std::uint64_t number);
    void devices_listed(const std::vector<DeviceInfo>& devices);
    void expire_devices(TimePoint now);
    void await(const Ticket& ticket, EngineLink::Answered answered);

    Engine& engine_;
    Host& host_;
    Workers& workers_;
    Clock clock_;
    TimePoint start_;
    EventHub hub_;
    EngineLink link_;
    OutputControl output_;
    Telemetry telemetry_;
    RoomQueue plan_room_;
    RoomQueue parameter_room_;
    std::deque<DevicesWaiter> devices_waiters_;
    bool listing_devices_ = false;
    std::shared_ptr<Dispatcher*> self_;     ///< what a late answer of the host holds weakly
    std::vector<Connection*> connections_;  ///< in the order in which they came
    std::function<void()> busy_;
};

}  // namespace rta::api
