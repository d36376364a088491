// SPDX-License-Identifier: MIT
// Eight clients of different authors send random requests to a dispatcher with a real engine: transactions, parameters,
// undo and redo, scenes, schedules, confirmations, guards, checks, mute, volume and panic; many are invalid, and several are
// in progress at the same time. Workers finish in random order, files are written late, and clients disconnect and resume.
//
// A reference model (reference.h), which shares no code with the daemon, decides in the order of the changes what each request
// must have done and whether each refusal is right (judge.h). In the end, the daemon, the mirror of every client and the
// reference are equal, and the sound has no step that the ramps do not make (sound.h).
//
// Everything is decided by a seed, workers and time included. RTA_MODEL_SEEDS sets the number of seeds, RTA_MODEL_SEED the
// first one, RTA_MODEL_ACTIONS the length. A failure prints its seed and the shortest list of actions that was found to fail.
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/judge.h"
#include "model/sound.h"
#include "model/traffic.h"
#include "support/storm.h"
#include "unit/api/script.h"

namespace rta::test::model {
namespace {

using api::test::Script;

constexpr std::string_view kClients = "abcdefgh";
constexpr std::chrono::nanoseconds kBlockTime{64 * 1'000'000'000LL / 48'000};
/// Longer than the confirmations and schedules of the traffic that end within a round.
constexpr int kBlocksAtTheEnd = 2'000;
constexpr int kMostBlocksToSettle = 20'000;
constexpr std::size_t kMostInProgress = 3;

class Round {
 public:
    Round() {
        script_.workers.held = true;
        script_.daemon.store.error.clear();
        script_.set_device_channels(kLanes);
        sound_.channels.resize(kLanes);
        for (const char name : kClients) connect(name);
        v1::Request first;
        *first.mutable_apply_transaction()->mutable_edits() = first_edits();
        send('a', first);
        settle();
    }

    /// `action` decides all.
    void act(std::uint32_t action) {
        std::mt19937 random{action};
        const auto roll = [&](std::uint32_t below) { return static_cast<std::uint32_t>(random() % below); };
        const char name = kClients[roll(kClients.size())];
        Peer& peer = peers_[name];
        if (roll(60) == 0) {
            disconnect(name);
            if (roll(3) != 0) connect(name);
        } else if (!peer.connected) {
            connect(name);
        } else if (peer.unanswered.size() < kMostInProgress) {
            send(name, Traffic{random}.request(view(peer)));
        }
        script_.daemon.holds_saves = roll(4) == 0;
        if (!script_.daemon.holds_saves) finish_saves();
        std::uint32_t jobs = roll(3) == 0 ? roll(3) : 12;
        for (; jobs > 0 && !script_.workers.jobs.empty(); --jobs) work(random);
        drain();
        std::uint32_t blocks = roll(3) == 0 ? 0 : roll(16);
        if (roll(40) == 0) blocks = 800;
        for (; blocks > 0; --blocks) {
            if (roll(8) == 0 && !script_.workers.jobs.empty()) work(random);
            block();
        }
        if (roll(2) == 0) script_.daemon.store.saved_revision = script_.engine.revision();
    }

    /// Returns what is wrong, if anything is.
    std::optional<std::string> finish() {
        for (const char name : kClients) {
            if (!peers_[name].connected) connect(name);
        }
        for (int i = 0; i < kBlocksAtTheEnd; ++i) {
            work_all();
            block();
        }
        settle();
        read_end();
        if (fault_) return fault_;
        Judge judge{record_};
        if (auto fault = judge.find_fault()) return fault;
        counts = judge.counts();
        if (auto fault = compare_mirrors()) return fault;
        if (auto step = find_step(sound_, judge.states())) return *step + "\n" + events_before(*step, judge);
        return std::nullopt;
    }

    Judge::Counts counts{};

 private:
    struct Peer {
        bool connected = false;
        int connections = 0;
        std::string client_name{};
        Graph mirror{};                         ///< fed with the events
        std::uint64_t revision = 0;             ///< of the mirror
        std::uint64_t latest = 0;               ///< number of the latest event
        std::vector<std::size_t> unanswered{};  ///< exchanges
    };

    void fail(const std::string& what) {
        if (!fault_) fault_ = what;
    }

    // Clients.

    static std::string author(char name) { return "uid " + std::to_string(1'000 + name); }

    void connect(char name) {
        Peer& peer = peers_[name];
        peer.connected = true;
        peer.client_name = std::string{name} + std::to_string(++peer.connections);
        script_.connect(name,
                        {.door = api::Entry::Door::unix_socket, .user_id = 1'000U + static_cast<unsigned char>(name)});
        v1::Request hello;
        hello.mutable_hello()->set_protocol_version(1);
        hello.mutable_hello()->set_client_name(peer.client_name);
        instance_ = call(name, hello).hello().instance_id();
        v1::Request subscribe;
        subscribe.mutable_subscribe()->add_topics(v1::TOPIC_CHANGES);
        if (peer.connections > 1) {
            subscribe.mutable_subscribe()->set_resume_after(peer.latest);
            subscribe.mutable_subscribe()->set_resume_instance(instance_);
        }
        const v1::SubscribeResult subscribed = call(name, subscribe).subscribe();
        if (peer.connections > 1 && !subscribed.resumed()) fail(peer.client_name + " cannot resume");
    }

    void disconnect(char name) {
        Peer& peer = peers_[name];
        if (!peer.connected) return;
        script_.disconnect(name);
        peer.connected = false;
        peer.unanswered.clear();
    }

    /// Only for requests that are answered without others; not recorded.
    v1::Response call(char name, v1::Request request) {
        request.set_id(kNotRecorded);
        script_.send(name, request);
        for (int i = 0; i < kMostBlocksToSettle; ++i) {
            drain();
            if (auto response = std::exchange(called_, std::nullopt)) return *std::move(response);
            work_all();
        }
        fail("no response to " + request.ShortDebugString());
        return {};
    }

    void send(char name, v1::Request request) {
        Peer& peer = peers_[name];
        request.set_id(record_.exchanges.size() + 1);
        peer.unanswered.push_back(record_.exchanges.size());
        record_.exchanges.push_back(
            {.author = author(name), .client_name = peer.client_name, .request = request, .after = peer.latest});
        script_.send(name, request);
        drain();
    }

    [[nodiscard]] View view(const Peer& peer) const {
        View view{.graph = message_of(peer.mirror),
                  .revision = peer.revision,
                  .change_number = peer.latest,
                  .open = open_,
                  .frame = script_.engine.renderer().frames(),
                  .utc_us = script_.daemon.utc};
        view.scenes.assign(scenes_.begin(), scenes_.end());
        view.pending.assign(waiting_.begin(), waiting_.end());
        return view;
    }

    void drain() {
        for (auto& [name, peer] : peers_) {
            if (!peer.connected) continue;
            while (const auto message = script_.receive(name)) take(name, *message);
        }
    }

    void take(char name, const v1::ServerMessage& message) {
        Peer& peer = peers_[name];
        if (message.has_event()) return take(peer, message.event());
        const v1::Response& response = message.response();
        if (response.id() == kNotRecorded) {
            called_ = response;
            return;
        }
        if (peer.unanswered.empty() || response.id() != peer.unanswered.front() + 1)
            return fail(peer.client_name + " receives an unexpected response: " + response.ShortDebugString());
        Exchange& exchange = record_.exchanges[peer.unanswered.front()];
        exchange.response = response;
        exchange.until = peer.latest;
        peer.unanswered.erase(peer.unanswered.begin());
    }

    void take(Peer& peer, const v1::Event& event) {
        if (event.number() != peer.latest + 1) {
            return fail(peer.client_name + " receives event " + std::to_string(event.number()) + " after " +
                        std::to_string(peer.latest));
        }
        peer.latest = event.number();
        if (event.has_graph_changed()) {
            peer.revision = event.graph_changed().revision();
            Content content;
            *content.edits.mutable_edits() = event.graph_changed().edits();
            if (apply(peer.mirror, content, identities_)) fail("the edits of an event do not apply to a mirror");
        }
        if (event.has_parameters_changed()) {
            v1::SetParameters changes;
            *changes.mutable_changes() = event.parameters_changed().changes();
            if (apply(peer.mirror, changes)) fail("the changes of an event do not apply to a mirror");
        }
        if (event.number() <= record_.events.size()) {
            const v1::Event& known = record_.events[event.number() - 1].event;
            if (!google::protobuf::util::MessageDifferencer::Equals(known, event))
                fail(peer.client_name + " receives another event " + std::to_string(event.number()));
            return;
        }
        record_.events.push_back({event, seconds()});
        const v1::SceneChanged& scene = event.scene_changed();
        if (scene.what() == v1::SceneChanged::SAVED || scene.what() == v1::SceneChanged::RENAMED)
            scenes_.insert(scene.scene().name());
        if (scene.what() == v1::SceneChanged::RENAMED) scenes_.erase(scene.old_name());
        if (scene.what() == v1::SceneChanged::REMOVED) scenes_.erase(scene.scene().name());
        if (event.has_confirmation_changed()) {
            open_.reset();
            if (event.confirmation_changed().what() == v1::ConfirmationChanged::OPENED)
                open_ = event.confirmation_changed().confirmation().id();
        }
        if (event.has_pending_changed()) {
            waiting_.erase(event.pending_changed().edit().id());
            if (event.pending_changed().what() == v1::PendingChanged::ADDED)
                waiting_.insert(event.pending_changed().edit().id());
        }
    }

    // The daemon.

    [[nodiscard]] double seconds() const {
        return std::chrono::duration<double>(script_.now.time_since_epoch()).count();
    }

    /// A worker does its work, or reports that it has done it.
    void work(std::mt19937& random) {
        auto& jobs = script_.workers.jobs;
        const std::size_t index = random() % jobs.size();
        if (random() % 3 != 0) return script_.workers.finish(index);
        jobs[index].work();
        jobs[index].work = [] {};
    }
    void work_all() {
        script_.daemon.holds_saves = false;
        finish_saves();
        while (!script_.workers.jobs.empty()) script_.workers.finish(0);
        script_.daemon.store.saved_revision = script_.engine.revision();
        drain();
    }
    void finish_saves() {
        while (!script_.daemon.held_saves.empty()) script_.daemon.finish_save();
    }

    void block() {
        script_.render_block();
        for (std::size_t c = 0; c < sound_.channels.size(); ++c) {
            const auto samples = script_.output().channel(static_cast<std::uint32_t>(c));
            sound_.channels[c].insert(sound_.channels[c].end(), samples.begin(), samples.end());
        }
        drain();
        sound_.numbers.push_back(record_.events.size());
        script_.now += kBlockTime;
        script_.daemon.utc += std::chrono::duration_cast<std::chrono::microseconds>(kBlockTime).count();
        script_.tick({});
        drain();
    }

    /// Until all requests are answered and everything is heard.
    void settle() {
        for (int i = 0; i < kMostBlocksToSettle; ++i) {
            work_all();
            block();
            const bool answered =
                std::ranges::all_of(peers_, [](const auto& peer) { return peer.second.unanswered.empty(); });
            if (answered && !script_.engine.outstanding() && script_.workers.jobs.empty()) return;
        }
        fail("the daemon does not settle");
    }

    // The end.

    void read_end() {
        const auto read = [&](auto fill) {
            v1::Request request;
            fill(request);
            return call('a', request);
        };
        record_.graph = read([](v1::Request& request) { request.mutable_get_graph(); }).get_graph();
        record_.history =
            read([](v1::Request& request) { request.mutable_get_history()->set_steps(1'000); }).get_history();
        record_.scenes = read([](v1::Request& request) { request.mutable_list_scenes(); }).list_scenes();
        record_.pending = read([](v1::Request& request) { request.mutable_list_pending(); }).list_pending();
        record_.status = read([](v1::Request& request) { request.mutable_get_status(); }).get_status();
        record_.end_s = seconds();
    }

    std::optional<std::string> compare_mirrors() {
        const std::string graph = text_of(record_.graph.graph());
        for (const auto& [name, peer] : peers_) {
            const std::string mirror = text_of(peer.mirror);
            if (mirror != graph) return "the mirror of " + peer.client_name + " is\n" + mirror + "expected\n" + graph;
            if (peer.revision != record_.graph.revision() || peer.latest != record_.status.engine().change_number())
                return "the mirror of " + peer.client_name + " has other numbers";
        }
        return std::nullopt;
    }

    [[nodiscard]] std::string events_before(const std::string& step, const Judge& judge) const {
        const std::uint64_t number = std::strtoull(step.c_str() + step.find("change ") + 7, nullptr, 10);
        std::string text;
        for (std::uint64_t n = number > 20 ? number - 20 : 1; n <= number; ++n) {
            v1::Event event = record_.events[n - 1].event;
            if (event.has_graph_changed()) event.mutable_graph_changed()->clear_inverse();
            text += "  " + event.ShortDebugString() + "\n";
        }
        return text + text_of(*judge.states()[number].graph);
    }

    static constexpr std::uint64_t kNotRecorded = 1'000'000'000;

    Script script_;
    std::map<char, Peer> peers_;
    Record record_;
    Sound sound_;
    std::string instance_;
    std::optional<v1::Response> called_;
    Identities identities_;  ///< of all mirrors
    std::set<std::string> scenes_;
    std::set<std::uint64_t> waiting_;
    std::optional<std::uint64_t> open_;
    std::optional<std::string> fault_;
};

std::optional<std::string> run(const std::vector<std::uint32_t>& actions, Judge::Counts* counts = nullptr) {
    Round round;
    for (const std::uint32_t action : actions) round.act(action);
    auto fault = round.finish();
    if (counts != nullptr) *counts = round.counts;
    return fault;
}

TEST(Model, EightClientsTheDaemonAndTheReferenceAgree) {
    const auto seeds = static_cast<std::uint32_t>(number_from_environment("RTA_MODEL_SEEDS", 6));
    const auto first = static_cast<std::uint32_t>(number_from_environment("RTA_MODEL_SEED", 1));
    const auto length = static_cast<std::uint32_t>(number_from_environment("RTA_MODEL_ACTIONS", 300));
    Judge::Counts total;
    for (std::uint32_t seed = first; seed < first + seeds; ++seed) {
        std::mt19937 random{seed};
        std::vector<std::uint32_t> actions(length);
        for (std::uint32_t& action : actions) action = static_cast<std::uint32_t>(random());
        Judge::Counts counts;
        const auto fault = run(actions, &counts);
        if (fault) {
            const std::string kind = without_numbers(fault->substr(0, fault->find('\n')));
            const auto same = [&](const std::vector<std::uint32_t>& fewer) {
                const auto found = run(fewer);
                return found && without_numbers(found->substr(0, found->find('\n'))) == kind;
            };
            if (std::getenv("RTA_MODEL_NO_SHRINK") == nullptr) shrink(actions, same);
            ADD_FAILURE() << "seed " << seed << ", " << actions.size() << " actions: " << *run(actions);
            if (std::getenv("RTA_MODEL_KEEP_GOING") == nullptr) return;
        }
        total.accepted += counts.accepted;
        total.refused += counts.refused;
        total.reads += counts.reads;
        total.undone += counts.undone;
        total.recalled += counts.recalled;
        total.scheduled += counts.scheduled;
        total.reverted += counts.reverted;
        total.out_of_room += counts.out_of_room;
    }
    std::cout << total.accepted << " edits accepted, " << total.refused << " requests refused (" << total.out_of_room
              << " because the engine had no room), " << total.reads << " reads, " << total.undone
              << " undone or applied again, " << total.recalled << " recalls, " << total.scheduled << " scheduled, "
              << total.reverted << " reverted\n";
    // The traffic must not become useless.
    EXPECT_GT(total.accepted, 40 * seeds);
    EXPECT_GT(total.undone, 3 * seeds);
    EXPECT_GT(total.recalled, seeds);
    EXPECT_GT(total.scheduled, seeds);
    EXPECT_GT(2 * total.reverted, seeds);
    EXPECT_LT(20 * total.out_of_room, total.refused + 20);
}

}  // namespace
}  // namespace rta::test::model
