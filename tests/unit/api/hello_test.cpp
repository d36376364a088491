// SPDX-License-Identifier: MIT
// Which clients may send requests.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "script.h"

namespace rta::api::test {
namespace {

/// Checks that a client with this first message is to be disconnected without an answer, and does not count.
void expect_stranger(const std::string& first_message) {
    Script script;
    script.play("hello b");
    script.send_bytes('a', first_message);
    EXPECT_TRUE(script.client('a').stranger());
    EXPECT_FALSE(script.client('a').introduced());
    EXPECT_FALSE(script.client('a').wants_more());
    script.play(R"(
        a-
        b> id: 1 get_status {}
        b< response { id: 1 get_status { client_count: 1 engine { revision: 0 } } }
    )");
}

TEST(Hello, AnyOtherFirstMessageGetsNoAnswer) {
    for (const char* const text : {
             "id: 1 get_status {}",
             "id: 2 set_parameters { changes { node: 'x' } }",
             "id: 3 apply_transaction { edits { edits { add_node { type: 'sine' name: 'a' } } } }",
             "id: 4 mute_output {}",
             "id: 5 panic {}",
             "id: 6",
         }) {
        SCOPED_TRACE(text);
        expect_stranger(request(text).SerializeAsString());
    }
    expect_stranger("");
    expect_stranger("\xFF\xFF\xFF");
    expect_stranger("UT / HTTP/1.1\r\n");
}

TEST(Hello, AnUnknownFieldBeforeItIsNoHello) {
    v1::Request unknown = request("id: 9");
    v1::Request::GetReflection()->MutableUnknownFields(&unknown)->AddLengthDelimited(99, "from the future");
    expect_stranger(unknown.SerializeAsString());
}

TEST(Hello, AFutureFieldWithinItIsIgnored) {
    Script script;
    v1::Request hello = request("id: 1 hello { protocol_version: 1 }");
    v1::Hello::GetReflection()->MutableUnknownFields(hello.mutable_hello())->AddLengthDelimited(99, "from the future");
    script.send('a', hello);
    script.play("a< response { id: 1 hello { protocol_version: 1 } }");
}

/// Checks that the answer to this Hello is the last one.
void expect_refused(const v1::Request& hello, v1::Code code, const std::vector<std::string>& named) {
    Script script;
    script.send('a', hello);
    const auto answer = script.receive('a');
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->response().id(), hello.id());
    EXPECT_EQ(answer->response().status().code(), code) << sentence(answer);
    for (const std::string& part : named) EXPECT_NE(sentence(answer).find(part), std::string::npos) << sentence(answer);
    EXPECT_TRUE(script.client('a').refused());
    EXPECT_FALSE(script.client('a').wants_more());
    EXPECT_TRUE(script.client('a').idle());
    EXPECT_EQ(script.dispatcher.client_count(), 0U);
}

TEST(Hello, AWrongVersionIsExplainedInTheLastAnswer) {
    expect_refused(request("id: 1 hello { protocol_version: 2 }"), v1::FAILED_PRECONDITION,
                   {"version 2", "supports version 1"});
    expect_refused(request("id: 2 hello {}"), v1::FAILED_PRECONDITION, {"supports version 1"});
}

TEST(Hello, ANameThatCannotBeShownIsExplainedInTheLastAnswer) {
    v1::Request hello = request("id: 3 hello { protocol_version: 1 }");
    for (const std::string& name : {std::string(129, 'n'), std::string{"red\033[31m"}, std::string{"red\302\23331m"},
                                    std::string{"turned\342\200\256"}, std::string{"two\342\200\250lines"}}) {
        hello.mutable_hello()->set_client_name(name);
        expect_refused(hello, v1::INVALID_ARGUMENT, {"invalid client_name"});
    }
}

TEST(Hello, ItIsSentOnce) {
    Script script;
    script.play(R"(
        a> id: 1 hello { protocol_version: 1 client_name: "me" }
        a< response { id: 1 hello { protocol_version: 1 } }
        a> id: 3 hello { protocol_version: 1 }
        a< response { id: 3 status { code: FAILED_PRECONDITION } }
        a> id: 4 get_graph {}
        a< response { id: 4 get_graph {} }
    )");
    EXPECT_EQ(script.client('a').name(), "me");
}

TEST(Hello, AClientIsBusyUntilItsAnswerHasBeenSent) {
    Script script;
    script.play("hello a");
    Client& client = script.client('a');
    EXPECT_FALSE(client.busy());
    script.send('a', request("id: 1 apply_transaction { wait_for_start: true edits {} }"));
    EXPECT_TRUE(client.busy()) << "it waits for a block";
    script.block();
    EXPECT_TRUE(client.idle());
    EXPECT_TRUE(client.busy()) << "the answer has not been sent";
    script.play("a< response { id: 1 apply_transaction { revision: 1 } }");
    EXPECT_FALSE(client.busy());
}

TEST(Hello, AClientThatHasUnsubscribedHasSubscribed) {
    Script script;
    script.play("hello a");
    EXPECT_FALSE(script.client('a').has_subscribed());
    script.play(R"(
        a> id: 1 subscribe { topics: TOPIC_CHANGES }
        a< response { id: 1 subscribe {} }
        a> id: 2 subscribe { topics: TOPIC_LEVELS }
        a< response { id: 2 subscribe {} }
    )");
    EXPECT_TRUE(script.client('a').has_subscribed());
}

}  // namespace
}  // namespace rta::api::test
