// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sndfile.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "dsp/audio_buffer.h"
#include "io/sound_reader.h"
#include "io/wav_file.h"
#include "io/wav_header.h"
#include "io/wav_recorder.h"
#include "os/unique_fd.h"
#include "sounding_engine.h"

namespace rta::io {
namespace {

using test::noise;
using test::TemporaryFolder;

class FilesTest : public ::testing::Test {
 protected:
    void write(const std::string& path, std::uint32_t rate, std::uint32_t channels, const std::vector<float>& samples) {
        auto writer = WavWriter::create(path, rate, channels);
        ASSERT_TRUE(writer) << writer.error().sentence;
        ASSERT_TRUE(writer->write(samples));
        ASSERT_TRUE(writer->close());
    }
    static std::vector<float> read(const std::string& path) {
        auto reader = SoundReader::open(path);
        if (!reader) {
            ADD_FAILURE() << reader.error().sentence;
            return {};
        }
        std::vector<float> samples(reader->frames() * reader->channels());
        EXPECT_EQ(reader->read(samples), reader->frames());
        return samples;
    }

    static std::string bytes(const std::string& path) {
        std::FILE* const file = std::fopen(path.c_str(), "rb");
        std::string text(10'000, '\0');
        text.resize(std::fread(text.data(), 1, text.size(), file));
        std::fclose(file);
        return text;
    }

    TemporaryFolder folder;
};

TEST_F(FilesTest, FloatsGoInAndOutUnchanged) {
    const std::vector<float> samples{0.0F, -0.0F, 1.0F, -1.0F, 3.5F, 1e-30F, 0.1F, -0.7F};
    write(folder / "a.wav", 44'100, 2, samples);
    const auto reader = SoundReader::open(folder / "a.wav");
    ASSERT_TRUE(reader);
    EXPECT_EQ(reader->sample_rate_hz(), 44'100U);
    EXPECT_EQ(reader->channels(), 2U);
    EXPECT_EQ(reader->frames(), 4U);
    EXPECT_EQ(read(folder / "a.wav"), samples);
}

TEST_F(FilesTest, TheSameSoundIsTheSameFile) {
    write(folder / "a.wav", 48'000, 1, {0.5F, 0.25F});
    write(folder / "b.wav", 48'000, 1, {0.5F, 0.25F});
    EXPECT_EQ(bytes(folder / "a.wav"), bytes(folder / "b.wav"));
    EXPECT_EQ(bytes(folder / "a.wav").find("PEAK"), std::string::npos) << "it would hold the time of day";
}

TEST_F(FilesTest, TheHeaderOfASmallFileIsThatOfLibsndfile) {
    for (const std::uint32_t channels : {1U, 2U, 5U, 64U}) {
        for (const std::uint32_t frames : {0U, 3U}) {
            const std::string path = folder / "reference.wav";
            SF_INFO info{};
            info.samplerate = 44'100;
            info.channels = static_cast<int>(channels);
            info.format = SF_FORMAT_WAV | SF_FORMAT_FLOAT;
            SNDFILE* const reference = sf_open(path.c_str(), SFM_WRITE, &info);
            ASSERT_NE(reference, nullptr);
            sf_command(reference, SFC_SET_ADD_PEAK_CHUNK, nullptr, SF_FALSE);
            const std::vector<float> samples(std::size_t{channels} * frames, 0.5F);
            EXPECT_EQ(sf_writef_float(reference, samples.data(), frames), frames);
            ASSERT_EQ(sf_close(reference), 0);
            write(folder / "a.wav", 44'100, channels, samples);
            EXPECT_EQ(bytes(folder / "a.wav"), bytes(path)) << channels << " channels, " << frames << " frames";
        }
    }
}

TEST_F(FilesTest, AFileIsRf64FromFourGigabytesOn) {
    for (const std::uint32_t channels : {1U, 2U, 3U, 256U, kMaximumWavChannels}) {
        const std::size_t header_bytes = wav_header(48'000, channels, 0).size();
        const std::uint64_t largest = (0xFFFF'FFFF - header_bytes) / (channels * sizeof(float));
        EXPECT_TRUE(wav_header(48'000, channels, largest).starts_with("RIFF")) << channels << " channels";
        const std::string large = wav_header(48'000, channels, largest + 1);
        EXPECT_TRUE(large.starts_with("RF64")) << channels << " channels";
        EXPECT_EQ(large.size(), header_bytes) << channels << " channels";
    }
}

/// Reads the last frame of a file.
std::vector<float> last_frame(const std::string& path, SF_INFO& info) {
    SNDFILE* const file = sf_open(path.c_str(), SFM_READ, &info);
    if (file == nullptr) {
        ADD_FAILURE() << path << ": " << sf_strerror(nullptr);
        return {};
    }
    std::vector<float> frame(static_cast<std::size_t>(info.channels));
    EXPECT_EQ(sf_seek(file, info.frames - 1, SEEK_SET), info.frames - 1);
    EXPECT_EQ(sf_readf_float(file, frame.data(), 1), 1);
    sf_close(file);
    return frame;
}

TEST_F(FilesTest, ARecordingContinuesBeyondFourGigabytes) {
    for (const std::uint32_t channels : {1U, 2U, 3U, 256U}) {
        const std::string path = folder / "large.wav";
        auto writer = WavWriter::create(path, 48'000, channels);
        ASSERT_TRUE(writer) << writer.error().sentence;
        std::vector<float> marker(channels);
        std::iota(marker.begin(), marker.end(), 1.0F);
        sf_count_t frames = 0;
        // Reads the file as if the process were killed now.
        const auto check = [&](int format, sf_count_t expected_frames) {
            SF_INFO info{};
            EXPECT_EQ(last_frame(path, info), marker) << channels << " channels";
            EXPECT_EQ(info.format, format | SF_FORMAT_FLOAT) << channels << " channels";
            EXPECT_EQ(info.frames, expected_frames) << channels << " channels";
            EXPECT_EQ(info.samplerate, 48'000);
        };
        const auto append = [&](std::uint64_t silent_frames) {
            // A hole: the file takes a few kilobytes of the disk.
            ASSERT_TRUE(writer->write_silence(silent_frames));
            ASSERT_TRUE(writer->write(marker));
            frames += static_cast<sf_count_t>(silent_frames) + 1;
        };
        const std::uint64_t four_gib_of_frames = (std::uint64_t{1} << 32U) / (channels * sizeof(float));
        append(four_gib_of_frames - 1'000);
        writer->update_header();
        check(SF_FORMAT_WAV, frames);
        const sf_count_t frames_of_header = frames;
        append(2'000);
        // Killed before the next update of the header.
        check(SF_FORMAT_WAV, frames_of_header);
        writer->update_header();
        check(SF_FORMAT_RF64, frames);
        append(2 * four_gib_of_frames);
        ASSERT_TRUE(writer->close());
        check(SF_FORMAT_RF64, frames);
        EXPECT_GT(std::filesystem::file_size(path), 3 * (std::uint64_t{1} << 32U));
    }
}

TEST_F(FilesTest, WhatADiskTookBeforeItWasFullIsKept) {
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    auto* const action = std::signal(SIGXFSZ, SIG_IGN);
    auto writer = WavWriter::create(folder / "a.wav", 48'000, 2);
    ASSERT_TRUE(writer) << writer.error().sentence;
    std::vector<float> samples = noise(1, 1'000).front();
    const rlimit limit{.rlim_cur = 2'005, .rlim_max = before.rlim_max};  // bytes, in the middle of a frame
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    const auto written = writer->write(samples);
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    std::signal(SIGXFSZ, action);
    ASSERT_FALSE(written);
    EXPECT_NE(written.error().sentence.find(folder / "a.wav"), std::string::npos) << written.error().sentence;
    ASSERT_TRUE(writer->close());
    const std::size_t frames = (2'005 - wav_header(48'000, 2, 0).size()) / (2 * sizeof(float));
    samples.resize(2 * frames);
    EXPECT_EQ(read(folder / "a.wav"), samples);
}

TEST_F(FilesTest, AGapThatTheDiskRefusesIsNotPartOfTheFile) {
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    auto* const action = std::signal(SIGXFSZ, SIG_IGN);
    auto writer = WavWriter::create(folder / "a.wav", 48'000, 2);
    ASSERT_TRUE(writer) << writer.error().sentence;
    const std::vector<float> samples = noise(1, 200).front();
    ASSERT_TRUE(writer->write(samples));
    const rlimit limit{.rlim_cur = 2'000, .rlim_max = before.rlim_max};  // bytes
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    const auto written = writer->write_silence(48'000);
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    std::signal(SIGXFSZ, action);
    ASSERT_FALSE(written);
    ASSERT_TRUE(writer->close());
    EXPECT_EQ(read(folder / "a.wav"), samples);
}

TEST_F(FilesTest, MoreChannelsThanReadersAcceptAreRefused) {
    const auto writer = WavWriter::create(folder / "wide.wav", 48'000, kMaximumWavChannels + 1);
    ASSERT_FALSE(writer);
    EXPECT_NE(writer.error().sentence.find("expected at most 1024"), std::string::npos) << writer.error().sentence;
    EXPECT_FALSE(std::filesystem::exists(folder / "wide.wav"));
}

TEST_F(FilesTest, APipeIsRefused) {
    const std::string path = folder / "pipe";
    ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
    for (const bool is_read : {false, true}) {
        const os::UniqueFd reader{is_read ? ::open(path.c_str(), O_RDONLY | O_NONBLOCK) : -1};
        const auto writer = WavWriter::create(path, 48'000, 1);
        ASSERT_FALSE(writer);
        EXPECT_NE(writer.error().sentence.find(path), std::string::npos) << writer.error().sentence;
    }
}

TEST_F(FilesTest, WhatIsNoSoundFileIsNamed) {
    const auto missing = SoundReader::open(folder / "missing.wav");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::not_found);
    EXPECT_NE(missing.error().sentence.find(folder / "missing.wav"), std::string::npos);

    std::FILE* const file = std::fopen((folder / "text.wav").c_str(), "wb");
    ASSERT_NE(file, nullptr);
    std::fputs("this is no sound at all, not a sample of it", file);
    std::fclose(file);
    const auto text = SoundReader::open(folder / "text.wav");
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().code, ErrorCode::invalid_argument);
}

TEST_F(FilesTest, TheRecorderKeepsEveryBlockInOrder) {
    auto recorder = WavRecorder::create(folder / "r.wav", 48'000, 2, 64);
    ASSERT_TRUE(recorder) << recorder.error().sentence;
    AudioBuffer block{2, 64};
    std::vector<float> expected;
    for (int index = 0; index < 500; ++index) {
        for (std::uint32_t frame = 0; frame < 64; ++frame) {
            const auto value = static_cast<float>(index * 64) + static_cast<float>(frame);
            block.write().channel(0)[frame] = value;
            block.write().channel(1)[frame] = -value;
            expected.insert(expected.end(), {value, -value});
        }
        (*recorder)->record(block.read());
    }
    (*recorder)->finish();
    EXPECT_EQ((*recorder)->dropped_frames(), 0U);
    EXPECT_FALSE((*recorder)->take_warning());
    EXPECT_EQ(read(folder / "r.wav"), expected);
}

TEST_F(FilesTest, TheRecorderPutsSilenceInThePlaceOfWhatItLoses) {
    auto recorder = WavRecorder::create(folder / "r.wav", 8'000, 1, 64);
    ASSERT_TRUE(recorder) << recorder.error().sentence;
    AudioBuffer block{1, 64};
    float number = 0.0F;
    const auto record = [&] {
        ++number;
        for (float& sample : block.write().channel(0)) sample = number;
        (*recorder)->record(block.read());
    };
    // Faster than any disk: the ring is full before the writer thread has woken twice.
    while ((*recorder)->dropped_frames() < 5 * 64) record();
    const auto warning = (*recorder)->take_warning();
    ASSERT_TRUE(warning);
    EXPECT_NE(warning->find("frames are missing from " + (folder / "r.wav")), std::string::npos) << *warning;
    EXPECT_FALSE((*recorder)->take_warning()) << "it was said already";
    // Until blocks find room again, and then until the ring is full once more, so that the file ends with a gap.
    std::uint64_t between = 0;
    while (between != (*recorder)->dropped_frames()) {
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
        between = (*recorder)->dropped_frames();
        record();
    }
    while ((*recorder)->dropped_frames() == between) record();
    (*recorder)->finish();

    const std::vector<float> samples = read(folder / "r.wav");
    ASSERT_EQ(samples.size(), static_cast<std::size_t>(number) * 64);
    std::uint64_t silent = 0;
    for (std::size_t frame = 0; frame < samples.size(); ++frame) {
        if (samples[frame] == 0.0F) {
            ++silent;
        } else {
            ASSERT_EQ(samples[frame], static_cast<float>(frame / 64 + 1)) << "frame " << frame;
        }
    }
    EXPECT_EQ(silent, (*recorder)->dropped_frames());
    EXPECT_GE(silent, 6U * 64U);
}

TEST_F(FilesTest, TheRecorderReportsADiskThatRefuses) {
    // Every write to /dev/full fails with ENOSPC.
    auto recorder = WavRecorder::create("/dev/full", 48'000, 1, 64);
    if (!recorder) {
        EXPECT_NE(recorder.error().sentence.find("/dev/full"), std::string::npos);
        return;
    }
    AudioBuffer block{1, 64};
    for (int index = 0; index < 100; ++index) (*recorder)->record(block.read());
    (*recorder)->finish();
    const auto warning = (*recorder)->take_warning();
    ASSERT_TRUE(warning);
    EXPECT_NE(warning->find("/dev/full"), std::string::npos) << *warning;
    EXPECT_TRUE((*recorder)->failed());
}

TEST_F(FilesTest, AnOlderRecordingIsKeptAsideWhereThatIsAsked) {
    const std::string path = folder / "r.wav";
    const auto record = [&](ExistingFile existing_file, float value) {
        auto recorder = WavRecorder::create(path, 48'000, 1, 64, existing_file);
        ASSERT_TRUE(recorder) << recorder.error().sentence;
        AudioBuffer block{1, 64};
        std::ranges::fill(block.write().channel(0), value);
        (*recorder)->record(block.read());
        (*recorder)->finish();
        EXPECT_FALSE((*recorder)->failed());
    };
    record(ExistingFile::rename, 0.1F);
    EXPECT_FALSE(std::filesystem::exists(path + ".kept-1")) << "there was none";
    record(ExistingFile::overwrite, 0.2F);
    EXPECT_FALSE(std::filesystem::exists(path + ".kept-1"));
    std::filesystem::create_symlink("r.wav", folder / "link.wav");
    record(ExistingFile::rename, 0.3F);
    record(ExistingFile::rename, 0.4F);
    EXPECT_EQ(read(path + ".kept-1").front(), 0.2F);
    EXPECT_EQ(read(path + ".kept-2").front(), 0.3F);
    EXPECT_EQ(read(path).front(), 0.4F);
    {
        const auto nothing_in_it = WavWriter::create(path, 48'000, 1);
    }
    record(ExistingFile::rename, 0.5F);
    EXPECT_FALSE(std::filesystem::exists(path + ".kept-3")) << "a header alone is no recording";
}

}  // namespace
}  // namespace rta::io
