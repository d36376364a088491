// SPDX-License-Identifier: MIT
#include "media/media_files.h"

#include <gtest/gtest.h>
#include <sndfile.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "resources/frame_stream.h"
#include "support/sound_files.h"
#include "support/temporary.h"

namespace rta::media {
namespace {

using test::kWav24;
using test::noise_24;
using test::write_sound;

constexpr ReadStreamRequest kMono{.sample_rate_hz = 48'000.0, .channels = 1, .ready_frames = 2'048};

class Media : public testing::Test {
 protected:
    Media() {
        std::filesystem::create_directories(directory_ / "first/sub");
        std::filesystem::create_directories(directory_ / "second");
        media_ = open({path("first"), path("second")});
    }
    std::unique_ptr<MediaFiles> open(const std::vector<std::string>& folders) {
        auto opened = MediaFolders::open(folders);
        EXPECT_TRUE(opened) << opened.error().sentence;
        return std::make_unique<MediaFiles>(std::move(*opened), SoundLimits{},
                                            [this](const StreamReport& report) { reports_.push_back(report); });
    }
    [[nodiscard]] std::string path(const char* name) const { return (directory_ / name).string(); }
    void expect_refused(const std::string& name, ErrorCode code, const char* words) {
        const auto loaded = media_->load(name, 48'000.0);
        ASSERT_FALSE(loaded) << name;
        EXPECT_EQ(loaded.error().code, code) << loaded.error().sentence;
        EXPECT_NE(loaded.error().sentence.find(words), std::string::npos) << loaded.error().sentence;
        const auto opened = media_->open_read_stream(name, kMono);
        ASSERT_FALSE(opened) << name;
        EXPECT_EQ(opened.error().code, code) << opened.error().sentence;
    }

    test::TemporaryDirectory directory_;
    std::vector<StreamReport> reports_;
    std::unique_ptr<MediaFiles> media_;
};

TEST_F(Media, OpensTheFileOfTheFirstFolderThatHasIt) {
    ASSERT_TRUE(write_sound(path("first/sub/a.wav"), kWav24, 1, 48'000, noise_24(100)));
    ASSERT_TRUE(write_sound(path("second/b.wav"), kWav24, 1, 48'000, noise_24(200)));
    ASSERT_TRUE(write_sound(path("first/both.wav"), kWav24, 1, 48'000, noise_24(300)));
    ASSERT_TRUE(write_sound(path("second/both.wav"), kWav24, 1, 48'000, noise_24(400)));
    EXPECT_EQ((*media_->load("sub/a.wav", 48'000.0))->frames, 100U);
    EXPECT_EQ((*media_->load("b.wav", 48'000.0))->frames, 200U);
    EXPECT_EQ((*media_->load("both.wav", 48'000.0))->frames, 300U);
    // The folders are those that were opened, whatever takes their places.
    std::filesystem::rename(path("first"), path("renamed"));
    EXPECT_EQ((*media_->load("both.wav", 48'000.0))->frames, 300U);
}

TEST_F(Media, RefusesNamesAndFilesWithAReason) {
    ASSERT_EQ(::mkfifo(path("first/fifo.wav").c_str(), 0600), 0);
    std::filesystem::create_symlink("sub", path("first/link"));
    ASSERT_TRUE(write_sound(path("first/sub/a.wav"), kWav24, 1, 48'000, noise_24(100)));
    for (const char* name : {"", "..", "../x.wav", "sub/../../x.wav", "/etc/passwd", "sub/", "a\nb.wav", "a\x1b[2J.wav",
                             "bad\xff.wav", "\u202Egnp.wav"})
        expect_refused(name, ErrorCode::invalid_argument, "expected a path relative to a media folder");
    expect_refused(std::string(1'025, 'a'), ErrorCode::invalid_argument, "at most 1024 bytes");
    expect_refused("missing.wav", ErrorCode::not_found, "was not found in the media folders");
    expect_refused("fifo.wav", ErrorCode::invalid_argument, "expected a regular file");
    expect_refused("sub", ErrorCode::invalid_argument, "expected a regular file");
    expect_refused("link/a.wav", ErrorCode::invalid_argument, "symbolic link");
}

TEST_F(Media, WithoutAFolderNoFileIsOpened) {
    media_ = open({});
    expect_refused("a.wav", ErrorCode::failed_precondition, "--media-dir");
    const auto missing = MediaFolders::open({path("nowhere")});
    ASSERT_FALSE(missing);
    EXPECT_NE(missing.error().sentence.find("nowhere"), std::string::npos);
}

TEST_F(Media, CreatesFilesOnlyInsideAndNeverReplacesOne) {
    const auto folders = MediaFolders::open({path("first")});
    ASSERT_TRUE(folders);
    EXPECT_TRUE(folders->create("sub/new.wav"));
    EXPECT_TRUE(std::filesystem::exists(path("first/sub/new.wav")));
    EXPECT_EQ(folders->create("sub/new.wav").error().code, ErrorCode::already_exists);
    EXPECT_EQ(folders->create("../new.wav").error().code, ErrorCode::invalid_argument);
}

TEST_F(Media, RefusesAFileWithOtherChannels) {
    ASSERT_TRUE(write_sound(path("first/stereo.wav"), kWav24, 2, 48'000, noise_24(200)));
    const auto refused = media_->open_read_stream("stereo.wav", kMono);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::failed_precondition);
    EXPECT_NE(refused.error().sentence.find("set its channels to 2"), std::string::npos) << refused.error().sentence;
}

TEST_F(Media, StreamsAFileThatVanishesWhileItPlays) {
    const std::vector<float> samples = noise_24(500'000);
    ASSERT_TRUE(write_sound(path("first/a.wav"), kWav24, 1, 48'000, samples));
    auto stream = media_->open_read_stream("a.wav", kMono);
    ASSERT_TRUE(stream) << stream.error().sentence;
    std::filesystem::remove(path("first/a.wav"));
    std::vector<float> all;
    while (true) {
        ASSERT_TRUE(media_->streams().wait_until_ready(std::chrono::seconds{60}));
        std::vector<float> block((*stream)->state().frames);
        if (block.empty()) break;
        ASSERT_TRUE((*stream)->read(block));
        all.insert(all.end(), block.begin(), block.end());
    }
    EXPECT_EQ(all, samples);
}

TEST_F(Media, AToleratedFailureIsASilentStream) {
    media_->tolerate_failures(true);
    auto stream = media_->open_read_stream("missing.wav", kMono);
    ASSERT_TRUE(stream) << stream.error().sentence;
    EXPECT_TRUE((*stream)->state().ended);
    ASSERT_EQ(reports_.size(), 1U);
    EXPECT_EQ(reports_[0].reason, "the file \"missing.wav\" was not found in the media folders; its node is silent");
    media_->tolerate_failures(false);
    EXPECT_FALSE(media_->open_read_stream("missing.wav", kMono));
}

}  // namespace
}  // namespace rta::media
