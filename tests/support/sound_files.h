// SPDX-License-Identifier: MIT
#pragma once

#include <sndfile.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace rta::test {

inline constexpr int kWav24 = SF_FORMAT_WAV | SF_FORMAT_PCM_24;
inline constexpr int kFlac24 = SF_FORMAT_FLAC | SF_FORMAT_PCM_24;

/// Returns interleaved noise on the grid of 24-bit samples.
inline std::vector<float> noise_24(std::size_t samples) {
    std::mt19937 random{11};
    std::vector<float> noise(samples);
    for (float& sample : noise)
        sample = static_cast<float>(static_cast<std::int32_t>(random() >> 8U) - (1 << 23)) / 0x1p23F;
    return noise;
}

/// Writes a file in a format of libsndfile. Returns false if that is not supported.
inline bool write_sound(const std::string& path, int format, std::uint32_t channels, std::uint32_t sample_rate_hz,
                        const std::vector<float>& interleaved) {
    SF_INFO info{};
    info.samplerate = static_cast<int>(sample_rate_hz);
    info.channels = static_cast<int>(channels);
    info.format = format;
    if (sf_format_check(&info) == SF_FALSE) return false;
    SNDFILE* const file = sf_open(path.c_str(), SFM_WRITE, &info);
    if (file == nullptr) throw std::runtime_error(path + ": " + sf_strerror(nullptr));
    const auto count = static_cast<sf_count_t>(interleaved.size());
    sf_count_t written = 0;
    if ((format & SF_FORMAT_SUBMASK) == SF_FORMAT_FLOAT) {
        written = sf_write_float(file, interleaved.data(), count);
    } else {
        // As integers: libsndfile rounds floats to one step below full scale.
        std::vector<int> samples(interleaved.size());
        for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<int>(interleaved[i] * 0x1p23F) * 256;
        written = sf_write_int(file, samples.data(), count);
    }
    sf_close(file);
    if (written != count) throw std::runtime_error(path + ": not written");
    return true;
}

}  // namespace rta::test
