// SPDX-License-Identifier: MIT
#include "api/client.h"

#include <algorithm>
#include <string>
#include <utility>

#include "api/dispatcher.h"
#include "api/exception_barrier.h"
#include "api/list_limits.h"
#include "api/request.h"
#include "frame/frame_codec.h"

namespace rta::api {
namespace {

using Kind = v1::Request::RequestCase;

/// Transactions of one connection that are prepared before their turn comes.
constexpr std::size_t kPreparedAhead = 8;

bool is_transaction(Kind kind) { return kind == v1::Request::kApplyTransaction || kind == v1::Request::kCheckGraph; }

/// What would fit where an answer does not.
std::string narrower(const v1::Request& request) {
    if (!request.has_get_graph()) return "";
    return request.get_graph().content() == v1::GRAPH_CONTENT_UNSPECIFIED && request.get_graph().nodes().empty()
               ? "; get_graph gives one form of the graph with content GRAPH_CONTENT_MESSAGE or "
                 "GRAPH_CONTENT_DOCUMENT, "
                 "and single nodes with nodes"
               : "; get_graph gives single nodes with nodes";
}

Error error(ErrorCode code, std::string sentence) { return Error{code, std::move(sentence), {}}; }

}  // namespace

/// What goes to a worker and comes back.
struct Client::Preparation {
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

Client::Client(Dispatcher& dispatcher, std::string address)
    : dispatcher_{dispatcher}, address_{std::move(address)}, connected_{dispatcher.clock_()} {}

void Client::receive(std::string_view payload) {
    const auto taken = guarded("a request was read; the connection is closed", [&] { take_in(payload); });
    if (!taken) return refuse_stream(taken.error());
    pump();
}

void Client::take_in(std::string_view payload) {
    Work work;
    work.bytes = payload.size();
    const auto oversized = find_oversized(payload);
    if (oversized) {
        work.request.set_id(oversized->id);
        refuse(work, oversized->error);
    } else if (work.request.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
        work.bytes = std::max(work.bytes, work.request.SpaceUsedLong());
        if (const auto fault = fault_of(work.request)) refuse(work, *fault);
    } else {
        return refuse_stream(
            error(ErrorCode::invalid_argument, "the message is no rta.v1.Request; the connection is closed"));
    }
    pending_bytes_ += work.bytes;
    queue_.push_back(std::move(work));
}

void Client::refuse_stream(const Error& error) {
    refused_ = true;
    leave();
    refuse(queue_.emplace_back(), error);
    pump();
}

bool Client::wants_more() const {
    return !refused_ && !closed_ && queue_.size() < kMaximumPending && pending_bytes_ < kMaximumPendingBytes &&
           outbox_.has_room();
}

void Client::close() {
    if (closed_) return;
    closed_ = true;
    changed_ = nullptr;
    leave();
    queue_.clear();
    executed_ = 0;
}

/// From here on it is no client any more, though it may still be told why.
void Client::leave() {
    dispatcher_.hub_.unsubscribe(*this);
    dispatcher_.telemetry_.unsubscribe(*this);
    if (std::exchange(counted_, false)) std::erase(dispatcher_.clients_, this);
}

void Client::deliver(const SharedFrame& event) {
    if (!lost_.empty()) return;
    const auto pushed = guarded("an event was queued", [&] {
        if (!outbox_.push_event(event))
            lost_ = "does not read its events (8 MiB of them, or 8192 between answers, are waiting)";
    });
    if (!pushed) return missed();
    if (changed_) changed_();
}

/// A change is never left out: whoever cannot be told of it must ask for the graph again.
void Client::missed() {
    lost_ = "could not be told of a change for lack of memory";
    if (changed_) changed_();
}

void Client::deliver_telemetry(const SharedTelemetry& event) {
    if (!lost_.empty()) return;
    outbox_.push_telemetry(event);
    if (changed_) changed_();
}

Client::Work* Client::find(std::uint64_t number) {
    if (closed_ || number < first_number_ || number - first_number_ >= queue_.size()) return nullptr;
    return &queue_[static_cast<std::size_t>(number - first_number_)];
}

void Client::pump() {
    // What is called from here may call back at once: the loop below sees to what that changed.
    if (pumping_ || closed_) return;
    pumping_ = true;
    const auto pumped = guarded("requests were answered", [this] {
        while (step()) {
        }
    });
    if (!pumped) lost_ = "could not be answered for lack of memory";
    pumping_ = false;
    if (changed_) changed_();
}

bool Client::step() {
    prepare_ahead();
    if (!queue_.empty() && executed_ > 0 && queue_.front().stage == Work::Stage::answered) {
        emit(queue_.front());
        return true;
    }
    if (executed_ == queue_.size()) return false;
    Work& work = queue_[executed_];
    // Nobody waits long for silence; and what a worker has not finished needs no turn yet.
    const bool urgent = work.request.has_mute_output() || work.request.has_panic();
    const bool preparing = work.stage == Work::Stage::preparing;
    if (heavy_ && !urgent && !preparing && !dispatcher_.heavy_turn(*this)) return false;
    const TimePoint begin = dispatcher_.clock_();
    if (!execute(work, first_number_ + executed_)) return false;
    heavy_ = dispatcher_.took(dispatcher_.clock_() - begin);
    ++executed_;
    return true;
}

void Client::emit(Work& work) {
    if (const std::size_t bytes = work.answer.ByteSizeLong(); bytes > kMaximumFrameBytes) {
        refuse(work, error(ErrorCode::resource_exhausted, "the answer takes " + std::to_string(bytes) +
                                                              " bytes, more than the 4194304 of a message" +
                                                              narrower(work.request)));
    }
    outbox_.push_response(work.answer);
    pending_bytes_ -= work.bytes;
    queue_.pop_front();
    ++first_number_;
    --executed_;
}

v1::Response& Client::answer(Work& work) {
    work.stage = Work::Stage::answered;
    v1::Response& response = *work.answer.mutable_response();
    response.Clear();
    response.set_id(work.request.id());
    response.mutable_status()->set_code(v1::OK);
    return response;
}

void Client::refuse(Work& work, const Error& error) { to_wire(error, *answer(work).mutable_status()); }

void Client::prepare_ahead() {
    if (!hello_done_) return;
    const std::size_t end = std::min(queue_.size(), executed_ + kPreparedAhead);
    for (std::size_t i = executed_; i < end; ++i) {
        if (queue_[i].stage == Work::Stage::waiting && is_transaction(queue_[i].request.request_case())) {
            start_preparing(queue_[i], first_number_ + i);
        }
    }
}

void Client::start_preparing(Work& work, std::uint64_t number) {
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
    dispatcher_.workers_.run(
        "the transaction was prepared; nothing has changed",
        [preparation, &engine = std::as_const(dispatcher_.engine_)] { preparation->run(engine); },
        [preparation, number, client = weak_from_this()](const Expected<void>& ran) {
            if (!ran) preparation->prepared = std::unexpected(ran.error());
            if (const auto alive = client.lock()) alive->prepared(number, *preparation);
        });
}

void Client::prepared(std::uint64_t number, Preparation& preparation) {
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

}  // namespace rta::api
