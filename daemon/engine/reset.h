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

/// The RunOnWorker of programs without workers.
inline void run_here(const std::function<void()>& work, const std::function<void(const Expected<void>&)>& done) {
    work();
    done({});
}

/// A reset in progress: replaces the processors of all nodes that the graph had when it started by fresh ones, which
/// are built on a worker thread while the graph keeps playing. Started by Engine::start_reset(); destroying it abandons
/// the reset, and what was committed in the meantime is then heard. The engine must outlive it and the work that it
/// started. [control]
class EngineReset {
 public:
    explicit EngineReset(EngineCore& engine);
    EngineReset(EngineReset&&) noexcept;
    EngineReset& operator=(EngineReset&&) noexcept;
    ~EngineReset();

    /// Sends the fresh processors to the audio thread, in one plan and without fades: call it only while
    /// Engine::output_silent(). Returns nothing while processors are being built, or while the engine has no room for a
    /// plan: call it again later. Errors: a factory failed or memory is short; the old processors keep playing. The
    /// reset is over when a ticket or an error has been returned.
    [[nodiscard]] std::optional<Expected<Ticket>> try_complete();

 private:
    struct Build;
    /// Ends the hold on commits.
    struct End {
        void operator()(EngineCore* engine) const;
    };

    std::unique_ptr<EngineCore, End> engine_;  ///< null when the reset is over
    std::shared_ptr<Build> build_;             ///< shared with the work
};

}  // namespace rta
