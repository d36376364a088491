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
        : frames_{static_cast<std::uint64_t>(kSeconds * sample_rate_hz)}, most_bytes_{most_bytes} {}

    /// Keeps the processor of a node that was removed at this frame, if it remembers its input. The oldest ones are freed
    /// if all take more memory than allowed.
    void keep(NodeIdentity node, std::shared_ptr<NodeInstance> instance, std::uint64_t frame);
    /// Frees those that have been kept for kSeconds.
    void free_expired(std::uint64_t frame);
    void clear() { kept_.clear(); }

    /// Gives new nodes of the draft the processors that are kept for the same nodes with the same settings, in exchange for
    /// their own. One that is still fading out is not given. Call end() or take_back() next.
    void lend(const Draft& draft);
    /// The draft was refused.
    void take_back();
    /// The draft was adopted. Returns the names of the nodes with kept processors.
    [[nodiscard]] std::vector<std::string> end();

    [[nodiscard]] std::uint64_t bytes() const;

 private:
    struct Kept {
        NodeIdentity node;
        std::shared_ptr<NodeInstance> instance;
        std::uint64_t frame;
        std::shared_ptr<NodeInstance> lent_to{};
    };

    std::uint64_t frames_;
    std::uint64_t most_bytes_;
    std::list<Kept> kept_;  ///< the oldest first
};

}  // namespace rta
