// SPDX-License-Identifier: MIT
#include "api/list_limits.h"

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <set>

#include "rta/v1/control.pb.h"

namespace rta::api {
namespace {

using google::protobuf::Descriptor;

void expect_countable(const Descriptor& type, std::set<const Descriptor*>& seen) {
    if (!seen.insert(&type).second) return;
    for (int i = 0; i < type.field_count(); ++i) {
        if (type.field(i)->is_repeated()) {
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
    EXPECT_FALSE(find_oversized(request.SerializeAsString()));
    request.mutable_reset_meters()->add_nodes();
    request.set_id(5);
    const auto oversized = find_oversized(request.SerializeAsString());
    ASSERT_TRUE(oversized);
    EXPECT_EQ(oversized->id, 5U);
    EXPECT_EQ(oversized->error.sentence, "the list of nodes has 65537 elements; at most 65536 are allowed");
}

}  // namespace
}  // namespace rta::api
