// SPDX-License-Identifier: MIT
#include <algorithm>
#include <ostream>

#include "document/document.h"
#include "frame/frame_codec.h"
#include "rtactl/context/context.h"
#include "rtactl/context/graph_diff.h"
#include "rtactl/context/output_file.h"
#include "rtactl/drawing/dot.h"
#include "rtactl/drawing/graphviz.h"
#include "rtactl/drawing/print.h"
#include "rtactl/language/command.h"
#include "rtactl/terminal/file.h"
#include "rtactl/terminal/printable_stream.h"
#include "text/names.h"

namespace rta::rtactl {

namespace {

/// What the rest of a request needs of a message's 4 MiB.
constexpr std::size_t kMaximumDocumentBytes = kMaximumFrameBytes - 256;

struct Document {
    std::string name;  ///< for messages
    std::string text;
};

/// Protobuf cannot carry anything but UTF-8, so this one fault the daemon never gets to see.
Result<void> check_encoding(const Document& document) {
    const std::string_view text = document.text;
    const std::size_t invalid = first_invalid_utf8(text);
    if (invalid == text.size()) return {};
    const std::string_view before = text.substr(0, invalid);
    const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
    const DocumentPosition position{static_cast<std::uint32_t>(std::ranges::count(before, '\n') + 1),
                                    static_cast<std::uint32_t>(invalid - line_start + 1)};
    return fail(Exit::refused, document.name + ": " + position.prefix() + "this is not UTF-8, as a document must be");
}

Result<Document> read_document_file(Session& session, const std::string& path) {
    const bool from_stream = path == kStandardStream;
    if (from_stream && session.line != 0) return usage_error("- is where the shell reads its commands; name a file");
    Document document{from_stream ? "standard input" : path, {}};
    auto text = from_stream ? read_stream(session.streams().in, document.name, kMaximumDocumentBytes)
                            : read_file(path, kMaximumDocumentBytes);
    if (!text) return usage_error(std::move(text.error()));
    document.text = std::move(*text);
    if (auto good = check_encoding(document); !good) return std::unexpected(std::move(good.error()));
    return document;
}

/// What the daemon found fault with is in the file; that there is no daemon is not.
std::unexpected<Failure> in_document(const Document& document, Failure failure) {
    if (failure.exit == Exit::refused) failure.sentence = document.name + ": " + failure.sentence;
    return std::unexpected(std::move(failure));
}

/// A program gets the whole response; a person reads the document, which fits where both forms do not.
v1::GraphContent document_unless_json(const Session& session) {
    return session.json() ? v1::GRAPH_CONTENT_UNSPECIFIED : v1::GRAPH_CONTENT_DOCUMENT;
}

std::string size_text(std::string_view document) {
    const auto graph = read_document(document);
    if (!graph) return counted(document.size(), "byte");
    return counted(graph->nodes.size(), "node") + ", " + counted(graph->connections.size(), "connection");
}

Result<std::string> graph_as_dot(Session& session) {
    if (auto learned = session.learn_types(); !learned) return std::unexpected(std::move(learned.error()));
    const auto response = session.perform(get_graph_request(v1::GRAPH_CONTENT_MESSAGE));
    if (!response) return std::unexpected(response.error());
    return to_dot(response->get_graph().graph(), session.types());
}

Result<void> draw_graph(Session& session, const std::string& path) {
    if (auto good = check_output(path); !good) return good;
    const auto dot = graph_as_dot(session);
    if (!dot) return std::unexpected(dot.error());
    auto svg = draw_svg(*dot);
    if (!svg) return fail(Exit::refused, std::move(svg.error()));
    return write_output(session, path, *svg);
}

/// What a document would change, having been found good by the daemon.
Result<std::vector<v1::Edit>> compare(Session& session, const Document& document) {
    v1::Request check;
    check.mutable_check_graph()->set_document(document.text);
    if (const auto good = session.ask(std::move(check)); !good) return in_document(document, good.error());
    if (auto learned = session.learn_types(); !learned) return std::unexpected(std::move(learned.error()));
    const auto response = session.ask(get_graph_request(v1::GRAPH_CONTENT_MESSAGE));
    if (!response) return std::unexpected(response.error());
    const auto wanted = read_document(document.text);
    if (!wanted) return in_document(document, {Exit::refused, wanted.error().sentence});
    return edits_between(response->get_graph().graph(), to_graph(*wanted), session.types());
}

}  // namespace

Result<void> run_graph_show(Session& session, const Arguments& arguments) {
    if (const auto path = arguments.value("--svg")) return draw_graph(session, std::string{*path});
    const auto response = session.perform(get_graph_request(document_unless_json(session)));
    if (!response) return std::unexpected(response.error());
    if (!session.json()) session.out() << printable_document(response->get_graph().document());
    return {};
}

Result<void> run_graph_dot(Session& session, const Arguments&) {
    if (session.json()) return run_graph_show(session, {});
    const auto dot = graph_as_dot(session);
    if (!dot) return std::unexpected(dot.error());
    session.out() << *dot;
    return {};
}

Result<void> run_graph_save(Session& session, const Arguments& arguments) {
    const std::string& path = arguments.words[0];
    if (auto good = check_output(path); !good) return good;
    const auto response = session.perform(get_graph_request(document_unless_json(session)));
    if (!response) return std::unexpected(response.error());
    const v1::GraphResult& result = response->get_graph();
    if (auto written = write_output(session, path, result.document()); !written) return written;
    if (!session.json() && path != kStandardStream)
        session.out() << path << ": " << size_text(result.document()) << ", revision " << result.revision() << '\n';
    return {};
}

Result<void> run_graph_load(Session& session, const Arguments& arguments) {
    auto document = read_document_file(session, arguments.words[0]);
    if (!document) return std::unexpected(std::move(document.error()));
    v1::Request request;
    request.mutable_apply_transaction()->set_document(std::move(document->text));
    auto response = session.perform(std::move(request));
    if (!response) return in_document(*document, std::move(response.error()));
    session.print_revision(response->apply_transaction(), document->name);
    return {};
}

Result<void> run_graph_check(Session& session, const Arguments& arguments) {
    auto document = read_document_file(session, arguments.words[0]);
    if (!document) return std::unexpected(std::move(document.error()));
    v1::Request request;
    request.mutable_check_graph()->set_document(std::move(document->text));
    auto response = session.perform(std::move(request));
    if (!response) return in_document(*document, std::move(response.error()));
    const v1::CheckResult& result = response->check_graph();
    if (!session.json()) {
        session.out() << document->name << ": good, " << counted(result.node_count(), "node") << ", "
                      << counted(result.connection_count(), "connection") << '\n';
    }
    return {};
}

Result<void> run_graph_diff(Session& session, const Arguments& arguments) {
    const auto document = read_document_file(session, arguments.words[0]);
    if (!document) return std::unexpected(document.error());
    auto edits = compare(session, *document);
    if (!edits) return std::unexpected(std::move(edits.error()));
    if (session.json()) {
        v1::EditList list;
        for (v1::Edit& edit : *edits) *list.add_edits() = std::move(edit);
        session.print_json(list);
        return {};
    }
    if (edits->empty()) {
        session.out() << "# " << document->name << ": nothing would change\n";
        return {};
    }
    // As `rtactl shell` takes them: all at once, as loading the document would be.
    session.out() << "begin\n";
    for (const v1::Edit& edit : *edits) session.out() << describe(edit) << '\n';
    session.out() << "commit\n";
    return {};
}

Result<void> run_graph_clear(Session& session, const Arguments&) {
    v1::Request request;
    request.mutable_apply_transaction()->mutable_graph();
    const auto response = session.perform(std::move(request));
    if (!response) return std::unexpected(response.error());
    session.print_revision(response->apply_transaction());
    return {};
}

}  // namespace rta::rtactl
