// SPDX-License-Identifier: MIT
#include "api/call.h"
#include "api/convert.h"
#include "api/requests/transaction.h"
#include "api/services.h"

namespace rta::api::requests {

Expected<std::unique_ptr<RequestState>> prepare_check_graph(const Engine& engine, SharedGraphSnapshot snapshot,
                                                            v1::Request& message) {
    auto state = prepare_transaction(engine, std::move(snapshot), take_content(*message.mutable_check_graph(), engine));
    if (state) static_cast<TransactionState&>(**state).with_graph = message.check_graph().with_graph();
    return state;
}

void check_graph(Call& call) {
    auto& transaction = static_cast<TransactionState&>(*call.request.state);
    const auto checked = call.services.engine.check(transaction.prepared);
    if (checked) {
        v1::CheckResult& result = *call.request.answer().mutable_check_graph();
        result.set_node_count(static_cast<std::uint32_t>(checked->node_count()));
        result.set_connection_count(static_cast<std::uint32_t>(checked->connection_count()));
        add_warnings(transaction, result);
        if (transaction.with_graph) to_wire(checked->document(), *result.mutable_graph());
    } else if (build_missing(call, checked.error())) {
        return;
    } else {
        call.request.refuse(without_index(checked.error(), transaction.whole_graph));
    }
    if (!call.request.large) call.request.state.reset();  // otherwise freed on a worker
}

}  // namespace rta::api::requests
