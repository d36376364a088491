// SPDX-License-Identifier: MIT
#include "api/exception_barrier.h"

#include <new>
#include <stdexcept>
#include <string>

namespace rta::api {

Error thrown_error(const std::exception_ptr& thrown, std::string_view doing) {
    const std::string what{doing};
    try {
        std::rethrow_exception(thrown);
    } catch (const std::bad_alloc&) {
        return Error{ErrorCode::resource_exhausted, "memory ran out while " + what, {}};
    } catch (const std::length_error&) {
        return Error{ErrorCode::resource_exhausted, "allocation size too large while " + what, {}};
    } catch (const std::exception& other) {
        return Error{ErrorCode::internal, "something failed while " + what + ": " + other.what(), {}};
    } catch (...) {
        return Error{ErrorCode::internal, "something failed while " + what, {}};
    }
}

Error unchanged(Error error) {
    error.sentence += "; nothing has changed";
    return error;
}

}  // namespace rta::api
