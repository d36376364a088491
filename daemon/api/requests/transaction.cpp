// SPDX-License-Identifier: MIT
#include "api/requests/transaction.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "api/call.h"
#include "api/convert.h"
#include "api/exception_barrier.h"
#include "api/services.h"
#include "frame/frame_codec.h"
#include "graph/document_values.h"
#include "graph/edit_checks.h"
#include "text/format_number.h"

namespace rta::api {
namespace {

using google::protobuf::Struct;
using google::protobuf::Value;

/// Size of an event about a transaction without its edits: numbers, and the name of a client.
constexpr std::size_t kEventOverheadBytes = 1024;

std::unexpected<Error> invalid(std::string sentence) { return fail(ErrorCode::invalid_argument, std::move(sentence)); }

Expected<SettingValue> to_setting(const Value& value, std::string_view name, std::string_view node) {
    const auto refuse = [&](std::string_view kind) { return std::unexpected(invalid_setting(name, node, kind)); };
    switch (value.kind_case()) {
        case Value::kNumberValue:
            if (!std::isfinite(value.number_value())) return refuse("not a finite number");
            return value.number_value();
        case Value::kStringValue:
            return value.string_value();
        case Value::kBoolValue:
            return value.bool_value();
        case Value::kNullValue:
            return refuse("null");
        case Value::kListValue:
            return refuse("a list");
        case Value::kStructValue:
            return refuse("an object");
        case Value::KIND_NOT_SET:
            return refuse("not set");
    }
    return refuse("of an unknown type");
}

Expected<Edit> to_add_node(const v1::Node& message) {
    auto settings = to_settings(message.settings(), message.name());
    if (!settings) return std::unexpected(std::move(settings.error()));
    AddNode edit{message.type(), message.name(), std::move(*settings), {}, {message.title(), message.description()}};
    for (const auto& [name, value] : message.parameters()) edit.parameters.emplace(name, value);
    return edit;
}

Expected<Edit> to_change_settings(const v1::ChangeSettings& message) {
    auto settings = to_settings(message.settings(), message.node());
    if (!settings) return std::unexpected(std::move(settings.error()));
    return ChangeSettings{message.node(), std::move(*settings), {message.defaults().begin(), message.defaults().end()}};
}

/// Returns the length of the edits, with the results of relative changes.
std::size_t length_of(const v1::EditList& edits) {
    const auto relative = std::ranges::count_if(edits.edits(), [](const v1::Edit& edit) {
        return edit.set_parameter().relative_case() != v1::SetParameter::RELATIVE_NOT_SET;
    });
    return edits.ByteSizeLong() + static_cast<std::size_t>(relative) * kResultBytes;
}

Expected<TransactionContent> checked(TransactionContent content) {
    if (auto fits = check_event_size(length_of(content.edits)); !fits) return std::unexpected(std::move(fits.error()));
    return content;
}

/// Where a saved graph comes from is not a part of it, so the events do not report it.
void clear_origin(v1::Graph& graph) {
    graph.clear_revision();
    graph.clear_instance();
}

Expected<TransactionContent> from_edits(v1::EditList&& list) {
    if (list.edits_size() > kMaximumItems)
        return std::unexpected(too_many_items("edits", static_cast<std::size_t>(list.edits_size())));
    TransactionContent content;
    content.edits = std::move(list);
    content.transaction.edits.reserve(static_cast<std::size_t>(content.edits.edits_size()));
    std::uint32_t index = 0;
    for (v1::Edit& message : *content.edits.mutable_edits()) {
        if (message.has_replace_graph()) clear_origin(*message.mutable_replace_graph());
        auto edit = to_edit(message);
        if (edit) {
            if (auto alone = check_alone(*edit, static_cast<std::size_t>(content.edits.edits_size())); !alone)
                edit = std::unexpected(std::move(alone.error()));
        }
        if (!edit) {
            edit.error().edit_index = index;
            return std::unexpected(std::move(edit.error()));
        }
        content.transaction.edits.push_back(std::move(*edit));
        ++index;
    }
    return checked(std::move(content));
}

TransactionContent replacement(GraphDocument document) {
    TransactionContent content;
    content.whole_graph = true;
    content.transaction.edits.emplace_back(ReplaceGraph{std::move(document)});
    return content;
}

Expected<TransactionContent> from_graph(v1::Graph&& graph) {
    auto document = to_document(graph);
    if (!document) return std::unexpected(std::move(document.error()));
    TransactionContent content = replacement(std::move(*document));
    clear_origin(graph);
    *content.edits.add_edits()->mutable_replace_graph() = std::move(graph);
    return checked(std::move(content));
}

Expected<TransactionContent> from_document(std::string_view text, const Engine& engine) {
    auto loaded = load_document(text, engine.registry(), engine.config().sample_rate_hz);
    if (!loaded) return std::unexpected(std::move(loaded.error()));
    v1::Graph graph;
    to_wire(loaded->document, graph);
    std::vector<std::string> warnings = std::move(loaded->warnings);
    if (std::string comments = comment_warning(loaded->document); !comments.empty())
        warnings.push_back(std::move(comments));
    TransactionContent content = replacement(std::move(loaded->document));
    content.warnings = std::move(warnings);
    *content.edits.add_edits()->mutable_replace_graph() = std::move(graph);
    return checked(std::move(content));
}

/// ApplyTransaction and CheckGraph have the same content.
template <class Message>
Expected<TransactionContent> take(Message& message, const Engine& engine) {
    switch (message.content_case()) {
        case Message::kEdits:
            return from_edits(std::move(*message.mutable_edits()));
        case Message::kGraph:
            return from_graph(std::move(*message.mutable_graph()));
        case Message::kDocument:
            return from_document(message.document(), engine);
        case Message::CONTENT_NOT_SET:
            break;
    }
    return std::unexpected(empty_transaction());
}

}  // namespace

Expected<TransactionContent> take_content(v1::ApplyTransaction& content, const Engine& engine) {
    return take(content, engine);
}
Expected<TransactionContent> take_content(v1::CheckGraph& content, const Engine& engine) {
    return take(content, engine);
}

Expected<SetParameter> to_change(const v1::SetParameter& message) {
    ReceivedChange received{message.node(), message.parameter(), message.value()};
    if (message.has_ramp_ms()) received.ramp_ms = message.ramp_ms();
    if (message.has_add()) received.add = message.add();
    if (message.has_toggle()) received.toggle = message.toggle();
    return rta::to_change(std::move(received));
}

void set_result(v1::SetParameter& change, float value) {
    change.clear_relative();
    change.set_value(value);
}

Expected<void> check_event_size(std::size_t bytes) {
    constexpr std::size_t kMost = kMaximumFrameBytes - kEventOverheadBytes;
    if (bytes <= kMost) return {};
    return invalid("the change takes " + std::to_string(bytes) + " bytes; at most " + std::to_string(kMost) +
                   " fit into the event that reports it");
}

Expected<Settings> to_settings(const Struct& message, std::string_view node) {
    Settings settings;
    for (const auto& [name, value] : message.fields()) {
        auto setting = to_setting(value, name, node);
        if (!setting) return std::unexpected(std::move(setting.error()));
        settings.emplace(name, std::move(*setting));
    }
    return settings;
}

Expected<GraphDocument> to_document(const v1::Graph& message) {
    const auto node_count = static_cast<std::size_t>(message.nodes_size());
    const auto connection_count = static_cast<std::size_t>(message.connections_size());
    if (node_count > kMaximumItems) return std::unexpected(too_many_items("nodes", node_count));
    if (connection_count > kMaximumItems) return std::unexpected(too_many_items("connections", connection_count));
    GraphDocument document;
    document.nodes.reserve(node_count);
    for (const v1::Node& from : message.nodes()) {
        auto settings = to_settings(from.settings(), from.name());
        if (!settings) return std::unexpected(std::move(settings.error()));
        GraphDocument::Node& node = document.nodes.emplace_back(GraphDocument::Node{
            from.name(), from.type(), std::move(*settings), {}, {}, {from.title(), from.description()}});
        for (const auto& [name, value] : from.parameters()) node.parameters.emplace(name, value);
    }
    document.connections.reserve(connection_count);
    for (const v1::Connection& from : message.connections()) {
        GraphDocument::Connection& connection =
            document.connections.emplace_back(GraphDocument::Connection{from.from(), from.to(), {}, {}});
        if (from.has_gain_db()) connection.gain_db = from.gain_db();
    }
    document.latency_compensation = message.latency_compensation();
    document.annotation = {message.title(), message.description()};
    return document;
}

Expected<Edit> to_edit(const v1::Edit& message) {
    switch (message.edit_case()) {
        case v1::Edit::kAddNode:
            return to_add_node(message.add_node());
        case v1::Edit::kRemoveNode:
            return RemoveNode{message.remove_node().name()};
        case v1::Edit::kRenameNode:
            return RenameNode{message.rename_node().name(), message.rename_node().new_name()};
        case v1::Edit::kConnect: {
            Connect edit{message.connect().from(), message.connect().to(), {}};
            if (message.connect().has_gain_db()) edit.gain_db = message.connect().gain_db();
            return edit;
        }
        case v1::Edit::kDisconnect:
            return Disconnect{message.disconnect().from(), message.disconnect().to()};
        case v1::Edit::kSetParameter: {
            auto change = to_change(message.set_parameter());
            if (!change) return std::unexpected(std::move(change.error()));
            return std::move(*change);
        }
        case v1::Edit::kChangeSettings:
            return to_change_settings(message.change_settings());
        case v1::Edit::kSetLatencyCompensation:
            return SetLatencyCompensation{message.set_latency_compensation().enabled()};
        case v1::Edit::kDescribe: {
            const v1::Describe& describe = message.describe();
            Describe edit{describe.node(), {}, {}};
            if (describe.has_title()) edit.title = describe.title();
            if (describe.has_description()) edit.description = describe.description();
            if (auto good = check_describe(edit); !good) return std::unexpected(std::move(good.error()));
            return edit;
        }
        case v1::Edit::kReplaceGraph: {
            auto document = to_document(message.replace_graph());
            if (!document) return std::unexpected(std::move(document.error()));
            return ReplaceGraph{std::move(*document)};
        }
        case v1::Edit::EDIT_NOT_SET:
            break;
    }
    return std::unexpected(unknown_edit());
}

namespace {

/// Adds the settings that are missing from a message with settings; all of them are numbers. Returns whether there are
/// any.
template <class Message>
bool add_missing(const Settings& settings, Message& message) {
    if (settings.size() == static_cast<std::size_t>(message.settings().fields_size())) return false;
    for (const auto& [name, value] : settings) {
        if (!message.settings().fields().contains(name))
            (*message.mutable_settings()->mutable_fields())[name].set_number_value(std::get<double>(value));
    }
    return true;
}

/// Adds the settings that the engine has drawn to the edits, so that clients can follow the graph.
void report_draws(requests::TransactionState& transaction) {
    const std::vector<Edit>& edits = transaction.prepared.transaction().edits;
    for (std::size_t i = 0; i < edits.size(); ++i) {
        v1::Edit& message = *transaction.edits.mutable_edits(static_cast<int>(i));
        if (const auto* add = std::get_if<AddNode>(&edits[i])) {
            add_missing(add->settings, *message.mutable_add_node());
        } else if (const auto* replace = std::get_if<ReplaceGraph>(&edits[i])) {
            v1::Graph& graph = *message.mutable_replace_graph();
            for (int node = 0; node < graph.nodes_size(); ++node) {
                const Settings& settings = replace->document.nodes[static_cast<std::size_t>(node)].settings;
                if (add_missing(settings, *graph.mutable_nodes(node))) transaction.drawn_nodes.push_back(node);
            }
        }
    }
}

}  // namespace

namespace requests {

Expected<std::unique_ptr<RequestState>> prepare_transaction(const Engine& engine, SharedGraphSnapshot snapshot,
                                                            Expected<TransactionContent> content,
                                                            std::shared_ptr<SpareProcessors> spares) {
    if (!content) return std::unexpected(std::move(content.error()));
    const bool any_size = content->any_size;
    auto prepared = engine.prepare(std::move(content->transaction), std::move(snapshot), std::move(spares));
    if (!prepared) return std::unexpected(without_index(std::move(prepared.error()), content->whole_graph));
    auto state = std::make_unique<TransactionState>(std::move(*content), std::move(*prepared));
    report_draws(*state);
    state->edit_bytes = length_of(state->edits);
    if (auto fits = check_event_size(state->edit_bytes); !fits && !any_size)
        return std::unexpected(std::move(fits.error()));
    return state;
}

void set_last(TransactionState& transaction, std::vector<SetParameter> changes) {
    auto& edits = *transaction.edits.mutable_edits();
    if (changes.empty() && edits.size() == transaction.prepared_edits) return;
    edits.DeleteSubrange(transaction.prepared_edits, edits.size() - transaction.prepared_edits);
    for (const SetParameter& change : changes) to_wire(Edit{change}, *edits.Add());
    transaction.edit_bytes = length_of(transaction.edits);
    transaction.prepared.set_last(std::move(changes));
}

void report_kept_draws(const AudioGraph& graph, TransactionState& transaction) {
    for (const int index : transaction.drawn_nodes) {
        v1::Node& node = *transaction.edits.mutable_edits(0)->mutable_replace_graph()->mutable_nodes(index);
        const GraphNode* const committed = graph.find(node.name());
        if (committed == nullptr) continue;
        for (const SettingSpec& spec : committed->description->type->settings) {
            if (!spec.drawn) continue;
            (*node.mutable_settings()->mutable_fields())[std::string{spec.name}].set_number_value(
                committed->description->settings.number(spec.name));
        }
    }
}

void remove_kept_nodes(std::span<const std::string> kept, google::protobuf::RepeatedPtrField<std::string>& fresh) {
    const auto end = std::remove_if(fresh.begin(), fresh.end(), [&](const std::string& node) {
        return std::ranges::find(kept, node) != kept.end();
    });
    fresh.erase(end, fresh.end());
}

bool build_missing(Call& call, const Error& error) {
    if (error.code != ErrorCode::aborted) return false;
    auto& transaction = static_cast<TransactionState&>(*call.request.state);
    const TimePoint now = call.services.clock();
    if (transaction.builds == 0) transaction.first_build = now;
    const bool takes_long = call.request.large && now - transaction.first_build >= kLongestBuilds;
    if (transaction.builds == kMaximumBuilds || takes_long) {
        call.request.refuse(Error{ErrorCode::aborted,
                                  "other clients changed the same nodes " + std::to_string(transaction.builds) +
                                      " times; nothing has changed; try again",
                                  {}});
        return true;
    }
    ++transaction.builds;
    call.request.stage = PendingRequest::Stage::preparing;
    struct Build {
        std::unique_ptr<RequestState> state;
        Expected<void> outcome{};
    };
    const auto build = std::make_shared<Build>(std::move(call.request.state));
    call.services.workers.run(
        "building processors",
        [build, &engine = std::as_const(call.services.engine)] {
            build->outcome = engine.build(static_cast<TransactionState&>(*build->state).prepared);
        },
        [build, handle = call.handle(), &workers = call.services.workers](const Expected<void>& ran) {
            handle.resume([&](Call& later) {
                if (later.request.stage != PendingRequest::Stage::preparing) return;  // has failed in the meantime
                later.request.state = std::move(build->state);
                if (!ran) return later.request.refuse(unchanged(ran.error()));
                if (!build->outcome) return later.request.refuse(build->outcome.error());
                later.request.stage = PendingRequest::Stage::prepared;
            });
            if (build->state != nullptr) workers.free(std::move(build->state));  // the client has left
        },
        call.request.large ? Workers::Lane::large_requests : Workers::Lane::requests);
    // The worker has already finished, so execute the request here: nothing else would.
    if (call.request.stage == PendingRequest::Stage::prepared) call.request.kind->execute(call);
    return true;
}

Expected<std::optional<float>> checked_max_load(float max_load) {
    if (max_load > 0.0F && max_load <= 1.0F) return max_load;
    return fail(ErrorCode::invalid_argument,
                "max_load is " + format_number(max_load) + ": expected more than 0, and at most 1");
}

bool measure_missing(Call& call, Unmeasured nodes) {
    using Stage = PendingRequest::Stage;
    auto& transaction = static_cast<TransactionState&>(*call.request.state);
    if (std::exchange(transaction.costs_measured, true)) return false;
    call.request.stage = Stage::preparing;
    call.services.load.measure(std::move(nodes), [handle = call.handle()] {
        handle.resume([](Call& later) {
            if (later.request.stage == Stage::preparing) later.request.stage = Stage::prepared;
        });
    });
    // As in build_missing().
    if (call.request.stage == Stage::prepared) call.request.kind->execute(call);
    return true;
}

Error without_index(Error error, bool whole_graph) {
    if (whole_graph) error.edit_index.reset();
    return error;
}

}  // namespace requests
}  // namespace rta::api
