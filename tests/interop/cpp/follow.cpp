// SPDX-License-Identifier: MIT
// Plays a chain and edits it. Then mirrors the graph until a node named `the_end` is added, and compares the mirror with
// the graph of the daemon. Uses only what client/rta installs.
//
//   follow                    the daemon is that of RTACTL_HOST and RTACTL_TOKEN_FILE
//   follow PREFIX COUNT       over connections that are cut: adds 1 dB to PREFIX_0.gain_db and so on, instead of playing
#include <google/protobuf/util/message_differencer.h>

#include <cstdlib>
#include <future>
#include <iostream>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "rta/client.h"
#include "rta/graph_mirror.h"
#include "rta/subscription.h"

namespace {

using Kind = rta::ClientError::Kind;
using rta::client::Expected;

const rta::ClientOptions kOptions{.client_name = "follow.cpp"};

[[noreturn]] void fail(const std::string& sentence) {
    std::cerr << sentence << std::endl;
    std::quick_exit(1);  // another thread may wait for the daemon
}

/// Returns the result of a call that must succeed.
template <class Result>
Result must(Expected<Result> result) {
    if (!result) fail(result.error().sentence);
    return std::move(*result);
}

/// Makes a call that changes nothing, until it succeeds; once, if connections are not cut.
template <class Call>
auto repeat(bool cut, Call call) {
    for (;;) {
        auto result = call();
        if (result) return std::move(*result);
        const Kind kind = result.error().kind;
        if (!cut || (kind != Kind::lost && kind != Kind::cannot_connect)) fail(result.error().sentence);
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
}

void play_and_edit() {
    rta::Client client = must(rta::Client::connect("", kOptions));
    const auto played = must(client.apply({rta::add_node_edit("osc", "sine", {{"frequency_hz", 440}}),
                                           rta::add_node_edit("vol", "gain", {{"gain_db", -12}}),
                                           rta::add_node_edit("out", "output", {}, {{"channels", 2}}),
                                           rta::connect_edit("osc", "vol"), rta::connect_edit("vol", "out")},
                                          rta::WaitFor::start));
    std::cout << "revision " << played.revision() << " takes effect at frame " << played.frame() << '\n';
    must(client.set_parameters({rta::parameter_change("osc", "frequency_hz", 660, std::chrono::milliseconds{100})}));
    // Add a second tone in one transaction, which is applied as a whole or not at all.
    must(client.apply(
        {rta::add_node_edit("fifth", "sine", {{"frequency_hz", 990}}), rta::connect_edit("fifth", "vol", -6)}));
    const auto refused = client.apply({rta::remove_node_edit("ghost")});
    if (refused || refused.error().code != rta::v1::NOT_FOUND) fail("an unknown node was removed");
}

/// Makes relative changes, which must not be repeated: after a lost connection, it is unknown whether they took effect.
void edit_once(const std::string& prefix, int count) {
    std::optional<rta::Client> client;
    for (int number = 0; number < count; ++number) {
        if (!client) client = repeat(true, [] { return rta::Client::connect("", kOptions); });
        rta::v1::SetParameter change = rta::parameter_change(prefix + "_" + std::to_string(number), "gain_db", 0);
        change.set_add(1);
        const auto done = client->set_parameters({change});
        if (!done && done.error().kind != Kind::lost) fail(done.error().sentence);
        std::cout << (done ? "applied " : "unknown ") << number << '\n';
        if (!done) client.reset();
    }
    std::cout << "edited" << std::endl;
}

/// A copy of the graph, with the subscription that it follows.
class Follower {
 public:
    explicit Follower(rta::Subscription changes) : changes_{std::move(changes)} { take_next(); }

    const rta::GraphMirror& mirror() const { return mirror_; }
    int resyncs() const { return resyncs_; }

    template <class Condition>
    void follow_until(Condition condition) {
        while (!condition(mirror_)) take_next();
    }

 private:
    void take_next() {
        const rta::SubscriptionItem item = must(changes_.next());
        if (std::holds_alternative<rta::Resync>(item)) ++resyncs_;
        mirror_.update(item);
    }

    rta::Subscription changes_;
    rta::GraphMirror mirror_;
    int resyncs_ = 0;
};

void compare(const rta::GraphMirror& mirror, const rta::v1::GraphResult& daemon) {
    google::protobuf::util::MessageDifferencer differencer;
    differencer.set_repeated_field_comparison(google::protobuf::util::MessageDifferencer::AS_SET);
    std::string difference;
    differencer.ReportDifferencesToString(&difference);
    if (!differencer.Compare(daemon.graph(), mirror.graph())) fail("the mirror differs:\n" + difference);
    if (mirror.revision() != daemon.revision()) fail("the mirror has another revision");
    std::cout << "the mirror equals the graph: " << mirror.nodes().size() << " nodes, " << mirror.connections().size()
              << " connections, revision " << mirror.revision();
}

}  // namespace

int main(int argc, char** argv) {
    const bool cut = argc == 3;
    if (!cut) play_and_edit();
    Follower follower{
        repeat(cut, [] { return rta::Subscription::open("", {.topics = {rta::v1::TOPIC_CHANGES}}, kOptions); })};
    std::cout << "following" << std::endl;
    // At the same time, because only next() reads from the connection.
    std::future<void> editing;
    if (cut) editing = std::async(std::launch::async, edit_once, std::string{argv[1]}, std::stoi(argv[2]));
    follower.follow_until([](const rta::GraphMirror& mirror) { return mirror.find("the_end") != nullptr; });

    const auto daemon = repeat(cut, [&]() -> Expected<rta::v1::GraphResult> {
        auto client = rta::Client::connect("", kOptions);
        if (!client) return std::unexpected(std::move(client.error()));
        return client->graph();
    });
    follower.follow_until(
        [&](const rta::GraphMirror& mirror) { return mirror.change_number() >= daemon.change_number(); });
    compare(follower.mirror(), daemon);
    std::cout << ", graph read " << follower.resyncs() << " times" << std::endl;
    if (!cut && follower.resyncs() != 1) fail("a change was lost");
}
