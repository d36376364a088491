// SPDX-License-Identifier: MIT
#include "text/error.h"

namespace rta {

std::string_view error_code_name(ErrorCode code) noexcept {
    switch (code) {
        case ErrorCode::invalid_argument:
            return "INVALID_ARGUMENT";
        case ErrorCode::deadline_exceeded:
            return "DEADLINE_EXCEEDED";
        case ErrorCode::not_found:
            return "NOT_FOUND";
        case ErrorCode::already_exists:
            return "ALREADY_EXISTS";
        case ErrorCode::permission_denied:
            return "PERMISSION_DENIED";
        case ErrorCode::resource_exhausted:
            return "RESOURCE_EXHAUSTED";
        case ErrorCode::failed_precondition:
            return "FAILED_PRECONDITION";
        case ErrorCode::aborted:
            return "ABORTED";
        case ErrorCode::unimplemented:
            return "UNIMPLEMENTED";
        case ErrorCode::internal:
            return "INTERNAL";
        case ErrorCode::unavailable:
            return "UNAVAILABLE";
        case ErrorCode::unauthenticated:
            return "UNAUTHENTICATED";
    }
    return "INTERNAL";
}

}  // namespace rta
