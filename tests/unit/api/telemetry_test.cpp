// SPDX-License-Identifier: MIT
// Levels, load and xruns as subscribers receive them, and the handling of telemetry that is not read.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "api/list_limits.h"
#include "graph/level_tap.h"
#include "script.h"

namespace rta::api::test {
namespace {

/// A constant of 0.5 on the left, and one of 0.25 through an unconnected meter of two channels.
constexpr const char* kConstants = R"(
    a> id: 1 apply_transaction { wait_for_start: true edits {
    edits { add_node { name: "half" type: "constant" parameters { key: "value" value: 0.5 } } }
    edits { add_node { name: "quarter" type: "constant" parameters { key: "value" value: 0.25 } } }
    edits { add_node { name: "m2" type: "meter" settings { fields { key: "channels" value { number_value: 2 } } } } }
    edits { add_node { name: "m1" type: "meter" } }
    edits { add_node { name: "out" type: "output" } }
    edits { connect { from: "half" to: "m1" } }
    edits { connect { from: "m1" to: "out" } }
    edits { connect { from: "quarter" to: "m2" } } } })";

/// Has a level tap, and shows the test whether a client has subscribed to it.
class TapProcessor final : public Processor {
 public:
    TapProcessor() { last_tap = &tap_; }
    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        std::ranges::fill(context.outputs[0].channel(0), 0.0F);
    }
    [[nodiscard]] LevelTap* level_tap() override { return &tap_; }

    inline static LevelTap* last_tap = nullptr;

 private:
    LevelTap tap_{1, 48'000.0, 64};
};

constexpr PortSpec kMeteredOut[] = {{"out", 1}};
constinit const NodeType kTap{
    .name = "tap",
    .help = "Has a level tap.",
    .outputs = kMeteredOut,
    .create = [](const BuildContext&) -> Expected<std::unique_ptr<Processor>> {
        return std::make_unique<TapProcessor>();
    },
};

struct TelemetryTest : testing::Test {
    void build() {
        script.play("hello a\nhello b");
        std::string line{kConstants};
        std::erase(line, '\n');
        script.play(line.substr(line.find('a')));
        script.block();
        ASSERT_TRUE(script.receive('a'));
    }
    /// Renders blocks of 64 frames, and advances the time accordingly.
    void play(int count) {
        for (int i = 0; i < count; ++i) {
            frames_ += 64;
            script.now = began_ + std::chrono::microseconds{frames_ * 1'000'000 / 48'000};
            script.block();
        }
    }
    /// The same, without processing telemetry in the meantime.
    void play_unattended(int count) {
        for (int i = 0; i < count; ++i) {
            frames_ += 64;
            script.render_block();
        }
        script.now = began_ + std::chrono::microseconds{frames_ * 1'000'000 / 48'000};
    }
    [[nodiscard]] std::uint64_t frame() const { return script.engine.renderer().frames(); }
    std::vector<v1::Event> events(char client) {
        std::vector<v1::Event> received;
        while (const auto message = script.receive(client)) {
            if (message->has_event()) received.push_back(message->event());
        }
        return received;
    }

    Script script;

 private:
    std::int64_t frames_ = 0;
    TimePoint began_ = script.now;
};

TEST_F(TelemetryTest, LevelsComeAtTheClientsRateAndWithoutAGap) {
    build();
    script.play(
        "b> id: 1 subscribe { topics: TOPIC_LEVELS telemetry_rate_hz: 20 }\nb< response { id: 1 subscribe {} }");
    play(750);  // 1 s
    const auto received = events('b');
    EXPECT_NEAR(static_cast<double>(received.size()), 20.0, 1.0);
    std::uint64_t end = 0;
    std::uint64_t number = 0;
    for (const v1::Event& event : received) {
        EXPECT_EQ(event.number(), 0U);
        EXPECT_EQ(event.telemetry_number(), ++number);
        EXPECT_EQ(event.telemetry_dropped(), 0U);
        ASSERT_TRUE(event.has_levels()) << event.ShortDebugString();
        const v1::Levels& levels = event.levels();
        if (end != 0) {
            EXPECT_EQ(levels.frame() - levels.frame_count(), end);
            EXPECT_NEAR(levels.frame_count(), 2'400, 256);
        }
        end = levels.frame();
        ASSERT_EQ(levels.outputs_size(), 2);
        EXPECT_NEAR(levels.outputs(0).peak_db(), 20 * std::log10(0.5), 1e-4);
        EXPECT_NEAR(levels.outputs(0).rms_db(), 20 * std::log10(0.5), 1e-4);
        EXPECT_EQ(levels.outputs(1).peak_db(), -150.0F);
        EXPECT_EQ(levels.outputs(1).rms_db(), -150.0F);
        ASSERT_EQ(levels.meters_size(), 2);
        EXPECT_EQ(levels.meters(0).node(), "m1");
        ASSERT_EQ(levels.meters(0).channels_size(), 1);
        EXPECT_EQ(levels.meters(1).node(), "m2");
        ASSERT_EQ(levels.meters(1).channels_size(), 2);
        for (int channel = 0; channel < 2; ++channel) {
            EXPECT_NEAR(levels.meters(1).channels(channel).peak_db(), 20 * std::log10(0.25), 1e-4);
        }
    }
}

TEST_F(TelemetryTest, MetersTellTruePeaksAndALoudnessThatIsTheSameForAllAndCanBeReset) {
    script.play("hello a\nhello b\nhello c");
    script.play(
        "a> id: 1 apply_transaction { wait_for_start: true edits { edits { add_node { name: \"tone\" type: \"sine\" parameters { key: "
        "\"frequency_hz\" value: 12000 } parameters { key: \"gain_db\" value: -20 } } } edits { add_node { name: \"m\" "
        "type: \"meter\" } } edits { connect { from: \"tone\" to: \"m\" } } } }");
    script.block();
    ASSERT_TRUE(script.receive('a'));
    script.play("b> id: 1 subscribe { topics: TOPIC_LEVELS }\nb< response { id: 1 subscribe {} }");
    play(1'500);
    script.play("c> id: 1 subscribe { topics: TOPIC_LEVELS }\nc< response { id: 1 subscribe {} }");
    play(1'500);
    const auto last = events('b').back().levels();
    EXPECT_FALSE(last.outputs(0).has_true_peak_db()) << "of meters only";
    const v1::Loudness& loudness = last.meters(0).loudness();
    EXPECT_NEAR(last.meters(0).channels(0).true_peak_db(), -20.0, 0.1);
    EXPECT_NEAR(loudness.maximum_true_peak_db(), -20.0, 0.1);
    // A sine in one channel is 3.01 dB below its peak; the K-weighting at 12 kHz is in the table of the standard.
    EXPECT_NEAR(loudness.momentary_lufs(), -20.0 - 3.01 - 0.691 + 4.04, 0.05);
    EXPECT_NEAR(loudness.integrated_lufs(), loudness.momentary_lufs(), 0.05);
    EXPECT_NEAR(loudness.measured_s(), 4.0, 0.2);
    const auto other = events('c').back().levels();
    EXPECT_EQ(other.meters(0).loudness().SerializeAsString(), loudness.SerializeAsString())
        << "though that client came later";

    script.play("a> id: 2 reset_meters { nodes: \"m\" }");
    const auto reset = script.receive('a');
    ASSERT_TRUE(reset);
    EXPECT_EQ(reset->response().reset_meters().frame(), frame());
    play(150);
    const v1::Loudness after = events('c').back().levels().meters(0).loudness();
    EXPECT_LT(after.measured_s(), 0.25);
    EXPECT_TRUE(after.has_short_term_lufs()) << "a reset takes nothing away from what is no programme";
    script.play(R"(
        a> id: 3 reset_meters { nodes: "m" nodes: "nobody" }
        a< response { id: 3 status { code: NOT_FOUND } }
        a> id: 4 reset_meters { nodes: "tone" }
        a< response { id: 4 status { code: FAILED_PRECONDITION } }
        a> id: 5 reset_meters {}
        a< response { id: 5 reset_meters {} }
        a> id: 6 reset_meters { nodes: "m" nodes: "m" }
        a< response { id: 6 status { code: INVALID_ARGUMENT } }
    )");
    v1::Request many = request("id: 7 reset_meters {}");
    for (int i = 0; i <= kMaximumItems; ++i) many.mutable_reset_meters()->add_nodes("m" + std::to_string(i));
    script.send('a', many);
    const auto refused = script.receive('a');
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->response().status().message(),
              "the list of nodes has 65537 elements; at most 65536 are allowed");
}

TEST_F(TelemetryTest, EachRateHasItsOwnFramesAndTheSameRateTheSame) {
    build();
    script.play(R"(
        b> id: 1 subscribe { topics: TOPIC_LEVELS telemetry_rate_hz: 50 }
        b< response { id: 1 subscribe {} }
        c> id: 1 hello { protocol_version: 1 }
        c< response { id: 1 hello {} }
        c> id: 1 subscribe { topics: TOPIC_LEVELS telemetry_rate_hz: 5 }
        c< response { id: 1 subscribe {} }
        d> id: 1 hello { protocol_version: 1 }
        d< response { id: 1 hello {} }
        d> id: 1 subscribe { topics: TOPIC_LEVELS telemetry_rate_hz: 5 }
        d< response { id: 1 subscribe {} }
    )");
    play(750);
    const auto fast = events('b');
    const auto slow = events('c');
    EXPECT_NEAR(static_cast<double>(fast.size()), 50.0, 1.0);
    EXPECT_NEAR(static_cast<double>(slow.size()), 5.0, 1.0);
    std::uint64_t sum = 0;
    for (const v1::Event& event : fast) {
        if (event.levels().frame() <= slow.back().levels().frame()) sum += event.levels().frame_count();
    }
    std::uint64_t same = 0;
    for (const v1::Event& event : slow) same += event.levels().frame_count();
    EXPECT_NEAR(static_cast<double>(sum), static_cast<double>(same), 1'024.0);
    const auto other = events('d');
    ASSERT_EQ(other.size(), slow.size());
    for (std::size_t i = 0; i < slow.size(); ++i) {
        EXPECT_EQ(other[i].SerializeAsString(), slow[i].SerializeAsString());
    }
}

TEST_F(TelemetryTest, WhoComesAfterAnotherHearsNothingOfLongBefore) {
    build();
    script.play(R"(
        b> id: 1 subscribe { topics: TOPIC_LEVELS telemetry_rate_hz: 1 }
        b< response { id: 1 subscribe {} }
        c> id: 1 hello { protocol_version: 1 }
        c< response { id: 1 hello {} }
    )");
    play(40);
    play_unattended(36);  // 48 ms
    const std::uint64_t subscribed = frame();
    script.play(
        "c> id: 2 subscribe { topics: TOPIC_LEVELS telemetry_rate_hz: 100 }\nc< response { id: 2 subscribe {} }");
    play(750);
    const auto fast = events('c');
    ASSERT_GE(fast.size(), 2U);
    const v1::Levels& first = fast[0].levels();
    EXPECT_GE(first.frame() - first.frame_count() + 480, subscribed) << "no more than one interval before";
    for (std::size_t i = 1; i < fast.size(); ++i) {
        EXPECT_EQ(fast[i].levels().frame() - fast[i].levels().frame_count(), fast[i - 1].levels().frame());
    }
    const auto slow = events('b');
    ASSERT_FALSE(slow.empty());
    EXPECT_NEAR(slow[0].levels().frame_count(), 48'000, 256) << "nothing was taken away from the other";
}

TEST_F(TelemetryTest, AnotherDeviceMayHaveOtherChannels) {
    build();
    script.play("b> id: 1 subscribe { topics: TOPIC_LEVELS telemetry_rate_hz: 5 }\nb< response { id: 1 subscribe {} }");
    play(200);
    // Each change in the middle of an interval, and of a quantum.
    for (const std::uint32_t channels : {1U, 2U, 0U, 2U}) {
        script.set_device_channels(channels);
        play(151);
    }
    const auto received = events('b');
    ASSERT_EQ(received.size(), 5U);
    const int outputs[] = {2, 1, 2, 0, 2};
    for (std::size_t i = 0; i < received.size(); ++i) {
        const v1::Levels& levels = received[i].levels();
        if (i > 0) {
            EXPECT_EQ(levels.frame() - levels.frame_count(), received[i - 1].levels().frame());
        }
        ASSERT_EQ(levels.outputs_size(), outputs[i]) << "as many as the device has at the end: event " << i;
        if (outputs[i] == 0) continue;
        EXPECT_NEAR(levels.outputs(0).peak_db(), 20 * std::log10(0.5), 1e-4);
        EXPECT_NEAR(levels.outputs(0).rms_db(), 20 * std::log10(0.5), 1e-4) << "over its own frames: event " << i;
    }
}

TEST_F(TelemetryTest, NodeLoadsComeTwiceASecondToThoseWhoAskForThem) {
    build();
    script.play(R"(
        b> id: 1 subscribe {}
        b< response { id: 1 subscribe {} }
        c> id: 1 hello { protocol_version: 1 }
        c< response { id: 1 hello {} }
        c> id: 1 subscribe { topics: TOPIC_NODE_LOADS telemetry_rate_hz: 100 }
        c< response { id: 1 subscribe {} }
    )");
    play(1'500);  // 2 s
    const auto received = events('c');
    ASSERT_NEAR(static_cast<double>(received.size()), 4.0, 1.0);
    const v1::NodeLoads& loads = received.back().node_loads();
    EXPECT_EQ(loads.node_count(), 5U);
    ASSERT_EQ(loads.nodes_size(), 5);
    EXPECT_TRUE(std::ranges::is_sorted(loads.nodes(), std::ranges::greater{}, &v1::NodeLoad::share));
    for (const v1::NodeLoad& load : loads.nodes()) {
        EXPECT_FALSE(load.type().empty());
        EXPECT_GT(load.share(), 0.0F) << load.node();
        EXPECT_GT(load.average(), 0.0F) << load.node();
    }
    for (const v1::Event& event : events('b')) EXPECT_FALSE(event.has_node_loads()) << "only those who name them";

    script.play("c> id: 2 subscribe { topics: TOPIC_CHANGES }\nc< response { id: 2 subscribe {} }");
    const auto before = script.engine.node_times();
    play(100);
    const auto after = script.engine.node_times();
    for (std::size_t i = 0; i < before.size(); ++i) {
        EXPECT_EQ(before[i].block_count, after[i].block_count) << "no client asks: nothing is timed";
    }
}

TEST_F(TelemetryTest, ANewSubscriptionReplacesTopicsAndRate) {
    build();
    script.play("b> id: 1 subscribe {}\nb< response { id: 1 subscribe {} }");
    play(150);
    bool levels = false;
    bool load = false;
    for (const v1::Event& event : events('b')) {
        levels = levels || event.has_levels();
        load = load || event.has_load();
    }
    EXPECT_TRUE(levels && load) << "left empty: all topics";
    script.play(R"(
        b> id: 2 subscribe { topics: TOPIC_LOAD telemetry_rate_hz: 100 }
        b< response { id: 2 subscribe {} }
        b> id: 3 mute_output { muted: true }
    )");
    play(750);
    const auto received = events('b');
    EXPECT_NEAR(static_cast<double>(received.size()), 100.0, 5.0);
    for (const v1::Event& event : received) {
        ASSERT_TRUE(event.has_load()) << "no changes any more, and no levels: " << event.ShortDebugString();
        EXPECT_EQ(event.load().callback_count(), 750U);
        EXPECT_EQ(event.load().p99(), 0.5F);
    }
    EXPECT_EQ(script.dispatcher.hub().subscriber_count(), 0U);
}

TEST_F(TelemetryTest, OnlySoManyRatesAreMeasured) {
    build();
    const auto subscribe = [&](char client, int rate_hz) {
        script.play(std::string{"hello "} + client);
        v1::Request message = request("id: 9 subscribe { topics: TOPIC_LEVELS }");
        message.mutable_subscribe()->set_telemetry_rate_hz(static_cast<float>(rate_hz));
        script.send(client, message);
        ASSERT_TRUE(script.receive(client));
    };
    for (std::size_t i = 1; i <= ClientLimits{}.telemetry_rates; ++i)
        subscribe(static_cast<char>('b' + i), static_cast<int>(10 * i));
    subscribe('n', 97);
    play(750);
    EXPECT_NEAR(static_cast<double>(events('c').size()), 10.0, 1.0);
    EXPECT_NEAR(static_cast<double>(events('n').size()), 80.0, 2.0) << "the nearest rate";
}

TEST_F(TelemetryTest, XrunsComeAsTheyHappen) {
    build();
    script.play(R"(
        b> id: 1 subscribe { topics: TOPIC_XRUNS }
        b< response { id: 1 subscribe {} }
    )");
    script.dispatcher.xruns({.output_underflows = 2, .late_callbacks = 1}, 4'711);
    script.play(R"(
        b< event { telemetry_number: 1 xruns { frame: 4711 counts { output_underflows: 2 late_callbacks: 1 } } }
        a-
        b> id: 2 subscribe { topics: TOPIC_CHANGES }
        b< response { id: 2 subscribe {} }
        c> id: 1 hello { protocol_version: 1 }
        c< response { id: 1 hello {} }
        c> id: 2 subscribe { topics: TOPIC_XRUNS }
        c< response { id: 2 subscribe {} }
    )");
    script.dispatcher.xruns({.overruns = 1}, 4'712);
    script.play(R"(
        b-
        c< event { telemetry_number: 1 xruns { frame: 4712 counts { overruns: 1 } } }
        c-
    )");
}

TEST_F(TelemetryTest, TheRateIsCheckedAndNothingIsSubscribedToThen) {
    Script fresh;
    fresh.play(R"(
        hello a
        a> id: 1 subscribe { telemetry_rate_hz: 0.5 }
        a< response { id: 1 status { code: INVALID_ARGUMENT } }
        a> id: 2 subscribe { telemetry_rate_hz: 101 }
        a< response { id: 2 status { code: INVALID_ARGUMENT } }
        a> id: 3 subscribe { telemetry_rate_hz: nan }
        a< response { id: 3 status { code: INVALID_ARGUMENT } }
        a> id: 4 subscribe { topics: TOPIC_LEVELS topics: 9 }
        a< response { id: 4 status { code: INVALID_ARGUMENT } }
        tick 1000
        a-
    )");
    EXPECT_GE(fresh.dispatcher.interval(), std::chrono::milliseconds{50}) << "no client subscribes: no timer";
}

TEST_F(TelemetryTest, NothingIsMeasuredWhileNobodySubscribes) {
    build();
    play(300);
    const auto idle = script.dispatcher.interval();
    EXPECT_FALSE(script.engine.renderer().output_levels().wanted());
    script.play(
        "b> id: 1 subscribe { topics: TOPIC_LEVELS telemetry_rate_hz: 100 }\nb< response { id: 1 subscribe {} }");
    play(10);
    EXPECT_LT(script.dispatcher.interval(), idle);
    EXPECT_TRUE(script.engine.renderer().output_levels().wanted());
    script.disconnect('b');
    play(2);
    EXPECT_EQ(script.dispatcher.interval(), idle);
    EXPECT_FALSE(script.engine.renderer().output_levels().wanted());
    play(300);
    EXPECT_EQ(script.engine.take_levels().frame_count, 0U);
}

TEST(TelemetryTaps, OfNodesAreOffWhileNobodySubscribesToLevels) {
    const NodeType* const types[] = {&kTap};
    const NodeRegistry registry{types};
    Script script{registry};
    script.play(R"(
        hello a
        a> id: 1 apply_transaction { wait_for_start: true edits { edits { add_node { name: "t" type: "tap" } } } }
        block
        a< response { id: 1 apply_transaction {} }
    )");
    LevelTap& tap = *TapProcessor::last_tap;
    EXPECT_FALSE(tap.wanted());
    script.play("a> id: 2 subscribe { topics: TOPIC_LEVELS }\na< response { id: 2 subscribe {} }");
    EXPECT_TRUE(tap.wanted());
    script.play("a> id: 3 subscribe { topics: TOPIC_LOAD }\na< response { id: 3 subscribe {} }");
    EXPECT_FALSE(tap.wanted());
}

TEST_F(TelemetryTest, WhoDoesNotReadLosesTheOldestAndIsToldHowMany) {
    build();
    script.play("b> id: 1 subscribe { topics: TOPIC_XRUNS topics: TOPIC_CHANGES }\nb< response { id: 1 subscribe {} }");
    for (std::uint64_t frame = 1; frame <= 1'000; ++frame) script.dispatcher.xruns({.overruns = 1}, frame);
    script.play(R"(
        a> id: 2 mute_output { muted: true }
        a> id: 3 get_status {}
        block
        a< response { id: 2 mute_output {} }
    )");
    const auto answer = script.receive('a');
    ASSERT_TRUE(answer);
    ASSERT_EQ(answer->response().get_status().clients_size(), 2);
    EXPECT_EQ(answer->response().get_status().clients(0).telemetry_dropped(), 0U);
    EXPECT_EQ(answer->response().get_status().clients(1).telemetry_dropped(), 744U);
    const auto received = events('b');
    ASSERT_EQ(received.size(), 257U);
    EXPECT_TRUE(received[0].has_output_muted()) << "a change is never dropped, and goes first";
    for (std::size_t i = 1; i < received.size(); ++i) {
        EXPECT_EQ(received[i].xruns().frame(), 744 + i);
        EXPECT_EQ(received[i].telemetry_number(), 744 + i);
        EXPECT_EQ(received[i].telemetry_dropped(), 744U);
    }
}

TEST_F(TelemetryTest, StatusTellsWhoIsThereAndHowLoadedTheDeviceIs) {
    Script fresh;
    fresh.daemon.device.xrun_counts = {.output_underflows = 5, .late_callbacks = 2, .overruns = 1};
    fresh.play(R"(
        hello a
        hello b
        block
        tick 1500
        a> id: 1 get_status {}
    )");
    const auto answer = fresh.receive('a');
    ASSERT_TRUE(answer);
    const v1::StatusResult& status = answer->response().get_status();
    ASSERT_EQ(status.clients_size(), 2);
    EXPECT_EQ(status.clients(0).name(), "a");
    EXPECT_EQ(status.clients(1).name(), "b");
    EXPECT_NEAR(status.clients(0).connected_s(), 1.5, 0.01);
    EXPECT_EQ(status.load().frame(), 64U);
    EXPECT_EQ(status.load().callback_count(), 750U);
    EXPECT_EQ(status.load().mean(), 0.25F);
    EXPECT_EQ(status.load().worst(), 0.75F);
    EXPECT_EQ(status.device().late_blocks(), 3U);
    EXPECT_EQ(status.device().xrun_counts().output_underflows(), 5U);
}

TEST_F(TelemetryTest, MetersBeyondTheLimitAreLeftOutByName) {
    script.play("hello a");
    v1::Request request;
    request.set_id(1);
    for (int i = 0; i < 260; ++i) {
        v1::Node& node = *request.mutable_apply_transaction()->mutable_edits()->add_edits()->mutable_add_node();
        node.set_name("m" + std::to_string(1'000 + i));
        node.set_type("meter");
        (*node.mutable_settings()->mutable_fields())["channels"].set_number_value(64);
    }
    script.send('a', request);
    script.play(
        "block\na< response { id: 1 }\na> id: 2 subscribe { topics: TOPIC_LEVELS telemetry_rate_hz: 100 }\na< response { id: 2 }");
    // Rendering blocks of that many channels is slow, so render only until the first event.
    std::vector<v1::Event> received;
    for (int i = 0; i < 200 && received.empty(); ++i) {
        play(1);
        received = events('a');
    }
    ASSERT_FALSE(received.empty());
    const v1::Levels& levels = received.front().levels();
    EXPECT_EQ(levels.outputs_size(), 2);
    EXPECT_EQ(levels.meters_size(), 255) << "of 16384 channels, 2 are the device's";
    EXPECT_EQ(levels.meters(254).node(), "m1254");
}

}  // namespace
}  // namespace rta::api::test
