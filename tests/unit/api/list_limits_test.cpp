// SPDX-License-Identifier: MIT
#include "api/list_limits.h"

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>

#include "rta/v1/control.pb.h"

namespace rta::api {
namespace {

using google::protobuf::Descriptor;
using Verdict = WireCheck::Verdict;

void expect_countable(const Descriptor& type, std::set<const Descriptor*>& seen) {
    if (!seen.insert(&type).second) return;
    for (int i = 0; i < type.field_count(); ++i) {
        if (type.field(i)->is_repeated() || type.field(i)->message_type() != nullptr) {
            EXPECT_LT(static_cast<std::uint32_t>(type.field(i)->number()), kCountedNumbers)
                << type.field(i)->full_name();
        }
        if (const Descriptor* const nested = type.field(i)->message_type()) expect_countable(*nested, seen);
    }
}

TEST(ListLimits, EveryListOfARequestIsCounted) {
    std::set<const Descriptor*> seen;
    expect_countable(*v1::Request::descriptor(), seen);
    EXPECT_GT(seen.size(), 20U);
}

TEST(ListLimits, ARequestWithinTheLimitsPasses) {
    v1::Request request;
    for (int i = 0; i < kMaximumItems; ++i) request.mutable_reset_meters()->add_nodes();
    EXPECT_EQ(check_wire(request.SerializeAsString()).verdict, Verdict::good);
    EXPECT_EQ(check_wire(request.SerializeAsString()).elements, std::size_t{kMaximumItems});
    request.mutable_reset_meters()->add_nodes();
    request.set_id(5);
    const WireCheck refused = check_wire(request.SerializeAsString());
    EXPECT_EQ(refused.verdict, Verdict::too_large);
    EXPECT_EQ(refused.id, 5U);
    EXPECT_EQ(refused.error.sentence, "the list of nodes has 65537 elements; at most 65536 are allowed");
}

TEST(ListLimits, NumbersAreCountedPackedOrNot) {
    v1::Request request;
    for (int i = 0; i <= kMaximumItems; ++i) request.mutable_subscribe()->add_topics(v1::TOPIC_CHANGES);
    EXPECT_EQ(check_wire(request.SerializeAsString()).error.sentence,
              "the list of topics has 65537 elements; at most 65536 are allowed");
    std::string unpacked;
    for (int i = 0; i <= kMaximumItems; ++i) unpacked += std::string_view{"\x08\x01", 2};
    v1::Subscribe subscribe;
    ASSERT_TRUE(subscribe.ParseFromString(unpacked));
    ASSERT_EQ(subscribe.topics_size(), kMaximumItems + 1);
    const std::string bytes = "\x5A\x82\x80\x08" + unpacked;  // field 11, of 131074 bytes
    EXPECT_EQ(check_wire(bytes).verdict, Verdict::too_large);
}

/// Returns two fields of one request, one after the other.
std::string concatenated(const v1::Request& first, const v1::Request& second) {
    return first.SerializeAsString() + second.SerializeAsString();
}

TEST(ListLimits, AMessageThatOccursTwiceIsMalformedBecauseProtobufWouldMergeItsLists) {
    v1::Request half;
    for (int i = 0; i < kMaximumItems; ++i) half.mutable_reset_meters()->add_nodes();
    const std::string both = concatenated(half, half);
    v1::Request merged;
    ASSERT_TRUE(merged.ParseFromString(both));
    ASSERT_EQ(merged.reset_meters().nodes_size(), 2 * kMaximumItems);
    EXPECT_EQ(check_wire(both).verdict, Verdict::malformed);
    EXPECT_EQ(check_wire(both).error.sentence,
              "the message is not an rta.v1.Request: reset_meters occurs twice in its message; disconnecting");
}

TEST(ListLimits, OnlyTheShortestFormOfATagIsAccepted) {
    v1::Request request;
    request.mutable_set_parameters();
    const std::string good = request.SerializeAsString();
    ASSERT_EQ(good, (std::string{"\x4A\x00", 2}));
    ASSERT_EQ(check_wire(good).verdict, Verdict::good);
    // The same tag to protobuf, which ignores what is beyond 32 bits.
    const std::string overlong{"\xCA\x80\x80\x80\x50\x00", 6};
    v1::Request parsed;
    ASSERT_TRUE(parsed.ParseFromString(overlong));
    ASSERT_TRUE(parsed.has_set_parameters());
    for (const std::string& bytes :
         {overlong, std::string{"\xCA\x00\x00", 3}, std::string{"\xCA\x80\x80\x80\x80\x00\x00", 7},
          std::string{"\x00\x00", 2},                      // field 0
          std::string{"\x4B\x4C", 2},                      // a group
          std::string{"\x4A\x80\x80\x80\x80\x80\x00", 7},  // a length of 6 bytes
          std::string{"\x4A\x05", 2},                      // cut off
          std::string{"\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F", 11}}) {
        EXPECT_EQ(check_wire(bytes).verdict, Verdict::malformed) << bytes.size();
    }
}

TEST(ListLimits, AFieldOfAnotherTypeCountsAsUnknown) {
    std::string bytes;
    for (int i = 0; i <= kMaximumItems; ++i) bytes += std::string_view{"\x48\x01", 2};  // set_parameters as a number
    v1::Request parsed;
    ASSERT_TRUE(parsed.ParseFromString(bytes));
    ASSERT_EQ(v1::Request::GetReflection()->GetUnknownFields(parsed).field_count(), kMaximumItems + 1);
    EXPECT_EQ(check_wire(bytes).error.sentence,
              "the list of unknown fields has 65537 elements; at most 65536 are allowed");
}

TEST(ListLimits, MessagesAreNestedAsDeeplyAsProtobufReadsThem) {
    google::protobuf::Value value;
    value.set_number_value(1.0);
    for (int depth = 0; depth < 200; ++depth) {
        google::protobuf::Value outer;
        *outer.mutable_list_value()->add_values() = value;
        value = outer;
    }
    v1::Request request;
    (*request.mutable_apply_transaction()
          ->mutable_edits()
          ->add_edits()
          ->mutable_add_node()
          ->mutable_settings()
          ->mutable_fields())["deep"] = value;
    EXPECT_EQ(check_wire(request.SerializeAsString()).verdict, Verdict::malformed);
}

}  // namespace
}  // namespace rta::api
