// SPDX-License-Identifier: MIT
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/audio_graph.h"

namespace rta {

/// Everything through which a signal passes from one port of a graph to another: the part of the graph between them,
/// with its parameters, gains of connections, latencies and compensating delays at rest.
///
/// The response is that of the whole path. It is computed from points, the channels of the outputs on the path: each is
/// the sum of earlier points with gains and delays, multiplied by the response of its node. Points and gains that do
/// not contribute are left out, so the cost depends on the path, not on the graph.
class SignalPath {
 public:
    struct Ends {
        std::string_view from;  ///< `node:port`, or `node` for its only output
        std::string_view to;    ///< `node:port`, or `node` for all of its outputs, or for what a device sink plays
        std::uint32_t from_channel = 1;
        std::uint32_t to_channel = 1;
    };
    /// Response of one port at the end.
    struct Output {
        std::string port;                          ///< its name
        std::vector<std::complex<double>> values;  ///< gain and phase, one for each frequency
        std::vector<double> group_delays_s;        ///< 0 where the gain is 0
    };
    /// Returns false if the computation takes too long.
    using Continues = std::function<bool()>;

    /// Finds the path. `own_frames` holds the latency that each node adds, in the order of the graph, which must
    /// outlive the path and have no cycle. O(n log n) in nodes and connections, plus the cost of the path: for each channel
    /// of an output on it, the input channels that reach it. For a mixer of 64 x 64, these are 64 times up to 4096.
    ///
    /// Errors: NOT_FOUND for a node or a port; INVALID_ARGUMENT for a channel, or if a port must be named;
    /// FAILED_PRECONDITION if no connection leads from one end to the other, or if a node between them has no response;
    /// RESOURCE_EXHAUSTED if `continues`, called for each channel, returns false. [any]
    [[nodiscard]] static Expected<SignalPath> find(const AudioGraph& graph, std::span<const std::uint32_t> own_frames,
                                                   const Ends& ends, const Continues& continues);

    /// Returns one response for each port at the end. RESOURCE_EXHAUSTED if `continues` returns false; the
    /// caller adds what would be accepted. [any]
    [[nodiscard]] Expected<std::vector<Output>> response(std::span<const double> frequencies_hz, double sample_rate_hz,
                                                         const Continues& continues) const;

    /// Returns the estimated time of the response at one frequency, in units of about 50 ns: one for each channel of a
    /// node, each signal added to one, and each parameter of a response, because the sections of a filter have some each.
    [[nodiscard]] std::size_t cost() const;
    /// Returns a sentence for each node that is not linear: what it counts as. A long list is cut.
    [[nodiscard]] std::vector<std::string> notes() const;

 private:
    class Finder;
    class Evaluation;

    /// A point contributes to another one.
    struct Term {
        std::uint32_t source;  ///< in points_
        std::uint32_t delay_frames;
        double gain;
    };
    struct Point {
        const GraphNode* node = nullptr;
        PortChannel output{};
        bool flat = false;  ///< the node changes no frequency on the way to this point
        std::uint32_t first_term = 0;
        std::uint32_t term_count = 0;
        std::uint32_t reader_count = 0;  ///< terms, and ends
    };
    struct End {
        std::string port;
        std::uint32_t point;
    };

    std::vector<Point> points_;         ///< point 0 is the start of the path
    std::vector<Term> terms_;           ///< those of one point are adjacent
    std::vector<std::uint32_t> order_;  ///< of all points but the start: each after its sources
    std::vector<End> ends_;
};

}  // namespace rta
