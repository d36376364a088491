// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "engine/alignment.h"
#include "engine/change_unit.h"
#include "engine/sounding_graph.h"

namespace rta {

/// Aligns a signal that is replaced by the same signal with another latency: the leaving signal glides to the latency
/// of the arriving one, or the arriving signal starts with the latency of the leaving one and glides back after the
/// round. Glides that start together take the same time, so aligned signals stay aligned.
///
/// A view of what sounds, for one step. [control]
class Glides {
 public:
    struct Lengths {
        std::uint32_t longest_frames;  ///< maximum delay to which signals glide; 0: no glides
        std::uint32_t round_frames;
        std::uint32_t block_frames;
    };
    struct Moment {
        std::uint64_t frame;              ///< rendered so far
        std::uint64_t serial;             ///< of the next plan
        std::uint64_t adopted_serial;     ///< of the latest plan that was adopted
        std::uint64_t adoption_frame;     ///< at which the next plan is likely to be adopted
        std::uint64_t after_round_frame;  ///< at which the current round has ended
    };
    struct Alignment {
        std::uint64_t ready_frame;  ///< from which the leaving signals are aligned
        bool combs;                 ///< a signal crossfades with itself at another latency
    };

    Glides(SoundingGraph& sound, const Lengths& lengths, const Moment& now)
        : sound_{sound}, lengths_{lengths}, now_{now} {}

    /// Aligns leaving and arriving signals at `changed`, the changing ports of the unit, and sets the ports that it
    /// keeps late. The unit is heard `preparation_frames` later.
    [[nodiscard]] Alignment align(ChangeUnit& unit, std::span<const PortRef> changed, std::uint64_t preparation_frames);
    /// Lets signals that are late after a round glide back, unless one of the units changes their port or keeps it late.
    void give_back(std::span<const ChangeUnit> units);
    /// Removes delays that have become 0. Returns whether any were removed.
    bool remove_ended();
    /// Returns whether the next plan starts a glide.
    [[nodiscard]] bool started() const { return started_; }

 private:
    [[nodiscard]] std::uint32_t lateness(const SoundingGraph::Connection& connection) const;
    [[nodiscard]] std::uint32_t lateness_at(PortRef port);
    [[nodiscard]] std::uint32_t lateness_in_round(const SoundingGraph::Connection& connection) const;
    void keep_late(const std::vector<bool>& nodes, std::span<const PortRef> shifted, ChangeUnit& unit);
    bool align_port(const Shift& shift, std::uint32_t late);
    [[nodiscard]] std::uint64_t aligned_from(const Shift& shift);
    void keep_in_time(PortRef port);
    [[nodiscard]] bool may_glide(const Shift& shift, std::uint32_t late) const;
    [[nodiscard]] bool glides_in_time(std::uint64_t deadline_frame, const Shift& shift, std::uint32_t late) const;
    bool start_in_time(PortRef port);
    bool glide_to(SoundingGraph::Connection& connection, std::uint32_t frames);
    [[nodiscard]] std::shared_ptr<dsp::GlidingDelay> make_glide(const SoundingGraph::Connection& connection,
                                                                std::uint32_t frames) const;
    void time_glides();
    [[nodiscard]] std::uint32_t width_of(const SoundingGraph::Connection& connection) const;
    [[nodiscard]] std::uint32_t load_of(const SoundingGraph::Connection& connection) const {
        return width_of(connection) + 3;
    }
    [[nodiscard]] std::uint32_t load_of_all() const;

    SoundingGraph& sound_;
    Lengths lengths_;
    Moment now_;
    bool started_ = false;
};

/// Sets the start of the glides in the plan `first_serial` and later ones to `frame`. Returns whether there are any.
/// [control]
bool start_glides(SoundingGraph& sound, std::uint64_t first_serial, std::uint64_t frame);
/// Returns the first frame at which a delay that glides to 0 may be removed. [control]
[[nodiscard]] std::optional<std::uint64_t> next_glide_end(const SoundingGraph& sound, std::uint64_t adopted_serial);
/// Returns how long a glide by this delay takes.
[[nodiscard]] std::uint64_t longest_glide_frames(std::uint32_t delay_frames);

}  // namespace rta
