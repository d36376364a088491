// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <span>
#include <string>

#include "media/frame_source.h"
#include "os/unique_fd.h"

namespace rta::media {

/// Replaces NaN and infinity, which a file of floats can contain, by 0: a node that outputs them is muted.
void silence_non_finite(std::span<float> samples);

/// Opens an audio file as the source of a stream. `name`: for errors. `repeat`: the first frame follows the last one. Errors:
/// INVALID_ARGUMENT if it is not a sound file, is empty, or has a sample rate that cannot be converted; UNAVAILABLE.
[[nodiscard]] Expected<std::unique_ptr<FrameSource>> open_file_frames(os::UniqueFd file, std::string name,
                                                                      double sample_rate_hz, bool repeat);

}  // namespace rta::media
