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

/// Where something stands in a document's text; 0 where there is no text (a graph that came as a message).
struct DocumentPosition {
    std::uint32_t line = 0;    ///< from 1
    std::uint32_t column = 0;  ///< from 1, in bytes

    [[nodiscard]] explicit operator bool() const { return line != 0; }
    /// "line 3, column 14: " or "".
    [[nodiscard]] std::string prefix() const;
};

/// The error, found at this place of a document.
[[nodiscard]] Error at_position(Error error, const DocumentPosition& position);

/// A graph as people write it: names and numbers, nothing resolved. See `rta.v1.Graph`.
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

/// Reads the JSON form. Unknown and duplicate keys, wrong types, numbers that float32 cannot hold: INVALID_ARGUMENT
/// with line and column and the offending key. Nested deeper or longer than a sane document: refused likewise.
[[nodiscard]] Expected<GraphDocument> read_document(std::string_view text);

/// Writes the JSON form, stable: nodes by name, connections by `from` then `to`, keys sorted within settings and
/// parameters, the shortest digits that give the same float back. Ends with a newline.
[[nodiscard]] std::string write_document(const GraphDocument& document);

}  // namespace rta
