// SPDX-License-Identifier: MIT
#include "document/document_size.h"

#include <span>
#include <string>

#include "graph/audio_graph.h"
#include "text/format_number.h"

namespace rta {
namespace {

std::size_t bytes_of_port_name(const GraphNode& node, std::span<const NodeLayout::Port> ports, std::uint32_t port) {
    return node.name().size() + (ports.size() == 1 ? 0 : 1 + ports[port].name.size());
}

/// A document does not contain a gain of 0 dB.
std::size_t bytes_of_gain(float gain_db) {
    if (gain_db == 0.0F) return 0;
    return kConnectionGainBytes + longest_number(kMinimumConnectionGainDb, kMaximumConnectionGainDb);
}

}  // namespace

std::size_t NodeLayout::document_bytes() const {
    if (parameters.empty()) return 0;
    std::size_t bytes = kParametersBytes;
    for (const ParameterSpec& spec : parameters) {
        const bool is_digit = spec.unit == Unit::on_off && spec.minimum == 0.0F && spec.maximum == 1.0F;
        bytes += spec.name.size() + kParameterBytes + (is_digit ? 1 : longest_number(spec.minimum, spec.maximum));
    }
    return bytes;
}

std::size_t AudioGraph::bytes_of(NodeId to, const IncomingConnection& connection) const {
    const GraphNode& source = *find(connection.from.node);
    const GraphNode& destination = *find(to);
    return kConnectionBytes + bytes_of_gain(connection.gain_db) +
           bytes_of_port_name(source, source.description->layout.outputs, connection.from.port) +
           bytes_of_port_name(destination, destination.description->layout.inputs, connection.to_port);
}

}  // namespace rta
