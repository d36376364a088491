// SPDX-License-Identifier: MIT
// Scheduled edits in a recording that an independent JACK client makes: parameters start at their frame, transactions in
// the block of their frame, and what is late is late by what is reported.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <future>
#include <optional>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "jack_rig.h"

namespace rta::test {
namespace {

constexpr std::size_t kSteps = 30;

std::string step(std::size_t number) { return "step_" + std::to_string(number); }

/// `left` feeds the first channel. The steps are for transactions: those with odd numbers are connected to the second
/// channel. What they add differs, so that two steps never cancel each other. `silent_1` and `silent_2` are for other clients: they do not change a sample.
std::string document() {
    std::string nodes = R"({"nodes": [
        {"name": "left", "type": "constant", "parameters": {"value": 0.5}},
        {"name": "silent_1", "type": "constant", "parameters": {"value": 0}},
        {"name": "silent_2", "type": "constant", "parameters": {"value": 0}},
        {"name": "out_1", "type": "output", "settings": {"channels": 1}},
        {"name": "out_2", "type": "output", "settings": {"channels": 1, "first_channel": 2}})";
    std::string connections = R"(], "connections": [{"from": "left", "to": "out_1"})";
    for (std::size_t i = 0; i < kSteps; ++i) {
        nodes += R"(, {"name": ")" + step(i) + R"(", "type": "constant", "parameters": {"value": )" +
                 (i % 2 == 0 ? "0.03125" : "0.015625") + "}}";
        if (i % 2 != 0) connections += R"(, {"from": ")" + step(i) + R"(", "to": "out_2"})";
    }
    return nodes + connections + "]}";
}

/// The transaction that a step is for.
v1::Edit change_of_step(std::size_t number) {
    return number % 2 == 0 ? connect(step(number), "out_2") : disconnect(step(number), "out_2");
}

/// Frames of a crossfade at 48 kHz, in which the samples change.
constexpr std::size_t kCrossfade = 480;

v1::TimeResult time_of(ProtocolClient& client) {
    v1::Request request;
    request.mutable_get_time();
    return client.call(std::move(request)).get_time();
}

v1::When at_frame(std::uint64_t frame) {
    v1::When when;
    when.set_frame(frame);
    return when;
}
v1::When at_utc(std::int64_t utc_us) {
    v1::When when;
    when.set_utc_us(utc_us);
    return when;
}
v1::When in_s(double seconds) {
    v1::When when;
    when.set_in_s(seconds);
    return when;
}

v1::Request set_request(const std::string& node, float value, float ramp_ms) {
    v1::Request request;
    v1::SetParameter& change = *request.mutable_set_parameters()->add_changes();
    change = set_parameter(node, "value", value).set_parameter();
    change.set_ramp_ms(ramp_ms);
    return request;
}

/// Returns the first index after `at` at which the sample is not that before it.
std::size_t next_change(std::span<const float> samples, std::size_t at) {
    while (at + 1 < samples.size() && samples[at + 1] == samples[at]) ++at;
    return at + 1;
}

/// A scheduled edit, and what the daemon has reported about it.
struct Scheduled {
    v1::PendingEdit edit;
    std::optional<v1::PendingChanged> outcome{};

    [[nodiscard]] bool on_time() const { return outcome->what() == v1::PendingChanged::COMMITTED; }
    /// Returns the frame at which a change of a parameter starts, as reported.
    [[nodiscard]] std::uint64_t start() const { return outcome->edit().frame() + outcome->late_frames(); }
    /// Returns the frame at which a transaction starts, as reported.
    [[nodiscard]] std::uint64_t block_start(std::uint64_t block_size) const {
        return outcome->edit().frame() / block_size * block_size + outcome->late_frames();
    }
};

/// The clients of one daemon: one schedules edits, the other one receives their outcomes.
class Scheduler {
 public:
    explicit Scheduler(const Daemon& daemon) : editor_{daemon.client("editor")}, watcher_{daemon.client("watcher")} {
        v1::Request request;
        request.mutable_subscribe()->add_topics(v1::TOPIC_CHANGES);
        request.mutable_subscribe()->add_nodes("left");  // not what the other client edits
        watcher_.call(std::move(request));
        editor_.apply_document(document());
    }

    [[nodiscard]] ProtocolClient& editor() { return editor_; }
    [[nodiscard]] v1::TimeResult time() { return time_of(editor_); }

    /// Returns the index for edit().
    std::size_t set(const std::string& node, float value, const v1::When& when, float ramp_ms = 0.0F) {
        v1::Request request = set_request(node, value, ramp_ms);
        *request.mutable_set_parameters()->mutable_at() = when;
        return add(call(std::move(request)).set_parameters().pending());
    }
    std::size_t apply(const v1::Edit& edit, const v1::When& when) {
        v1::Request request = apply_request(transaction({edit}));
        *request.mutable_apply_transaction()->mutable_at() = when;
        return add(call(std::move(request)).apply_transaction().pending());
    }
    /// Sets a parameter without a time; returns the frame of the change.
    std::uint64_t set_now(const std::string& node, float value) {
        return call(set_request(node, value, 0.0F)).set_parameters().frame();
    }
    /// Waits for the outcomes of all edits.
    void wait() {
        while (!std::ranges::all_of(edits_, [](const Scheduled& edit) { return edit.outcome.has_value(); })) {
            const auto event = watcher_.next_event();
            if (!event) throw std::runtime_error("no event about a scheduled edit");
            const v1::PendingChanged& changed = event->pending_changed();
            if (!event->has_pending_changed() || changed.what() == v1::PendingChanged::ADDED) continue;
            edit_with(changed.edit().id()).outcome = changed;
        }
    }
    [[nodiscard]] const Scheduled& edit(std::size_t index) const { return edits_.at(index); }
    [[nodiscard]] const std::vector<Scheduled>& edits() const { return edits_; }

 private:
    v1::Response call(v1::Request request) {
        v1::Response response = editor_.call(std::move(request));
        if (response.status().code() != v1::OK) throw std::runtime_error(response.status().message());
        return response;
    }
    std::size_t add(const v1::PendingEdit& edit) {
        edits_.push_back({edit});
        return edits_.size() - 1;
    }
    Scheduled& edit_with(std::uint64_t id) {
        const auto found = std::ranges::find_if(edits_, [&](const Scheduled& edit) { return edit.edit.id() == id; });
        if (found == edits_.end()) throw std::runtime_error("an event about an edit that was not scheduled");
        return *found;
    }

    ProtocolClient editor_;
    ProtocolClient watcher_;
    std::vector<Scheduled> edits_;
};

struct Sizes {
    std::uint32_t period_frames = 256;
    std::uint32_t block_frames = 64;
    std::uint32_t rate_hz = 48'000;
};

std::vector<std::string> arguments_of(const Sizes& sizes) {
    return {"--block-size", std::to_string(sizes.block_frames), "--sample-rate", std::to_string(sizes.rate_hz)};
}

class JackSchedule : public ::testing::Test {
 protected:
    void start(const Sizes& sizes = {}) {
        sizes_ = sizes;
        rig_.emplace(
            JackRig::Options{.arguments = arguments_of(sizes),
                             .capacity_frames = std::size_t{60} * sizes.rate_hz,
                             .server = {.period_frames = sizes.period_frames, .sample_rate_hz = sizes.rate_hz}});
        scheduler_.emplace(rig_->daemon());
        witness().wait_frames(sizes.rate_hz / 5);  // the output has faded in
        offset_ = find_offset(0.875F);
    }
    [[nodiscard]] JackClient& witness() { return rig_->witness(); }
    [[nodiscard]] Scheduler& scheduler() { return *scheduler_; }
    [[nodiscard]] std::uint64_t block() const { return sizes_.block_frames; }
    [[nodiscard]] std::uint64_t start_of_block(std::uint64_t frame) const { return frame / block() * block(); }
    [[nodiscard]] std::uint64_t rate() const { return sizes_.rate_hz; }
    /// Returns the first frame of a block, `seconds` later.
    [[nodiscard]] std::uint64_t later(double seconds) {
        return start_of_block(scheduler().time().frame() + static_cast<std::uint64_t>(seconds * sizes_.rate_hz));
    }

    /// Sets `left` without a time. Returns the frame of the recording at which the change is, less that which the
    /// daemon reports.
    std::int64_t find_offset(float value) {
        const std::size_t begin = witness().frames();
        const std::uint64_t frame = scheduler().set_now("left", value);
        // At most two periods, a block of the adapter, and the time of the request later.
        const Deadline deadline;
        while (!deadline.passed()) {
            witness().wait_frames(1);
            const auto samples = witness().recording(0);
            const auto found = std::find(samples.begin() + static_cast<std::ptrdiff_t>(begin), samples.end(), value);
            if (found != samples.end()) return (found - samples.begin()) - static_cast<std::int64_t>(frame);
        }
        throw std::runtime_error("the recording does not have the marker");
    }
    [[nodiscard]] std::size_t recorded(std::uint64_t frame) const {
        return static_cast<std::size_t>(static_cast<std::int64_t>(frame) + offset_);
    }
    /// Records until after this frame, and checks that no frame was lost before.
    void finish(std::uint64_t frame) {
        witness().wait_for_frame(recorded(frame) + sizes_.rate_hz / 5);
        EXPECT_EQ(find_offset(0.75F), offset_) << "no frame was lost or repeated";
        EXPECT_EQ(witness().lost_frames(), 0U);
        ASSERT_FALSE(witness().full());
    }
    /// Returns the first frame after `begin`, by the clock of the daemon, at which the sample of a channel changes.
    [[nodiscard]] std::uint64_t change_after(std::uint32_t channel, std::uint64_t begin) {
        const std::size_t at = next_change(witness().recording(channel), recorded(begin));
        return static_cast<std::uint64_t>(static_cast<std::int64_t>(at) - offset_);
    }
    [[nodiscard]] float sample(std::uint32_t channel, std::uint64_t frame) {
        return witness().recording(channel)[recorded(frame)];
    }
    /// Checks that a change of `left` without a ramp is in the recording at its frame, and there only.
    void expect_jump(const Scheduled& edit, float value) {
        const std::uint64_t at = edit.start();
        ASSERT_EQ(change_after(0, at - block()), at) << edit.outcome->ShortDebugString();
        EXPECT_EQ(sample(0, at), value);
    }
    /// Checks that the crossfade of a transaction begins with the block of its frame.
    void expect_crossfade(const Scheduled& edit) {
        const std::uint64_t at = edit.block_start(block());
        // The first gain of a crossfade is that before it.
        ASSERT_EQ(change_after(1, at - block()), at + 1) << edit.outcome->ShortDebugString();
    }
    /// Most edits are on time, unless the machine is too busy. Those that are late are checked with what is reported.
    void expect_most_on_time() {
        const auto on_time = std::ranges::count_if(scheduler().edits(), &Scheduled::on_time);
        EXPECT_GT(2 * on_time, static_cast<std::ptrdiff_t>(scheduler().edits().size()));
        for (const Scheduled& edit : scheduler().edits())
            EXPECT_NE(edit.outcome->what(), v1::PendingChanged::FAILED) << edit.outcome->ShortDebugString();
    }

    /// Schedules `count` changes of `left` and as many transactions: at both ends of a block, next to them, and anywhere.
    /// Checks that each is in the recording at its frame.
    void check_frames(std::size_t count) {
        constexpr float kValues[] = {0.125F, 0.25F};
        std::mt19937 random{13};  // NOLINT: the same frames every time
        const std::uint64_t spacing = start_of_block(rate() / 25 + block());
        std::uint64_t begin = later(0.5);
        for (std::size_t i = 0; i < count; ++i, begin += 2 * spacing) {
            const std::uint64_t offsets[] = {0, block() - 1, 1, block() - 2, random() % block()};
            const std::uint64_t offset = offsets[i % std::size(offsets)];
            scheduler().set("left", kValues[i % 2], at_frame(begin + offset));
            scheduler().apply(change_of_step(i), at_frame(begin + spacing + offset));
        }
        scheduler().wait();
        finish(begin);
        for (std::size_t i = 0; i < count; ++i) {
            ASSERT_NO_FATAL_FAILURE(expect_jump(scheduler().edit(2 * i), kValues[i % 2]));
            ASSERT_NO_FATAL_FAILURE(expect_crossfade(scheduler().edit(2 * i + 1)));
        }
        expect_most_on_time();
    }

    Sizes sizes_{};
    std::optional<JackRig> rig_;
    std::optional<Scheduler> scheduler_;
    std::int64_t offset_ = 0;
};

/// Edits as fast as the daemon answers, until it is destroyed: transactions at the ports of the scheduled ones, and
/// parameters.
class OtherClient {
 public:
    explicit OtherClient(const Daemon& daemon)
        : client_{daemon.client("other")}, edits_{std::async(std::launch::async, [this] { return run(); })} {}
    ~OtherClient() { stop_ = true; }
    OtherClient(const OtherClient&) = delete;
    OtherClient& operator=(const OtherClient&) = delete;

    /// Ends it; returns the number of edits that were committed.
    std::size_t finish() {
        stop_ = true;
        return edits_.get();
    }

 private:
    std::size_t run() {
        std::size_t edits = 0;
        for (std::size_t i = 0; !stop_; ++i) {
            const std::string node = i % 2 == 0 ? "silent_1" : "silent_2";
            const std::string output = i % 4 < 2 ? "out_1" : "out_2";
            const bool connects = i % 8 < 4;
            const v1::Edit edit = connects ? connect(node, output) : disconnect(node, output);
            edits += client_.call(apply_request(transaction({edit}))).status().code() == v1::OK ? 1U : 0U;
            edits += client_.call(set_request(node, 0.0F, 5.0F)).status().code() == v1::OK ? 1U : 0U;
        }
        return edits;
    }

    std::atomic<bool> stop_{false};
    ProtocolClient client_;
    std::future<std::size_t> edits_;
};

TEST_F(JackSchedule, EveryEditIsAtItsFrameWhileAnotherClientEdits) {
    start();
    OtherClient other{rig_->daemon()};
    check_frames(30);
    EXPECT_GT(other.finish(), 100U);
}

TEST_F(JackSchedule, TheFrameDoesNotDependOnThePeriodTheBlockAndTheRate) {
    // The last three have an adapter: their periods are not multiples of the block.
    constexpr Sizes kSizes[] = {{64, 64, 48'000},  {1'024, 64, 44'100},  {512, 512, 96'000},
                                {64, 256, 48'000}, {256, 1'024, 44'100}, {441, 64, 44'100}};
    for (const Sizes& sizes : kSizes) {
        SCOPED_TRACE("period " + std::to_string(sizes.period_frames) + ", block " + std::to_string(sizes.block_frames) +
                     ", rate " + std::to_string(sizes.rate_hz));
        scheduler_.reset();
        rig_.reset();
        ASSERT_NO_FATAL_FAILURE(start(sizes));
        ASSERT_NO_FATAL_FAILURE(check_frames(5));
    }
}

TEST_F(JackSchedule, ARampBeginsAtItsFrame) {
    start();
    const std::uint64_t at = later(0.5) + 21;
    scheduler().set("left", 0.375F, at_frame(at), 10.0F);  // 480 frames
    scheduler().wait();
    finish(at);
    const std::uint64_t begin = scheduler().edit(0).start();
    for (std::uint64_t i = 0; i <= 480; ++i)
        ASSERT_NEAR(sample(0, begin + i), 0.875 - 0.5 * static_cast<double>(i) / 480.0, 1e-6) << i;
    EXPECT_EQ(change_after(0, begin - block()), begin + 1) << "it begins with the value before it";
    EXPECT_EQ(sample(0, begin + 481), 0.375F);
}

TEST_F(JackSchedule, EditsOfOneBlockAreApart) {
    start();
    const std::uint64_t begin = later(0.5);
    // Of two parameters, each starts at its frame. A further change of the same parameter starts with the next block.
    scheduler().set("left", 0.25F, at_frame(begin + 5));
    scheduler().set(step(1), 0.25F, at_frame(begin + 40));
    scheduler().set("left", 0.125F, at_frame(begin + 41));
    // Two transactions start together; one that is closer than a crossfade waits for its end.
    const std::uint64_t edited = begin + 50 * block();
    scheduler().apply(disconnect("left", "out_1"), at_frame(edited + 3));
    scheduler().apply(change_of_step(0), at_frame(edited + 60));
    const std::uint64_t near = edited + 50 * block();
    scheduler().apply(connect("left", "out_1"), at_frame(near));
    scheduler().apply(change_of_step(2), at_frame(near + 2 * block()));
    scheduler().wait();
    const std::uint64_t end = near + 50 * block();
    finish(end);
    for (const Scheduled& edit : scheduler().edits())
        ASSERT_NE(edit.outcome->what(), v1::PendingChanged::FAILED) << edit.outcome->ShortDebugString();

    expect_jump(scheduler().edit(0), 0.25F);
    const std::uint64_t other = scheduler().edit(1).start();
    EXPECT_EQ(change_after(1, other - block()), other);
    const std::uint64_t second = scheduler().edit(2).start();
    EXPECT_EQ(change_after(0, scheduler().edit(0).start()), second);
    EXPECT_EQ(sample(0, second), 0.125F);
    for (const std::size_t index : {3U, 4U}) {
        const std::uint64_t together = scheduler().edit(index).block_start(block());
        EXPECT_EQ(change_after(index == 3 ? 0 : 1, together - block()), together + 1);
    }
    const std::uint64_t first = scheduler().edit(5).block_start(block());
    EXPECT_EQ(change_after(0, first - block()), first + 1);
    EXPECT_EQ(scheduler().edit(6).outcome->what(), v1::PendingChanged::LATE);
    const std::uint64_t late = scheduler().edit(6).block_start(block());
    EXPECT_GE(late, first + kCrossfade) << "a shorter crossfade would click";
    EXPECT_EQ(change_after(1, late - block()), late + 1);
    // Unless the machine is too busy:
    if (scheduler().edit(0).on_time()) {
        EXPECT_EQ(second, begin + block());
    }
    if (scheduler().edit(3).on_time() && scheduler().edit(4).on_time()) {
        EXPECT_EQ(scheduler().edit(3).block_start(block()), edited);
        EXPECT_EQ(scheduler().edit(4).block_start(block()), edited);
    }
}

TEST_F(JackSchedule, WhatIsDueNowIsLateByWhatIsReported) {
    start();
    constexpr float kValues[] = {0.125F, 0.25F};
    std::size_t late = 0;
    for (std::size_t i = 0; i < 20; ++i) {
        scheduler().set("left", kValues[i % 2], in_s(0.0));
        scheduler().wait();
        late += scheduler().edit(i).on_time() ? 0U : 1U;
        witness().wait_frames(block() * (i % 7 + 1));
    }
    finish(scheduler().edits().back().start());
    for (std::size_t i = 0; i < scheduler().edits().size(); ++i)
        ASSERT_NO_FATAL_FAILURE(expect_jump(scheduler().edit(i), kValues[i % 2]));
    // The frame that plays now was rendered at the beginning of the callback.
    EXPECT_GT(late, 0U);
}

/// The relation that the daemon reports, and that of JACK's own clock.
TEST_F(JackSchedule, GetTimeAgreesWithTheClockOfJack) {
    start();
    OtherClient other{rig_->daemon()};
    std::vector<double> errors;
    for (const std::size_t end = witness().frames() + rate() * 3; witness().frames() < end;) {
        const v1::TimeResult time = scheduler().time();
        const auto jack = static_cast<double>(witness().frame_at(time.monotonic_ns()));
        errors.push_back(std::abs(static_cast<double>(time.frame()) + static_cast<double>(offset_) - jack));
        witness().wait_frames(1);
    }
    std::ranges::sort(errors);
    RecordProperty("median_frames", std::to_string(errors[errors.size() / 2]));
    RecordProperty("p99_frames", std::to_string(errors[errors.size() * 99 / 100]));
    EXPECT_LT(errors[errors.size() / 2], static_cast<double>(block()));
}

/// Two daemons with one graph, each recorded on one channel.
TEST(JackScheduleTogether, TwoDaemonsStartAtOneUtcTimeWithinOneBlock) {
    constexpr std::int64_t kBlock = 64;
    constexpr std::size_t kRate = 48'000;
    const JackServer server;
    JackClient witness{server, {.capacity_frames = 60 * kRate}};
    const auto options = [&](int channel) {
        return Daemon::Options{.arguments = {"--device", "jack", "--channels-out", "1", "--jack-connect",
                                             "witness:in_" + std::to_string(channel)},
                               .environment = server.environment()};
    };
    const Daemon first{options(1)};
    const Daemon second{options(2)};
    witness.wait_until_connected();
    Scheduler schedulers[] = {Scheduler{first}, Scheduler{second}};
    witness.wait_frames(kRate / 2);
    constexpr std::size_t kEdits = 20;
    const std::size_t begin = witness.frames();
    std::int64_t utc_us = schedulers[0].time().utc_us() + 1'000'000;
    for (std::size_t i = 0; i < kEdits; ++i, utc_us += 100'417) {
        for (Scheduler& scheduler : schedulers) {
            if (i % 4 == 0) scheduler.set("left", 0.25F, at_utc(utc_us));
            if (i % 4 == 1) scheduler.apply(disconnect("left", "out_1"), at_utc(utc_us));
            if (i % 4 == 2) scheduler.apply(connect("left", "out_1"), at_utc(utc_us));
            if (i % 4 == 3) scheduler.set("left", 0.125F, at_utc(utc_us));
        }
    }
    for (Scheduler& scheduler : schedulers) scheduler.wait();
    witness.wait_frames(kRate / 5);
    EXPECT_EQ(witness.lost_frames(), 0U);
    ASSERT_FALSE(witness.full());
    std::vector<std::int64_t> starts[2];
    for (std::uint32_t channel = 0; channel < 2; ++channel) {
        std::size_t at = begin;
        for (const Scheduled& edit : schedulers[channel].edits()) {
            ASSERT_NE(edit.outcome->what(), v1::PendingChanged::FAILED) << edit.outcome->ShortDebugString();
            at = next_change(witness.recording(channel), at);
            starts[channel].push_back(static_cast<std::int64_t>(at) -
                                      static_cast<std::int64_t>(edit.outcome->late_frames()));
            at += kCrossfade;
        }
    }
    std::int64_t largest = 0;
    for (std::size_t i = 0; i < kEdits; ++i) {
        const std::int64_t apart = std::abs(starts[0][i] - starts[1][i]);
        EXPECT_LE(apart, kBlock) << "edit " << i;
        largest = std::max(largest, apart);
    }
    RecordProperty("largest_difference_frames", static_cast<int>(largest));
}

}  // namespace
}  // namespace rta::test
