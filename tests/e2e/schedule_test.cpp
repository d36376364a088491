// SPDX-License-Identifier: MIT
// Edits at a frame, a delay and a UTC time, in the recording of a daemon.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "support/daemon.h"
#include "support/temporary.h"
#include "support/wav.h"

namespace rta::test {
namespace {

constexpr const char* kGraph = R"({"nodes": [{"name": "one", "type": "constant", "parameters": {"value": 0.5}},
                                             {"name": "two", "type": "constant", "parameters": {"value": 0.25}},
                                             {"name": "out", "type": "output"}],
                                   "connections": [{"from": "one", "to": "out"}]})";

class Scheduled : public ::testing::Test {
 protected:
    void load() { ASSERT_EQ(daemon->ctl({"graph", "load", "-"}, kGraph).status.code, 0); }
    v1::Response call(v1::Request request) { return editor->call(std::move(request)); }
    v1::TimeResult time() {
        v1::Request request;
        request.mutable_get_time();
        return call(std::move(request)).get_time();
    }
    /// Reads events until one about this scheduled edit that is not its acceptance.
    v1::PendingChanged outcome(std::uint64_t id) {
        while (true) {
            const auto event = watcher->next_event();
            if (!event) throw std::runtime_error{"no event about the scheduled edit"};
            const v1::PendingChanged& changed = event->pending_changed();
            if (changed.edit().id() == id && changed.what() != v1::PendingChanged::ADDED) return changed;
        }
    }
    /// Returns the first frame of the recording from `begin` on whose sample is not that before it.
    static std::size_t first_change(const std::vector<float>& samples, std::size_t begin) {
        const auto from = samples.begin() + static_cast<std::ptrdiff_t>(begin);
        return static_cast<std::size_t>(
            std::find_if(from, samples.end(), [&](float sample) { return sample != *from; }) - samples.begin());
    }

    TemporaryDirectory directory;
    std::optional<Daemon> daemon;
    std::optional<ProtocolClient> editor;
    std::optional<ProtocolClient> watcher;

    void start(const std::string& device) {
        daemon.emplace(Daemon::Options{.arguments = {"--device", device}});
        editor.emplace(daemon->client("editor"));
        watcher.emplace(daemon->client("watcher"));
        v1::Request request;
        request.mutable_subscribe()->add_topics(v1::TOPIC_CHANGES);
        watcher->call(std::move(request));
    }
};

TEST_F(Scheduled, TheRecordingHasTheFrames) {
    const std::filesystem::path file = directory / "out.wav";
    start("null:" + file.string());
    load();
    // An odd frame, so that it is not the first one of a block.
    const std::uint64_t set_frame = (time().frame() + 24'000) | 1U;
    const std::uint64_t edit_frame = set_frame + 4'800;
    ASSERT_EQ(daemon->ctl({"set", "one.value=0.75", "--ramp", "0", "--at", std::to_string(set_frame)}).status.code, 0);
    ASSERT_EQ(daemon->ctl({"connect", "two", "out", "--at", std::to_string(edit_frame)}).status.code, 0);
    const v1::PendingChanged set = outcome(1);
    const v1::PendingChanged edited = outcome(2);
    while (time().frame() < edit_frame + 9'600) {
    }
    daemon->stop();
    const std::vector<float> samples = read_wav(file).channels.at(0);
    const std::uint64_t block = edit_frame / 64 * 64;
    EXPECT_EQ(first_change(samples, set_frame - 4'000), set_frame + set.late_frames());
    EXPECT_EQ(first_change(samples, set_frame + set.late_frames() + 1), block + edited.late_frames() + 1)
        << "the first gain of a crossfade is that before it";
    EXPECT_EQ(samples.at(block + edited.late_frames() + 480), 1.0F);
    // The machine may be too busy to be on time. Then the reports are exact, which is tested above.
    EXPECT_TRUE(set.what() != v1::PendingChanged::COMMITTED || samples.at(set_frame) == 0.75F);
}

TEST_F(Scheduled, ADeviceChangeLosesNoEditThatWaits) {
    start("null:" + (directory / "out.wav").string());
    load();
    ASSERT_EQ(daemon->ctl({"set", "one.value=0.75", "--at", "+1s"}).status.code, 0);
    ASSERT_EQ(daemon->ctl({"remove", "two", "--at", "+1.1s"}).status.code, 0);
    const v1::TimeResult before = time();
    ASSERT_EQ(daemon->ctl({"device", "set", "null"}).status.code, 0);
    const v1::TimeResult after = time();
    EXPECT_GE(after.frame(), before.frame()) << "the clock never goes backwards";
    EXPECT_NE(outcome(1).what(), v1::PendingChanged::FAILED);
    EXPECT_NE(outcome(2).what(), v1::PendingChanged::FAILED);
    EXPECT_NE(daemon->ctl({"get", "one.value"}).output.find("0.75"), std::string::npos);
}

TEST_F(Scheduled, TheClockFollowsTheMachine) {
    start("null");
    load();
    const v1::TimeResult first = time();
    const std::uint64_t end = first.frame() + 24'000;
    v1::TimeResult latest = first;
    while (latest.frame() < end) {
        const v1::TimeResult next = time();
        ASSERT_GE(next.frame(), latest.frame());
        ASSERT_GT(next.monotonic_ns(), latest.monotonic_ns());
        latest = next;
    }
    const double frames = static_cast<double>(latest.frame() - first.frame());
    const double expected = static_cast<double>(latest.monotonic_ns() - first.monotonic_ns()) * 48e-6;
    // The clock of the null device drops what it misses when the machine stalls, so it may be late, and never early.
    EXPECT_LT(frames, expected + 1'000.0);
    EXPECT_EQ(latest.sample_rate_hz(), 48'000.0);
    const double utc_s = static_cast<double>(latest.utc_us() - first.utc_us()) / 1e6;
    EXPECT_NEAR(utc_s, expected / 48'000.0, 0.05);
}

TEST_F(Scheduled, TwoDaemonsActTogetherAtOneUtcTime) {
    start("null:" + (directory / "one.wav").string());
    load();
    Daemon other{{.arguments = {"--device", "null:" + (directory / "two.wav").string()}}};
    ASSERT_EQ(other.ctl({"graph", "load", "-"}, kGraph).status.code, 0);
    const std::int64_t utc_us = time().utc_us() + 1'000'000;
    v1::Request request;
    v1::SetParameters& set = *request.mutable_set_parameters();
    set.add_changes()->set_node("one");
    set.mutable_changes(0)->set_parameter("value");
    set.mutable_changes(0)->set_value(0);
    set.mutable_at()->set_utc_us(utc_us);
    ProtocolClient second = other.client();
    EXPECT_EQ(second.call(v1::Request{request}).set_parameters().pending().utc_us(), utc_us);
    EXPECT_EQ(call(std::move(request)).set_parameters().pending().utc_us(), utc_us);
    EXPECT_NE(outcome(1).what(), v1::PendingChanged::FAILED);
}

}  // namespace
}  // namespace rta::test
