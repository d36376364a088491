// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "engine/prepared_transaction.h"
#include "text/error.h"

namespace rta {

struct EngineCore;

/// Runs `work` on a worker thread and then calls `done` on the control thread, later or before returning. `done`
/// receives an error if `work` could not be completed, for example because memory ran out.
using RunOnWorker =
    std::function<void(std::function<void()> work, std::function<void(const Expected<void>& completed)> done)>;

/// A reset in progress: replaces the processors of all nodes by fresh ones, which are built on a worker thread while the
/// graph keeps playing. Started by Engine::start_reset(); destroying it abandons the reset. The engine must outlive it
/// and the work that it started. [control]
class EngineReset {
 public:
    EngineReset(EngineCore& engine, RunOnWorker run);
    EngineReset(EngineReset&&) noexcept;
    EngineReset& operator=(EngineReset&&) noexcept;
    ~EngineReset();

    /// Sends the fresh processors to the audio thread, in one plan and without fades: call it only while
    /// Engine::output_silent(). Returns nothing while processors are being built, which includes those of nodes that were
    /// added in the meantime, or while the engine has no room for a plan: call it again later. Errors: a factory failed;
    /// the old processors keep playing. The reset is over when a ticket or an error has been returned.
    [[nodiscard]] std::optional<Expected<Ticket>> try_complete();

 private:
    struct State;
    void start_build();

    EngineCore* engine_;
    RunOnWorker run_;
    std::shared_ptr<State> state_;  ///< shared with the work
};

}  // namespace rta
