// SPDX-License-Identifier: MIT
#include "media/sound_cache.h"

#include <gtest/gtest.h>
#include <sndfile.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "os/file.h"
#include "support/sound_files.h"
#include "support/temporary.h"

namespace rta::media {
namespace {

using test::kWav24;
using test::noise_24;
using test::write_sound;

class Sounds : public testing::Test {
 protected:
    Expected<std::shared_ptr<const SoundData>> load(SoundCache& cache, const char* name, double rate = 48'000.0) const {
        auto file = os::open_to_read(path(name));
        if (!file) return fail(ErrorCode::not_found, "the test has no such file");
        return cache.load(std::move(*file), name, rate);
    }
    [[nodiscard]] std::string path(const char* name) const { return (directory_ / name).string(); }

    test::TemporaryDirectory directory_;
};

TEST_F(Sounds, AreDecodedOnceAndFreedWithTheirLastUser) {
    const std::vector<float> samples = noise_24(2 * 30'000);
    ASSERT_TRUE(write_sound(path("a.wav"), kWav24, 2, 48'000, samples));
    std::filesystem::create_hard_link(path("a.wav"), path("same.wav"));
    SoundCache cache{{}};
    {
        const auto first = load(cache, "a.wav");
        ASSERT_TRUE(first) << first.error().sentence;
        EXPECT_EQ((*first)->channels, 2U);
        ASSERT_EQ((*first)->frames, 30'000U);
        for (std::size_t n = 0; n < 30'000; ++n) {
            ASSERT_EQ((*first)->channel(0)[n], samples[2 * n]);
            ASSERT_EQ((*first)->channel(1)[n], samples[2 * n + 1]);
        }
        const auto second = load(cache, "same.wav");
        ASSERT_TRUE(second);
        EXPECT_EQ(*first, *second);
        EXPECT_EQ(cache.bytes(), 2 * 30'000 * sizeof(float));
        const auto converted = load(cache, "a.wav", 96'000.0);
        ASSERT_TRUE(converted);
        EXPECT_EQ((*converted)->frames, 60'000U);
    }
    EXPECT_EQ(cache.bytes(), 0U);
}

TEST_F(Sounds, AChangedFileIsDecodedAgain) {
    SoundCache cache{{}};
    ASSERT_TRUE(write_sound(path("a.wav"), kWav24, 1, 48'000, noise_24(100)));
    const auto old = load(cache, "a.wav");
    ASSERT_TRUE(old);
    ASSERT_TRUE(write_sound(path("a.wav"), kWav24, 1, 48'000, noise_24(200)));
    const auto changed = load(cache, "a.wav");
    ASSERT_TRUE(changed);
    EXPECT_EQ((*old)->frames, 100U);
    EXPECT_EQ((*changed)->frames, 200U);
}

TEST_F(Sounds, AreSharedByThreadsThatLoadTogether) {
    ASSERT_TRUE(write_sound(path("a.wav"), kWav24, 1, 44'100, noise_24(100'000)));
    SoundCache cache{{}};
    std::vector<std::shared_ptr<const SoundData>> loaded(6);
    std::vector<std::thread> threads;
    for (auto& sound : loaded) threads.emplace_back([&] { sound = load(cache, "a.wav").value_or(nullptr); });
    for (std::thread& thread : threads) thread.join();
    ASSERT_NE(loaded[0], nullptr);
    for (const auto& sound : loaded) EXPECT_EQ(sound, loaded[0]);
    EXPECT_EQ(cache.bytes(), loaded[0]->frames * sizeof(float));
}

TEST_F(Sounds, AreRefusedBeforeTheyAreDecodedIfTheyAreTooLarge) {
    ASSERT_TRUE(write_sound(path("a.wav"), SF_FORMAT_RF64 | SF_FORMAT_PCM_24, 1, 48'000, noise_24(1'000)));
    ASSERT_TRUE(write_sound(path("big.w64"), SF_FORMAT_W64 | SF_FORMAT_PCM_16, 1, 48'000, noise_24(1'000)));
    SoundCache cache{{.bytes = 10'000}};
    const auto first = load(cache, "a.wav");
    ASSERT_TRUE(first) << first.error().sentence;
    ASSERT_TRUE(write_sound(path("b.wav"), kWav24, 1, 48'000, noise_24(2'000)));
    const auto refused = load(cache, "b.wav");
    ASSERT_FALSE(refused) << "with the other, it exceeds the limit";
    EXPECT_EQ(refused.error().code, ErrorCode::resource_exhausted);
    EXPECT_EQ(cache.bytes(), 4'000U);
    static std::uint64_t left = 0;
    left = 5'000;
    SoundCache short_of_memory{{.memory_left_bytes = [] { return left; }, .reserve_bytes = 2'000}};
    EXPECT_FALSE(load(short_of_memory, "a.wav"));
    left = 6'000;
    EXPECT_TRUE(load(short_of_memory, "a.wav"));
}

TEST_F(Sounds, OfDamagedFilesAreRefusedAndTakeNoMemory) {
    SoundCache cache{{}};
    ASSERT_TRUE(write_sound(path("a.flac"), SF_FORMAT_FLAC | SF_FORMAT_PCM_24, 1, 48'000, noise_24(100'000)));
    std::filesystem::resize_file(path("a.flac"), std::filesystem::file_size(path("a.flac")) / 2);
    test::write_text(path("text"), "this is not a sound file, but it is long enough to be one");
    for (const char* name : {"a.flac", "text"}) {
        EXPECT_FALSE(load(cache, name)) << name;
        EXPECT_FALSE(load(cache, name)) << "a failure does not block the next attempt";
    }
    EXPECT_EQ(cache.bytes(), 0U);
}

}  // namespace
}  // namespace rta::media
