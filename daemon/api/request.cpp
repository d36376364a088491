// SPDX-License-Identifier: MIT
#include "api/request.h"

#include <string>

namespace rta::api {
namespace {

constexpr std::uint32_t kDefaultTimeoutMs = 1000;
constexpr std::uint32_t kMaximumTimeoutMs = 60'000;

}  // namespace

std::uint32_t timeout_ms(const v1::Request& request) {
    return request.has_timeout_ms() ? request.timeout_ms() : kDefaultTimeoutMs;
}

Error unknown_request(const v1::Request& request) {
    const auto& fields = v1::Request::GetReflection()->GetUnknownFields(request);
    std::string which = fields.empty() ? "the request holds nothing"
                                       : "the request in field " + std::to_string(fields.field(0).number()) +
                                             " of rta.v1.Request is unknown";
    std::string known;
    const auto& requests = *v1::Request::descriptor()->FindOneofByName("request");
    for (int i = 0; i < requests.field_count(); ++i) known += (i == 0 ? "" : ", ") + requests.field(i)->name();
    return Error{ErrorCode::unimplemented, which + "; rtad " RTA_VERSION " knows: " + known, {}};
}

std::optional<Error> fault_of(const v1::Request& request) {
    if (request.request_case() == v1::Request::REQUEST_NOT_SET) return unknown_request(request);
    const std::uint32_t timeout = timeout_ms(request);
    if (timeout < 1 || timeout > kMaximumTimeoutMs) {
        return Error{ErrorCode::invalid_argument,
                     "timeout_ms is " + std::to_string(timeout) + "; it must be from 1 to 60000",
                     {}};
    }
    return std::nullopt;
}

}  // namespace rta::api
