// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "api/events/node_filter.h"
#include "api/events/shared_frame.h"

namespace rta::api {

/// One event about a change, as it is sent.
struct Change {
    SharedFrame frame{};
    ConcernedNodes nodes{};
};

/// The latest changes, for clients that have missed some of them while they were disconnected. [control]
class KeptChanges {
 public:
    static constexpr std::size_t kMaximum = 10'000;

    /// `most_bytes`: of all frames together.
    explicit KeptChanges(std::size_t most_bytes) : most_bytes_{most_bytes} {}

    /// Drops all. The next change has this number.
    void restart(std::uint64_t number);
    /// Appends the next change, and drops the oldest beyond the limits.
    void add(const Change& change);
    /// Returns nullptr if the change with this number is not kept.
    [[nodiscard]] const Change* find(std::uint64_t number) const;
    [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
    static std::size_t bytes_of(const Change& change) { return change.frame.size() + change.nodes.bytes(); }

    const std::size_t most_bytes_;
    std::uint64_t first_ = 1;  ///< number of changes_.front()
    std::deque<Change> changes_;
    std::size_t bytes_ = 0;
};

}  // namespace rta::api
