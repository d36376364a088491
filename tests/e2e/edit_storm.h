// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "support/daemon.h"

namespace rta::test {

inline constexpr std::uint32_t kStormSections = 4;
inline constexpr float kLowestStormHz = 60.0F;
inline constexpr float kHighestStormHz = 160.0F;

/// Random edits by several concurrent clients while a source plays. Half of the clients use TCP, half the Unix socket.
///
/// The signal path is  source -> joint_0 -> [0] -> joint_1 -> [1] -> ... -> joint_4 -> out.  Each client edits only its
/// section between two joints, so that it knows the state of the section and no edit is refused. All clients edit the
/// same path concurrently, as fast as the daemon responds. A section contains up to three gains, most of which invert
/// the polarity. If one were added or removed abruptly instead of gradually, the signal would jump by up to twice its
/// value, while its level would stay about the same.
struct StormPlan {
    std::string source_type;                 ///< `sine` or `input`: the node named source
    bool retune_source = false;              ///< the clients also change source.frequency_hz
    std::size_t edits = 1'000;               ///< total of all clients
    std::uint32_t clients = kStormSections;  ///< 1 to kStormSections
    std::uint32_t seed = 1;
    std::function<void()> between_edits = [] {};  ///< called by each client after each edit
};

/// Counts of the edits.
struct StormReport {
    std::size_t edits = 0;
    std::size_t in_path = 0;  ///< edits that changed the path itself
    /// Edits that would cause a jump without a fade: the polarity changes, or the signal appears or disappears.
    std::size_t jumps = 0;

    void add(const StormReport& other);
};

/// Duration of a connection's fade at 48 kHz, in frames; a parameter's ramp takes twice as long.
inline constexpr double kFadeFrames = 480.0;

/// Maximum slope of the gain of the path due to the ramps of one edit, and maximum change of that slope at one frame,
/// in units of full gain per frame.
///
/// Every fade is linear over 480 frames, so the slope of a connection's gain is at most 1/480. All gains are at most 1.
/// The signals that fade into one node sum to at most 1: one gain rises to 1 while the others, whose sum was at most 1,
/// fall to 0 in the same time or less. So the gain of the path is at most 1, too. A crossfade to the other polarity has
/// the slope 2/480. When two nodes are swapped, three connections in series fade out and then three fade in: 3/480.
/// Inverting the polarity by a parameter takes 960 frames: 1/480.
inline constexpr double kSlopeOfOneEdit = 3.0 / kFadeFrames;

/// The same for all clients together. A client waits until an edit takes effect before it sends the next one, so at
/// most one of its edits starts in a block. Its worst case at one frame: a running crossfade is reversed (from +2/480
/// to -2/480) while nodes are swapped (3/480) and a parameter's ramp ends (1/480): 8/480. Its worst slope: a swap, two
/// running crossfades and a ramp: 8/480. The worst cases of all sections may coincide.
inline constexpr double kSlopeOfTheStorm = kStormSections * 8.0 / kFadeFrames;

/// Returns the maximum second difference of a sine with this amplitude, a frequency of at most `frequency_hz` at 48
/// kHz, and a gain with at most that slope and that change of slope: (g s)'' = g s'' + 2 g' s' + g'' s. g'' is the
/// corner at the start of a ramp, plus the product of the slopes of two factors of g.
[[nodiscard]] double second_difference_bound(double amplitude, double frequency_hz, double slope);

/// Builds the path, and returns when it has taken effect.
void build_storm_path(const Daemon& daemon, const StormPlan& plan);
/// Runs all clients until they have finished. Rethrows the exception of a client, such as a refusal.
StormReport run_storm(const Daemon& daemon, const StormPlan& plan);
/// Removes the remaining nodes of the storm between the joints and next to the path. Resets a retuned source to
/// `frequency_hz`.
void clear_storm_path(const Daemon& daemon, const StormPlan& plan, float frequency_hz);

}  // namespace rta::test
