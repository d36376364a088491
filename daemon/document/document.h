// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "document/annotation.h"
#include "document/setting_value.h"
#include "text/error.h"

namespace rta {

/// A position in the text of a document; 0 without a text, as for a graph received as a message.
struct DocumentPosition {
    std::uint32_t line = 0;    ///< from 1
    std::uint32_t column = 0;  ///< from 1, in bytes

    [[nodiscard]] explicit operator bool() const { return line != 0; }
    /// "line 3, column 14: " or "".
    [[nodiscard]] std::string prefix() const;
};

/// Returns the error with its position in the document.
[[nodiscard]] Error at_position(Error error, const DocumentPosition& position);

/// A value of a parameter in a form that only documents may use: true, false, or text such as "on" and "-6 dB".
struct WrittenValue {
    SettingValue value;
    DocumentPosition position;
};

/// A graph as written by users: names and numbers, not checked against the node types. See `rta.v1.Graph`.
struct GraphDocument {
    struct Node {
        std::string name;
        std::string type;
        Settings settings;
        std::map<std::string, float, std::less<>> parameters;
        DocumentPosition position{};
        Annotation annotation{};
        // What depends on the node type; graph/document_values.h converts it.
        std::map<std::string, WrittenValue, std::less<>> written_parameters{};  ///< none of `parameters`
        std::map<std::string, DocumentPosition, std::less<>> text_settings{};   ///< the settings given as text
    };
    struct Connection {
        std::string from;  ///< `node` or `node:port`
        std::string to;
        std::optional<float> gain_db;
        DocumentPosition position{};
    };

    /// Where a saved document comes from. Not a part of the graph.
    struct Origin {
        std::optional<std::uint64_t> revision{};  ///< of the graph when it was saved
        std::string instance{};                   ///< of the daemon, to which the revision belongs; may be empty
    };

    std::vector<Node> nodes;
    std::vector<Connection> connections;
    bool latency_compensation = false;
    Annotation annotation{};
    Origin origin{};
    std::uint32_t comment_count = 0;
    DocumentPosition first_comment{};
};

/// Reads the JSON form, with // comments. INVALID_ARGUMENT, with line, column and the key, for unknown and duplicate
/// keys, wrong types, numbers out of the range of float32, unexpected nesting, and documents over 16 MiB.
[[nodiscard]] Expected<GraphDocument> read_document(std::string_view text);

/// Returns the warning that the comments of the document will not be saved with the graph; empty if it has none.
[[nodiscard]] std::string comment_warning(const GraphDocument& document);

/// Writes the JSON form, without comments. Equal graphs give equal text: nodes are sorted by name, connections by `from` and `to`,
/// settings and parameters by key; numbers have the shortest digits that read back as the same float. Ends with a
/// newline.
[[nodiscard]] std::string write_document(const GraphDocument& document);

}  // namespace rta
