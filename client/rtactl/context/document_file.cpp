// SPDX-License-Identifier: MIT
#include "rtactl/context/document_file.h"

#include <algorithm>

#include "document/document.h"
#include "frame/frame_codec.h"
#include "rtactl/context/output_file.h"
#include "rtactl/terminal/file.h"
#include "text/utf8.h"

namespace rta::rtactl {

namespace {

/// Leaves room in a frame for the other fields of the request.
constexpr std::size_t kMaximumDocumentBytes = kMaximumFrameBytes - 256;

Result<void> check_encoding(const DocumentFile& document) {
    const std::string_view text = document.text;
    const std::size_t invalid = first_invalid_utf8(text);
    if (invalid == text.size()) return {};
    const std::string_view before = text.substr(0, invalid);
    const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
    const DocumentPosition position{static_cast<std::uint32_t>(std::ranges::count(before, '\n') + 1),
                                    static_cast<std::uint32_t>(invalid - line_start + 1)};
    return fail(Exit::refused, document.name + ": " + position.prefix() + "invalid UTF-8");
}

}  // namespace

Result<DocumentFile> read_document_file(Context& context, const std::string& path) {
    const bool from_stream = path == kStandardStream;
    if (from_stream && context.line != 0)
        return usage_error("- is the standard input, from which the shell reads its commands; name a file");
    DocumentFile document{from_stream ? "standard input" : path, {}};
    auto text = from_stream ? read_stream(context.streams().in, document.name, kMaximumDocumentBytes)
                            : read_file(path, kMaximumDocumentBytes);
    if (!text) return usage_error(std::move(text.error()));
    document.text = std::move(*text);
    if (auto checked = check_encoding(document); !checked) return std::unexpected(std::move(checked.error()));
    return document;
}

std::unexpected<Failure> in_document(const DocumentFile& document, Failure failure) {
    if (failure.exit == Exit::refused) failure.sentence = document.name + ": " + failure.sentence;
    return std::unexpected(std::move(failure));
}

v1::GraphContent document_or_json(const Context& context) {
    return context.json() ? v1::GRAPH_CONTENT_UNSPECIFIED : v1::GRAPH_CONTENT_DOCUMENT;
}

}  // namespace rta::rtactl
