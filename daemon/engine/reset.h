// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>

#include "engine/prepared_transaction.h"
#include "text/error.h"

namespace rta {

struct EngineCore;
class ProcessorBuild;

/// A reset in progress: replaces the processors of all nodes that the graph has when it starts by new ones, which are
/// built on a worker thread while the graph keeps playing. Started by Engine::start_reset(), one at a time. Its
/// destruction abandons the reset, also after the engine has been destroyed; changes committed in the meantime are then
/// heard. [control]
class EngineReset {
 public:
    explicit EngineReset(EngineCore& engine);
    EngineReset(EngineReset&&) noexcept;
    EngineReset& operator=(EngineReset&&) noexcept;
    ~EngineReset();

    /// Sends the new processors to the audio thread, in one plan and without fades: call it only while
    /// Engine::output_silent(). Returns nothing while processors are being built, or while the engine has no room for a
    /// plan: call it again later. Errors: a factory failed or memory is short; the old processors keep playing. The
    /// reset is over when a ticket or an error has been returned.
    [[nodiscard]] std::optional<Expected<Ticket>> try_complete();

 private:
    EngineCore* engine_;  ///< accessed by try_complete() only
    std::shared_ptr<ProcessorBuild> build_;
    std::shared_ptr<const bool> in_progress_;  ///< the engine observes how long it lives
};

}  // namespace rta
