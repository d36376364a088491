// SPDX-License-Identifier: MIT
// The commands that manage access tokens, and the token that rtactl sends.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <string>

#include "fake_rtad.h"
#include "support/temporary.h"

namespace rta::test {
namespace {

const std::string kToken = "rtad_" + std::string(43, 'A');

TEST(TokenCommands, ANewTokenIsAllThatIsPrinted) {
    FakeRtad rtad;
    const Outcome made = rtad.run({"token", "new", "--role", "control", "--expires", "30d", "desk"});
    EXPECT_EQ(made.exit, rtactl::Exit::done);
    EXPECT_EQ(made.out, kToken + "\n");
    EXPECT_EQ(made.err, "");
    const v1::CreateToken request = rtad.last_change().create_token();
    EXPECT_EQ(request.name(), "desk");
    EXPECT_EQ(request.role(), "control");
    EXPECT_EQ(request.lifetime_s(), 2'592'000U);
    EXPECT_EQ(rtad.run({"token", "new", "--role", "read", "wall"}).exit, rtactl::Exit::done);
    EXPECT_FALSE(rtad.last_change().create_token().has_lifetime_s());
    const Outcome json = rtad.run({"--json", "token", "new", "--role", "read", "wall"});
    EXPECT_EQ(parse_json<v1::Response>(json.out).create_token().token(), kToken) << json.out;
}

TEST(TokenCommands, WrongOptionsAreUsageErrors) {
    FakeRtad rtad;
    const Outcome no_role = rtad.run({"token", "new", "desk"});
    EXPECT_EQ(no_role.exit, rtactl::Exit::usage);
    EXPECT_TRUE(has(no_role.err, "token new needs --role ROLE: read, control or admin")) << no_role.err;
    const Outcome no_unit = rtad.run({"token", "new", "--role", "read", "--expires", "30", "desk"});
    EXPECT_EQ(no_unit.exit, rtactl::Exit::usage);
    EXPECT_TRUE(has(no_unit.err, "--expires: \"30\" has no unit; expected a time, such as 30d")) << no_unit.err;
    EXPECT_EQ(rtad.change_count(), 0U);
}

TEST(TokenCommands, TheListShowsRolesTimesAndClients) {
    FakeRtad rtad;
    EXPECT_EQ(rtad.run({"token", "list"}).out,
              "NAME  ROLE     CLIENTS  CREATED               EXPIRES\n"
              "desk  control  2        2026-11-30T04:28:04Z  2026-12-01T04:28:04Z (expired)\n");
    FakeRtad empty{[](const v1::Request& request) -> std::optional<Reply> {
        v1::Response response = ok(request);
        response.mutable_list_tokens();
        return Reply{.bytes = frame(response)};
    }};
    EXPECT_EQ(empty.run({"token", "list"}).out, "no access tokens: clients on TCP need none\n");
}

TEST(TokenCommands, ARevocationSaysWhomItDisconnected) {
    FakeRtad rtad;
    EXPECT_EQ(rtad.run({"token", "revoke", "desk"}).out, "revoked desk, disconnected 1 client\n");
    EXPECT_EQ(rtad.last_change().revoke_token().name(), "desk");
}

TEST(TokenCommands, ADeniedRequestHasTheExitStatusOfItsCode) {
    for (const v1::Code code : {v1::PERMISSION_DENIED, v1::UNAUTHENTICATED}) {
        FakeRtad rtad{[code](const v1::Request& request) -> std::optional<Reply> {
            return Reply{.bytes = frame(refusal(request, code, "not you"))};
        }};
        const Outcome denied = rtad.run({"token", "list"});
        EXPECT_EQ(denied.exit, rtactl::Exit::not_allowed);
        EXPECT_EQ(denied.err, "rtactl: not you\n");
    }
}

/// A daemon that records the tokens in the Hellos, and files with tokens.
class TokenFile : public testing::Test {
 protected:
    [[nodiscard]] std::string file(const std::string& text, mode_t mode = 0600) const {
        std::string path = folder_ / "token";
        write_text(path, text);
        EXPECT_EQ(::chmod(path.c_str(), mode), 0);
        return path;
    }
    Outcome run(std::vector<std::string> words) {
        words.insert(words.begin(), {"--host", to_string(daemon_.endpoint()), "--timeout", "60"});
        words.push_back("list");
        return run_rtactl(std::move(words));
    }
    /// Returns the token of the last Hello.
    [[nodiscard]] std::string sent() const {
        std::string token = "no hello";
        for (const v1::Request& request : daemon_.requests()) {
            if (request.has_hello()) token = request.hello().token();
        }
        return token;
    }

    TemporaryDirectory folder_;
    ScriptedDaemon daemon_{[](const v1::Request& request) {
                               v1::Response response = ok(request);
                               if (request.has_hello()) response.mutable_hello()->set_protocol_version(1);
                               if (request.has_get_graph())
                                   *response.mutable_get_graph()->mutable_graph() = fake_graph();
                               if (request.has_list_node_types()) *response.mutable_list_node_types() = fake_types();
                               return Reply{.bytes = frame(response)};
                           },
                           ""};
};

TEST_F(TokenFile, IsSentInHello) {
    EXPECT_EQ(run({}).exit, rtactl::Exit::done);
    EXPECT_EQ(sent(), "");
    for (const char* const end : {"", "\n", "\r\n", "  \n\n"}) {
        EXPECT_EQ(run({"--token-file", file(kToken + end)}).exit, rtactl::Exit::done) << end;
        EXPECT_EQ(sent(), kToken);
    }
}

TEST_F(TokenFile, MayComeFromTheEnvironment) {
    ::setenv("RTACTL_TOKEN_FILE", file(kToken).c_str(), 1);
    EXPECT_EQ(run({}).exit, rtactl::Exit::done);
    EXPECT_EQ(sent(), kToken);
    ::setenv("RTACTL_TOKEN_FILE", "/nowhere", 1);
    EXPECT_EQ(run({"--token-file", file(kToken)}).exit, rtactl::Exit::done) << "the option counts";
    EXPECT_EQ(run({}).exit, rtactl::Exit::usage);
    EXPECT_EQ(run_rtactl({"--help"}).exit, rtactl::Exit::done) << "no daemon is needed";
    ::unsetenv("RTACTL_TOKEN_FILE");
}

TEST_F(TokenFile, IsRefusedIfOthersMayAccessItOrItHasNoToken) {
    for (const mode_t mode : {0640U, 0604U, 0620U, 0601U})
        EXPECT_TRUE(has(run({"--token-file", file(kToken, mode)}).err, "expected mode 0600")) << mode;
    for (const std::string& text :
         {std::string{}, std::string{"hunter2\n"}, kToken + "\n" + kToken, kToken + "B", std::string(100'000, 'A')}) {
        const Outcome refused = run({"--token-file", file(text)});
        EXPECT_EQ(refused.exit, rtactl::Exit::usage);
        EXPECT_TRUE(has(refused.err, "no access token in ")) << refused.err;
        EXPECT_FALSE(has(refused.err, "hunter2")) << refused.err;
    }
    EXPECT_TRUE(has(run({"--token-file", folder_ / "missing"}).err, "cannot read the token file"));
    EXPECT_TRUE(has(run({"--token-file", ""}).err, "--token-file: empty path"));
    EXPECT_EQ(sent(), "no hello");
}

}  // namespace
}  // namespace rta::test
