// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/audio_graph.h"
#include "text/error.h"

namespace rta::api {

/// A node at some time, without its connections.
struct NodeRecord {
    std::shared_ptr<const NodeDescription> description;
    std::vector<float> parameters;

    /// Returns the value, or nothing if the settings of the node do not give it the parameter.
    [[nodiscard]] std::optional<float> value(std::string_view parameter) const;
};
using SharedRecord = std::shared_ptr<const NodeRecord>;

/// One of the properties of a node, or of its existence, that steps change independently of each other.
struct Facet {
    enum class Kind : std::uint8_t { name, settings, title, description, parameter };
    Kind kind;
    std::string parameter{};
    [[nodiscard]] auto operator<=>(const Facet&) const = default;
};

/// Returns whether two records of a node have the same value; a missing record has none.
[[nodiscard]] bool same_facet(const NodeRecord* a, const NodeRecord* b, const Facet& facet);
/// Returns the facets in which two records differ; if one is missing, all of the other one.
[[nodiscard]] std::vector<Facet> different_facets(const NodeRecord* a, const NodeRecord* b);

/// Other values for some facets of a node, each that of a record; null: as in the record that is changed, or the default.
using FacetValues = std::map<Facet, const NodeRecord*>;
/// Returns the record with other values. Parameters that it gains with other settings have their defaults unless they are
/// among the values, and are not checked. [any]
[[nodiscard]] SharedRecord with_facets(const SharedRecord& record, const FacetValues& values);

}  // namespace rta::api
