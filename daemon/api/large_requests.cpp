// SPDX-License-Identifier: MIT
#include "api/large_requests.h"

#include <google/protobuf/io/coded_stream.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "api/client.h"
#include "api/exception_barrier.h"
#include "api/services.h"
#include "rta/v1/control.pb.h"

namespace rta::api {

using Stage = PendingRequest::Stage;

namespace {

/// Returns the kind that the first fields of the payload announce; null if they do not. It has not been checked.
const RequestKind* announced_kind(std::string_view payload) {
    constexpr std::uint32_t kVarint = 0;
    constexpr std::uint32_t kBytes = 2;
    google::protobuf::io::CodedInputStream input{reinterpret_cast<const std::uint8_t*>(payload.data()),
                                                 static_cast<int>(payload.size())};
    for (int field = 0; field < 3; ++field) {  // id, timeout_ms, and the content
        const std::uint32_t tag = input.ReadTag();
        if ((tag & 7U) == kBytes) return find_request_kind(static_cast<v1::Request::RequestCase>(tag >> 3U));
        std::uint64_t skipped = 0;
        if ((tag & 7U) != kVarint || !input.ReadVarint64(&skipped)) return nullptr;
    }
    return nullptr;
}

/// Copying the graph takes time, and a change of parameters makes the previous copy outdated.
bool needs_snapshot(std::string_view payload) {
    const RequestKind* const kind = announced_kind(payload);
    return kind == nullptr || kind->prepare != nullptr;
}

}  // namespace

/// Data that is passed to the worker and back.
struct LargeRequests::Job {
    std::string payload;
    SharedGraphSnapshot snapshot;  ///< null: the payload announces a kind that needs none
    Role role;                     ///< of the client
    ParsedRequest parsed{};
    std::optional<Expected<std::unique_ptr<RequestState>>> state{};  ///< nothing: the request needs no preparation

    /// [any]
    void run(const Engine& engine) {
        parsed = ParsedRequest::parse(payload);
        if (parsed.error || parsed.malformed || parsed.kind->prepare == nullptr) return;
        if (!permits(role, *parsed.kind)) return;  // the dispatcher refuses it
        if (snapshot == nullptr) {
            parsed.error = Error{ErrorCode::invalid_argument, "a request has one content: expected no other field", {}};
            return;
        }
        v1::Request message;  // freed on the worker
        parsed.take_content(message);
        state = parsed.kind->prepare(engine, std::move(snapshot), message);
    }
};

void LargeRequests::add(const Call& call) {
    call.request.stage = Stage::parsing;
    waiting_.push_back(call.handle());
    start_next();
}

bool LargeRequests::in_turn() {
    bool over = true;
    if (current_) {
        current_->use([&](const Call& call) {
            // A request that needs no preparation may have to wait until its client reads earlier answers.
            const RequestKind* const kind = call.request.kind;
            over = call.request.turn_over() || kind == nullptr || kind->prepare == nullptr;
        });
    }
    if (over) current_.reset();
    return !over;
}

/// Clients that have left in the meantime are skipped.
void LargeRequests::start_next() {
    while (!on_worker_ && !in_turn() && !waiting_.empty()) {
        current_ = std::move(waiting_.front());
        waiting_.pop_front();
        current_->use([this](Call& call) {
            const auto started = guarded("reading a request", [&] { start(call); });
            if (!started) call.client.refuse_stream(call.request, started.error());
        });
    }
}

void LargeRequests::start(const Call& call) {
    std::string& payload = call.request.payload;
    SharedGraphSnapshot snapshot = needs_snapshot(payload) ? call.services.snapshot() : nullptr;
    const auto job = std::make_shared<Job>(std::move(payload), std::move(snapshot), call.client.identity().role);
    on_worker_ = true;
    const auto started = guarded("reading a request", [&] {
        workers_.run(
            "reading a request", [job, &engine = std::as_const(engine_)] { job->run(engine); },
            [this, job, handle = call.handle()](const Expected<void>& ran) {
                if (!ran) job->parsed.malformed = unchanged(ran.error());
                finish(*job, handle);
                start_next();  // the client may have left
                // Other functions still refer to the job itself.
                static_cast<void>(
                    guarded("freeing a request", [&] { workers_.free(std::make_shared<Job>(std::move(*job))); }));
            },
            Workers::Lane::large_requests);
    });
    if (started) return;
    on_worker_ = false;
    call.client.refuse_stream(call.request, started.error());
}

void LargeRequests::finish(Job& job, const CallHandle& handle) {
    on_worker_ = false;
    handle.resume([&](Call& call) {
        call.client.accept(call.request, job.parsed);
        if (job.state) call.request.prepared(std::move(*job.state));
    });
}

}  // namespace rta::api
