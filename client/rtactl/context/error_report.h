// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "rta/error.h"
#include "rta/v1/control.pb.h"
#include "rtactl/language/failure.h"
#include "rtactl/terminal/streams.h"

namespace rta::rtactl {

/// Returns one line of JSON, with the field names of the .proto and without a newline.
[[nodiscard]] std::string to_json(const google::protobuf::Message& message);

/// Prints an error, with `place` ("line 4: ") in front of the sentence: as text to the error stream, or with `json` to
/// the output, as a Response whose status has a code and this sentence. The id is 0 unless the daemon sent the response.
/// Prints nothing if the sentence is empty.
void report(const Streams& streams, bool json, const Failure& failure, std::string_view place = {});

/// Prints a warning to the error stream, also with --json.
void warn(const Streams& streams, std::string_view sentence);

/// Returns the exit status for a response code.
[[nodiscard]] Exit exit_of(v1::Code code);
/// Converts an error of the client.
[[nodiscard]] Failure failure_of(client::Error error);
/// Converts a response other than OK.
[[nodiscard]] Failure failure_of(v1::Response response);

}  // namespace rta::rtactl
