// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "document/setting_value.h"
#include "text/error.h"

namespace rta {

/// A position in the text of a document; 0 if there is no text, as for a graph received as a message.
struct DocumentPosition {
    std::uint32_t line = 0;    ///< from 1
    std::uint32_t column = 0;  ///< from 1, in bytes

    [[nodiscard]] explicit operator bool() const { return line != 0; }
    /// "line 3, column 14: " or "".
    [[nodiscard]] std::string prefix() const;
};

/// Returns the error with its position in the document.
[[nodiscard]] Error at_position(Error error, const DocumentPosition& position);

/// A graph as written by users: names and numbers, not checked against the node types. See `rta.v1.Graph`.
struct GraphDocument {
    struct Node {
        std::string name;
        std::string type;
        Settings settings;
        std::map<std::string, float, std::less<>> parameters;
        DocumentPosition position{};
    };
    struct Connection {
        std::string from;  ///< `node` or `node:port`
        std::string to;
        std::optional<float> gain_db;
        DocumentPosition position{};
    };

    std::vector<Node> nodes;
    std::vector<Connection> connections;
    bool latency_compensation = false;
};

/// Reads the JSON form. INVALID_ARGUMENT, with line, column and the key, for unknown and duplicate keys, wrong types,
/// numbers out of the range of float32, unexpected nesting, and documents over 16 MiB.
[[nodiscard]] Expected<GraphDocument> read_document(std::string_view text);

/// Writes the JSON form. Equal graphs give equal text: nodes are sorted by name, connections by `from` and `to`,
/// settings and parameters by key; numbers have the shortest digits that read back as the same float. Ends with a
/// newline.
[[nodiscard]] std::string write_document(const GraphDocument& document);

}  // namespace rta
