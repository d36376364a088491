// SPDX-License-Identifier: MIT
// One-time codes, and the sessions that begin with them.
#include "api/session_tokens.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "fake_access.h"
#include "script.h"

namespace rta::api::test {
namespace {

using std::chrono::seconds;
using Door = Entry::Door;

const Entry kOnLoopback{.door = Door::loopback, .address = "127.0.0.1:50000"};
const Entry kPhone{.door = Door::tls, .address = "192.0.2.7:50000"};
const Entry kRoot{.door = Door::unix_socket, .address = "/run/rtad/control.sock", .user_id = 0};

constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

class Sessions : public ::testing::Test {
 protected:
    Sessions() {
        script.daemon.tokens = &tokens;
        tokens.add("desk", Role::control);
        tokens.add("wall", Role::read);
    }

    v1::Response enter(char client, const Entry& entry, const std::string& token = {}) {
        script.connect(client, entry);
        v1::Request message;
        message.set_id(1);
        message.mutable_hello()->set_protocol_version(1);
        message.mutable_hello()->set_client_name("me");
        message.mutable_hello()->set_token(token);
        return call(client, message);
    }
    v1::Response call(char client, const v1::Request& message) {
        script.send(client, message);
        const auto answer = script.receive(client);
        EXPECT_TRUE(answer) << message.ShortDebugString();
        return answer ? answer->response() : v1::Response{};
    }
    v1::Response create(char client, const std::string& role = {}) {
        v1::Request message;
        message.set_id(2);
        message.mutable_create_code()->set_role(role);
        return call(client, message);
    }
    /// Returns what is sent as Hello.token.
    std::string code(char client, const std::string& role = {}) {
        const v1::Response response = create(client, role);
        EXPECT_EQ(response.status().code(), v1::OK) << response.status().message();
        return "code:" + response.create_code().code();
    }
    /// Begins a session with a new code of `creator`. Returns its token.
    std::string begin(char client, char creator, const std::string& role = {}) {
        const v1::Response response = enter(client, kPhone, code(creator, role));
        EXPECT_EQ(response.status().code(), v1::OK) << response.status().message();
        return response.hello().session_token();
    }
    /// Returns "ROLE AUTHOR", or the error code and the sentence.
    std::string entered(char client, const std::string& token, const Entry& entry = kPhone) {
        const v1::Response response = enter(client, entry, token);
        if (response.status().code() == v1::OK) return response.hello().role() + " " + response.hello().author();
        return v1::Code_Name(response.status().code()) + ": " + response.status().message();
    }
    void pass(seconds time) {
        tokens.now += time.count();
        script.tick(time);
    }

    FakeAccess tokens;
    Script script;
};

const std::string kUnknownCode =
    "UNAUTHENTICATED: unknown one-time code: it is incorrect, was used, or has expired; create another one with `rtactl "
    "web`";
const std::string kUnknownSession =
    "UNAUTHENTICATED: unknown session: it has ended, or rtad was started again; create a one-time code with `rtactl web`";

TEST_F(Sessions, ACodeLetsOneClientInWithItsRole) {
    enter('a', kRoot);
    const v1::Response created = create('a', "control");
    EXPECT_EQ(created.create_code().role(), "control");
    EXPECT_EQ(created.create_code().lifetime_s(), 120U);
    EXPECT_EQ(created.create_code().session_lifetime_s(), 43'200U);
    const std::string code = "code:" + created.create_code().code();
    EXPECT_EQ(entered('b', code), "control code of uid 0");
    EXPECT_EQ(entered('c', code), kUnknownCode) << "used twice";
    EXPECT_TRUE(script.client('c').refused());
    script.play(R"(
        a> id: 3 get_status {}
        a< response { id: 3 get_status { clients { author: "uid 0" session: "" } clients { author: "code of uid 0" role: "control" session: "session/1" } } }
        b> id: 2 apply_transaction { edits { edits { add_node { name: "osc" type: "sine" } } } }
    )");
    script.block();
    EXPECT_EQ(script.engine.revision(), 1U);
}

TEST_F(Sessions, ACodeIsRandomAndFitsIntoAnAddress) {
    enter('a', kRoot);
    std::set<std::string> codes;
    for (int i = 0; i < 1'000; ++i) {
        const std::string code = create('a').create_code().code();
        EXPECT_EQ(code.size(), 20U);
        EXPECT_EQ(code.find_first_not_of(kBase64Url), std::string::npos) << code;
        EXPECT_TRUE(codes.insert(code).second) << code;
        if (i % 4 == 0) pass(seconds{120});
    }
}

TEST_F(Sessions, TheAddressesOfThePageContainTheCode) {
    enter('a', kRoot);
    EXPECT_EQ(create('a').create_code().urls_size(), 0) << "no page";
    script.daemon.urls = {"https://studio.local:7341/", "https://192.0.2.1:7341/"};
    const v1::CreateCodeResult created = create('a').create_code();
    ASSERT_EQ(created.urls_size(), 2);
    EXPECT_EQ(created.urls(0), "https://studio.local:7341/#code=" + created.code());
    EXPECT_EQ(created.urls(1), "https://192.0.2.1:7341/#code=" + created.code());
    script.play(R"(
        a> id: 3 get_status {}
        a< response { id: 3 get_status { web_urls: "https://studio.local:7341/" web_urls: "https://192.0.2.1:7341/" } }
    )");
}

TEST_F(Sessions, TheLogSaysWhoHasLetWhomIn) {
    enter('a', kPhone, secret_of("desk"));
    const std::string of_desk = code('a');
    const std::string token = enter('b', kPhone, of_desk).hello().session_token();
    enter('c', kRoot);
    script.play(R"(
        c> id: 2 revoke_token { name: "session/1" }
        c< response { id: 2 revoke_token { disconnected_count: 1 } }
    )");
    const std::vector<std::string> expected{"a one-time code (control) was created by desk",
                                            "session/1 (control, code of desk) began at 192.0.2.7:50000",
                                            "session/1 was ended by uid 0"};
    EXPECT_EQ(script.daemon.access_changes, expected);
    for (const std::string& sentence : script.daemon.access_changes) {
        EXPECT_EQ(sentence.find(of_desk.substr(5)), std::string::npos);
        EXPECT_EQ(sentence.find(token.substr(8)), std::string::npos);
    }
}

TEST_F(Sessions, ACodeExpiresAfterTwoMinutes) {
    enter('a', kRoot);
    const std::string early = code('a');
    const std::string late = code('a');
    pass(seconds{119});
    EXPECT_EQ(entered('b', early), "admin code of uid 0");
    pass(seconds{1});
    EXPECT_EQ(entered('c', late), kUnknownCode);
}

TEST_F(Sessions, AWrongCodeIsRefusedAsAWrongTokenIs) {
    std::vector<std::string> attempts;
    script.dispatcher.on_failed_attempt(
        [&](const std::string& address, const Error& reason) { attempts.push_back(address + " " + reason.sentence); });
    enter('a', kRoot);
    const std::string good = code('a');
    std::string other = good;
    other.back() = other.back() == 'A' ? 'B' : 'A';
    for (const std::string& wrong : {other, good + "A", good.substr(0, 24), std::string{"code:"}, good.substr(5),
                                     "Code:" + good.substr(5), "code:" + std::string(2'000, 'A')}) {
        const std::string outcome = entered('b', wrong);
        EXPECT_TRUE(outcome.starts_with("UNAUTHENTICATED: unknown ")) << outcome;
        EXPECT_EQ(outcome.find(good.substr(5, 8)), std::string::npos) << outcome;
        script.disconnect('b');
    }
    EXPECT_EQ(attempts.size(), 7U);
    for (const std::string& attempt : attempts)
        EXPECT_EQ(attempt.find(good.substr(5, 8)), std::string::npos) << attempt;
    for (int i = 0; i < 3; ++i) {
        static_cast<void>(entered('c', other));
        script.disconnect('c');
    }
    // From now on, failed attempts of this address are answered late; a valid code is not.
    script.connect('d', kPhone);
    script.send('d', request("id: 1 hello { protocol_version: 1 token: \"" + other + "\" }"));
    script.play("d-");
    EXPECT_EQ(entered('e', good), "admin code of uid 0");
    script.tick(FailedAttempts::kDelay);
    script.play("d< response { id: 1 status { code: UNAUTHENTICATED } }");
}

TEST_F(Sessions, NoCodeGivesMoreThanItsCreatorHas) {
    enter('a', kPhone, secret_of("desk"));
    EXPECT_EQ(entered('b', code('a')), "control code of desk") << "without a role: that of the creator";
    EXPECT_EQ(entered('c', code('a', "read")), "read code of desk");
    const v1::Response beyond = create('a', "admin");
    EXPECT_EQ(beyond.status().code(), v1::PERMISSION_DENIED);
    EXPECT_EQ(beyond.status().message(), "a code for the role admin needs that role; this client has the role control");
    for (const char* const role : {"none", "root", "Read", " read"}) {
        EXPECT_EQ(create('a', role).status().code(), v1::INVALID_ARGUMENT) << role;
    }
    enter('d', kPhone, secret_of("wall"));
    EXPECT_EQ(create('d').status().message(),
              "create_code needs the role control; this client has the role read (wall)");
}

TEST_F(Sessions, ASessionTokenLetsItsClientInAgain) {
    enter('a', kRoot);
    const std::string token = begin('b', 'a', "control");
    EXPECT_TRUE(token.starts_with("session:"));
    EXPECT_EQ(token.size(), 8U + 43U);
    script.disconnect('b');
    const v1::Response again = enter('b', {.door = Door::tls, .address = "198.51.100.9:4"}, token);
    EXPECT_EQ(again.hello().role(), "control");
    EXPECT_EQ(again.hello().author(), "code of uid 0");
    EXPECT_EQ(again.hello().session_token(), "") << "the client has it";
    EXPECT_EQ(entered('c', token), "control code of uid 0") << "a second tab";
    for (const std::string& wrong :
         {token.substr(0, token.size() - 1), token + "A", std::string{"session:"}, token.substr(8)}) {
        EXPECT_TRUE(entered('d', wrong).starts_with("UNAUTHENTICATED: unknown ")) << wrong.size();
        script.disconnect('d');
    }
    std::string other = token;
    other[20] = other[20] == 'x' ? 'y' : 'x';
    EXPECT_EQ(entered('e', other), kUnknownSession);
}

TEST_F(Sessions, ASessionEndsAfterTwelveHours) {
    enter('a', kRoot);
    const std::string token = begin('b', 'a');
    pass(seconds{43'199});
    script.play("b-");
    EXPECT_EQ(entered('c', token), "admin code of uid 0");
    pass(seconds{1});
    script.play(R"(
        b< response { id: 0 status { code: UNAUTHENTICATED message: "session/1 ended at 1970-01-13T01:46:40Z; create a one-time code with `rtactl web`" } }
        c< response { id: 0 status { code: UNAUTHENTICATED } }
        a-
    )");
    EXPECT_EQ(entered('d', token), kUnknownSession);
}

TEST_F(Sessions, ASessionEndsWithTheTokenOfTheCreator) {
    enter('a', kRoot);
    enter('b', kPhone, secret_of("desk"));
    const std::string token = begin('c', 'b');
    const std::string unused = code('b');
    const std::string of_root = code('a');
    script.play(R"(
        a> id: 2 list_tokens {}
        a< response { id: 2 list_tokens { tokens { name: "desk" client_count: 2 } tokens { name: "wall" } sessions { name: "session/1" role: "control" author: "code of desk" created_s: 1000000 expires_s: 1043200 client_count: 1 } } }
        a> id: 3 revoke_token { name: "desk" }
        a< response { id: 3 revoke_token { disconnected_count: 2 } }
        c< response { id: 0 status { code: UNAUTHENTICATED message: "the access token \"desk\" was revoked; disconnecting" } }
    )");
    // A token of the same name is another one.
    tokens.add("desk", Role::control);
    EXPECT_EQ(entered('d', token), kUnknownSession);
    EXPECT_EQ(entered('e', unused), kUnknownCode);
    EXPECT_EQ(entered('f', of_root), "admin code of uid 0");
}

TEST_F(Sessions, ASessionEndsWhenTheTokenOfTheCreatorExpires) {
    tokens.add("guest", Role::control, tokens.now + 60);
    enter('a', kPhone, secret_of("guest"));
    const std::string token = begin('b', 'a');
    const std::string unused = code('a');
    pass(seconds{60});
    script.play(
        R"(b< response { id: 0 status { code: UNAUTHENTICATED message: "session/1 ended at 1970-01-12T13:47:40Z; create a one-time code with `rtactl web`" } })");
    EXPECT_EQ(entered('c', token), kUnknownSession);
    EXPECT_EQ(entered('d', unused), kUnknownCode);
}

TEST_F(Sessions, ACodeSaysHowLongItsSessionCanLast) {
    tokens.add("guest", Role::control, tokens.now + 3'600);
    enter('a', kPhone, secret_of("guest"));
    EXPECT_EQ(create('a').create_code().session_lifetime_s(), 3'600U) << "the creator has no more";
    begin('b', 'a');
    pass(seconds{600});
    EXPECT_EQ(create('b').create_code().session_lifetime_s(), 3'000U);
}

TEST_F(Sessions, TheFirstTokenEndsWhatLoopbackHasCreated) {
    tokens.tokens.clear();
    enter('a', kRoot);
    enter('b', kOnLoopback);
    const std::string token = begin('c', 'b');
    const std::string unused = code('b');
    begin('d', 'a');
    script.play(R"(
        a> id: 3 create_token { name: "desk" role: "control" }
        a< response { id: 3 create_token {} }
        b< response { id: 0 status { code: UNAUTHENTICATED } }
        c< response { id: 0 status { code: UNAUTHENTICATED } }
        d-
    )");
    EXPECT_EQ(entered('e', token), kUnknownSession);
    EXPECT_EQ(entered('f', unused), kUnknownCode);
}

TEST_F(Sessions, ASessionCanBeRevokedWithThoseThatItHasInvited) {
    enter('a', kRoot);
    const std::string first = begin('b', 'a');
    const std::string second = begin('c', 'b', "control");
    const std::string third = begin('d', 'c');
    const std::string unused = code('d');
    const std::string apart = begin('e', 'a');
    script.play(R"(
        a> id: 3 revoke_token { name: "session/9" }
        a< response { id: 3 status { code: NOT_FOUND message: "unknown session \"session/9\"; `token list` lists the sessions" } }
        a> id: 4 revoke_token { name: "session/2" }
        a< response { id: 4 revoke_token { disconnected_count: 2 } }
        b-
        c< response { id: 0 status { code: UNAUTHENTICATED message: "session/2 was ended; disconnecting" } }
        d< response { id: 0 status { code: UNAUTHENTICATED } }
        e-
    )");
    EXPECT_EQ(entered('f', unused), kUnknownCode);
    EXPECT_EQ(entered('g', third), kUnknownSession);
    EXPECT_EQ(entered('h', second), kUnknownSession);
    EXPECT_EQ(entered('i', first), "admin code of uid 0");
    EXPECT_EQ(entered('j', apart), "admin code of uid 0");
}

TEST_F(Sessions, ASessionThatRevokesItselfReceivesTheAnswer) {
    enter('a', kRoot);
    begin('b', 'a');
    script.play(R"(
        b> id: 2 revoke_token { name: "session/1" }
        b< response { id: 2 revoke_token { disconnected_count: 1 } }
        b< response { id: 0 status { code: UNAUTHENTICATED } }
        b-
    )");
}

TEST_F(Sessions, CodesOfCodesDoNotProlongASession) {
    enter('a', kRoot);
    begin('b', 'a');
    pass(seconds{43'100});
    const std::string token = begin('c', 'b');
    EXPECT_EQ(entered('d', token), "admin code of uid 0");
    pass(seconds{100});
    EXPECT_EQ(entered('e', token), kUnknownSession);
}

TEST_F(Sessions, CodesAreBounded) {
    enter('a', kPhone, secret_of("desk"));
    enter('b', kRoot);
    for (std::size_t i = 0; i < SessionTokens::kMaximumCodesOfAuthor; ++i) static_cast<void>(code('a'));
    const v1::Response refused = create('a');
    EXPECT_EQ(refused.status().code(), v1::RESOURCE_EXHAUSTED);
    EXPECT_EQ(
        refused.status().message(),
        "8 one-time codes of this author are still valid, the maximum: use one, or wait until they expire after 120 s");
    EXPECT_EQ(entered('c', code('b')), "admin code of uid 0") << "others are not concerned";
    pass(seconds{120});
    static_cast<void>(code('a'));
}

/// Identities without a dispatcher, for what takes many of them.
Identity creator_named(const std::string& name) { return {.role = Role::admin, .author = name, .token = name}; }

TEST(SessionLimits, CodesOfAllAuthorsAreBounded) {
    SessionTokens sessions;
    const TimePoint now{std::chrono::hours{1}};
    for (std::size_t i = 0; i < SessionTokens::kMaximumCodes; ++i)
        ASSERT_TRUE(sessions.create_code(creator_named("t" + std::to_string(i / 8)), Role::read, now));
    const auto refused = sessions.create_code(creator_named("other"), Role::read, now);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::resource_exhausted);
}

/// Sessions of one author, up to the limit or beyond it.
class FullSessions : public ::testing::Test {
 protected:
    Expected<SessionTokens::Begun> begin(const Identity& creator) {
        const auto code = sessions.create_code(creator, Role::read, now);
        EXPECT_TRUE(code);
        return sessions.begin(code.value_or(""), now, 1'000,
                              [&](const std::string& name) { return connected.contains(name); });
    }
    /// Begins a session that must be possible.
    SessionTokens::Begun begun(const Identity& creator) {
        auto session = begin(creator);
        EXPECT_TRUE(session);
        return session.value_or(SessionTokens::Begun{});
    }
    void refused(const Identity& creator) {
        const auto refusal = begin(creator);
        ASSERT_FALSE(refusal);
        EXPECT_EQ(refusal.error().code, ErrorCode::resource_exhausted);
    }
    bool lasts(const SessionTokens::Begun& session) const {
        return sessions.identify(session.token, 1'000).has_value();
    }

    SessionTokens sessions;
    const TimePoint now{std::chrono::hours{1}};
    const Identity desk = creator_named("desk");
    std::set<std::string> connected;
};

TEST_F(FullSessions, TheOldestOneWithoutAClientMakesRoom) {
    const auto other = begun(creator_named("other"));
    std::vector<SessionTokens::Begun> of_desk;
    for (std::size_t i = 0; i < SessionTokens::kMaximumSessionsOfAuthor; ++i) {
        of_desk.push_back(begun(desk));
        connected.insert(of_desk.back().identity.session);
    }
    refused(desk);
    connected.erase("session/5");
    begun(desk);
    EXPECT_FALSE(lasts(of_desk[3])) << "session/5 is the fourth of desk";
    EXPECT_TRUE(lasts(of_desk[4]));
    EXPECT_TRUE(lasts(other));
    EXPECT_EQ(sessions.sessions().size(), SessionTokens::kMaximumSessionsOfAuthor + 1);
}

TEST_F(FullSessions, OneThatHasInvitedOthersDoesNotMakeRoom) {
    const auto host = begun(desk);
    const auto guest = begun(host.identity);
    connected.insert(guest.identity.session);
    const auto alone = begun(desk);
    for (std::size_t i = 3; i < SessionTokens::kMaximumSessionsOfAuthor; ++i)
        connected.insert(begun(desk).identity.session);
    // All but the host and the one that is alone have clients.
    const auto next = begun(desk);
    connected.insert(next.identity.session);
    EXPECT_FALSE(lasts(alone));
    EXPECT_TRUE(lasts(host)) << "without it, the session of its guest would outlive it";
    refused(desk);
    EXPECT_EQ(sessions.end(host.identity.session), (std::vector{host.identity.session, guest.identity.session}));
    // A code that is still valid invites, too.
    const auto second = begun(desk);
    const auto code = sessions.create_code(second.identity, Role::read, now);
    ASSERT_TRUE(code);
    connected.insert(begun(desk).identity.session);
    refused(desk);
    EXPECT_TRUE(lasts(second));
}

}  // namespace
}  // namespace rta::api::test
