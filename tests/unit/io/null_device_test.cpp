// SPDX-License-Identifier: MIT
#include "io/null_device.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

#include "io/audio_thread_setup.h"
#include "io/clocks.h"
#include "io/offline_device.h"
#include "io/sound_reader.h"
#include "io/wav_file.h"
#include "sounding_engine.h"

namespace rta::io {
namespace {

using test::kTone;
using test::load;
using test::TemporaryFolder;

constexpr std::int64_t kStart = 1'234'567'890'123;

TEST(NullClock, DoesNotDrift) {
    for (const std::uint32_t rate : {8'000U, 44'100U, 48'000U, 768'000U}) {
        NullClock clock{rate, 64, kStart};
        // 64 * rate frames are 64 s.
        for (std::uint32_t block = 0; block < rate; ++block) {
            clock.begin_block(clock.due_ns());
        }
        EXPECT_EQ(clock.due_ns(), kStart + 64'000'000'000);
    }
}

TEST(NullClock, CatchesUpWhatIsLessThanFourBlocksLate) {
    NullClock clock{64'000, 64, kStart};  // blocks of 1 ms
    const std::int64_t woken = kStart + 3'999'999;
    int blocks = 0;
    while (clock.due_ns() <= woken) {
        clock.begin_block(woken);
        ++blocks;
    }
    EXPECT_EQ(blocks, 4);  // the block that was due, and three late ones
    EXPECT_EQ(clock.due_ns(), kStart + 4'000'000) << "the anchor has not moved";
}

TEST(NullClock, ReanchorsWhenFourBlocksLateAndNeverBursts) {
    NullClock clock{64'000, 64, kStart};
    const std::int64_t woken = kStart + 4'000'000;
    clock.begin_block(woken);
    EXPECT_EQ(clock.due_ns(), woken + 1'000'000) << "nothing is owed for what was missed";
    const std::int64_t an_hour_later = woken + 3'600'000'000'000;
    clock.begin_block(an_hour_later);
    EXPECT_EQ(clock.due_ns(), an_hour_later + 1'000'000);
    clock.begin_block(clock.due_ns());
    EXPECT_EQ(clock.due_ns(), an_hour_later + 2'000'000);
}

class NullDeviceTest : public ::testing::Test {
 protected:
    /// Waits until the device thread has rendered this number of frames.
    void await_frames(std::uint64_t frames) const {
        while (engine.renderer().frames() < frames) std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }

    TemporaryFolder folder;
    Engine engine{builtin_nodes(), {.sample_rate_hz = 48'000, .block_size = 64}};
};

[[nodiscard]] std::vector<float> samples_of(const std::string& path) {
    auto reader = SoundReader::open(path);
    if (!reader) {
        ADD_FAILURE() << reader.error().sentence;
        return {};
    }
    std::vector<float> samples(reader->frames() * reader->channels());
    EXPECT_EQ(reader->read(samples), reader->frames());
    return samples;
}

TEST_F(NullDeviceTest, WritesWhatTheDeviceWasHandedToTheLastBlock) {
    load(engine, kTone);
    auto device = NullDevice::open({.file = folder / "live.wav"});
    ASSERT_TRUE(device) << device.error().sentence;
    BlockAdapter adapter{engine.gate(), engine.renderer(), 48'000, 0, 2};
    adapter.grant(engine.gate().start_generation());
    ASSERT_TRUE((*device)->start(adapter));
    await_frames(9'600);
    (*device)->stop();
    EXPECT_FALSE((*device)->take_warning());
    const std::vector<float> live = samples_of(folder / "live.wav");
    ASSERT_EQ(live.size(), adapter.frames() * 2);

    // The same graph rendered offline must be bit-identical.
    Engine other{builtin_nodes(), {.sample_rate_hz = 48'000, .block_size = 64}};
    load(other, kTone);
    BlockAdapter offline_adapter{other.gate(), other.renderer(), 48'000, 0, 2};
    offline_adapter.grant(other.gate().start_generation());
    auto offline =
        OfflineDevice::open({.output = {.path = folder / "offline.wav", .extent = {.length = adapter.frames()}}});
    ASSERT_TRUE(offline) << offline.error().sentence;
    ASSERT_TRUE((*offline)->start(offline_adapter));
    while (!(*offline)->ended()) ASSERT_TRUE((*offline)->advance());
    ASSERT_TRUE((*offline)->finish());
    EXPECT_EQ(live, samples_of(folder / "offline.wav"));
}

TEST_F(NullDeviceTest, TheFileIsWholeWhileItGrows) {
    load(engine, kTone);
    auto device = NullDevice::open({.file = folder / "live.wav"});
    ASSERT_TRUE(device) << device.error().sentence;
    BlockAdapter adapter{engine.gate(), engine.renderer(), 48'000, 0, 2};
    adapter.grant(engine.gate().start_generation());
    ASSERT_TRUE((*device)->start(adapter));
    // Reads the file as if the process were killed now: at first it is empty, after a second it has samples.
    std::uint64_t frames = 0;
    while (frames == 0) {
        const auto reader = SoundReader::open(folder / "live.wav");
        ASSERT_TRUE(reader) << reader.error().sentence;
        frames = reader->frames();
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    (*device)->stop();
    EXPECT_GE(samples_of(folder / "live.wav").size(), frames * 2);
}

TEST_F(NullDeviceTest, TellsHowItsThreadIsScheduled) {
    auto device = NullDevice::open({});
    ASSERT_TRUE(device);
    BlockAdapter adapter{engine.gate(), engine.renderer(), 48'000, 0, 2};
    adapter.grant(engine.gate().start_generation());
    ASSERT_TRUE((*device)->start(adapter));
    await_frames(64);
    const ThreadScheduling scheduling = scheduling_of(adapter.thread_id());
    EXPECT_TRUE(scheduling.policy.starts_with("SCHED_")) << scheduling.policy;
    EXPECT_EQ(scheduling.realtime, scheduling.policy != "SCHED_OTHER");
    (*device)->stop();
    // pthread_join() returns shortly before the kernel has removed the thread. If that never happens, ctest times out.
    while (!scheduling_of(adapter.thread_id()).policy.empty())
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
}

TEST_F(NullDeviceTest, AFileThatCannotBeWrittenIsNamed) {
    const auto device = NullDevice::open({.file = folder / "missing/live.wav"});
    ASSERT_FALSE(device);
    EXPECT_EQ(device.error().code, ErrorCode::unavailable);
    EXPECT_NE(device.error().sentence.find(folder / "missing/live.wav"), std::string::npos) << device.error().sentence;
}

}  // namespace
}  // namespace rta::io
