// SPDX-License-Identifier: MIT
#pragma once

#include <complex>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "graph/parameter_spec.h"
#include "graph/processor.h"
#include "graph/settings.h"
#include "text/error.h"

namespace rta {

/// A port of a node type, or, where it repeats, as many ports as a setting says: `in_#`. Width 0 means: as wide as the
/// setting `channels` says.
struct PortSpec {
    std::string_view name;
    std::uint32_t width = 0;
    Repeat repeat = {};
};

/// What a factory builds a processor from.
struct BuildContext {
    double sample_rate_hz;
    std::uint32_t block_size;  ///< frames
    const ResolvedSettings& settings;
};

/// Whether a type moves samples to or from the device itself.
enum class DeviceRole : std::uint8_t { none, source, sink };

/// What the response of a node is asked for.
struct ResponseQuery {
    const ResolvedSettings& settings;
    std::span<const float> parameters;  ///< at rest, in their own units, in the order of the node's layout
    double sample_rate_hz;
    std::uint32_t output;  ///< port
    std::span<const double> frequencies_hz;
};

/// What a processor takes at the most, unless its type says otherwise.
inline constexpr std::uint64_t kSmallProcessorBytes = std::uint64_t{16} << 20U;

/// All there is to know about a kind of node: one constinit object at the end of its file in daemon/nodes.
struct NodeType {
    using Factory = Expected<std::unique_ptr<Processor>> (*)(const BuildContext&);
    /// About how many bytes a processor will take.
    using Memory = std::uint64_t (*)(const BuildContext&);
    /// What becomes, in each channel, of sines that enter at the first input: the gain and the phase of each, written
    /// to `values`, one for each of the query's frequencies. [control]
    using Response = void (*)(const ResponseQuery&, std::span<std::complex<double>> values);

    std::string_view name;
    std::string_view help;  ///< one sentence
    std::span<const SettingSpec> settings = {};
    std::span<const ParameterSpec> parameters = {};
    std::span<const PortSpec> inputs = {};
    std::span<const PortSpec> outputs = {};
    /// The processor tolerates that its first input and its first output are the same memory.
    bool in_place = false;
    DeviceRole device_role = DeviceRole::none;
    Factory create;
    Response response = nullptr;    ///< nullptr where there is none to tell
    Memory memory_bytes = nullptr;  ///< nullptr where they are never more than kSmallProcessorBytes
};

/// A set of node types, sorted by name. The daemon has one, `builtin_nodes()`; tests make their own.
class NodeRegistry {
 public:
    explicit constexpr NodeRegistry(std::span<const NodeType* const> types) : types_{types} {}

    [[nodiscard]] std::span<const NodeType* const> types() const { return types_; }
    /// nullptr if there is none.
    [[nodiscard]] const NodeType* find(std::string_view name) const;
    /// Errors: NOT_FOUND, with the types that there are.
    [[nodiscard]] Expected<const NodeType*> require(std::string_view name) const;

 private:
    std::span<const NodeType* const> types_;
};

/// Every node type in daemon/nodes. Generated from the files there.
[[nodiscard]] const NodeRegistry& builtin_nodes();

}  // namespace rta
