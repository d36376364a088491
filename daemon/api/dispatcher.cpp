// SPDX-License-Identifier: MIT
#include "api/dispatcher.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "dsp/simd.h"
#include "engine/renderer.h"
#include "frame/frame_codec.h"
#include "graph/frequency_response.h"
#include "graph/names.h"

namespace rta::api {
namespace {

using Kind = v1::Request::RequestCase;

constexpr std::uint32_t kProtocolVersion = 1;
constexpr std::uint32_t kDefaultTimeoutMs = 1000;
constexpr std::uint32_t kMaximumTimeoutMs = 60'000;
constexpr std::size_t kMaximumClientNameBytes = 128;
/// Transactions of one connection that are prepared before their turn comes.
constexpr std::size_t kPreparedAhead = 8;
/// Between two attempts of those that found the engine full: it has room again once a block has been rendered.
constexpr std::chrono::microseconds kRoomInterval{250};

/// While a mute waits for room, or a panic for its fade and its processors.
constexpr std::chrono::microseconds kOutputInterval{2'000};

bool is_transaction(Kind kind) { return kind == v1::Request::kApplyTransaction || kind == v1::Request::kCheckGraph; }

std::uint32_t timeout_ms(const v1::Request& request) {
    return request.has_timeout_ms() ? request.timeout_ms() : kDefaultTimeoutMs;
}

Error error(ErrorCode code, std::string sentence) { return Error{code, std::move(sentence), {}}; }

Error unknown_request(const v1::Request& request) {
    const auto& fields = v1::Request::GetReflection()->GetUnknownFields(request);
    std::string which = fields.empty() ? "the request holds nothing"
                                       : "the request in field " + std::to_string(fields.field(0).number()) +
                                             " of rta.v1.Request is unknown";
    std::string known;
    const auto& requests = *v1::Request::descriptor()->FindOneofByName("request");
    for (int i = 0; i < requests.field_count(); ++i) known += (i == 0 ? "" : ", ") + requests.field(i)->name();
    return error(ErrorCode::unimplemented, which + "; rtad " RTA_VERSION " knows: " + known);
}

/// What is wrong with a request before anybody looks at what it asks for.
std::optional<Error> fault_of(const v1::Request& request) {
    if (request.request_case() == v1::Request::REQUEST_NOT_SET) return unknown_request(request);
    const std::uint32_t timeout = timeout_ms(request);
    if (timeout < 1 || timeout > kMaximumTimeoutMs) {
        return error(ErrorCode::invalid_argument,
                     "timeout_ms is " + std::to_string(timeout) + "; it must be from 1 to 60000");
    }
    return std::nullopt;
}

/// 961 from 20 Hz to 20 kHz, in equal ratios.
std::vector<float> audible_frequencies(double sample_rate_hz) {
    constexpr int kCount = 961;
    constexpr double kLowest = 20.0;
    const double highest = std::min(20'000.0, 0.45 * sample_rate_hz);
    std::vector<float> frequencies_hz;
    for (int i = 0; i < kCount; ++i) {
        const double share = static_cast<double>(i) / (kCount - 1);
        frequencies_hz.push_back(static_cast<float>(kLowest * std::pow(highest / kLowest, share)));
    }
    return frequencies_hz;
}

/// Names go into logs and onto other people's terminals.
bool printable(std::string_view text) {
    return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// Connection

/// What goes to a worker and comes back.
struct Connection::Preparation {
    v1::Request request;
    Expected<PreparedTransaction> prepared = fail(ErrorCode::internal, "the transaction was not prepared");
    TransactionContent content;

    void run(const Engine& engine) {
        auto taken = request.has_check_graph() ? take_content(*request.mutable_check_graph())
                                               : take_content(*request.mutable_apply_transaction());
        if (!taken) {
            prepared = std::unexpected(std::move(taken.error()));
            return;
        }
        content = std::move(*taken);
        prepared = engine.prepare(std::move(content.transaction));
    }
};

Connection::Connection(Dispatcher& dispatcher, std::string address)
    : dispatcher_{dispatcher}, address_{std::move(address)}, connected_{dispatcher.clock_()} {}

void Connection::receive(std::string_view payload) {
    Work work;
    if (!work.request.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
        return refuse_stream(
            error(ErrorCode::invalid_argument, "the message is no rta.v1.Request; the connection is closed"));
    }
    work.bytes = payload.size();
    pending_bytes_ += work.bytes;
    queue_.push_back(std::move(work));
    if (const auto fault = fault_of(queue_.back().request)) refuse(queue_.back(), *fault);
    pump();
}

void Connection::refuse_stream(const Error& error) {
    refused_ = true;
    leave();
    refuse(queue_.emplace_back(), error);
    pump();
}

bool Connection::wants_more() const {
    return !refused_ && !closed_ && queue_.size() < kMaximumPending && pending_bytes_ < kMaximumPendingBytes &&
           outbox_.has_room();
}

void Connection::close() {
    if (closed_) return;
    closed_ = true;
    changed_ = nullptr;
    leave();
    queue_.clear();
    executed_ = 0;
}

/// From here on it is no client any more, though it may still be told why.
void Connection::leave() {
    dispatcher_.hub_.unsubscribe(*this);
    dispatcher_.telemetry_.unsubscribe(*this);
    if (std::exchange(counted_, false)) std::erase(dispatcher_.connections_, this);
}

void Connection::deliver(const SharedFrame& event) {
    if (overflowed_) return;
    overflowed_ = !outbox_.push_event(event);
    if (changed_) changed_();
}

void Connection::deliver_telemetry(const SharedFrame& event) {
    if (overflowed_) return;
    outbox_.push_telemetry(event);
    if (changed_) changed_();
}

Connection::Work* Connection::find(std::uint64_t number) {
    if (closed_ || number < first_number_ || number - first_number_ >= queue_.size()) return nullptr;
    return &queue_[static_cast<std::size_t>(number - first_number_)];
}

void Connection::pump() {
    // What is called from here may call back at once: the loop below sees to what that changed.
    if (pumping_ || closed_) return;
    pumping_ = true;
    while (step()) {
    }
    pumping_ = false;
    if (changed_) changed_();
}

bool Connection::step() {
    prepare_ahead();
    if (!queue_.empty() && executed_ > 0 && queue_.front().stage == Work::Stage::answered) {
        emit(queue_.front());
        return true;
    }
    if (executed_ == queue_.size()) return false;
    if (!execute(queue_[executed_], first_number_ + executed_)) return false;
    ++executed_;
    return true;
}

void Connection::emit(Work& work) {
    if (const std::size_t bytes = work.answer.ByteSizeLong(); bytes > kMaximumFrameBytes) {
        refuse(work, error(ErrorCode::resource_exhausted,
                           "the answer takes " + std::to_string(bytes) + " bytes, more than the 4194304 of a message"));
    }
    outbox_.push_response(work.answer);
    pending_bytes_ -= work.bytes;
    queue_.pop_front();
    ++first_number_;
    --executed_;
}

v1::Response& Connection::answer(Work& work) {
    work.stage = Work::Stage::answered;
    v1::Response& response = *work.answer.mutable_response();
    response.Clear();
    response.set_id(work.request.id());
    response.mutable_status()->set_code(v1::OK);
    return response;
}

void Connection::refuse(Work& work, const Error& error) { to_wire(error, *answer(work).mutable_status()); }

void Connection::prepare_ahead() {
    if (!hello_done_) return;
    const std::size_t end = std::min(queue_.size(), executed_ + kPreparedAhead);
    for (std::size_t i = executed_; i < end; ++i) {
        if (queue_[i].stage == Work::Stage::waiting && is_transaction(queue_[i].request.request_case())) {
            start_preparing(queue_[i], first_number_ + i);
        }
    }
}

void Connection::start_preparing(Work& work, std::uint64_t number) {
    work.stage = Work::Stage::preparing;
    auto preparation = std::make_shared<Preparation>();
    preparation->request.Swap(&work.request);
    work.request.set_id(preparation->request.id());
    if (preparation->request.has_timeout_ms()) work.request.set_timeout_ms(preparation->request.timeout_ms());
    // The kind stays readable while the content is away.
    if (preparation->request.has_check_graph()) {
        work.request.mutable_check_graph();
    } else {
        work.request.mutable_apply_transaction();
    }
    dispatcher_.workers_.run([preparation, &engine = std::as_const(dispatcher_.engine_)] { preparation->run(engine); },
                             [preparation, number, connection = weak_from_this()] {
                                 if (const auto alive = connection.lock()) alive->prepared(number, *preparation);
                             });
}

void Connection::prepared(std::uint64_t number, Preparation& preparation) {
    Work* work = find(number);
    if (work == nullptr) return;
    work->content = std::move(preparation.content);
    if (preparation.prepared) {
        work->stage = Work::Stage::ready;
        work->prepared.emplace(std::move(*preparation.prepared));
    } else {
        if (work->content.whole_graph) preparation.prepared.error().edit_index.reset();
        refuse(*work, preparation.prepared.error());
    }
    pump();
}

bool Connection::execute(Work& work, std::uint64_t number) {
    if (work.stage == Work::Stage::answered || work.stage == Work::Stage::executed) return true;
    if (work.stage == Work::Stage::queued) return false;
    const Kind kind = work.request.request_case();
    if (!hello_done_ && kind != v1::Request::kHello) {
        refuse(work, error(ErrorCode::failed_precondition,
                           "the first request of a connection must be hello, with protocol_version 1"));
        return true;
    }
    switch (kind) {
        case v1::Request::kApplyTransaction:
            return work.stage == Work::Stage::ready && execute_transaction(work, number);
        case v1::Request::kCheckGraph:
            if (work.stage != Work::Stage::ready) return false;
            execute_check(work);
            return true;
        case v1::Request::kSetParameters:
            return execute_parameters(work, number);
        case v1::Request::kListDevices:
            execute_list_devices(work, number);
            return true;
        case v1::Request::kMuteOutput:
        case v1::Request::kPanic:
            return execute_output(work, number);
        case v1::Request::kHello:
        case v1::Request::kGetStatus:
        case v1::Request::kListNodeTypes:
        case v1::Request::kGetGraph:
        case v1::Request::kGetFrequencyResponse:
        case v1::Request::kSubscribe:
        case v1::Request::kResetMeters:
        case v1::Request::REQUEST_NOT_SET:
            break;
    }
    return execute_in_turn(work);
}

bool Connection::execute_transaction(Work& work, std::uint64_t number) {
    if (!dispatcher_.may_ask(*this, true)) {
        return engine_full(work, error(ErrorCode::resource_exhausted, "other transactions wait for room"), true);
    }
    const auto ticket = dispatcher_.engine_.commit(*work.prepared);
    if (!ticket) {
        Error refused = ticket.error();
        if (work.content.whole_graph) refused.edit_index.reset();
        if (refused.code == ErrorCode::resource_exhausted) return engine_full(work, std::move(refused), true);
        refuse(work, refused);
        return true;
    }
    dispatcher_.turn_used(*this, true);
    dispatcher_.host_.graph_changed();
    work.prepared.reset();
    const std::uint64_t revision = ticket->revision;
    dispatcher_.hub_.publish([&](v1::Event& event) {
        v1::GraphChanged& changed = *event.mutable_graph_changed();
        changed.set_revision(revision);
        changed.mutable_edits()->Swap(work.content.edits.mutable_edits());
        changed.set_client_name(client_name_);
    });
    work.content.edits.Clear();
    dispatcher_.link_.announce(*ticket);
    v1::Response& response = answer(work);
    response.mutable_apply_transaction()->set_revision(revision);
    commit_done(work, number, *ticket);
    return true;
}

bool Connection::execute_parameters(Work& work, std::uint64_t number) {
    if (work.changes.empty()) {
        auto changes = to_changes(work.request.set_parameters());
        if (!changes) {
            refuse(work, changes.error());
            return true;
        }
        work.changes = std::move(*changes);
    }
    if (!dispatcher_.may_ask(*this, false)) {
        return engine_full(work, error(ErrorCode::resource_exhausted, "other parameter changes wait for room"), false);
    }
    const auto ticket = dispatcher_.engine_.set_parameters(work.changes);
    if (!ticket) {
        if (ticket.error().code == ErrorCode::resource_exhausted) return engine_full(work, ticket.error(), false);
        refuse(work, ticket.error());
        return true;
    }
    dispatcher_.turn_used(*this, false);
    dispatcher_.host_.graph_changed();
    dispatcher_.hub_.publish([&](v1::Event& event) {
        v1::ParametersChanged& changed = *event.mutable_parameters_changed();
        changed.set_revision(ticket->revision);
        changed.mutable_changes()->Swap(work.request.mutable_set_parameters()->mutable_changes());
        changed.set_client_name(client_name_);
    });
    work.changes = {};
    answer(work).mutable_set_parameters();
    commit_done(work, number, *ticket);
    return true;
}

/// The answer is complete but for the frame, and is held back until that is known.
void Connection::commit_done(Work& work, std::uint64_t number, const Ticket& ticket) {
    work.stage = Work::Stage::executed;
    dispatcher_.await(ticket, [number, connection = weak_from_this()](std::optional<std::uint64_t> frame) {
        const auto alive = connection.lock();
        Work* waiting = alive != nullptr ? alive->find(number) : nullptr;
        if (waiting == nullptr) return;
        waiting->stage = Work::Stage::answered;
        v1::Response& response = *waiting->answer.mutable_response();
        if (!frame) {
            to_wire(error(ErrorCode::deadline_exceeded,
                          "committed, but no block of audio has run for 500 ms, so it is not heard yet"),
                    *response.mutable_status());
        } else if (response.has_apply_transaction()) {
            response.mutable_apply_transaction()->set_frame(*frame);
        } else {
            response.mutable_set_parameters()->set_frame(*frame);
        }
        alive->pump();
    });
}

bool Connection::engine_full(Work& work, Error error, bool transaction) {
    const TimePoint now = dispatcher_.clock_();
    if (!work.give_up) work.give_up = now + std::chrono::milliseconds{timeout_ms(work.request)};
    if (now < *work.give_up) {
        dispatcher_.wait_for_room(*this, transaction);
        return false;
    }
    error.sentence += "; given up after " + std::to_string(timeout_ms(work.request)) + " ms (timeout_ms)";
    refuse(work, error);
    return true;
}

/// Gives up what has waited too long; whoever waits for room is asked, whether or not its turn has come.
void Connection::expire(TimePoint now) {
    if (executed_ == queue_.size()) return;
    Work& work = queue_[executed_];
    if (work.stage == Work::Stage::answered || !work.give_up || now < *work.give_up) return;
    refuse(work, error(ErrorCode::resource_exhausted, "the engine had no room for this within " +
                                                          std::to_string(timeout_ms(work.request)) +
                                                          " ms (timeout_ms); nothing has changed"));
    pump();
}

void Connection::execute_check(Work& work) {
    const auto checked = dispatcher_.engine_.check(*work.prepared);
    if (checked) {
        v1::CheckResult& result = *answer(work).mutable_check_graph();
        result.set_node_count(static_cast<std::uint32_t>(checked->node_count));
        result.set_connection_count(static_cast<std::uint32_t>(checked->connection_count));
    } else {
        Error refused = checked.error();
        if (work.content.whole_graph) refused.edit_index.reset();
        refuse(work, refused);
    }
    work.prepared.reset();
    work.content = {};
}

void Connection::execute_list_devices(Work& work, std::uint64_t number) {
    work.stage = Work::Stage::executed;
    dispatcher_.list_devices(*this, number);
}

bool Connection::execute_output(Work& work, std::uint64_t number) {
    work.stage = Work::Stage::queued;
    const auto with_work = [number, connection = weak_from_this()](const auto& use) {
        const auto alive = connection.lock();
        Work* waiting = alive != nullptr ? alive->find(number) : nullptr;
        if (waiting == nullptr) return;
        use(*alive, *waiting);
        alive->pump();
    };
    const TimePoint now = dispatcher_.clock_();
    OutputControl::Asked asked{
        .client_name = client_name_,
        .now = now,
        .give_up = now + std::chrono::milliseconds{timeout_ms(work.request)},
        .committed =
            [with_work] {
                with_work([](Connection&, Work& waiting) {
                    if (waiting.stage == Work::Stage::queued) waiting.stage = Work::Stage::executed;
                });
            },
        .answered =
            [with_work](const Expected<std::optional<std::uint64_t>>& outcome) {
                with_work([&](Connection& self, Work& waiting) { self.answer_output(waiting, outcome); });
            }};
    if (work.request.has_panic()) {
        dispatcher_.output_.panic(std::move(asked));
    } else {
        dispatcher_.output_.mute(work.request.mute_output().muted(), std::move(asked));
    }
    if (dispatcher_.busy_) dispatcher_.busy_();
    return work.stage != Work::Stage::queued;
}

void Connection::answer_output(Work& work, const Expected<std::optional<std::uint64_t>>& outcome) {
    if (!outcome) return refuse(work, outcome.error());
    v1::Response& response = answer(work);
    if (work.request.has_panic()) {
        v1::PanicResult& result = *response.mutable_panic();
        if (*outcome) result.set_frame(**outcome);
    } else {
        v1::MuteOutputResult& result = *response.mutable_mute_output();
        if (*outcome) result.set_frame(**outcome);
    }
    if (*outcome) return;
    to_wire(error(ErrorCode::deadline_exceeded, "begun, but no block of audio has run for 500 ms, so it is not over"),
            *response.mutable_status());
}

bool Connection::execute_in_turn(Work& work) {
    if (executed_ != 0 || !outbox_.has_room()) return false;
    Expected<void> done;
    v1::Response& response = answer(work);
    switch (work.request.request_case()) {
        case v1::Request::kHello:
            answer_hello(work.request.hello(), response);
            break;
        case v1::Request::kGetStatus:
            answer_status(*response.mutable_get_status());
            break;
        case v1::Request::kListNodeTypes:
            done = answer_node_types(work.request.list_node_types(), *response.mutable_list_node_types());
            break;
        case v1::Request::kGetGraph:
            answer_graph(*response.mutable_get_graph());
            break;
        case v1::Request::kGetFrequencyResponse:
            done = answer_frequency_response(work.request.get_frequency_response(),
                                             *response.mutable_get_frequency_response());
            break;
        case v1::Request::kSubscribe:
            done = answer_subscribe(work.request.subscribe(), *response.mutable_subscribe());
            break;
        case v1::Request::kResetMeters:
            done = answer_reset_meters(work.request.reset_meters(), *response.mutable_reset_meters());
            break;
        default:
            done = std::unexpected(unknown_request(work.request));
            break;
    }
    if (!done) refuse(work, done.error());
    return true;
}

void Connection::answer_hello(const v1::Hello& hello, v1::Response& response) {
    const auto refuse_hello = [&](ErrorCode code, std::string sentence) {
        to_wire(error(code, std::move(sentence)), *response.mutable_status());
    };
    if (hello_done_) {
        return refuse_hello(ErrorCode::failed_precondition, "hello was said before; a connection says it once");
    }
    if (hello.protocol_version() != kProtocolVersion) {
        return refuse_hello(ErrorCode::failed_precondition,
                            "protocol version " + std::to_string(hello.protocol_version()) +
                                " is not spoken here; rtad " RTA_VERSION " speaks version 1");
    }
    if (hello.client_name().size() > kMaximumClientNameBytes || !printable(hello.client_name())) {
        return refuse_hello(ErrorCode::invalid_argument, "client_name " + quoted(hello.client_name()) +
                                                             " must be at most 128 bytes without control characters");
    }
    hello_done_ = true;
    client_name_ = hello.client_name();
    v1::HelloResult& result = *response.mutable_hello();
    result.set_protocol_version(kProtocolVersion);
    result.set_server_version(RTA_VERSION);
    result.set_instance_id(dispatcher_.hub_.instance_id());
}

void Connection::answer_status(v1::StatusResult& result) const {
    const Engine& engine = dispatcher_.engine_;
    const EngineStatistics statistics = engine.statistics();
    result.set_server_version(RTA_VERSION);
    result.set_instance_id(dispatcher_.hub_.instance_id());
    result.set_uptime_s(std::chrono::duration<double>(dispatcher_.clock_() - dispatcher_.start_).count());
    to_wire(dispatcher_.host_.device_status(), *result.mutable_device());
    to_wire(dispatcher_.host_.realtime_status(), *result.mutable_realtime());
    to_wire(dispatcher_.host_.store_status(), *result.mutable_store());
    to_wire(dispatcher_.host_.load_status(), engine.renderer().frames(), *result.mutable_load());
    v1::EngineState& state = *result.mutable_engine();
    state.set_block_size_frames(engine.config().block_size);
    state.set_frame(engine.renderer().frames());
    state.set_revision(engine.revision());
    state.set_change_number(dispatcher_.hub_.number());
    state.set_node_count(static_cast<std::uint32_t>(engine.graph().node_count()));
    state.set_connection_count(static_cast<std::uint32_t>(engine.graph().connection_count()));
    state.set_plans_made(statistics.plans_made);
    state.set_plans_freed(statistics.plans_freed);
    state.set_plans_alive(statistics.plans_alive);
    state.set_telemetry_dropped(statistics.telemetry_dropped);
    state.set_output_muted(engine.output_muted());
    state.set_simd_target(std::string{dsp::simd_target()});
    to_wire(engine.latency(), engine.graph(), state);
    result.set_client_count(static_cast<std::uint32_t>(dispatcher_.connections_.size()));
    list_clients(result);
}

void Connection::list_clients(v1::StatusResult& result) const {
    for (const Connection* connection : dispatcher_.connections_) {
        if (!connection->hello_done_) continue;
        v1::ClientState& client = *result.add_clients();
        client.set_name(connection->client_name_);
        client.set_address(connection->address_);
        client.set_connected_s(std::chrono::duration<double>(dispatcher_.clock_() - connection->connected_).count());
        client.set_telemetry_dropped(connection->outbox_.telemetry_dropped());
    }
}

void Connection::answer_graph(v1::GraphResult& result) const {
    const GraphDocument document = dispatcher_.engine_.graph().document();
    to_wire(document, *result.mutable_graph());
    result.set_document(write_document(document));
    result.set_revision(dispatcher_.engine_.revision());
    result.set_change_number(dispatcher_.hub_.number());
}

Expected<void> Connection::answer_node_types(const v1::ListNodeTypes& request, v1::NodeTypesResult& result) const {
    const NodeRegistry& registry = dispatcher_.engine_.registry();
    if (!request.type().empty()) {
        const auto type = registry.require(request.type());
        if (!type) return std::unexpected(type.error());
        to_wire(**type, *result.add_types());
        return {};
    }
    for (const NodeType* type : registry.types()) to_wire(*type, *result.add_types());
    return {};
}

Expected<void> Connection::answer_frequency_response(const v1::GetFrequencyResponse& request,
                                                     v1::FrequencyResponseResult& result) const {
    constexpr int kMostFrequencies = 2048;
    const Engine& engine = dispatcher_.engine_;
    const double sample_rate_hz = engine.config().sample_rate_hz;
    if (request.frequencies_hz_size() > kMostFrequencies) {
        return fail(ErrorCode::invalid_argument, std::to_string(request.frequencies_hz_size()) +
                                                     " frequencies_hz are too many: at most " +
                                                     std::to_string(kMostFrequencies));
    }
    std::vector<float> frequencies_hz{request.frequencies_hz().begin(), request.frequencies_hz().end()};
    if (frequencies_hz.empty()) frequencies_hz = audible_frequencies(sample_rate_hz);
    const auto responses =
        frequency_response(engine.graph(), engine.registry(), request.node(), frequencies_hz, sample_rate_hz);
    if (!responses) return std::unexpected(responses.error());
    result.set_sample_rate_hz(sample_rate_hz);
    result.mutable_frequencies_hz()->Add(frequencies_hz.begin(), frequencies_hz.end());
    for (const FrequencyResponse& response : *responses) to_wire(response, *result.add_outputs());
    return {};
}

Expected<void> Connection::answer_subscribe(const v1::Subscribe& request, v1::SubscribeResult& result) {
    const bool all = request.topics().empty();
    bool changes = all;
    Telemetry::Topics topics{.levels = all, .load = all, .xruns = all};
    for (const int topic : request.topics()) {
        switch (topic) {
            case v1::TOPIC_CHANGES:
                changes = true;
                break;
            case v1::TOPIC_LEVELS:
                topics.levels = true;
                break;
            case v1::TOPIC_LOAD:
                topics.load = true;
                break;
            case v1::TOPIC_XRUNS:
                topics.xruns = true;
                break;
            case v1::TOPIC_NODE_LOADS:
                topics.node_loads = true;
                break;
            default:
                return fail(ErrorCode::invalid_argument,
                            "topic " + std::to_string(topic) +
                                " is unknown; there are TOPIC_CHANGES (1), TOPIC_LEVELS (2), TOPIC_LOAD (3), "
                                "TOPIC_XRUNS (4) and TOPIC_NODE_LOADS (5)");
        }
    }
    if (request.has_telemetry_rate_hz()) {
        topics.rate_hz = request.telemetry_rate_hz();
        if (!(topics.rate_hz >= Telemetry::kMinimumRateHz && topics.rate_hz <= Telemetry::kMaximumRateHz)) {
            return fail(ErrorCode::invalid_argument,
                        "telemetry_rate_hz is " + format_number(topics.rate_hz) + "; it must be from 1 to 100");
        }
    }
    if (changes) {
        dispatcher_.hub_.subscribe(*this);
    } else {
        dispatcher_.hub_.unsubscribe(*this);
    }
    dispatcher_.telemetry_.subscribe(*this, topics, dispatcher_.clock_());
    if (dispatcher_.busy_) dispatcher_.busy_();
    result.set_instance_id(dispatcher_.hub_.instance_id());
    result.set_change_number(dispatcher_.hub_.number());
    return {};
}

Expected<void> Connection::answer_reset_meters(const v1::ResetMeters& request, v1::ResetMetersResult& result) {
    if (request.nodes_size() > kMaximumItems) {
        return fail(ErrorCode::invalid_argument, "the list of nodes holds " + std::to_string(request.nodes_size()) +
                                                     " of them; the most is " + std::to_string(kMaximumItems));
    }
    const std::vector<std::string> names{request.nodes().begin(), request.nodes().end()};
    std::unordered_set<std::string_view> seen;
    for (const std::string& name : names) {
        if (!seen.insert(name).second)
            return fail(ErrorCode::invalid_argument, "node " + quoted(name) + " is named twice; once is enough");
    }
    const auto frame = dispatcher_.engine_.restart_loudness(names);
    if (!frame) return std::unexpected(frame.error());
    result.set_frame(*frame);
    return {};
}

// ---------------------------------------------------------------------------------------------------------------------
// Dispatcher

Dispatcher::Dispatcher(Engine& engine, Host& host, Workers& workers, Clock clock)
    : engine_{engine},
      host_{host},
      workers_{workers},
      clock_{std::move(clock)},
      start_{clock_()},
      hub_{random_instance_id()},
      link_{engine_, hub_},
      output_{engine_, hub_, link_, workers_},
      telemetry_{engine_, host_},
      self_{std::make_shared<Dispatcher*>(this)} {}

std::shared_ptr<Connection> Dispatcher::connect(std::string address) {
    auto connection = std::make_shared<Connection>(*this, std::move(address));
    connections_.push_back(connection.get());
    return connection;
}

void Dispatcher::tick() {
    const TimePoint now = clock_();
    link_.poll(now);
    output_.poll(now);
    telemetry_.poll(now);
    retry(plan_room_, now);
    retry(parameter_room_, now);
    expire_devices(now);
}

std::chrono::microseconds Dispatcher::interval() const {
    const bool waiting = !plan_room_.waiting.empty() || !parameter_room_.waiting.empty();
    std::chrono::microseconds interval = link_.interval();
    if (waiting) interval = std::min(interval, kRoomInterval);
    if (output_.busy()) interval = std::min(interval, kOutputInterval);
    if (const auto telemetry = telemetry_.interval(clock_())) interval = std::min(interval, *telemetry);
    return interval;
}

void Dispatcher::await(const Ticket& ticket, EngineLink::Answered answered) {
    link_.await(ticket, clock_() + kHeardDeadline, std::move(answered));
    if (busy_) busy_();
}

bool Dispatcher::may_ask(Connection& connection, bool transaction) {
    RoomQueue& queue = room_queue(transaction);
    return queue.waiting.empty() || queue.in_turn == &connection;
}

/// Another request of the same connection goes behind the others.
void Dispatcher::turn_used(Connection& connection, bool transaction) {
    RoomQueue& queue = room_queue(transaction);
    if (queue.in_turn == &connection) queue.in_turn = nullptr;
}

void Dispatcher::wait_for_room(Connection& connection, bool transaction) {
    RoomQueue& queue = room_queue(transaction);
    if (queue.in_turn == &connection) {
        // Refused in its turn: it stays first.
        queue.in_turn = nullptr;
        queue.full = true;
        queue.waiting.push_front(connection.weak_from_this());
        return;
    }
    const auto same = [&](const std::weak_ptr<Connection>& other) { return other.lock().get() == &connection; };
    if (std::ranges::none_of(queue.waiting, same)) queue.waiting.push_back(connection.weak_from_this());
    if (busy_) busy_();
}

void Dispatcher::retry(RoomQueue& queue, TimePoint now) {
    // Those whose time is up need no turn to be told so. A copy: they may queue again with their next request.
    for (const auto& waiting : std::deque{queue.waiting}) {
        if (const auto connection = waiting.lock()) connection->expire(now);
    }
    queue.full = false;
    // One round: whoever queues again with a further request waits for the next.
    for (std::size_t left = queue.waiting.size(); left > 0 && !queue.full && !queue.waiting.empty(); --left) {
        const auto connection = queue.waiting.front().lock();
        queue.waiting.pop_front();
        if (connection == nullptr) continue;
        queue.in_turn = connection.get();
        connection->pump();
        queue.in_turn = nullptr;
    }
}

void Dispatcher::list_devices(Connection& connection, std::uint64_t number) {
    devices_waiters_.push_back({connection.weak_from_this(), number, clock_() + kDevicesDeadline});
    // A look that is under way answers everybody: devices are slow, and a client could ask a thousand times.
    if (std::exchange(listing_devices_, true)) return;
    host_.list_devices([self = std::weak_ptr<Dispatcher*>{self_}](const std::vector<DeviceInfo>& devices) {
        if (const auto alive = self.lock()) (*alive)->devices_listed(devices);
    });
}

void Dispatcher::devices_listed(const std::vector<DeviceInfo>& devices) {
    listing_devices_ = false;
    for (const DevicesWaiter& waiter : std::exchange(devices_waiters_, {})) {
        const auto connection = waiter.connection.lock();
        Connection::Work* work = connection != nullptr ? connection->find(waiter.number) : nullptr;
        if (work == nullptr) continue;
        v1::DevicesResult& result = *connection->answer(*work).mutable_list_devices();
        for (const DeviceInfo& device : devices) to_wire(device, *result.add_devices());
        connection->pump();
    }
}

void Dispatcher::expire_devices(TimePoint now) {
    while (!devices_waiters_.empty() && devices_waiters_.front().deadline <= now) {
        const DevicesWaiter waiter = devices_waiters_.front();
        devices_waiters_.pop_front();
        const auto connection = waiter.connection.lock();
        Connection::Work* work = connection != nullptr ? connection->find(waiter.number) : nullptr;
        if (work == nullptr) continue;
        connection->refuse(*work, error(ErrorCode::deadline_exceeded,
                                        "the host's audio libraries have not listed their devices within 10 s"));
        connection->pump();
    }
}

void Dispatcher::device_changed(const DeviceStatus& device) {
    hub_.publish([&](v1::Event& event) { to_wire(device, *event.mutable_device_changed()->mutable_device()); });
}

void Dispatcher::fade_out(float length_ms, std::function<void()> done) {
    link_.fade_out(length_ms, std::move(done));
    if (busy_) busy_();
}

}  // namespace rta::api
