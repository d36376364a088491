// SPDX-License-Identifier: MIT
#include "media/sound_cache.h"

#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <new>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "io/file_source.h"
#include "io/sound_reader.h"
#include "media/file_frames.h"

namespace rta::media {
namespace {

/// Frames that are decoded at once.
constexpr std::size_t kPieceFrames = 8192;

std::string megabytes(std::uint64_t bytes) { return std::to_string((bytes + (1U << 20U) - 1) >> 20U) + " MiB"; }

/// Reads a source of `frames` frames, or fewer. Frames beyond them are not read.
Expected<void> read_planar(io::FileSource& source, std::size_t frames, SoundData& sound) {
    const std::size_t channels = source.channels();
    std::vector<float> piece(kPieceFrames * channels);
    std::size_t done = 0;
    while (done < frames) {
        const auto read = source.read(std::span{piece}.first(std::min(kPieceFrames, frames - done) * channels));
        if (!read) return std::unexpected(read.error());
        if (*read == 0) break;
        silence_non_finite(std::span{piece}.first(*read * channels));
        for (std::size_t channel = 0; channel < channels; ++channel) {
            float* const to = sound.samples.data() + channel * frames + done;
            for (std::size_t frame = 0; frame < *read; ++frame) to[frame] = piece[frame * channels + channel];
        }
        done += *read;
    }
    return {};  // a conversion may yield one frame less than estimated: the last one stays 0
}

}  // namespace

Expected<std::shared_ptr<const SoundData>> SoundCache::load(os::UniqueFd file, const std::string& name,
                                                            double sample_rate_hz) {
    struct stat status{};
    if (::fstat(file.get(), &status) != 0)
        return fail(ErrorCode::unavailable, "cannot read the file " + name + ": " + std::strerror(errno));
    const os::FileVersion version = os::FileVersion::of(status);
    std::unique_lock lock{mutex_};
    auto entry = entries_.end();
    while (true) {
        std::erase_if(entries_, [](const Entry& old) { return !old.loading && old.sound.expired(); });
        entry = std::ranges::find_if(entries_, [&](const Entry& other) {
            return other.version == version && other.sample_rate_hz == sample_rate_hz;
        });
        if (entry == entries_.end()) break;
        if (auto sound = entry->sound.lock()) return sound;
        loaded_.wait(lock);  // another thread decodes it; if that fails, this one tries, too
    }
    entry = entries_.insert(entries_.end(), Entry{version, sample_rate_hz});
    lock.unlock();
    auto sound = decode(std::move(file), name, sample_rate_hz);
    lock.lock();
    entry->loading = false;
    if (sound) entry->sound = *sound;
    loaded_.notify_all();
    return sound;
}

Expected<void> SoundCache::reserve(const std::string& name, std::uint64_t bytes) {
    const std::uint64_t others = used_->fetch_add(bytes, std::memory_order_relaxed);
    std::string refusal;
    if (bytes > limits_.bytes - std::min(others, limits_.bytes)) {
        refusal = ", which is more than the limit of decoded files allows: " + megabytes(limits_.bytes) +
                  ", of which " + megabytes(others) + " are in use";
    } else if (limits_.memory_left_bytes != nullptr) {
        const std::uint64_t left = limits_.memory_left_bytes();
        if (left < bytes + limits_.reserve_bytes) {
            refusal = ", but " + megabytes(left) + " are left, and " + megabytes(limits_.reserve_bytes) +
                      " stay reserved for the system";
        }
    }
    if (refusal.empty()) return {};
    used_->fetch_sub(bytes, std::memory_order_relaxed);
    return fail(ErrorCode::resource_exhausted, "the sound file " + name + " needs " + megabytes(bytes) + refusal);
}

Expected<std::shared_ptr<const SoundData>> SoundCache::decode(os::UniqueFd file, const std::string& name,
                                                              double sample_rate_hz) {
    auto reader = io::SoundReader::open(std::move(file), name);
    if (!reader) return std::unexpected(std::move(reader.error()));
    auto source = io::FileSource::open(std::move(*reader), static_cast<std::uint32_t>(std::lround(sample_rate_hz)),
                                       io::FileSource::AtEnd::stop);
    if (!source) return std::unexpected(std::move(source.error()));
    const std::optional<std::uint64_t> frames = source->frames();
    // A header can declare any number: one that would overflow below exceeds every limit, too.
    constexpr std::uint64_t kMostFrames = std::uint64_t{1} << 40U;
    if (!frames || *frames > kMostFrames) {
        return fail(ErrorCode::invalid_argument,
                    "the sound file " + name + " does not say how long it is: expected a file with a known length");
    }
    const std::uint64_t bytes = *frames * source->channels() * sizeof(float);
    if (auto reserved = reserve(name, bytes); !reserved) return std::unexpected(std::move(reserved.error()));
    std::shared_ptr<SoundData> sound{new SoundData, [used = used_, bytes](const SoundData* freed) {
                                         delete freed;
                                         used->fetch_sub(bytes, std::memory_order_relaxed);
                                     }};
    sound->channels = source->channels();
    sound->frames = static_cast<std::size_t>(*frames);
    try {
        sound->samples.resize(sound->channels * sound->frames);
    } catch (const std::bad_alloc&) {
        return fail(ErrorCode::resource_exhausted, "not enough memory for the sound file " + name);
    }
    if (auto read = read_planar(*source, sound->frames, *sound); !read) return std::unexpected(std::move(read.error()));
    if (source->ended_early()) {
        return fail(ErrorCode::invalid_argument, "the sound file " + name + " is cut off: it ends before the " +
                                                     std::to_string(*frames) + " frames that its header declares");
    }
    return sound;
}

}  // namespace rta::media
