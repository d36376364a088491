// SPDX-License-Identifier: MIT
#include "rtactl/context/context.h"

#include <algorithm>
#include <istream>
#include <iterator>
#include <ostream>
#include <utility>

#include "document/document.h"
#include "rta/requests.h"
#include "rta/token_file.h"
#include "rta/type_table.h"
#include "rtactl/context/error_report.h"
#include "rtactl/context/graph_diff.h"
#include "rtactl/drawing/edit_text.h"
#include "rtactl/drawing/wording.h"
#include "text/access_token.h"
#include "text/quantity.h"
#include "text/quoting.h"

namespace rta::rtactl {

namespace {

constexpr std::size_t kMostLines = 100;

/// Returns the lines, with the results of relative changes, which are in the same order.
std::vector<std::string> done_lines(std::span<const Done> done,
                                    const google::protobuf::RepeatedPtrField<v1::SetParameter>& results) {
    std::vector<std::string> lines;
    int result = 0;
    for (const auto& [text, unit] : done) {
        if (lines.size() == kMostLines) {
            lines.push_back("... and " + std::to_string(done.size() - kMostLines) + " more");
            break;
        }
        lines.push_back(text);
        // An older daemon returns no results.
        if (unit && result < results.size()) lines.back() += " = " + format_value(results.Get(result++).value(), *unit);
    }
    return lines;
}

/// The transaction as a request that changes nothing.
v1::CheckGraph check_of(v1::ApplyTransaction transaction) {
    v1::CheckGraph check;
    if (transaction.has_guard()) *check.mutable_guard() = std::move(*transaction.mutable_guard());
    switch (transaction.content_case()) {
        case v1::ApplyTransaction::kEdits:
            *check.mutable_edits() = std::move(*transaction.mutable_edits());
            break;
        case v1::ApplyTransaction::kGraph:
            *check.mutable_graph() = std::move(*transaction.mutable_graph());
            break;
        case v1::ApplyTransaction::kDocument:
            check.set_document(std::move(*transaction.mutable_document()));
            break;
        case v1::ApplyTransaction::CONTENT_NOT_SET:
            break;
    }
    return check;
}

}  // namespace

std::string PendingTransaction::line_text(std::size_t line) const {
    const auto text = texts.find(line);
    return quoted(text == texts.end() ? std::string_view{} : text->second);
}

void PendingTransaction::collect(std::vector<v1::Edit> new_edits, std::vector<Done> new_done, std::size_t line,
                                 const std::string& text) {
    done.insert(done.end(), std::make_move_iterator(new_done.begin()), std::make_move_iterator(new_done.end()));
    texts.emplace(line, text);
    lines.insert(lines.end(), new_edits.size(), line);
    for (v1::Edit& edit : new_edits) {
        if (graph) graph->apply(edit);
        edits.push_back(std::move(edit));
    }
}

Result<client::DaemonClient> Context::open(std::chrono::milliseconds timeout) const {
    client::ClientOptions options;
    options.client_name = "rtactl";
    options.timeout = timeout;
    if (!options_.token_file.empty()) {
        auto token = client::read_token_file(options_.token_file);
        if (!token) return std::unexpected(failure_of(std::move(token.error())));
        options.token = std::move(*token);
    }
    options.tls = options_.tls;
    options.tls.trust = [this](const std::string& host, const std::string& fingerprint) {
        return trust(host, fingerprint);
    };
    auto opened = client::DaemonClient::open(options_.endpoints, options);
    if (opened) return std::move(*opened);
    Failure failure = failure_of(std::move(opened.error()));
    if (failure.exit == Exit::cannot_connect && !options_.similar_host.empty()) {
        failure.sentence += failure.sentence.ends_with('?') ? " " : "; ";
        failure.sentence += "did you mean the host " + quoted(options_.similar_host) + " of the configuration file?";
    }
    return std::unexpected(std::move(failure));
}

/// Asks on a terminal whether to trust a daemon on first use. Otherwise trusts it, and says so.
bool Context::trust(const std::string& host, const std::string& fingerprint) const {
    if (!may_trust_) return false;
    if (!streams_.interactive) {
        warn(streams_, "the certificate of " + host + " is trusted from now on; its fingerprint is " + fingerprint);
        return true;
    }
    streams_.err << "The certificate of " << host << " is not known. Its fingerprint is\n    " << fingerprint
                 << "\nrtad on " << host << " logs the same at its start. Trust this certificate? [y/N] " << std::flush;
    std::string answer;
    std::getline(streams_.in, answer);
    return answer == "y" || answer == "Y" || answer == "yes";
}

Result<client::DaemonClient*> Context::connected_client() {
    if (!client_) {
        auto opened = open();
        if (!opened) return std::unexpected(std::move(opened.error()));
        client_ = std::move(*opened);
    }
    return &*client_;
}

Result<std::string> Context::instance() {
    const auto client = connected_client();
    if (!client) return std::unexpected(client.error());
    return (*client)->hello().instance_id();
}

std::unexpected<Failure> Context::failed(client::Error error) {
    if (error.kind != client::Error::Kind::too_large) {
        // The next line of a shell connects again, possibly to another daemon with other node types.
        client_.reset();
        types_.reset();
        if (transaction_) transaction_->graph.reset();
    }
    return std::unexpected(failure_of(std::move(error)));
}

Result<v1::Response> Context::check(client::Expected<v1::Response> response, Purpose purpose) {
    if (!response) return failed(std::move(response.error()));
    if (response->status().code() != v1::OK) return std::unexpected(failure_of(std::move(*response)));
    if (json() && purpose != Purpose::preparation) print_json(*response);
    return std::move(*response);
}

Result<v1::Response> Context::exchange(v1::Request request, Purpose purpose) {
    const auto client = connected_client();
    if (!client) return std::unexpected(client.error());
    // The daemon may wait for half of the timeout for room in its engine and for the change to take effect; the rest is
    // left for the network.
    request.set_timeout_ms(static_cast<std::uint32_t>(std::clamp<long long>(options_.timeout.count() / 2, 1, 60'000)));
    auto response = (*client)->call(std::move(request));
    const bool unknown =
        purpose == Purpose::change && !response && response.error().kind != client::Error::Kind::too_large;
    if (unknown) response.error().sentence += "; it is not known whether the change was made";
    return check(std::move(response), purpose);
}

Result<v1::Response> Context::call(v1::Request request) { return exchange(std::move(request), Purpose::preparation); }

Result<v1::Response> Context::query(v1::Request request) { return exchange(std::move(request), Purpose::query); }

/// Waits for the start of the change, because a user wants to know when it takes effect.
Result<v1::Response> Context::change(v1::Request request) {
    if (request.has_apply_transaction()) request.mutable_apply_transaction()->set_wait_for_start(true);
    if (request.has_undo()) request.mutable_undo()->set_wait_for_start(true);
    if (request.has_redo()) request.mutable_redo()->set_wait_for_start(true);
    if (request.has_revert()) request.mutable_revert()->set_wait_for_start(true);
    return exchange(std::move(request), Purpose::change);
}

Result<std::vector<v1::Response>> Context::call_all(std::vector<v1::Request> requests) {
    const auto client = connected_client();
    if (!client) return std::unexpected(client.error());
    std::vector<std::uint64_t> ids;
    for (v1::Request& request : requests) {
        const auto id = (*client)->send(std::move(request));
        if (!id) return failed(id.error());
        ids.push_back(*id);
    }
    // Receives every response even after a failure: otherwise they would stay queued in the client.
    std::vector<v1::Response> responses;
    std::optional<Failure> failure;
    for (const std::uint64_t id : ids) {
        auto response = check((*client)->receive(id), Purpose::preparation);
        if (response) {
            responses.push_back(std::move(*response));
        } else if (!failure) {
            failure = std::move(response.error());
        }
        if (!client_) break;
    }
    if (failure) return std::unexpected(std::move(*failure));
    return responses;
}

Result<void> Context::edit(std::vector<v1::Edit> edits, std::vector<Done> done) {
    if (transaction_) {
        transaction_->collect(std::move(edits), std::move(done), line, line_text);
        return {};
    }
    v1::ApplyTransaction transaction;
    auto& list = *transaction.mutable_edits()->mutable_edits();
    for (v1::Edit& edit : edits) list.Add(std::move(edit));
    return apply(std::move(transaction), std::move(done));
}

Result<void> Context::apply(v1::ApplyTransaction transaction, std::vector<Done> done, std::string_view document) {
    if (const auto& expected = edit_options.expected_revision)
        transaction.mutable_guard()->set_expected_revision(*expected);
    if (edit_options.dry_run) return dry_run(check_of(std::move(transaction)), document);
    if (edit_options.at) *transaction.mutable_at() = *edit_options.at;
    if (const auto& within_s = edit_options.confirm_within_s) transaction.set_confirm_within_s(*within_s);
    if (edit_options.max_load) transaction.set_max_load(*edit_options.max_load);
    v1::Request request;
    *request.mutable_apply_transaction() = std::move(transaction);
    const auto response = change(std::move(request));
    if (!response) return std::unexpected(response.error());
    print_warnings(document, response->apply_transaction().warnings());
    print_done(response->apply_transaction(), done);
    return {};
}

Result<void> Context::set_parameters(v1::SetParameters changes, const std::vector<Done>& done) {
    // Only a transaction can be reverted.
    if (edit_options.dry_run || edit_options.confirm_within_s) {
        std::vector<v1::Edit> edits;
        for (v1::SetParameter& change : *changes.mutable_changes())
            *edits.emplace_back().mutable_set_parameter() = std::move(change);
        return edit(std::move(edits), done);
    }
    if (const auto& expected = edit_options.expected_revision)
        changes.mutable_guard()->set_expected_revision(*expected);
    if (edit_options.at) *changes.mutable_at() = *edit_options.at;
    v1::Request request;
    *request.mutable_set_parameters() = std::move(changes);
    const auto response = change(std::move(request));
    if (!response) return std::unexpected(response.error());
    print_done(response->set_parameters(), done);
    return {};
}

Result<void> Context::dry_run(v1::CheckGraph check, std::string_view document) {
    check.set_with_diff(true);
    v1::Request request;
    *request.mutable_check_graph() = std::move(check);
    const auto response = query(std::move(request));
    if (!response) return std::unexpected(response.error());
    print_warnings(document, response->check_graph().warnings());
    const v1::CheckResult& result = response->check_graph();
    if (!json()) {
        print_changes(result.revision(), result.diff());
        if (result.has_predicted_load()) out() << "predicted load: " << percent_text(result.predicted_load()) << '\n';
    }
    return check_load(result);
}

/// The daemon refuses a transaction by its load only when it is applied.
Result<void> Context::check_load(const v1::CheckResult& result) {
    const auto& maximum = edit_options.max_load;
    if (!maximum || (result.has_predicted_load() && result.predicted_load() <= *maximum)) return {};
    if (!result.has_predicted_load()) {
        return fail(Exit::refused,
                    "the load cannot be predicted: the cost of a node is not known; rtad would refuse the "
                    "change with --max-load");
    }
    return fail(Exit::refused, "the predicted load is " + percent_text(result.predicted_load()) + ", more than the " +
                                   percent_text(*maximum) + " of --max-load; rtad would refuse the change");
}

/// The edits as commands, indented: they are not all that `rtactl shell` needs to make them one transaction.
void Context::print_changes(std::uint64_t revision, const google::protobuf::RepeatedPtrField<v1::Edit>& edits) {
    if (edits.empty()) {
        out() << "dry run: would change nothing in revision " << revision << '\n';
        return;
    }
    out() << "dry run: would change revision " << revision << ":\n";
    for (const v1::Edit& edit : edits) out() << "  " << describe(edit) << '\n';
}

void Context::print_done(const v1::TransactionResult& result, std::span<const Done> done) {
    if (json()) return;
    if (result.has_pending()) return print_pending(result.pending());
    const std::vector<std::string> lines = done_lines(done, result.relative_changes());
    for (std::size_t i = 0; i < lines.size(); ++i) out() << lines[i] << (lines.size() == 1 ? ": " : "\n");
    out() << "revision " << result.revision();
    if (result.has_frame()) out() << ", takes effect at frame " << result.frame();
    if (result.combs()) out() << ", with some frequencies cancelled for 10 ms";
    out() << '\n';
    if (result.has_durable() && !result.durable())
        warn(streams_, "the change is not on disk, and is lost if rtad exits now; `rtactl status` shows why");
    if (!result.has_confirmation()) return;
    out() << "(reverted in " << left_text(result.confirmation()) << " unless `"
          << (place() == Place::shell ? "confirm" : "rtactl confirm") << "` comes)\n";
}

void Context::print_undo_hint() {
    if (json() || !streams_.interactive || edit_options.dry_run || edit_options.at) return;
    out() << "(`" << (place() == Place::shell ? "undo" : "rtactl undo") << "` restores the graph as it was before)\n";
}

void Context::print_done(const v1::ParametersResult& result, std::span<const Done> done) {
    if (json()) return;
    if (result.has_pending()) return print_pending(result.pending());
    for (const std::string& text : done_lines(done, result.relative_changes())) out() << text << '\n';
}

void Context::print_pending(const v1::PendingEdit& edit) {
    out() << "edit " << edit.id() << " waits for frame " << edit.frame() << ", " << utc_text(edit.utc_us() / 1'000'000)
          << ": " << edit.summary() << "\n(in memory only: it is lost if rtad exits before then; `rtactl cancel "
          << edit.id() << "` cancels it)\n";
}

void Context::print_warning(std::string_view document, std::string_view warning) {
    warn(streams_, document.empty() ? std::string{warning} : std::string{document} + ": " + std::string{warning});
}

void Context::print_warnings(std::string_view document,
                             const google::protobuf::RepeatedPtrField<std::string>& warnings) {
    if (json()) return;
    for (const std::string& warning : warnings) print_warning(document, warning);
}

void Context::print_json(const google::protobuf::Message& message) { out() << to_json(message) << '\n' << std::flush; }

Result<void> Context::fetch_types() {
    if (types_) return {};
    auto response = call(list_types_request());
    if (!response) return std::unexpected(std::move(response.error()));
    types_ = std::move(*response->mutable_list_node_types());
    return {};
}

Result<const GraphMirror*> Context::fetch_graph(std::vector<std::string> names) {
    if (transaction_ && transaction_->graph) return &*transaction_->graph;
    // Later lines of the transaction may name any node.
    if (transaction_) names.clear();
    std::vector<v1::Request> requests{get_graph_request(v1::GRAPH_CONTENT_MESSAGE, std::move(names))};
    if (!types_) requests.push_back(list_types_request());
    auto responses = call_all(std::move(requests));
    if (!responses) return std::unexpected(std::move(responses.error()));
    if (responses->size() == 2) types_ = std::move(*responses->back().mutable_list_node_types());
    GraphMirror graph{responses->front().get_graph().graph(), *types_};
    if (!transaction_) return &graph_.emplace(std::move(graph));
    for (const v1::Edit& edit : transaction_->edits) graph.apply(edit);
    return &transaction_->graph.emplace(std::move(graph));
}

auto Context::within(std::chrono::milliseconds timeout, const auto& ask) {
    const auto usual = std::exchange(options_.timeout, std::min(timeout, options_.timeout));
    if (client_) client_->set_timeout(options_.timeout);
    may_trust_ = false;
    auto answer = ask();
    may_trust_ = true;
    options_.timeout = usual;
    if (client_) client_->set_timeout(usual);
    return answer;
}

Result<const GraphMirror*> Context::fetch_graph_within(std::chrono::milliseconds timeout) {
    return within(timeout, [this] { return fetch_graph(); });
}

std::vector<std::string> Context::scene_names_within(std::chrono::milliseconds timeout) {
    const auto response = within(timeout, [this] { return call(client::scenes_request()); });
    std::vector<std::string> names;
    if (!response) return names;
    for (const v1::SceneInfo& scene : response->list_scenes().scenes()) names.push_back(scene.name());
    return names;
}

Result<v1::GraphResult> Context::fetch_pending_graph() {
    const auto graph = fetch_graph();
    if (!graph) return std::unexpected(graph.error());
    v1::GraphResult result;
    *result.mutable_graph() = (*graph)->graph();
    result.set_document(write_document(to_document(result.graph())));
    return result;
}

const v1::NodeType* Context::find_type(std::string_view name) const {
    return types_ ? rta::find_type(*types_, name) : nullptr;
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
