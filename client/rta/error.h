// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <utility>

#include "rta/v1/control.pb.h"

namespace rta::client {

/// Why no response was received. An error that the daemon returns for a request is not an Error but the Status of a
/// Response.
struct Error {
    enum class Kind : std::uint8_t {
        cannot_connect,  ///< no address accepted
        refused,         ///< the daemon refused this client with the error `code`
        lost,            ///< the daemon disconnected
        timeout,         ///< no response before the deadline
        protocol,        ///< the peer does not follow the protocol
        too_large,       ///< the request exceeds the maximum message size; nothing was sent
        interrupted,     ///< the caller's interrupt descriptor became readable
        missed,          ///< events were dropped, because too many were unread
    };

    Kind kind;
    std::string sentence;
    v1::Code code = v1::OK;
};

template <class T>
using Expected = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(Error::Kind kind, std::string sentence) {
    return std::unexpected(Error{kind, std::move(sentence), v1::OK});
}

}  // namespace rta::client
