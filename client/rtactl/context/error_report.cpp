// SPDX-License-Identifier: MIT
#include "rtactl/context/error_report.h"

#include <google/protobuf/util/json_util.h>

#include <ostream>
#include <utility>

#include "rta/backoff.h"
#include "rtactl/drawing/style.h"
#include "text/quoting.h"
#include "text/utf8.h"

namespace rta::rtactl {

namespace {

v1::Code code_of(const client::Error& error) {
    switch (error.kind) {
        case client::Error::Kind::refused:
        case client::Error::Kind::rejected:
            return error.code;
        case client::Error::Kind::too_large:
            return v1::RESOURCE_EXHAUSTED;
        case client::Error::Kind::timeout:
            return v1::DEADLINE_EXCEEDED;
        case client::Error::Kind::protocol:
            return v1::INTERNAL;
        case client::Error::Kind::bad_address:
        case client::Error::Kind::bad_token:
        case client::Error::Kind::bad_certificate:
            return v1::INVALID_ARGUMENT;
        case client::Error::Kind::cannot_connect:
        case client::Error::Kind::untrusted:
        case client::Error::Kind::lost:
        case client::Error::Kind::interrupted:
        case client::Error::Kind::missed:
            break;
    }
    return v1::UNAVAILABLE;
}

Exit exit_of(const client::Error& error) {
    switch (error.kind) {
        case client::Error::Kind::refused:
        case client::Error::Kind::rejected:
            return rtactl::exit_of(error.code);
        case client::Error::Kind::too_large:
            return Exit::refused;
        case client::Error::Kind::bad_address:
        case client::Error::Kind::bad_token:
        case client::Error::Kind::bad_certificate:
            return Exit::usage;
        case client::Error::Kind::cannot_connect:
        case client::Error::Kind::untrusted:
        case client::Error::Kind::lost:
        case client::Error::Kind::timeout:
        case client::Error::Kind::protocol:
        case client::Error::Kind::interrupted:
        case client::Error::Kind::missed:
            break;
    }
    return Exit::cannot_connect;
}

v1::Code code_of(Exit exit) {
    switch (exit) {
        case Exit::usage:
            return v1::INVALID_ARGUMENT;
        case Exit::cannot_connect:
            return v1::UNAVAILABLE;
        case Exit::not_allowed:
            return v1::PERMISSION_DENIED;
        case Exit::done:
        case Exit::refused:
            break;
    }
    return v1::FAILED_PRECONDITION;
}

/// Returns the response of the daemon, or one that a daemon could have sent, with the sentence for the user.
v1::Response response_of(const Failure& failure, const std::string& sentence) {
    v1::Response response = failure.response.value_or(v1::Response{});
    v1::Status& status = *response.mutable_status();
    if (!failure.response) status.set_code(failure.code != v1::OK ? failure.code : code_of(failure.exit));
    // A file name need not be UTF-8; a message must be.
    status.set_message(first_invalid_utf8(sentence) == sentence.size() ? sentence : printable(sentence));
    return response;
}

}  // namespace

std::string to_json(const google::protobuf::Message& message) {
    google::protobuf::util::JsonPrintOptions options;
    options.preserve_proto_field_names = true;
    options.always_print_primitive_fields = true;
    std::string text;
    // Only a message with an invalid google.protobuf type in it cannot be written.
    static_cast<void>(google::protobuf::util::MessageToJsonString(message, &text, options).ok());
    return text;
}

void report(const Streams& streams, bool json, const Failure& failure, std::string_view place) {
    if (failure.sentence.empty()) return;
    const std::string sentence = std::string{place} + failure.sentence;
    streams.out.flush();  // keeps the order of both streams
    if (json) {
        streams.out << to_json(response_of(failure, sentence)) << '\n' << std::flush;
    } else {
        streams.err << Styled{"rtactl:", Style::error} << ' ' << sentence << '\n' << std::flush;
    }
}

void warn(const Streams& streams, std::string_view sentence) {
    streams.out.flush();
    streams.err << Styled{"rtactl: warning:", Style::warning} << ' ' << sentence << '\n' << std::flush;
}

Exit exit_of(v1::Code code) {
    return code == v1::UNAUTHENTICATED || code == v1::PERMISSION_DENIED ? Exit::not_allowed : Exit::refused;
}

Failure failure_of(client::Error error) {
    return {.exit = exit_of(error),
            .sentence = std::move(error.sentence),
            .transient = client::is_transient(error),
            .code = code_of(error)};
}

Failure failure_of(v1::Response response) {
    const v1::Status& status = response.status();
    Failure failure{.exit = exit_of(status.code()),
                    .sentence = status.message().empty() ? v1::Code_Name(status.code()) : status.message(),
                    .code = status.code()};
    if (status.has_edit_index()) failure.edit_index = status.edit_index();
    failure.committed = response.result_case() != v1::Response::RESULT_NOT_SET;
    failure.response = std::move(response);
    return failure;
}

}  // namespace rta::rtactl
