// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/change_unit.h"
#include "engine/draft.h"
#include "engine/glides.h"
#include "engine/sounding_graph.h"
#include "text/error.h"

namespace rta {

/// Decides when committed changes start to be heard. A round is the single crossfade of the whole engine, from what
/// sounds to a new target. Changes committed during a round wait as units. A unit starts with a later round, as soon as
/// its new signals are filled. docs/architecture.md explains the model.
///
/// A value type: a transaction changes a copy, which replaces the original when its plan has been compiled. [control]
class Rounds {
 public:
    struct Lengths {
        std::uint32_t round_frames;         ///< of a crossfade
        std::uint32_t device_round_frames;  ///< of a crossfade in which a device sink fades
        std::uint32_t gain_frames;          ///< of the ramp of a connection's gain
        std::uint32_t follow_up_frames;  ///< for which a plan may wait that changes nothing but the cost of rendering
        std::uint32_t grace_frames;      ///< by which a promise exceeds the estimate
        std::uint32_t longest_glide_frames;  ///< maximum delay to which signals glide; 0: no glides
        std::size_t most_parameters;         ///< maximum for units that start together
        std::uint32_t block_frames;
    };
    /// The state of the engine at the time of a call.
    struct Moment {
        std::uint64_t frame;   ///< rendered so far
        std::uint64_t serial;  ///< of the next command
    };
    /// The change that a transaction makes to the committed graph.
    struct Change {
        const AudioGraph& graph;
        ConnectionChange connections;
        std::span<const ParameterChange> parameters;
        bool renames;                          ///< nodes: signals are summed in the order of their names
        std::vector<std::uint64_t> revisions;  ///< that it commits; none: the engine's own
        bool must_be_taken;                    ///< the graph has changed already, during a reset: it is not refused
        std::uint64_t not_before = 0;          ///< the frame before which it does not start
        std::uint32_t gain_frames = 0;         ///< of the ramps of gains, if that is longer than Lengths::gain_frames
        /// Returns the instance of a node of `graph`.
        std::function<std::shared_ptr<NodeInstance>(NodeId)> instance;
    };
    /// What is to be sent now.
    struct Step {
        bool plan = false;  ///< a plan is needed, which sets the parameters, too
        std::vector<ParameterChange> parameters = {};
        bool renames = false;  ///< nodes have been renamed
        bool reports = false;  ///< a command is needed: what begins to be heard is reported when it takes effect
        [[nodiscard]] bool needs_command() const { return plan || !parameters.empty() || reports; }
    };

    explicit Rounds(const Lengths& lengths) : lengths_{lengths} {}

    /// Adds a change, and starts what may start. RESOURCE_EXHAUSTED if the change would break a promise, or if too many
    /// nodes outside the graph would sound: this object must then be discarded.
    [[nodiscard]] Expected<Step> commit(Change change, const Moment& now);
    /// Returns an upper bound of the time until a change is heard that is committed while no round runs and nothing waits:
    /// its signals fill. Changes nothing.
    [[nodiscard]] std::uint64_t frames_to_wait(Change change, const Moment& now) const;
    /// Starts the units that may start.
    [[nodiscard]] Step advance(const AudioGraph& graph, const Moment& now,
                               const std::function<std::shared_ptr<NodeInstance>(NodeId)>& instance);
    /// Replaces everything by the graph, without a transition. Returns the number of frames for which it is silent
    /// because its look-ahead must fill.
    std::uint32_t restart(Change change, const Moment& now);

    /// Lets a plan with the same contents follow when no round runs.
    void send_again() { follow_up_from(0); }

    /// Holds back rounds that would still run at this frame: a scheduled transaction starts there, and they start with it.
    void reserve(std::optional<std::uint64_t> frame) {
        if (std::exchange(reserved_frame_, frame) != frame) try_all_again();
    }
    /// Records that all plans up to `serial` were adopted in the block that starts at `frame`. Calls
    /// `heard(revision)` for each transaction that begins to be heard there.
    void adopted(std::uint64_t serial, std::uint64_t frame, const std::function<void(std::uint64_t revision)>& heard);
    /// Returns whether advance() may have something to do.
    [[nodiscard]] bool due(std::uint64_t frame) const;
    /// Returns whether a round runs or something waits.
    [[nodiscard]] bool unfinished() const;

    /// A parameter was set separately: a change of it that waits in a unit is obsolete.
    void parameter_set(NodeId node, std::uint32_t parameter) {
        for (ChangeUnit& unit : units_) unit.parameters.erase({node, parameter});
    }
    /// Returns an upper bound of the time until the latest commit is heard. 0: with its command.
    [[nodiscard]] std::uint64_t latest_waits_frames() const { return latest_waits_frames_; }

    /// Returns whether the latest commit was refused because of waiting changes or fades.
    [[nodiscard]] bool refused_until_progress() const { return refused_until_progress_; }
    /// Returns whether the latest commit replaces a signal by the same signal with another latency without a glide.
    [[nodiscard]] bool latest_combs() const { return latest_combs_; }

    [[nodiscard]] std::span<const CommittedConnection> committed() const { return *committed_; }
    /// Returns the change from them to `connections`.
    [[nodiscard]] ConnectionChange change_to(std::vector<CommittedConnection> connections) const {
        std::vector<PortRef> ports = differing_ports(*committed_, connections);
        return {.connections = std::move(connections), .ports = std::move(ports)};
    }
    /// Returns whether committed connections have delays.
    [[nodiscard]] bool has_delays() const { return has_delays_; }
    [[nodiscard]] const SoundingGraph& sound() const { return sound_; }
    /// Returns the difference between the objects borrowed by plans from now on and by the last plan. Empty until the
    /// next change.
    [[nodiscard]] Borrowed take_borrowed() { return std::exchange(sound_.borrowed, {}); }
    /// Returns the request to compile what sounds.
    [[nodiscard]] CompileRequest request() const;

 private:
    struct Round {
        std::uint64_t number = 0;
        std::uint64_t serial = 0;      ///< of its first plan
        std::uint64_t sent_frame = 0;  ///< rendered when that was sent
        std::uint32_t frames = 0;      ///< its length
        bool running = false;
        std::optional<std::uint64_t> end_frame{};  ///< known once it has been adopted
        std::vector<PortRef> unheard{};            ///< ports that it changes of nodes that are not heard
    };
    struct GainRamp {
        std::uint64_t serial;
        std::uint32_t frames;  ///< of the longest ramp of the plan
        bool drains;           ///< nodes leave when it has ended; false afterwards
        std::optional<std::uint64_t> end_frame{};

        [[nodiscard]] bool has_ended(std::uint64_t frame) const { return end_frame && *end_frame <= frame; }
    };
    struct Heard {
        std::uint64_t serial;
        std::vector<std::uint64_t> revisions;
    };

    /// Returns from which frame a plan follows a ramp that has an end.
    [[nodiscard]] std::uint64_t follow_up_of(const GainRamp& ramp) const {
        return *ramp.end_frame + (ramp.drains ? 0 : lengths_.follow_up_frames);
    }
    [[nodiscard]] ChangeUnit unit_of(const Change& change) const;
    void take_in(std::vector<CommittedConnection> connections, const AudioGraph& graph);
    [[nodiscard]] std::string_view why_not_waiting(const ChangeUnit& unit) const;
    [[nodiscard]] bool delays_another(std::span<const PortRef> ports, std::uint64_t starts, const Moment& now) const;
    [[nodiscard]] std::unexpected<Error> refuse(std::string_view why) {
        refused_until_progress_ = true;
        return fail(ErrorCode::resource_exhausted, std::string{why});
    }
    [[nodiscard]] bool is_latest(const ChangeUnit& unit) const {
        return latest_revision_ != 0 && std::ranges::binary_search(unit.revisions, latest_revision_);
    }
    void join(ChangeUnit unit, const AudioGraph& graph);
    [[nodiscard]] Step step(const AudioGraph& graph, const Moment& now,
                            const std::function<std::shared_ptr<NodeInstance>(NodeId)>& instance);
    void end_round(std::uint64_t frame);
    void end_gains(std::uint64_t frame);
    /// Returns the plans in which inputs of nodes still fade out.
    [[nodiscard]] std::vector<std::uint64_t> draining() const;
    void follow_up_from(std::uint64_t frame) { follow_up_frame_ = std::min(frame, follow_up_frame_.value_or(frame)); }
    [[nodiscard]] bool follow_up_due(std::uint64_t frame) const {
        return follow_up_frame_ && *follow_up_frame_ <= frame;
    }
    [[nodiscard]] bool enter(const AudioGraph& graph, const Moment& now,
                             const std::function<std::shared_ptr<NodeInstance>(NodeId)>& instance);
    [[nodiscard]] bool may_start_round(const Moment& now) const;
    /// Returns whether a round that starts now would still run at the reserved frame.
    [[nodiscard]] bool would_overrun(const Moment& now) const {
        return reserved_frame_ && now.frame < *reserved_frame_ &&
               likely_adoption(now) + lengths_.device_round_frames > *reserved_frame_;
    }
    [[nodiscard]] bool start(ChangeUnit& unit, const Moment& now);
    [[nodiscard]] std::vector<PortRef> next_ports(const ChangeUnit& unit) const;
    [[nodiscard]] bool prepares(PortRef port, const std::vector<bool>& heard) const;
    [[nodiscard]] std::uint64_t ready_frame(std::span<const PortRef> ports, std::span<const PortRef> preparing,
                                            const Moment& now) const;
    void continue_units(const Moment& now, Step& step);
    [[nodiscard]] bool continue_ready(const Moment& now, Step& step);
    [[nodiscard]] bool continue_unit(ChangeUnit& unit, const Moment& now, Step& step);
    void begin_to_be_heard(ChangeUnit& unit, const Moment& now, Step& step);
    void aim_some(ChangeUnit& unit, std::span<const PortRef> ports, const Moment& now);
    void promise(ChangeUnit& unit, std::uint64_t ready_frame, std::uint64_t preparation_frames, const Moment& now);
    [[nodiscard]] std::uint64_t preparation_frames(std::span<const PortRef> prepared) const;
    void aim(PortRef port, const Moment& now);
    [[nodiscard]] Glides glides(const Moment& now);
    /// Returns how long a glide may take, in frames.
    [[nodiscard]] std::uint64_t longest_glide() const {
        return sound_.has_latency() ? longest_glide_frames(lengths_.longest_glide_frames) : 0;
    }
    /// Returns a frame at which the current round has ended.
    [[nodiscard]] std::uint64_t after_round(const Moment& now) const {
        return now.frame + (round_.running ? lengths_.device_round_frames : 0);
    }
    /// Returns how long what is ready may have to wait until it is heard, in frames: a round may have just begun, in which
    /// a device sink fades.
    [[nodiscard]] std::uint64_t latest_start() const {
        return lengths_.device_round_frames + 2 * std::uint64_t{lengths_.block_frames};
    }
    /// Returns how long the inputs of new nodes fade in, if one of them remembers its input. Before the first block,
    /// nothing fades.
    [[nodiscard]] std::uint32_t fade_in_frames(const Moment& now) const {
        return now.frame == 0 && !sent_parameters_ ? 0 : lengths_.round_frames;
    }
    [[nodiscard]] std::uint64_t likely_adoption(const Moment& now) const {
        return now.frame + 2 * std::uint64_t{lengths_.block_frames};
    }
    void begin_round(const Moment& now);
    [[nodiscard]] bool fits_into_one_round(const ChangeUnit& unit);
    [[nodiscard]] bool touches_started(const ChangeUnit& unit) const;
    [[nodiscard]] bool try_unit(ChangeUnit& unit, const Moment& now, std::size_t& parameters);
    void wait_for_others(ChangeUnit& unit, const Moment& now);
    void try_all_again();

    Lengths lengths_;
    SoundingGraph sound_;
    /// Shared by the copies of this object.
    std::shared_ptr<const std::vector<CommittedConnection>> committed_ =
        std::make_shared<const std::vector<CommittedConnection>>();
    bool has_delays_ = false;              ///< some of them
    bool entered_ = false;                 ///< `sound_` has the nodes of the committed graph
    std::vector<NodeId> committed_sinks_;  ///< sorted
    std::size_t committed_count_ = 0;
    NodeId newest_node_{};
    std::vector<ChangeUnit> units_;  ///< in the order of their first commits
    Round round_;
    std::deque<GainRamp> gain_ramps_;  ///< by serial
    std::uint64_t ended_gains_ = 0;    ///< serial
    std::deque<Heard> heard_;          ///< by serial
    std::uint64_t adopted_serial_ = 0;
    std::uint64_t fill_serial_ = 0;  ///< of the latest plan with something to fill
    /// From which a plan follows unless another one is sent before: without the faded-out nodes, with other taps, or with
    /// gains at rest.
    std::optional<std::uint64_t> follow_up_frame_;
    std::vector<PortRef> preparing_;     ///< the same, of units that continue: some may not change yet
    std::vector<PortRef> later_;         ///< of units that have started, sorted: not changed by the plan being built
    std::vector<PortRef> aims_unheard_;  ///< changes, by the plan being built, of nodes that are not heard
    bool sent_parameters_ = false;       ///< a command with many parameters ends its block: later plans start behind it
    bool before_start_ = false;          ///< no block has been rendered: nothing needs to be prepared
    bool aims_presence_ = false;         ///< the plan being built changes presences
    bool aims_sink_ = false;
    bool aims_gain_ = false;
    std::uint32_t gain_frames_ = 0;  ///< of the longest ramp
    bool aims_glide_ = false;
    std::optional<std::uint64_t> reserved_frame_;
    std::optional<std::uint64_t> glide_end_frame_;  ///< at which the next glide to a delay of 0 ends
    std::uint64_t latest_waits_frames_ = 0;
    std::uint64_t latest_revision_ = 0;
    bool latest_combs_ = false;
    bool refused_until_progress_ = false;
};

}  // namespace rta
