// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <utility>

#include "rta/v1/control.pb.h"

namespace rta::client {

/// Why a call has no result. Calls that return a Response return an error of the daemon as the Status of the Response;
/// the others return it as `rejected`.
struct Error {
    enum class Kind : std::uint8_t {
        cannot_connect,   ///< no address accepted
        untrusted,        ///< the certificate of the daemon is not the expected one, or cannot be verified
        bad_address,      ///< the text is not an address
        bad_token,        ///< the file of the access token cannot be used
        bad_certificate,  ///< the certificate of this client, or its private key, cannot be used
        refused,          ///< the daemon refused this client with the error `code`
        lost,             ///< the daemon disconnected
        timeout,          ///< no response before the deadline
        protocol,         ///< the peer does not follow the protocol
        too_large,        ///< the request exceeds the maximum message size; nothing was sent
        interrupted,      ///< by the caller
        missed,           ///< events were dropped, because too many were unread
        rejected,         ///< the daemon rejected the request with the error `code`; nothing has changed
    };

    Kind kind{};
    std::string sentence{};  ///< for people
    v1::Code code = v1::OK;  ///< of the daemon, if it is `refused` or `rejected`
    /// Index, from 0, of the rejected edit or change.
    std::optional<std::uint32_t> edit_index{};
    /// With code ABORTED, if the guard of the request does not hold: what it found.
    std::optional<v1::Conflict> conflict{};
};

template <class T>
using Expected = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(Error::Kind kind, std::string sentence) {
    return std::unexpected(Error{.kind = kind, .sentence = std::move(sentence)});
}

}  // namespace rta::client

namespace rta {
using ClientError = client::Error;
}
