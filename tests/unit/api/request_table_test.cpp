// SPDX-License-Identifier: MIT
#include "api/request_table.h"

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

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

TEST(RequestTable, WhatChangesStateNeedsMoreThanTheRoleRead) {
    for (const RequestKind& kind : request_table()) {
        // The list of the tokens shows who may enter.
        const bool is_secret = kind.request_case == v1::Request::kListTokens;
        EXPECT_EQ(kind.changes_state || is_secret, kind.role >= Role::control) << kind.name;
        EXPECT_TRUE(kind.changes_state || !kind.durable) << kind.name;
    }
}

std::string as_documented(const RequestKind& kind) {
    const std::string changes = !kind.changes_state ? "" : kind.durable ? "saved" : "not saved";
    const std::string role = kind.role == Role::none ? "" : "`" + std::string{role_name(kind.role)} + "`";
    return "| `" + std::string{kind.name} + "` | " + role + " | " + changes + " |";
}

/// Prints the table that belongs into the document if it is not there.
TEST(RequestTable, TheDocumentationOfTheProtocolHasIt) {
    std::ifstream file{RTA_TEST_PROTOCOL};
    const std::string document{std::istreambuf_iterator<char>{file}, {}};
    std::string table = "| request | role | changes |\n|---|---|---|\n";
    for (const RequestKind& kind : request_table()) table += as_documented(kind) + "\n";
    EXPECT_NE(document.find("\n" + table + "\n"), std::string::npos) << "expected:\n" << table;
}

}  // namespace
}  // namespace rta::api
