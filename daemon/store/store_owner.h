// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "graph/audio_graph.h"
#include "store/output_state.h"

namespace rta::store {

/// What a store saves.
struct StoreState {
    AudioGraph graph;
    std::uint64_t revision = 0;
    OutputState output{};
    /// Writes the history that has led to this graph; called by the thread of the store, destroyed on the control
    /// thread. Empty: none.
    std::function<std::string()> history{};
};

/// The owner of a store. [control]
class StoreOwner {
 public:
    virtual ~StoreOwner() = default;
    /// Returns what is to be saved.
    [[nodiscard]] virtual StoreState state() const = 0;
    /// Reports a problem that affects neither the audio nor the clients.
    virtual void store_warning(const std::string& sentence) = 0;
    /// Reports that the problem is solved.
    virtual void store_recovered(const std::string& sentence) = 0;
    /// Reports that GraphStore::reserve() may return another result.
    virtual void room_changed() {}
};

}  // namespace rta::store
