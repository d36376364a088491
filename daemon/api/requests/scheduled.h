// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <vector>

#include "api/call.h"
#include "api/requests/recall.h"
#include "graph/edit.h"
#include "rta/v1/control.pb.h"
#include "text/error.h"

namespace rta::api::requests {

// Edits with `at`: checked now, as CheckGraph does, and committed at their time by the Schedule.

/// A transaction with `at`.
struct ScheduledTransaction final : RequestState {
    std::shared_ptr<const v1::ApplyTransaction> content;
};

/// Takes the transaction out of the request. [any]
[[nodiscard]] std::unique_ptr<RequestState> scheduled_state(v1::Request& message);

/// Answers with TransactionResult.pending, after a worker has checked the transaction.
void schedule_transaction(Call& call, const ScheduledTransaction& transaction);

/// Answers with RecallSceneResult.transaction.pending, after a worker has checked the recall.
void schedule_recall(Call& call, const std::shared_ptr<const Recall>& recall);

/// Answers with ParametersResult.pending.
void schedule_parameters(Call& call, const std::vector<SetParameter>& changes);

}  // namespace rta::api::requests
