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

/// Random edits by several clients at once, every other one over TCP, the rest over the Unix socket, while a source
/// plays.
///
/// The path of the sound is  source -> joint_0 -> [0] -> joint_1 -> [1] -> ... -> joint_4 -> out.  Each client edits
/// the section of its own between two joints, so that it knows what is there and no edit is refused, and all work on
/// the one path at the same time, as fast as the daemon answers. A section holds up to three gains, of which most turn
/// the polarity: where one comes or goes at once instead of gradually, the signal jumps by up to twice its value, and
/// stays about as loud.
struct StormPlan {
    std::string source_type;                 ///< `sine` or `input`: the node named source
    bool retune_source = false;              ///< the clients also change source.frequency_hz
    std::size_t edits = 1'000;               ///< of all clients together
    std::uint32_t clients = kStormSections;  ///< 1 to kStormSections
    std::uint32_t seed = 1;
    std::function<void()> between_edits = [] {};  ///< called by each client after each edit
};

/// What was done.
struct StormReport {
    std::size_t edits = 0;
    std::size_t in_path = 0;  ///< those that changed the path of the sound itself
    /// Those that would make the signal jump if they came at once: the polarity turns, or the sound comes or goes.
    std::size_t jumps = 0;

    void add(const StormReport& other);
};

/// Frames of a connection's fade at 48 kHz; a parameter's ramp takes twice as many.
inline constexpr double kFadeFrames = 480.0;

/// Largest slope that the ramps of one edit alone can give the gain of the path, and largest change of that slope at
/// one frame; in units of full gain a frame.
///
/// Every fade is linear over 480 frames, so the gain of a connection has the slope 1/480 at most. All gains are at most
/// 1, and what fades into a node together sums to at most 1 (one gain rises to 1 while the others, which summed to at
/// most 1, fall to 0 in the same time or less), so the gain of the path is at most 1 too. A cross-fade to the other
/// polarity: 2/480. Two nodes that change places, so that three connections in a row fade out and then three in: 3/480.
/// Parameters: turning the polarity takes 960 frames, 1/480.
inline constexpr double kSlopeOfOneEdit = 3.0 / kFadeFrames;

/// The same of all clients together. A client waits until an edit is heard before it sends the next, so at most one of
/// its edits begins in a block. Its worst at one frame: a cross-fade that is under way turns back (from +2/480 to
/// -2/480) while nodes change places (3/480) and a parameter's ramp arrives (1/480): 8/480. Its worst slope: a change
/// of places and two cross-fades under way, and a ramp: 8/480. All sections may do their worst at once.
inline constexpr double kSlopeOfTheStorm = kStormSections * 8.0 / kFadeFrames;

/// Largest second difference of a sine of that amplitude and of at most `frequency_hz`, at 48 kHz, whose gain has at
/// most that slope and that change of slope: (g s)'' = g s'' + 2 g' s' + g'' s, where g'' is the corner at which a ramp
/// begins, plus the product of the slopes of two factors of g.
[[nodiscard]] double second_difference_bound(double amplitude, double frequency_hz, double slope);

/// Builds the path, and returns when it is heard.
void build_storm_path(const Daemon& daemon, const StormPlan& plan);
/// Runs all clients to their end. Throws what a client threw, such as a refusal.
StormReport run_storm(const Daemon& daemon, const StormPlan& plan);
/// Takes away what the storm has left between the joints and beside them; `frequency_hz` is for a source that was
/// retuned.
void clear_storm_path(const Daemon& daemon, const StormPlan& plan, float frequency_hz);

}  // namespace rta::test
