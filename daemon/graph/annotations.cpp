// SPDX-License-Identifier: MIT
#include <memory>
#include <utility>

#include "document/document_size.h"
#include "graph/audio_graph.h"
#include "graph/edit.h"
#include "text/quoting.h"

namespace rta {

Annotation described(Annotation annotation, const Describe& edit) {
    if (edit.title) annotation.title = *edit.title;
    if (edit.description) annotation.description = *edit.description;
    return annotation;
}

Expected<std::shared_ptr<const NodeDescription>> NodeDescription::with_annotation(Annotation changed) const {
    if (auto fits = check_annotation(changed, "node " + quoted(name)); !fits)
        return std::unexpected(std::move(fits.error()));
    auto result = std::make_shared<NodeDescription>(*this);
    result->annotation = std::move(changed);
    result->document_bytes = node_bytes(type->name, result->annotation, given_settings) + layout.document_bytes();
    return result;
}

Expected<void> AudioGraph::set_annotation(Annotation annotation) {
    if (auto fits = check_annotation(annotation, "the graph"); !fits) return fits;
    document_bytes_ -= annotation_bytes(annotation_);
    annotation_ = std::move(annotation);
    document_bytes_ += annotation_bytes(annotation_);
    return {};
}

}  // namespace rta
