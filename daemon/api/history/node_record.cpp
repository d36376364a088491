// SPDX-License-Identifier: MIT
#include "api/history/node_record.h"

#include <cassert>
#include <span>
#include <utility>

namespace rta::api {
namespace {

const Annotation& annotation_of(const NodeRecord& record) { return record.description->annotation; }

/// Returns the record of the facet, or `usual`.
const NodeRecord& source(const FacetValues& values, Facet::Kind kind, const NodeRecord& usual) {
    const auto found = values.find(Facet{kind});
    return found == values.end() || found->second == nullptr ? usual : *found->second;
}

std::shared_ptr<const NodeDescription> described(const NodeRecord& record, const FacetValues& values) {
    const NodeDescription& old = *record.description;
    const NodeDescription& settings = *source(values, Facet::Kind::settings, record).description;
    const std::string& name = source(values, Facet::Kind::name, record).description->name;
    Annotation annotation{annotation_of(source(values, Facet::Kind::title, record)).title,
                          annotation_of(source(values, Facet::Kind::description, record)).description};
    if (settings.given_settings == old.given_settings && name == old.name && annotation == old.annotation)
        return record.description;
    if (settings.name == name && settings.annotation == annotation)
        return source(values, Facet::Kind::settings, record).description;
    auto made = NodeDescription::make(*old.type, name, settings.given_settings, old.sample_rate_hz,
                                      std::move(annotation), old.block_size);
    assert(made && "each part belonged to a valid node");
    return made ? *std::move(made) : record.description;
}

}  // namespace

std::optional<float> NodeRecord::value(std::string_view parameter) const {
    const auto index = description->layout.find_parameter(parameter);
    return index ? std::optional{parameters[*index]} : std::nullopt;
}

bool same_facet(const NodeRecord* a, const NodeRecord* b, const Facet& facet) {
    if (a == nullptr || b == nullptr) return a == b;
    switch (facet.kind) {
        case Facet::Kind::name:
            return a->description->name == b->description->name;
        case Facet::Kind::settings:
            return a->description->given_settings == b->description->given_settings;
        case Facet::Kind::title:
            return annotation_of(*a).title == annotation_of(*b).title;
        case Facet::Kind::description:
            return annotation_of(*a).description == annotation_of(*b).description;
        case Facet::Kind::parameter:
            break;
    }
    return a->value(facet.parameter) == b->value(facet.parameter);
}

std::vector<Facet> different_facets(const NodeRecord* a, const NodeRecord* b) {
    std::vector<Facet> facets;
    const auto add = [&](Facet facet) {
        if (!same_facet(a, b, facet)) facets.push_back(std::move(facet));
    };
    if (a == nullptr || b == nullptr || a->description != b->description) {
        for (const auto kind : {Facet::Kind::name, Facet::Kind::settings, Facet::Kind::title, Facet::Kind::description})
            add({kind});
    }
    if (a != nullptr && b != nullptr && same_facet(a, b, {Facet::Kind::settings})) {
        const std::span<const ParameterSpec> specs = a->description->layout.parameters;
        for (std::size_t p = 0; p < specs.size(); ++p) {
            if (a->parameters[p] != b->parameters[p])
                facets.push_back({Facet::Kind::parameter, std::string{specs[p].name}});
        }
        return facets;
    }
    for (const NodeRecord* const record : {a, b}) {
        if (record == nullptr) continue;
        for (const ParameterSpec& spec : record->description->layout.parameters) {
            // Each once: those of `b` that `a` has, too, have been compared.
            if (record == b && a != nullptr && a->value(spec.name)) continue;
            add({Facet::Kind::parameter, std::string{spec.name}});
        }
    }
    return facets;
}

SharedRecord with_facets(const SharedRecord& record, const FacetValues& values) {
    auto result = std::make_shared<NodeRecord>(NodeRecord{described(*record, values), {}});
    for (const ParameterSpec& spec : result->description->layout.parameters) {
        const auto given = values.find(Facet{Facet::Kind::parameter, std::string{spec.name}});
        const bool other = given != values.end() && given->second != nullptr;
        result->parameters.push_back((other ? *given->second : *record).value(spec.name).value_or(spec.default_value));
    }
    return result;
}

}  // namespace rta::api
