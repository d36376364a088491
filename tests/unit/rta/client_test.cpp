// SPDX-License-Identifier: MIT
#include "rta/client.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "rta/endpoint.h"
#include "rta/target.h"
#include "support/deadline.h"
#include "support/scripted_daemon.h"
#include "support/temporary.h"

namespace rta {
namespace {

using client::Error;
using test::frame;
using test::ok;
using test::refusal;
using test::Reply;
using test::ScriptedDaemon;
using test::TemporaryDirectory;
using test::write_text;

client::Expected<Client> connect(const ScriptedDaemon& daemon) {
    return Client::connect(to_string(daemon.endpoint()), {.client_name = "test", .timeout = test::kPatience});
}

TEST(Client, SendsEachRequestAndReturnsItsResult) {
    ScriptedDaemon daemon{[](const v1::Request& request) {
        v1::Response response = ok(request);
        if (request.has_get_status()) response.mutable_get_status()->set_server_version("1.2.3");
        if (request.has_get_graph()) response.mutable_get_graph()->set_revision(7);
        if (request.has_list_node_types()) response.mutable_list_node_types()->add_types()->set_name("gain");
        if (request.has_apply_transaction()) response.mutable_apply_transaction()->set_revision(8);
        if (request.has_set_parameters()) response.mutable_set_parameters()->set_frame(64);
        if (request.has_mute_output()) response.mutable_mute_output()->set_frame(128);
        if (request.has_set_volume()) response.mutable_set_volume()->set_volume_db(request.set_volume().volume_db());
        if (request.has_panic()) response.mutable_panic()->set_frame(256);
        if (request.has_undo()) response.mutable_undo()->set_revision(request.undo().steps());
        if (request.has_redo()) response.mutable_redo()->set_revision(request.redo().of_all() ? 8 : 0);
        if (request.has_get_history()) response.mutable_get_history()->add_steps()->set_number(5);
        if (request.apply_transaction().has_at()) response.mutable_apply_transaction()->mutable_pending()->set_id(5);
        if (request.set_parameters().has_at()) response.mutable_set_parameters()->mutable_pending()->set_id(6);
        if (request.has_get_time()) response.mutable_get_time()->set_frame(512);
        if (request.has_list_pending()) response.mutable_list_pending()->add_edits()->set_id(5);
        if (request.has_cancel_pending())
            response.mutable_cancel_pending()->mutable_edit()->set_id(request.cancel_pending().id());
        if (request.apply_transaction().has_confirm_within_s())
            response.mutable_apply_transaction()->mutable_confirmation()->set_id(
                request.apply_transaction().confirm_within_s());
        if (request.has_confirm()) response.mutable_confirm()->mutable_confirmation()->set_id(request.confirm().id());
        if (request.has_revert()) response.mutable_revert()->set_revision(request.revert().id());
        if (request.has_create_code()) response.mutable_create_code()->set_code(request.create_code().role() + " code");
        if (request.has_save_scene()) {
            response.mutable_save_scene()->mutable_scene()->set_name(request.save_scene().name());
            response.mutable_save_scene()->mutable_scene()->set_node_count(
                static_cast<std::uint32_t>(request.save_scene().nodes_size()));
        }
        if (request.has_recall_scene()) {
            response.mutable_recall_scene()->set_prepare_ms(request.recall_scene().fade_ms());
            if (request.recall_scene().has_at())
                response.mutable_recall_scene()->mutable_transaction()->mutable_pending()->set_id(7);
        }
        if (request.has_list_scenes()) response.mutable_list_scenes()->add_scenes()->set_name("day");
        if (request.has_rename_scene())
            response.mutable_rename_scene()->mutable_scene()->set_name(request.rename_scene().new_name());
        if (request.has_remove_scene())
            response.mutable_remove_scene()->mutable_scene()->set_name(request.remove_scene().name());
        if (request.has_get_scene())
            response.mutable_get_scene()->set_revision(
                request.get_scene().with_graph() && request.get_scene().with_diff() ? 9 : 0);
        return Reply{.bytes = frame(response)};
    }};
    auto client = connect(daemon);
    ASSERT_TRUE(client) << client.error().sentence;
    EXPECT_EQ(client->hello().instance_id(), "instance");
    EXPECT_EQ(client->status()->server_version(), "1.2.3");
    EXPECT_EQ(client->graph()->revision(), 7U);
    EXPECT_EQ(client->node_types()->types(0).name(), "gain");
    EXPECT_EQ(client
                  ->apply({add_node_edit("osc", "sine", {{"frequency_hz", 440}}, {{"channels", 2}}),
                           rename_node_edit("osc", "tone"), connect_edit("tone", "out", -6.0F)},
                          WaitFor::start)
                  ->revision(),
              8U);
    EXPECT_EQ(client->load("{}")->revision(), 8U);
    EXPECT_EQ(client->set_parameter("tone", "gain_db", -12)->frame(), 64U);
    EXPECT_EQ(client->mute(false)->frame(), 128U);
    EXPECT_EQ(client->set_volume(-20)->volume_db(), -20.0F);
    EXPECT_EQ(client->panic()->frame(), 256U);
    EXPECT_EQ(client->undo({.steps = 3})->revision(), 3U);
    EXPECT_EQ(client->redo({.of_all = true})->revision(), 8U);
    EXPECT_EQ(client->history()->steps(0).number(), 5U);
    EXPECT_EQ(client->time()->frame(), 512U);
    EXPECT_EQ(client->apply_at(at_frame(480'000), {remove_node_edit("osc")})->pending().id(), 5U);
    EXPECT_EQ(client->set_parameters_at(in_seconds(2), {parameter_change("tone", "gain_db", -6)})->pending().id(), 6U);
    EXPECT_EQ(client->pending()->edits(0).id(), 5U);
    EXPECT_EQ(client->save_scene("day", {"osc", "vol"})->scene().node_count(), 2U);
    EXPECT_EQ(client->recall_scene("day", {.fade_ms = 2'000.0F})->prepare_ms(), 2'000.0F);
    EXPECT_EQ(client->recall_scene("day", {.at = in_seconds(2)})->transaction().pending().id(), 7U);
    EXPECT_EQ(client->scenes()->scenes(0).name(), "day");
    EXPECT_EQ(client->rename_scene("day", "noon")->scene().name(), "noon");
    EXPECT_EQ(client->remove_scene("noon")->scene().name(), "noon");
    EXPECT_EQ(client->scene("day")->revision(), 9U);
    EXPECT_EQ(client->cancel(5)->edit().id(), 5U);
    EXPECT_EQ(client->apply_to_confirm(30, {remove_node_edit("osc")}, WaitFor::start)->confirmation().id(), 30U);
    EXPECT_EQ(client->load_to_confirm(60, "{}")->confirmation().id(), 60U);
    EXPECT_EQ(client->confirm(7)->confirmation().id(), 7U);
    EXPECT_EQ(client->revert(9, WaitFor::start)->revision(), 9U);
    EXPECT_TRUE(client->undo({.confirm_within_s = 5}));
    EXPECT_EQ(client->create_code("read")->code(), "read code");

    const std::vector<v1::Request> requests = daemon.requests();
    ASSERT_EQ(requests.size(), 30U);
    EXPECT_TRUE(requests[24].apply_transaction().wait_for_start());
    EXPECT_TRUE(requests[27].revert().wait_for_start());
    EXPECT_EQ(requests[28].undo().confirm_within_s(), 5U);
    EXPECT_EQ(requests[13].apply_transaction().at().frame(), 480'000U);
    EXPECT_FALSE(requests[13].apply_transaction().wait_for_start());
    EXPECT_EQ(requests[14].set_parameters().at().in_s(), 2.0);
    EXPECT_EQ(requests[1].get_graph().content(), v1::GRAPH_CONTENT_MESSAGE);
    const v1::ApplyTransaction& transaction = requests[3].apply_transaction();
    EXPECT_TRUE(transaction.wait_for_start());
    ASSERT_EQ(transaction.edits().edits_size(), 3);
    const v1::Node& node = transaction.edits().edits(0).add_node();
    EXPECT_EQ(node.type(), "sine");
    EXPECT_EQ(node.parameters().at("frequency_hz"), 440.0F);
    EXPECT_EQ(node.settings().fields().at("channels").number_value(), 2.0);
    EXPECT_EQ(transaction.edits().edits(1).rename_node().new_name(), "tone");
    EXPECT_EQ(transaction.edits().edits(2).connect().gain_db(), -6.0F);
    EXPECT_EQ(requests[4].apply_transaction().document(), "{}");
    EXPECT_FALSE(requests[4].apply_transaction().wait_for_start());
    EXPECT_EQ(requests[5].set_parameters().changes(0).value(), -12.0F);
    EXPECT_FALSE(requests[6].mute_output().muted());
}

/// Accepts the code once, and then the token of its session. Closes the first subscription, and sends an event on others.
test::Reply session_reply(const v1::Request& request, int& subscriptions) {
    v1::Response response = ok(request);
    if (request.has_hello()) {
        response.mutable_hello()->set_protocol_version(1);
        if (request.hello().token() == "code:X") response.mutable_hello()->set_session_token("session:Y");
    }
    if (!request.has_subscribe()) return {.bytes = frame(response)};
    v1::Event event;
    event.mutable_load()->set_mean(0.5F);
    const bool first = subscriptions++ == 0;
    return {.bytes = frame(response) + (first ? "" : frame(event)), .close = first};
}

TEST(Client, SendsACodeOnceAndThenTheTokenOfItsSession) {
    int subscriptions = 0;
    ScriptedDaemon daemon{[&](const v1::Request& request) { return session_reply(request, subscriptions); }, ""};
    const std::string address = to_string(daemon.endpoint());
    const ClientOptions options{.token = "code:X", .timeout = test::kPatience};
    const SubscribeOptions quick{.topics = {v1::TOPIC_LOAD},
                                 .shortest_pause = std::chrono::milliseconds{1},
                                 .longest_pause = std::chrono::milliseconds{2}};
    const auto tokens = [&] {
        std::vector<std::string> sent;
        for (const v1::Request& request : daemon.requests()) {
            if (request.has_hello()) sent.push_back(request.hello().token());
        }
        return sent;
    };
    auto client = Client::connect(address, options);
    ASSERT_TRUE(client) << client.error().sentence;
    EXPECT_EQ(client->hello().session_token(), "session:Y");
    auto of_client = client->subscribe(quick);
    ASSERT_TRUE(of_client) << of_client.error().sentence;
    ASSERT_TRUE(of_client->next(test::kPatience));
    EXPECT_EQ(tokens(), (std::vector<std::string>{"code:X", "session:Y", "session:Y"}));

    subscriptions = 0;
    auto direct = Subscription::open(address, quick, options);
    ASSERT_TRUE(direct) << direct.error().sentence;
    ASSERT_TRUE(direct->next(test::kPatience));
    EXPECT_EQ(tokens(), (std::vector<std::string>{"code:X", "session:Y", "session:Y", "code:X", "session:Y"}));
}

TEST(Client, ReturnsARejectionWithItsCodeAndEdit) {
    ScriptedDaemon daemon{[](const v1::Request& request) {
        v1::Response response = refusal(request, v1::NOT_FOUND, "node \"ghost\" not found");
        response.mutable_status()->set_edit_index(3);
        return Reply{.bytes = frame(response)};
    }};
    auto client = connect(daemon);
    ASSERT_TRUE(client);
    const auto result = client->apply({remove_node_edit("ghost")});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, Error::Kind::rejected);
    EXPECT_EQ(result.error().code, v1::NOT_FOUND);
    EXPECT_EQ(result.error().sentence, "node \"ghost\" not found");
    EXPECT_EQ(result.error().edit_index, 3U);
    const auto response = client->call({});
    ASSERT_TRUE(response) << "call() returns the response as it is";
    EXPECT_EQ(response->status().code(), v1::NOT_FOUND);
}

TEST(Client, SendsGuardsAndReturnsWhatTheyHaveFound) {
    ScriptedDaemon daemon{[](const v1::Request& request) {
        v1::Response response = refusal(request, v1::ABORTED, "the graph is at revision 5");
        response.mutable_status()->mutable_conflict()->set_revision(5);
        response.mutable_status()->mutable_conflict()->set_author("ada");
        return Reply{.bytes = frame(response)};
    }};
    auto client = connect(daemon);
    ASSERT_TRUE(client);
    const auto applied = client->apply({remove_node_edit("osc")}, WaitFor::commit, expect_revision(4));
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().code, v1::ABORTED);
    ASSERT_TRUE(applied.error().conflict);
    EXPECT_EQ(applied.error().conflict->revision(), 5U);
    EXPECT_EQ(applied.error().conflict->author(), "ada");
    EXPECT_FALSE(client->load("{}", WaitFor::start, expect_revision(0)));
    EXPECT_FALSE(client->set_parameter("osc", "gain_db", -6, expect_change(12)));
    EXPECT_FALSE(client->set_parameter("osc", "gain_db", -6));
    const std::vector<v1::Request> requests = daemon.requests();
    ASSERT_EQ(requests.size(), 4U);
    EXPECT_EQ(requests[0].apply_transaction().guard().expected_revision(), 4U);
    EXPECT_FALSE(requests[0].apply_transaction().guard().has_expected_change());
    EXPECT_TRUE(requests[1].apply_transaction().guard().has_expected_revision()) << "0 is a revision, too";
    EXPECT_EQ(requests[2].set_parameters().guard().expected_change(), 12U);
    EXPECT_FALSE(requests[3].set_parameters().has_guard());
}

TEST(Client, ReturnsTheResultOfAChangeThatIsCommittedAndNotConfirmed) {
    ScriptedDaemon daemon{[](const v1::Request& request) {
        v1::Response late = refusal(request, v1::DEADLINE_EXCEEDED, "committed as revision 7, but not heard yet");
        late.mutable_apply_transaction()->set_revision(7);
        return Reply{.bytes = frame(late)};
    }};
    auto client = connect(daemon);
    ASSERT_TRUE(client);
    const auto result = client->apply({}, WaitFor::start);
    ASSERT_TRUE(result) << result.error().sentence;
    EXPECT_EQ(result->revision(), 7U);
    EXPECT_FALSE(result->has_frame());
}

TEST(Client, RefusesAnOkWithoutItsResult) {
    ScriptedDaemon daemon{[](const v1::Request& request) {
        v1::Response empty = ok(request);
        if (!request.has_hello()) empty.clear_result();
        return Reply{.bytes = frame(empty)};
    }};
    auto client = connect(daemon);
    ASSERT_TRUE(client);
    const auto status = client->status();
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, Error::Kind::protocol);
}

TEST(Client, PipelinesRequests) {
    ScriptedDaemon daemon{[](const v1::Request& request) {
        v1::Response response = ok(request);
        response.mutable_set_volume()->set_volume_db(request.set_volume().volume_db());
        return Reply{.bytes = frame(response)};
    }};
    auto client = connect(daemon);
    ASSERT_TRUE(client);
    std::vector<std::uint64_t> ids;
    for (int i = 0; i < 50; ++i) {
        v1::Request request;
        request.mutable_set_volume()->set_volume_db(static_cast<float>(-i));
        ids.push_back(client->send(std::move(request)).value());
    }
    for (std::size_t i = ids.size(); i-- > 0;) {
        EXPECT_EQ(client->receive(ids[i])->set_volume().volume_db(), -static_cast<float>(i));
    }
}

TEST(Client, ExplainsABadAddress) {
    for (const char* address : {"host:0", "[::1", "a b", ":7340"}) {
        const auto client = Client::connect(address);
        ASSERT_FALSE(client) << address;
        EXPECT_EQ(client.error().kind, Error::Kind::bad_address);
        EXPECT_NE(client.error().sentence.find("expected HOST, HOST:PORT or [IPV6]:PORT, or the path of a socket"),
                  std::string::npos)
            << client.error().sentence;
    }
}

TEST(Client, TakesPathsAndAddresses) {
    const auto endpoint = [](std::string_view address) {
        return client::target_of(address, {})->endpoints.list.front();
    };
    EXPECT_EQ(endpoint("/run/x.sock"), client::Endpoint{client::UnixEndpoint{"/run/x.sock"}});
    EXPECT_EQ(endpoint("./x.sock"), client::Endpoint{client::UnixEndpoint{"./x.sock"}});
    EXPECT_EQ(endpoint("studio"), (client::Endpoint{client::TcpEndpoint{.host = "studio", .port = 7340}}));
    EXPECT_EQ(client::target_of("", {})->endpoints.list, client::local_endpoints());
}

/// Sets a variable of the environment for the length of a test.
class Variable {
 public:
    Variable(const char* name, const std::string& value) : name_{name} { ::setenv(name, value.c_str(), 1); }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;
    ~Variable() { ::unsetenv(name_); }

 private:
    const char* name_;
};

TEST(Client, WithoutAddressUsesTheDaemonOfTheEnvironment) {
    const Variable host{"RTACTL_HOST", "studio:80"};
    EXPECT_EQ(client::target_of("", {})->endpoints.list.front(),
              (client::Endpoint{client::TcpEndpoint{.host = "studio", .port = 80}}));
    EXPECT_EQ(client::target_of("desk", {})->endpoints.list.front(),
              (client::Endpoint{client::TcpEndpoint{.host = "desk", .port = 7340}}));
    const Variable wrong{"RTACTL_HOST", "studio:port"};
    const auto refused = client::target_of("", {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Error::Kind::bad_address);
    EXPECT_TRUE(refused.error().sentence.starts_with("environment variable RTACTL_HOST: invalid address"))
        << refused.error().sentence;
}

TEST(Client, SendsTheTokenOfTheEnvironmentOnlyToTheDaemonOfTheEnvironment) {
    const TemporaryDirectory folder;
    const std::string token = "rtad_" + std::string(43, 'x');
    const std::filesystem::path file = folder / "token";
    write_text(file, token + "\n");
    ::chmod(file.c_str(), 0600);
    const Variable variable{"RTACTL_TOKEN_FILE", file.string()};
    EXPECT_EQ(client::target_of("", {})->options.token, token);
    EXPECT_EQ(client::target_of("", {.token = "other"})->options.token, "other");
    EXPECT_EQ(client::target_of("studio", {})->options.token, "");
    ::chmod(file.c_str(), 0640);
    const auto refused = client::target_of("", {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Error::Kind::bad_token);
    EXPECT_EQ(refused.error().sentence.find(token), std::string::npos);
}

}  // namespace
}  // namespace rta
