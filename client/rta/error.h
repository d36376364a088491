// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <utility>

#include "rta/v1/control.pb.h"

namespace rta::client {

/// Why a conversation with the daemon did not happen, or ended. What the daemon answers to a request is not an Error
/// but the Status of a Response.
struct Error {
    enum class Kind : std::uint8_t {
        cannot_connect,  ///< nothing answers at any of the addresses
        refused,         ///< the daemon answered Hello with an error, `code`
        lost,            ///< the connection ended in mid-conversation
        timeout,         ///< no answer before the deadline
        protocol,        ///< what came is not this protocol
        too_large,       ///< the request exceeds the limit of a message; nothing was sent
        interrupted,     ///< the caller's interrupt descriptor became readable
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
