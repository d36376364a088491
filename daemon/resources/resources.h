// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "text/error.h"

namespace rta {

class ReadStream;

/// A decoded audio file, shared by the nodes that use it. Never changes.
struct SoundData {
    std::uint32_t channels = 0;
    std::size_t frames = 0;
    std::vector<float> samples;  ///< planar: channel after channel

    /// [any] `index` starts at 0.
    [[nodiscard]] std::span<const float> channel(std::uint32_t index) const {
        return std::span{samples}.subspan(index * frames, frames);
    }
};

/// Input of Resources::open_read_stream().
struct ReadStreamRequest {
    double sample_rate_hz;
    std::uint32_t channels;      ///< of the reader: the file must have as many, or one
    std::uint32_t ready_frames;  ///< frames that the reader needs before it starts
    bool repeat = false;         ///< continue with the first frame after the last one, without a gap
};

/// The only access of nodes to files. Factories receive it (BuildContext). Files are named by relative paths below the
/// media folders; see is_media_name() for what names can be.
///
/// [any] All functions read from the disk, so only workers may call them.
class Resources {
 public:
    Resources() = default;
    Resources(const Resources&) = delete;
    Resources& operator=(const Resources&) = delete;
    virtual ~Resources() = default;

    /// Returns the whole file, converted to the sample rate. Nodes that ask for the same version of the same file share it.
    /// Errors: INVALID_ARGUMENT for a bad name or a file that is not a sound file, NOT_FOUND, UNAVAILABLE if it cannot be
    /// read, RESOURCE_EXHAUSTED, found before it is decoded, if it is larger than the memory limit allows,
    /// UNIMPLEMENTED if this program has no files.
    [[nodiscard]] virtual Expected<std::shared_ptr<const SoundData>> load(std::string_view file,
                                                                          double sample_rate_hz) = 0;
    /// Opens a file as a stream, whose first frames have been read. A worker reads the others while the audio thread plays.
    /// Errors: as load(); FAILED_PRECONDITION if the numbers of channels do not fit; RESOURCE_EXHAUSTED if too many streams
    /// are open.
    [[nodiscard]] virtual Expected<ReadStream> open_read_stream(std::string_view file,
                                                                const ReadStreamRequest& request) = 0;
};

/// Returns the Resources of programs without files: every function returns UNIMPLEMENTED. [any]
[[nodiscard]] Resources& no_files();

/// Returns Resources in which every name is a silent file of a few seconds, in memory: for nodes whose load is measured.
/// [any]
[[nodiscard]] Resources& silent_files();

}  // namespace rta
