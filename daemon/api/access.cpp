// SPDX-License-Identifier: MIT
#include "api/access.h"

#include <chrono>
#include <utility>

namespace rta::api {
namespace {

std::unexpected<Error> no_token_file() {
    return fail(ErrorCode::failed_precondition,
                "this rtad has no token file: start it with --state-dir DIR or --tokens FILE");
}

}  // namespace

std::int64_t Access::now_s() const {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

void Access::create(const NewToken&, Workers&, const std::function<void(Expected<Created>)>& done) {
    done(no_token_file());
}

void Access::revoke(const std::string&, const std::string&, Workers&, const std::function<void(Expected<void>)>& done) {
    done(no_token_file());
}

Access& no_access() {
    static Access none;
    return none;
}

}  // namespace rta::api
