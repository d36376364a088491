// SPDX-License-Identifier: MIT
// What becomes of a request when its turn has come.
#include <chrono>
#include <string>
#include <utility>

#include "api/client.h"
#include "api/dispatcher.h"
#include "api/exception_barrier.h"
#include "api/request.h"
#include "api/status_wire.h"
#include "text/names.h"

namespace rta::api {
namespace {

using Kind = v1::Request::RequestCase;

constexpr std::uint32_t kProtocolVersion = 1;
constexpr std::size_t kMaximumClientNameBytes = 128;

Error error(ErrorCode code, std::string sentence) { return Error{code, std::move(sentence), {}}; }

}  // namespace

bool Client::execute(Work& work, std::uint64_t number) {
    if (work.stage == Work::Stage::answered || work.stage == Work::Stage::executed) return true;
    if (work.stage == Work::Stage::queued) return false;
    bool next = true;
    const auto executed = guarded("the request was carried out", [&] { next = execute_kind(work, number); });
    if (!executed) broken_off(work, executed.error());
    return next;
}

/// What was committed stays: then the answer says so, and carries the revision.
void Client::broken_off(Work& work, Error error) {
    error.sentence += work.committed ? "; the change was made all the same" : "; nothing has changed";
    const Kind kind = work.request.request_case();
    refuse(work, error);
    if (!work.committed) return;
    v1::Response& response = *work.answer.mutable_response();
    if (kind == v1::Request::kSetParameters) {
        response.mutable_set_parameters();
    } else {
        response.mutable_apply_transaction()->set_revision(work.committed->revision);
    }
}

bool Client::execute_kind(Work& work, std::uint64_t number) {
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

bool Client::execute_transaction(Work& work, std::uint64_t number) {
    if (!dispatcher_.may_ask(*this, true)) {
        return engine_full(work, error(ErrorCode::resource_exhausted, "other transactions wait for room"), true);
    }
    const auto ticket = dispatcher_.engine_.commit(*work.prepared);
    if (!ticket) {
        Error refused = ticket.error();
        // With an edit to blame, it is not the engine that is full, and waiting does not help.
        const bool full = refused.code == ErrorCode::resource_exhausted && !refused.edit_index;
        if (full) return engine_full(work, std::move(refused), true);
        if (work.content.whole_graph) refused.edit_index.reset();
        refuse(work, refused);
        return true;
    }
    work.committed = *ticket;
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

bool Client::execute_parameters(Work& work, std::uint64_t number) {
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
    work.committed = *ticket;
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
void Client::commit_done(Work& work, std::uint64_t number, const Ticket& ticket) {
    work.stage = Work::Stage::executed;
    dispatcher_.await(ticket, [number, client = weak_from_this()](std::optional<std::uint64_t> frame) {
        const auto alive = client.lock();
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

bool Client::engine_full(Work& work, Error error, bool transaction) {
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
void Client::expire(TimePoint now) {
    if (executed_ == queue_.size()) return;
    Work& work = queue_[executed_];
    if (work.stage == Work::Stage::answered || !work.give_up || now < *work.give_up) return;
    refuse(work, error(ErrorCode::resource_exhausted, "the engine had no room for this within " +
                                                          std::to_string(timeout_ms(work.request)) +
                                                          " ms (timeout_ms); nothing has changed"));
    pump();
}

void Client::execute_check(Work& work) {
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

void Client::execute_list_devices(Work& work, std::uint64_t number) {
    work.stage = Work::Stage::executed;
    dispatcher_.list_devices([number, client = weak_from_this()](const Expected<std::vector<DeviceInfo>>& devices) {
        const auto alive = client.lock();
        Work* waiting = alive != nullptr ? alive->find(number) : nullptr;
        if (waiting == nullptr) return;
        if (devices) {
            v1::DevicesResult& result = *alive->answer(*waiting).mutable_list_devices();
            for (const DeviceInfo& device : *devices) to_wire(device, *result.add_devices());
        } else {
            alive->refuse(*waiting, devices.error());
        }
        alive->pump();
    });
}

bool Client::execute_output(Work& work, std::uint64_t number) {
    work.stage = Work::Stage::queued;
    const auto with_work = [number, client = weak_from_this()](const auto& use) {
        const auto alive = client.lock();
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
                with_work([](Client&, Work& waiting) {
                    if (waiting.stage == Work::Stage::queued) waiting.stage = Work::Stage::executed;
                });
            },
        .answered =
            [with_work](const Expected<std::optional<std::uint64_t>>& outcome) {
                with_work([&](Client& self, Work& waiting) { self.answer_output(waiting, outcome); });
            }};
    if (work.request.has_panic()) {
        dispatcher_.output_.panic(std::move(asked));
    } else {
        dispatcher_.output_.mute(work.request.mute_output().muted(), std::move(asked));
    }
    if (dispatcher_.busy_) dispatcher_.busy_();
    return work.stage != Work::Stage::queued;
}

void Client::answer_output(Work& work, const Expected<std::optional<std::uint64_t>>& outcome) {
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

bool Client::execute_in_turn(Work& work) {
    if (executed_ != 0 || !outbox_.has_room()) return false;
    Expected<void> done;
    Answers& answers = dispatcher_.answers_;
    v1::Response& response = answer(work);
    switch (work.request.request_case()) {
        case v1::Request::kHello:
            answer_hello(work.request.hello(), response);
            break;
        case v1::Request::kGetStatus:
            answers.answer_status(*response.mutable_get_status(), dispatcher_.clock_(), dispatcher_.clients_);
            break;
        case v1::Request::kListNodeTypes:
            done = answers.answer_node_types(work.request.list_node_types(), *response.mutable_list_node_types());
            break;
        case v1::Request::kGetGraph:
            done = answers.answer_graph(work.request.get_graph(), *response.mutable_get_graph());
            break;
        case v1::Request::kGetFrequencyResponse:
            done = answers.answer_frequency_response(work.request.get_frequency_response(),
                                                     *response.mutable_get_frequency_response());
            break;
        case v1::Request::kSubscribe:
            done = answer_subscribe(work.request.subscribe(), *response.mutable_subscribe());
            break;
        case v1::Request::kResetMeters:
            done = answers.answer_reset_meters(work.request.reset_meters(), *response.mutable_reset_meters());
            break;
        default:
            done = std::unexpected(unknown_request(work.request));
            break;
    }
    if (!done) refuse(work, done.error());
    return true;
}

void Client::answer_hello(const v1::Hello& hello, v1::Response& response) {
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
    if (hello.client_name().size() > kMaximumClientNameBytes || !is_printable(hello.client_name())) {
        return refuse_hello(ErrorCode::invalid_argument, "client_name " + quoted(hello.client_name()) +
                                                             " must be at most 128 bytes without control characters, "
                                                             "line separators and marks of writing direction");
    }
    hello_done_ = true;
    client_name_ = hello.client_name();
    v1::HelloResult& result = *response.mutable_hello();
    result.set_protocol_version(kProtocolVersion);
    result.set_server_version(RTA_VERSION);
    result.set_instance_id(dispatcher_.hub_.instance_id());
}

Expected<void> Client::answer_subscribe(const v1::Subscribe& request, v1::SubscribeResult& result) {
    const auto wanted = to_subscription(request);
    if (!wanted) return std::unexpected(wanted.error());
    if (wanted->changes) {
        dispatcher_.hub_.subscribe(*this);
    } else {
        dispatcher_.hub_.unsubscribe(*this);
    }
    dispatcher_.telemetry_.subscribe(*this, wanted->telemetry, dispatcher_.clock_());
    if (dispatcher_.busy_) dispatcher_.busy_();
    result.set_instance_id(dispatcher_.hub_.instance_id());
    result.set_change_number(dispatcher_.hub_.number());
    return {};
}

}  // namespace rta::api
