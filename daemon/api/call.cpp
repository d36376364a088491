// SPDX-License-Identifier: MIT
#include "api/call.h"

#include <algorithm>
#include <string>
#include <utility>

#include "api/client.h"
#include "api/convert.h"
#include "api/list_limits.h"
#include "frame/frame_codec.h"

namespace rta::api {
namespace {

constexpr std::uint32_t kDefaultTimeoutMs = 1000;
constexpr std::uint32_t kMaximumTimeoutMs = 60'000;

std::uint32_t timeout_of(const v1::Request& message) {
    return message.has_timeout_ms() ? message.timeout_ms() : kDefaultTimeoutMs;
}

Error unknown_request(const v1::Request& message) {
    const auto& fields = v1::Request::GetReflection()->GetUnknownFields(message);
    std::string sentence =
        fields.empty() ? "the request is empty"
                       : "unknown request in field " + std::to_string(fields.field(0).number()) + " of rta.v1.Request";
    std::string_view separator = ": rtad " RTA_VERSION " supports ";
    for (const RequestKind& kind : request_table()) {
        sentence.append(separator).append(kind.name);
        separator = ", ";
    }
    return Error{ErrorCode::unimplemented, std::move(sentence), {}};
}

/// Returns the error of a request that is invalid regardless of its kind.
std::optional<Error> find_error(const v1::Request& message) {
    if (find_request_kind(message.request_case()) == nullptr) return unknown_request(message);
    const std::uint32_t timeout = timeout_of(message);
    if (timeout >= 1 && timeout <= kMaximumTimeoutMs) return std::nullopt;
    return Error{
        ErrorCode::invalid_argument,
        "timeout_ms is " + std::to_string(timeout) + "; it must be from 1 to " + std::to_string(kMaximumTimeoutMs),
        {}};
}

}  // namespace

ParsedRequest ParsedRequest::parse(std::string_view payload) {
    ParsedRequest parsed{.bytes = payload.size()};
    WireCheck check = check_wire(payload);
    if (check.verdict == WireCheck::Verdict::malformed) {
        parsed.malformed = std::move(check.error);
    } else if (check.verdict == WireCheck::Verdict::too_large) {
        parsed.message.set_id(check.id);
        parsed.error = std::move(check.error);
    } else if (parsed.message.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
        parsed.kind = find_request_kind(parsed.message.request_case());
        parsed.bytes = std::max(parsed.bytes, parsed.message.SpaceUsedLong());
        parsed.error = find_error(parsed.message);
    } else {
        parsed.message.Clear();
        parsed.malformed =
            Error{ErrorCode::invalid_argument, "the message is not an rta.v1.Request; disconnecting", {}};
    }
    return parsed;
}

void ParsedRequest::take_content(v1::Request& content) {
    content.Swap(&message);
    message.set_id(content.id());
    if (content.has_timeout_ms()) message.set_timeout_ms(content.timeout_ms());
}

Error not_introduced() {
    return {ErrorCode::failed_precondition, "the first request of a client must be hello, with protocol_version 1", {}};
}

std::uint32_t PendingRequest::timeout_ms() const { return timeout_of(message); }

void PendingRequest::prepared(Expected<std::unique_ptr<RequestState>> result) {
    if (turn_over()) return;  // the access of its client has ended
    if (!result) return refuse(result.error());
    state = std::move(*result);
    stage = Stage::prepared;
}

std::uint32_t PendingRequest::room_timeout_ms() const {
    return large ? std::min(timeout_ms(), kLargeRoomMs) : timeout_ms();
}

std::string PendingRequest::room_timeout_text() const {
    const std::uint32_t length_ms = room_timeout_ms();
    return std::to_string(length_ms) +
           (length_ms == timeout_ms() ? " ms (timeout_ms)" : " ms (large requests wait no longer)");
}

v1::Response& PendingRequest::begin_answer() {
    encoded = {};
    v1::Response& response = *reply.mutable_response();
    response.Clear();
    response.set_id(message.id());
    response.mutable_status()->set_code(v1::OK);
    return response;
}

v1::Response& PendingRequest::answer() {
    stage = Stage::answered;
    return begin_answer();
}

EncodedAnswer EncodedAnswer::of(std::uint64_t id, const std::function<void(v1::Response&)>& fill) {
    v1::ServerMessage message;
    v1::Response& response = *message.mutable_response();
    response.set_id(id);
    response.mutable_status()->set_code(v1::OK);
    fill(response);
    EncodedAnswer answer;
    answer.bytes = message.ByteSizeLong();
    if (answer.bytes > kMaximumFrameBytes) return answer;  // is refused
    append_frame_length(answer.frame, answer.bytes);
    message.AppendToString(&answer.frame);
    return answer;
}

void PendingRequest::answer(EncodedAnswer&& answer) {
    stage = Stage::answered;
    encoded = std::move(answer);
}

void PendingRequest::defer_answer() {
    stage = Stage::executed;
    ++awaited;
}

void PendingRequest::answer_part() {
    if (stage == Stage::executed && --awaited == 0) stage = Stage::answered;
}

void PendingRequest::refuse(const Error& error) {
    claim.withdraw();
    to_wire(error, *answer().mutable_status());
}

void PendingRequest::fail(Error error) {
    if (!committed) {
        error.sentence += "; nothing has changed";
        return refuse(error);
    }
    error.sentence += "; the change was committed nevertheless";
    stage = Stage::answered;
    to_wire(error, *reply.mutable_response()->mutable_status());
}

bool CallHandle::use(const std::function<void(Call&)>& use) const {
    const auto client = client_.lock();
    return client != nullptr && client->use(number_, use);
}

void CallHandle::resume(const std::function<void(Call&)>& use) const {
    if (const auto client = client_.lock()) client->resume(number_, use);
}

CallHandle Call::handle() const { return {client.weak_from_this(), number}; }

}  // namespace rta::api
