// SPDX-License-Identifier: MIT
#include "api/request_table.h"

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

namespace rta::api {
namespace {

TEST(RequestTable, HasOneRowForEachKindOfRequest) {
    const auto& kinds = *v1::Request::descriptor()->FindOneofByName("request");
    ASSERT_EQ(request_table().size(), static_cast<std::size_t>(kinds.field_count()));
    for (int i = 0; i < kinds.field_count(); ++i) {
        const auto* const field = kinds.field(i);
        const RequestKind* const kind = find_request_kind(static_cast<v1::Request::RequestCase>(field->number()));
        ASSERT_NE(kind, nullptr) << field->name();
        EXPECT_EQ(kind->name, field->name());
        EXPECT_NE(kind->execute, nullptr) << field->name();
    }
    EXPECT_EQ(find_request_kind(v1::Request::REQUEST_NOT_SET), nullptr);
}

TEST(RequestTable, OnlyHelloNeedsNoRole) {
    for (const RequestKind& kind : request_table()) {
        EXPECT_EQ(kind.role == Role::none, kind.request_case == v1::Request::kHello) << kind.name;
    }
}

TEST(RequestTable, WhatChangesStateIsNotForObservers) {
    for (const RequestKind& kind : request_table()) {
        EXPECT_EQ(kind.changes_state, kind.role >= Role::controller) << kind.name;
        EXPECT_TRUE(kind.changes_state || !kind.durable) << kind.name;
    }
}

}  // namespace
}  // namespace rta::api
