// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <utility>

#include "rta/v1/control.pb.h"

namespace rta::rtactl {

/// Exit statuses of rtactl. They are part of its contract.
enum class Exit : std::uint8_t {
    done = 0,
    refused = 1,         ///< by the daemon; in the shell: any line
    usage = 2,           ///< the command line is wrong, or a file that it names cannot be read or written
    cannot_connect = 3,  ///< no daemon, or it was lost
    not_allowed = 4,     ///< UNAUTHENTICATED, PERMISSION_DENIED
};

/// Error of a command: an exit status for programs, a sentence for people.
struct Failure {
    Exit exit;
    std::string sentence;
    /// Index of the edit that was refused, if the daemon named one.
    std::optional<std::uint32_t> edit_index{};
    /// Number of the line that caused the error, from 1; 0: the current line.
    std::size_t line = 0;
    bool transient = false;  ///< there was no connection, or it was lost: another attempt may succeed
    bool committed = false;  ///< the change was made, but not confirmed in time
    /// Code of an error that the daemon did not report; OK: that of the exit status. For JSON.
    v1::Code code = v1::OK;
    /// The response of the daemon that refused the request.
    std::optional<v1::Response> response{};
};

template <class T>
using Result = std::expected<T, Failure>;

[[nodiscard]] inline std::unexpected<Failure> fail(Exit exit, std::string sentence, v1::Code code = v1::OK) {
    return std::unexpected(Failure{.exit = exit, .sentence = std::move(sentence), .code = code});
}
/// The name of something in the daemon is not known.
[[nodiscard]] inline std::unexpected<Failure> not_found(std::string sentence) {
    return fail(Exit::refused, std::move(sentence), v1::NOT_FOUND);
}
[[nodiscard]] inline std::unexpected<Failure> usage_error(std::string sentence) {
    return fail(Exit::usage, std::move(sentence));
}

}  // namespace rta::rtactl
