// SPDX-License-Identifier: MIT
// Confirm and Revert.
#include <optional>
#include <utility>

#include "api/call.h"
#include "api/client.h"
#include "api/requests/commit.h"
#include "api/requests/commit_transaction.h"
#include "api/services.h"

namespace rta::api::requests {
namespace {

/// Returns whether the edit that the message names waits. Otherwise the request is refused.
template <class Message>
bool waits(Call& call, const Message& message) {
    const auto id = message.has_id() ? std::optional{message.id()} : std::nullopt;
    const auto good = call.services.confirmation.check_waiting(id);
    if (!good) call.request.refuse(good.error());
    return good.has_value();
}

}  // namespace

void confirm(Call& call) {
    if (!waits(call, call.request.message.confirm())) return;
    call.request.stage = PendingRequest::Stage::executed;
    const auto confirmed = [handle = call.handle(),
                            edit = call.services.confirmation.waiting()](const Expected<void>& outcome) {
        handle.resume([&](Call& later) {
            if (!outcome) return later.request.refuse(outcome.error());
            *later.request.answer().mutable_confirm()->mutable_confirmation() = *edit;
        });
    };
    call.services.confirmation.confirm(call.client.identity().author, confirmed);
}

void revert(Call& call) {
    const v1::Revert& message = call.request.message.revert();
    // Retried when the client's first pending request is answered.
    if (message.wait_for_start() && call.client.unanswered() >= Client::kMaximumWaits) return;
    if (!waits(call, message)) return;
    call.request.stage = PendingRequest::Stage::executed;
    const auto reverted = [handle = call.handle(),
                           wait_for_start = message.wait_for_start()](const Expected<Confirmation::Reverted>& outcome) {
        handle.resume([&](Call& later) {
            if (!outcome) return later.request.refuse(outcome.error());
            later.request.committed = true;
            v1::UndoResult& result = *later.request.answer().mutable_revert();
            result = outcome->result;
            result.set_revision(later.services.engine.revision());
            if (outcome->ticket) write_ticket(*outcome->ticket, result);
            await_record(later);
            if (outcome->ticket && wait_for_start) await_start(later, *outcome->ticket);
        });
    };
    call.services.confirmation.revert({call.client.identity().author, call.client.name()}, reverted);
}

}  // namespace rta::api::requests
