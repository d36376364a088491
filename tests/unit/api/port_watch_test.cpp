// SPDX-License-Identifier: MIT
// Subscribe.watches: levels and spectra of ports.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "script.h"

namespace rta::api::test {
namespace {

ClientLimits with_ports(std::size_t ports) {
    ClientLimits limits;
    limits.watched_ports = ports;
    return limits;
}

class PortWatchTest : public ::testing::Test {
 protected:
    explicit PortWatchTest(const ClientLimits& limits = {}) : script{builtin_nodes(), {}, limits} {
        script.play("hello a\nhello b\n" + tone());
        edit(R"(edits { set_parameter { node: "osc" parameter: "frequency_hz" value: 937.5 ramp_ms: 0 } }
                edits { set_parameter { node: "vol" parameter: "gain_db" value: -6 ramp_ms: 0 } })");
        play(4'096);
    }

    v1::Response call(const std::string& text, char client = 'a') {
        script.send(client, request(text));
        while (auto message = script.receive(client)) {
            if (message->has_response()) return message->response();
            events[client].push_back(message->event());
        }
        ADD_FAILURE() << "no response to " << text;
        return {};
    }
    v1::Response edit(const std::string& edits) {
        v1::Response response = call("id: 9 apply_transaction { edits { " + edits + " } }");
        EXPECT_EQ(response.status().code(), v1::OK) << response.status().message();
        return response;
    }
    v1::Response watch(const std::string& watches, char client = 'a') {
        return call("id: 8 subscribe { " + watches + " }", client);
    }
    /// Renders this many frames, and returns the events about ports that client `client` has received since.
    std::vector<v1::PortLevels> play(std::uint64_t frames, char client = 'a') {
        for (std::uint64_t i = 0; i < frames; i += 64) script.block();
        std::vector<v1::PortLevels> levels;
        for (const char name : {'a', 'b'}) {
            while (auto message = script.receive(name)) events[name].push_back(message->event());
        }
        for (const v1::Event& event : std::exchange(events[client], {})) {
            if (event.has_port_levels()) levels.push_back(event.port_levels());
        }
        return levels;
    }

    Script script;
    std::map<char, std::vector<v1::Event>> events;
};

TEST_F(PortWatchTest, ASineHasItsPeakItsRmsAndItsBand) {
    ASSERT_EQ(watch(R"(watches { port: "osc" spectrum: true } watches { port: "vol:out" })").status().code(), v1::OK);
    play(48'000);
    const auto levels = play(48'000);
    ASSERT_GE(levels.size(), 9U);
    ASSERT_LE(levels.size(), 10U);
    for (const v1::PortLevels& event : levels) {
        ASSERT_EQ(event.ports_size(), 2);
        const v1::PortLevel& osc = event.ports(0);
        const v1::PortLevel& vol = event.ports(1);
        EXPECT_EQ(osc.port(), "osc");
        EXPECT_EQ(vol.port(), "vol:out");
        ASSERT_EQ(osc.channels_size(), 1);
        EXPECT_NEAR(osc.channels(0).peak_db(), -20.0F, 0.1F);
        EXPECT_NEAR(osc.channels(0).rms_db(), -23.01F, 0.1F);
        EXPECT_NEAR(vol.channels(0).peak_db(), -26.0F, 0.1F);
        EXPECT_NEAR(vol.channels(0).rms_db(), -29.01F, 0.1F);
        EXPECT_EQ(vol.spectra_size(), 0);
        ASSERT_EQ(osc.spectra_size(), 1);
        const auto& bands = osc.spectra(0).magnitudes_db();
        ASSERT_EQ(bands.size(), 1'024);
        EXPECT_EQ(std::ranges::max_element(bands) - bands.begin(), 40) << "937.5 Hz";
        EXPECT_FLOAT_EQ(osc.spectra(0).band_hz(), 48'000.0F / 2'048.0F);
        EXPECT_NEAR(bands[40], -20.0F, 0.1F);
        EXPECT_LT(bands[100], -100.0F);
    }
    for (std::size_t i = 1; i < levels.size(); ++i)
        EXPECT_EQ(levels[i].frame() - levels[i].frame_count(), levels[i - 1].frame()) << "without a gap";
}

TEST_F(PortWatchTest, ThePlanChangesAndTheGraphDoesNot) {
    const v1::StatusResult before = call("id: 2 get_status {}").get_status();
    watch(R"(watches { port: "osc" spectrum: true } watches { port: "vol" })");
    play(4'096);
    const v1::StatusResult after = call("id: 2 get_status {}").get_status();
    EXPECT_GT(after.engine().plans_made(), before.engine().plans_made());
    EXPECT_EQ(after.engine().revision(), before.engine().revision());
    EXPECT_EQ(after.engine().node_count(), before.engine().node_count());
    EXPECT_EQ(call("id: 3 get_graph {}").get_graph().graph().nodes_size(), 3);
    EXPECT_EQ(call("id: 3 get_history {}").get_history().steps_size(), 2);
    // After the last client has left, the plan measures nothing.
    script.disconnect('a');
    play(256, 'b');
    EXPECT_FALSE(script.dispatcher.services().watches.interval());
    EXPECT_EQ(script.engine.statistics().plans_alive, 1U);
}

TEST_F(PortWatchTest, EachClientHasItsPortsAtItsRate) {
    watch(R"(watches { port: "osc" } telemetry_rate_hz: 10)");
    watch(R"(watches { port: "vol" spectrum: true } watches { port: "osc" } telemetry_rate_hz: 100)", 'b');
    for (std::uint64_t i = 0; i < 96'000; i += 64) script.block();
    const auto slow = play(0, 'a');
    EXPECT_GE(slow.size(), 18U);
    EXPECT_LE(slow.size(), 20U);
    for (const v1::PortLevels& event : slow) {
        ASSERT_EQ(event.ports_size(), 1);
        EXPECT_EQ(event.ports(0).port(), "osc");
        EXPECT_EQ(event.ports(0).spectra_size(), 0);
    }
    watch("watches {port: \"osc\"}");
    for (std::uint64_t i = 0; i < 96'000; i += 64) script.block();
    const auto fast = play(0, 'b');
    EXPECT_GE(fast.size(), 150U) << "at most 256 events wait";
    int spectra = 0;
    for (const v1::PortLevels& event : fast) {
        ASSERT_EQ(event.ports_size(), 2);
        EXPECT_EQ(event.ports(0).port(), "vol");
        spectra += event.ports(0).spectra_size();
        EXPECT_NEAR(event.ports(1).channels(0).rms_db(), -23.01F, 0.1F);
    }
    EXPECT_LE(spectra, static_cast<int>(fast.size()) / 4 + 1) << "25 in a second";
    EXPECT_GE(spectra, static_cast<int>(fast.size()) / 8);
}

TEST_F(PortWatchTest, AWatchBelongsToTheName) {
    watch(R"(watches { port: "later" } watches { port: "vol" } telemetry_rate_hz: 50)");
    const auto names = [&] {
        play(4'800);
        const auto levels = play(4'800);
        std::vector<std::string> ports;
        if (levels.empty()) return ports;
        for (const v1::PortLevel& port : levels.back().ports()) ports.push_back(port.port());
        return ports;
    };
    EXPECT_EQ(names(), (std::vector<std::string>{"vol"}));
    edit(R"(edits { add_node { name: "later" type: "constant" } })");
    EXPECT_EQ(names(), (std::vector<std::string>{"later", "vol"}));
    edit(R"(edits { rename_node { name: "vol" new_name: "level" } })");
    EXPECT_EQ(names(), (std::vector<std::string>{"later"}));
    edit(R"(edits { rename_node { name: "later" new_name: "vol" } })");
    EXPECT_EQ(names(), (std::vector<std::string>{"vol"}));
    edit(R"(edits { remove_node { name: "vol" } })");
    EXPECT_TRUE(names().empty());
    // A node that is replaced keeps its name.
    edit(R"(edits { rename_node { name: "level" new_name: "vol" } })");
    edit(R"(edits { disconnect { from: "vol" to: "out" } }
            edits { change_settings { node: "vol" settings { fields { key: "channels" value { number_value: 2 } } } } })");
    play(9'600);
    const auto levels = play(4'800);
    ASSERT_FALSE(levels.empty());
    EXPECT_EQ(levels.back().ports(0).channels_size(), 2);
}

TEST_F(PortWatchTest, InvalidWatchesAreRefused) {
    EXPECT_EQ(watch(R"(watches { port: "osc:nope" })").status().code(), v1::NOT_FOUND);
    EXPECT_EQ(watch(R"(watches { port: "out" })").status().code(), v1::FAILED_PRECONDITION) << "it has no output";
    EXPECT_EQ(watch(R"(watches { port: "not a name" })").status().code(), v1::INVALID_ARGUMENT);
    for (const char* const wrong : {"", ":", "later:", ":out", "later:a:b", "later:not a name"}) {
        const v1::Response refused = watch("watches { port: \"" + std::string{wrong} + "\" }");
        EXPECT_EQ(refused.status().code(), v1::INVALID_ARGUMENT) << wrong;
    }
    EXPECT_EQ(watch("watches { port: \"later:" + std::string(65, 'x') + "\" }").status().code(), v1::INVALID_ARGUMENT);
    std::string many;
    for (int i = 0; i <= 64; ++i) many += "watches { port: \"n" + std::to_string(i) + "\" } ";
    EXPECT_EQ(watch(many).status().code(), v1::INVALID_ARGUMENT);
    EXPECT_FALSE(script.dispatcher.services().watches.interval()) << "nothing is watched";
}

TEST_F(PortWatchTest, TheSpectraOfAllClientsAreLimited) {
    std::string nodes;
    for (int i = 0; i < 3; ++i)
        nodes += "edits { add_node { name: \"w" + std::to_string(i) +
                 "\" type: \"noise\" settings { fields { key: \"channels\" value { number_value: 32 } } } } } ";
    edit(nodes);
    EXPECT_EQ(watch(R"(watches { port: "w0" spectrum: true } watches { port: "w1" spectrum: true })").status().code(),
              v1::OK);
    const std::string third = R"(watches { port: "w2" spectrum: true })";
    EXPECT_EQ(watch(third, 'b').status().code(), v1::RESOURCE_EXHAUSTED);
    EXPECT_EQ(watch(R"(watches { port: "w1" spectrum: true } watches { port: "w2" })", 'b').status().code(), v1::OK);
    EXPECT_EQ(watch(R"(watches { port: "w0" spectrum: true })").status().code(), v1::OK);
    play(48'000);
    const auto levels = play(9'600, 'a');
    ASSERT_FALSE(levels.empty());
    EXPECT_EQ(levels.back().ports(0).channels_size(), 32);
    EXPECT_EQ(levels.back().ports(0).spectra_size(), 32);
}

TEST_F(PortWatchTest, APortThatIsListedTwiceIsSentOnce) {
    watch(R"(watches { port: "vol" } watches { port: "osc" } watches { port: "vol" spectrum: true })");
    play(48'000);
    const auto levels = play(9'600);
    ASSERT_FALSE(levels.empty());
    ASSERT_EQ(levels.back().ports_size(), 2);
    EXPECT_EQ(levels.back().ports(0).port(), "vol");
    EXPECT_EQ(levels.back().ports(0).spectra_size(), 1);
    EXPECT_EQ(levels.back().ports(1).port(), "osc");
}

TEST_F(PortWatchTest, APortWithoutANodeCountsAsOneChannelOfSpectra) {
    std::string most;
    for (int i = 0; i < 64; ++i) most += "watches { port: \"n" + std::to_string(i) + "\" spectrum: true } ";
    EXPECT_EQ(watch(most).status().code(), v1::OK);
    EXPECT_EQ(watch(R"(watches { port: "more" spectrum: true })", 'b').status().code(), v1::RESOURCE_EXHAUSTED);
    EXPECT_EQ(watch(R"(watches { port: "n7" spectrum: true })", 'b').status().code(), v1::OK);
}

/// The clock of the daemon advances by more than a slice with each step.
TEST_F(PortWatchTest, ThePollsOfManyClientsAreShort) {
    constexpr std::string_view kNames = "abcdefgh";
    for (const char name : kNames) {
        if (name > 'b') script.play(std::string{"hello "} + name);
        ASSERT_EQ(
            watch("watches { port: \"osc\" } watches { port: \"" + std::string{name} + "\" }", name).status().code(),
            v1::OK);
    }
    script.clock_step = std::chrono::milliseconds{1};
    std::size_t events_received = 0;
    std::size_t ticks_with_events = 0;
    for (int block = 0; block < 750; ++block) {
        script.render_block();
        for (int tick = 0; tick < 4; ++tick) {
            script.tick({});
            std::size_t in_tick = 0;
            for (const char name : kNames) {
                while (const auto message = script.receive(name))
                    in_tick += message->event().has_port_levels() ? 1U : 0U;
            }
            EXPECT_LE(in_tick, 1U) << "one step";
            events_received += in_tick;
            ticks_with_events += in_tick != 0 ? 1U : 0U;
        }
    }
    EXPECT_GE(events_received, 8U * 9U) << "10 in a second, of each client";
    EXPECT_LE(events_received, 8U * 10U);
    EXPECT_EQ(ticks_with_events, events_received);
}

class FewPortsTest : public PortWatchTest {
 protected:
    FewPortsTest() : PortWatchTest{with_ports(2)} {}
};

class FewChannelsTest : public PortWatchTest {
 protected:
    FewChannelsTest() : PortWatchTest{{.watched_channels = 3}} {}
};

TEST_F(FewChannelsTest, TheChannelsOfAllClientsAreLimited) {
    EXPECT_EQ(watch(R"(watches { port: "osc" } watches { port: "later" } watches { port: "vol" })").status().code(),
              v1::OK);
    const v1::Response refused = watch(R"(watches { port: "other" })", 'b');
    EXPECT_EQ(refused.status().code(), v1::RESOURCE_EXHAUSTED);
    EXPECT_NE(refused.status().message().find("would watch 4 channels; the limit is 3 (--max-watched-channels)"),
              std::string::npos)
        << refused.status().message();
    // A port that gets more channels than fit is left out while it has them.
    const auto names = [&] {
        play(9'600);
        std::vector<std::string> ports;
        const auto levels = play(9'600);
        if (levels.empty()) return ports;
        for (const v1::PortLevel& port : levels.back().ports()) ports.push_back(port.port());
        return ports;
    };
    edit(
        R"(edits { add_node { name: "later" type: "sine" settings { fields { key: "channels" value { number_value: 3 } } } } })");
    EXPECT_EQ(names(), (std::vector<std::string>{"later"}));
    edit(
        R"(edits { change_settings { node: "later" settings { fields { key: "channels" value { number_value: 1 } } } } })");
    EXPECT_EQ(names(), (std::vector<std::string>{"osc", "later", "vol"}));
}

class FewWatchesTest : public PortWatchTest {
 protected:
    FewWatchesTest() : PortWatchTest{{.watches = 3}} {}
};

TEST_F(FewWatchesTest, TheWatchesOfAllClientsAreLimited) {
    EXPECT_EQ(watch(R"(watches { port: "osc" } watches { port: "vol" })").status().code(), v1::OK);
    EXPECT_EQ(watch(R"(watches { port: "osc" })", 'b').status().code(), v1::OK);
    const v1::Response refused = watch(R"(watches { port: "osc" } watches { port: "vol" })", 'b');
    EXPECT_EQ(refused.status().code(), v1::RESOURCE_EXHAUSTED);
    EXPECT_NE(refused.status().message().find("would have 4 watches; the limit is 3 (--max-watches)"),
              std::string::npos)
        << refused.status().message();
    script.disconnect('a');
    EXPECT_EQ(watch(R"(watches { port: "osc" } watches { port: "vol" })", 'b').status().code(), v1::OK);
}

TEST_F(FewPortsTest, ThePortsOfAllClientsAreLimited) {
    EXPECT_EQ(watch(R"(watches { port: "osc" } watches { port: "vol" })").status().code(), v1::OK);
    EXPECT_EQ(watch(R"(watches { port: "osc" })", 'b').status().code(), v1::OK) << "clients share a port";
    const v1::Response refused = watch(R"(watches { port: "other" })", 'b');
    EXPECT_EQ(refused.status().code(), v1::RESOURCE_EXHAUSTED);
    EXPECT_NE(refused.status().message().find("--max-watched-ports"), std::string::npos) << refused.status().message();
    EXPECT_EQ(watch("topics: TOPIC_CHANGES").status().code(), v1::OK);
    EXPECT_EQ(watch(R"(watches { port: "other" })", 'b').status().code(), v1::OK) << "the first client has left room";
}

}  // namespace
}  // namespace rta::api::test
