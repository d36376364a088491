// SPDX-License-Identifier: MIT
#include "rtactl/context/context.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <ostream>
#include <utility>

#include "rtactl/language/type_table.h"

namespace rta::rtactl {

Exit exit_of(const client::Error& error) {
    switch (error.kind) {
        case client::Error::Kind::refused:
            return exit_of(error.code);
        case client::Error::Kind::too_large:
            return Exit::refused;
        case client::Error::Kind::cannot_connect:
        case client::Error::Kind::lost:
        case client::Error::Kind::timeout:
        case client::Error::Kind::protocol:
        case client::Error::Kind::interrupted:
            break;
    }
    return Exit::cannot_connect;
}

namespace {

bool changes_something(const v1::Request& request) {
    switch (request.request_case()) {
        case v1::Request::kApplyTransaction:
        case v1::Request::kSetParameters:
        case v1::Request::kMuteOutput:
        case v1::Request::kPanic:
        case v1::Request::kResetMeters:
            return true;
        case v1::Request::kHello:
        case v1::Request::kGetStatus:
        case v1::Request::kListDevices:
        case v1::Request::kListNodeTypes:
        case v1::Request::kGetGraph:
        case v1::Request::kCheckGraph:
        case v1::Request::kSubscribe:
        case v1::Request::kGetFrequencyResponse:
        case v1::Request::REQUEST_NOT_SET:
            break;
    }
    return false;
}

}  // namespace

Exit exit_of(v1::Code code) {
    return code == v1::UNAUTHENTICATED || code == v1::PERMISSION_DENIED ? Exit::not_allowed : Exit::refused;
}

void PendingTransaction::collect(std::vector<v1::Edit> new_edits, std::size_t line) {
    lines.insert(lines.end(), new_edits.size(), line);
    for (v1::Edit& edit : new_edits) {
        if (graph) graph->follow(edit);
        edits.push_back(std::move(edit));
    }
}

Result<client::DaemonClient> Session::open() const {
    client::ClientOptions options;
    options.client_name = "rtactl";
    options.timeout = options_.timeout;
    auto opened = client::DaemonClient::open(options_.endpoints, options);
    if (!opened) return fail(exit_of(opened.error()), std::move(opened.error().sentence));
    return std::move(*opened);
}

Result<client::DaemonClient*> Session::connection() {
    if (!connection_) {
        auto opened = open();
        if (!opened) return std::unexpected(std::move(opened.error()));
        connection_ = std::move(*opened);
    }
    return &*connection_;
}

std::unexpected<Failure> Session::broken(client::Error error) {
    if (error.kind != client::Error::Kind::too_large) {
        // The next line of a shell finds the daemon anew, which may be another one by then.
        connection_.reset();
        types_.reset();
        // What is known of the graph was read by the types of the daemon that is gone.
        if (transaction_) transaction_->graph.reset();
    }
    return fail(exit_of(error), std::move(error.sentence));
}

Result<v1::Response> Session::judge(client::Expected<v1::Response> response, bool print) {
    if (!response) return broken(std::move(response.error()));
    const v1::Status& status = response->status();
    if (json() && (print || status.code() != v1::OK)) print_json(*response);
    if (status.code() == v1::OK) return std::move(*response);
    Failure failure{exit_of(status.code()), status.message().empty() ? v1::Code_Name(status.code()) : status.message()};
    if (status.has_edit_index()) failure.edit_index = status.edit_index();
    return std::unexpected(std::move(failure));
}

Result<v1::Response> Session::exchange(v1::Request request, bool print) {
    const auto connection = this->connection();
    if (!connection) return std::unexpected(connection.error());
    // Half for the daemon to wait for room in its engine; the rest is for the way and for the change to be heard.
    request.set_timeout_ms(static_cast<std::uint32_t>(std::clamp<long long>(options_.timeout.count() / 2, 1, 60'000)));
    const bool changes = changes_something(request);
    auto response = (*connection)->call(std::move(request));
    const bool unknown = changes && !response && response.error().kind != client::Error::Kind::too_large;
    if (unknown) response.error().sentence += "; whether the change was made is not known";
    return judge(std::move(response), print);
}

Result<v1::Response> Session::ask(v1::Request request) { return exchange(std::move(request), false); }

Result<v1::Response> Session::perform(v1::Request request) { return exchange(std::move(request), true); }

Result<std::vector<v1::Response>> Session::ask_all(std::vector<v1::Request> requests) {
    const auto connection = this->connection();
    if (!connection) return std::unexpected(connection.error());
    std::vector<std::uint64_t> ids;
    for (v1::Request& request : requests) {
        const auto id = (*connection)->send(std::move(request));
        if (!id) return broken(id.error());
        ids.push_back(*id);
    }
    // Every answer is taken even if one is bad: those left behind would only pile up in the connection.
    std::vector<v1::Response> responses;
    std::optional<Failure> failure;
    for (const std::uint64_t id : ids) {
        auto response = judge((*connection)->receive(id), false);
        if (response) {
            responses.push_back(std::move(*response));
        } else if (!failure) {
            failure = std::move(response.error());
        }
        if (!connection_) break;
    }
    if (failure) return std::unexpected(std::move(*failure));
    return responses;
}

Result<void> Session::edit(std::vector<v1::Edit> edits, std::string_view title) {
    if (transaction_) {
        transaction_->collect(std::move(edits), line);
        if (!title.empty() && !json()) out() << title << '\n';
        return {};
    }
    v1::Request request;
    auto& list = *request.mutable_apply_transaction()->mutable_edits()->mutable_edits();
    for (v1::Edit& edit : edits) list.Add(std::move(edit));
    const auto response = perform(std::move(request));
    if (!response) return std::unexpected(response.error());
    print_revision(response->apply_transaction(), title);
    return {};
}

void Session::print_revision(const v1::TransactionResult& result, std::string_view title) {
    if (json()) return;
    out() << title << (title.empty() ? "" : ": ") << "revision " << result.revision();
    if (result.has_frame()) out() << ", heard from frame " << result.frame();
    out() << '\n';
}

void Session::print_json(const google::protobuf::Message& message) {
    google::protobuf::util::JsonPrintOptions options;
    options.preserve_proto_field_names = true;
    options.always_print_primitive_fields = true;
    std::string text;
    if (const auto written = google::protobuf::util::MessageToJsonString(message, &text, options); !written.ok()) {
        streams_.err << "rtactl: the response cannot be written as JSON: " << written.ToString() << '\n';
        return;
    }
    out() << text << '\n' << std::flush;
}

Result<void> Session::learn_types() {
    if (types_) return {};
    auto response = ask(list_types_request());
    if (!response) return std::unexpected(std::move(response.error()));
    types_ = std::move(*response->mutable_list_node_types());
    return {};
}

Result<const KnownGraph*> Session::learn_graph(std::vector<std::string> names) {
    if (transaction_ && transaction_->graph) return &*transaction_->graph;
    // A transaction goes on, and its next line may speak of any node.
    if (transaction_) names.clear();
    std::vector<v1::Request> requests{get_graph_request(v1::GRAPH_CONTENT_MESSAGE, std::move(names))};
    if (!types_) requests.push_back(list_types_request());
    auto responses = ask_all(std::move(requests));
    if (!responses) return std::unexpected(std::move(responses.error()));
    if (responses->size() == 2) types_ = std::move(*responses->back().mutable_list_node_types());
    KnownGraph graph{responses->front().get_graph().graph(), *types_};
    if (!transaction_) return &graph_.emplace(std::move(graph));
    for (const v1::Edit& edit : transaction_->edits) graph.follow(edit);
    return &transaction_->graph.emplace(std::move(graph));
}

Result<const KnownGraph*> Session::learn_graph_within(std::chrono::milliseconds time) {
    const auto usual = std::exchange(options_.timeout, std::min(time, options_.timeout));
    if (connection_) connection_->set_timeout(options_.timeout);
    auto graph = learn_graph();
    options_.timeout = usual;
    if (connection_) connection_->set_timeout(usual);
    return graph;
}

const v1::NodeType* Session::find_type(std::string_view name) const {
    return types_ ? rtactl::find_type(*types_, name) : nullptr;
}

v1::Request get_graph_request(v1::GraphContent content, std::vector<std::string> names) {
    v1::Request request;
    request.mutable_get_graph()->set_content(content);
    for (std::string& name : names) request.mutable_get_graph()->add_nodes(std::move(name));
    return request;
}

v1::Request list_types_request(std::string_view type) {
    v1::Request request;
    request.mutable_list_node_types()->set_type(std::string{type});
    return request;
}

}  // namespace rta::rtactl
