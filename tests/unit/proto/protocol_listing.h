// SPDX-License-Identifier: MIT
#pragma once

#include <google/protobuf/descriptor.h>

#include <set>
#include <string>

namespace rta::test {

/// One line for everything in a .proto file that clients depend on: `field rta.v1.Request.id = 1 optional uint64 id`
/// with its number, label, type and JSON name, and `value rta.v1.Code.OK = 0`.
using ProtocolListing = std::set<std::string>;

/// Lists the messages, fields, oneofs and enumerations of a file.
[[nodiscard]] ProtocolListing list_protocol(const google::protobuf::FileDescriptor& file);

/// Lists graph.proto and control.proto as this build has them.
[[nodiscard]] ProtocolListing list_protocol();

/// Returns the lines, each ended by a line feed.
[[nodiscard]] std::string to_text(const ProtocolListing& listing);

/// Reads such lines; ignores those that begin with #.
[[nodiscard]] ProtocolListing parse_listing(const std::string& text);

/// Returns the lines of `released` that `current` lacks: what clients of the release could no longer rely on.
[[nodiscard]] ProtocolListing broken_by(const ProtocolListing& current, const ProtocolListing& released);

}  // namespace rta::test
