// SPDX-License-Identifier: MIT
// Which clients may send requests.
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "script.h"

namespace rta::api::test {
namespace {

TEST(Hello, HelloComesFirst) {
    Script script;
    script.play(R"(
        a> id: 1 get_status {}
        a< response { id: 1 status { code: FAILED_PRECONDITION } }
        a> id: 2 set_parameters { changes { node: "x" } }
        a< response { id: 2 status { code: FAILED_PRECONDITION } }
        a> id: 3 apply_transaction { wait_for_start: true edits {} }
        a< response { id: 3 status { code: FAILED_PRECONDITION } }
        a> id: 4 hello { protocol_version: 1 client_name: "me" }
        a< response { id: 4 hello { protocol_version: 1 } }
        a> id: 5 get_status {}
        a< response { id: 5 get_status { client_count: 1 } }
    )");
    EXPECT_EQ(script.engine.revision(), 0U);
    EXPECT_EQ(script.client('a').name(), "me");
}

TEST(Hello, ARefusalBeforeHelloSaysWhatToDo) {
    Script script;
    script.send('a', request("id: 1 get_graph {}"));
    EXPECT_NE(sentence(script.receive('a')).find("hello"), std::string::npos);
}

TEST(Hello, AWrongVersionIsExplainedAndTheRightOneTaken) {
    Script script;
    script.send('a', request("id: 1 hello { protocol_version: 2 }"));
    const auto answer = script.receive('a');
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->response().status().code(), v1::FAILED_PRECONDITION);
    EXPECT_NE(sentence(answer).find("version 2"), std::string::npos);
    EXPECT_NE(sentence(answer).find("supports version 1"), std::string::npos);
    script.play(R"(
        a> id: 2 hello {}
        a< response { id: 2 status { code: FAILED_PRECONDITION } }
        hello a
    )");
}

TEST(Hello, HelloIsSaidOnceAndWithAPrintableName) {
    Script script;
    v1::Request long_name = request("id: 2 hello { protocol_version: 1 }");
    long_name.mutable_hello()->set_client_name(std::string(129, 'n'));
    script.send('a', long_name);
    script.play(R"(
        a< response { id: 2 status { code: INVALID_ARGUMENT } }
        a> id: 1 hello { protocol_version: 1 client_name: "red\033[31m" }
        a< response { id: 1 status { code: INVALID_ARGUMENT } }
        a> id: 1 hello { protocol_version: 1 client_name: "red\302\23331m" }
        a< response { id: 1 status { code: INVALID_ARGUMENT } }
        a> id: 1 hello { protocol_version: 1 client_name: "turned\342\200\256" }
        a< response { id: 1 status { code: INVALID_ARGUMENT } }
        a> id: 1 hello { protocol_version: 1 client_name: "two\342\200\250lines" }
        a< response { id: 1 status { code: INVALID_ARGUMENT } }
        hello a
        a> id: 3 hello { protocol_version: 1 }
        a< response { id: 3 status { code: FAILED_PRECONDITION } }
        a> id: 4 get_graph {}
        a< response { id: 4 get_graph {} }
    )");
}

}  // namespace
}  // namespace rta::api::test
