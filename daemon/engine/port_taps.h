// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/borrowed.h"
#include "engine/measurements.h"
#include "graph/port_tap.h"
#include "plan/compiler.h"

namespace rta {

/// The ports whose signals are measured. They are part of each plan, and of no graph. [control]
class PortTaps {
 public:
    /// Replaces all. Returns whether they differ from the previous ones.
    bool replace(std::vector<TappedPort> ports);
    /// Returns those of the nodes, which are sorted by id.
    [[nodiscard]] std::vector<CompileRequest::Tap> of(std::span<const CompileRequest::Node> nodes) const;
    /// Adds the difference between what the next plan borrows and what the last plan borrows.
    void add_borrowed(Borrowed& changes) const;
    /// The next plan has been sent. Does not throw.
    void sent();
    /// Adds what the next plan borrows, if it shares nothing with the earlier ones.
    void lend_all(std::vector<std::shared_ptr<const void>>& entered);

 private:
    std::vector<TappedPort> ports_;
    std::vector<std::shared_ptr<PortTap>> entered_;  ///< no plan borrows them yet
    std::vector<const void*> left_;                  ///< the next plan does not borrow them any more
};

}  // namespace rta
