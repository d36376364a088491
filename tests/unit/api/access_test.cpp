// SPDX-License-Identifier: MIT
// Who a client is, what it may do, and how its access ends.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "api/request_table.h"
#include "fake_access.h"
#include "script.h"

namespace rta::api::test {
namespace {

using Door = Entry::Door;

const Entry kLoopback{.door = Door::loopback, .address = "127.0.0.1:50000"};
const Entry kTls{.door = Door::tls, .address = "192.0.2.7:50000"};

Entry unix_socket(std::uint32_t user) {
    return {.door = Door::unix_socket, .address = "/run/rtad/control.sock", .user_id = user};
}

std::string hello_text(const std::string& token = {}) {
    return R"(id: 1 hello { protocol_version: 1 client_name: "me" token: ")" + token + "\" }";
}

/// An empty request of a kind.
v1::Request empty_request(const RequestKind& kind) {
    v1::Request message;
    message.set_id(7);
    const auto* const field = v1::Request::descriptor()->FindFieldByName(std::string{kind.name});
    v1::Request::GetReflection()->MutableMessage(&message, field);
    return message;
}

class Access : public ::testing::Test {
 protected:
    Access() { script.daemon.tokens = &tokens; }

    /// Connects a client and sends its Hello. Returns the response.
    v1::Response enter(char client, const Entry& entry, const std::string& token = {}) {
        script.connect(client, entry);
        script.send(client, request(hello_text(token)));
        const auto answer = script.receive(client);
        EXPECT_TRUE(answer);
        return answer ? answer->response() : v1::Response{};
    }
    /// Returns "ROLE AUTHOR", or the error code and the sentence.
    std::string entered(char client, const Entry& entry, const std::string& token = {}) {
        const v1::Response response = enter(client, entry, token);
        if (response.status().code() == v1::OK) return response.hello().role() + " " + response.hello().author();
        EXPECT_TRUE(script.client(client).refused());
        return v1::Code_Name(response.status().code()) + ": " + response.status().message();
    }

    FakeAccess tokens;
    Script script;
};

TEST_F(Access, TheUnixSocketGivesAdminToRootAndToTheUserOfTheDaemonOnly) {
    const auto own = static_cast<std::uint32_t>(::geteuid());
    EXPECT_EQ(entered('a', unix_socket(0)), "admin uid 0");
    EXPECT_EQ(entered('b', unix_socket(own)), "admin uid " + std::to_string(own));
    EXPECT_EQ(entered('c', unix_socket(own + 4321)), "control uid " + std::to_string(own + 4321));
    EXPECT_EQ(entered('d', {.door = Door::unix_socket, .address = "/run/s"}), "control unknown user");
}

TEST_F(Access, LoopbackHasControlUntilATokenExists) {
    EXPECT_EQ(entered('a', kLoopback), "control loopback");
    tokens.add("old", Role::read, tokens.now - 1);  // an expired one counts
    EXPECT_TRUE(entered('b', kLoopback).starts_with("UNAUTHENTICATED: an access token is required on TCP: create one"));
    EXPECT_EQ(entered('c', unix_socket(0)), "admin uid 0");
}

TEST_F(Access, TlsNeedsATokenEvenIfNoneExists) {
    EXPECT_TRUE(entered('a', kTls).starts_with("UNAUTHENTICATED: an access token is required on TLS"));
    tokens.add("desk", Role::control);
    EXPECT_TRUE(entered('b', kTls).starts_with("UNAUTHENTICATED"));
    EXPECT_EQ(entered('c', kTls, secret_of("desk")), "control desk");
}

TEST_F(Access, ATokenDecidesAloneWherever) {
    tokens.add("wall", Role::read);
    tokens.add("root", Role::admin);
    EXPECT_EQ(entered('a', unix_socket(0), secret_of("wall")), "read wall");
    EXPECT_EQ(entered('b', kLoopback, secret_of("wall")), "read wall");
    EXPECT_EQ(entered('c', kLoopback, secret_of("root")), "admin root");
    EXPECT_EQ(entered('d', {}, secret_of("wall")), "read wall");
}

TEST_F(Access, AWrongTokenIsRefusedEverywhereAndNotRepeated) {
    tokens.add("desk", Role::control);
    const std::string wrong = secret_of("desk").replace(5, 1, "D");
    for (const auto& entry : {unix_socket(0), kLoopback, kTls, Entry{}}) {
        const std::string outcome = entered('a', entry, wrong);
        EXPECT_TRUE(outcome.starts_with("UNAUTHENTICATED: unknown access token")) << outcome;
        EXPECT_EQ(outcome.find(wrong.substr(0, 12)), std::string::npos) << outcome;
        EXPECT_FALSE(script.client('a').wants_more());
        EXPECT_EQ(script.dispatcher.client_count(), 0U);
        script.play("a-");
        script.disconnect('a');
    }
    EXPECT_TRUE(entered('b', kLoopback, "hunter2").starts_with("UNAUTHENTICATED: unknown access token"));
}

TEST_F(Access, ACertificateHasTheRoleOfTheTokenOfItsName) {
    tokens.add("desk", Role::control);
    tokens.add("old", Role::admin, tokens.now);
    Entry entry = kTls;
    entry.certificate_name = "desk";
    EXPECT_EQ(entered('a', entry), "control desk");
    entry.certificate_name = "other";
    EXPECT_TRUE(entered('b', entry).starts_with("UNAUTHENTICATED: no access token has the name"));
    entry.certificate_name = "old";
    EXPECT_TRUE(entered('c', entry).starts_with("UNAUTHENTICATED: the access token \"old\" expired at"));
    // A token that is given counts.
    EXPECT_TRUE(entered('d', entry, "nothing").starts_with("UNAUTHENTICATED: unknown access token"));
}

TEST_F(Access, EveryRequestNeedsItsRole) {
    for (const Role role : {Role::read, Role::control, Role::admin}) {
        const std::string name = "t" + std::string{role_name(role)};
        tokens.add(name, role);
        for (const RequestKind& kind : request_table()) {
            if (kind.role == Role::none) continue;
            SCOPED_TRACE(std::string{kind.name} + " with the role " + std::string{role_name(role)});
            Script own;
            own.daemon.tokens = &tokens;
            own.workers.held = true;
            own.connect('a', kLoopback);
            own.send('a', request(hello_text(secret_of(name))));
            ASSERT_TRUE(own.receive('a')->response().has_hello());
            own.send('a', empty_request(kind));
            if (role >= kind.role) {
                const auto answer = own.receive('a');  // some requests wait for a worker or a block
                EXPECT_FALSE(answer && answer->response().status().code() == v1::PERMISSION_DENIED);
                continue;
            }
            EXPECT_TRUE(own.workers.jobs.empty()) << "it was prepared";
            const auto answer = own.receive('a');
            ASSERT_TRUE(answer);
            EXPECT_EQ(answer->response().id(), 7U);
            EXPECT_EQ(answer->response().status().code(), v1::PERMISSION_DENIED);
            EXPECT_EQ(sentence(answer), std::string{kind.name} + " needs the role " +
                                            std::string{role_name(kind.role)} + "; this client has the role " +
                                            std::string{role_name(role)} + " (" + name + ")");
            EXPECT_FALSE(own.client('a').refused());
        }
    }
}

TEST_F(Access, ADeniedRequestChangesNothingAndTheClientStays) {
    tokens.add("wall", Role::read);
    enter('a', kLoopback, secret_of("wall"));
    script.play(R"(
        a> id: 2 apply_transaction { edits { edits { add_node { name: "osc" type: "sine" } } } }
        a> id: 3 set_device { device: "jack" }
        a> id: 4 mute_output { muted: true }
        a> id: 5 get_graph {}
        a< response { id: 2 status { code: PERMISSION_DENIED } }
        a< response { id: 3 status { code: PERMISSION_DENIED } }
        a< response { id: 4 status { code: PERMISSION_DENIED } }
        a< response { id: 5 get_graph {} }
    )");
    EXPECT_EQ(script.engine.revision(), 0U);
    EXPECT_TRUE(script.daemon.device_changes.empty());
    EXPECT_FALSE(script.engine.output_muted());
}

TEST_F(Access, ALargeRequestNeedsItsRole) {
    tokens.add("wall", Role::read);
    enter('a', kLoopback, secret_of("wall"));
    v1::Request large = request("id: 2 apply_transaction {}");
    large.mutable_apply_transaction()->set_document(std::string(PendingRequest::kLargeBytes, ' '));
    script.send('a', large);
    script.play("a< response { id: 2 status { code: PERMISSION_DENIED } }");
}

TEST_F(Access, ChangesHaveTheAuthorNotTheName) {
    tokens.add("desk", Role::control);
    enter('a', kLoopback, secret_of("desk"));
    enter('b', unix_socket(0));
    script.play(R"(
        b> id: 2 subscribe { topics: TOPIC_CHANGES }
        b< response { id: 2 subscribe {} }
        a> id: 2 apply_transaction { edits { edits { add_node { name: "osc" type: "sine" } } } }
        b< event { graph_changed { author: "desk" client_name: "me" } }
        block
        b< event { transaction_heard {} }
        a> id: 3 set_parameters { changes { node: "osc" parameter: "gain_db" value: -30 } }
        b< event { parameters_changed { author: "desk" } }
        a> id: 4 mute_output { muted: true }
        b< event { output_muted { author: "desk" } }
        a> id: 5 set_volume { volume_db: -3 }
        b< event { output_volume_changed { author: "desk" } }
        b> id: 6 mute_output { muted: false }
        b< event { output_muted { author: "uid 0" } }
        a> id: 7 panic {}
    )");
    for (int i = 0; i < 64; ++i) script.block();
    // The panic mutes the output, and is complete when the fade has ended.
    script.play(R"(b< event { output_muted { author: "desk" } })");
    script.play("b< response { id: 6 mute_output {} }");
    script.play(R"(b< event { panicked { author: "desk" } })");
    script.play(R"(
        b> id: 8 get_status {}
        b< response { id: 8 get_status { clients { name: "me" author: "desk" role: "control" } clients { name: "me" author: "uid 0" role: "admin" } } }
    )");
}

TEST_F(Access, ARevokedTokenEndsItsSessions) {
    tokens.add("desk", Role::control);
    tokens.add("wall", Role::read);
    enter('a', unix_socket(0));
    enter('b', kLoopback, secret_of("desk"));
    enter('c', kLoopback, secret_of("desk"));
    enter('d', kLoopback, secret_of("wall"));
    script.play(R"(
        a> id: 2 revoke_token { name: "desk" }
        a< response { id: 2 revoke_token { disconnected_count: 2 } }
        b< response { id: 0 status { code: UNAUTHENTICATED message: "the access token \"desk\" was revoked; disconnecting" } }
        b-
        c< response { id: 0 status { code: UNAUTHENTICATED } }
        d-
        d> id: 2 get_graph {}
        d< response { id: 2 get_graph {} }
    )");
    EXPECT_TRUE(script.client('b').refused());
    EXPECT_FALSE(script.client('b').wants_more());
    EXPECT_EQ(tokens.authors, std::vector<std::string>{"uid 0"});
    EXPECT_TRUE(entered('e', kLoopback, secret_of("desk")).starts_with("UNAUTHENTICATED"));
}

TEST_F(Access, ARevokedClientReceivesNoMoreEvents) {
    tokens.add("wall", Role::read);
    enter('a', unix_socket(0));
    enter('b', kLoopback, secret_of("wall"));
    script.play(R"(
        b> id: 2 subscribe {}
        b< response { id: 2 subscribe {} }
        a> id: 2 revoke_token { name: "wall" }
        a> id: 3 apply_transaction { edits { edits { add_node { name: "osc" type: "sine" } } } }
        b< response { id: 0 status { code: UNAUTHENTICATED } }
        block
        tick 1000
        b-
    )");
}

TEST_F(Access, WhatARevokedClientHasSentIsNotExecuted) {
    tokens.add("desk", Role::control);
    enter('a', unix_socket(0));
    enter('b', kLoopback, secret_of("desk"));
    script.workers.held = true;
    script.play(R"(
        b> id: 2 apply_transaction { edits { edits { add_node { name: "osc" type: "sine" } } } }
        b> id: 3 set_volume { volume_db: -20 }
        a> id: 2 revoke_token { name: "desk" }
        a< response { id: 2 revoke_token { disconnected_count: 1 } }
        b< response { id: 2 status { code: UNAUTHENTICATED } }
        b< response { id: 3 status { code: UNAUTHENTICATED } }
        b< response { id: 0 status { code: UNAUTHENTICATED } }
    )");
    ASSERT_EQ(script.workers.jobs.size(), 1U);
    script.workers.finish(0);  // the transaction was being prepared
    script.play("b-");
    EXPECT_EQ(script.engine.revision(), 0U);
    EXPECT_EQ(script.engine.output_volume_db(), 0.0F);
}

TEST_F(Access, WhatARevokedClientHasSentBeforeNoiseIsNotExecuted) {
    tokens.add("desk", Role::control);
    enter('a', unix_socket(0));
    enter('b', kLoopback, secret_of("desk"));
    script.workers.held = true;
    script.send('b',
                request(R"(id: 2 apply_transaction { edits { edits { add_node { name: "osc" type: "sine" } } } })"));
    script.send('b', request("id: 3 set_volume { volume_db: -20 }"));
    script.send_bytes('b', "\xFF\xFF\xFF");
    EXPECT_TRUE(script.client('b').refused());
    script.play(R"(
        a> id: 2 revoke_token { name: "desk" }
        a< response { id: 2 revoke_token { disconnected_count: 0 } }
        b< response { id: 2 status { code: UNAUTHENTICATED } }
        b< response { id: 3 status { code: UNAUTHENTICATED } }
        b< response { id: 0 status { code: INVALID_ARGUMENT } }
    )");
    script.workers.finish(0);  // the transaction was being prepared
    EXPECT_EQ(script.engine.revision(), 0U);
    EXPECT_EQ(script.engine.output_volume_db(), 0.0F);
    script.disconnect('b');
    script.play(R"(
        a> id: 3 revoke_token { name: "desk" }
        a< response { id: 3 status { code: NOT_FOUND } }
    )");
}

TEST_F(Access, AMuteThatWaitsForAPanicIsNotExecutedAfterTheRevocation) {
    tokens.add("desk", Role::control);
    enter('a', unix_socket(0));
    enter('b', kLoopback, secret_of("desk"));
    script.play(tone());
    script.play(R"(
        a> id: 2 panic {}
        b> id: 2 mute_output { muted: false }
        a> id: 3 revoke_token { name: "desk" }
    )");
    for (int i = 0; i < 64; ++i) script.block();
    script.play(R"(
        b< response { id: 2 status { code: UNAUTHENTICATED } }
        b< response { id: 0 status { code: UNAUTHENTICATED } }
    )");
    EXPECT_TRUE(script.engine.output_muted());
}

TEST_F(Access, AClientThatRevokesItsOwnTokenReceivesTheAnswer) {
    tokens.add("boss", Role::admin);
    enter('a', kLoopback, secret_of("boss"));
    script.play(R"(
        a> id: 2 revoke_token { name: "boss" }
        a< response { id: 2 revoke_token { disconnected_count: 1 } }
        a< response { id: 0 status { code: UNAUTHENTICATED } }
        a-
    )");
}

TEST_F(Access, AnExpiredTokenIsRefusedAndEndsItsSessions) {
    tokens.add("guest", Role::control, tokens.now + 60);
    EXPECT_EQ(entered('a', kLoopback, secret_of("guest")), "control guest");
    enter('b', unix_socket(0));
    tokens.now += 59;
    script.tick(std::chrono::seconds{59});
    script.play("a-");
    tokens.now += 1;
    script.tick(std::chrono::seconds{1});
    script.play(R"(
        a< response { id: 0 status { code: UNAUTHENTICATED } }
        a-
        b-
    )");
    EXPECT_TRUE(script.client('a').refused());
    EXPECT_TRUE(entered('c', kLoopback, secret_of("guest"))
                    .starts_with("UNAUTHENTICATED: the access token \"guest\" expired at 1970-01-12T13:47:40Z"));
}

TEST_F(Access, TheFirstTokenEndsSessionsOnTcpWithoutOne) {
    enter('a', unix_socket(0));
    enter('b', kLoopback);
    enter('c', unix_socket(::geteuid() + 4321));
    script.play(R"(
        a> id: 2 create_token { name: "desk" role: "control" lifetime_s: 3600 }
        a< response { id: 2 create_token { state { name: "desk" role: "control" created_s: 1000000 expires_s: 1003600 } } }
        b< response { id: 0 status { code: UNAUTHENTICATED } }
        c-
    )");
    EXPECT_EQ(tokens.authors, std::vector<std::string>{"uid 0"});
    EXPECT_EQ(entered('d', kLoopback, secret_of("desk")), "control desk");
    script.play(R"(
        a> id: 3 list_tokens {}
        a< response { id: 3 list_tokens { tokens { name: "desk" role: "control" expired: false client_count: 1 } } }
    )");
}

TEST_F(Access, InvalidTokensAreNotCreated) {
    enter('a', unix_socket(0));
    script.play(R"(
        a> id: 2 create_token { name: "desk" }
        a< response { id: 2 status { code: INVALID_ARGUMENT message: "invalid role \"\": expected read, control or admin" } }
        a> id: 3 create_token { name: "desk" role: "none" }
        a< response { id: 3 status { code: INVALID_ARGUMENT } }
        a> id: 4 create_token { name: "desk" role: "read" lifetime_s: 0 }
        a< response { id: 4 status { code: INVALID_ARGUMENT } }
        a> id: 5 create_token { name: "desk" role: "read" lifetime_s: 3155760001 }
        a< response { id: 5 status { code: INVALID_ARGUMENT } }
        a> id: 6 revoke_token { name: "desk" }
        a< response { id: 6 status { code: NOT_FOUND } }
    )");
    EXPECT_TRUE(tokens.tokens.empty());
}

TEST_F(Access, ATokenThatCannotBeSavedChangesNothing) {
    tokens.add("desk", Role::control);
    enter('a', unix_socket(0));
    enter('b', kLoopback, secret_of("desk"));
    tokens.disk_is_full = true;
    script.play(R"(
        a> id: 2 create_token { name: "wall" role: "read" }
        a< response { id: 2 status { code: UNAVAILABLE } }
        a> id: 3 revoke_token { name: "desk" }
        a< response { id: 3 status { code: UNAVAILABLE } }
        b-
        b> id: 2 get_graph {}
        b< response { id: 2 get_graph {} }
    )");
}

TEST_F(Access, WithoutATokenFileThereAreNoTokens) {
    script.daemon.tokens = nullptr;
    enter('a', unix_socket(0));
    script.play(R"(
        a> id: 2 create_token { name: "wall" role: "read" }
        a< response { id: 2 status { code: FAILED_PRECONDITION } }
        a> id: 3 list_tokens {}
        a< response { id: 3 list_tokens {} }
        a> id: 4 revoke_token { name: "wall" }
        a< response { id: 4 status { code: FAILED_PRECONDITION } }
    )");
}

}  // namespace
}  // namespace rta::api::test
