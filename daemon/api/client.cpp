// SPDX-License-Identifier: MIT
#include "api/client.h"

#include <algorithm>
#include <string>
#include <utility>

#include "api/dispatcher.h"
#include "api/exception_barrier.h"
#include "api/list_limits.h"
#include "frame/frame_codec.h"

namespace rta::api {

namespace {

/// Requests of one client that are prepared before their turn.
constexpr std::size_t kPreparedAhead = 8;
/// Missed changes that a client has in its outbox, unless the limit of its events is lower.
constexpr std::size_t kMissedAheadBytes = std::size_t{256} << 10U;
/// Missed changes that are looked at in one step.
constexpr int kMissedInStep = 64;

std::size_t answer_bytes(const PendingRequest& request) {
    return request.encoded.bytes != 0 ? request.encoded.bytes : request.reply.ByteSizeLong();
}

Error too_large(const PendingRequest& request, std::size_t bytes) {
    std::string sentence = "the answer takes " + std::to_string(bytes) + " bytes; a message has at most " +
                           std::to_string(kMaximumFrameBytes);
    if (request.kind != nullptr && request.kind->smaller_request != nullptr)
        sentence += request.kind->smaller_request(request.message);
    return Error{ErrorCode::resource_exhausted, std::move(sentence), {}};
}

}  // namespace

const std::string Client::kNoName;

Client::Client(Dispatcher& dispatcher, Entry entry)
    : dispatcher_{dispatcher},
      outbox_{dispatcher.services().limits.output},
      entry_{std::move(entry)},
      connected_{dispatcher.services().clock()} {}

std::size_t Client::longest_message() const {
    return introduced() ? dispatcher_.services().limits.message_bytes : kMaximumHelloBytes;
}

Expected<void> Client::become_subscriber() {
    if (counted_) return {};
    Services& services = dispatcher_.services();
    if (services.subscribers >= services.limits.subscriptions) {
        return fail(ErrorCode::resource_exhausted, "limit of " + std::to_string(services.limits.subscriptions) +
                                                       " subscribed clients reached (--max-subscriptions); try again "
                                                       "when another one has disconnected");
    }
    has_subscribed_ = true;
    counted_ = true;
    ++services.subscribers;
    return {};
}

ControlTime::Scope Client::spend() { return {dispatcher_.services().time, shared_from_this()}; }

bool Client::may_run() {
    const RequestKind* const next = executed_ < queue_.size() ? queue_[executed_].kind : nullptr;
    ControlTime& time = dispatcher_.services().time;
    return next != nullptr && next->ordering == Ordering::urgent ? time.may_run_urgently(shared_from_this())
                                                                 : time.may_run(shared_from_this());
}

bool Client::may_finish(std::size_t bytes) { return dispatcher_.services().time.may_finish(shared_from_this(), bytes); }

void Client::receive(std::string_view payload) {
    take([&] {
        if (PendingRequest::is_large(payload.size())) return enqueue_large(std::string{payload});
        enqueue(payload);
    });
}

void Client::receive(std::string&& payload) {
    take([&] {
        if (PendingRequest::is_large(payload.size())) return enqueue_large(std::move(payload));
        enqueue(payload);
    });
}

void Client::take(const std::function<void()>& enqueue) {
    const auto spending = spend();
    const auto received = guarded("reading a request", enqueue);
    if (!received) return introduced() ? refuse_stream(received.error()) : become_stranger();
    resume();
}

void Client::become_stranger() {
    if (state_ == State::open) state_ = State::stranger;
    leave();
}

void Client::enqueue(std::string_view payload) {
    ParsedRequest parsed = ParsedRequest::parse(payload);
    if (!introduced() && (parsed.malformed || parsed.message.request_case() != v1::Request::kHello)) {
        return become_stranger();
    }
    accept(queue_.emplace_back(), parsed);
}

void Client::enqueue_large(std::string&& payload) {
    const std::size_t bytes = payload.size();
    PendingRequest request;
    request.payload = std::move(payload);
    request.large = true;
    request.stage = PendingRequest::Stage::received;
    add_pending(queue_.emplace_back(std::move(request)), bytes);
}

void Client::accept(PendingRequest& request, ParsedRequest& parsed) {
    if (parsed.malformed) return refuse_stream(request, *parsed.malformed);
    request.message.Swap(&parsed.message);
    add_pending(request, parsed.bytes);
    request.kind = parsed.kind;
    request.stage = PendingRequest::Stage::waiting;
    if (parsed.error) request.refuse(*parsed.error);
}

void Client::refuse_stream(const Error& error) {
    refuse_stream(queue_.emplace_back(), error);
    resume();
}

void Client::refuse_stream(PendingRequest& last, const Error& error) {
    stop_stream();
    last.refuse(error);
}

void Client::stop_stream() {
    if (state_ == State::open) state_ = State::refused;
    leave();
}

void Client::end_access(const Error& error) {
    if (*access_end_) return;
    *access_end_ = error;
    if (state_ == State::open) return refuse_stream(error);
    resume();
}

bool Client::parsing() const { return !queue_.empty() && !queue_.back().is_parsed(); }

bool Client::waits_for_worker() const {
    return !queue_.empty() && queue_.back().stage == PendingRequest::Stage::parsing;
}

bool Client::wants_more() const {
    // A stranger must not fill the queue while its Hello is being answered.
    if (!introduced() && !queue_.empty()) return false;
    // How much memory a request takes is known once it has been parsed.
    const Services& services = dispatcher_.services();
    const ClientLimits& limits = services.limits;
    const bool memory_left =
        pending_bytes_ < kPendingBytesOfEach ||
        (pending_bytes_ < limits.pending_bytes && services.pending_bytes < limits.pending_bytes_of_all);
    return state_ != State::refused && state_ != State::stranger && state_ != State::closed && !parsing() &&
           queue_.size() < limits.pending_requests && memory_left && outbox_.has_room();
}

void Client::add_pending(PendingRequest& request, std::size_t bytes) {
    remove_pending(request);
    request.bytes = bytes;
    pending_bytes_ += bytes;
    dispatcher_.services().pending_bytes += bytes;
}

void Client::remove_pending(PendingRequest& request) {
    Services& services = dispatcher_.services();
    const std::size_t bytes = std::exchange(request.bytes, 0);
    const std::size_t most = services.limits.pending_bytes_of_all;
    const bool was_full = services.pending_bytes >= most;
    pending_bytes_ -= bytes;
    services.pending_bytes -= bytes;
    if (!was_full || services.pending_bytes >= most) return;
    for (Client* const client : services.clients) client->memory_freed();
}

void Client::close() {
    if (std::exchange(state_, State::closed) == State::closed) return;
    changed_ = nullptr;
    leave();
    for (PendingRequest& request : queue_) {
        remove_pending(request);
        free_on_worker(request);
    }
    queue_.clear();
    executed_ = 0;
    dispatcher_.services().large_requests.start_next();
}

/// The client is no longer counted and receives no events, but may still receive its last answer.
void Client::leave() {
    Services& services = dispatcher_.services();
    ignore_changes();
    services.telemetry.unsubscribe(*this);
    services.watches.unsubscribe(*this);
    const bool left = std::erase(services.clients, this) != 0;
    if (left) services.telemetry_dropped += outbox_.telemetry_dropped();
    if (state_ == State::closed) {
        std::erase(services.refused, this);
    } else if (left && introduced()) {
        services.refused.push_back(this);
    }
    if (std::exchange(counted_, false)) --services.subscribers;
}

void Client::mark_lost(std::string_view why) {
    if (state_ == State::closed) return;
    state_ = State::lost;
    lost_ = why;
}

void Client::follow_changes(std::optional<std::uint64_t> after) {
    dispatcher_.services().hub.subscribe(*this);
    if (after) next_missed_ = *after + 1;
}

void Client::ignore_changes() {
    dispatcher_.services().hub.unsubscribe(*this);
    next_missed_.reset();
}

void Client::filter_events(std::shared_ptr<const NodeFilter> filter) {
    filter_ = std::move(filter);
    outbox_.filter_telemetry(filter_);
}

std::uint64_t Client::latest_change() const {
    return next_missed_ ? *next_missed_ - 1 : dispatcher_.services().hub.number();
}

/// Returns false if the change does not fit into the outbox.
bool Client::push(const Change& change) {
    return (filter_ && !filter_->passes(change.nodes)) || outbox_.push_event(change.frame);
}

/// Sends what the client has missed as it reads. While it does, new changes come to it in the same way, so none is missing
/// and none is sent twice.
void Client::catch_up() {
    const std::size_t ahead = std::min(kMissedAheadBytes, dispatcher_.services().limits.output.event_bytes / 2);
    while (next_missed_ && state_ != State::lost && outbox_.unsent_event_bytes() < ahead) {
        if (!may_finish(kMissedAheadBytes) || !send_missed()) return;
    }
}

/// Returns false if the client must read first.
bool Client::send_missed() {
    const EventHub& hub = dispatcher_.services().hub;
    for (int i = 0; i < kMissedInStep; ++i) {
        if (*next_missed_ > hub.number()) {
            next_missed_.reset();
            return true;
        }
        const Change* const change = hub.kept(*next_missed_);
        if (change == nullptr) {
            mark_lost("reads its missed events more slowly than new ones are added");
            return true;
        }
        if (!push(*change)) return false;
        ++*next_missed_;
    }
    return true;
}

void Client::deliver(const Change& change) {
    if (state_ == State::lost || next_missed_) return;
    const auto pushed = guarded("queueing an event", [&] {
        if (!push(change))
            mark_lost(
                "does not read its events (more than --max-unread-events, or about 4096 with responses in between)");
    });
    if (!pushed) return missed();
    if (changed_) changed_();
}

/// Events about changes are never dropped: a client that misses one must read the graph again.
void Client::missed() {
    mark_lost("missed an event about a change because memory ran out");
    if (changed_) changed_();
}

void Client::deliver_telemetry(const SharedTelemetry& event) {
    if (state_ == State::lost) return;
    outbox_.push_telemetry(event);
    if (changed_) changed_();
}

Call Client::call(std::size_t index) { return {dispatcher_.services(), *this, queue_[index], first_number_ + index}; }

bool Client::use(std::uint64_t number, const std::function<void(Call&)>& use) {
    if (number < first_number_ || number - first_number_ >= queue_.size()) return false;
    const auto spending = spend();
    Call pending = call(static_cast<std::size_t>(number - first_number_));
    const auto used = guarded("continuing a request", [&] { use(pending); });
    if (!used) mark_lost("could not be answered because memory ran out");
    return true;
}

void Client::resume(std::uint64_t number, const std::function<void(Call&)>& use_request) {
    if (use(number, use_request)) resume();
}

void Client::resume() {
    if (state_ == State::closed) return;
    const auto spending = spend();
    const bool ran = loop_.run([this] {
        const auto answered = guarded("answering requests", [this] {
            while (step()) {
            }
            catch_up();
        });
        if (!answered) mark_lost("could not be answered because memory ran out");
    });
    if (ran && changed_) changed_();
}

/// The time of a request that waits for room is limited by the room: its queue resumes each client for one request.
bool Client::waits_for_room() const {
    return executed_ < queue_.size() && queue_[executed_].deadline && !queue_[executed_].turn_over();
}

bool Client::step() {
    if (executed_ > 0 && queue_.front().stage == PendingRequest::Stage::answered) {
        const std::size_t bytes = answer_bytes(queue_.front());
        if (!may_finish(bytes)) return false;
        send_front(bytes);
        return true;
    }
    if (!may_run() && !waits_for_room()) return false;
    prepare_ahead();
    if (executed_ == queue_.size()) return false;
    Call next = call(executed_);
    if (!dispatcher_.dispatch(next)) return false;
    ++executed_;
    if (next.request.large) dispatcher_.services().large_requests.start_next();
    return true;
}

void Client::send_front(std::size_t bytes) {
    PendingRequest& request = queue_.front();
    if (bytes > kMaximumFrameBytes) request.refuse(too_large(request, bytes));
    if (request.encoded.frame.empty()) {
        outbox_.push_response(request.reply);
    } else {
        outbox_.push_response(std::move(request.encoded.frame));
    }
    remove_pending(request);
    free_on_worker(request);
    queue_.pop_front();
    ++first_number_;
    --executed_;
    if (!introduced()) refuse_hello();
}

/// A Hello that is refused is the last request.
void Client::refuse_hello() {
    if (state_ == State::open) state_ = State::refused;
    leave();
}

/// Freeing a large request, and the nodes of a rejected transaction, would block the control thread for a long time.
void Client::free_on_worker(PendingRequest& request) {
    if (!request.large) return;
    struct Memory {
        v1::Request message{};
        std::unique_ptr<RequestState> state{};
    };
    static_cast<void>(guarded("freeing a request", [&] {
        auto memory = std::make_shared<Memory>();
        memory->message.Swap(&request.message);
        memory->state = std::move(request.state);
        dispatcher_.services().workers.free(std::move(memory));
    }));
}

void Client::prepare_ahead() {
    if (!introduced()) return;
    // A large request is applied to the graph that its client's earlier requests have left. Once it is parsed, it must
    // not wait for them: the large requests of other clients wait for it.
    if (executed_ < queue_.size() && queue_[executed_].stage == PendingRequest::Stage::received &&
        unanswered() < kMaximumWaits)
        dispatcher_.services().large_requests.add(call(executed_));
    const std::size_t end = std::min(queue_.size(), executed_ + kPreparedAhead);
    for (std::size_t i = executed_; i < end; ++i) {
        const PendingRequest& request = queue_[i];
        if (request.stage != PendingRequest::Stage::waiting || request.kind->prepare == nullptr) continue;
        const Call early = call(i);
        if (Dispatcher::find_denial(early)) continue;
        dispatcher_.prepare(early);
    }
}

void Client::expire(TimePoint now) {
    if (executed_ == queue_.size()) return;
    PendingRequest& request = queue_[executed_];
    // A request that a worker prepares does not wait for room; its client may be queued for an earlier one.
    if (request.stage == PendingRequest::Stage::answered || request.stage == PendingRequest::Stage::preparing) return;
    if (!request.deadline || now < *request.deadline) return;
    request.refuse(
        Error{ErrorCode::resource_exhausted,
              "the engine had no room for this request within " + request.room_timeout_text() + "; nothing has changed",
              {}});
    resume();
}

}  // namespace rta::api
