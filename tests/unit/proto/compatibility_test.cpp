// SPDX-License-Identifier: MIT
// Clients of a released protocol can use this one: nothing that they know is removed, renumbered or changed.
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

#include "proto/protocol_listing.h"
#include "rta/v1/control.pb.h"
#include "support/temporary.h"

namespace rta::test {
namespace {

using google::protobuf::DescriptorProto;
using google::protobuf::FieldDescriptorProto;
using google::protobuf::FileDescriptorProto;

TEST(ProtocolCompatibility, EverythingThatIsReleasedIsStillThere) {
    const ProtocolListing released = parse_listing(read_text(RTA_TEST_RELEASED_PROTOCOL));
    ASSERT_GT(released.size(), 300U);
    EXPECT_EQ(to_text(broken_by(list_protocol(), released)), "");
}

/// Lists control.proto after a change of its descriptor, in a pool of its own.
ProtocolListing listing_after(const std::function<void(FileDescriptorProto&)>& change) {
    google::protobuf::DescriptorPool pool;
    const auto& control = *v1::Request::descriptor()->file();
    for (int i = 0; i < control.dependency_count(); ++i) {
        FileDescriptorProto dependency;
        control.dependency(i)->CopyTo(&dependency);
        control.dependency(i)->CopyJsonNameTo(&dependency);
        if (pool.BuildFile(dependency) == nullptr) return {};
    }
    FileDescriptorProto changed;
    control.CopyTo(&changed);
    control.CopyJsonNameTo(&changed);
    change(changed);
    const auto* const built = pool.BuildFile(changed);
    return built == nullptr ? ProtocolListing{} : list_protocol(*built);
}

DescriptorProto& message_of(FileDescriptorProto& file, std::string_view name) {
    return *std::ranges::find(*file.mutable_message_type(), name, [](const auto& type) { return type.name(); });
}

FieldDescriptorProto& field_of(FileDescriptorProto& file, std::string_view message, std::string_view name) {
    return *std::ranges::find(*message_of(file, message).mutable_field(), name,
                              [](const auto& field) { return field.name(); });
}

TEST(ProtocolCompatibility, AFieldMayBeAdded) {
    const ProtocolListing now = listing_after([](FileDescriptorProto&) {});
    ASSERT_GT(now.size(), 200U);
    const ProtocolListing later = listing_after([](FileDescriptorProto& file) {
        FieldDescriptorProto& added = *message_of(file, "Hello").add_field();
        added.set_name("added");
        added.set_number(1'000);
        added.set_type(FieldDescriptorProto::TYPE_STRING);
        added.set_label(FieldDescriptorProto::LABEL_OPTIONAL);
    });
    EXPECT_EQ(later.size(), now.size() + 1);
    EXPECT_EQ(to_text(broken_by(later, now)), "");
}

TEST(ProtocolCompatibility, EveryOtherChangeIsFound) {
    const ProtocolListing now = listing_after([](FileDescriptorProto&) {});
    const std::pair<const char*, std::function<void(FileDescriptorProto&)>> changes[] = {
        {"number", [](auto& file) { field_of(file, "Hello", "client_name").set_number(1'000); }},
        {"name", [](auto& file) { field_of(file, "Hello", "client_name").set_name("name"); }},
        {"JSON name", [](auto& file) { field_of(file, "Hello", "client_name").set_json_name("clientName"); }},
        {"type", [](auto& file) { field_of(file, "Hello", "client_name").set_type(FieldDescriptorProto::TYPE_BYTES); }},
        {"label",
         [](auto& file) { field_of(file, "Hello", "client_name").set_label(FieldDescriptorProto::LABEL_REPEATED); }},
        {"oneof", [](auto& file) { field_of(file, "Request", "hello").clear_oneof_index(); }},
        {"removal", [](auto& file) { message_of(file, "Hello").mutable_field()->DeleteSubrange(1, 1); }},
        {"value", [](auto& file) { file.mutable_enum_type(0)->mutable_value(1)->set_number(1'000); }},
    };
    for (const auto& [what, change] : changes) {
        const ProtocolListing changed = listing_after(change);
        EXPECT_FALSE(changed.empty()) << what;
        EXPECT_FALSE(broken_by(changed, now).empty()) << what;
    }
}

}  // namespace
}  // namespace rta::test
