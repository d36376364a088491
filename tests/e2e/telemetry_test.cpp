// SPDX-License-Identifier: MIT
// Compares levels with the recording, and load and xruns with the time that test nodes consume. Also tests slow
// clients, many clients, mute and panic.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>

#include "jack_rig.h"
#include "recorded_daemon.h"
#include "support/analysis.h"
#include "support/loudness.h"

namespace rta::test {
namespace {

constexpr const char* kTone = R"({
  "nodes": [ {"name": "osc",   "type": "sine", "parameters": {"frequency_hz": 997, "gain_db": -6}},
             {"name": "low",   "type": "sine", "parameters": {"frequency_hz": 41.3, "gain_db": -12}},
             {"name": "meter", "type": "meter"},
             {"name": "left",  "type": "output"},
             {"name": "right", "type": "output", "settings": {"first_channel": 2}} ],
  "connections": [ {"from": "osc", "to": "meter"}, {"from": "meter", "to": "left"}, {"from": "low", "to": "right"} ] })";

/// Returns the next event for which `wanted` holds; fails the test if none arrives.
v1::Event wait_for(ProtocolClient& client, const std::function<bool(const v1::Event&)>& wanted) {
    const Deadline deadline;
    while (!deadline.passed()) {
        const auto event = client.next_event(deadline.left());
        if (event && wanted(*event)) return *event;
    }
    ADD_FAILURE() << "the event has not come";
    return {};
}

void expect_level(const v1::ChannelLevel& level, std::span<const float> samples, const v1::Levels& of) {
    ASSERT_GE(samples.size(), of.frame());
    const auto window = samples.subspan(of.frame() - of.frame_count(), of.frame_count());
    EXPECT_NEAR(level.peak_db(), std::max(-150.0, db_from_gain(peak(window))), 0.01) << of.frame();
    EXPECT_NEAR(level.rms_db(), std::max(-150.0, db_from_gain(rms(window))), 0.01) << of.frame();
}

v1::Response call(ProtocolClient& client, const std::function<void(v1::Request&)>& fill) {
    v1::Request request;
    fill(request);
    v1::Response response = client.call(request);
    EXPECT_EQ(response.status().code(), v1::OK) << response.status().message();
    return response;
}

std::uint64_t mute(ProtocolClient& client, bool muted) {
    return call(client, [&](v1::Request& request) { request.mutable_mute_output()->set_muted(muted); })
        .mute_output()
        .frame();
}

TEST(Telemetry, LevelsAreThoseOfTheRecording) {
    RecordedDaemon recorded{{.graph = kTone}};
    std::vector<v1::Levels> fast;
    std::vector<v1::Levels> slow;
    {
        ProtocolClient quick = recorded.daemon().client("quick");
        ProtocolClient lazy = recorded.daemon().tcp_client("lazy");
        quick.subscribe({v1::TOPIC_LEVELS}, 50.0F);
        lazy.subscribe({v1::TOPIC_LEVELS}, 3.0F);
        ProtocolClient editor = recorded.daemon().client("editor");
        for (int i = 0; i < 60; ++i) {
            if (i == 20) editor.set_parameter("osc", "gain_db", -20.0F);
            if (i == 35) mute(editor, true);
            if (i == 45) mute(editor, false);
            fast.push_back(wait_for(quick, [](const v1::Event& event) { return event.has_levels(); }).levels());
        }
        for (int i = 0; i < 3; ++i) {
            slow.push_back(wait_for(lazy, [](const v1::Event& event) { return event.has_levels(); }).levels());
        }
    }
    const Wav wav = recorded.stop();
    for (const auto* all : {&fast, &slow}) {
        std::uint64_t end = 0;
        for (const v1::Levels& levels : *all) {
            EXPECT_GT(levels.frame_count(), 0U);
            if (end != 0) {
                EXPECT_EQ(levels.frame() - levels.frame_count(), end) << "a gap";
            }
            end = levels.frame();
            ASSERT_EQ(levels.outputs_size(), 2);
            for (int channel = 0; channel < 2; ++channel) {
                expect_level(levels.outputs(channel), wav.channels[static_cast<std::size_t>(channel)], levels);
            }
        }
    }
}

TEST(Telemetry, AMeterTellsWhatPassesIt) {
    RecordedDaemon recorded{{.graph = kTone}};
    std::vector<v1::Levels> all;
    {
        ProtocolClient client = recorded.daemon().client();
        client.subscribe({v1::TOPIC_LEVELS}, 20.0F);
        for (int i = 0; i < 20; ++i) {
            all.push_back(wait_for(client, [](const v1::Event& event) { return event.has_levels(); }).levels());
        }
    }
    const Wav wav = recorded.stop();
    for (const v1::Levels& levels : all) {
        ASSERT_EQ(levels.meters_size(), 1);
        EXPECT_EQ(levels.meters(0).node(), "meter");
        ASSERT_EQ(levels.meters(0).channels_size(), 1);
        expect_level(levels.meters(0).channels(0), wav.channels[0], levels);
    }
}

TEST(Telemetry, TheLoudnessIsThatOfTheRecordingFromTheResetOn) {
    // One meter of two channels measures exactly what reaches the device.
    constexpr const char* kProgramme = R"({
      "nodes": [ {"name": "noise", "type": "noise", "settings": {"color": "pink"}, "parameters": {"gain_db": -14}},
                 {"name": "wide",  "type": "meter", "settings": {"channels": 2}},
                 {"name": "out",   "type": "output", "settings": {"channels": 2}} ],
      "connections": [ {"from": "noise", "to": "wide"}, {"from": "wide", "to": "out"} ] })";
    RecordedDaemon recorded{{.graph = kProgramme}};
    std::uint64_t reset = 0;
    std::vector<v1::Levels> all;
    {
        ProtocolClient client = recorded.daemon().client();
        ProtocolClient editor = recorded.daemon().client("editor");
        client.subscribe({v1::TOPIC_LEVELS}, 10.0F);
        const auto next = [&] {
            return wait_for(client, [](const v1::Event& event) { return event.has_levels(); }).levels();
        };
        static_cast<void>(next());
        reset = call(editor, [](v1::Request& request) { request.mutable_reset_meters()->add_nodes("wide"); })
                    .reset_meters()
                    .frame();
        for (int i = 0; i < 60; ++i) {
            if (i == 20) editor.set_parameter("noise", "gain_db", -40.0F);
            if (i == 30) editor.set_parameter("noise", "gain_db", -20.0F);
            all.push_back(next());
        }
    }
    const Wav wav = recorded.stop();
    const std::span<const float> channels[] = {wav.channels[0], wav.channels[1]};
    const LoudnessReference reference{channels};
    const std::size_t begin = (reset + 479) / 480 * 480;  // the first whole step of 10 ms
    std::size_t compared = 0;
    for (const v1::Levels& levels : all) {
        const v1::Loudness& loudness = levels.meters(0).loudness();
        if (loudness.measured_s() < 3.0) continue;
        // The measurement has no pauses, so the number of steps gives the last one that it contains.
        const std::size_t end = begin + static_cast<std::size_t>(std::lround(loudness.measured_s() * 48'000.0));
        ASSERT_LE(end, wav.frames());
        EXPECT_NEAR(loudness.momentary_lufs(), reference.window_lufs(end, LoudnessReference::kMomentaryFrames), 0.02);
        EXPECT_NEAR(loudness.short_term_lufs(), reference.window_lufs(end, LoudnessReference::kShortTermFrames), 0.02);
        EXPECT_TRUE(reference.fits(loudness.integrated_lufs(), begin, end)) << loudness.ShortDebugString();
        EXPECT_GE(loudness.maximum_true_peak_db() + 0.01,
                  db_from_gain(peak(channels[0].subspan(reset + 256, end - reset - 512))));
        ++compared;
    }
    EXPECT_GT(compared, 20U);
}

TEST(Telemetry, MutingIsHeardAsAFadeToExactSilenceAndBack) {
    RecordedDaemon recorded{{.graph = kTone}};
    std::uint64_t muted = 0;
    std::uint64_t unmuted = 0;
    {
        ProtocolClient client = recorded.daemon().client();
        recorded.wait_for_frame(9'600);
        muted = mute(client, true);
        EXPECT_TRUE(client.status().engine().output_muted());
        recorded.wait_for_frame(muted + 9'600);
        unmuted = mute(client, false);
        recorded.wait_for_frame(unmuted + 9'600);
    }
    const Wav wav = recorded.stop();
    const Wav reference = render(kTone, static_cast<double>(wav.frames()) / 48'000.0);
    ASSERT_GT(wav.frames(), unmuted + 2 * kDeviceFadeFrames);
    for (std::size_t channel = 0; channel < 2; ++channel) {
        for (std::size_t frame = 0; frame < unmuted + kDeviceFadeFrames; ++frame) {
            double gain = 1.0;
            if (frame >= unmuted) {
                gain = static_cast<double>(frame - unmuted) / kDeviceFadeFrames;
            } else if (frame >= muted) {
                gain = std::max(0.0, 1.0 - static_cast<double>(frame - muted) / kDeviceFadeFrames);
            }
            const float expected = reference.channels[channel][frame] * static_cast<float>(gain);
            ASSERT_NEAR(wav.channels[channel][frame], expected, 1e-6) << "frame " << frame;
            if (gain == 0.0) {
                ASSERT_EQ(wav.channels[channel][frame], 0.0F) << "frame " << frame;
            }
        }
    }
}

TEST(Telemetry, AVolumeIsHeardAsARampAlsoDuringMutesAndPanics) {
    constexpr const char* kConstant = R"({
      "nodes": [ {"name": "one", "type": "constant", "parameters": {"value": 0.2}},
                 {"name": "out", "type": "output", "settings": {"channels": 2}} ],
      "connections": [ {"from": "one", "to": "out"} ] })";
    constexpr double kLoudest = 0.2 * 3.9810717055349722;  // 12 dB
    RecordedDaemon recorded{{.graph = kConstant}};
    std::uint64_t loud = 0;
    {
        ProtocolClient client = recorded.daemon().client();
        ProtocolClient other = recorded.daemon().client("other");
        const auto set = [&](float volume_db) {
            return call(client, [&](v1::Request& request) { request.mutable_set_volume()->set_volume_db(volume_db); })
                .set_volume()
                .frame();
        };
        recorded.wait_for_frame(4'800);
        for (int i = 0; i < 12; ++i) {
            set(i % 2 == 0 ? 12.0F : -120.0F);
            static_cast<void>(mute(other, i % 3 == 0));
            set(-6.0F);
            static_cast<void>(mute(other, i % 3 != 0));
            set(3.0F);
            if (i % 4 == 3) static_cast<void>(call(other, [](v1::Request& request) { request.mutable_panic(); }));
        }
        static_cast<void>(mute(other, false));
        loud = set(12.0F);
        recorded.wait_for_frame(loud + 9'600);
    }
    const Wav wav = recorded.stop();
    const std::vector<float>& heard = wav.channels[0];
    EXPECT_NEAR(heard.at(loud + 2 * kDeviceFadeFrames), kLoudest, 1e-6);
    double largest = 0.0;
    for (std::size_t frame = 1; frame < loud + 9'600; ++frame)
        largest = std::max(largest, static_cast<double>(std::abs(heard[frame] - heard[frame - 1])));
    EXPECT_LE(largest, kLoudest / kDeviceFadeFrames + 1e-6) << "the steepest ramp is one over the whole range";
    EXPECT_EQ(heard, wav.channels[1]);
}

TEST(Telemetry, AfterAPanicItSoundsAsIfItHadJustBegun) {
    RecordedDaemon recorded{{.graph = kTone}};
    std::uint64_t fresh = 0;
    std::uint64_t unmuted = 0;
    {
        ProtocolClient watcher = recorded.daemon().client("watcher");
        watcher.subscribe();
        ProtocolClient client = recorded.daemon().client("panicker");
        recorded.wait_for_frame(10'007);
        fresh = call(client, [](v1::Request& request) { request.mutable_panic(); }).panic().frame();
        const v1::Event muted = wait_for(watcher, [](const v1::Event& event) { return event.has_output_muted(); });
        EXPECT_TRUE(muted.output_muted().muted());
        EXPECT_EQ(muted.output_muted().client_name(), "panicker");
        const v1::Event panicked = wait_for(watcher, [](const v1::Event& event) { return event.has_panicked(); });
        EXPECT_EQ(panicked.panicked().frame(), fresh);
        EXPECT_EQ(panicked.number(), muted.number() + 1);
        EXPECT_EQ(client.status().engine().revision(), recorded.daemon().client().graph().revision());
        recorded.wait_for_frame(fresh + 4'800);
        unmuted = mute(client, false);
        recorded.wait_for_frame(unmuted + 9'600);
    }
    const Wav wav = recorded.stop();
    const Wav reference = render(kTone, static_cast<double>(wav.frames()) / 48'000.0);
    for (std::size_t channel = 0; channel < 2; ++channel) {
        for (std::size_t frame = fresh; frame < unmuted; ++frame) ASSERT_EQ(wav.channels[channel][frame], 0.0F);
        for (std::size_t frame = unmuted + kDeviceFadeFrames; frame < unmuted + 9'600; ++frame) {
            ASSERT_EQ(wav.channels[channel][frame], reference.channels[channel][frame - fresh]) << "frame " << frame;
        }
    }
}

/// A daemon that can be slowed down.
struct Burning : testing::Test {
    static Daemon::Options options(std::vector<std::string> arguments = {}) {
        arguments.insert(arguments.begin(), {"--device", "null"});
        return {.arguments = std::move(arguments), .program = rtad_test_nodes_program()};
    }
    static void expect_counts(const v1::XrunCounts& counts, std::uint64_t late, std::uint64_t overruns) {
        EXPECT_GE(counts.late_callbacks(), late);
        EXPECT_GE(counts.overruns(), overruns);
        EXPECT_EQ(counts.input_underflows() + counts.input_overflows() + counts.output_underflows() +
                      counts.output_overflows(),
                  0U)
            << "the null device has no host that could say so";
    }
};

TEST_F(Burning, TheLoadIsTheShareOfTheTimeThatIsBurnt) {
    // Blocks of 21 ms, so that other load on the machine matters little.
    Daemon daemon{options({"--block-size", "1024"})};
    ProtocolClient client = daemon.client();
    client.apply(transaction({add_node("burn", "burn", {{"share", 0.3F}})}));
    client.subscribe({v1::TOPIC_LOAD}, 10.0F);
    const auto near_share = [](double share) {
        return [share](const v1::Event& event) {
            const v1::Load& load = event.load();
            return load.mean() > share * 0.999 && load.mean() < share + 0.05 && load.p99() > share * 0.97 &&
                   load.worst() >= load.p99() && load.callback_count() > 30 && load.callback_count() < 70;
        };
    };
    // The node certainly consumes this share, and little else runs.
    static_cast<void>(wait_for(client, near_share(0.3)));
    client.set_parameter("burn", "share", 0.6F);
    static_cast<void>(wait_for(client, near_share(0.6)));
    EXPECT_GE(client.status().load().mean(), 0.55F);
}

TEST_F(Burning, TheNodesThatBurnAreToldAtTheTopWithTheirShares) {
    Daemon daemon{options({"--block-size", "1024"})};
    ProtocolClient client = daemon.client();
    std::vector<v1::Edit> edits{add_node("burn", "hot", {{"share", 0.3F}}),
                                add_node("burn", "warm", {{"share", 0.1F}})};
    for (int i = 0; i < 100; ++i) edits.push_back(add_node("sine", "s" + std::to_string(i)));
    client.apply(transaction(std::move(edits)));
    client.subscribe({v1::TOPIC_NODE_LOADS});
    const auto near = [](const v1::NodeLoad& load, const char* node, double share) {
        // The node certainly consumes this share, and little else runs: the machine may be busy.
        return load.node() == node && load.type() == "burn" && load.share() > share * 0.99 &&
               load.share() < share + 0.05 && load.average() > share * 0.95 && load.average() < share + 0.05;
    };
    const v1::NodeLoads loads =
        wait_for(client, [&](const v1::Event& event) {
            const auto& nodes = event.node_loads().nodes();
            return nodes.size() >= 3 && near(nodes[0], "hot", 0.3) && near(nodes[1], "warm", 0.1);
        }).node_loads();
    EXPECT_EQ(loads.node_count(), 102U);
    EXPECT_EQ(loads.nodes_size(), 64) << "the heaviest, and no more";
    EXPECT_TRUE(std::ranges::is_sorted(loads.nodes(), std::ranges::greater{}, &v1::NodeLoad::share));
    EXPECT_LT(loads.nodes(2).share(), 0.05F) << loads.nodes(2).ShortDebugString();
    EXPECT_GT(loads.nodes(2).share(), 0.0F);

    client.set_parameter("warm", "share", 0.4F);
    const v1::NodeLoads after = wait_for(client, [](const v1::Event& event) {
                                    const auto& nodes = event.node_loads().nodes();
                                    return nodes.size() >= 3 && nodes[0].node() == "warm" && nodes[0].share() > 0.39F;
                                }).node_loads();
    EXPECT_LT(after.nodes(0).average(), after.nodes(0).share()) << "it took less before";
}

TEST_F(Burning, TwentyMillisecondsBurntOnceAreAnOverrunAndALateCallback) {
    Daemon daemon{options()};
    ProtocolClient client = daemon.client();
    client.subscribe({v1::TOPIC_XRUNS});
    client.apply(transaction({add_node("burn", "burn")}));
    const v1::XrunCounts before = client.status().device().xrun_counts();
    v1::Request request;
    v1::SetParameter& change = *request.mutable_set_parameters()->add_changes();
    change.set_node("burn");
    change.set_parameter("once_ms");
    change.set_value(20.0F);
    const std::uint64_t frame = client.call(request).set_parameters().frame();
    const v1::Event event = wait_for(client, [&](const v1::Event& one) {
        return one.xruns().frame() >= frame && one.xruns().counts().overruns() > 0;
    });
    EXPECT_GT(event.telemetry_number(), 0U);
    const Deadline deadline;
    while (client.status().device().xrun_counts().late_callbacks() <= before.late_callbacks() && !deadline.passed()) {
    }
    const v1::DeviceState device = client.status().device();
    expect_counts(device.xrun_counts(), before.late_callbacks() + 1, before.overruns() + 1);
    EXPECT_EQ(device.late_blocks(), device.xrun_counts().late_callbacks() + device.xrun_counts().overruns());
    EXPECT_EQ(device.xruns(), 0U);
    EXPECT_TRUE(daemon.process().wait_for_line(Process::Stream::error, "overrun")) << "the log says so, too";
}

TEST_F(Burning, AStoppedProcessIsLateOnce) {
    Daemon daemon{options()};
    ProtocolClient client = daemon.client();
    client.subscribe({v1::TOPIC_XRUNS});
    const std::uint64_t frame = client.status().engine().frame();
    daemon.process().signal(SIGSTOP);
    ::usleep(200'000);
    daemon.process().signal(SIGCONT);
    const v1::Event event = wait_for(client, [&](const v1::Event& one) {
        return one.xruns().frame() >= frame && one.xruns().counts().late_callbacks() > 0;
    });
    // 150 blocks were missed: one late callback, plus those that this machine causes.
    EXPECT_LT(event.xruns().counts().late_callbacks(), 50U);
}

TEST_F(Burning, AHostsOwnWordsAreCounted) {
    JackRig rig{{.program = rtad_test_nodes_program(), .server = {.synchronous = false}}};
    ProtocolClient client = rig.daemon().client();
    client.subscribe({v1::TOPIC_XRUNS});
    client.apply(transaction(
        {add_node("burn", "burn"), add_node("sine", "osc"), add_node("output", "out"), connect("osc", "out")}));
    const Deadline deadline;
    bool told = false;
    for (float burn_ms = 20.0F; !told && !deadline.passed(); burn_ms = burn_ms == 20.0F ? 21.0F : 20.0F) {
        client.set_parameter("burn", "once_ms", burn_ms);
        while (const auto event = client.next_event(std::chrono::milliseconds{300})) {
            const v1::XrunCounts& counts = event->xruns().counts();
            told = told || counts.input_underflows() + counts.input_overflows() + counts.output_underflows() +
                                   counts.output_overflows() >
                               0;
        }
    }
    EXPECT_TRUE(told) << client.status().device().ShortDebugString();
    const v1::DeviceState device = client.status().device();
    EXPECT_GE(device.xruns(), 1U);
    EXPECT_GE(device.xrun_counts().overruns(), 1U);
}

TEST(Telemetry, WhoReadsNothingLosesTelemetryAndDisturbsNobody) {
    Daemon daemon{{.arguments = {"--device", "null"}}};
    ProtocolClient editor = daemon.client("editor");
    std::vector<v1::Edit> meters;
    for (int i = 0; i < 32; ++i) {
        meters.push_back(add_node("meter", "m" + std::to_string(i), {}, {{"channels", 64.0F}}));
    }
    editor.apply(transaction(std::move(meters)));
    ProtocolClient reader = daemon.client("reader");
    reader.subscribe({v1::TOPIC_CHANGES, v1::TOPIC_LOAD}, 100.0F);
    ProtocolClient sleeper = daemon.client("sleeper");
    sleeper.subscribe({v1::TOPIC_CHANGES, v1::TOPIC_LEVELS, v1::TOPIC_LOAD, v1::TOPIC_XRUNS}, 100.0F);

    const auto dropped_by = [&](const std::string& name) {
        const v1::StatusResult status = editor.status();
        for (const v1::ClientState& client : status.clients()) {
            if (client.name() == name) return client.telemetry_dropped();
        }
        ADD_FAILURE() << name << " is gone";
        return std::uint64_t{0};
    };
    const Deadline deadline;
    int mutes = 0;
    while (dropped_by("sleeper") < 200 && !deadline.passed()) {
        mute(editor, mutes++ % 2 == 0);
        static_cast<void>(wait_for(reader, [](const v1::Event& event) { return event.has_load(); }));
    }
    EXPECT_GE(dropped_by("sleeper"), 200U);
    EXPECT_EQ(dropped_by("reader"), 0U);

    // After it resumes, the client receives the number of dropped events, and all changes.
    std::uint64_t last_number = 0;
    std::uint64_t dropped = 0;
    std::uint64_t change = 0;
    const std::uint64_t changes = editor.status().engine().change_number();
    while (change < changes || dropped < 200) {
        const auto event = sleeper.next_event();
        ASSERT_TRUE(event) << "of " << changes << " changes, " << change << " came";
        if (event->number() != 0) {
            if (change != 0) {
                EXPECT_EQ(event->number(), change + 1);
            }
            change = event->number();
            continue;
        }
        EXPECT_GT(event->telemetry_number(), last_number);
        EXPECT_GE(event->telemetry_dropped(), dropped);
        last_number = event->telemetry_number();
        dropped = event->telemetry_dropped();
    }
}

TEST(Telemetry, FiveHundredClientsAreServedAtOnce) {
    RecordedDaemon recorded{
        {.graph = kTone, .arguments = {"--max-clients-per-address", "256", "--max-clients-per-user", "256"}}};
    std::vector<ProtocolClient> clients;
    for (int i = 0; i < 500; ++i) {
        clients.push_back(i % 2 == 0 ? recorded.daemon().client("client " + std::to_string(i))
                                     : recorded.daemon().tcp_client("client " + std::to_string(i)));
        clients.back().subscribe({v1::TOPIC_CHANGES, v1::TOPIC_LEVELS, v1::TOPIC_LOAD});
    }
    ProtocolClient editor = recorded.daemon().client("editor");
    const v1::StatusResult status = editor.status();
    EXPECT_EQ(status.client_count(), 501U);
    ASSERT_EQ(status.clients_size(), 501);
    EXPECT_EQ(status.clients(7).name(), "client 7");
    EXPECT_EQ(status.clients(6).address(), recorded.daemon().socket().string());
    EXPECT_TRUE(status.clients(7).address().starts_with("127.0.0.1:")) << status.clients(7).address();
    EXPECT_GT(status.clients(0).connected_s(), 0.0);
    editor.set_parameter("osc", "gain_db", -9.0F);
    for (ProtocolClient& client : clients) {
        bool levels = false;
        bool load = false;
        bool changed = false;
        static_cast<void>(wait_for(client, [&](const v1::Event& event) {
            levels = levels || event.has_levels();
            load = load || event.has_load();
            changed = changed || event.has_parameters_changed();
            return levels && load && changed;
        }));
    }
    clients.clear();
    const Deadline deadline;
    while (editor.status().client_count() != 1 && !deadline.passed()) {
    }
    EXPECT_EQ(editor.status().client_count(), 1U);
    // A second of sound without gaps.
    const std::uint64_t frame = editor.status().engine().frame();
    recorded.wait_for_frame(frame + 4'800);
    const Wav wav = recorded.stop();
    const Wav reference = render(kTone, static_cast<double>(wav.frames()) / 48'000.0);
    EXPECT_EQ(first_difference(std::span{wav.channels[1]}.first(frame), reference.channels[1]), std::nullopt);
}

}  // namespace
}  // namespace rta::test
