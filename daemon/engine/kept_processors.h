// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "engine/draft.h"
#include "graph/audio_graph.h"
#include "plan/node_instance.h"

namespace rta {

/// Processors of nodes that have left the graph, or have other settings now, with what they remember of their input, so that an
/// undo can put them back. They are not rendered. [control]
class KeptProcessors {
 public:
    static constexpr double kSeconds = 60.0;

    KeptProcessors(double sample_rate_hz, std::uint64_t most_bytes)
        : frames_{static_cast<std::uint64_t>(kSeconds * sample_rate_hz)},
          longest_wait_{static_cast<std::uint64_t>(kLongestWaitS * sample_rate_hz)},
          most_bytes_{most_bytes} {}

    /// A restored node waits at most this long after its removal until its processor has faded out.
    static constexpr double kLongestWaitS = 0.5;

    struct Kept {
        NodeIdentity node;
        std::shared_ptr<NodeInstance> instance;
        std::uint64_t frame;
        std::shared_ptr<NodeInstance> lent_to{};
        bool replaced = false;  ///< its node stays, with other settings
        bool awaited = false;   ///< a node was restored while it was still fading out
    };
    using Removed = std::list<Kept>;
    /// Adds a node that is removed, or replaced, at this frame, if it remembers its input.
    static void add(Removed& removed, Kept node);
    /// Keeps them. The oldest ones are freed if all take more memory than allowed. Does not throw.
    void keep(Removed&& removed);
    /// Frees those that have been kept for kSeconds.
    void free_expired(std::uint64_t frame);
    void clear();

    /// Gives new nodes of the draft the processors that are kept for the same nodes with the same settings, in exchange for
    /// their own. Returns false if one of a removed node is still fading out, or has not returned from the audio thread: the
    /// draft must wait, at most until kLongestWaitS after the removal, after which the node is fresh. Call end() or take_back() next.
    [[nodiscard]] bool lend(const Draft& draft, std::uint64_t frame);
    /// Returns the names of the nodes with kept processors.
    [[nodiscard]] std::vector<std::string> lent() const;
    /// The draft was refused.
    void take_back();
    /// The draft was adopted.
    void end();
    /// Returns whether a draft for which lend() has returned false need not wait any more: the processor has returned, it has
    /// taken too long, or it is not kept any more.
    [[nodiscard]] bool take_returned(std::uint64_t frame);

    [[nodiscard]] std::uint64_t bytes() const;

 private:
    [[nodiscard]] bool may_wait(const Kept& kept, std::uint64_t frame) const {
        return kept.instance.use_count() > 1 && frame < kept.frame + longest_wait_;
    }

    void drop_oldest();

    std::uint64_t frames_;
    std::uint64_t longest_wait_;  ///< in frames
    std::uint64_t most_bytes_;
    std::list<Kept> kept_;          ///< the oldest first
    bool awaited_dropped_ = false;  ///< since the latest take_returned()
};

}  // namespace rta
