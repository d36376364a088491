// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "rtactl/context/context.h"

namespace rta::rtactl {

/// A graph document as read from a file or from the standard input.
struct DocumentFile {
    std::string name;  ///< for messages
    std::string text;
};

/// Reads a document. Refuses text that is not UTF-8: a Protocol Buffers string cannot carry it to the daemon.
[[nodiscard]] Result<DocumentFile> read_document_file(Context& context, const std::string& path);

/// Puts the name of the document in front of an error that the daemon found in it. Leaves other errors unchanged.
[[nodiscard]] std::unexpected<Failure> in_document(const DocumentFile& document, Failure failure);

/// Returns the form of the graph to request: both for a program (--json), the document for a person. The document may
/// fit into a message when both forms do not.
[[nodiscard]] v1::GraphContent document_or_json(const Context& context);

}  // namespace rta::rtactl
