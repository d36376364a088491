// SPDX-License-Identifier: MIT
// Requests that are refused whatever their kind.
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "script.h"

namespace rta::api::test {
namespace {

TEST(MalformedRequests, AnUnknownRequestIsUnimplementedAndNamesItsField) {
    Script script;
    script.play("hello a");
    v1::Request unknown = request("id: 9");
    v1::Request::GetReflection()->MutableUnknownFields(&unknown)->AddLengthDelimited(99, "from the future");
    script.send('a', unknown);
    const auto answer = script.receive('a');
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->response().id(), 9U);
    EXPECT_EQ(answer->response().status().code(), v1::UNIMPLEMENTED);
    EXPECT_NE(sentence(answer).find("99"), std::string::npos) << sentence(answer);
    for (const char* const known : {"hello", "check_graph", "subscribe", "mute_output", "panic"}) {
        EXPECT_NE(sentence(answer).find(known), std::string::npos) << sentence(answer);
    }
    script.play(R"(
        a> id: 10
        a< response { id: 10 status { code: UNIMPLEMENTED } }
        a> id: 11 get_status {}
        a< response { id: 11 get_status {} }
    )");
}

TEST(MalformedRequests, BytesThatAreNotARequestEndTheStreamAfterEarlierAnswers) {
    Script script;
    script.play(R"(
        hello a
        hello b
        a> id: 1 apply_transaction { wait_for_start: true edits {} }
    )");
    script.send_bytes('a', "\xFF\xFF\xFF");
    EXPECT_TRUE(script.client('a').refused());
    EXPECT_FALSE(script.client('a').wants_more());
    EXPECT_FALSE(script.client('a').idle()) << "the transaction is still to be answered";
    script.play(R"(
        a-
        block
        a< response { id: 1 apply_transaction { revision: 1 } }
        a< response { id: 0 status { code: INVALID_ARGUMENT } }
        b> id: 1 get_status {}
        b< response { id: 1 get_status {} }
    )");
    EXPECT_TRUE(script.client('a').idle());
}

TEST(MalformedRequests, AStringThatIsNotUtf8IsNoRequest) {
    Script script;
    script.play("hello a");
    v1::Request bad = request("id: 1 list_node_types { type: \"abc\" }");
    std::string bytes = bad.SerializeAsString();
    bytes.replace(bytes.find("abc"), 3, "\xC3\x28\xFF");
    script.send_bytes('a', bytes);
    script.play("a< response { id: 0 status { code: INVALID_ARGUMENT } }");
}

/// Returns list elements that take two bytes each in the message, and much more in memory.
std::string empty_elements(std::string_view head_of_list, int count) {
    std::string list;
    for (int i = 0; i < count; ++i) list += head_of_list;
    return list;
}

/// Returns a field of bytes; a nested message is encoded in the same way.
std::string field(int number, const std::string& bytes) {
    std::string out{static_cast<char>(number << 3 | 2)};
    append_frame(out, bytes);
    return out;
}

TEST(MalformedRequests, EndlessListsAreRefusedBeforeTheyTakeMemory) {
    Script script;
    script.play("hello a");
    const std::string two_million = empty_elements(std::string{"\x0A\0", 2}, 2'000'000);
    const auto expect_refused = [&](const std::string& content, const std::string& sentence) {
        script.send_bytes('a', content + std::string{"\x08\x07"});
        const auto answer = script.receive('a');
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->response().id(), 7U);
        EXPECT_EQ(answer->response().status().code(), v1::INVALID_ARGUMENT);
        EXPECT_EQ(answer->response().status().message(), sentence);
    };
    const std::string many = " has 2000000 elements; at most 65536 are allowed";
    expect_refused(field(8, field(1, two_million)), "the list of edits" + many);
    expect_refused(field(8, field(2, two_million)), "the list of nodes" + many);
    expect_refused(field(9, two_million), "the list of changes" + many);
    expect_refused(field(14, two_million), "the list of nodes" + many);
    // Nested lists, each with a valid length: settings { fields { value { list_value { values... } } } }.
    const std::string values = empty_elements(std::string{"\x0A\0", 2}, 60'000);
    std::string fields;
    for (char name = 'a'; name < 'k'; ++name) {
        fields += field(1, field(1, std::string(1, name)) + field(2, field(6, values)));
    }
    expect_refused(field(8, field(1, field(1, field(1, field(3, fields))))),
                   "the lists of the request, and its unknown fields, have more than 524288 elements together");
    script.play(R"(
        a> id: 4 get_graph {}
        a< response { id: 4 status { code: OK } }
    )");
}

TEST(MalformedRequests, AnOverlongTagDoesNotHideAList) {
    Script script;
    script.play("hello a");
    // Protobuf reads it as that of apply_transaction; its bits beyond 32 once hid it from the count of the list.
    const std::string two_million = empty_elements(std::string{"\x0A\0", 2}, 2'000'000);
    std::string bytes{"\xC2\x80\x80\x80\x50", 5};
    append_frame(bytes, field(1, two_million));
    script.send_bytes('a', bytes);
    script.play("a< response { id: 0 status { code: INVALID_ARGUMENT } }");
    EXPECT_TRUE(script.client('a').refused());
}

TEST(MalformedRequests, ALargeTransactionBehindAnotherContentIsRefused) {
    Script script;
    script.play("hello a");
    v1::Request large = request("id: 2 apply_transaction { edits {} }");
    for (int i = 0; i < 2'000; ++i) {
        v1::Node& node = *large.mutable_apply_transaction()->mutable_edits()->add_edits()->mutable_add_node();
        node.set_name("n" + std::to_string(i));
        node.set_type("gain");
    }
    const v1::Request announced = request("set_parameters { changes { node: \"n1\" } }");
    script.send_bytes('a', announced.SerializeAsString() + large.SerializeAsString());
    const auto answer = script.receive('a');
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->response().status().code(), v1::INVALID_ARGUMENT) << sentence(answer);
    script.send('a', large);
    script.play("block");
    const auto accepted = script.receive('a');
    ASSERT_TRUE(accepted);
    EXPECT_EQ(accepted->response().status().code(), v1::OK) << sentence(accepted);
}

TEST(MalformedRequests, WhatARequestTakesInMemoryCountsAsPending) {
    Script script;
    script.play("hello a");
    script.workers.held = true;
    v1::Request large = request("id: 1 apply_transaction { wait_for_start: true edits {} }");
    for (int i = 0; i < 60'000; ++i) {
        large.mutable_apply_transaction()->mutable_edits()->add_edits()->mutable_add_node()->mutable_settings();
    }
    EXPECT_LT(large.ByteSizeLong(), std::size_t{1} << 20U);
    script.send('a', large);
    EXPECT_FALSE(script.client('a').wants_more());
    script.workers.held = false;
    script.workers.finish(0);
    EXPECT_TRUE(script.receive('a'));
    EXPECT_TRUE(script.client('a').wants_more());
}

TEST(MalformedRequests, RequestsOfAllClientsAreBoundedTogether) {
    Script script;
    script.play("hello a");
    script.workers.held = true;
    // Elements that take much more memory than bytes, in requests of less than 16 KiB that wait for a worker.
    v1::Request waiting = request("id: 1 check_graph { edits {} }");
    for (int i = 0; i < 2'000; ++i) waiting.mutable_check_graph()->mutable_edits()->add_edits()->mutable_add_node();
    ASSERT_LT(waiting.ByteSizeLong(), PendingRequest::kLargeBytes);
    std::size_t taken = 0;
    int full = 0;
    for (char name = 'b'; name <= 'z'; ++name) {
        script.play(std::string{"hello "} + name);
        Client& client = script.client(name);
        std::size_t own = 0;
        while (client.wants_more()) {
            script.send(name, waiting);
            ++own;
        }
        taken += own;
        EXPECT_GE(own, 1U) << "each may send a little";
        if (own == 1) ++full;
    }
    const std::size_t each = waiting.SpaceUsedLong();
    EXPECT_LT(taken * each, ClientLimits{}.pending_bytes_of_all + 26 * (each + Client::kPendingBytesOfEach));
    EXPECT_GT(full, 5) << "the later ones find the memory taken";
    EXPECT_FALSE(script.client('z').wants_more());
    int told = 0;
    script.client('z').on_change([&] { ++told; });
    for (char name = 'b'; name <= 'y'; ++name) script.disconnect(name);
    EXPECT_GT(told, 0) << "as soon as there is memory";
    EXPECT_TRUE(script.client('z').wants_more());
}

TEST(MalformedRequests, TimeoutsOutOfRangeAreRefused) {
    Script script;
    script.play(R"(
        hello a
        a> id: 1 timeout_ms: 0 get_status {}
        a< response { id: 1 status { code: INVALID_ARGUMENT } }
        a> id: 2 timeout_ms: 60001 get_status {}
        a< response { id: 2 status { code: INVALID_ARGUMENT } }
        a> id: 3 timeout_ms: 60000 get_status {}
        a< response { id: 3 get_status {} }
    )");
}

}  // namespace
}  // namespace rta::api::test
