// SPDX-License-Identifier: MIT
// Input files: damaged headers, empty files, and other sample rates.
#include "io/sound_reader.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sndfile.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <numbers>
#include <string>
#include <string_view>
#include <vector>

#include "io/file_source.h"
#include "io/wav_data_size.h"
#include "os/unique_fd.h"
#include "sounding_engine.h"

namespace rta::io {
namespace {

using test::TemporaryFolder;

/// Little-endian bytes of a number.
std::string number(std::uint64_t value, std::size_t bytes) {
    std::string text;
    for (std::size_t i = 0; i < bytes; ++i) text += static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
    return text;
}

std::string bytes_of(const std::vector<float>& samples) {
    std::string text;
    for (const float sample : samples) text += number(std::bit_cast<std::uint32_t>(sample), 4);
    return text;
}

/// A mono float WAV file of 48 kHz, with these sizes in its header.
std::string wav(std::uint64_t riff_size, std::uint64_t data_size, const std::string& rest) {
    return "RIFF" + number(riff_size, 4) + "WAVEfmt " + number(16, 4) + number(3, 2) + number(1, 2) +
           number(48'000, 4) + number(192'000, 4) + number(4, 2) + number(32, 2) + "data" + number(data_size, 4) + rest;
}

class SoundReaderTest : public ::testing::Test {
 protected:
    std::string file(std::string_view name, const std::string& bytes) const {
        std::ofstream{folder / name, std::ios::binary} << bytes;
        return folder / name;
    }

    /// Writes interleaved samples in a format of libsndfile.
    std::string sound(std::string_view name, int format, std::uint32_t rate, std::uint32_t channels,
                      const std::vector<float>& values) const {
        SF_INFO info{};
        info.samplerate = static_cast<int>(rate);
        info.channels = static_cast<int>(channels);
        info.format = format;
        SNDFILE* const out = sf_open((folder / name).c_str(), SFM_WRITE, &info);
        EXPECT_NE(out, nullptr) << sf_strerror(nullptr);
        const auto count = static_cast<sf_count_t>(values.size());
        if ((format & SF_FORMAT_SUBMASK) == SF_FORMAT_FLOAT) {
            EXPECT_EQ(sf_write_float(out, values.data(), count), count);
        } else {
            // Exactly: libsndfile would scale floats by 32767.
            std::vector<int> integers;
            for (const float sample : values) integers.push_back(static_cast<int>(sample * 0x1p31F));
            EXPECT_EQ(sf_write_int(out, integers.data(), count), count);
        }
        EXPECT_EQ(sf_close(out), 0);
        return folder / name;
    }

    static std::vector<float> read_all(FileSource& source, std::size_t piece_frames) {
        std::vector<float> samples;
        std::vector<float> piece(piece_frames * source.channels());
        while (true) {
            const auto frames = source.read(piece);
            if (!frames) {
                ADD_FAILURE() << frames.error().sentence;
                return samples;
            }
            samples.insert(samples.end(), piece.begin(),
                           piece.begin() + static_cast<std::ptrdiff_t>(*frames * source.channels()));
            if (*frames < piece_frames) return samples;
        }
    }

    /// Reads a file at its own rate.
    static std::vector<float> read(const std::string& path, std::vector<std::string>* notices = nullptr) {
        auto source = FileSource::open(path, 48'000);
        if (!source) {
            ADD_FAILURE() << source.error().sentence;
            return {};
        }
        if (notices != nullptr) *notices = source->notices();
        return read_all(*source, 77);
    }

    const std::vector<float> samples = test::noise(1, 1'000).front();
    TemporaryFolder folder;
};

TEST_F(SoundReaderTest, AWrongSizeInTheHeaderIsReplacedByTheEndOfTheFile) {
    struct Case {
        std::uint64_t riff_size;
        std::uint64_t data_size;
    };
    // Killed programs and pipes leave 0; ffmpeg and sox write the largest number; a download may end early.
    for (const Case& sizes :
         {Case{36, 0}, {0, 0}, {0xFFFF'FFFF, 0xFFFF'FFFF}, {0x7FFF'FFFF, 0x7FFF'FFD3}, {8'036, 8'000}}) {
        std::vector<std::string> notices;
        const std::string path = file("in.wav", wav(sizes.riff_size, sizes.data_size, bytes_of(samples)));
        EXPECT_EQ(read(path, &notices), samples) << sizes.data_size;
        ASSERT_EQ(notices.size(), 1U) << sizes.data_size;
        EXPECT_EQ(notices.front(), "warning: the header of " + path + " declares " + std::to_string(sizes.data_size) +
                                       " bytes of samples, but 4000 follow: reading to the end of the file");
    }
}

/// The search for the samples stops: a file of many gigabytes may consist of empty chunks.
TEST_F(SoundReaderTest, OnlyTheFirstTenThousandChunksAreSearched) {
    for (const std::size_t chunks : {9'000U, 11'000U}) {
        std::string bytes = wav(36, 0, bytes_of(samples));
        std::string empty;
        for (std::size_t i = 0; i < chunks; ++i) empty += "junk" + number(0, 4);
        bytes.insert(12, empty);
        const std::string path = file("in.wav", bytes);
        const os::UniqueFd opened{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
        const auto found = find_wrong_data_size(opened.get(), bytes.size());
        EXPECT_EQ(found ? found->actual : 0U, chunks < 10'000U ? 4'000U : 0U) << chunks;
    }
}

TEST_F(SoundReaderTest, AWrongSizeOfAnRf64FileIsReplaced) {
    for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1} << 40U}) {
        const std::string ds64 = "ds64" + number(28, 4) + number(0, 8) + number(size, 8) + number(0, 8) + number(0, 4);
        std::string bytes = wav(0xFFFF'FFFF, 0xFFFF'FFFF, bytes_of(samples));
        bytes.replace(0, 12, "RF64" + number(0xFFFF'FFFF, 4) + "WAVE" + ds64);
        std::vector<std::string> notices;
        EXPECT_EQ(read(file("in.wav", bytes), &notices), samples) << size;
        EXPECT_EQ(notices.size(), 1U) << size;
    }
}

TEST_F(SoundReaderTest, ACorrectFileHasNoNotice) {
    const std::string list = "LIST" + number(4, 4) + "INFO";
    for (const std::string& rest : {std::string{}, list}) {
        std::vector<std::string> notices;
        EXPECT_EQ(read(file("in.wav", wav(4'036 + rest.size(), 4'000, bytes_of(samples) + rest)), &notices), samples);
        EXPECT_TRUE(notices.empty()) << notices.front();
    }
}

TEST_F(SoundReaderTest, AFileWithoutFramesIsRefused) {
    const std::string list = "LIST" + number(4, 4) + "INFO";
    for (const std::string& rest : {std::string{}, list}) {
        const auto source = FileSource::open(file("in.wav", wav(36 + rest.size(), 0, rest)), 48'000);
        ASSERT_FALSE(source);
        EXPECT_EQ(source.error().code, ErrorCode::invalid_argument);
        EXPECT_NE(source.error().sentence.find("in.wav contains no samples"), std::string::npos)
            << source.error().sentence;
    }
}

TEST_F(SoundReaderTest, ReadsIntegersAndFlac) {
    std::vector<float> on_grid = samples;
    for (float& sample : on_grid) sample = std::round(sample * 32'767.0F) / 32'768.0F;
    for (const int format : {SF_FORMAT_WAV | SF_FORMAT_PCM_16, SF_FORMAT_WAV | SF_FORMAT_PCM_24,
                             SF_FORMAT_FLAC | SF_FORMAT_PCM_16, SF_FORMAT_FLAC | SF_FORMAT_PCM_24}) {
        EXPECT_EQ(read(sound("in.sound", format, 48'000, 1, on_grid)), on_grid) << std::hex << format;
    }
}

TEST_F(SoundReaderTest, ADamagedFileIsAnErrorAndNotAnEnd) {
    const std::string path =
        sound("in.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_24, 48'000, 1, test::noise(1, 200'000).front());
    std::ifstream whole{path, std::ios::binary};
    std::string bytes{std::istreambuf_iterator<char>{whole}, {}};
    bytes.resize(bytes.size() / 2);
    auto source = FileSource::open(file("cut.flac", bytes), 48'000);
    ASSERT_TRUE(source) << source.error().sentence;
    std::vector<float> piece(200'000);
    const auto read = source->read(piece);
    ASSERT_FALSE(read);
    EXPECT_NE(read.error().sentence.find("cut.flac"), std::string::npos) << read.error().sentence;
}

/// A sine of amplitude 0.5 whose phase is 0 at frame 0.
std::vector<float> sine(double frequency_hz, double rate, std::size_t frames) {
    std::vector<float> samples(frames);
    for (std::size_t n = 0; n < frames; ++n) {
        samples[n] =
            static_cast<float>(0.5 * std::sin(2.0 * std::numbers::pi * frequency_hz * static_cast<double>(n) / rate));
    }
    return samples;
}

TEST_F(SoundReaderTest, AnotherRateIsConvertedWithoutShiftOrLossOfLevel) {
    struct Case {
        std::uint32_t from;
        double frequency_hz;
        float tolerance;
    };
    constexpr float kFlat = 2e-6F;
    constexpr float kEdge = 0.5F * 0.006F;  // 0.05 dB
    // Flat up to 0.9 of half the lower rate. The ends of the file are left out: there the sine starts and stops.
    for (const Case& c : {Case{44'100, 20.0, kFlat},
                          {44'100, 1'000.0, kFlat},
                          {44'100, 19'845.0, kFlat},
                          {44'100, 20'727.0, kEdge},
                          {8'000, 3'600.0, kFlat},
                          {8'000, 3'760.0, kEdge},
                          {96'000, 21'600.0, kFlat},
                          {96'000, 22'560.0, kEdge},
                          {192'000, 15'000.0, kFlat},
                          {44'099, 997.0, kFlat}}) {
        const std::string path =
            sound("in.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, c.from, 1, sine(c.frequency_hz, c.from, 2 * c.from));
        auto source = FileSource::open(path, 48'000);
        ASSERT_TRUE(source) << source.error().sentence;
        ASSERT_TRUE(source->frames());
        EXPECT_EQ(*source->frames(), 96'000U);
        ASSERT_EQ(source->notices().size(), 1U);
        EXPECT_NE(source->notices().front().find("from " + std::to_string(c.from) + " Hz to 48000 Hz"),
                  std::string::npos);
        const std::vector<float> converted = read_all(*source, 1'000);
        EXPECT_NEAR(static_cast<double>(converted.size()), 96'000.0, 1.0) << c.from;
        const std::vector<float> expected = sine(c.frequency_hz, 48'000.0, 96'000);
        float largest = 0.0F;
        for (std::size_t n = 12'000; n < 84'000; ++n) largest = std::max(largest, std::abs(converted[n] - expected[n]));
        EXPECT_LT(largest, c.tolerance) << c.frequency_hz << " Hz from " << c.from << " Hz";
    }
}

TEST_F(SoundReaderTest, WhatIsAboveHalfTheRateIsRemoved) {
    const std::string path =
        sound("in.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 96'000, 1, sine(26'000.0, 96'000.0, 96'000));
    auto source = FileSource::open(path, 48'000);
    ASSERT_TRUE(source) << source.error().sentence;
    const std::vector<float> converted = read_all(*source, 8'192);
    float largest = 0.0F;
    for (std::size_t n = 6'000; n < 42'000; ++n) largest = std::max(largest, std::abs(converted[n]));
    EXPECT_LT(largest, 1e-6F);
}

TEST_F(SoundReaderTest, TheChannelsOfAConvertedFileStaySeparate) {
    std::vector<float> interleaved(2 * 44'100, 0.0F);
    const std::vector<float> left = sine(440.0, 44'100.0, 44'100);
    for (std::size_t n = 0; n < left.size(); ++n) interleaved[2 * n] = left[n];
    auto source = FileSource::open(sound("in.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 44'100, 2, interleaved), 48'000);
    ASSERT_TRUE(source) << source.error().sentence;
    const std::vector<float> converted = read_all(*source, 4'096);
    ASSERT_EQ(converted.size() % 2, 0U);
    const std::vector<float> expected = sine(440.0, 48'000.0, 48'000);
    for (std::size_t n = 6'000; n < 42'000; ++n) {
        ASSERT_NEAR(converted[2 * n], expected[n], 2e-6F) << n;
        ASSERT_EQ(converted[2 * n + 1], 0.0F) << n;
    }
}

TEST_F(SoundReaderTest, ARatioThatCannotBeConvertedIsRefusedWithItsFigures) {
    const std::string path = sound("in.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 100, 1, samples);
    const auto source = FileSource::open(path, 48'000);
    ASSERT_FALSE(source);
    EXPECT_NE(source.error().sentence.find("a sample rate of 100 Hz, which cannot be converted to 48000 Hz: expected "
                                           "188 Hz to 12288000 Hz"),
              std::string::npos)
        << source.error().sentence;
    EXPECT_TRUE(FileSource::open(sound("low.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 188, 1, samples), 48'000));
}

}  // namespace
}  // namespace rta::io
