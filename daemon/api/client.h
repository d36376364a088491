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

#include "api/call.h"
#include "api/control_time.h"
#include "api/entry.h"
#include "api/events/event_hub.h"
#include "api/events/node_filter.h"
#include "api/events/outbox.h"
#include "api/events/telemetry.h"
#include "api/fairness.h"
#include "api/identity.h"
#include "text/error.h"

namespace rta::api {

class Dispatcher;

/// The protocol state of one client, without its socket: takes payloads of frames in, and puts frames into an outbox.
///
/// Requests run in the order in which they arrive, and are answered in that order. Those that need slow preparation are
/// prepared ahead, several at a time. [control]
class Client final : public std::enable_shared_from_this<Client>,
                     public Waiter,
                     public EventHub::Subscriber,
                     public Telemetry::Subscriber {
 public:
    /// A client that has less memory of pending requests may send more, even if the memory of all clients is used up.
    static constexpr std::size_t kPendingBytesOfEach = std::size_t{64} << 10U;
    /// Limit of executed requests whose responses have not been sent. At the limit, no further transaction that waits
    /// for its start is committed, which bounds the delay that a client can cause to others.
    static constexpr std::size_t kMaximumWaits = 128;

    /// Maximum size of the payload of the first frame.
    static constexpr std::size_t kMaximumHelloBytes = std::size_t{4} << 10U;
    /// Returns the maximum size of the payload of the next frame.
    [[nodiscard]] std::size_t longest_message() const;

    /// Use Dispatcher::connect().
    Client(Dispatcher& dispatcher, Entry entry);
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client() override { close(); }

    /// Sets what is called when the outbox or the result of a query below may have changed. Must not call back into the
    /// client.
    void on_change(std::function<void()> changed) { changed_ = std::move(changed); }

    /// Takes one request. The first must be Hello: anything else makes the client a stranger(). Later, bytes that are
    /// not a request are answered INVALID_ARGUMENT with id 0, as the last answer.
    void receive(std::string_view payload);
    /// The same, without copying a large one.
    void receive(std::string&& payload);
    /// The stream is malformed, or the client is not admitted: answers `error` with id 0, as the last answer.
    void refuse_stream(const Error& error);
    /// Must be checked before every receive(). Returns false while the client has to wait.
    [[nodiscard]] bool wants_more() const;
    /// Must be checked before every receive(), too. Returns false if the client has to wait for its turn in the
    /// ControlTime, which on_change() reports.
    [[nodiscard]] bool may_run();
    /// Must be checked before sending answers, and before receiving the rest of a message. Returns false if the client has used
    /// so much that it has to wait for its turn. `bytes`: of the answers, or of the part that has arrived.
    [[nodiscard]] bool may_finish(std::size_t bytes);
    /// Counts time for the client until the end of the scope: what the session does for it.
    [[nodiscard]] ControlTime::Scope spend();
    /// Returns whether the last request received is large and has not been parsed yet.
    [[nodiscard]] bool parsing() const;
    /// Returns whether a worker parses it, or will when it has parsed those of other clients.
    [[nodiscard]] bool waits_for_worker() const;

    [[nodiscard]] Outbox& outbox() { return outbox_; }
    /// Must be called when bytes have left the outbox. Continues with requests that waited for room.
    void output_drained() { resume(); }

    /// Returns whether all received requests have been answered.
    [[nodiscard]] bool idle() const { return queue_.empty(); }
    /// Returns whether the first message was not a Hello. The client must be disconnected without an answer: what it
    /// sends may be the request of a browser, which would otherwise be read on until a message begins.
    [[nodiscard]] bool stranger() const { return state_ == State::stranger; }
    /// Returns whether a response or an event has not been sent yet, or a request not been answered.
    [[nodiscard]] bool busy() const { return !idle() || outbox_.unsent_bytes() != 0; }
    /// Returns whether the client has ever subscribed to events.
    [[nodiscard]] bool has_subscribed() const { return has_subscribed_; }
    /// Returns whether no more requests are received, and the client must be disconnected once it is idle().
    [[nodiscard]] bool refused() const { return state_ == State::refused; }
    /// Returns why the client must be disconnected immediately, such as "does not read its events"; empty otherwise.
    [[nodiscard]] std::string_view lost() const { return lost_; }

    /// Returns the name given in Hello; empty before.
    [[nodiscard]] const std::string& name() const { return name_ ? *name_ : kNoName; }
    [[nodiscard]] const Entry& entry() const { return entry_; }
    /// Returns where the client connects from.
    [[nodiscard]] const std::string& address() const { return entry_.address; }
    /// Sets the name in the certificate of the client, once TLS has verified it; before its first request.
    void set_certificate_name(std::string name) { entry_.certificate_name = std::move(name); }
    /// Returns who the client is. Before Hello, it has no role.
    [[nodiscard]] const Identity& identity() const { return identity_; }
    [[nodiscard]] TimePoint connected() const { return connected_; }

    /// Drops everything that is not committed. Nothing is called back afterwards.
    void close();

    // For the dispatcher and the handlers of requests.

    /// Returns whether the client has sent a valid Hello.
    [[nodiscard]] bool introduced() const { return name_.has_value(); }
    void introduce(std::string name, Identity identity) {
        name_ = std::move(name);
        identity_ = std::move(identity);
    }
    /// Subscribes to changes, from the one after `after` on, which the hub must keep. nullopt: from the next one on, or, if the
    /// client has subscribed before, without a gap.
    void follow_changes(std::optional<std::uint64_t> after);
    void ignore_changes();
    /// Sets the nodes whose events the client receives; null: all.
    void filter_events(std::shared_ptr<const NodeFilter> filter);
    /// Returns the number of the latest change that has been put into the outbox, or that the filter has held back.
    [[nodiscard]] std::uint64_t latest_change() const;
    /// Counts the client as a subscriber, until it leaves. RESOURCE_EXHAUSTED if there are enough.
    [[nodiscard]] Expected<void> become_subscriber();
    /// Ends the access of a client that was admitted: refuses all requests that have not had their turn, and answers
    /// `error` with id 0 after them, as the last answer, unless its stream was refused before.
    void end_access(const Error& error);
    /// Returns why its access has ended; nullopt: it has not. Shared with what the client has started, which may outlive
    /// it.
    [[nodiscard]] const std::shared_ptr<std::optional<Error>>& access_end() const { return access_end_; }
    /// Returns whether all requests before the current one have been answered, and its answer fits into the outbox.
    [[nodiscard]] bool ready_for_answer() const { return executed_ == 0 && outbox_.has_room(); }
    /// Returns the number of requests whose turn is over, and whose responses have not been put into the outbox.
    [[nodiscard]] std::size_t unanswered() const { return executed_; }
    /// Calls `use` with the pending request of this number. Returns false if none exists.
    bool use(std::uint64_t number, const std::function<void(Call&)>& use);
    /// The same, and continues.
    void resume(std::uint64_t number, const std::function<void(Call&)>& use);
    /// Takes in a request that has been parsed.
    void accept(PendingRequest& request, ParsedRequest& parsed);
    /// Answers `last` with `error`, as the last answer.
    void refuse_stream(PendingRequest& last, const Error& error);
    /// Receives no more requests. The last one is answered later.
    void stop_stream();

    void resume() override;
    void expire(TimePoint now) override;

 private:
    enum class State : std::uint8_t {
        open,
        refused,   ///< the last response reported that the stream is invalid
        lost,      ///< must be disconnected without waiting for the client to read
        stranger,  ///< must be disconnected without an answer
        closed,
    };

    void deliver(const Change& change) override;
    void missed() override;
    void deliver_telemetry(const SharedTelemetry& event) override;

    [[nodiscard]] bool push(const Change& change);
    void catch_up();
    [[nodiscard]] bool send_missed();
    void take(const std::function<void()>& enqueue);
    void enqueue(std::string_view payload);
    void enqueue_large(std::string&& payload);
    void become_stranger();
    void refuse_hello();
    [[nodiscard]] bool waits_for_room() const;
    [[nodiscard]] bool step();
    void prepare_ahead();
    void send_front(std::size_t bytes);
    void free_on_worker(PendingRequest& request);
    /// Another client has freed memory.
    void memory_freed() {
        if (changed_) changed_();
    }
    [[nodiscard]] Call call(std::size_t index);
    void add_pending(PendingRequest& request, std::size_t bytes);
    void remove_pending(PendingRequest& request);
    void mark_lost(std::string_view why);
    void leave();

    static const std::string kNoName;

    Dispatcher& dispatcher_;
    std::function<void()> changed_;
    Outbox outbox_;
    std::deque<PendingRequest> queue_;
    std::uint64_t first_number_ = 0;  ///< of queue_.front(); requests are numbered in the order of their arrival
    std::size_t executed_ = 0;        ///< this many at the front of queue_ have had their turn
    std::size_t pending_bytes_ = 0;
    Entry entry_;
    const TimePoint connected_;
    std::optional<std::string> name_;
    Identity identity_;
    const std::shared_ptr<std::optional<Error>> access_end_ = std::make_shared<std::optional<Error>>();
    std::optional<std::uint64_t> next_missed_;  ///< number of the next change to send, while it catches up
    std::shared_ptr<const NodeFilter> filter_;
    bool has_subscribed_ = false;
    bool counted_ = false;  ///< as a subscriber
    State state_ = State::open;
    std::string_view lost_;
    NonReentrant loop_;
};

}  // namespace rta::api
