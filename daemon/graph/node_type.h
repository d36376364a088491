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
#include "resources/resources.h"
#include "text/error.h"

namespace rta {

/// A port of a node type. A repeated port, such as `in_#`, has the number of instances given by a setting.
struct PortSpec {
    std::string_view name;
    std::uint32_t width = 0;  ///< channels; 0: the setting `channels`
    Repeat repeat = {};
};

/// Input of a factory.
struct BuildContext {
    double sample_rate_hz;
    std::uint32_t block_size;  ///< frames
    const ResolvedSettings& settings;
    /// For factories only: estimates of memory must not read files.
    Resources& resources = no_files();
};

/// Whether nodes of a type read from the device (source) or write to it (sink).
enum class DeviceRole : std::uint8_t { none, source, sink };

/// What nodes of a type report to clients that subscribe to levels.
enum class Reports : std::uint8_t { nothing, levels, gain_reduction };

/// Input of NodeType::Response.
struct ResponseQuery {
    const ResolvedSettings& settings;
    std::span<const float> parameters;  ///< each in its own unit, in the order of the layout
    double sample_rate_hz;
    std::uint32_t output;  ///< index of the port
    std::span<const double> frequencies_hz;
};

/// A channel of a port, both starting at 0.
struct PortChannel {
    std::uint32_t port = 0;
    std::uint32_t channel = 0;
    [[nodiscard]] constexpr bool operator==(const PortChannel&) const = default;
};

/// Input of NodeType::Routing.
struct RoutingQuery {
    const ResolvedSettings& settings;
    std::span<const float> parameters;  ///< each in its own unit, in the order of the layout
    std::uint32_t input_count;          ///< ports
    std::uint32_t output_count;         ///< ports
    PortChannel input;
    PortChannel output;  ///< of a device sink: the same channel of the device as of the input
};

/// The response of a node that changes no frequency; see NodeType::Response.
inline void flat_response(const ResponseQuery&, std::span<std::complex<double>> values) {
    for (std::complex<double>& value : values) value = 1.0;
}

/// Estimates the bytes of a dynamics processor with the settings `look_ahead_ms` and `channels`: its delay, the delay
/// of the dry signal for its bypass, and its buffers.
[[nodiscard]] inline std::uint64_t look_ahead_memory_bytes(const BuildContext& context) {
    const auto channels = static_cast<std::uint64_t>(context.settings.integer("channels"));
    const auto frames =
        static_cast<std::uint64_t>(context.settings.number("look_ahead_ms") * context.sample_rate_hz / 1'000.0) + 1;
    constexpr std::uint64_t kExtraFrames = 2048;                     // of each delay
    constexpr std::uint64_t kExtraBytes = std::uint64_t{64} << 10U;  // buffers, and the ring of the gain reduction
    const std::uint64_t delays = frames > 1 ? 2 : 1;
    return kExtraBytes + (delays * channels * sizeof(float) + 4 * sizeof(std::int64_t)) * (frames + kExtraFrames);
}

/// Description of a node type: one constinit object at the end of its file in daemon/nodes.
struct NodeType {
    /// [any] Builds a processor.
    using Factory = Expected<std::unique_ptr<Processor>> (*)(const BuildContext&);
    /// [any] Estimates the bytes that a processor needs.
    using Memory = std::uint64_t (*)(const BuildContext&);
    /// [any] Checks the values of all parameters together, each in its own unit and within its range, in the order of the
    /// layout. Errors: INVALID_ARGUMENT, without the name of the node.
    using Check = Expected<void> (*)(std::span<const float> values);
    /// [any] Computes the frequency response from the first input to one output, the same for all channels, without the
    /// latency that the processor reports. Writes gain and phase for each frequency of the query to `values`.
    using Response = void (*)(const ResponseQuery&, std::span<std::complex<double>> values);
    /// [any] Returns the gain from a channel of an input to a channel of an output, equal at all frequencies. The response
    /// between the two is the product of this and `response`.
    using Routing = double (*)(const RoutingQuery&);

    std::string_view name;
    std::string_view help;  ///< one sentence
    std::span<const SettingSpec> settings = {};
    std::span<const ParameterSpec> parameters = {};
    std::span<const PortSpec> inputs = {};
    std::span<const PortSpec> outputs = {};
    /// The processor allows its first input and its first output to be the same memory.
    bool in_place = false;
    /// The channels of all outputs, in order, are the channels of all inputs, unchanged. The plan lets the readers of the
    /// outputs read the inputs, without a copy. Only while an input needs a mix, it calls the processor, which copies.
    /// Output channels may then be the memory of the input channels with the same index. Such a type has no parameters
    /// and no state.
    bool forwards_channels = false;
    /// The processor may output its input much later, regardless of the parameters at the time of the input, so the
    /// input must not start with a step.
    bool remembers_input = false;
    DeviceRole device_role = DeviceRole::none;
    Reports reports = Reports::nothing;  ///< must agree with Processor::level_tap()
    Factory create;
    Check check = nullptr;        ///< nullptr if all values within their ranges are valid together
    Response response = nullptr;  ///< nullptr if none exists, or if `routing` is all of it
    /// nullptr: 1 from each channel of the first input to the same channel of every output, 0 otherwise.
    Routing routing = nullptr;
    /// For a type that is not linear: what it counts as on a path, such as "its make-up gain, without gain reduction".
    /// `response` is then this.
    std::string_view counts_as = {};
    Memory memory_bytes = nullptr;  ///< nullptr: see estimated_memory_bytes()
};

/// A set of node types, sorted by name. The daemon uses builtin_nodes(); tests create their own. [any]
class NodeRegistry {
 public:
    explicit constexpr NodeRegistry(std::span<const NodeType* const> types) : types_{types} {}

    [[nodiscard]] std::span<const NodeType* const> types() const { return types_; }
    /// Returns the type, or nullptr if not found.
    [[nodiscard]] const NodeType* find(std::string_view name) const;
    /// Returns the type. Errors: NOT_FOUND, with the names of existing types.
    [[nodiscard]] Expected<const NodeType*> require(std::string_view name) const;

 private:
    std::span<const NodeType* const> types_;
};

/// Returns all node types in daemon/nodes. Generated from the files there. [any]
[[nodiscard]] const NodeRegistry& builtin_nodes();

}  // namespace rta
