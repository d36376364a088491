// SPDX-License-Identifier: MIT
#include "support/wav.h"

#include <sndfile.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace rta::test {
namespace {

struct CloseFile {
    void operator()(SNDFILE* file) const { ::sf_close(file); }
};
using File = std::unique_ptr<SNDFILE, CloseFile>;

}  // namespace

Wav read_wav(const std::filesystem::path& path) {
    SF_INFO info{};
    const File file{::sf_open(path.c_str(), SFM_READ, &info)};
    if (file == nullptr) throw std::runtime_error("cannot read " + path.string() + ": " + ::sf_strerror(nullptr));
    const auto channels = static_cast<std::size_t>(info.channels);
    const auto frames = static_cast<std::size_t>(info.frames);
    std::vector<float> interleaved(frames * channels);
    if (::sf_readf_float(file.get(), interleaved.data(), info.frames) != info.frames) {
        throw std::runtime_error("cannot read all frames of " + path.string());
    }
    Wav wav;
    wav.sample_rate_hz = static_cast<std::uint32_t>(info.samplerate);
    wav.float32 = (info.format & SF_FORMAT_SUBMASK) == SF_FORMAT_FLOAT;
    wav.channels.assign(channels, std::vector<float>(frames));
    for (std::size_t frame = 0; frame < frames; ++frame) {
        for (std::size_t channel = 0; channel < channels; ++channel) {
            wav.channels[channel][frame] = interleaved[frame * channels + channel];
        }
    }
    return wav;
}

void write_wav(const std::filesystem::path& path, const Wav& wav) {
    SF_INFO info{};
    info.samplerate = static_cast<int>(wav.sample_rate_hz);
    info.channels = static_cast<int>(wav.channels.size());
    info.format = SF_FORMAT_WAV | (wav.float32 ? SF_FORMAT_FLOAT : SF_FORMAT_PCM_16);
    const File file{::sf_open(path.c_str(), SFM_WRITE, &info)};
    if (file == nullptr) throw std::runtime_error("cannot write " + path.string() + ": " + ::sf_strerror(nullptr));
    std::vector<float> interleaved(wav.frames() * wav.channels.size());
    for (std::size_t frame = 0; frame < wav.frames(); ++frame) {
        for (std::size_t channel = 0; channel < wav.channels.size(); ++channel) {
            interleaved[frame * wav.channels.size() + channel] = wav.channels[channel][frame];
        }
    }
    const auto frames = static_cast<sf_count_t>(wav.frames());
    if (::sf_writef_float(file.get(), interleaved.data(), frames) != frames) {
        throw std::runtime_error("cannot write all frames of " + path.string());
    }
}

std::vector<float> speech() {
    const std::filesystem::path path = "/usr/share/sounds/alsa/Front_Center.wav";
    if (!std::filesystem::exists(path)) {
        throw std::runtime_error(path.string() + " is missing: install the package alsa-utils");
    }
    Wav wav = read_wav(path);
    if (wav.sample_rate_hz != 48'000 || wav.channels.size() != 1) {
        throw std::runtime_error(path.string() + " is not 48 kHz mono any more");
    }
    return std::move(wav.channels.front());
}

}  // namespace rta::test
