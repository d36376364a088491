// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/judge.h"

namespace rta::test::model {

/// The samples of each output channel, in blocks.
struct Sound {
    std::vector<std::vector<float>> channels{};
    std::uint32_t block_frames = 64;
    double sample_rate_hz = 48'000.0;
    /// For each block: the number of the latest change when it was rendered.
    std::vector<std::uint64_t> numbers{};
};

/// Returns a step between two samples that is larger than the ramps of all edits around it allow; nothing if there is
/// none. A graph that has sounded in this time contributes with its connections and with its largest gains, as long as no
/// loop results.
[[nodiscard]] std::optional<std::string> find_step(const Sound& sound, const std::vector<State>& states);

}  // namespace rta::test::model
