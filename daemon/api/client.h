// SPDX-License-Identifier: MIT
#pragma once

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
#include "api/event_hub.h"
#include "api/outbox.h"
#include "api/pending_commands.h"
#include "api/telemetry.h"
#include "engine/engine.h"
#include "rta/v1/control.pb.h"
#include "text/error.h"

namespace rta::api {

class Dispatcher;

/// One client, without its socket: payloads of frames go in, frames come out of the outbox.
///
/// Requests take effect in their order. Transactions are prepared ahead, several at once, and committed one after the
/// other; neither a transaction nor a parameter change waits until the one before it is heard. What looks at the graph
/// or gives a large answer waits until everything before it is answered, and until the outbox has room. [control]
class Client final : public std::enable_shared_from_this<Client>,
                     private EventHub::Subscriber,
                     private Telemetry::Subscriber {
 public:
    /// Requests taken in and not yet answered, and the memory that they take, at which no more are taken in.
    static constexpr std::size_t kMaximumPending = 1024;
    static constexpr std::size_t kMaximumPendingBytes = std::size_t{8} << 20U;

    /// Use Dispatcher::connect().
    Client(Dispatcher& dispatcher, std::string address);
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client() override { close(); }

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
    /// The client has not yet sent a valid Hello, and may still do so.
    [[nodiscard]] bool awaits_hello() const { return !hello_done_ && !refused_; }
    /// The client has said who it is.
    [[nodiscard]] bool greeted() const { return hello_done_; }
    /// An answer said that the stream is of no use: nothing more is read, and the connection ends once it is idle().
    [[nodiscard]] bool refused() const { return refused_; }
    /// Why the connection must be closed at once, as "the client does not read its events"; empty: it need not be.
    [[nodiscard]] std::string_view lost() const { return lost_; }
    /// As the client said; empty before Hello.
    [[nodiscard]] const std::string& client_name() const { return client_name_; }

    /// Where the client connects from.
    [[nodiscard]] const std::string& address() const { return address_; }
    [[nodiscard]] TimePoint connected() const { return connected_; }

    /// Goes on with whatever can go on.
    void pump();
    /// Gives up what has waited too long; whoever waits for room is asked, whether or not its turn has come.
    void expire(TimePoint now);

    /// Drops everything not yet committed. Nothing is called back any more.
    void close();

 private:
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
        std::size_t bytes = 0;  ///< of memory that the request takes
        Stage stage = Stage::waiting;
        std::optional<PreparedTransaction> prepared{};
        TransactionContent content{};  ///< its transaction is in `prepared`
        std::optional<Ticket> committed{};
        std::vector<SetParameter> changes{};
        std::optional<TimePoint> give_up{};  ///< the engine was full, and is asked again until then
        v1::ServerMessage answer{};
    };
    struct Preparation;

    void deliver(const SharedFrame& event) override;
    void missed() override;
    void deliver_telemetry(const SharedTelemetry& event) override;

    void take_in(std::string_view payload);
    [[nodiscard]] bool step();
    void prepare_ahead();
    void start_preparing(Work& work, std::uint64_t number);
    void prepared(std::uint64_t number, Preparation& preparation);

    // Each of these returns whether the next request may be looked at.
    [[nodiscard]] bool execute(Work& work, std::uint64_t number);
    [[nodiscard]] bool execute_kind(Work& work, std::uint64_t number);
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
    [[nodiscard]] Expected<void> answer_subscribe(const v1::Subscribe& request, v1::SubscribeResult& result);

    [[nodiscard]] Work* find(std::uint64_t number);
    v1::Response& answer(Work& work);
    void refuse(Work& work, const Error& error);
    void broken_off(Work& work, Error error);
    void emit(Work& work);
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
    std::string_view lost_;
    bool hello_done_ = false;
    bool refused_ = false;
    bool closed_ = false;
    bool counted_ = true;  ///< among the dispatcher's connections
    bool pumping_ = false;
    bool heavy_ = false;  ///< its last request kept the control thread long
};

}  // namespace rta::api
