// SPDX-License-Identifier: MIT
#include "proto/protocol_listing.h"

#include <algorithm>
#include <iterator>
#include <sstream>

#include "rta/v1/control.pb.h"

namespace rta::test {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;

std::string type_of(const FieldDescriptor& field) {
    if (field.message_type() != nullptr) return field.message_type()->full_name();
    if (field.enum_type() != nullptr) return field.enum_type()->full_name();
    return field.type_name();
}

std::string label_of(const FieldDescriptor& field) {
    if (field.is_repeated()) return "repeated";
    if (const auto* const oneof = field.real_containing_oneof()) return "oneof " + oneof->name();
    return field.has_presence() ? "optional" : "plain";
}

void list_enum(const EnumDescriptor& type, ProtocolListing& into) {
    for (int i = 0; i < type.value_count(); ++i) {
        const auto& value = *type.value(i);
        into.insert("value " + type.full_name() + '.' + value.name() + " = " + std::to_string(value.number()));
    }
}

void list_message(const Descriptor& type, ProtocolListing& into) {
    into.insert("message " + type.full_name());
    for (int i = 0; i < type.field_count(); ++i) {
        const FieldDescriptor& field = *type.field(i);
        into.insert("field " + field.full_name() + " = " + std::to_string(field.number()) + ' ' + label_of(field) +
                    ' ' + type_of(field) + ' ' + field.json_name());
    }
    for (int i = 0; i < type.nested_type_count(); ++i) list_message(*type.nested_type(i), into);
    for (int i = 0; i < type.enum_type_count(); ++i) list_enum(*type.enum_type(i), into);
}

}  // namespace

ProtocolListing list_protocol(const FileDescriptor& file) {
    ProtocolListing listing;
    for (int i = 0; i < file.message_type_count(); ++i) list_message(*file.message_type(i), listing);
    for (int i = 0; i < file.enum_type_count(); ++i) list_enum(*file.enum_type(i), listing);
    return listing;
}

ProtocolListing list_protocol() {
    ProtocolListing listing = list_protocol(*v1::Request::descriptor()->file());
    listing.merge(list_protocol(*v1::Graph::descriptor()->file()));
    return listing;
}

std::string to_text(const ProtocolListing& listing) {
    std::string text;
    for (const std::string& line : listing) text.append(line).append("\n");
    return text;
}

ProtocolListing parse_listing(const std::string& text) {
    ProtocolListing listing;
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) {
        if (!line.empty() && !line.starts_with('#')) listing.insert(line);
    }
    return listing;
}

ProtocolListing broken_by(const ProtocolListing& current, const ProtocolListing& released) {
    ProtocolListing broken;
    std::ranges::set_difference(released, current, std::inserter(broken, broken.end()));
    return broken;
}

}  // namespace rta::test
